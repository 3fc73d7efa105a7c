"""Reference machines and TIME's claims beside the cost of a training."""

from dataclasses import replace
from functools import cache

import numpy as np
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit.cost import Cost, beside, cost_of, machines
from rramkit.cost.assumptions import Assumptions
from rramkit.cost.items import total
from rramkit.cost.references import energy_of
from rramkit.learning import Experiment, NetworkSettings, train

INPUTS, HIDDEN, CLASSES = 4, 5, 3


@cache
def cost() -> Cost:
    """A network of 4 inputs, 5 hidden units and 3 classes, with biases in rows, trained for an epoch."""
    x, y = np.random.default_rng(0).random((60, INPUTS)), np.arange(60) % CLASSES
    experiment = Experiment(network=NetworkSettings(hidden=(HIDDEN,)), epochs=1, float_reference=False)
    return cost_of(train(experiment, tables(), data=(x, y)))


def test_the_workload_is_forward_backward_and_gradient_of_each_image() -> None:
    first, second = (INPUTS + 1) * HIDDEN, (HIDDEN + 1) * CLASSES
    images = cost().subject.training.images
    found = beside(cost())
    assert images > 0
    assert found.training.macs == images * (2 * (first + second) + second)
    assert found.inference.macs == first + second


def test_inputs_from_outside_cost_a_chip_what_they_cost_the_run() -> None:
    """One byte each, at the 8 pJ a bit of LPDDR4."""
    found = beside(cost())
    energy = 8 * INPUTS * 8e-12
    assert found.inference.off_chip == near(energy, 1e-12)  # rounding
    assert found.training.off_chip == near(cost().subject.training.images * energy, 1e-12)
    chip = machines()["dadiannao"].energy_of_operation
    assert chip.low is not None
    assert found.machines[0].energy.low == near(2 * found.training.macs * chip.low + found.training.off_chip, 1e-12)


def test_the_first_programming_is_left_out() -> None:
    """The run as it is priced lies in its own range."""
    own = total(cost().training)
    energy = beside(cost()).training.energy
    assert energy.low is not None
    assert energy.high is not None
    assert energy.low <= own <= energy.high
    assert own < cost().energy


def test_the_range_is_over_width_leakage_and_schedule() -> None:
    energy = beside(cost()).training.energy
    ends = [
        energy_of(cost(), gradient_bits=bits, leak_share=leak, schedule=schedule)
        for bits in (8, 16)
        for leak in (0.0, 1.0)
        for schedule in ("serial", "pipelined")
    ]
    assert (energy.low, energy.high) == (min(ends), max(ends))


def test_assumptions_of_the_caller_are_kept() -> None:
    """The place of the gradient that the run is priced at is that of `training`."""
    moved = replace(cost(), assumed=Assumptions(gradient="image"))
    assert beside(moved).training == beside(moved).by_place["digital, each image"]
    assert beside(cost()).training == beside(cost()).by_place["digital, once a batch"]
    assert beside(cost()).training != beside(moved).training


def test_sums_in_sram_take_more_than_in_registers() -> None:
    found = beside(cost())
    by_place = {name: each.energy.low or 0.0 for name, each in found.by_place.items()}
    assert list(by_place) == ["digital, once a batch", "digital, each image", "in memory"]
    assert by_place["in memory"] < by_place["digital, once a batch"] < by_place["digital, each image"]
    assert [row.unit for row in found.claims] == list(by_place)
    for row in found.claims:
        assert row.ratio == found.by_place[row.unit].ratio(machines()["dadiannao"])


def test_swings_are_ratios_over_that_of_the_run() -> None:
    """Free writes: the ratio rises by the energy of the run over that without its writes."""
    rows = {name: (low, high) for name, low, high in beside(cost()).swings}
    base = total(cost().training)
    writes = total(item for item in cost().training if item.origin == "SPICE" and item.phase == "update")
    assert writes > 0
    assert rows["writes"] == (1.0, near(base / (base - writes), 1e-12))  # rounding
    low, high = rows["place of the gradient"]
    assert low == near(base / energy_of(cost(), gradient="image"), 1e-12)
    assert high == near(base / energy_of(cost(), gradient="memory"), 1e-12)
    chip = machines()["dadiannao"]
    ends = beside(cost()).training.on(chip)
    assert ends.low is not None
    assert ends.high is not None
    assert rows["DaDianNao"][1] / rows["DaDianNao"][0] == near(ends.high / ends.low, 1e-12)
