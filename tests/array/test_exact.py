"""The exact read of arrays with wires: Qucs, closed forms, two slow nodal solutions, and what every network obeys."""

import json
import subprocess
import sys
from typing import Literal

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, V_READ, V_SHAPE, read_table
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.nodal import branches, transfer_matrix
from scipy.optimize import brentq, root

import rramkit
from rramkit import WireSolution, solve_wires
from rramkit.array import CellCurrent
from rramkit.errors import ConvergenceError, InputError

SIZE = st.integers(1, 9)
OHM = st.sampled_from([0.0, 0.3, 2.5, 40.0])  # zero is one of the values that the kit must take
WIRES = st.fixed_dictionaries({"r_row": OHM, "r_col": OHM, "r_source": OHM, "r_sense": OHM})
UNEQUAL = {"r_row": 3.0, "r_col": 11.0, "r_source": 40.0, "r_sense": 90.0}
ROUNDING = 1e-12  # of the largest current of a linear array: condition number 1e3, a few hundred operations in a row


def pattern(rows, cols, seed=0, high=100e-6):
    rng = np.random.default_rng(seed)
    g = rng.uniform(high / 50, high, (rows, cols))
    g[rng.uniform(size=g.shape) < 0.15] = 0.0  # cells that are not there
    return g


def inputs(lines, batch, seed=1):
    return np.random.default_rng(seed).uniform(-V_READ, V_READ, (lines, batch))


def read(g, v, ohm, direction: Literal["forward", "backward"] = "forward", cells=None):
    """`solve_wires` with the four resistances in one mapping."""
    return solve_wires(
        g,
        v,
        r_row=ohm["r_row"],
        r_col=ohm["r_col"],
        r_source=ohm["r_source"],
        r_sense=ohm["r_sense"],
        direction=direction,
        cells=cells,
    )


def close(found, expected, scale=None):
    scale = np.max(np.abs(expected)) if scale is None else scale
    np.testing.assert_allclose(found, expected, rtol=0, atol=ROUNDING * scale)


def sinh_cells(g, v):
    """A cell that is far from linear within the voltages used here."""
    scale = 0.05
    g = g[:, :, None]
    return g * scale * np.sinh(v / scale), g * np.cosh(v / scale)


@pytest.mark.parametrize("name", [f"{size}-{kind}-{n}" for size in ("1x1", "5x4") for kind in "ac" for n in "12"])
def test_arrays_solved_in_qucs(data_folder, name):
    array = json.loads((data_folder / "qucs_crossbar.json").read_text())[name]
    found = solve_wires(
        1 / np.array(array["R"]),
        np.array(array["V"]),
        r_row=array["r_wl"],
        r_col=array["r_bl"],
        r_source=array["r_wl"],
        r_sense=array["r_bl"],
    )
    # 1e-9 A and 1e-9 V: Qucs prints its results with ten digits, of currents up to 0.2 A and voltages up to 5 V
    np.testing.assert_allclose(found.i_out[:, 0], array["I_out"][0], rtol=0, atol=1e-9)
    for mine, theirs in ((found.i_cell, "I_dev"), (found.v_word, "V_wl"), (found.v_bit, "V_bl")):
        np.testing.assert_allclose(mine[:, :, 0], array[theirs], rtol=0, atol=1e-9)


@settings(max_examples=60)
@given(rows=SIZE, cols=SIZE, seed=st.integers(0, 99), ohm=WIRES, forward=st.booleans())
def test_every_wire_as_a_branch_of_its_own(rows, cols, seed, ohm, forward):
    g = pattern(rows, cols, seed)
    v = inputs(rows if forward else cols, 2, seed)
    found = read(g, v, ohm, direction="forward" if forward else "backward")
    for b in range(2):
        nothing = np.zeros(cols if forward else rows)
        ends = (v[:, b], nothing) if forward else (nothing, v[:, b])
        cells = branches(g, *ends, **ohm)
        close(found.i_cell[:, :, b], cells, V_READ * 100e-6)
        close(found.i_out[:, b], cells.sum(axis=0) if forward else -cells.sum(axis=1), V_READ * 1e-3)


@pytest.mark.parametrize("shape", [(40, 23), (23, 40)])  # eliminated along the rows, along the columns
def test_the_sparse_nodal_solution_in_both_directions(shape):
    g = pattern(*shape)
    expected = transfer_matrix(g, r_row=3.0, r_col=11.0, r_drive=40.0, r_sense=90.0)
    close(read(g, np.eye(shape[0]), UNEQUAL).i_out.T, expected)
    close(read(g, np.eye(shape[1]), UNEQUAL, direction="backward").i_out, expected)
    swapped = {**UNEQUAL, "r_row": 11.0, "r_col": 3.0}
    back = read(g, np.eye(shape[1]), swapped, direction="backward").i_out
    assert np.max(np.abs(back - expected)) > 1e-2 * np.max(expected)  # a swap would show


