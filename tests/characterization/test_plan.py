"""Plans of components as data: the kit's own, what is filled in, what is refused; designs of several."""

import json
from dataclasses import replace

import pytest

from rramkit.characterization.components import COMPONENTS
from rramkit.characterization.design import (
    Design,
    component_plan,
    echo,
    find_design,
    libraries_of,
    plan_names,
    plans_of,
    read_design,
)
from rramkit.characterization.engine.cases import case_at, fresh_places, places
from rramkit.characterization.engine.corners import Corners
from rramkit.characterization.engine.plan import HeldOutPlan
from rramkit.characterization.plan import Plan
from rramkit.circuits import catalog
from rramkit.errors import FormerNameWarning, InputError

STEPS = {"parameter": "overdrive", "kind": "logarithmic", "first": 1e-4, "last": 1e-2, "points": 3}


def plan(**given):
    return component_plan({"name": "mine", "block": "sense_amp", "axes": [STEPS]} | given, where="the test")


def test_every_component_is_in_the_catalogue_and_has_a_plan():
    # wires: decks of whole crossbars; noise: analyses of the decks of the ADC and the readout
    assert set(COMPONENTS) - {"wires", "adc_noise", "readout_noise"} <= set(catalog.BLOCKS)
    planned = {each.component.name for name in plan_names() for each in find_design(name).plans}
    assert planned == set(COMPONENTS)


@pytest.mark.parametrize("name", plan_names())
def test_the_kits_own_plans_can_be_read_and_told_again(name):
    design = find_design(name)
    for each in design.blocks:
        back = component_plan(json.loads(each.as_json()), where="the echo")
        assert back.as_json() == each.as_json()
        placed = {path: 0.5 for path in [each.prepared_axis] if path}
        case = case_at(each, places(each)[0])
        at = tuple(("state", 0.5) if path in placed else (path, value) for path, value in case.at)
        assert replace(case, at=at).resolved()[0] is not None
        assert each.limits  # a plan that nothing can fail checks nothing


def test_the_default_design_holds_every_plan_of_a_component():
    design = find_design("design")
    single = {each.name for name in plan_names() if name != "design" for each in find_design(name).blocks}
    assert {each.name for each in design.plans} == single
    for each in design.plans[:3]:
        assert [axis.label for axis in each.all_axes[-2:]] == ["corner", "temperature"]
        assert 300.15 in each.corners.temperature
    assert design.plans[3].corners == Corners(process=("tt",), temperature=(300.15,))


def test_a_plan_of_cell_and_array_is_four_plans_of_components():
    read, write, reset, wires, *_ = Plan(seed=9).expanded()
    assert [each.name for each in (read, write, reset, wires)] == ["read", "set", "reset", "wires"]
    assert [axis.parameter for axis in write.axes] == ["g_start", "v_first"]
    assert {each.seed for each in (read, write, reset, wires)} == {9}
    assert "v_bl" in write.constants and "v_wl" in reset.constants
    assert wires.after == ("read",)
    chosen = Plan.checked({"monte_carlo": {"count": 8, "spreads": ["devices", "mismatch"]}}, where="a file of 0.1.0")
    assert chosen.monte_carlo.spreads == ("device", "mismatch")
    assert chosen.expanded()[1].monte_carlo.grid == {"g_start": 5, "v_pulse": 7}


def test_plans_of_cells_over_their_state_still_load():
    old = {"name": "cell_set", "block": "cell-write", "parameters": {"pulses": 1, "v_last": 1.5, "polarity": "set"}}
    assert component_plan(old, where="the test").component.name == "cell_write"
    with pytest.raises(InputError, match="pulses"):
        component_plan(old | {"parameters": {"pulses": 5}}, where="the test")


