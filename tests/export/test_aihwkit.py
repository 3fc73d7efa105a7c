"""The device of an aihwkit configuration: its numbers against the tables, and aihwkit itself where it is installed."""

import json

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, reset_change, set_change, tables, with_windows

from rramkit import table
from rramkit.cli.app import run as command
from rramkit.errors import InputError
from rramkit.export import preset

DOCUMENTED = {  # of `PiecewiseStepDevice` and the classes above it, aihwkit 1.1 and 1.2
    *("w_min", "w_max", "dw_min", "up_down", "piecewise_up", "piecewise_down", "dw_min_std", "dw_min_dtod"),
    *("up_down_dtod", "w_min_dtod", "w_max_dtod", "write_noise_std"),
}
SPAN = G_HIGH - G_LOW


def test_steps_are_those_of_the_tables():
    made = preset(tables(reset_v_step=0.01), step=0.1, nodes=17)
    g = np.linspace(G_LOW, G_HIGH, 17)
    for name, change, sign, amplitude in (
        ("piecewise_up", set_change, 1.0, "v_set"),
        ("piecewise_down", reset_change, -1.0, "v_reset"),
    ):
        steps = np.asarray(made.parameters[name]) * made.parameters["dw_min"] * SPAN / 2.0  # S
        after = np.clip(g + change(g, np.full(17, made.origin[amplitude])), G_LOW, G_HIGH)
        # The fixture's table has 18 conductances, between which it is interpolated.
        np.testing.assert_allclose(steps, np.maximum(sign * (after - g), 0.0), rtol=0, atol=0.01 * SPAN)
    middle = [np.asarray(made.parameters[name])[8] for name in ("piecewise_up", "piecewise_down")]
    assert np.mean(middle) == near(1.0, 1e-9)  # `dw_min` is the mean step in the middle
    assert np.asarray(made.parameters["dw_min"]) * SPAN / 2.0 == near(0.1 * SPAN, 0.3)  # the driver's steps are coarse


def test_scatter_is_that_of_the_tables_and_nothing_else_spreads():
    made = preset(chip_tables(scatter=True), step=0.05).parameters
    # The fixture's deviations are 0.1 and 0.2 of each change; its middle levels are 0.16 and 0.84, not 0.159 and 0.841.
    assert (made["dw_min_std"], made["dw_min_dtod"]) == (near(0.1, 0.03), near(0.2, 0.03))
    plain = preset(tables(), step=0.05).parameters
    for name in DOCUMENTED:
        if name.endswith(("_dtod", "_std")) and name not in ("dw_min_std", "dw_min_dtod"):
            assert made[name] == plain[name] == 0.0
    assert plain["dw_min_std"] == plain["dw_min_dtod"] == 0.0
    wide = preset(with_windows(tables(), 0.1), step=0.05).parameters
    span = 90e-6 - 4e-6  # S; weights of -1 and 1 are its ends
    assert wide["w_max_dtod"] == near(0.1 * 90e-6 * 2 / span, 1e-9)
    assert wide["w_min_dtod"] == near(0.1 * 4e-6 * 2 / span, 1e-9)
    assert set(made) == DOCUMENTED


@pytest.fixture
def exported(tmp_path):
    """The Python file of a made-up table file."""
    table.save(chip_tables(scatter=True), tmp_path / "chip.h5")
    path = tmp_path / "device.py"
    assert command(["export", str(tmp_path / "chip.h5"), "--to", "aihwkit", "--step", "0.05", "-o", str(path)]) == 0
    return path


def test_python_and_json_hold_the_same_numbers(exported, tmp_path):
    assert (
        command(
            ["export", str(tmp_path / "chip.h5"), "--to", "aihwkit", "--step", "0.05", "-o", str(tmp_path / "d.json")]
        )
        == 0
    )
    held = json.loads((tmp_path / "d.json").read_text())
    found = {}

    def device(**given):
        found.update(given)

    source = exported.read_text().replace(
        "from aihwkit.simulator.configs import PiecewiseStepDevice, SingleRPUConfig", ""
    )
    exec(compile(source, "device.py", "exec"), {"PiecewiseStepDevice": device, "SingleRPUConfig": lambda device: None})
    assert found == held["parameters"] and held["device"] == "PiecewiseStepDevice"
    assert held["origin"]["tables"] == "chip.h5" and held["origin"]["g_low_siemens"] == near(4e-6, 1e-9)


def test_aihwkit_builds_a_tile_of_it(exported):
    """What aihwkit's own devices have after they are drawn is what was exported."""
    pytest.importorskip("aihwkit.simulator.configs")
    from aihwkit.simulator.parameters.enums import RPUDataType  # pyright: ignore[reportMissingImports]
    from aihwkit.simulator.tiles import AnalogTile  # pyright: ignore[reportMissingImports]

    made: dict = {}
    exec(compile(exported.read_text(), "device.py", "exec"), made)
    wanted = preset(chip_tables(scatter=True), step=0.05).parameters
    bound = made["device"].as_bindings(RPUDataType.FLOAT)
    for name, value in wanted.items():  # single precision
        np.testing.assert_allclose(getattr(bound, name), value, rtol=1e-6, atol=1e-9, err_msg=name)
    tile = AnalogTile(80, 80, made["rpu_config"]).tile
    drawn = dict(zip(tile.get_hidden_parameter_names(), tile.get_hidden_parameters().numpy(), strict=True))
    assert np.all(drawn["max_bound"] == 1.0) and np.all(drawn["min_bound"] == -1.0)
    for name in ("dwmin_up", "dwmin_down"):
        # 6,400 devices: their mean is known to 0.3 %, their deviation to 0.9 %; four of each.
        assert float(np.mean(drawn[name])) == near(float(wanted["dw_min"]), 0.011)  # pyright: ignore[reportArgumentType]
        spread = float(np.std(drawn[name]) / np.mean(drawn[name]))
        assert spread == near(float(wanted["dw_min_dtod"]), 0.04)  # pyright: ignore[reportArgumentType]


def test_what_does_not_fit_is_refused(tmp_path):
    with pytest.raises(InputError, match="`step` must be above 0 and at most 1"):
        preset(tables(), step=0.0)
    with pytest.raises(InputError, match="`nodes` must be 2 to 63; got 64"):
        preset(tables(), nodes=64)
    with pytest.raises(InputError, match="table `set` must have a pulse that changes a cell"):
        preset(tables(dead=True))
    table.save(tables(), tmp_path / "t.h5")
    with pytest.raises(InputError, match=r"must end in \.py or \.json"):
        command(["export", str(tmp_path / "t.h5"), "--to", "aihwkit", "-o", str(tmp_path / "d.txt")])
