"""Sheets: the rows of a measured file with the names of its columns, whatever program wrote it.

A sheet is what text with delimiters (`delimited`), an instrument's log (`easyexpert`) and a spreadsheet (`workbook`)
have in common: rows of cells, perhaps names above them, perhaps a row of units below the names. Cells stay text; which
of them are numbers, and what they mean, is not decided here.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rramkit.characterization.measured import unit_spelling
from rramkit.characterization.measured.column_names import iv_role_of, name_and_unit, role_of
from rramkit.errors import InputError

# A digit can be matched in one way only: with `\d+\.?\d*` five thousand digits and a letter take seconds.
_NUMBER = re.compile(r"^[+-]?(\d+(\.\d*)?|\.\d+)([eEdD][+-]?\d{1,3})?$")
_COMMA_NUMBER = re.compile(r"^[+-]?(\d+(,\d*)?|,\d+)([eEdD][+-]?\d{1,3})?$")
_WITH_UNIT = re.compile(r"^([+-]?[\d.,]+(?:[eE][+-]?\d{1,3})?)\s*([^\d\s.,+-].*)$")
_THOUSANDS = re.compile(r"^[+-]?\d{1,3}([.,' \u2019])\d{3}(?:\1\d{3})*(?:[.,]\d*)?$")
_OVERFLOW = re.compile(r"^[+-]?\d[.,]?\d*[eE]\+?3\d$")  # 9.91E+37
_WITH_TEXT = re.compile(r"^[+-]?\d[\d.,]*(?:[eE][+-]?\d{1,3})?\s*[^\W\d_]")
_MISSING = ("", "nan", "na", "n/a", "-", "--")
_ROLES_OF_TEXTS = ("device", "cycle", "polarity", "curve")
LARGEST = 64_000_000  # bytes of a file: a million rows of eight columns

_HUGE = 1e30  # in any unit: an instrument's mark for overflow (9.9E37), no measured value

Line = tuple[int, Sequence[str]]
"""Number of a line in its file, and its cells."""


@dataclass(frozen=True)
class Sheet:
    """Rows of a file.

    Attributes
    ----------
    path : Path
        The file.
    names : tuple of str
        Names of the C columns; none where the file has no header.
    units : tuple of str
        Units of the columns (C,) where a row below the names holds them, else empty.
    rows : tuple
        N rows of C cells.
    lines : tuple of int
        Line of each row in the file, for messages (N,).
    blocks : tuple of int
        Block of each row (N,): an empty line or a repeated header starts the next.
    decimal : str
        Decimal mark of the numbers, `.` or `,`.
    is_si : bool
        Whether the file's format says that its numbers are in SI units.
    notes : tuple of str
        What was found out about the file, for the user.
    """

    path: Path
    names: tuple[str, ...]
    units: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    blocks: tuple[int, ...]
    decimal: str = "."
    is_si: bool = False
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> int:
        """Number of columns."""
        return len(self.rows[0])

    def label(self, column: int) -> str:
        """Return how a message calls a column: its number, and its name where it has one."""
        return f"column {column + 1}" + (f" {self.names[column]!r}" if self.names and self.names[column] else "")

    def texts(self, column: int) -> list[str]:
        """Return the cells of a column (N,)."""
        return [row[column] for row in self.rows]

    def number(self, cell: str) -> float | None:
        """Return the number that a cell holds; None for another text."""
        return number(cell, self.decimal)


def number(cell: str, decimal: str) -> float | None:
    """Return the number that a text holds, written with a decimal mark; None for another text or an overflow."""
    plain = cell.replace("\N{MINUS SIGN}", "-").replace(" ", "").replace("\N{NO-BREAK SPACE}", "")
    plain = plain.replace("\N{NARROW NO-BREAK SPACE}", "")
    if decimal == "," and _COMMA_NUMBER.match(plain):
        plain = plain.replace(",", ".")
    if not _NUMBER.match(plain):
        return None
    value = float(plain.replace("d", "e").replace("D", "e"))
    return value if abs(value) < _HUGE else None


def is_missing(cell: str) -> bool:
    """Return whether a cell says that there is no number."""
    return cell.lower() in _MISSING


def cure(cell: str) -> str:
    """Return what to do about a cell that holds no number."""
    if _THOUSANDS.match(cell):
        return "Write numbers without thousands separators."
    if _OVERFLOW.match(cell):
        return "An instrument writes this for an overflow: remove the row."
    if _WITH_TEXT.match(cell):
        return "Write the number alone, and its unit into the name of the column."
    return "Fix the line."


def headed(path: Path, lines: Sequence[Line], decimal: str, *, group: str, comments: Sequence[Line] = ()) -> Sheet:
    """Return the sheet of rows of cells: what stands above the first row of numbers is its header.

    Parameters
    ----------
    path : Path
        The file, for messages.
    lines : sequence of (int, sequence of str)
        Line number and cells of every line that is no comment, empty ones among them.
    decimal : str
        Decimal mark, `.` or `,`.
    group : str
        Group of the settings of this file, for messages: `pulses` or `iv`.
    comments : sequence of (int, sequence of str)
        The same of comment lines above: the last of them may be the header, as NumPy writes it.

    Raises
    ------
    InputError
        When there are no rows of numbers, or rows have unequal numbers of cells.
    """
    filled = [(line, tuple(cells)) for line, cells in lines if any(cells)]
    width = _width(cells for _, cells in filled)
    first = next((k for k, (_, cells) in enumerate(filled) if _is_data(cells, width, decimal)), None)
    if first is None:
        near = next((cell for _, cells in filled for cell in cells if cell[:1].isdigit()), "")
        why = f": {near[:40]!r} is none. {cure(near)}" if near else ". Give a file with a header and rows of numbers."
        raise InputError(f"{path}: holds no rows of numbers{why}")
    above = filled[:first]
    names, units, notes = _names(path, above, filled[first], decimal, comments, group)
    empty = {line for line, cells in lines if not any(cells)}
    rows, numbers, blocks, block, last = [], [], [], 0, None
    for line, cells in filled[first:]:
        if names and tuple(cells) == names:
            block, last = block + 1, None
            continue
        if len(cells) != width:
            raise InputError(
                f"{path}: line {line} has {len(cells)} cells; the {'header names' if names else 'first row has'} "
                f"{width}. {_separates(group)}"
            )
        if last is not None and any(between in empty for between in range(last + 1, line)):
            block += 1
        rows.append(tuple(cells))
        numbers.append(line)
        blocks.append(block)
        last = line
    sheet = Sheet(path, names, units, tuple(rows), tuple(numbers), tuple(blocks), decimal, notes=notes)
    return _without_units(_without_empty(sheet), group)


def _separates(group: str) -> str:
    return (
        f"Fix the line, or say what separates cells: `--set {group}.delimiter=...` (comma, semicolon, tab, bar, "
        f"space), `--set {group}.decimal=comma`."
    )


def _width(rows) -> int:  # noqa: ANN001  (any iterable of rows)
    """Return the number of cells that most rows have; of equals, the larger."""
    counts: dict[int, int] = {}
    for cells in rows:
        counts[len(cells)] = counts.get(len(cells), 0) + 1
    return max(counts, key=lambda n: (counts[n], n), default=0)


def _is_data(cells: Sequence[str], width: int, decimal: str) -> bool:
    return len(cells) == width and any(number(cell, decimal) is not None for cell in cells)


def _names(
    path: Path, above: Sequence[Line], data: Line, decimal: str, comments: Sequence[Line], group: str
) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    """Return names, units and notes from the lines above the first row of numbers."""
    width = len(data[1])
    wide = [tuple(cells) for _, cells in above if len(cells) == width]
    wrong = [line for line, cells in above[-1:] if 1 < len(cells) != width]
    if wrong and not wide:
        raise InputError(
            f"{path}: line {data[0]} has {width} cells; the header names {len(above[-1][1])}. {_separates(group)}"
        )
    notes = []
    if not wide and not above:
        named = [cells for line, cells in comments if len(cells) == width and line < data[0]]
        if named and all(number(cell, decimal) is None for cell in named[-1]):
            wide = [tuple(named[-1])]
            notes.append("the last comment line is taken as the header")
    skipped = len(above) - len(wide)
    if above and skipped > 0:
        notes.append(f"{skipped} line{'s' if skipped > 1 else ''} above the header skipped")
    names = wide[0] if wide else ()
    units = next((row for row in wide[1:] if _is_units(row)), ())
    return names, units, tuple(notes)


def _is_units(cells: Sequence[str]) -> bool:
    """Return whether a row below the header holds units: some are, and the others say nothing."""
    bare = [cell.strip("()[] ") for cell in cells]
    known = [unit_spelling.parsed(cell) is not None for cell in bare]
    return any(known) and all(good or unit_spelling.is_arbitrary(cell) for good, cell in zip(known, bare, strict=True))


def _without_units(sheet: Sheet, group: str) -> Sheet:
    """Return the sheet with bare numbers, and the unit among the units, where each number has its unit beside it.

    Not in columns whose name says that they hold texts: `1A` and `2B` are devices, no amperes.
    """
    numbers = (column for column in range(sheet.width) if not _is_of_texts(sheet, column, group))
    units_beside = {column: _unit_of_cells(sheet, column) for column in numbers}
    found = [units_beside.get(column, "") for column in range(sheet.width)]
    if not any(found):
        return sheet
    units = sheet.units or ("",) * sheet.width
    for column, unit in enumerate(found):
        above = unit_spelling.parsed(units[column].strip("()[] "))
        if unit and above not in (None, unit_spelling.parsed(unit)):
            raise InputError(
                f"{sheet.path}: {sheet.label(column)} has the unit {units[column]!r} below its name and {unit!r} "
                "beside its numbers. Leave out the one that is wrong."
            )
    rows = tuple(
        tuple(cell.removesuffix(unit).strip() if unit else cell for cell, unit in zip(row, found, strict=True))
        for row in sheet.rows
    )
    return replace(sheet, rows=rows, units=tuple(unit or units[k] for k, unit in enumerate(found)))


def _is_of_texts(sheet: Sheet, column: int, group: str) -> bool:
    """Return whether a column's name says that it holds texts."""
    if not sheet.names:
        return False
    name = name_and_unit(sheet.names[column])[0]
    return (role_of(name, None) if group == "pulses" else iv_role_of(name)) in _ROLES_OF_TEXTS


