"""docs/own-process.md as a newcomer follows it: its files, its commands."""

import re
from pathlib import Path

import pytest

from rramkit.cli.app import run

ROOT = Path(__file__).parents[1]


@pytest.mark.spice
def test_the_page_runs_as_it_stands(tmp_path, monkeypatch):
    page = (ROOT / "docs" / "own-process.md").read_text()
    files = re.findall(r"(?ms)^`([\w./]+)`:\n\n```\w+\n(.*?)^```", page)
    assert [name for name, _ in files] == ["kit/all.lib", "kit/transistors.inc", "cell.toml", "plan.toml"]
    for name, text in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    commands = re.findall(r"(?m)^rramkit (.+)$", page)
    assert len(commands) == 3
    monkeypatch.chdir(tmp_path)
    for command in commands:
        assert run(command.split()) == 0, command
