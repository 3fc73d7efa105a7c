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
        When another run holds the lock, or the disk is full.
    """
    output = output.resolve()
    path = output.with_name(f".{output.name}.lock")
    opened: list[int] = []
    try:
        descriptor = _locked(output, path, opened)
        _sign(descriptor, output)
        yield
    finally:  # an interrupt may come between any two of these lines, also before the file that was made is locked
        for descriptor in opened:
            os.close(descriptor)
        _remove_unlocked(path)


def _sign(descriptor: int, output: Path) -> None:
    """Write the number of this process into its lock file."""
    try:
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"{os.getpid()}\n".encode())
    except OSError as error:
        raise InputError(
            f"{output}: cannot be written ({error.strerror}). Make room or choose another place."
        ) from error


def _remove_unlocked(path: Path) -> None:
    """Remove a lock file that nobody holds."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
            path.unlink(missing_ok=True)
    except OSError:
        return
    finally:
        os.close(descriptor)


def _locked(output: Path, path: Path, opened: list[int]) -> int:
    """Return the descriptor of the locked file; what is open stands in `opened`, whatever interrupts this."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        opened.append(descriptor)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and path.stat().st_ino == os.fstat(descriptor).st_ino:
                return descriptor
            os.close(opened.pop())  # the last holder removed it between the two calls: lock the new file
        except BlockingIOError:
            number = os.read(descriptor, 20).decode(errors="replace").strip()
            who = f"process {number}" if number.isdigit() else "another process"
            raise InputError(
                f"{output}: another run ({who}) is writing it. Wait until it ends, or name another output."
            ) from None
        except OSError as error:
            raise InputError(
                f"{output}: files in its folder cannot be locked ({error.strerror}). Choose another folder."
            ) from error
