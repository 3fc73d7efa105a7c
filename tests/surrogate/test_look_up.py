"""Look-up of any table by its coordinates' names: grids, logarithms, names, scattered points; one corner of all."""

import numpy as np
import pytest
from rramkit.corner_slice import at_corner

from rramkit import table as table_file
from rramkit.errors import InputError, TableError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.surrogate.look_up import COORDINATES, coordinates, look_up
from rramkit.table import Mask, Quantity, Table, TableFile

OVERDRIVE = np.geomspace(1e-4, 0.1, 7)
T_AMBIENT = np.array([250.0, 300.0, 350.0])
CORNERS = ("tt", "ss")
TAU = {"tt": 1e-11, "ss": 2e-11}


def t_decide(corner, overdrive, temperature):
    """A latch: linear in ln(overdrive), its constant linear in the temperature."""
    return TAU[corner] * (1 + (temperature - 300) / 500) * (8 - np.log(overdrive))


def sense():
    over, hot = np.meshgrid(OVERDRIVE, T_AMBIENT, indexing="ij")
    values = np.stack([t_decide(corner, over, hot) for corner in CORNERS], axis=1)
    return Table(
        "sense",
        {
            "overdrive": Quantity(OVERDRIVE, "V", log=True),
            "corner": Quantity.of_labels(CORNERS),
            "temperature": Quantity(T_AMBIENT, "K"),
        },
        {"t_decide": Quantity(values, "s", log=True), "energy": Quantity(1e-14 + values / 1e3, "J")},
    )


def test_a_logarithmic_axis_and_signal_meet_the_closed_form():
    found = look_up(
        sense(), "t_decide", {"overdrive": [3e-4, 2e-2], "corner": ["tt", "ss"], "temperature": [275.0, 330]}
    )
    exact = [t_decide("tt", 3e-4, 275.0), t_decide("ss", 2e-2, 330.0)]
    # ln t is not linear in ln overdrive nor in the temperature: what a cubic over these steps leaves, 1e-3
    np.testing.assert_allclose(found, exact, rtol=2e-3)
    plain = look_up(sense(), "energy", {"overdrive": 2e-3, "corner": "ss", "temperature": 300.0})
    np.testing.assert_allclose(plain, 1e-14 + t_decide("ss", 2e-3, 300.0) / 1e3, rtol=1e-3)


def test_a_place_on_the_axis_of_names_is_its_label():
    at = {"overdrive": 1e-3, "temperature": 300.0}
    by_label, by_place = (look_up(sense(), "t_decide", at | {"corner": c}) for c in ("ss", 1.0))
    assert by_label == by_place


def test_outside_a_logarithmic_axis_is_the_edge_and_counted():
    surrogate = GridSurrogate(sense().along("corner", "tt"), "t_decide")
    np.testing.assert_allclose(surrogate.at([0.0, -1.0], 300.0), t_decide("tt", 1e-4, 300.0), rtol=1e-9)
    assert surrogate.clamped([0.0, 1e-3, 1.0], 300.0) == 2
    axis, hot, values = surrogate.fine_grid()
    np.testing.assert_allclose([axis[0], axis[-1]], [1e-4, 0.1], rtol=1e-12)
    assert values.shape == (axis.size, hot.size) and np.all(values > 0)


def test_logarithms_survive_the_file(tmp_path):
    table_file.save(TableFile({"sense": sense()}, {}), tmp_path / "t.h5")
    back = table_file.load(tmp_path / "t.h5")["sense"]
    assert back.axes["overdrive"].log and back.signals["t_decide"].log and not back.signals["energy"].log
    assert back.axes["corner"].labels == CORNERS


@pytest.mark.parametrize("wrong", ["overdrive", "t_decide"])
def test_a_logarithm_of_nothing_is_refused(wrong, tmp_path):
    made = sense()
    zero = Quantity(np.concatenate([[0.0], OVERDRIVE[1:]]), "V", log=True)
    if wrong == "overdrive":
        made = Table("sense", dict(made.axes) | {"overdrive": zero}, made.signals)
    else:
        values = made.signals["t_decide"].values.copy()
        values[0, 0, 0] = 0
        made = Table("sense", made.axes, {"t_decide": Quantity(values, "s", log=True)})
    with pytest.raises(TableError, match="above 0"):
        table_file.save(TableFile({"sense": made}, {}), tmp_path / "t.h5")


def test_wrong_coordinates_are_refused():
    at = {"overdrive": 1e-3, "temperature": 300.0}
    with pytest.raises(InputError, match="must give overdrive, corner, temperature"):
        look_up(sense(), "t_decide", at)
    with pytest.raises(TableError, match="holds tt, ss; got 'ff'"):
        look_up(sense(), "t_decide", at | {"corner": "ff"})


def scattered(samples=60):
    rng = np.random.default_rng(4)
    x, y = rng.uniform(0, 1, samples), np.exp(rng.uniform(np.log(1e-6), np.log(1e-3), samples))
    return Table(
        "cloud",
        {"sample": Quantity(np.arange(samples, dtype=float), "1")},
        {
            "x": Quantity(x, "V"),
            "y": Quantity(y, "S", log=True),
            "z": Quantity(plane(x, y), "A"),
            "e": Quantity(np.exp(plane(x, y)), "J", log=True),
        },
        conditions={COORDINATES: Quantity(np.array(2.0), "1")},
    )


