"""Encoded bits and dynamic quantisation: exact where they are, and what they save, against slow loops."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures import synthetic
from fixtures.chip_tables import G_HIGH, G_LOW, chip_tables
from fixtures.closeness import near

from rramkit import load_run
from rramkit.array import ArrayModel, ReadChain, Tile
from rramkit.array.bit_planes import Measured, WrittenDigits, needed
from rramkit.array.conversions import Conversions
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import BitSerial
from rramkit.array.mapping.conductance_levels import digits
from rramkit.array.matrix import Samples
from rramkit.array.stages.adc import Adc
from rramkit.cost import cost_of
from rramkit.errors import InputError
from rramkit.learning import Experiment, train
from rramkit.learning.corrected import Corrected
from rramkit.learning.evaluate import evaluate
from rramkit.learning.floors import floored
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.trained import TrainedNetwork

IDEAL = ArrayModel.from_tables(synthetic.tables(linear=True), wires=False)
WINDOW: dict[str, Any] = {"g_low": G_LOW, "g_high": G_HIGH}
OFFSET: dict[str, Any] = {"code": "offset"}
INVERTED: dict[str, Any] = {"code": "offset", "flip": True}
PAIR: dict[str, Any] = {"code": "sign_magnitude"}
ROUNDING = 1e-9  # of whole numbers through a division and a multiplication by a conductance step, in float64


def whole_numbers(rows=70, outputs=5, vectors=9, *, seed=0):
    """Return weights within 127 and inputs within 255, planes of all ones and of none among them."""
    rng = np.random.default_rng(seed)
    weight, x = rng.integers(-127, 128, (rows, outputs)), rng.integers(0, 256, (vectors, rows))
    weight[:, 2], weight[0, 0], weight[-1, -1] = rng.integers(-127, 0, rows), 127, -127
    x[3], x[4], x[5] = 0, 255, np.where(rng.random(rows) < 0.9, 255, 0)
    return weight.astype(float), x.astype(float)


def gaussian(*, outputs=64, vectors=200, seed=0):
    """Return the pilot's matrix: Gaussian weights of 8 bits, rectified Gaussian inputs, 128 rows."""
    rng = np.random.default_rng(seed)
    weight, x = rng.normal(size=(128, outputs)), np.maximum(rng.normal(size=(vectors, 128)), 0.0)
    return np.rint(weight * 127 / np.abs(weight).max()), np.rint(x * 255 / x.max())


def matrix_of(weight, *, model=IDEAL, largest=(24, 17), **settings):
    mapping = BitSerial(**WINDOW, w_max=127, **settings)
    return MappedMatrix.of(weight, mapping, model, largest=largest, x_range=255.0)


def measured(weight, x, **settings):
    mapping = BitSerial(**WINDOW, w_max=127, **settings)
    flips = mapping.flips(weight)
    written = WrittenDigits.of(mapping, mapping.targets(weight, flips), flips, block=len(weight))
    return Measured.of(mapping, written, flips, x)


@pytest.mark.parametrize("code", [OFFSET, INVERTED, PAIR], ids=["offset", "inverted", "pair"])
@pytest.mark.parametrize("bits", [1, 2, 3])
@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("converters", ["full", "lossless"])
def test_every_encoding_gives_the_whole_product_bit_for_bit(code, bits, invert, converters):
    weight, x = whole_numbers()
    matrix = matrix_of(weight, bits=bits, invert=invert, converters=converters, part=0.4, **code)
    np.testing.assert_array_equal(np.rint(matrix.weight), weight)
    for inputs in (x, x - 90.0 * (x % 2)):  # with negative ones too
        found = matrix.forward(inputs)
        np.testing.assert_array_equal(np.rint(found.y), inputs @ weight)
        np.testing.assert_allclose(found.y, inputs @ weight, rtol=ROUNDING, atol=ROUNDING)
        assert found.beyond == 0


