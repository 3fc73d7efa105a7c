"""`rramkit init`: the files that it writes run as they are, and nothing of the user's is overwritten."""

import json
import shlex
from itertools import pairwise

import pytest
import typer.main
from fixtures.synthetic import tables

from rramkit import record, table
from rramkit.characterization.design import find_design
from rramkit.circuits.row_driver import RowDriverBenchParams
from rramkit.cli.app import app
from rramkit.cli.init import KINDS, STEPS, write
from rramkit.learning import Experiment
from rramkit.learning.experiment import grid


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("kind", KINDS)
def test_what_to_run_next_is_a_command_and_names_files_that_are_there(kind, here, kit):
    code, out, err = kit("init", kind)
    assert (code, err) == (0, "")
    group = typer.main.get_command(app)
    made = {path.name for path in here.iterdir()} | {"--preset", "epiram"}
    for command, gives in STEPS[kind]:
        assert f"{command} " in out and gives in out
        program, name, *words = shlex.split(command)
        assert program == "rramkit" and name in group.commands  # pyright: ignore[reportAttributeAccessIssue]
        options = {option for each in group.commands[name].params for option in each.opts}  # pyright: ignore[reportAttributeAccessIssue]
        assert {word for word in words if word.startswith("-")} <= options
        inputs = [word for word, before in zip(words, ["", *words], strict=False) if before not in ("-o",)]
        assert {word for word in inputs if "." in word} <= made, "an input that no earlier step writes"
        made |= {after for word, after in pairwise(words) if word == "-o"}


def test_the_circuits_are_a_design_that_holds(here):
    write("circuit", here)
    design = find_design("design.toml")
    assert {"read", "set", "reset", "wires", "row_driver"} <= {plan.name for plan in design.plans}
    assert design.cell is not None and design.cell.cell.device.model == "sky130"
    decks = {plan.name: plan.component for plan in design.plans}
    assert decks["row_driver"].name == "row_driver"
    assert next(plan for plan in design.plans if plan.name == "row_driver").nominal == RowDriverBenchParams()
    assert Experiment.from_toml(here / "experiment.toml").tables == "tables.h5"


def test_the_data_become_tables_on_which_its_experiment_trains(here, kit):
    kit("init", "data", "mine")
    folder = here / "mine"
    code, _, err = kit(
        "import", "mine/pulses.csv", "--iv", "mine/iv.csv", "--params", "mine/settings.toml", "-o", "mine/tables.h5"
    )
    assert (code, err) == (0, "")
    assert all(
        points.passed for each in table.load(folder / "tables.h5").tables.values() for points in each.held_out.values()
    )
    chosen = ("-s", "data.train_images=200", "-s", "data.test_images=100", "-s", "float_reference=false")
    code, out, _ = kit("train", "mine/experiment.toml", "--epochs", "1", *chosen, "-o", "run.h5", "-q")
    assert (code, out) == (0, "run.h5\n")


def test_the_network_trains_on_tables(here, kit):
    write("network", here)
    table.save(tables(), here / "tables.h5")
    code, out, err = kit("train", "experiment.toml", "-s", "epochs=2", "-s", "float_reference=false", "-q")
    assert (code, out) == (0, "run.h5\n"), err
    assert record.load(here / "run.h5").accuracy > 0.5  # chance is 0.1
    assert len(grid(Experiment.from_toml(here / "ablation.toml"))) == 2


def test_nothing_is_overwritten(here, kit):
    (here / "ablation.toml").write_text("mine")
    code, out, err = kit("init", "network")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "ablation.toml" in err and "rramkit init network FOLDER" in err
    assert [(path.name, path.read_text()) for path in here.iterdir()] == [("ablation.toml", "mine")]


def test_without_a_kind_the_kinds_are_listed(here, kit):
    code, _, err = kit("init")
    assert code == 2 and all(f"{name}: " in err for name in KINDS)
    assert not list(here.iterdir())


def test_json(here, kit):
    found = json.loads(kit("init", "circuit", "new", "--json")[1])
    assert found["files"] == ["new/design.toml", "new/experiment.toml", "new/row_driver.toml"]
    assert found["next"] == [command for command, _ in STEPS["circuit"]]
