"""Points that fail in a whole characterisation: masked with their reason, or too many; a hang and a crash cost one."""

import json

import numpy as np
import pytest
from fixtures.tiny_plan import TINY

from rramkit import table
from rramkit.characterization.components import cell
from rramkit.characterization.run import RunOptions, characterize
from rramkit.circuits.cell import PulseRowParams, pulse_row
from rramkit.errors import SimulationError, TableError
from rramkit.surrogate.grid import GridSurrogate

pytestmark = pytest.mark.spice

PLAN = TINY.model_copy(
    update={
        "set": TINY.set.model_copy(update={"points": 8, "held_out": 10}),
        "reset": TINY.reset.model_copy(update={"points": 8, "held_out": 10}),
    }
)
FAULTS = {
    "convergence": "B_bad bad 0 v = v(bad) > 0.5 ? 0 : 1\nR_bad bad 0 1k",  # has no solution
    "crash": ".func f(x) {f(x)+1}\nV_bad bad 0 {f(1)}\nR_bad bad 0 1k",  # the expansion never ends
    "timeout": "V_bad bad 0 sin(0 1 1e18)\nR_bad bad c 1\nC_bad c 0 1e-18",  # steps of 1e-21 s
}


class Faulty:
    """`pulse_row`, but with a fault in the deck of chosen cells of the SET grid: (row of the grid, amplitude)."""

    def __init__(self, fault: str, share: float) -> None:
        self.fault, self.share = fault, share
        self.hit: set[tuple[float, float]] = set()
        self.decks = 0

    def __call__(self, params: PulseRowParams):
        self.decks += 1
        deck = pulse_row(params)
        chosen = [pair for pair in zip(params.state, params.v_pulse, strict=True) if self._is_chosen(params, *pair)]
        if chosen:
            self.hit |= set(chosen)
            deck.circuit.raw_spice += self.fault + "\n"
        return deck

    def _is_chosen(self, params: PulseRowParams, state: float, v_pulse: float) -> bool:
        # not where a point of the grid is run again at half its time step
        of_grid = params.polarity == "set" and params.pulse.t_step == PLAN.pulse.t_step
        on_grid = of_grid and v_pulse in set(PLAN.set.values.tolist())
        return on_grid and v_pulse != PLAN.set.values[0] and hash((state, v_pulse)) % 1000 < 1000 * self.share


def faulty_run(tmp_path, monkeypatch, fault, *, share=0.05, max_failed=0.2, timeout=60.0):
    maker = Faulty(FAULTS[fault], share)
    monkeypatch.setattr(cell, "pulse_row", maker)
    plan = PLAN.model_copy(update={"max_failed": max_failed})
    path = tmp_path / "tables.h5"
    return maker, characterize(plan, path, RunOptions(workers=2, timeout=timeout)), path


@pytest.mark.parametrize(
    ("fault", "timeout"),
    [
        ("convergence", 60.0),
        pytest.param("crash", 60.0, marks=pytest.mark.long),
        pytest.param("timeout", 5.0, marks=pytest.mark.long),  # a good run takes 0.1 s, more on a busy machine
    ],
)
def test_failed_points_are_masked_with_their_reason_and_no_other(tmp_path, monkeypatch, fault, timeout):
    share = 0.05 if fault == "convergence" else 0.03
    maker, tables, path = faulty_run(tmp_path, monkeypatch, fault, share=share, max_failed=0.19, timeout=timeout)
    assert maker.hit
    assert json.loads(tables.provenance["plan"])["max_failed"] == 0.19
    back = table.load(path)
    mask = back["set"].masks["delta_g"]
    assert mask.reasons == (fault,)
    assert np.count_nonzero(mask.bad) == len(maker.hit) == int(tables.provenance["spice_failed"])
    for row, column in np.argwhere(mask.bad):
        assert any(v == PLAN.set.values[column] for _, v in maker.hit)
        assert np.isnan(back["set"].signals["delta_g"].values[row, column])
    assert not back["reset"].masks
    row, column = np.argwhere(mask.bad)[0]
    surrogate = GridSurrogate(back["set"], "delta_g")
    with pytest.raises(TableError, match=fault):
        surrogate.at(back["set"].axes["g_start"].values[row], back["set"].axes["v_pulse"].values[column])


@pytest.mark.long
def test_a_failure_that_would_come_again_is_not_tried_again(tmp_path, monkeypatch):
    _, first, path = faulty_run(tmp_path, monkeypatch, "convergence")
    again, second, _ = faulty_run(tmp_path, monkeypatch, "convergence")
    assert int(second.provenance["spice_reused"]) == int(first.provenance["spice_runs"]) + int(
        first.provenance["spice_failed"]
    )
    np.testing.assert_array_equal(second["set"].masks["delta_g"].codes, table.load(path)["set"].masks["delta_g"].codes)
    assert again.decks > 0  # decks are made, since they are what a point is known by


def test_more_than_max_failed_ends_the_run_with_a_list(tmp_path, monkeypatch):
    with pytest.raises(SimulationError, match=r"of the 40 points of `set` failed every attempt") as caught:
        faulty_run(tmp_path, monkeypatch, "convergence", share=0.3, max_failed=0.05)
    assert caught.value.log.count("convergence") >= 3
    assert "v_pulse = " in caught.value.log and "g_start = " in caught.value.log
    assert "B_bad" in caught.value.deck
    assert any("finished points are kept in" in note for note in caught.value.__notes__)
    assert not (tmp_path / "tables.h5").exists()
