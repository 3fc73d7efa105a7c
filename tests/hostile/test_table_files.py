"""Table files that somebody sends: `verify` opens no model file that they name, and no attribute becomes deck text."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from fixtures.synthetic import tables
from fixtures.tiny_plan import TINY
from fixtures.watched import Untouched, untouched

from rramkit import table
from rramkit.characterization.design import Design, component_plan, echo, plans_of
from rramkit.characterization.limits import all_broken, data_sheet
from rramkit.characterization.run import inputs
from rramkit.characterization.spice_arrays import spice_arrays
from rramkit.characterization.verify import verify
from rramkit.circuits import libraries
from rramkit.circuits.libraries import name_library
from rramkit.errors import InputError, KitError, TableError
from rramkit.table import TableFile

COMMAND = "x\n.control\nshell touch CANARY\n.endc"
# Dotted key of the plan, and what it is set to.
PLANS = {
    "model file": ("cell.technology.library_file", "SECRET"),
    "model file that is a device": ("cell.technology.library_file", "/dev/zero"),
    "model file of a corner": ("cell.technology.corners", {"tt": {"library_file": "SECRET"}}),
    "model file of a corner, short": ("cell.technology.corners", {"tt": "SECRET"}),
    "model file with a command": ("cell.technology.library_file", COMMAND),
    "model file in the wires' array": ("wires.crossbar.cell.technology.library_file", "SECRET"),
    "model's name": ("cell.technology.nmos_io", COMMAND),
    "section": ("cell.technology.section", COMMAND),
    "corner": ("cell.technology.corner", COMMAND),
    "process": ("corners.process", [COMMAND]),
    "compact models, which are machine code": ("cell.technology.osdi", ["SECRET"]),
    "device that is machine code": ("cell.device", {"library": "SECRET.osdi", "model": "m"}),
    "device model": ("cell.device.model", "../../SECRET"),
    "parameter of a device": ("cell.device.overrides", {COMMAND: 1.0}),
    "parameter that is no number": ("cell.device.overrides", {"v0": COMMAND}),
    "pins": ("cell.technology.subcircuit.pins", COMMAND),
    "name": ("name", COMMAND),
    "number": ("cell.w_access", COMMAND),
    "polarity": ("pulse.set_line", COMMAND),
    "unknown key": ("cell.command", COMMAND),
    "list in place of a record": ("cell", [COMMAND]),
}
TEXTS = {
    "no JSON": "{",
    "no plan": "[1]",
    "deep": "[" * 100_000,
    "deck": COMMAND,
    "number": "1e999",
}


@pytest.fixture
def place(tmp_path, monkeypatch) -> Untouched:
    place = Untouched(tmp_path)
    monkeypatch.chdir(place.work)
    monkeypatch.setattr(libraries, "_named", set())
    return place


def sent(place: Untouched, provenance: Mapping[str, str]) -> TableFile:
    """The table file as it comes back from the disk."""
    path = place.inputs / "sent.h5"
    table.save(replace(tables(), provenance=dict(provenance)), path)
    return table.load(path)


def refuses(place: Untouched, file: TableFile) -> None:
    def arrays() -> None:
        with spice_arrays(file):
            pass

    for use in (lambda: verify(file, seed=99, points=4), lambda: plans_of(file.provenance)):
        with untouched(place), pytest.raises(KitError) as caught:
            use()
        assert "\n" not in str(caught.value) and "top_secret" not in str(caught.value)
    for use in (lambda: all_broken(file), lambda: data_sheet(file)):
        with untouched(place):
            try:
                use()
            except KitError as error:
                assert "\n" not in str(error) and "top_secret" not in str(error)


def with_value(place: Untouched, path: str, value: object) -> dict[str, object]:
    plan = json.loads(TINY.as_json())
    *groups, last = path.split(".")
    node = plan
    for name in groups:
        node = node[name]
    node[last] = json.loads(place.place(json.dumps(value)))
    return plan


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_in_a_table_file_runs_and_reads_nothing(place, name):
    refuses(place, sent(place, {"plan": json.dumps(with_value(place, *PLANS[name]))}))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("key", ["plan", "component_plan:read"])
def test_a_plan_that_is_none(place, name, key):
    from rramkit.table.schema import COMPONENT_PLAN

    key = key.replace("component_plan:", COMPONENT_PLAN)
    refuses(place, sent(place, {key: place.place(TEXTS[name])}))


def flat_read(place: Untouched, vto: float = 0.6) -> Design:
    """A plan with a model file of the user's own."""
    path = place.inputs / "mine.lib"
    path.write_text(f".model mn nmos level=1 vto={vto} kp=200u tox=7n\n")
    technology = {"library_file": str(path), "nmos_io": "mn"}
    parameters = {"cell": {"technology": technology}, "points": 3}
    given = {"component": "cell_read", "name": "read_mine", "parameters": parameters, "measures": ["i_cell"]}
    axes = [
        {"parameter": "state", "kind": "list", "values": [0.5, 0.75, 1.0]},
        {"parameter": "v_cell", "first": -0.2, "last": 0.2, "points": 3},
    ]
    return Design(blocks=(component_plan({**given, "axes": axes}, where="test"),))


def test_a_model_file_is_the_one_that_the_user_names(place):
    design = flat_read(place)
    provenance = inputs(design, "ngspice")
    assert plans_of(provenance) == list(design.plans)
    libraries._named.clear()  # another process
    with pytest.raises(InputError, match=r"--library mine\.lib"):
        plans_of(provenance)
    assert plans_of(provenance, simulated=False)[0].name == "read_mine"
    name_library(place.inputs / "mine.lib")
    assert plans_of(provenance) == list(design.plans)


def test_a_table_is_not_verified_against_other_models(place):
    provenance = inputs(flat_read(place), "ngspice")
    flat_read(place, vto=0.7)
    with pytest.raises(TableError, match=r"made from other models: mine\.lib"):
        plans_of(provenance)


def test_the_kits_own_models_count_too():
    provenance = echo(Design(cell=TINY)) | {"models": json.dumps({"cmos_45nm_tt.lib": "0" * 64})}
    with pytest.raises(TableError, match="made from other models"):
        plans_of(provenance)