@settings(max_examples=25)
@given(rows=SIZE, cols=SIZE, seed=st.integers(0, 99), ohm=WIRES, forward=st.booleans())
def test_what_every_network_obeys(rows, cols, seed, ohm, forward):
    g, direction = pattern(rows, cols, seed), "forward" if forward else "backward"
    v = inputs(rows if forward else cols, 3, seed)
    found = read(g, v, ohm, direction=direction)
    amperes = V_READ * 100e-6 * max(rows, cols)
    # Kirchhoff: what flows out of a word line's segment and does not go on has gone through the cell.
    sign = 1.0 if forward else -1.0
    outer_word, outer_bit = (v, 0.0) if forward else (0.0, v)
    into_word = np.flip(np.cumsum(np.flip(found.i_cell, 1), axis=1), 1)
    close(outer_word - found.v_word[:, 0], ohm["r_source"] * into_word[:, 0], V_READ)
    close(found.v_word[:, :-1] - found.v_word[:, 1:], ohm["r_row"] * into_word[:, 1:], V_READ)
    out_of_bit = np.cumsum(found.i_cell, axis=0)
    close(found.v_bit[:-1] - found.v_bit[1:], ohm["r_col"] * out_of_bit[:-1], V_READ)
    close(found.v_bit[-1] - outer_bit, ohm["r_sense"] * out_of_bit[-1], V_READ)
    close(found.i_out, sign * (out_of_bit[-1] if forward else into_word[:, 0]), amperes)
    close(found.i_cell, g[:, :, None] * (found.v_word - found.v_bit), amperes)
    assert np.max(found.residual) < 1e-9  # of the largest cell current, which may be small beside the drops' rounding
    # Batch equals loop; superposition; scale.
    one_by_one = [read(g, v[:, b : b + 1], ohm, direction=direction).i_out for b in range(3)]
    close(found.i_out, np.hstack(one_by_one), amperes)
    close(read(g, v @ np.ones((3, 1)), ohm, direction).i_out[:, 0], found.i_out.sum(1), 3 * amperes)
    scaled = read(8 * g, v, {name: r / 8 for name, r in ohm.items()}, direction=direction)
    close(scaled.i_out / 8, found.i_out, amperes)
    close(scaled.v_word, found.v_word, V_READ)


def test_no_wires_are_the_matrix_product():
    g, v = pattern(7, 5), inputs(7, 3)
    found = solve_wires(g, v, r_row=0.0, r_col=0.0, r_source=0.0, r_sense=0.0)
    close(found.i_out, g.T @ v)
    np.testing.assert_array_equal(found.v_word, np.broadcast_to(v[:, None], (7, 5, 3)))
    np.testing.assert_array_equal(found.v_bit, 0.0)


def test_lines_that_swallow_everything():
    """Lines along which voltages fall by exp(-1000): nothing overflows, and what arrives is what the near cells see."""
    g = np.full((3, 600), 1.0)
    ohm = {"r_row": 10.0, "r_col": 0.0, "r_source": 0.0, "r_sense": 0.0}
    found = read(g, np.ones((3, 1)), ohm)
    assert np.max(found.residual) < 1e-9
    # an endless ladder of series r and shunt g: each node has the voltage of the one before over 1 + r y
    y = (1 + np.sqrt(1 + 4 / 10.0)) / 2
    # node voltages are differences from 1 V: the fifth is 3e-5 V
    np.testing.assert_allclose(found.v_word[0, 1:5, 0] / found.v_word[0, :4, 0], 1 / (1 + 10.0 * y), rtol=1e-9)


def test_one_nonlinear_cell_is_a_series_circuit():
    g, ohm = np.array([[1e-3]]), {"r_row": 5.0, "r_col": 7.0, "r_source": 300.0, "r_sense": 600.0}
    found = read(g, np.array([[0.2, -0.1, 0.0]]), ohm, cells=sinh_cells)
    for v, i in zip((0.2, -0.1), found.i_out[0], strict=False):
        expected = brentq(lambda x, v=v: 1e-3 * 0.05 * np.sinh((v - 900.0 * x) / 0.05) - x, -1e-3, 1e-3, xtol=1e-18)
        assert i == near(expected, 1e-9)  # Newton's tolerance 1e-10
    assert found.i_out[0, 2] == 0.0


