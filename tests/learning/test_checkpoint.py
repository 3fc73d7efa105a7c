"""A training that is killed and resumed gives the numbers of an uninterrupted one."""

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import cast

import h5py
import numpy as np
import pytest
from fixtures.chip_tables import chip_tables
from fixtures.synthetic import tables
from fixtures.waiting import BACKSTOP, state_of, wait_until

from rramkit import record, table
from rramkit.array.stages.sense_unit import PARTS
from rramkit.errors import InputError
from rramkit.learning import DataSet, Experiment, checkpoint, train
from rramkit.record import Epochs, LayerRecord

ROOT = Path(__file__).parents[2]
EXPERIMENT = Experiment.checked(
    {
        "network": {
            "layers": [
                {"kind": "convolution", "channels": 3},
                {"kind": "batch_norm"},
                {"kind": "activation"},
                {"kind": "max_pool"},
                {"kind": "flatten"},
                {"kind": "dense"},
            ]
        },
        "optimiser": {"weight_decay": 0.001},
        "schedule": {"kind": "plateau", "every": 1},
        "epochs": 4,
        "mapping": {"wires": False},
    },
    where="the test",
)


SMALL = {"rows": 12, "columns": 6, "wires_within": 0.05}  # many arrays, wires solved before the last writes


def _data():
    rng = np.random.default_rng(0)
    x, y = rng.random((80, 1, 6, 6)), np.arange(80) % 4
    return DataSet(x[:60], y[:60], x[60:], y[60:], "made up")


def _equal(ours, theirs):
    for column in fields(Epochs):
        np.testing.assert_array_equal(getattr(ours.epochs, column.name), getattr(theirs.epochs, column.name))
    for mine, other in zip(ours.layers, theirs.layers, strict=True):
        for column in fields(LayerRecord):
            np.testing.assert_array_equal(getattr(mine, column.name), getattr(other, column.name))
    np.testing.assert_array_equal(ours.confusion, theirs.confusion)


class _Killed(Exception):
    pass


@pytest.mark.parametrize(
    ("after", "rule", "mapping"),
    [
        (0, {"kind": "mixed_precision"}, {"wires": False}),
        (1, {"kind": "mixed_precision"}, {"wires": False}),
        (1, {"kind": "mixed_precision"}, {**SMALL, "read": {"read_noise": {"sigma_span": 0.01}}}),
        (3, {"kind": "open_loop"}, SMALL),
        (2, {"kind": "row_sparse", "swap_every": 2}, SMALL),
        (2, {"kind": "tiki_taka", "gamma": 0.5}, SMALL),
    ],
)
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, after, rule, mapping):
    settings = {**EXPERIMENT.model_dump(), "mapping": mapping, "rule": rule}
    if rule["kind"] == "tiki_taka":
        settings["optimiser"]["weight_decay"] = 0.0  # it does not know its weights
    experiment = Experiment.checked(settings, where="the test")

    def stop(report):
        if report.epoch == after:
            raise _Killed

    whole = train(experiment, tables(), data=_data())
    with pytest.raises(_Killed):
        train(experiment, tables(), data=_data(), progress=stop, run_path=tmp_path / "run.h5")
    seen = []
    resumed = train(experiment, tables(), data=_data(), progress=seen.append, run_path=tmp_path / "run.h5")
    assert [report.epoch for report in seen] == list(range(experiment.epochs + 1))
    _equal(resumed, whole)
    _equal(train(experiment, tables(), data=_data()), whole)  # one seed, one run


def test_look_ups_of_sense_units_are_made_again(tmp_path):
    """Draws and gain settings give them: a run file holds the settings, and its network reads as the trained one.

    The look-up of one unit in one direction has `PARTS` numbers, more than all that this training changes.
    """
    settings = {"network": {"hidden": [4]}, "epochs": 1, "float_reference": False}
    run = train(Experiment.checked(settings, where="the test"), chip_tables(), data=_data())
    assert run.network is not None
    record.save(run, tmp_path / "run.h5")
    again = record.load(tmp_path / "run.h5").network
    images = _data().x_test
    np.testing.assert_array_equal(again.scores(images), run.network.scores(images))
    with h5py.File(tmp_path / "run.h5") as file:
        changes = cast(dict[str, h5py.Dataset], file["network/changes"])
        stored = json.loads(changes["paths"][()].tobytes())
        assert any(path.endswith(".gain") for path in stored)  # calibrated
        assert max(changes[str(index)][()].size for index in range(len(stored))) < PARTS


