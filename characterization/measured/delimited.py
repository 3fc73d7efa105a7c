"""Text with delimiters: encoding, delimiter and decimal mark found from the text, comments left out.

* Encoding: UTF-8, with or without a byte order mark; UTF-16 with one; else Western European (Windows 1252, which
  contains Latin-1), with a note.
* Delimiter: tab, semicolon, comma, vertical bar, or spaces: the one by which most lines have equally many cells that
  are numbers.
* Decimal mark: a comma where numbers are written with one. `1,976` between tabs may be a thousand: that is asked.
"""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rramkit.characterization.measured.settings import FileSettings
from rramkit.characterization.measured.sheet import LARGEST, Line, Sheet, headed, number
from rramkit.errors import InputError

_DELIMITERS = {"tab": "\t", "semicolon": ";", "comma": ",", "bar": "|", "space": " ", "none": "\0"}
_COMMENTS = ("#", "%", "//", "!")
_SAMPLE = 200  # lines that the delimiter is chosen by
_WORDS = ("set", "reset", "potentiation", "depression", "ltp", "ltd", "up", "down", "nan", "")
_COMMA = re.compile(r"^[+-]?\d*,\d+([eE][+-]?\d+)?$")
_MAYBE_THOUSANDS = re.compile(r"^[+-]?[1-9]\d{0,2}(,\d{3})+$")
_POINT = re.compile(r"^[+-]?\d*\.\d+([eE][+-]?\d+)?$")


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes; raise `InputError` where it cannot be read or is too large for a measurement."""
    try:
        size = path.stat().st_size
        data = path.read_bytes() if size <= LARGEST and path.is_file() else b""
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Pass a text file of measured pulses.") from error
    if size > LARGEST or not path.is_file():
        reason = f"has {size} bytes; at most {LARGEST}" if path.is_file() else "is no plain file"
        raise InputError(f"{path}: {reason}. Pass a text file of measured pulses, in parts where it is larger.")
    return data


def read_delimited(path: Path, data: bytes, settings: FileSettings, *, group: str) -> Sheet:
    """Return the sheet of a text file; raise `InputError` where encoding, delimiter or decimal mark stay open."""
    text, notes = _decoded(path, data)
    lines = re.split(r"\r\n|\n|\r", text)
    plain = [(k, line) for k, line in enumerate(lines, 1) if not line.lstrip().startswith(_COMMENTS)]
    comments = [(k, _uncommented(line)) for k, line in enumerate(lines, 1) if line.lstrip()[:1] in "#%/!"]
    written = [line for _, line in plain if line.strip()]
    if not written:
        raise InputError(f"{path}: holds no rows. Give a file with a header and rows of numbers.")
    name = settings.delimiter or _delimiter(written, settings.decimal)
    cells: list[Line] = [(k, _cells(path, k, line, name)) for k, line in plain]
    if name == "space":
        cells = _with_spaced_names(cells, plain)
    decimal = {"point": ".", "comma": ",", None: ""}[settings.decimal] or decimal_mark(
        path, [cell for _, row in cells for cell in row], name, group
    )
    if name not in ("comma", "none") or decimal == ",":
        mark = " and decimal comma" if decimal == "," else ""
        notes = [*notes, f"cells are separated by {name}{mark}" if name != "none" else f"one column{mark}"]
    named = [(k, _cells(path, k, line, name)) for k, line in comments if k < _first_number(cells, decimal)]
    sheet = headed(path, cells, decimal, group=group, comments=named)
    return Sheet(**{**sheet.__dict__, "notes": (*notes, *sheet.notes)})


def _decoded(path: Path, data: bytes) -> tuple[str, list[str]]:
    """Return the text of a file and what its encoding needed."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        try:
            return data.decode("utf-16"), ["encoding: UTF-16"]
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: is no UTF-16 text ({error.reason}). Save it as text in UTF-8.") from error
    if b"\0" in data:
        raise InputError(f"{path}: is no text but a binary file. Save it as CSV (UTF-8) in the program that wrote it.")
    try:
        return data.decode("utf-8-sig"), []
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace"), ["encoding: Western European (Windows 1252, Latin-1)"]


