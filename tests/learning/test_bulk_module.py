"""The bulk-switching module's simulator as a preset: what its Table 1 says, and a batch of each network from it."""

from pathlib import Path

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit.array.stages.chain import ReadChain
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.rules import Threshold

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NETWORKS = ("lenet", "vgg8", "resnet18")


def preset(network):
    return Experiment.from_toml(EXAMPLES / "experiments" / f"bulk_module_{network}.toml")


@pytest.mark.parametrize("network", NETWORKS)
def test_the_presets_say_what_table_1_says(network):
    made = preset(network)
    mapping, rule = made.mapping, made.rule
    assert (mapping.rows, mapping.columns, mapping.wires) == (256, 64, False)
    assert mapping.read == ReadChain.from_toml(EXAMPLES / "chains" / "bulk_module.toml")
    converter = mapping.read.adc
    assert (converter.bits, converter.i_high) == (8, 70e-6)
    assert converter.noise == near(2 * 70e-6 / 255, 1e-3)  # written with three digits
    assert isinstance(rule, Threshold)
    assert (rule.levels, rule.sigma_program, rule.way) == (16, 0.5, "error")
    assert mapping.read.read_noise.sigma_span == near(0.3 / 15, 1e-12)
    assert rule.threshold == near(1 / 15, 1e-6)
    assert (rule.accumulate, rule.backward, rule.reading) == (True, "digital", "ideal")
    assert (made.optimiser.kind, made.optimiser.learning_rate, made.batch) == ("adam", 0.003, 64)
    assert (made.schedule.kind, made.schedule.every, made.schedule.factor) == ("plateau", 5, 0.5)
    if network != "lenet":
        assert made.epochs == 100 and len(made.sweep["seed"]) == 10 and made.data.name == "cifar10"


def one_batch(network, inputs):
    """Return the run of one batch of `inputs` images like CIFAR-10's, judged on as many."""
    rng = np.random.default_rng(7)
    x = rng.integers(0, 256, (2 * inputs, 3, 32, 32), dtype=np.uint8)
    labels = np.arange(2 * inputs) % 10
    labels[0] = 9  # ten classes
    (x_train, x_test), (y_train, y_test) = (np.split(each, 2) for each in (x, labels))
    data = DataSet(x_train, y_train, x_test, y_test, "noise", x_test, y_test, prepared=(("standardise", True),))
    short = {"epochs": 1, "batches": 1, "batch": inputs, "float_reference": False, "sweep": {}}
    settings = {**preset(network).model_dump(), **short}
    return train(Experiment.checked(settings, where=network), tables(), data=data)


def check(found, cells):
    assert sum(layer.pulses.size for layer in found.layers) == near(cells, 0.005)
    assert np.all(np.isfinite(found.epochs.loss)) and found.epochs.energy_read[1] > 0.0
    low, high = found.layers[0].g_edges[[0, -1]]
    assert all(low <= layer.g_final.min() and layer.g_final.max() <= high for layer in found.layers)


def test_a_batch_of_vgg8_runs_from_the_preset():
    check(one_batch("vgg8", 4), 1.10e6)


@pytest.mark.long
def test_a_batch_of_resnet18_runs_from_the_preset():
    check(one_batch("resnet18", 2), 22.3e6)
