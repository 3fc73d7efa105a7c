"""The device libraries against SciPy and against the anchors of their sources; their parameter files; reads."""

import re

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit import netlists
from rramkit.characterization.reference import read_drift, state_after
from rramkit.circuits.device import Device, DevicePulseParams, HeldReadsParams, held_reads, in_form, pulse_train
from rramkit.circuits.verilog_a import complaints, source
from rramkit.errors import InputError
from rramkit.netlists import models
from rramkit.netlists.equations import equations, jart, stanford

T_READ, READS = 10e-9, 1e6  # the kit's read, as often as is asked


def held_current(pool, device, v, s):
    given = " ".join(f"{name}={value}" for name, value in device.instance(held=True).items())
    deck = (
        f"held\n{netlists.text(device.record.library)}\nV1 te 0 {v}\n"
        f"X1 te 0 {device.subcircuit(held=True)} s_0={s} {given}\n.options reltol=1e-7 abstol=1e-15\n.op\n.end\n"
    )
    return -pool.run(deck)["i(v1)"][0]


def train(model, parameter_set="default", **given):
    return DevicePulseParams(device=Device(model=model, parameter_set=parameter_set), **given)


TRAINS = [
    train("bulk", state=0.2, v_pulse=(2.3, 2.8, -1.9)),
    train("bulk", "symmetric", state=0.2, v_pulse=(2.3, 2.8, -2.4)),
    train("sky130", state=0.6, v_pulse=(1.9, -2.0, 2.2), t_step=0.05e-9),
    train("stanford", state=0.3, v_pulse=(2.4, -1.9, 2.4), r_series=1e3, t_step=0.05e-9),
    train("stanford", "ted16_a", state=0.3, v_pulse=(1.5, -2.2), t_step=0.05e-9),
    train("stanford", "ted16_d", state=0.3, v_pulse=(1.6, -1.6), r_series=20e3, t_step=0.05e-9),
    train("stanford", "ted16_f", state=0.3, v_pulse=(1.5, -1.6), r_series=20e3, t_step=0.05e-9),
    train("vteam", state=0.3, v_pulse=(0.3, -0.8), r_series=20.0, t_step=0.05e-9),
    train("vteam", "biolek", state=0.3, v_pulse=(1.8, -2.0), r_series=1e3,
          t_pulse=0.3, t_rise=0.01, t_rest=0.02, t_step=5e-4),
    train("yakopcic", state=0.3, v_pulse=(0.6, -0.5), r_series=10.0,
          t_pulse=50e-6, t_rise=1e-6, t_rest=5e-6, t_step=50e-9),
    train("jart", state=0.1, v_pulse=(0.95, -1.5), r_series=500.0, t_step=0.05e-9),
]  # fmt: skip


def test_every_model_has_a_pulse_train():
    assert {params.device.model for params in TRAINS} == set(models.names())


@pytest.mark.parametrize("params", TRAINS, ids=lambda p: f"{p.device.model}-{p.device.parameter_set}")
def test_state_after_a_pulse_train_against_scipy(pool, params):
    waves = pool.run(pulse_train(params).text())
    times = [params.t_after(k) for k in range(len(params.v_pulse))]
    found, expected = np.interp(times, waves["time"], waves["state"]), state_after(params)
    # 0.1 % of the range. Each train moves the state by 5 % of it or more, so that the comparison means something.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
    assert np.max(np.abs(np.diff(expected, prepend=params.state))) > 0.05


@pytest.mark.parametrize("params", TRAINS, ids=lambda p: f"{p.device.model}-{p.device.parameter_set}")
@pytest.mark.usefixtures("verilog_a")
def test_the_compiled_cell_is_the_behavioural_one(pool, params):
    ours, compiled = (pool.run(pulse_train(in_form(params, form)).text()) for form in ("never", "always"))
    assert compiled.measures.keys() == ours.measures.keys() and len(ours.measures) == len(params.v_pulse)
    for name, value in ours.measures.items():
        assert compiled.measures[name] == near(value, within=1e-4)  # of the range; sky130 and jart 3e-6, others 0
    # in the middle of each pulse, away from a runaway, whose points of time differ
    times = [k * params.t_slot + params.t_rise + 0.7 * params.t_pulse for k in range(len(params.v_pulse))]
    currents = [np.interp(times, waves["time"], waves["i_drive"]) for waves in (ours, compiled)]
    np.testing.assert_allclose(currents[1], currents[0], rtol=1e-4)


