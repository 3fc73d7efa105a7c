"""Both wire grades against fresh ngspice runs of whole arrays: real cells, real transistors, 2.5 ohm a segment."""

import numpy as np
import pytest

from rramkit import solve_wires
from rramkit.array import CellCurrent
from rramkit.characterization.components.wires import inputs_of, predicted
from rramkit.characterization.engine.runner import Runner, silent
from rramkit.characterization.engine.tables import component_tables
from rramkit.characterization.plan import Plan, WirePlan
from rramkit.characterization.spice_arrays import cell_states, read_arrays
from rramkit.circuits.crossbar import CrossbarParams, CrossbarReadParams, static_reads

PLAN = Plan(wires=WirePlan(crossbar=CrossbarParams(r_row=2.5, r_col=2.5), vectors=4))


@pytest.fixture(scope="module")
def bench(pool):
    return Runner(pool, silent)


@pytest.fixture(scope="module")
def cells(bench):
    """The map of states, and the cell current of the read table."""
    read = component_tables(bench, PLAN.expanded()[0])["read"]
    return cell_states(bench, PLAN), CellCurrent.from_table(read)


def patterns(size):
    """Random over the window, and most cells low with a few high, as training leaves them."""
    rng = np.random.default_rng(9)
    g_min, g_max = PLAN.conductance.g_min, PLAN.conductance.g_max
    return [
        rng.uniform(g_min, g_max, (size, size)),
        np.clip(g_min + rng.exponential(0.15, (size, size)) * (g_max - g_min), g_min, g_max),
    ]


@pytest.mark.parametrize("size", [16, pytest.param(64, marks=pytest.mark.long)])
def test_whole_1t1r_arrays_in_both_directions(bench, cells, size):
    states, current = cells
    fast_ohm = {"r_row": 2.5, "r_col": 2.5, "r_drive": 50.0, "r_sense": 50.0}  # the netlist's own, not fitted
    inputs = inputs_of(PLAN.wire_params(), np.random.default_rng(10), patterns(size))
    for read in read_arrays(bench, PLAN.wire_params(), states, inputs, stage="arrays"):
        full_scale = np.max(np.abs(read.i_out))
        fast = (predicted(current, fast_ohm, read) - read.i_out) / full_scale
        # the kit's limits for an array's read
        assert np.sqrt(np.mean(fast**2)) < 0.3e-2 and np.max(np.abs(fast)) < 1e-2
        exact = solve_wires(
            read.g_cell,
            read.v_in,
            r_row=2.5,
            r_col=2.5,
            r_source=50.0,
            r_sense=50.0,
            direction=read.direction,
            cells=current.from_word,
        )
        # what the read table leaves: 5e-4 of full scale may be lost in look-up, and sums of cells lose less
        assert np.max(np.abs(exact.i_out - read.i_out)) < 5e-4 * full_scale


@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("size", [16, pytest.param(64, marks=pytest.mark.long)])
def test_linear_cells_are_exact(pool, size, direction):
    g = patterns(size)[0]
    v = np.random.default_rng(11).uniform(-0.2, 0.2, (size, 4))
    params = CrossbarReadParams(
        crossbar=CrossbarParams(rows=size, cols=size, cell_kind="1R", r_row=2.5, r_col=2.5), direction=direction
    )
    waves = pool.run(static_reads(params, g, v).text())
    spice = np.stack([waves[name] for name in params.sense_outputs])
    found = solve_wires(g, v, r_row=2.5, r_col=2.5, r_source=50.0, r_sense=50.0, direction=direction).i_out
    # asked for is 1e-4; ngspice's tolerances (vntol 1e-8 V of 0.2 V) and gmin leave a hundredth of that
    np.testing.assert_allclose(found, spice, rtol=0, atol=1e-6 * np.max(np.abs(spice)))
