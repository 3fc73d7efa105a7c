"""Shared fixtures: one pool of ngspice for a test process, and the folder of measured data where there is one.

Property tests draw the same examples in each run and have no deadline: a failure is a fact about the code, not about
the machine or the day. `pytest --hypothesis-profile=search` draws new examples.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import HealthCheck, settings

from rramkit.characterization.engine.pool import SpicePool

mpl.use("Agg")
_TIMED = [HealthCheck.too_slow]
settings.register_profile("kit", deadline=None, derandomize=True, suppress_health_check=_TIMED)
settings.register_profile("search", deadline=None, print_blob=True, suppress_health_check=_TIMED)
settings.load_profile("kit")


@pytest.fixture(scope="session")
def pool() -> Iterator[SpicePool]:
    with SpicePool(workers=1) as pool:
        yield pool


@pytest.fixture
def data_folder() -> Path:
    folder = os.environ.get("RRAMKIT_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("RRAMKIT_DATA does not name the folder of measured data")
    return Path(folder)
