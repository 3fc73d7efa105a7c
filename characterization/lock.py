"""One writer for one output: the second says so and stops."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rramkit.errors import InputError


@contextmanager
def only_writer(output: Path) -> Iterator[None]:
    """Hold `output` for this process; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    InputError
        When another run holds it.
    """
    output = output.resolve()
    path = output.with_name(f".{output.name}.lock")
    held = _locked(output, path)
    try:
        os.ftruncate(held, 0)
        os.write(held, f"{os.getpid()}\n".encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(held)


def _locked(output: Path, path: Path) -> int:
    while True:
        held = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and path.stat().st_ino == os.fstat(held).st_ino:
                return held
            os.close(held)  # its last holder removed it between our two calls: once more, with the new file
        except BlockingIOError:
            number = os.read(held, 20).decode(errors="replace").strip()
            os.close(held)
            who = f"process {number}" if number.isdigit() else "another process"
            raise InputError(
                f"{output}: another run ({who}) is writing it. Wait for its end, or name another output."
            ) from None
        except OSError as error:
            os.close(held)
            raise InputError(
                f"{output}: its folder does not let a file be locked ({error.strerror}). Choose another folder."
            ) from error
