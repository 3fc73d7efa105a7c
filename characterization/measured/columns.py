"""Roles and units of columns: what each number of a measured file means, from names, or from what the user says.

A role is read from the words of a column's name (`Potentiation (uS)`, `v_pulse (mV)`, `Device 3 LTD [nS]`), its unit
from the name, a row of units, the file's format, or `--unit`. What that leaves open is refused with the option that
settles it: no number gets a meaning that nobody declared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from rramkit.characterization.measured import unit_spelling
from rramkit.characterization.measured.column_names import (
    OF_UNIT,
    RESET_WORDS,
    SET_WORDS,
    VOLTS,
    iv_role_of,
    name_and_unit,
    number_after,
    role_of,
    words_of,
)
from rramkit.characterization.measured.settings import IV_ROLES, PULSE_ROLES, VALUE, FileSettings
from rramkit.characterization.measured.sheet import Sheet, cure, is_missing
from rramkit.errors import InputError
from rramkit.table import Polarity

SI: Mapping[str, str] = {
    "conductance": "S", "resistance": "ohm", "current": "A", "amplitude": "V", "width": "s", "read_voltage": "V",
    "voltage": "V", "pulse": "1",
}  # fmt: skip
"""SI unit of the roles that are numbers."""
VALUES = ("conductance", "resistance", "current")


@dataclass(frozen=True)
class Use:
    """What one column of a sheet is used as.

    Attributes
    ----------
    column : int
        Its place, from 0.
    role : str
        `conductance`, `polarity` and so on; `ignore`: not used; `response`: a value whose unit is not known yet.
    factor, unit : float, str
        To the SI unit, and that unit; an empty unit: arbitrary ones, or none.
    polarity, cycle, device : str or None
        Of a column of values, where its name says so.
    origin : str
        Who declared the role: `name`, `option`, `inferred`; and the unit, in the same words.
    """

    column: int
    role: str
    factor: float = 1.0
    unit: str = ""
    polarity: Polarity | None = None
    cycle: str | None = None
    device: str | None = None
    origin: str = "name"


def uses(sheet: Sheet, settings: FileSettings, group: str, *, arbitrary: bool = False) -> tuple[Use, ...]:
    """Return the use of every column.

    Parameters
    ----------
    sheet : Sheet
        The file.
    settings : FileSettings
        Roles and units that the user gave.
    group : str
        `pulses` or `iv`: which file it is, and the group of its settings.
    arbitrary : bool
        Whether conductances without a unit are in arbitrary units that the user scales.

    Raises
    ------
    InputError
        Where a role or a unit is not declared; the message holds the option to add.
    """
    given = _given(sheet, settings, group)
    found = [given.get(k) or _from_name(sheet, k, group) for k in range(sheet.width)]
    if not given and not sheet.names and group == "pulses":
        found = list(_two_responses(sheet)) or found
    if given and not sheet.names:  # the user says which columns matter; without names the others are nothing
        found = [use or Use(k, "ignore", origin="not named") for k, use in enumerate(found)]
    found = [use or _inferred(sheet, k) for k, use in enumerate(found)]
    _refuse_undeclared(sheet, found, group)
    if settings.units and not any(use and use.role in SI for use in found) and group == "pulses":
        raise InputError(f"{sheet.path}: `--unit` names no column of numbers. Add `--column conductance=N`.")
    return tuple(_with_unit(sheet, use, settings, group, arbitrary=arbitrary) for use in found if use is not None)


def option(group: str, role: str, column: int) -> str:
    """Return the option that declares a column (from 0)."""
    return f"--column {role}={column + 1}" if group == "pulses" else f"--set iv.columns.{role}={column + 1}"


def unit_option(group: str, role: str, unit: str) -> str:
    """Return the option that declares a unit."""
    if group == "pulses":
        return f"--unit {unit}" if role in (*VALUES, VALUE, "response") else f"--unit {role}={unit}"
    return f"--set iv.units.{role}={unit}"


def _given(sheet: Sheet, settings: FileSettings, group: str) -> dict[int, Use]:
    """Return the uses that the user declared, by column."""
    found: dict[int, Use] = {}
    roles = PULSE_ROLES if group == "pulses" else IV_ROLES
    for role, where in settings.columns.items():
        if role not in roles:
            raise InputError(f"{sheet.path}: `{group}.columns` knows the roles {', '.join(roles)}; got {role!r}.")
        for reference in _references(sheet, where):
            column = _place(sheet, reference, role)
            if column in found:
                raise InputError(f"{sheet.path}: {sheet.label(column)} is given two roles. Leave one of them out.")
            polarity: Polarity | None = "set" if role == "set" else "reset" if role == "reset" else None
            named = _from_name(sheet, column, group) if role in (*VALUES, "set", "reset") else None
            use = Use(column, "response" if polarity else role, origin="option", polarity=polarity)
            if named is not None:  # cycle, device and polarity of its name stay
                value = named.role if polarity and named.role in VALUES else use.role
                use = replace(
                    use, role=value, cycle=named.cycle, device=named.device, polarity=polarity or named.polarity
                )
            found[column] = use
    return found


def _references(sheet: Sheet, where: int | str | list[int | str]) -> list[int | str]:
    if isinstance(where, list):
        return where
    if isinstance(where, str) and where not in sheet.names and "," in where:
        return [part.strip() for part in where.split(",")]
    return [where]


def _place(sheet: Sheet, reference: int | str, role: str) -> int:
    """Return the place of a column given by number, from 1, or by name, whole or without its unit."""
    if isinstance(reference, str):
        bare = [name_and_unit(name)[0] for name in sheet.names]
        for names in (list(sheet.names), bare):
            if names.count(reference) == 1:
                return names.index(reference)
    if str(reference).isdecimal() and 1 <= int(reference) <= sheet.width:
        return int(reference) - 1
    names = f": {', '.join(map(repr, sheet.names))}" if sheet.names else ""
    raise InputError(
        f"{sheet.path}: the column of `{role}` must be a number from 1 to {sheet.width} or one of the names{names}; "
        f"got {reference!r}. Fix `--column`."
    )


def _from_name(sheet: Sheet, column: int, group: str) -> Use | None:
    """Return the use that a column's name declares; None where it declares none."""
    if not sheet.names:
        return None
    name, _ = name_and_unit(sheet.names[column])
    role = role_of(name, _unit_of(sheet, column)) if group == "pulses" else iv_role_of(name)
    if role not in (*VALUES, "response"):
        return None if role is None else Use(column, role)
    words = words_of(name)
    whole = set(words) - {"p", "d"}  # `D3 set` is a device
    is_set, is_reset = bool(whole & set(SET_WORDS)), bool(whole & set(RESET_WORDS))
    return Use(
        column,
        role,
        polarity=None if is_set == is_reset else "set" if is_set else "reset",
        cycle=number_after(words, ("cycle", "cyc", "run")),
        device=number_after(words, ("device", "dev", "cell")),
    )


