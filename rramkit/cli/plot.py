"""`rramkit plot`: every picture of a table file or of a run file, one file each."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from rramkit.cli.options import TablesNamed, table_file
from rramkit.cli.progress import stages

if TYPE_CHECKING:
    from rramkit.plots.gallery import Drawing


def plot(
    argument: Annotated[
        Path | None, typer.Argument(help="Table file or run file.", metavar="FILE.h5", show_default=False)
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write into.", metavar="FOLDER")] = Path(
        "plots"
    ),
    named: TablesNamed = None,
    kind: Annotated[Literal["png", "svg", "pdf"], typer.Option("--format", help="Kind of picture.")] = "png",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Draw every table, or a training, as pictures.

    Tables: families of curves with held-out points, residual maps, histograms, staircases. A training: learning curves
    against float, pulses and energy by epoch, confusion, and of each matrix its conductances by epoch and the pulses by
    cell. A training of `rramkit rl`: returns, energy, and cells rewritten by updates of the target network.
    """
    from rramkit import plots, units
    from rramkit.errors import InputError
    from rramkit.files import check_writable

    source = table_file(argument, named)
    drawings = _drawings(source)
    if output.exists() and not output.is_dir():
        raise InputError(f"{output}: is a file. Name a folder.")
    check_writable(output / f"any.{kind}")
    with stages("plot", quiet=quiet) as show:
        for done, (name, draw) in enumerate(drawings.items(), 1):
            plots.save(draw, output / f"{name}.{kind}", title=f"{draw.title} ({source.name})")
            show("plot", done, len(drawings), of="pictures")
    typer.echo(output if quiet else f"{output} ({units.count(len(drawings), 'picture')})")


def _drawings(source: Path) -> "dict[str, Drawing]":
    from rramkit import hdf5, plots, record, table

    if hdf5.format_of(source) in (record.FORMAT, record.EPISODE_FORMAT_1):
        return plots.run_gallery(record.load(source, record.TrainingOutcome))
    return plots.gallery(table.load(source))
