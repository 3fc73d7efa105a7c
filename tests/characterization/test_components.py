"""Block plans in the real ngspice: tables against runs by hand, Monte Carlo against Pelgrom's law, verification."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.sense_amp import gm_over_i
from rramkit.characterization.design import Design, component_plan, find_design
from rramkit.characterization.engine.runner import Runner, silent
from rramkit.characterization.engine.tables import component_tables
from rramkit.characterization.limits import all_broken
from rramkit.characterization.run import RunOptions, characterize
from rramkit.characterization.verify import verify
from rramkit.circuits.level_shifter import LevelShifterBench, level_shifter_bench
from rramkit.circuits.sense_amp import SenseAmpBenchParams, input_pair, offset_by_hand
from rramkit.circuits.technology import Technology
from rramkit.cli.app import run
from rramkit.errors import InputError
from rramkit.table import Quantity, TableFile

pytestmark = pytest.mark.spice

SHIFTER = {
    "name": "level_shifter",
    "block": "level_shifter",
    "measures": ["t_up", "v_high"],
    "axes": [{"parameter": "c_load", "kind": "list", "values": [5e-15, 20e-15, 60e-15]}],
    "corners": {"process": ["tt", "ss"]},
    "held_out": {"runs": 3},
    "step_runs": 1,
    "limits": {
        "t_up": {"of": "value", "held_out_rms": 0.01, "held_out_max": 0.02, "max": 0.3e-9},
        "v_high": {"min": 3.2, "held_out_rms": 1e-3, "held_out_max": 2e-3},
    },
}


def plan(values):
    return component_plan(values, where="the test")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    path = tmp_path_factory.mktemp("blocks") / "tables.h5"
    return characterize(Design(blocks=(plan(SHIFTER),)), path, RunOptions(workers=1))


def test_the_table_holds_what_a_run_by_hand_gives(made, pool):
    params = LevelShifterBench(technology=Technology(corner="ss"), c_load=20e-15)
    by_hand = pool.run(level_shifter_bench(params).text()).measures["t_up"]
    table = made["level_shifter"].along("corner", "ss")
    # the deck by hand does not say its temperature, which is ngspice's own 27 degrees: the same numbers
    assert table.signals["t_up"].values[1] == near(by_hand, 1e-9)
    assert np.all(np.diff(table.signals["t_up"].values) > 0)  # a heavier load is slower
    assert table.held_out["t_up"].passed and 0 < table.step_error["t_up"] < 1e-12


def test_limits_of_the_data_sheet_say_which_value_lies_outside(made):
    lines = all_broken(made)
    assert len(lines) == 1 and "`level_shifter.t_up`" in lines[0] and "corner = ss" in lines[0]


def test_verify_makes_fresh_points_and_catches_a_doctored_table(made):
    found = verify(made, seed=9, points=3, workers=1)
    assert set(found) == {"level_shifter.t_up", "level_shifter.t_up_ratio", "level_shifter.v_high"}
    assert all(points.passed for points in found.values())
    table = made["level_shifter"]
    slower = Quantity(1.05 * table.signals["t_up"].values, "s")
    doctored = replace(table, signals=dict(table.signals) | {"t_up": slower})
    found = verify(TableFile({"level_shifter": doctored}, made.provenance), seed=9, points=3, workers=1)
    assert {name for name, points in found.items() if not points.passed} == {
        "level_shifter.t_up",
        "level_shifter.t_up_ratio",
    }
    with pytest.raises(InputError, match="must differ from the table's own, 2026"):
        verify(made, seed=2026, points=3)


def test_offset_sigma_of_30_matched_draws_is_pelgroms(pool):
    values = find_design("sense_amp_offset").blocks[0].model_dump(mode="json")
    draws = values["monte_carlo"] | {"count": 30}
    chosen = plan(values | {"monte_carlo": draws, "corners": {}, "limits": {}, "step_runs": 0})
    table = component_tables(Runner(pool, silent), chosen)["sense_amp_offset"]
    params = SenseAmpBenchParams()
    hand = offset_by_hand(params.latch, gm_over_i(pool.run(input_pair(params).text())), 0.4106)
    # matched draws leave no error of sampling; what is left is what the hand analysis leaves out, a quarter as asked
    assert float(table.distributions["offset"].sigma) == near(hand, 0.25)
    assert abs(float(table.signals["offset"])) < 0.1e-3  # matched: the mean of what is linear is 0


def test_the_command_says_what_lies_outside_and_fails(tmp_path, capsys):
    path = tmp_path / "shifter.toml"
    path.write_text(
        'name = "shifter"\nblock = "level_shifter"\nmeasures = ["t_up"]\nstep_runs = 0\n'
        "[limits]\nt_up = { min = 1e-12, typ = 3e-10, max = 1e-11 }\n"
    )
    given = ["characterize", "--plan", str(path), "-o", str(tmp_path / "t.h5"), "--quiet", "--workers", "1"]
    assert run(given) == 1
    told = capsys.readouterr()
    assert "outside its limits: `shifter.t_up`" in told.err and "[10 ps]" in told.out
    assert run(["characterize", "--plan", str(path), "--list"]) == 0
    assert '"component": "level_shifter"' in capsys.readouterr().out
    with pytest.raises(InputError, match="exclude each other"):
        run(["characterize", "--plan", str(path), "--set", "seed=3"])
