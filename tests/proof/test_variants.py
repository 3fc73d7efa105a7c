"""Variants of a design: several changes at once, one file of finished points, every deck run once."""

import pytest
from fixtures.tiny_plan import TINY

from rramkit import table
from rramkit.characterization.design import Design
from rramkit.characterization.run import RunOptions
from rramkit.errors import InputError
from rramkit.proof import variants as module
from rramkit.proof.parameters import value_of
from rramkit.proof.variants import POINTS, tables_of, variant

DESIGN = Design(cell=TINY)


def test_changes_are_made_together_and_another_plan_comes_first():
    thin = variant(DESIGN, {"crossbar.r_row": 3.0, "crossbar.r_col": 4.0, "conductance.g_max": 60e-6})
    found = [value_of(thin, name) for name in ("crossbar.r_row", "crossbar.r_col", "conductance.g_max")]
    assert found == [3.0, 4.0, 60e-6]
    other = variant(DESIGN, {"crossbar.r_row": 3.0, "plan": "wires"})
    assert other.cell is None and value_of(other, "crossbar.r_row") == 3.0


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"crossbar.r_rwo": 1.0}, r"`crossbar\.r_rwo` is no circuit parameter of this design.* Did you mean"),
        ({"crossbar.r_row": "thin"}, r"`crossbar\.r_row` must be a number to explore a plan with; got 'thin'"),
        ({"crossbar.r_row": -1.0}, "r_row"),
        ({"wires.rows_max": 9.5}, r"`wires\.rows_max` must be a whole number; got 9\.5"),
        ({"plan": "wirse"}, "`--plan` must be a TOML file or one of"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_before_anything_runs(tmp_path, monkeypatch, changes, words):
    monkeypatch.setattr(module, "characterized", lambda *_: pytest.fail("ran"))
    with pytest.raises(InputError, match=words):
        tables_of(DESIGN, {"as it is": {}, "wrong": changes}, tmp_path / "out", RunOptions())
    assert not (tmp_path / "out").exists()


def test_each_variant_has_a_file_of_its_own_and_all_share_their_points(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "characterized", lambda design, path, base, *_: seen.append((path, base)))
    changes = {"r=1 ohm": {"crossbar.r_row": 1.0}, "r=2 ohm": {"crossbar.r_row": 2.0}, "": {}}
    paths = tables_of(DESIGN, changes, tmp_path, RunOptions())
    assert list(paths) == list(changes) and [path for path, _ in seen] == list(paths.values())
    assert {base for _, base in seen} == {tmp_path / POINTS}
    assert paths["r=1 ohm"].name.startswith("r=1_ohm-") and paths[""].name.startswith("tables-")
    assert len({path.name.partition("-")[2] for path in paths.values()}) == 2  # 1 ohm is what the plan has


@pytest.mark.long
def test_a_variant_runs_only_the_decks_that_it_touches(tmp_path):
    changes = {"1": {"crossbar.r_row": 1.0}, "2": {"crossbar.r_row": 2.0}}
    paths = tables_of(DESIGN, changes, tmp_path, RunOptions(workers=1))
    one, two = (table.load(path).provenance for path in paths.values())
    assert int(one["spice_runs"]) > int(two["spice_runs"]) - int(two["spice_reused"]) > 0
    assert int(two["spice_reused"]) > int(two["spice_runs"]) / 2  # cells and pulses; its wires are new
    made = [path.stat().st_mtime_ns for path in paths.values()]
    tables_of(DESIGN, changes, tmp_path, RunOptions(workers=1))
    assert [path.stat().st_mtime_ns for path in paths.values()] == made
