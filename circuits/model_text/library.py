"""A user's library: flattened and checked once, and again when a file of it was edited."""

from functools import lru_cache
from pathlib import Path

from rramkit.circuits.model_text.allow_list import check_library
from rramkit.circuits.model_text.nesting import flattened
from rramkit.circuits.model_text.text import ModelText
from rramkit.errors import InputError


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


def fresh_library_text(path: str | Path, section: str = "") -> ModelText:
    """Return `library_text`, read again where a nested file was edited since."""
    file = Path(path).absolute()
    known = _nested.get((str(file), section))
    if known is not None and any(has_changed(Path(each), mark) for each, mark in zip(*known, strict=True)):
        _library.cache_clear()
    return library_text(file, section)


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


def has_changed(file: Path, stamp: tuple[int, int]) -> bool:
    """Return whether a file is not what it was when it had this `stamp`."""
    try:
        return stamp_of(file) != stamp
    except InputError:
        return True
