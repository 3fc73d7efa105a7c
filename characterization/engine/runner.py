"""Run the points of a stage, or of a shard of it, with convergence aids where a run fails; report the progress.

A failed point is a result too.
"""

import re
import warnings
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Protocol, Self

import numpy as np

from rramkit.characterization.engine.convergence_aids import AGAIN
from rramkit.characterization.engine.point import Job, MeasuredValues, Outcome, Point, PointGroup
from rramkit.characterization.engine.retry import Attempt, first_attempts
from rramkit.characterization.engine.store import Store
from rramkit.errors import InputError, SimulationError, SimulatorWarning


@dataclass(frozen=True)
class Progress:
    """`done` of `total` points of `stage` have ended, `failed` of them without a result; `reused` ran before."""

    stage: str
    done: int
    total: int
    failed: int = 0
    reused: int = 0


Report = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Report nothing."""


@dataclass(frozen=True)
class Shard:
    """Share number `index` (1 to `count`) of `count`.

    A point belongs to the share that its cache key names: shares need not communicate, and each has nearly as many.
    """

    index: int
    count: int

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Read `i/N`; raise `InputError` when it is not that."""
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if match is None or not 1 <= int(match[1]) <= int(match[2]):
            raise InputError(f"`--shard` must be i/N with i from 1 to N; got {text!r}. For instance: --shard 3/8")
        return cls(int(match[1]), int(match[2]))

    def has(self, key: bytes) -> bool:
        """Return whether the point of this hash is ours."""
        return int.from_bytes(key[:8], "big") % self.count == self.index - 1

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


class Elsewhere(Exception):
    """Raised where a table cannot be made because some of its points belong to other shares; not an error."""


WARNED_MOST = 20  # warnings that are said: where there are more, node names or numbers differ from deck to deck
IN_FLIGHT = 4  # jobs handed out for each worker: enough to keep it busy, few enough to make decks lazily


class Executor(Protocol):
    """Where jobs run, as `concurrent.futures` has it.

    Attributes
    ----------
    simulator : str
        What its ngspice is: version and solver.
    workers : int
        How many jobs run at a time.
    """

    @property
    def simulator(self) -> str: ...  # noqa: D102

    @property
    def workers(self) -> int: ...  # noqa: D102

    def submit(self, job: Job) -> "Future[MeasuredValues]":
        """Hand out one job; its future holds what was measured, or a `SimulationError` that says why not."""
        ...


@dataclass
class RunCounts:
    """Counts over a whole characterisation.

    Attributes
    ----------
    runs, swept_points, seconds : int, int, float
        Points that have a result, the inputs or biases that these swept, ngspice's wall-clock seconds for them; those
        that were reused from the store count like the others.
    reused, retried, alone, failed : int
        Points reused from the store; those with a result that is not of the first attempt; of these, those that ran
        alone because the deck that they shared failed; those without a result.
    warned : set of str
        What ngspice warned of; each is said once.
    """

    runs: int = 0
    swept_points: int = 0
    seconds: float = 0.0
    reused: int = 0
    retried: int = 0
    alone: int = 0
    failed: int = 0
    warned: set[str] = field(default_factory=set)

    def add(self, outcome: Outcome) -> None:
        """Count one point; say what ngspice warned of where that is new."""
        for text in outcome.warnings:
            if text not in self.warned and len(self.warned) < WARNED_MOST:
                warnings.warn(f"ngspice warns: {text}", SimulatorWarning, stacklevel=2)
            self.warned.add(text)
        self.reused += outcome.reused
        if outcome.values is None:
            self.failed += 1
            return
        self.retried += outcome.retried
        self.alone += outcome.alone
        self.runs += 1
        self.swept_points += outcome.swept
        self.seconds += outcome.seconds

    def retries(self) -> str:
        """Return what was retried, for a person; nothing where nothing was."""
        return retries(self.retried, self.alone)


def retries(retried: int, alone: int) -> str:
    """Return the words of so many points that were retried, and that ran alone, of them."""
    parts = [f"{retried} retried"] if retried else []
    return ", ".join(parts + ([f"{alone} of them alone, after a shared deck that failed"] if alone else []))


