"""Decks that come from a file: nested files in place, every line checked; what their header says of the outputs.

What ngspice is given is what was checked: cards with their continuations joined, without comments at their ends, up to
the first `.end`. A comment `* file NAME, line N` says where the line after it stood, so that a message of ngspice can
be given by file and line (`place`).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rramkit.characterization import deck_faults, waveform_files
from rramkit.circuits import model_text, verilog_a
from rramkit.circuits.model_text import Line
from rramkit.errors import InputError, file_meant

_OUTPUT = re.compile(
    r"^\*\s+(?P<name>\w+)\s+=\s+(?P<vector>[vi]\([\w.#]+\)|[io]noise_\w+)\s+\[(?P<unit>[^\]]+)\]\s*(?P<text>.*)$"
)
_MEASURE = re.compile(r"^\*\s+(?P<name>\w+)\s+\[(?P<unit>[^\]]+)\]\s*(?P<text>.*)$")
_SWEPT = re.compile(r"(?m)^\* swept: (?P<text>.+)$")
_CARD = re.compile(r"^\.(\w+)")
_ALLOWED = frozenset(
    "model subckt ends param params func global if elseif else endif option options opt temp ic nodeset title width "
    "tran dc ac op noise tf pz sens disto four sp save print plot probe meas measure end csparam".split()
)
_READ_VOLTAGE = re.compile(r"(?m)^\*   (?:\w+\.)*v_read = (?P<value>\d+(?:\.\d+)?(?:e[-+]?\d+)?) V\b")
_NESTED = frozenset("include incl inc lib endl".split())
_DROPPED = frozenset(("backanno", "end"))  # LTspice writes the first into every deck; `.end` of a nested file ends that
_ANALYSIS = re.compile(r"(?im)^\.(?P<kind>tran|dc|ac|op|noise|tf|pz|sens|disto|sp)\b[ \t]*(?P<words>.*)$")
_CONTROL = re.compile(r"(?im)^[ \t]*\.control\b")
_END = re.compile(r"(?im)^\.end\s*$")
_MICRO = str.maketrans({"\N{MICRO SIGN}": "u", "\N{GREEK SMALL LETTER MU}": "u"})
_PLACE = re.compile(r"^\* file (?P<file>.+?)(?:, line (?P<number>\d+))?$")
_PLACE_ENDS = "* end of file"
_WAIVED = re.compile(r"(?m)^\* waived: (?P<text>.+)$")
_BEHAVIOUR = re.compile(r"(?m)^\* behaviour: (?P<name>\w+)$")
_KEPT = 4  # decks whose facts are kept: each is asked for several times in a run
BEHAVIOURS = {"ltspice": "ltpsa", "pspice": "psa", "hspice": "hsa"}
"""Whose syntax a deck may be written in, and ngspice's word for it: `a` is for the whole deck; LTspice's own mode lacks
`if()`, which is in that of PSpice."""


@dataclass(frozen=True)
class Label:
    """What the header of a kit's deck says of one output or measure; `vector` is an output's word in ngspice."""

    name: str
    unit: str
    description: str
    vector: str = ""


@dataclass(frozen=True)
class Analysis:
    """One analysis of a deck: its kind (`tran`), and the words after it."""

    kind: str
    words: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class DeckOptions:
    """How a deck is taken.

    Attributes
    ----------
    behaviour : str
        Whose syntax it is written in, a key of `BEHAVIOURS`; empty: ngspice's own.
    trust_control : bool
        Its `.control` sections are kept: they can run any program.
    waive : tuple of str
        Parts of the messages of warnings and faults that are accepted.
    osdi : tuple of str
        Files of the compact models that its `N` lines use.
    """

    behaviour: str = ""
    trust_control: bool = False
    waive: tuple[str, ...] = ()
    osdi: tuple[str, ...] = ()


def read_deck(path: Path, options: DeckOptions | None = None) -> str:
    """Return the text of a deck file with its nested files in place, ready for a run in any folder.

    Comments of the deck itself stay: its header names outputs and measures.

    Raises
    ------
    InputError
        When the file or a nested one is not there, it holds no analysis, a line that steers ngspice itself
        (`.control`, `*#`), opens a file or runs a program, or one that ngspice would pass over without a word.
    """
    options = options or DeckOptions()
    if not path.is_file():
        reason = "not a file" if path.exists() else "no such file"
        raise InputError(
            f"{path}: cannot be read as a deck ({reason}). Pass the path of a SPICE deck.{file_meant(path)}"
        )
    title, *lines = model_text.read_text(path).split("\n")
    if title.lstrip().startswith("*#"):
        raise InputError(f"{path}, line 1: `*#` runs a command in ngspice. Remove the line.")
    flat = _Flat(path.resolve(), options.trust_control)
    flat.add([line.translate(_MICRO) for line in lines])
    text = "\n".join([_title(title), *flat.text])
    if not (_ANALYSIS.search(text) or has_control(text)):
        raise InputError(f"{path}: holds no analysis. Add a line such as `.tran 1n 1u` or `.op`.")
    deck_faults.check(flat.cards, options.waive)
    compact = next((line for line in flat.cards if line.text[0] in "nN"), None)
    if compact is not None and not (options.osdi or options.trust_control):
        raise InputError(
            f"{compact.where}: `{compact.text[:40]}` is of a compact model, to be loaded. Pass its compiled file "
            "or its Verilog-A text: `--osdi FILE`."
        )
    return with_notes(f"{text.rstrip()}\n.end\n", options)


def _title(title: str) -> str:
    """Return a deck's first line as one that ngspice takes for nothing else: it obeys a title that is a card."""
    shown = "".join(mark if mark.isprintable() else "?" for mark in title).strip() or "deck"
    return f"* {shown}" if shown.startswith(".") else shown


