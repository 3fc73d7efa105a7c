"""Lines that a user would guess of the package itself: its names, its packages, a light import."""

import subprocess
import sys

import numpy as np
import pytest

import rramkit as rk


def test_every_public_name_resolves():
    for name in rk.__all__:
        assert getattr(rk, name) is not None
    assert set(rk.__all__) <= set(dir(rk))


def test_packages_are_attributes():
    for name in ("table", "array", "learning", "record", "plots", "report", "circuits", "characterization"):
        assert getattr(rk, name).__name__ == f"rramkit.{name}"


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'rramkit' has no attribute 'trian'"):
        rk.trian  # noqa: B018


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, rramkit; heavy = {'numpy', 'h5py', 'PySpice', 'pydantic', 'matplotlib'} & set(sys.modules); "
        "assert not heavy, heavy; rramkit.load; assert 'h5py' in sys.modules and 'PySpice' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_whole_program(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rk.save(rk.example(), "tables.h5")
    rng, w, x, y = np.random.default_rng(0), np.array([[0.5, -1.0], [1.0, 0.25]]), np.ones((30, 4)), np.arange(30) % 3
    tables = rk.load("tables.h5")
    assert tables["set"].at("delta_g", g_start=10e-6, v_pulse=1.3) > 0.0
    array = rk.ArrayModel(tables)
    tile, cost = array.program(w, rng=rng)
    i = tile.read([0.1, -0.1])
    assert i.shape == (2,) and cost.missed == 0
    run = rk.train(rk.Experiment(epochs=1, float_reference=False), tables, data=(x, y))
    run.save("run.h5")
    np.testing.assert_array_equal(run.network.predict(x), rk.load_run("run.h5").predict(x))


def test_from_tables_to_a_read(tmp_path):
    rk.save(rk.example(), tmp_path / "tables.h5")
    tables = rk.load(tmp_path / "tables.h5")
    array = rk.ArrayModel(tables)
    weight = np.array([[0.5, -1.0], [1.0, 0.25]])
    tile, cost = array.program(weight, rng=np.random.default_rng(0))
    assert isinstance(tile, rk.Tile)
    assert cost.pulses > 0 and cost.energy > 0.0
    assert tile.read([0.1, -0.1]).shape == (2,)
