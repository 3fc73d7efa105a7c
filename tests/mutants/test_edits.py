"""The list of mutants keeps up with the code: each edit can be made, and names tests that exist."""

import importlib.util
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]


def _module(name):
    spec = importlib.util.spec_from_file_location(f"mutants_{name}", FOLDER / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


EDITS = _module("edits").EDITS


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.name)
def test_an_edit_can_be_made(edit):
    assert (ROOT / edit.file).read_text(encoding="utf-8").count(edit.old) == 1
    assert edit.old != edit.new
    assert edit.tests
    for test in edit.tests:
        file, _, name = test.partition("::")
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8") if name else (ROOT / file).is_file()


def test_there_are_enough_and_none_twice():
    assert len(EDITS) >= 60
    assert len({edit.name for edit in EDITS}) == len(EDITS)
    assert len({(edit.file, edit.old, edit.new) for edit in EDITS}) == len(EDITS)
