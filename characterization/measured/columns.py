"""Comma-separated files with named columns, each with its unit: `g_cell (uS)`; values come out in SI units."""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rramkit.errors import InputError

_HEADER = re.compile(r"^\s*(\w+)\s*(?:\(\s*([^)]*?)\s*\))?\s*$")
_PREFIXES = {"f": 1e-15, "p": 1e-12, "n": 1e-9, "u": 1e-6, "\N{MICRO SIGN}": 1e-6, "\N{GREEK SMALL LETTER MU}": 1e-6}
_PREFIXES |= {"m": 1e-3, "": 1.0, "k": 1e3, "M": 1e6, "G": 1e9}


@dataclass(frozen=True)
class Columns:
    """The columns of a file: numbers (N,) in SI units, texts, and the columns whose unit was left open."""

    numbers: Mapping[str, np.ndarray]
    texts: Mapping[str, tuple[str, ...]]
    unitless: frozenset[str]


def has_header(path: Path) -> bool:
    """Return whether a file's first row names its columns: one that is all numbers does not."""
    first = next(_rows(path), (0, [""]))[1]
    return not all(_is_number(cell) for cell in first)


def read_columns(path: Path, units: Mapping[str, str], texts: tuple[str, ...] = ()) -> Columns:
    """Read a file with a header; `units` maps each column that may stand in it to its SI unit.

    Raises
    ------
    InputError
        For a file that cannot be read, a column that is unknown or not in its unit, or a cell that is no number.
    """
    rows = list(_rows(path))
    if not rows:
        raise InputError(f"{path}: holds no rows. Give a file with a header and rows of numbers.")
    names, scales, unitless = _header(path, rows[0][1], {**units, **dict.fromkeys(texts, "text")})
    for line, cells in rows[1:]:
        if len(cells) != len(names):
            raise InputError(f"{path}: line {line} has {len(cells)} cells; the header names {len(names)}. Fix it.")
    by_name = {name: [(line, cells[k]) for line, cells in rows[1:]] for k, name in enumerate(names)}
    numbers = {name: _numbers(path, name, cells) * scales[name] for name, cells in by_name.items() if name in units}
    words = {name: tuple(cell for _, cell in cells) for name, cells in by_name.items() if name in texts}
    return Columns(numbers, words, frozenset(unitless))


def read_matrix(path: Path, columns: int) -> np.ndarray:
    """Read a file without a header, of rows of `columns` numbers; (N, columns)."""
    rows = list(_rows(path))
    for line, cells in rows:
        if len(cells) != columns:
            raise InputError(f"{path}: line {line} has {len(cells)} cells instead of {columns}. Fix it.")
    return np.stack([_numbers(path, f"column {k + 1}", [(line, c[k]) for line, c in rows]) for k in range(columns)], 1)


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield (line number, cells) of every row that is neither empty nor a comment."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"{path}: cannot be read ({reason}). Pass a text file of comma-separated values.") from error
    for line, row in enumerate(csv.reader(text.splitlines()), 1):
        cells = [cell.strip() for cell in row]
        if any(cells) and not cells[0].startswith("#"):
            yield line, cells


def _header(path: Path, cells: list[str], units: Mapping[str, str]) -> tuple[list[str], dict[str, float], set[str]]:
    names, scales, unitless = [], {}, set()
    for cell in cells:
        match = _HEADER.match(cell)
        name, unit = (match[1], match[2]) if match else (cell, None)
        if name not in units or name in names:
            listed = ", ".join(f"{each} ({unit})" for each, unit in units.items())
            raise InputError(f"{path}: column {cell!r} is unknown or repeated. Columns: {listed}.")
        names.append(name)
        scales[name] = 1.0 if unit in (None, "", "1") else _scale(path, name, unit, units[name])
        if unit in (None, "", "1"):
            unitless.add(name)
    return names, scales, unitless


def _scale(path: Path, name: str, unit: str, si: str) -> float:
    prefix = unit.removesuffix(si)
    if not unit.endswith(si) or prefix not in _PREFIXES:
        raise InputError(f"{path}: column `{name}` must be in {si} or a prefix of it; got {unit!r}. Fix the header.")
    return _PREFIXES[prefix]


def _numbers(path: Path, name: str, cells: list[tuple[int, str]]) -> np.ndarray:
    for line, cell in cells:
        if not _is_number(cell) or not np.isfinite(float(cell)):
            raise InputError(f"{path}: line {line}, `{name}` must be a finite number; got {cell!r}. Fix the line.")
    return np.array([float(cell) for _, cell in cells])


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
