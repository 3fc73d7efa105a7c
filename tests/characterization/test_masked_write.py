"""A write table with points that do not converge: masked with the reason, never interpolated across."""

import numpy as np
import pytest
from fixtures.tiny_plan import TINY

from rramkit import table
from rramkit.characterization.components import cell
from rramkit.characterization.engine.runner import Runner, silent
from rramkit.characterization.engine.tables import component_tables
from rramkit.circuits.cell import pulse_row
from rramkit.errors import SimulationError, TableError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import TableFile

pytestmark = pytest.mark.spice

PLAN = TINY.model_copy(update={"max_failed": 0.1, "set": TINY.set.model_copy(update={"points": 7, "held_out": 12})})
SET = PLAN.expanded()[1]
V_BAD = PLAN.set.values[5]


class NoSolution:
    """A deck whose operating point does not exist."""

    def text(self) -> str:
        return "t\nB1 a 0 v = v(a) > 0.5 ? 0 : 1\nR1 a 0 1k\n.op\n.end\n"


def _sabotaged(params):
    # the highest start conductance at one amplitude, alone or in a row with others
    bad = any(v == V_BAD and s > 0.9 for s, v in zip(params.state, params.v_pulse, strict=True))
    return NoSolution() if bad else pulse_row(params)


def test_failed_points_are_masked_and_the_rest_is_a_table(pool, monkeypatch, tmp_path):
    bench = Runner(pool, silent, max_failed=PLAN.max_failed)
    monkeypatch.setattr(cell, "pulse_row", _sabotaged)
    made = component_tables(bench, SET)["set"]
    table.save(TableFile({"set": made}, {}), tmp_path / "t.h5")
    back = table.load(tmp_path / "t.h5")["set"]
    for signal in ("delta_g", "energy"):
        mask = back.masks[signal]
        assert mask.reasons == ("convergence",)
        assert np.argwhere(mask.bad).tolist() == [[4, 5]]
        assert np.isnan(back.signals[signal].values[4, 5])
    surrogate = GridSurrogate(back, "delta_g")
    with pytest.raises(TableError, match=r"lie beside failed ones \(1 of convergence\)"):
        surrogate.at(PLAN.conductance.g_max * 0.99, float(V_BAD))
    points = back.held_out["delta_g"]
    assert 0 < points.spice.size < 12  # those beside the failed point were left out
    assert not np.any(surrogate.masked(points.at["g_start"].values, points.at["v_pulse"].values))
    assert np.all(np.isfinite(back.axes["g_start"].values))
    monkeypatch.undo()
    whole = component_tables(bench, SET)["set"]
    good = ~back.masked("delta_g")
    # Its neighbours in the row ran alone, with time steps of their own: S, a tenth of the simulator's 1e-4
    left, right = (one.signals["delta_g"].values[good] for one in (back, whole))
    np.testing.assert_allclose(left, right, rtol=0, atol=1e-5 * np.max(right))


def test_too_many_of_them_fail_the_run(pool, monkeypatch):
    bench = Runner(pool, silent, max_failed=0.0)
    monkeypatch.setattr(cell, "pulse_row", _sabotaged)
    with pytest.raises(SimulationError, match="1 of the 35 points of `set` failed every attempt"):
        component_tables(bench, SET.model_copy(update={"max_failed": 0.0}))
