"""Shared fixtures: one pool of ngspice for a test process, and the folder of measured data where there is one.

Property tests draw the same examples in each run and have no deadline: a failure is a fact about the code, not about
the machine or the day. `pytest --hypothesis-profile=search` draws new examples.
"""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic

import matplotlib as mpl
import pytest
from fixtures import axe as checker
from fixtures import browser as browsers
from fixtures.slow import SLOW
from hypothesis import HealthCheck, settings

from rramkit.characterization.engine.pool import SpicePool
from rramkit.circuits.verilog_a import FOLDER_VARIABLE, VARIABLE, find_compiler
from rramkit.cli import entry

mpl.use("Agg")
_TESTS = Path(__file__).parent
os.environ["RRAMKIT_PROGRESS"] = "stages"  # of commands too: no line of an error stream hangs on a machine's pace
_TIMED = [HealthCheck.too_slow]
settings.register_profile("kit", deadline=None, derandomize=True, suppress_health_check=_TIMED)
settings.register_profile("search", deadline=None, print_blob=True, suppress_health_check=_TIMED)
settings.load_profile("kit")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what runs ngspice, and what `make check` leaves out; put slow files first."""
    for item in items:
        if "pool" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.spice)
        path = item.path.relative_to(_TESTS).as_posix() if item.path.is_relative_to(_TESTS) else ""
        if path in SLOW or item.get_closest_marker("spice"):
            item.add_marker(pytest.mark.slow)
    # Slow files first: on several workers quick ones fill the end, where otherwise one works on a slow file alone.
    slow = {item.path for item in items if item.get_closest_marker("slow") or item.get_closest_marker("long")}
    items.sort(key=lambda item: item.path not in slow)


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


@pytest.fixture(scope="session")
def browser() -> Iterator[browsers.Browser]:
    """The one browser of a test process, without a window; skipped where none is installed."""
    if browsers.program() is None:
        pytest.skip(f"no browser on the path: {', '.join(browsers.PROGRAMS)}")
    with browsers.browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def axe() -> Callable[[browsers.Browser], list[str]]:
    """What axe-core finds in a page of the browser; skipped where it is not installed."""
    if checker.script() is None:
        pytest.skip(f"no axe-core: the extra `test` brings it, and {checker.VARIABLE} does not name its file")
    return checker.violations


@pytest.fixture
def data_folder() -> Path:
    folder = os.environ.get("RRAMKIT_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("RRAMKIT_DATA does not name the folder of measured data")
    return Path(folder)


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command line in this process; return exit code, output, error output."""
    monkeypatch.setattr("signal.signal", lambda *_: None)  # the test's own handlers stay
    monkeypatch.setattr(entry, "_mute_output", lambda: None)

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["rramkit", *arguments])
        monkeypatch.setattr(entry, "_STARTED", monotonic())  # of this command, not of the process
        with pytest.raises(SystemExit) as ended:
            entry.main()
        captured = capfd.readouterr()
        return int(ended.value.code or 0), captured.out, captured.err

    return call
