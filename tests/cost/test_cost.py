"""What a run costs: counted by the simulator, priced by tables and components, added up without loss."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from fixtures.chip_tables import E_CONVERSION, chip_tables
from fixtures.closeness import near

from rramkit import record
from rramkit.cost import Assumptions, Cost, components, cost_of, energy_by_epoch, summary, tornado
from rramkit.cost.analogue import Corner
from rramkit.cost.area import Tiles, area_items, tiles_of
from rramkit.cost.items import HEADINGS, sums, total
from rramkit.cost.memory import memories, settled
from rramkit.cost.subject import Subject
from rramkit.cost.work import work_of
from rramkit.errors import InputError, TableError
from rramkit.learning import Experiment, train
from rramkit.learning.condition import Condition
from rramkit.learning.layers import Activation, BatchNorm, Convolution, Dense, Flatten, MaxPool, MeanPool, Residual
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings

SUM = 1e-12  # sums of doubles in another order: some hundred terms, each rounded to 1e-16
TINY = {
    "network": {"hidden": [6]},
    "epochs": 2,
    "float_reference": False,
    "data": {"train_images": 200, "test_images": 60},
}
ROWS, HIDDEN, CLASSES, BATCH = 65, 6, 10, 32
FILE = chip_tables(corners=True)


class Circuit(NamedTuple):
    area: float
    capacitance: float


def trained(**more):
    return train(Experiment.checked(TINY | more, where="the test"), FILE)


@pytest.fixture(scope="module")
def run():
    return trained()


@pytest.fixture(scope="module")
def cost(run):
    circuits = {"cell": Circuit(1e-12, 0.0), "adc": Circuit(5e-11, 4e-13)}
    return cost_of(run, circuits=circuits)


def count(items, **words):
    return sum(item.count for item in items if all(getattr(item, name) == word for name, word in words.items()))


# What the simulator counts --------------------------------------------------------------------------------------------


def test_counts_by_matrix_add_up_to_those_of_the_epochs(run):
    counts, epochs = run.counts, run.epochs
    for name, column in (("energy", "energy_read"), ("seconds", "time_read")):
        np.testing.assert_allclose(counts.reads[name].sum(axis=(1, 2)), getattr(epochs, column), rtol=SUM, atol=0.0)
    np.testing.assert_allclose(counts.writes["energy"].sum(axis=1), epochs.energy_write, rtol=SUM, atol=0.0)
    for name in ("pulses_set", "pulses_reset", "reads"):
        np.testing.assert_array_equal(counts.writes[name].sum(axis=1), getattr(epochs, name))
    pulses = counts.writes["pulses_set"] + counts.writes["pulses_reset"]
    np.testing.assert_array_equal(pulses, np.stack([layer.pulses_by_epoch for layer in run.layers], axis=1))


def test_counts_are_those_of_the_shapes(run):
    counts = run.counts
    images = counts.images[1]
    assert counts.images.tolist() == [0, images, images] and images == 180  # a tenth of 200 validates
    assert counts.batches.tolist() == [0, 6, 6]
    vectors, conversions = counts.reads["vectors"], counts.reads["conversions"]
    assert not vectors[0].any()
    assert vectors[1].tolist() == [[images, 0], [images, images]]  # nothing goes back through the first matrix
    halves = phases = 2
    assert conversions[1].tolist() == [
        [halves * HIDDEN * images, 0],  # pixels and rectified numbers take one phase
        [halves * CLASSES * images, phases * (HIDDEN + 1) * images],  # a bit line of a pair after the other
    ]


def test_parts_of_a_read_are_within_it(run):
    reads, writes = run.counts.reads, run.counts.writes
    rest = reads["energy"] - reads["e_drivers"] - reads["e_sensing"] - reads["conversions"] * E_CONVERSION
    assert np.all(rest >= -SUM * reads["energy"]) and np.all(reads["e_sensing"][1:, :, 0] > 0.0)
    assert np.all(reads["e_drivers"][1:, :, 0] > 0.0)
    for part, whole in (("energy_reads", "energy"), ("seconds_reads", "seconds")):
        assert np.all(writes[part] <= writes[whole])
    assert np.all(writes["energy_reads"][writes["reads"] > 0] > 0.0)


def test_a_file_keeps_the_counts_and_refuses_damaged_ones(run, tmp_path):
    again = record.load(run.save(tmp_path / "run.h5"))
    assert again.counts is not None
    for name, values in run.counts.reads.items():
        np.testing.assert_array_equal(again.counts.reads[name], values)
    reads = {**run.counts.reads, "energy": -run.counts.reads["energy"]}
    replace(run, counts=replace(run.counts, reads=reads)).save(tmp_path / "damaged.h5")
    with pytest.raises(TableError, match=r"damaged\.h5: `counts/energy` holds values below 0"):
        record.load(tmp_path / "damaged.h5")
    short = {name: values[:, :1] for name, values in run.counts.writes.items()}
    replace(run, counts=replace(run.counts, writes=short)).save(tmp_path / "short.h5")
    with pytest.raises(TableError, match="whose shapes do not fit each other"):
        record.load(tmp_path / "short.h5")


def test_a_run_without_counts_or_arrays_says_so(run):
    with pytest.raises(TableError, match=r"holds no counts .* Train again"):
        cost_of(replace(run, counts=None))
    with pytest.raises(InputError, match="the run is in float: it has no arrays to price"):
        cost_of(trained(rule={"kind": "float"}, epochs=1))


# What the roll-up adds up ---------------------------------------------------------------------------------------------


def test_arrays_cost_what_was_measured(run, cost):
    spice = total(item for item in cost.items if item.origin == "SPICE")
    measured = float(run.epochs.energy_read.sum() + run.epochs.energy_write.sum())
    assert spice == near(measured, rel=SUM)
    writes, reads = cost.writes_and_reads()
    assert writes == near(float(run.epochs.energy_write.sum()), rel=SUM)
    assert reads == near(float(run.epochs.energy_read.sum()), rel=SUM)
    converters = total(item for item in cost.items if item.part == "converters")
    assert converters == near(float(run.counts.reads["conversions"].sum()) * E_CONVERSION, rel=SUM)


def test_parts_sum_to_the_total(cost):
    whole = cost.energy
    for words in (cost.by_heading, cost.by_phase, cost.by_part, cost.by_price, cost.by_origin, cost.by_layer):
        assert sum(words().values()) == near(whole, rel=SUM)
    by_both = cost.by_heading_and_origin()
    assert sum(sum(each.values()) for each in by_both.values()) == near(whole, rel=SUM)
    assert list(cost.by_heading()) == list(HEADINGS)
    assert total(cost.initial) + total(cost.training) == near(whole, rel=SUM)
    assert float(energy_by_epoch(cost).sum()) == near(whole, rel=SUM)
    assert cost.energy_dynamic + cost.by_heading()["static power"] == near(whole, rel=SUM)


def test_an_image_a_batch_and_an_epoch_are_shares_of_the_training(run, cost):
    per, trained_ = cost.per(), total(cost.training)
    assert per["image"] * run.counts.images.sum() == near(trained_, rel=SUM)
    assert per["batch"] * run.counts.batches.sum() == near(trained_, rel=SUM)
    assert per["epoch"] * 2 == near(trained_, rel=SUM)
    forward = total(item for item in cost.training if item.phase == "forward")
    assert per["inference"] * run.counts.images.sum() == near(forward, rel=SUM)


def test_every_heading_holds_what_belongs_to_it(cost):
    found = sums(cost.items, lambda item: f"{item.heading}/{item.part}")
    for name in (
        "forward/readouts and cells",
        "backward/readouts and cells",
        "gradient/outer product",
        "update/write pulses",
        "update/verify reads",
        "conversion/converters",
        "data movement/buffer",
        "data movement/numbers of the controller",
        "static power/leakage",
    ):
        assert found[name] > 0.0, name
    assert not any(name.startswith("conversion/") and name != "conversion/converters" for name in found)


# Digital work ---------------------------------------------------------------------------------------------------------


def test_digital_work_of_a_perceptron_by_hand(run, cost):
    images, batches = 360, 12
    items, first, second = cost.training, "0 dense 65 x 6", "2 dense 7 x 10"
    weights = ROWS * HIDDEN + (HIDDEN + 1) * CLASSES
    assert count(items, part="outer product", price="digital.mul_int16") == weights * images
    assert count(items, part="outer product", price="digital.add_int32") == weights * images
    assert count(items, part="sums", price="digital.register_bit") == 2 * 16 * weights * images
    assert count(items, layer=first, phase="forward", price="memory.sram_8k:read") == ROWS * 8 * images
    assert count(items, layer=second, phase="backward", part="registers") == CLASSES * 8 * images
    assert count(items, layer=first, part="code at rest", price="digital.add_int16") == 2 * HIDDEN * images
    assert count(items, layer=first, part="halves, phases, tiles") == HIDDEN * images
    assert count(items, layer=second, phase="backward", part="halves, phases, tiles") == (HIDDEN + 1) * images
    assert count(items, layer=first, phase="forward", part="activations") == HIDDEN * images  # rectifiers
    assert count(items, part="images", price="offchip.lpddr4:read") == 64 * 8 * images
    numbers = sum(run.memory.values())
    assert (
        count(items, part="numbers of the controller", price="memory.sram_8k:read") == weights * numbers * 16 * batches
    )
    assert count(items, part="optimiser", price="digital.mul_int16") == 8 * weights * batches  # Adam
    assert not count(cost.initial, phase="gradient") and not count(cost.initial, phase="forward")


def test_each_digital_item_costs_its_count_times_the_price(cost):
    for item in cost.items:
        if item.origin == "SPICE" or item.phase == "static":
            continue
        key, _, way = item.price.partition(":")
        entry = cost.components[key]
        each = {"read": entry.read_bit_at, "write": entry.write_bit_at, "": entry.energy_at}[way]()
        assert item.energy == near(item.count * each, rel=SUM)
        assert item.origin == entry.component.mark


def test_work_of_a_network_of_images_by_hand():
    layers = (
        Convolution(channels=3, kernel=3, pad=1),
        BatchNorm(),
        MaxPool(),
        Activation(function="tanh"),
        Residual(main=(Convolution(channels=3, kernel=1),)),
        MeanPool(size=0),
        Flatten(),
        Dense(),
    )
    work = work_of(Network.of(NetworkSettings(layers=layers), (2, 4, 4), 5))
    shapes = [(each.name, each.rows, each.columns, each.inputs, each.positions) for each in work.matrices]
    assert shapes == [("0", 18, 3, 32, 16), ("4.main.0", 3, 3, 12, 4), ("7", 3, 5, 3, 1)]
    assert [each.bias for each in work.matrices] == [True, True, True]
    assert work.macs_forward == 18 * 3 * 16 + 3 * 3 * 4 + 15
    assert work.macs_backward == 3 * 3 * 4 + 15
    forward = [(each.matrix, dict(each.forward)) for each in work.elements[:-1]]
    add, multiply, compare = "digital.add_int16", "digital.mul_int16", "digital.comparator32"
    assert forward == [
        (0, {add: 144, multiply: 96}),  # 48 numbers: mean, variance, shift; scale, square
        (0, {compare: 48}),
        (0, {"digital.activation_lut": 12}),
        (1, {add: 12, compare: 12}),
        (1, {add: 12, multiply: 3}),
    ]
    assert (work.inputs, work.outputs) == (32, 5)


def test_a_price_of_ones_own_changes_its_part_alone(run, cost, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text(
        '[digital.mul_int16]\nenergy = 5e-12\nnode = 45e-9\nsource = "lab"\nmark = "recalled"\n'
        '[sources]\nlab = "my synthesis"\n'
    )
    mine = cost_of(run, components(file))
    items = [item for item in cost.items if item.price == "digital.mul_int16"]
    more = sum(item.count for item in items) * (5e-12 - components()["digital.mul_int16"].energy_at())
    assert mine.energy - cost.energy == near(more, rel=1e-9)  # a difference of sums a hundred times larger
    assert summary(mine)["unconfirmed"] == ["digital.mul_int16"] and summary(mine)["replaced"] == ["digital.mul_int16"]


# Places of the gradient -----------------------------------------------------------------------------------------------


def test_places_of_the_gradient_by_hand(run, cost):
    batch, image, memory = cost.gradients
    assert [each.place for each in cost.gradients] == ["batch", "image", "memory"] and batch.chosen
    weights, images = ROWS * HIDDEN + (HIDDEN + 1) * CLASSES, 360
    state, bits = components()["memory.sram_8k"], 16 * weights * images
    sums_ = (
        bits * (state.read_bit_at() + state.write_bit_at())
        - 2 * bits * components()["digital.register_bit"].energy_at()
    )
    assert image.low - batch.low == near(sums_, rel=1e-9)  # a difference of sums
    pulses = [item for item in cost.training if item.part == "write pulses"]
    fired = sum(item.count for item in pulses)
    assert memory.high - memory.low == near(total(pulses) / fired * (weights * images - fired), rel=1e-9)
    assert batch.low == batch.high and memory.low < batch.low
    moved = cost_of(run, assumed=Assumptions(gradient="memory"))
    assert not count(moved.items, part="outer product") and not count(moved.items, part="optimiser")
    assert moved.energy_dynamic - cost.energy_dynamic == near(memory.low - batch.low, rel=1e-9)


def test_a_rule_that_writes_outer_products_has_its_gradient_in_memory():
    found = cost_of(trained(rule={"kind": "outer_product"}, epochs=1))
    assert found.settled.gradient == "memory"
    memory = found.gradients[2]
    assert memory.chosen and memory.low == memory.high
    assert "gradient" not in memories(found.subject, found.settled)
    assert found.schedules["serial"].gradient == 0.0


# Time -----------------------------------------------------------------------------------------------------------------


def test_serial_time_is_the_sum_and_pipelined_time_that_of_the_slowest(run, cost):
    serial, pipelined = cost.schedules["serial"], cost.schedules["pipelined"]
    reads, writes = run.counts.reads["seconds"], run.counts.writes["seconds"]
    assert serial.reads == near(float(run.epochs.time_read.sum()), rel=SUM)
    assert serial.initial + serial.writes == near(float(run.epochs.time_write.sum()), rel=SUM)
    assert serial.batch * 12 == near(serial.total - serial.initial, rel=SUM)
    images = 360
    by_matrix = reads[1:].sum(axis=(0, 2)) / images
    unit = (ROWS * HIDDEN + (HIDDEN + 1) * CLASSES) / (256 * 1e9)
    writes_ = writes[1:].sum(axis=0) / 12
    expected = by_matrix.sum() + unit + (30 - 1) * max(by_matrix.max(), unit) + pipelined.update / 12 + writes_.max()
    assert pipelined.batch == near(float(expected), rel=SUM)  # 30 inputs a batch on average
    assert pipelined.total < serial.total
    assert serial.latency == near(float(reads[1:, :, 0].sum()) / images, rel=SUM)
    assert pipelined.interval == near(float(reads[1:, :, 0].sum(axis=0).max()) / images, rel=SUM)


def test_static_power_is_the_leak_of_the_memories_over_the_time(cost):
    static = [item for item in cost.items if item.phase == "static"]
    state, serial = settled(cost.subject, Assumptions()), cost.schedules["serial"]
    assert (state.state, state.buffer) == ("sram_8k", "sram_8k")  # 29,440 bits of numbers, 19,200 of 30 outputs
    watts = {key: n * (components()[key].leak or 0.0) for key, n in memories(cost.subject, state).items()}
    watts["digital.multiplier32_aladdin"] = 256 * 80e-6
    for item in static:
        assert item.energy == near(watts.pop(item.price) * serial.total, rel=SUM)
    assert not watts
    gated = replace(cost, assumed=Assumptions(leak_share=0.0))
    assert gated.energy == near(cost.energy_dynamic, rel=SUM)


def test_figures_of_merit_by_hand(cost):
    merit, weights = cost.merit(), ROWS * HIDDEN + (HIDDEN + 1) * CLASSES
    assert merit["ops_inference"] == 2 * weights
    assert merit["ops_joule_inference"] == near(2 * weights / cost.energy_inference, rel=SUM)
    assert merit["ops_second_inference"] == near(2 * weights / cost.schedules["serial"].interval, rel=SUM)
    assert merit["ops_second_area_inference"] == near(merit["ops_second_inference"] / cost.area, rel=SUM)
    assert merit["ops_image"] == 2 * (2 * weights + (HIDDEN + 1) * CLASSES)


# Area -----------------------------------------------------------------------------------------------------------------


def test_area_of_a_tile_by_hand(cost):
    first, _ = tiles_of(cost.subject)
    assert first == Tiles("0 dense 65 x 6", 1, ROWS, 2 * HIDDEN)
    assert first.units == 33  # one for two of 65 rows
    areas = {(each.layer, each.part): each for each in cost.areas}
    cells, adc = areas[(first.layer, "cell")], areas[(first.layer, "adc")]
    assert (cells.count, cells.area) == (ROWS * 2 * HIDDEN, near(3.0 * 1e-12 * ROWS * 2 * HIDDEN, rel=SUM))
    assert adc.area == near(33 * (3.0 * 5e-11 + 4e-13 / 2e-3), rel=SUM)
    assert cost.area == near(sum(each.area for each in cost.areas), rel=SUM)
    assert all(each.energy_tile * each.tiles.count == near(each.energy, rel=SUM) for each in cost.layers())
    by_layer = {each.name: each.area for each in cost.layers()}
    assert by_layer["0"] == near(cells.area + adc.area, rel=SUM)
    memory = areas[("network", "memory sram_8k")]
    assert memory.area == near(2 * components()["memory.sram_8k"].area_at(), rel=SUM)


def test_without_circuits_the_area_is_not_known(run):
    found = cost_of(run)
    assert found.area is None and found.merit()["ops_second_area_inference"] is None
    assert [layer.area for layer in found.layers()] == [None, None]
    assert area_items(found.subject, found.components, found.assumed, {})  # the digital side is


def test_a_large_matrix_is_cut_into_tiles():
    large = trained(network={"hidden": [100]}, epochs=1, mapping={"columns": 64})
    subject = Subject.of(large)
    first, _ = tiles_of(subject)
    device = subject.devices[0]
    largest = device.loop.chain.largest or device.model.largest_array
    assert first.rows <= largest[0] and first.columns <= largest[1]
    assert first.count * first.rows * first.columns >= ROWS * 200
    assert first.count == -(-ROWS // largest[0]) * -(-200 // largest[1])


# Corners --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("corner", ["ff", "ss"])
def test_repriced_at_a_corner_reads_cost_what_a_training_there_measures(run, cost, corner):
    """Conductances, inputs and counts differ a little between the two trainings: 2 % of the mean current."""
    there = replace(cost, corner=Corner.of(cost.subject, FILE, Condition(corner=corner)))
    measured = cost_of(trained(chip={"corner": corner}))
    for part, within in (
        ("converters", 1e-9),
        ("readouts and cells", 0.02),
        ("line switches", 1e-9),
        ("word lines", 1e-9),
    ):
        one, other = (total(i for i in each.training if i.part == part) for each in (there, measured))
        assert one == near(other, rel=within), part
    moved = total(i for i in there.training if i.part == "readouts and cells")
    was = total(i for i in cost.training if i.part == "readouts and cells")
    assert abs(moved / was - 1.0) > 0.01 and there.energy != cost.energy


def test_at_its_own_condition_nothing_moves(cost):
    same = replace(cost, corner=Corner.of(cost.subject, FILE, Condition(corner="tt")))
    assert same.energy == near(cost.energy, rel=1e-9)  # the current is found again on a grid, to rounding


# Tornado --------------------------------------------------------------------------------------------------------------


def test_the_tornado_is_sorted_and_holds_the_total(cost):
    corners = [Corner.of(cost.subject, FILE, Condition(corner=name)) for name in ("tt", "ff", "ss")]
    swings = tornado(cost, corners)
    widths = [swing.width for swing in swings]
    assert widths == sorted(widths, reverse=True) and len({swing.name for swing in swings}) == len(swings)
    for swing in swings:
        assert swing.low * (1.0 - SUM) <= cost.energy <= swing.high * (1.0 + SUM)
    named = {swing.name: swing for swing in swings}
    assert {"gradient", "leak_share", "schedule", "corner of the arrays", "digital.mul_int16"} <= set(named)
    price = named["digital.mul_int16"]
    energy = total(item for item in cost.items if item.price == "digital.mul_int16")
    low, high = components()["digital.mul_int16"].energy_ends_at()
    each = components()["digital.mul_int16"].energy_at()
    assert price.width == near(energy * (high - low) / each, rel=1e-9)
    assert named["leak_share"].low == near(cost.energy_dynamic, rel=SUM)


def test_a_cost_is_the_same_for_the_same_file(run, tmp_path):
    again = record.load(run.save(tmp_path / "run.h5"))
    assert Cost(Subject.of(again), components()).energy == cost_of(run).energy


# Reinforcement --------------------------------------------------------------------------------------------------------


def test_a_training_by_reinforcement_is_priced_with_both_banks():
    pytest.importorskip("gymnasium", reason="the extra `rl` is not installed")
    from rramkit.learning import rl

    settings = rl.RlSettings(
        steps=300, warm_up=64, collect=64, batches=2, batch=8, target_every=4, final_episodes=1,
        network=NetworkSettings(hidden=(4,)),
    )  # fmt: skip
    run = rl.train(FILE, settings)
    found, scalars = cost_of(run), run.scalars
    spice = total(item for item in found.items if item.origin == "SPICE")
    assert spice == near(scalars["energy_read"] + scalars["energy_write"], rel=SUM)
    assert found.subject.training.images == scalars["batches"] * 8
    passes = found.subject.training.reads["vectors"][
        0, 0
    ]  # acts, values of the batch, of its successors: by both banks
    assert passes > 2 * found.subject.training.images
    assert [tiles.count for tiles in tiles_of(found.subject)] == [2, 2]
    told = summary(found)["run"]
    assert isinstance(told, dict) and told["kind"] == "reinforcement"
