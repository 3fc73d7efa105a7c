"""`rramkit`: the list of commands."""

import functools
import inspect
import re
import warnings
from collections.abc import Callable
from typing import Annotated, cast

import typer

from rramkit import __version__
from rramkit.cli import (
    boost,
    calibrate,
    characterize,
    cost,
    demo,
    device,
    doctor,
    evaluate,
    explain,
    explore,
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
    setup,
    simulate,
    sweep,
    thresholds,
    tile,
    train,
    verify,
)
from rramkit.errors import (
    DataWarning,
    FormerNameWarning,
    InputError,
    OtherArithmeticWarning,
    SimulatorWarning,
    meant,
    one_line,
)

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
    "setup": setup.setup,
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
    "thresholds": thresholds.thresholds,
    "calibrate": calibrate.calibrate,
    "cost": cost.cost,
    "rl": rl.rl,
    "boost": boost.boost,
    "sweep": sweep.sweep,
    "ablate": sweep.ablate,
    "prove": prove.prove,
    "sensitivity": sensitivity.sensitivity,
    "explore": explore.explore,
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


_INVALID = re.compile(
    r"Invalid value for '(?P<name>[^']+)'(?: / '[^']+')?: (?:Value error, |Input )?(?P<why>.*)", re.DOTALL
)
_UNITS = {"SECONDS": " of seconds, without a unit", "KELVIN": " of kelvin, without a unit"}
_NOT_ONE_OF = re.compile(r"(?P<got>'.*') is not one of (?P<names>.*)", re.DOTALL)


def _wrong_call(error: typer.BadParameter, arguments: list[str]) -> str:
    """Return one line about a wrong call: argument, requirement, what arrived, and where the right ones are listed."""
    command = error.ctx.command_path if error.ctx else "rramkit"
    lists = "commands" if "No such command" in error.format_message() else "arguments"
    message = error.format_message().replace("?.", "?").rstrip(".")
    if not message:  # a group of commands alone: its help is printed already
        return one_line(f"`{command}` needs a command. `{command} --help` lists them.")
    invalid = _INVALID.fullmatch(message)
    if invalid is not None:
        name, why = invalid["name"], invalid["why"].partition(", unable to parse")[0]
        choice = _NOT_ONE_OF.fullmatch(why)
        if choice is not None:
            names = re.findall(r"'([^']+)'", choice["names"])
            hint = meant(choice["got"].strip("'"), names)
            message = f"`{name}` must be one of {', '.join(names)}; got {choice['got']}.{hint}"
        else:
            unit = _UNITS.get(getattr(error.param, "metavar", None) or "", "")
            message = f"`{name}` {why.replace('a valid number', f'a valid number{unit}')}{_got(error, arguments)}"
    end = "" if message.endswith(("?", ".")) else "."
    return one_line(f"{message}{end} `{command} --help` lists the {lists}.")


def _got(error: typer.BadParameter, arguments: list[str]) -> str:
    """Return what arrived for an option, as it stands on the command line; empty for an argument without a name."""
    for name in getattr(error.param, "opts", ()):
        for word, following in zip(arguments, [*arguments[1:], ""], strict=True):
            if word == name:
                return f"; got {following!r}"
            if word.startswith(f"{name}="):
                return f"; got {word.partition('=')[2]!r}"
    return ""


def run(arguments: list[str]) -> int:
    """Run one command; return its exit code, or raise a `KitError`: a wrong call is an `InputError` of one line."""
    try:
        with warnings.catch_warnings():
            for category in (DataWarning, FormerNameWarning, OtherArithmeticWarning, SimulatorWarning):
                warnings.simplefilter("always", category)
            warnings.showwarning = _note
            code = app(arguments or ["--help"], prog_name="rramkit", standalone_mode=False)
    except _WrongCall as error:
        raise InputError(_wrong_call(cast(typer.BadParameter, error), arguments)) from None
    return code if isinstance(code, int) else 0