def test_encoding_takes_a_third_of_a_columns_current_and_a_bit_of_its_converter():
    """The table of the pilot: ones a cell, largest column, and the current of one side of a weight's columns.

    A pair's side has seven columns where offset binary has eight.
    """
    weight, x = gaussian()
    found = {name: measured(weight, x, **code) for name, code in (("o", OFFSET), ("i", INVERTED), ("p", PAIR))}
    ones = {name: float(each.written.level.mean()) for name, each in found.items()}
    largest = {name: float(each.written.sums.max()) for name, each in found.items()}
    mean = {name: float((each.sent() @ each.written.level).mean()) for name, each in found.items()}
    assert ones["o"] == near(0.5, within=0.01) and 7 / 8 * ones["p"] == near(0.166, within=0.01)  # of 8,192 weights
    assert largest["i"] <= 64 < largest["o"] and largest["p"] < 64
    assert needed(np.array([128.0]))[0] - needed(np.array([largest["i"] - 1.0]))[0] >= 1  # than any column may need
    assert needed(np.array([largest["o"]]))[0] - needed(np.array([largest["p"]]))[0] == 1
    assert 8 * mean["o"] / (7 * mean["p"]) > 2.8 and mean["o"] / mean["i"] > 1.05


def test_planes_of_mostly_ones_are_sent_inverted_at_most_half_of_the_rows():
    weight, x = gaussian(outputs=8, vectors=50)
    x = 255.0 - x  # mostly ones
    plain, inverted = (measured(weight, x, **PAIR, invert=invert).sent() for invert in (False, True))
    assert plain.sum(axis=1).max() > 64 >= inverted.sum(axis=1).max()
    read = [matrix_of(weight, **PAIR, invert=invert, largest=(128, 112)).forward(x) for invert in (False, True)]
    np.testing.assert_array_equal(*(np.rint(each.y) for each in read))
    assert read[1].energy < 0.6 * read[0].energy  # of the cells: IDEAL has no converters


def left_out(weight, x, threshold):
    """Return what the products of input bit i and magnitude bit j with i + j < T sum to, by the slow loop."""
    total = np.zeros((len(x), weight.shape[1]))
    of_weights, of_inputs = digits(np.abs(weight), 1, 7), digits(x, 1, 8)
    for i in range(8):
        for j in range(7):
            if i + j < threshold:
                part = of_weights[j] * np.sign(weight)
                total += 2.0 ** (i + j) * (of_inputs[i] @ (part - part.mean(axis=0)))
    return total


MORE: tuple[dict[str, Any], ...] = ({"budget": 1.0}, {})


def test_products_below_the_threshold_are_never_converted():
    weight, x = gaussian(vectors=100)
    batch = measured(weight, x, **PAIR, budget=1.0)
    step = float(np.abs(x @ weight).max()) / 255.0
    errors = [float(np.sqrt(np.mean(left_out(weight, x, t) ** 2))) for t in range(9)]
    # The digits' sums of both signs are rounded apart: the same numbers added in another order.
    np.testing.assert_allclose(batch.errors()[:9], errors, rtol=1e-9, atol=1e-6)
    threshold = batch.threshold()
    assert errors[threshold] <= step < errors[threshold + 1] and threshold in (5, 6)
    matrix, whole = (
        matrix_of(weight, **PAIR, **more, largest=(128, 896)).calibrated(Samples(x), margin=1.3) for more in MORE
    )
    found, exact = matrix.forward(x), whole.forward(x)
    assert 1.3 < exact.conversions / found.conversions < 2.0
    np.testing.assert_array_equal(np.rint(exact.y), x @ weight)
    assert float(np.sqrt(np.mean((found.y - exact.y) ** 2))) == near(errors[threshold], rel=1e-6)  # rounded sums
    small = np.floor(x / 4.0)  # of a fixed range of inputs: what is converted is said by the numbers that are read
    fewer = matrix_of(weight, **PAIR, budget=1.0, largest=(128, 896)).calibrated(Samples(small), margin=1.3)
    wanted = measured(weight, small, **PAIR, budget=1.0).bits(np.full((8, 14), 16))
    np.testing.assert_array_equal(fewer.conversion_bits, wanted)


