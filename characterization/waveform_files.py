"""Waveforms in files that a deck names: `filesource` models, and `pwl file=` of a source.

A file must lie beside the deck or below its folder, and hold numbers only. ngspice gets a `filesource` by its absolute
path, and the points of a `pwl` in the deck itself: it never looks a file up.
"""

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from rramkit.characterization.spice_numbers import spice_number
from rramkit.circuits import model_text
from rramkit.circuits.model_text import Line
from rramkit.errors import InputError

_FILE = re.compile(r"(?i)\bfile\s*=\s*(?P<path>\"[^\"]*\"|'[^']*'|[^\s()]+)")
_PWL = re.compile(r"(?i)\bpwl\s*\(?\s*file\s*=\s*(?P<path>\"[^\"]*\"|'[^']*'|[^\s()]+)\s*\)?")
_SIZE = 20e6  # bytes: a million points


def taken(line: Line, card: str, folder: Path) -> Line | None:
    """Return a line whose waveform is in a file as ngspice gets it; None for every other line.

    Parameters
    ----------
    line : Line
        A line of a deck.
    card : str
        Name of its card, `model`; empty for an element.
    folder : Path
        The deck's.

    Raises
    ------
    InputError
        When the file is not there, lies elsewhere, or does not hold numbers.
    """
    words = re.split(r"[\s(]+", line.text, maxsplit=3)
    if card == "model" and len(words) > 2 and words[2].lower() == "filesource":
        match = _FILE.search(line.text)
        if match is None:
            return None
        _check_only(match, line)
        path = _path(match["path"], line, folder)
        for _ in _points(path, line, float):  # ngspice stops at a number with a suffix, without an error
            pass
        return replace(line, text=f'{line.text[: match.start()]}file="{path}"{line.text[match.end() :]}')
    match = _PWL.search(line.text) if card == "" and line.text[0] in "vViI" else None
    if match is None:
        return None
    _check_only(match, line)
    points = " ".join(f"{time!r} {value!r}" for time, value in _pairs(_path(match["path"], line, folder), line))
    return replace(line, text=f"{line.text[: match.start()]}pwl({points}){line.text[match.end() :]}")


def _check_only(match: re.Match[str], line: Line) -> None:
    """Raise `InputError` where a line speaks of a second file: ngspice takes `file` with and without its `=`."""
    if re.search(r"(?i)\bfile\b", line.text[: match.start()] + line.text[match.end() :]):
        raise InputError(f"{line.where}: a line must name one file; got more, or a node called `file`. Rename it.")


def _path(text: str, line: Line, folder: Path) -> Path:
    name = text.strip("\"'")
    path = (Path(line.file).parent / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise InputError(f"{line.where}: {name}: a waveform file must lie beside the deck or below it. Move it there.")
    if not path.is_file():
        raise InputError(f"{line.where}: {name}: no such waveform file (looked for {path}). Fix the path.")
    if '"' in str(path) or not str(path).isprintable():
        raise InputError(f"{line.where}: {name}: the path must be printable, without quotes. Rename the file.")
    if path.stat().st_size > _SIZE:
        raise InputError(f"{line.where}: {name}: is larger than {_SIZE / 1e6:g} MB. Thin it out.")
    return path


def without_paths(line: Line) -> Line:
    """Return a line without the names of its files, which may be of any alphabet."""
    return replace(line, text=_FILE.sub("file", line.text))


def _points(path: Path, line: Line, number_of: Callable[[str], float]) -> Iterator[list[float]]:
    """Yield the numbers of each line of a file."""
    for number, text in enumerate(model_text.read_text(path).split("\n"), start=1):
        words = re.split(r"[\s,;]+", text.strip()) if text.strip() and text.strip()[0] not in "*#;" else []
        try:
            values = [number_of(word) for word in words if word]
        except ValueError:
            values = [math.nan]
        if any(not math.isfinite(value) for value in values):
            suffixes = "" if number_of is spice_number else ", without suffixes"
            raise InputError(
                f"{line.where}: {path.name}, line {number}: a waveform file must hold numbers{suffixes}, a time and "
                "its values a line. Fix the line."
            )
        if values:
            yield values


def _pairs(path: Path, line: Line) -> Iterator[tuple[float, float]]:
    """Yield time and value of each point, whether or not each stands on a line of its own."""
    values = [value for each in _points(path, line, spice_number) for value in each]
    times = values[::2]
    if not values or len(values) % 2 or any(late <= early for early, late in pairwise(times)):
        raise InputError(
            f"{line.where}: {path.name}: must hold pairs of a time and a value, the times increasing. Fix the file."
        )
    yield from zip(times, values[1::2], strict=True)
