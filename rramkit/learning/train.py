"""Train a small network on the digits with everything in RRAM, beside a float network of the same budget."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from rramkit import __version__
from rramkit.array.programming import Writer
from rramkit.array.tile import ArrayModel
from rramkit.learning.data import DataSet, digits
from rramkit.learning.matrices import TileMatrix
from rramkit.learning.network import cross_entropy, forward, gradients, initial_weights
from rramkit.learning.optimisers import Adam, Momentum, Optimiser
from rramkit.learning.updates import FloatReference, Learner, MixedPrecision, Tally, UpdateRule
from rramkit.parameters import Parameters, quantity
from rramkit.record import Epochs, LayerRecord, Run
from rramkit.table import TableFile

# Second words of the seeds: one stream of random numbers for each purpose, and, with the epoch as the third, one for
# each epoch, so that an epoch needs nothing of those before it but the network.
_WEIGHTS, _ORDER, _DEVICE, _JUDGING = 1, 2, 3, 4


class TrainSettings(Parameters):
    """How to train; nothing about the device, which is the table file's to say."""

    hidden: tuple[Annotated[int, Field(ge=1, le=4096)], ...] = quantity((48,), "1", "units in each hidden layer")
    epochs: int = quantity(25, "1", "passes over the training set", ge=1, le=10_000)
    batch: int = quantity(32, "1", "images in a batch", ge=1, le=100_000)
    optimiser: Literal["adam", "momentum"] = quantity("adam", "1", "what turns gradients into wanted changes")
    learning_rate: float = quantity(0.004, "1", "step of the optimiser", gt=0.0, le=1.0)
    momentum: float = quantity(0.9, "1", "of the optimiser `momentum`", ge=0.0, lt=1.0)
    threshold: float = quantity(
        0.06, "1", "accumulated change at which a pulse is fired, over the conductance range", ge=0.0, le=1.0
    )
    weight_range: float = quantity(2.0, "1", "weight that the full conductance range stands for", gt=0.0, le=100.0)
    centre: float = quantity(
        0.4, "1", "where in the conductance range the mean of a pair is kept (0 lowest, 1 highest)", gt=0.0, lt=1.0
    )
    wires: bool = quantity(True, "1", "whether array reads go through the wires of the table file")
    seed: int = quantity(1, "1", "of the split, the initial weights and the order of the batches", ge=0, le=2**62)


@dataclass(frozen=True)
class EpochReport:
    """One epoch's outcome, for whoever shows progress; `epoch` 0 is before training."""

    epoch: int
    epochs: int
    accuracy_test: float
    accuracy_train: float
    float_accuracy_test: float
    loss: float
    tally: Tally
    energy_read: float


def train(
    tables: TableFile,
    settings: TrainSettings,
    *,
    tables_name: str = "",
    data: DataSet | None = None,
    progress: Callable[[EpochReport], None] | None = None,
) -> Run:
    """Train with the tables' device, and in float beside it; the same tables, settings and data give the same run.

    Parameters
    ----------
    tables : TableFile
        Tables `read`, `set`, `reset` and, unless `settings.wires` is false, `wires`.
    settings : TrainSettings
        Network, budget and rule.
    tables_name : str, optional
        Name of the table file, for the record.
    data : DataSet, optional
        What to learn; the digits, split by the seed, when left out.
    progress : callable, optional
        Called with an `EpochReport` before training and after each epoch.

    Raises
    ------
    InputError, TableError
        When a layer is larger than the wires were checked on, or a table lacks something.
    """
    started = time.perf_counter()
    data = data if data is not None else digits(seed=settings.seed)
    sizes = (data.x_train.shape[1], *settings.hidden, data.classes)
    weights = initial_weights(sizes, rng=_stream(settings, _WEIGHTS, 0))
    rule, reference = rram_rule(tables, settings), FloatReference(_optimiser(settings))
    initial = final = rule.init(weights, rng=_stream(settings, _DEVICE, 0))
    in_rram = drive(rule, initial, data, settings)
    in_float = drive(reference, reference.init(weights, rng=_stream(settings, _DEVICE, 0)), data, settings)
    reports: list[EpochReport] = []
    for rram, digital in zip(in_rram, in_float, strict=True):
        final = rram.learner
        reports.append(_report(rram, digital, data, settings))
        if progress is not None:
            progress(reports[-1])
    confusion = np.zeros((data.classes, data.classes), dtype=np.int64)
    predicted = _predicted(final, data.x_test, rng=_stream(settings, _JUDGING, settings.epochs + 1))
    np.add.at(confusion, (data.y_test, predicted), 1)
    return Run(
        settings=settings.model_dump(mode="json"),
        tables_name=tables_name,
        tables_provenance=dict(tables.provenance),
        kit_version=__version__,
        seed=settings.seed,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        epochs=_history(reports),
        layers=_layers(initial, final),
        confusion=confusion,
        accuracy=reports[-1].accuracy_test,
        float_accuracy=reports[-1].float_accuracy_test,
        train_seconds=time.perf_counter() - started,
    )


