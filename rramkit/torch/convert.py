# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""Conversion of an existing model: every layer that multiplies by a matrix goes onto tiles, in one call.

    torch.nn                                    becomes
    Linear                                      TileLinear
    Conv1d, Conv2d                              TileConv1d, TileConv2d
    LSTM, GRU, RNN                              TileLSTM, TileGRU, TileRNN
    MultiheadAttention                          TileMultiheadAttention, its linear layers on tiles

Each is a subclass of what it was, with the same parameters, hooks and names. All else stays digital: normalisation,
embeddings, activations. A layer that multiplies by a matrix and is none of these is an error, unless it is named as
digital; a matrix that a module of another kind may multiply by itself gives a warning.
"""

import copy
import difflib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, TypeVar

import torch
from torch import Tensor, nn

from rramkit.array.model import ArrayModel
from rramkit.errors import InputError
from rramkit.learning.chip import ChipSettings
from rramkit.learning.layer_mapping import LayerMapping
from rramkit.table import TablesLike, loaded
from rramkit.torch.arrays import arrays_of
from rramkit.torch.attention import TileMultiheadAttention
from rramkit.torch.by_layer import AllModules
from rramkit.torch.cells import TileMatrix, TileOptions, Write, drawn_seed
from rramkit.torch.convolution import TileConv1d, TileConv2d
from rramkit.torch.linear import TileLinear
from rramkit.torch.pulses import PulseWrites
from rramkit.torch.recurrent import TileGRU, TileLSTM, TileRNN

Model = TypeVar("Model", bound=nn.Module)

_ON_TILES = {
    nn.Linear: TileLinear,
    nn.Conv1d: TileConv1d,
    nn.Conv2d: TileConv2d,
    nn.LSTM: TileLSTM,
    nn.GRU: TileGRU,
    nn.RNN: TileRNN,
    nn.MultiheadAttention: TileMultiheadAttention,
}
_NO_TILES = (
    *(nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *(nn.Bilinear, nn.RNNBase, nn.RNNCellBase),
)
_OWN_CODE = ("forward", "_conv_forward")


def convert(
    model: Model,
    tables: ArrayModel | TablesLike,
    *,
    batch: Tensor | Sequence[Tensor] | None = None,
    chip: ChipSettings | None = None,
    digital: Sequence[str] = (),
    layers: Mapping[str, LayerMapping | Mapping[str, Any]] | None = None,
    w_max: float | None = None,
    backward: Literal["tile", "digital"] = "tile",
    seed: int = 0,
    write: Write | Literal["exact", "pulses"] = "exact",
    largest: tuple[int, int] | None = None,
    margin: float = 1.3,
    inplace: bool = False,
) -> Model:
    """Return a model with its matrices on tiles; its parameters keep their names, so its `state_dict` still loads.

    Parameters
    ----------
    model : torch.nn.Module
        The model; layers that are on tiles already stay as they are.
    tables : ArrayModel, TableFile, str or Path
        What every tile shares; of a table file, everything that it has, less what `chip` leaves out.
    batch : tensor or sequence of tensors, optional
        Inputs of the model, from which converters take their range (`calibrate`); left out, each layer takes it from
        the first inputs that it reads.
    chip : ChipSettings, optional
        Stages of the table file that are off, and its operating point: corner, temperature, supply.
    digital : sequence of str
        Names of modules that stay digital, with all within, as `named_modules` gives them.
    layers : mapping, optional
        Settings of single modules by name, each in place of that of all: stages that are `off` (`wires` among them),
        typed numbers of stages of its reads (`read`, with `override` where the file has them), `rows` and `columns` of
        the largest array. `{"fc1": {"off": ["wires"], "read": {"adc": {"bits": 6}}, "override": True}}`.
    w_max, backward, largest, margin
        As for `TileLinear`, of every layer.
    write : str, callable or PulseWrites
        `exact`: cells end at their targets; `pulses`: write-verify with all that the table file has on writes (slow:
        every changed weight is written before a product); else as for `TileLinear`.
    seed : int
        Seed of all random numbers of all tiles; each layer draws its own from it.
    inplace : bool
        Whether `model` itself is changed; else it stays as it is, and the returned copy has parameters of its own: make
        the optimiser from those.

    Returns
    -------
    torch.nn.Module
        The model on tiles.

    Raises
    ------
    InputError
        When a layer has no form on tiles, a name is none of the model's, nothing is left to put on tiles, or a setting
        of a single module does not fit or changes nothing.
    TableError
        When the file lacks a table, a signal or the operating point.

    Examples
    --------
    >>> import torch
    >>> from torch import nn
    >>> from rramkit.table.example import example
    >>> from rramkit.torch import convert
    >>> net = nn.Sequential(nn.Conv2d(1, 8, 3, padding="same"), nn.ReLU(), nn.Flatten(), nn.Linear(512, 10))
    >>> tiles = convert(net, example(), batch=torch.rand(16, 1, 8, 8))
    >>> tiles[3]
    TileLinear(
      in_features=512, out_features=10, bias=True
      (cells): TileMatrix(not written yet)
    )
    """
    if not isinstance(model, nn.Module):
        raise InputError(f"`model` must be a torch.nn.Module; got {type(model).__name__}. Pass the model.")
    tables = tables if isinstance(tables, ArrayModel) else loaded(tables)
    options = TileOptions(w_max, backward, _writes(write, tables, chip), largest, margin)
    arrays = arrays_of(tables, chip)
    seed = drawn_seed(seed)
    _check_names(model, digital)
    if not _chosen(model, digital) and not cells_of(model):
        kinds = ", ".join(kind.__name__ for kind in _ON_TILES)
        raise InputError(f"`model` must have a layer to put on tiles, {kinds}; it has none. Look at `digital`.")
    whole = AllModules(tables, chip or ChipSettings(), arrays, options, write == "pulses")
    own = whole.of_layers(layers or {}, _names_of(model, [module for _, module in _chosen(model, digital)]))
    _warn_of_parameters(model)
    model = model if inplace else copy.deepcopy(model)
    by_module = {id(model.get_submodule(name)): each for name, each in own.items()}
    module: Any
    for number, module in _chosen(model, digital):
        of_module = by_module.get(id(module))
        module.__class__ = _ON_TILES[_kind(module)]
        if of_module is None:
            module.put_on_tiles(arrays, options, seed=(seed, number))
        else:
            module.put_on_tiles(of_module.arrays, of_module.options, seed=(seed, number))
        module.to(next(module.parameters()).device)
    _read_every_layer(model)
    if batch is not None:
        calibrate(model, batch)
    return model


def calibrate(model: nn.Module, batch: Tensor | Sequence[Tensor]) -> None:
    """Set the range of the converters of every layer by a batch, whatever it was before.

    The batch goes through the model once, in evaluation mode, by the weights in memory; each layer's converters then
    take `margin` times the largest current of what the layer was given. Without such converters nothing happens.

    Parameters
    ----------
    model : torch.nn.Module
        A model on tiles.
    batch : tensor or sequence of tensors
        Inputs of the model.

    Raises
    ------
    InputError
        When the model has no layer on tiles.
    """
    cells = cells_of(model)
    if not cells:
        raise InputError("`model` must have layers on tiles; it has none. Pass what `convert` returned.")
    if not any(each.model.chain.calibrates for each in cells.values()):
        return
    inputs = (batch,) if isinstance(batch, Tensor) else tuple(batch)
    with ExitStack() as stack, torch.no_grad():
        stack.enter_context(_evaluating(model))
        for each in cells.values():
            stack.enter_context(each.collecting())
        model(*inputs)


def cells_of(model: nn.Module) -> dict[str, TileMatrix]:
    """Return the cells of every matrix of a model by their names: for energy, time and clamps by layer.

    Parameters
    ----------
    model : torch.nn.Module
        A model on tiles.

    Returns
    -------
    dict of str to TileMatrix
        By the names that `named_modules` gives them, such as `0.cells`.

    Examples
    --------
    >>> import torch
    >>> from rramkit.table.example import example
    >>> from rramkit.torch import TileLinear, cells_of
    >>> net = torch.nn.Sequential(TileLinear(4, 6, example()), torch.nn.ReLU(), TileLinear(6, 2, example()))
    >>> net(torch.rand(8, 4)).shape
    torch.Size([8, 2])
    >>> [(name, cells.energy > 0.0) for name, cells in cells_of(net).items()]
    [('0.cells', True), ('2.cells', True)]
    """
    return {name: module for name, module in model.named_modules() if isinstance(module, TileMatrix)}


def _writes(
    write: Write | Literal["exact", "pulses"], tables: ArrayModel | TablesLike, chip: ChipSettings | None
) -> Write | None:
    if not isinstance(write, str):
        return write
    if write not in ("exact", "pulses"):
        raise InputError(f"`write` must be exact, pulses, a callable or PulseWrites; got {write!r}. Choose one.")
    if write == "exact":
        return None
    if isinstance(tables, ArrayModel):
        raise InputError(
            "`write` = pulses must come with a table file; got an ArrayModel. Pass `PulseWrites.from_tables(tables)`."
        )
    return PulseWrites.from_tables(tables, chip)


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Within, a model is in evaluation mode."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _check_names(model: nn.Module, digital: Sequence[str]) -> None:
    if isinstance(digital, str):
        raise InputError(f"`digital` must be a sequence of names; got {digital!r}. Pass ({digital!r},).")
    names = [name for name, _ in model.named_modules(remove_duplicate=False) if name]
    for name in digital:
        if name not in names:
            similar = difflib.get_close_matches(str(name), names, n=1)
            hint = f" Did you mean `{similar[0]}`?" if similar else ""
            raise InputError(f"`digital` must name modules of the model; got {name!r}.{hint} See `named_modules`.")


def _chosen(model: nn.Module, digital: Sequence[str]) -> list[tuple[int, nn.Module]]:
    """Return the modules that go onto tiles, each with its number among all of the model.

    Raises
    ------
    InputError
        When a module multiplies by a matrix in a way that tiles do not.
    """
    every = list(model.named_modules(remove_duplicate=False))
    left = {id(module) for name, module in every if _within(name, digital)}
    numbers = {id(module): number for number, module in reversed(list(enumerate(module for _, module in every)))}
    parts = {id(each.out_proj) for each in model.modules() if isinstance(each, nn.MultiheadAttention)}
    chosen, refused = [], []
    for name, module in model.named_modules():
        if id(module) in left | parts or isinstance(module, tuple(_ON_TILES.values())):
            continue
        if _kind(module) is not None:
            reason = _reason_against(module)
            if isinstance(module, nn.MultiheadAttention) and id(module.out_proj) in left:
                reason = "goes onto tiles with its `out_proj`, which `digital` names: name it whole"
            chosen.append((numbers[id(module)], module))
        else:
            reason = "has no form on tiles" if isinstance(module, _NO_TILES) else ""
        if reason:
            refused.append(f"`{name}` ({type(module).__name__}) {reason}")
    if refused:
        raise InputError(
            f"`model` must have layers that tiles take; {'; '.join(refused)}. Change the model, or name them in "
            "`digital`, which leaves them in memory."
        )
    return chosen


def _names_of(model: nn.Module, modules: Sequence[nn.Module]) -> list[tuple[str, nn.Module]]:
    """Return modules by name, a shared one by each of its names."""
    wanted = {id(module) for module in modules}
    return [(name, each) for name, each in model.named_modules(remove_duplicate=False) if id(each) in wanted]


def _within(name: str, digital: Sequence[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in digital)


def _kind(module: nn.Module) -> type[nn.Module] | None:
    """Return the class of `torch.nn` whose form on tiles a module takes; None: none of them."""
    return next((kind for kind in _ON_TILES if isinstance(module, kind)), None)


def _reason_against(module: nn.Module) -> str:
    """Return why a module of a class that has a form on tiles cannot take it; empty where it can."""
    kind = _kind(module)
    assert kind is not None
    if isinstance(module, nn.modules.lazy.LazyModuleMixin):
        return "has no weights yet: run a batch through the model first"
    if any(getattr(type(module), name, None) is not getattr(kind, name, None) for name in _OWN_CODE):
        return f"computes in its own way, not as {kind.__name__} does"
    if nn.utils.parametrize.is_parametrized(module) or "weight_orig" in module._parameters:
        return "computes its weight from others: remove the parametrisation or pruning first, keeping the weight"
    wanted = [name for name in ("weight", "weight_ih_l0", "in_proj_weight", "q_proj_weight") if hasattr(module, name)]
    if not any(module._parameters.get(name) is not None for name in wanted):
        return "has a weight that is no parameter: remove the weight norm or pruning first"
    return ""


def _warn_of_parameters(model: nn.Module) -> None:
    """Warn of matrices that modules from elsewhere may multiply by themselves."""
    for name, module in model.named_modules():
        if type(module).__module__.startswith("torch.") or isinstance(module, (TileMatrix, *_ON_TILES.values())):
            continue
        for own, parameter in module.named_parameters(name, recurse=False):
            if parameter.dim() > 1:
                text = f"`{own}` {tuple(parameter.shape)} of {type(module).__name__} stays digital: no layer has it."
                warnings.warn(text, stacklevel=3)


def _read_every_layer(model: nn.Module) -> None:
    """Switch off PyTorch's fused transformer layers, which in evaluation would take weights past the modules."""
    for module in model.modules():
        if isinstance(module, nn.TransformerEncoderLayer):
            module.activation_relu_or_gelu = 0
        if isinstance(module, nn.TransformerEncoder):
            module.use_nested_tensor = False
