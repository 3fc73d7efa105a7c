"""Written and read in ngspice, against table, update chain and tile: one definition of conductance from end to end."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.array import ArrayModel, Tile, UpdateChain, UpdateParams
from rramkit.characterization.components.cell import StateMap
from rramkit.characterization.engine.runner import Runner, silent
from rramkit.characterization.engine.tables import component_tables
from rramkit.characterization.plan import Plan
from rramkit.characterization.spice_arrays import cell_states
from rramkit.circuits.cell import PulseShape, ReadRowParams, WriteParams, read_row, write_staircase
from rramkit.circuits.crossbar import CrossbarReadParams, static_reads
from rramkit.circuits.crossbar_write import CrossbarWriteParams, Selection, array_write
from rramkit.table import TableFile

pytestmark = pytest.mark.spice

PLAN = Plan.checked(
    {
        "conductance": {"points": 9, "read_points": 25},
        "set": {"points": 14, "held_out": 4},
        "reset": {"v_first": 1.2, "v_last": 1.9, "points": 14, "held_out": 4},
        "wires": {
            "crossbar": {"rows": 8, "cols": 8},
            "fit_arrays": 1,
            "held_out_arrays": 1,
            "rows_max": 9,
            "cols_max": 9,
            "vectors": 3,
        },
        # noise and losses are other tests': nothing here reads them
        "scatter": {"points": 0},
        "droop": {"g_points": 0},
        "disturb": {"g_points": 0},
        # half the default's points an axis: four times what its interpolation may leave
        "limits": {"delta_g_rms": 8e-3, "delta_g_max": 0.04, "energy_rms": 8e-3, "energy_max": 0.04},
    },
    where="the test",
)
WINDOW = PLAN.conductance.g_max - PLAN.conductance.g_min
# Start and amplitude are points of the tables, so that interpolation (held out values measure it) leaves nothing here:
# numbers along `g_start` and `v_pulse`. At these the pulses change the cell by much and end within the window.
POINTS = {"set": (3, 8), "reset": (7, 6)}


@pytest.fixture(scope="module")
def made(pool) -> tuple[TableFile, StateMap]:
    runner, tables = Runner(pool, silent), {}
    for each in PLAN.expanded():
        tables |= component_tables(runner, each, tables)
    return TableFile(tables, {}), cell_states(runner, PLAN)


def read_alone(pool, state: float) -> float:
    """The cell alone at its own terminals: i(v_read)/v_read [S]."""
    waves = pool.run(read_row(ReadRowParams(cell=PLAN.cell, read=PLAN.read, state=(state,), points=1)).text())
    return float(waves["i_cell_0"][0]) / PLAN.read.v_read


def chosen(tables: TableFile, polarity) -> tuple[float, float]:
    """Start [S] and amplitude [V] of the test's pulse."""
    start, amplitude = POINTS[polarity]
    axes = tables[polarity].axes
    return float(axes["g_start"].values[start]), float(axes["v_pulse"].values[amplitude])


def after_update(tables: TableFile, g: np.ndarray, flat: np.ndarray, polarity) -> np.ndarray:
    """Conductances (R, C) [S] after one pulse at some cells, by table and update chain; the chain takes pairs."""
    rng = np.random.default_rng(0)
    chain = UpdateChain.from_tables(tables, UpdateParams(cycles=False))  # the mean pulse: ngspice's has no scatter
    state = chain.init(np.stack([g, g]), rng=rng)
    v_pulse = np.full(flat.size, chosen(tables, polarity)[1])
    return chain.step(state, flat, v_pulse, polarity=polarity, rng=rng).g_cell[0]


@pytest.mark.parametrize("polarity", ["set", "reset"])
def test_a_pulse_and_a_read_in_spice_are_the_table(pool, made, polarity):
    tables, states = made
    g_start, v = chosen(tables, polarity)
    start = float(states.state_of(np.array([g_start]))[0])
    # the static solution's tolerance (reltol 1e-6), and the cubic between 201 states (1e-7)
    assert read_alone(pool, start) == near(g_start, 5e-6)
    params = WriteParams(
        cell=PLAN.cell, pulse=PLAN.pulse, polarity=polarity, state=start, v_first=v, v_last=v, pulses=1
    )
    end = float(pool.run(write_staircase(params).text())["state"][-1])
    chain = after_update(tables, np.array([[g_start]]), np.array([0]), polarity)
    # one value of the table: the solver's tolerance, and the cubic between states (1e-7)
    assert chain.item() == near(read_alone(pool, end), within=1e-3 * WINDOW)
    assert abs(chain.item() - g_start) > 0.05 * WINDOW


@pytest.mark.parametrize("polarity", ["set", "reset"])
def test_an_array_written_and_read_in_spice_is_the_tile(pool, made, polarity):
    tables, states = made
    size, row, col = 3, 1, 2
    g_one, v = chosen(tables, polarity)
    g_start = np.full((size, size), g_one)
    start = float(states.state_of(g_start.ravel()[:1])[0])
    bar = PLAN.wires.crossbar.model_copy(update={"rows": size, "cols": size, "cell": PLAN.cell})
    pulse = PLAN.pulse
    written = CrossbarWriteParams(
        crossbar=bar,
        selection=Selection(row=row, col=col),
        # an array's lines are driven one edge longer than a cell's alone
        pulse=PulseShape(
            t_pulse=pulse.t_pulse - pulse.t_rise, r_driver=pulse.r_driver, c_line=pulse.c_line, t_step=pulse.t_step
        ),
        polarity=polarity,
        v_write=pulse.v_bl_set if polarity == "set" else v,
        v_word=v if polarity == "set" else pulse.v_wl_reset,
        state=start,
        pulses=1,
    )
    waves = pool.run(array_write(written).text())
    ends = np.array([[waves[f"s_{i}_{j}"][-1] for j in range(size)] for i in range(size)])
    params = CrossbarReadParams(crossbar=bar, read=PLAN.read, r_drive=PLAN.wires.r_drive, r_sense=PLAN.wires.r_sense)
    v_in = np.array([[0.1, 0.0, 0.05], [0.025, 0.1, 0.075], [0.0, 0.05, 0.1]])
    reads = pool.run(static_reads(params, np.clip(ends, 0, 1), v_in).text())
    spice = np.stack([reads[name] for name in params.sense_outputs])

    g = after_update(tables, g_start, np.array([row * size + col]), polarity)
    # the array's wires and their capacitance take their part of the pulse: 1.5 % of the window
    assert g[row, col] == near(float(states.g_of(ends[row, col])), within=1.5e-2 * WINDOW)
    np.testing.assert_array_equal(np.delete(g.ravel(), row * size + col), g_one)
    np.testing.assert_allclose(np.delete(states.g_of(ends), row * size + col), g_one, rtol=1e-3)  # gated
    i = Tile.of(g, ArrayModel.from_tables(tables)).forward(v_in.T).i.T
    # a line of three cells: a cell's 1.5 % of the window is 0.7 % of its current, the wire model leaves 0.3 %
    np.testing.assert_allclose(i, spice, rtol=0, atol=1e-2 * np.max(np.abs(spice)))
