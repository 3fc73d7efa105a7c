"""SEI: input bits open rows, slices are voltages, comparators decide; and thresholds that make bits of activations."""
# pyright: reportArgumentType=false, reportOperatorIssue=false, reportOptionalMemberAccess=false
# Layers are given as dictionaries here, which pydantic converts.

import json
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest
from fixtures.chip_tables import G_HIGH, G_LOW, V_READ, V_REST, cell_current, chip_tables
from fixtures.closeness import near
from fixtures.pulse_decks import state_map

from rramkit import record
from rramkit.array import ArrayModel, CellCurrent, ReadChain, WireModel
from rramkit.array.mapping import Sei
from rramkit.array.mapping.sei import weight_error
from rramkit.array.matrix import FloatMatrix, Samples
from rramkit.array.readout_setting import ReadoutSetting
from rramkit.array.selected_matrix import SelectedMatrix
from rramkit.array.windows import Windows
from rramkit.characterization.components.cell import row_currents
from rramkit.circuits.cell import ReadParams, ReadRowParams, read_row
from rramkit.circuits.crossbar import CrossbarParams, CrossbarReadParams, static_reads
from rramkit.cli import evaluated
from rramkit.cli.app import run
from rramkit.cost import Assumptions, cost_of
from rramkit.cost.area import Tiles, tile_items
from rramkit.errors import InputError, TableError
from rramkit.learning import Experiment, train
from rramkit.learning.compared import compared
from rramkit.learning.correction import corrected
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.state_dict import PlainWeights, from_state_dict
from rramkit.learning.thresholds import one_bit
from rramkit.learning.trained import TrainedNetwork
from rramkit.table import TableFile, save
from rramkit.table.schema import READ, SENSE_AMP
from rramkit.table.table import Table

E_DECIDE, T_CLOCK = 60e-15, 0.8e-9  # J, s
SUM = 1e-12  # relative: a few hundred products of doubles, each rounded to 1e-16
STAGES = ("row_driver", "adc")


class Circuit(NamedTuple):
    area: float
    capacitance: float


def tables(*, linear: bool = False) -> TableFile:
    """The made-up chip with comparators: 60 fJ in the mean, of two common modes."""
    energy = np.array([[1.1, 1.2], [0.8, 0.9]]) * E_DECIDE
    latch = Table(
        name=SENSE_AMP.group,
        axes=SENSE_AMP.of(overdrive=np.array([1e-3, 1e-1]), v_cm=np.array([0.5, 0.8])),
        signals=SENSE_AMP.of(t_decide=np.full((2, 2), 1e-10), energy=energy, kickback=np.zeros((2, 2)))
        | SENSE_AMP.of(kickback_common=np.zeros((2, 2))),
        conditions=SENSE_AMP.of(t_clock=T_CLOCK),
    )
    made = chip_tables(linear=linear)
    return TableFile({**made.tables, SENSE_AMP.group: latch}, made.provenance)


TABLES, LINEAR = tables(), tables(linear=True)
FEWER = TableFile(
    {k: v for k, v in TABLES.tables.items() if not k.startswith(("write", "droop", "dist"))}, {"seed": "0"}
)


def mapping(**settings) -> Sei:
    return Sei(**settings, g_low=G_LOW, g_high=G_HIGH).sensed_by(TABLES)


def matrix_of(weight: np.ndarray, sei: Sei, model: ArrayModel, *, rng=None) -> SelectedMatrix:
    return SelectedMatrix.built(sei.targets(weight), sei, model, rng=rng)


