"""Bounds of what a run file holds: a fraction, a count, a quantity that is not negative; all finite."""

from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

import numpy as np

from rramkit.errors import TableError

_LARGEST = 1e18  # of any number of a run: beyond, it is damage, and 64 bits hold no whole number


def refuse(path: Path, complaint: str) -> NoReturn:
    """Raise `TableError` for a run file."""
    raise TableError(f"{path}: {complaint}. Train again.")


def numbers(path: Path, values: Mapping[str, np.ndarray | float], *, low: float = -_LARGEST) -> None:
    """Refuse values (...) that are not finite, or below `low`."""
    for name, value in values.items():
        given = np.asarray(value)
        if given.dtype.kind not in "biuf" or not np.all(np.isfinite(given)):
            refuse(path, f"`{name}` holds values that are not finite")
        if np.any(given < low) or np.any(np.abs(given) > _LARGEST):
            refuse(path, f"`{name}` holds values below {low:g} or above {_LARGEST:g}")


def counts(path: Path, values: Mapping[str, np.ndarray | float]) -> None:
    """Refuse values (...) that are not whole numbers from 0."""
    numbers(path, values, low=0.0)
    for name, value in values.items():
        if np.any(np.asarray(value) % 1):
            refuse(path, f"`{name}` holds counts that are not whole numbers")


def fractions(path: Path, values: Mapping[str, np.ndarray | float], *, absent: bool = False) -> None:
    """Refuse values (...) outside 0 to 1; `absent` allows NaN, where nothing was evaluated."""
    for name, value in values.items():
        given = np.asarray(value)
        good = (given >= 0.0) & (given <= 1.0)
        if not np.all(good | np.isnan(given) if absent else good):
            refuse(path, f"`{name}` must lie within 0 to 1")
