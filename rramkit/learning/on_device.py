"""Training on a device: a network's state as tensors of PyTorch there, and back; what trains there, and what does not.

With `mapping.backend` torch a step (`Trainer.train_step`) has its batch, layers, loss, optimiser, cells, noise and
pulses on the device, and looks at none of their values: what is counted (pulses, energy, clamped values) adds up in
tensors of one number. Once an epoch the state and the counts come back, for report, checkpoint and run file.

A step that asked how many weights it has to write would wait for the device. So of tensors every weight is computed,
and a mask says which are written. What needs the number itself, a loop until no cell is left or as many rounds as the
largest count, does not train on a device, and is refused before the first batch.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np

from rramkit.array.backend import Array, is_tensor, placed, to_numpy
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import Pairs
from rramkit.array.matrix import FloatMatrix, Matrix
from rramkit.array.operators import wire_attenuation
from rramkit.array.tile_grid import TileGrid
from rramkit.errors import InputError
from rramkit.learning.layers import AnyLayer, Clustered, Residual
from rramkit.learning.losses import Bits, LossSettings
from rramkit.learning.model import Network
from rramkit.learning.rules import BoundRule
from rramkit.learning.rules.copied import Copied

State = TypeVar("State")

RULES = "float, mixed_precision (write nearest or train), sign, threshold (way pulse or error)"
"""Rules that train on a device."""

AT_ONCE = 2**28
"""Bytes of inputs that are sent at once: MNIST whole, and of a device's memory little."""

Random = Any
"""Random numbers of a step: NumPy's generator, or `DeviceRng`, which has those of its methods that a step calls."""


def check(rule: BoundRule, network: Network, loss: LossSettings) -> None:
    """Refuse what does not train on a device.

    Raises
    ------
    InputError
        For a rule, a weight mapping, a layer or a loss that asks for single values.
    """
    bounds = [rule.at(index) for index in range(len(network.matrices))]
    for bound in bounds:
        reason, device = bound.rule.off_device, bound.device
        if reason:
            kind = type(bound.rule).model_fields["kind"].default
            raise _refused("rule.kind", RULES, f"{kind}, which {reason}")
        if device is not None and not isinstance(device.mapping, Pairs):
            raise _refused("mapping.kind", "pairs", str(type(device.mapping).model_fields["kind"].default))
    if any(isinstance(layer, Clustered) for layer in _all_layers(network.chain.layers)):
        raise _refused("network.layers", "layers without clusters", "clustered")
    if isinstance(loss, Bits):
        raise _refused("loss.kind", "cross_entropy, hinge or mean_square", "bits")


def _refused(setting: str, wanted: str, got: str) -> InputError:
    return InputError(
        f"`{setting}` must be {wanted} to train on a device (`mapping.backend` torch); got {got}. "
        "Take one of these, or set `mapping.backend` to numpy."
    )


def _all_layers(layers: Iterable[AnyLayer]) -> Iterable[AnyLayer]:
    for layer in layers:
        yield layer
        if isinstance(layer, Residual):
            yield from _all_layers((*layer.main, *layer.shortcut))


def sent(state: State, device: str) -> State:
    """Return records, tuples and matrices with NumPy's arrays as tensors on a device of PyTorch."""
    return _moved(state, lambda x: x if is_tensor(x) else placed(np.asarray(x), "torch", device))


def brought_back(state: State) -> State:
    """Return records, tuples and matrices with tensors as NumPy's arrays, those of one number as numbers."""
    return _moved(state, lambda x: _host(x) if is_tensor(x) else x)


def in_groups(batches: Sequence[np.ndarray], size: int) -> Iterator[Sequence[np.ndarray]]:
    """Yield consecutive batches of indices, as many as are sent at once, where an input has `size` bytes."""
    start, held = 0, 0
    for end, batch in enumerate(batches):
        if held and (held + batch.size) * size > AT_ONCE:
            yield batches[start:end]
            start, held = end, 0
        held += batch.size
    yield batches[start:]


