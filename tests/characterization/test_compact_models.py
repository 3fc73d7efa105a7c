"""Devices and transistors in Verilog-A, compiled and simulated: against closed forms and the kit's own subcircuits."""

import json
import tomllib
from pathlib import Path

import numpy as np
import pytest
from fixtures.closeness import near
from typer.testing import CliRunner

from rramkit import table
from rramkit.array.model import ArrayModel
from rramkit.characterization.deck_file import DeckOptions, read_deck
from rramkit.characterization.design import cell_plan_of, plans_of
from rramkit.characterization.device_check import check_device
from rramkit.characterization.plan import Plan
from rramkit.characterization.run import RunOptions, characterize, reusable
from rramkit.circuits import libraries
from rramkit.circuits.device import Device, DevicePulseParams, HeldReadsParams, held_reads, pulse_train
from rramkit.circuits.libraries import name_library
from rramkit.circuits.technology import Technology
from rramkit.circuits.verilog_a import compact_model
from rramkit.cli.app import app
from rramkit.errors import InputError, SimulationError, TableError
from rramkit.parameters import beside
from rramkit.table.schema import READ

pytestmark = pytest.mark.usefixtures("verilog_a")
EXAMPLES = Path(__file__).parents[2] / "examples" / "own_device_va"
R_ON, R_OFF, K, V_T = 10e3, 500e3, 3e7, 0.5  # of drift.va


def example(name, **changes):
    path = EXAMPLES / f"{name}.toml"
    values = tomllib.loads(path.read_text())["device"]
    with beside(path):
        return Device.checked(values | changes, where=str(path))


def states(pool, device, *v_pulse, state=0.3, **given):
    params = DevicePulseParams(device=device, state=state, v_pulse=v_pulse, **given)
    waves = pool.run(pulse_train(params).text())
    return np.array([waves.measures[f"state_{k}"] for k in range(len(v_pulse))])


def drift_states(pool, device):
    return states(pool, device, 1.5, -1.2, r_series=1.0, t_pulse=20e-9)


def closed_form(k=K):
    """1 - x decays with k (v - v_t) in SET, x in RESET; edges of 1 ns past v_t too."""
    area = [k * ((v - V_T) * 20e-9 + (v - V_T) ** 2 / v * 1e-9) for v in (1.5, 1.2)]
    up = 1 - 0.7 * np.exp(-area[0])
    return [up, up * np.exp(-area[1])]


def test_the_linear_drift_follows_its_closed_form(pool):
    # 1 ohm in 10 kohm, and the step
    np.testing.assert_allclose(drift_states(pool, example("drift")), closed_form(), rtol=0, atol=3e-4)


def test_it_is_the_subcircuit_of_the_same_equations(pool):
    library = EXAMPLES.parent / "own_device" / "mydev.lib"
    interface = {"state": "x", "initial": "x0"}
    spice = Device.checked({"library": str(library), "model": "mydev", "interface": interface}, where="x")
    # both integrate with the same steps: what is left is six digits of a measure
    np.testing.assert_allclose(drift_states(pool, example("drift")), drift_states(pool, spice), rtol=0, atol=1e-5)


SKY130 = [(0.1, (2.3, -1.7)), (0.3, (1.9, -1.5)), (0.55, (-1.9, 2.0)), (0.8, (2.3, -1.7))]


@pytest.mark.parametrize(("state", "v_pulse"), SKY130)
def test_the_sky130_cell_is_the_kits_own(pool, state, v_pulse):
    """SET and RESET behind 5 kohm, through thermal runaway: state after each pulse, and the current of it."""
    given = {"state": state, "v_pulse": v_pulse, "r_series": 5e3, "t_step": 5e-11}
    ours, own = (
        pool.run(pulse_train(DevicePulseParams(device=device, **given)).text())
        for device in (Device(model="sky130"), example("sky130"))
    )
    for name, value in ours.measures.items():
        assert own.measures[name] == near(value, within=1e-5)  # of the range; measured 2e-6
    at = 50e-9  # in the first pulse
    currents = [float(np.interp(at, waves["time"], waves["i_drive"])) for waves in (ours, own)]
    assert currents[1] == near(currents[0], 1e-4)  # the points of time differ


def test_its_reads_are_the_kits_own(pool):
    params = {"state": (0.0, 0.3, 0.7, 1.0), "v_read": 0.1}
    ours, own = (
        pool.run(held_reads(HeldReadsParams(device=device, **params)).text())
        for device in (Device(model="sky130"), example("sky130"))
    )
    for k in range(4):
        # the moving cell held by a source heats by 0.1 V in 10 uA: nothing
        np.testing.assert_allclose(own[f"i_device_{k}"][[0, -1]], ours[f"i_device_{k}"][[0, -1]], rtol=1e-6)


