"""The kit's exceptions: each message gives the argument, the requirement, what arrived and the fix."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

_SHOWN = 900  # characters of a message: names and values from a file may be of any length


def one_line(text: str) -> str:
    """Return a text as one line of printable characters, shortened: what comes out of a file may be anything."""
    text = text if len(text) <= 4 * _SHOWN else f"{text[: 2 * _SHOWN]} {text[-2 * _SHOWN :]}"  # the cure stands last
    line = "".join(mark if mark.isprintable() else "?" for mark in " ".join(text.split()))
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN // 2]} ... {line[-_SHOWN // 3 :]}"


def meant(word: str, names: Iterable[str], *, like: float = 0.6) -> str:
    """Return ` Did you mean ...?` with the name that a wrong word is probably meant for; empty: none is like it."""
    close = get_close_matches(word, list(names), n=1, cutoff=like)
    return f" Did you mean `{close[0]}`?" if close else ""


def file_meant(path: Path) -> str:
    """Return ` Did you mean ...?` with the file of the same ending, in the same folder, that is called like a path."""
    try:
        names = sorted(each.name for each in path.parent.iterdir() if each.is_file() and not each.name.startswith("."))
    except OSError:
        return ""
    same = [name for name in names if Path(name).suffix == path.suffix]
    close = get_close_matches(path.name, same, n=1, cutoff=0.7) or get_close_matches(path.name, names, n=1, cutoff=0.8)
    return f" {one_line(f'Did you mean `{path.parent / close[0]}`?')}" if close and close[0] != path.name else ""


class KitError(Exception):
    """Anything the user can fix; the command line prints it as one line and exits with `exit_code`.

    Examples
    --------
    >>> import rramkit as rk
    >>> try:
    ...     rk.load("missing.h5")
    ... except rk.KitError as error:
    ...     print(type(error).__name__, error.exit_code)
    TableError 2
    """

    exit_code = 1


class FormerNameWarning(FutureWarning):
    """A name of an earlier version was used; it still works."""


class SimulatorWarning(UserWarning):
    """ngspice warned of something in a deck that leaves its numbers as they are."""


class TrainingWarning(UserWarning):
    """A training did not do what it was asked to: no pulse fired, weights clipped, an accuracy at chance."""


class OtherArithmeticWarning(UserWarning):
    """A training goes on where sums are taken in another order: its numbers agree to rounding, not bit for bit."""


class DataWarning(UserWarning):
    """Data of the user's own are taken, and something in them may not be what was meant."""


class InputError(KitError):
    """A value, key, name or file that the user gave does not fit.

    Examples
    --------
    >>> import rramkit as rk
    >>> rk.Experiment(epochs=0)
    Traceback (most recent call last):
    rramkit.errors.InputError: Experiment: `epochs` should be greater than or equal to 1; got 0. ...
    """

    exit_code = 2


@contextmanager
def in_one_line() -> Iterator[None]:
    """Raise what is wrong with a file with its message as `one_line`: names and cells of it may be of any length."""
    try:
        yield
    except InputError as error:
        if one_line(str(error)) == str(error):
            raise
        raise type(error)(one_line(str(error))) from error


class TableError(InputError):
    """A table file is missing, damaged, of another format, or lacks a table or column that a reader needs."""


class SetupError(KitError):
    """The machine lacks something that the job needs (PySpice, an ngspice library, a package)."""


@contextmanager
def scipy_for(what: str) -> Iterator[None]:
    """Raise an import of SciPy that fails with what needs it: a training from tables does not, and may lack it."""
    try:
        yield
    except ImportError as error:
        raise SetupError(f"{what} needs SciPy, which does not load ({error}). Run: pip install scipy") from error


class ConvergenceError(KitError):
    """An iteration did not reach its tolerance.

    Attributes
    ----------
    partial : object
        Result of the last iteration.
    """

    def __init__(self, message: str, *, partial: object = None) -> None:
        super().__init__(message)
        self.partial = partial


class SimulationError(KitError):
    """One ngspice run gave no complete, finite result.

    Attributes
    ----------
    reason : str
        One of `parse`, `convergence`, `incomplete`, `measure`, `timeout`, `crash`, `killed`.
    deck : str
        The deck.
    log : str
        Last lines of ngspice's output.
    """

    def __init__(self, reason: str, detail: str, *, deck: str = "", log: str = "") -> None:
        super().__init__(reason, detail, deck, log)  # all four, so that it can be pickled between processes
        self.reason = reason
        self.detail = detail
        self.deck = deck
        self.log = log

    def __reduce__(self) -> tuple:
        """Rebuild from the four parts: the default would lose the keyword-only arguments."""
        return _simulation_error, (self.reason, self.detail, self.deck, self.log)

    def __str__(self) -> str:
        detail, title = self.detail.rstrip("."), self.deck.partition("\n")[0].strip()
        deck = f" [deck: {title}]" if title else ""
        return f"ngspice run failed ({self.reason}): {detail}{deck}."


def _simulation_error(reason: str, detail: str, deck: str, log: str) -> SimulationError:
    return SimulationError(reason, detail, deck=deck, log=log)
