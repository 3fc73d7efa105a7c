"""Run one stage's points: every deck, up a ladder of attempts where it fails; a point that fails is a result."""

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from rramkit.characterization.attempts import AGAIN, HOPELESS, LADDER
from rramkit.characterization.point import Job, Measured, Outcome, Point
from rramkit.characterization.progress import Progress, Report
from rramkit.errors import SimulationError

IN_FLIGHT = 4  # jobs handed out for each worker: enough to keep it busy, few enough to make decks lazily


class Executor(Protocol):
    """Where jobs run. `submit` gives a future of `Measured`, or of a `SimulationError` that says why not."""

    workers: int

    def submit(self, job: Job) -> "Future[Measured]":
        """Hand out one job."""
        ...


@dataclass
class Tally:
    """Counts over a whole characterisation: runs, swept points that ngspice solved, its seconds, attempts, failures."""

    runs: int = 0
    swept_points: int = 0
    seconds: float = 0.0
    retried: int = 0
    failed: int = 0

    def add(self, outcome: Outcome) -> None:
        """Count one finished point."""
        self.retried += outcome.attempt > 0
        if outcome.values is None:
            self.failed += 1
            return
        self.runs += 1
        self.swept_points += outcome.swept
        self.seconds += outcome.seconds


@dataclass(frozen=True)
class Bench:
    """Where points are run: the executor, who is told, what may fail, and the counts.

    `max_failed` is the fraction of a stage's points that may fail before the run does.
    """

    executor: Executor
    report: Report
    max_failed: float = 0.01
    tally: Tally = field(default_factory=Tally)

    def run(self, stage: str, points: Sequence[Point]) -> list[Outcome]:
        """Run all points of a stage; return what became of each, in the same order.

        Raises
        ------
        SimulationError
            Of a deck that is wrong (reason `parse`), or when more than `max_failed` of the points failed.
        """
        return self._run(stage, points, self.max_failed)

    def need(self, stage: str, points: Sequence[Point]) -> list[np.ndarray]:
        """Run points that later ones build on, so that none may fail; return their values in the same order."""
        outcomes = self._run(stage, points, 0.0)
        return [outcome.values for outcome in outcomes if outcome.values is not None]

    def _run(self, stage: str, points: Sequence[Point], max_failed: float) -> list[Outcome]:
        outcomes: list[Outcome | None] = [None] * len(points)
        failures: dict[int, SimulationError] = {}
        for done, (index, outcome, error) in enumerate(self._finished(points), 1):
            outcomes[index] = outcome
            self.tally.add(outcome)
            if error is not None:
                failures[index] = error
                if error.reason == "parse" or len(failures) > max_failed * len(points):
                    raise _too_many(stage, points, failures, max_failed)
            self.report(Progress(stage, done, len(points), len(failures)))
        return [outcome for outcome in outcomes if outcome is not None]

    def _finished(self, points: Sequence[Point]) -> Iterator[tuple[int, Outcome, SimulationError | None]]:
        """Yield (index, outcome, last error) as points end, few of them in flight at any time."""
        running: dict[Future[Measured], _Attempt] = {}
        waiting = iter(range(len(points)))
        while True:
            while len(running) < IN_FLIGHT * self.executor.workers and (index := next(waiting, None)) is not None:
                self._start(running, _Attempt(index, points[index]))
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                attempt = running.pop(future)
                try:
                    found = future.result()
                except SimulationError as error:
                    again = attempt.next(error)
                    if again is not None:
                        self._start(running, again)
                    else:
                        outcome = Outcome(None, error.reason, error.detail, attempt.rung)
                        yield attempt.index, outcome, error
                else:
                    yield attempt.index, Outcome(found.values, None, "", attempt.rung, found.swept, found.seconds), None

    def _start(self, running: "dict[Future[Measured], _Attempt]", attempt: "_Attempt") -> None:
        running[self.executor.submit(attempt.job())] = attempt


@dataclass(frozen=True)
class _Attempt:
    """One run of a point: which rung of the ladder, and whether the same deck has run before."""

    index: int
    point: Point
    rung: int = 0
    repeated: bool = False

    def job(self) -> Job:
        return Job(LADDER[self.rung].change(self.point.make_deck()), self.point.measure)

    def next(self, error: SimulationError) -> "_Attempt | None":
        """Return what to try after this attempt's error; None when nothing is left."""
        if error.reason in AGAIN and not self.repeated:
            return _Attempt(self.index, self.point, self.rung, repeated=True)
        if error.reason in HOPELESS or self.rung + 1 == len(LADDER):
            return None
        return _Attempt(self.index, self.point, self.rung + 1, self.repeated)


def _too_many(
    stage: str, points: Sequence[Point], failures: dict[int, SimulationError], max_failed: float
) -> SimulationError:
    """Return the first failure, said to be one of too many, with the list of all in its log."""
    first = next(iter(failures.values()))
    if first.reason == "parse" or len(points) == 1:
        return first
    listed = [
        f"{stage} {index} {points[index].label}: {error.reason}: {error.detail}" for index, error in failures.items()
    ]
    detail = (
        f"{len(failures)} of the {len(points)} points of `{stage}` failed every attempt, more than `max_failed` = "
        f"{max_failed:g} of them; first: {first.detail}"
    )
    return SimulationError(first.reason, detail, deck=first.deck, log="\n".join([*listed, "", first.log]))