def test_overrides_and_ambient_temperature_reach_the_module(pool):
    kit = Device(model="sky130", overrides={"i_k1": 3e-5, "t_amb": 330.0})
    own = example("sky130", overrides={"i_k1": 3e-5, "t_amb": 330.0})
    found, wanted = (states(pool, device, 2.0, -1.7, t_step=5e-11) for device in (own, kit))
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5)
    assert abs(found[0] - states(pool, example("sky130"), 2.0, t_step=5e-11)[0]) > 0.05  # they matter


@pytest.mark.parametrize("name", ["drift", "sky130"])
def test_the_physical_test_passes(pool, name):
    assert [finding.check for finding in check_device(example(name), pool) if not finding.passed] == []


INSIDE_OUT = """\
`include "disciplines.vams"
module Gap(minus, gap, PLUS);
  inout minus, gap, PLUS; electrical minus, gap, PLUS;
  parameter real Gap_0 = 0;
  parameter real r_ON = 10e3;
  real v, x;
  analog begin
    v = V(minus, PLUS);
    x = (1.7 - V(gap))/1.5;
    I(minus, PLUS) <+ v*(x/r_ON + (1 - x)/500e3);
    I(gap) <+ 1e-9*(ddt(V(gap)) + 3e7*max(v - 0.5, 0)*(V(gap) - 0.2) - 3e7*max(-v - 0.5, 0)*(1.7 - V(gap)));
  end
endmodule
"""
OF_THE_GAP = {"te": "plus", "be": "minus", "state": "gap", "initial": "gap_0", "low": 1.7, "high": 0.2}


def test_pins_sign_units_and_case_are_translated(pool, tmp_path):
    """The same cell with a state that falls from 1.7 to 0.2 V, SET at v(be, te) > 0, its pins in another order."""
    path = tmp_path / "gap.va"
    path.write_text(INSIDE_OUT)
    interface = OF_THE_GAP | {"set_voltage": "negative"}
    device = Device.checked({"library": str(path), "model": "Gap", "interface": interface}, where="x")
    np.testing.assert_allclose(drift_states(pool, device), closed_form(), rtol=0, atol=3e-4)


def drift_in(folder, name="mine.va", old="", new=""):
    path = folder / name
    path.write_text((EXAMPLES / "drift.va").read_text().replace(old, new))
    return Device.checked({"library": str(path), "model": "drift", "interface": {"state": "x"}}, where="x")


def test_two_versions_of_one_module_do_not_mix(pool, tmp_path):
    """ngspice keeps what it has loaded, and takes the first of a name: the same pool must tell them apart."""
    first = drift_in(tmp_path)
    faster = drift_in(tmp_path, "faster.va", "k = 3e7", "k = 6e7")
    for _ in range(2):
        np.testing.assert_allclose(drift_states(pool, first), closed_form(), rtol=0, atol=3e-4)
        np.testing.assert_allclose(drift_states(pool, faster), closed_form(6e7), rtol=0, atol=6e-4)
    edited = drift_in(tmp_path, "mine.va", "k = 3e7", "k = 1.5e7")
    np.testing.assert_allclose(drift_states(pool, edited), closed_form(1.5e7), rtol=0, atol=3e-4)


def test_one_deck_cannot_hold_two_versions(pool, tmp_path):
    drift_in(tmp_path)
    drift_in(tmp_path, "faster.va", "k = 3e7", "k = 6e7")
    deck = tmp_path / "two.cir"
    deck.write_text("two\nV1 a 0 1\nN1 a 0 x c\n.model c drift\n.op\n.end\n")
    both = read_deck(deck, DeckOptions(osdi=(str(tmp_path / "mine.va"), str(tmp_path / "faster.va"))))
    with pytest.raises(SimulationError, match="two compact models hold the module `drift`"):
        pool.run(both)


def test_a_compiled_file_is_the_same_device_under_its_own_hash(pool, tmp_path):
    compiled = tmp_path / "mine.osdi"
    compiled.write_bytes(Path(compact_model(str(EXAMPLES / "drift.va")).file).read_bytes())
    device = Device.checked({"library": str(compiled), "model": "drift", "interface": {"state": "x"}}, where="x")
    np.testing.assert_allclose(drift_states(pool, device), closed_form(), rtol=0, atol=3e-4)
    before = libraries.sha256(device.model_file)
    compiled.write_bytes(compiled.read_bytes() + b"\0")
    assert libraries.sha256(device.model_file) != before
    text = check_device(device, pool)[0]
    assert text.passed and "whose text is not known" in text.found


