"""`rramkit report`: tables, and a training with them, as one self-contained web page."""

from pathlib import Path
from typing import Annotated

import typer

from rramkit.cli import strict_json


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
    page.report(table_file, trained, output)
    if as_json:
        typer.echo(strict_json.text({"report": str(output), **headline.numbers(table_file, trained)}))
    else:
        typer.echo(output)
