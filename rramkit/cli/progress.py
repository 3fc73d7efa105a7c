"""Signs of life on the error stream: bars on a terminal, lines of a log elsewhere.

A log has a line when the work has gone on for two seconds, one a stage when it ends, and one a minute between, each
with what is done and the time left. `--quiet` and `--json` leave all of them out.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from rramkit.characterization.engine.runner import Progress, Report
    from rramkit.learning.driver import Report as TrainingReport

FIRST, EVERY = 2.0, 60.0
"""Seconds to the first line of a log, and between two others."""


def _write(line: str) -> None:
    typer.echo(line, err=True)


class Log:
    """The lines of a log; `clock` gives seconds, and `write` takes a line.

    A line that a stage does not give by itself, since its first piece takes long, comes from `beat`.
    """

    def __init__(
        self, name: str, *, write: Callable[[str], None] = _write, clock: Callable[[], float] = monotonic
    ) -> None:
        self._write, self._clock, self._lock = write, clock, threading.Lock()
        self._start = self._stage_start = self._seen = self._last = clock()
        self._stage, self._text, self._is_first = name, "", True

    def show(self, stage: str, done: int, total: int, *, of: str = "", state: str = "", free: int = 0) -> None:
        """Take what is done: of a stage's end a line, of anything else one where the last is a minute old.

        A stage begins where the one before ended. Pieces that are `free` took no time: the rest has that of the others.
        """
        with self._lock:
            if stage != self._stage:
                self._stage, self._stage_start = stage, self._seen
            self._seen = self._clock()
            seconds = self._seen - self._stage_start
            parts = [f"{done} of {total}{f' {of}' if of else ''}", *([state] if state else [])]
            if done < total:
                left = [f"about {_time(seconds * (total - done) / (done - free))} left"] if done > free else []
                self._text = ", ".join([*parts, *left])
            else:
                self._line(f"{stage}: {', '.join(parts)}, done in {_time(seconds)}")
                self._text = ""
        self.beat()

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
            if self._clock() - self._last >= (FIRST if self._is_first else EVERY):
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


@contextmanager
def log(name: str, *, quiet: bool) -> "Iterator[Log]":
    """Yield a log of the work in the block, which beats beside it; `quiet`: without a line."""
    lines, ended = Log(name, write=(lambda _: None) if quiet else _write), threading.Event()

    def beat() -> None:
        while not ended.wait(FIRST):
            lines.beat()

    thread = threading.Thread(target=beat, name="signs of life", daemon=True)
    thread.start()
    try:
        yield lines
    finally:
        ended.set()
        thread.join()


@contextmanager
def spice_progress(*, quiet: bool) -> "Iterator[Report]":
    """Yield a function that shows each `Progress`: a bar a stage on a terminal, else the lines of a log."""
    if not sys.stderr.isatty():
        with log("ngspice", quiet=quiet) as lines:
            yield lambda progress: lines.show(
                progress.stage,
                progress.done,
                progress.total,
                of="points",
                state=_besides(progress),
                free=progress.reused,
            )
        return
    console = Console(stderr=True, quiet=quiet)
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    bars, tasks = Bars(*columns, console=console), {}

    def show(progress: "Progress") -> None:
        bars.start()  # only now: a job that is refused before its first run shows no empty bar
        if progress.stage not in tasks:
            tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total, rate="")
        task = bars.tasks[bars.task_ids.index(tasks[progress.stage])]
        run = progress.done - progress.reused  # points that are only read from the store have no rate
        rate = f"{run / task.elapsed:7.1f} points/s" if task.elapsed and run else ""
        failed = f" [red]{progress.failed} failed[/]" if progress.failed else ""
        bars.update(task.id, completed=progress.done, rate=rate + failed)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()


def _besides(progress: "Progress") -> str:
    """Return what else is to be said of a stage's points."""
    parts = [f"{progress.reused} of them finished before"] if progress.reused else []
    return ", ".join(parts + ([f"{progress.failed} failed"] if progress.failed else []))


@contextmanager
def training_progress(total: int, *, quiet: bool) -> "Iterator[Callable[[TrainingReport], None]]":
    """Yield a function that shows each report of a training of `total` units: what came out, and the time left."""
    if not sys.stderr.isatty():
        with log("training", quiet=quiet) as lines:
            yield lambda report: lines.show("training", report.done, total, state=report.text)
        return
    columns = (
        BarColumn(bar_width=10),
        MofNCompleteColumn(),
        TextColumn("{task.fields[state]}"),
        TimeRemainingColumn(),
        TextColumn("left"),
    )
    with Bars(*columns, console=Console(stderr=True), disable=quiet) as bars:
        task = bars.add_task("training", total=total, state="")

        def show(report: "TrainingReport") -> None:
            bars.update(task, completed=report.done, state=report.text)

        yield show
