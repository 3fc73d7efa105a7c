"""Supervised training of one network in RRAM, and of a float network with the same budget beside it.

After each epoch both networks are evaluated on the validation inputs, which choose learning rates and the end; the test
inputs are read once, after the last epoch (`outcome`).
"""

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from rramkit import __version__, units
from rramkit.array.backend import Array
from rramkit.errors import InputError
from rramkit.learning import faults, on_device
from rramkit.learning.checkpoint import Checkpoint, check_fit, flatten, restore
from rramkit.learning.chip import Chip
from rramkit.learning.condition import OperatingTables, origin
from rramkit.learning.continued import as_float, continued, digest_of
from rramkit.learning.data import DataSet, as_numbers, augmented
from rramkit.learning.driver import Report, Training
from rramkit.learning.experiment import Experiment
from rramkit.learning.layers.read_cost import NetworkReads
from rramkit.learning.log import TrainingLog
from rramkit.learning.losses import RelativeErrors
from rramkit.learning.model import SCORED_AT_ONCE, Network
from rramkit.learning.on_device import Random, brought_back
from rramkit.learning.rules import BoundRule, FloatReference, WriteCost
from rramkit.learning.tally import added, reads_by_matrix, writes_by_matrix
from rramkit.learning.trained import TrainedNetwork
from rramkit.learning.trainer import NetworkState, Trainer, pulses_by_matrix
from rramkit.record.faults import Fault

# Second words of the seeds: one stream of random numbers for each purpose, and, with the epoch as the third, one for
# each epoch, so that an epoch needs nothing of those before it but the network.
_WEIGHTS, _ORDER, _DEVICE, _EVALUATION, _AUGMENTATION, _SAMPLE, _TEST = 1, 2, 3, 4, 5, 6, 7
_PRETRAIN = 1_000_000  # added to the epoch of a batch's order: beyond all epochs of a training
_SAMPLE_MOST = 2000  # training inputs that loss and training accuracy are taken from: a standard error of 1 % or less
BINS = 64  # of the conductance histograms (1): each an 8th of a bit-line's usual levels or finer


@dataclass(frozen=True)
class EpochReport(Report):
    """One epoch's outcome; epoch 0 is before training.

    Attributes
    ----------
    epoch, epochs : int
        This one, and how many there are.
    accuracy_validation, accuracy_train, float_accuracy_validation : float
        Fraction of inputs classified correctly, of targets 1 less the mean relative error (training inputs: a sample of
        them); NaN without validation inputs, or without a float network.
    loss : float
        Mean loss over the sample of training inputs (cross-entropies in nat).
    pulses_set, pulses_reset, reads, energy_write, time_write, energy_read, time_read, clamped
        Pulses, cells read in order to be written, energy (J) and time (s) of both, energy (J) and time (s) of the
        training's array reads, and values clamped, in this epoch.
    pulses_by_matrix : ndarray of int
        Pulses at each of M matrices (M,) in this epoch.
    histograms : ndarray of int
        Cells in each bin of conductance (M, bins) after it.
    cells_changed : int
        Cells whose conductance is another one after it.
    weights_clipped, saturated : float
        Part of the weights at an end of what cells can hold (before training: of those cut to it), and part of the
        sensed currents beyond a converter's range (1).
    images, batches : int
        Inputs trained on, and batches.
    reads_by_matrix, writes_by_matrix : ndarray
        Reads (M, 2, `READS`) and writes (M, `WRITES`) of each matrix, as `rramkit.record.counts` keeps them.
    pulses_total, energy_total : int, float
        Pulses of this and all earlier epochs, and the energy (J) of writes and reads.
    faults : tuple of Fault
        What the training has not done, so far.
    """

    epoch: int
    epochs: int
    accuracy_validation: float
    accuracy_train: float
    float_accuracy_validation: float
    loss: float
    pulses_set: int
    pulses_reset: int
    reads: int
    energy_write: float
    time_write: float
    energy_read: float
    time_read: float
    clamped: int
    pulses_by_matrix: np.ndarray
    histograms: np.ndarray
    cells_changed: int
    weights_clipped: float
    saturated: float
    images: int
    batches: int
    reads_by_matrix: np.ndarray
    writes_by_matrix: np.ndarray
    pulses_total: int = 0
    energy_total: float = 0.0
    faults: tuple[Fault, ...] = ()

    @property
    def done(self) -> int:
        """Number of the epoch."""
        return self.epoch

    @property
    def total(self) -> int:
        """All epochs."""
        return self.epochs

    @property
    def text(self) -> str:
        """Faults of this epoch in capitals, accuracies, loss, and pulses and energy so far."""
        now = [fault.heading.upper() for fault in self.faults if self.epoch in fault.epochs]
        validation = f"validation {units.percent(self.accuracy_validation)}"
        digital = f" (float {units.percent(self.float_accuracy_validation)})"
        shown = validation + digital if np.isfinite(self.accuracy_validation) else ""
        return "  ".join(now + [""] * bool(now)) + (
            f"{shown or f'training {units.percent(self.accuracy_train)}'}  "
            f"loss {self.loss:.3f}  {units.count(self.pulses_total)} pulses  {units.text(self.energy_total, 'J')}  "
            f"{units.count(self.clamped)} clamped"
        )