def plane(x, y):
    return 3 + 2 * x - 0.5 * np.log(y)


def test_scattered_points_are_interpolated_and_a_plane_is_exact():
    cloud = scattered()
    assert coordinates(cloud) == ("x", "y")
    x, y = np.array([0.3, 0.6]), np.array([1e-5, 1e-4])
    # a thin-plate spline holds planes in its scaled coordinates
    np.testing.assert_allclose(look_up(cloud, "z", {"x": x, "y": y}), plane(x, y), rtol=1e-8)
    np.testing.assert_allclose(look_up(cloud, "e", {"x": x, "y": y}), np.exp(plane(x, y)), rtol=1e-8)
    edge = look_up(cloud, "z", {"x": 9.0, "y": 1e-4})
    np.testing.assert_allclose(edge, plane(np.max(cloud.signals["x"].values), 1e-4), rtol=1e-8)


def test_failed_scattered_points_are_left_out():
    cloud = scattered()
    values = cloud.signals["z"].values.copy()
    values[7] = np.nan
    mask = Mask((np.arange(values.size) == 7).astype(np.uint8), ("timeout",))
    broken = Table(
        "cloud", cloud.axes, dict(cloud.signals) | {"z": Quantity(values, "A")}, cloud.conditions, masks={"z": mask}
    )
    np.testing.assert_allclose(look_up(broken, "z", {"x": 0.3, "y": 1e-5}), plane(0.3, 1e-5), rtol=1e-8)


STATE, V_CELL, V_PULSE = np.linspace(0.4, 1, 8), np.linspace(-0.2, 0.2, 9), np.linspace(1, 2, 5)
V_READ = 0.1


def g_of(state, corner, temperature):
    return 1e-6 * np.exp(4 * state) * (1 + 0.1 * CORNERS.index(corner)) * (1 + (temperature - 300) / 1000)


def corner_file():
    nominal = {"v_read": Quantity(np.array(V_READ), "V")}
    g = g_of(STATE, "tt", 300.0)
    plain = {"g_start": Quantity(g, "S"), "v_pulse": Quantity(V_PULSE, "V")}
    flat = {name: Quantity(np.ones((8, 5)), unit) for name, unit in (("delta_g", "S"), ("energy", "J"))}
    base = {
        "read": Table(
            "read",
            {"g_cell": Quantity(g, "S"), "v_cell": Quantity(V_CELL, "V")},
            {"i_cell": Quantity(np.outer(g, V_CELL), "A")},
            nominal,
        ),
        **{name: Table(name, plain, flat, {"v_step": Quantity(np.array(0.01), "V")}) for name in ("set", "reset")},
    }
    axes = {
        "state": Quantity(STATE, "1"),
        "corner": Quantity.of_labels(CORNERS),
        "temperature": Quantity(T_AMBIENT, "K"),
    }
    every = np.array([[[g_of(s, c, t) for t in T_AMBIENT] for c in CORNERS] for s in STATE])
    read_axes = {"state": axes["state"], "v_cell": Quantity(V_CELL, "V"), **axes}
    write_axes = {"state": axes["state"], "v_pulse": Quantity(V_PULSE, "V"), **axes}
    wide = np.broadcast_to(every[:, None], (8, 5, 2, 3))
    signals = {"g_start": (wide, "S"), "delta_g": (0.1 * wide, "S"), "energy": (1e-6 * wide, "J")}
    made = {
        "cell_read": Table("cell_read", read_axes, {"i_cell": Quantity(every[:, None] * V_CELL[:, None, None], "A")}),
        **{
            name: Table(name, write_axes, {key: Quantity(np.array(v), unit) for key, (v, unit) in signals.items()})
            for name in ("cell_set", "cell_reset")
        },
    }
    return TableFile(base | made, {"plan": "{}"})


def test_one_corner_and_temperature_of_a_design_is_a_training_file(tmp_path):
    cut = at_corner(corner_file(), corner="ss", temperature=325.0)
    g = g_of(STATE, "ss", 325.0)
    np.testing.assert_allclose(cut["read"].axes["g_cell"].values, g, rtol=1e-9)  # linear in the temperature: exact
    np.testing.assert_allclose(cut["read"].signals["i_cell"].values, np.outer(g, V_CELL), rtol=1e-9, atol=1e-18)
    for name in ("set", "reset"):
        np.testing.assert_allclose(cut[name].axes["g_start"].values, g, rtol=1e-9)
        np.testing.assert_allclose(cut[name].signals["delta_g"].values, np.tile(0.1 * g[:, None], 5), rtol=1e-9)
        assert cut[name].condition("v_step") == 0.01
    assert cut.provenance["corner"] == "ss" and cut.provenance["temperature"] == "325 K"
    table_file.save(cut, tmp_path / "ss.h5")
    assert table_file.load(tmp_path / "ss.h5")["set"].shape == (8, 5)


def test_a_corner_that_was_not_characterised_is_refused():
    with pytest.raises(TableError, match="does not hold 'ff'"):
        at_corner(corner_file(), corner="ff", temperature=300.0)
    with pytest.raises(TableError, match="within 250 to 350 K"):
        at_corner(corner_file(), corner="tt", temperature=400.0)
    with pytest.raises(TableError, match="no table `cell_read`"):
        at_corner(TableFile({}, {}), corner="tt", temperature=300.0)
