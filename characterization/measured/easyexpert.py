"""Logs of Keysight (Agilent) EasyEXPERT, the program of the B1500A: its text export.

A line says in its first cell what it holds: `SetupTitle`, `TestParameter`, `AnalysisSetup`, `Dimension1` and others
set up the test, `DataName` names the columns, each `DataValue` is one row. Values are in SI units. A file of several
records (repeated tests) has all of that for each: a record is a block. Text before the records is ignored, as is the
rest.
"""

import csv
import re
from pathlib import Path

from rramkit.characterization.measured.sheet import Sheet
from rramkit.errors import InputError

_NAME, _VALUE = "DataName", "DataValue"


def is_easyexpert(data: bytes) -> bool:
    """Return whether a file is such a log: a line starts with `DataName`, one with `DataValue`."""
    return all(re.search(rb"(?m)^\s*" + word.encode() + rb"\s*,", data) is not None for word in (_NAME, _VALUE))


def read_easyexpert(path: Path, data: bytes) -> Sheet:
    """Return the sheet of a log; raise `InputError` where its records have other columns than the first."""
    names: tuple[str, ...] = ()
    rows, lines, blocks, block = [], [], [], -1
    text = data.decode("utf-8-sig", errors="replace")
    for line, cells in enumerate(csv.reader(re.split(r"\r\n|\n|\r", text.replace("\0", ""))), 1):
        head, *rest = [cell.strip() for cell in cells] or [""]
        if head == _NAME:
            if names and tuple(rest) != names:
                raise InputError(
                    f"{path}: the record at line {line} has the columns {', '.join(rest)}, the first has "
                    f"{', '.join(names)}. Export records of one test only."
                )
            names, block = tuple(rest), block + 1
        elif head == _VALUE:
            if len(rest) != len(names):
                raise InputError(f"{path}: line {line} has {len(rest)} values for {len(names)} names. Export it again.")
            rows.append(tuple(rest))
            lines.append(line)
            blocks.append(block)
    note = f"EasyEXPERT log of {block + 1} record{'s' if block else ''}, in SI units"
    return Sheet(path, names, (), tuple(rows), tuple(lines), tuple(blocks), is_si=True, notes=(note,))