def test_the_hash_is_that_of_the_text_and_of_what_it_includes(tmp_path):
    body = (EXAMPLES / "drift.va").read_text()
    (tmp_path / "rates.inc").write_text("parameter real k = 3e7 from (0:inf);\n")
    path = tmp_path / "mine.va"
    path.write_text(body.replace("  parameter real k = 3e7 from (0:inf);", '`include "rates.inc"'))
    device = Device.checked({"library": str(path), "model": "drift", "interface": {"state": "x"}}, where="x")
    before = libraries.sha256(device.model_file)
    (tmp_path / "rates.inc").write_text("parameter real k = 3.1e7 from (0:inf);\n")
    assert libraries.sha256(device.model_file) != before


def test_an_error_of_the_compiler_is_given_by_the_users_line(tmp_path):
    with pytest.raises(InputError, match=r"does not compile: \S*mine\.va, line 21: ") as caught:
        drift_in(tmp_path, "mine.va", "*(1 - V(x));", "*(1 - V(x))*nothing;")
    assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def made(verilog_a, tmp_path_factory):
    """The example's cell on the coarsest grids."""
    del verilog_a
    folder = tmp_path_factory.mktemp("table")
    with beside(EXAMPLES / "drift.toml"):
        values = Plan.from_toml(EXAMPLES.parent / "own_device" / "plan.toml").model_dump(
            mode="json", exclude_unset=True
        )
    library = folder / "mine.va"
    library.write_text((EXAMPLES / "drift.va").read_text())
    values["cell"]["device"] = {"library": str(library), "model": "drift", "interface": {"state": "x"}}
    values["conductance"] |= {"points": 4, "read_points": 5}
    for polarity in ("set", "reset"):
        values[polarity] |= {"points": 4, "held_out": 4}
    values["read_held_out"] = 4
    values["wires"] = {
        "crossbar": {"rows": 4, "cols": 4},
        "fit_arrays": 1,
        "held_out_arrays": 1,
        "rows_max": 6,
        "cols_max": 8,
        "vectors": 3,
    }
    # ten times what grids as coarse as these leave: this test is about the way to a table, not about a good one
    values["limits"] = {
        f"{name}_{kind}": limit
        for name, limit in (("current", 0.05), ("delta_g", 0.2), ("energy", 0.2), ("array", 0.05))
        for kind in ("rms", "max")
    }
    plan = Plan.checked(values, where="test")
    path = folder / "va.h5"
    characterize(plan, path, RunOptions(workers=1))
    return plan, path, library


def test_a_table_of_it_is_read_by_a_training(made):
    _, path, library = made
    tables = table.load(path)
    read = tables["read"]
    g, v = read.axes[READ.g_cell].values, read.axes[READ.v_cell].values
    away = np.abs(v) > 0.02
    # the transistor's square law bends 1 kohm in 20 kohm by a few per cent
    measured = read.signals[READ.i_cell].values[:, away] / v[away]
    np.testing.assert_allclose(measured, np.broadcast_to(g[:, None], measured.shape), rtol=0.03)
    assert np.max(tables["set"].signals["delta_g"].values) > 10e-6
    assert ArrayModel.from_tables(tables) is not None
    assert json.loads(tables.provenance["models"])["mine.va"] == libraries.sha256(made[0].cell.device.model_file)
    assert str(library) in tables.provenance["plan"]


def test_an_edited_text_is_another_device(made):
    plan, path, library = made
    assert reusable(plan, path) is not None
    provenance = table.load(path).provenance
    before = library.read_text()
    library.write_text(before.replace("k = 3e7", "k = 3.1e7"))
    try:
        assert reusable(plan, path) is None
        with pytest.raises(TableError, match="made from other models"):
            cell_plan_of(provenance)
    finally:
        library.write_text(before)
    assert cell_plan_of(provenance) == plan


