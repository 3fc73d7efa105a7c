"""Energies and times by hand, to rounding: every joule that a training counts is one of a table or of a stage."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, V_READ, tables

from rramkit.array import ArrayModel, CellCurrent, ReadChain, Tile, UpdateChain
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import Pairs
from rramkit.array.matrix import Samples
from rramkit.array.wires import effective_conductance
from rramkit.array.write.state import Polarity
from rramkit.surrogate.grid import GridSurrogate

FILE, LINEAR = tables(), tables(linear=True)
T_READ = 20e-9  # s, of the fixture
RNG = np.random.default_rng(4)


# Pulses ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("polarity", ["set", "reset"])
def test_the_energy_of_a_pulse_is_the_tables_at_the_conductance_before_it(polarity):
    table, chain = FILE[polarity], UpdateChain.from_tables(FILE)
    write = chain.write(polarity)
    g, v = (np.asarray(axis.values) for axis in table.axes.values())
    rows, amplitudes = np.array([2, 5, 9]), np.array([3, 1, 4])
    at_nodes = table.signals["energy"].values[rows, amplitudes]
    assert np.ptp(at_nodes) > 0.1 * at_nodes.max()  # else all places would look alike
    # The look-up's grid holds the table's own points to rounding.
    assert write.joules(g[rows], v[amplitudes]) == near(at_nodes, 1e-6)
    assert write.fire(g[rows], v[amplitudes]).energy == near(at_nodes, 1e-6)
    cells = chain.init(np.full((2, 3, 2), 40e-6), rng=np.random.default_rng(0))
    cells.g_cell.ravel()[[0, 5, 7]] = g[rows]
    after = chain.step(cells, np.array([0, 5, 7]), v[amplitudes], polarity=polarity, rng=np.random.default_rng(0))
    assert after.energy.ravel()[[0, 5, 7]] == near(at_nodes, 1e-6)
    assert after.energy.sum() == near(at_nodes.sum(), 1e-6)
    assert after.tally.energy == near(at_nodes.sum(), 1e-6)
    fired = (after.tally.pulses_set, after.tally.pulses_reset)
    assert fired == ((3, 0) if polarity == "set" else (0, 3))
    both = chain.step(after, np.array([0]), v[amplitudes[:1]], polarity=polarity, rng=np.random.default_rng(0))
    second = GridSurrogate(table, "energy").at(after.g_cell.ravel()[:1], v[amplitudes[:1]])
    assert both.energy.ravel()[0] == near(at_nodes[0] + second[0], 1e-6)


def test_a_pulse_keeps_its_lines_for_its_width_and_six_edges():
    for name in ("set", "reset"):
        write, conditions = UpdateChain.from_tables(FILE).write(name), FILE[name].conditions
        t_rise = float(conditions["t_rise"].values) if "t_rise" in conditions else 0.0
        by_hand = float(conditions["t_pulse"].values) + 6.0 * t_rise
        assert write.seconds(np.array([1.0, 1.2])) == near(np.full(2, by_hand), 1e-12)
    # the fixture's tables have no edges: with some, they count
    with_edges = UpdateChain.from_tables(FILE).write("set")
    object.__setattr__(with_edges, "t_rise", 1e-9)
    assert with_edges.seconds(np.array([1.0])) == near(np.array([with_edges.t_pulse + 6e-9]), 1e-12)


# Reads ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_a_read_of_linear_cells_costs_the_square_of_their_voltage(direction):
    """E = sum over vectors and cells of v^2 g t_read, both halves; ohmic cells, no wires, no other stage."""
    g_cell = RNG.uniform(G_LOW, G_HIGH, (2, 5, 3))
    tile = Tile.of(g_cell, ArrayModel.from_tables(LINEAR, wires=False))
    lines = 5 if direction == "forward" else 3
    v = RNG.uniform(-V_READ, V_READ, (4, lines))
    over = g_cell.sum(axis=(0, 2)) if direction == "forward" else g_cell.sum(axis=(0, 1))
    by_hand = float(np.sum(v**2 @ over)) * T_READ
    assert getattr(tile, direction)(v).energy == near(by_hand, 1e-9)  # the separated current's own rounding


def test_drivers_and_converters_are_paid_for_each_line_and_conversion():
    chain = {"row_driver": {"levels": 16, "energy": 1e-13}, "adc": {"bits": 8, "energy": 2e-12}}
    bare = {"row_driver": {"levels": 16}, "adc": {"bits": 8}}
    g_cell, v = RNG.uniform(G_LOW, G_HIGH, (2, 5, 3)), np.full((4, 5), 0.7 * V_READ)
    v[:, 1] = 0.0  # a line that is not driven costs nothing
    energies = []
    for settings in (chain, bare):
        model = ArrayModel.from_tables(LINEAR, wires=False, chain=ReadChain.checked(settings, where="the test"))
        energies.append(Tile.of(g_cell, model).forward(v).energy)
    # four vectors, three pairs converted in one phase; four driven lines of five
    assert energies[0] - energies[1] == near(4 * 3 * 2e-12 + 4 * 4 * 1e-13, 1e-6)


def test_a_product_costs_what_its_reads_cost():
    mapping = Pairs(g_low=10e-6, g_high=60e-6)
    matrix = MappedMatrix.of(RNG.uniform(-0.5, 0.5, (6, 4)), mapping, ArrayModel.from_tables(LINEAR, wires=False))
    x, e = RNG.uniform(-1.0, 1.0, (8, 6)), RNG.uniform(-1.0, 1.0, (8, 4))
    for values, read, product in (
        (x, matrix.tile.forward, lambda: matrix.forward(Samples(x))),
        (e, matrix.tile.backward, lambda: matrix.backward(e)),
    ):
        volts = values * (V_READ / np.abs(values).max(axis=1, keepdims=True))
        assert product().energy == near(read(volts).energy, 1e-9)  # the same reads, scaled to the largest entry
        assert product().energy > 0.0


# Wires ----------------------------------------------------------------------------------------------------------------


def test_the_third_order_part_of_a_cell_behind_wires_falls_with_the_cube_of_its_voltage():
    """A cell that gets the part f of the voltage sends f of its linear and f^3 of its cubic current."""
    cells = CellCurrent.from_table(FILE["read"])
    wires = {"r_row": 60.0, "r_col": 60.0, "r_drive": 600.0, "r_sense": 400.0}  # heavy: f from 0.4 to 0.8
    g = RNG.uniform(G_LOW, G_HIGH, (6, 5))
    terms = cells.terms_behind_wires(g, lambda each: effective_conductance(each, **wires))
    plain = cells.conductance_terms(g)
    part = terms[0] / plain[0]
    assert len(plain) > 1 and part.min() < 0.8
    assert terms[0] == near(effective_conductance(plain[0], **wires), 1e-12)
    for k in range(1, len(plain)):
        assert terms[k] == near(plain[k] * part**3, 1e-12)


def test_nonlinear_cells_behind_wires_agree_with_the_exact_solution():
    """The fast terms against Newton's solution of the whole network; the linear attenuation is off by far more."""
    model = ArrayModel.from_tables(FILE)
    cells, lines = CellCurrent.from_table(FILE["read"]), model.lines
    assert lines is not None
    wires = type(lines).from_table(FILE["wires"])
    heavy = {"r_row": 12.0, "r_col": 12.0, "r_drive": 300.0, "r_sense": 200.0}
    for name, value in heavy.items():
        object.__setattr__(wires, name, value)
    g, v = RNG.uniform(G_LOW, G_HIGH, (16, 12)), RNG.uniform(0.1, V_READ, (16, 6))
    exact = wires.currents(g, v, direction="forward", cells=cells.from_word)
    terms = cells.terms_behind_wires(g, lambda each: effective_conductance(each, **heavy))

    def fast(parts):
        return -np.einsum("krb,krc->cb", cells.voltage_terms(-v), parts)

    part = terms[0] / cells.conductance_terms(g)[0]
    linear = np.concatenate([terms[:1], cells.conductance_terms(g)[1:] * part])
    scale = np.abs(exact).max()
    misses = [np.abs(fast(each) - exact).max() / scale for each in (terms, linear)]
    assert misses[0] < 0.5 * misses[1]


# Polarities -----------------------------------------------------------------------------------------------------------


def test_each_polarity_has_a_gain_of_its_own():
    """Cells of gain 2 for SET and 0.5 for RESET, against the table's mean change."""
    chain, start = UpdateChain.from_tables(FILE), np.full((2, 2, 2), 40e-6)
    cells = chain.init(start, rng=np.random.default_rng(0))
    gains = {"gain_set": np.full(start.shape, 2.0), "gain_reset": np.full(start.shape, 0.5)}
    cells = replace(cells, traits=replace(cells.traits, **gains))
    of_polarity: tuple[tuple[Polarity, float, float], ...] = (("set", 2.0, 1.3), ("reset", 0.5, 1.6))
    for polarity, gain, v in of_polarity:
        after = chain.step(cells, np.array([3]), np.array([v]), polarity=polarity, rng=np.random.default_rng(0))
        mean = chain.write(polarity).mean(np.array([40e-6]), np.array([v]))[0]
        assert abs(mean) > 1e-6  # S: a pulse that does something
        assert after.g_cell.ravel()[3] - 40e-6 == near(gain * mean, 1e-9)  # rounding of the difference
