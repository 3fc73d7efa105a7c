"""The text of a Verilog-A model: nested files in place, comments blanked, every line with the place where it stood.

A nested file is looked up as a nested file of a library is (`model_text`): relative to the file that names it, in the
folder of the file that the user named, or called like a model file. The two files of the language itself stay as they
are named: the compiler has its own.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rramkit.circuits.model_text import Line, placed, read_text
from rramkit.errors import InputError

_DEPTH, _NESTED_MOST, _SIZE = 40, 1000, 20e6  # PSP103, with a dozen files and 1 MB, is among the largest
_SUFFIXES = frozenset("va vams h inc include".split())
_OWN = frozenset("disciplines.vams constants.vams disciplines.va constants.va discipline.h constants.h".split())
_RENAMED = {"h": "vams", "va": "vams"}
_QUOTED_OR_COMMENT = re.compile(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_INCLUDE = re.compile(r'`include\s+(?:"(?P<quoted>[^"\n]+)"|<(?P<angled>[^>\n]+)>)')


@dataclass(frozen=True)
class Source:
    """A Verilog-A text, flattened.

    Attributes
    ----------
    lines : tuple of Line
        Its lines without comments.
    files : tuple of str
        Every file that it was made of, absolute paths.
    """

    lines: tuple[Line, ...]
    files: tuple[str, ...]

    @cached_property
    def text(self) -> str:
        """The lines, one after the other."""
        return "\n".join(line.text for line in self.lines) + "\n"

    @cached_property
    def sha256(self) -> str:
        """Hash of what the lines say, in hexadecimal: comments and blank lines are not in it."""
        said = "\n".join(text for line in self.lines if (text := line.text.strip()))
        return hashlib.sha256(said.encode()).hexdigest()

    def at(self, offset: int) -> str:
        """Return file and line of a place in `text`."""
        return self.lines[self.text.count("\n", 0, offset)].where


def source(path: str | Path) -> Source:
    """Return a Verilog-A file with its nested files in place.

    Raises
    ------
    InputError
        When a file is missing, includes itself, or is not read where it lies.
    """
    file = Path(path).resolve()
    walk = _Walk(file.parent)
    return Source(tuple(walk.lines(file, ())), tuple(walk.files))


class _Walk:
    """One pass through a file and those nested in it."""

    def __init__(self, root: Path) -> None:
        self.files: dict[str, None] = {}
        self._root, self._nested, self._size = root, 0, 0

    def lines(self, file: Path, above: tuple[Path, ...]) -> Iterator[Line]:
        self._nested += 1
        if file in above:
            raise InputError(f"{file}: includes itself. Remove the cycle.")
        if len(above) >= _DEPTH or self._nested > _NESTED_MOST:
            raise InputError(f"{file}: more than {_NESTED_MOST} nested files, or {_DEPTH} deep. Pass one file.")
        self.files[str(file)] = None
        text = _QUOTED_OR_COMMENT.sub(_without_comment, read_text(file))
        self._size += len(text)
        if self._size > _SIZE:
            raise InputError(f"{file}: more than {_SIZE / 1e6:g} MB flattened. Pass the model alone.")
        for number, raw in enumerate(text.split("\n"), start=1):
            yield from self._with_nested(Line(str(file), number, raw.rstrip()), file, (*above, file))

    def _with_nested(self, line: Line, file: Path, above: tuple[Path, ...]) -> Iterator[Line]:
        """Yield a line, or what stands beside and in the files that it includes."""
        at = 0
        for match in _INCLUDE.finditer(line.text):
            name = match["quoted"] or match["angled"]
            before = line.text[at : match.start()]
            if before.strip():
                yield Line(line.file, line.number, before)
            if Path(name).name in _OWN:
                stem, _, suffix = Path(name).name.replace("discipline.", "disciplines.").partition(".")
                yield Line(line.file, line.number, f'`include "{stem}.{_RENAMED.get(suffix, suffix)}"')
            else:
                yield from self.lines(placed(name, line, file, self._root, suffixes=_SUFFIXES), above)
            at = match.end()
        rest = line.text[at:]
        if "`include" in rest:
            raise InputError(f'{line.where}: `include must name a file in quotes. Write `include "FILE".')
        if rest.strip() or at == 0:
            yield Line(line.file, line.number, rest)


def _without_comment(match: re.Match[str]) -> str:
    return match[0] if match[0].startswith('"') else re.sub(r"[^\n]", " ", match[0])
