"""A machine that only trains: the packages of docs/installation.md, and no other, are there."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from fixtures import core_install
from fixtures.synthetic import tables
from fixtures.waiting import BACKSTOP

import rramkit as rk
from rramkit import compiling, table

EXPERIMENT = """
epochs = 1
[network]
hidden = [4]
[data]
name = "npz"
file = "data.npz"
"""
REMAPPED = """
[rule]
kind = "fault_tolerant"
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("trains")


@pytest.fixture(scope="module")
def core(folder, tmp_path_factory):
    """Run the command line in `folder`, with a table file and data, where only those packages can be imported."""
    packages = tmp_path_factory.mktemp("packages")
    variables = core_install.link(core_install.documented(), packages)
    table.save(tables(), folder / "tables.h5")
    rng = np.random.default_rng(0)
    x, y = rng.random((90, 6)), np.arange(90) % 2
    x[:, 0] = y
    np.savez(folder / "data.npz", x_train=x[:40], y_train=y[:40], x_test=x[40:], y_test=y[40:])
    (folder / "experiment.toml").write_text(EXPERIMENT)
    (folder / "remapped.toml").write_text(EXPERIMENT + REMAPPED)
    (folder / "swept.toml").write_text(EXPERIMENT + "[sweep]\nseed = [1]\n")

    def run(*words):
        return subprocess.run(
            core_install.command(*words),
            cwd=folder, env=variables, capture_output=True, text=True, timeout=BACKSTOP, check=False,
        )  # fmt: skip

    return run


def test_neither_scipy_nor_a_simulator_nor_pictures_are_there(core):
    """What the other tests of this file say is worth nothing otherwise."""
    told = core("doctor", "--json")
    assert told.returncode == 1, told.stderr
    states = {check["name"]: check["state"] for check in json.loads(told.stdout)["checks"]}
    for package in ("scipy", "scikit-learn", "PySpice", "matplotlib", "jinja2"):
        assert states[package] == "missing"
    assert {"train", "evaluate", "cost", "sweep", "tile", "export"} <= set(json.loads(told.stdout)["works"])
    assert not {"import", "calibrate", "netlist", "simulate"} & set(json.loads(told.stdout)["works"])


def test_it_trains_and_gets_the_numbers_of_a_whole_install(core, folder, monkeypatch):
    done = core("train", "experiment.toml", "--tables", "tables.h5", "-o", "run.h5", "-q")
    assert (done.returncode, done.stdout) == (0, "run.h5\n"), done.stderr
    monkeypatch.setenv(compiling.VARIABLE, "numpy")  # a whole install may have compiled kernels, whose sums are others
    monkeypatch.chdir(folder)
    whole = rk.train(rk.Experiment.from_toml(Path("experiment.toml")), rk.load("tables.h5"))
    there, here = rk.load_run("run.h5").totals(), whole.totals()
    timed = {name for name in here if name.endswith("seconds")}
    assert {name: here[name] for name in set(here) - timed} == {name: there[name] for name in set(here) - timed}
    assert here["energy_write"] > 0.0 and here["energy_read"] > 0.0


def test_what_a_run_is_used_for_works_too(core):
    for line in (
        "evaluate run.h5 --after 3e7 --chips 1",
        "cost run.h5",
        "sweep swept.toml -q --workers 1",
        "tile tables.h5 -q",
        "export tables.h5 --to aihwkit -o device.json",
    ):
        done = core(*line.split())
        assert done.returncode == 0, (line, done.stderr)


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("tile tables.h5 --exact -q", "the grade exact of wires"),
        ("calibrate run.h5 -q", "a calibration"),
        ("train remapped.toml -o other.h5 -q", "a match of rows"),
    ],
)
def test_what_needs_scipy_says_so_in_one_line(core, line, what):
    done = core(*line.split())
    assert (done.returncode, done.stdout) == (1, "")
    said = done.stderr.splitlines()[-1]
    assert what in said and said.endswith("Run: pip install scipy"), done.stderr
    assert "Traceback" not in done.stderr