@dataclass(frozen=True)
class Runner:
    """Where points are run.

    Attributes
    ----------
    executor : Executor
        A pool of this machine, or a cluster.
    report : callable
        Called for every point that ends.
    max_failed : float
        Fraction of a stage's points that may fail before the run does.
    store : Store, optional
        Finished points; those found there do not run.
    shard : Shard, optional
        Our share of the points that no later deck builds on; default: all of them.
    waive : tuple of str
        Parts of ngspice's warnings that are accepted; each deck says them.
    tally : RunCounts
        The counts.
    prepared : dict
        What prerequisite runs gave, by component, parameters, corner and draw: plans of one file share it.
    """

    executor: Executor
    report: Report
    max_failed: float = 0.01
    store: Store | None = None
    shard: Shard | None = None
    waive: tuple[str, ...] = ()
    tally: RunCounts = field(default_factory=RunCounts)
    prepared: dict[tuple[object, ...], Any] = field(default_factory=dict)

    def run(self, stage: str, runs: Sequence[Point | PointGroup]) -> list[Outcome]:
        """Run all points of a stage; return their outcomes in order, those of a group one after the other.

        Raises
        ------
        SimulationError
            Of a deck that is wrong (reason `parse`), or when more than `max_failed` of the points failed.
        Elsewhere
            When only a share of the points was ours; they have run.
        """
        return self.together({stage: runs})[stage]

    def together(self, stages: Mapping[str, Sequence[Point | PointGroup]]) -> dict[str, list[Outcome]]:
        """Run stages whose decks do not build on each other, as `run`, but side by side.

        One after the other, each would end with workers that have nothing to do.
        """
        outcomes = self._run(stages, self.max_failed, self.shard)
        if any(None in each for each in outcomes.values()):
            raise Elsewhere
        return {stage: [outcome for outcome in each if outcome] for stage, each in outcomes.items()}

    def need(self, stage: str, runs: Sequence[Point | PointGroup]) -> list[np.ndarray]:
        """Run points that later decks build on: every share runs all, and none may fail; return their values."""
        outcomes = self._run({stage: runs}, 0.0, None)[stage]
        return [outcome.values for outcome in outcomes if outcome is not None and outcome.values is not None]

    def _run(
        self, stages: Mapping[str, Sequence[Point | PointGroup]], max_failed: float, shard: Shard | None
    ) -> dict[str, list[Outcome | None]]:
        """Return the outcomes of each stage, None for those of other shares."""
        books, first = [], 0
        for name, runs in stages.items():
            total = sum(len(run.points) if isinstance(run, PointGroup) else 1 for run in runs)
            books.append(StageBook(name, first, [None] * total, Failures(name, total, max_failed)))
            first += total
        starts = [book.first for book in books]
        for place, point, outcome in self._ended(chain.from_iterable(stages.values()), shard):
            book = books[bisect_right(starts, place) - 1]
            if outcome is not None:
                self.tally.add(outcome)
            self.report(book.with_end(place, point, outcome))
        return {book.name: book.outcomes for book in books}

    def _ended(
        self, runs: Iterable[Point | PointGroup], shard: Shard | None
    ) -> Iterator[tuple[int, Point, Outcome | None]]:
        """Yield (place, point, outcome) of each point as it ends; few runs are under way at any time."""
        under_way: dict[Future[MeasuredValues], Attempt] = {}
        fresh = first_attempts(runs, self.executor.simulator, waive=self.waive)
        again: deque[Attempt] = deque()
        while True:
            while len(under_way) < IN_FLIGHT * self.executor.workers:
                ours = shard is None or bool(again)  # what follows from an attempt of ours is ours
                attempt = again.popleft() if again else next(fresh, None)
                if attempt is None:
                    break
                stored = self._stored(attempt)
                if stored is None and not ours and shard is not None and not shard.has(attempt.key):
                    yield from ((attempt.place + k, point, None) for k, point in enumerate(attempt.points))
                elif stored is None:
                    under_way[self.executor.submit(attempt.job())] = attempt
                else:
                    yield from self._ended_points(attempt, stored, again)
            if not under_way:
                return
            for future in wait(under_way, return_when=FIRST_COMPLETED).done:
                attempt = under_way.pop(future)
                try:
                    measured = future.result()
                except SimulationError as error:
                    further = attempt.after(error)
                    if further is not None:
                        again.append(further)
                        continue
                    outcome = Outcome(None, error.reason, error.detail, attempt.aid, log=error.log)
                else:
                    outcome = Outcome(
                        measured.values,
                        None,
                        "\n".join(measured.warnings),
                        attempt.aid,
                        measured.swept,
                        measured.seconds,
                    )
                self._keep(attempt, outcome)
                yield from self._ended_points(attempt, outcome, again)

    def _ended_points(
        self, attempt: Attempt, outcome: Outcome, again: "deque[Attempt]"
    ) -> Iterator[tuple[int, Point, Outcome]]:
        """Yield the points of a run that has ended; those of a group that failed run alone instead."""
        if isinstance(attempt.run, PointGroup) and outcome.reason not in (None, "parse"):
            simulator = self.executor.simulator
            again.extend(first_attempts(attempt.points, simulator, waive=self.waive, place=attempt.place, alone=True))
        else:
            yield from attempt.outcomes(outcome)

    def _stored(self, attempt: Attempt) -> Outcome | None:
        is_first = attempt.aid == 0 and not attempt.repeated
        return self.store.find(attempt.key) if self.store is not None and is_first else None

    def _keep(self, attempt: Attempt, outcome: Outcome) -> None:
        """Keep what would come out again: not a crash or a timeout, which may have had its cause outside."""
        if self.store is not None and outcome.reason not in (*AGAIN, "parse"):
            is_apart = isinstance(attempt.run, PointGroup) and outcome.reason is not None
            self.store.keep(attempt.key, outcome, answers=0 if is_apart else len(attempt.points))


