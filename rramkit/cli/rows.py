"""Lines of a summary for the terminal: a name, and its text beside it, within 80 columns."""

import sys
import textwrap
from collections.abc import Iterable
from shutil import get_terminal_size
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rramkit.parameters import Parameters

COLUMNS = 80
"""Width of what commands print (1): that of a terminal that nobody has made wider."""


def rows(pairs: Iterable[tuple[str, str]], *, width: int, indent: str = "") -> str:
    """Return one row for each name and text: names `width` wide, long texts broken between words and indented."""
    return "\n".join(line for name, text in pairs for line in _row(f"{indent}{name:<{width}} ", text))


def _row(start: str, text: str) -> list[str]:
    look = {"initial_indent": start, "subsequent_indent": " " * len(start), "break_on_hyphens": False}
    return textwrap.wrap(text, COLUMNS, break_long_words=False, **look) or [start.rstrip()]


def settings_list(parameters: "Parameters", indent: str = "") -> str:
    """Return a line for each setting, for programs; on a terminal within its width."""
    from rramkit.parameters import listing  # here: `rramkit doctor` runs where pydantic is missing

    return listing(parameters, indent, columns=get_terminal_size().columns if sys.stdout.isatty() else 0)