_NOT_LOGGED = ("epochs", "pulses_total", "energy_total", "faults")
LOGGED = tuple(field.name for field in fields(EpochReport) if field.name not in _NOT_LOGGED)
"""Series of the training log: the fields of a report."""


@dataclass(frozen=True)
class Outcome:
    """What the test inputs say of the trained networks.

    Attributes
    ----------
    accuracy, float_accuracy : float
        Fraction of test inputs classified correctly, of targets 1 less the mean relative error, in RRAM and in float
        (NaN without a float network).
    confusion : ndarray of int
        Counts of the network in RRAM, true class by predicted class; of targets the number of inputs (1, 1).
    errors, float_errors : RelativeErrors or None
        Relative errors of targets; None for labels, or without a float network.
    """

    accuracy: float
    float_accuracy: float
    confusion: np.ndarray
    errors: RelativeErrors | None = None
    float_errors: RelativeErrors | None = None


@dataclass(frozen=True)
class BothNetworks:
    """The network in RRAM and the float reference; without a reference the second stays as it was initialised."""

    rram: NetworkState
    reference: NetworkState


@dataclass(frozen=True)
class EpochCost:
    """Cost of one epoch: writes, in all and by matrix, reads of the training, inputs trained on and batches."""

    writes: WriteCost
    reads: NetworkReads
    by_matrix: tuple[WriteCost, ...] = ()
    images: int = 0
    batches: int = 0


