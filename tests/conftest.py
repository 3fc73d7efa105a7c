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
from rramkit.circuits.verilog_a import FOLDER_VARIABLE, VARIABLE, find_compiler

mpl.use("Agg")
os.environ["RRAMKIT_PROGRESS"] = "stages"  # of commands too: no line of an error stream hangs on a machine's pace
_TIMED = [HealthCheck.too_slow]
settings.register_profile("kit", deadline=None, derandomize=True, suppress_health_check=_TIMED)
settings.register_profile("search", deadline=None, print_blob=True, suppress_health_check=_TIMED)
settings.load_profile("kit")


@pytest.fixture(scope="session")
def pool() -> Iterator[SpicePool]:
    with SpicePool(workers=1) as pool:
        yield pool


@pytest.fixture(scope="session")
def verilog_a(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of compiled models of a test that compiles Verilog-A; skipped where there is no compiler."""
    if find_compiler() is None:
        pytest.skip(f"no Verilog-A compiler: openvaf-r is not on PATH, and {VARIABLE} does not name it")
    with pytest.MonkeyPatch.context() as there:
        folder = tmp_path_factory.mktemp("osdi")
        there.setenv(FOLDER_VARIABLE, str(folder))
        yield folder


@pytest.fixture
def data_folder() -> Path:
    folder = os.environ.get("RRAMKIT_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("RRAMKIT_DATA does not name the folder of measured data")
    return Path(folder)
