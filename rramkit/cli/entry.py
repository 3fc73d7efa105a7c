"""Entry point of the command line: a signal, a wrong call or an error ends in one line and an exit code.

Imports nothing heavy, so that Ctrl-C is handled from the first milliseconds. While the command line loads, Ctrl-C ends
the process at once: nothing is unfinished. Later it raises `Interrupted`, so that the command can remove what is
unfinished. That exception is raised neither inside an import (C extensions turn it into an import error) nor lost in a
destructor or callback (Python discards what they raise). A second Ctrl-C ends the process and its workers at once.
"""

import os
import signal
import sys
from contextlib import suppress
from time import monotonic
from types import FrameType

from rramkit.cli.interrupted import Interrupted
from rramkit.cli.plain_text import use_plain_text
from rramkit.errors import KitError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_SAME_SECONDS = 0.3  # `timeout` sends a signal to the process and to its group: one request, two signals
_RETRY_SECONDS = 0.02
_STARTED = monotonic()


class _Interrupts:
    """The handlers of SIGINT and SIGTERM during one command."""

    def __init__(self) -> None:
        self.phase = "loading"  # then "running", where it is interrupted "tidying", then "ended"
        self._number, self._since = 0, 0.0
        self._hook = sys.unraisablehook

    def install(self) -> None:
        for number in _SIGNALS:
            signal.signal(number, self._interrupt)
        sys.unraisablehook = self._discarded

    def uninstall(self) -> None:
        """Leave the system's own handlers: a signal while Python shuts down ends the process without a traceback."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        sys.unraisablehook = self._hook

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self.phase == "loading":
            _end_now("interrupted while loading. The same command starts again.", number)
        if self.phase == "ended" or (self._number and monotonic() - self._since < _SAME_SECONDS):
            return
        if self._number:
            _end_now("interrupted twice: ended at once. Temporary files may be left.", number)
        self._number, self._since = number, monotonic()
        self._raise(number, frame)

    def _raise(self, _number: int, frame: FrameType | None) -> None:
        if self.phase == "running" and _imports(frame):
            self._raise_later()
        elif self.phase == "running":
            raise Interrupted(self._number)

    def _raise_later(self) -> None:
        signal.signal(signal.SIGALRM, self._raise)
        signal.setitimer(signal.ITIMER_REAL, _RETRY_SECONDS)

    def _discarded(self, unraisable: "sys.UnraisableHookArgs") -> None:
        if isinstance(unraisable.exc_value, Interrupted):
            self._raise_later()
        else:
            self._hook(unraisable)


def main() -> None:
    """Run the command line; every failure that the user can fix ends in one line and a code that is not 0."""
    interrupts = _Interrupts()
    interrupts.install()
    use_plain_text((sys.stdout, sys.stderr))
    try:
        code = _run(interrupts)
        interrupts.phase = "ended"
    except Interrupted as interrupted:
        interrupts.phase = "tidying"
        interrupted.__traceback__ = None  # what the command's frames hold is closed now, while a second signal counts
        _clear_leftovers()
        notes = getattr(interrupted, "__notes__", None) or ["The same command starts again."]
        code = _failed(
            " ".join(["interrupted. Nothing unfinished was left under a final name.", *notes]),
            128 + int(interrupted.args[0]),
        )
        interrupts.phase = "ended"
    interrupts.uninstall()
    sys.exit(code)


def _run(interrupts: _Interrupts) -> int:
    """Run the command; return the exit code."""
    try:
        from rramkit.cli.app import run
        from rramkit.cli.progress import loaded_in

        loaded_in(monotonic() - _STARTED)
        interrupts.phase = "running"
        code = run(sys.argv[1:])
        sys.stdout.flush()
        return code
    except Exception as error:  # noqa: BLE001  (explained, or raised again)
        behind = _interrupt_behind(error)
        if behind is not None:
            raise behind from None
        return _explained(error)


def _interrupt_behind(error: BaseException | None) -> "Interrupted | None":
    """Return the interrupt that an error began with: raised in a callback of a library it comes out as another."""
    while error is not None and not isinstance(error, Interrupted):
        error = error.__cause__ or error.__context__
    return error


def _explained(error: Exception) -> int:
    """Say in one line what failed and return the exit code; raise again what is a fault of the kit."""
    try:
        raise error
    except KitError as error:
        return _failed(" ".join([str(error), *getattr(error, "__notes__", [])]), error.exit_code)
    except BrokenPipeError:
        _mute_output()
        return 1  # the reader has read enough (`| head`): no message
    except OSError as error:
        _mute_output()
        return _failed(
            f"{error.filename or 'output'}: {error.strerror or error}. Fix that and run the command again.", 1
        )
    except MemoryError as error:
        return _failed(f"the memory does not suffice ({error or 'out of memory'}). Ask for less at a time.", 1)
    except ImportError as error:
        return _import_failed(error)


def _import_failed(error: ImportError) -> int:
    from rramkit.cli.checkout import links_complaint

    complaint = links_complaint()
    if complaint is not None:
        return _failed(complaint, 1)
    package = (error.name or "rramkit").partition(".")[0]
    if package == "rramkit":
        raise error
    return _failed(
        f"the package {package} must be installed for this ({error}). `rramkit doctor` lists what is missing.", 1
    )


def _imports(frame: FrameType | None) -> bool:
    """Return whether the command is inside an import statement."""
    while frame is not None and frame.f_code is not _run.__code__:
        if frame.f_code.co_filename.startswith("<frozen importlib"):
            return True
        frame = frame.f_back
    return False


def _mute_output() -> None:
    """Discard the output that is still buffered: Python would try to write it again at its end, with a traceback."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _failed(text: str, code: int) -> int:
    sys.stderr.write(_line(text))
    return code


def _end_now(text: str, number: int) -> None:
    cursor = "\x1b[?25h" if os.isatty(2) else ""  # a progress line hides the cursor
    try:
        with suppress(OSError):  # nobody reads it any more
            os.write(2, (cursor + _line(text)).encode(errors="replace"))
        _clear_leftovers()
    finally:
        os._exit(128 + number)


def _clear_leftovers() -> None:
    """End the worker processes and remove the temporary folders, where the command has come so far as to have any."""
    module = sys.modules.get("rramkit.processes.leftovers")
    if module is not None:
        module.clear()


def _line(text: str) -> str:
    line = " ".join(text.split())
    return f"rramkit: {''.join(mark if mark.isprintable() else '?' for mark in line)}\n"
