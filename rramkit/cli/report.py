"""`rramkit report`: tables, and a training with them, as one self-contained web page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli import cost, strict_json
from rramkit.cli.options import TablesArgument, TablesNamed, say_replaced, table_file
from rramkit.cli.progress import stage
from rramkit.errors import InputError, TableError

if TYPE_CHECKING:
    from rramkit.record import Run
    from rramkit.report.page import Priced
    from rramkit.table import TableFile


def report(
    argument: TablesArgument = None,
    run: Annotated[
        Path | None, typer.Option("--run", help="Run file, written by `rramkit train`.", metavar="RUN.h5")
    ] = None,
    named: TablesNamed = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Page to write.")] = Path("report.html"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the headline as one line of JSON.")] = False,
) -> None:
    """Write tables, and a training with them, as one self-contained web page."""
    from rramkit import files, record, table  # here, not above: the other commands start without them
    from rramkit.report import headline, page

    tables = table_file(argument, named)
    files.check_writable(output, keep=(tables, run))
    say_replaced(output, quiet=as_json)
    loaded, trained = table.load(tables), None if run is None else record.load(run)
    others = headline.other_tables(loaded, trained)
    if others:
        typer.echo(f"rramkit: note: {others}", err=True)
    stage("cost of the training")
    priced = None if trained is None or run is None else price_of(loaded, trained, path=run)
    stage("pictures of the tables")
    drawn = page.chapters_of(loaded)
    stage("pictures of the training" if trained else "page")
    page.report(loaded, trained, output, drawn=drawn, priced=priced)
    if as_json:
        typer.echo(strict_json.text({"report": str(output), **headline.numbers(loaded, trained)}))
    else:
        typer.echo(output)


def price_of(tables: "TableFile", run: "Run", *, path: Path) -> "Priced | None":
    """Return what the training of a run file cost; None of a run in float, or of one whose file holds no counts.

    Raises
    ------
    InputError, TableError
        When it cannot be priced; the message names the file.
    """
    from rramkit.cost import Cost, components, tornado
    from rramkit.cost.subject import Subject

    if run.counts is None or run.stored_network is None or not run.stored_network.tables:
        return None
    try:
        subject = Subject.of(run)
    except (InputError, TableError) as error:
        raise type(error)(f"{path}: {error}") from error
    found = Cost(subject, components(), circuits=cost.circuits(run))
    same = tables.provenance.get("created", "") == run.tables_provenance.get("created", "")
    return found, tornado(found, cost.corners(subject, tables) if same else [])
