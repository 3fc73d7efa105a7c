"""Points of an exploration: the settings of each, its weights in the cells of each chip, and what it gives.

A point is known by what it is: experiment, tables, weights, a user's own data by what they hold, the kit's version.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import sqrt
from pathlib import Path

import numpy as np

from rramkit import __version__, record, table
from rramkit.learning.condition import OperatingTables
from rramkit.learning.correction import corrected
from rramkit.learning.data import DataSet, DataSettings
from rramkit.learning.evaluate import Evaluation, evaluate, rewritten
from rramkit.learning.experiment import Experiment
from rramkit.learning.exploration import Exploration, float_experiment
from rramkit.learning.state_dict import from_state_dict, state_dict
from rramkit.learning.supervised import trainers
from rramkit.learning.sweep import Trial, data_digest, file_name, run_trial
from rramkit.learning.trained import TrainedNetwork


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
    data_digest : str
        Hash of the user's own file of data; empty: of no such file.
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
    data_digest: str = ""
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
    origins = {label: digest(dict(file.provenance)) for label, file in files.items()}
    found, digest_of_data = [], cache(data_digest)
    for choices in exploration.combinations():
        label, experiment = exploration.plan_text(choices), exploration.experiment_at(choices)
        chip, mapping = experiment.on(experiment.chip.tables(files[label])), experiment.mapping
        if mapping.v_read:  # else nothing of it depends on the tables
            mapping.model(chip.tables.read, experiment.precision, chain=chip.chain, wires=chip.wires)
        programs = exploration.way == "program"
        trained = float_experiment(experiment) if programs else experiment
        run = f"float-{trained.key()}" if programs else f"{file_name(exploration.text(choices))}-{trained.key()}"
        held = digest_of_data(experiment.data)
        run = "-".join(each for each in (run, "" if programs else origins[label], held) if each)
        key = [experiment.key(), origins[label], trained.key(), exploration.way, exploration.chips, exploration.correct]
        key += [held] if held else []  # points of other data keep the key that they had
        found.append(
            Point(
                choices=choices,
                experiment=experiment,
                tables=tables[label],
                way=exploration.way,
                weights=folder / f"{run}.h5",
                chips=exploration.chips,
                correct=exploration.correct,
                key=digest([*key, __version__]),
                data_digest=held,
            )
        )
    return found


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
    operating = experiment.chip.tables(table.load(point.tables))
    data = _data(experiment.data.as_json(), experiment.seed, point.data_digest)
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


def train_floats(points: Sequence[Point]) -> None:
    """Train each float network that some points need, once; finished ones stay."""
    needed = {each.weights: each for each in points if each.way == "program"}
    for path, point in needed.items():
        if not path.exists():  # it is called by settings and data, and the tables have no part in it
            run_trial(Trial(path.stem, float_experiment(point.experiment), point.tables, path))


@lru_cache(maxsize=2)
def _data(settings: str, seed: int, _digest: str) -> DataSet:
    """Return the data of settings as JSON, a user's own by what they hold; points of one process share them."""
    return DataSettings.checked(json.loads(settings), where="data").loaded(seed=seed)


def digest(value: object) -> str:
    """Return 16 hexadecimal digits that name a value of JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