def sent_at_once(size: int, batch: int) -> int:
    """Return how many inputs of `size` bytes are sent at once: whole batches."""
    return max(AT_ONCE // (size * batch), 1) * batch


def check_finite(numbers: Iterable[np.ndarray], wanted: str, cause: Callable[[], str]) -> None:
    """Refuse arrays that came back with values that are none: no step has looked at them.

    Parameters
    ----------
    numbers : iterable of ndarray
        Arrays that came back.
    wanted : str
        What must be finite, and when it was not, for the message.
    cause : callable
        What is known of why, and the cure (`cause_of`).

    Raises
    ------
    InputError
        When one is not finite.
    """
    if not all(np.isfinite(each).all() for each in numbers):
        raise InputError(f"{wanted}: {cause()}")


def cause_of(x: np.ndarray, matrices: Sequence[Matrix]) -> str:
    """Return what is known of why numbers of a device are none: inputs, wires, or neither of them; and the cure.

    Parameters
    ----------
    x : ndarray
        The inputs (N, ...) that were sent.
    matrices : sequence of Matrix
        The network's matrices as they were before.
    """
    lost = np.flatnonzero(~np.isfinite(x.reshape(len(x), -1)).all(axis=1))
    if lost.size:
        return f"{lost.size} of the {len(x)} inputs are not finite, the first is number {lost[0]}. Fix the data."
    for index, matrix in enumerate(matrices):
        reason = _refused_by_wires(matrix)
        if reason:
            return f"matrix {index}: {reason}"
    return (
        "the inputs are, and cells and wires of every matrix made a positive network at its start. Lower "
        "`optimiser.learning_rate`, or set `mapping.backend` to numpy, which stops where it happens."
    )


def _refused_by_wires(matrix: Matrix) -> str:
    """Return why NumPy refuses cells behind their wires, which tensors leave as no numbers; empty: it does not."""
    if isinstance(matrix, Copied):
        return next(filter(None, map(_refused_by_wires, (matrix.main, matrix.copy))), "")
    if not isinstance(matrix, MappedMatrix):
        return ""
    tile = matrix.tile.tiles if isinstance(matrix.tile, TileGrid) else matrix.tile
    try:
        for backward in (False, True):
            wire_attenuation(to_numpy(tile.g_cell), tile.model, backward=backward)
    except InputError as error:
        return str(error)
    return ""


def _host(x: Array) -> np.ndarray | float:
    values = to_numpy(x)
    return values if values.ndim else values.item()


def _moved(value: State, move: Callable[[Array], Array]) -> State:
    """Return a value with its arrays moved; of a matrix in RRAM those that are not its tiles'."""
    if isinstance(value, np.ndarray) or is_tensor(value):
        return move(value)
    if isinstance(value, tuple) and not hasattr(value, "_fields"):
        return tuple(_moved(each, move) for each in value)  # pyright: ignore[reportReturnType]
    if isinstance(value, FloatMatrix | MappedMatrix | Copied):
        return _moved_matrix(value, move)  # pyright: ignore[reportReturnType]
    if is_dataclass(value) and not isinstance(value, type):
        new = {each.name: _moved(getattr(value, each.name), move) for each in fields(value)}
        return replace(value, **new)
    return value


def _moved_matrix(matrix: Matrix, move: Callable[[Array], Array]) -> Matrix:
    if isinstance(matrix, FloatMatrix):
        return FloatMatrix(move(matrix.matrix))
    if isinstance(matrix, Copied):
        return Copied(*(replace(each, digital=_or_none(each.digital, move)) for each in (matrix.main, matrix.copy)))
    assert isinstance(matrix, MappedMatrix)
    return replace(matrix, digital=_or_none(matrix.digital, move))


def _or_none(x: Array | None, move: Callable[[Array], Array]) -> Array | None:
    return None if x is None else move(x)
