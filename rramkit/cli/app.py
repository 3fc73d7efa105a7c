"""`rramkit`: one family of commands, and the one place where an error becomes a line and an exit code."""

import signal
import sys
from types import FrameType
from typing import Annotated

import typer

from rramkit import __version__
from rramkit.cli import characterize, demo, doctor, netlist, report, simulate, train, verify
from rramkit.errors import KitError

app = typer.Typer(
    name="rramkit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "SPICE-backed verification and characterisation of RRAM training-in-memory circuits: "
        "[bold]netlist[/] and [bold]simulate[/] a circuit, [bold]characterize[/] it into a table file and "
        "[bold]verify[/] that, [bold]train[/] a network through the tables, [bold]report[/] what came out."
    ),
)
app.command("netlist")(netlist.netlist)
app.command("simulate")(simulate.simulate)
app.command("characterize")(characterize.characterize)
app.command("verify")(verify.verify)
app.command("train")(train.train)
app.command("report")(report.report)
app.command("doctor")(doctor.doctor)
app.command("demo")(demo.demo)


class Interrupted(BaseException):
    """Ctrl-C, under a name that the command-line library does not take for its own."""


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rramkit {__version__}")
        raise typer.Exit


@app.callback()
def _family(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; every failure that a user can mend ends in one line and a code that is not 0."""
    signal.signal(signal.SIGINT, _interrupt)
    try:
        app()
    except KitError as error:
        _end(str(error), error.exit_code)
    except OSError as error:
        _end(f"{error.filename or 'a file'}: {error.strerror or error}. Mend that and run the command again.", 1)
    except Interrupted:
        _end("interrupted. Nothing unfinished was left under a final name; the same command starts again.", 130)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not break the tidying up
    raise Interrupted


def _end(line: str, code: int) -> None:
    sys.stdout.flush()
    typer.echo(f"rramkit: {line}", err=True)
    sys.exit(code)
