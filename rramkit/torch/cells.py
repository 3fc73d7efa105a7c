# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""Cells of one matrix of a module: written when the weight's content has changed, read in both directions.

Range. A weight of `w_max` takes the whole conductance range. Where `w_max` is left out it is the largest magnitude of
the weights at the first write; weights that grow beyond it give it `GROWTH` times their largest magnitude, and all
cells are written for the new range. Where it is given, a weight beyond it is an error.

Converters and readouts whose range is to be measured take it from the first batch of each direction, times a margin.
Where more than 1 % of the outputs are clamped after that, they take it from the next batch again in training mode: as
weights learn, currents grow. In evaluation mode they stay as they are, and a warning says so, once.
"""

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from rramkit.array.backend import Array, brought
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import Pairs
from rramkit.array.mapping.mapping import conductance_window
from rramkit.array.matrix import Product, Samples
from rramkit.array.model import ArrayModel
from rramkit.array.rng import TileRng
from rramkit.array.tile_grid import TileGrid
from rramkit.errors import InputError
from rramkit.torch.pulses import PulseWrites
from rramkit.torch.state import digest, restored, set_streams, streams_of, tensors_of

GROWTH = 1.5
"""New range over the largest weight (1), where weights outgrew the old one: a training then moves it a few times."""

Write = Callable[[Array, Array], Array] | PulseWrites
"""How a write ends: conductances (2, N, M) from those that the cells have and their targets, in siemens; or pulses."""

_SEED_BITS = 62
_TOO_MANY, _ENOUGH = 0.01, 1000  # clamped outputs over all (1) that are too many; outputs before that is judged


@dataclass(frozen=True)
class TileOptions:
    """How the cells of a module are written and read.

    Attributes
    ----------
    w_max : float or None
        Weight that the full conductance range stands for; None: taken from the weights.
    backward : str
        `tile`: errors go back through the cells; `digital`: through the weight in memory.
    write : callable, PulseWrites or None
        How a write ends; None: at its targets.
    largest : tuple of int or None
        Rows and physical columns of the largest array; None: that of the arrays.
    margin : float
        Range of converters over the largest current of their first batch (1).
    """

    w_max: float | None = None
    backward: Literal["tile", "digital"] = "tile"
    write: Write | None = None
    largest: tuple[int, int] | None = None
    margin: float = 1.3

    def __post_init__(self) -> None:
        if self.backward not in ("tile", "digital"):
            raise InputError(f"`backward` must be tile or digital; got {self.backward!r}. Choose one.")
        if self.w_max is not None and not 0.0 < self.w_max < float("inf"):
            raise InputError(f"`w_max` must be above 0; got {self.w_max:g}. Leave it out to take it from the weights.")
        if not 0.0 < self.margin <= 100.0:
            raise InputError(f"`margin` must be above 0 and at most 100; got {self.margin:g}. The default is 1.3.")


def drawn_seed(seed: int | None) -> int:
    """Return a seed as given, checked, or the next one of PyTorch's own generator (`torch.manual_seed`)."""
    if seed is None:
        return int(torch.randint(2**_SEED_BITS, ()))
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**63:
        raise InputError(f"`seed` must be a whole number from 0 to 2^63 - 1; got {seed!r}. Pass one.")
    return seed


