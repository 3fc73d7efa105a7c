"""MEI: bits at the ports, Gray code, boosting bit by bit, and what the ports cost."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit.array.read_parts import CONVERTERS, DRIVERS, SENSING
from rramkit.cost.network_ends import ends_of
from rramkit.errors import InputError
from rramkit.learning import Experiment
from rramkit.learning.boosting import boosted, reweighted, vote, votes_of
from rramkit.learning.evaluate import LayerCost
from rramkit.learning.losses import Bits
from rramkit.table.schema import CURRENT_SENSE, LINE_SWITCH

ARM: dict[str, Any] = {
    "network": {"reach": 40.0, "layers": [{"kind": "dense", "units": 16, "bias": "row"}]},
    "data": {
        "name": "function",
        "function": "sin",
        "bits": 5,
        "train_images": 500,
        "test_images": 200,
        "validation": 0.0,
    },
    "loss": {"kind": "bits", "bits": 3, "gray": True, "by_weight": False},
    "mapping": {"wires": False},
    "rule": {"kind": "write_verify", "way": "error", "start": "error"},
    "pretrain": {"epochs": 20, "rate": 6.0},
    "optimiser": {"learning_rate": 0.0005},
    "epochs": 1,
    "batch": 50,
}
ARM["network"]["layers"] += [{"kind": "activation", "function": "sigmoid"}, {"kind": "dense", "bias": "row"}]


@pytest.mark.parametrize("bits", [1, 3, 8])
def test_numbers_side_by_side_differ_in_one_bit_of_gray_code(bits):
    loss, levels = Bits(bits=bits, gray=True), np.arange(2**bits)[:, None] / (2**bits - 1)
    code = loss.code(levels)
    np.testing.assert_array_equal(np.abs(np.diff(code, axis=0)).sum(axis=1), 1.0)
    np.testing.assert_array_equal(loss.decoded(2.0 * code - 1.0), levels)


def test_a_missed_bit_at_its_edge_costs_one_step_in_gray_code():
    """7 and 8 of 15: all bits differ in binary, so that the highest one alone costs half the range."""
    for gray, cost in ((True, 1 / 15), (False, 8 / 15)):
        loss = Bits(bits=4, gray=gray)
        scores = 2.0 * loss.code(np.array([[7 / 15]])) - 1.0
        scores[0, 0] *= -1.0
        assert loss.errors(scores, np.array([[7 / 15]])).largest == near(cost, 1e-12)  # rounding


def test_votes_and_weights_are_those_of_a_loop():
    """Four inputs of two bits, by hand: bit 0 missed by a weight of 0.1, bit 1 by 0.6 (no vote)."""
    loss, weight = Bits(bits=2), np.array([0.1, 0.2, 0.3, 0.4])
    truth = np.array([0.0, 1 / 3, 2 / 3, 1.0])[:, None]
    scores = 2.0 * loss.code(truth) - 1.0
    scores[0, 0] *= -1.0
    scores[1, 1] *= -1.0
    scores[3, 1] *= -1.0
    votes = votes_of(loss, scores, truth, weight)
    assert votes[0] == near(0.5 * np.log(0.9 / 0.1), 1e-12) and votes[1] == 0.0  # rounding
    after = reweighted(loss, scores, truth, weight)
    apart = [2 / 3, 1 / 3, 0.0, 1 / 3]
    relative = [each / max(apart) for each in apart]
    missed = sum(w * one for w, one in zip(weight, relative, strict=True))
    beta = missed / (1.0 - missed)
    by_hand = [w * beta ** (1.0 - one) for w, one in zip(weight, relative, strict=True)]
    np.testing.assert_allclose(after, np.array(by_hand) / sum(by_hand), rtol=1e-12)
    assert after[0] > weight[0] and after[2] < weight[2]


def test_a_vote_is_the_weighted_sum_of_signs():
    arrays: Any = [(SimpleNamespace(scores=lambda x, s=s: np.tile(s, (len(x), 1))), np.array(v)) for s, v in
              (([2.0, -1.0], [1.0, 0.2]), ([-0.1, -3.0], [0.6, 0.5]), ([-9.0, 0.1], [0.5, 0.6]))]  # fmt: skip
    np.testing.assert_allclose(vote(arrays, np.zeros((2, 1))), [[1.0 - 0.6 - 0.5, -0.2 - 0.5 + 0.6]] * 2, rtol=1e-12)


def test_boosted_arrays_are_better_than_one_and_come_again():
    experiment, told = Experiment.checked(ARM, where="the test"), []
    rounds = boosted(experiment, tables(linear=True), 2, done=lambda number, one: told.append(number))
    assert told == [1, 2] and [each.run.seed for each in rounds] == [1, 2]
    assert rounds[0].errors.mean == near(rounds[0].run.errors["mean"], 1e-12)  # one array votes as it answers
    assert rounds[1].bits >= rounds[0].bits - 0.01 and rounds[1].errors.mean < 0.15
    with pytest.raises(InputError, match='must be "bits" for votes'):
        boosted(Experiment(), tables(), 2)
    with pytest.raises(InputError, match="`arrays` must be 1 or more; got 0"):
        boosted(experiment, tables(), 0)


def ports(levels, bits) -> Any:
    """Interface of made-up prices: 4 inputs on 12 rows, 3 outputs."""
    chain = SimpleNamespace(row_driver=SimpleNamespace(levels=levels), adc=SimpleNamespace(bits=bits))
    matrix = SimpleNamespace(tile=SimpleNamespace(model=SimpleNamespace(chain=chain)))
    plans = (SimpleNamespace(fan_in=4, rows=12), SimpleNamespace(columns=3))
    network = SimpleNamespace(
        network=SimpleNamespace(matrices=plans), params=SimpleNamespace(matrices=(matrix, matrix))
    )
    cost = {"kind": "dense", "also": "dense", "shape": (1, 1), "cells": 1, "energy": 0.0, "seconds": 0.0, "clamped": 0}
    layers = (
        LayerCost("0", **cost, parts={DRIVERS: 6e-12}),
        LayerCost("2", **cost, parts={SENSING: 50e-12, CONVERTERS: 7e-12}),
    )
    areas = {"line_switch": 1e-12, "row_driver": 10e-12, "readout": 20e-12, "adc": 30e-12, "current_sense": 2e-12}
    circuits = {name: SimpleNamespace(area=area, capacitance=4e-15) for name, area in areas.items()}
    column = {
        LINE_SWITCH.group: SimpleNamespace(signal=lambda name: SimpleNamespace(values=[1e-12])),
        CURRENT_SENSE.group: SimpleNamespace(signal=lambda name: SimpleNamespace(values=[2e-12, 4e-12])),
    }
    file = type("File", (), {"tables": column, "__getitem__": lambda self, name: column[name]})()
    return network, layers, file, circuits


def test_ports_are_counted_and_priced_by_the_stages_that_are_on(monkeypatch):
    monkeypatch.setattr("rramkit.cost.network_ends.leaves", lambda matrix: [matrix])
    network, layers, file, circuits = ports(levels=32, bits=8)
    with_converters = ends_of(network, layers, file, circuits)
    assert with_converters is not None
    # layout factor 3, capacitors of 4 fF at 2 fF/um2: 2 um2 each
    assert with_converters.area == near((4 * (3 + 2 + 30 + 2) + 3 * (60 + 2 + 90 + 2)) * 1e-12, 1e-12)
    assert with_converters.energy == near(4 * 1e-12 + 6e-12 * 4 / 12 + 50e-12 + 7e-12, 1e-12)
    network, layers, file, circuits = ports(levels=0, bits=0)
    layers = (LayerCost(**{**vars(layers[0]), "parts": {}}), layers[1])
    merged = ends_of(network, layers, file, circuits)
    assert merged is not None
    assert merged.area == near((4 * 5 + 3 * 8) * 1e-12, 1e-12) and merged.energy == near(4e-12 + 3 * 3e-12, 1e-12)
    twice = ends_of(network, layers, file, circuits, reads=2)
    assert twice is not None and twice.energy == near(2.0 * merged.energy, 1e-12) and twice.area == merged.area
    assert merged.output_circuits == ("current_sense",)
    assert ends_of(network, layers, file, {}) is None
