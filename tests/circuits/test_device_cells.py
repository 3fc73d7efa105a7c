"""Devices as parameters of the cell: what is written into a deck, what is refused, and gradual writes in 1T1R."""

from pathlib import Path

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.cell import read_conductances
from rramkit.circuits.catalog import block
from rramkit.circuits.cell import (
    CellParams,
    ReadSweepParams,
    WriteParams,
    dynamic_cell,
    held_cell,
    read_sweep,
    write_staircase,
)
from rramkit.circuits.crossbar import CrossbarParams, CrossbarReadParams, example_pattern, transient_read
from rramkit.circuits.device import Device
from rramkit.errors import InputError
from rramkit.netlists import models

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples" / "devices").glob("*.toml"))


def staircase(pool, **given):
    params = WriteParams.checked(given, where="test")
    return read_conductances(pool.run(write_staircase(params).text()), params)


def bulk(set_line="bl", t_step=0.5e-9, v_bl_set=1.7, **given):
    pulse = {"set_line": set_line, "t_step": t_step, "v_bl_set": v_bl_set}
    return {"cell": {"device": {"model": "bulk"}}, "pulse": pulse, "v_first": 1.5, "v_last": 3.0} | given


def test_bulk_set_has_32_even_levels(pool):
    g = staircase(pool, **bulk(state=0.0, pulses=32))
    steps = np.diff(g)
    assert np.all(steps > 0)
    assert g[0] < 4.1e-6 and g[-1] > 39e-6  # the whole window, less the transistor in series
    assert np.max(steps) < 36e-6 / 24  # no step takes much more than its 32nd part


def test_bulk_reset_has_32_levels(pool):
    g = staircase(pool, **bulk(polarity="reset", state=1.0, v_first=1.2, v_last=2.0, pulses=32))
    steps = np.diff(g)
    assert np.all(steps < 0)
    assert g[0] > 39e-6 and g[-1] < 4.1e-6
    assert np.max(-steps) < 36e-6 / 8  # the follower saturates: coarse at first, fine at the end


def test_bulk_reset_reaches_each_of_32_even_levels(pool):
    """Finer steps of the source line: every level of 32 evenly spaced ones is met within half a spacing."""
    g = staircase(pool, **bulk(polarity="reset", state=1.0, v_first=1.2, v_last=2.1, pulses=96))
    levels = np.linspace(g[-1], g[0], 32)
    misses = np.min(np.abs(g[:, np.newaxis] - levels), axis=0)
    assert np.max(misses) < (levels[1] - levels[0]) / 2


def test_bulk_set_by_the_word_line_is_monotone(pool):
    g = staircase(pool, **bulk(set_line="wl", v_bl_set=3.0, state=0.0, v_first=0.8, v_last=1.5, pulses=32))
    assert np.all(np.diff(g) > 0) and g[-1] / g[0] > 5


def test_bulk_level_does_not_hang_on_the_time_step(pool):
    one = {"state": 0.3, "v_first": 2.4, "v_last": 2.4, "pulses": 1}
    coarse, fine = (staircase(pool, **bulk(t_step=t_step, **one))[1] for t_step in (0.5e-9, 0.1e-9))
    assert abs(coarse - fine) < 1e-3 * 36e-6  # of the window


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda p: p.stem)
def test_examples_write_in_their_direction(pool, path):
    params = WriteParams.from_toml(path)
    assert path.stem.startswith(params.cell.device.model) and path.stem.endswith(params.polarity)
    g = read_conductances(pool.run(write_staircase(params).text()), params)
    change = np.diff(g) if params.polarity == "set" else -np.diff(g)
    # Reads scatter by reltol; in total each example moves its cell by half of the conductance it starts from, or more.
    assert np.all(change > -1e-3 * g[:-1]) and np.sum(change) > 0.45 * g[0]


def test_examples_come_in_pairs_of_set_and_reset():
    stems = {path.stem for path in EXAMPLES}
    assert stems and {stem.rpartition("_")[0] + end for stem in stems for end in ("_set", "_reset")} == stems


@pytest.mark.parametrize("model", models.names())
def test_every_device_reads_in_cell_and_crossbar(pool, model):
    cell = CellParams.checked({"device": {"model": model}}, where="test")
    sweep = pool.run(read_sweep(ReadSweepParams(cell=cell, state=0.7, points=5)).text())
    currents = sweep["i_cell"]
    assert np.all(np.diff(currents) > 0) and currents[-1] > 1e-9
    params = CrossbarReadParams(crossbar=CrossbarParams(rows=2, cols=2, cell=cell))
    waves = pool.run(transient_read(params, *example_pattern(params)).text())
    assert all(waves[name][-1] > 1e-9 for name in params.sense_outputs)


def test_the_default_cell_is_sky130_and_writes_no_parameter():
    assert "X_rram bl d s rram_sky130 s_0={s_0}" in str(dynamic_cell(CellParams()))
    assert "X_rram bl d rram_sky130_held s_0={s_0}" in str(held_cell(CellParams()))


def test_only_what_differs_is_written_and_held_gets_what_it_knows():
    device = Device(model="bulk", overrides={"g_max": 30e-6, "v_set": 1.6, "g_min": 4e-6})
    assert device.instance() == {"g_max": 30e-6, "v_set": 1.6}
    assert device.instance(held=True) == {"g_max": 30e-6}
    assert device.values["g_max"] == 30e-6


def test_overrides_reach_the_simulation(pool):
    cell = CellParams(device=Device(model="bulk", overrides={"g_max": 20e-6}))
    sweep = pool.run(read_sweep(ReadSweepParams(cell=cell, state=1.0, points=5)).text())
    g = sweep["i_cell"][-1] / ReadSweepParams().read.v_max
    assert g == near(20e-6, 0.03)  # the transistor in series takes 2 %


@pytest.mark.parametrize(
    ("device", "complaint"),
    [
        ({"model": "bulk", "overrides": {"g_mx": 1e-6}}, "unknown parameter 'g_mx'"),
        ({"model": "bulk", "overrides": {"g_max": 1.0}}, "g_max must be within 1e-08 to 0.01 S; got 1"),
        ({"model": "bulk", "overrides": {"g_max": "1\n.control"}}, "overrides.g_max"),
        ({"model": "bulk", "overrides": {"x\n.control": 1.0}}, "unknown parameter"),
        ({"model": "bulk", "parameter_set": "x\n.control"}, "parameter_set must be one of default, symmetric"),
        ({"model": "bulky"}, "model"),
    ],
)
def test_bad_devices_are_refused(device, complaint):
    with pytest.raises(InputError, match=complaint.replace(".", r"\.")):
        WriteParams.checked({"cell": {"device": device}}, where="test")


def test_parameter_files_are_checked(tmp_path):
    text = (models.FOLDER / "bulk.toml").read_text(encoding="utf-8")
    for old, new, complaint in (
        ("v_nl = 1.2\n", "", "must give every parameter and no other; see v_nl"),
        ("v_nl = 1.2\n", "v_nl = 1e9\n", "v_nl must be within"),
        ('library = "rram_bulk.lib"', 'library = "../x.lib"', "library"),
        ("[sets.default", "[sets.other", "the set `default` is missing"),
    ):
        assert old in text
        path = tmp_path / "bad.toml"
        path.write_text(text.replace(old, new), encoding="utf-8")
        with pytest.raises(InputError, match=complaint):
            models.DeviceModel.from_toml(path)


def test_the_catalog_has_the_pulse_train():
    assert "rram_bulk" in block("device_pulse").deck(block("device_pulse").parameters()).text()
