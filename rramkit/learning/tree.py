"""Frozen state as a flat list of its numbers, and back: what a checkpoint writes.

State is records, tuples, arrays and numbers. The initial state can always be made again, so only what has changed since
is a difference worth keeping; everything else (tables, models, settings) is the initial state's own.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import TypeVar

import numpy as np

from rramkit.array.backend import is_array, like, to_numpy

State = TypeVar("State")
_NUMBERS = (bool, int, float, np.generic, np.ndarray)


def changed(initial: object, state: object, path: str = "s") -> dict[str, np.ndarray]:
    """Return the arrays and numbers of `state` that differ from `initial`, by their path."""
    if state is initial:
        return {}
    if is_dataclass(state):
        names = [field.name for field in fields(state)]
        parts = [(name, getattr(initial, name), getattr(state, name)) for name in names]
    elif isinstance(state, tuple) and isinstance(initial, tuple) and len(state) == len(initial):
        parts = [(str(index), old, new) for index, (old, new) in enumerate(zip(initial, state, strict=True))]
    elif isinstance(state, _NUMBERS) or is_array(state):
        numbers = to_numpy(state)  # PyTorch's too
        same = (isinstance(initial, _NUMBERS) or is_array(initial)) and _identical(to_numpy(initial), numbers)
        return {} if same else {path: numbers}
    else:
        return {}
    return {key: value for name, old, new in parts for key, value in changed(old, new, f"{path}.{name}").items()}


def restored(initial: State, found: Mapping[str, np.ndarray], path: str = "s") -> State:
    """Return `initial` with what `changed` had found in its place."""
    if path in found:
        value = found[path]
        if is_array(initial) and not isinstance(initial, np.ndarray):
            return like(value, initial)
        if isinstance(initial, np.ndarray) or value.ndim:
            return value  # pyright: ignore[reportReturnType]  (the very type that was written)
        return type(initial)(value[()])  # pyright: ignore[reportCallIssue]
    if is_dataclass(initial) and not isinstance(initial, type):
        new = {
            field.name: restored(getattr(initial, field.name), found, f"{path}.{field.name}")
            for field in fields(initial)
        }
        kept = all(new[name] is getattr(initial, name) for name in new)
        return initial if kept else replace(initial, **new)
    if isinstance(initial, tuple):
        parts = tuple(restored(part, found, f"{path}.{index}") for index, part in enumerate(initial))
        kept = all(new is old for new, old in zip(parts, initial, strict=True))
        return initial if kept else parts  # pyright: ignore[reportReturnType]
    return initial


def _identical(old: np.ndarray, new: np.ndarray) -> bool:
    return old.dtype == new.dtype and old.shape == new.shape and bool(np.array_equal(old, new))
