"""A demo that is run again takes the training that it has, but only where that would be the same."""

import json

import pytest
from fixtures.synthetic import tables
from rich.console import Console

from rramkit import compiling, table
from rramkit.cli import demo
from rramkit.learning import Experiment, train


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder as a finished demo leaves it."""
    folder = tmp_path_factory.mktemp("demo")
    table.save(tables(), folder / "tables.h5")
    settings = {"network": {"hidden": [4]}, "data": {"train_images": 60, "test_images": 30}, "epochs": 1}
    train(Experiment.checked(settings, where="the test"), tables()).save(folder / "run.h5")
    (folder / "summary.json").write_text(json.dumps({"training": demo._training(folder)}), encoding="utf-8")
    return folder


def test_the_same_training_is_taken(folder):
    run = demo._finished(folder, Console(stderr=True))
    assert run is not None and run.settings["epochs"] == 1


@pytest.mark.parametrize("name", ["tables.h5", "run.h5"])
def test_other_files_are_another_training(folder, tmp_path, name):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes() + (b" " if path.name == name else b""))
    assert demo._finished(tmp_path, Console(stderr=True)) is None


def test_edited_code_and_other_kernels_are_another_training(folder, tmp_path, monkeypatch):
    (tmp_path / "compiling.py").write_text("# edited", encoding="utf-8")
    with monkeypatch.context() as edited:
        edited.setattr(compiling, "__file__", str(tmp_path / "compiling.py"))
        assert demo._finished(folder, Console(stderr=True)) is None
    monkeypatch.setattr(compiling, "family", lambda: "other kernels")
    assert demo._finished(folder, Console(stderr=True)) is None


def test_a_report_is_drawn_again_where_it_or_its_tables_differ(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "report.html").write_text("a page", encoding="utf-8")
    assert not demo._same(tmp_path, "report", demo._report)
    (tmp_path / "summary.json").write_text(json.dumps({"report": demo._report(tmp_path)}), encoding="utf-8")
    assert demo._same(tmp_path, "report", demo._report)
    (tmp_path / "report.html").write_text("another page", encoding="utf-8")
    assert not demo._same(tmp_path, "report", demo._report)
    (tmp_path / "report.html").unlink()
    assert not demo._same(tmp_path, "report", demo._report)


def test_a_damaged_summary_is_none(folder, tmp_path):
    for path in folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / "summary.json").write_text("[1", encoding="utf-8")
    assert demo._finished(tmp_path, Console(stderr=True)) is None
