"""The crossbar's cells, gating, pairs, faults and wires: ngspice against closed forms and the nodal solution."""

from typing import Literal

import numpy as np
import pytest
from fixtures.closeness import near
from oracles.nodal import transfer_matrix
from scipy.optimize import brentq

from rramkit import netlists
from rramkit.characterization.engine.corners import Condition, at_temperature
from rramkit.circuits.array_cells import CellKind, CellSpread, SelectorParams, draw_faults, with_faults, with_spread
from rramkit.circuits.crossbar import CrossbarParams, CrossbarReadParams, example_pattern, static_reads, transient_read
from rramkit.circuits.crossbar_pairs import PairParams, pair_values, paired_reads
from rramkit.circuits.crossbar_write import Selection, line_voltages
from rramkit.circuits.wires import Segment, WireParams
from rramkit.errors import InputError


def currents(pool, params, states, v_in, **given):
    waves = pool.run(static_reads(params, states, v_in, **given).text())
    return np.stack([waves[name] for name in params.sense_outputs])


@pytest.mark.parametrize("static", [True, False])
def test_a_deck_of_16384_cells_has_every_cell_and_segment(static):
    params = CrossbarReadParams(crossbar=CrossbarParams(rows=128, cols=128))
    states, v_in = example_pattern(params)
    deck = static_reads(params, states, v_in[:, np.newaxis]) if static else transient_read(params, states, v_in)
    text = deck.text()
    assert text.count("\nX_cell_") == 128 * 128
    assert text.count("\nR_row_") == 128 * 127 and text.count("\nR_col_") == 128 * 127 + 128  # with the sense inputs


def test_rows_may_be_bit_lines(pool):
    """One cell, current limited by nothing: driven as a bit line it conducts as the cell read says, sign included."""
    found = {}
    row_lines: tuple[Literal["source", "bit"], ...] = ("source", "bit")
    for row_line in row_lines:
        bar = CrossbarParams(rows=1, cols=1, row_line=row_line)
        params = CrossbarReadParams(crossbar=bar, r_drive=0, r_sense=0)
        found[row_line] = currents(pool, params, np.array([[0.9]]), np.array([[0.1, -0.1]]))[0]
    # Pulling the bit line down by v or raising the source line by it differ by the transistor's overdrive: a few parts
    # in a thousand of 40 kohm; the signs must agree, and the two must not be the same circuit by accident.
    np.testing.assert_allclose(found["source"], found["bit"], rtol=2e-2)
    assert np.all(np.abs(found["source"] / found["bit"] - 1) > 1e-6)


@pytest.mark.parametrize("gating", ["row", "column"])
def test_word_lines_gate_their_lines(pool, gating):
    bar = CrossbarParams(rows=3, cols=4, gating=gating)
    params, states = CrossbarReadParams(crossbar=bar), np.full((3, 4), 0.9)
    v_word = np.zeros(bar.words)
    v_word[1] = 2.5
    found = currents(pool, params, states, 0.1 * np.eye(3), v_word=v_word)  # (C, 3): each row alone
    opened = np.zeros((4, 3), dtype=bool)
    if gating == "row":
        opened[:, 1] = True
    else:
        opened[1, :] = True
    assert np.all(found[opened] > 1e-6)
    assert np.max(np.abs(found[~opened])) < 1e-9  # three orders below; what is left comes back through sense resistors


@pytest.mark.parametrize("gating", ["row", "column"])
def test_transient_equals_static_in_every_orientation(pool, gating):
    bar = CrossbarParams(rows=3, cols=4, gating=gating, row_line="bit")
    params = CrossbarReadParams(crossbar=bar)
    states, v_in = example_pattern(params)
    static = currents(pool, params, states, v_in[:, np.newaxis])[:, 0]
    waves = pool.run(transient_read(params, states, v_in).text())
    settled = [waves[name][-1] for name in params.sense_outputs]
    np.testing.assert_allclose(settled, static, rtol=5e-4)  # reltol of the transient is 1e-4


def test_selector_follows_its_equation_over_twelve_decades(pool):
    selector = SelectorParams()
    volts = np.linspace(-1.6, 1.6, 33)
    spice = " ".join(f"{name}={value}" for name, value in selector.spice().items())
    deck = (
        f"s\n{netlists.text(netlists.SELECTOR_THRESHOLD)}\nV1 a 0 0\nX1 a 0 selector_threshold {spice}\n"
        ".options reltol=1e-6 abstol=1e-18 gmin=1e-18\n.dc V1 -1.6 1.6 0.1\n.end\n"
    )
    found = -pool.run(deck)["i(v1)"]
    # ngspice and NumPy compute the same formula; 1e-16 of 1 in ln(1 + x) is 1e-6 of the smallest term at 0.1 V.
    np.testing.assert_allclose(found, selector.current(volts), rtol=1e-5, atol=1e-16)
    assert found[-1] == near((1.6 - 0.8) / 2e3, 1e-3)  # ohmic above threshold
    assert found[-1] / found[24 - 4] > 1e4  # 1.6 V over 0.4 V


