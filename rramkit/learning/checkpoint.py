"""Checkpoints: the state of an unfinished training, in a file beside its run file.

What a training draws depends on its seed and its position alone, so state and log are all that a resumed training
needs: its numbers are those of an uninterrupted one, bit for bit, where the same BLAS kernel works with the same number
of threads. Another one adds in another order: a checkpoint names both, and a training that is resumed elsewhere says
so (`OtherArithmeticWarning`).

State is nested records, tuples, arrays and numbers. The initial state can always be computed again, so a file holds
only the arrays and numbers that differ from it (`flatten`); all else (tables, models, settings) is the initial state's
own (`restore`).
"""

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from rramkit import compiling, hdf5
from rramkit.array.backend import is_array, like, to_numpy
from rramkit.array.threads import arithmetic as blas
from rramkit.errors import InputError, OtherArithmeticWarning, TableError
from rramkit.record.network import read_arrays, write_arrays

FORMAT = "rramkit checkpoint"
FORMAT_VERSION = 2

State = TypeVar("State")
_NUMBERS = (bool, int, float, np.generic, np.ndarray)
_GROUPS = ("state", "log", "memory")

ANEW = "Start it anew with `--restart`, or remove the file."
"""What to do about a checkpoint that cannot be gone on from."""


@dataclass(frozen=True)
class Checkpoint:
    """What one training has reached.

    Attributes
    ----------
    state : mapping
        Arrays and numbers that differ from the initial state, by their path.
    log : mapping
        The training log's arrays by name.
    seconds : float
        Wall-clock time so far (s).
    memory : mapping
        Further arrays by name: the replay memory of reinforcement learning.
    """

    state: Mapping[str, np.ndarray]
    log: Mapping[str, np.ndarray]
    seconds: float = 0.0
    memory: Mapping[str, np.ndarray] | None = None


def arithmetic() -> str:
    """Return what a training's numbers depend on in their last bits: the BLAS libraries, and compiled kernels."""
    return f"{blas()}; {compiling.family()}" if compiling.compiled() else blas()


def path_of(run: Path) -> Path:
    """Return the checkpoint's path for a run file."""
    return run.with_name(f".{run.stem}.checkpoint{run.suffix}")


def save(checkpoint: Checkpoint, path: Path, *, identity: str) -> None:
    """Write the checkpoint whole; `identity` says which training it belongs to."""
    with hdf5.new_file(path) as root:
        root.attrs["format"] = FORMAT
        root.attrs["format_version"] = FORMAT_VERSION
        root.attrs["arithmetic"] = arithmetic()
        hdf5.write(root, "identity", np.frombuffer(identity.encode(), np.uint8), "1")
        hdf5.write(root, "seconds", checkpoint.seconds, "s")
        for name in _GROUPS:
            write_arrays(root.create_group(name), getattr(checkpoint, name) or {})


def load(path: Path, *, identity: str) -> Checkpoint | None:
    """Return the checkpoint at `path`, or None when there is none.

    Raises
    ------
    InputError
        When it belongs to another training.
    TableError
        When it is damaged.
    """
    if not path.exists():
        return None
    try:
        with hdf5.open_file(path, kind=FORMAT) as root:
            version = round(hdf5.number(root, "format_version"))
            if version != FORMAT_VERSION or hdf5.read(root, "identity").tobytes().decode() != identity:
                raise InputError(
                    f"{path}: an unfinished training with other settings, tables or kit. Finish it with the command "
                    "that began it, start this one anew with `--restart`, remove the file, or name another output."
                )
            state, log, memory = (read_arrays(hdf5.subgroup(root, name)) for name in _GROUPS)
            seconds, then = hdf5.scalar(root, "seconds"), str(root.attrs.get("arithmetic", ""))
    except TableError as error:
        raise TableError(f"{str(error).rstrip('.')}. {ANEW}") from error
    if seconds < 0.0:
        raise damaged(path)
    if then and then != arithmetic():
        warnings.warn(
            f"the training was begun with {then}, and goes on with {arithmetic()}: it gives the numbers of an "
            "uninterrupted one to rounding, not bit for bit.",
            OtherArithmeticWarning,
            stacklevel=2,
        )
    return Checkpoint(state, log, seconds, memory)