def _unit_of(sheet: Sheet, column: int) -> str | None:
    """Return the text of a column's unit, from its name or the row of units."""
    unit = name_and_unit(sheet.names[column])[1] if sheet.names else None
    return unit if unit is not None or not sheet.units else sheet.units[column].strip("()[] ")


def _inferred(sheet: Sheet, column: int) -> Use | None:
    """Return what an undeclared column is all the same: its words, or nothing where all cells are equal."""
    cells = {cell.lower() for cell in sheet.texts(column)} - {"p", "d"}
    if cells and cells <= {*SET_WORDS, *RESET_WORDS} and cells & set(SET_WORDS) and cells & set(RESET_WORDS):
        return Use(column, "polarity", origin="inferred: its words")
    unit = unit_spelling.parsed(_unit_of(sheet, column) or "")
    may_be_a_pulse = unit is not None or bool(VOLTS & set(words_of(sheet.names[column] if sheet.names else "")))
    if sheet.names and not may_be_a_pulse and len(set(sheet.texts(column))) == 1 and len(sheet.rows) > 1:
        return Use(column, "ignore", origin="the same in all rows")
    return None


def _two_responses(sheet: Sheet) -> tuple[Use, ...]:
    """Return the uses of two columns without names, responses to SET and to RESET pulses, where that is unambiguous.

    Both go back and forth as noisy reads do, so that neither counts pulses nor keeps time; the first rises, the second
    falls, over the same range.
    """
    cells = [[sheet.number(cell) for cell in row] for row in sheet.rows]
    if sheet.width != 2 or any(value is None for row in cells for value in row):
        return ()
    up, down = np.array(cells, dtype=float).T
    third = max(up.size // 3, 1)
    rise, fall = (float(np.mean(each[-third:]) - np.mean(each[:third])) for each in (up, down))
    noisy = all(np.any(np.diff(each) > 0) and np.any(np.diff(each) < 0) for each in (up, down))
    shared = min(up.max(), down.max()) - max(up.min(), down.min())
    if not noisy or rise <= 0 or fall >= 0 or shared < 0.5 * max(np.ptp(up), np.ptp(down)):
        return ()
    origin = "inferred: noisy, rises, then falls"
    return Use(0, "response", polarity="set", origin=origin), Use(1, "response", polarity="reset", origin=origin)


def _refuse_undeclared(sheet: Sheet, found: list[Use | None], group: str) -> None:
    missing = [k for k, use in enumerate(found) if use is None]
    if not missing:
        return
    roles = PULSE_ROLES if group == "pulses" else IV_ROLES
    which = "; ".join(f"{sheet.label(k)} holds {_span(sheet, k)}" for k in missing[:4])
    first = missing[0]
    if sheet.names:
        raise InputError(
            f"{sheet.path}: the name does not declare what {which}. Add `{option(group, 'ROLE', first)}`, with one of "
            f"{', '.join(roles)}; for instance `{option(group, 'ignore', first)}`."
        )
    last = missing[-1]
    example = (
        f"`{option(group, 'pulse', 0)} {option(group, 'conductance', last)} --unit uS`, or `{option(group, 'set', 0)} "
        f"{option(group, 'reset', last)} --unit uS`"
        if group == "pulses"
        else f"`{option(group, 'voltage', 0)} --set iv.units.voltage=V`"
    )
    raise InputError(
        f"{sheet.path}: its columns have no names, so that what they hold is not declared: {which}. Add what they are, "
        f"for instance {example}; roles: {', '.join(roles)}."
    )


def _span(sheet: Sheet, column: int) -> str:
    """Return what a column holds, in a few words."""
    values = [number for cell in sheet.texts(column) if (number := sheet.number(cell)) is not None]
    if not values:
        return f"texts such as {sheet.rows[0][column][:40]!r}"
    if len(values) > 1 and min(values) == max(values):
        return f"{values[0]:g} in all rows"
    steps = np.diff(values)
    evenly = len(values) > 2 and np.ptp(steps) <= 1e-9 * abs(values[-1] - values[0])
    return f"{min(values):g} to {max(values):g}" + (" in equal steps" if evenly else "")


def _with_unit(sheet: Sheet, use: Use, settings: FileSettings, group: str, *, arbitrary: bool) -> Use:
    """Return a use with its unit, from the name, the options or the format; refuse where there is none."""
    if use.role not in SI and use.role != "response":
        return use
    is_value = use.role in (*VALUES, "response") and group == "pulses"
    own = _unit_of(sheet, use.column)
    keys = (use.role, use.polarity or "", *((VALUE,) if is_value else ()))
    said = next((settings.units[key] for key in keys if key in settings.units), None)
    if use.role == "pulse":
        return replace(use, unit="1")
    where = f"{sheet.path}: {sheet.label(use.column)}"
    _refuse_two_units(sheet, use.column)
    declared = None if own is None or unit_spelling.is_arbitrary(own) else unit_spelling.parsed(own)
    if own is not None and declared is None and not unit_spelling.is_arbitrary(own) and said is None:
        raise InputError(
            f"{where} has the unit {own!r}, which is not known. Add `{unit_option(group, use.role, _example(use))}`, "
            "with the unit that it has."
        )
    option_unit = None if said is None else unit_spelling.parsed(said)
    if declared is not None and option_unit is not None and declared != option_unit:
        raise InputError(f"{where} says {own!r}, the option says {said!r}. Leave out the one that is wrong.")
    unit = declared or option_unit
    if unit is None and sheet.is_si and use.role in SI:
        unit = (1.0, SI[use.role])
    if unit is None:
        if arbitrary and use.role in ("conductance", "response"):
            return replace(use, role="conductance", unit="")
        scale = " (for arbitrary units: `--set g_low=... --set g_high=...`, in siemens)" if is_value else ""
        raise InputError(
            f"{where} has no unit; it holds {_span(sheet, use.column)}. Add "
            f"`{unit_option(group, use.role, _example(use))}`, with the unit that it has{scale}."
        )
    role = OF_UNIT.get(unit[1], "") if use.role == "response" else use.role
    if SI.get(role) != unit[1]:
        wanted = SI.get(role, "S, ohm or A")
        raise InputError(f"{where}: `{use.role}` must be in {wanted} or a prefix of it; got {own or said!r}. Fix it.")
    origin = use.origin if declared is not None else f"{use.origin}, unit: {'option' if said else 'format'}"
    return replace(use, role=role, factor=unit[0], unit=unit[1], origin=origin)


def _refuse_two_units(sheet: Sheet, column: int) -> None:
    """Refuse a column whose name has one unit and whose row of units, or cells, another."""
    if not sheet.names or not sheet.units:
        return
    named, below = (name_and_unit(sheet.names[column])[1] or "", sheet.units[column].strip("()[] "))
    both = unit_spelling.parsed(named), unit_spelling.parsed(below)
    if None not in both and both[0] != both[1]:
        raise InputError(
            f"{sheet.path}: {sheet.label(column)} has the unit {named!r} in its name and {below!r} below it. Leave out "
            "the one that is wrong."
        )


def _example(use: Use) -> str:
    return {"conductance": "uS", "response": "uS", "resistance": "kohm", "current": "uA", "width": "ns"}.get(
        use.role, "V"
    )


def numbers(sheet: Sheet, use: Use, *, missing: bool = False) -> np.ndarray:
    """Return a column (N,) in its SI unit; NaN where a cell says that a number is missing, if that is allowed."""
    values = np.empty(len(sheet.rows))
    for k, cell in enumerate(sheet.texts(use.column)):
        value = sheet.number(cell)
        if value is None and missing and is_missing(cell):
            value = float("nan")
        elif value is None or not np.isfinite(value):
            raise InputError(
                f"{sheet.path}: line {sheet.lines[k]}, {sheet.label(use.column)} must be a finite number; got "
                f"{cell[:40]!r}. {cure(cell)}"
            )
        values[k] = value * use.factor
    return values


def only(path: Path, found: Iterable[Use], role: str) -> Use | None:
    """Return the one column of a role, None where there is none; refuse two."""
    columns = [use for use in found if use.role == role]
    if len(columns) > 1:
        listed = " and ".join(str(use.column + 1) for use in columns)
        raise InputError(f"{path}: columns {listed} are both {role}. Add `--column ignore={columns[-1].column + 1}`.")
    return columns[0] if columns else None
