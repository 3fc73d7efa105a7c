import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables
from fixtures.closeness import near
from fixtures.synthetic import tables
from fixtures.waiting import BACKSTOP, wait_until
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.cli.app import app
from rramkit.cli.sweep import _verdict
from rramkit.errors import InputError
from rramkit.learning import Experiment, train
from rramkit.learning.ablate import ALL, NONE, Cost, ablation, costs, labelled, nonidealities
from rramkit.learning.experiment import grid
from rramkit.learning.rules import MixedPrecision
from rramkit.learning.sweep import SUMMARY, sweep, trials
from rramkit.processes import DaskCluster, Executor, Processes
from rramkit.table import Distribution

SMALL = {"network": {"hidden": [8]}, "epochs": 1, "data": {"train_images": 200, "test_images": 100}}


class _Here(Executor):
    """The slow obvious executor: one after the other, in this process."""

    def run(self, function, jobs):
        for index, job in enumerate(jobs):
            yield index, function(job)


def _experiment(**more):
    return Experiment.checked({**SMALL, **more}, where="the test")


@pytest.fixture
def folder(tmp_path):
    table.save(tables(), tmp_path / "tables.h5")
    return tmp_path


def test_a_grid_is_every_combination():
    found = grid(_experiment(sweep={"rule.threshold": [0.1, 0.2], "seed": [1, 2, 3]}))
    assert len(found) == 6
    assert found[4][0] == "rule.threshold=0.2 seed=2"
    rule = found[4][1].rule
    assert isinstance(rule, MixedPrecision)
    assert (rule.threshold, found[4][1].seed) == (0.2, 2)
    assert all(one.network.hidden == (8,) and not one.sweep for _, one in found)
    assert [label for label, _ in grid(_experiment())] == ["as it is"]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rule.treshold": [0.1]}, "treshold"),
        ({"epochs.more": [1]}, "`epochs` in `epochs.more` is a value"),
        ({"rule.threshold": [0.1, "high"]}, r"sweep, rule.threshold=high"),
    ],
)
def test_what_cannot_be_swept_is_named(values, words):
    with pytest.raises(InputError, match=words):
        grid(_experiment(sweep=values))


def test_run_files_are_called_by_their_values_and_never_collide():
    """A file system takes any label, and one experiment's changed settings are another file."""
    sweep = {"rule.threshold": [0.1, 0.2], "network.hidden": [[12, 6]]}
    names = [job.run.name for job in trials(grid(_experiment(sweep=sweep)), Path("t.h5"), Path("runs"))]
    assert re.fullmatch(r"rule\.threshold=0\.1_network\.hidden=12_6-[0-9a-f]{12}\.h5", names[0]), names
    assert len(set(names)) == 2
    (other,) = trials([("a/b c" + "x" * 300, _experiment(epochs=3))], Path("t.h5"), Path("runs"))
    (foreign,) = trials([("data.file=" + "\u6570" * 100, _experiment(epochs=3))], Path("t.h5"), Path("runs"))
    assert foreign.run.name.isascii()  # three bytes a character would not fit a file system's 255
    assert other.run.parent == Path("runs") and other.run.name.startswith("a_b_cxxx") and len(other.run.name) < 150


def test_a_value_given_twice_is_named():
    with pytest.raises(InputError, match="the same experiment"):
        trials(grid(_experiment(sweep={"seed": [1, 1]})), Path("tables.h5"), Path("runs"))


def test_values_of_a_sweep_may_be_nested_and_typed_with_commas():
    wanted = {"seed": (1, 2), "rule.threshold": (0.05, 0.1), "rule.kind": ("sign", "float")}
    given = {"seed": "1,2", "rule": {"threshold": "0.05, 0.1", "kind": ["sign", "float"]}}
    assert Experiment(sweep=given).sweep == wanted
    assert Experiment(sweep=wanted).sweep == wanted


def test_a_sweep_keeps_what_is_finished(folder):
    chosen = trials(grid(_experiment(sweep={"seed": [1, 2]})), folder / "tables.h5", folder / "runs")
    seen = []
    first = sweep(chosen, _Here(), progress=seen.append)
    assert [row.label for row in first] == [row.label for row in seen] == ["seed=1", "seed=2"]
    alone = train(chosen[1].experiment, tables())
    assert first[1].accuracy == alone.accuracy
    assert json.loads((folder / "runs" / SUMMARY).read_text())[1]["accuracy"] == alone.accuracy
    made = record.load(chosen[0].run).created
    again = sweep(chosen, _Here())
    assert again == first
    assert record.load(chosen[0].run).created == made  # not trained again
    table.save(tables(strength=0.7), folder / "tables.h5")
    other = table.load(folder / "tables.h5")
    table.save(table.TableFile(other.tables, {**other.provenance, "device": "another"}), folder / "tables.h5")
    assert sweep(chosen, _Here())[0] != first[0]  # other tables: trained again


