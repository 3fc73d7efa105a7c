import json
import re

import pytest
from fixtures.synthetic import tables
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.cli.app import app
from rramkit.errors import InputError, TableError
from rramkit.learning import Experiment
from rramkit.learning.rules import MixedPrecision

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
