"""Writes after a training: a refresh, weights in another chip, and a layer that is read in another way.

*Refreshed.* Every cell that has drifted is written to where it was by the write-verify loop of the tables, at the cost
of its pulses and verify reads, and ends within the loop's window.

*On another chip.* The weights that the cells stand for are written into fresh cells of other draws (spread, periphery,
write errors) by the start method of the run's rule, and converters are calibrated anew. So are weights that were
trained elsewhere.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rramkit.array.backend import to_numpy
from rramkit.array.write.state import WriteCost
from rramkit.errors import InputError
from rramkit.learning.by_layer import matrix_named
from rramkit.learning.cells import leaves, with_leaves
from rramkit.learning.condition import OperatingTables
from rramkit.learning.continued import as_float, continued
from rramkit.learning.data import as_numbers
from rramkit.learning.experiment import Experiment
from rramkit.learning.state_dict import PlainWeights
from rramkit.learning.supervised import trainers
from rramkit.learning.trained import TrainedNetwork
from rramkit.learning.trainer import NetworkState, Trainer

_CHIP = 9  # second word of the seed that draws another chip: another stream than those of a training
_REFRESH = 11  # the same, of the devices that a refresh writes


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