@pytest.mark.parametrize("model", models.names())
@pytest.mark.usefixtures("verilog_a")
def test_a_half_finished_runaway_does_not_stop_the_compiled_cell(pool, model):
    for state in (0.02, 0.98):
        params = train(model, state=state, v_pulse=(3.3, -3.3, 3.3), r_series=2e3)
        ours, compiled = (pool.run(pulse_train(in_form(params, form)).text())["state"] for form in ("never", "always"))
        assert np.min(compiled) > -0.1 and np.max(compiled) < 1.1
        assert compiled[-1] == near(float(ours[-1]), within=1e-3)  # of a runaway that hits the bound: its last step


@pytest.mark.parametrize("model", models.names())
def test_a_half_finished_runaway_does_not_stop_the_run(pool, model):
    """Far beyond the useful amplitude, from both ends: the cell switches within femtoseconds, and the run goes on."""
    for state in (0.02, 0.98):
        params = train(model, state=state, v_pulse=(3.3, -3.3, 3.3), r_series=2e3)
        s = pool.run(pulse_train(params).text())["state"]
        assert np.min(s) > -0.1 and np.max(s) < 1.1


@pytest.mark.parametrize("model", models.names())
def test_held_current_is_the_equations_current(pool, model):
    for parameter_set in models.model(model).sets:
        device = Device(model=model, parameter_set=parameter_set)
        for v, s in ((0.1, 0.0), (0.2, 0.5), (-0.15, 1.0)):
            expected = equations(model).current(device.values, v, s)
            # 1e-12 S of gmin beside the cell, and ten digits of the parameters
            assert held_current(pool, device, v, s) == near(expected, 1e-5, within=3e-12 * abs(v))


@pytest.mark.parametrize(("gap", "ohm"), [(0.2, 541.8), (0.5, 1799), (1.0, 13.29e3), (1.7, 218.6e3)])
def test_stanford_resistance_anchors(pool, gap, ohm):
    """R(0.1 V) that follows from the source's equations and defaults, given to four digits."""
    device = Device(model="stanford")
    assert 0.1 / held_current(pool, device, 0.1, (1.7 - gap) / 1.5) == near(ohm, 5e-4)


@pytest.mark.parametrize(("gap", "volt"), [(0.2, 1.05), (0.5, 1.057), (1.0, 1.105), (1.3, 1.18), (1.7, 1.392)])
def test_stanford_dead_band_anchors(gap, volt):
    """The field reaches f_min at the voltage that the source's equations give, to the digits given."""
    p, s = Device(model="stanford").values, (1.7 - gap) / 1.5
    assert stanford.local_field(p, volt, s) == near(p["f_min"], 2e-3)
    away = volt if s < 0.5 else -volt  # from the nearer bound, whose window would stop it anyway
    assert abs(stanford.rate(p, 0.9 * away, [s])[0]) < 1e-4 * abs(stanford.rate(p, 1.1 * away, [s])[0])


@pytest.mark.parametrize(
    ("n", "u", "low", "high"),
    [
        (0.008, 0.2, 2.85e-6, 3.05e-6),
        (0.008, -0.2, -1.9e-6, -1.7e-6),
        (0.5, -0.5, -1.84e-4, -1.74e-4),
        (0.5, 0.5, 1.90e-4, 2.00e-4),
        (20, -0.2, -1.29e-4, -1.23e-4),
        (20, 1.0, 5.9e-4, 6.2e-4),
    ],
)
def test_jart_current_anchors(n, u, low, high):
    """Between explicit and implicit v1b, both worked out from the sources, with half a unit of their last digit."""
    assert low <= jart.explicit_current(u, float(np.log(n / 4e-3))) <= high


def reads_move(model, parameter_set, v):
    return (
        max(read_drift(Device(model=model, parameter_set=parameter_set), sign * v) for sign in (1, -1)) * T_READ * READS
    )


# The sets whose headers say that a read of 0.2 V moves them, and where it no longer does.
DISTURBED = {("vteam", "default"): None, ("yakopcic", "default"): 0.15, ("stanford", "ted16_d"): 0.1}


