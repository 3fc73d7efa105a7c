"""A trained network after its training: accuracy and cost by layer, as it is, aged, varied, and on other chips.

*Aged.* All cells rest for a time at a temperature and drift by the law of `rramkit.array.write.ageing`, each with an
exponent of its own; with `refresh` they are brought back to what they were every so often: they are as old as that at
most, and are evaluated at that age. `refreshed` is one refresh: every cell that has drifted is written to where it was
by the write-verify loop of the tables, at the cost of its pulses and verify reads, and ends within the loop's window.
The time counts from the end of the training: what a cell lived through in it is
not in a run file.

*Varied.* The conductance of every cell times a lognormal factor of its own, of median one, as if cells were left where
a process of that spread puts them and nobody verified them.

*On another chip.* The weights that the cells stand for are written into fresh cells of other draws (spread, periphery,
write errors) by the start method of the run's rule, and converters are calibrated anew. So are weights that were
trained elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rramkit.array.backend import to_numpy
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.matrix import FloatMatrix, Matrix, Product, Samples
from rramkit.array.read_parts import SENSING, read_parts
from rramkit.array.write.ageing import RetentionParams
from rramkit.array.write.state import WriteCost
from rramkit.errors import InputError
from rramkit.learning.by_layer import kind_of, matrix_named, matrix_names
from rramkit.learning.cells import leaves, with_leaves
from rramkit.learning.condition import OperatingTables
from rramkit.learning.continued import as_float, continued
from rramkit.learning.data import as_numbers
from rramkit.learning.experiment import Experiment
from rramkit.learning.layers import Activation
from rramkit.learning.layers.read_cost import ReadCost
from rramkit.learning.losses import CrossEntropy, LossSettings, RelativeErrors
from rramkit.learning.model import Network
from rramkit.learning.state_dict import PlainWeights, named_layers
from rramkit.learning.supervised import answers, trainers
from rramkit.learning.trained import TrainedNetwork
from rramkit.learning.trainer import NetworkState, Trainer

_CROSS_ENTROPY = CrossEntropy()
_CHIP = 9  # second word of the seed that draws another chip: another stream than those of a training
_AGE = 10  # the same, of the drift exponents
_SPREAD = 12  # the same, of the factors of a spread
_REFRESH = 11  # the same, of the devices that a refresh writes


@dataclass(frozen=True)
class LayerCost:
    """What one layer with a matrix costs.

    Attributes
    ----------
    name : str
        Number of the layer, as in `state_dict`.
    kind, also : str
        Kind of the layer, and its other name: the kind with its count.
    shape : tuple of int
        The matrix (R, C).
    cells : int
        Cells that hold it; 0 in float.
    energy, seconds : float
        Energy (J) and time (s) of its reads for one input.
    clamped : int
        Inputs and currents clamped, over all inputs.
    parts : mapping of str to float
        Parts of `energy` by name (J), as `rramkit.array.read_parts` has them; empty in float.
    sensed : float
        Currents sensed for one input.
    """

    name: str
    kind: str
    also: str
    shape: tuple[int, int]
    cells: int
    energy: float
    seconds: float
    clamped: int
    parts: Mapping[str, float] = field(default_factory=dict)
    sensed: float = 0.0


@dataclass(frozen=True)
class Evaluation:
    """What test inputs say of a network.

    Attributes
    ----------
    accuracy : float
        Fraction of the inputs classified correctly, of targets 1 less the mean relative error (1).
    confusion : ndarray of int
        Counts, true class by predicted class; of targets the number of inputs (1, 1).
    layers : tuple of LayerCost
        Cost of each layer with a matrix, in order.
    errors : RelativeErrors or None
        Relative errors of targets; None for labels.
    """

    accuracy: float
    confusion: np.ndarray
    layers: tuple[LayerCost, ...]
    errors: RelativeErrors | None = None

    @property
    def energy(self) -> float:
        """Energy of the reads for one input, all layers (J)."""
        return sum(layer.energy for layer in self.layers)

    @property
    def seconds(self) -> float:
        """Time of the reads for one input, one layer after the other (s)."""
        return sum(layer.seconds for layer in self.layers)


@dataclass
class _Metered:
    """A matrix whose forward reads are added up; it grows in place."""

    matrix: Matrix
    cost: ReadCost = field(default_factory=ReadCost)

    @property
    def weight(self) -> np.ndarray:
        return self.matrix.weight

    def forward(self, x: Samples, /, *, rng: np.random.Generator) -> Product:
        product = self.matrix.forward(x, rng=rng)
        self.cost = self.cost + ReadCost.of(product)
        return product


def evaluate(
    network: TrainedNetwork,
    x: np.ndarray,
    labels: np.ndarray,
    *,
    rng: np.random.Generator | None = None,
    loss: LossSettings = _CROSS_ENTROPY,
    reads: int = 1,
) -> Evaluation:
    """Classify inputs, or answer them by numbers, and book the reads of each layer.

    Parameters
    ----------
    network : TrainedNetwork
        As `Run.network` gives it, or one of the functions below.
    x : ndarray
        Inputs (N, F) or (N, C, H, W) like those of training.
    labels : ndarray
        Their classes (N,), or targets (N, O) for a loss that takes those.
    rng : Generator, optional
        Draws the read noise; left out, one of the run's seed: then the accuracy of a run is found again.
    loss : LossSettings
        That of the training: what its scores say; left out, classes.
    reads : int
        Passes whose scores are averaged: less noise of the reads, at as many times their energy and time.

    Returns
    -------
    Evaluation
        Accuracy, confusion, and cost by layer.

    Raises
    ------
    InputError
        When targets are given and the loss is of labels, or the other way round.
    """
    loss.check(has_targets=labels.ndim == 2)
    meters = tuple(_Metered(matrix) for matrix in network.params.matrices)
    params = replace(network.params, matrices=meters)
    draws = np.random.default_rng(network.seed) if rng is None and reads > 1 else rng
    metered = replace(network, params=params)
    passes = [metered.scores(x, rng=draws) for _ in range(reads)] if reads > 1 else [metered.scores(x, rng=rng)]
    scores = np.mean(passes, axis=0) if reads > 1 else passes[0]
    count = len(labels)
    named = [(name, layer) for name, layer in named_layers(network.network) if layer.sizes.matrices]
    names = matrix_names(network.network)
    layers = tuple(
        LayerCost(
            name=name,
            kind=kind_of(layer),
            also=also,
            shape=(plan.rows, plan.columns),
            cells=sum(int(np.prod(each.g_cell.shape)) for each in leaves(meter.matrix)),
            energy=meter.cost.energy / count,
            seconds=meter.cost.seconds / count,
            clamped=meter.cost.clamped,
            parts=_parts(meter, count),
            sensed=meter.cost.conversions / count,
        )
        for (name, layer), (_, also), plan, meter in zip(named, names, network.network.matrices, meters, strict=True)
    )
    classes = max(scores.shape[1], int(labels.max()) + 1)
    counts = answers(scores, labels, classes)
    return Evaluation(loss.accuracy(scores, labels), counts, layers, loss.errors(scores, labels))


def _parts(meter: _Metered, count: int) -> dict[str, float]:
    """Return the parts of a matrix' energy for one of `count` inputs (J); none in float."""
    of_cells, cost = leaves(meter.matrix), meter.cost
    if not of_cells:
        return {}
    sums = {"energy": cost.energy, "e_drivers": cost.e_drivers, "e_sensing": cost.e_sensing}
    parts = read_parts(
        of_cells[0].chain,
        of_cells[0].mapping,
        **sums,
        conversions=cost.conversions,
        whole_conversions=cost.whole_conversions,
    )
    return {part.name: part.energy / count for part in parts if part.energy}