@dataclass
class StageBook:
    """What has come of the points of a stage; the first of them is point `first` of those that run side by side."""

    name: str
    first: int
    outcomes: list[Outcome | None]
    failures: "Failures"
    done: int = 0
    reused: int = 0

    def with_end(self, place: int, point: Point, outcome: Outcome | None) -> Progress:
        """Take in the end of the point at a place; return the stage's progress."""
        self.done += 1
        if outcome is not None:
            self.outcomes[place - self.first] = outcome
            self.reused += outcome.reused
            if outcome.reason is not None:
                self.failures.add(place - self.first, point, outcome)
        return Progress(self.name, self.done, len(self.outcomes), self.failures.count, self.reused)


class Failures:
    """The failed points of a stage; too many of them end the run with their list."""

    def __init__(self, stage: str, total: int, max_failed: float) -> None:
        self._stage, self._total, self._max_failed = stage, total, max_failed
        self._found: list[tuple[int, Point, Outcome]] = []

    @property
    def count(self) -> int:
        """Return how many there are."""
        return len(self._found)

    def add(self, place: int, point: Point, outcome: Outcome) -> None:
        """Count one; raise `SimulationError` when it is a wrong deck, or one more than may fail."""
        self._found.append((place, point, outcome))
        if outcome.reason == "parse" or self.count > self._max_failed * self._total:
            raise self._error()

    def _error(self) -> SimulationError:
        """Return the last failure's error with its deck and log; where there are several, with the list of all."""
        _, point, outcome = self._found[-1]
        detail, log, reason = outcome.detail, outcome.log, outcome.reason or ""
        if reason != "parse" and self._total > 1:
            detail = (
                f"{self.count} of the {self._total} points of `{self._stage}` failed every attempt, more than "
                f"`max_failed` = {self._max_failed:g} of them; the last: {detail}"
            )
            log = "\n".join(["all that failed:", *self._lines(), "", "the last one's log:", log])
        return SimulationError(reason, detail, deck=point.make_deck(), log=log)

    def _lines(self) -> list[str]:
        return [f"{self._stage} {k} ({p.label}): {o.reason}: {o.detail}" for k, p, o in self._found]
