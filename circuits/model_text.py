"""Model text: a user's library or deck flattened to one text, nested files in place, every card on an allow list.

ngspice looks nested files up by itself, and takes the first of a name that it meets in any folder, also from an earlier
deck of the same process. So the kit resolves all of them here: `.include` (`.incl`, `.inc`) and `.lib FILE SECTION`,
relative to the file that names them, quoted or not, indented, with `~` and `$VAR`, in UTF-8 (with or without its mark)
or Latin-1, any line ends. What is left holds no file name. A section is `.lib NAME` to `.endl`.

A library may hold models, subcircuits, parameters, functions and conditions, and of options only `scale`, `tnom` and
`wnflag`. All else is refused by file and line, whatever file it is nested in: what executes or steers the analysis,
elements outside a subcircuit, code models that open files or run processes, random functions that are switched on.

A nested file must lie in the folder of the file that the user named or below it, or be called like a model file: no
library or deck that somebody sends reads a key, a password or a device.
"""

import hashlib
import itertools
import math
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from rramkit.circuits.parameter_cards import assigned, assignments
from rramkit.circuits.random_functions import check_random
from rramkit.errors import InputError

_DEPTH = 40  # nested files (1): deeper than any process kit
_NESTED_MOST = 20_000  # nested files that one library puts in place: a whole sky130 has under a thousand
_SIZE = 200e6  # bytes of one flattened library: a whole sky130 has 30e6
_CARD_LONGEST = 5_000_000  # characters of one card, its continuations joined: one `.param` of sky130 has 1.2 million
_SUFFIXES = frozenset(  # of model files, where they lie elsewhere than the library that names them
    "lib inc incl include l sp spi spice ngspice hspice cir ckt cdl net netlist mod model models mdl pm sub subckt "
    "scs par param params prm cor corner".split()
)
_SYSTEM = tuple(Path(folder) for folder in ("/proc", "/sys", "/dev", "/run"))
_INCLUDE = re.compile(r"(?i)^\.(?:include|incl|inc)\s+(?P<path>\"[^\"]*\"|'[^']*'|\S+)\s*$")
_LIB = re.compile(r"(?i)^\.lib\s+(?P<path>\"[^\"]*\"|'[^']*'|\S+)(?:\s+(?P<section>[\w.+-]+))?\s*$")
_ENDL = re.compile(r"(?i)^\.endl\b")
_CARD = re.compile(r"^\.(?P<name>\w+)")
_ALLOWED = frozenset("model subckt ends param params func if elseif else endif".split())
_DROPPED = frozenset("protect unprotect prot unprot".split())
_OPTIONS = frozenset(("scale", "tnom", "wnflag"))
_OPTION = re.compile(r"(?i)(\w+)(?:=([^\s=]+))?")
_NUMBER = re.compile(r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?)(meg|mil|[tgkmunpfa])?[a-z]*")
_SUFFIX_OF = {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12} | {
    "f": 1e-15,
    "a": 1e-18,
    "mil": 25.4e-6,
}
_ELEMENTS = "bcdefghijklmnopqrstuvwxyz"
# Models that open files or run programs: of ngspice's code models, of its device simulator, and its network device.
_OPENS_FILES = frozenset(
    "filesource file_source xfer d_source d_state d_process d_cosim table2d table3d ndev numd numd2 nbjt nbjt2 "
    "numos".split()
)
_FILE_KEY = re.compile(r"(?i)\b\w*(?:file|simulation)\s*=")
_SEPARATORS = re.compile(r"[\s(),=]+")  # between words, as ngspice reads a model card
_VARIABLE = re.compile(r"\$(\w+|\{\w+\})")


@dataclass(frozen=True)
class Line:
    """One line of a flattened text, its continuations joined: where it stood, and what it says."""

    file: str
    number: int
    text: str

    @property
    def where(self) -> str:
        """File and line, for a message."""
        return f"{self.file}, line {self.number}"