def analog_activations(network: Network, layers: Sequence[LayerCost]) -> float:
    """Return the energy of activations between layers, were they analog (J), for one input.

    Each takes as much as the readout of one line of the layer before it (this kit's choice: an operational amplifier
    each, whose circuits the tables do not have).
    """
    energy, index = 0.0, -1
    for _, layer in named_layers(network):
        if layer.sizes.matrices:
            index += 1
        elif isinstance(layer, Activation) and 0 <= index < len(layers) - 1 and layers[index].sensed:
            energy += layers[index].shape[1] * layers[index].parts.get(SENSING, 0.0) / layers[index].sensed
    return energy


def accuracy_in_float(
    plain: PlainWeights, x: np.ndarray, labels: np.ndarray, *, dtype: np.dtype, loss: LossSettings = _CROSS_ENTROPY
) -> float:
    """Return the accuracy of weights in memory (1)."""
    matrices = tuple(FloatMatrix(weight) for weight in plain.weights)
    params = plain.network.params(matrices, plain.vectors, plain.means)
    scores = plain.network.scores(params, as_numbers(x, dtype), rng=np.random.default_rng(0))  # draws nothing
    return loss.accuracy(scores, labels)


def aged(
    network: TrainedNetwork,
    seconds: float,
    *,
    t_cell: float,
    retention: RetentionParams,
    refresh: float = 0.0,
    seed: int = 0,
) -> TrainedNetwork:
    """Return the network after a rest: every conductance has drifted.

    Parameters
    ----------
    network : TrainedNetwork
        The network as it was trained.
    seconds : float
        Time since (s).
    t_cell : float
        Temperature of the cells (K).
    retention : RetentionParams
        The law of the drift.
    refresh : float
        Time from one refresh to the next (s), after which cells are what they were; 0: none. The network is that just
        before a refresh.
    seed : int
        Draws the drift exponent of each cell: one seed, one chip, whatever the time.

    Returns
    -------
    TrainedNetwork
        The same network with other conductances, held within the mapping's window.

    Raises
    ------
    InputError
        When the network has no cells.
    """
    if not any(leaves(matrix) for matrix in network.params.matrices):
        raise InputError("the network is in float: it has no cells that age. Evaluate it without a time.")
    rest = min(seconds, refresh) if refresh else seconds
    rng, moved = np.random.default_rng((seed, _AGE)), []
    for matrix in network.params.matrices:
        moved.append(with_leaves(matrix, [_drifted(each, rest, t_cell, retention, rng) for each in leaves(matrix)]))
    return replace(network, params=replace(network.params, matrices=tuple(moved)))


