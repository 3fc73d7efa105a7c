"""Lines of a summary: within 80 columns, and nothing of a text lost."""

import sys
from types import SimpleNamespace

import pytest

from rramkit.cli import rows as module
from rramkit.cli.rows import COLUMNS, rows, settings_list
from rramkit.learning import Experiment


def test_long_texts_are_broken_between_words_under_one_another():
    words = [f"word{k}" for k in range(30)]
    lines = rows([("name", " ".join(words)), ("other", "short")], width=10).splitlines()
    assert max(map(len, lines)) <= COLUMNS and len(lines) == 4
    assert [line[:11] for line in lines] == ["name       ", " " * 11, " " * 11, "other      "]
    assert [word for line in lines[:-1] for word in line[11:].split()] == words


def test_a_path_is_never_broken_and_a_name_without_text_stands_alone():
    path = "/".join(["folder"] * 20)
    assert rows([("weights", path), ("", "")], width=8).replace("\n", "").split() == ["weights", path]


@pytest.mark.parametrize("columns", [80, 60])
def test_on_a_terminal_settings_are_within_its_width_and_a_program_gets_a_line_each(columns, monkeypatch):
    for_program = settings_list(Experiment())
    monkeypatch.setattr(module, "get_terminal_size", lambda: SimpleNamespace(columns=columns))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(isatty=lambda: True))
    shown = settings_list(Experiment())
    assert max(map(len, shown.splitlines())) <= columns < max(map(len, for_program.splitlines()))
    assert shown.split() == for_program.split()
