"""The text of a Verilog-A model, read for what makes such models wrong in silence: by line, with what to write instead.

A foreign file may compile without a warning and run without an error while its state never moves: a state that lives in
a variable of the module, carried from one evaluation to the next, is not the simulator's to integrate. Nothing is
compiled here. The rules go by the words of the text, so a model that passes may still be wrong: its physical test is
that of the subcircuit it becomes.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rramkit.circuits.verilog_a.source import Source

_SHOWN = 5  # kinds of complaints in one message


@dataclass(frozen=True)
class Complaint:
    """One place of a model's text: file and line, what stands there, what it does, and what to write instead."""

    where: str
    found: str
    cure: str
    offset: int = 0

    def __str__(self) -> str:
        return f"{self.where}: {self.found}: {self.cure}"


_ANY: tuple[tuple[str, str], ...] = (
    (
        r"\$(?:random|arandom|urandom|rdist_\w+|dist_\w+)",
        "each run has other numbers; take it out: the kit draws spread itself",
    ),
    (
        r"\$(?:f(?:open|close|write|display|strobe|monitor|gets|scanf|read|flush|error)\w*|system|readmem\w+|table_model"
        r"|sdf_annotate|dump\w+)\b",
        "a model must not read or write files, or run programs; take it out",
    ),
)
_OLD: tuple[tuple[str, str], ...] = (  # what the compiler refuses too, in words that help less
    (r"@\s*\(\s*initial_instance\b", "not in the language any more: write `@(initial_step)`"),
    (
        r"\b(?:real|integer|string|electrical|parameter)\b[^;]*\btime\b",
        "`time` is a word of the language: rename the variable",
    ),
    (
        r"[\w)\]]\s*\(\*(?!\))",
        'an attribute stands before what it describes: `(* desc="..." *) parameter real k = 1;`',
    ),
    (
        r"\(\*[^*]*\"\s*\w+\s*=[^*]*\*\)",
        'attributes are separated by commas now: `(* desc="...", units="..." *)`',
    ),
)
_DEVICE: tuple[tuple[str, str], ...] = (
    (
        r"\$abstime|\$realtime",
        "the state follows the simulator's clock; write its rate as a current into a capacitor: "
        "`I(s) <+ ddt(V(s)) - rate`",
    ),
    (
        r"\b(?:idt|idtmod)\s*\(",
        "an integral keeps a state that no deck can set; make it a pin, its rate a current into a capacitor: "
        "`I(s) <+ ddt(V(s)) - rate`",
    ),
    (
        r"\b(?:absdelay|last_crossing|transition|slew|laplace_\w+|zi_\w+)\s*\(",
        "it keeps a past of its own, which no deck can set; take it out",
    ),
    (
        r"@\s*\(\s*(?:timer|cross|above|final_step)\b",
        "an event of the simulator changes the state; write its rate instead",
    ),
)
_KEPT = (
    "it keeps its value from one evaluation to the next, tried steps included: a hidden state. Make it a pin, its rate "
    "a current into a capacitor: `I(s) <+ ddt(V(s)) - rate`"
)
_DECLARED = re.compile(r"(?m)(?:^|(?<=;)|(?<=\*\)))\s*(?:real|integer)\s+([^;]+);")
_INITIAL = re.compile(r"@\s*\(\s*initial_(?:step|instance)[^)]*(?:\([^)]*\))?[^)]*\)")
_ASSIGNED = re.compile(r"\b([A-Za-z_]\w*)\s*(?:\[[^\]]*\]\s*)?=(?!=)([^;]*);")
_WORD = re.compile(r"(?<![\w.$`])[A-Za-z_]\w*")
_FUNCTION = re.compile(r"\banalog\s+function\b.*?\bendfunction\b", re.DOTALL)
_DEFINE = re.compile(r"`define\s+(\w+)((?:[^\n\\]|\\[^\n]|\\\n)*)")
_MACRO = re.compile(r"`(\w+)")
_STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
_DIRECTIVES = frozenset(
    "include define undef ifdef ifndef else elsif endif default_discipline default_transition default_nodetype "
    "resetall timescale begin_keywords end_keywords line celldefine endcelldefine pragma nounconnected_drive "
    "unconnected_drive "
    "__VAMS_ENABLE__ __VAMS_COMPACT_MODELING__ __FILE__ __LINE__".split()
)


def complaints(source: Source) -> list[Complaint]:
    """Return what speaks against a ReRAM device's Verilog-A text, by line."""
    text = _STRING.sub(_blank_string, source.text)
    found = [*_by_words(source, text, _DEVICE), *_bound_step(source, text), *_kept(source, text)]
    return sorted([*of_any_model(source), *found], key=lambda complaint: complaint.offset)


def of_any_model(source: Source) -> list[Complaint]:
    """Return what speaks against any compact model's text, by line."""
    text = _STRING.sub(_blank_string, source.text)
    written = _DEFINE.sub(_blank, text)  # a macro's own text may never be used
    found = [*_by_words(source, text, _ANY), *_by_words(source, written, _OLD), *_undefined(source, text)]
    found += _old_attributes(source, text, written)
    return sorted(found, key=lambda complaint: complaint.offset)


def in_one_line(found: Sequence[Complaint]) -> str:
    """Return complaints as one line, each of a kind once."""
    kinds: dict[tuple[str, str], list[Complaint]] = {}
    for each in found:
        kinds.setdefault((each.found, each.cure), []).append(each)
    shown = [f"{same[0]}{f' (and {len(same) - 1} more lines)' if len(same) > 1 else ''}" for same in kinds.values()]
    more = f" ({len(shown) - _SHOWN} more after these)" if len(shown) > _SHOWN else ""
    return "; ".join(shown[:_SHOWN]) + more


