"""Points of an exploration, evaluated: accuracy and energy of each, the Pareto front, and the best beside the default.

The validation inputs choose; the test inputs are read on the front and at the default alone. A point is known by what
it is (experiment, tables, weights, the kit's version), so that one which stands in the folder's file is not run again.

    front    points that no other beats in both accuracy and energy, nor in one of them with the other equal
    best     of the points that take no more energy than the default, the most accurate, then the least energy
"""

import csv
import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import lru_cache
from math import sqrt
from pathlib import Path

import numpy as np

from rramkit import __version__, record, table
from rramkit.errors import InputError
from rramkit.files import whole_file
from rramkit.learning.condition import OperatingTables
from rramkit.learning.correction import corrected
from rramkit.learning.data import DataSet, DataSettings
from rramkit.learning.evaluate import Evaluation, evaluate, rewritten
from rramkit.learning.experiment import Experiment
from rramkit.learning.exploration import Exploration, float_experiment
from rramkit.learning.state_dict import from_state_dict, state_dict
from rramkit.learning.supervised import trainers
from rramkit.learning.sweep import Trial, file_name, run_trial
from rramkit.learning.trained import TrainedNetwork
from rramkit.lock import only_writer
from rramkit.processes import Executor
from rramkit.record.sources import StageSource

RESULTS, TABLE, PICTURE = "explore.json", "explore.csv", "explore.svg"
"""Files of an exploration that is whole, in its folder."""

EVALUATED = "evaluated.json"
"""File of the points that are finished, whatever became of the rest."""

_FORMAT = "points of rramkit explore, 1"
_EVERY = 20  # points between two writes of the results: what a process loses that is killed from outside


@dataclass(frozen=True)
class Point:
    """One point of an exploration.

    Attributes
    ----------
    choices : mapping
        Choice by axis.
    experiment : Experiment
        Its settings.
    tables : Path
        Its table file.
    way : str
        `program` or `train`, as in `Exploration`.
    weights : Path
        Run file of the float training whose weights its cells hold; of `train` the run file of the cells' own.
    chips, correct : int
        As in `Exploration`.
    key : str
        Hexadecimal digits that name all of that.
    test : bool
        Whether test inputs are read as well.
    """

    choices: Mapping[str, str]
    experiment: Experiment
    tables: Path
    way: str
    weights: Path
    chips: int
    correct: int
    key: str
    test: bool = False


@dataclass(frozen=True)
class PointResult:
    """What one point gives.

    Attributes
    ----------
    choices : mapping
        Choice by axis.
    accuracy : float
        Part of the validation inputs that is right (1), mean over the chips.
    error : float or None
        Standard error of that mean (1); None with one chip.
    energy, seconds : float
        Energy (J) and time (s) of the reads for one input.
    energy_write : float
        Energy (J) of all writes of a chip.
    pulses : int
        Pulses of a chip, mean over the chips.
    clamped : int
        Values clamped at the tables' edges in reading the validation inputs, of all chips.
    accuracy_test : float or None
        Part of the test inputs that is right (1); None where they were not read.
    key : str
        As in `Point`.
    """

    choices: Mapping[str, str]
    accuracy: float
    error: float | None
    energy: float
    seconds: float
    energy_write: float
    pulses: int
    clamped: int
    accuracy_test: float | None
    key: str


