"""docs/own-process.md as a newcomer follows it: its files, its commands."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.waiting import BACKSTOP

ROOT = Path(__file__).parents[1]
PROGRAM = "import sys; sys.argv[0] = 'rramkit'; from rramkit.cli import main; main()"


@pytest.mark.spice
def test_the_page_runs_as_it_stands(tmp_path):
    page = (ROOT / "docs" / "own-process.md").read_text()
    files = re.findall(r"(?ms)^`([\w./]+)`:\n\n```\w+\n(.*?)^```", page)
    assert [name for name, _ in files] == ["kit/all.lib", "kit/transistors.inc", "cell.toml", "plan.toml"]
    for name, text in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    commands = re.findall(r"(?m)^rramkit (.+)$", page)
    assert len(commands) == 3
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, *command.split()],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            timeout=BACKSTOP,
            check=False,
        )
        assert done.returncode == 0, done.stderr + done.stdout
