"""Spreadsheets: one sheet of an Excel workbook (`.xlsx`), read by openpyxl, the extra `xlsx`.

Formulas give the values that the spreadsheet program stored with them.
"""

import importlib
import io
import zipfile
from pathlib import Path
from typing import Any

from rramkit.characterization.measured.delimited import decimal_mark
from rramkit.characterization.measured.settings import FileSettings
from rramkit.characterization.measured.sheet import LARGEST, Sheet, headed, number
from rramkit.errors import InputError

_SAVE = "Save the sheet as CSV (in Excel: File, Save As, CSV UTF-8)"


def is_workbook(data: bytes) -> bool:
    """Return whether a file is a spreadsheet, of the new format (a ZIP archive) or the old one."""
    return data.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0"))


def read_workbook(path: Path, data: bytes, settings: FileSettings, *, group: str) -> Sheet:
    """Return one sheet of a workbook; raise `InputError` where it cannot be read or which sheet is left open."""
    sheets = {name: rows for name, rows in _sheets(path, data).items() if any(any(map(_text, row)) for row in rows)}
    listed = ", ".join(repr(name) for name in sheets)
    if settings.sheet is None and len(sheets) != 1:
        raise InputError(f"{path}: has the sheets {listed or 'none with cells'}. Add `--set {group}.sheet=NAME`.")
    name = settings.sheet if settings.sheet is not None else next(iter(sheets))
    if name not in sheets:
        raise InputError(f"{path}: `{group}.sheet` must be one of its sheets with cells, {listed}; got {name!r}.")
    written = [cell for row in sheets[name] for cell in row if isinstance(cell, str)]
    marks = {"point": ".", "comma": ",", None: ""}
    decimal = marks[settings.decimal] or decimal_mark(path, written, "tab", group)
    rows = [[_text(cell, decimal) for cell in row] for row in sheets[name]]
    width = max(map(len, rows))
    lines = [(k, [*row, *[""] * (width - len(row))]) for k, row in enumerate(rows, 1)]
    above = [(k, row if sum(map(bool, row)) != 1 or width == 1 else [next(filter(None, row))]) for k, row in lines]
    sheet = headed(path, above, ".", group=group)
    return Sheet(**{**sheet.__dict__, "notes": (f"sheet {name!r} of a workbook", *sheet.notes)})


def _sheets(path: Path, data: bytes) -> dict[str, list[list[object]]]:
    if not data.startswith(b"PK"):
        raise InputError(f"{path}: is a spreadsheet of the old binary format. {_SAVE}, or as .xlsx.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            size = sum(member.file_size for member in archive.infolist())
    except zipfile.BadZipFile as error:
        raise InputError(f"{path}: is a damaged archive, no workbook ({error}). {_SAVE}.") from error
    if size > 8 * LARGEST:
        raise InputError(f"{path}: unpacks to {size} bytes; at most {8 * LARGEST}. {_SAVE}, in parts.")
    try:
        openpyxl: Any = importlib.import_module("openpyxl")
    except ImportError as error:
        raise InputError(
            f"{path}: is a spreadsheet. {_SAVE}, or install the extra that reads it: pip install 'rramkit[xlsx]'"
        ) from error
    try:
        book = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
        return {each.title: [list(row) for row in each.iter_rows(values_only=True)] for each in book}
    except Exception as error:  # a damaged workbook fails anywhere inside the library, by any exception
        raise InputError(f"{path}: is no workbook that can be read ({type(error).__name__}). {_SAVE}.") from error


def _text(cell: object, decimal: str = ".") -> str:
    """Return the text of a cell; a number that was typed as text gets a decimal point in the place of a comma."""
    text = "" if cell is None else repr(cell) if isinstance(cell, float) else str(cell).strip()
    value = number(text, decimal) if decimal == "," and isinstance(cell, str) else None
    return text if value is None else repr(value)