@dataclass(frozen=True)
class ModelText:
    """A flattened library.

    Attributes
    ----------
    lines : tuple of Line
        Its cards, without comments.
    files : tuple of str
        Every file that it was made of, absolute paths.
    """

    lines: tuple[Line, ...]
    files: tuple[str, ...]

    @property
    def text(self) -> str:
        """The cards as they were, one a line."""
        return "\n".join(line.text for line in self.lines)

    @cached_property
    def deck_lines(self) -> str:
        """The cards as lines of a deck, long ones continued."""
        return wrapped(self.text)

    @cached_property
    def sha256(self) -> str:
        """Hash of the flattened text, in hexadecimal: an edit of any nested file that changes a card changes it."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def names(self) -> frozenset[str]:
        """Models and subcircuits that it defines outside any subcircuit, in lower case."""
        return frozenset(name for name, _ in self.definitions())

    @cached_property
    def options(self) -> dict[str, float]:
        """Options that it sets, by name in lower case; one without a value is 1. Of two of one name the last acts."""
        lines = (line.text for line in self.lines if line.text.lower().startswith(".opt"))
        return {name: value for text in lines for name, value in _settings(text)}

    @cached_property
    def _with_pins(self) -> dict[tuple[str, str], "ModelText"]:
        """Copies with an inner node as a pin, each made once: decks of one plan share it."""
        return {}

    @cached_property
    def spaced(self) -> "ModelText":
        """The text with a blank before the `(` of each `.model` line.

        See `spaced_models`.
        """
        return ModelText(tuple(replace(line, text=spaced_models(line.text)) for line in self.lines), self.files)

    @cached_property
    def _definitions(self) -> "_Definitions":
        return _Definitions(self)

    def definitions(self) -> Iterator[tuple[str, Line]]:
        """Yield name (lower case) and line of each model and subcircuit outside any subcircuit."""
        depth = 0
        for line in self.lines:
            words = line.text.split(None, 2)
            card = words[0].lower()
            if card in (".model", ".subckt") and depth == 0 and len(words) > 1:
                yield words[1].lower(), line
            depth += (card == ".subckt") - (card == ".ends")


def library_text(path: str | Path, section: str = "") -> ModelText:
    """Return a library, or one section of it, flattened and checked.

    Parameters
    ----------
    path : str or Path
        The library's file.
    section : str
        Name of a `.lib` section; empty: everything outside sections.

    Returns
    -------
    ModelText
        Its cards.

    Raises
    ------
    InputError
        When a file is missing or includes itself, the section is not there, or a card is not allowed.
    """
    file = Path(path).absolute()
    return _library(str(file), section, stamp_of(file))


def wrapped(text: str, width: int = 118) -> str:
    """Return cards with lines of at most `width` characters, continued by `+`, broken at blanks."""
    lines: list[str] = []
    for card in text.split("\n"):
        start, head = 0, ""
        while len(head) + len(card) - start > width and (cut := _blank_before(card, start, width - len(head))) > start:
            lines.append(head + card[start:cut])
            start, head = cut + 1, "+ "
        lines.append(head + card[start:])
    return "\n".join(lines)


def _blank_before(text: str, start: int, width: int) -> int:
    """Return the last blank outside quotes and braces in the `width` characters from `start`, else the next one.

    `start` where there is none.
    """
    best, quoted, depth = start, False, 0
    for index in range(start, len(text)):
        char = text[index]
        quoted ^= char == "'"
        depth += (char in "{(") - (char in "})")
        if char == " " and not quoted and depth <= 0 and index > start:
            if index - start <= width:
                best = index
            else:
                return best if best > start else index
    return best


def needed(flat: ModelText, names: Iterable[str]) -> ModelText:
    """Return a library cut down to what circuits use: models, subcircuits, and their parameters and functions.

    The library is taken apart once, and each part is made once: decks of one plan share it.

    Parameters
    ----------
    flat : ModelText
        The library.
    names : iterable of str
        Words of the circuits; those that the library defines are needed, and what these use in turn.

    Returns
    -------
    ModelText
        The part of it, in the same order, options with it. A library with conditions outside subcircuits is returned
        whole.

    Raises
    ------
    InputError
        When one name that is needed has two definitions that differ.
    """
    return flat._definitions.needed(name.lower() for name in names)


def words_of(text: str) -> set[str]:
    """Return the words of a card or a circuit in lower case: what may be the name of a model or parameter."""
    low = text.lower()
    return {*_WORD.findall(low), *_BETWEEN.split(low)}


@dataclass(frozen=True)
class Subcircuit:
    """One subcircuit outside any other: pins and parameters of its first line, and the lines inside."""

    name: str
    pins: tuple[str, ...]
    defaults: dict[str, str]
    body: tuple[Line, ...]


def subcircuits(flat: ModelText) -> dict[str, Subcircuit]:
    """Return the subcircuits of a library by name; names of subcircuits, pins and parameters in lower case."""
    blocks = [block for _, block in _blocks(flat.lines) if block[0].text.lower().startswith(".subckt")]
    return {name: _subcircuit(name, block) for block in blocks for name in [block[0].text.split(None, 2)[1].lower()]}


def _subcircuit(name: str, block: list[Line]) -> Subcircuit:
    words = re.sub(r"\s*=\s*", "=", block[0].text.lower()).split()[2:]
    pins = itertools.takewhile(lambda word: "=" not in word and word != "params:", words)
    defaults = assignments(block[0].text)
    depth = 0
    for line in block[1:-1]:
        card = line.text.split(None, 1)[0].lower()
        depth += (card == ".subckt") - (card == ".ends")
        if depth == 0 and card in (".param", ".params"):  # ngspice takes it as one of the first line
            defaults |= assignments(line.text)
    return Subcircuit(name, tuple(pins), defaults, tuple(block[1:-1]))


def with_pin(flat: ModelText, name: str, node: str) -> ModelText:
    """Return a library whose subcircuit `name` has its inner node `node` as its first pin."""
    if (name, node) not in flat._with_pins:
        opens = re.compile(rf"(?i)^(\.subckt\s+{re.escape(name)})(?=\s|$)")
        lines = (replace(line, text=opens.sub(rf"\1 {node}", line.text)) for line in flat.lines)
        flat._with_pins[name, node] = ModelText(tuple(lines), flat.files)
    return flat._with_pins[name, node]


def spaced_models(text: str) -> str:
    """Return cards with a blank before the `(` of each `.model`.

    Without it ngspice 46 passes over the first parameter of a compact model, and says nothing.
    """
    return _MODEL_TYPE.sub(r"\1 (", text)


_MODEL_TYPE = re.compile(r"(?im)^(\.model\s+\S+\s+[^\s(]+)\(")
_WORD = re.compile(r"[\w.]+")
_BETWEEN = re.compile(r"[\s=,(){}'\"]+")


class _Definitions:
    """A library taken apart: what each of its parts defines, and the parts that were cut out of it before."""

    def __init__(self, flat: ModelText) -> None:
        self._flat = flat
        self._blocks = _blocks(flat.lines)
        self._whole = any(block[0].text.lower().startswith(".if") for _, block in self._blocks)
        self._by_name: dict[str, list[int]] = {}
        for index, (names, _) in enumerate(self._blocks):
            for name in names:
                self._by_name.setdefault(name, []).append(index)
        self._always = {index for index, (names, _) in enumerate(self._blocks) if not names}
        self._words: dict[int, set[str]] = {}
        self._cut: dict[frozenset[str], ModelText] = {}

    def needed(self, names: Iterable[str]) -> ModelText:
        if self._whole:
            return self._flat
        roots = frozenset(name for name in names if name in self._by_name)
        if roots not in self._cut:
            self._cut[roots] = self._part(roots)
        return self._cut[roots]

    def _part(self, roots: frozenset[str]) -> ModelText:
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
        lines = (line for block in self._each_once(sorted(wanted)) for line in block)
        return ModelText(tuple(lines), self._flat.files)

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


def _blocks(lines: Iterable[Line]) -> list[tuple[tuple[str, ...], list[Line]]]:
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


@lru_cache(maxsize=32)
def _library(path: str, section: str, stamp: tuple[int, int]) -> ModelText:
    """Return a flattened library; nested files that change are found by their own stamps."""
    del stamp
    flat = flattened(Path(path), section)
    stamps = tuple(stamp_of(Path(each)) for each in flat.files)
    _nested[path, section] = (flat.files, stamps)
    check_library(flat)
    return flat


_nested: dict[tuple[str, str], tuple[tuple[str, ...], tuple[tuple[int, int], ...]]] = {}


def stamp_of(file: Path) -> tuple[int, int]:
    """Return what changes when a file is edited."""
    try:
        status = file.stat()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}). Pass the path of a model file.") from error
    return status.st_ctime_ns, status.st_size  # not mtime, which `cp -p` and `touch -r` set back


def fresh_library_text(path: str | Path, section: str = "") -> ModelText:
    """Return `library_text`, read again where a nested file was edited since."""
    file = Path(path).absolute()
    known = _nested.get((str(file), section))
    if known is not None and any(has_changed(Path(each), mark) for each, mark in zip(*known, strict=True)):
        _library.cache_clear()
    return library_text(file, section)


def has_changed(file: Path, stamp: tuple[int, int]) -> bool:
    """Return whether a file is not what it was when it had this `stamp`."""
    try:
        return stamp_of(file) != stamp
    except InputError:
        return True


def flattened(path: Path, section: str = "", root: Path | None = None) -> ModelText:
    """Return a file with its nested files in place, not checked.

    Parameters
    ----------
    path : Path
        The file.
    section : str
        That `.lib` section alone; empty: what stands outside sections.
    root : Path, optional
        Folder of the file that the user named, where any file may be nested; left out, that of `path`.
    """
    file = path.absolute()
    walk = _Walk(root or file.resolve().parent)
    return ModelText(tuple(walk.cards(file, section, ())), tuple(walk.files))


class _Walk:
    """One pass through a file and those nested in it: what it has met so far, and the most that it takes."""

    def __init__(self, root: Path) -> None:
        self.files: dict[str, None] = {}
        self._root, self._nested, self._size = root, 0, 0

    def cards(self, file: Path, section: str, above: tuple[tuple[Path, str], ...]) -> Iterator[Line]:
        """Yield the cards of a file, or of one section of it, those of nested files in place."""
        resolved = file.resolve()
        self._check_nesting(resolved, section, above)
        self.files[str(resolved)] = None
        inside = (*above, (resolved, section.lower()))
        for line in _lines_of(file, section):
            nested = nested_file(line, file, self._root)
            if nested is not None:
                yield from self.cards(*nested, inside)
                continue
            self._size += len(line.text)
            if self._size > _SIZE:
                raise InputError(f"{line.where}: more than {_SIZE / 1e6:g} MB flattened. Pass the part that is used.")
            yield line

    def _check_nesting(self, file: Path, section: str, above: tuple[tuple[Path, str], ...]) -> None:
        self._nested += 1
        names = " -> ".join(str(each) for each, _ in (*above, (file, section)))
        if (file, section.lower()) in above:
            raise InputError(f"{file}: includes itself: {names}. Remove the cycle.")
        if len(above) >= _DEPTH:
            raise InputError(f"{file}: lies {_DEPTH} files deep: {names[:200]} ... Put it higher.")
        if self._nested > _NESTED_MOST:
            raise InputError(
                f"{file}: more than {_NESTED_MOST} nested files, this one included. Pass the part that is used."
            )


def _lines_of(file: Path, section: str) -> Iterator[Line]:
    """Yield the cards of one section of a file (empty: those outside sections), its includes as they stand.

    A fault in the sections of others is none: sky130 as open_pdks built it in 2021 leaves one open.
    """
    present: list[str] = []
    current = ""  # the section that lines are in
    for line in logical_lines(file):
        opened, wanted = _opened(line, file), current.lower() == section.lower()
        if opened is not None:
            if current and (wanted or not section):
                raise InputError(f"{line.where}: a section inside the section {current}. Close it with `.endl` first.")
            if section and opened.lower() == section.lower() and opened.lower() in map(str.lower, present):
                raise InputError(f"{line.where}: the section {section} begins a second time. Remove one.")
            current = opened
            present.append(opened)
        elif _ENDL.match(line.text):
            if not current and not section:
                raise InputError(f"{line.where}: `.endl` closes no section. Remove it.")
            current = ""
        elif wanted:
            yield line
    if current and (not section or current.lower() == section.lower()):
        raise InputError(f"{file}: the section {current} is not closed. Add `.endl {current}`.")
    if section.lower() not in ("", *map(str.lower, present)):
        names = ", ".join(present) or "none"
        raise InputError(f"{file}: has no section {section}; its sections: {names}. Pass one of them.")


def _opened(line: Line, file: Path) -> str | None:
    """Return the name of the section that a line opens: `.lib NAME`, where NAME is no file."""
    match = _LIB.match(line.text)
    if match is None or match["section"] is not None:
        return None
    name = match["path"].strip("\"'")
    return name if not _path_of(name, line, file).is_file() else None


def nested_file(line: Line, file: Path, root: Path) -> tuple[Path, str] | None:
    """Return the file, and its section, that a line puts in its place; None where it names none.

    `root` is the folder of the file that the user named: files in it and below it may be nested whatever their name.
    """
    match = _INCLUDE.match(line.text) or _LIB.match(line.text)
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
    nested = _path_of(name, line, file)
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


def _path_of(name: str, line: Line, file: Path) -> Path:
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


def logical_lines(file: Path) -> Iterator[Line]:
    """Yield the lines of a file with `+` continuations joined, without comments and blank lines."""
    yield from joined_lines(file, read_text(file).split("\n"), first=1)


def joined_lines(file: Path, lines: Iterable[str], *, first: int) -> Iterator[Line]:
    """Yield `lines` of a file, numbered from `first`, with continuations joined, without comments and blank lines."""
    number, parts, length = 0, [], 0
    for index, raw in enumerate(lines, start=first):
        text = raw.strip()
        if text.startswith("*#"):
            raise InputError(f"{file}, line {index}: `*#` runs a command in ngspice. Remove the line.")
        if not text or text.startswith(("*", "$", ";", "#", "//")):
            continue
        text = _without_comment(text)
        if text.startswith("+"):
            if not parts:
                raise InputError(f"{file}, line {index}: continues no line. Remove the `+`.")
            parts.append(text[1:].strip())
            length += len(text)
            _check_length(file, index, length)
            continue
        if parts and parts[-1].endswith("\\\\"):  # two backslashes: the next line goes on
            parts[-1:] = [parts[-1][:-2].strip(), text]
            length += len(text)
            _check_length(file, index, length)
            continue
        length = len(text)
        _check_length(file, index, length)
        if parts:
            yield Line(str(file), number, " ".join(each for each in parts if each))
        number, parts = index, [text]
    if parts:
        yield Line(str(file), number, " ".join(each for each in parts if each))


def _check_length(file: Path, number: int, length: int) -> None:
    if length > _CARD_LONGEST:
        raise InputError(
            f"{file}, line {number}: a card of more than {_CARD_LONGEST} characters. Split it; is it a model file?"
        )


def _without_comment(text: str) -> str:
    """Return a line without a comment at its end: after `;`, ` $ ` or `//` outside quotes."""
    if re.match(r"(?i)^\.(?:include|incl|inc|lib)\b", text):
        return re.split(r"\s(?:\$\s|;|//)|;", text)[0].strip()
    return re.split(r";|\s\$|\$\s|//", text)[0].strip()


def read_text(file: Path) -> str:
    """Return a file's text: UTF-8 with or without its mark, else Latin-1; line ends as one."""
    try:
        if file.stat().st_size > _SIZE:
            raise InputError(f"{file}: is larger than {_SIZE / 1e6:g} MB. Pass the part that is used.")
        data = file.read_bytes()
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}). Pass the path of a model file.") from error
    if b"\0" in data:
        raise InputError(f"{file}: holds binary data, not text. Pass a model file.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    # ngspice ends a line at \n only; other characters that Python takes for line ends must not hide a card from it
    return text.replace("\r\n", "\n").replace("\r", "\n")


def check_library(flat: ModelText) -> None:
    """Raise `InputError` at the first card of a library that is not allowed."""
    depth, depths = 0, []
    for line in flat.lines:
        check_characters(line)
        card = _CARD.match(line.text)
        name = card["name"].lower() if card else ""
        if name == "subckt":
            depths.append(line)
        elif name == "ends":
            if not depths:
                raise InputError(f"{line.where}: `.ends` closes no subcircuit. Remove it.")
            depths.pop()
        depth = len(depths)
        if card is None:
            _check_element(line, depth)
        elif name in ("option", "options", "opt"):
            _check_options(line)
        elif name not in _ALLOWED and name not in _DROPPED:
            raise InputError(
                f"{line.where}: a library must hold models, subcircuits, parameters and functions only; got "
                f"`.{name}`. Remove the line."
            )
        check_files(line, name)
    if depths:
        raise InputError(f"{depths[-1].where}: the subcircuit is not closed. Add `.ends`.")
    check_random(flat.lines)


def check_characters(line: Line) -> None:
    """Raise `InputError` where a line holds anything but printable ASCII, or a back quote."""
    strange = next((char for char in line.text if not (" " <= char <= "~" or char == "\t")), None)
    if strange is not None:
        raise InputError(f"{line.where}: a card must be of printable ASCII; got {strange!r}. Replace the character.")
    if "`" in line.text:
        raise InputError(f"{line.where}: a back quote has no place in a card. Remove it.")


def _check_element(line: Line, depth: int) -> None:
    letter = line.text[0].lower()
    if depth == 0:
        raise InputError(
            f"{line.where}: an element or unknown line outside a subcircuit, `{line.text[:40]}`. Put it into one, or "
            "remove it."
        )
    if letter not in _ELEMENTS and letter != "a":
        raise InputError(f"{line.where}: `{line.text[:40]}` is no element. Remove the line.")


def _check_options(line: Line) -> None:
    for name, _ in _settings(line.text):
        if name not in _OPTIONS:
            raise InputError(
                f"{line.where}: of options a library may set {', '.join(sorted(_OPTIONS))} only; got `{name}`, which "
                "changes the analysis. Remove it."
            )


def _settings(text: str) -> Iterator[tuple[str, float]]:
    """Yield name (lower case) and value of each option on a line; 1 for one without, nan for one that is no number."""
    _, *rest = re.sub(r"\s*=\s*", "=", text).split(None, 1)
    for match in _OPTION.finditer("".join(rest)):
        yield match[1].lower(), 1.0 if match[2] is None else number(match[2])


def number(text: str) -> float:
    """Return a number as ngspice writes it, `1.0u` or `1e-6`; nan for anything else."""
    match = _NUMBER.fullmatch(text.lower().strip("'{}"))
    return float(match[1]) * _SUFFIX_OF[match[2] or ""] if match else math.nan


def check_files(line: Line, card: str) -> None:
    """Raise `InputError` where an element or a model opens a file or runs a program."""
    words = _SEPARATORS.split(line.text, maxsplit=3)
    kind = words[2].lower() if card == "model" and len(words) > 2 else ""
    if kind in _OPENS_FILES or (card in ("", "model") and _FILE_KEY.search(line.text)):
        what = f"a model of the kind `{kind}`" if kind else f"`{line.text[:40]}`"
        raise InputError(f"{line.where}: {what} opens a file or runs a program. Remove it.")