def _uncommented(line: str) -> str:
    """Return a comment line without its mark; `#` before a delimiter is the name of the column that counts pulses."""
    bare = line.lstrip()
    text = bare.lstrip("#%/! ")
    return bare if bare.startswith("#") and text[:1] in ("\t", ";", ",", "|") else text


def _delimiter(lines: Sequence[str], decimal: str | None) -> str:
    """Return the name of the delimiter by which the lines are most regular and most cells are numbers."""
    sample = lines[:: max(len(lines) // _SAMPLE, 1)]
    scores = {}
    for name in _DELIMITERS:
        if name == "comma" and decimal == "comma":
            continue
        rows = [_split(line, name) for line in sample]
        width = Counter(len(row) for row in rows).most_common(1)[0][0]
        regular = [row for row in rows if len(row) == width]
        marks = "," if decimal == "comma" else "." if decimal == "point" or name == "comma" else ".,"
        cells = [cell for row in regular for cell in row]
        known = sum(cell.lower() in _WORDS or any(number(cell, mark) is not None for mark in marks) for cell in cells)
        if width > 1 or name == "none":
            # One column is what is left where nothing separates: it must not win against two by a header alone.
            scores[name] = known / max(len(cells), 1) * len(regular) / len(rows) - (0.5 if name == "none" else 0.0)
    return max(scores, key=lambda name: round(scores[name], 2))


def _split(line: str, name: str) -> list[str]:
    if name == "space":
        return line.split()
    if name == "none":
        return [line.strip()]
    # `skipinitialspace`: a quote after ", " opens a quoted cell
    return [cell.strip() for cell in next(csv.reader([line], delimiter=_DELIMITERS[name], skipinitialspace=True), [])]


def _cells(path: Path, line: int, text: str, name: str) -> list[str]:
    try:
        return _split(text, name)
    except csv.Error as error:
        raise InputError(f"{path}: line {line} cannot be split into cells ({error}). Fix the line.") from error


def _with_spaced_names(cells: Sequence[Line], lines: Sequence[tuple[int, str]]) -> list[Line]:
    """Return rows between spaces, those split at two and more spaces that are too wide else: names hold single ones."""
    width = Counter(len(row) for _, row in cells if row).most_common(1)[0][0]
    apart = {k: re.split(r"\s{2,}", line.strip()) for k, line in lines}
    return [(k, apart[k] if len(row) > width == len(apart[k]) else row) for k, row in cells]


def decimal_mark(path: Path, cells: Sequence[str], delimiter: str, group: str) -> str:
    """Return the decimal mark; raise `InputError` where a comma may also separate thousands."""
    # spaces group thousands in French tables: `199 748,86`
    cells = [re.sub(r"(?<=\d)[ \u00a0\u202f](?=\d{3})", "", cell) for cell in cells]
    commas = [cell for cell in cells if _COMMA.match(cell) or _MAYBE_THOUSANDS.match(cell)]
    if delimiter == "comma" or not commas:
        return "."
    if any(_POINT.match(cell) for cell in cells):
        raise InputError(
            f"{path}: numbers have a point and others a comma, such as {commas[0]!r}. Write all with one decimal mark, "
            "and none with thousands separators."
        )
    if delimiter != "semicolon" and all(_MAYBE_THOUSANDS.match(cell) for cell in commas):
        raise InputError(
            f"{path}: {commas[0]!r} may have a decimal comma or separate thousands. Add `--set {group}.decimal=comma`, "
            "or write it without the comma."
        )
    return ","


def _first_number(lines: Sequence[Line], decimal: str) -> int:
    """Return the first line with a number: the header stands above it."""
    return next((k for k, cells in lines if any(number(cell, decimal) is not None for cell in cells)), 0)
