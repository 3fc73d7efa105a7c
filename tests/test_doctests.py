"""The examples of the docstrings run: each in an empty folder that holds `tables.h5`, synthetic tables of a cell."""

import doctest
import importlib
from pathlib import Path

import numpy as np
import pytest
from fixtures.synthetic import tables

from rramkit import table
from rramkit.cli.checkout import LINKS

ROOT = Path(__file__).resolve().parents[1]
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
OPTIONAL = ("torch", "gymnasium", "distributed", "xarray")
"""Packages of the kit's extras: the examples of a module that needs a missing one are skipped."""


def with_examples() -> list[str]:
    """Names of the modules whose source has an example; only these are imported."""
    folders = [ROOT / "rramkit", *(ROOT / "rramkit" / link for link in LINKS)]  # rglob does not enter a link
    paths = {path for folder in folders for path in folder.rglob("*.py") if ">>> " in path.read_text(encoding="utf-8")}
    return sorted(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths)


@pytest.mark.parametrize("name", with_examples())
def test_the_examples_run(name, tmp_path, monkeypatch):
    try:
        module = importlib.import_module(name)
    except ImportError as error:
        if (error.name or "").partition(".")[0] in OPTIONAL:
            pytest.skip(f"{error.name} is not installed")
        raise
    monkeypatch.chdir(tmp_path)
    table.save(tables(), Path("tables.h5"))
    runner, report = doctest.DocTestRunner(optionflags=OPTIONS), []
    with np.printoptions(precision=8):
        for test in doctest.DocTestFinder(exclude_empty=True).find(module, name):
            runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