def drawn(rows: int, columns: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Weights (N, M), and 20 vectors of bits (20, N)."""
    rng = np.random.default_rng(seed)
    return rng.uniform(-1.0, 1.0, (rows, columns)), (rng.random((20, rows)) < 0.4).astype(float)


# Reads ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [{"bits": 1, "slices": 4}, {"bits": 3}, {"merge": "vote", "deal": True}])
def test_ohmic_cells_give_the_product_of_the_rounded_weights(settings):
    weight, x = drawn(70, 5)
    sei = mapping(**settings)
    matrix = matrix_of(weight, sei, ArrayModel(LINEAR, wires=False, largest=(64, 3)))
    assert matrix.cut[:2] == (2, -(-70 // (64 // sei.rows_per_input)))
    exact = x @ sei.weight(sei.targets(weight))
    np.testing.assert_allclose(matrix.forward(x).y, exact, rtol=0, atol=SUM * 70)
    # Bit for bit: sums are multiples of a weight's step, and references lie between two of them.
    reference = np.linspace(-2.0, 2.0, 5) + 0.5 / sei.w_top
    if sei.merge == "current":
        np.testing.assert_array_equal(matrix.compared(reference).forward(x).y > reference, exact > reference)


def test_a_column_is_the_sum_of_cells_at_their_ports():
    """The slow loop, with the cell's own equation: slices at v / 2^(b k), minus slices at the other polarity."""
    weight, x = drawn(7, 3)
    sei = mapping(bits=2, slices=2)
    g_cell = sei.targets(weight)
    matrix = matrix_of(weight, sei, ArrayModel(TABLES, wires=False))
    found = matrix.forward(x).y * sei.i_unit(V_READ)
    slow = np.zeros_like(found)
    for n, r, m, k in np.ndindex(len(x), 7, 3, 2):
        volts = V_READ / 4 ** (1 - k)
        plus, minus = g_cell[:, r, 2 * m + k]
        slow[n, m] += x[n, r] * (cell_current(plus, np.array(volts)) + cell_current(minus, np.array(-volts)))
    # The table is resampled and separated within 1e-4 of a cell's full current, 28 cells a column here.
    np.testing.assert_allclose(found, slow, rtol=0, atol=28 * 1e-4 * G_HIGH * V_READ)
    assert np.abs(slow - (x @ sei.weight(g_cell)) * sei.i_unit(V_READ)).max() > 1e-3 * np.abs(slow).max()


def test_votes_are_those_of_comparators_of_each_part():
    weight, x = drawn(24, 4)
    model = ArrayModel(LINEAR, wires=False, largest=(32, 96))  # three parts of eight inputs
    reference = np.array([-0.513, 0.107, 0.409, 1.003])  # no share of one is a sum of steps of 1 / 15
    for settings in ({}, {"deal": True}, {"move": True}, {"deal": True, "move": True}):
        sei = mapping(merge="vote", **settings)
        rounded = sei.weight(sei.targets(weight))
        part = np.arange(24) % 3 if sei.deal else np.arange(24) // 8
        found = matrix_of(weight, sei, model).compared(reference).forward(x).y > reference
        for bits, above in zip(x, found, strict=True):
            votes = np.zeros(4)
            for each in range(3):
                here = part == each
                share = bits[here].sum() / bits.sum() if sei.move else 1 / 3
                votes += bits[here] @ rounded[here] > share * reference
            np.testing.assert_array_equal(above, votes >= 2)


def test_wires_are_those_of_the_array_that_inputs_select():
    """All rows open: the nodal equations with nonlinear cells. Half of them open: the rest does not load the lines."""
    weight, _ = drawn(16, 20, seed=3)
    wires = WireModel(1.0, 1.0, 50.0, 50.0, rows_max=64, cols_max=96, g_max=G_HIGH)
    sei, model = mapping(bits=2, slices=2), ArrayModel(TABLES, wires=wires)
    matrix = matrix_of(weight, sei, model)
    plus_minus = sei.targets(weight).reshape(2, 16, 20, 2)  # half, input, output, slice
    physical = plus_minus.transpose(1, 0, 3, 2).reshape(64, 20)
    ports = np.tile(sei.ports(V_READ), 16)

    def off(opened: np.ndarray) -> float:
        """Error of the columns' currents over the largest that a column's plus cells give."""
        g_open = np.where(np.repeat(opened, 4)[:, None] > 0.0, physical, 1e-12)  # a closed gate
        v = np.where(np.repeat(opened, 4) > 0.0, ports, 0.0)[:, None]
        exact = wires.currents(g_open, v, direction="forward", cells=CellCurrent.from_table(TABLES["read"]).from_word)
        found = matrix.forward(opened[None]).y[0] * sei.i_unit(V_READ)
        return float(np.abs(found - exact[:, 0]).max() / (physical * np.maximum(ports, 0.0)[:, None]).sum(axis=0).max())

    ideal = matrix_of(weight, sei, ArrayModel(TABLES, wires=False))
    lost = np.abs(matrix.forward(np.ones((1, 16))).y - ideal.forward(np.ones((1, 16))).y).max()
    assert lost > 0.05  # of weights: what the wires take is much more than the errors that follow
    assert off(np.ones(16)) < 0.005  # the closed form of the wires, 0.5 % of full scale as in docs/results.md
    # Between closed and open the weights of near and far cells are a straight line: as good as the wires themselves.
    for opened in ((np.arange(16) % 2), np.arange(16) < 8, np.arange(16) >= 8, np.arange(16) == 3):
        assert off(opened.astype(float)) < 0.005


@pytest.mark.long  # the nodal equations above hold the same, without the cell's two polarities
def test_an_array_in_ngspice_whose_gates_are_the_inputs(pool):
    """1T1R cells, ports of both signs around the lines' rest, word lines at 3.3 V or 0 V: the column's currents."""
    weight, x = drawn(8, 3, seed=1)
    x = np.concatenate([np.ones((1, 8)), x[:2]])
    states, read = state_map(pool), ReadParams(t_read=10e-9)
    volts = np.linspace(-V_READ, V_READ, 9)
    g = np.linspace(3.5e-6, 85e-6, 9)
    sweep = ReadRowParams(read=read, state=tuple(states.state_of(g, nearest=True)), points=volts.size)
    measured = row_currents(pool.run(read_row(sweep).text()), g.size)
    table = replace(
        LINEAR["read"], axes=LINEAR["read"].axes | READ.of(g_cell=g, v_cell=volts), signals=READ.of(i_cell=measured)
    )
    cells = TableFile(LINEAR.tables | {READ.group: table}, LINEAR.provenance)
    wires = WireModel(1.0, 1.0, 50.0, 50.0, rows_max=64, cols_max=96)
    sei = mapping(bits=2, slices=2)
    matrix = matrix_of(weight, sei, ArrayModel(cells, wires=wires))
    physical = sei.targets(weight).reshape(2, 8, 3, 2).transpose(1, 0, 3, 2).reshape(32, 3)
    ports = np.tile(sei.ports(V_READ), 8)
    params = CrossbarReadParams(crossbar=CrossbarParams(rows=32, cols=3), read=read)
    full = (physical * np.maximum(ports, 0.0)[:, None]).sum(axis=0).max()
    for bits, found in zip(x, matrix.forward(x).y * sei.i_unit(V_READ), strict=True):
        gates = np.where(np.repeat(bits, 4) > 0.0, read.v_wl, 0.0)
        deck = static_reads(params, states.state_of(physical, nearest=True), ports[:, None], v_word=gates)
        waves = pool.run(deck.text())
        spice = np.array([waves[name].ravel()[0] for name in params.sense_outputs])
        # The closed form of the wires, and what the access transistor gives less where the source line is lifted.
        np.testing.assert_allclose(found, spice, rtol=0, atol=0.003 * full)
        assert np.abs(spice).max() > 0.05 * full


def test_images_are_read_by_windows_and_pooling_may_follow_the_comparator():
    rng = np.random.default_rng(5)
    images = (rng.random((2, 6, 6, 3)) < 0.5).astype(float)
    weight, windows = rng.uniform(-1, 1, (2 * 9, 4)), Windows(3, 1, 1)
    sei = mapping(bits=2, slices=3)
    matrix = matrix_of(weight, sei, ArrayModel(TABLES, wires=False))
    by_windows = matrix.forward(Samples(images, windows))
    rows = Samples(images, windows).rows()
    np.testing.assert_allclose(by_windows.y, matrix.forward(rows).y, rtol=0, atol=1e-12)
    assert by_windows.energy == near(matrix.forward(rows).energy, rel=SUM)


def test_offsets_and_noise_are_those_of_the_tables():
    """Forty equal columns, at a reference that their sums would meet: each unit's own offset decides."""
    weight = np.repeat(drawn(16, 1)[0], 40, axis=1)
    chain = ReadChain.from_tables(TABLES, without=STAGES)
    sei, x = mapping(bits=2, slices=2), np.ones((4000, 16))
    matrix = matrix_of(weight, sei, ArrayModel(TABLES, wires=False, chain=chain), rng=np.random.default_rng(1))
    assert matrix.latch is not None and matrix.offset is not None
    assert np.all(matrix.latch[::2] == matrix.latch[1::2])  # two columns share a unit
    assert np.std(matrix.latch) == near(5e-3, rel=0.4)  # SIGMA_LATCH; twenty of them: a quarter each way, doubled
    none = replace(matrix, offset=np.zeros(40), latch=np.zeros(40)).compared(np.zeros(40)).tested()
    sums = none.forward(x, rng=np.random.default_rng(2)).y
    g_line, gain = matrix.selection.linear.sum(axis=0), chain.readout.gains[-1]  # of equal columns the highest
    expected = np.sqrt(gain.noise(g_line) ** 2 + matrix.selection.variance.sum(axis=0))
    np.testing.assert_allclose(
        sums.std(axis=0) * sei.i_unit(V_READ), expected, rtol=0.1
    )  # 1.1 % each; 5 % of a divider
    shift = matrix.offset * (g_line + 1 / gain.r_feedback) - matrix.latch / gain.r_feedback
    found = matrix.compared(np.full(40, sums.mean()))
    clear = np.abs(shift) > 0.2 * expected  # of 4,000 decisions more than half, by ten standard errors
    above = (found.forward(x, rng=np.random.default_rng(3)).y > found.reference).mean(axis=0) > 0.5
    assert clear.sum() > 20 and 5 < np.count_nonzero(shift[clear] > 0.0) < clear.sum() - 5
    np.testing.assert_array_equal(above[clear], (shift > 0.0)[clear])


def test_references_lie_where_the_latch_is_characterised():
    """A constant current lifts the middle of the references to the middle of 0.5 to 0.8 V, at the highest gain."""
    readout, latch = ReadChain.from_tables(TABLES).readout, mapping().sense_amp
    for i_ref, number in ((np.zeros(3), 3), (np.array([-4e-6, 6e-6]), 3), (np.array([-9e-6, 9e-6]), 2)):
        setting = ReadoutSetting.of(readout, latch, i_ref)
        assert (setting.number, setting.beyond) == (number, 0)
        v_ref = V_REST + setting.gain.curve().output(i_ref + setting.i_bias)
        assert np.all((v_ref > 0.5 - 1e-9) & (v_ref < 0.8 + 1e-9))
        assert 0.5 * (v_ref.min() + v_ref.max()) == near(0.65, within=0.01)  # the curve bends
    assert ReadoutSetting.of(readout, latch, np.array([-1.0, 0.0, 1.0])).beyond == 2


def test_a_reference_beyond_every_gain_setting_is_counted():
    weight, x = drawn(8, 3)
    chain = ReadChain.from_tables(TABLES, without=STAGES)
    matrix = matrix_of(weight, mapping(), ArrayModel(TABLES, wires=False, chain=chain), rng=np.random.default_rng(0))
    far = matrix.compared(np.array([0.0, 500.0, -500.0])).forward(x, rng=np.random.default_rng(0))
    assert (far.clamped, far.beyond) == (2 * len(x), 2 * len(x))
    assert matrix.compared(np.zeros(3)).forward(x, rng=np.random.default_rng(0)).clamped == 0


def test_energy_and_time_are_counts_times_the_tables_prices():
    weight, x = drawn(20, 6)
    chain = ReadChain.from_tables(TABLES, without=STAGES)
    sei = mapping(bits=2, slices=2)
    model = ArrayModel(TABLES, wires=False, chain=chain, largest=(32, 4))
    matrix = matrix_of(weight, sei, model, rng=np.random.default_rng(0)).compared(np.zeros(6))
    found = matrix.forward(x, rng=np.random.default_rng(0))
    assert matrix.cut == (2, 3, 7, 3) and matrix.tiling == (6, 28, 3)
    gates = x.sum() * 2 * chain.word_line.e_line(4 * 3)  # an open input: 4 rows of 3 cells in each of 2 arrays across
    switches = (20 * 6 * 3 + 6 * 28) * chain.line_switch.energy  # sensed ones of three parts, and the ports' once
    decisions = 20 * 6 * E_DECIDE
    assert found.energy - found.e_drivers - found.e_sensing == near(gates + switches + decisions, rel=1e-9)
    assert found.duration == near(20 * 2 * (40e-9 + T_CLOCK), rel=SUM)  # two columns share a unit
    assert found.conversions == 20 * 6
    # Ports of minus slices give their current from v_rest + v; both columns of a unit are at their voltages in turn.
    minus = sei.targets(weight)[1].reshape(20, 6, 2)
    volts = np.array([V_READ / 4, V_READ])
    power = np.abs(cell_current(minus, -volts)) @ (V_REST + volts)
    assert found.e_drivers == near(2 * 40e-9 * float((x @ power).sum()), rel=0.05)  # the switches take 3 %
    plain = matrix_of(weight, sei, ArrayModel(TABLES, wires=False)).compared(np.zeros(6)).forward(x)
    both = sei.targets(weight).reshape(2, 20, 6, 2)
    used = [np.abs(cell_current(each, sign * volts)) @ volts for each, sign in zip(both, (1, -1), strict=True)]
    assert plain.energy == near(40e-9 * float((x @ (used[0] + used[1])).sum()) + decisions, rel=2e-4)


def test_slices_hold_as_long_as_cells_are_linear():
    cells, ohmic = (CellCurrent.from_table(each["read"]) for each in (TABLES, LINEAR))
    assert weight_error(mapping(bits=2, slices=4), ohmic) < 1e-9
    errors = [weight_error(mapping(bits=2, slices=count), cells) for count in range(1, 6)]
    assert errors == sorted(errors) and errors[0] < 0.5 < errors[-1]
    # One slice of one bit is off by no more than the two polarities of level 0 are unlike: 1 % of 4 in 80 uS at most.
    assert weight_error(mapping(bits=1, slices=1), cells) < 5e-4
    # Two slices are off by what v / 2 gives more or less than half.
    g = np.array([G_LOW, G_HIGH])
    at = [cell_current(g, np.array(v)) for v in (V_READ / 2, V_READ, -V_READ / 2, -V_READ)]
    low, high = at[0][1] + at[2][0], at[1][1] + at[3][0]
    by_hand = abs(low * 3 / (low + high) - 1.0) + abs(high * 3 / (low + high) - 2.0)
    assert weight_error(mapping(bits=1, slices=2), cells) >= 0.5 * by_hand > 0.0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Sei(deal=True), "deal does nothing"),
        (lambda: Sei.from_tables(chip_tables(), Sei()).sensed_by(chip_tables()), "sense_amp"),
        (
            lambda: matrix_of(*drawn(3, 2)[:1], mapping(), ArrayModel(TABLES, chain=ReadChain.from_tables(TABLES))),
            "adc",
        ),
        (lambda: matrix_of(*drawn(3, 2)[:1], mapping(), ArrayModel(TABLES, largest=(3, 9))), "mapping.rows"),
        (lambda: matrix_of(*drawn(3, 2)[:1], mapping(), ArrayModel(TABLES)).forward(np.full((1, 3), 0.5)), "bits"),
        (lambda: matrix_of(*drawn(3, 2)[:1], mapping(), ArrayModel(TABLES)).backward(np.ones((1, 2))), "in memory"),
    ],
    ids=["deal", "tables", "stages", "rows", "inputs", "backward"],
)
def test_what_does_not_fit_is_refused_in_one_line(make, message):
    with pytest.raises((InputError, TableError), match=message) as caught:
        make()
    assert "\n" not in str(caught.value)


