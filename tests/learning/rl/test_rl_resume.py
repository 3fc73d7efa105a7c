"""A training by reinforcement that is killed and resumed gives the numbers of an uninterrupted one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from fixtures.synthetic import tables
from fixtures.waiting import BACKSTOP, wait_until

from rramkit import record, table
from rramkit.errors import InputError
from rramkit.learning import checkpoint, rl
from rramkit.learning.mapping_settings import MappingSettings
from rramkit.learning.networks import NetworkSettings

pytest.importorskip("gymnasium", reason="the extra `rl` is not installed")

ROOT = Path(__file__).parents[3]
SHORT = {
    "steps": 700,
    "warm_up": 128,
    "collect": 64,
    "batches": 4,
    "target_every": 5,
    "batch": 8,
    "network": NetworkSettings(hidden=(8,)),
    "mapping": MappingSettings.model_validate({"wires_within": 0.05, "read": {"read_noise": {"sigma_span": 0.01}}}),
    "judge_episodes": 2,
    "final_episodes": 3,
    "replay": 300,  # the ring goes round
    "checkpoint_every": 100,
}


def _equal(ours, theirs):
    assert ours.settings == theirs.settings
    for name, series in theirs.series.items():
        np.testing.assert_array_equal(ours.series[name].step, series.step)
        np.testing.assert_array_equal(ours.series[name].value, series.value)
    np.testing.assert_array_equal(ours.final_return, theirs.final_return)
    assert {**ours.scalars, "train_seconds": 0.0} == {**theirs.scalars, "train_seconds": 0.0}


class _Killed(Exception):
    pass


@pytest.mark.parametrize("target", ["swap", "freeze", "copy"])
def test_a_resumed_training_equals_an_uninterrupted_one(tmp_path, target):
    """Stopped at every third evaluation, with noisy reads and a ring of memory that has gone round."""
    settings, path = rl.RlSettings(target=target, **SHORT), tmp_path / "e.h5"
    whole = rl.train(tables(), settings)
    seen: list[int] = []

    def stop(report):
        seen.append(report.step)
        if len(seen) % 3 == 0:
            raise _Killed

    for _ in range(2):
        with pytest.raises(_Killed):
            rl.train(tables(), settings, progress=stop, run_path=path)
    assert seen[3] > seen[0]  # it went on from a checkpoint, not from the start
    _equal(rl.train(tables(), settings, run_path=path), whole)
    assert len(whole.series["target_updates"].step) >= 7  # the banks have changed roles several times


def test_a_float_training_is_taken_up_too(tmp_path):
    settings = rl.RlSettings(target="freeze", **SHORT)
    whole = rl.train(None, settings, run_path=tmp_path / "e.h5")
    assert checkpoint.path_of(tmp_path / "e.h5").exists()
    _equal(rl.train(None, settings, run_path=tmp_path / "e.h5"), whole)


def test_another_trainings_checkpoint_is_not_taken_up(tmp_path):
    settings = rl.RlSettings(**SHORT)
    rl.train(None, settings, run_path=tmp_path / "e.h5")
    with pytest.raises(InputError, match="other settings"):
        rl.train(None, settings.model_copy(update={"seed": 2}), run_path=tmp_path / "e.h5")


def _start(folder, name):
    given = ("steps=900", "warm_up=128", "collect=64", "batches=8", "checkpoint_every=100", "final_episodes=3")
    pairs = [word for pair in (*given, "network.hidden=[8]", "mapping.wires=false") for word in ("--set", pair)]
    code = "from rramkit.cli import main; main()"
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", code, "rl", "tables.h5", "-o", name, "--quiet", *pairs], cwd=folder, env=environment
    )


@pytest.mark.long  # each target is resumed above, and `tests/learning/test_checkpoint.py` kills a process
def test_kill_9_and_the_same_command_gives_the_same_run(tmp_path):
    table.save(tables(), tmp_path / "tables.h5")
    process, kept = _start(tmp_path, "e.h5"), checkpoint.path_of(tmp_path / "e.h5")
    wait_until(lambda: kept.exists() or process.poll() is not None)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=BACKSTOP)
    assert kept.exists()
    assert not (tmp_path / "e.h5").exists()
    assert _start(tmp_path, "e.h5").wait(timeout=BACKSTOP) == 0
    assert not kept.exists()
    assert _start(tmp_path, "whole.h5").wait(timeout=BACKSTOP) == 0
    _equal(record.load(tmp_path / "e.h5", record.EpisodeRun), record.load(tmp_path / "whole.h5", record.EpisodeRun))
