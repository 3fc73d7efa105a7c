"""Atomic writing of files: under its final name a file is complete or absent."""

import contextlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from rramkit.errors import InputError


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on any failure.

    Raises
    ------
    InputError
        When the folder cannot be created or written, or the disk is full.
    """
    check_writable(path)
    path = path.resolve()  # a symbolic link stays a link: its target is replaced
    draft = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")  # libraries choose the format by the suffix
    try:
        yield draft
        draft.replace(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({_reason(error)}). Make room or choose another place.") from error
    finally:
        draft.unlink(missing_ok=True)


def check_writable(path: Path, *, keep: Iterable[Path | None] = ()) -> None:
    """Raise `InputError` before the work starts when `path` cannot be written or is one of the inputs `keep`."""
    if any(other is not None and path.resolve() == other.resolve() for other in keep):
        raise InputError(f"{path}: the output is also an input of this command. Name another file.")
    folder = path.absolute().parent
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"{path}: is a {'folder' if path.is_dir() else 'device or pipe'}. Name a plain file.")
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".rramkit-{os.getpid()}.part"
        try:
            probe.touch()
        finally:
            probe.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"{path}: its folder cannot be written ({error.strerror}). Choose another folder.") from error


def _reason(error: OSError) -> str:
    """Return the system's short text for a failure, without the long texts of libraries."""
    return os.strerror(error.errno) if error.errno else " ".join(str(error).split())
