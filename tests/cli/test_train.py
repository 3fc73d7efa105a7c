import json
import re
from pathlib import Path

import numpy as np
import pytest
from fixtures.synthetic import tables
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.cli.app import app
from rramkit.cli.interrupted import Interrupted
from rramkit.cli.train import goes_on
from rramkit.errors import InputError, TableError
from rramkit.learning import Experiment
from rramkit.learning.checkpoint import path_of
from rramkit.learning.data import DataSettings
from rramkit.learning.rules import MixedPrecision
from rramkit.learning.supervised import SupervisedTraining

FEW = ("--epochs", "1")


@pytest.fixture(scope="module")
def table_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("tables") / "tables.h5"
    table.save(tables(), path)
    return path


def _train(table_file, *arguments):
    result = CliRunner().invoke(app, ["train", "--tables", str(table_file), *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_a_run_file_and_a_summary_with_units(table_file, tmp_path):
    result = _train(table_file, "-o", tmp_path / "run.h5", *FEW)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[-1] == str(tmp_path / "run.h5")
    for name, unit in (
        ("test accuracy", "%"),
        ("pulses", "per cell"),
        ("write energy", "J"),
        ("time", "s for 1 epoch"),
    ):
        assert any(line.startswith(name) and unit in line for line in lines)
    assert record.load(tmp_path / "run.h5").tables_name == "tables.h5"


def test_json_and_quiet_print_one_line(table_file, tmp_path):
    result = _train(table_file, "-o", tmp_path / "run.h5", *FEW, "--json", "--seed", "3")
    found, run = json.loads(result.stdout), record.load(tmp_path / "run.h5")
    assert found["accuracy"] == run.accuracy
    assert found["seed"] == run.seed == 3
    assert found["pulses_set"] == run.epochs.pulses_set.sum()
    result = _train(table_file, "-o", tmp_path / "run.h5", *FEW, "--quiet")
    assert result.stdout == f"{tmp_path / 'run.h5'}\n"
    assert result.stderr == ""


def test_settings_from_a_file_with_the_command_line_on_top(table_file, tmp_path):
    written = tmp_path / "experiment.toml"
    written.write_text("epochs = 50\n[network]\nhidden = [9]\n")
    _train(table_file, written, "-o", tmp_path / "run.h5", *FEW, "-s", "rule.threshold=0.1", "-q")
    run = record.load(tmp_path / "run.h5")
    experiment = Experiment.checked(dict(run.settings), where="the run file")
    assert experiment.network.hidden == (9,)
    assert isinstance(experiment.rule, MixedPrecision) and experiment.rule.threshold == 0.1
    assert run.epochs.epoch[-1] == 1


def test_what_cannot_work_is_said_before_training_and_leaves_nothing(table_file, tmp_path):
    with pytest.raises(TableError, match="no such file"):
        _train(tmp_path / "none.h5", "-o", tmp_path / "run.h5")
    with pytest.raises(InputError, match="is a folder"):
        _train(table_file, "-o", tmp_path)
    with pytest.raises(InputError, match="`epochs` should be greater"):
        _train(table_file, "-o", tmp_path / "run.h5", "--epochs", "0")
    (tmp_path / "large.toml").write_text("[network]\nhidden = [64]\n[mapping]\ncolumns = 128\n")
    with pytest.raises(InputError, match="at most 65 rows x 96 columns"):
        _train(table_file, "-o", tmp_path / "run.h5", tmp_path / "large.toml")
    assert not (tmp_path / "run.h5").exists()


def test_the_experiment_names_its_tables_beside_itself(table_file, tmp_path):
    experiment = tmp_path / "experiment.toml"
    experiment.write_text(f'tables = "{table_file.name}"\nepochs = 1\n')
    with pytest.raises(TableError, match=r"tables\.h5: no such file"):
        CliRunner().invoke(app, ["train", str(experiment)], catch_exceptions=False)
    (tmp_path / table_file.name).write_bytes(table_file.read_bytes())
    done = CliRunner().invoke(app, ["train", str(experiment), "-o", str(tmp_path / "run.h5"), "-q"])
    assert done.exit_code == 0


def test_list_prints_the_settings_as_they_are_and_trains_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "e.toml").write_text('epochs = 7\n[sweep]\nseed = [1, 2]\n"rule.threshold" = [0.1, 0.2]\n')
    for command in ("train", "sweep"):
        done = CliRunner().invoke(app, [command, "e.toml", "--list", "-s", "batch=64"], catch_exceptions=False)
        assert done.exit_code == 0
        assert re.search(r"(?m)^epochs = 7 +epochs$", done.stdout) and re.search(r"(?m)^batch = 64 ", done.stdout)
        assert re.search(r"(?m)^optimiser\.learning_rate = ", done.stdout)
    assert "4 trainings:\n  seed=1 rule.threshold=0.1\n" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["e.toml"]


def test_a_run_that_is_there_is_not_replaced_in_silence(table_file, tmp_path):
    output = tmp_path / "run.h5"
    assert "replaced" not in _train(table_file, "-o", output, *FEW).stderr
    again = _train(table_file, "-o", output, *FEW)
    assert f"note: {output} exists, and is replaced when this ends well" in again.stderr
    assert "replaced" not in _train(table_file, "-o", output, *FEW, "-q").stderr


def test_an_ablation_leaves_the_summary_of_a_sweep_in_its_folder(table_file, tmp_path):
    settings = "epochs = 1\nfloat_reference = false\n[data]\ntrain_images = 100\ntest_images = 50\n"
    (tmp_path / "e.toml").write_text(
        settings + "[device]\ncurrent = 'ohmic'\nchange = 'even'\n[mapping]\nwires = true\n"
    )
    for command in ("sweep", "ablate"):
        arguments = [command, str(tmp_path / "e.toml"), "--tables", str(table_file), "-o", str(tmp_path / "runs")]
        done = CliRunner().invoke(app, [*arguments, "--workers", "1", "-q"], catch_exceptions=False)
        assert done.exit_code == 0
    rows = {name: json.loads((tmp_path / "runs" / name).read_text()) for name in ("summary.json", "ablation.json")}
    assert [row["label"] for row in rows["summary.json"]] == ["as it is"]
    assert {row["label"] for row in rows["ablation.json"]} >= {"none", "all"}


def test_other_data_under_the_same_name_are_not_taken_for_those_of_the_run(table_file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    x, y = rng.random((300, 6)), np.arange(300) % 3
    np.savez("own.npz", x=x, y=y)
    mine = ["--tables", str(table_file), "-s", "data.name=npz", "-s", "data.file=own.npz", "-s", "network.hidden=4"]
    Path("e.toml").write_text("epochs = 1\n[sweep]\nseed = [1, 2]\n")
    sweep = ["sweep", "e.toml", *mine, "-o", "sweep", "--workers", "1"]

    def run(*arguments):
        return CliRunner().invoke(app, arguments)

    def swept():
        assert run(*sweep).exit_code == 0
        return json.loads(Path("sweep/summary.json").read_text())

    assert run("train", *mine, "--epochs", "1", "-o", "run.h5").exit_code == 0
    before = swept()
    np.savez_compressed("own.npz", y=y, x=x)  # the same numbers
    assert run("evaluate", "run.h5").exit_code == 0
    assert swept() == before  # nothing is trained anew: the seconds are the same
    np.savez("own.npz", x=x[::-1], y=y)
    refused = run("evaluate", "run.h5")
    assert "holds other inputs than those that run.h5 was trained on, under the same name" in str(refused.exception)
    assert run("evaluate", "run.h5", "--data", "own.npz").exit_code == 0
    for command in ("prove", "thresholds"):
        refused = run(command, "run.h5")
        assert "must hold the inputs that the run was trained on; it holds others" in str(refused.exception), command
    assert swept() != before
    Path("own.npz").unlink()
    assert "Name them: `--data NPZ`" in str(run("evaluate", "run.h5").exception)


def test_a_training_does_not_go_on_with_other_data(table_file, tmp_path):
    settings = Experiment(epochs=1)
    identities = set()
    for scale in (1.0, 0.5, 1.0):
        x = scale * np.random.default_rng(0).random((300, 6))
        np.savez(tmp_path / "own.npz", x=x, y=np.arange(300) % 3)
        data = DataSettings(name="npz", file=str(tmp_path / "own.npz")).loaded(seed=1)
        identities.add(SupervisedTraining(settings, settings.chip.tables(table.load(table_file)), data).identity)
    assert len(identities) == 2


def test_an_interrupted_training_says_whether_it_goes_on(tmp_path):
    def interrupted():
        with pytest.raises(Interrupted) as caught, goes_on(tmp_path / "run.h5"):
            raise Interrupted(2)
        return getattr(caught.value, "__notes__", [])

    assert interrupted() == []
    path_of(tmp_path / "run.h5").write_bytes(b"")
    assert interrupted() == ["The same command goes on after the last finished epoch."]
