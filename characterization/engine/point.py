"""One point of a plan: its deck, generated lazily, and the measure that reduces its waveforms.

The measure runs in the process that ran ngspice, so that only its few numbers travel, never the waveforms.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.waveforms import Waveforms
from rramkit.errors import KitError, SimulationError

Measurement = Callable[[Waveforms], np.ndarray]
"""From the waveforms of one run to numbers of a shape that the point knows, all finite."""


@dataclass(frozen=True)
class Point:
    """One run.

    Attributes
    ----------
    make_deck : callable
        Returns the deck's text; called when a worker is near to needing it.
    measure : callable
        A function of a module, or a `functools.partial` of one with frozen arguments: it travels to other processes.
    label : str
        Its coordinates, for lists of failed points: `g_start = 4e-06, v_pulse = 1.1`.
    """

    make_deck: Callable[[], str]
    measure: Measurement
    label: str = ""


@dataclass(frozen=True)
class PointGroup:
    """Points that one run answers together, such as cells side by side in one deck.

    Where that run fails, its points run alone.

    Attributes
    ----------
    points : tuple of Point
        The same points, each by itself.
    make_deck : callable
        Returns the deck of all of them.
    measure : callable
        As of a point; its first axis are the points, in order.
    """

    points: tuple[Point, ...]
    make_deck: Callable[[], str]
    measure: Measurement


@dataclass(frozen=True)
class Job:
    """Work for an executor: a deck's text and the measure of its waveforms."""

    deck: str
    measure: Measurement


@dataclass(frozen=True)
class MeasuredValues:
    """Result of a job.

    The measure's numbers, how many points the run swept, ngspice's wall-clock seconds, and what it warned of.
    """

    values: np.ndarray
    swept: int
    seconds: float
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """Result of a point, or why it has none.

    Attributes
    ----------
    values : ndarray or None
        The measure's numbers; None when every attempt failed.
    reason, detail : str or None, str
        Why it failed (a reason of `SimulationError`), and ngspice's message; None, and what ngspice warned of, a line
        each, when it did not.
    attempt : int
        Number of the convergence aid that gave the values, or of the last one tried; 0 is the deck as written.
    swept : int
        Points that the run swept; a transient is one.
    seconds : float
        Wall-clock time in ngspice of the attempt that gave the values.
    log : str
        The tail of ngspice's log, where the point failed in this very run.
    reused : bool
        Whether it came from the store.
    repeats : int
        Times that the same deck ran before, in this run: its process crashed, was killed, or reached its time limit.
    alone : bool
        Whether the point ran alone because the deck that it shared with others failed: with time steps of its own, so
        its numbers differ from those of a shared deck by as much as the step does.
    """

    values: np.ndarray | None
    reason: str | None = None
    detail: str = ""
    attempt: int = 0
    swept: int = 0
    seconds: float = 0.0
    log: str = ""
    reused: bool = False
    repeats: int = 0
    alone: bool = False

    @property
    def retried(self) -> bool:
        """Whether the values are not those of the first attempt at the first deck."""
        return self.attempt > 0 or self.repeats > 0 or self.alone

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return what ngspice warned of in a run that gave values."""
        return tuple(self.detail.splitlines()) if self.values is not None else ()


def measured(job: Job, waves: Waveforms, warnings: tuple[str, ...] = ()) -> MeasuredValues:
    """Reduce waveforms by the job's measure; raise `SimulationError` of reason `measure` when that gives no numbers."""
    try:
        values = np.asarray(job.measure(waves), dtype=float)
    except SimulationError:
        raise
    except (KitError, ArithmeticError, LookupError, ValueError) as error:
        raise SimulationError("measure", f"{type(error).__name__}: {error}", deck=job.deck) from error
    if not np.all(np.isfinite(values)):
        raise SimulationError("measure", "the measured values are not all finite", deck=job.deck)
    swept = next(iter(waves.vectors.values())).size if waves.kind == "dc" else 1
    return MeasuredValues(values, swept, waves.seconds, warnings)


def values_or_nan(outcomes: Sequence[Outcome], shape: tuple[int, ...]) -> np.ndarray:
    """Stack the values (N, ...) of outcomes whose values have the same shape; NaN in the place of failed ones."""
    blank = np.full(shape, np.nan)
    return np.stack([blank if outcome.values is None else outcome.values for outcome in outcomes])