def _by_words(source: Source, text: str, rules: Sequence[tuple[str, str]]) -> Iterator[Complaint]:
    for rule, cure in rules:
        for match in re.finditer(rule, text):
            said = " ".join(match[0].split())
            shown = said if len(said) <= 60 else f"{said[:57]}..."
            yield Complaint(source.at(match.start()), f"`{shown.rstrip('( ')}`", cure, match.start())


def _old_attributes(source: Source, text: str, written: str) -> Iterator[Complaint]:
    """Yield macros that stand for an attribute, `define attr(txt) (*txt*), where they follow what they describe."""
    for define in _DEFINE.finditer(text):
        if not re.search(r"\(\*[^;]*\*\)\s*$", define[2]):  # the attribute alone, no declaration after it
            continue
        for match in re.finditer(rf"[\w)\]]\s*(`{define[1]}\b)", written):
            yield Complaint(
                source.at(match.start(1)),
                f"the attribute `{match[1]}`",
                "an attribute stands before what it describes, its parts separated by commas; take it out",
                match.start(1),
            )


def _undefined(source: Source, text: str) -> Iterator[Complaint]:
    """Yield the macros that no file defines, such as the attributes of old compilers; not those under a condition."""
    defined = {match[1] for match in _DEFINE.finditer(text)} | _DIRECTIVES
    told, depth = set[str](), 0
    for match in _MACRO.finditer(text):
        name = match[1]
        depth += name.startswith("if")
        depth -= name == "endif"
        if depth:
            continue
        if name not in defined | told and not name.startswith(("M_", "P_")):  # those of constants.vams
            told.add(name)
            yield Complaint(
                source.at(match.start()),
                f"the macro ``{name}` is defined in no file",
                "an attribute of an old compiler? Take it out, or include the file that defines it",
                match.start(),
            )


def _bound_step(source: Source, text: str) -> Iterator[Complaint]:
    """Yield a complaint on a bound of the time step where nothing is integrated by the simulator."""
    bound = re.search(r"\$bound_step", text)
    if bound is not None and not re.search(r"\bddt\s*\(", text):
        yield Complaint(
            source.at(bound.start()),
            "`$bound_step` and no `ddt`",
            "the model integrates by itself, step by step; write its rate with ddt: `I(s) <+ ddt(V(s)) - rate`",
            bound.start(),
        )


def _kept(source: Source, text: str) -> Iterator[Complaint]:
    """Yield the variables of a module that are read before they are assigned: they carry a value from step to step."""
    by_macro = {word for match in _DEFINE.finditer(text) for word in _WORD.findall(match[2])}
    text = _FUNCTION.sub(_blank, _DEFINE.sub(_blank, text))
    for module in re.finditer(r"\bmodule\b.*?\bendmodule\b", text, re.DOTALL):
        opened = re.search(r"\banalog\b", module[0])
        if opened is None:
            continue
        declared = _DECLARED.findall(module[0])
        names = {name for part in declared for name in _WORD.findall(re.sub(r"=[^,]*|\[[^\]]*\]", "", part))}
        start = module.start() + opened.end()
        body, initial = _apart(text[start : module.end()])
        steady = {match[1] for match in _ASSIGNED.finditer(body)}
        constant = {match[1] for match in _ASSIGNED.finditer(initial)} - steady
        constant |= {name for part in declared for name in re.findall(r"(\w+)\s*=", part)} - steady
        yield from _read_first(source, body, names - constant - by_macro - {"analog"}, start)


def _read_first(source: Source, body: str, names: set[str], start: int) -> Iterator[Complaint]:
    """Yield each name of `names` that is read before it is assigned."""
    assigned, told, at = set[str](), set[str](), 0
    for match in [*_ASSIGNED.finditer(body), None]:
        stop = len(body) if match is None else match.start()
        reads = [(body[at:stop], at)] + ([] if match is None else [(match[2], match.start(2))])
        for part, offset in reads:
            for word in _WORD.finditer(part):
                name = word[0]
                if name in names - assigned - told:
                    told.add(name)
                    place = start + offset + word.start()
                    yield Complaint(source.at(place), f"`{name}` is read before it is assigned", _KEPT, place)
        if match is not None:
            assigned.add(match[1])
            at = match.end()


def _apart(body: str) -> tuple[str, str]:
    """Return a text without what runs at the first step alone, and that."""
    initial = ""
    for match in reversed(list(_INITIAL.finditer(body))):
        rest = body[match.end() :]
        length = _block_length(rest)
        initial += rest[:length]
        end = match.end() + length
        body = body[: match.start()] + re.sub(r"[^\n]", " ", body[match.start() : end]) + body[end:]
    return body, initial


def _block_length(text: str) -> int:
    """Return where the statement at the start of a text ends: at its `;`, or at the `end` of its `begin`."""
    if not re.match(r"\s*begin\b", text):
        return text.find(";") + 1
    depth = 0
    for match in re.finditer(r"\b(?:begin|end)\b", text):
        depth += 1 if match[0] == "begin" else -1
        if depth == 0:
            return match.end()
    return len(text)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match[0])


def _blank_string(match: re.Match[str]) -> str:
    return f'"{" " * (len(match[0]) - 2)}"'
