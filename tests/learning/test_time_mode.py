"""TIME mode in short: the experiments on MNIST, on the digits instead and a made-up device."""

from pathlib import Path

import numpy as np
import pytest
from fixtures.synthetic import tables

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.learning import Experiment, train

EXPERIMENTS = Path(__file__).parents[2] / "examples" / "experiments"
SHORT = {"data": {"name": "digits"}, "network": {"hidden": [16]}, "batch": 32, "epochs": 2, "sweep": {}}


def shortened(name, **more):
    settings = {**Experiment.from_toml(EXPERIMENTS / name).model_dump(), **SHORT, **more}
    settings["rule"]["verify"].update(window=0.03, turns_max=3)  # the made-up driver has no finer steps
    return Experiment.checked(settings, where=name)


@pytest.fixture(scope="module")
def runs():
    names = ("time_mnist", "time_mnist_threshold", "time_mnist_verified")
    return {name: train(shortened(f"{name}.toml"), tables()) for name in names}


def test_all_three_learn(runs):
    # Two epochs of 45 batches; 0.92, 0.92, 0.89 and in float 0.92 were seen.
    for run in runs.values():
        assert run.accuracy > 0.84
        assert run.float_accuracy > 0.88


def test_the_open_loop_reads_each_cell_once_and_never_again(runs):
    for name in ("time_mnist", "time_mnist_threshold"):
        reads, cells = runs[name].epochs.reads, sum(layer.pulses.size for layer in runs[name].layers)
        np.testing.assert_array_equal(reads, [cells, 0, 0])


def test_small_changes_left_out_save_pulses_and_energy(runs):
    few, every = (runs[name].epochs for name in ("time_mnist_threshold", "time_mnist"))
    for spent in ("pulses_set", "pulses_reset", "energy_write"):
        assert getattr(few, spent)[1:].sum() < 0.8 * getattr(every, spent)[1:].sum()


def test_verify_reads_are_in_the_write_energy():
    """The same training without the energy of sensing: nothing else changes, and what is missing is theirs."""
    few = {"data": {"name": "digits", "train_images": 160, "test_images": 50}, "epochs": 1}
    settings, e_sense = shortened("time_mnist_verified.toml", **few).model_dump(), 334e-15
    without = train(Experiment.checked(settings, where="the test"), tables())
    settings["rule"]["verify"]["e_sense"] = e_sense
    with_it = train(Experiment.checked(settings, where="the test"), tables())
    reads = with_it.epochs.reads
    np.testing.assert_array_equal(reads, without.epochs.reads)
    # A difference of sums of thousands of pulses' energies.
    missing = with_it.epochs.energy_write - without.epochs.energy_write
    np.testing.assert_allclose(missing, e_sense * reads, rtol=1e-9)
    assert reads[1] >= 5 * sum(layer.pulses.size for layer in with_it.layers)  # each cell after each of five batches


def test_both_passes_go_through_the_cells():
    rule = shortened("time_mnist.toml").built_rule(tables())
    learner = rule.init([np.full((6, 4), 0.1)], rng=np.random.default_rng(1))
    matrix = learner.matrices[0]
    assert isinstance(matrix, MappedMatrix) and matrix.digital is None and matrix.tile.model.wires is not None