def test_an_ablation_has_none_each_and_all():
    experiment = _experiment()
    device = {"device.current": "table", "device.change": "table", "device.amplitude": "table"}
    assert nonidealities(experiment, tables()) == {**device, "mapping.wires": True}
    noisy = _experiment(
        mapping={"rows": 40, "read": {"read_noise": {"sigma_span": 0.01}}},
        rule={"update": {"spread": {"sigma_gain": 0.2}, "schedule": "cell"}, "verify": {"sigma_read": 0.01}},
    )
    parts = ["mapping.wires", "mapping.read.read_noise", "rule.update.spread", "rule.verify.sigma_read"]
    assert list(nonidealities(noisy, tables())) == [*device, *parts]
    found = dict(ablation(noisy, tables()))
    assert list(found) == [NONE, *device, *parts, ALL]
    assert found[ALL] == noisy
    spread = found["rule.update.spread"].rule.model_dump()["update"]
    assert spread == {**noisy.rule.model_dump()["update"], "cycles": False}
    assert found["rule.update.spread"].mapping == found[NONE].mapping
    assert found[NONE] == noisy.ideal()
    ideal = found[NONE].model_dump()
    assert (ideal["mapping"]["rows"], ideal["rule"]["update"]["schedule"]) == (40, "cell")  # choices, not costs
    with pytest.raises(InputError, match="no non-ideality"):
        ablation(found[NONE], tables())
    alone = ablation(noisy.ideal().model_copy(update={"mapping": _experiment().mapping}), tables())
    assert [label for label, _ in alone] == [NONE, "mapping.wires"]


def test_draws_are_a_nonideality_of_tables_that_keep_them():
    file = tables()
    change = file["set"].signals["delta_g"].values
    drawn = Distribution.of_draws(
        change[..., None] + 1e-7 * np.random.default_rng(1).standard_normal((*change.shape, 20)),
        signal="delta_g",
        over="cycles",
    )
    scattered = replace(file["set"], distributions={"cycles": drawn})
    found = nonidealities(_experiment(), table.TableFile({**file.tables, "set": scattered}, file.provenance))
    assert "cycles" in found and "rule.update.cycles" not in found  # a stage of the tables, once


def test_stages_of_the_tables_are_left_out_by_name():
    """Alone: every other stage is off; left out: the one is off; without any, all of them."""
    file = chip_tables()
    experiment = _experiment(chip={"off": ["disturb"]})
    stages = {name for name, value in nonidealities(experiment, file).items() if value is None}
    assert {"row_driver", "readout", "adc", "write_driver", "droop"} <= stages
    assert not stages & {"disturb", "wires", "clamp"}  # off already; a setting; in no table
    alone, out = (dict(ablation(experiment, file, leave_one_out=each)) for each in (False, True))

    def on(one):
        found = one.on(one.chip.tables(file)).sources
        return {each.stage for each in found if each.from_table} - {"cell current", "pulses", "wires"}

    assert on(alone[NONE]) == set() and on(alone[ALL]) == stages
    assert on(alone["droop"]) == {"droop"} and on(alone["readout"]) == {"readout"}
    assert on(out["droop"]) == stages - {"droop"} and on(out[NONE]) == set()
    assert out["droop"].mapping.wires and not out["mapping.wires"].mapping.wires


def test_costs_of_what_is_left_out_are_taken_from_all():
    found = costs([NONE, "wires", "noise", ALL], [0.9, 0.7, 0.65, 0.6], leave_one_out=True)
    assert [cost.name for cost in found] == ["wires", "noise", ALL]
    assert [cost.loss for cost in found] == near([0.1, 0.05, 0.3], 1e-9)
    assert found[-1].accuracy == 0.9


def test_costs_are_taken_from_the_ideal():
    found = costs([NONE, "wires", "noise", ALL], [0.9, 0.85, 0.7, 0.6])
    assert [cost.name for cost in found] == ["noise", "wires", ALL]
    assert found[0].loss == near(0.2, 1e-12)
    assert np.isnan(found[0].error)