# Networks -------------------------------------------------------------------------------------------------------------

LAYERS = [
    {"kind": "convolution", "channels": 3, "kernel": 2},
    {"kind": "max_pool"},
    {"kind": "step", "threshold": [0.1, -0.2, 0.3]},
    {"kind": "flatten"},
    {"kind": "dense", "units": 5},
    {"kind": "step", "threshold": [0.05]},
    {"kind": "dense"},
]


def small_network(layers=LAYERS) -> PlainWeights:
    rng = np.random.default_rng(8)
    network = Network.of(NetworkSettings(layers=layers), (1, 5, 5), 3)
    arrays = {"0.weight": rng.normal(size=(3, 1, 2, 2)), "0.bias": rng.normal(size=3)}
    arrays |= {"4.weight": rng.normal(size=(5, 12)), "4.bias": rng.normal(size=5)}
    arrays |= {"6.weight": rng.normal(size=(3, 5)), "6.bias": rng.normal(size=3)}
    return from_state_dict(network, arrays, w_max=1.0, dtype=np.dtype(float))


def test_a_network_read_by_comparators_is_the_software_network_bit_for_bit():
    """Ohmic cells, ideal wires: what comes out of the last, exact layer is the same double in every place."""
    plain = small_network()
    x = (np.random.default_rng(1).random((60, 1, 5, 5)) < 0.5).astype(float)
    sei = mapping(bits=2, slices=4)
    model = ArrayModel(LINEAR, wires=False)
    rounded = [sei.weight(sei.targets(each)) for each in plain.weights]
    software = plain.network.params(tuple(FloatMatrix(each) for each in rounded), plain.vectors)
    selected = tuple(matrix_of(each, sei, model) for each in plain.weights[:2])
    chip = plain.network.params((*selected, FloatMatrix(rounded[2])), plain.vectors)
    rng = np.random.default_rng(0)
    expected = plain.network.scores(software, x, rng=rng)
    np.testing.assert_array_equal(plain.network.scores(chip, x, rng=rng), expected)
    assert len(np.unique(np.argmax(expected, axis=1))) > 1


