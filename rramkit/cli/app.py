"""`rramkit`: the list of commands."""

import functools
import inspect
import warnings
from collections.abc import Callable
from typing import Annotated, cast

import typer

from rramkit import __version__
from rramkit.cli import (
    characterize,
    cost,
    demo,
    device,
    doctor,
    evaluate,
    explain,
    export,
    import_measured,
    init,
    merge,
    netlist,
    plot,
    progress,
    prove,
    report,
    rl,
    sensitivity,
    simulate,
    sweep,
    tile,
    train,
    verify,
)
from rramkit.errors import DataWarning, FormerNameWarning, InputError, OtherArithmeticWarning, SimulatorWarning

app = typer.Typer(
    name="rramkit",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "SPICE-backed verification and characterisation of RRAM training-in-memory circuits: "
        "[bold]netlist[/] and [bold]simulate[/] a circuit, [bold]characterize[/] it into a table file and "
        "[bold]verify[/] that, program a matrix into a [bold]tile[/], [bold]train[/] a network through the tables, "
        "[bold]report[/] the results."
    ),
)
_COMMANDS = {
    "init": init.init,
    "netlist": netlist.netlist,
    "simulate": simulate.simulate,
    "characterize": characterize.characterize,
    "merge": merge.merge,
    "verify": verify.verify,
    "import": import_measured.import_measured,
    "export": export.export,
    "plot": plot.plot,
    "tile": tile.tile,
    "train": train.train,
    "evaluate": evaluate.evaluate,
    "cost": cost.cost,
    "rl": rl.rl,
    "sweep": sweep.sweep,
    "ablate": sweep.ablate,
    "prove": prove.prove,
    "sensitivity": sensitivity.sensitivity,
    "report": report.report,
    "explain": explain.explain,
    "doctor": doctor.doctor,
    "demo": demo.demo,
}


def _help(command: Callable[..., None]) -> str:
    """Return a command's docstring with one line a paragraph: the terminal's width breaks the lines."""
    return "\n\n".join(
        " ".join(paragraph.split()) for paragraph in inspect.cleandoc(command.__doc__ or "").split("\n\n")
    )


def _heard_of(name: str, command: Callable[..., None]) -> Callable[..., None]:
    """Return a command inside a log of its name: one that takes long is heard of after two seconds."""

    @functools.wraps(command)
    def run_it(*arguments: object, **options: object) -> None:
        with progress.log(name, quiet=any(options.get(each) for each in ("quiet", "json", "as_json"))):
            command(*arguments, **options)

    return run_it


for _name, _command in _COMMANDS.items():
    app.command(_name, help=_help(_command))(_heard_of(_name, _command))

app.add_typer(device.app, name="device")


def _print_version(is_set: bool) -> None:
    if is_set:
        typer.echo(f"rramkit {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


# typer's exception for a wrong call; it exports only this child class.
_WrongCall: type[Exception] = typer.BadParameter.__bases__[0]


def _note(message: Warning | str, *_where: object) -> None:
    """Print a warning as one line."""
    typer.echo(f"rramkit: note: {message}", err=True)


def run(arguments: list[str]) -> int:
    """Run one command; return its exit code, or raise a `KitError`: a wrong call is an `InputError` of one line."""
    try:
        with warnings.catch_warnings():
            for category in (DataWarning, FormerNameWarning, OtherArithmeticWarning, SimulatorWarning):
                warnings.simplefilter("always", category)
            warnings.showwarning = _note
            code = app(arguments or ["--help"], prog_name="rramkit", standalone_mode=False)
    except _WrongCall as error:
        wrong = cast(typer.BadParameter, error)
        command = wrong.ctx.command_path if wrong.ctx else "rramkit"
        message = wrong.format_message().replace("?.", "?").rstrip(".")
        end = "" if message.endswith("?") else "."
        raise InputError(f"{message}{end} `{command} --help` lists the arguments.") from None
    return code if isinstance(code, int) else 0
