"""When to look at drifted cells, and when to calibrate them: interrupt and benchmark (ICE, DATE 2014).

A chip in service is interrupted now and then to read benchmark inputs; the error of its outputs is fitted over the time
since its last calibration, and the fit says when the error will reach its limit::

    e(t) = sum_k c_k t^k             fit = "polynomial", least squares with weights exp(-(t_now - t) / (recency t_now))
    log e(t) = c_0 + c_1 log t       fit = "power", without weights
    t_calibrate: the first t >= t_now with e(t) = e_max

    e  error of the benchmark (1)    t  time since the last calibration (s)

A first interval is searched: the next benchmark comes after a part of the time that is left by the fit, at least
`shortest` and at most `longest` benchmark times later and at most ten times the time so far, twice the last step where
the fit never reaches the limit; it is calibrated at the predicted time once that comes no later than the next benchmark
would. With `benchmarks` above 0 later intervals are as long as the one before, as far as is known: their benchmarks
stand at equal parts of that, and the calibration follows where the fit says, unless that is beyond 1.35 times the last
interval: then more benchmarks follow, as far apart. A fit at the limit already, or two benchmarks in a row above
it, end an interval at once.

Of the paper its abstract could be read: interruption, polynomial fit of the error over time, predicted time of
calibration, adapted intervals. Weights, steps, memory, the fit "power" and every number are this kit's own.
"""

from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

_DEGREE, _RECENCY = 2, 1.0  # of the fit (1) where none is given
_AHEAD = 10.0  # a fit is believed this much further than the present time (1)
_LONGER = 1.35  # a known interval may grow by this factor (1) without another benchmark


class CalibrationPolicy(Parameters):
    """How benchmarks are placed and fitted.

    Examples
    --------
    >>> policy = CalibrationPolicy(degree=1)
    >>> seen = Benchmarks().measured(10.0, 0.01).measured(20.0, 0.02)
    >>> step = policy.next_step(seen, e_max=0.1, t_benchmark=1.0)
    >>> step.calibrates, round(step.at)  # the limit is reached at 100 s: half of the 80 s that are left
    (False, 60)
    """

    fit: Literal["polynomial", "power"] = quantity("polynomial", "1", "error over time: a polynomial, or a power")
    degree: int | None = quantity(None, "1", "degree of the polynomial; left out: 2", ge=1, le=5)
    recency: float | None = quantity(
        None, "1", "age, over the present time, at which a benchmark's weight has fallen to 1/e; left out: 1", gt=0
    )
    benchmarks: int = quantity(4, "1", "benchmarks of an interval after the first one; 0: each is searched", ge=0)
    memory: int = quantity(
        6, "1", "intervals before whose benchmarks stay in the fit, searched ones not", ge=0, le=1000
    )
    part: float = quantity(0.5, "1", "part of the time that is left after which the next benchmark comes", gt=0, lt=1)
    shortest: float = quantity(10.0, "1", "least step to the next benchmark, in times of a benchmark", ge=1, le=1e12)
    longest: float = quantity(0.0, "1", "largest step, in times of a benchmark; 0: no limit", ge=0, le=1e12)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.fit == "power" and (self.degree is not None or self.recency is not None):
            raise ValueError('degree and recency are of a polynomial; with fit = "power" they do nothing: remove them')
        if not self.benchmarks and self.memory and "memory" in self.model_fields_set:
            raise ValueError(
                "memory is of intervals that are not searched; with benchmarks = 0 it does nothing: remove it"
            )
        if self.longest and self.longest < self.shortest:
            raise ValueError("longest must not be below shortest")
        return self

    def next_step(self, seen: "Benchmarks", *, e_max: float, t_benchmark: float) -> "Step":
        """Return what comes next.

        Parameters
        ----------
        seen : Benchmarks
            What was measured so far.
        e_max : float
            Limit of the error (1).
        t_benchmark : float
            Time of a benchmark (s).

        Returns
        -------
        Step
            A benchmark or the calibration, and when.
        """
        count = len(seen.times)
        now, root = (seen.times[-1], self.reached(seen, e_max)) if count else (0.0, None)
        if (root is not None and root <= now) or seen.beyond(e_max):
            return Step(now, calibrates=True)
        if self.benchmarks and seen.last:
            apart = seen.last / (self.benchmarks + 1)
            near = count >= self.benchmarks and root is not None and root <= max(_LONGER * seen.last, now + apart)
            return Step(root if near and root else now + apart, calibrates=near)
        if root is None:
            step = 2.0 * (now - (seen.times[-2] if count > 1 else 0.0))
            return Step(now + self._limited(step, t_benchmark), calibrates=False)
        step = self._limited(min(self.part * (root - now), _AHEAD * now), t_benchmark)
        near = root - now <= step
        return Step(root if near else now + step, calibrates=near)

    def reached(self, seen: "Benchmarks", e_max: float) -> float | None:
        """Return when the fit says that the error reaches `e_max` (s), from now on; None: never."""
        now, (times, errors) = seen.times[-1], seen.fitted(self.memory)
        if self.fit == "power":
            return _power_root(times, errors, now, e_max)
        recency = _RECENCY if self.recency is None else self.recency
        degree = min(_DEGREE if self.degree is None else self.degree, len(set(times)) - 1)
        if degree < 1:
            return None
        weights = np.exp(-np.maximum(now - times, 0.0) / (recency * now))
        fit = np.polyfit(times / now, errors, degree, w=weights)
        fit[-1] -= e_max
        if np.polyval(fit, 1.0) >= 0.0:
            return now
        roots = np.roots(fit)
        later = roots.real[(np.abs(roots.imag) < 1e-9) & (roots.real > 1.0)]  # complex pairs have far larger parts
        return float(later.min() * now) if later.size else None

    def _limited(self, step: float, t_benchmark: float) -> float:
        longest = self.longest * t_benchmark or np.inf
        return float(min(max(step, self.shortest * t_benchmark), longest))


