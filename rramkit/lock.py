"""Exclusive lock on an output file: a second writer is refused."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rramkit.errors import InputError


@contextmanager
def only_writer(output: Path) -> Iterator[None]:
    """Lock `output` for this process; the system releases the lock when the process ends, however it ends.

    Raises
    ------
    InputError
        When another run holds the lock.
    """
    output = output.resolve()
    path = output.with_name(f".{output.name}.lock")
    descriptor = _locked(output, path)
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def _locked(output: Path, path: Path) -> int:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
            os.close(descriptor)  # the last holder removed it between the two calls: lock the new file
        except BlockingIOError:
            number = os.read(descriptor, 20).decode(errors="replace").strip()
            os.close(descriptor)
            who = f"process {number}" if number.isdigit() else "another process"
            raise InputError(
                f"{output}: another run ({who}) is writing it. Wait until it ends, or name another output."
            ) from None
        except OSError as error:
            os.close(descriptor)
            raise InputError(
                f"{output}: files in its folder cannot be locked ({error.strerror}). Choose another folder."
            ) from error
