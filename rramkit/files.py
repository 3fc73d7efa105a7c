"""Files that appear whole or not at all."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from rramkit.errors import InputError


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on any failure.

    Raises
    ------
    InputError
        When the folder cannot be made or written.
    """
    check_writable(path)
    draft = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")  # writers go by the suffix
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def check_writable(path: Path) -> None:
    """Raise `InputError` now, not after an hour of work, when `path` could not be written."""
    folder = path.absolute().parent
    if path.is_dir():
        raise InputError(f"{path}: is a folder. Name a file.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".rramkit-{os.getpid()}.part"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(f"{path}: its folder cannot be written ({error.strerror}). Choose another folder.") from error
