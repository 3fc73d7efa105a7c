"""The transposable array: one netlist for all modes, each other's transpose, and what the reuse saves."""

import re
from typing import Literal

import numpy as np
import pytest
from fixtures.closeness import near
from oracles.nodal import transfer_matrix
from PySpice.Spice.Netlist import Circuit

from rramkit.characterization.components.periphery import matrix, reciprocity
from rramkit.characterization.waveforms import integral
from rramkit.circuits import libraries
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.inventory import count, gate_capacitances, switching_energy, transistors
from rramkit.circuits.mosfet import SwitchKind, transmission_gate
from rramkit.circuits.periphery import (
    EXAMPLE,
    MODE_TABLE,
    SWITCHES,
    OperateParams,
    PeripheryParams,
    account,
    add_periphery,
    control_levels,
    example,
    operate,
    operation,
    static_operations,
    unit_reads,
)
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError


def linear(*, switches: SwitchKind = "ideal", r_row=3.0, r_col=11.0, r_sense=50.0, rows=8, cols=8, **given):
    bar = CrossbarParams(rows=rows, cols=cols, cell_kind="1R", r_row=r_row, r_col=r_col)
    return OperateParams(periphery=PeripheryParams(crossbar=bar, switches=switches, r_sense=r_sense, **given))


def conductances(rows=8, cols=8):
    return np.random.default_rng(11).uniform(5e-6, 80e-6, (rows, cols))


def both_ways(pool, params, g, backward=None):
    found = []
    ways: tuple[tuple[Literal["forward", "backward"], OperateParams], ...] = (
        ("forward", params),
        ("backward", backward or params),
    )
    for direction, used in ways:
        waves = pool.run(static_operations(used, g, unit_reads(used, direction)).text())
        found.append(matrix(waves, used, direction))
    return found


# Two ideal switches in series drive a line (DAC and line), one senses it. Symmetric: the sense unit makes it up.
SYMMETRIC = 100.0  # ohm


def test_forward_and_backward_are_transposes(pool):
    """Reciprocity of a linear network between equal terminations, and the right one: the nodal solution."""
    params, g = linear(r_sense=SYMMETRIC), conductances()
    forward, backward = both_ways(pool, params, g)
    assert reciprocity(forward, backward) < 1e-6
    expected = transfer_matrix(g, r_row=3.0, r_col=11.0, r_drive=200.0, r_sense=200.0)
    # Open ideal switches leak 2e-9 of 10 mS, 2e-11 S a line beside 1e-6 S cells.
    np.testing.assert_allclose(forward, expected, rtol=0, atol=1e-5 * np.max(expected))


def test_a_swapped_wire_resistance_is_caught(pool):
    """Backward through an array whose row and column resistances are exchanged: reciprocity fails a thousandfold."""
    swapped = linear(r_row=11.0, r_col=3.0, r_sense=SYMMETRIC)
    forward, backward = both_ways(pool, linear(r_sense=SYMMETRIC), conductances(), backward=swapped)
    assert reciprocity(forward, backward) > 1e-3


def test_unequal_terminations_break_the_symmetry(pool):
    forward, backward = both_ways(pool, linear(r_sense=400.0), conductances())
    assert reciprocity(forward, backward) > 1e-3


@pytest.mark.parametrize(("switches", "most"), [("io", 0.05), ("core", 0.05)])
def test_real_multiplexers_deviate_by_little_and_measurably(pool, switches, most):
    """Transistors conduct a little differently at 0.2 V (driven) and at 0 V (sensed), and DAC and probe differ."""
    forward, backward = both_ways(pool, linear(switches=switches), conductances())
    deviation = reciprocity(forward, backward)
    assert 1e-5 < deviation < most
    ideal, _ = both_ways(pool, linear(r_sense=100.0), conductances())
    assert np.max(np.abs(forward - ideal)) < 0.3 * np.max(ideal)  # and the matrix is still the matrix


def test_phases_of_shared_sense_units_find_the_whole_matrix(pool):
    g = conductances(4, 6)
    one, _ = both_ways(pool, linear(rows=4, cols=6, r_sense=SYMMETRIC), g)
    shared, back = both_ways(pool, linear(rows=4, cols=6, share=2, r_sense=SYMMETRIC), g)
    # A waiting line is grounded through its switch (100 ohm), not through switch and unit (200 ohm). That is all.
    assert reciprocity(one, shared) < 0.02
    assert reciprocity(shared, back) < 0.02


def body(deck):
    """The deck without its header and without the sources that say what the array does."""
    lines = [line for line in deck.text().splitlines() if not line.startswith("*")]
    stimuli = re.compile(r"V_(ctl|rail)_\w+ ")
    return [line for line in lines if not stimuli.match(line)], lines