def test_a_trimmed_converter_holds_the_quantile_and_saturates_beyond_it():
    weight, x = gaussian(outputs=16, vectors=100)
    start = np.full((8, 14), 8)
    batch = measured(weight, x, **PAIR, converters="trimmed", quantile=0.99)
    i, k = 6, 3
    plane = x.astype(int) >> i & 1
    sums = np.sort((plane @ batch.written.level[:, k::14]).ravel())
    within = sums[int(np.ceil(0.99 * (sums.size - 1)))]
    assert batch.bits(start)[i, k] == int(np.ceil(np.log2(1.0 + within)))
    mapping = batch.mapping.model_copy(update={"quantile": 0.9})
    matrix = MappedMatrix.of(weight, mapping, IDEAL, x_range=255.0, largest=(128, 224))
    few = matrix.calibrated(Samples(x), margin=1.3).forward(x)
    assert few.beyond > 0 and few.whole_conversions == few.conversions  # without a converter none is shorter
    assert np.any(np.rint(few.y) != x @ weight)


def test_outputs_that_a_relu_makes_zero_stop_early_and_no_other_changes():
    weight, x = gaussian(outputs=16, vectors=100)
    floor = np.linspace(-5e3, 5e3, 16)
    plain = matrix_of(weight, **INVERTED, invert=True, largest=(128, 128))
    exact, every = np.maximum(x @ weight - floor, 0.0), plain.forward(x).conversions
    same = {}
    for stop in (1.0, 0.1):
        found = replace(plain, mapping=plain.mapping.model_copy(update={"stop": stop}), floor=floor).forward(x)
        same[stop] = float(np.mean(np.abs(np.maximum(found.y - floor, 0.0) - exact) < 1e-3))  # of whole numbers
        assert found.conversions < every
    assert same[1.0] == 1.0 and 0.95 < same[0.1] < 1.0
    counted = stopped_conversions(weight, x[:3], floor)
    few = replace(plain, mapping=plain.mapping.model_copy(update={"stop": 1.0}), floor=floor).forward(x[:3])
    assert few.conversions == counted


def stopped_conversions(weight, x, floor):
    """Return the conversions of eight columns an output, by the slow loop: one vector and one output at a time."""
    count = 0
    for vector in x.astype(int):
        for column, least in zip(weight.T, floor, strict=True):
            acc, above = 0.0, np.maximum(column, 0.0).sum()
            for i in range(7, -1, -1):
                plane = vector >> i & 1
                count += 8 * (0 < plane.sum() < plane.size)
                acc += 2**i * (plane @ column)
                if acc + (vector % 2**i).max() * above < least:
                    break
    return count


def chip_tile(file, *, columns=6):
    chain = ReadChain.from_tables(file)
    g_cell = np.random.default_rng(1).choice([G_LOW, G_HIGH], (12, columns))
    model = ArrayModel(file, chain=chain)
    return Tile.of(g_cell, model, rng=np.random.default_rng(2)), chain, model


def conversions(tile, wanted, bits):
    trims = np.broadcast_to(np.array([0.0, 1e-6, 0.0])[:, None, None], (3, 1, wanted.shape[1]))
    return Conversions(wanted, np.full((1, wanted.shape[1]), bits), trims, 1e-6)


def test_a_read_of_which_everything_is_converted_costs_what_a_plain_one_does():
    tile, chain, _ = chip_tile(chip_tables(without=("cell_noise", "readout_noise", "adc_noise")))
    v = tile.model.cells.v_forward * np.random.default_rng(3).integers(0, 2, (5, 12))
    plain = tile.forward(v)
    whole = tile.forward(v, conversions=conversions(tile, np.ones((5, 6), bool), chain.adc.bits))
    for name in ("energy", "duration", "conversions", "e_drivers", "e_sensing", "whole_conversions"):
        assert getattr(whole, name) == near(getattr(plain, name), rel=1e-12)  # sums in another order


