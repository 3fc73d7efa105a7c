"""Decks that come from a file: what their header says of the outputs, and where their included files lie."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from rramkit.errors import InputError

_OUTPUT = re.compile(
    r"^\*\s+(?P<name>\w+)\s+=\s+(?P<vector>[vi]\([\w.#]+\)|[io]noise_\w+)\s+\[(?P<unit>[^\]]+)\]\s*(?P<text>.*)$"
)
_MEASURE = re.compile(r"^\*\s+(?P<name>\w+)\s+\[(?P<unit>[^\]]+)\]\s*(?P<text>.*)$")
_SWEPT = re.compile(r"(?m)^\* swept: (?P<text>.+)$")
_INCLUDE = re.compile(
    r"(?im)^(?P<head>\.(?:include|inc|lib)\s+)(?P<path>\"[^\"\n]+\"|'[^'\n]+'|[^\s\"']+)(?P<tail>.*)$"
)
_ANALYSIS = re.compile(r"(?im)^\.(tran|dc|ac|op|noise|tf)\b")


@dataclass(frozen=True)
class Label:
    """What the header of a kit's deck says of one output or measure; `vector` is an output's word in ngspice."""

    name: str
    unit: str
    description: str
    vector: str = ""


def read_deck(path: Path) -> str:
    """Return the text of a deck file, its included files by absolute path, ready for a run in another folder.

    Raises
    ------
    InputError
        When the file or an included file is not there, or the deck steers ngspice itself (`.control`).
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file"
        raise InputError(f"{path}: cannot be read as a deck ({reason}). Pass the path of a SPICE deck.") from error
    if re.search(r"(?im)^\s*\.control\b", text):
        raise InputError(
            f"{path}: holds a .control section, which steers ngspice itself. Remove it: the kit runs the deck."
        )
    if not _ANALYSIS.search(text):
        raise InputError(f"{path}: holds no analysis. Add a line such as `.tran 1n 1u` or `.op`.")
    return _INCLUDE.sub(lambda match: _absolute(match, path, text), text)


def _absolute(match: re.Match[str], path: Path, text: str) -> str:
    name = match["path"].strip("\"'")
    if match["head"].lower().startswith(".lib") and not match["tail"].strip():
        return match[0]  # `.lib SECTION` opens a section of a library; only `.lib FILE SECTION` names a file
    included = (path.parent / name).resolve()
    if not included.is_file():
        line = text[: match.start()].count("\n") + 1
        raise InputError(f"{path}, line {line}: {name}: no such model file (looked for {included}). Fix the path.")
    return f'{match["head"]}"{included}"{match["tail"]}'


def output_labels(deck: str) -> dict[str, Label]:
    """Return what the header says of each output, by its name."""
    matches = (_OUTPUT.match(line) for line in deck.splitlines())
    return {m["name"].lower(): Label(m["name"], m["unit"], m["text"], m["vector"].lower()) for m in matches if m}


def swept(deck: str) -> str:
    """Return what the header says that a sweep runs through, with its unit; nothing where it says nothing."""
    match = _SWEPT.search(deck)
    return match["text"] if match else ""


def in_header_order(outputs: Iterable[str], labels: Mapping[str, Label]) -> list[str]:
    """Return outputs in the order of the header, then vectors that it does not name."""
    present = list(outputs)
    return [name for name in labels if name in present] + [name for name in present if name not in labels]


def measure_labels(deck: str) -> dict[str, Label]:
    """Return what the header says of each measure, by name."""
    matches = (_MEASURE.match(line) for line in deck.splitlines())
    return {match["name"].lower(): Label(match["name"], match["unit"], match["text"]) for match in matches if match}
