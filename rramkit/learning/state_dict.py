"""The weights of a network as plain arrays by name, in PyTorch's layout: out of the arrays of cells, and into them.

    N.weight                             dense (outputs, inputs); convolution (C', C, k, k)
    N.bias                               (outputs,)
    N.weight, N.bias, N.running_mean, N.running_var        batch normalisation (C,)

N is the number of the layer, from 0; inside a residual block `N.main.M` and `N.shortcut.M`, of the arrays of a sparse
layer `N.cluster.M` (rows and columns of the array alone). These are the names of a
`torch.nn.Sequential` of the same layers. Names of another program are matched in order, where shapes leave no doubt.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.layers import BatchNorm, Cluster, Clustered, Convolution, Dense, Residual
from rramkit.learning.layers.layer import AnyLayer, MatrixPlan, Params
from rramkit.learning.model import Network

_OF_NORM = ("weight", "bias", "running_mean", "running_var")
_PASSED_OVER = ("num_batches_tracked",)  # PyTorch's counter beside the running means


@dataclass(frozen=True)
class PlainWeights:
    """The numbers of a network as its trainer takes them.

    Attributes
    ----------
    network : Network
        The network, the range of each matrix being its largest weight.
    weights : tuple of ndarray
        Each matrix (R, C), within `w_max`.
    vectors, means : tuple of ndarray
        Digital vectors and running means.
    names : mapping
        Name in the file by the kit's own.
    """

    network: Network
    weights: tuple[np.ndarray, ...]
    vectors: tuple[np.ndarray, ...]
    means: tuple[np.ndarray, ...]
    names: Mapping[str, str]


def named_layers(network: Network) -> list[tuple[str, AnyLayer]]:
    """Return every layer that has numbers, by its name, in the order of a network's parameters."""
    return [(name, layer) for name, layer in _walk(network.chain.layers, "") if any(layer.sizes)]


def _walk(layers: Sequence[AnyLayer], prefix: str) -> Iterator[tuple[str, AnyLayer]]:
    for index, layer in enumerate(layers):
        if isinstance(layer, Residual):
            yield from _walk(layer.main, f"{prefix}{index}.main.")
            yield from _walk(layer.shortcut, f"{prefix}{index}.shortcut.")
        elif isinstance(layer, Clustered):
            yield from _walk(layer.clusters, f"{prefix}{index}.cluster.")
        else:
            yield f"{prefix}{index}", layer


def state_dict(network: Network, params: Params) -> dict[str, np.ndarray]:
    """Return the weights that the cells stand for, biases, scales and running means, by name."""
    named, found = named_layers(network), {}
    for (name, layer), own in zip(named, params.split([layer.sizes for _, layer in named]), strict=True):
        if isinstance(layer, BatchNorm):
            arrays = dict(zip(_OF_NORM, (*own.vectors, *own.means), strict=True))
        else:
            arrays = _weights(layer, own.scales[0] * own.matrices[0].weight, own.vectors)
        found |= {f"{name}.{part}": np.asarray(values) for part, values in arrays.items()}
    return found


