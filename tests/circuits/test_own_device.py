"""A device of the user's own: one cell in other pins, signs and units stays the same; what does not fit is refused."""

from pathlib import Path

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.cycle_noise import noise_equations
from rramkit.characterization.engine.corners import Condition, at_corner
from rramkit.characterization.engine.monte_carlo import spread_of_devices
from rramkit.circuits import libraries
from rramkit.circuits.array_cells import SelectorParams, subcircuit
from rramkit.circuits.cell import CellParams, ReadSweepParams, read_sweep
from rramkit.circuits.device import Device, DevicePulseParams, HeldReadsParams, held_reads, pulse_train, spread_devices
from rramkit.errors import InputError

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_device" / "mydev.lib"
R_ON, R_OFF, K, V_T = 10e3, 500e3, 3e7, 0.5  # of the example
INTERFACE = {"state": "x", "initial": "x0"}
PARAMETERS = {
    "r_on": {"value": R_ON, "low": 1e3, "high": 1e5, "unit": "ohm"},
    "v_t": {"value": V_T, "low": 0.2, "high": 2.0, "unit": "V"},
}
# the same cell with pins in another order, its state a voltage that falls from 1.7 to 0.2 V and stands at no pin
INSIDE_OUT = """\
.SUBCKT Gap plus minus gap_0=1.7
B1 minus plus i = v(minus,plus)*((1.7 - v(gap))/1.5/10k + (v(gap) - 0.2)/1.5/500k)
B2 gap 0 i = 1e-9*3e7*max(v(minus,plus) - 0.5, 0)*(v(gap) - 0.2)
B3 0 gap i = 1e-9*3e7*max(v(plus,minus) - 0.5, 0)*(1.7 - v(gap))
C1 gap 0 1n ic={gap_0}
R1 gap 0 1e15
.ENDS
"""
OF_THE_GAP = {"te": "plus", "be": "minus", "state": "gap", "initial": "gap_0", "low": 1.7, "high": 0.2}


def own(library=EXAMPLE, model="mydev", overrides=None, **interface):
    given = {"library": str(library), "model": model, "overrides": overrides or {}}
    return Device.checked(given | {"interface": INTERFACE | interface}, where="mine.toml")


def inside_out(folder):
    path = folder / "gap.lib"
    path.write_text(INSIDE_OUT)
    return own(path, "Gap", **OF_THE_GAP, set_voltage="negative")


def train(device, *v_pulse, state=0.3):
    return DevicePulseParams(device=device, state=state, v_pulse=v_pulse, r_series=1.0, t_pulse=20e-9)


def states(pool, device, *v_pulse, state=0.3):
    waves = pool.run(pulse_train(train(device, *v_pulse, state=state)).text())
    return [waves.measures[f"state_{k}"] for k in range(len(v_pulse))]


def expected(v_set, v_reset, state=0.3, v_t=V_T):
    """Closed form behind no resistor: 1 - s decays with k (v - v_t) in SET, s in RESET; edges of 1 ns past v_t too."""
    area = [K * ((v - v_t) * 20e-9 + (v - v_t) ** 2 / v * 1e-9) for v in (v_set, v_reset)]
    up = 1 - (1 - state) * np.exp(-area[0])
    return [up, up * np.exp(-area[1])]


def test_the_state_follows_the_closed_form(pool):
    found = states(pool, own(), 1.5, -1.2)
    np.testing.assert_allclose(found, expected(1.5, 1.2), rtol=0, atol=3e-4)  # 1 ohm in 10 kohm, and the step


def test_an_inner_state_of_other_sign_and_units_is_the_same_device(pool, tmp_path):
    np.testing.assert_allclose(states(pool, inside_out(tmp_path), 1.5, -1.2), expected(1.5, 1.2), rtol=0, atol=3e-4)


def held_current(pool, device, state):
    waves = pool.run(held_reads(HeldReadsParams(device=device, state=(state,), v_read=0.1)).text())
    return waves["i_device_0"][[0, -1]]