def _drifted(
    matrix: MappedMatrix, seconds: float, t_cell: float, retention: RetentionParams, rng: np.random.Generator
) -> MappedMatrix:
    g_cell = to_numpy(matrix.g_cell)
    nu = retention.nu + retention.sigma_nu * rng.standard_normal(g_cell.shape)
    factor = retention.factor(np.zeros(()), retention.aged(seconds, t_cell), nu)
    after = np.clip(g_cell * factor, *matrix.mapping.window)
    return matrix.programmed(matrix.tile.model.placed(after.astype(g_cell.dtype)), digital=matrix.digital)


def varied(network: TrainedNetwork, sigma: float, *, seed: int = 0) -> TrainedNetwork:
    """Return the network with the conductance of each cell times a lognormal factor of median one.

    Parameters
    ----------
    network : TrainedNetwork
        The network as it was trained.
    sigma : float
        Standard deviation of the factor's logarithm (1); 0.1: cells are about 10 % off.
    seed : int
        Draws the factors: one seed, one chip, whose cells are off in proportion to `sigma`.

    Returns
    -------
    TrainedNetwork
        The same network with other conductances, held within the read table.

    Raises
    ------
    InputError
        When the network has no cells.
    """
    if not any(leaves(matrix) for matrix in network.params.matrices):
        raise InputError("the network is in float: it has no cells that spread. Evaluate it without a spread.")
    rng, moved = np.random.default_rng((seed, _SPREAD)), []
    for matrix in network.params.matrices:
        moved.append(with_leaves(matrix, [_spread(each, sigma, rng) for each in leaves(matrix)]))
    return replace(network, params=replace(network.params, matrices=tuple(moved)))


