"""The kit's cells compiled: where they come from, what decks and table files say of them, arrays that they allow.

That each equals its behavioural cell stands in tests/circuits/test_device.py.
"""

import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures.closeness import near
from typer.testing import CliRunner

from rramkit import netlists
from rramkit.characterization import run
from rramkit.characterization.design import Design, _check_models, component_plan, find_design, libraries_of, with_cells
from rramkit.characterization.device_check import check_device
from rramkit.characterization.engine.cache_key import content_key
from rramkit.circuits import libraries
from rramkit.circuits.cell import CellParams, PulseShape
from rramkit.circuits.compiled_cell import CompiledCell
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.crossbar_write import CrossbarWriteParams, Selection, array_write
from rramkit.circuits.device import Device, DevicePulseParams, in_form, pulse_train
from rramkit.circuits.verilog_a import compact_model, compiler, models_of_deck
from rramkit.cli.app import app
from rramkit.cli.characterize import counts_of
from rramkit.errors import InputError, SetupError, TableError
from rramkit.netlists import models
from rramkit.parameters import flat

compact_models = sys.modules[compact_model.__module__]  # its name is also that of the function
OWN_LIBRARY = ".subckt own te be s s_0=0\nR1 te be 1k\nC1 s 0 1n ic={s_0}\n.ends\n"
TRAIN = DevicePulseParams(device=Device(model="bulk"), v_pulse=(2.3,))


def deck_of(form, **changes):
    return pulse_train(in_form(TRAIN.model_copy(update=changes), form)).text()


def cards(deck):
    """What ngspice acts on."""
    return [line for line in deck.splitlines()[1:] if not line.startswith("*")]


def measured(waves):
    """Stand for a point's measure: any function of a module."""
    return waves


@pytest.fixture
def no_compiler(monkeypatch, tmp_path):
    """A machine without a compiler whose folder of compiled files is empty."""
    monkeypatch.setattr(compiler, "PROGRAMS", ("no-such-compiler",))
    monkeypatch.setattr(compact_models, "_known", {})
    monkeypatch.delenv(compiler.VARIABLE, raising=False)
    monkeypatch.setenv(compiler.FOLDER_VARIABLE, str(tmp_path / "osdi"))


@pytest.mark.parametrize("model", models.names())
def test_the_physical_test_passes(verilog_a, pool, model):
    del verilog_a
    findings = check_device(Device(model=model, compiled="always"), pool)
    assert [finding.check for finding in findings if not finding.passed] == []
    assert findings[0].found.endswith("in the Verilog-A text")


def test_by_default_nothing_says_that_a_cell_could_be_compiled():
    """Keys of finished points, plans in table files and golden decks are those of before."""
    assert "compiled" not in Device().as_json() and "compiled" not in pulse_train(TRAIN).text()
    assert len({Device(compiled=form).key() for form in ("in_plans", "never", "auto")}) == 3
    assert cards(pulse_train(TRAIN).text()) == cards(deck_of("never"))
    assert "device.compiled" in [name for name, *_ in flat(TRAIN)]  # a listing has it


def test_without_a_compiler_auto_is_the_behavioural_cell(no_compiler):
    del no_compiler
    assert cards(deck_of("auto")) == cards(deck_of("never"))
    with pytest.raises(
        SetupError, match=r"`compiled` = always needs the Verilog-A compiler .*; found none.*auto or never"
    ):
        deck_of("always")


@pytest.mark.usefixtures("verilog_a")
def test_what_a_compiler_left_is_used_without_it(monkeypatch):
    with_compiler = deck_of("always")
    monkeypatch.setattr(compact_models, "_known", {})
    monkeypatch.setattr(compiler, "PROGRAMS", ("no-such-compiler",))
    monkeypatch.delenv(compiler.VARIABLE, raising=False)
    left = deck_of("auto")
    assert cards(left) == cards(with_compiler)
    assert left.splitlines()[2] == with_compiler.splitlines()[2]  # text and compiler's version
    assert left.splitlines()[2].startswith("* compiled model: rram_bulk.va ")
    monkeypatch.setattr(compact_models, "_known", {})
    monkeypatch.setattr(compiler, "_MACHINE", "another-kind")
    assert cards(deck_of("auto")) == cards(deck_of("never"))