class _Flat:
    """A deck as it is flattened: `text`, the lines after its title, and `cards`, those that say something."""

    def __init__(self, file: Path, trust_control: bool) -> None:
        self.text: list[str] = []
        self.cards: list[Line] = []
        self._file, self._trusted = file, trust_control
        self._next = ("", 0)  # file and number of the line that needs no comment on where it stood

    def add(self, lines: list[str]) -> None:
        """Add the lines of the deck's own file up to its `.end`, numbered from 2."""
        sections = _control_lines(lines) if self._trusted else {}
        apart = ["" if number in sections else line for number, line in enumerate(lines)]
        cards = {line.number: line for line in model_text.joined_lines(self._file, apart, first=2)}
        for number, raw in enumerate(lines, start=2):
            line = cards.get(number)
            if number - 2 in sections:
                self._append(self._file, number, raw.strip())
            elif line is None:
                self._append(self._file, number, _comment(raw))
            elif re.match(r"(?i)^\.end$", line.text):
                return
            else:
                self._card(line)

    def _card(self, line: Line) -> None:
        nested = model_text.nested_file(line, Path(line.file), self._file.parent) if line.text.startswith(".") else None
        if nested is None:
            checked = _checked(line, self._file.parent)
            self.cards += [checked] if checked is not None else []
            self._append(Path(line.file), line.number, checked.text if checked is not None else "")
            return
        for each in model_text.flattened(*nested, root=self._file.parent).lines:
            checked = _checked(each, self._file.parent)
            if checked is not None:
                self.cards.append(checked)
                self._append(Path(each.file), each.number, model_text.wrapped(checked.text))

    def _append(self, file: Path, number: int, text: str) -> None:
        if (file.name, number) != self._next:
            self.text.append(f"* file {_printable(file.name)}, line {number}")
        self.text.append(text)
        self._next = (file.name, number + 1) if "\n" not in text else ("", 0)


def _comment(raw: str) -> str:
    """Return a comment as one line, whatever characters it holds; nothing for the continuation of a card."""
    return _printable(raw) if raw.lstrip().startswith("*") else ""


def _printable(text: str) -> str:
    return "".join(mark if mark.isprintable() else "?" for mark in text.replace("\t", " "))


def _control_lines(lines: list[str]) -> dict[int, str]:
    """Return the lines of `.control` sections by their index."""
    found: dict[int, str] = {}
    inside = False
    for index, line in enumerate(lines):
        word = (line.split(None, 1) or [""])[0].lower()
        inside = inside or word == ".control"
        if inside:
            found[index] = line
        inside = inside and word != ".endc"
    return found


def _checked(line: Line, folder: Path) -> Line | None:
    """Return a line of a deck as ngspice gets it, None where it does nothing.

    Raises `InputError` where it does more than describe a circuit and its analysis.
    """
    model_text.check_characters(waveform_files.without_paths(line))
    card = _CARD.match(line.text)
    name = card[1].lower() if card else ""
    if name in ("control", "endc"):
        raise InputError(
            f"{line.where}: a .control section steers ngspice itself, and can run any program. Remove it: the kit runs "
            "the deck's analyses. Or, in a deck that you trust, pass `--trust-control`."
        )
    if name in _DROPPED:
        return None
    if card and name not in _ALLOWED and name not in _NESTED:
        raise InputError(f"{line.where}: `.{name}` has no place in a deck. Remove the line.")
    taken = waveform_files.taken(line, name, folder)
    if taken is None:
        model_text.check_files(line, name)
    return taken or line