@pytest.mark.parametrize("state", [0.0, 0.4, 1.0])
def test_the_held_cell_has_the_current_of_its_state(pool, tmp_path, state):
    """The user's own held subcircuit, and the moving one whose state node a voltage source holds."""
    without = tmp_path / "without.lib"
    without.write_text(EXAMPLE.read_text().replace("mydev_held", "another"))
    i = 0.1 * (state / R_ON + (1 - state) / R_OFF)
    for device in (own(), own(without), inside_out(tmp_path)):
        np.testing.assert_allclose(held_current(pool, device, state), [-i, i], rtol=1e-5)  # gmin


def test_it_stands_in_cells_of_every_kind(pool, tmp_path):
    device = inside_out(tmp_path)
    cell = CellParams(device=device)
    waves = pool.run(read_sweep(ReadSweepParams(cell=cell, state=0.5, points=5)).text())
    g = waves["i_cell"][-1] / waves["v_cell"][-1]
    assert 0.95 / 20e3 < g < 1.01 * (0.5 / R_ON + 0.5 / R_OFF)  # the transistor in series takes some of it
    assert "rramkit_gap_held" in str(subcircuit("1S1R", cell, SelectorParams(), moving=False))


def test_overrides_and_spread_reach_the_simulation(pool):
    spread = {"v_t": {"sigma": 0.1, "low": 0.4, "high": 0.6}}
    device = own(parameters=PARAMETERS, spread=spread, overrides={"r_on": 20e3})
    assert held_current(pool, device, 1.0)[-1] == near(0.1 / 20e3, 1e-5)
    drawn = spread_devices(device, 3, rng=np.random.default_rng(1))
    values = [each.values["v_t"] for each in drawn]
    assert len(set(values)) == 3 and all(0.4 <= v <= 0.6 for v in values)
    found = states(pool, drawn[0], 1.5, -1.2)
    np.testing.assert_allclose(found, expected(1.5, 1.2, v_t=values[0]), rtol=0, atol=3e-4)
    cells = spread_of_devices(CellParams(device=device), rng=np.random.default_rng(1))
    assert cells.device.values["v_t"] == values[0]


def test_a_declared_ambient_temperature_follows_the_corner(tmp_path):
    path = tmp_path / "warm.lib"
    path.write_text(EXAMPLE.read_text().replace("x0=0.5", "x0=0.5 t_amb=300"))
    warm = own(path, parameters={"t_amb": {"value": 300.0, "low": 200, "high": 450, "unit": "K"}})
    hot = Condition("tt", 1.0, 358.0)
    assert at_corner(CellParams(device=warm), hot).device.values == {"t_amb": 358.0}
    assert at_corner(CellParams(device=own()), hot).device.values == {}


def test_hash_and_record_follow_library_and_interface(tmp_path):
    copy = tmp_path / "copy.lib"
    copy.write_text(EXAMPLE.read_text())
    before = libraries.sha256(own(copy).model_file)
    assert libraries.sha256(own(copy, set_voltage="negative").model_file) != before
    copy.write_text(EXAMPLE.read_text().replace("k=3e7", "k=4e7"))
    assert libraries.sha256(own(copy).model_file) != before
    again = Device.checked(own(copy, parameters=PARAMETERS).model_dump(mode="json"), where="a table file")
    assert again == own(copy, parameters=PARAMETERS)


def test_a_relative_library_is_absolute_from_then_on(monkeypatch):
    monkeypatch.chdir(EXAMPLE.parent)
    device = own(Path("mydev.lib"))
    monkeypatch.chdir("/")
    assert device.library == str(EXAMPLE) and "rramkit_mydev" in libraries.text(device.model_file)