def damaged(path: Path) -> TableError:
    """Return the error for a checkpoint whose arrays are not those of the training that it names."""
    return TableError(f"{path}: the checkpoint is damaged: its arrays are not those of this training. {ANEW}")


def flatten(initial: object, state: object, path: str = "s") -> dict[str, np.ndarray]:
    """Return the arrays and numbers of `state` that differ from `initial`, by their path."""
    if state is initial:
        return {}
    if is_dataclass(state):
        children = [(f.name, getattr(initial, f.name), getattr(state, f.name)) for f in fields(state)]
    elif isinstance(state, tuple) and isinstance(initial, tuple) and len(state) == len(initial):
        children = [(str(index), old, new) for index, (old, new) in enumerate(zip(initial, state, strict=True))]
    elif _is_number(state):
        numbers = to_numpy(state)  # PyTorch's too
        same = _is_number(initial) and _identical(to_numpy(initial), numbers)
        return {} if same else {path: numbers}
    else:
        return {}
    return {key: value for name, old, new in children for key, value in flatten(old, new, f"{path}.{name}").items()}


def restore(initial: State, arrays: Mapping[str, np.ndarray], path: str = "s") -> State:
    """Return `initial` with the arrays and numbers of `flatten` in their places; `check_fit` says whether they fit."""
    if path in arrays:
        return _of_type(arrays[path], initial)
    if is_dataclass(initial) and not isinstance(initial, type):
        names = [field.name for field in fields(initial)]
        new = {name: restore(getattr(initial, name), arrays, f"{path}.{name}") for name in names}
        unchanged = all(new[name] is getattr(initial, name) for name in names)
        return initial if unchanged else replace(initial, **new)
    if isinstance(initial, tuple):
        items = tuple(restore(item, arrays, f"{path}.{index}") for index, item in enumerate(initial))
        unchanged = all(new is old for new, old in zip(items, initial, strict=True))
        return initial if unchanged else items  # pyright: ignore[reportReturnType]
    return initial


def check_fit(initial: object, arrays: Mapping[str, np.ndarray]) -> None:
    """Raise `ValueError` for arrays that `flatten` cannot have given of a state that began as `initial`.

    Each must have the shape that it began with, and no number that is none where it began without. One that has no
    place is passed over, as `restore` does: kits before this one stored some that are now computed.
    """
    for path, old in _places(initial, arrays, "s"):
        value = arrays[path]
        if old is None or not np.ndim(old):
            continue  # what is set, or becomes an array, in training
        old = to_numpy(old)
        if old.shape != value.shape or old.dtype.kind != value.dtype.kind:
            raise ValueError(f"`{path}` is {value.shape} of {value.dtype}, not {old.shape} of {old.dtype}")
        if value.dtype.kind == "f" and np.isnan(value).any() and not np.isnan(old).any():
            raise ValueError(f"`{path}` holds values that are no numbers")


def _places(initial: object, arrays: Mapping[str, np.ndarray], path: str) -> Iterator[tuple[str, Any]]:
    """Yield path and initial value wherever `restore` takes one of the arrays."""
    if path in arrays:
        yield path, initial if _is_number(initial) else None
    elif is_dataclass(initial) and not isinstance(initial, type):
        for each in fields(initial):
            yield from _places(getattr(initial, each.name), arrays, f"{path}.{each.name}")
    elif isinstance(initial, tuple):
        for index, item in enumerate(initial):
            yield from _places(item, arrays, f"{path}.{index}")


def _of_type(value: np.ndarray, initial: State) -> State:
    """Return the stored `value` as the kind of number or array that `initial` is."""
    if is_array(initial) and not isinstance(initial, np.ndarray):
        return like(value, initial)
    if initial is None or isinstance(initial, np.ndarray) or value.ndim:
        return value  # pyright: ignore[reportReturnType]  (the very type that was written)
    return type(initial)(value[()])  # pyright: ignore[reportCallIssue]


def _is_number(value: object) -> bool:
    return isinstance(value, _NUMBERS) or is_array(value)


def _identical(old: np.ndarray, new: np.ndarray) -> bool:
    return old.dtype == new.dtype and old.shape == new.shape and bool(np.array_equal(old, new))
