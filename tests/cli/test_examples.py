"""The examples run, and the README's Python is the package's."""

import importlib.util
import re
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables
from fixtures.synthetic import tables

from rramkit import table
from rramkit.characterization.plan import Plan
from rramkit.learning import DataSet, Experiment
from rramkit.learning.experiment import grid
from rramkit.learning.rl.settings import RlSettings
from rramkit.learning.supervised import SupervisedTraining, trainers

SHAPES = {"digits": (1, 8, 8), "mnist": (1, 28, 28), "cifar10": (3, 32, 32)}
FILES = {"a chip": partial(chip_tables, scatter=True), "cells alone": tables}

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def table_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "tables.h5"
    table.save(tables(), path)
    return path


def load(script):
    spec = importlib.util.spec_from_file_location(script.stem, script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_train_from_tables(table_file, capsys):
    load(ROOT / "examples" / "train_from_tables.py").main(table_file)
    printed = capsys.readouterr().out
    assert len(re.findall(r"SET from 10 uS", printed)) == 5
    assert float(re.search(r"accuracy ([\d.]+)", printed)[1]) > 0.8  # type: ignore[index]  # five epochs


@pytest.mark.parametrize("plan", sorted((ROOT / "examples").glob("*.toml")), ids=lambda path: path.name)
def test_plans_are_valid(plan):
    assert Plan.from_toml(plan) != Plan()


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "experiments").glob("*.toml")), ids=lambda path: path.name)
def test_experiments_are_valid(path):
    assert grid(Experiment.from_toml(path))


def _data(shape):
    """20 inputs of every kind, of ten classes."""
    x, y = np.random.default_rng(0).random((20, *shape)), np.arange(20) % 10
    return DataSet(x, y, x, y, x_validation=x, y_validation=y)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "experiments").glob("*.toml")), ids=lambda path: path.name)
def test_experiments_build_on_a_chip_and_on_cells_alone(path, file):
    """Every stage that one types is either not in the file or taken from it on purpose; nothing is trained."""
    for _, experiment in grid(Experiment.from_toml(path))[:1]:  # the others differ in seeds
        there, data = experiment.chip.tables(FILES[file]()), _data(SHAPES[experiment.data.name])
        if experiment.data.name == "cifar10":  # eleven million cells need not be written here
            rram, _ = trainers(experiment, experiment.on(there), data.shape, data.classes)
            assert rram.rule
        else:
            assert SupervisedTraining(experiment, there, data).initial.rram.rule_state.parts


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "rl").glob("*.toml")), ids=lambda path: path.name)
def test_reinforcement_builds_on_a_chip_and_on_cells_alone(path, file):
    settings = RlSettings.from_toml(path)
    chip = settings.on(settings.chip.tables(FILES[file]()))
    assert chip is not None and {"cell current", "pulses"} <= {each.stage for each in chip.sources}


def test_readme_python_runs(table_file, monkeypatch):
    source = (ROOT / "README.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"```python\n(.*?)```", source, re.DOTALL)
    snippet = snippet.replace("build/demo/tables.h5", str(table_file)).replace("epochs=10", "epochs=1")
    exec(compile(snippet, "README.md", "exec"), {})


@pytest.mark.parametrize("script", sorted((ROOT / "benchmarks").glob("*.py")), ids=lambda path: path.name)
def test_benchmarks_import(script, monkeypatch):
    monkeypatch.syspath_prepend(str(script.parent))  # as when one is run: its neighbours can be imported
    if re.search(r"(?m)^import torch$", script.read_text(encoding="utf-8")):
        pytest.importorskip("torch", reason="PyTorch is an extra")
    module = load(script)
    assert callable(module.main if "__main__" in script.read_text(encoding="utf-8") else module.plain_loop)
