"""Parameters from the command line: a TOML file, then `key=value` pairs that override it."""

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from rramkit.errors import InputError
from rramkit.parameters import Parameters, current_path, toml_values

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


def parameters(model: type[Model], file: Path | None, pairs: list[str] | None) -> Model:
    """Return the parameters of a file and `key=value` pairs; raise `InputError` for a wrong key or value."""
    values: dict[str, Any] = {}
    for path, value in _leaves(toml_values(file) if file is not None else {}):
        dotted = any("." in name for name in path)  # a key in quotes, of a dictionary
        _put(values, list(path) if dotted else current_path(model, ".".join(path)).split("."), value, ".".join(path))
    for pair in pairs or []:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise InputError(f"`--set` must be KEY=VALUE; got {pair!r}. For instance: --set read.v_read=0.1")
        _put(values, current_path(model, key.strip()).split("."), _value(text.strip()), f"--set {pair}")
    return model.checked(values, where=str(file) if file is not None and not pairs else "parameters")


def _leaves(values: Mapping[str, Any], group: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield path and value of everything in a file that is no group."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*group, name))
        else:
            yield (*group, name), value


def _put(values: dict[str, Any], path: list[str], value: object, origin: str) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise InputError(f"`{origin}`: `{name}` is a value, not a group. Remove what follows the dot.")
    values[path[-1]] = value


def _value(text: str) -> object:
    """Return a TOML value; a bare word is a string."""
    try:
        return tomllib.loads(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
