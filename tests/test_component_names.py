"""One component, one name: in the catalogue, the measures, plans, golden decks, table groups, docs and tests."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from rramkit.characterization.components import COMPONENTS
from rramkit.circuits import catalog
from rramkit.table import schema

PATH = Path(__file__).resolve().parent.parent / "benchmarks" / "component_names.py"
FORMER_GROUPS = {"dac", "bit_serial", "transimpedance", "integrator", "adc_conversion", "sense", "sense_offset"} | {
    "driver_set",
    "driver_reset",
    "write_disturb",
}


@pytest.fixture(scope="module")
def names():
    spec = spec_from_file_location("component_names", PATH)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_component_has_its_name_where_it_must(names):
    for component, rooms in names.table().items():
        assert rooms["circuits"] == (component,)
        assert rooms["docs"] == (component,), component
        assert rooms["tests"] == (component,), component
        assert rooms["catalogue"] == rooms["golden"] or sorted(rooms["catalogue"]) == sorted(rooms["golden"])
        if rooms["measures"]:
            assert rooms["components"] == (component,)


def test_the_nomenclature_lists_every_component(names):
    page = (names.ROOT / "docs" / "nomenclature.md").read_text(encoding="utf-8")
    written = page.split("<!-- components -->\n")[1].split("<!-- end of components -->")[0]
    assert written == names.markdown(), "paste the output of `python benchmarks/component_names.py --markdown`"


def test_no_room_has_a_name_of_its_own(names):
    everywhere = {*catalog.BLOCKS, *COMPONENTS, *names.plans(), *names.groups()}
    assert not {name for name in everywhere if not names.component_of(name)}
    assert not everywhere & (set(catalog.FORMER_NAMES) | FORMER_GROUPS)
    assert not {name for name in everywhere if "-" in name}


def test_measures_and_catalogue_agree(names):
    for name, component in COMPONENTS.items():
        assert component.name == name
        module = component.measure.__module__.rsplit(".", 1)[-1]
        assert module == names.component_of(name), f"{name} is measured in components/{module}.py"
        if component.name in catalog.BLOCKS and names.component_of(name) != "cell":  # the cell's are of a state map too
            assert component.parameters is catalog.BLOCKS[name].parameters


def test_a_plan_is_named_as_its_file_and_characterises_its_component(names):
    for stem, plan in names.plans().items():
        component = names.component_of(stem)
        own = {stem, stem.removeprefix("cell_")} if component == "cell" else {stem}
        assert plan["name"] in own
        assert names.component_of(plan["component"]) == component


def test_a_group_of_the_schema_is_a_plan_or_its_summary(names):
    plans = {name for stem, plan in names.plans().items() for name in (stem, plan["name"])}
    without = {*names.CELL_GROUPS, *names.CHECK_GROUPS}  # checks of whole arrays are not characterised: no plan
    for group in names.groups():
        assert group in without or group.removesuffix(schema.SUMMARY) in plans, group


def test_former_names_lead_to_present_ones():
    for former, present in catalog.FORMER_NAMES.items():
        assert catalog.current_name(former) == catalog.current_name(former.replace("_", "-")) == present
    assert {catalog.current_name(name) for name in catalog.FORMER_NAMES} <= set(catalog.BLOCKS) | {"adc_mismatch"}
    for name in catalog.BLOCKS:
        assert catalog.current_name(name) == catalog.current_name(name.replace("_", "-")) == name