class TileMatrix(nn.Module):
    """The cells of one weight (M, N) of a module; it counts as it writes and reads.

    Its tensors in a `state_dict` are the cells' conductances, what they were last written for, their range, what
    stages keep, the random streams and the counts: after `load_state_dict` the module goes on to the bit.

    Attributes
    ----------
    matrix : MappedMatrix or None
        The cells as they are read; None before the first write.
    energy, seconds
        Energy (J) and time (s) of all reads.
    clamped : int
        Inputs and currents clamped in reads, and cells written outside the table.
    writes, ranges : int
        Writes of the whole matrix, and how many of these were for a new range.
    """

    _place: Tensor  # an empty buffer: where the module is

    def __init__(self, model: ArrayModel, options: TileOptions, *, seed: Sequence[int]) -> None:
        super().__init__()
        self.model, self.options, self.seed = model, options, tuple(seed)
        self.write = options.write.of_matrix(seed) if isinstance(options.write, PulseWrites) else options.write
        self.matrix: MappedMatrix | None = None
        self.rng: TileRng | None = None
        self.energy, self.seconds, self.clamped, self.writes, self.ranges = 0.0, 0.0, 0, 0, 0
        self.measured = [False, False]  # ranges of converters, forward and backward
        self._written: Tensor | None = None
        self._outputs = [[0, 0], [0, 0]]  # clamped and all since the range was measured, forward and backward
        self._inputs: list[Tensor] | None = None
        self.register_buffer("_place", torch.empty(0), persistent=False)  # goes where the module goes

    @property
    def grid(self) -> TileGrid | None:
        """The tiles; None before the first write."""
        tile = None if self.matrix is None else self.matrix.tile
        assert tile is None or isinstance(tile, TileGrid)
        return tile

    @property
    def mapping(self) -> Pairs | None:
        """How weights stand in the cells; None before the first write."""
        mapping = None if self.matrix is None else self.matrix.mapping
        assert mapping is None or isinstance(mapping, Pairs)
        return mapping

    @property
    def unmeasured(self) -> bool:
        """Whether converters have a range that no batch has set yet, nor is setting."""
        return self.model.chain.calibrates and not self.measured[False] and self._inputs is None

    def extra_repr(self) -> str:
        """Return the tiles and the range for `print(model)`."""
        if self.mapping is None:
            return "not written yet"
        return f"{self.grid}, w_max={self.mapping.w_max:.4g}"

    def forward(self, x: Tensor, weight: Tensor) -> Tensor:
        """Return x W^T for x (B, N) and the weight (M, N), which the cells are written for if it has changed: (B, M).

        Raises
        ------
        InputError
            When a type does not fit, or a weight is not finite or beyond a given `w_max`.
        """
        if "torch._dynamo" in sys.modules:  # imported by torch.compile, in whose graphs cells and noise have no place
            outside: Any = torch.compiler.disable
            return outside(self.product)(x, weight)
        return self.product(x, weight)

    def product(self, x: Tensor, weight: Tensor) -> Tensor:
        """Do what `forward` says."""
        _check(x, weight)
        self.update(weight)
        if self._inputs is not None:
            self._inputs.append(x.detach())
            return nn.functional.linear(x, weight)
        if not x.shape[0]:
            return nn.functional.linear(x, weight)
        return _TileProduct.apply(x, weight, self, self.options.backward == "digital")

    def update(self, weight: Tensor) -> None:
        """Write the cells if the content of `weight` (M, N) is not what they were last written for."""
        weight = weight.detach()
        if self._holds(weight):
            return
        with torch.inference_mode(mode=False), torch.no_grad():
            mapping, shape = self._ranged(weight), (2, weight.shape[1], weight.shape[0])
            if self.matrix is None or self.matrix.g_cell.shape != shape:
                self._build(mapping, shape, weight.device)
            assert self.matrix is not None
            wanted = mapping.targets(weight.T.to(self.matrix.g_cell.dtype))
            g_cell = wanted if self.write is None else self.write(self.matrix.g_cell, wanted)
            # without what reads prepared before: what is read is then the same after a restart, to the bit
            matrix = replace(self.matrix, mapping=mapping).programmed(g_cell).without_cache()
            self.matrix, self._written = matrix, weight.clone()
        self.writes += 1
        self.clamped += int(brought(self.matrix.tile.clamped))

    def read(self, x: Tensor, *, backward: bool) -> Tensor:
        """Return x W^T for x (B, N), or `backward` x W for x (B, M), as the cells are read."""
        assert self.matrix is not None
        with torch.inference_mode(mode=False), torch.no_grad():
            if self.model.chain.calibrates and not self.measured[backward]:
                self.measure(x, backward=backward)
            product: Product = (self.matrix.backward if backward else self.matrix.forward)(x, rng=self.rng)
            clamped = int(brought(product.clamped))
        self.energy += brought(product.energy)
        self.seconds += brought(product.duration)
        self.clamped += clamped
        self._judge(product, clamped, backward=backward)
        return product.y

    def measure(self, x: Tensor, *, backward: bool = False) -> None:
        """Set the range of converters by the currents of x (B, N), or (B, M) backward; of zeros alone nothing is."""
        assert self.matrix is not None
        if not self.model.chain.calibrates or not bool(x.any()):
            return
        margin = self.options.margin
        with torch.inference_mode(mode=False), torch.no_grad():
            if backward:
                self.matrix = self.matrix.calibrated_backward(x, margin=margin)
            else:
                self.matrix = self.matrix.calibrated(Samples(x), margin=margin)
        self.measured[backward], self._outputs[backward] = True, [0, 0]

    @contextmanager
    def collecting(self) -> Iterator[None]:
        """Within, products are those of the weight in memory; afterwards, converters have the range of their inputs."""
        self._inputs = []
        try:
            yield
            inputs = [each for each in self._inputs if each.shape[0]]
        finally:
            self._inputs = None
        if inputs:
            self.measure(torch.cat(inputs))

    def _judge(self, product: Product, clamped: int, *, backward: bool) -> None:
        """Count clamped outputs; where they are too many, measure the range again, or warn of it in evaluation."""
        before = self._outputs[backward]
        clamped, outputs = before[0] + clamped, before[1] + product.y.numel()
        self._outputs[backward] = [clamped, outputs]
        if not _too_many(clamped, outputs):
            return
        if self.training and self.model.chain.calibrates:
            self.measured[backward] = False
        elif not _too_many(*before):
            warnings.warn(
                f"cells of {self.grid}: {clamped} of {outputs} outputs were clamped by converters or drivers. Give "
                "them a range again with `rramkit.torch.calibrate(model, batch)`, or a larger `margin`.",
                stacklevel=2,
            )

    def _holds(self, weight: Tensor) -> bool:
        """Return whether the cells were last written for this very content."""
        old = self._written
        if self.matrix is None or old is None or old.shape != weight.shape or old.device != weight.device:
            return False
        return torch.equal(old.to(weight.dtype), weight)

    def _ranged(self, weight: Tensor) -> Pairs:
        """Return the mapping whose range holds a weight (M, N)."""
        largest, given = float(weight.abs().max()), self.options.w_max
        if not largest < float("inf"):
            raise InputError(f"`weight` must be finite; got {largest:g}. Look at the learning rate.")
        mapping = self.mapping
        if given is not None and largest > max(given, 0.0 if mapping is None else mapping.w_max) * (1.0 + 1e-6):
            raise InputError(
                f"`weight` must be within `w_max` = {given:g}; got {largest:g}. Leave `w_max` out, which takes the "
                "range from the weights, raise it, or clamp the weights."
            )
        if mapping is None:
            return Pairs(w_max=given or largest or 1.0).with_window(*self._window())
        if given is not None or largest <= mapping.w_max:
            return mapping
        self.ranges += 1
        self.measured = [False, False]  # the currents are those of another scale
        return mapping.model_copy(update={"w_max": GROWTH * largest})

    def _window(self) -> tuple[float, float]:
        """Return the conductances (S) that the tables can both write and read."""
        low, high = (float(end) for end in self.model.cells.g_grid[[0, -1]])
        if self.model.tables is None:
            return low, high
        lowest, highest = conductance_window(self.model.tables)
        return max(low, lowest), min(high, highest)

    def _build(self, mapping: Pairs, shape: tuple[int, int, int], device: torch.device) -> None:
        """Make tiles of cells at their lowest conductance (2, N, M), and their periphery."""
        dtype = torch.float32 if self.model.precision == "float32" else torch.float64
        erased = torch.full(shape, mapping.window[0], dtype=dtype, device=device)
        largest, tiles = self.options.largest, TileGrid.shape_of(erased, self.model, largest=self.options.largest)
        own = None if device.type == "cpu" else str(device)
        periphery = TileRng.seeded((*self.seed, 0), tiles, device=own)
        self.rng = TileRng.seeded((*self.seed, 1), tiles, device=own)
        if self.model.chain.merge != "digital":
            raise InputError(
                f"`merge` must be digital for modules of PyTorch; got {self.model.chain.merge}. Leave it out, or train "
                "with `rramkit train`."
            )
        self.matrix = MappedMatrix(TileGrid.of(erased, self.model, largest=largest, rng=periphery), mapping)
        self.measured = [False, False]

    # State ------------------------------------------------------------------------------------------------------------

    def tensors(self) -> dict[str, Tensor]:
        """Return all that outputs depend on, beside the tables and the settings, and the counts: tensors by name."""
        found = {"digest": digest(self.model, self.options.largest), "seed": torch.tensor(self.seed)}
        if self.matrix is None or self.grid is None or self.rng is None or self._written is None:
            return found
        mapping, counts = self.matrix.mapping, (self.energy, self.seconds, self.clamped, self.writes, self.ranges)
        return {
            **found,
            "range": torch.tensor([mapping.w_max, *mapping.window], dtype=torch.float64),
            "g_cell": self.matrix.g_cell.detach().clone(),
            "written": self._written.clone(),
            "measured": torch.tensor(self.measured),
            "outputs": torch.tensor(self._outputs),
            "streams": streams_of(self.rng),
            "counts": torch.tensor(counts, dtype=torch.float64),
            **tensors_of(self.grid.tiles.periphery.states, "stages"),
        }

    def set_tensors(self, tensors: dict[str, Tensor]) -> None:
        """Take the place of the cells that gave these `tensors`.

        Raises
        ------
        InputError
            When they belong to other tables, stages or arrays, or one is missing or does not fit.
        """
        own, wanted = digest(self.model, self.options.largest), {"digest", "seed"}
        if "g_cell" in tensors:
            wanted |= {"range", "g_cell", "written", "measured", "outputs", "streams", "counts"}
        missing = sorted(wanted - set(tensors))
        if missing:
            raise InputError(f"`state_dict` must hold `{missing[0]}` of the cells; it does not. Save the module again.")
        if not torch.equal(tensors["digest"].cpu(), own):
            raise InputError(
                "`state_dict` must hold cells of this module's tables, stages and array size; it has those of others. "
                "Build the module with the tables and settings that it was saved with, or load its weights alone."
            )
        strange = sorted(name for name in tensors if name not in wanted and not name.startswith("stages."))
        if strange:
            raise InputError(
                f"`state_dict` has `{strange[0]}`, which cells do not. Load it with the kit that wrote it."
            )
        if "g_cell" in tensors and tensors["g_cell"].shape != (2, *tensors["written"].shape[::-1]):
            raise InputError(
                f"`g_cell` must be the cells of `written`, {tuple(tensors['written'].shape)}; got "
                f"{tuple(tensors['g_cell'].shape)}. Save the module again."
            )
        with torch.inference_mode(mode=False), torch.no_grad():
            self._set_tensors(tensors)

    def _set_tensors(self, tensors: dict[str, Tensor]) -> None:
        self.seed = tuple(int(word) for word in tensors["seed"])
        if "g_cell" not in tensors:
            self.matrix, self._written = None, None
            return
        device = self._place.device
        w_max, low, high = (float(each) for each in tensors["range"])
        g_cell = tensors["g_cell"].detach().to(device)
        halves, rows, columns = g_cell.shape
        self._build(Pairs(w_max=w_max).with_window(low, high), (halves, rows, columns), device)
        assert self.matrix is not None and self.grid is not None and self.rng is not None
        grid = self.grid.programmed(g_cell).without_cache()
        states = restored(grid.tiles.periphery.states, tensors, "stages", device=device)
        tiles = replace(grid.tiles, periphery=replace(grid.tiles.periphery, states=states))
        self.matrix = replace(self.matrix, tile=replace(grid, tiles=tiles))
        set_streams(self.rng, tensors["streams"])
        self._written = tensors["written"].detach().to(device, copy=True)
        self.measured = [bool(each) for each in tensors["measured"]]
        self._outputs = [[int(count) for count in each] for each in tensors["outputs"]]
        energy, seconds, *counts = (float(each) for each in tensors["counts"])
        self.energy, self.seconds = energy, seconds
        self.clamped, self.writes, self.ranges = (round(each) for each in counts)

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        destination.update({prefix + name: tensor for name, tensor in self.tensors().items()})

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Take the cells of a `state_dict`; where it has none, they follow the weights that it has."""
        found = {name[len(prefix) :]: tensor for name, tensor in state_dict.items() if name.startswith(prefix)}
        own = {name: tensor for name, tensor in found.items() if not name.startswith("write.")}
        if not isinstance(self.write, nn.Module):
            unexpected_keys.extend(prefix + name for name in found if name not in own)
        if not own:
            return
        try:
            self.set_tensors(own)
        except InputError as error:
            error_msgs.append(f"{prefix.removesuffix('.')}: {error}")

    def _apply(self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> "TileMatrix":
        """Move with the module: cells of another device are built there again from their state."""
        super()._apply(fn, recurse)
        if self.matrix is not None and self.matrix.g_cell.device != self._place.device:
            self.set_tensors(self.tensors())
        return self


_ONCE: Any = once_differentiable  # its type hides the names of what it wraps


class _TileProduct(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, cells: TileMatrix, digital: bool) -> Tensor:  # noqa: ANN401
        ctx.save_for_backward(x, weight)
        ctx.cells, ctx.digital = cells, digital
        return cells.read(x, backward=False)

    @staticmethod
    @_ONCE
    def backward(ctx: Any, *grad_outputs: Any) -> Any:  # noqa: ANN401
        (error,), (x, weight) = grad_outputs, ctx.saved_tensors
        back = None
        if ctx.needs_input_grad[0]:
            back = error @ weight if ctx.digital else ctx.cells.read(error, backward=True)
        return back, error.T @ x if ctx.needs_input_grad[1] else None, None, None


def _too_many(clamped: int, outputs: int) -> bool:
    return outputs >= _ENOUGH and clamped > _TOO_MANY * outputs


def _check(x: Tensor, weight: Tensor) -> None:
    """Raise `InputError` unless inputs fit the weight, in a type that tiles read, on one device, without autocast."""
    jit: Any = torch.jit  # its types leave `is_tracing` out
    if jit.is_tracing():
        raise InputError(
            "modules on tiles must run eagerly: their cells and noise are no part of a graph; got torch.jit.trace. "
            "Trace the model before `convert`."
        )
    if x.shape[1] != weight.shape[1]:
        raise InputError(f"`x` must be (..., N) with N = {weight.shape[1]}; got {x.shape[1]}. Reshape it.")
    if torch.is_autocast_enabled(x.device.type):
        raise InputError(
            "modules on tiles must run outside torch.autocast (AMP): they read float32 or float64; got autocast. "
            "Run them within `torch.autocast(device_type, enabled=False)`, on x.float()."
        )
    if weight.dtype not in (torch.float32, torch.float64) or x.dtype != weight.dtype:
        raise InputError(
            f"`x` and `weight` must both be float32 or both float64; got {x.dtype} and {weight.dtype}. "
            "Convert them: x.float(), module.float()."
        )
    if x.device != weight.device:
        raise InputError(f"`x` must be on the device of `weight`, {weight.device}; got {x.device}. Move it.")