@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_nonlinear_cells_against_a_general_root_finder(direction):
    g, v = (
        pattern(4, 3, high=3e-3),
        0.2 * np.random.default_rng(2).uniform(size=(4 if direction == "forward" else 3, 2)),
    )
    found = read(g, v, UNEQUAL, direction=direction, cells=sinh_cells)
    assert np.max(found.residual) <= 1e-10
    for b in range(2):
        nothing = np.zeros(3 if direction == "forward" else 4)
        ends = (v[:, b], nothing) if direction == "forward" else (nothing, v[:, b])

        def misfit(x, ends=ends):
            """The wires solved with the cells as current sources x; the law is what is left over."""
            x = x.reshape(4, 3) * 1e-4
            word = ends[0][:, None] - 40.0 * x.sum(1, keepdims=True)
            bit = np.tile(ends[1] + 90.0 * x.sum(0), (4, 1))
            word = word - 3.0 * np.array([[x[i, k:].sum() for k in range(1, 3)] for i in range(4)]) @ np.triu(
                np.ones((2, 3)), 1
            )
            for i in range(4):
                bit[i] += 11.0 * sum(x[: k + 1].sum(0) for k in range(i, 3))
            return (sinh_cells(g, (word - bit)[:, :, None])[0][:, :, 0] - x).ravel() / 1e-4

        x = root(misfit, np.zeros(12), tol=1e-13).x.reshape(4, 3) * 1e-4
        np.testing.assert_allclose(found.i_cell[:, :, b], x, rtol=0, atol=1e-9 * np.max(np.abs(x)))  # Newton's 1e-10


def test_the_tables_cells_need_few_steps_and_batch_equals_loop():
    law = CellCurrent.from_table(read_table()).from_word
    g = np.random.default_rng(3).uniform(G_LOW, G_HIGH, (24, 30))
    ohm = {"r_row": 2.5, "r_col": 2.5, "r_source": 60.0, "r_sense": 40.0}
    v = np.random.default_rng(4).uniform(0, V_READ, (24, 5))
    whole = read(g, v, ohm, cells=law)
    assert whole.steps <= 6
    for b in range(5):
        alone = read(g, v[:, b : b + 1], ohm, cells=law)
        # the batch shares its slopes, so the two stop at different misfits below 1e-10 of a cell's current
        np.testing.assert_allclose(whole.i_out[:, b], alone.i_out[:, 0], rtol=0, atol=1e-9 * np.max(whole.i_out))
    linear = read(g, v, ohm).i_out
    assert np.max(np.abs(linear - whole.i_out)) > 1e-3 * np.max(linear)  # the law matters


def test_the_law_of_a_table_is_its_current_with_its_slope():
    cells = CellCurrent.from_table(read_table())
    g, v = np.full((1, 1), 33e-6), np.linspace(-V_READ, V_READ, 41)[None, None]
    current, slope = cells.from_word(g, v)
    expected = -np.sum(cells.conductance_terms(g)[..., None] * cells.voltage_terms(-v), axis=0)
    np.testing.assert_allclose(current, expected, rtol=0, atol=1e-18)  # rounding of microamperes
    assert np.all(slope > 0)
    # a sinh of V_SHAPE rises by cosh(V_READ / V_SHAPE) from the middle to the ends; 2 % is the fixture's series part
    assert slope[0, 0, -1] / slope[0, 0, 20] == near(np.cosh(V_READ / V_SHAPE), 0.02)


def test_a_law_that_cannot_be_met_keeps_its_evidence():
    def jumps(g, v):  # no current between 0 and 1 uA: with a wire in series there may be no solution
        return np.where(v > 0.05, 1e-6 + g[:, :, None] * v, 0.0), np.zeros_like(v)

    with pytest.raises(ConvergenceError, match="Newton steps") as raised:
        solve_wires(np.array([[1e-6]]), np.array([[0.0501]]), r_row=0, r_col=0, r_source=500.0, r_sense=0, cells=jumps)
    partial = raised.value.partial
    assert isinstance(partial, WireSolution) and partial.i_out.shape == (1, 1)
    assert partial.residual[0] > 1e-10  # Newton's tolerance


def test_bad_input_is_named():
    ok = {"r_row": 1.0, "r_col": 1.0, "r_source": 1.0, "r_sense": 1.0}
    g = np.full((3, 2), 1e-6)
    for bad, words in (
        (np.ones(3), r"`g_cell` must be \(R, C\)"),
        (-g, "at least 0"),
        (g * np.nan, "finite"),
        (np.ones((0, 2)), r"`g_cell` must be"),
    ):
        with pytest.raises(InputError, match=words):
            read(bad, np.zeros((3, 1)), ok)
    for shape in ((2, 1), (3,), (3, 1, 1)):
        with pytest.raises(InputError, match=r"`v_in` must be \(R, B\) = \(3, B\)"):
            read(g, np.zeros(shape), ok)
    with pytest.raises(InputError, match=r"`v_in` must be \(C, B\) = \(2, B\)"):
        read(g, np.zeros((3, 1)), ok, "backward")
    with pytest.raises(InputError, match="`r_col` must be at least 0 ohm"):
        read(g, np.zeros((3, 1)), {**ok, "r_col": -1.0})
    with pytest.raises(InputError, match="forward or backward"):
        read(g, np.zeros((3, 1)), ok, "up")  # pyright: ignore[reportArgumentType]


def test_the_package_alone_loads_nothing_heavy():
    code = "import sys, rramkit; assert 'numpy' not in sys.modules; rramkit.solve_wires; assert 'numpy' in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'solve_wirez'"):
        rramkit.solve_wirez  # noqa: B018