def with_notes(deck: str, options: DeckOptions) -> str:
    """Return a deck with comments, before its end, that say what is waived and whose syntax it is written in.

    Raises `InputError` for a waiver that is not one line of printable characters.
    """
    for text in options.waive:
        if not (text.strip() and text.isprintable()):
            raise InputError(f"`waive` must be part of a message, one line; got {text!r}. Fix it.")
    notes = [f"* waived: {text.strip()}" for text in options.waive]
    notes += [f"* behaviour: {options.behaviour}"] if options.behaviour else []
    if options.osdi:
        deck = model_text.spaced_models(deck)
        notes += [verilog_a.note(verilog_a.compact_model(path)) for path in options.osdi]
    return _END.sub("\n".join([*notes, ".end"]).replace("\\", r"\\"), deck) if notes else deck


@lru_cache(maxsize=_KEPT)
def waived(deck: str) -> tuple[str, ...]:
    """Return what a deck says that is accepted of ngspice's warnings."""
    return tuple(match["text"] for match in _WAIVED.finditer(deck)) if "* waived: " in deck else ()


def behaviour(deck: str) -> str:
    """Return ngspice's word for the syntax that a deck says it is written in; empty: its own."""
    match = _BEHAVIOUR.search(deck) if "* behaviour: " in deck else None
    return BEHAVIOURS.get(match["name"], "") if match else ""


@lru_cache(maxsize=_KEPT)
def has_control(deck: str) -> bool:
    """Return whether a deck has a `.control` section."""
    return _CONTROL.search(deck) is not None


@lru_cache(maxsize=_KEPT)
def analyses(deck: str) -> tuple[Analysis, ...]:
    """Return the analyses of a deck, in its order."""
    joined = re.sub(r"\n\+", " ", deck)
    return tuple(Analysis(match["kind"].lower(), tuple(match["words"].split())) for match in _ANALYSIS.finditer(joined))


@lru_cache(maxsize=_KEPT)
def measured_names(deck: str) -> Mapping[str, str]:
    """Return the kind of analysis of each `.meas` line by its name, both in lower case."""
    found = re.findall(r"(?im)^\.meas(?:ure)?[ \t]+(\w+)[ \t]+(\S+)", deck)
    return {str(name).lower(): "tran" if kind.lower() == "transient" else str(kind).lower() for kind, name in found}


def place(deck: str, number: int) -> str:
    """Return where line `number` of a deck, as ngspice counts (from 1, without empty lines), stood: file and line."""
    lines = deck.split("\n")
    kept = [index for index, line in enumerate(lines) if line]
    if not 1 <= number <= len(kept):
        return f"line {number} of the deck"
    at = kept[number - 1]
    for back in range(at, -1, -1):
        match = _PLACE.match(lines[back])
        if match is not None:
            return f"{match['file']}, line {int(match['number']) + at - back - 1}" if match["number"] else match["file"]
        if lines[back] == _PLACE_ENDS:
            break
    return f"line {at + 1} of the deck"


def card(deck: str, number: int) -> str:
    """Return the text of line `number` of a deck, as ngspice counts; empty: it has none."""
    kept = [line for line in deck.split("\n") if line]
    return kept[number - 1] if 1 <= number <= len(kept) else ""


@lru_cache(maxsize=_KEPT)
def output_labels(deck: str) -> Mapping[str, Label]:
    """Return what the header says of each output, by its name."""
    matches = (_OUTPUT.match(line) for line in deck.splitlines())
    return {m["name"].lower(): Label(m["name"], m["unit"], m["text"], m["vector"].lower()) for m in matches if m}


def swept(deck: str) -> str:
    """Return what the header says that a sweep runs through, with its unit; nothing where it says nothing."""
    match = _SWEPT.search(deck)
    return match["text"] if match else ""


def read_voltage(deck: str) -> float | None:
    """Return the voltage (V) at which a kit's deck reads its cell, as the header says; None where it says none."""
    found = {float(match["value"]) for match in _READ_VOLTAGE.finditer(deck)}
    return found.pop() if len(found) == 1 else None


def in_header_order(outputs: Iterable[str], labels: Mapping[str, Label]) -> list[str]:
    """Return outputs in the order of the header, then vectors that it does not name."""
    present = list(outputs)
    return [name for name in labels if name in present] + [name for name in present if name not in labels]


def measure_labels(deck: str) -> dict[str, Label]:
    """Return what the header says of each measure, by name."""
    matches = (_MEASURE.match(line) for line in deck.splitlines())
    return {match["name"].lower(): Label(match["name"], match["unit"], match["text"]) for match in matches if match}