def _unit_of_cells(sheet: Sheet, column: int) -> str:
    """Return the one unit beside the numbers of a column; empty where there is none; refuse several."""
    first = ""
    for line, cell in zip(sheet.lines, sheet.texts(column), strict=True):
        if is_missing(cell):
            continue
        match = _WITH_UNIT.match(cell)
        unit = match[2] if match and sheet.number(match[1]) is not None and unit_spelling.parsed(match[2]) else ""
        if not unit and not first:
            return ""
        if first and unit != first:
            got = f"{unit!r}" if unit else f"none beside {cell[:40]!r}"
            raise InputError(
                f"{sheet.path}: line {line}, {sheet.label(column)}: numbers of a column must have one unit; got "
                f"{first!r} above, and {got}. Write numbers alone, in one unit, and the unit into the column's name."
            )
        first = unit
    return first


def _without_empty(sheet: Sheet) -> Sheet:
    """Return the sheet without columns that have neither name nor cells: a delimiter at the end of every line."""
    keep = [
        column
        for column in range(sheet.width)
        if (sheet.names and sheet.names[column]) or any(row[column] for row in sheet.rows)
    ]
    if len(keep) == sheet.width:
        return sheet
    return replace(
        sheet,
        names=tuple(sheet.names[k] for k in keep) if sheet.names else (),
        units=tuple(sheet.units[k] for k in keep) if sheet.units else (),
        rows=tuple(tuple(row[k] for k in keep) for row in sheet.rows),
    )