def test_1s1r_cell_against_its_series_equation(pool):
    bar, state = CrossbarParams(rows=1, cols=1, cell_kind="1S1R"), 0.9
    found = currents(pool, CrossbarReadParams(crossbar=bar), np.array([[state]]), np.array([[0.5, 0.9, 1.2]]))[0]

    def cell_current(v_cell):
        return 6.140e-5 * np.exp(-(5.0 - 3.3 - 1.6 * state) / (5.0 - 4.7249)) * np.sinh(v_cell / 0.43)

    def excess(v_cell, v):
        i = cell_current(v_cell)
        return bar.selector.current(v - v_cell - 100 * i) - i  # 100 ohm: driver and sense input

    expected = []
    for v in (0.5, 0.9, 1.2):
        v_cell = brentq(excess, 0, v, args=(v,), xtol=1e-14)
        expected.append(cell_current(v_cell))
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-11)  # reltol 1e-5; abstol 1e-12


def test_halved_voltage_sneaks_less_through_selectors(pool):
    """Through a bare ReRAM half the voltage drives a little less than half the current; through a selector, 1 %."""
    bar, states = CrossbarParams(rows=6, cols=6, cell_kind="1S1R"), np.full((6, 6), 0.9)
    whole, half = currents(pool, CrossbarReadParams(crossbar=bar), states, np.outer(np.eye(6)[0], [1.0, 0.5]))[3]
    assert 0 < half < 0.01 * whole


SCHEMES = {"half": (0.5, 0.5, 0.0), "third": (1 / 3, 1 / 3, -1 / 3)}


@pytest.mark.parametrize("scheme", ["half", "third"])
@pytest.mark.parametrize("polarity", ["set", "reset"])
@pytest.mark.parametrize("row_line", ["source", "bit"])
def test_half_select_voltages(scheme, polarity, row_line):
    bar = CrossbarParams(rows=4, cols=5, row_line=row_line)
    volts = line_voltages(Selection(scheme=scheme, row=1, col=2), bar, v_write=1.8, v_word=2.0, polarity=polarity)
    across = volts.across(bar) * (1 if polarity == "set" else -1) / 1.8
    same_row, same_col, others = SCHEMES[scheme]
    expected = np.full((4, 5), others)
    expected[1], expected[:, 2], expected[1, 2] = same_row, same_col, 1.0
    np.testing.assert_allclose(across, expected, atol=1e-15)
    assert np.all(volts.words == 2.0)


@pytest.mark.parametrize("gating", ["row", "column"])
@pytest.mark.parametrize("polarity", ["set", "reset"])
@pytest.mark.parametrize("row_line", ["source", "bit"])
def test_gated_selection_leaves_nothing_across_open_cells(gating, polarity, row_line):
    bar = CrossbarParams(rows=4, cols=5, row_line=row_line, gating=gating)
    volts = line_voltages(Selection(row=1, col=2), bar, v_write=1.8, v_word=2.0, polarity=polarity)
    across = volts.across(bar) * (1 if polarity == "set" else -1)
    opened = (volts.words > 0)[:, np.newaxis] if gating == "row" else (volts.words > 0)[np.newaxis, :]
    expected = np.zeros((4, 5))
    expected[1, 2] = 1.8
    np.testing.assert_allclose(np.where(opened, across, 0), expected, atol=1e-15)


def test_selection_is_checked():
    with pytest.raises(InputError, match="`row` and `col` must lie within"):
        line_voltages(Selection(row=4), CrossbarParams(rows=4), v_write=1, v_word=1, polarity="set")
    with pytest.raises(InputError, match="gated needs word lines"):
        line_voltages(Selection(), CrossbarParams(cell_kind="1S1R"), v_write=1, v_word=1, polarity="set")


@pytest.mark.parametrize("arrangement", ["adjacent", "arrays", "reference"])
def test_pairs_give_the_signed_product(pool, arrangement):
    """Ideal wires: the differences are the weights times the inputs, in all three arrangements."""
    rng = np.random.default_rng(7)
    weights, v_in = rng.uniform(-1, 1, (5, 3)), rng.uniform(-0.2, 0.2, (5, 4))
    bar = CrossbarParams(rows=5, cols=3, cell_kind="1R", r_row=0, r_col=0)
    ends = 1e-3  # ohm, beside 1e4 ohm and more
    params = PairParams(read=CrossbarReadParams(crossbar=bar, r_drive=ends, r_sense=ends), arrangement=arrangement)
    values = pair_values(weights, arrangement, 5e-6, 80e-6)
    waves = pool.run(paired_reads(params, values, v_in).text())
    found = np.stack([waves[f"i_weight_{n}"] for n in range(3)])
    span = 75e-6 * (0.5 if arrangement == "reference" else 1)
    expected = span * weights.T @ v_in
    # ends: 1e-3 x 5 cells x 80 uS = 4e-7 of a current; reltol 1e-5 of the sum that the difference is taken of
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5 * np.max(np.abs(expected)))


