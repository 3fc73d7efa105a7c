"""Calibration of a trained chip in service: benchmarks, the time of the next calibration, and how well it was met.

A chip that was trained rests between its uses; its cells drift (`rramkit.array.write.ageing`). Benchmark inputs are
read through the whole chip at chosen times, the error of their outputs is fitted, and all cells are written back when
the fit says that it reaches its limit (`calibration_policy`; interrupt and benchmark, ICE, DATE 2014)::

    e(t)^2 = sum_{j != k} (y_j - y_0) (y_k - y_0) / (reads (reads - 1) y_0^2)
    efficiency = 1 - |t_calibrated - t_ideal| / t_ideal          overhead = benchmarks t_benchmark / t_calibrated

    y_0  outputs after the training, the mean of 16 reads    y_j  outputs of read j of a benchmark, of 2 reads
    t_ideal  when e, of 16 reads with the same noise at every time, passes e_max

Products of different reads have no part of the read noise's own power in the mean: e is what drift and writes did. The
definitions of error, efficiency and overhead are this kit's own: those of the paper could not be read. Every interval
starts the time of all cells anew, also of cells within the window of write-verify, which a refresh does not pulse.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.write.ageing import RetentionParams
from rramkit.array.write.state import WriteCost
from rramkit.errors import InputError, scipy_for
from rramkit.learning.calibration_policy import Benchmarks, CalibrationPolicy, Step
from rramkit.learning.cells import leaves
from rramkit.learning.condition import OperatingTables
from rramkit.learning.data import DataSet
from rramkit.learning.evaluate import aged, evaluate, refreshed
from rramkit.learning.experiment import Experiment
from rramkit.learning.trained import TrainedNetwork
from rramkit.parameters import Parameters, quantity

_BENCHMARK = 12  # second word of the seed of the noise of benchmarks: another stream than those of a training
_GOLDEN = 13  # the same, of the reads that outputs are compared with
_TRUE = 14  # the same, of the reads that the true error is the mean of
_READS = 2  # of a benchmark (1): the fewest whose error is free of the power of their noise
_MANY = 16  # reads (1) of the outputs to compare with, and of the true error
_MOST = 1000  # benchmarks of an interval (1)
_HORIZON = 1e9  # longest interval (s): thirty years
_EXACT = 1e-3  # relative error of `t_ideal` (1): a tenth of the error of the best policy


class CalibrationSettings(Parameters):
    """A chip in service; the group `policy` says when it is looked at, `retention` how its cells drift.

    Examples
    --------
    >>> settings = CalibrationSettings(e_max=0.1, policy={"fit": "power"})
    >>> settings.policy.benchmarks
    4
    """

    e_max: float = quantity(0.05, "1", "limit of the relative error of the outputs", gt=0, lt=1)
    intervals: int = quantity(8, "1", "intervals from one calibration to the next", ge=1, le=10_000)
    inputs: int = quantity(32, "1", "training inputs of a benchmark, each read twice", ge=1, le=100_000)
    t_benchmark: float = quantity(0.0, "s", "time of a benchmark; 0: that of its reads", ge=0, le=1e9)
    sigma_benchmark: float = quantity(0.0, "1", "relative noise of a measured error, beside that of reads", ge=0, le=1)
    t_cell: float = quantity(300.0, "K", "temperature of the cells in service", ge=200, le=500)
    seed: int = quantity(1, "1", "seed of drift exponents, noise and writes", ge=0, le=2**62)
    policy: CalibrationPolicy = CalibrationPolicy()
    retention: RetentionParams = RetentionParams()

    def law(self, experiment: Experiment) -> RetentionParams:
        """Return the law of the drift: the run's own, or the kit's, with what the settings give on top.

        Raises
        ------
        InputError
            When they give the temperature or the rest of a training, which a chip in service has not.
        """
        typed = self.retention.model_dump(exclude_unset=True)
        for name, of_service in (("t_cell", "`t_cell` of the settings themselves"), ("t_batch", "nothing")):
            if name in typed:
                raise InputError(f"`retention.{name}` is of a training; in service it is {of_service}. Remove it.")
        own = getattr(getattr(experiment.rule, "update", None), "retention", None) or RetentionParams()
        return RetentionParams.checked(own.model_dump() | typed, where="`retention`")


@dataclass(frozen=True)
class Benchmark:
    """Inputs whose outputs are compared with those after the training.

    Attributes
    ----------
    x : ndarray
        Inputs (B, ...) like those of training.
    golden : ndarray
        Outputs (B, C) after the training.
    """

    x: np.ndarray
    golden: np.ndarray

    @classmethod
    def of(cls, network: TrainedNetwork, x: np.ndarray, *, seed: int) -> "Benchmark":
        """Return the benchmark of inputs `x` on a network as it is now."""
        rng = np.random.default_rng((seed, _GOLDEN))
        golden = np.mean([network.scores(x, rng=rng) for _ in range(_MANY)], axis=0)
        if not np.any(golden):
            raise InputError("every output of the benchmark is 0: it has no relative error. Take other inputs.")
        return cls(x, golden.astype(float))

    def error(self, network: TrainedNetwork, *, rng: np.random.Generator, reads: int = _READS) -> float:
        """Return the relative error of the outputs (1); 0 where noise makes its square negative."""
        apart = np.stack([network.scores(self.x, rng=rng) - self.golden for _ in range(reads)])
        squares = np.sum(apart.sum(axis=0) ** 2) - np.sum(apart**2)
        mean = squares / (reads * (reads - 1) * np.sum(self.golden**2))
        return float(np.sqrt(max(mean, 0.0)))


@dataclass(frozen=True)
class Interval:
    """One interval from a calibration to the next.

    Attributes
    ----------
    times, errors : tuple of float
        Time since the last calibration (s) and measured error (1) of each benchmark.
    t_calibrated, t_ideal : float
        When it was calibrated, and when the true error passed its limit (s).
    curve : tuple of (float, float)
        Times (s) and true errors (1) that the search for `t_ideal` computed, in order of time.
    e_calibrated : float
        True error when it was calibrated (1).
    t_benchmark, e_benchmark : float
        Time (s) and energy (J) of a benchmark.
    accuracy, accuracy_after : float
        Of the test inputs, before and after the calibration (1).
    write : WriteCost
        Pulses, verify reads, energy and time of the calibration.
    """

    times: tuple[float, ...]
    errors: tuple[float, ...]
    t_calibrated: float
    t_ideal: float
    curve: tuple[tuple[float, float], ...]
    e_calibrated: float
    t_benchmark: float
    e_benchmark: float
    accuracy: float
    accuracy_after: float
    write: WriteCost

    @property
    def efficiency(self) -> float:
        """How well the ideal time was met: 1 - |t_calibrated - t_ideal| / t_ideal (1)."""
        return 1.0 - abs(self.t_calibrated - self.t_ideal) / self.t_ideal

    @property
    def overhead(self) -> float:
        """Part of the time that went into benchmarks (1)."""
        return len(self.times) * self.t_benchmark / self.t_calibrated


def in_service(
    settings: CalibrationSettings,
    experiment: Experiment,
    tables: OperatingTables,
    network: TrainedNetwork,
    data: DataSet,
) -> Iterator[Interval]:
    """Yield each interval of a chip in service.

    Parameters
    ----------
    settings : CalibrationSettings
        Limit, benchmark, policy and drift.
    experiment : Experiment
        That of the run: `rule.verify` and `rule.update` are the stages of the writes of a calibration.
    tables : OperatingTables
        Where its cells are written.
    network : TrainedNetwork
        The network as it was trained.
    data : DataSet
        Its first training inputs are the benchmark, its test inputs are what accuracies are of.

    Yields
    ------
    Interval
        Benchmarks, times, efficiency, overhead, and what the calibration cost.

    Raises
    ------
    InputError
        When the network is in float, there are too few inputs, the error does not reach its limit within 1e9 s, a
        calibration leaves a larger error than the limit, or an interval takes more than 1000 benchmarks.

    Examples
    --------
    >>> from rramkit.learning import Experiment, digits, train
    >>> settings = CalibrationSettings(e_max=0.1, intervals=3, retention={"nu": 0.5, "t_0": 1e6})
    >>> run = train(experiment := Experiment(), "tables.h5")  # doctest: +SKIP
    >>> tables = experiment.chip.tables(rk.load("tables.h5"))  # doctest: +SKIP
    >>> [one.efficiency for one in in_service(settings, experiment, tables, run.network, digits())]  # doctest: +SKIP
    [0.99, 0.93, 0.93]
    """
    if not any(leaves(matrix) for matrix in network.params.matrices):
        raise InputError("the network is in float: it has no cells that drift. Train one with cells.")
    if settings.inputs > len(data.x_train):
        raise InputError(f"`inputs` must be at most {len(data.x_train)}, the training inputs; got {settings.inputs}.")
    law, x = settings.law(experiment), data.x_train[: settings.inputs]
    cost = evaluate(network, x, data.y_train[: settings.inputs], loss=experiment.loss)
    reads = settings.inputs * _READS
    meter = _Meter(settings, Benchmark.of(network, x, seed=settings.seed), law, settings.t_benchmark)
    if not meter.t_benchmark:
        meter = replace(meter, t_benchmark=reads * cost.seconds)
    if not meter.t_benchmark:
        raise InputError("`t_benchmark` must be given: the run's tables give reads no time. Set it, in seconds.")
    noise, now, seen = np.random.default_rng((settings.seed, _BENCHMARK)), network, Benchmarks()
    for index in range(settings.intervals):
        true = meter.true_error(now)
        t_ideal = _reached(true, settings.e_max, seen.last or law.t_0, first=not index)
        seen, at = meter.measured(now, seen, noise)
        old = meter.aged(now, at)
        now, written = refreshed(experiment, tables, network, old, seed=_seed_of(settings.seed, index))
        yield Interval(
            times=seen.times,
            errors=seen.errors,
            t_calibrated=at,
            t_ideal=t_ideal,
            e_calibrated=true(at),
            curve=tuple(sorted(true.found.items())),
            t_benchmark=meter.t_benchmark,
            e_benchmark=reads * cost.energy,
            accuracy=evaluate(old, data.x_test, data.y_test, loss=experiment.loss).accuracy,
            accuracy_after=evaluate(now, data.x_test, data.y_test, loss=experiment.loss).accuracy,
            write=written,
        )
        seen = seen.calibrated(at, memory=settings.policy.memory)


def _seed_of(seed: int, index: int) -> int:
    """Return the seed of the writes of one calibration."""
    return int(np.random.SeedSequence((seed, index)).generate_state(1)[0])


class _TrueError:
    """The error by time since the last calibration, with the same noise at every time; what was found is kept."""

    def __init__(self, at: Callable[[float], float]) -> None:
        self._at = at
        self.found: dict[float, float] = {}

    def __call__(self, seconds: float) -> float:
        if seconds not in self.found:
            self.found[seconds] = self._at(seconds)
        return self.found[seconds]


@dataclass(frozen=True)
class _Meter:
    """What measures a chip in service."""

    settings: CalibrationSettings
    benchmark: Benchmark
    law: RetentionParams
    t_benchmark: float

    def aged(self, network: TrainedNetwork, seconds: float) -> TrainedNetwork:
        """Return the network after a rest since its last calibration."""
        settings = self.settings
        return aged(network, seconds, t_cell=settings.t_cell, retention=self.law, seed=settings.seed)

    def true_error(self, network: TrainedNetwork) -> _TrueError:
        """Return the error of many reads."""

        def at(seconds: float) -> float:
            rng = np.random.default_rng((self.settings.seed, _TRUE))
            return self.benchmark.error(self.aged(network, seconds), rng=rng, reads=_MANY)

        return _TrueError(at)

    def measured(
        self, network: TrainedNetwork, seen: Benchmarks, noise: np.random.Generator
    ) -> tuple[Benchmarks, float]:
        """Return the benchmarks of one interval, and when it is to be calibrated (s)."""
        while True:
            step = self._next(seen)
            if step.calibrates:
                return seen, step.at
            error = self.benchmark.error(self.aged(network, step.at), rng=noise)
            typed = self.settings.sigma_benchmark
            error *= 1.0 + typed * float(noise.standard_normal()) if typed else 1.0
            seen = seen.measured(step.at, error)

    def _next(self, seen: Benchmarks) -> Step:
        if len(seen.times) >= _MOST:
            raise InputError(
                f"an interval took {_MOST} benchmarks, of {self.t_benchmark:g} s each, and is not at its end after "
                f"{seen.times[-1]:g} s. Raise `policy.longest`, `policy.shortest` or `t_benchmark`."
            )
        return self.settings.policy.next_step(seen, e_max=self.settings.e_max, t_benchmark=self.t_benchmark)


def _reached(true: Callable[[float], float], e_max: float, guess: float, *, first: bool) -> float:
    """Return when the true error passes `e_max` (s)."""
    with scipy_for("a calibration"):
        from scipy.optimize import brentq

    start = true(0.0)
    if start >= e_max:
        what = "the error of the reads themselves" if first else "what a calibration leaves"
        cure = "Take more inputs, or raise it" if first else "Raise it, or narrow `rule.verify.window` of the run"
        raise InputError(f"`e_max` must be above {what}, {start:.3g}; got {e_max:g}. {cure}.")
    high = guess
    while true(high) < e_max:
        if high >= _HORIZON:
            raise InputError(
                f"the error reaches {true(high):.3g} after {high:g} s: `e_max` is {e_max:g}. Lower it, or raise "
                "`retention.nu` or `t_cell`."
            )
        high = min(4.0 * high, _HORIZON)
    low = high / 4.0
    while true(low) >= e_max:
        high, low = low, low / 4.0
    found = brentq(lambda log: true(float(np.exp(log))) - e_max, np.log(low), np.log(high), xtol=_EXACT)
    return float(np.exp(found))  # pyright: ignore[reportArgumentType, reportCallIssue]  (a number, not its report)