REFUSED = [
    ({"model": "yours"}, "has no subcircuit `yours`; it has mydev, mydev_held"),
    ({"model": "sky130"}, "has no subcircuit `sky130`"),
    ({"library": "no.lib"}, "must be a model file that exists"),
    ({"interface": {"state": "q", "initial": "x0"}}, "`x` is neither electrode nor state"),
    ({"interface": {"te": "top", **INTERFACE}}, "none is `top`"),
    ({"interface": {"state": "x"}}, "has no parameter `s_0`"),
    ({"interface": {**INTERFACE, "held": "none"}}, "held: the library has no subcircuit `none`"),
    ({"interface": {**INTERFACE, "low": 1.0}}, "low and high must be two voltages"),
    ({"interface": {**INTERFACE, "be": "te"}}, "must be three nodes"),
    ({"interface": {**INTERFACE, "parameters": {"x0": PARAMETERS["v_t"]}}}, "leave them out"),
    ({"interface": {**INTERFACE, "parameters": {"nope": PARAMETERS["v_t"]}}}, "has no parameter `nope`"),
    ({"interface": {**INTERFACE, "parameters": {"v_t": {**PARAMETERS["v_t"], "value": 9.0}}}}, "v_t must be within"),
    ({"interface": {**INTERFACE, "spread": {"v_t": {"sigma": 1, "low": 0, "high": 1}}}}, "spread names a parameter"),
    ({"interface": {**INTERFACE, "check": {"v_reads": [3.0]}}}, "below v_set and v_reset"),
    ({"overrides": {"v_t": 0.4}}, "unknown parameter 'v_t'"),
    ({"parameter_set": "other"}, "parameter_set must be one of default"),
    ({"model": "a b"}, "no word of SPICE's own"),
    ({"interface": {**INTERFACE, "initial": "x0=1 m=7"}}, "one name of ASCII letters"),
    ({"interface": {**INTERFACE, "state": "x\n.control"}}, "one name of ASCII letters"),
    ({"interface": {**INTERFACE, "parameters": {"v_t\n.control": PARAMETERS["v_t"]}}}, "lower-case letters"),
]


@pytest.mark.parametrize(("given", "complaint"), REFUSED, ids=lambda part: str(part)[:40])
def test_what_does_not_fit_is_refused_in_one_line(given, complaint):
    with pytest.raises(InputError) as caught:
        Device.checked({"library": str(EXAMPLE), "model": "mydev", "interface": INTERFACE} | given, where="mine.toml")
    assert complaint in str(caught.value) and "\n" not in str(caught.value)


def test_an_inner_node_must_be_there(tmp_path):
    path = tmp_path / "gap.lib"
    path.write_text(INSIDE_OUT)
    with pytest.raises(InputError, match="has no pin or node `gop`"):
        own(path, "gap", **OF_THE_GAP | {"state": "gop"})


def test_an_interface_of_a_model_of_the_kit_is_refused():
    with pytest.raises(InputError, match="a model of the kit has its own"):
        Device.checked({"model": "bulk", "interface": INTERFACE}, where="mine.toml")


def test_names_of_the_kit_do_not_collide(tmp_path):
    path = tmp_path / "clash.lib"
    path.write_text(EXAMPLE.read_text() + ".subckt rramkit_mydev te be x\nR1 te be 1\n.ends\n")
    with pytest.raises(InputError, match="`rramkit_mydev`"):
        pulse_train(train(own(path), 1.0)).text()


def test_what_needs_equations_says_so():
    with pytest.raises(InputError, match="must be a model of the kit"):
        noise_equations(own())
    with pytest.raises(InputError, match=r"interface\.spread"):
        spread_devices(own(), 1, rng=np.random.default_rng(0))


def test_the_case_with_a_library_key_runs(pool, tmp_path):
    """A library in the kit's own pins needs no interface."""
    path = tmp_path / "mydev.lib"
    path.write_text(
        ".subckt mydev te be s s_0=0.5 k=2e7\nBcell te be i = v(te,be)/(10k*v(s)+100k*(1-v(s)))\n"
        "Bx 0 s i = k*1e-9*v(te,be)*v(s)*(1-v(s))\nCs s 0 1n ic={s_0}\nRs s 0 1e15\n.ends\n"
    )
    device = Device(model="mydev", library=str(path))
    # ln(s/(1 - s)) grows by k times the integral of the voltage, 20 ns and two halves of an edge
    odds = 0.3 / 0.7 * np.exp(2e7 * 1.5 * 21e-9)
    assert states(pool, device, 1.5) == [near(odds / (1 + odds), within=3e-4)]