def test_a_layer_without_a_step_behind_it_is_refused():
    plain, sei = small_network(), mapping()
    matrices = tuple(matrix_of(each, sei, ArrayModel(LINEAR, wires=False)) for each in plain.weights)
    with pytest.raises(InputError, match=r"layer 6 .* got nothing"):
        plain.network.params(matrices, plain.vectors)
    assert compared(plain.network.chain, plain.network.params((), ())).matrices == ()


def test_arrays_whose_outputs_are_parts_of_a_sum_have_no_comparators():
    sparse = {"kind": "clustered", "inputs": 4, "units": 4, "rows": 2, "columns": 2}
    sparse |= {"connections": {"groups": 2, "outside": 0.0}}
    network = Network.of(NetworkSettings(layers=[sparse, {"kind": "step"}, {"kind": "dense"}]), (4,), 3)
    model = ArrayModel(LINEAR, wires=False)
    arrays = (matrix_of(np.ones((plan.rows, plan.columns)), mapping(), model) for plan in network.matrices[:-1])
    with pytest.raises(InputError, match=r"layer 0 in the mapping `sei` must be `dense` or .* got clustered"):
        network.params((*arrays, FloatMatrix(np.ones((4, 3)))), network.vectors)


def test_test_reads_move_references_to_where_the_exact_sums_cross_them():
    """Half of every current is lost: with references at half, decisions are the exact ones."""
    plain, sei = small_network(), mapping(bits=2, slices=4)
    model = ArrayModel(LINEAR, wires=False)
    x = (np.random.default_rng(1).random((60, 1, 5, 5)) < 0.5).astype(float)
    settled = ReadChain.checked({"line_switch": {"tau": 40e-9 / np.log(2)}}, where="the test")  # half after the read
    slow = tuple(matrix_of(each, sei, replace(model, chain=settled)) for each in plain.weights[:2])
    rounded = tuple(sei.weight(sei.targets(each)) for each in plain.weights)
    last = FloatMatrix(rounded[2])
    found = TrainedNetwork(plain.network, plain.network.params((*slow, last), plain.vectors), np.dtype(float))
    exact = plain.network.params(tuple(FloatMatrix(each) for each in rounded), plain.vectors)
    expected = plain.network.scores(exact, x, rng=np.random.default_rng(0))
    assert np.any(found.scores(x) != expected)
    better, cost = corrected(found, rounded, x[:30], batch=16)
    np.testing.assert_allclose(better.scores(x), expected, rtol=0, atol=1e-9)  # the last layer's own line: rounding
    assert cost.vectors > 0