def rram_rule(tables: TableFile, settings: TrainSettings) -> MixedPrecision:
    """Return the mixed-precision rule on the device of a table file."""
    writer = Writer.from_tables(tables)
    low, high = writer.g_range
    return MixedPrecision(
        optimiser=_optimiser(settings),
        model=ArrayModel.from_tables(tables, wires=settings.wires),
        writer=writer,
        threshold=settings.threshold * (high - low),
        g_unit=(high - low) / settings.weight_range,
        g_centre=low + settings.centre * (high - low),
    )


@dataclass(frozen=True)
class Epoch:
    """One network after an epoch: its state, what its writes took, and the energy of its training reads (J)."""

    number: int
    learner: Learner
    tally: Tally
    energy_read: float


def drive(rule: UpdateRule, learner: Learner, data: DataSet, settings: TrainSettings) -> Iterator[Epoch]:
    """Yield the network before training and after each epoch; the order of the images depends on the seed alone."""
    yield Epoch(0, learner, learner.tally, 0.0)
    for number in range(1, settings.epochs + 1):
        tally, energy_read = Tally(), 0.0
        order = _stream(settings, _ORDER, number).permutation(len(data.y_train))
        rng = _stream(settings, _DEVICE, number)
        for start in range(0, order.size, settings.batch):
            images = order[start : start + settings.batch]
            slope = gradients(learner.matrices, data.x_train[images], data.y_train[images], rng=rng)
            learner = rule.step(learner, slope.weights, rng=rng)
            tally += learner.tally + Tally(clamped=slope.clamped)
            energy_read += slope.energy
        yield Epoch(number, learner, tally, energy_read)


def _stream(settings: TrainSettings, purpose: int, epoch: int) -> np.random.Generator:
    return np.random.default_rng((settings.seed, purpose, epoch))


def _optimiser(settings: TrainSettings) -> Optimiser:
    if settings.optimiser == "adam":
        return Adam(settings.learning_rate)
    return Momentum(settings.learning_rate, settings.momentum)


def _report(rram: Epoch, digital: Epoch, data: DataSet, settings: TrainSettings) -> EpochReport:
    rng = _stream(settings, _JUDGING, rram.number)
    scores = forward(rram.learner.matrices, data.x_train, rng=rng).scores
    return EpochReport(
        epoch=rram.number,
        epochs=settings.epochs,
        accuracy_test=_accuracy(rram.learner, data.x_test, data.y_test, rng=rng),
        accuracy_train=float(np.mean(np.argmax(scores, axis=1) == data.y_train)),
        float_accuracy_test=_accuracy(digital.learner, data.x_test, data.y_test, rng=rng),
        loss=cross_entropy(scores, data.y_train)[0],
        tally=rram.tally,
        energy_read=rram.energy_read,
    )


def _predicted(learner: Learner, x: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    return np.argmax(forward(learner.matrices, x, rng=rng).scores, axis=1)


def _accuracy(learner: Learner, x: np.ndarray, labels: np.ndarray, *, rng: np.random.Generator) -> float:
    return float(np.mean(_predicted(learner, x, rng=rng) == labels))


def _history(reports: list[EpochReport]) -> Epochs:
    return Epochs(
        epoch=np.array([report.epoch for report in reports]),
        accuracy_test=np.array([report.accuracy_test for report in reports]),
        accuracy_train=np.array([report.accuracy_train for report in reports]),
        float_accuracy_test=np.array([report.float_accuracy_test for report in reports]),
        loss=np.array([report.loss for report in reports]),
        pulses_set=np.array([report.tally.pulses_set for report in reports]),
        pulses_reset=np.array([report.tally.pulses_reset for report in reports]),
        energy_write=np.array([report.tally.energy for report in reports]),
        energy_read=np.array([report.energy_read for report in reports]),
        clamped=np.array([report.tally.clamped for report in reports]),
    )


def _layers(initial: Learner, final: Learner) -> tuple[LayerRecord, ...]:
    records = []
    for before, after, pulses in zip(initial.matrices, final.matrices, final.pulses, strict=True):
        assert isinstance(before, TileMatrix) and isinstance(after, TileMatrix)
        records.append(LayerRecord(before.tile.g_cell, after.tile.g_cell, pulses))
    return tuple(records)
