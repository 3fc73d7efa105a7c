"""A file flattened: those nested in it in place, whatever their depth, within bounds."""

from collections.abc import Iterator
from pathlib import Path

from rramkit.circuits.model_text.line import LARGEST, Line
from rramkit.circuits.model_text.nested_file import nested_file
from rramkit.circuits.model_text.section import lines_of
from rramkit.circuits.model_text.text import ModelText
from rramkit.errors import InputError

_DEPTH = 40  # nested files (1): deeper than any process kit
_NESTED_MOST = 20_000  # nested files that one library puts in place: a whole sky130 has under a thousand


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
        for line in lines_of(file, section):
            nested = nested_file(line, file, self._root)
            if nested is not None:
                yield from self.cards(*nested, inside)
                continue
            self._size += len(line.text)
            if self._size > LARGEST:
                raise InputError(f"{line.where}: more than {LARGEST / 1e6:g} MB flattened. Pass the part that is used.")
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