def test_the_whole_chip_is_evaluated_and_priced_with_comparators(tmp_path, monkeypatch, capsys):
    """A network of one bit: written into cells, read by comparators; the stages say that they are the tables'."""
    monkeypatch.chdir(tmp_path)
    own = {"off": list(STAGES), "weights": {"kind": "sei"}}
    layers = [{"kind": "step", "threshold": [0.3]}, {"kind": "dense", "units": 8}]
    layers += [{"kind": "step"}, {"kind": "dense"}]
    settings = {"network": {"layers": layers, "reach": 4.0}, "data": {"train_images": 200, "test_images": 40}}
    settings |= {"rule": {"kind": "threshold"}, "mapping": {"layers": {"dense_1": own}}, "epochs": 1, "batches": 3}
    experiment = Experiment.checked({**settings, "float_reference": False}, where="the test")
    made = train(experiment, FEWER)  # errors go back through weights in memory
    assert ("sense_amp", "table") in [(each.stage, each.source) for each in made.stages]
    record.save(made, tmp_path / "run.h5")
    monkeypatch.setattr(evaluated, "_circuits", lambda operating: {})
    assert run(["evaluate", "run.h5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"] == made.accuracy  # as a run file restores it: offsets, references
    parts = [layer["parts"] for layer in found["layers"]]
    assert parts[0]["comparators"] == near(8 * E_DECIDE, rel=1e-9)  # of one input
    assert "converters" not in parts[0] and "comparators" not in parts[1]
    cost = cost_of(made)
    reads = cost.subject.counts.reads["conversions"].sum(axis=0)
    priced = {(item.layer, item.part): item.energy for item in cost.items if item.phase == "forward"}
    first, second = (matrix.label for matrix in cost.subject.work.matrices)
    assert priced[first, "comparators"] == near(float(reads[0, 0]) * E_DECIDE, rel=1e-9)
    assert (first, "converters") not in priced and (second, "converters") in priced


def test_tiles_without_converters_have_an_input_each_a_level_shifter():
    sei = mapping(bits=2, slices=2)
    tiles = Tiles.selected("0", sei, (20, 6), (32, 4), copies=1)
    assert (tiles.count, tiles.rows, tiles.columns, tiles.units) == (6, 28, 3, 4)  # two columns a unit, joined down
    circuits = {name: Circuit(1e-12, 0.0) for name in ("adc", "row_driver", "sense_amp", "level_shifter", "cell")}
    counts = {item.part: item.count for item in tile_items([tiles], Assumptions(), circuits)}
    assert counts == {"cell": 6 * 28 * 3, "sense_amp": 4, "level_shifter": 6 * 7}
    assert Tiles.selected("0", mapping(merge="vote"), (20, 6), (32, 4), copies=1).units == 12


# Thresholds -----------------------------------------------------------------------------------------------------------

FLOAT_LAYERS = [
    {**each, "kind": "activation", "function": "sigmoid"} if each["kind"] == "step" else each for each in LAYERS
]
FLOAT_LAYERS = [{k: v for k, v in each.items() if k != "threshold"} for each in FLOAT_LAYERS]


@pytest.mark.parametrize("by", ["layer", "channel"])
def test_levels_are_taken_into_the_next_layer_exactly(by):
    plain = small_network(FLOAT_LAYERS)
    rng = np.random.default_rng(2)
    x = rng.random((80, 1, 5, 5))
    params = plain.network.params(tuple(FloatMatrix(each) for each in plain.weights), plain.vectors)
    labels = np.argmax(plain.network.scores(params, x, rng=rng), axis=1)
    found = one_bit(plain, x, labels, reach=10.0, by=by)
    assert found.accuracy == 1.0
    assert [each.kind for each in found.settings.layers] == [each["kind"] for each in LAYERS]
    sizes = [each.threshold.size for each in found.layers]
    assert sizes == ([1, 1] if by == "layer" else [3, 5])
    bits = from_state_dict(Network.of(found.settings, (1, 5, 5), 3), found.arrays, w_max=1.0, dtype=np.dtype(float))
    on_bits = bits.network.params(tuple(FloatMatrix(each) for each in bits.weights), bits.vectors)
    reached = np.mean(np.argmax(bits.network.scores(on_bits, x, rng=rng), axis=1) == labels)
    assert reached == found.layers[-1].accuracy  # of two levels in place of activations
    assert reached > 0.5  # three classes


def test_thresholds_of_channels_leave_the_least_square():
    """The slow search over all places between two values, one channel at a time."""
    layers = [{"kind": "dense", "units": 4}, {"kind": "activation"}, {"kind": "dense"}]
    network = Network.of(NetworkSettings(layers=layers), (6,), 3)
    rng = np.random.default_rng(3)
    weights = tuple(rng.uniform(-1, 1, (plan.rows, plan.columns)) for plan in network.matrices)
    plain = PlainWeights(network, weights, (rng.normal(size=4), rng.normal(size=3)), (), {})
    x = rng.normal(size=(40, 6))
    found = one_bit(plain, x, np.zeros(40, int), reach=10.0, by="channel").layers[0]
    a = x @ (network.matrices[0].scale * weights[0]) + plain.vectors[0]
    for channel, values in enumerate(np.sort(a.T)):
        f = np.maximum(values, 0.0)
        left = [f[:k].var() * k + f[k:].var() * (40 - k) for k in range(1, 40)]
        best = int(np.argmin(left)) + 1
        # float32 inside: half a spacing of numbers of order one in the places, more than the sums' rounding
        assert found.threshold[channel] == near(0.5 * (values[best - 1] + values[best]), within=1e-5)
        assert (found.low[channel], found.high[channel]) == (
            near(f[:best].mean(), within=1e-5),
            near(f[best:].mean(), within=1e-5),
        )


def test_a_border_of_zeros_leaves_no_level_to_a_zero():
    layers = [{"kind": "convolution", "channels": 2, "kernel": 2}, {"kind": "activation", "function": "sigmoid"}]
    layers += [{"kind": "convolution", "channels": 2, "kernel": 3, "pad": 1}, {"kind": "flatten"}, {"kind": "dense"}]
    network = Network.of(NetworkSettings(layers=layers), (1, 5, 5), 3)
    rng = np.random.default_rng(4)
    weights = tuple(rng.uniform(-1, 1, (plan.rows, plan.columns)) for plan in network.matrices)
    plain = PlainWeights(network, weights, network.vectors, (), {})
    x = rng.random((30, 1, 5, 5))
    for by in ("layer", "channel"):
        assert np.all(one_bit(plain, x, np.zeros(30, int), reach=10.0, by=by).layers[0].low == 0.0)
    with pytest.raises(InputError, match=r"must be classes \(N,\); got targets \(30, 3\)"):
        one_bit(plain, x, rng.random((30, 3)), reach=10.0)
    doubled = [{"kind": "flatten"}, {"kind": "dense", "units": 4, "copies": 2}, {"kind": "activation"}]
    network = Network.of(NetworkSettings(layers=[*doubled, {"kind": "dense"}]), (1, 5, 5), 3)
    weights = tuple(np.ones((plan.rows, plan.columns)) for plan in network.matrices)
    with pytest.raises(InputError, match="got `copies`"):
        one_bit(PlainWeights(network, weights, network.vectors, (), {}), x, np.zeros(30, int), reach=10.0)
    with pytest.raises(InputError, match="no activation"):
        no_bits = Network.of(NetworkSettings(layers=[{"kind": "flatten"}, {"kind": "dense"}]), (1, 5, 5), 3)
        one_bit(PlainWeights(no_bits, (np.zeros((25, 3)),), (np.zeros(3),), (), {}), x, np.zeros(30, int), reach=1.0)


def test_the_command_writes_a_network_that_evaluates(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save(FEWER, "tables.h5")
    small = ["-s", "network.hidden=[8]", "-s", "epochs=2", "-s", "float_reference=false", "-s", "rule.kind=float"]
    small += ["-s", "data.test_images=60", "-s", "network.function=sigmoid"]
    assert run(["train", "--tables", "tables.h5", *small, "-q"]) == 0
    capsys.readouterr()
    assert run(["thresholds", "run.h5", "--by", "channel", "-s", "rule.kind=threshold"]) == 0
    assert "8 thresholds" in capsys.readouterr().out
    assert run(["thresholds", "run.h5", "--by", "channel", "-s", "rule.kind=threshold", "--json"]) == 0
    told = capsys.readouterr()
    outcome = json.loads(told.out)
    assert told.err.count("exists, and is replaced") == 0, "a program reads this"
    assert (outcome["experiment"], outcome["weights"]) == ("one_bit.toml", "one_bit.npz")
    assert [len(each["thresholds"]) for each in outcome["layers"]] == [8]
    assert 0.0 < outcome["accuracy_test"] <= 1.0
    written = Experiment.from_toml(tmp_path / "one_bit.toml")
    assert [each.kind for each in written.network.layers] == ["dense", "step", "dense"]
    with pytest.raises(InputError, match="Remove `network`"):
        run(["thresholds", "run.h5", "--experiment", "one_bit.toml", "-o", "other.toml"])
    with pytest.raises(InputError, match=r"one_bit\.toml"):
        run(["thresholds", "run.h5", "-o", "one_bit.npz"])


@pytest.mark.long  # the network above on its cells: what the short test of a whole chip shows of a training
def test_what_the_command_writes_is_evaluated_on_cells(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    save(FEWER, "tables.h5")
    small = ["-s", "network.hidden=[8]", "-s", "epochs=2", "-s", "float_reference=false", "-s", "rule.kind=float"]
    small += ["-s", "data.test_images=60", "-s", "network.function=sigmoid"]
    assert run(["train", "--tables", "tables.h5", *small, "-q"]) == 0
    assert run(["thresholds", "run.h5", "--by", "channel", "-s", "rule.kind=threshold"]) == 0
    capsys.readouterr()
    command = [
        "evaluate",
        "--weights",
        "one_bit.npz",
        "--experiment",
        "one_bit.toml",
        "--tables",
        "tables.h5",
        "--json",
    ]
    assert run(command) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"] > found["float_accuracy"] - 0.1  # 60 images: 6 of them
