"""Parameters from the command line: a TOML file, then `key=value` pairs that override it."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from rramkit.errors import InputError
from rramkit.parameters import Parameters, current_path

Model = TypeVar("Model", bound=Parameters)

ParameterFile = Annotated[
    Path | None, typer.Option("--params", help="TOML file of parameters, in SI units.", metavar="FILE.toml")
]
ParameterPairs = Annotated[
    list[str] | None,
    typer.Option(
        "--set", "-s", help="One parameter in SI units, dots for nested ones; may be repeated.", metavar="KEY=VALUE"
    ),
]
Timeout = Annotated[
    float, typer.Option(help="Processor seconds after which one run of ngspice is killed.", metavar="SECONDS", min=0.1)
]
Libraries = Annotated[
    list[Path] | None,
    typer.Option(
        "--library",
        help="Model file of your own that the table file was made with: what a table file names is not opened by "
        "itself. May be repeated.",
        metavar="FILE",
    ),
]


def name_libraries(paths: list[Path] | None) -> None:
    """Name the model files that a table file may mean."""
    from rramkit.circuits.libraries import name_library

    for path in paths or []:
        name_library(path)


def parameters(model: type[Model], file: Path | None, pairs: list[str] | None) -> Model:
    """Return the parameters of a file and `key=value` pairs; raise `InputError` for a wrong key or value."""
    values = model.from_toml(file).model_dump(exclude_unset=True) if file is not None else {}
    for pair in pairs or []:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise InputError(f"`--set` must be KEY=VALUE; got {pair!r}. For instance: --set read.v_read=0.1")
        _put(values, current_path(model, key.strip()).split("."), _value(text.strip()), pair)
    return model.checked(values, where=str(file) if file is not None and not pairs else "parameters")


def _put(values: dict[str, Any], path: list[str], value: object, pair: str) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise InputError(f"`--set {pair}`: `{name}` is a value, not a group. Remove what follows the dot.")
    values[path[-1]] = value


def _value(text: str) -> object:
    """Return a TOML value; a bare word is a string."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