@pytest.mark.usefixtures("verilog_a")
def test_auto_compiles_where_there_is_a_compiler(pool):
    deck = deck_of("auto")
    assert "\nNcell te be s rram_bulk_model g_min={g_min} " in deck and "Bset" not in deck
    assert pool.run(deck).measures["state_0"] == near(pool.run(deck_of("never")).measures["state_0"], within=1e-5)


@pytest.mark.usefixtures("verilog_a")
def test_deck_key_and_provenance_hold_the_hash():
    library = in_form(TRAIN, "always").device.model_file
    assert isinstance(library, CompiledCell)
    text = compact_model(library.path)
    deck = deck_of("always")
    assert f"* compiled model: rram_bulk.va {text.sha256} {text.compiler}\n" in deck
    keys = {content_key(deck_of(form), measured, "ngspice") for form in ("never", "always")}
    keys.add(content_key(deck.replace(text.sha256, "0" * 64), measured, "ngspice"))
    assert len(keys) == 3
    design = with_cells(find_design("disturb"), "always")
    hashes = json.loads(run.inputs(design, "ngspice")["models"])
    used = {str(each): each for plan in design.plans for each in libraries_of(plan)}
    assert hashes["rram_sky130.va"] == libraries.sha256(used["rram_sky130.va"])
    assert hashes["rram_sky130.lib"] == libraries.sha256("rram_sky130.lib")
    assert '"compiled": "always"' in run.inputs(design, "ngspice")["component_plan_disturb"]


def plan_of_pulses(**changes):
    """A plan of cells that say nothing: two pulses."""
    values = {"name": "pulses", "component": "cell_write", "held_out": {"runs": 1}, "step_runs": 0, **changes}
    axis = {"parameter": "g_start", "kind": "list", "values": [2e-5]}
    step = {"parameter": "v_first", "name": "v_pulse", "first": 1.2, "last": 1.4, "points": 2}
    return Design(blocks=(component_plan({"axes": [axis, step], **values}, where="test"),))


def test_a_plan_without_a_compiler_has_the_points_of_behavioural_cells(no_compiler):
    """As it has always had them: finished points are found again, and the plan's text says nothing."""
    del no_compiler
    (plan,) = plan_of_pulses().plans
    assert plan.simulated == plan.nominal and "compiled" not in plan.as_json()
    assert {str(each) for each in libraries_of(plan)} == {"rram_sky130.lib", "cmos_45nm_tt.lib"}


@pytest.mark.usefixtures("verilog_a")
def test_a_run_that_is_resumed_with_a_compiler_mixes_nothing(tmp_path, monkeypatch):
    """Behavioural points lie beside those of compiled cells and are not taken for them; each form finds its own."""
    options = run.RunOptions(workers=1, points=tmp_path / "both.points")
    behavioural = run.characterize(with_cells(plan_of_pulses(), "never"), tmp_path / "never.h5", options)
    compiled = run.characterize(plan_of_pulses(), tmp_path / "auto.h5", options)
    again = run.characterize(plan_of_pulses(), tmp_path / "again.h5", options)
    assert compiled.provenance["spice_reused"] == "0"
    assert again.provenance["spice_reused"] == compiled.provenance["spice_runs"]
    told = json.loads(compiled.provenance[run.COMPILED_CELLS])["rram_sky130.va"]
    (model,) = [each.compact_models[0] for each in libraries_of(plan_of_pulses().plans[0]) if not isinstance(each, str)]
    assert told["loaded"] == hashlib.sha256(Path(model.file).read_bytes()).hexdigest()
    assert run.COMPILED_CELLS not in behavioural.provenance
    assert counts_of(compiled.provenance).endswith(", cells compiled from rram_sky130.va")
    assert counts_of(behavioural.provenance).endswith(", cells in behavioural sources")
    wide = np.max(np.abs(behavioural["pulses"]["delta_g"].values))  # full scale; 1e-4: the steps of ngspice
    assert np.asarray(compiled["pulses"]["delta_g"].values) == near(
        behavioural["pulses"]["delta_g"].values, within=1e-4 * wide
    )
    assert not np.array_equal(compiled["pulses"]["delta_g"].values, behavioural["pulses"]["delta_g"].values)


