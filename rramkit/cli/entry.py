"""The way in: the one place where a signal, a wrong call or an error becomes one line and an exit code.

Light on purpose: Ctrl-C while the rest still loads must end as tidily as later.
"""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from rramkit.errors import KitError

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """Ctrl-C or a request to end, under a name that the command-line library does not take for its own."""


def main() -> None:
    """Run the command line; every failure that a user can fix ends in one line and a code that is not 0."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    try:
        from rramkit.cli.app import run

        code = run(sys.argv[1:])
        sys.stdout.flush()
        sys.exit(code)
    except KitError as error:
        _end(" ".join([str(error), *getattr(error, "__notes__", [])]), error.exit_code)
    except BrokenPipeError:
        _mute_output()
        sys.exit(1)  # whoever reads has read enough (`| head`): nothing to say
    except OSError as error:
        _mute_output()
        _end(f"{error.filename or 'output'}: {error.strerror or error}. Fix that and run the command again.", 1)
    except ImportError as error:
        package = (error.name or "rramkit").partition(".")[0]
        if package == "rramkit":
            raise
        _end(f"the package {package} must be installed for this ({error}). `rramkit doctor` lists what is missing.", 1)
    except Interrupted as signalled:
        notes = getattr(signalled, "__notes__", None) or ["The same command starts again."]
        _end(
            " ".join(["interrupted. Nothing unfinished was left under a final name.", *notes]),
            128 + int(signalled.args[0]),
        )


def _interrupt(number: int, _frame: FrameType | None) -> None:
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)  # a second Ctrl-C must not break the tidying up
    raise Interrupted(number)


def _mute_output() -> None:
    """Send what is still buffered nowhere: Python would try again at its end, and complain in many lines."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _end(text: str, code: int) -> NoReturn:
    line = " ".join(text.split())
    sys.stderr.write(f"rramkit: {''.join(mark if mark.isprintable() else '?' for mark in line)}\n")
    sys.exit(code)
