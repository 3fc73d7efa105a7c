"""The command line without PySpice and ngspice: everything that needs table files only."""

import os
import subprocess
import sys
from pathlib import Path

from fixtures.synthetic import tables
from fixtures.waiting import BACKSTOP

from rramkit import table

PROGRAM = """
import sys
sys.modules["PySpice"] = None
sys.argv[0] = "rramkit"
from rramkit.cli import main
main()
"""


def _kit(folder, *arguments):
    environment = {
        **os.environ,
        "RRAMKIT_NGSPICE": str(folder / "nowhere.so"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=BACKSTOP)


def test_train_report_and_help_work(tmp_path):
    table.save(tables(), tmp_path / "tables.h5")
    done = _kit(tmp_path, "train", "--tables", "tables.h5", "--epochs", "1", "-q")
    assert (done.returncode, done.stdout, done.stderr) == (0, "run.h5\n", "")
    done = _kit(tmp_path, "report", "tables.h5", "--run", "run.h5")
    assert (done.returncode, done.stdout) == (0, "report.html\n")
    assert done.stderr == "rramkit: note: without PySpice the area of the tiles is not known.\n"
    for command in ("simulate", "characterize"):
        assert _kit(tmp_path, command, "--help").returncode == 0


def test_what_needs_spice_says_so_in_one_line(tmp_path):
    for arguments in (["netlist", "cell-read"], ["characterize"], ["demo"]):
        done = _kit(tmp_path, *arguments)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert "the package PySpice must be installed" in done.stderr
    done = _kit(tmp_path, "doctor")
    assert done.returncode == 1
    assert "MISSING" in done.stdout
    assert "Traceback" not in done.stderr
