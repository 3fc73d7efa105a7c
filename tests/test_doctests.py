"""The examples of the docstrings run: each in a folder with synthetic `tables.h5` and a short `run.h5`."""

import doctest
import importlib
import shutil
from pathlib import Path

import numpy as np
import pytest
from fixtures.synthetic import tables

from rramkit import table
from rramkit.cli.checkout import LINKS
from rramkit.errors import SetupError
from rramkit.learning import Experiment, NetworkSettings, train

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
OPTIONAL = ("torch", "gymnasium", "distributed", "xarray")
"""Packages of the kit's extras: the examples of a module that needs a missing one are skipped."""


def with_examples() -> list[str]:
    """Names of the modules whose source has an example; only these are imported."""
    folders = [ROOT / "rramkit", *(ROOT / "rramkit" / link for link in LINKS)]  # rglob does not enter a link
    paths = {path for folder in folders for path in folder.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")}
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Folder with `tables.h5` and with `run.h5`, a network of 4 inputs and 3 classes trained for an epoch."""
    folder = tmp_path_factory.mktemp("files")
    table.save(tables(), folder / "tables.h5")
    x, y = np.random.default_rng(0).random((60, 4)), np.arange(60) % 3
    experiment = Experiment(network=NetworkSettings(hidden=(5,)), epochs=1, float_reference=False)
    train(experiment, folder / "tables.h5", data=(x, y)).save(folder / "run.h5")
    return folder


@pytest.mark.parametrize("name", with_examples())
def test_the_examples_run(name, files, tmp_path, monkeypatch):
    try:
        module = importlib.import_module(name)
    except (ImportError, SetupError) as error:
        missing = getattr(error if isinstance(error, ImportError) else error.__cause__, "name", None) or ""
        if missing.partition(".")[0] in OPTIONAL:
            pytest.skip(f"{missing} is not installed")
        raise
    monkeypatch.chdir(tmp_path)
    for path in files.iterdir():
        shutil.copy(path, tmp_path)
    runner, report = doctest.DocTestRunner(optionflags=OPTIONS), []
    with np.printoptions(precision=8):
        for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
            runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
