"""What the rows of a pulse file say beside the values read: polarity, amplitude, width, pulse number, cycle, device."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.measured import columns
from rramkit.characterization.measured.column_names import RESET_WORDS, SET_WORDS
from rramkit.characterization.measured.columns import Use
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.characterization.measured.sheet import Sheet
from rramkit.characterization.measured.turns import blocks_of
from rramkit.errors import InputError
from rramkit.table import Polarity
from rramkit.table.schema import READ

_READ_MOST = 2.0  # V, as `read.v_read` of the settings
_SAME = 0.01  # amplitudes and widths that differ by less are one: sources are no better
_WORDS: dict[str, Polarity] = {word: "set" for word in (*SET_WORDS, "s")}
_WORDS |= {word: "reset" for word in (*RESET_WORDS, "r")}


@dataclass(frozen=True)
class Rows:
    """What the rows say beside the values: texts and numbers (N,), None where there is no such column."""

    polarity: np.ndarray | None
    sign: np.ndarray | None
    pulse: np.ndarray | None
    v_pulse: np.ndarray | None
    t_pulse: np.ndarray | None
    texts: Mapping[str, Sequence[str]]
    blocks: np.ndarray

    @classmethod
    def of(cls, sheet: Sheet, uses: Sequence[Use], settings: ImportSettings) -> "Rows":
        """Read them from a sheet."""
        at = {role: columns.only(sheet.path, uses, role) for role in ("polarity", "amplitude", "width")}
        at |= {role: columns.only(sheet.path, uses, role) for role in ("cycle", "device")}
        number = {
            role: None if (use := at[role]) is None else columns.numbers(sheet, use) for role in ("amplitude", "width")
        }
        v_pulse, sign = number["amplitude"], None
        if v_pulse is not None:
            v_pulse = _filled(v_pulse)
            sign = np.sign(v_pulse) if np.min(v_pulse) < 0 < np.max(v_pulse) else None
            v_pulse = _clustered(np.abs(v_pulse))
        polarity = None if at["polarity"] is None else _polarity(sheet, at["polarity"], settings)
        if polarity is not None and set(polarity) <= {"+", "-"}:
            sign, polarity = np.where(polarity == "+", 1.0, -1.0), None
        return cls(
            polarity=polarity,
            sign=sign if polarity is None else None,
            pulse=None,
            v_pulse=v_pulse,
            t_pulse=None if number["width"] is None else _clustered(number["width"]),
            texts={role: sheet.texts(use.column) for role in ("cycle", "device") if (use := at[role]) is not None},
            blocks=blocks_of(sheet.blocks),
        )

    def text(self, role: str, row: int) -> str:
        """Return the cycle or the device of a row; empty where there is no such column."""
        return self.texts[role][row] if role in self.texts else ""


def pulses_of(sheet: Sheet, uses: Sequence[Use], value: Use, read: np.ndarray) -> np.ndarray | None:
    """Return the pulse numbers (N,) of a column of values: of several such columns, the nearest on its left."""
    found = [use for use in uses if use.role == "pulse"]
    if not found:
        return None
    left = [use for use in found if use.column < value.column]
    use = found[0] if len(found) == 1 else left[-1] if left else columns.only(sheet.path, uses, "pulse")
    assert use is not None
    pulse = columns.numbers(sheet, use, missing=True)
    if not np.all(np.isfinite(pulse[read])):
        line = sheet.lines[int(np.flatnonzero(read & ~np.isfinite(pulse))[0])]
        raise InputError(f"{sheet.path}: line {line} has a read without its pulse number. Fill it in.")
    return pulse


def _filled(v_pulse: np.ndarray) -> np.ndarray:
    """Return amplitudes (N,) with that of the next pulse where a row has 0 V: a read before the first pulse."""
    filled = v_pulse.copy()
    for k in range(filled.size - 2, -1, -1):
        if filled[k] == 0:
            filled[k] = filled[k + 1]
    return filled


def _clustered(values: np.ndarray) -> np.ndarray:
    """Return values (N,) with those that differ by a hundredth replaced by their median."""
    distinct = np.unique(values)
    groups = np.split(distinct, np.flatnonzero(np.diff(distinct) > _SAME * np.abs(distinct[:-1])) + 1)
    clustered = values.copy()
    for group in groups:
        inside = (values >= group[0]) & (values <= group[-1])
        clustered[inside] = np.median(values[inside])
    return clustered


def _polarity(sheet: Sheet, use: Use, settings: ImportSettings) -> np.ndarray:
    """Return `set` or `reset` for each row (N,), or `+` and `-` where the column holds signs."""
    words = dict(_WORDS)
    chosen = (("set", settings.pulses.set_word), ("reset", settings.pulses.reset_word))
    words |= {word.lower(): name for name, word in chosen if word is not None}
    cells = [cell.lower() for cell in sheet.texts(use.column)]
    unknown = sorted(set(cells) - set(words))
    if not unknown:
        return np.array([words[cell] for cell in cells])
    signs = {cell: sheet.number(cell) for cell in set(cells)}
    if all(value in (1.0, -1.0) for value in signs.values()) or set(cells) <= {"+", "-"}:
        return np.array(["-" if cell.startswith(("-", "\N{MINUS SIGN}")) else "+" for cell in cells])
    raise InputError(
        f"{sheet.path}: {sheet.label(use.column)} must hold `set` and `reset` (or potentiation and depression, +1 and "
        f"-1); got {', '.join(map(repr, unknown[:4]))}. Add `--set pulses.set_word=... --set pulses.reset_word=...`."
    )


def read_voltage(sheet: Sheet, uses: Sequence[Use], settings: ImportSettings) -> float | None:
    """Return the one read voltage (V) of a file; None without such a column."""
    use = columns.only(sheet.path, uses, "read_voltage")
    if use is None:
        return None
    volts = _clustered(np.abs(columns.numbers(sheet, use)))
    if np.ptp(volts) > 0 or not 0 < volts[0] <= _READ_MOST:
        raise InputError(
            f"{sheet.path}: {sheet.label(use.column)} must be one read voltage above 0 and up to {_READ_MOST:g} V; got "
            f"{volts.min():g} to {volts.max():g} V. Leave out the rows read at another one, or check the unit."
        )
    if READ.v_read in settings.read.model_fields_set and abs(settings.read.v_read / volts[0] - 1) > _SAME:
        raise InputError(
            f"{sheet.path}: {sheet.label(use.column)} is {volts[0]:g} V, `read.v_read` is {settings.read.v_read:g} V. "
            "Leave the setting out."
        )
    return float(volts[0])
