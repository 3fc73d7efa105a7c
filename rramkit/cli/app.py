"""`rramkit`: one family of commands, and the one place where an error becomes a line and an exit code."""

import sys

import typer

from rramkit import __version__
from rramkit.cli import doctor
from rramkit.errors import KitError

app = typer.Typer(
    name="rramkit",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="SPICE-backed verification and characterisation of RRAM training-in-memory circuits.",
)
app.command("doctor")(doctor.doctor)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"rramkit {__version__}")
        raise typer.Exit


@app.callback()
def _family(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
) -> None:
    """SPICE-backed verification and characterisation of RRAM training-in-memory circuits."""


def main() -> None:
    """Run the command line; every failure that a user can mend ends in one line and a code that is not 0."""
    try:
        app()
    except KitError as error:
        typer.echo(f"rramkit: {error}", err=True)
        sys.exit(error.exit_code)