def _weights(layer: AnyLayer, weight: np.ndarray, vectors: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """Return the weight and the bias of a layer with one matrix (R, C); what is no connection is no weight."""
    weight = np.where(layer.mask, weight, 0.0) if isinstance(layer, Cluster) else weight
    if isinstance(layer, Dense) and layer.copies > 1:
        weight = weight.reshape(layer.copies, -1, weight.shape[1]).sum(axis=0)
    if isinstance(layer, Convolution):
        edge = layer.kernel
        plain = {"weight": weight.T.reshape(layer.channels, -1, edge, edge)}
    elif isinstance(layer, Dense) and layer.bias == "row":
        return {"weight": weight[:-1].T, "bias": weight[-1]}
    else:
        plain = {"weight": weight.T}
    return plain | ({"bias": vectors[0]} if vectors else {})


def from_state_dict(
    network: Network, arrays: Mapping[str, np.ndarray], *, w_max: float | Sequence[float], dtype: np.dtype
) -> PlainWeights:
    """Return arrays by name as the numbers of a network; the range of each matrix is its largest weight.

    `w_max` is the largest weight that cells hold, of all matrices or of each.

    Raises
    ------
    InputError
        When an array is missing, of another shape or not finite, or one is left over.
    """
    wanted = _shapes(network)
    names = _matched(wanted, {name: values.shape for name, values in arrays.items() if _counts(name)})
    weights, vectors, means, plans = [], [], [], []
    given = {name: _finite(names[name], arrays[names[name]]) for name in wanted}
    limits = [w_max] * len(network.matrices) if isinstance(w_max, float | int) else list(w_max)
    plan_of_matrix = zip(network.matrices, limits, strict=True)
    for name, layer in named_layers(network):
        if isinstance(layer, BatchNorm):
            numbers = [given[f"{name}.{part}"].astype(dtype) for part in _OF_NORM]
            vectors, means = [*vectors, *numbers[:2]], [*means, *numbers[2:]]
            continue
        matrix, bias = _matrix(layer, given[f"{name}.weight"], given.get(f"{name}.bias"))
        if isinstance(layer, Cluster) and np.any(matrix[~layer.mask]):
            raise InputError(
                f"the weights `{names[f'{name}.weight']}` must be 0 where the layer has no connection; some are not. "
                "Set them to 0."
            )
        largest = float(np.abs(matrix).max()) or 1.0
        plan, limit = next(plan_of_matrix)
        plans.append(replace(plan, scale=largest / limit))
        weights.append(np.clip((matrix / plans[-1].scale).astype(dtype), -limit, limit))  # of float32: rounded
        vectors += [] if bias is None else [bias.astype(dtype)]
    return PlainWeights(_with_plans(network, plans), tuple(weights), tuple(vectors), tuple(means), names)


def _with_plans(network: Network, plans: Sequence[MatrixPlan]) -> Network:
    return replace(network, plan=replace(network.plan, matrices=tuple(plans)))


def _matrix(layer: AnyLayer, weight: np.ndarray, bias: np.ndarray | None) -> tuple[np.ndarray, np.ndarray | None]:
    """Return a layer's matrix (R, C), and its bias where that is digital."""
    matrix = weight.reshape(len(weight), -1).T
    if isinstance(layer, Dense) and layer.bias == "row" and bias is not None:
        matrix, bias = np.vstack([matrix, bias]), None
    if isinstance(layer, Dense) and layer.copies > 1:
        matrix = np.tile(matrix / layer.copies, (layer.copies, 1))
    return matrix, bias


def _shapes(network: Network) -> dict[str, tuple[int, ...]]:
    """Return the shape of every array by name."""
    zeros = tuple(_Shaped(np.zeros((plan.rows, plan.columns))) for plan in network.matrices)
    params = network.params(zeros, network.vectors, network.means)  # pyright: ignore[reportArgumentType]
    return {name: values.shape for name, values in state_dict(network, params).items()}


@dataclass(frozen=True)
class _Shaped:
    """A matrix of which the shape alone is wanted."""

    weight: np.ndarray


def _counts(name: str) -> bool:
    return name.rpartition(".")[2] not in _PASSED_OVER


def _matched(wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]]) -> dict[str, str]:
    """Return the name in the file of each wanted array: the same name, or that at the same place in the same order."""
    if set(wanted) == set(found):
        names = {name: name for name in wanted}
    elif len(wanted) == len(found):
        names = dict(zip(wanted, found, strict=True))
        if any(mine.rpartition(".")[2] != theirs.rpartition(".")[2] for mine, theirs in names.items()):
            raise _misfit(wanted, found, "their parts (weight, bias, ...) come in another order")
    else:
        raise _misfit(wanted, found, f"there are {len(found)} arrays, not {len(wanted)}")
    for mine, theirs in names.items():
        if wanted[mine] != found[theirs]:
            raise _misfit(wanted, found, f"`{theirs}` is {found[theirs]} where {wanted[mine]} is needed")
    return names


def _misfit(wanted: Mapping[str, tuple[int, ...]], found: Mapping[str, tuple[int, ...]], why: str) -> InputError:
    def listed(shapes: Mapping[str, tuple[int, ...]]) -> str:
        texts = [f"{name} {shape}" for name, shape in shapes.items()]
        return ", ".join(texts[:6]) + (f" and {len(texts) - 6} more" if len(texts) > 6 else "")

    return InputError(
        f"the weights do not fit the network: {why}. Needed: {listed(wanted)}. Got: {listed(found) or 'nothing'}. "
        "Name the arrays so, or describe their network in the experiment."
    )


def _finite(name: str, values: np.ndarray) -> np.ndarray:
    if not np.all(np.isfinite(values)):
        raise InputError(f"the weights `{name}` hold values that are not finite. Fix them.")
    return values.astype(float)
