"""Definitions of a library: its parts, what each defines, and which of them a circuit needs."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from rramkit.circuits.model_text.line import Line
from rramkit.circuits.parameter_cards import assigned
from rramkit.errors import InputError

_WORD = re.compile(r"[\w.]+")
_BETWEEN = re.compile(r"[\s=,(){}'\"]+")


def words_of(text: str) -> set[str]:
    """Return the words of a card or a circuit in lower case: what may be the name of a model or parameter."""
    low = text.lower()
    return {*_WORD.findall(low), *_BETWEEN.split(low)}


class Definitions:
    """A library taken apart: what each of its parts defines, and what each uses of the others."""

    def __init__(self, lines: tuple[Line, ...]) -> None:
        self._lines = lines
        self._blocks = blocks(lines)
        self._whole = any(block[0].text.lower().startswith(".if") for _, block in self._blocks)
        self._by_name: dict[str, list[int]] = {}
        for index, (names, _) in enumerate(self._blocks):
            for name in names:
                self._by_name.setdefault(name, []).append(index)
        self._always = {index for index, (names, _) in enumerate(self._blocks) if not names}
        self._words: dict[int, set[str]] = {}

    def roots(self, names: Iterable[str]) -> frozenset[str]:
        """Return those of `names` (lower case) that the library defines."""
        return frozenset(name for name in names if name in self._by_name)

    def needed(self, roots: frozenset[str]) -> tuple[Line, ...]:
        """Return the cards that define `roots` and what they need in turn; all of them where there are conditions."""
        if self._whole:
            return self._lines
        wanted = set(self._always)
        waiting = [*roots, *(word for index in wanted for word in self._uses(index))]
        seen = set(waiting)
        while waiting:
            for index in self._by_name[waiting.pop()]:
                if index not in wanted:
                    wanted.add(index)
                    fresh = self._uses(index) - seen
                    waiting += fresh
                    seen |= fresh
        return tuple(line for block in self._each_once(sorted(wanted)) for line in block)

    def _each_once(self, wanted: Iterable[int]) -> Iterator[list[Line]]:
        """Yield parts; of two equal ones with one name the first. Others of one name: ngspice takes one in silence."""
        first: dict[str, list[Line]] = {}
        for _, block in (self._blocks[index] for index in wanted):
            card, name = [*block[0].text.lower().split(None, 2), ""][:2]
            if card not in (".model", ".subckt"):
                yield block
            elif name not in first:
                first[name] = block
                yield block
            elif _as_read(block) != _as_read(first[name]):
                raise InputError(
                    f"{block[0].where}: `{name}` is defined a second time (first: {first[name][0].where}). Remove one."
                )

    def _uses(self, index: int) -> set[str]:
        """Return the names that a part uses, of those that the library defines."""
        if index not in self._words:
            words = {word for line in self._blocks[index][1] for word in words_of(line.text)}
            self._words[index] = {word for word in words if word in self._by_name}
        return self._words[index]


def _as_read(block: Iterable[Line]) -> list[list[str]]:
    """Return the words of lines as ngspice reads them: in lower case, blanks as one."""
    return [line.text.lower().split() for line in block]


def blocks(lines: Iterable[Line]) -> list[tuple[tuple[str, ...], list[Line]]]:
    """Return the parts of a library with the names (lower case) that each defines.

    A part is a whole subcircuit, one parameter (as ngspice itself splits a `.param` card), else a line.
    """
    blocks: list[tuple[tuple[str, ...], list[Line]]] = []
    depth = 0
    for line in lines:
        words = line.text.split(None, 2)
        card = words[0].lower()
        if depth:
            blocks[-1][1].append(line)
        elif card in (".param", ".params"):
            blocks += [((name,) if name else (), [each]) for name, each in _parameter_lines(line)]
        else:
            blocks.append((_names(card, words), [line]))
        depth += (card == ".subckt") - (card == ".ends")
    return blocks


def _parameter_lines(line: Line) -> Iterator[tuple[str, Line]]:
    """Yield name (lower case) and a `.param` card of its own for each parameter of one card.

    A card that does not begin with a name and `=` comes whole and without a name, so that it is always needed.
    """
    found = assigned(line.text)
    if not found or len(line.text[: found[0][1]].split()) > 1:
        yield "", line
        return
    card = line.text.split(None, 1)[0]
    ends = [start for _, start, _ in found[1:]] + [len(line.text)]
    for (name, start, _), end in zip(found, ends, strict=True):
        yield name, replace(line, text=f"{card} {line.text[start:end].strip()}")


def _names(card: str, words: list[str]) -> tuple[str, ...]:
    """Return what a card defines; nothing for one that is always needed, such as options."""
    if card in (".model", ".subckt") and len(words) > 1:
        name = words[1].lower()
        return tuple({name, re.sub(r"\.\d+$", "", name)})  # bins of one model: `nch.1` too is needed for `nch`
    if card == ".func" and len(words) > 1:
        return (re.split(r"[(\s=]", words[1].lower())[0],)
    return ()