def test_energy_and_time_are_those_of_what_is_converted():
    tile, chain, model = chip_tile(chip_tables(without=("cell_noise", "readout_noise", "adc_noise")))
    v = np.full((4, 12), tile.model.cells.v_forward)
    every = np.ones((4, 6), bool)
    one_a_unit = every & (np.arange(6) % 2 == 0)  # units serve neighbours: one turn
    whole, half = (tile.forward(v, conversions=conversions(tile, w, 8)) for w in (every, one_a_unit))
    assert half.conversions == 12 and whole.conversions == 24
    assert half.duration == near(0.5 * whole.duration, rel=1e-12)
    assert half.e_drivers == near(0.5 * whole.e_drivers, rel=1e-12)
    none = tile.forward(v, conversions=conversions(tile, ~every, 8))
    batch = tile.periphery.e_batch[0]
    assert none.energy == near(batch, rel=1e-12) and none.duration == 0.0 and none.conversions == 0
    fewer = tile.forward(v, conversions=conversions(tile, every, 3))
    saved = 24 * (chain.adc.bits - 3) * (chain.adc.e_decision or 0.0)
    assert whole.energy - fewer.energy == near(saved, rel=1e-6) and saved > 0.0  # a difference of much larger energies
    assert fewer.beyond > 0 and model.chain.adc.shares[-1] == 1.0


def test_a_converters_shares_fall_by_a_decision_each():
    np.testing.assert_array_equal(Adc(bits=4, energy=8e-13).shares, [0.0, 0.25, 0.5, 0.75, 1.0])
    assert Adc(bits=4, energy=8e-13, e_decision=1e-13).shares[1] == near(0.625, rel=1e-12)


def test_a_chips_columns_are_trimmed_by_a_first_batch():
    """Wires and the spread of the converters take levels of a column's sum; measured trims bring them back."""
    file = chip_tables(linear=True)
    model = ArrayModel(file, chain=ReadChain.from_tables(file))
    rng = np.random.default_rng(0)
    weight, x = rng.integers(-127, 128, (24, 6)).astype(float), rng.integers(0, 256, (200, 24)).astype(float)
    mapping = BitSerial(**WINDOW, w_max=127, **PAIR, invert=True, converters="lossless")
    matrix = MappedMatrix.of(weight, mapping, model, x_range=255.0, largest=(12, 48), rng=rng)
    trimmed = matrix.calibrated(Samples(x), margin=1.3)
    plain = replace(trimmed, trims=None)
    errors = [float(np.std(each.forward(x, rng=rng).y - x @ weight)) for each in (trimmed, plain)]
    assert errors[0] < 0.5 * errors[1] and errors[0] < 0.02 * float(np.std(x @ weight))


SETTINGS: dict[str, Any] = {
    "weight_bits": 5,
    "input_bits": 4,
    "invert": True,
    "converters": "lossless",
    "budget": 0.3,
    "stop": 1.0,
}
EXACT: dict[str, Any] = {
    "kind": "write_verify",
    "verify": {"start": "table", "window": 0.03, "turns_max": 3},
    "start": "verify",
}


def experiment(**more):
    given: dict[str, Any] = {
        "network": {"hidden": [12]},
        "epochs": 1,
        "batches": 32,
        "optimiser": {"learning_rate": 0.01},
        "data": {"validation": 0.0, "test_images": 200},
        "float_reference": False,
        "rule": {**EXACT, "every": 4},
        "mapping": {"kind": "bit_serial", "weights": SETTINGS},
    }
    return Experiment.checked({**given, **more}, where="test")


def test_a_network_learns_through_encoded_bits_and_its_file_reads_the_same(tmp_path):
    run = train(experiment(), synthetic.tables(), run_path=tmp_path / "run.h5")
    assert run.accuracy > 0.45  # by a margin below what this seed reaches; 0.1 by chance
    run.save(tmp_path / "run.h5")
    loaded = load_run(tmp_path / "run.h5")
    data, network = experiment().data.loaded(seed=1), loaded.network
    assert isinstance(network, TrainedNetwork) and loaded.counts is not None
    first = network.params.matrices[0]
    assert isinstance(first, MappedMatrix)
    assert first.conversion_bits is not None and first.floor is not None and first.trims is not None
    assert evaluate(network, data.x_test, data.y_test).accuracy == run.accuracy
    counts = loaded.counts.reads
    assert np.all(counts["whole_conversions"][1:, :, 0] <= counts["conversions"][1:, :, 0])


