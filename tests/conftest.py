"""Shared fixtures: one pool of ngspice for a test process, and the folder of measured data where there is one."""

import os
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest

from rramkit.characterization.engine.pool import SpicePool

mpl.use("Agg")


@pytest.fixture(scope="session")
def pool() -> Iterator[SpicePool]:
    with SpicePool(workers=1, timeout=60) as pool:
        yield pool


@pytest.fixture
def data_folder() -> Path:
    folder = os.environ.get("RRAMKIT_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("RRAMKIT_DATA does not name the folder of measured data")
    return Path(folder)
