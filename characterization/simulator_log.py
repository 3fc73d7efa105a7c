"""The log of one ngspice run: what ended it, what it warns of and where, and what its `.meas` lines gave.

ngspice spreads one message over several lines, names the line of the deck by its number, and says most of what it
leaves out (a parameter that it does not know, a second definition) in words that look like any other note. Here each
message becomes one `Message` with its place; those after which the numbers are not those of the deck as written are
marked (`changes`).
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rramkit.characterization.deck_file import card, place, waived

_PARSE = re.compile(
    r"circuit not parsed|unknown subckt|could not find a valid modelname|unable to find definition of model"
    r"|unknown parameter|undefined parameter|expression err|syntax error|unimplemented (?:control|dot command)"
    r"|no such device|error on line|incomplete or empty netlist|mif-error|there aren't any circuits loaded"
    r"|no circuit loaded|too few parameters|unknown device type|could not find include|no such function"
    r"|cannot open file|device already exists",
    re.IGNORECASE,
)
# Only what ends a run: a failed gmin or source stepping is a note when the next method succeeds.
_CONVERGENCE = re.compile(
    r"timestep too small|doanalyses:|simulation\(s\) aborted|transient op failed|simulation interrupted", re.IGNORECASE
)
_SINGULAR = re.compile(r"singular matrix:\s+check node (?P<node>\S+)", re.IGNORECASE)
_ERROR = re.compile(r"^\s*(fatal )?error\b|^\s*fatal\b", re.IGNORECASE)
_ON_LINE = re.compile(r"^\s*(?:Error on line|Warning: Model issue on line) +(?P<number>\d+)", re.IGNORECASE)
_AT_LINE = re.compile(r"\bat line (\d+)", re.IGNORECASE)
_IN_NETLIST = re.compile(r"^\s*Error in netlist line no\. (?P<number>\d+)", re.IGNORECASE)
_WARNING = re.compile(r"^(?:instance: (?P<name>\S+)\s+message: |[\s*]*warning\b)[\s:,*-]*(?P<text>.*)$", re.IGNORECASE)
# What changes nothing: a way to the operating point that the next one replaced, and a third oxide thickness of BSIM4,
# which is read only where one of the other two is missing (PTM's cards have all three, apart by their rounding).
_HARMLESS = re.compile(r"(?:gmin|source) stepping failed|dtox ignored", re.IGNORECASE)
_IGNORED = re.compile(r"unrecogni[sz]ed parameter|(?:[-,]|will be|is) ignored\b|^ignored!", re.IGNORECASE)
_TITLE = re.compile(r"^\s*circuit:", re.IGNORECASE)
_CHANGES = re.compile(
    r"ignor|unrecogni[sz]ed|redefin|non-existent|non-increasing|can't find model|can't set|not supported|unsupported"
    r"|skipped|disabled|overwriting|some error",
    re.IGNORECASE,
)
_MEASURE = re.compile(r"^\s*([a-z_]\S*)\s*=\s*([-+]?\d[\d.]*(?:e[-+]?\d+)?)", re.IGNORECASE)
_MEASURED = re.compile(r"^\s*Measurements for (?P<kind>\w+)", re.IGNORECASE)
_NOT_MEASURED = re.compile(r"^\s*\.?meas(?:ure)?\s+\w+\s+(?P<name>\S+).*failed!\s*$", re.IGNORECASE)
_KINDS = {"transient": "tran"}
# "Setting ..." follows a warning, "Please check line ..." names where; both belong to the line before.
_FOLLOWS = re.compile(r"^\s*(?:Setting |Please check line |from line)", re.IGNORECASE)
_SHOWN_CARD = re.compile(r"`[^`]*`")
_SHOWN = 100  # characters of a card in a message


@dataclass(frozen=True)
class Message:
    """One warning.

    Attributes
    ----------
    text : str
        What ngspice says, with the line that it speaks of.
    changes : bool
        Whether the numbers are not those of the deck as written: something in it was ignored or replaced.
    """

    text: str
    changes: bool = False


_OTHER_SYNTAX = " (another simulator's syntax? Pass `--behaviour` with a deck, write a library in ngspice's own)"


def fatal(log: Sequence[str], deck: str) -> tuple[str, str] | None:
    """Return the reason (`parse` or `convergence`) and the message of what ended a run; None: nothing did."""
    for reason, pattern in (("parse", _PARSE), ("convergence", _CONVERGENCE)):
        for index, line in enumerate(log):
            if pattern.search(line):
                text = _at_its_line(log, index, deck)
                return reason, text if reason == "parse" else f"{text}{_singular(log)}"
    return None


def error(log: Iterable[str]) -> str | None:
    """Return the first line that says error and does not speak of a measure."""
    return next((line.strip() for line in log if _ERROR.search(line) and "meas" not in line.lower()), None)


def _at_its_line(log: Sequence[str], index: int, deck: str) -> str:
    """Return a message of several lines (line number, card, what is wrong) as one."""
    line = log[index].strip()
    at, netlist = _ON_LINE.match(line), _IN_NETLIST.match(log[index - 1]) if index else None
    if at is not None and index + 2 < len(log):
        return f"{_where(deck, at['number'], log[index + 1])}: {log[index + 2].strip()}"
    if netlist is not None:
        return f"{place(deck, int(netlist['number']))}: {line}"
    cure = _OTHER_SYNTAX if "no such function" in line.lower() else ""
    if _AT_LINE.search(line):
        return _AT_LINE.sub(lambda match: f"at {_where(deck, match[1], card(deck, int(match[1])))}", line) + cure
    return _before(line, deck) + line + cure


def _before(line: str, deck: str) -> str:
    """Return file and line of the one card that a message repeats, as ngspice writes it: lower case, single spaces."""
    said, places = " ".join(line.lower().split()), list[int]()
    for number, text in enumerate((each for each in deck.split("\n") if each), 1):
        words = text.lower().split()
        if number > 1 and len(words) > 1 and not text.startswith("*") and said.endswith(" ".join(words)):
            places.append(number)
    return f"{place(deck, places[0])}: " if len(places) == 1 else ""


def _singular(log: Iterable[str]) -> str:
    """Return what ngspice says of a matrix without solution before a run that did not converge; empty: nothing."""
    nodes = dict.fromkeys(match["node"] for line in log if (match := _SINGULAR.search(line)))
    return f" (singular matrix: check node {', '.join(nodes)})" if nodes else ""


def _where(deck: str, number: str, card: str) -> str:
    card = card.strip().removesuffix("...").strip()
    return f"{place(deck, int(number))}, `{card[:_SHOWN]}{'...' if len(card) > _SHOWN else ''}`"


def warnings(log: Sequence[str], deck: str) -> tuple[Message, ...]:
    """Return what ngspice warns of, each once, in the order of the log, without what the deck waives.

    A waiver is a part of a message without the card that it shows: one that names a parameter is of that alone.
    """
    accepted = [text.lower() for text in waived(deck)]
    said = {text: _SHOWN_CARD.sub("", text).lower() for text in _warnings(log, deck)}
    texts = [text for text, words in said.items() if not any(each in words for each in accepted)]
    return tuple(Message(text, _CHANGES.search(text) is not None) for text in texts)


def _warnings(log: Sequence[str], deck: str) -> Iterator[str]:
    index = 0
    while index < len(log):
        line, index = log[index].strip(), index + 1
        at, warning = _ON_LINE.match(line), _WARNING.match(line)
        if at is not None and warning is not None:
            where = _where(deck, at["number"], log[index] if index < len(log) else "")
            index += 1
            while index < len(log) and _IGNORED.search(log[index]):
                yield f"{where}: {log[index].strip()}"
                index += 1
        elif warning is not None and not _HARMLESS.search(line):
            parts = [f"{warning['name'] or ''} {warning['text']}".strip()]
            ends = parts[0].endswith("line")  # the line that it speaks of follows
            while index < len(log) and (ends or _FOLLOWS.match(log[index]) or log[index].strip() == "ignored!"):
                parts.append(f"`{log[index].strip()}`" if ends else log[index].strip())
                ends, index = False, index + 1
            yield " ".join(parts)
        elif _IGNORED.search(line) and not _PARSE.search(line) and not _TITLE.match(line):
            yield line


def measures(log: Sequence[str], names: Iterable[str]) -> dict[str, dict[str, float]]:
    """Return the values of `.meas` lines by kind of analysis (`tran`, `ac`, `dc`) and name, in lower case."""
    wanted, kind = set(names), ""
    values: dict[str, dict[str, float]] = {}
    for line in log:
        header, match = _MEASURED.match(line), _MEASURE.match(line)
        if header is not None:
            word = header["kind"].lower()
            kind = _KINDS.get(word, word)
        elif kind and match is not None and match[1].lower() in wanted:
            values.setdefault(kind, {})[match[1].lower()] = float(match[2])
    return values


def why_not_measured(log: Sequence[str]) -> dict[str, str]:
    """Return why each `.meas` line failed, by its name in lower case, as far as ngspice says."""
    reasons: dict[str, str] = {}
    for before, line in zip(["", *log], log, strict=False):
        match = _NOT_MEASURED.match(line)
        if match is not None:
            told = before.strip()
            reasons[match["name"].lower()] = "" if _MEASURED.match(told) or _NOT_MEASURED.match(told) else told
    return reasons
