"""Tables in a file or a pipe: names and texts are whole, so that they can be searched; on a terminal they fit."""

import io
import sys
from pathlib import Path

import numpy as np
import pytest
from rich.table import Table as Grid

from rramkit.characterization import device_check
from rramkit.cli import residuals
from rramkit.cli.console import console
from rramkit.table import HeldOut

LONG = "write_driver_set.v_settled_at_the_far_end_of_a_row"


def printed(capfd) -> str:
    one = np.array([1.0])
    points = HeldOut(at={}, spice=one, fit=one, unit="V", limit_rms=1.0, limit_max=1.0)
    residuals.show(residuals.as_grid({LONG: points}, "Held-out points"))
    return capfd.readouterr().out


@pytest.fixture(autouse=True)
def _no_width(monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)


def test_a_long_name_is_whole_in_a_file(capfd):
    assert LONG in printed(capfd)


def test_the_width_that_is_asked_for_is_kept(capfd, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    out = printed(capfd)
    assert LONG not in out
    assert max(map(len, out.splitlines())) <= 60


def test_brackets_in_names_are_printed(capfd, kit, tmp_path, monkeypatch):
    one = np.array([1.0])
    points = HeldOut(at={}, spice=one, fit=one, unit="V", limit_rms=1.0, limit_max=1.0)
    residuals.show(residuals.as_grid({"a[kk].v": points}, "points of my[tables].h5"))
    out = capfd.readouterr().out
    assert "a[kk].v" in out and "my[tables].h5" in out
    monkeypatch.chdir(tmp_path)
    lines = [f"set,{2 + k}" for k in range(12)] + [f"reset,{13 - k}" for k in range(12)]
    Path("p.csv").write_text("\n".join(["polarity,Conductance [uS]", *lines]))
    _, out, _ = kit("import", "p.csv", "-o", "t.h5")
    assert "Conductance [uS]" in out


def test_a_device_check_prints_what_ngspice_says_in_brackets(kit, monkeypatch):
    found = device_check.Finding("reads do not move the state", False, "no result: Undefined parameter [kk]", "Fix it.")
    monkeypatch.setattr(device_check, "check_device", lambda *_: [found])
    code, out, _ = kit("device", "check", "sky130")
    assert code == 1
    assert "Undefined parameter [kk]" in out


@pytest.mark.parametrize("stderr", [False, True])
def test_lines_of_a_file_are_not_filled_with_blanks_and_long_texts_stay_on_one(capfd, stderr):
    grid = Grid("key", "meaning")
    grid.add_row(LONG, "word " * 60)
    console(stderr=stderr).print(grid)
    captured = capfd.readouterr()
    lines = (captured.err if stderr else captured.out).splitlines()
    assert len(lines) == 5  # frame, header, rule, row, frame
    assert len(lines[0]) < 400  # columns: as wide as the row


def test_a_terminal_has_its_own_width(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    assert console().width < 1000
