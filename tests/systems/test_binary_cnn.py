"""Binary CNN: bits against whole numbers, three ways to merge row blocks, writes of pairs whose sign changed."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
from fixtures.chip_tables import E_CONVERSION, G_HIGH, G_LOW, R_FEEDBACK, SIGMA_LATCH, chip_tables
from fixtures.closeness import near
from fixtures.synthetic import perfect, tables
from oracles.binary_network import pooled_counts, windows_of, xnor_layer

from rramkit.array import ArrayModel, ReadChain, TileGrid
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import BitSerial, BitSlices, Divider, OffsetColumn, Pairs
from rramkit.array.matrix import Gradient, Samples
from rramkit.array.stages.comparator import Comparator
from rramkit.array.stages.sense_amp import SenseAmp
from rramkit.array.write.write_verify import VerifyParams
from rramkit.cost import Assumptions, cost_of
from rramkit.cost.area import Tiles, tile_items, tiles_read
from rramkit.cost.digital import passes
from rramkit.errors import InputError
from rramkit.learning import Experiment, train
from rramkit.learning.evaluate import evaluate, varied
from rramkit.learning.folding import folded
from rramkit.learning.layers import Convolution
from rramkit.learning.optimisers import Momentum
from rramkit.learning.rules import Binary, WriteVerifyRule
from rramkit.learning.rules.binary import signs
from rramkit.learning.supervised import trainers
from rramkit.learning.trained import TrainedNetwork
from rramkit.proof.spice_tile import SpiceTile
from rramkit.table import Table
from rramkit.table.schema import SENSE_AMP

SGD = Momentum(1.0, momentum=0.0)  # the wanted change is minus the gradient
FINE = perfect(g_step=1e-8)
STEP, NORM = {"kind": "step"}, {"kind": "batch_norm"}
LAYERS = [
    {"kind": "step", "threshold": 0.5},
    {"kind": "convolution", "channels": 4, "kernel": 3, "bias": "none"},
    *({"kind": "max_pool"}, NORM, STEP, {"kind": "flatten"}),
    *({"kind": "dense", "units": 11, "bias": "none"}, NORM, STEP),
    *({"kind": "dense", "bias": "none"}, NORM),
]


def network(*, rows=10, file=FINE, **read):
    """Return a binary network of 2 x 8 x 8 inputs and 5 classes, its normalisations drawn, some of them falling."""
    experiment = Experiment.checked(
        {
            "network": {"layers": LAYERS, "reach": 5.0},
            "mapping": {"wires": False, "rows": rows, "read": read},
            "rule": {"kind": "binary", "way": "error", "start": "error", "backward": "digital"},
        },
        where="the test",
    )
    trainer, _ = trainers(experiment, experiment.on(experiment.chip.tables(file)), (2, 8, 8), 5)
    rng = np.random.default_rng(7)
    weights = trainer.network.init_weights(rng=rng, dtype=np.dtype(np.float32))
    state = trainer.init(weights, dtype=np.dtype(np.float32), rng=rng)
    vectors = tuple(rng.normal(size=each.shape).astype(np.float32) for each in state.vectors)
    means = tuple((rng.normal(size=each.shape) ** 2).astype(np.float32) for each in state.means)
    return TrainedNetwork.of(trainer, replace(state, vectors=vectors, means=means), precision="float32", seed=1)


def after_steps(trained, x):
    """Return the outputs of every step layer for inputs (B, C, H, W), and the scores."""
    layers, found = trained.network.chain.layers, []
    y, rng = np.moveaxis(x, 0, -1), np.random.default_rng(0)
    for layer, params in zip(layers, trained.params.split([each.sizes for each in layers]), strict=True):
        y = layer.forward(y, params, training=False, rng=rng).y
        if layer.kind == "step":
            found.append(y)
    return found, y


# (i) counts, added: the software's network bit for bit ----------------------------------------------------------------


@pytest.mark.parametrize("merge", ["count", "majority"])
@pytest.mark.parametrize("where", ["all", "one"])
def test_rules_whose_weights_are_no_signs_are_refused(merge, where):
    read = {"read": {"merge": merge}}
    mapping = read if where == "all" else {"layers": {"dense_1": read}}
    settings = {"network": {"hidden": [4]}, "rule": {"kind": "threshold", "backward": "digital"}, "mapping": mapping}
    experiment = Experiment.checked(settings, where="the test")
    chip = experiment.on(experiment.chip.tables(FINE))
    with pytest.raises(InputError, match=rf'"{merge}" counts weights of \+1 and -1.* got the rule threshold\. Take'):
        trainers(experiment, chip, (6,), 3)


@pytest.mark.parametrize("rows", [65, 10])
def test_counts_give_the_bits_of_the_network_in_whole_numbers(rows):
    trained = network(rows=rows, merge="count")
    x = np.random.default_rng(3).random((3, 2, 8, 8), dtype=np.float32)
    (bits, of_image, of_dense), scores = after_steps(trained, x)
    convolved, dense = folded(trained)
    assert not np.all(convolved.rising) and np.any(convolved.rising) and np.any(dense.rising)
    last = signs(trained.params.matrices[2].weight).astype(int)
    for b in range(3):
        image = 2 * bits[..., b].astype(int) - 1
        # the largest of a field's counts is compared, as pooling stands before the step
        seen = windows_of(image, 3)
        counts = pooled_counts((seen @ convolved.weight.astype(int)).T.reshape(4, 6, 6), 2)
        flat = counts.reshape(4, -1).T
        one = np.where(
            convolved.rising, flat >= convolved.threshold_of_signs, flat <= convolved.threshold_of_signs
        ).T.reshape(4, 3, 3)
        np.testing.assert_array_equal(of_image[..., b], one)
        hidden = xnor_layer(
            2 * one.reshape(1, -1).astype(int) - 1, dense.weight, dense.threshold_of_signs, dense.rising
        )
        np.testing.assert_array_equal(2 * of_dense[b] - 1, hidden[0])
        counted = (hidden[0] + 1) // 2 @ last
        norm, params = trained.network.chain.layers[-1], list(trained.params.split(_sizes(trained)))[-1]
        scale = np.float32(trained.params.scales[2])
        wanted = norm.forward(
            counted[None].astype(np.float32) * scale, params, training=False, rng=np.random.default_rng(0)
        ).y
        # the current of a count times the scale is rounded in single precision once or twice more than the count is
        np.testing.assert_allclose(scores[b], wanted[0], rtol=0, atol=1e-5 * float(np.abs(wanted).max()))


def _sizes(trained):
    return [each.sizes for each in trained.network.chain.layers]


def test_a_folded_threshold_is_that_of_the_layers_in_exact_fractions():
    trained = network(merge="count")
    scale, shift, mean, variance = *trained.params.vectors[2:4], *trained.params.means[2:4]
    at = mean - shift * np.sqrt(variance + 1e-5) / scale  # where the normalised count crosses zero
    of_counts = at / trained.params.scales[1]
    rows, found = folded(trained)[1].weight.shape[0], folded(trained)[1]
    expected = np.where(scale > 0, np.floor(of_counts) + 1, np.ceil(of_counts) - 1)
    inside = np.abs(of_counts) < rows
    assert inside.sum() > 5
    np.testing.assert_array_equal(found.threshold[inside], expected[inside])
    np.testing.assert_array_equal(found.rising, scale > 0)
    assert folded(trained)[0].bits(np.array([[-99, -99, 99, 99]])).shape == (1, 4)


def test_only_binary_networks_fold():
    experiment = network(merge="count")
    layers = [
        layer.model_copy(update={"bias": "digital"}) if isinstance(layer, Convolution) else layer
        for layer in experiment.network.chain.layers
    ]
    chain = replace(experiment.network.chain, layers=tuple(layers))
    vectors = (np.zeros(4, np.float32), *experiment.params.vectors)
    other = replace(
        experiment,
        network=replace(experiment.network, chain=chain),
        params=replace(experiment.params, vectors=vectors),
    )
    with pytest.raises(InputError, match="layer 1 has Convolution"):
        folded(other)


# Merges of a grid -----------------------------------------------------------------------------------------------------


def grid_of(weight, merge, *, rows=5, **chain) -> Any:
    model = ArrayModel.from_tables(FINE, wires=False, chain=ReadChain.checked({"merge": merge, **chain}, where="test"))
    mapping = Pairs(placement="low").with_window(4e-6, 40e-6)
    return MappedMatrix.of(weight, mapping, model, largest=(rows, 96), rng=np.random.default_rng(1))


WEIGHT = np.where(np.random.default_rng(5).random((12, 3)) < 0.5, -1.0, 1.0)  # three arrays of four rows
BITS = (np.random.default_rng(6).random((40, 12)) < 0.5).astype(float)
UNIT = 36e-6 * 0.2  # A: window times the full read voltage


def test_an_error_below_half_a_count_in_every_array_is_none():
    matrix = grid_of(WEIGHT, "count")
    off = 1.0 + 0.1 * np.random.default_rng(2).uniform(-1.0, 1.0, matrix.g_cell.shape)  # 4 rows: 0.4 counts at most
    y = matrix.programmed(matrix.g_cell * off).forward(BITS).y
    np.testing.assert_allclose(y, BITS @ WEIGHT, rtol=0, atol=1e-12)  # whole numbers, times a factor of rounding
    plain = grid_of(WEIGHT, "digital")
    assert np.abs(plain.programmed(plain.g_cell * off).forward(BITS).y - BITS @ WEIGHT).max() > 0.1


def test_a_count_is_what_the_first_batch_shows_in_each_array():
    matrix = grid_of(WEIGHT, "count", adc={"bits": 8})
    strong = matrix.programmed(1.3 * matrix.g_cell)  # a count is 30 % more in every array
    assert np.abs(strong.forward(BITS).y - BITS @ WEIGHT).max() >= 1.0
    seen = strong.calibrated(Samples(BITS), margin=1.3)
    np.testing.assert_allclose(seen.tile.gain, 1.3, rtol=1e-9)
    np.testing.assert_allclose(seen.forward(BITS).y, BITS @ WEIGHT, rtol=0, atol=1e-9)  # whole numbers, scaled and back


def test_converters_of_log2_rows_and_one_bit_are_exact():
    # a step of one count; the low state adds up to 4 x 4/36 counts to both halves of a block, and their difference is
    # that of the counts whatever it is
    adc = {"bits": 3, "i_high": 7 * UNIT}
    y = grid_of(WEIGHT, "digital", adc=adc, subtraction="digital").forward(BITS).y
    np.testing.assert_allclose(y, BITS @ WEIGHT, rtol=0, atol=1e-9)  # whole numbers, scaled and back
    coarse = grid_of(WEIGHT, "count", adc={"bits": 1, "i_high": UNIT}, subtraction="digital").forward(BITS).y
    assert np.abs(coarse - BITS @ WEIGHT).max() >= 1.0  # a half of two counts is beyond one bit


def test_votes_are_the_signs_of_each_block():
    votes = grid_of(WEIGHT, "majority").forward(BITS).y
    for b, c in np.ndindex(votes.shape):
        blocks = [slice(4 * k, 4 * k + 4) for k in range(3)]
        total = sum(1 if ((2 * BITS[b, rows] - 1) @ WEIGHT[rows, c]) > 0 else -1 for rows in blocks)
        assert votes[b, c] == near(total, within=1e-9)  # a tie is no vote for one; whole numbers, scaled and back
    assert set(np.round(np.unique(votes))) == {-3.0, -1.0, 1.0, 3.0}


def test_joined_bit_lines_are_converted_once():
    high = 12 * UNIT
    adc = {"bits": 6, "i_high": high, "energy": 1e-12}
    joined, apart = grid_of(WEIGHT, "analog", adc=adc).forward(BITS), grid_of(WEIGHT, "digital", adc=adc).forward(BITS)
    assert joined.conversions * 3 == apart.conversions
    step = high / 31  # 6 bits of both signs
    whole = np.round(BITS @ WEIGHT * UNIT / step) * step / UNIT
    np.testing.assert_allclose(joined.y, whole, rtol=0, atol=1e-9)  # levels, scaled and back
    assert np.abs(apart.y - whole).max() > 0.5 * step / UNIT  # three errors of rounding are not one
    assert joined.energy < apart.energy
    switched = grid_of(WEIGHT, "analog", adc=adc, line_switch={"energy": 1e-13}).forward(BITS)
    switches = 3 * (4 + 40 * 3)  # in each of three arrays: of four rows once, of three outputs for each of 40 vectors
    assert switched.energy - joined.energy == near(switches * 1e-13, rel=1e-6)  # a difference of sums


def test_joined_bit_lines_have_the_noise_of_one_converter_and_a_range_of_their_own():
    noisy = grid_of(WEIGHT, "analog", adc={"noise": 1e-8})
    y = noisy.forward(np.repeat(BITS[:1], 4000, axis=0), rng=np.random.default_rng(0)).y * UNIT
    # the deviation of 12,000 normal numbers is known to 1/sqrt(24,000) = 0.6 %
    assert np.std(y - y.mean(axis=0)) == near(1e-8, 0.03)
    joined = grid_of(WEIGHT, "analog", adc={"bits": 8}).calibrated(Samples(BITS), margin=1.0)
    top = np.abs(BITS @ WEIGHT).max(axis=0) * UNIT
    i_high = joined.tile.joint.states[0][0].i_high
    np.testing.assert_allclose(np.ravel(i_high), top, rtol=1e-9, atol=0)  # the same sums in another order


def test_backward_reads_are_as_of_other_grids_and_comparators_have_none():
    errors = np.random.default_rng(8).normal(size=(4, 3))
    of_merges = [grid_of(WEIGHT, merge).backward(errors).y for merge in ("digital", "count", "analog")]
    for y in of_merges:
        np.testing.assert_allclose(y, errors @ WEIGHT.T, rtol=0, atol=1e-9)  # a table of currents at 0.2 V: linear
    with pytest.raises(InputError, match=r'no converter.*rule\.backward = "digital"'):
        grid_of(WEIGHT, "majority").backward(errors)


def test_comparators_of_a_file_have_the_latch_and_no_converter():
    latch = Table(
        name="sense_amp",
        axes=SENSE_AMP.of(overdrive=[1e-3, 1e-1], v_cm=[0.5, 0.8]),
        signals=SENSE_AMP.of(energy=np.array([[5e-14, 6e-14], [4e-14, 5e-14]])),
        conditions=SENSE_AMP.of(t_clock=8e-10),
    )
    file = chip_tables()
    file = replace(file, tables={**file.tables, "sense_amp": latch})
    chain = ReadChain.from_tables(file, ReadChain(merge="majority"))
    assert (chain.comparator.energy, chain.comparator.t_decide) == (near(5e-14, 1e-12), near(8e-10, 1e-12))
    assert SenseAmp.from_tables(file).energy == chain.comparator.energy  # one latch, whatever it decides
    assert chain.e_converter == near(2.5e-14, 1e-12)  # two sensed halves a decision
    assert chain.origins()["comparator"].startswith("table") and "adc" not in chain.origins()
    assert not chain.adc.on and chain.comparator.v_sigma == near(SIGMA_LATCH, 1e-12)
    assert "comparator" not in ReadChain.from_tables(file).origins()
    model = ArrayModel.from_tables(file, wires=False, chain=chain)
    mapping = Pairs(placement="low").with_window(4e-6, 20e-6)
    weight = np.ones((60, 40))
    matrix: Any = MappedMatrix.of(weight, mapping, model, largest=(60, 80), rng=np.random.default_rng(1))
    drawn = matrix.tile.tiles.periphery.state(Comparator)
    offsets = chain.comparator.offset(drawn, R_FEEDBACK[0])
    # forty numbers: their deviation is known to 1/sqrt(80) = 11 %
    assert np.std(offsets) == near(SIGMA_LATCH / R_FEEDBACK[0], 0.4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"merge": "majority", "adc": {"bits": 8}}, "adc has no place with merge majority"),
        ({"comparator": {"energy": 1e-15}}, "comparator is for merge majority"),
    ],
)
def test_stages_without_a_place_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        ReadChain.checked(settings, where="test")


def test_a_grid_that_counts_needs_the_count_and_pairs():
    model = ArrayModel.from_tables(FINE, wires=False, chain=ReadChain(merge="count"))
    with pytest.raises(InputError, match="must be the current of one count"):
        TileGrid.of(np.full((2, 4, 3), 20e-6), model)
    with pytest.raises(InputError, match="must be the current of one count"):
        model.tile(np.full((2, 4, 3), 20e-6))
    with pytest.raises(InputError, match="1 half"):
        TileGrid.of(np.full((1, 4, 3), 20e-6), model, i_count=1e-6)


def test_a_merge_that_is_not_for_a_mapping_is_refused_on_one_array_and_on_several():
    window: dict[str, Any] = {"g_low": 4e-6, "g_high": 40e-6}
    others = (BitSlices(**window), OffsetColumn(**window), Divider(**window))
    wrong = [(merge, each) for merge in ("count", "majority") for each in others] + [("analog", BitSerial(**window))]
    for merge, mapping in wrong:
        model = ArrayModel.from_tables(FINE, wires=False, chain=ReadChain.checked({"merge": merge}, where="test"))
        for rows in (4, 12):
            with pytest.raises(InputError, match=f"merge {merge}.*{type(mapping).__name__}|mapping bit_serial.*analog"):
                MappedMatrix.of(0.1 * WEIGHT, mapping, model, largest=(rows, 96))
        with pytest.raises(InputError, match=r"Take pairs|another mapping|the rule binary"):  # as trainings do
            WriteVerifyRule().bind(FINE, model, SGD, mapping).init([0.1 * WEIGHT], rng=np.random.default_rng(0))


def test_ngspice_proves_converters_of_each_array_alone():
    for merge in ("majority", "analog"):
        tile = grid_of(WEIGHT, merge).tile.tiles
        solver: Any = None
        with pytest.raises(InputError, match=f"must have a converter each; those of the merge {merge}"):
            SpiceTile.like(tile, solver)


# The rule -------------------------------------------------------------------------------------------------------------


def test_a_pair_is_written_where_its_sign_changes_and_nowhere_else():
    rule = Binary(way="error", start="error")
    bound = rule.bind(FINE, ArrayModel.from_tables(FINE, wires=False), SGD, Pairs(g_low=5e-6, g_high=50e-6))
    weight = np.array([[0.3, -0.2, 0.9], [-0.9, 0.1, 0.0]])
    state = bound.init([weight], rng=np.random.default_rng(0))
    low, high = 5e-6, 50e-6
    plus = np.array([[high, low, high], [low, high, high]])  # a weight of zero is +1
    first = state.parts[0].cells
    np.testing.assert_allclose(first.g_cell, [plus, low + high - plus], rtol=1e-12)
    change = np.array([[-0.25, 0.3, 5.0], [-5.0, -0.05, 0.0]])  # only the second weight of the first row changes sign
    after = bound.step(state, [Gradient(Samples(np.eye(2)), -change)], rng=np.random.default_rng(0))
    part: Any = after.parts[0]
    np.testing.assert_allclose(part.digital, [[0.05, 0.1, 1.0], [-1.0, 0.05, 0.0]], rtol=0, atol=1e-15)
    fired = part.cells.pulses - first.pulses
    np.testing.assert_array_equal(fired, [[[0, 1, 0], [0, 0, 0]]] * 2)
    assert after.tally.pulses == 2
    np.testing.assert_allclose(after.matrices[0].weight, signs(part.digital), rtol=0, atol=1e-12)
    again = bound.step(after, [Gradient(Samples(np.eye(2)), np.zeros((2, 3)))], rng=np.random.default_rng(0))
    assert again.tally.pulses == 0


def test_a_pair_is_verified_by_the_pulses_of_the_tables_and_counted():
    rule = Binary(start="verify", verify=VerifyParams(window=0.01, start="table"))
    bound = rule.bind(FINE, ArrayModel.from_tables(FINE, wires=False), SGD, Pairs(g_low=5e-6, g_high=50e-6))
    state = bound.init([np.full((2, 2), 0.1)], rng=np.random.default_rng(0))
    gradient = Gradient(Samples(np.eye(2)), np.full((2, 2), 0.3))
    after = bound.step(state, [gradient], rng=np.random.default_rng(0))
    assert after.tally.reads >= 8 and after.tally.pulses >= 8 and after.tally.energy > 0.0
    g_cell = after.parts[0].cells.g_cell
    window = 0.01 * 86e-6  # of the tables' whole range
    assert np.abs(g_cell[0] - 5e-6).max() <= window and np.abs(g_cell[1] - 50e-6).max() <= window


def test_errors_go_back_through_signs_or_cells():
    errors = np.array([[1.0, -2.0]])
    for backward in ("digital", "tile"):
        rule = Binary(way="error", start="error", backward=backward)
        bound: Any = rule.bind(FINE, ArrayModel.from_tables(FINE, wires=False), SGD, Pairs(g_low=1e-5, g_high=5e-5))
        state = bound.init([np.array([[0.3, -0.2], [-0.4, -0.1]])], rng=np.random.default_rng(0))
        cells = state.parts[0].cells
        spread = replace(state.parts[0], cells=replace(cells, g_cell=0.8 * cells.g_cell))
        matrix = rule.matrix(bound.device, spread, None, rng=np.random.default_rng(0))
        y = matrix.backward(errors, rng=np.random.default_rng(0)).y
        np.testing.assert_allclose(y, np.array([[3.0, 1.0]]) * (1.0 if backward == "digital" else 0.8), rtol=1e-6)


def test_what_the_rule_cannot_write_is_refused():
    with pytest.raises(InputError, match="binary writes a weight as one pair of cells"):
        Experiment.checked({"rule": "binary", "mapping": {"kind": "bit_slices"}}, where="t").built_rule(FINE)
    with pytest.raises(InputError, match=r"must be within the tables' 4e-06 to 9e-05 S; got 1e-06"):
        Experiment.checked(
            {"rule": "binary", "mapping": {"weights": {"g_low": 1e-6, "g_high": 5e-5}}}, where="t"
        ).built_rule(FINE)


# What it costs, and cells off their conductances ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def run():
    rng = np.random.default_rng(4)
    layers = [
        {"kind": "step", "threshold": 0.5},
        {"kind": "convolution", "channels": 3, "kernel": 3, "pad": 1, "bias": "none"},
        *({"kind": "max_pool"}, NORM, STEP),
        {"kind": "convolution", "channels": 5, "kernel": 2, "bias": "none"},
        *(NORM, STEP, {"kind": "flatten"}, {"kind": "dense", "bias": "none"}, NORM),
    ]
    experiment = Experiment.checked(
        {
            "network": {"layers": layers},
            "mapping": {"rows": 20, "read": {"merge": "count"}, "weights": {"g_low": 1e-5, "g_high": 4e-5}},
            "rule": {"kind": "binary", "way": "error", "start": "error", "backward": "digital"},
            **{"epochs": 1, "batch": 20, "float_reference": False, "chip": {"off": ["sense"]}},
        },
        where="the test",
    )
    return train(experiment, chip_tables(), data=(rng.random((60, 1, 8, 8)), np.arange(60) % 4))


def test_line_buffers_hold_rows_and_pixels_and_layers_overlap(run):
    cost = cost_of(run)
    first, second, last = cost.line_buffers
    assert [each.numbers for each in (first, second, last)] == [(2 * 8 + 3) * 1, (1 * 4 + 2) * 3, 3 * 3 * 5]
    assert {each.bits for each in cost.line_buffers} == {1}
    register = cost.components["digital.register_bit"]
    # every pixel is written once, every window read once
    assert first.energy == near((64 + 64 * 9) * register.energy_at(), 1e-12)
    assert second.area == near(18 * register.area_at(), 1e-12)
    spans = cost.subject.training.reads["seconds"][:, 0] / passes(cost.subject, cost.subject.training)
    t_first, t_second, t_last = spans / [64, 9, 1]
    # the second convolution waits for pixels (0, 0) to (1, 1) behind pooling: 3 rows of 8 outputs and 4 more
    assert second.begins == near((3 * 8 + 4) * t_first, 1e-12)
    assert second.ends == near(max(64 * t_first + t_second, second.begins + 9 * t_second), 1e-12)
    assert last.ends == near(second.ends + t_last, 1e-12)
    assert last.ends < cost.schedules["serial"].latency == near(spans.sum(), 1e-12)


def test_interfaces_are_drivers_and_converters_of_one_input(run):
    class Circuit(NamedTuple):
        area: float
        capacitance: float

    circuits = {"adc": Circuit(5e-11, 0.0), "row_driver": Circuit(2e-11, 0.0), "cell": Circuit(1e-12, 0.0)}
    found = cost_of(run, circuits=circuits).interfaces
    # two halves of each output: 3 at 64 windows in one array, 5 at 9 windows in one, 4 of 45 rows in three
    conversions = 2 * (3 * 64 + 5 * 9 + 4 * 3)
    assert found.conversions == conversions
    assert found.e_converters == near(conversions * E_CONVERSION, 1e-9)
    units = -(-9 // 2) + -(-12 // 2) + 3 * -(-15 // 2)
    lines = 9 + 6 + 12 + 10 + 3 * (15 + 8)
    assert found.a_converters == near(3.0 * units * 5e-11, 1e-12) and found.a_drivers == near(
        3.0 * lines * 2e-11, 1e-12
    )
    assert found.energy == found.e_drivers + found.e_converters and 0.0 < found.e_drivers


def test_joined_and_compared_tiles_share_or_leave_out_converters():
    class Circuit(NamedTuple):
        area: float
        capacitance: float

    circuits = {"adc": Circuit(5e-11, 0.0), "sense_amp": Circuit(1e-12, 0.0), "readout": Circuit(1e-10, 0.0)}

    def counts(**how):
        return {each.part: each.count for each in tile_items([Tiles("0", 6, 10, 8, **how)], Assumptions(), circuits)}

    assert counts() == {"adc": 30, "readout": 30}
    assert counts(joined=3) == {"adc": 10, "readout": 10}
    assert counts(compared=True) == {"sense_amp": 24, "readout": 30}
    joined = grid_of(WEIGHT, "analog").tile
    assert tiles_read("0", joined) == Tiles("0", 3, 4, 6, joined=3)


def test_a_spread_is_a_lognormal_factor_on_every_cell(run):
    first: Any = run.network

    def spread_by(sigma, seed=0) -> Any:
        return varied(first, sigma, seed=seed).params.matrices[2]

    before = first.params.matrices[2].g_cell
    after = spread_by(0.1, seed=3).g_cell
    factor = np.log(after / before)
    assert before.size == 2 * 45 * 4 and G_LOW < after.min() < after.max() < G_HIGH  # none at an end of the table
    # of 360 cells: the deviation is known to 1/sqrt(720) = 4 %, the mean to 0.1/sqrt(360) = 0.005
    assert np.std(factor) == near(0.1, 0.15) and np.mean(factor) == near(0.0, within=0.02)
    twice = spread_by(0.2, seed=3).g_cell
    np.testing.assert_allclose(np.log(twice / before), 2.0 * factor, rtol=0, atol=1e-5)  # single precision
    np.testing.assert_array_equal(spread_by(0.0).g_cell, before)


@pytest.mark.long
def test_binary_weights_and_activations_lose_less_by_a_spread_than_four_bits():
    def lost(layers, rule):
        experiment = Experiment.checked(
            {
                "network": {"layers": layers, "reach": 5.0},
                **{"rule": rule, "epochs": 12, "float_reference": False},
                "mapping": {"wires": False, "weights": {"g_low": 5e-6, "g_high": 50e-6}},
                "optimiser": {"learning_rate": 0.01},
                "schedule": {"kind": "cosine"},
            },
            where="the test",
        )
        data = experiment.data.loaded(seed=1)
        found: Any = train(experiment, tables())
        accuracies = [
            evaluate(varied(found.network, 0.5, seed=seed), data.x_test, data.y_test).accuracy for seed in range(5)
        ]
        return found.accuracy - np.mean(accuracies)

    sizes = ({"units": 64}, {"units": 64}, {})
    dense = [{"kind": "dense", "bias": "none", **size} for size in sizes]
    binary = [{"kind": "step", "threshold": 0.5}, *(each for one in dense[:2] for each in (one, NORM, STEP))]
    relu = [each for one in dense[:2] for each in (one, NORM, {"kind": "activation"})]
    error = {"way": "error", "start": "error", "backward": "digital"}
    of_binary = lost([*binary, dense[2], NORM], {"kind": "binary", **error})
    of_four = lost([*relu, dense[2], NORM], {"kind": "threshold", "levels": 8, "threshold": 0.0714, **error})
    assert of_binary < of_four