def _power_root(times: np.ndarray, errors: np.ndarray, now: float, e_max: float) -> float | None:
    """Return when a straight line through the logarithms reaches `e_max`, from now on; None: never."""
    some = (errors > 0.0) & (times > 0.0)
    if len(set(times[some])) < 2:
        return None
    slope, start = np.polyfit(np.log(times[some]), np.log(errors[some]), 1)
    if slope <= 0.0:
        return None
    with np.errstate(over="ignore"):
        root = float(np.exp((np.log(e_max) - start) / slope))
    return max(root, now) if np.isfinite(root) else None


@dataclass(frozen=True)
class Step:
    """What comes next: a benchmark, or the calibration, at the time `at` since the last calibration (s)."""

    at: float
    calibrates: bool


@dataclass(frozen=True)
class Benchmarks:
    """Errors that were measured.

    Attributes
    ----------
    times, errors : tuple of float
        Time since the last calibration (s) and error (1) of each benchmark, in order.
    past : tuple of Benchmarks
        Those of the intervals before, the latest last.
    last : float or None
        Length of the interval before (s); None in the first.
    """

    times: tuple[float, ...] = ()
    errors: tuple[float, ...] = ()
    past: "tuple[Benchmarks, ...]" = ()
    last: float | None = None

    def measured(self, time: float, error: float) -> Self:
        """Return these with one more benchmark.

        Raises
        ------
        InputError
            When its time is not later than that of the last.
        """
        if self.times and time <= self.times[-1]:
            raise InputError(f"`time` must be later than {self.times[-1]:g} s; got {time:g} s. Pass the later one.")
        return replace(self, times=(*self.times, time), errors=(*self.errors, error))

    def calibrated(self, at: float, *, memory: int) -> "Benchmarks":
        """Return what is known at the start of the next interval; of those before, `memory` are kept, the first never.

        The first one is of cells as the training left them, later ones of cells as a calibration writes them.
        """
        own = () if self.last is None else (Benchmarks(self.times, self.errors),)
        return Benchmarks(past=(*self.past, *own)[-memory:] if memory else (), last=at)

    def beyond(self, e_max: float) -> bool:
        """Whether the last two benchmarks of this interval were above the limit: noise hardly does that twice."""
        return len(self.errors) > 1 and min(self.errors[-2:]) > e_max

    def fitted(self, memory: int) -> tuple[np.ndarray, np.ndarray]:
        """Return times (n,) and errors (n,) of this interval and of `memory` before."""
        all_of = [*(self.past[-memory:] if memory else ()), self]
        times = np.array([time for each in all_of for time in each.times])
        return times, np.array([error for each in all_of for error in each.errors])