@dataclass(frozen=True)
class Explored:
    """An exploration's outcome.

    Attributes
    ----------
    exploration : Exploration
        Its settings.
    results : tuple of PointResult
        One for each point, in their order.
    stages : tuple of StageSource
        What each stage reads at the default.
    """

    exploration: Exploration
    results: tuple[PointResult, ...]
    stages: tuple[StageSource, ...] = ()

    @property
    def default(self) -> PointResult:
        """The point that others are compared with."""
        chosen = self.exploration.default_point
        return next(each for each in self.results if dict(each.choices) == chosen)

    @property
    def front(self) -> list[PointResult]:
        """The Pareto front by rising energy."""
        return front(self.results)

    @property
    def best(self) -> PointResult:
        """The most accurate point that takes no more energy than the default; the default where none is better."""
        affordable = [each for each in self.results if each.energy <= self.default.energy]
        return min(affordable, key=lambda each: (-each.accuracy, each.energy))

    def as_json(self) -> dict[str, object]:
        """Return everything as plain values: points, and which of them are front, default and best, by their index."""
        index = {each.key + _digest(dict(each.choices)): i for i, each in enumerate(self.results)}

        def at(result: PointResult) -> int:
            return index[result.key + _digest(dict(result.choices))]

        return {
            "name": self.exploration.name,
            "kit_version": __version__,
            "settings": self.exploration.model_dump(mode="json"),
            "stages": [vars(each) for each in self.stages],
            "default": at(self.default),
            "front": [at(each) for each in self.front],
            "best": at(self.best),
            "points": [asdict(each) for each in self.results],
        }

    def as_csv(self) -> str:
        """Return one line for each point, the names of the columns first; what is not known is empty."""
        axes, on_front = [axis.name for axis in self.exploration.axes], {id(each) for each in self.front}
        numbers = [each.name for each in fields(PointResult) if each.name not in ("choices", "key")]
        text = io.StringIO()
        lines = csv.writer(text, lineterminator="\n")
        lines.writerow([*axes, *numbers, "front", "default"])
        for each in self.results:
            values = [getattr(each, name) for name in numbers]
            marks = [int(id(each) in on_front), int(each is self.default)]
            lines.writerow([*each.choices.values(), *("" if value is None else value for value in values), *marks])
        return text.getvalue()

    def save(self, folder: Path) -> None:
        """Write `explore.json` and `explore.csv`."""
        with whole_file(folder / RESULTS) as draft:
            draft.write_text(json.dumps(self.as_json(), indent=1, allow_nan=False) + "\n", encoding="utf-8")
        with whole_file(folder / TABLE) as draft:
            draft.write_text(self.as_csv(), encoding="utf-8")

    def along(self, axis: str) -> list[PointResult]:
        """Return the points that differ from the default along one axis at most, in the order of its choices."""
        chosen = self.exploration.default_point
        choices = next(each.choices for each in self.exploration.axes if each.name == axis)
        of = {tuple(each.choices.values()): each for each in self.results}
        return [of[tuple({**chosen, axis: label}.values())] for label in choices]


def front(results: Sequence[PointResult]) -> list[PointResult]:
    """Return the points that no other beats in both accuracy and energy, by rising energy; of equal ones the first.

    Parameters
    ----------
    results : sequence of PointResult
        Any number.

    Returns
    -------
    list of PointResult
        The Pareto front.

    Examples
    --------
    >>> def at(accuracy, energy):
    ...     return PointResult({}, accuracy, None, energy, 0.0, 0.0, 0, 0, None, "")
    >>> [(each.accuracy, each.energy) for each in front([at(0.9, 2.0), at(0.8, 1.0), at(0.8, 3.0), at(0.9, 2.5)])]
    [(0.8, 1.0), (0.9, 2.0)]
    """
    found: list[PointResult] = []
    for each in sorted(results, key=lambda each: (each.energy, -each.accuracy)):
        if not found or each.accuracy > found[-1].accuracy:
            found.append(each)
    return found


def points_of(exploration: Exploration, tables: Mapping[str, Path], folder: Path) -> list[Point]:
    """Return the points of an exploration on table files, each checked against its tables.

    Parameters
    ----------
    exploration : Exploration
        The settings.
    tables : mapping
        Table file by `Exploration.plan_text`.
    folder : Path
        Where run files are kept.

    Returns
    -------
    list of Point
        The points, in order.

    Raises
    ------
    InputError, TableError
        When an experiment does not fit its tables; before anything runs.

    Examples
    --------
    >>> one = Exploration(tables="tables.h5", experiments={"mapping.rows": [16, 64]})
    >>> [point.choices for point in points_of(one, {"": Path("tables.h5")}, Path("explore"))]
    [{'mapping.rows': '16'}, {'mapping.rows': '64'}]
    """
    files = {label: table.load(path) for label, path in tables.items()}
    origins = {label: _digest(dict(file.provenance)) for label, file in files.items()}
    found = []
    for choices in exploration.combinations():
        label, experiment = exploration.plan_text(choices), exploration.experiment_at(choices)
        chip, mapping = experiment.on(experiment.chip.tables(files[label])), experiment.mapping
        if mapping.v_read:  # else nothing of it depends on the tables
            mapping.model(chip.tables.read, experiment.precision, chain=chip.chain, wires=chip.wires)
        programs = exploration.way == "program"
        trained = float_experiment(experiment) if programs else experiment
        run = f"float-{trained.key()}" if programs else f"{file_name(exploration.text(choices))}-{trained.key()}"
        key = [experiment.key(), origins[label], trained.key(), exploration.way, exploration.chips, exploration.correct]
        found.append(
            Point(
                choices=choices,
                experiment=experiment,
                tables=tables[label],
                way=exploration.way,
                weights=folder / f"{run}{'' if programs else '-' + origins[label]}.h5",
                chips=exploration.chips,
                correct=exploration.correct,
                key=_digest([*key, __version__]),
            )
        )
    return found