def _spread(matrix: MappedMatrix, sigma: float, rng: np.random.Generator) -> MappedMatrix:
    g_cell, model = to_numpy(matrix.g_cell), matrix.tile.model
    low, high = model.cells.g_grid[0], model.cells.g_grid[-1]
    after = np.clip(g_cell * np.exp(sigma * rng.standard_normal(g_cell.shape)), low, high)
    return matrix.programmed(model.placed(after.astype(g_cell.dtype)), digital=matrix.digital)


def refreshed(
    experiment: Experiment, tables: OperatingTables, network: TrainedNetwork, old: TrainedNetwork, *, seed: int
) -> tuple[TrainedNetwork, WriteCost]:
    """Return an aged network whose cells were written to where they had been, and what that costs.

    Parameters
    ----------
    experiment : Experiment
        Its chip, mapping and rule: `rule.update` and `rule.verify` are the stages of the writes.
    tables : OperatingTables
        Where arrays are written.
    network, old : TrainedNetwork
        The network as it was, and after its rest (`aged`).
    seed : int
        Draws the devices and the errors of the writes.

    Returns
    -------
    TrainedNetwork, WriteCost
        The network after the refresh, and pulses, verify reads, energy (J) and time (s) of it.

    Raises
    ------
    InputError
        When the experiment's rule is in float.
    """
    chip, plan = experiment.on(tables), network.network.plan
    rule = trainers(experiment, chip, network.network.input_shape, plan.shape[0])[0].rule
    rng, matrices, cost = np.random.default_rng((seed, _REFRESH)), [], WriteCost()
    for index, (first, later) in enumerate(zip(network.params.matrices, old.params.matrices, strict=True)):
        device = rule.at(index).device
        if device is None:
            raise InputError('`rule.kind` is "float": there are no cells to refresh. Leave `refresh` out.')
        new = []
        for before, after in zip(leaves(first), leaves(later), strict=True):
            cells = device.loop.chain.init(to_numpy(after.g_cell).astype(float), rng=rng)
            target = to_numpy(before.g_cell).astype(float).ravel()
            cells = device.write(cells, np.arange(target.size), target, method="verify", rng=rng)
            cost += cells.tally
            new.append(after.programmed(after.tile.model.placed(cells.g_cell), digital=after.digital))
        matrices.append(with_leaves(later, new))
    return replace(old, params=replace(old.params, matrices=tuple(matrices))), cost


def rewritten(
    experiment: Experiment,
    tables: OperatingTables,
    plain: PlainWeights,
    x: np.ndarray,
    labels: np.ndarray,
    *,
    input_shape: tuple[int, ...],
    seed: int,
    built: tuple[Trainer, Trainer] | None = None,
) -> tuple[TrainedNetwork, WriteCost]:
    """Return weights written into the cells of another chip, and what the writes cost.

    Parameters
    ----------
    experiment : Experiment
        Its chip, mapping and rule: `rule.start` says how weights are written, or the rule itself does.
    tables : OperatingTables
        Where arrays are read and written.
    plain : PlainWeights
        The weights.
    x, labels : ndarray
        Inputs, of which a first batch calibrates the converters, and their classes.
    input_shape : tuple of int
        (F,) or (C, H, W).
    seed : int
        Draws the chip.
    built : tuple of Trainer, optional
        The experiment's `trainers` on these tables, where they are at hand: several chips share them.

    Raises
    ------
    InputError
        When the experiment's rule is in float.
    """
    dtype, classes = np.dtype(experiment.precision), plain.network.plan.shape[0]
    trainer, reference = built or trainers(experiment, experiment.on(tables), input_shape, classes)
    if trainer.rule.device is None:
        raise InputError('`rule.kind` is "float": weights are not in cells. Take a rule that writes cells.')
    trainer, reference = replace(trainer, network=plain.network), replace(reference, network=plain.network)
    state = trainer.init(plain.weights, dtype=dtype, rng=np.random.default_rng((seed, _CHIP)))
    cost = state.rule_state.tally
    state = replace(state, vectors=plain.vectors, means=plain.means)
    if trainer.calibrates:
        of_float = reference.init(plain.weights, dtype=dtype, rng=np.random.default_rng(0))
        of_float = replace(of_float, vectors=plain.vectors, means=plain.means)
        state = _calibrated(experiment, trainer, state, of_float, x, labels)
    return TrainedNetwork.of(trainer, state, precision=experiment.precision, seed=seed), cost


