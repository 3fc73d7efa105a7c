"""Deck and log of a failed ngspice run, written beside the output of the command."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rramkit.errors import KitError, SimulationError
from rramkit.files import whole_file


@contextmanager
def kept_beside(output: Path) -> Iterator[None]:
    """When the block raises a `SimulationError`, write its deck as `NAME.failed.cir` and name that in the error."""
    try:
        yield
    except SimulationError as error:
        if error.deck:
            error.add_note(_kept(error, output.with_suffix(".failed.cir")))
        raise


def _kept(error: SimulationError, path: Path) -> str:
    title, _, rest = error.deck.partition("\n")
    log = [f"*   {line}" for line in error.log.splitlines()] or ["*   (nothing)"]
    lines = [f"* failed ({error.reason}): {error.detail}", "* the end of ngspice's log:", *log, "*"]
    try:
        with whole_file(path) as draft:
            draft.write_text("\n".join([title, *lines, rest]), encoding="utf-8")
    except KitError as refused:
        return f"Its deck and log could not be kept: {refused}"
    return f"Deck and log: {path}."