def test_costs_of_several_seeds_have_standard_errors():
    named = ablation(_experiment(sweep={"seed": [1, 2, 3]}), tables())
    names, labels = [name for name, _ in named], [label for label, _ in labelled(named)]
    assert names.count("mapping.wires") == 3
    assert labels[1] == "device.current seed=1"
    assert len(set(labels)) == len(labels) == 18
    assert all(one.seed == seed for (_, one), seed in zip(named, np.repeat([1, 2, 3], 6), strict=True))
    # Differences 0.1, 0.2, 0.3 whatever the seed's own level: their standard deviation is 0.1.
    accuracies = {NONE: [0.9, 0.7, 0.8], "mapping.wires": [0.8, 0.5, 0.5]}
    found = costs(names[0:1] * 3 + ["mapping.wires"] * 3, [*accuracies[NONE], *accuracies["mapping.wires"]])
    assert found[0].loss == near(0.2, 1e-12)
    assert found[0].error == near(0.1 / np.sqrt(3), 1e-12)
    with pytest.raises(InputError, match=r"`seed` alone; it has rule\.threshold"):
        ablation(_experiment(sweep={"seed": [1], "rule.threshold": [0.1]}), tables())


def test_the_command_runs_on_processes(folder):
    (folder / "experiment.toml").write_text(
        "epochs = 1\n[network]\nhidden = [8]\n[data]\ntrain_images = 200\ntest_images = 100\n[sweep]\nseed = [1, 2]\n"
    )
    arguments = ["sweep", str(folder / "experiment.toml"), "-o", str(folder / "runs"), "--workers", "2"]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "seed=2" in done.stdout
    assert done.stdout.splitlines()[-1] == str(folder / "runs" / SUMMARY)
    first, second = json.loads((folder / "runs" / SUMMARY).read_text())
    assert first["accuracy"] != second["accuracy"] or first["pulses"] != second["pulses"]
    here = train(_experiment(seed=2), tables())
    assert second["accuracy"] == here.accuracy


_SLEEPING = """
import sys, time
from rramkit.processes import Processes
from learning.test_sweep import sleeping
if __name__ == "__main__":
    list(Processes(2).run(sleeping, [sys.argv[1] + "/a", sys.argv[1] + "/b"]))
"""


def sleeping(path):
    """Say which process this is, and do not end."""
    Path(path).write_text(str(os.getpid()))
    time.sleep(BACKSTOP)


def test_killing_the_parent_ends_its_processes(tmp_path):
    (tmp_path / "parent.py").write_text(_SLEEPING)
    paths = os.pathsep.join([str(Path(__file__).parents[1]), str(Path(__file__).parents[2])])
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "parent.py", tmp_path], env={**os.environ, "PYTHONPATH": paths}
    )
    files = [tmp_path / "a", tmp_path / "b"]
    wait_until(lambda: all(path.is_file() and path.read_text() for path in files))
    parent.kill()
    parent.wait()
    children = [int(path.read_text()) for path in files]
    wait_until(lambda: not any(map(_alive, children)))


def _alive(process):
    try:
        return "Z" not in Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False


def test_the_ablation_draws_and_names_the_dearest(folder, monkeypatch):
    monkeypatch.setattr(Processes, "run", lambda self, function, jobs: _Here().run(function, jobs))
    (folder / "experiment.toml").write_text(
        "epochs = 1\n[network]\nhidden = [8]\n[data]\ntrain_images = 200\ntest_images = 100\n"
    )
    arguments = ["ablate", str(folder / "experiment.toml"), "-o", str(folder / "runs")]
    done = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "without any: " in done.stdout
    assert "mapping.wires: " in done.stdout
    assert "device.change: " in done.stdout
    assert (folder / "runs" / "ablation.svg").read_text().startswith("<?xml")


def test_the_dearest_is_named_with_what_cannot_be_told_from_it():
    adc, noise, stuck = (
        Cost("adc", 0.93, 0.027, 0.002),
        Cost("noise", 0.93, 0.026, 0.009),
        Cost("stuck", 0.94, 0.01, 0.001),
    )
    none = Cost("wires", 0.96, 0.001, 0.013)  # alike by its error alone: no cost

    def last(*ranked):
        return _verdict(ranked, 0.957, words="without any").partition(f"{ranked[-1].name}: ")[2].partition("\n")[2]

    named = "largest single contribution: adc, 2.70 points"
    assert last(adc, noise, stuck, none) == f"{named}\nwithin two standard errors of it: noise"
    assert last(adc, stuck, none) == named
    assert last(replace(adc, error=0.02), noise) == f"{named}, within two standard errors of none"
    assert last(replace(adc, error=float("nan"))) == f"{named}; one seed: more of them under `sweep` give it an error"
    assert last(replace(adc, loss=-0.001)) == "none costs accuracy by itself"


def test_dask_trains_the_same(folder):
    distributed = pytest.importorskip("distributed")
    chosen = trials(grid(_experiment(sweep={"seed": [1, 2]})), folder / "tables.h5", folder / "runs")
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0"
    ) as cluster:
        rows = sweep(chosen, DaskCluster(cluster.scheduler_address))
    assert rows[0].accuracy == train(chosen[0].experiment, tables()).accuracy
    assert np.all([row.pulses > 0 for row in rows])
