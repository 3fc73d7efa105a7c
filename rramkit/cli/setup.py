"""`rramkit setup`: fetch an ngspice library where the machine has no suitable one."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli import strict_json
from rramkit.cli.checkout import links_complaint
from rramkit.cli.progress import stage
from rramkit.errors import SetupError

if TYPE_CHECKING:
    from rramkit.characterization.ngspice.library import SimulatorLibrary


def setup(
    as_json: Annotated[bool, typer.Option("--json", help="Print what is there now as one line of JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress; print the library alone.")] = False,
) -> None:
    """Fetch ngspice, which circuits are simulated with: once, without root, where the machine has no suitable one.

    It comes through the machine's own package sources (Debian, Ubuntu) into the checkout's `.ngspice`, or, where the
    kit was installed from a wheel, into `rramkit/ngspice` of your data folder (`$XDG_DATA_HOME`, else
    `~/.local/share`); nothing else is changed. A suitable library that is there is used as it is, and a second call
    fetches nothing. Trainings, pictures and reports need no ngspice: `rramkit doctor` lists what works.
    """
    complaint = links_complaint()
    if complaint is not None:
        raise SetupError(complaint)
    from rramkit.characterization.ngspice import fetch, library
    from rramkit.characterization.program import find_program

    silent = quiet or as_json

    def say(line: str) -> None:
        if not silent:
            typer.echo(f"ngspice: {line}", err=True)

    stage("ngspice")
    found = fetch.ensure(library.private_prefix(), say)
    program = find_program(found)
    if as_json:
        typer.echo(strict_json.text(_outcome(found, program)))
    elif quiet:
        typer.echo(found.path)
    else:
        typer.echo(_text(found, program))
    if warning := library.warning_for(found):
        typer.echo(f"rramkit: note: {warning}", err=True)


def _outcome(found: "SimulatorLibrary", program: Path | None) -> dict[str, object]:
    return {
        "library": str(found.path),
        "version": found.version_text,
        "origin": found.origin,
        "klu": found.klu,
        "program": None if program is None else str(program),
    }


def _text(found: "SimulatorLibrary", program: Path | None) -> str:
    solver = ", KLU" if found.klu else ""
    lines = [f"ngspice {found.version_text} ({found.origin}{solver}): {found.path}"]
    if program is None:
        lines.append("no ngspice program for decks by hand; `rramkit simulate DECK.cir` runs them")
    elif shutil.which("ngspice") == str(program):
        lines.append("a deck by hand: ngspice -b DECK.cir")
    else:
        lines.append(f"a deck by hand: {program} -b DECK.cir")
    return "\n".join(lines)