@pytest.mark.usefixtures("verilog_a")
def test_either_form_checks_a_table_file_of_the_other_but_no_other_model():
    plain = find_design("disturb")
    compiled = with_cells(plain, "always")
    for made, checked in ((plain, compiled), (compiled, plain)):
        _check_models(checked.plans, run.inputs(made, "ngspice"))
    other = {"models": json.dumps({"rram_sky130.lib": "0" * 64})}
    with pytest.raises(TableError, match=r"made from other models"):
        _check_models(compiled.plans, other)


@pytest.mark.usefixtures("verilog_a")
def test_a_deck_of_it_runs_in_another_process(monkeypatch):
    """Its model is the kit's own text, so nobody must name it; another text's hash is refused."""
    deck = deck_of("always")
    for kept in ("_by_hash", "_known"):
        monkeypatch.setattr(compact_models, kept, {})
    (model,) = models_of_deck(deck)
    assert model.modules[0].name == "rram_bulk_cell"
    with pytest.raises(InputError, match=r"the deck needs the compiled model rram_bulk\.va"):
        models_of_deck(deck.replace(model.sha256, "0" * 64))


def test_a_users_library_is_not_compiled_by_this_key(tmp_path):
    (tmp_path / "own.lib").write_text(OWN_LIBRARY)
    with pytest.raises(InputError, match=r"compiled is of the kit's models"):
        Device.checked({"library": str(tmp_path / "own.lib"), "model": "own", "compiled": "auto"}, where="x")


def test_shares_are_merged_in_the_form_that_they_ran_in(tmp_path, monkeypatch):
    """Else a merge on a machine with a compiler would run all points again."""
    asked = []

    def stand_in(plan, *_):
        asked.append(plan)
        raise InputError("no run of this test")

    monkeypatch.setattr(run, "characterize", stand_in)
    for command in (["merge", str(tmp_path / "t.h5"), "part.points"], ["characterize", "-o", str(tmp_path / "t.h5")]):
        CliRunner().invoke(app, [*command, "--plan", "chip", "--compiled-cells", "never"])
    assert asked[0] == asked[1] == with_cells(find_design("chip"), "never") != find_design("chip")


def test_a_users_subcircuit_cannot_always_be_compiled(tmp_path):
    (tmp_path / "own.lib").write_text(OWN_LIBRARY)
    own = DevicePulseParams(device=Device(library=str(tmp_path / "own.lib"), model="own"))
    assert in_form(own, "auto") == own == in_form(own, "never")
    assert not own.device.used().compiled
    with pytest.raises(InputError, match=r"= always needs .*; got own of own\.lib, SPICE text of yours\. Use auto or"):
        in_form(own, "always")


@pytest.mark.usefixtures("verilog_a")
def test_a_users_compact_model_is_compiled_and_can_be_nothing_else(tmp_path):
    text = (netlists.FOLDER / "rram_bulk.va").read_text()
    (tmp_path / "own.va").write_text(text)
    own = Device(library=str(tmp_path / "own.va"), model="rram_bulk_cell")
    assert in_form(own, "auto") == own == in_form(own, "always")
    assert own.used().compiled and own.used(held=True).compiled
    assert own.used().library == "own.va" and own.used().sha256 == libraries.sha256(own.model_file)
    with pytest.raises(InputError, match=r"= never needs .*; got rram_bulk_cell of own\.va, a compact model of yours"):
        in_form(own, "never")
    bar = CrossbarParams(rows=16, cols=16).model_copy(update={"cell": CellParams(device=own)})
    array_write(CrossbarWriteParams(crossbar=bar, pulses=1))  # as many moving cells as of a compiled model of the kit


