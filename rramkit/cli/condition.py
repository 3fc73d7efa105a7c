"""`--corner`, `--temperature`, `--supply`: the operating condition at which a command reads its tables."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rramkit.learning.condition import Condition
    from rramkit.table import TableFile

Corner = Annotated[str | None, typer.Option("--corner", help="Process corner of the tables, for instance ss.")]
Temperature = Annotated[
    float | None, typer.Option("--temperature", help="Temperature of the tables, in kelvin.", metavar="KELVIN")
]
Supply = Annotated[
    float | None, typer.Option("--supply", help="Supply of the tables over the nominal one.", metavar="RATIO")
]


def condition_of(corner: str | None, temperature: float | None, supply: float | None) -> "Condition":
    """Return the condition that the options give."""
    from rramkit.learning.condition import Condition

    return Condition(corner, temperature, supply)


def load_tables(path: Path, condition: "Condition", *, quiet: bool) -> "TableFile":
    """Read a table file at a condition; unless `quiet`, say on the error stream when it is the nominal one of several.

    Raises
    ------
    InputError, TableError
        When the file cannot be read or has no axis for what is given.
    """
    from rramkit import table
    from rramkit.learning.condition import condition_axes

    tables = table.load(path)
    axes = condition_axes(tables)
    if axes and condition.is_nominal and not quiet:
        options = ", ".join(f"`--{axis}`" for axis in axes)
        names, verb = ", ".join(axes), "sets" if len(axes) == 1 else "set"
        typer.echo(f"{path}: read at the nominal condition of its axes {names}; {options} {verb} another.", err=True)
    return condition.of(tables)
