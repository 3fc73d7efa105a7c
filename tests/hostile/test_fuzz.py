"""Files changed at random and sealed anew: `fuzz.py` in a process of its own, which a hang or a crash ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.waiting import BACKSTOP

SHORT = {"table": 30, "run": 30, "checkpoint": 20, "points": 100, "toml": 80, "csv": 10}
LONG = {"table": 1500, "run": 1500, "checkpoint": 1000, "points": 1000, "toml": 2000, "csv": 1000}


def fuzz(folder: Path, cases: dict[str, int], seconds: float, first: int = 0) -> dict[str, dict[str, float]]:
    wanted = [f"{kind}={count}" for kind, count in {**cases, "first": first}.items()]
    command = [sys.executable, str(Path(__file__).with_name("fuzz.py")), str(folder), *wanted]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, check=False)
    last = (folder / "last").read_text() if (folder / "last").exists() else "none"
    assert done.returncode == 0, f"case {last}: exit code {done.returncode}\n{done.stderr[-2000:]}"
    return json.loads(done.stdout.splitlines()[-1])


def test_a_few_files_of_each_kind(tmp_path):
    found = fuzz(tmp_path, SHORT, 3 * BACKSTOP, first=10_000)  # others than those of the long list
    for kind, count in SHORT.items():
        assert found[kind]["cases"] == count
        # A mutation is not a formality; of points, most cost one row, which is run again.
        assert found[kind]["refused"] > (0.02 if kind == "points" else 0.2) * count, kind


@pytest.mark.long
def test_thousands_of_each_kind(tmp_path):
    fuzz(tmp_path, LONG, 7200.0)