def test_what_a_table_file_names_is_neither_compiled_nor_loaded(made, tmp_path, monkeypatch):
    """Its model is code: it is loaded where the user named it, or one that is called like it."""
    _, path, library = made
    compiled = library.with_name("sent.osdi")
    compiled.write_bytes(Path(compact_model(str(library)).file).read_bytes())
    provenance = dict(table.load(path).provenance)
    kept = tmp_path / "kept"
    monkeypatch.setenv("RRAMKIT_OSDI", str(kept))
    monkeypatch.setattr(libraries, "_named", set())
    for sent in (compiled, library):
        sent_plan = {"plan": provenance["plan"].replace(str(library), str(sent))}
        with pytest.raises(InputError, match="what a table file names is not opened by itself"):
            plans_of(sent_plan)
        assert plans_of(sent_plan, simulated=False)
    technology = json.loads(provenance["plan"])
    technology["cell"]["technology"]["osdi"] = [str(compiled)]
    with pytest.raises(InputError, match="what a table file names is not opened by itself"):
        plans_of({"plan": json.dumps(technology)})
    assert not kept.exists()
    name_library(compiled)
    assert plans_of({"plan": provenance["plan"].replace(str(library), str(compiled))})


SQUARE_LAW = """\
`include "disciplines.vams"
module squarelaw(d, g, s, b);
  inout d, g, s, b; electrical d, g, s, b;
  parameter real vth = 0.1;
  parameter real kp = 1e-4;
  (* type="instance" *) parameter real w = 1e-6;
  (* type="instance" *) parameter real l = 1e-6;
  analog I(d, s) <+ kp*w/l*pow(max(V(g, s) - vth, 0), 2)/2*(1 + 0*V(b))*tanh(V(d, s)/0.1);
endmodule
"""
# no blank before the bracket: ngspice would drop vth
SUBCIRCUIT = """\
.subckt nch d g s b w=1u l=0.1u m=1
N1 d g s b nch_model w={w} l={l}
.model nch_model squarelaw(vth=0.4 kp=2e-4)
.ends
"""


def test_compact_transistors_work_in_a_librarys_subcircuits(pool, tmp_path):
    (tmp_path / "t.va").write_text(SQUARE_LAW)
    (tmp_path / "pdk.lib").write_text(SUBCIRCUIT)
    names = dict.fromkeys(("nmos_core", "pmos_core", "nmos_io", "pmos_io"), "nch")
    given = {"library_file": str(tmp_path / "pdk.lib"), "osdi": [str(tmp_path / "t.va")], "device": "subcircuit"}
    library = Technology.checked(given | names, where="plan").library
    deck = tmp_path / "t.cir"
    circuit = "V1 d 0 1\nV2 g 0 1.2\nX1 d g 0 0 nch w=4u l=2u\n"
    deck.write_text(f"t\n{libraries.text(library, circuit)}\n{circuit}.dc V1 0.9 1 0.1\n.end\n")
    waves = pool.run(read_deck(deck, DeckOptions(osdi=(str(tmp_path / "t.va"),))))
    # kp w/l (v_gs - vth)^2/2, saturated
    assert -waves["i(v1)"][-1] == near(2e-4 * 2 * 0.8**2 / 2, 1e-6)


def test_simulate_takes_the_models_of_a_deck_by_option(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.va").write_text(SQUARE_LAW)
    (tmp_path / "t.cir").write_text("t\nV1 d 0 1\nV2 g 0 1.1\nN1 d g 0 0 c\n.model c squarelaw(vth=0.6)\n.op\n.end\n")
    done = CliRunner().invoke(app, ["simulate", "t.cir", "--osdi", "t.va", "--no-plot", "--json"])
    assert done.exit_code == 0, done.output
    current = json.loads(done.stdout)["vectors"]["i(v1)"][0]
    assert -current == near(1e-4 * 0.5**2 / 2, 1e-6)  # tanh(10), and gmin
    with pytest.raises(InputError, match=r"t\.cir, line 4: `N1 d g 0 0 c` is of a compact model.*--osdi"):
        read_deck(tmp_path / "t.cir")


def test_the_modules_temperature_is_the_decks(pool, tmp_path):
    """A corner's temperature stands in the deck's options."""
    (tmp_path / "hot.va").write_text(
        '`include "disciplines.vams"\nmodule hot(p, n); inout p, n; electrical p, n;\n'
        "analog I(p, n) <+ 1e-6*$temperature*V(p, n);\nendmodule\n"
    )
    deck = tmp_path / "t.cir"
    deck.write_text("t\nV1 p 0 1\nN1 p 0 c\n.model c hot\n.options temp=85\n.op\n.end\n")
    waves = pool.run(read_deck(deck, DeckOptions(osdi=(str(tmp_path / "hot.va"),))))
    assert -waves["i(v1)"][-1] == near(358.15e-6, 1e-6)  # gmin
