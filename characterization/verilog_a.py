"""The text of a Verilog-A model, read for what makes such models wrong in silence: by line, with what to write instead.

A foreign file may compile without a warning and run without an error while its state never moves: a state that lives in
a variable of the module, carried from one evaluation to the next, is not the simulator's to integrate. Nothing is
compiled here. The rules go by the words of the text, so a model that passes may still be wrong: its physical test is
that of the subcircuit it becomes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rramkit.circuits.model_text import read_text


@dataclass(frozen=True)
class Complaint:
    """One place of a model's text: line (from 1), what stands there, what it does, and what to write instead."""

    line: int
    found: str
    cure: str


_RULES: tuple[tuple[str, str], ...] = (
    (r"\$abstime|\$realtime", "the state follows the simulator's clock: write its rate as a current into a capacitor"),
    (
        r"\$(?:random|arandom|rdist_\w+|dist_\w+)",
        "each run has other numbers: take it out; the kit draws spread itself",
    ),
    (
        r"\bidt(?:mod)?\s*\([^,()]*(?:\([^()]*\)[^,()]*)*\)",
        "an integral without a start value: give it as second argument",
    ),
    (r"\b(?:absdelay|last_crossing|transition|slew)\s*\(", "it keeps a past of its own, which no deck can set"),
    (r"@\s*\(\s*(?:timer|cross|above)\b", "an event of the simulator changes the state: write its rate instead"),
    (r"@\s*\(\s*initial_instance\b", "not in the language any more: write `@(initial_step)`"),
    (r"\b(?:real|integer)\b[^;]*\btime\b", "`time` is a word of simulators: rename the variable"),
)
_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_DECLARED = re.compile(r"(?m)^\s*(?:\(\*.*?\*\)\s*)?(?:real|integer)\s+([^;]+);")
_INITIAL = re.compile(r"@\s*\(\s*initial_(?:step|instance)[^)]*(?:\([^)]*\))?[^)]*\)")
_ASSIGNED = re.compile(r"\b([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)?=(?!=)([^;]*);")
_WORD = re.compile(r"[A-Za-z_]\w*")


def complaints(path: Path) -> list[Complaint]:
    """Return what speaks against a Verilog-A file, by line.

    Raises
    ------
    InputError
        When the file cannot be read.
    """
    text = _COMMENT.sub(_blank, read_text(path))
    found = [
        Complaint(_line(text, match.start()), f"`{' '.join(match[0].split())}`", cure)
        for rule, cure in _RULES
        for match in re.finditer(rule, text)
    ]
    return sorted([*found, *_bound_step(text), *_kept(text)], key=lambda complaint: complaint.line)


def _bound_step(text: str) -> Iterator[Complaint]:
    """Yield a complaint on a bound of the time step where nothing is integrated by the simulator."""
    bound = re.search(r"\$bound_step", text)
    if bound is not None and not re.search(r"\b(?:ddt|idt)\s*\(", text):
        yield Complaint(
            _line(text, bound.start()),
            "`$bound_step` and no `ddt`",
            "the model steps by itself: write its rate with ddt",
        )


def _kept(text: str) -> Iterator[Complaint]:
    """Yield the variables of a module that are read before they are assigned: they carry a value from step to step."""
    for module in re.finditer(r"\bmodule\b.*?\bendmodule\b", text, re.DOTALL):
        opened = re.search(r"\banalog\b(?!\s+function)", module[0])
        if opened is None:
            continue
        names = {
            name
            for part in _DECLARED.findall(module[0])
            for name in _WORD.findall(re.sub(r"=[^,]*|\[[^\]]*\]", "", part))
        }
        start = module.start() + opened.end()
        yield from _read_first(text, names, start, module.end())


def _read_first(text: str, names: set[str], start: int, end: int) -> Iterator[Complaint]:
    """Yield each name of `names` that is read between two places before it is assigned there."""
    body = _without_initial(text[start:end])
    assigned, told, at = set[str](), set[str](), 0
    for match in [*_ASSIGNED.finditer(body), None]:
        stop = len(body) if match is None else match.start()
        reads = [(body[at:stop], at)] + ([] if match is None else [(match[2], match.start(2))])
        for part, offset in reads:
            for word in _WORD.finditer(part):
                name = word[0]
                if name in names - assigned - told:
                    told.add(name)
                    yield Complaint(
                        _line(text, start + offset + word.start()),
                        f"`{name}` is read before it is assigned",
                        "it keeps its value from one evaluation to the next, tried steps included: make it a node, "
                        "its rate a current into a capacitor (`I(s) <+ ddt(V(s)) - rate`)",
                    )
        if match is not None:
            assigned.add(match[1])
            at = match.end()


def _without_initial(body: str) -> str:
    """Return the text with what runs at the first step alone blanked: it assigns once, not at each evaluation."""
    for match in reversed(list(_INITIAL.finditer(body))):
        rest = body[match.end() :]
        block = re.match(r"\s*begin\b.*?\bend\b", rest, re.DOTALL) or re.match(r"[^;]*;", rest)
        if block is not None:
            end = match.end() + block.end()
            body = body[: match.start()] + _blanked(body[match.start() : end]) + body[end:]
    return body


def _blank(match: re.Match[str]) -> str:
    return _blanked(match[0])


def _blanked(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def _line(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
