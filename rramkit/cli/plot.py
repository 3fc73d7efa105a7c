"""`rramkit plot`: every picture of a table file, one file each."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def plot(
    tables: Annotated[Path, typer.Argument(help="Table file.", metavar="TABLES.h5")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.", metavar="FOLDER")] = Path(
        "plots"
    ),
    kind: Annotated[Literal["png", "svg", "pdf"], typer.Option("--format", help="Kind of picture.")] = "png",
) -> None:
    """Draw every table: families of curves with held-out points, residual maps, histograms, staircases."""
    from rramkit import plots, table
    from rramkit.errors import InputError
    from rramkit.files import check_writable

    found = table.load(tables)
    if output.exists() and not output.is_dir():
        raise InputError(f"{output}: is a file. Name a folder.")
    check_writable(output / f"any.{kind}")
    for name, draw in plots.gallery(found).items():
        plots.save(draw, output / f"{name}.{kind}", title=f"{tables.name}: {name.replace('-', ' ')}")
    typer.echo(output)
