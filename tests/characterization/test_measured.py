"""Measured pulses to tables: what is synthesised is recovered, what does not fit is named, the real file trains."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures import synthetic
from fixtures.closeness import near
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit import table
from rramkit.characterization.measured import importer
from rramkit.characterization.measured.alignment import Reads
from rramkit.characterization.measured.importer import from_preset, from_pulses
from rramkit.characterization.measured.presets import presets
from rramkit.characterization.measured.settings import FileSettings, ImportSettings
from rramkit.characterization.measured.trajectory import Trajectory
from rramkit.cli.app import run as command
from rramkit.errors import InputError, TableError
from rramkit.learning import Experiment, train
from rramkit.learning.rules import MixedPrecision
from rramkit.surrogate.grid import GridSurrogate
from rramkit.surrogate.quantiles import QuantileSurrogate

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "measured"
LOW, HIGH, RATE = 2e-6, 40e-6, 0.08  # S, S, 1: soft bounds of the made-up device


def device(polarity, pulses, *, sigma_read=0.0, sigma_write=0.0, rate=RATE, rng=None):
    """Slow obvious loop: one soft-bounds cell, pulse after pulse, each read with its own noise."""
    rng = rng or np.random.default_rng(0)
    g, bound = (LOW, HIGH * 1.05) if polarity == "set" else (HIGH, LOW * 0.5)
    reads = []
    for _ in range(pulses):
        reads.append(g + sigma_read * rng.standard_normal())
        g += rate * (bound - g) + sigma_write * rng.standard_normal()
    return np.array(reads)


def write(path, *, trains, header="polarity,cycle,g_cell (uS)", scale=1e6):
    lines = [header]
    for polarity, cycle, reads in trains:
        lines += [f"{polarity},{cycle},{scale * g:.9g}" for g in reads]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def both(pulses=41, cycles=1, **noise):
    rng = np.random.default_rng(2)
    return [(p, c, device(p, pulses, rng=rng, **noise)) for p in ("set", "reset") for c in range(cycles)]


def test_a_clean_train_gives_its_own_changes_back(tmp_path):
    file = from_pulses(write(tmp_path / "p.csv", trains=both()), ImportSettings())
    for polarity, bound in (("set", HIGH * 1.05), ("reset", LOW * 0.5)):
        made = file[polarity]
        g = made.axes["g_start"].values
        inside = slice(1, -2)  # the last level is the end of what was measured: nothing moves beyond it
        expected = RATE * (bound - g)
        # One read in five is kept out: differences of a monotone cubic across the gap, 0.8 % of the largest change
        np.testing.assert_allclose(
            made.signals["delta_g"].values[inside, 0], expected[inside], rtol=0, atol=1e-2 * np.max(np.abs(expected))
        )
        assert made.distributions["cycles"].sigma.max() < 1e-3 * np.max(np.abs(expected))
        assert made.held_out["g_train"].passed
        assert made.condition("v_step") == made.axes["v_pulse"].values[0]


def test_a_burst_is_that_many_single_pulses(tmp_path):
    path = write(tmp_path / "p.csv", trains=both())
    one, five = (from_pulses(path, ImportSettings(burst=n)) for n in (1, 5))
    for polarity in ("set", "reset"):
        single, burst = (GridSurrogate(file[polarity], "delta_g") for file in (one, five))
        low, high = single.x0_range
        start = np.linspace(low, high, 9)
        g = start.copy()
        for _ in range(5):
            g = np.clip(g + single.at(g, 1.0), low, high)
        np.testing.assert_allclose(burst.at(start, 1.0), g - start, rtol=0, atol=2e-3 * (high - low))


@pytest.mark.parametrize(("read", "wrote"), [(0.5e-6, 0.1e-6), (0.1e-6, 0.3e-6), (0.4e-6, 0.0)])
def test_noise_of_reads_and_noise_of_pulses_are_told_apart(read, wrote):
    rng = np.random.default_rng(5)
    trains = [device("set", 200, sigma_read=read, sigma_write=wrote, rate=0.01, rng=rng) for _ in range(30)]
    found = Trajectory.of([Reads.each(train) for train in trains], rising=True)
    # 6,000 reads: 15 %. The cell pulls its walk back by 1 % a pulse, so that the line in n bends down over 20 lags and
    # part of the walk is counted as noise of the reads.
    assert found.sigma_write == near(wrote, 0.15, within=0.03e-6)
    assert found.sigma_read == near(read, 0.15, within=0.4 * wrote + 0.01e-6)


def test_the_distribution_has_the_scatter_that_pulses_leave(tmp_path):
    trains = both(pulses=60, cycles=40, sigma_read=0.3e-6, sigma_write=0.4e-6, rate=0.04)
    path = write(tmp_path / "p.csv", trains=trains)
    made = from_pulses(path, ImportSettings())["set"]
    source = QuantileSurrogate(made, "delta_g", over="cycles")
    draws = source.sample(np.full(20000, 20e-6), np.full(20000, 1.0), rng=np.random.default_rng(1))
    # the 60 nearest steps scatter by 1/sqrt(120) = 9 % themselves
    assert np.std(draws) == near(0.4e-6, 0.25)
    wide = from_pulses(path, ImportSettings(scatter="all"))["set"]
    with_reads = QuantileSurrogate(wide, "delta_g", over="all").sample(
        np.full(20000, 20e-6), np.full(20000, 1.0), rng=np.random.default_rng(1)
    )
    assert np.std(with_reads) == near(np.hypot(0.4e-6, 0.3e-6 * np.sqrt(2)), 0.25)
    assert not from_pulses(path, ImportSettings(scatter="none"))["set"].distributions


@settings(max_examples=20)
@given(scale=st.floats(0.1, 50), offset=st.floats(-5, 5), g_low=st.floats(1e-7, 1e-5), ratio=st.floats(2, 50))
def test_arbitrary_units_take_the_scale_they_are_given(tmp_path_factory, scale, offset, g_low, ratio):
    path = tmp_path_factory.mktemp("m") / "p.csv"
    up, down = device("set", 41), device("reset", 41)
    path.write_text(
        "\n".join(f"{offset + scale * a * 1e5},{offset + scale * b * 1e5}" for a, b in zip(up, down, strict=True))
    )
    declared = FileSettings(
        columns={"set": 1, "reset": 2}
    )  # clean columns might be counters or times: they are not guessed
    file = from_pulses(path, ImportSettings(g_low=g_low, g_high=g_low * ratio, pulses=declared))
    ends = [file[name].axes["g_start"].values[[0, -1]] for name in ("set", "reset")]
    assert min(end[0] for end in ends) == near(g_low, 1e-6)
    assert max(end[1] for end in ends) == near(g_low * ratio, 1e-6)


def test_what_cannot_be_scaled_or_goes_the_wrong_way_is_refused(tmp_path):
    trains = both()
    unitless = write(tmp_path / "u.csv", trains=trains, header="polarity,cycle,g_cell")
    with pytest.raises(InputError, match="for arbitrary units: `--set g_low"):
        from_pulses(unitless, ImportSettings())
    path = write(tmp_path / "p.csv", trains=trains)
    with pytest.raises(InputError, match="are for data without a unit"):
        from_pulses(path, ImportSettings(g_low=1e-6, g_high=2e-6))
    swapped = write(tmp_path / "s.csv", trains=[("set" if p == "reset" else "reset", c, g) for p, c, g in trains])
    with pytest.raises(InputError, match=r"does not (rise|fall) along its (set|reset) pulses"):
        from_pulses(swapped, ImportSettings())
    with pytest.raises(InputError, match="g_high must be above g_low"):
        ImportSettings.checked({"g_low": 2e-6, "g_high": 1e-6}, where="test")


def test_resistances_are_conductances(tmp_path):
    trains = both()
    lines = ["polarity,r_cell (kohm)"] + [f"{p},{1e-3 / g:.9g}" for p, _, reads in trains for g in reads]
    (tmp_path / "r.csv").write_text("\n".join(lines), encoding="utf-8")
    ohms = from_pulses(tmp_path / "r.csv", ImportSettings())
    siemens = from_pulses(write(tmp_path / "p.csv", trains=trains), ImportSettings())
    for name in ("set", "reset"):
        left, right = (file[name].signals["delta_g"].values for file in (ohms, siemens))
        np.testing.assert_allclose(left, right, rtol=0, atol=1e-12)  # S: the nine digits of the files


def test_the_worked_example_becomes_a_table_file(tmp_path):
    chosen = ImportSettings.from_toml(EXAMPLES / "settings.toml")
    file = from_pulses(EXAMPLES / "pulses.csv", chosen, iv=EXAMPLES / "iv.csv")
    table.save(file, tmp_path / "t.h5")
    back = table.load(tmp_path / "t.h5")
    assert back["set"].axes["v_pulse"].values.tolist() == [1.2, 1.4]
    stronger = np.abs(back["set"].signals["delta_g"].values[2:-4])
    assert np.all(stronger[:, 1] > stronger[:, 0])
    read = GridSurrogate(back["read"], "i_cell")
    # i = g v_0 sinh(v/v_0), v_0 = 0.4 V, and its conductance is that at 0.1 V
    g, v = 9e-6 * 0.4 * np.sinh(0.25) / 0.1, np.linspace(-0.2, 0.2, 9)
    np.testing.assert_allclose(read.at(g, v), 9e-6 * 0.4 * np.sinh(v / 0.4), rtol=0, atol=1e-3 * 9e-6 * 0.2)
    assert "taken as odd" in back.provenance["lacks"]
    assert len(back.provenance["source_sha256"]) > 100


@pytest.mark.parametrize("name", presets())
def test_a_preset_runs_through_its_range_in_its_number_of_pulses(name):
    device, file = presets()[name], from_preset(name, ImportSettings(points=200))
    low, high = device.g_range
    for polarity, start, end in (("set", low, high), ("reset", high, low)):
        made = file[polarity]
        mean, v = GridSurrogate(made, "delta_g"), float(made.axes["v_pulse"].values[0])
        g = start
        for _ in range(device.states):
            g = float(np.clip(g + mean.at(g, v), low, high))
        # the table's cubic between 200 levels of a curve that bends most at one end
        assert g == near(end, within=0.02 * (high - low))
        spread = QuantileSurrogate(made, "delta_g", over="cycles")
        middle = np.full(20000, (low + high) / 2)
        draws = spread.sample(middle, np.full(20000, v), rng=np.random.default_rng(3))
        assert np.std(draws) == near(device.sigma_cycle * (high - low), 0.03)


def test_the_measured_file_trains(data_folder, tmp_path):
    chosen = ImportSettings(g_low=2e-6, g_high=20e-6, burst=40)
    file = from_pulses(data_folder / "rram_gong2018_pulse_response.csv", chosen)
    assert all(points.passed for name in ("set", "reset") for points in file[name].held_out.values())
    found = train(Experiment(epochs=3, rule=MixedPrecision(threshold=0.04)), file)
    assert found.accuracy > 0.7  # 0.92 after four epochs of mean pulses; chance is 0.1


def test_the_command_writes_a_file_and_says_what_is_assumed(tmp_path, capsys):
    out = tmp_path / "t.h5"
    assert command(["import", str(EXAMPLES / "pulses.csv"), "-o", str(out)]) == 0
    said = capsys.readouterr().out
    assert "note: current against voltage: read as ohmic" in said
    assert "set.g_train" in said and table.load(out)["wires"].signals["r_row"].values == 0
    assert command(["import", "--preset", "epiram", "-o", str(out), "--json"]) == 0
    assert '"wires: ideal"' in capsys.readouterr().out
    with pytest.raises(InputError, match="or a published device by `--preset NAME`; got neither"):
        command(["import", "-o", str(out)])
    with pytest.raises(InputError, match=r"one of ag-a-si, .*; got 'nosuch'"):
        command(["import", "--preset", "nosuch", "-o", str(out)])


def _without_read_time(*_):
    read = synthetic.read_table(linear=True)
    return replace(read, conditions={name: each for name, each in read.conditions.items() if name != "t_read"})


def test_every_way_in_refuses_what_a_training_refuses(tmp_path, monkeypatch):
    """Here a read table without the duration of a read; the message is the training's."""
    path = write(tmp_path / "p.csv", trains=both())
    good = from_pulses(path, ImportSettings())
    bad = replace(good, tables={**good.tables, "read": _without_read_time()})
    with pytest.raises(TableError) as of_training:
        Experiment().built_rule(bad)
    monkeypatch.setattr(importer, "linear_table", _without_read_time)
    for way in (lambda: from_pulses(path, ImportSettings()), lambda: from_preset("epiram", ImportSettings())):
        with pytest.raises(TableError) as of_import:
            way()
        assert str(of_import.value) == str(of_training.value)