def test_another_trainings_checkpoint_is_not_taken_up(tmp_path):
    train(EXPERIMENT, tables(), data=_data(), run_path=tmp_path / "run.h5")
    with pytest.raises(InputError, match="other settings"):
        train(EXPERIMENT.model_copy(update={"seed": 2}), tables(), data=_data(), run_path=tmp_path / "run.h5")


@dataclass(frozen=True)
class _Leaf:
    x: np.ndarray
    count: int
    note: str
    parts: tuple[object, ...]


def test_state_as_a_list_and_back():
    initial = _Leaf(np.zeros(3), 1, "kept", (np.ones(2), 2.0, None))
    state = replace(initial, x=np.arange(3.0), count=5, parts=(initial.parts[0], 3.5, None))
    found = checkpoint.flatten(initial, state)
    assert sorted(found) == ["s.count", "s.parts.1", "s.x"]
    back = checkpoint.restore(initial, found)
    np.testing.assert_array_equal(back.x, state.x)
    assert (back.count, back.parts[1], back.note) == (5, 3.5, "kept")
    assert isinstance(back.count, int)
    assert back.parts[0] is initial.parts[0]
    assert checkpoint.flatten(initial, initial) == {}


PROGRAM, COMMAND = "from rramkit.cli import main; main()", ("train", "experiment.toml", "-o", "run.h5", "--quiet")


@pytest.fixture
def folder(tmp_path):
    table.save(tables(), tmp_path / "tables.h5")
    (tmp_path / "experiment.toml").write_text("epochs = 4\nbatch = 16\n[network]\nhidden = [40, 30]\n")
    return tmp_path


def _start(folder, *more, program=PROGRAM):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", program, *COMMAND, *more],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


# The command, which stops itself (SIGSTOP) once a checkpoint is written: on a busy machine it might else have ended
# before the test looks again.
STOPPING = """
import os, signal
from rramkit.learning import checkpoint
save = checkpoint.save

def save_and_stop(*given, **named):
    save(*given, **named)
    os.kill(os.getpid(), signal.SIGSTOP)

checkpoint.save = save_and_stop
from rramkit.cli import main
main()
"""


def _stopped(folder):
    """Return the command's process, stopped at its first checkpoint."""
    process = _start(folder, program=STOPPING)
    wait_until(lambda: process.poll() is not None or state_of(process.pid) == "T")
    assert process.poll() is None and checkpoint.path_of(folder / "run.h5").exists()
    return process


def _finished(folder, *more):
    process = _start(folder, *more)
    process.communicate(timeout=BACKSTOP)
    return process.returncode == 0


def test_kill_9_and_the_same_command_gives_the_same_run(folder):
    process = _stopped(folder)
    second = _start(folder)
    said = second.communicate(timeout=BACKSTOP)[1].decode()
    assert second.returncode == 2
    assert f"another run (process {process.pid}) is writing it" in said
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=BACKSTOP)
    assert not (folder / "run.h5").exists()
    assert _finished(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["experiment.toml", "run.h5", "tables.h5"]
    resumed = record.load(folder / "run.h5")
    assert _finished(folder, "-o", "whole.h5")
    _equal(resumed, record.load(folder / "whole.h5"))


def test_ctrl_c_leaves_a_checkpoint_and_one_line(folder):
    process = _stopped(folder)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    said = process.communicate(timeout=BACKSTOP)[1].decode()
    assert process.returncode == 130
    assert said.count("\n") == 1
    left = {path.name for path in folder.iterdir()}
    assert left == {"experiment.toml", "tables.h5", checkpoint.path_of(Path("run.h5")).name}
