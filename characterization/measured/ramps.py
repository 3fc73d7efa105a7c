"""Ramps: reads after each of a train of equal pulses, of one device, in one direction.

From the columns of a sheet to ramps, whatever its shape: long (a column of conductances, others that say of what) or
wide (a column for each polarity, cycle or device). What separates ramps, in this order: device, cycle, amplitude and
width; an empty line or a repeated header; the polarity; a pulse number that starts anew; a jump back to the start.
Without a polarity, its column's or the amplitude's sign, ramps are found from the turns of the conductance (`turns`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from rramkit.characterization.measured import columns
from rramkit.characterization.measured.columns import VALUES, Use
from rramkit.characterization.measured.row_values import Rows, pulses_of, read_voltage
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.characterization.measured.sheet import Sheet
from rramkit.characterization.measured.turns import jumps, turning_points
from rramkit.errors import InputError
from rramkit.table import Polarity
from rramkit.table.schema import READ, SET, WRITES

POLARITIES: tuple[Polarity, ...] = tuple(WRITES)
SHORTEST = 8  # reads in a ramp: fewer do not determine a curve
_LEAST_OHM = 1e-6  # below it is a short, or a unit that is wrong
_ALTERNATES = 0.6  # changes of polarity or amplitude over rows (1): from row to row, not from ramp to ramp


@dataclass(frozen=True, eq=False)
class Ramp:
    """Reads `g_cell` (N,) after pulse numbers `pulse` (N,), rising from 0, of one device.

    Siemens, or arbitrary units where `scaled` is false; `v_pulse` (V) is a magnitude, `t_pulse` in seconds.
    """

    polarity: Polarity
    v_pulse: float
    t_pulse: float
    pulse: np.ndarray
    g_cell: np.ndarray
    device: str = ""
    cycle: str = ""
    scaled: bool = True


@dataclass(frozen=True)
class Measurement:
    """The ramps of a file, how its columns were read, and what had to be assumed.

    Attributes
    ----------
    ramps : sequence of Ramp
        All ramps, both polarities.
    sheet : Sheet
        The file.
    uses : tuple of Use
        What each column is used as.
    notes : tuple of str
        What was found out about the file and its ramps.
    assumed : mapping
        Settings that neither the file nor the user gave: key to value with unit.
    v_read : float or None
        Read voltage (V) that the file holds.
    """

    ramps: Sequence[Ramp]
    sheet: Sheet
    uses: tuple[Use, ...]
    notes: tuple[str, ...] = ()
    assumed: Mapping[str, str] = field(default_factory=dict)
    v_read: float | None = None


def measurement(sheet: Sheet, settings: ImportSettings) -> Measurement:
    """Return the ramps of a sheet.

    Raises
    ------
    InputError
        Where a column is not declared, a polarity is missing or stays open, or a ramp has fewer than 8 reads.
    """
    uses = columns.uses(sheet, settings.pulses, "pulses", arbitrary=settings.g_low is not None)
    v_read = read_voltage(sheet, uses, settings)
    v_of_currents = settings.read.v_read if v_read is None and _is_read_given(settings) else v_read
    rows = Rows.of(sheet, uses, settings)
    values = [use for use in uses if use.role in VALUES]
    _check_values(sheet.path, values, settings)
    found, notes = [], list(sheet.notes)
    for number, use in enumerate(values):
        g_cell = _conductance(sheet, use, uses, v_of_currents)
        rows = replace(rows, pulse=pulses_of(sheet, uses, use, np.isfinite(g_cell)))
        own = _own(use, number, values, settings)
        for part in _groups(rows, use, own, g_cell, sheet.path):
            ramps, said = _ramps_of(rows, use, part, g_cell, settings, sheet.path)
            device, cycle = (own.get(key) or rows.text(key, part[0]) for key in ("device", "cycle"))
            found += [replace(ramp, device=device, cycle=f"{cycle}{ramp.cycle}") for ramp in ramps]
            notes += [each for each in said if each not in notes]
    _check_ramps(sheet.path, found)
    return Measurement(found, sheet, uses, tuple(notes), _assumed(uses, settings, v_read, found), v_read)


def _check_values(path: Path, values: Sequence[Use], settings: ImportSettings) -> None:
    if not values:
        raise InputError(
            f"{path}: no column holds conductances, resistances or currents. Add `--column conductance=N --unit uS`, "
            "N being the number of the column."
        )
    if len({use.role for use in values}) > 1:
        listed = ", ".join(f"{use.column + 1} ({use.role})" for use in values)
        raise InputError(
            f"{path}: columns {listed} hold the same cells in two ways. Add `--column ignore={values[-1].column + 1}`."
        )
    if len({bool(use.unit) for use in values}) > 1:
        raise InputError(f"{path}: some columns have a unit and others none. Add `--unit` for those without.")
    scaled = bool(values[0].unit)
    if scaled and settings.g_low is not None:
        raise InputError("`g_low` and `g_high` are for data without a unit; this file has one. Leave them out.")


def _is_read_given(settings: ImportSettings) -> bool:
    """Return whether the user gave the read voltage: its default is no measured one."""
    return READ.v_read in settings.read.model_fields_set


def _conductance(sheet: Sheet, use: Use, uses: Sequence[Use], v_read: float | None) -> np.ndarray:
    """Return conductances (N,) of a column, in siemens or arbitrary units; NaN where a cell is empty."""
    several = len([each for each in uses if each.role in VALUES]) > 1 or any(each.role == "pulse" for each in uses)
    values = columns.numbers(sheet, use, missing=several)
    if use.role == "current":
        if v_read is None:
            raise InputError(
                f"{sheet.path}: {sheet.label(use.column)} holds currents, whose read voltage is not declared. Add "
                "`--set read.v_read=0.1`, with the voltage (V) that they were read at."
            )
        read = columns.only(sheet.path, uses, "read_voltage")
        sign = 1.0 if read is None else float(np.sign(columns.numbers(sheet, read)[0]))
        values = sign * values / v_read
    if use.unit and np.nanmedian(values) <= 0:
        raise InputError(
            f"{sheet.path}: {sheet.label(use.column)} holds {use.role}s of which most are not above zero. Give them "
            "their sign: currents flow with the read voltage."
        )
    if use.role == "resistance":
        if np.any(values < _LEAST_OHM):
            raise InputError(
                f"{sheet.path}: {sheet.label(use.column)}: resistances must be above 0 ohm. Leave others out."
            )
        values = 1.0 / values
    return values


def _own(use: Use, number: int, values: Sequence[Use], settings: ImportSettings) -> dict[str, str]:
    """Return device and cycle that a column of values stands for; refuse several columns that say neither."""
    alike = [each for each in values if each.polarity == use.polarity]
    own = {key: text for key, text in (("device", use.device), ("cycle", use.cycle)) if text is not None}
    if len(alike) == 1 or len({(each.device, each.cycle) for each in alike}) == len(alike):
        return own
    kind = settings.pulses.repeats
    if kind is None:
        listed = ", ".join(str(each.column + 1) for each in alike)
        raise InputError(
            f"columns {listed} hold {use.polarity or 'conductances'} each: are they cycles of one device or several "
            "devices? Add `--set pulses.repeats=cycles` or `--set pulses.repeats=devices`."
        )
    place = str(alike.index(use) + 1)
    return own | ({"device": place} if kind == "devices" else {"cycle": place})


def _groups(rows: Rows, use: Use, own: Mapping[str, str], g_cell: np.ndarray, path: Path) -> list[np.ndarray]:
    """Return the rows of each device, cycle and block, in the order of the file."""
    keys: dict[tuple[str, str, int], list[int]] = {}
    for row in np.flatnonzero(np.isfinite(g_cell)).tolist():
        key = (rows.text("device", row), rows.text("cycle", row), int(rows.blocks[row]))
        keys.setdefault(key, []).append(row)
    if not keys:
        raise InputError(f"{path}: column {use.column + 1} is empty. Add `--column ignore={use.column + 1}`.")
    return [np.array(part) for part in keys.values()]


def _ramps_of(
    rows: Rows, use: Use, part: np.ndarray, g_cell: np.ndarray, settings: ImportSettings, path: Path
) -> tuple[list[Ramp], list[str]]:
    """Return the ramps in the rows `part` of one column, and what was inferred."""
    labels, notes = _labels(rows, use, part, g_cell, path)
    pieces: list[tuple[Polarity, np.ndarray]]
    if labels is None:
        pieces, said = _unlabelled(rows, part, g_cell, settings, path)
        notes += said
    else:
        runs = _runs(rows, part, labels, path)
        pieces = [(name, piece) for name, run in runs for piece in _restarts(rows, run, g_cell, name)]
    ramps = []
    for count, (name, piece) in enumerate(pieces):
        pulse = np.arange(piece.size, dtype=float) if rows.pulse is None else rows.pulse[piece] - rows.pulse[piece[0]]
        if rows.pulse is None and use.polarity is not None:
            pulse = (piece - piece[0]).astype(float)  # an empty cell of a wide file is a pulse without a read
        chosen = getattr(settings, name)
        ramps.append(
            Ramp(
                polarity=name,
                v_pulse=chosen.v_pulse if rows.v_pulse is None else float(rows.v_pulse[piece[-1]]),
                t_pulse=chosen.t_pulse if rows.t_pulse is None else float(rows.t_pulse[piece[-1]]),
                pulse=pulse,
                g_cell=g_cell[piece],
                cycle=f"/{rows.blocks[piece[0]]}.{count}",
                scaled=bool(use.unit),
            )
        )
    return ramps, notes


def _labels(
    rows: Rows, use: Use, part: np.ndarray, g_cell: np.ndarray, path: Path
) -> tuple[np.ndarray | None, list[str]]:
    """Return the polarity of each row of a part; None where nothing says it."""
    if use.polarity is not None:
        return np.full(part.size, use.polarity), []
    if rows.polarity is not None:
        return rows.polarity[part], []
    if rows.sign is None:
        return None, []
    sign = rows.sign[part]
    moved = {}
    for each in np.unique(sign):
        inside = (sign[1:] == each) & (sign[:-1] == each)
        moved[each] = float(np.sum(np.diff(g_cell[part])[inside]))
    up = [each for each, change in moved.items() if change > 0]
    if len(moved) == 2 and len(up) != 1:
        raise InputError(
            f"{path}: pulses of either sign must move the conductance in opposite directions; they do not. Add a "
            "column `polarity` of `set` and `reset`."
        )
    names = {each: ("set" if change > 0 else "reset") for each, change in moved.items()}
    which = "positive" if up and up[0] > 0 else "negative"
    return np.array([names[each] for each in sign]), [f"{which} pulses raise the conductance: they are the SET pulses"]


def _runs(rows: Rows, part: np.ndarray, labels: np.ndarray, path: Path) -> list[tuple[Polarity, np.ndarray]]:
    """Return runs of rows of one polarity, amplitude and width.

    Polarities that alternate from row to row are two runs side by side where both count their pulses alike; else they
    are a cell cycled by single pulses, which is no ramp.
    """
    keys = [labels, *(column[part] for column in (rows.v_pulse, rows.t_pulse) if column is not None)]
    changed = np.zeros(part.size - 1, dtype=bool)
    for key in keys:
        changed |= key[1:] != key[:-1]
    groups: list[np.ndarray]
    kinds: dict[tuple[object, ...], list[int]] = {}
    for k in range(part.size):
        kinds.setdefault(tuple(key[k] for key in keys), []).append(k)
    alternate = np.count_nonzero(changed) > _ALTERNATES * part.size
    if alternate and len(kinds) * SHORTEST <= part.size:  # more kinds are a staircase
        groups = [np.array(each) for each in kinds.values()]
        numbers = [] if rows.pulse is None else [set(rows.pulse[part[group]].tolist()) for group in groups]
        if not numbers or len(set.intersection(*numbers)) < len(numbers[0]) / 2:
            raise InputError(
                f"{path}: the polarity or amplitude changes from row to row; a ramp is of equal pulses, one after the "
                "other. Sort the rows, or number the pulses of each polarity from the same start: `--column pulse=N`."
            )
    else:
        groups = np.split(np.arange(part.size), np.flatnonzero(changed) + 1)
    return [(_named(str(labels[group[0]])), part[group]) for group in groups]


def _named(label: str) -> Polarity:
    return "set" if label == "set" else "reset"


def _restarts(rows: Rows, run: np.ndarray, g_cell: np.ndarray, polarity: Polarity) -> list[np.ndarray]:
    """Return the ramps in a run of one polarity: the next starts where the pulse number does, or the conductance."""
    if rows.pulse is not None:
        return np.split(run, np.flatnonzero(np.diff(rows.pulse[run]) <= 0) + 1)
    cuts = jumps(g_cell[run], rising=polarity == "set")
    pieces = np.split(run, cuts)
    return pieces if min(piece.size for piece in pieces) >= SHORTEST else [run]


def _unlabelled(
    rows: Rows, part: np.ndarray, g_cell: np.ndarray, settings: ImportSettings, path: Path
) -> tuple[list[tuple[Polarity, np.ndarray]], list[str]]:
    """Return the ramps of rows without a polarity: by their number of reads, their pulse number, or their turns."""
    g = g_cell[part]
    restart = np.array([], dtype=int) if rows.pulse is None else np.flatnonzero(np.diff(rows.pulse[part]) <= 0) + 1
    if settings.pulses.ramp is not None:
        length = settings.pulses.ramp
        if part.size % length:
            raise InputError(
                f"{path}: `pulses.ramp` = {length} must divide the {part.size} reads of a device and cycle. Fix it."
            )
        cuts = np.arange(length, part.size, length)
        pieces = np.split(part, cuts)
        said = f"ramps of {length} reads, as `pulses.ramp` says"
    elif restart.size:
        pieces, said = np.split(part, restart), "ramps start where the pulse number does; rising ones are SET"
    else:
        pieces = [part[first : last + 1] for first, last in turning_points(g, path)]
        said = (
            "ramps found from the turns of the conductance; rising ones are SET: "
            + " ".join(str(piece.size) for piece in pieces[:6])
            + (" ... reads" if len(pieces) > 6 else " reads")
        )
    whole = [piece for piece in pieces for piece in ([piece] if piece.size else [])]
    return [(_way(g_cell[piece]), piece) for piece in whole], [said]


def _way(g: np.ndarray) -> Polarity:
    third = max(g.size // 3, 1)
    return "set" if np.mean(g[-third:]) >= np.mean(g[:third]) else "reset"


def _check_ramps(path: Path, ramps: Sequence[Ramp]) -> None:
    for polarity in POLARITIES:
        if not any(ramp.polarity == polarity for ramp in ramps):
            raise InputError(
                f"{path}: has no {polarity} pulses; both polarities are needed. Add them, or say which column holds "
                f"them: `--column {polarity}=N`."
            )
    short = [ramp for ramp in ramps if ramp.g_cell.size < SHORTEST]
    if short:
        volts = len({(ramp.polarity, ramp.v_pulse) for ramp in ramps})
        why = (
            f" The file has {volts} amplitudes: a ramp must be of equal pulses, no staircase of rising ones."
            if volts > len(ramps) / 2 and volts > 4
            else ""
        )
        if not why and len(short) > len(ramps) / 2:
            why = " Most ramps are short: sort the rows by device, cycle, polarity and number of the pulse."
        raise InputError(
            f"{path}: a ramp of {short[0].polarity} pulses has {short[0].g_cell.size} reads; it must have at least "
            f"{SHORTEST}. Leave it out or measure a longer one.{why}"
        )


def _assumed(
    uses: Sequence[Use], settings: ImportSettings, v_read: float | None, ramps: Sequence[Ramp]
) -> dict[str, str]:
    """Return what neither file nor settings say: `set.v_pulse` to `1 V` and so on."""
    roles, assumed = {use.role for use in uses}, {}
    for polarity in POLARITIES:
        chosen = getattr(settings, polarity)
        for role, key, unit in (("amplitude", SET.v_pulse, "V"), ("width", SET.t_pulse, "s")):
            if role not in roles and key not in chosen.model_fields_set:
                assumed[f"{polarity}.{key}"] = f"{getattr(chosen, key):g} {unit}"
    if v_read is None and not _is_read_given(settings):
        assumed["read.v_read"] = f"{settings.read.v_read:g} V"
    if READ.t_read not in settings.read.model_fields_set:
        assumed["read.t_read"] = f"{settings.read.t_read:g} s"
    return assumed
