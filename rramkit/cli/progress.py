"""Signs of life on the error stream: bars on a terminal, lines of a log elsewhere.

A log has a line when the command has gone on for two seconds, one a stage when it ends, and one a minute between, each
with what is done and the time left. `--quiet` and `--json` leave all of them out.

Every command runs inside a log of its name (`cli/app.py`), and so is heard of without a line of its own. It may name
its stages (`stage`), or count their pieces (`stages`); what is opened innermost speaks, the logs around it are still.
"""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic
from typing import TYPE_CHECKING, Protocol

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from rramkit.characterization.engine.runner import Progress, Report
    from rramkit.learning.driver import Report as TrainingReport

FIRST, EVERY = 2.0, 60.0
"""Seconds to the first line of a log, and between two others."""

VARIABLE = "RRAMKIT_PROGRESS"
"""Environment variable: `stages` leaves out the lines that the clock alone gives, so that a log is always the same."""


def _write(line: str) -> None:
    typer.echo(line, err=True)


class Log:
    """The lines of a log; `clock` gives seconds, and `write` takes a line.

    A line that a stage does not give by itself, since its first piece takes long, comes from `beat`.
    """

    def __init__(
        self,
        name: str,
        *,
        write: Callable[[str], None] = _write,
        clock: Callable[[], float] = monotonic,
        before: float = 0.0,
    ) -> None:
        """Begin; the work had taken `before` seconds when the log came to it."""
        self._write, self._clock, self._lock = write, clock, threading.Lock()
        self._start = self._stage_start = self._seen = self._last = clock() - before
        self._is_timed = os.environ.get(VARIABLE, "") != "stages"
        self._stage, self._text, self._is_first, self._is_named = name, "", True, False

    def show(self, stage: str, done: int, total: int, *, of: str = "", state: str = "", free: int = 0) -> None:
        """Take what is done: of a stage's end a line, of anything else one where the last is a minute old.

        A stage begins where the one before ended. Pieces that are `free` took no time: the rest has that of the others.
        """
        with self._lock:
            if stage != self._stage:
                self._stage, self._stage_start = stage, self._seen
            self._seen = self._clock()
            seconds = self._seen - self._stage_start
            pieces = of.removesuffix("s") if total == 1 else of
            parts = [f"{done} of {total}{f' {pieces}' if of else ''}", *([state] if state else [])]
            if done < total:
                left = [f"about {_time(seconds * (total - done) / (done - free))} left"] if done > free else []
                self._text = ", ".join([*parts, *left])
            else:
                self._line(f"{stage}: {', '.join(parts)}, done in {_time(seconds)}")
                self._text = ""
        self.beat()

    def begin(self, stage: str) -> None:
        """Name what is done from now on; the stage before has a line where it took longer than two seconds."""
        with self._lock:
            now = self._clock()
            if self._is_timed and self._is_named and now - self._stage_start >= FIRST:
                self._line(f"{self._stage}: done in {_time(now - self._stage_start)}")
            self._stage, self._stage_start, self._seen, self._text, self._is_named = stage, now, now, "", True

    def resume(self, *, heard: bool) -> None:
        """Go on after another log has spoken; `heard`: it wrote a line, so that the next one is due in a minute."""
        with self._lock:
            if heard:
                self._last, self._is_first = self._clock(), False

    @property
    def was_heard(self) -> bool:
        """Whether a line was written."""
        return not self._is_first

    def step(self, stage: str, done: int, total: int, text: str) -> None:
        """Write a line about a piece that is long by itself, as one training of many, with the time left."""
        with self._lock:
            self._stage, seconds = stage, self._clock() - self._start
            left = f", about {_time(seconds * (total - done) / done)} left" if done < total else ""
            self._text = f"{done} of {total}{left}"
            self._line(f"{text} ({self._text})")

    def beat(self) -> None:
        """Write a line where none has come for two seconds from the start, or for a minute since the last."""
        with self._lock:
            if self._is_timed and self._clock() - self._last >= (FIRST if self._is_first else EVERY):
                running = f"running for {_time(self._clock() - self._start)}"
                self._line(f"{self._stage}: {', '.join([*([self._text] if self._text else []), running])}")

    def _line(self, text: str) -> None:
        self._last, self._is_first = self._clock(), False
        self._write(text)


def _time(seconds: float) -> str:
    """Return a time for a person: `42 s`, `7 min`, `2 h 05 min`."""
    if seconds < 90.0:
        return f"{max(round(seconds), 1)} s"
    minutes = round(seconds / 60.0)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02} min"


_open: "list[Log | None]" = []  # logs that are running, the innermost last; None: a bar on the terminal
_loading: ContextVar[float] = ContextVar("seconds until the command began", default=0.0)