def tuned(network: TrainedNetwork, weights: Sequence[np.ndarray], *, window: float) -> float | None:
    """Return the part of the cells that are where weights want them (1).

    Parameters
    ----------
    network : TrainedNetwork
        With the cells.
    weights : sequence of ndarray
        Weights (R, C) that its matrices are to stand for.
    window : float
        Largest miss that passes, over the conductance range (1).

    Returns
    -------
    float or None
        Part of all cells within `window` of their target; None where a weight is not in one matrix of cells alone.
    """
    reached, count = 0, 0
    for matrix, weight in zip(network.params.matrices, weights, strict=True):
        if not isinstance(matrix, MappedMatrix):
            return None
        flips = None if matrix.flips is None else to_numpy(matrix.flips)
        apart = np.abs(to_numpy(matrix.g_cell) - matrix.mapping.targets(weight, flips))
        reached += int(np.count_nonzero(apart <= window * matrix.mapping.span))
        count += apart.size
    return reached / max(count, 1)


def read_anew(
    experiment: Experiment,
    tables: OperatingTables,
    network: TrainedNetwork,
    x: np.ndarray,
    labels: np.ndarray,
    *,
    layers: Sequence[str],
) -> TrainedNetwork:
    """Return a trained network of which some layers are read in another way; their cells stay, and so do the others.

    Parameters
    ----------
    experiment : Experiment
        That of the run, with the other settings in `mapping.layers`.
    tables : OperatingTables
        Where arrays are read.
    network : TrainedNetwork
        The network as it was trained.
    x, labels : ndarray
        Inputs, of which a first batch calibrates the converters of these layers, and their classes.
    layers : sequence of str
        Names of the layers whose settings are others than in the run.

    Raises
    ------
    InputError
        When a name is none of the network's, settings do not fit, or a layer would need other cells.
    """
    for name in layers:
        if experiment.mapping.layers[name].weights is not None:
            raise InputError(
                f"`mapping.layers.{name}.weights` takes other cells than the run has. Write its weights: `--export`, "
                "then `--weights` with an experiment that has this setting."
            )
    chip, shape = experiment.on(tables), network.network.input_shape
    trainer, reference = trainers(experiment, chip, shape, network.network.plan.shape[0])
    state = continued(trainer, network, rng=np.random.default_rng((experiment.seed, _CHIP)))
    if trainer.calibrates:
        state = _calibrated(experiment, trainer, state, as_float(reference, network), x, labels)
    chosen = {matrix_named(network.network, name) for name in layers}
    fresh = trainer.params(trainer.without_cache(state)).matrices
    pairs = enumerate(zip(network.params.matrices, fresh, strict=True))
    matrices = tuple(new if index in chosen else old for index, (old, new) in pairs)
    return replace(network, params=replace(network.params, matrices=matrices))


def _calibrated(
    experiment: Experiment,
    trainer: Trainer,
    state: NetworkState,
    reference: NetworkState,
    x: np.ndarray,
    labels: np.ndarray,
) -> NetworkState:
    first, margin = slice(experiment.batch), experiment.mapping.margin
    numbers = as_numbers(x[first], np.dtype(experiment.precision))
    return trainer.calibrated(state, reference, numbers, labels[first], margin=margin)
