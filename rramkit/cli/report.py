"""`rramkit report`: tables, and a training with them, as one self-contained web page."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli import cost, strict_json
from rramkit.cli.progress import stage

if TYPE_CHECKING:
    from rramkit.record import Run
    from rramkit.report.page import Priced
    from rramkit.table import TableFile


def report(
    tables: Annotated[Path, typer.Argument(help="Table file, written by `rramkit characterize`.", metavar="TABLES.h5")],
    run: Annotated[Path | None, typer.Option("--run", help="Run file, written by `rramkit train`.")] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="Page to write.")] = Path("report.html"),
    as_json: Annotated[bool, typer.Option("--json", help="Print the headline as one line of JSON.")] = False,
) -> None:
    """Write tables, and a training with them, as one self-contained web page."""
    from rramkit import files, record, table  # here, not above: the other commands start without them
    from rramkit.report import headline, page

    files.check_writable(output, keep=(tables, run))
    table_file, trained = table.load(tables), None if run is None else record.load(run)
    others = headline.other_tables(table_file, trained)
    if others:
        typer.echo(f"rramkit: note: {others}", err=True)
    stage("cost of the training")
    priced = None if trained is None else _priced(table_file, trained)
    stage("pictures of the tables")
    drawn = page.chapters_of(table_file)
    stage("pictures of the training" if trained else "page")
    page.report(table_file, trained, output, drawn=drawn, priced=priced)
    if as_json:
        typer.echo(strict_json.text({"report": str(output), **headline.numbers(table_file, trained)}))
    else:
        typer.echo(output)


def _priced(tables: "TableFile", run: "Run") -> "Priced | None":
    """Return what the training cost; None of a run in float, or of one whose file holds no counts."""
    from rramkit.cost import Cost, components, tornado
    from rramkit.cost.subject import Subject

    if run.counts is None or run.stored_network is None or not run.stored_network.tables:
        return None
    if dict(run.settings.get("mapping", {})).get("layers"):  # pyright: ignore[reportArgumentType, reportCallIssue]
        typer.echo("rramkit: note: the report has no cost: settings of single layers are not priced.", err=True)
        return None
    subject = Subject.of(run)
    found = Cost(subject, components(), circuits=cost.circuits(run))
    same = tables.provenance.get("created", "") == run.tables_provenance.get("created", "")
    return found, tornado(found, cost.corners(subject, tables) if same else [])
