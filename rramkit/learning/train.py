"""Train a network with every matrix in RRAM, beside a float network of the same budget; the one driver loop."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np

from rramkit import __version__
from rramkit.learning import checkpoint, tree
from rramkit.learning.data import DataSet, as_numbers, augmented
from rramkit.learning.experiment import Experiment
from rramkit.learning.history import EpochReport, g_edges, histograms, pulses_between, stacked, unstacked
from rramkit.learning.layers import ReadCost
from rramkit.learning.loss import cross_entropy
from rramkit.learning.model import Network
from rramkit.learning.rules import BoundRule, FloatReference, WriteCost
from rramkit.learning.trainer import NetworkState, Trainer
from rramkit.record import Epochs, LayerRecord, Run
from rramkit.table import TableFile

# Second words of the seeds: one stream of random numbers for each purpose, and, with the epoch as the third, one for
# each epoch, so that an epoch needs nothing of those before it but the network.
_WEIGHTS, _ORDER, _DEVICE, _JUDGING, _AUGMENTING, _JUDGED = 1, 2, 3, 4, 5, 6
_JUDGED_MOST = 2000  # training inputs that loss and training accuracy are taken from: a standard error of 1 % or less


@dataclass(frozen=True)
class _Course:
    """What one training has that does not change: experiment, data, both teachers, and the inputs judged."""

    experiment: Experiment
    data: DataSet
    rram: Trainer
    digital: Trainer
    judged: np.ndarray
    edges: np.ndarray

    def stream(self, purpose: int, epoch: int = 0) -> np.random.Generator:
        return np.random.default_rng((self.experiment.seed, purpose, epoch))

    def inputs(self, x: np.ndarray) -> np.ndarray:
        return as_numbers(x, np.dtype(self.experiment.precision))


@dataclass(frozen=True)
class _Pair:
    """Both networks in training; without a float reference the second stays as it began."""

    rram: NetworkState
    digital: NetworkState


@dataclass(frozen=True)
class _Spent:
    """What one epoch of a network took."""

    tally: WriteCost
    reads: ReadCost


def train(
    experiment: Experiment,
    tables: TableFile,
    *,
    tables_name: str = "",
    data: DataSet | None = None,
    progress: Callable[[EpochReport], None] | None = None,
    run_path: Path | None = None,
) -> Run:
    """Train with the tables' device, and in float beside it; the same experiment, tables and data give the same run.

    Parameters
    ----------
    experiment : Experiment
        Network, data, mapping, rule and budget.
    tables : TableFile
        Tables `read`, `set`, `reset` and, where the mapping wants them, `wires`.
    tables_name : str, optional
        Name of the table file, for the record.
    data : DataSet, optional
        What to learn, instead of the experiment's own.
    progress : callable, optional
        Called with an `EpochReport` before training and after each epoch.
    run_path : Path, optional
        Where the run file will be: a checkpoint lies beside it after each epoch, and is taken up when there is one.

    Raises
    ------
    InputError, TableError
        When layers do not fit each other or the tables, or a checkpoint belongs to another training.
    """
    started = time.perf_counter()
    tables = experiment.device.applied(tables)
    course = _course(experiment, tables, data)
    initial = _enrolled(course)
    place = None if run_path is None else checkpoint.path_of(run_path)
    identity = _identity(experiment, tables, course.data)
    now, reports = _taken_up(place, identity, initial)
    for report in reports:
        _show(progress, report)
    if not reports:
        reports.append(_report(course, initial, initial, (0, _Spent(initial.rram.learner.tally, ReadCost()))))
        _show(progress, reports[-1])
    for epoch in range(len(reports), experiment.epochs + 1):
        before, (now, spent) = now, _epoch(course, now, epoch, [report.accuracy_test for report in reports])
        reports.append(_report(course, before, now, (epoch, spent)))
        if place is not None:
            saved = checkpoint.Checkpoint(epoch, tree.changed(initial, now), stacked(reports))
            checkpoint.save(saved, place, identity=identity)
        _show(progress, reports[-1])
    return _run(course, (initial, now), reports, tables, (tables_name, time.perf_counter() - started))


def _course(experiment: Experiment, tables: TableFile, data: DataSet | None) -> _Course:
    data = data if data is not None else experiment.data.loaded(seed=experiment.seed)
    network = Network.of(experiment.network, data.shape, data.classes)
    optimiser = experiment.optimiser.built()
    of_vectors = replace(optimiser, weight_decay=0.0)  # biases, scales and shifts do not decay: the usual practice
    rng = np.random.default_rng((experiment.seed, _JUDGED))
    return _Course(
        experiment=experiment,
        data=data,
        rram=Trainer(network, experiment.built_rule(tables), of_vectors),
        digital=Trainer(network, BoundRule(FloatReference(), optimiser), of_vectors),
        judged=np.sort(rng.permutation(len(data.y_train))[:_JUDGED_MOST]),
        edges=g_edges(experiment.rule.g_range(tables)),
    )


def _enrolled(course: _Course) -> _Pair:
    dtype = np.dtype(course.experiment.precision)
    weights = course.rram.network.drawn(rng=course.stream(_WEIGHTS), dtype=dtype)
    rram, digital = (
        teacher.enrolled(weights, dtype=dtype, rng=course.stream(_DEVICE)) for teacher in (course.rram, course.digital)
    )
    if course.experiment.mapping.calibrates:
        data, first = course.data, course.judged[: course.experiment.batch]
        x, labels = course.inputs(data.x_train[first]), data.y_train[first]
        rram = course.rram.calibrated(rram, digital, x, labels, margin=course.experiment.mapping.margin)
    return _Pair(rram, digital)


def _taken_up(place: Path | None, identity: str, initial: _Pair) -> tuple[_Pair, list[EpochReport]]:
    found = None if place is None else checkpoint.load(place, identity=identity)
    if found is None:
        return initial, []
    return tree.restored(initial, found.state), unstacked(found.history)


def _epoch(course: _Course, pair: _Pair, epoch: int, accuracies: list[float]) -> tuple[_Pair, _Spent]:
    experiment = course.experiment
    rate = experiment.schedule.rate(epoch, experiment.epochs, accuracies)
    rram, spent = _taught(course, course.rram, course.rram.at_rate(pair.rram, rate), epoch)
    if not experiment.float_reference:
        return _Pair(rram, pair.digital), spent
    digital, _ = _taught(course, course.digital, course.digital.at_rate(pair.digital, rate), epoch)
    return _Pair(rram, digital), spent


def _taught(course: _Course, teacher: Trainer, student: NetworkState, epoch: int) -> tuple[NetworkState, _Spent]:
    """Teach one epoch; the order of the inputs depends on seed and epoch alone."""
    experiment, data = course.experiment, course.data
    device, order = course.stream(_DEVICE, epoch), course.stream(_ORDER, epoch).permutation(len(data.y_train))
    augmenting, tally, reads = course.stream(_AUGMENTING, epoch), WriteCost(), ReadCost()
    for number in range(experiment.batches or -(-order.size // experiment.batch)):
        chosen = np.take(order, range(number * experiment.batch, (number + 1) * experiment.batch), mode="wrap")
        if not experiment.batches:
            chosen = order[number * experiment.batch : (number + 1) * experiment.batch]
        x = course.inputs(data.x_train[chosen])
        x = augmented(x, rng=augmenting) if experiment.data.augment else x
        student, taken = teacher.taught(student, x, data.y_train[chosen], rng=device)
        tally, reads = tally + student.learner.tally, reads + taken
    return teacher.settled(student), _Spent(tally, reads)


def _report(course: _Course, before: _Pair, now: _Pair, done: tuple[int, _Spent]) -> EpochReport:
    (epoch, spent), data, rng = done, course.data, course.stream(_JUDGING, done[0])
    labels = data.y_train[course.judged]
    scores = _scores(course, course.rram, now.rram, data.x_train[course.judged], rng)
    right = _right(_scores(course, course.rram, now.rram, data.x_test, rng), data.y_test)
    digital = float("nan")
    if course.experiment.float_reference:
        digital = _right(_scores(course, course.digital, now.digital, data.x_test, rng), data.y_test)
    first = np.array([int(count.sum()) for count in now.rram.learner.pulses], dtype=np.int64)
    return EpochReport(
        epoch=epoch,
        epochs=course.experiment.epochs,
        accuracy_test=right,
        accuracy_train=_right(scores, labels),
        float_accuracy_test=digital,
        loss=cross_entropy(scores, labels)[0],
        pulses_set=spent.tally.pulses_set,
        pulses_reset=spent.tally.pulses_reset,
        reads=spent.tally.reads,
        energy_write=spent.tally.energy,
        time_write=spent.tally.seconds,
        energy_read=spent.reads.energy,
        clamped=spent.tally.clamped + spent.reads.clamped,
        pulses_by_matrix=pulses_between(before.rram, now.rram) if epoch else first,
        histograms=histograms(now.rram, course.edges),
    )


def _scores(
    course: _Course, teacher: Trainer, student: NetworkState, x: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    return teacher.network.scores(student.parts, course.inputs(x), rng=rng)


def _right(scores: np.ndarray, labels: np.ndarray) -> float:
    return float(np.mean(np.argmax(scores, axis=1) == labels))


def _show(progress: Callable[[EpochReport], None] | None, report: EpochReport) -> None:
    if progress is not None:
        progress(report)


def _identity(experiment: Experiment, tables: TableFile, data: DataSet) -> str:
    """Return what a checkpoint must agree in: experiment, tables' origin, size of the data and the kit's version."""
    made = tables.provenance.get("created", "")
    return f"{experiment.key()} {made} {data.x_train.shape} {data.x_test.shape} {__version__}"


def _run(
    course: _Course,
    ends: tuple[_Pair, _Pair],
    reports: list[EpochReport],
    tables: TableFile,
    about: tuple[str, float],
) -> Run:
    experiment, data = course.experiment, course.data
    rng = course.stream(_JUDGING, experiment.epochs)
    _scores(course, course.rram, ends[1].rram, data.x_train[course.judged], rng)  # the same draws as the last report's
    predicted = np.argmax(_scores(course, course.rram, ends[1].rram, data.x_test, rng), axis=1)
    confusion = np.zeros((data.classes, data.classes), dtype=np.int64)
    np.add.at(confusion, (data.y_test, predicted), 1)
    return Run(
        settings=experiment.model_dump(mode="json"),
        tables_name=about[0],
        tables_provenance=dict(tables.provenance),
        data_name=data.name,
        kit_version=__version__,
        seed=experiment.seed,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        epochs=_history(reports),
        layers=_layers(course, ends, reports),
        confusion=confusion,
        accuracy=reports[-1].accuracy_test,
        float_accuracy=reports[-1].float_accuracy_test,
        train_seconds=about[1],
    )


def _history(reports: list[EpochReport]) -> Epochs:
    arrays = stacked(reports)
    return Epochs(**{name: arrays[name] for name in Epochs.__dataclass_fields__})


def _layers(course: _Course, ends: tuple[_Pair, _Pair], reports: list[EpochReport]) -> tuple[LayerRecord, ...]:
    (first, last), arrays = (end.rram.learner for end in ends), stacked(reports)
    records = []
    for index, (before, after) in enumerate(zip(first.parts, last.parts, strict=True)):
        by_epoch, counts = arrays["pulses_by_matrix"][:, index], arrays["histograms"][:, index]
        cells = before.cells.g_cell, after.cells.g_cell
        records.append(LayerRecord(*cells, after.pulses, by_epoch, counts, course.edges))
    return tuple(records)
