"""The console that tables are printed on: as wide as the terminal; where there is none, as wide as its lines."""

import os
import sys

from rich.console import Console

_WIDE = 1000  # columns of a file or a pipe: no name and no text is broken there, so that it can be searched


def console(*, stderr: bool = False) -> Console:
    """Return a console on the output, or on the error stream; `COLUMNS` sets its width, as on a terminal."""
    stream = sys.stderr if stderr else sys.stdout
    free = not stream.isatty() and not os.environ.get("COLUMNS", "").isdecimal()
    return Console(stderr=stderr, width=_WIDE if free else None)
