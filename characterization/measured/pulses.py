"""Pulse-response files: conductance read after each of a train of equal pulses.

Comma-separated text in two layouts:

* with a header: `polarity` (set or reset) and `g_cell` (S, any prefix) or `r_cell` (ohm), and as far as there is more
  than one, `v_pulse` (V), `t_pulse` (s), `cycle`, `device` (numbers). One row for each read, in the order of the
  pulses; the first row of a train is the read before its second pulse;
* without one, two columns: the responses to up (SET) and to down pulses (RESET), as aihwkit keeps them.

A column's name carries its unit, `g_cell (uS)`; values come out in SI units. Values without a unit are arbitrary:
`g_low` and `g_high` say what their lowest and highest mean level stand for.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rramkit.characterization.measured.settings import ImportSettings
from rramkit.errors import InputError
from rramkit.table import Polarity
from rramkit.table.schema import READ, SET, WRITES

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


POLARITIES: tuple[Polarity, ...] = tuple(WRITES)
_UNITS: dict[str, str] = {column: column.unit for column in (READ.g_cell, SET.v_pulse, SET.t_pulse)}
_UNITS |= {"r_cell": "ohm", "cycle": "1", "device": "1"}
_SHORTEST = 8  # reads in a train: fewer do not determine a curve


@dataclass(frozen=True)
class PulseTrain:
    """Reads `g_cell` (N,) after each of N equal pulses: siemens, or arbitrary units where `scaled` is false."""

    polarity: Polarity
    v_pulse: float
    t_pulse: float
    g_cell: np.ndarray
    scaled: bool = True


def read_trains(path: Path, settings: ImportSettings) -> list[PulseTrain]:
    """Read all trains of a file.

    Raises
    ------
    InputError
        When the file does not fit its layout, lacks a polarity, or has a train of fewer than 8 reads.
    """
    trains = _named(path, settings) if has_header(path) else _two_columns(path, settings)
    for polarity in POLARITIES:
        if not any(train.polarity == polarity for train in trains):
            raise InputError(f"{path}: has no {polarity} pulses; both polarities are needed. Add them.")
    for train in trains:
        if train.g_cell.size < _SHORTEST:
            raise InputError(
                f"{path}: a train of {train.polarity} pulses has {train.g_cell.size} reads; it must have at least "
                f"{_SHORTEST}. Leave it out or measure a longer one."
            )
    return trains


def scaled(trains: list[PulseTrain], *, ends: tuple[float, float], settings: ImportSettings) -> list[PulseTrain]:
    """Return trains in siemens: arbitrary units are stretched so that their mean levels `ends` become g_low, g_high."""
    if all(train.scaled for train in trains):
        if settings.g_low is not None:
            raise InputError("`g_low` and `g_high` are for data without a unit; this file has one. Leave them out.")
        return trains
    if settings.g_low is None or settings.g_high is None:
        raise InputError(
            "the conductances have no unit: give `g_low` and `g_high`, in siemens, of the lowest and highest mean "
            "level. For instance: --set g_low=2e-6 --set g_high=20e-6"
        )
    slope = (settings.g_high - settings.g_low) / (ends[1] - ends[0])
    offset = settings.g_low - slope * ends[0]
    return [replace(train, g_cell=offset + slope * train.g_cell, scaled=True) for train in trains]


def _two_columns(path: Path, settings: ImportSettings) -> list[PulseTrain]:
    table = read_matrix(path, 2)
    pulses = {"set": settings.set, "reset": settings.reset}
    return [
        PulseTrain(polarity, pulses[polarity].v_pulse, pulses[polarity].t_pulse, table[:, k], scaled=False)
        for k, polarity in enumerate(POLARITIES)
    ]


def _named(path: Path, settings: ImportSettings) -> list[PulseTrain]:
    columns = read_columns(path, _UNITS, texts=("polarity",))
    values, polarity = _conductance(path, columns.numbers), np.array(columns.texts.get("polarity", ()))
    if not polarity.size or not set(polarity.tolist()) <= set(POLARITIES):
        raise InputError(f"{path}: needs a column `polarity` of `set` and `reset`. Add it.")
    size = polarity.size
    default = {name: getattr(settings, name) for name in POLARITIES}
    keys = {
        SET.v_pulse: np.abs(columns.numbers.get(SET.v_pulse, np.array([default[p].v_pulse for p in polarity]))),
        SET.t_pulse: columns.numbers.get(SET.t_pulse, np.array([default[p].t_pulse for p in polarity])),
        "cycle": columns.numbers.get("cycle", np.zeros(size)),
        "device": columns.numbers.get("device", np.zeros(size)),
    }
    trains: dict[tuple[Polarity, float, float, float, float], list[int]] = {}
    for row in range(size):
        v_pulse, t_pulse, cycle, device = (float(column[row]) for column in keys.values())
        way: Polarity = next(each for each in POLARITIES if each == polarity[row])
        trains.setdefault((way, v_pulse, t_pulse, cycle, device), []).append(row)
    return [
        PulseTrain(key[0], key[1], key[2], values[rows], scaled=READ.g_cell not in columns.unitless)
        for key, rows in trains.items()
    ]


def _conductance(path: Path, numbers: "dict[str, np.ndarray] | object") -> np.ndarray:
    assert isinstance(numbers, dict)
    if (READ.g_cell in numbers) == ("r_cell" in numbers):
        raise InputError(f"{path}: needs one of the columns `g_cell` (S) and `r_cell` (ohm). Name it in the header.")
    if READ.g_cell in numbers:
        return numbers[READ.g_cell]
    if np.any(numbers["r_cell"] <= 0):
        raise InputError(f"{path}: `r_cell` must be above 0 ohm. Leave out what was not measured.")
    return 1.0 / numbers["r_cell"]