def explore(
    exploration: Exploration,
    tables: Mapping[str, Path],
    folder: Path,
    executor: Executor,
    *,
    progress: Callable[[int, int, int], None] | None = None,
) -> Explored:
    """Run every point that is not in the folder's results, and write them: `explore.json` and `explore.csv`.

    Parameters
    ----------
    exploration : Exploration
        The settings.
    tables : mapping
        Table file by `Exploration.plan_text`.
    folder : Path
        Where results and run files are kept; the same call resumes there.
    executor : Executor
        Runs the points.
    progress : callable, optional
        Called with the number of points done, their total, and how many of them were finished before.

    Returns
    -------
    Explored
        Every point; the front and the default with their test accuracies.

    Raises
    ------
    InputError, TableError
        When an experiment does not fit its tables, or the folder's results are none.
    SetupError
        When a process is killed.

    Examples
    --------
    >>> from rramkit.processes import Processes
    >>> one = Exploration(tables="tables.h5", experiments={"mapping.rows": [16, 64]})
    >>> explored = explore(one, {"": Path("tables.h5")}, Path("explore"), Processes(1))  # doctest: +SKIP
    """
    points = points_of(exploration, tables, folder)
    default = next(each for each in points if dict(each.choices) == exploration.default_point)
    stages = default.experiment.on(default.experiment.chip.tables(table.load(default.tables))).sources
    folder.mkdir(parents=True, exist_ok=True)
    with only_writer(folder / RESULTS):
        finished = _Finished(folder / EVALUATED, executor, progress)
        first = Explored(exploration, finished.with_missing(points), stages)
        wanted = {each.key for each in (*first.front, first.default, first.best)}
        finished.with_missing([replace(each, test=True) for each in points if each.key in wanted])
        outcome = Explored(exploration, finished.with_missing(points), stages)
        outcome.save(folder)
    return outcome


class _Finished:
    """The finished points of a folder's file, by key, and what runs those that it has not."""

    def __init__(self, path: Path, executor: Executor, progress: Callable[[int, int, int], None] | None) -> None:
        self._path, self._executor, self._progress = path, executor, progress
        self._known = _known(path)

    def with_missing(self, points: Sequence[Point]) -> tuple[PointResult, ...]:
        """Return the results of points; those that are not there run, and are in the file whatever ends the run."""
        missing = [each for each in points if not self._has(each)]
        if missing:
            _train_floats(missing)
            try:
                self._run(missing, len(points))
            finally:
                self._keep()
        return tuple(replace(self._known[each.key], choices=each.choices) for each in points)

    def _run(self, missing: Sequence[Point], total: int) -> None:
        free = total - len(missing)
        for done, (_, result) in enumerate(self._executor.run(evaluated, missing), start=1):
            self._known[result.key] = result
            if self._progress is not None:
                self._progress(free + done, total, free)
            if done % _EVERY == 0:
                self._keep()

    def _has(self, point: Point) -> bool:
        found = self._known.get(point.key)
        return found is not None and (found.accuracy_test is not None or not point.test)

    def _keep(self) -> None:
        """Write all of them, or nothing."""
        values = {"format": _FORMAT, "points": [asdict(each) for each in self._known.values()]}
        with whole_file(self._path) as draft:
            draft.write_text(json.dumps(values, indent=1, allow_nan=False) + "\n", encoding="utf-8")


def _known(path: Path) -> dict[str, PointResult]:
    """Return the finished points of a file by key; none where there is no file.

    Raises
    ------
    InputError
        When the file is there and is no such file: it is another's, or damaged.
    """
    if not path.exists():
        return {}
    names = {each.name for each in fields(PointResult)}
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != _FORMAT or any(set(each) != names for each in values["points"]):
            raise ValueError("of another form")
        return {each["key"]: PointResult(**each) for each in values["points"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path}: holds no finished points of `rramkit explore` ({type(error).__name__}). Remove it, or name "
            "another folder with `-o`."
        ) from error