def test_pairs_without_resistance_at_the_ends(pool):
    """Exactly the product: a driver or sense input of 0 ohm is no resistor of 0 ohm."""
    bar = CrossbarParams(rows=2, cols=2, cell_kind="1R", r_row=0, r_col=0)
    params = PairParams(read=CrossbarReadParams(crossbar=bar, r_drive=0, r_sense=0))
    weights, v_in = np.array([[0.5, -1.0], [-0.25, 0.75]]), np.array([[0.1, 0.2], [0.2, 0.0]])
    waves = pool.run(paired_reads(params, pair_values(weights, "adjacent", 5e-6, 80e-6), v_in).text())
    found = np.stack([waves[f"i_weight_{n}"] for n in range(2)])
    np.testing.assert_allclose(found, 75e-6 * weights.T @ v_in, rtol=0, atol=1e-12)  # A: abstol


def test_what_has_no_meaning_in_a_read_is_refused():
    with pytest.raises(InputError, match=r"read.direction must be forward"):
        PairParams.checked({"read": {"direction": "backward"}}, where="here")
    params = CrossbarReadParams(t_rise=5e-9)
    with pytest.raises(InputError, match=r"`t_rise` must be a quarter of `read.t_read`"):
        transient_read(params, *example_pattern(params))


def test_pairs_behind_wires_are_not_the_same(pool):
    """Adjacent columns share their loss, two arrays load their rows less: the arrangements are really different."""
    rng = np.random.default_rng(8)
    weights, v_in = rng.uniform(-1, 1, (8, 6)), rng.uniform(0, 0.2, (8, 3))
    bar = CrossbarParams(rows=8, cols=6, cell_kind="1R", r_row=10, r_col=10)
    found = {}
    arrangements: tuple[Literal["adjacent", "arrays"], ...] = ("adjacent", "arrays")
    for arrangement in arrangements:
        params = PairParams(read=CrossbarReadParams(crossbar=bar), arrangement=arrangement)
        waves = pool.run(paired_reads(params, pair_values(weights, arrangement, 5e-6, 80e-6), v_in).text())
        found[arrangement] = np.stack([waves[f"i_weight_{n}"] for n in range(6)])
    plus, minus = pair_values(weights, "arrays", 5e-6, 80e-6)
    ohm = {"r_row": 10, "r_col": 10, "r_drive": 50, "r_sense": 50}
    expected = (transfer_matrix(plus, **ohm) - transfer_matrix(minus, **ohm)).T @ v_in
    scale = np.max(np.abs(expected))
    np.testing.assert_allclose(found["arrays"], expected, rtol=0, atol=1e-5 * scale)  # reltol
    assert np.max(np.abs(found["adjacent"] - found["arrays"])) > 1e-3 * scale


def test_stuck_cells_read_as_stuck(pool):
    values = np.full((3, 4), 20e-6)
    faults = np.zeros((3, 4), dtype=int)
    faults[0, 1], faults[2, 3] = 1, 2
    stuck = with_faults(values, faults, 1e-6, 90e-6)
    bar = CrossbarParams(rows=3, cols=4, cell_kind="1R", r_row=0, r_col=0)
    params = CrossbarReadParams(crossbar=bar, r_drive=0, r_sense=0)
    found = currents(pool, params, stuck, np.eye(3))
    expected = np.full((4, 3), 20e-6)
    expected[1, 0], expected[3, 2] = 1e-6, 90e-6
    np.testing.assert_allclose(found, expected, rtol=1e-6)  # Ohm's law


def test_spread_has_the_sigma_asked_for_and_faults_their_rate():
    rng = np.random.default_rng(5)
    values = np.full((200, 200), 20e-6)
    spread = CellSpread(sigma=0.3).drawn(values, "1R", rng=rng)
    logs = np.log(spread / 20e-6)
    # 40,000 draws: the mean within 4 sigma/200, the standard deviation within 4/sqrt(80,000) of itself.
    assert abs(np.mean(logs)) < 4 * 0.3 / 200
    assert np.std(logs) == near(0.3, 4 / np.sqrt(80_000))
    faults = draw_faults((200, 200), 0.02, 0.05, rng=rng)
    for kind, rate in ((1, 0.02), (2, 0.05)):
        assert np.mean(faults == kind) == near(rate, within=4 * np.sqrt(rate / 40_000))
    states = with_spread(np.full((2, 2), 0.9), np.array([[0.0, 0.05], [0.3, -1.0]]), "1T1R")
    np.testing.assert_allclose(states, [[0.9, 0.95], [1.0, 0.0]], rtol=1e-15)