@pytest.mark.parametrize("mode", EXAMPLE)
def test_the_same_netlist_does_every_mode(mode):
    kept, whole = body(example(OperateParams(mode=mode)))
    other, other_whole = body(example(OperateParams(mode="forward", seed=1)))
    assert kept == other
    assert mode == "forward" or whole != other_whole
    # What is equal is the circuit: 12 cells, one ReRAM inside them, 16 DAC and 28 line switches, 3 word drivers.
    assert sum(line.startswith("X_") for line in kept) == 12 + 1 + 16 + 28 + 3


@pytest.mark.parametrize("mode", EXAMPLE)
def test_one_switch_of_every_line_is_closed(mode):
    params = OperateParams(periphery=PeripheryParams(crossbar=CrossbarParams(rows=3, cols=5), share=2))
    op = operation(params, mode, codes=[0] * {"forward": 3, "backward": 5}.get(mode, 0), row=1, cols=(2,), phase=1)
    levels = control_levels(params.periphery, [op])
    for side, index in params.periphery.lines:
        closed = [switch for switch in SWITCHES if levels[f"ctl_{switch}_{side}_{index}"][0] > 0]
        assert closed == [op.switch(side, index, 2)]
    banks = {node.rpartition("_")[0] for node in levels if node.startswith("ctl_dac_")}
    for bank in banks:
        assert sum(levels[f"{bank}_{k}"][0] > 0 for k in range(params.periphery.levels)) == 1
    opened = sum(levels[f"ctl_word_{i}"][0] > 0 for i in range(3))
    assert opened == (3 if MODE_TABLE[mode].all_words else 1)


@pytest.fixture(scope="module")
def written(pool):
    """A 3 x 3 array of moving cells: read, SET cell (1, 2), read, RESET it, read, write a row of bits, read."""
    periphery = PeripheryParams(crossbar=CrossbarParams(rows=3, cols=3), subtract="digital")
    params = OperateParams(periphery=periphery)
    where = {"row": 1, "cols": (2,)}
    operations = [
        operation(params, "memory read", row=1),
        operation(params, "update set", **where),
        operation(params, "memory read", row=1),
        operation(params, "update reset", **where),
        operation(params, "memory read", row=1),
        operation(params, "memory write", row=0, cols=(0, 2)),
        operation(params, "memory read", row=0),
    ]
    waves = pool.run(operate(params, np.full((3, 3), 0.7), operations).text())
    ends = params.t_start + params.t_slot * np.arange(len(operations) + 1) - params.t_rise
    states = np.array([[np.interp(ends, waves["time"], waves[f"state_{i}_{j}"]) for j in range(3)] for i in range(3)])
    return np.diff(states, axis=2), waves  # (R, C, operations)


def test_reads_move_nothing(written):
    change, _ = written
    assert np.max(np.abs(change[:, :, [0, 2, 4, 6]])) < 1e-5  # 50 ns at 0.2 V and the switches' own edges


def test_updates_move_their_cell_and_no_other(written):
    change, _ = written
    assert change[1, 2, 1] > 0.01 and change[1, 2, 3] < -0.003
    others = change.copy()
    others[1, 2, :] = 0
    # The column beside a RESET sees the switches' unequal drops for 50 ns; 1e-3 is what a gated neighbour may move.
    assert np.max(np.abs(others[:, :, [1, 3]])) < 1e-3


def test_memory_write_sets_the_bits_of_its_row(written):
    change, waves = written
    assert change[0, 0, 5] > 0.05 and change[0, 2, 5] > 0.05
    rest = change[:, :, 5].copy()
    rest[0, [0, 2]] = 0
    assert np.max(np.abs(rest)) < 1e-3
    bits = [waves.measures[f"i_6_{unit}"] for unit in range(3)]
    assert min(bits[0], bits[2]) > 1.5 * bits[1]  # and the read tells them apart


def test_halving_the_step_changes_nothing_that_matters(pool):
    found = []
    for t_step in (0.25e-9, 0.125e-9):
        periphery = PeripheryParams(crossbar=CrossbarParams(rows=2, cols=2), subtract="digital")
        params = OperateParams(periphery=periphery, t_step=t_step)
        operations = [operation(params, "update set"), operation(params, "memory read")]
        waves = pool.run(operate(params, np.full((2, 2), 0.7), operations).text())
        found.append((waves.measures["s_0_0_0"], waves.measures["i_1_0"]))
    assert found[0][0] == near(found[1][0], within=1e-4)  # of the state's range
    assert found[0][1] == near(found[1][1], 1e-3)