def loaded_in(seconds: float) -> None:
    """Say how long the command line took to load: the first line of a command is due two seconds after its start."""
    _loading.set(seconds)


def stage(name: str) -> None:
    """Name what the running command does from now on, for the lines of its log."""
    if _open and _open[-1] is not None:
        _open[-1].begin(name)


@contextmanager
def _speaking(log: "Log | None") -> Iterator[None]:
    """Let a log, or a bar, alone speak in the block."""
    _open.append(log)
    try:
        yield
    finally:
        _open.remove(log)
        if _open and (below := _open[-1]) is not None:
            below.resume(heard=log is None or log.was_heard)


@contextmanager
def log(name: str, *, quiet: bool) -> "Iterator[Log]":
    """Yield a log of the work in the block, which beats beside it; `quiet`: without a line."""
    before = 0.0 if _open else _loading.get()
    lines = Log(name, write=(lambda _: None) if quiet else _write, before=before)
    around = next((each for each in reversed(_open) if each is not None), None)
    lines.resume(heard=around is not None and around.was_heard)  # the first line of a command was written
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(FIRST / 4.0):
            if _open and _open[-1] is lines:
                lines.beat()

    thread = threading.Thread(target=beat, name="signs of life", daemon=True)
    with _speaking(lines):
        thread.start()
        try:
            yield lines
        finally:
            ended.set()
            thread.join()


class Show(Protocol):
    """Takes what is done of a stage, as `Log.show` does."""

    def __call__(self, stage: str, done: int, total: int, *, of: str = "", state: str = "", free: int = 0) -> None:
        """Show it."""
        ...


@contextmanager
def stages(name: str, *, quiet: bool) -> "Iterator[Show]":
    """Yield a function that shows stages of counted pieces: a bar a stage on a terminal, else the lines of a log."""
    if quiet or not sys.stderr.isatty():
        with log(name, quiet=quiet) as lines:
            yield lines.show
        return
    with _Bars() as bars:
        yield bars.show


class _Bars:
    """Bars on the terminal: what is done, the rate of pieces that took time, and the time left, labelled as such."""

    def __init__(self) -> None:
        columns = (
            TextColumn("{task.description:<18}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TextColumn("{task.fields[text]}"),
            TimeElapsedColumn(),
        )
        self._bars, self._tasks = Bars(*columns, console=Console(stderr=True)), {}
        self._begun: dict[str, float] = {}
        self._seen, self._speaking = monotonic(), _speaking(None)

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *_: object) -> None:
        if self._tasks:
            self._bars.stop()
            self._speaking.__exit__(None, None, None)

    def show(self, stage: str, done: int, total: int, *, of: str = "", state: str = "", free: int = 0) -> None:
        """Show what is done; bars start only now: a job that is refused before its first piece shows none."""
        if not self._tasks:
            self._speaking.__enter__()
            self._bars.start()
        if stage not in self._tasks:
            self._tasks[stage] = self._bars.add_task(stage, total=total, text="")
            self._begun[stage] = self._seen
        self._seen = monotonic()
        text = _rate_and_left(self._seen - self._begun[stage], done, total, of=of, free=free)
        self._bars.update(
            self._tasks[stage], completed=done, total=total, text=", ".join([*text, *filter(None, [state])])
        )


def _rate_and_left(seconds: float, done: int, total: int, *, of: str, free: int) -> list[str]:
    """Return the rate of the pieces that were not `free`, and the time left; nothing in the first second of a stage."""
    run = done - free
    if run <= 0 or seconds < 1.0:
        return []
    rate = [f"{run / seconds:.1f} {of}/s"] if of else []
    return rate + ([f"about {_time(seconds * (total - done) / run)} left"] if done < total else [])


@contextmanager
def spice_progress(*, quiet: bool) -> "Iterator[Report]":
    """Yield a function that shows each `Progress` of points in ngspice."""
    with stages("ngspice", quiet=quiet) as show:
        yield lambda progress: show(
            progress.stage, progress.done, progress.total, of="points", state=_besides(progress), free=progress.reused
        )


def _besides(progress: "Progress") -> str:
    """Return what else is to be said of a stage's points."""
    parts = [f"{progress.reused} of them finished before"] if progress.reused else []
    return ", ".join(parts + ([f"{progress.failed} failed"] if progress.failed else []))


@contextmanager
def training_progress(*, quiet: bool) -> "Iterator[Callable[[TrainingReport], None]]":
    """Yield a function that shows each report of a training: what came out, and the time left."""
    with stages("training", quiet=quiet) as show:
        yield lambda report: show("training", report.done, report.total, state=report.text)
