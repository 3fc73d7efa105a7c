"""Parameters from the command line: a TOML file, then `key=value` pairs that override it."""

import tomllib
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

import typer

from rramkit.errors import InputError, one_line
from rramkit.parameters import Parameters, absolute, beside, current_path, toml_values, values_of

if TYPE_CHECKING:
    from rramkit.circuits.compiled_cell import Form

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
TablesArgument = Annotated[
    Path | None,
    typer.Argument(help="Table file; `--tables` names it too.", metavar="TABLES.h5", show_default=False),
]
TablesNamed = Annotated[
    Path | None,
    typer.Option("--tables", help="The table file, by the name that it has in every command.", metavar="TABLES.h5"),
]
ListSettings = Annotated[bool, typer.Option("--list", help="List the settings and stop.")]
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

CompiledCells = Annotated[
    str | None,
    typer.Option(
        "--compiled-cells",
        help="The arrays' cells as compiled Verilog-A: never, always, or auto: where a compiler or its result is "
        "found. Default: auto.",
        metavar="never|auto|always",
    ),
]


def table_file(argument: Path | None, named: Path | None) -> Path:
    """Return the table file of a command, which stands alone or after `--tables`.

    Raises
    ------
    InputError
        When it is named twice, or not at all.
    """
    path = table_file_or_none(argument, named)
    if path is None:
        raise InputError("`--tables` must name a table file; got none. Pass `--tables TABLES.h5`, or the file alone.")
    return path


def table_file_or_none(argument: Path | None, named: Path | None) -> Path | None:
    """Return the table file of a command that also does without one."""
    if argument is not None and named is not None:
        raise InputError(f"`--tables` must name one table file; got {argument} and {named}. Leave one of them out.")
    return argument if named is None else named


def say_replaced(path: Path, *, quiet: bool) -> None:
    """Say on the error stream that a result which is there will be replaced; `quiet`: not."""
    if path.exists() and not quiet:
        typer.echo(f"rramkit: note: {path} exists, and is replaced when this ends well; `-o` names another.", err=True)


def name_libraries(paths: list[Path] | None) -> None:
    """Name the model files that a table file may mean."""
    from rramkit.circuits.libraries import name_library

    for path in paths or []:
        name_library(path)


def form_named(word: str) -> "Form":
    """Return the form of the device models that `--compiled-cells` names.

    Raises
    ------
    InputError
        When it is none of the three.
    """
    from rramkit.circuits.compiled_cell import Form

    found: Form | None = next((each for each in get_args(Form) if each == word), None)
    if found is None:
        raise InputError(
            f"`--compiled-cells` must be one of {', '.join(get_args(Form))}; got {word!r}. Pass one of them."
        )
    return found


def parameters(
    model: type[Model], file: Path | None, pairs: list[str] | None, *, base: Mapping[str, Any] | None = None
) -> Model:
    """Return the parameters of a file and `key=value` pairs, on top of those of `base`; keys are those of now.

    Raises
    ------
    InputError
        When a key or a value does not fit.
    """
    values: dict[str, Any] = deepcopy(dict(base or {}))
    for path, value in _leaves(toml_values(file) if file is not None else {}):
        dotted = any("." in name for name in path)  # a key in quotes, of a dictionary
        _put(values, list(path) if dotted else current_path(model, ".".join(path)).split("."), value, ".".join(path))
    for pair in pairs or []:
        key, equals, text = pair.partition("=")
        if not equals or not key.strip():
            raise InputError(f"`--set` must be KEY=VALUE; got {pair!r}. For instance: --set read.v_read=0.1")
        path = current_path(model, key.strip()).split(".")
        _put(values, path, _from_here(path, _value(text.strip())), f"--set {pair}")
    with beside(file) if file is not None else nullcontext():
        return model.checked(values, where=str(file) if file is not None and not pairs else "parameters")


def _from_here(path: list[str], value: object) -> object:
    """Return a value of the command line; a model file's path is relative to this folder, not to a file's."""
    from rramkit.circuits.libraries import LIBRARY_KEYS

    names_file = path[-1] in LIBRARY_KEYS or path[-2:-1] == ["corners"]
    if names_file and isinstance(value, list):
        return [absolute(each) if isinstance(each, str) and each else each for each in value]
    return absolute(value) if names_file and isinstance(value, str) and value else value


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
            raise InputError(one_line(f"`{origin}`: `{name}` is a value, not a group. Remove what follows the dot."))
    values[path[-1]] = value


def _value(text: str) -> object:
    """Return a TOML value; a bare word is a string.

    Raises
    ------
    InputError
        When it is a value that no parameter can have: an integer of more than 64 bits, lists without end in each other.
    """
    try:
        return values_of(f"x = {text}")["x"]
    except tomllib.TOMLDecodeError:
        return text
    except ValueError as error:
        raise InputError(f"`--set`: {error}; got {one_line(text[:60])}. Fix the value.") from None