@pytest.mark.parametrize(("model", "name"), [(m, s) for m in models.names() for s in models.model(m).sets])
def test_a_million_reads_move_nothing_or_the_header_says_so(model, name):
    moved = reads_move(model, name, 0.2)
    if (model, name) in DISTURBED:
        assert moved > 1e-4
        v_safe = DISTURBED[model, name]
        assert v_safe is None or reads_move(model, name, v_safe) < 1e-4
    else:
        assert moved < 1e-4


def test_a_million_long_reads_of_the_bulk_cell():
    assert 10 * reads_move("bulk", "default", 0.2) < 3e-5  # 100 ns each: the header's figure


@pytest.mark.parametrize("name", models.names())
def test_subcircuit_defaults_are_the_set_default(name):
    model = models.model(name)
    text = netlists.text(model.library).replace("\n+", " ")
    for line, held in ((f".subckt {model.subcircuit} ", False), (f".subckt {model.subcircuit}_held ", True)):
        declared = dict(re.findall(r"(\w+)=([-+.\de]+)", text[text.index(line) :].partition("\n")[0]))
        wanted = {n: v for n, v in model.sets["default"].values.items() if model.parameters[n].held or not held}
        assert {n: float(declared[n]) for n in wanted} == wanted


@pytest.mark.parametrize("name", models.names())
def test_the_verilog_a_has_the_librarys_parameters_and_defaults(name):
    """Of the moving subcircuit, those that no set names too: `w`, `speed_max`; of the held one where it is a module."""
    model = models.model(name)
    library = netlists.text(model.library).replace("\n+", " ")
    verilog = (netlists.FOLDER / model.library).with_suffix(".va")
    modules = dict(re.findall(r"(?ms)^module (\w+)\(te, be(?:, s)?\);(.*?)^endmodule", verilog.read_text()))
    held = f"{model.subcircuit}_cell_held"
    assert set(modules) - {held} == {f"{model.subcircuit}_cell"}
    assert held in modules or name in ("vteam", "jart")  # a resistor, and one that stays behavioural
    for module, body in modules.items():
        pins = f"{model.subcircuit}_held te be" if module == held else f"{model.subcircuit} te be s"
        line = re.search(rf"(?m)^\.subckt {pins} (.*)$", library)
        declared = " ".join(re.findall(r"parameter real ([^;]*);", body))
        found = {key: float(value) for key, value in re.findall(r"(\w+) = ([-+.\de]+)", declared)}
        assert line is not None
        wanted = {key: float(value) for key, value in re.findall(r"(\w+)=([-+.\de]+)", line[1])}
        if module != held:
            del wanted["s_0"]  # the deck sets the pin
        assert found == wanted
    assert complaints(source(verilog)) == []


@pytest.mark.parametrize(("name", "overrides"), [("bulk", {"g_max": 30e-6, "v_nl": 0.3}), ("sky130", {"v_ref": 0.3}),
                                                 ("stanford", {"g_0": 0.3}), ("yakopcic", {"b": 2.0}),
                                                 ("vteam", {"r_on": 70.0}), ("jart", {"n_max": 19.0})])  # fmt: skip
@pytest.mark.usefixtures("verilog_a")
def test_the_compiled_held_cell_is_the_behavioural_one(pool, name, overrides):
    """Curved, and with parameters of its own: the same equation, evaluated by other code."""
    params = HeldReadsParams(device=Device(model=name, overrides=overrides), state=(0.1, 0.6, 1.0), v_read=0.4)
    ours, compiled = (pool.run(held_reads(in_form(params, form)).text()) for form in ("never", "always"))
    for k in range(3):
        assert abs(ours[f"i_device_{k}"][-1]) > 1e-9
        np.testing.assert_allclose(compiled[f"i_device_{k}"], ours[f"i_device_{k}"], rtol=1e-9, atol=1e-18)


def test_a_form_that_is_none_is_refused():
    with pytest.raises(InputError, match="must be one of never, auto, always; got 'compiled'"):
        in_form(HeldReadsParams(), "compiled")  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("name", models.names())
def test_every_library_says_where_it_comes_from(name):
    head = netlists.text(models.model(name).library).partition(".subckt")[0]
    for part in ("Source", "Pins", "Sign", "Valid", "Equations"):
        assert f"* {part} " in head
    assert "doi:" in head or "Apache-2.0" in head
