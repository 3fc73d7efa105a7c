"""Reference machines and TIME's claims beside the cost of a training."""

from dataclasses import replace
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit.cost import Cost, Range, beside, cost_of, machines, summary, tornado
from rramkit.cost.assumptions import Assumptions
from rramkit.cost.items import total
from rramkit.cost.references import energy_of
from rramkit.learning import Experiment, NetworkSettings, train
from rramkit.plots import claimed_ratio
from rramkit.report.cost import section

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
    assert beside(moved).training == beside(moved).by_place["sums in SRAM"]
    assert beside(cost()).training == beside(cost()).by_place["sums in registers"]
    assert beside(cost()).training != beside(moved).training


def test_sums_in_sram_take_more_than_in_registers() -> None:
    found = beside(cost())
    by_place = {name: each.energy.low or 0.0 for name, each in found.by_place.items()}
    assert list(by_place) == ["sums in registers", "sums in SRAM", "in memory"]
    assert by_place["in memory"] < by_place["sums in registers"] < by_place["sums in SRAM"]
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
    own = rows["DaDianNao: its own range"]
    assert own[1] / own[0] == near(ends.high / ends.low, 1e-12)


def test_the_figure_of_the_claim_has_its_line_and_the_ranges() -> None:
    claims = beside(cost()).claims
    unknown = [replace(claims[0], ratio=Range(0.2, None)), *claims[1:]]
    _, ax = plt.subplots()
    claimed_ratio(ax, unknown)
    bars = [[float(x) for x in np.asarray(line.get_xdata())] for line in ax.get_lines()]
    assert [claims[0].claim.ratio] * 2 in bars
    assert bars[1] == [claims[1].ratio.low, claims[1].ratio.high]
    assert bars[0] == [0.2, ax.get_xlim()[1]]  # an unknown end runs to the edge
    assert "0.2 or more" in [text.get_text() for text in ax.texts]
    plt.close()


def test_the_report_has_machines_their_assumptions_and_the_claim() -> None:
    chapter = section(cost(), tornado(cost()))
    grids = {grid.title: grid for grid in chapter.grids}
    beside_others = grids["Beside other machines"]
    assert [row[0] for row in beside_others.rows[:-3]] == [each.title for each in machines().values()]
    assert ("PRIME", "found", "inference", "unknown", "unknown") in beside_others.rows
    assert sum("TIME's claim of 5.3 times" in row[0] for row in beside_others.rows) == 3
    assert all(row[1] and row[2] for row in grids["Assumptions and sources of the machines"].rows)
    assert any(panel.title == "Beside TIME's claim" for panel in chapter.blocks)


def test_the_report_counts_operations_and_not_leakage() -> None:
    (grid,) = (each for each in section(cost(), tornado(cost())).grids if each.title == "Every part of the energy")
    phase, number = grid.heading.index("phase"), grid.heading.index("number")
    assert {row[number] == "-" for row in grid.rows if row[phase] == "static"} == {True}
    assert all(row[number] != "-" for row in grid.rows if row[phase] != "static")


def test_the_summary_has_them_too() -> None:
    found = summary(cost())
    machine, claim = found["machines"][0], found["claims"][0]  # pyright: ignore[reportIndexIssue]
    assert (machine["machine"], machine["compared_in"]) == ("dadiannao", "training")
    assert machine["ratio"]["low"] == beside(cost()).machines[0].ratio.low
    assert (claim["claim"], claim["gradient"]) == (5.3, "sums in registers")
