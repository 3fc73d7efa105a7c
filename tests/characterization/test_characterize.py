"""A whole characterisation of a tiny plan in the real ngspice: what it writes, when it is reused, how it fails."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fixtures.tiny_plan import TINY

from rramkit import netlists, table
from rramkit.characterization import run as run_module
from rramkit.characterization import verify as verify_module
from rramkit.characterization.design import cell_plan_of, libraries_of
from rramkit.characterization.engine.store import store_of
from rramkit.characterization.run import RunOptions, characterize, reusable
from rramkit.characterization.verify import verify
from rramkit.circuits import libraries
from rramkit.circuits.device import in_form
from rramkit.errors import InputError, SimulationError, TableError
from rramkit.table import Quantity, TableFile
from rramkit.table.schema import SET

pytestmark = pytest.mark.spice


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The file, its tables, and the stages as reported."""
    path, told = tmp_path_factory.mktemp("tiny") / "tables.h5", []
    tables = characterize(TINY, path, RunOptions(workers=1, report=told.append))
    return path, tables, told


def test_the_file_holds_what_was_returned(made):
    path, tables, _ = made
    back = table.load(path)
    assert set(back.tables) == {"read", "set", "reset", "wires"}
    assert back.provenance == tables.provenance
    for name, one in tables.tables.items():
        for signal, quantity in one.signals.items():
            np.testing.assert_array_equal(back[name].signals[signal].values, quantity.values)
    assert back["set"].signals["delta_g"].values.shape == (5, 8)
    assert np.all(back["set"].signals["energy"].values > 0)
    assert back["set"].signals["delta_g"].values.max() > 10e-6  # S: SET raises, RESET lowers
    assert back["reset"].signals["delta_g"].values.min() < -10e-6
    assert sorted(path.parent.iterdir()) == [path, store_of(path)]


def test_every_fit_is_held_against_points_that_it_never_saw(made):
    _, tables, _ = made
    for name, signals in (("read", ["i_cell"]), ("set", ["delta_g", "energy"]), ("wires", ["i_array"])):
        assert sorted(tables[name].held_out) == signals
        for points in tables[name].held_out.values():
            assert points.passed
            assert points.rms > 0  # a fit that is exact at held-out points has seen them
    grid = set(tables["set"].axes["g_start"].values)
    assert not grid & set(tables["set"].held_out["delta_g"].at["g_start"].values)


def test_the_provenance_says_how_to_make_it_again(made):
    _, tables, told = made
    found = tables.provenance
    assert cell_plan_of(found) == TINY
    assert {name for name in found if name.startswith("component_plan_")} == {
        f"component_plan_{name}" for name in tables.tables
    }
    used = {library for each in TINY.expanded() for library in libraries_of(each)} | set(TINY.cell.libraries)
    assert json.loads(found["models"]) == {str(name): libraries.sha256(name) for name in used}
    assert found["simulator"].startswith("ngspice ")
    assert int(found["spice_runs"]) == len(told)
    assert int(found["spice_points"]) > int(found["spice_runs"])
    assert found["spice_retried"] == "0"
    assert 0 < float(found["spice_seconds"]) < float(found["characterize_seconds"])
    assert found["created"].startswith("20")
    last = {progress.stage: progress for progress in told}
    assert all(progress.done == progress.total for progress in last.values())


def test_reused_only_for_the_same_inputs(made, monkeypatch, tmp_path):
    path, tables, _ = made
    again = reusable(TINY, path)
    assert again is not None
    assert again.provenance == tables.provenance
    assert reusable(TINY.model_copy(update={"seed": 6}), path) is None
    assert reusable(TINY, tmp_path / "none.h5") is None
    with monkeypatch.context() as changed:
        changed.setattr(run_module, "__version__", "0.0.0.other")
        assert reusable(TINY, path) is None
    with monkeypatch.context() as changed:
        changed.setattr(netlists, "sha256", lambda name: "0" * 64)
        assert reusable(TINY, path) is None
    (tmp_path / "half.h5").write_bytes(path.read_bytes()[:5000])
    assert reusable(TINY, tmp_path / "half.h5") is None


def test_verify_passes_the_table_and_fails_a_doctored_one(made):
    _, tables, _ = made
    found = verify(tables, seed=9, points=4, workers=1)
    assert set(found) == {"read.i_cell", "set.delta_g", "set.energy", "reset.delta_g", "reset.energy", "wires.i_array"}
    assert all(points.passed for points in found.values())
    read = tables["read"]
    doctored = replace(read, signals={"i_cell": Quantity(1.3 * read.signals["i_cell"].values, "A")})
    found = verify(TableFile({**tables.tables, "read": doctored}, tables.provenance), seed=9, points=4, workers=1)
    assert {name for name, points in found.items() if not points.passed} == {"read.i_cell", "wires.i_array"}


def test_verify_refuses_points_that_are_not_fresh_and_tables_without_a_plan(made):
    _, tables, _ = made
    with pytest.raises(InputError, match="`seed` must differ from the table's own, 5"):
        verify(tables, seed=5, points=4)
    for plan, complaint in ((None, "carries no plan"), ("{", "`plan` cannot be read"), ('{"x": 1}', "not a known key")):
        provenance = {} if plan is None else {"plan": plan}
        with pytest.raises((TableError, InputError), match=complaint):
            verify(TableFile(tables.tables, provenance), seed=9, points=4)


def test_verify_refuses_cell_tables_of_another_definition(made):
    _, tables, _ = made
    old = replace(tables["set"], conditions={**tables["set"].conditions, **SET.of(through_drivers=1.0)})
    with pytest.raises(TableError, match="of the cell alone; got set with `through_drivers`"):
        verify(TableFile({**tables.tables, "set": old}, tables.provenance), seed=9, points=4)


def test_verify_refuses_plans_that_compare_nothing(made, monkeypatch):
    _, tables, _ = made
    monkeypatch.setattr(verify_module, "fresh_points", lambda *_, **__: {})
    with pytest.raises(TableError, match="nothing was compared: no plan of the table file limits a held-out error"):
        verify(tables, seed=7, points=4, workers=1)


def test_a_point_that_fails_keeps_its_deck_and_writes_nothing(tmp_path, monkeypatch):
    path = tmp_path / "tables.h5"
    path.write_text("an older result")
    broken = netlists.text(netlists.RRAM_SKY130).replace(".subckt rram_sky130 ", ".subckt another ")
    real = netlists.text
    monkeypatch.setattr(netlists, "text", lambda name: broken if name == netlists.RRAM_SKY130 else real(name))
    with pytest.raises(SimulationError, match="parse") as caught:
        characterize(in_form(TINY, "never"), path, RunOptions(workers=1))
    assert ".subckt another" in caught.value.deck
    assert caught.value.log
    assert path.read_text() == "an older result"
    assert sorted(tmp_path.iterdir()) == [path, store_of(path)]