def test_what_a_plan_leaves_out_is_filled_in_and_echoed():
    found = plan(parameters={"v_cm": 0.7})
    assert found.parameters["v_cm"] == 0.7
    assert found.parameters["latch"]["w_input"] == 4e-6
    assert plans_of(echo(Design(blocks=(found,)))) == [found]
    assert [each.name for each in plans_of({"plan": "{}"})] == ["read", "set", "reset", "wires"]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"block": "flux capacitor"}, "must be one with measures"),
        ({"parameters": {"v_xx": 1}}, "not a known key"),
        ({"parameters": {"v_cm": 50}}, "v_cm"),
        ({"axes": [STEPS, {"parameter": "latch.q", "first": 1, "last": 2, "points": 2}]}, "must name a parameter"),
        ({"axes": [STEPS, STEPS]}, "two axes have one name"),
        ({"axes": []}, "steps through it"),
        ({"measures": ["colour"]}, "'colour' is none of"),
        ({"limits": {"colour": {"max": 1}}}, "'colour' is none of"),
        ({"samples": 5}, "counts scattered points"),
        (
            {"axes": [STEPS | {"kind": "latin", "points": 0}], "samples": 9, "corners": {"supply": [0.9, 1]}},
            "stand alone",
        ),
        ({"monte_carlo": {"count": 1}}, "2 or more draws"),
        ({"colour": 1}, "not a known key"),
        ({"name": "Mine!"}, "name"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(wrong, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        if "axes" in wrong and wrong["axes"] == []:
            wrong = wrong | {"measures": ["t_decide"]}
        plan(**wrong)
    assert "\n" not in str(caught.value)


def test_a_block_without_mismatch_takes_no_draws_of_it():
    with pytest.raises(InputError, match="takes no mismatch"):
        component_plan({"name": "x", "block": "level_shifter", "monte_carlo": {"count": 9}}, where="the test")


def test_fresh_places_are_inside_the_range_repeatable_and_whole_where_they_must_be():
    found = component_plan(
        {
            "name": "x",
            "block": "row_driver",
            "axes": [
                {"parameter": "code", "first": 0, "last": 7, "points": 8},
                {"parameter": "row.cells", "kind": "list", "values": [16, 64]},
            ],
            "corners": {"process": ["tt", "ss"], "temperature": [250, 350]},
        },
        where="the test",
    )
    drawn = fresh_places(found, seed=3, runs=20, steps=4)
    assert drawn == fresh_places(found, seed=3, runs=20, steps=4)
    assert drawn != fresh_places(found, seed=4, runs=20, steps=4)
    for place in drawn:
        assert set(place.at) == {"cells", "corner", "temperature"}
        assert 16 <= place.at["cells"] <= 64 and place.at["cells"] == round(place.at["cells"])
        assert place.at["corner"] in (0, 1) and 250 <= place.at["temperature"] <= 350
        assert all(0 <= code <= 7 and code == round(code) for code in place.steps)
    assert sorted(place.at["corner"] for place in drawn) == [0.0] * 10 + [1.0] * 10
    grid = places(found)
    assert len(grid) == 2 * 2 * 2 and all(place.steps == tuple(range(8)) for place in grid)


def test_a_few_fresh_places_leave_no_process_corner_out():
    found = component_plan(
        {"name": "x", "block": "level_shifter", "corners": {"process": ["tt", "ff", "ss"]}}, where="the test"
    )
    for seed in range(8):
        assert {place.at["corner"] for place in fresh_places(found, seed=seed, runs=3, steps=1)} == {0.0, 1.0, 2.0}


def test_a_design_of_a_file_of_several_plans(tmp_path):
    (tmp_path / "own.toml").write_text('name = "own"\nblock = "level_shifter"\n')
    path = tmp_path / "all.toml"
    path.write_text(
        'blocks = ["sense-amp", "own.toml", {name = "third", block = "row-driver-serial"}]\n[cell]\nseed = 3\n'
    )
    design = read_design(path)
    assert [each.name for each in design.blocks] == ["sense_amp", "own", "third"]
    assert design.cell is not None and design.cell.seed == 3
    path.write_text("seed = 4\n")
    assert read_design(path) == Design(cell=Plan(seed=4))
    for text, complaint in (
        ('blocks = ["own.toml", "own.toml"]', "two plans have one name"),
        ('blocks = ["nothing"]', "must hold names"),
        ("blocks = 3", "must be a list"),
        ("blocks = []", "nothing to do"),
        ("block = ", "not a TOML file"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=complaint):
            read_design(path)
    with pytest.raises(InputError, match="must be a TOML file or one of"):
        find_design("nothing")


def test_a_plan_of_former_names_is_read_with_a_note(tmp_path):
    path = tmp_path / "own.toml"
    path.write_text('name = "own"\nblock = "strongarm-offset"\n')
    with pytest.warns(FormerNameWarning, match="`strongarm-offset` is now named `sense_amp_offset`"):
        assert read_design(path).plans[0].component.name == "sense_amp_offset"
    with pytest.warns(FormerNameWarning, match="`sar-mismatch` is now named `adc_mismatch`"):
        assert find_design("sar-mismatch") == find_design("adc_mismatch")
    assert plan(block="strongarm").component.name == "sense_amp"  # as in the provenance of a table file: no note


def test_the_libraries_of_every_corner_are_named():
    found = libraries_of(plan(corners={"process": ["tt", "ff"]}))
    assert found == {"cmos_45nm_tt.lib", "cmos_45nm_ff.lib"}
    behavioural = {"pulses": 1, "cell": {"device": {"compiled": "never"}}}
    cell = component_plan({"name": "c", "block": "cell_write", "parameters": behavioural}, where="the test")
    assert libraries_of(cell) == {"cmos_45nm_tt.lib", "rram_sky130.lib"}


def test_the_chip_is_the_design_at_its_nominal_condition():
    design, chip = find_design("design"), find_design("chip")
    assert {plan.name for plan in chip.plans} < {plan.name for plan in design.plans}
    for each in chip.plans:
        assert not each.corners.axes
        assert each.corners.process == ("tt",) and each.corners.temperature == (300.15,)
    by_name = {plan.name: plan for plan in design.plans}
    for each in chip.plans:  # every table is the design's, but for the inputs that the wires are fitted to
        ours, theirs = (
            plan.model_copy(update={"corners": Corners(), "held_out": HeldOutPlan(), "limits": {}})
            for plan in (each, by_name[each.name])
        )
        if each.name == "wires":
            ours, theirs = (plan.model_copy(update={"parameters": {}}) for plan in (ours, theirs))
        assert ours == theirs
        assert set(each.limits) == set(by_name[each.name].limits)  # and every check of it is there
        for points in ("runs", "steps", "draws"):
            assert getattr(each.held_out, points) <= getattr(by_name[each.name].held_out, points)


def test_a_derived_design_changes_single_keys_of_its_base(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(
        'base = "chip"\n[changes.adc.limits.code]\nheld_out_max = 1.2\n[changes.cell.wires]\nvectors = 2\n',
        encoding="utf-8",
    )
    small, chip = read_design(path), find_design("chip")
    assert small.cell is not None and chip.cell is not None
    assert small.cell == chip.cell.model_copy(update={"wires": chip.cell.wires.model_copy(update={"vectors": 2})})
    for ours, theirs in zip(small.blocks, chip.blocks, strict=True):
        assert ours.name == "adc" or ours == theirs
    limits = {plan.name: plan for plan in small.blocks}["adc"].limits["code"]
    assert (limits.held_out_rms, limits.held_out_max) == (1.0, 1.2)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ("[changes.no_such_plan]\nseed = 1", "`changes` must name plans: cell, .*got 'no_such_plan'"),
        ("[changes.adc]\nrunz = 1", "changes.adc"),
        ("[changes.cell.wires]\nvectors = 0", "changes.cell"),
    ],
)
def test_changes_that_do_not_fit_are_refused(tmp_path, changes, complaint):
    path = tmp_path / "small.toml"
    path.write_text(f'base = "chip"\n{changes}\n', encoding="utf-8")
    with pytest.raises(InputError, match=complaint):
        read_design(path)


def test_a_derived_design_refuses_a_plan_that_its_base_has_not(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text('base = "chip"\nwithout = ["no_such_plan"]\n', encoding="utf-8")
    with pytest.raises(InputError, match="no_such_plan"):
        read_design(path)