def test_no_spread_changes_nothing():
    values = np.linspace(0, 1, 6).reshape(2, 3)
    assert CellSpread().drawn(values, "1T1R", rng=np.random.default_rng(1)) is values


@pytest.mark.parametrize(("node", "ohm"), [(130, 0.23), (65, 0.475), (45, 1.34), (32, 2.12), (22, 2.97), (14, 4.92)])
def test_neurosim_wires(node, ohm):
    """The figures derived in the sources' own notes, to their digits."""
    segment = WireParams(table="neurosim", node=node).segment(Segment(1.0, 0.0))
    assert segment.r == near(ohm, 1e-2)


def test_given_wires_follow_the_temperature_by_their_coefficient(pool):
    rng = np.random.default_rng(8)
    g, v_in = rng.uniform(20e-6, 80e-6, (5, 6)), rng.uniform(0, 0.1, (5, 2))
    kelvin, bar = 358.15, CrossbarParams(rows=5, cols=6, cell_kind="1R", r_row=20.0, r_col=30.0)
    hot = 1 + bar.wires.tcr * (kelvin - 300.15)
    larger = bar.model_copy(update={"r_row": 20.0 * hot, "r_col": 30.0 * hot})
    found = []
    for each, temperature in ((bar, kelvin), (larger, 300.15), (bar, 300.15)):
        params = CrossbarReadParams(crossbar=each)
        deck = at_temperature(static_reads(params, g, v_in), Condition(temperature=temperature))
        waves = pool.run(deck.text())
        found.append(np.stack([waves[name] for name in params.sense_outputs]))
    np.testing.assert_allclose(found[0], found[1], rtol=1e-6)  # the same resistances: reltol
    assert np.max(np.abs(found[2] / found[1] - 1)) > 1e-3  # 23 % of wires that take some per cent


def test_wire_tables():
    given = Segment(3.0, 1e-15)
    assert WireParams(tcr=0).segment(given) == given
    assert WireParams().segment(given) == Segment(3.0, 1e-15, 3.9e-3)
    assert WireParams(table="mnsim1", node=22).segment(given).r == 6.607
    assert WireParams(table="mnsim1", node=45).segment(given).r == near(54.21 / 31.27, 1e-12)
    assert WireParams(table="mnsim2").segment(given) == Segment(2.82, 1e-15)
    cold, hot = (WireParams(table="neurosim", t_wire=t).segment(given).r for t in (300, 400))
    assert hot / cold == near(1.451, 1e-12)
    half = WireParams(table="neurosim", pitch=100e-9).segment(given)  # 2 widths of 50 nm: a cross-point cell
    assert half.r == near(cold / 2, 1e-12)
    assert half.c == near(0.2e-15 * 0.1, rel=1e-12)


@pytest.mark.parametrize("given", [{"node": 55}, {"table": "mnsim1", "node": 14}, {"table": "mnsim2", "pitch": 1e-7}])
def test_wires_outside_their_tables_are_refused(given):
    with pytest.raises(InputError, match=r"node must|pitch belongs"):
        WireParams.checked({"table": "neurosim", **given}, where="here")


def test_an_array_takes_its_wires_from_the_table(pool):
    rng = np.random.default_rng(9)
    g, v_in = rng.uniform(20e-6, 100e-6, (5, 6)), rng.uniform(0, 0.2, (5, 2))
    wires = WireParams(table="mnsim1", node=18)
    bar = CrossbarParams(rows=5, cols=6, cell_kind="1R", r_row=1.0, r_col=77.0, wires=wires)
    found = currents(pool, CrossbarReadParams(crossbar=bar), g, v_in)
    expected = transfer_matrix(g, r_row=12.681, r_col=12.681, r_drive=50.0, r_sense=50.0).T @ v_in
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.max(expected))


@pytest.mark.parametrize("kind", ["1R", "1T1R", "1S1R"])
def test_values_are_checked(kind: CellKind):
    params = CrossbarReadParams(crossbar=CrossbarParams(rows=2, cols=3, cell_kind=kind))
    for bad in (np.full((3, 2), 0.5), np.full((2, 3), -1.0)):
        with pytest.raises(InputError, match=r"`states` must be \(R, C\) = \(2, 3\)"):
            static_reads(params, bad, np.zeros((2, 1)))
