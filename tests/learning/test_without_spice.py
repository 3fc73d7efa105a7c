"""The command line without PySpice and ngspice: everything that needs table files only."""

import json
import os
import subprocess
import sys
from pathlib import Path

from fixtures.synthetic import tables
from fixtures.waiting import BACKSTOP

from rramkit import table

PROGRAM = """
import contextlib, io, json, sys
sys.modules["PySpice"] = None
from rramkit.cli import main
for arguments in json.loads(sys.argv.pop()):
    sys.argv = ["rramkit", *arguments]
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            code = main() or 0
        except SystemExit as end:
            code = end.code or 0
    print(json.dumps([code, out.getvalue(), err.getvalue()]))
"""


def _kit(folder, *commands):
    """Return exit code, output and error output of each command, one after the other in one process."""
    environment = {
        **os.environ,
        "RRAMKIT_NGSPICE": str(folder / "nowhere.so"),
        "PYTHONPATH": str(Path(__file__).parents[2]),
    }
    command = [sys.executable, "-c", PROGRAM, json.dumps(commands)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=BACKSTOP)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_train_report_and_help_work(tmp_path):
    table.save(tables(), tmp_path / "tables.h5")
    trained, reported, *helped = _kit(
        tmp_path,
        ["train", "--tables", "tables.h5", "--epochs", "1", "-q"],
        ["report", "tables.h5", "--run", "run.h5"],
        *([command, "--help"] for command in ("simulate", "characterize")),
    )
    assert trained == [0, "run.h5\n", ""]
    assert reported == [0, "report.html\n", "rramkit: note: without PySpice the area of the tiles is not known.\n"]
    assert [code for code, _, _ in helped] == [0, 0]


def test_what_needs_spice_says_so_in_one_line(tmp_path):
    *refused, doctor = _kit(tmp_path, ["netlist", "cell-read"], ["characterize"], ["demo"], ["doctor"])
    for code, _, said in refused:
        assert code == 1
        assert said.count("\n") == 1
        assert "the package PySpice must be installed" in said
    code, told, said = doctor
    assert code == 1
    assert "MISSING" in told
    assert "Traceback" not in said