def test_activation_and_derivative_of_the_difference(pool):
    params = linear(rows=2, cols=4, r_row=0, r_col=0)
    g = conductances(2, 4)
    deck = static_operations(params, g, unit_reads(params, "forward"))
    waves = pool.run(deck.text())
    p = params.periphery
    for pair in range(2):
        difference = waves[f"i_sense_{2 * pair}"] - waves[f"i_sense_{2 * pair + 1}"]
        sigmoid = 1 / (1 + np.exp(-p.r_t * difference / p.v_act))
        np.testing.assert_allclose(waves[f"act_{pair}"], sigmoid, atol=1e-6, rtol=0)
        np.testing.assert_allclose(waves[f"der_{pair}"], sigmoid * (1 - sigmoid), atol=1e-6, rtol=0)
        assert np.max(np.abs(sigmoid - 0.5)) > 0.01


@pytest.mark.parametrize("switches", ["io", "core"])
def test_counts_against_hand_counts(switches):
    params = OperateParams(periphery=PeripheryParams(crossbar=CrossbarParams(rows=8, cols=6), switches=switches))
    line_switches, per_switch = (8 + 6) * 4, 4  # four switches a line, each a pair and an inverter
    for reuse, converters, units in ((True, 8, 8), (False, 14, 14)):
        held = account(params, reuse=reuse)
        assert held.transistors == per_switch * (line_switches + converters * 4) + 8 * 4  # and 8 word drivers
        assert (held.dacs, held.ideal["sense unit"]) == (converters, units)
    with_reuse, without = account(params, reuse=True), account(params, reuse=False)
    assert with_reuse.area < without.area
    assert with_reuse.energy < without.energy
    w = params.periphery.w_dac
    one_dac_switch = w * 3.75 * (50e-9 + 2 * 200e-9)  # n, p twice as wide, inverter a quarter of both
    assert without.area - with_reuse.area == near(6 * 4 * one_dac_switch, rel=1e-9)


def test_the_walk_sees_cells_and_sizes():
    circuit, params = Circuit("walk"), PeripheryParams(crossbar=CrossbarParams(rows=2, cols=3))
    add_periphery(circuit, params, np.full((2, 3), 0.5))
    cells = [t for t in transistors(circuit, Technology()) if t.path.startswith("X_cell_")]
    assert len(cells) == 6 and {t.width for t in cells} == {2e-6}
    assert count(circuit, Technology()).transistors - count(circuit, Technology(), periphery_only=True).transistors == 6


@pytest.mark.parametrize(("v_line", "least", "most"), [(0.1, 35 / 75, 1.0), (3.2, 55 / 75, 1.4)])
def test_switching_energy_against_a_transient(pool, v_line, least, most):
    """The account's W L eps/t_ox of all gates, against what the sources give for one pulse.

    A gate takes the oxide's charge only when its channel inverts. With the line near ground the p switch (40 of 75 um)
    never does, near the supply the n switch (20 um) does not: the rest of the widths is the least. Overlaps, junctions
    and what the inverter lets through add to it: 0.72 and 1.14 of the account, so that it is good to a third.
    """
    technology, circuit = Technology(), Circuit("switch")
    circuit.subcircuit(transmission_gate("line_switch", "io", technology, w_n=20e-6, r_on=100))
    circuit.X("_switch", "line_switch", "a", "b", "en", "vdd")
    c = gate_capacitances(circuit, ["en"], technology)["en"]
    estimate = switching_energy(circuit, {"en": [0.0, 3.3]}, technology)
    assert estimate == near(c * 3.3**2, rel=1e-12)
    deck = (
        f"e\n{libraries.text(technology.library)}\n{''.join(str(cell) for cell in circuit.subcircuits)}\n"
        f"X1 a b en vdd line_switch\nVa a 0 {v_line}\nVb b 0 {v_line}\nVdd vdd 0 3.3\n"
        "Ven en 0 pwl(0 0 5n 0 5.2n 3.3 25n 3.3 25.2n 0 45n 0)\n.options method=gear reltol=1e-4\n"
        ".save v(en) i(vdd) i(ven) i(va) i(vb)\n.tran 0.02n 45n 0 0.02n\n.end\n"
    )
    waves = pool.run(deck)
    power = -3.3 * waves["i(vdd)"] - waves["v(en)"] * waves["i(ven)"] - v_line * (waves["i(va)"] + waves["i(vb)"])
    measured = integral(waves["time"], power, (4e-9, 45e-9))
    assert least * estimate < measured < most * estimate


def test_operations_are_checked():
    params = OperateParams()
    with pytest.raises(InputError, match="`codes` must be 3 whole numbers from 0 to 3"):
        control_levels(params.periphery, [operation(params, "forward", codes=[0, 1, 4])])
    with pytest.raises(InputError, match="`row`, `cols` and `phase`"):
        control_levels(params.periphery, [operation(params, "memory read", row=4)])
    with pytest.raises(InputError, match="source lines and word lines along its rows"):
        PeripheryParams.checked({"crossbar": {"row_line": "bit"}}, where="here")