def test_every_device_of_a_design_takes_the_option():
    design = with_cells(find_design("design"), "auto")
    assert design.cell is not None
    texts = [*(plan.as_json() for plan in design.blocks), design.cell.as_json()]
    assert sum('"compiled": "auto"' in text for text in texts) >= 4  # cell, disturb, both write drivers
    assert all(text.count('"compiled": "auto"') == text.count('"parameter_set"') for text in texts)
    back = with_cells(design, "never")
    plain = [plan.as_json() for plan in find_design("design").plans]
    assert [plan.as_json().replace('"compiled": "never", ', "") for plan in back.plans] == plain


def test_the_option_takes_three_words():
    runner = CliRunner()
    done = runner.invoke(app, ["characterize", "--compiled-cells", "yes", "--list"])
    assert done.exit_code != 0 and "must be one of never, auto, always; got 'yes'" in str(done.exception)
    done = runner.invoke(app, ["characterize", "--plan", "disturb", "--compiled-cells", "auto", "--list"])
    assert done.exit_code == 0 and '"compiled": "auto"' in done.stdout
    done = runner.invoke(app, ["prove", "run.h5", "--compiled-cells", "yes"])
    assert done.exit_code != 0 and "must be one of never, auto, always; got 'yes'" in str(done.exception)


def write(rows, form, *, r_driver, row=0, col=0):
    bar = CrossbarParams(rows=rows, cols=rows)
    given = {"crossbar": bar, "pulses": 1, "selection": Selection(row=row, col=col)}
    return array_write(in_form(CrossbarWriteParams(pulse=PulseShape(r_driver=r_driver), **given), form))


@pytest.mark.parametrize("side", [16, pytest.param(32, marks=pytest.mark.long)])
@pytest.mark.usefixtures("verilog_a")
def test_a_write_in_an_array_is_that_of_a_cell_behind_its_wires(pool, side):
    """One cell of 16 x 16 or 32 x 32, all states free to move, every segment 1 ohm, through ideal drivers.

    The oracle is one behavioural cell whose drivers have the resistance of the segments that its current passes: as
    many on its row as on its column, half of the side.
    """
    half = side // 2
    array = pool.run(write(side, "always", r_driver=1.0, row=side - 1 - half, col=half).text())
    alone = pool.run(write(1, "never", r_driver=1.0 + half).text())
    assert alone.measures["ds_selected"] > 0.2
    # the row's other cells are open and carry a part of the current back: 3e-5 of the range here
    assert array.measures["ds_selected"] == near(alone.measures["ds_selected"], within=2e-4)
    wires = write(1, "never", r_driver=1.0)
    assert abs(pool.run(wires.text()).measures["ds_selected"] - alone.measures["ds_selected"]) > 1e-4  # they matter
    moved = {name: float(array[name][-1]) - 0.7 for name in array.vectors if name.startswith("s_")}
    del moved[f"s_{side - 1 - half}_{half}"]
    assert len(moved) == side * side - 1 and np.max(np.abs(list(moved.values()))) < 1e-9  # the transient's noise


@pytest.mark.usefixtures("verilog_a")
def test_a_small_write_is_the_behavioural_one_in_every_state(pool):
    given = {"crossbar": CrossbarParams(rows=3, cols=3), "pulses": 1, "selection": Selection(scheme="half", row=1)}
    params = CrossbarWriteParams(v_write=1.8, v_word=1.5, **given)
    ours, compiled = (pool.run(array_write(in_form(params, form)).text()) for form in ("never", "always"))
    for name in [name for name in ours.vectors if name.startswith("s_")]:
        assert float(compiled[name][-1]) == near(float(ours[name][-1]), within=1e-5)


def test_a_large_write_of_behavioural_cells_says_what_to_do():
    with pytest.raises(InputError, match=r"64 or less.*`crossbar\.cell\.device\.compiled` = always, go to 1024"):
        write(16, "never", r_driver=1.0)
