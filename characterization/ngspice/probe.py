"""Load one ngspice library and print its version and features; run as a script in a child process.

A library that is broken, not ngspice or paired with the wrong code models can crash the interpreter, so
`library.py` starts this file in a process of its own (isolated, without site-packages) and reads its output.
"""

import ctypes
import sys

SEND_CHAR = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, ctypes.c_void_p)
CONTROLLED_EXIT = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.c_int, ctypes.c_bool, ctypes.c_bool, ctypes.c_int, ctypes.c_void_p
)
# `osdi` answers "no such command" where the build has no OSDI, and "couldn't be loaded" where it has.
COMMANDS = ("version -f", "osdi /none")


def _write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()  # a crash in the next call must not lose this line


def probe(path: str, preload: list[str]) -> None:
    """Load the library after the libraries that it needs, and print its output."""
    for needed in preload:
        ctypes.CDLL(needed, mode=ctypes.RTLD_GLOBAL)
    library = ctypes.CDLL(path)
    if not hasattr(library, "ngSpice_Init"):
        raise OSError("it loads, but has no function ngSpice_Init: not an ngspice shared library")

    def send_char(text: bytes, _library: int, _user: object) -> int:
        _write(text.decode(errors="replace"))
        return 0

    callbacks = SEND_CHAR(send_char), CONTROLLED_EXIT(lambda *_: 0)
    library.ngSpice_Init(callbacks[0], None, callbacks[1], None, None, None, None)
    for command in COMMANDS:
        library.ngSpice_Command(command.encode())


if __name__ == "__main__":
    try:
        probe(sys.argv[1], sys.argv[2:])
    except OSError as error:
        _write(f"unusable: {error}")
        sys.exit(3)