def test_a_cost_prices_trimmed_conversions_by_their_part(tmp_path):
    few = {"train_images": 30, "test_images": 10, "validation": 0.0}
    tiny = experiment(network={"hidden": [2]}, epochs=1, batches=1, batch=10, data=few, rule="write_verify")
    run = train(tiny, chip_tables(), run_path=tmp_path / "run.h5")
    run.save(tmp_path / "run.h5")
    cost = cost_of(load_run(tmp_path / "run.h5"))
    reads, adc = cost.subject.training.reads, cost.subject.chain(0).adc
    items = [each for each in cost.training if each.part == "converters" and each.phase == "forward"]
    whole, conversions = (float(reads[name][:, 0].sum()) for name in ("whole_conversions", "conversions"))
    assert sum(each.energy for each in items) == near(whole * adc.energy, rel=1e-9)  # the same sum by layer
    assert sum(each.count for each in items) == conversions and adc.shares[0] * conversions < whole < conversions


def test_floors_are_those_of_a_relu_behind_the_matrix():
    weight, _ = whole_numbers()
    matrix = matrix_of(weight, **INVERTED, stop=1.0)
    network = Network.of(NetworkSettings(hidden=(5,), bias="digital"), (70,), 5)
    other = matrix_of(weight[:5], **INVERTED, stop=1.0)
    bias = np.arange(5.0)
    params = network.params((matrix, other), (bias, bias))
    hidden, last = params.matrices
    assert isinstance(hidden, MappedMatrix) and isinstance(last, MappedMatrix) and hidden.floor is not None
    np.testing.assert_allclose(hidden.floor, -bias / network.matrices[0].scale, rtol=1e-12)
    assert last.floor is None  # no ReLU behind it
    gain, offset = np.linspace(0.5, 1.5, 5), np.linspace(-1.0, 1.0, 5)
    corrected = floored(Corrected(matrix, gain, offset), bias)
    assert isinstance(corrected, Corrected) and isinstance(corrected.inner, MappedMatrix)
    floor = corrected.inner.floor
    assert floor is not None
    np.testing.assert_allclose(gain * floor + offset, bias, rtol=1e-12, atol=1e-12)
    tanh = Network.of(NetworkSettings(hidden=(5,), bias="digital", function="tanh"), (70,), 5)
    with pytest.raises(InputError, match="`stop` must be 0 without a ReLU"):
        tanh.params((matrix, other), (bias, bias))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({**PAIR, "flip": True}, "flip is for the code offset"),
        ({"quantile": 0.99}, "quantile is of trimmed converters"),
        ({"input_bits": 0}, "input_bits"),
    ],
    ids=["flip", "quantile", "bits"],
)
def test_settings_that_do_nothing_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        BitSerial.checked(settings, where="test")


def test_what_cannot_be_read_is_refused():
    weight, x = whole_numbers()
    with pytest.raises(InputError, match="take their numbers from a first batch"):
        matrix_of(weight, budget=1.0).forward(x)
    serial = ArrayModel(
        synthetic.tables(linear=True),
        wires=False,
        chain=ReadChain.checked({"row_driver": {"levels": 4, "serial": True}}, where="test"),
    )
    with pytest.raises(InputError, match=r"`row_driver\.serial` must be false"):
        matrix_of(weight, model=serial).forward(x)


@pytest.mark.parametrize("name", ["encoding", "encoding_8bit"])
def test_the_examples_are_experiments(name):
    file = Path(__file__).parents[2] / "examples" / "systems" / f"{name}.toml"
    assert isinstance(Experiment.from_toml(file).mapping.weights, BitSerial)
