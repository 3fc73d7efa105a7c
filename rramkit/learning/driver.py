"""The training loop: it advances a training to its end, writes checkpoints, resumes from one, and reports progress."""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from rramkit.learning import checkpoint
from rramkit.learning.checkpoint import Checkpoint


@dataclass(frozen=True)
class Report(ABC):
    """The outcome of one epoch or one evaluation, for a progress display.

    `done` of `total` units of the training are over; `text` says in one line what came out.
    """

    @property
    @abstractmethod
    def done(self) -> int:
        """Units of the training that are over."""

    @property
    @abstractmethod
    def total(self) -> int:
        """All units of the training."""

    @property
    @abstractmethod
    def text(self) -> str:
        """What came out, in one line."""


AnyReport = TypeVar("AnyReport", bound=Report)


class Training(ABC, Generic[AnyReport]):
    """One training, supervised or by reinforcement, that the loop advances in place.

    What a step draws depends on seed and position alone, so that a checkpoint needs no generator's state.
    """

    @property
    @abstractmethod
    def identity(self) -> str:
        """What a checkpoint must agree in: settings, origin of the tables, data, version of the kit."""

    @property
    @abstractmethod
    def finished(self) -> bool:
        """Whether nothing is left to train."""

    @property
    @abstractmethod
    def checkpoint_due(self) -> bool:
        """Whether a checkpoint is to be written now."""

    @abstractmethod
    def advance(self) -> AnyReport | None:
        """Train one epoch, or act once with what is due after it; return a report where there is one."""

    @abstractmethod
    def without_cache(self) -> None:
        """Drop what reads have prepared, so that a resumed training goes on from the very same state."""

    @abstractmethod
    def checkpoint(self, seconds: float) -> Checkpoint:
        """Return what the training has reached after so many seconds."""

    @abstractmethod
    def resume(self, reached: Checkpoint) -> None:
        """Go on from a checkpoint."""

    def past_reports(self) -> Sequence[AnyReport]:
        """Return the reports before the checkpoint that are to be shown again."""
        return ()


def drive(
    training: Training[AnyReport],
    *,
    progress: Callable[[AnyReport], None] | None = None,
    run_path: Path | None = None,
) -> float:
    """Train to the end, from the checkpoint beside `run_path` where there is one; return the time it took (s).

    Raises
    ------
    InputError
        When the checkpoint belongs to another training.
    """
    start, path = time.perf_counter(), None if run_path is None else checkpoint.path_of(run_path)
    reached = None if path is None else checkpoint.load(path, identity=training.identity)
    if reached is not None:
        past = _resumed(training, reached, path)
        start -= reached.seconds
        for report in past:
            _show(progress, report)
    while not training.finished:
        report = training.advance()
        if training.checkpoint_due:
            training.without_cache()  # with or without a file: both go on from the very same state
            if path is not None:
                seconds = time.perf_counter() - start
                checkpoint.save(training.checkpoint(seconds), path, identity=training.identity)
        _show(progress, report)
    return time.perf_counter() - start


def _resumed(training: Training[AnyReport], reached: Checkpoint, path: Path | None) -> Sequence[AnyReport]:
    """Go on from a checkpoint; return the reports before it. Its arrays may be anything: the file comes from outside.

    Raises
    ------
    TableError
        When they are not those of the training.
    """
    try:
        training.resume(reached)
        return training.past_reports()
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, MemoryError) as error:
        raise checkpoint.damaged(path or Path("the checkpoint")) from error


def _show(progress: Callable[[AnyReport], None] | None, report: AnyReport | None) -> None:
    if progress is not None and report is not None:
        progress(report)