class SupervisedTraining(Training[EpochReport]):
    """One training by an experiment's settings.

    Attributes
    ----------
    experiment : Experiment
        The settings.
    data : DataSet
        Training, validation and test inputs.
    loss : LossSettings
        What a batch's scores cost, and how good answers are.
    chip : Chip
        What the tables make of the experiment's stages.
    rram, reference : Trainer
        Both networks' constant parts: the same network, the experiment's rule and a float rule.
    start : TrainedNetwork or None
        The network that the training goes on from; None: first weights of the seed.
    uncalibrated : NetworkState
        The network in RRAM as it was initialised, before its ADCs' full scale was set.
    initial, states : BothNetworks
        The networks before the first epoch, and now.
    log : TrainingLog
        One value of each of `LOGGED` an epoch.
    """

    def __init__(
        self, experiment: Experiment, tables: OperatingTables, data: DataSet, *, start: TrainedNetwork | None = None
    ) -> None:
        self.experiment, self.data, self.start, self.loss = experiment, data, start, experiment.loss
        self.loss.check(has_targets=data.has_targets)
        if experiment.schedule.needs_validation and not len(data.y_validation):
            raise InputError(
                "`schedule` must have validation inputs to go by; got none. Set `data.validation` to 0.1, or take "
                "another `schedule.kind` and `schedule.stop = 0`."
            )
        self.chip = experiment.on(tables)
        self.rram, self.reference = trainers(experiment, self.chip, data.shape, self.loss.outputs(data.classes))
        if self.rram.device is not None:
            on_device.check(self.rram.rule, self.rram.network, self.loss)
        rng = np.random.default_rng((experiment.seed, _SAMPLE))
        self._sample = np.sort(rng.permutation(len(data.y_train))[:_SAMPLE_MOST])
        self.g_edges = np.linspace(*experiment.rule.g_range(self.chip.tables.write), BINS + 1)
        self.uncalibrated = init(self.rram, experiment)
        self.initial = self.states = self._init()
        self.log = TrainingLog.of(*LOGGED)

    @property
    def identity(self) -> str:
        """Experiment, origin of the tables, size of the data, what a user's own hold, and the kit's version."""
        tables, data = origin(self.chip.tables), self.data
        sizes = " ".join(str(x.shape) for x in (data.x_train, data.x_validation, data.x_test))
        start = "" if self.start is None else f" {digest_of(self.start)}"
        return f"{self.experiment.key()} {tables} {sizes}{data.digest and f' {data.digest}'} {__version__}{start}"

    @property
    def epoch(self) -> int:
        """Epoch of the last report; -1 before the first."""
        return self.log.length("epoch") - 1

    @property
    def finished(self) -> bool:
        """Whether the last epoch is over, or the schedule stops, by the validation accuracies."""
        return self.epoch >= self.experiment.epochs or self.experiment.schedule.stops(self._validated())

    @property
    def checkpoint_due(self) -> bool:
        """After each epoch."""
        return self.epoch > 0

    def advance(self) -> EpochReport:
        """Train one epoch and evaluate on the validation inputs; at first, evaluate the initial network."""
        epoch, before = self.epoch + 1, self.states
        first = before.rram.rule_state
        cost = EpochCost(first.tally, NetworkReads(), first.tallies)
        if epoch:
            self.states, cost = self._epoch(epoch)
        report = self._report(epoch, before, cost)
        self.log.add(epoch, **{name: getattr(report, name) for name in LOGGED})
        return self._with_totals(report)

    def without_cache(self) -> None:
        """Nothing to drop: an epoch ends without."""

    def checkpoint(self, seconds: float) -> Checkpoint:
        """Return both networks' changes and the log."""
        return Checkpoint(flatten(self.initial, self.states), self.log.arrays(), seconds)

    def resume(self, reached: Checkpoint) -> None:
        """Go on after the last epoch of a checkpoint."""
        check_fit(self.initial, reached.state)
        log = TrainingLog.from_arrays(reached.log)
        lengths = {log.length(name) for name in LOGGED}
        if len(lengths) != 1 or not 1 < min(lengths) <= self.experiment.epochs + 1 or set(log.series) != set(LOGGED):
            raise ValueError("the log is not one of this training")
        self.states, self.log = restore(self.initial, reached.state), log

    def past_reports(self) -> list[EpochReport]:
        """Return the report of each epoch in the log."""
        reports = [EpochReport(epochs=self.experiment.epochs, **self.log.row(i)) for i in range(self.epoch + 1)]
        return [self._with_totals(report) for report in reports]

    def _init(self) -> BothNetworks:
        experiment, dtype = self.experiment, np.dtype(self.experiment.precision)
        rram, reference = self.uncalibrated, init(self.reference, experiment)
        if self.start is not None:
            device = np.random.default_rng((experiment.seed, _DEVICE, 0))  # that of `init`: the same chip
            rram = continued(self.rram, self.start, rng=device)
            reference = as_float(self.reference, self.start)
        elif experiment.pretrain.epochs:
            rram, reference = self._pretrained(reference)
        if self.rram.calibrates:
            first = self._sample[: experiment.batch]
            x, labels = as_numbers(self.data.x_train[first], dtype), self.data.y_train[first]
            rram = self.rram.calibrated(rram, reference, x, labels, margin=experiment.mapping.margin)
        return BothNetworks(rram, reference)

    def _pretrained(self, reference: NetworkState) -> tuple[NetworkState, NetworkState]:
        """Return both networks after a training in float, its weights written as first weights are."""
        settings, dtype = self.experiment.pretrain, np.dtype(self.experiment.precision)
        for epoch in range(settings.epochs):
            rate = settings.rate * 0.5 * (1.0 + np.cos(np.pi * epoch / settings.epochs))
            reference = self.reference.at_rate(reference, rate)
            reference, _ = self._one_epoch(self.reference, reference, epoch + _PRETRAIN)
        rule, weights = self.rram.rule, [matrix.weight for matrix in reference.rule_state.matrices]
        devices = [rule.at(index).device for index in range(len(weights))]
        held = [w if d is None else d.mapping.limited(w)[0] for d, w in zip(devices, weights, strict=True)]
        rng = np.random.default_rng((self.experiment.seed, _DEVICE, 0))  # that of `init`: the same chip
        first = replace(self.rram.init(held, dtype=dtype, rng=rng), vectors=reference.vectors, means=reference.means)
        start = replace(self.reference.init(held, dtype=dtype, rng=rng), vectors=first.vectors, means=first.means)
        return first, start

    def _epoch(self, epoch: int) -> tuple[BothNetworks, EpochCost]:
        experiment = self.experiment
        rate = experiment.schedule.rate(epoch, experiment.epochs, self._validated())
        rram, cost = self._one_epoch(self.rram, self.rram.at_rate(self.states.rram, rate), epoch)
        reference = self.states.reference
        if experiment.float_reference:
            reference, _ = self._one_epoch(self.reference, self.reference.at_rate(reference, rate), epoch)
        return BothNetworks(rram, reference), cost

    def _one_epoch(self, trainer: Trainer, state: NetworkState, epoch: int) -> tuple[NetworkState, EpochCost]:
        """Train one network; the order of the inputs depends on seed and epoch alone."""
        device, first = trainer.random((self.experiment.seed, _DEVICE, epoch)), state
        state = trainer.placed(state)
        writes, reads, by_matrix = WriteCost(), NetworkReads(), ()
        batches = self._batches(epoch)
        for x, truth in self._inputs(trainer, batches, epoch):
            state, cost = trainer.train_step(state, x, truth, rng=device)
            writes, reads = writes + state.rule_state.tally, reads + cost
            by_matrix = added(by_matrix, state.rule_state.tallies)
        images = sum(batch.size for batch in batches)
        state, cost = trainer.without_cache(state), EpochCost(writes, reads, by_matrix, images, len(batches))
        if trainer.device is None:
            return state, cost
        before, state = first.rule_state.matrices, brought_back(state)
        cells = [part.cells.g_cell for part in state.rule_state.parts]
        on_device.check_finite(
            (*cells, *state.vectors, *state.rule_state.optimiser.first),
            f"weights and conductances must stay finite; after epoch {epoch} some are not",
            lambda: on_device.cause_of(as_numbers(self.data.x_train, self._dtype), before),
        )
        return state, brought_back(cost)

    def _inputs(self, trainer: Trainer, batches: Sequence[np.ndarray], epoch: int) -> Iterator[tuple[Array, Array]]:
        """Yield inputs of each batch and their labels or targets; to a device many batches are sent at once."""
        rng, size = self._stream(_AUGMENTATION, epoch), self._bytes_of_input
        groups = [[batch] for batch in batches] if trainer.device is None else on_device.in_groups(batches, size)
        for some in groups:
            parts = [as_numbers(self.data.x_train[batch], self._dtype) for batch in some]
            parts = [augmented(x, rng=rng) for x in parts] if self.experiment.data.augment else parts
            whole = parts[0] if len(parts) == 1 else np.concatenate(parts)
            x, truth = trainer.placed((whole, self.data.y_train[np.concatenate(some)]))
            ends = np.cumsum([batch.size for batch in some]).tolist()
            for start, end in itertools.pairwise([0, *ends]):
                yield x[start:end], truth[start:end]

    def _batches(self, epoch: int) -> Sequence[np.ndarray]:
        """Return the indices of each batch's inputs; a fixed number of batches goes round the training set."""
        experiment, order = self.experiment, self._stream(_ORDER, epoch).permutation(len(self.data.y_train))
        count = experiment.batches or -(-order.size // experiment.batch)
        spans = [range(i * experiment.batch, (i + 1) * experiment.batch) for i in range(count)]
        if experiment.batches:
            return [np.take(order, span, mode="wrap") for span in spans]
        return [order[span.start : span.stop] for span in spans]

    def _report(self, epoch: int, before: BothNetworks, cost: EpochCost) -> EpochReport:
        rng, data, rram = self._draws(_EVALUATION, epoch), self.data, self.states.rram
        labels = data.y_train[self._sample]
        scores = self._scores(self.rram, rram, data.x_train[self._sample], rng)
        validation, of_float = self._accuracies(data.x_validation, data.y_validation, rng)
        reads, matrices = cost.reads.total, len(self.rram.network.matrices)
        return EpochReport(
            epoch=epoch,
            epochs=self.experiment.epochs,
            accuracy_validation=validation,
            accuracy_train=self.loss.accuracy(scores, labels),
            float_accuracy_validation=of_float,
            loss=self.loss.of(scores, labels)[0],
            pulses_set=cost.writes.pulses_set,
            pulses_reset=cost.writes.pulses_reset,
            reads=cost.writes.reads,
            energy_write=cost.writes.energy,
            time_write=cost.writes.seconds,
            energy_read=reads.energy,
            time_read=reads.seconds,
            clamped=cost.writes.clamped + reads.clamped,
            pulses_by_matrix=pulses_by_matrix(before.rram if epoch else None, rram),
            histograms=_histograms(rram, self.g_edges),
            cells_changed=faults.cells_changed(before.rram.rule_state, rram.rule_state),
            weights_clipped=self._clipped(epoch),
            saturated=reads.saturated,
            images=cost.images,
            batches=cost.batches,
            reads_by_matrix=reads_by_matrix(cost.reads, matrices),
            writes_by_matrix=writes_by_matrix(cost.by_matrix, matrices),
        )

    def _with_totals(self, report: EpochReport) -> EpochReport:
        """Return a report with the sums over its epoch and all earlier ones."""
        rows = [self.log.row(i) for i in range(report.epoch + 1)]
        return replace(
            report,
            pulses_total=sum(row["pulses_set"] + row["pulses_reset"] for row in rows),
            energy_total=sum(row["energy_write"] + row["energy_read"] for row in rows),
            faults=self.faults(),
        )

    def _clipped(self, epoch: int) -> float:
        """Return the part of the weights at an end of what cells can hold; before training, of those cut to it."""
        if epoch:
            return faults.clipped(self.rram.rule, self.states.rram.rule_state)
        return faults.clipped_at_first(self.rram.rule, first_weights(self.rram, self.experiment))

    def faults(self) -> tuple[Fault, ...]:
        """Return what the training has not done so far, although it ran."""
        log, labels = self.log, self.data.y_validation if len(self.data.y_validation) else self.data.y_train
        series = faults.Series(
            pulses=log.values("pulses_by_matrix"),
            changed=log.values("cells_changed"),
            clipped=log.values("weights_clipped"),
            saturated=log.values("saturated"),
        )
        found = faults.of_writes(self.rram.rule, self.states.rram.rule_state.parts, series)
        validated = len(self.data.y_validation) > 0
        chance = faults.Chance(
            accuracy=log.values("accuracy_validation" if validated else "accuracy_train"),
            reference=log.values("float_accuracy_validation"),
            most=self.loss.chance(labels),
            of_targets=self.loss.takes_targets,
            count=len(labels) if validated else self._sample.size,
        )
        return (*found, *faults.of_accuracy(chance, found))

    def outcome(self) -> Outcome:
        """Return what the test inputs say of both networks as they are now; the one place that reads them."""
        x, labels, rng = self.data.x_test, self.data.y_test, self._draws(_TEST, self.epoch)
        scores = self._scores(self.rram, self.states.rram, x, rng)
        of_float = self._reference_scores(x, rng)
        return Outcome(
            accuracy=self.loss.accuracy(scores, labels),
            float_accuracy=float("nan") if of_float is None else self.loss.accuracy(of_float, labels),
            confusion=answers(scores, labels, self.data.classes),
            errors=self.loss.errors(scores, labels),
            float_errors=None if of_float is None else self.loss.errors(of_float, labels),
        )

    def _accuracies(self, x: np.ndarray, labels: np.ndarray, rng: np.random.Generator) -> tuple[float, float]:
        """Return the accuracies on inputs (N, ...) of both networks; NaN where there is no input, or no network."""
        if not len(labels):
            return float("nan"), float("nan")
        in_rram = self.loss.accuracy(self._scores(self.rram, self.states.rram, x, rng), labels)
        of_float = self._reference_scores(x, rng)
        return in_rram, float("nan") if of_float is None else self.loss.accuracy(of_float, labels)

    def _reference_scores(self, x: np.ndarray, rng: np.random.Generator) -> np.ndarray | None:
        """Return the scores of the float network (N, S); None where none is trained."""
        if not self.experiment.float_reference:
            return None
        return self._scores(self.reference, self.states.reference, x, rng)

    def _validated(self) -> list[float]:
        """Return the validation accuracies so far, that of the initial network first."""
        return self.log.values("accuracy_validation").tolist()

    def _scores(self, trainer: Trainer, state: NetworkState, x: np.ndarray, rng: Random) -> np.ndarray:
        inputs, network = as_numbers(x, self._dtype), trainer.network
        if trainer.device is None:
            return network.scores(trainer.params(state), inputs, rng=rng)
        params = trainer.params(trainer.placed(state))
        step = on_device.sent_at_once(self._bytes_of_input, SCORED_AT_ONCE)
        parts = (trainer.placed(inputs[start : start + step]) for start in range(0, len(inputs), step))
        scores = np.concatenate([brought_back(network.scores(params, part, rng=rng)) for part in parts])
        on_device.check_finite(
            [scores],
            "scores must be finite; some are not",
            lambda: on_device.cause_of(inputs, state.rule_state.matrices),
        )
        return scores

    @property
    def _dtype(self) -> np.dtype:
        """Type of all numbers of both networks."""
        return np.dtype(self.experiment.precision)

    @property
    def _bytes_of_input(self) -> int:
        """Bytes of one input."""
        return math.prod(self.data.shape) * self._dtype.itemsize

    def _draws(self, purpose: int, epoch: int) -> Random:
        """Return the random numbers of reads for a purpose, where they are read."""
        return self.rram.random((self.experiment.seed, purpose, epoch))

    def _stream(self, purpose: int, epoch: int) -> np.random.Generator:
        return np.random.default_rng((self.experiment.seed, purpose, epoch))


def trainers(experiment: Experiment, chip: Chip, input_shape: tuple[int, ...], outputs: int) -> tuple[Trainer, Trainer]:
    """Return the constant parts of the network on a chip, of so many outputs, and of the float reference."""
    network, loss = Network.of(experiment.network, input_shape, outputs), experiment.loss
    optimiser = experiment.optimiser.built()
    of_vectors = replace(optimiser, weight_decay=0.0)  # biases, scales and shifts do not decay: the usual practice
    device = experiment.mapping.device if experiment.mapping.backend == "torch" else None
    rram = Trainer(network, experiment.rule_on(chip, network), of_vectors, loss, device)
    return rram, Trainer(network, BoundRule(FloatReference(), optimiser), of_vectors, loss, device)


def init(trainer: Trainer, experiment: Experiment) -> NetworkState:
    """Return a network's initial state: the weights of the experiment's seed, written by the trainer's rule."""
    dtype, weights = np.dtype(experiment.precision), first_weights(trainer, experiment)
    return trainer.init(weights, dtype=dtype, rng=np.random.default_rng((experiment.seed, _DEVICE, 0)))


def first_weights(trainer: Trainer, experiment: Experiment) -> tuple[np.ndarray, ...]:
    """Return the weights (R, C) of each matrix that an experiment's seed draws (1)."""
    dtype = np.dtype(experiment.precision)
    return trainer.network.init_weights(rng=np.random.default_rng((experiment.seed, _WEIGHTS, 0)), dtype=dtype)


def answers(scores: np.ndarray, truth: np.ndarray, classes: int) -> np.ndarray:
    """Return the confusion (classes, classes) of scores and labels; of targets the number of inputs (1, 1)."""
    if truth.ndim == 2:
        return np.full((1, 1), len(truth), dtype=np.int64)
    return confusion(truth, np.argmax(scores, axis=1), classes)


def confusion(labels: np.ndarray, predicted: np.ndarray, classes: int) -> np.ndarray:
    """Return the counts (classes, classes) of labels (N,) by predictions (N,)."""
    counts = np.zeros((classes, classes), dtype=np.int64)
    np.add.at(counts, (labels, predicted), 1)
    return counts


def _histograms(state: NetworkState, edges: np.ndarray) -> np.ndarray:
    """Return the cells in each bin of conductance, (M, bins); cells beyond an end count in the last bin there."""
    g_cells = [np.clip(part.cells.g_cell, edges[0], edges[-1]) for part in state.rule_state.parts]
    return np.array([np.histogram(g, edges)[0] for g in g_cells], dtype=np.int64).reshape(len(g_cells), BINS)
