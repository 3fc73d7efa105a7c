"""The nested file that a line puts in its place: how a line names it, where it is looked for, where it may lie."""

import os
import re
from pathlib import Path

from rramkit.circuits.model_text.line import Line
from rramkit.errors import InputError

_SUFFIXES = frozenset(  # of model files, where they lie elsewhere than the library that names them
    "lib inc incl include l sp spi spice ngspice hspice cir ckt cdl net netlist mod model models mdl pm sub subckt "
    "scs par param params prm cor corner".split()
)
_SYSTEM = tuple(Path(folder) for folder in ("/proc", "/sys", "/dev", "/run"))
_INCLUDE = re.compile(r"(?i)^\.(?:include|incl|inc)\s+(?P<path>\"[^\"]*\"|'[^']*'|\S+)\s*$")
LIB = re.compile(r"(?i)^\.lib\s+(?P<path>\"[^\"]*\"|'[^']*'|\S+)(?:\s+(?P<section>[\w.+-]+))?\s*$")
_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")


def nested_file(line: Line, file: Path, root: Path) -> tuple[Path, str] | None:
    """Return the file, and its section, that a line puts in its place; None where it names none.

    `root` is the folder of the file that the user named: files in it and below it may be nested whatever their name.
    """
    match = _INCLUDE.match(line.text) or LIB.match(line.text)
    if match is None:
        if re.match(r"(?i)^\.(?:include|incl|inc|lib)\b", line.text):
            raise InputError(f"{line.where}: `{line.text[:60]}` names no file. Write `.include FILE`.")
        return None
    name = match["path"].strip("\"'")
    return placed(name, line, file, root), match.groupdict().get("section") or ""


def placed(name: str, line: Line, file: Path, root: Path, *, suffixes: frozenset[str] = _SUFFIXES) -> Path:
    """Return the nested file that a line of `file` names.

    Raises `InputError` where it is not there, or lies outside `root` and is not called like a model file.
    """
    nested = path_of(name, line, file)
    _check_place(nested.resolve(), line, root, suffixes)
    if not nested.is_file():
        raise InputError(f"{line.where}: {name}: no such model file (looked for {nested.resolve()}). Fix the path.")
    return nested


def _check_place(nested: Path, line: Line, root: Path, suffixes: frozenset[str]) -> None:
    """Raise `InputError` where a nested file lies elsewhere than its library and is not called like a model file."""
    own = nested.is_relative_to(root) and not any(part.startswith(".") for part in nested.relative_to(root).parts)
    model = nested.suffix[1:].lower() in suffixes and not any(nested.is_relative_to(each) for each in _SYSTEM)
    if not (own or model):
        raise InputError(
            f"{line.where}: {nested}: outside the library's folder a nested file must be called like a model file "
            "(.lib, .inc, .spice, .va ...); this one is not read. Put it beside the library, or remove the line."
        )


def path_of(name: str, line: Line, file: Path) -> Path:
    """Return the file that a line names, beside `file`; where that is a link, beside the link or what it points to."""
    unknown = [each.strip("{}") for each in _VARIABLE.findall(name) if each.strip("{}") not in os.environ]
    if unknown:
        raise InputError(f"{line.where}: ${unknown[0]} is not set. Set it, or write the path out.")
    try:
        named = os.path.expandvars(Path(name).expanduser())
        places = [folder / named for folder in dict.fromkeys((file.parent, file.resolve().parent))]
        found = [place for place in places if place.is_file()]
        two = len(found) > 1 and not found[0].samefile(found[1])
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(f"{line.where}: {name!r} is no path ({error}). Fix it.") from error
    if two:
        raise InputError(
            f"{line.where}: {name} lies beside {file}, a link, and beside what it points to. Remove one, or write the "
            "path out."
        )
    return (found or places)[0]
