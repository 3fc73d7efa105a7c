"""`rramkit slice`: one process corner and temperature of a design's tables, as a table file that training reads."""

from pathlib import Path
from typing import Annotated

import typer

from rramkit.files import check_writable


def slice_tables(
    tables: Annotated[
        Path, typer.Argument(help="Table file of a design with corners.", metavar="TABLES.h5", show_default=False)
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Table file to write.", metavar="FILE.h5")],
    corner: Annotated[str, typer.Option(help="Process corner that the design was characterised at.")] = "tt",
    temperature: Annotated[float, typer.Option(help="Temperature in kelvin, within the design's range.")] = 300.15,
) -> None:
    """Cut one corner and temperature of the cell out of a design's tables: `read`, `set` and `reset` for training."""
    from rramkit import table
    from rramkit.corner_slice import at_corner

    check_writable(output, keep=(tables,))
    cut = at_corner(table.load(tables), corner=corner, temperature=temperature)
    table.save(cut, output)
    typer.echo(f"{output}: corner {corner}, {temperature:g} K")