def evaluated(point: Point) -> PointResult:
    """Evaluate one point: its weights in the cells of each chip, or its own training.

    Parameters
    ----------
    point : Point
        As `points_of` gives it.

    Returns
    -------
    PointResult
        Accuracy, energy and the like, of the validation inputs and, where it says so, the test inputs.

    Raises
    ------
    InputError, TableError
        Of a training, or of weights that do not fit.
    """
    experiment = point.experiment
    operating, data = (
        experiment.chip.tables(table.load(point.tables)),
        _data(experiment.data.as_json(), experiment.seed),
    )
    networks = _trained(point) if point.way == "train" else _programmed(point, operating, data)
    evaluations: list[Evaluation] = []
    tests, writes, pulses = [], [], []
    for network, energy, count in networks:
        evaluations.append(evaluate(network, data.x_validation, data.y_validation))
        tests += [evaluate(network, data.x_test, data.y_test).accuracy] if point.test else []
        writes.append(energy)
        pulses.append(count)
    right = np.array([each.accuracy for each in evaluations])
    return PointResult(
        choices=dict(point.choices),
        accuracy=float(right.mean()),
        error=float(right.std(ddof=1) / sqrt(right.size)) if right.size > 1 else None,
        energy=float(np.mean([each.energy for each in evaluations])),
        seconds=float(np.mean([each.seconds for each in evaluations])),
        energy_write=float(np.mean(writes)),
        pulses=round(float(np.mean(pulses))),
        clamped=sum(layer.clamped for each in evaluations for layer in each.layers),
        accuracy_test=float(np.mean(tests)) if tests else None,
        key=point.key,
    )


def _programmed(point: Point, operating: OperatingTables, data: DataSet) -> list[tuple[TrainedNetwork, float, int]]:
    """Return the network on each chip, with energy (J) and pulses of the writes."""
    experiment, found = point.experiment, []
    built = trainers(experiment, experiment.on(operating), data.shape, data.classes)
    network, bound = built[0].network, built[0].rule
    limits, dtype = bound.limits(len(network.matrices)), np.dtype(experiment.precision)
    plain = from_state_dict(network, _weights(point.weights), w_max=limits, dtype=dtype)
    for chip in range(point.chips):
        seed = experiment.seed + chip
        network, cost = rewritten(
            experiment, operating, plain, data.x_train, data.y_train, input_shape=data.shape, seed=seed, built=built
        )
        if point.correct:
            first = data.x_train[: point.correct]
            network, _ = corrected(network, plain.weights, first, batch=experiment.batch)
        found.append((network, cost.energy, cost.pulses))
    return found


@lru_cache(maxsize=2)
def _weights(path: Path) -> dict[str, np.ndarray]:
    """Return the weights of a float training by name; points of one process share them."""
    trained = record.load(path).network
    assert isinstance(trained, TrainedNetwork)
    return state_dict(trained.network, trained.params)


def _trained(point: Point) -> list[tuple[TrainedNetwork, float, int]]:
    """Return the network of a point's own training, with energy (J) and pulses of its writes."""
    run_trial(Trial(point.weights.stem, point.experiment, point.tables, point.weights))
    run = record.load(point.weights)
    assert isinstance(run.network, TrainedNetwork)
    totals = run.totals()
    return [(run.network, float(totals["energy_write"]), int(totals["pulses_set"] + totals["pulses_reset"]))]


def _train_floats(points: Sequence[Point]) -> None:
    """Train each float network that some points need, once; finished ones stay."""
    needed = {each.weights: each for each in points if each.way == "program"}
    for path, point in needed.items():
        if not path.exists():  # it is called by its settings, and the tables have no part in it
            run_trial(Trial(path.stem, float_experiment(point.experiment), point.tables, path))


@lru_cache(maxsize=2)
def _data(settings: str, seed: int) -> DataSet:
    """Return the data of settings as JSON; points of one process share them."""
    return DataSettings.checked(json.loads(settings), where="data").loaded(seed=seed)


def _digest(value: object) -> str:
    """Return 16 hexadecimal digits that name a value of JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
