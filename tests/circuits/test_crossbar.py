"""The crossbar generator through ngspice: against Qucs, against an independent nodal solution, and against itself."""

import json
from typing import Literal

import numpy as np
import pytest
from oracles.nodal import transfer_matrix

from rramkit.circuits.crossbar import CrossbarParams, CrossbarReadParams, example_pattern, static_reads, transient_read
from rramkit.errors import InputError


def currents(pool, params, states, v_in):
    waves = pool.run(static_reads(params, states, v_in).text())
    return np.stack([waves[name] for name in params.sense_outputs])


def resistors(
    rows, cols, *, direction: Literal["forward", "backward"] = "forward", r_row=0.0, r_col=0.0, r_drive=0.0, r_sense=0.0
):
    bar = CrossbarParams(rows=rows, cols=cols, cell_kind="1R", r_row=r_row, r_col=r_col)
    return CrossbarReadParams(crossbar=bar, direction=direction, r_drive=r_drive, r_sense=r_sense)


def qucs_names():
    return [f"{size}-{kind}-{n}" for size in ("1x1", "5x4") for kind in ("a", "c") for n in (1, 2)]


@pytest.mark.parametrize("name", qucs_names())
def test_arrays_solved_in_qucs(pool, data_folder, name):
    array = json.loads((data_folder / "qucs_crossbar.json").read_text())[name]
    ohm = np.array(array["R"], dtype=float)
    v_in = np.array(array["V"], dtype=float)
    # Qucs has a wire segment before the first cell of a row and after the last of a column: r_drive and r_sense.
    params = resistors(
        *ohm.shape,
        r_row=array["r_wl"],
        r_col=array["r_bl"],
        r_drive=array["r_wl"],
        r_sense=array["r_bl"],
    )
    found = currents(pool, params, 1 / ohm, v_in)[:, 0]
    expected = np.array(array["I_out"])[0]
    # 1e-6 relative. Absolute: 10 pA, for the arrays without input, where gmin (1e-12 S) at up to 4 V is all there is;
    # it is 1e-9 of the smallest current that is not zero (18 mA), so that a wrong array cannot hide in it.
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-11)


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_wires_against_the_nodal_solution(pool, direction):
    rng = np.random.default_rng(3)
    g = rng.uniform(1e-6, 100e-6, (6, 9))
    g[2, 3] = g[5, 8] = 0.0  # cells that are not there
    wires = {"r_row": 3.0, "r_col": 11.0, "r_drive": 40.0, "r_sense": 90.0}  # all different: a swap must show
    v_in = rng.uniform(-0.2, 0.2, (6 if direction == "forward" else 9, 4))
    found = currents(pool, resistors(6, 9, direction=direction, **wires), g, v_in)
    transfer = transfer_matrix(g, **wires)  # (R, C): current into column j for 1 V on row i; reciprocal
    expected = (transfer.T if direction == "forward" else transfer) @ v_in
    # A linear network: ngspice's own rounding and gmin (1e-12 S beside 1e-6 S) are all that differs.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * np.max(np.abs(expected)))


def test_swapped_wire_resistances_are_caught(pool):
    """The comparison above is sharp enough to see row and column resistance exchanged."""
    rng = np.random.default_rng(4)
    g, v_in = rng.uniform(20e-6, 100e-6, (6, 6)), rng.uniform(0, 0.2, (6, 1))
    right = currents(pool, resistors(6, 6, r_row=3.0, r_col=11.0), g, v_in)
    swapped = currents(pool, resistors(6, 6, r_row=11.0, r_col=3.0), g, v_in)
    assert np.max(np.abs(right - swapped)) > 1e-4 * np.max(right)


def test_one_cell_array_is_ohms_law(pool):
    found = currents(
        pool, resistors(1, 1, r_row=5.0, r_col=7.0, r_drive=30.0, r_sense=60.0), np.array([[1e-3]]), np.ones((1, 2))
    )
    np.testing.assert_allclose(found, 1 / (30 + 1000 + 60), rtol=1e-8)  # one cell has no segment between cells


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_settled_transient_equals_static_read(pool, direction):
    params = CrossbarReadParams(crossbar=CrossbarParams(rows=4, cols=3), direction=direction)
    states, v_in = example_pattern(params)
    static = currents(pool, params, states, np.stack([v_in, v_in], axis=1))[:, 0]
    waves = pool.run(transient_read(params, states, v_in).text())
    settled = np.array([waves[name][-1] for name in params.sense_outputs])
    # The lines settle within 0.1 ns of a 10 ns read; reltol is 1e-4 there.
    np.testing.assert_allclose(settled, static, rtol=5e-4)
    start = np.array([waves[name][0] for name in params.sense_outputs])
    assert np.max(np.abs(start)) < 1e-3 * np.max(static)  # nothing flows before the inputs rise


def test_states_are_checked():
    params = CrossbarReadParams(crossbar=CrossbarParams(rows=2, cols=3))
    for bad in (np.full((3, 2), 0.5), np.full((2, 3), 1.5), np.full((2, 3), np.nan)):
        with pytest.raises(InputError, match=r"`states` must be \(R, C\) = \(2, 3\)"):
            static_reads(params, bad, np.zeros((2, 1)))


def test_inputs_are_checked():
    params = CrossbarReadParams(crossbar=CrossbarParams(rows=2, cols=3))
    with pytest.raises(InputError, match="`v_in` must be"):
        static_reads(params, np.full((2, 3), 0.5), np.full((2, 1), 5.0))
