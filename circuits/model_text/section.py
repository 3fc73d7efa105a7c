"""A section of a library file: `.lib NAME` to `.endl`, or what stands outside all of them."""

import re
from collections.abc import Iterator
from pathlib import Path

from rramkit.circuits.model_text.line import Line, logical_lines
from rramkit.circuits.model_text.nested_file import LIB, path_of
from rramkit.errors import InputError

_ENDL = re.compile(r"(?i)^\.endl\b")


def lines_of(file: Path, section: str) -> Iterator[Line]:
    """Yield the cards of one section of a file (empty: those outside sections), its includes as they stand.

    A fault in the sections of others is none: sky130 as open_pdks built it in 2021 leaves one open.
    """
    present: list[str] = []
    current = ""  # the section that lines are in
    for line in logical_lines(file):
        opened, wanted = _opened(line, file), current.lower() == section.lower()
        if opened is not None:
            if current and (wanted or not section):
                raise InputError(f"{line.where}: a section inside the section {current}. Close it with `.endl` first.")
            if section and opened.lower() == section.lower() and opened.lower() in map(str.lower, present):
                raise InputError(f"{line.where}: the section {section} begins a second time. Remove one.")
            current = opened
            present.append(opened)
        elif _ENDL.match(line.text):
            if not current and not section:
                raise InputError(f"{line.where}: `.endl` closes no section. Remove it.")
            current = ""
        elif wanted:
            yield line
    if current and (not section or current.lower() == section.lower()):
        raise InputError(f"{file}: the section {current} is not closed. Add `.endl {current}`.")
    if section.lower() not in ("", *map(str.lower, present)):
        names = ", ".join(present) or "none"
        raise InputError(f"{file}: has no section {section}; its sections: {names}. Pass one of them.")


def _opened(line: Line, file: Path) -> str | None:
    """Return the name of the section that a line opens: `.lib NAME`, where NAME is no file."""
    match = LIB.match(line.text)
    if match is None or match["section"] is not None:
        return None
    name = match["path"].strip("\"'")
    return name if not path_of(name, line, file).is_file() else None
