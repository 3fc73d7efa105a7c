"""Lines of a summary for the terminal: a name, and its text beside it, within 80 columns."""

import textwrap
from collections.abc import Iterable

COLUMNS = 80
"""Width of what commands print (1): that of a terminal that nobody has made wider."""


def rows(pairs: Iterable[tuple[str, str]], *, width: int, indent: str = "") -> str:
    """Return one row for each name and text: names `width` wide, long texts broken between words and indented."""
    return "\n".join(line for name, text in pairs for line in _row(f"{indent}{name:<{width}} ", text))


def _row(start: str, text: str) -> list[str]:
    look = {"initial_indent": start, "subsequent_indent": " " * len(start), "break_on_hyphens": False}
    return textwrap.wrap(text, COLUMNS, break_long_words=False, **look) or [start.rstrip()]
