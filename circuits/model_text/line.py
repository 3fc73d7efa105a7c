"""Lines of a model file: read in any encoding, joined, without comments; and written, long ones continued."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rramkit.errors import InputError

LARGEST = 200e6  # bytes of one flattened library: a whole sky130 has 30e6
_CARD_LONGEST = 5_000_000  # characters of one card, its continuations joined: one `.param` of sky130 has 1.2 million
_MODEL_TYPE = re.compile(r"(?im)^(\.model\s+\S+\s+[^\s(]+)\(")


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
        if file.stat().st_size > LARGEST:
            raise InputError(f"{file}: is larger than {LARGEST / 1e6:g} MB. Pass the part that is used.")
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


def spaced_models(text: str) -> str:
    """Return cards with a blank before the `(` of each `.model`.

    Without it ngspice 46 passes over the first parameter of a compact model, and says nothing.
    """
    return _MODEL_TYPE.sub(r"\1 (", text)
