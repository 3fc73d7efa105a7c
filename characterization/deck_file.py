"""Decks that come from a file: nested files in place, every line checked; what their header says of the outputs."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from rramkit.circuits import model_text
from rramkit.errors import InputError

_OUTPUT = re.compile(
    r"^\*\s+(?P<name>\w+)\s+=\s+(?P<vector>[vi]\([\w.#]+\)|[io]noise_\w+)\s+\[(?P<unit>[^\]]+)\]\s*(?P<text>.*)$"
)
_MEASURE = re.compile(r"^\*\s+(?P<name>\w+)\s+\[(?P<unit>[^\]]+)\]\s*(?P<text>.*)$")
_SWEPT = re.compile(r"(?m)^\* swept: (?P<text>.+)$")
_CARD = re.compile(r"^\.(\w+)")
_END = re.compile(r"(?i)^\.end\s*$")
_ALLOWED = frozenset(
    "model subckt ends param params func global if elseif else endif option options opt temp ic nodeset title width "
    "tran dc ac op noise tf pz sens disto four sp save print plot probe meas measure end csparam".split()
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
    """Return the text of a deck file with its nested files in place, ready for a run in any folder.

    Comments of the deck itself stay: its header names outputs and measures.

    Raises
    ------
    InputError
        When the file or a nested one is not there, it holds no analysis, or a line that steers ngspice itself
        (`.control`, `*#`), opens a file or runs a program.
    """
    if not path.is_file():
        reason = "not a file" if path.exists() else "no such file"
        raise InputError(f"{path}: cannot be read as a deck ({reason}). Pass the path of a SPICE deck.")
    title, *lines = model_text.read_text(path).split("\n")
    if title.lstrip().startswith("*#"):
        raise InputError(f"{path}, line 1: `*#` runs a command in ngspice. Remove the line.")
    text = "\n".join([_title(title), *_nested_in_place(path, lines)])
    if not _ANALYSIS.search(text):
        raise InputError(f"{path}: holds no analysis. Add a line such as `.tran 1n 1u` or `.op`.")
    return text if re.search(r"(?im)^\s*\.end\s*$", text) else f"{text.rstrip()}\n.end\n"


def _title(text: str) -> str:
    """Return a title that ngspice takes for one: an empty line would be dropped, and the first card with it."""
    text = _printable(text)
    return f"* {text}" if text.lstrip().startswith(".") else text if text.strip() else "deck"


def _printable(text: str) -> str:
    """Return a line without the characters that would end it elsewhere."""
    return "".join(char if char.isprintable() or char == "\t" else "?" for char in text)


def _nested_in_place(path: Path, lines: list[str]) -> Iterator[str]:
    """Yield the lines of a deck after its title, those that name a file replaced by what it holds; all are checked.

    What is yielded is what was checked: whole cards, so that no continuation can change one behind the check.
    """
    file = path.resolve()
    cards = {line.number: line for line in model_text.joined_lines(file, lines, first=2)}
    for number, raw in enumerate(lines, start=2):
        if raw.lstrip().startswith("*"):
            yield _printable(raw)
        elif number in cards:
            yield from (model_text.wrapped(line.text) for line in _checked(cards[number], file))


def _checked(card: model_text.Line, file: Path) -> Iterator[model_text.Line]:
    """Yield a card of a deck, or the cards of the file that it names, each of them checked."""
    nested = model_text.nested_file(card, file, file.parent)
    for line in [card] if nested is None else model_text.flattened(*nested, root=file.parent).lines:
        _check(line)
        if nested is None or not _END.match(line.text):  # of a nested file it would end the deck
            yield line


def _check(line: model_text.Line) -> None:
    """Raise `InputError` where a line of a deck does more than describe a circuit and its analysis."""
    model_text.check_characters(line)
    card = _CARD.match(line.text)
    name = card[1].lower() if card else ""
    if name in ("control", "endc"):
        raise InputError(
            f"{line.where}: a .control section steers ngspice itself. Remove it: the kit runs the deck's analyses."
        )
    if card and name not in _ALLOWED and name not in ("include", "incl", "inc", "lib", "endl"):
        raise InputError(f"{line.where}: `.{name}` has no place in a deck. Remove the line.")
    model_text.check_files(line, name)


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
