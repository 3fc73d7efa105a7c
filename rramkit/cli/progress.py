"""Progress bars on the error stream: of SPICE jobs by stage, of trainings by their reports."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

if TYPE_CHECKING:
    from rramkit.characterization.engine.runner import Progress, Report
    from rramkit.learning.driver import Report as TrainingReport


@contextmanager
def spice_progress(*, quiet: bool) -> "Iterator[Report]":
    """Yield a function that shows each `Progress` on standard error; a line for each stage where that is a file."""
    console = Console(stderr=True, quiet=quiet)
    columns = (
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=28),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    bars, tasks = Bars(*columns, console=console), {}

    def show(progress: "Progress") -> None:
        bars.start()  # only now: a job that is refused before its first run shows no empty bar
        if progress.stage not in tasks:
            tasks[progress.stage] = bars.add_task(progress.stage, total=progress.total, rate="")
        task = bars.tasks[bars.task_ids.index(tasks[progress.stage])]
        rate = f"{progress.done / task.elapsed:7.1f} points/s" if task.elapsed else ""
        failed = f" [red]{progress.failed} failed[/]" if progress.failed else ""
        bars.update(task.id, completed=progress.done, rate=rate + failed)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()


@contextmanager
def training_progress(total: int, *, quiet: bool) -> "Iterator[Callable[[TrainingReport], None]]":
    """Yield a function that shows each report of a training of `total` units: bar, what came out, time left."""
    columns = (BarColumn(bar_width=10), MofNCompleteColumn(), TextColumn("{task.fields[state]}"), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), disable=quiet) as bars:
        task = bars.add_task("training", total=total, state="")

        def show(report: "TrainingReport") -> None:
            bars.update(task, completed=report.done, state=report.text)

        yield show
