"""ICE (DATE 2014): benchmarks, the fit of their error, and calibration at the predicted time."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit import record
from rramkit.array.write.ageing import RetentionParams
from rramkit.cli.app import run
from rramkit.errors import InputError
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.calibration import Benchmark, CalibrationSettings, in_service
from rramkit.learning.calibration_policy import Benchmarks, CalibrationPolicy
from rramkit.learning.evaluate import aged

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "systems" / "ice.toml"
IDEAL = 1000.0  # s, with benchmarks of 1 s: the setting of the pilot
SEARCHED = CalibrationPolicy(benchmarks=0, recency=0.3, longest=300.0)
FOUND = {
    0.5: {0.02: 0.93, 0.05: 0.88, 0.1: 0.83},
    1.0: {0.02: 0.98, 0.05: 0.96, 0.1: 0.91},
    1.5: {0.02: 0.98, 0.05: 0.98, 0.1: 0.95},
}
"""Efficiency that a pilot of the method gave, by exponent of the drift's time and by relative noise of a benchmark."""


def law(exponent: float, e_max: float) -> RetentionParams:
    """Return the kit's retention whose conductances have lost `e_max` after `IDEAL`, nearly as the time's power."""
    return RetentionParams(nu=1.0, t_0=IDEAL / (1.0 / (1.0 - e_max) - 1.0) ** (1.0 / exponent), shape=exponent)


def served(policy: CalibrationPolicy, exponent: float, noise: float, *, runs: int, intervals: int = 1) -> tuple:
    """Return mean efficiency and overhead of cells that all drift alike, all intervals but a searched first one."""
    rng, drift, found = np.random.default_rng(1), law(exponent, e_max=0.05), []
    for _ in range(runs):
        seen = Benchmarks()
        for index in range(intervals):
            while not (step := policy.next_step(seen, e_max=0.05, t_benchmark=1.0)).calibrates:
                error = 1.0 - float(drift.factor(np.zeros(()), drift.aged(step.at, 300.0), drift.nu))
                seen = seen.measured(step.at, error * (1.0 + noise * rng.standard_normal()))
            if index or intervals == 1:
                found.append((1.0 - abs(step.at - IDEAL) / IDEAL, len(seen.times) / step.at))
            seen = seen.calibrated(step.at, memory=policy.memory)
    return tuple(np.mean(found, axis=0))


@pytest.mark.parametrize("runs", [20, pytest.param(300, marks=pytest.mark.long)])
def test_the_pilot_is_found_again_in_the_retention_of_the_kit(runs):
    for exponent, of_pilot in FOUND.items():
        for noise, wanted in of_pilot.items():
            efficiency, overhead = served(SEARCHED, exponent, noise, runs=runs)
            # The pilot's own weights are not known; a single run scatters by 0.1, the mean of 20 by 0.02.
            assert efficiency == near(wanted, rel=0.03 if runs == 300 else 0.08)
            assert 0.006 < overhead < 0.0105


@pytest.mark.parametrize(("fit", "least"), [("polynomial", 0.88), ("power", 0.9118)])
def test_intervals_that_remember_the_last_ones_take_half_the_benchmarks(fit, least):
    policy = CalibrationPolicy(fit=fit, longest=300.0)
    found = [served(policy, exponent, 0.1, runs=8, intervals=16) for exponent in FOUND]
    # The paper's own two figures, on average over the three drifts; 360 intervals: a standard error of 0.004.
    assert np.mean([efficiency for efficiency, _ in found]) > 0.9118, found
    assert all(efficiency > least for efficiency, _ in found)
    assert np.mean([overhead for _, overhead in found]) < 0.0044


def test_without_noise_a_polynomial_meets_its_own_root():
    policy = CalibrationPolicy(degree=2, benchmarks=0, longest=300.0)
    seen = Benchmarks()
    for time in (10.0, 30.0, 70.0, 100.0):
        seen = seen.measured(time, 0.01 + 2e-4 * time + 1e-6 * time**2)
    # 0.01 + 2e-4 t + 1e-6 t2 = 0.09 at t = -100 + sqrt(1e4 + 8e4) = 200; the fit is solved in double precision.
    assert policy.reached(seen, 0.09) == near(200.0, rel=1e-9)
    step = policy.next_step(seen, e_max=0.09, t_benchmark=1.0)
    assert not step.calibrates and step.at == near(150.0, rel=1e-9)
    power = CalibrationPolicy(fit="power")
    seen = Benchmarks().measured(10.0, 0.02 * 10**0.5).measured(40.0, 0.02 * 40**0.5)
    assert power.reached(seen, 0.2) == near(100.0, rel=1e-9)


def test_what_a_policy_does_at_its_edges():
    policy = CalibrationPolicy(degree=1, longest=40.0)
    seen = Benchmarks().measured(10.0, 0.02).measured(20.0, 0.01)
    assert policy.next_step(seen, e_max=0.1, t_benchmark=1.0).at == 40.0  # never reached: twice the last step
    seen = seen.measured(60.0, 0.0)
    assert policy.next_step(seen, e_max=0.1, t_benchmark=1.0).at == 100.0  # no longer than the longest
    far = CalibrationPolicy().next_step(
        Benchmarks().measured(10.0, 0.01).measured(20.0, 0.01001), e_max=0.9, t_benchmark=1.0
    )
    assert not far.calibrates and far.at == 220.0  # no further than ten times the time so far
    known = Benchmarks(last=100.0)
    assert policy.next_step(known, e_max=0.1, t_benchmark=1.0).at == 20.0
    # Cells that drift much faster than in the last interval: a fit beyond the limit ends it.
    beyond = known.measured(20.0, 0.3).measured(40.0, 0.5)
    step = policy.next_step(beyond, e_max=0.1, t_benchmark=1.0)
    assert step.calibrates and step.at == 40.0
    # Much slower: more benchmarks follow.
    slow = known
    for time in (20.0, 40.0, 60.0, 80.0):
        slow = slow.measured(time, 1e-4 * time)
    step = policy.next_step(slow, e_max=0.1, t_benchmark=1.0)
    assert not step.calibrates and step.at == 100.0
    with pytest.raises(InputError, match="later than 40 s; got 40 s"):
        beyond.measured(40.0, 0.1)
    for wrong, words in (
        ({"fit": "power", "degree": 2}, "they do nothing"),
        ({"benchmarks": 0, "memory": 3}, "it does nothing"),
        ({"longest": 5.0}, "must not be below shortest"),
    ):
        with pytest.raises(InputError, match=words):
            CalibrationPolicy.checked(wrong, where="the test")


def test_a_shape_stretches_the_time_of_the_drift():
    shaped, age = RetentionParams(nu=0.3, t_0=50.0, shape=1.7), np.zeros(())
    assert float(shaped.factor(age, 20.0, 0.3)) == near((1.0 + 0.4**1.7) ** -0.3, rel=1e-12)
    two = shaped.factor(age, 20.0, 0.3) * shaped.factor(age + 20.0, 30.0, 0.3)
    assert float(two) == near(float(shaped.factor(age, 50.0, 0.3)), rel=1e-12)  # two rests are one of their sum
    plain = RetentionParams(nu=0.3, t_0=50.0)
    assert "shape" not in plain.model_dump()  # files of before keep their name
    assert float(plain.factor(age, 20.0, 0.3)) == (70.0 / 50.0) ** -0.3


def few() -> DataSet:
    rng = np.random.default_rng(0)
    x, y = rng.random((60, 1, 4, 4)), np.arange(60) % 3
    x[np.arange(60), 0, y, y] += 1.0
    return DataSet(x[:45], y[:45], x[45:], y[45:], "made up")


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> SimpleNamespace:
    settings = {
        "network": {"hidden": [6]},
        "epochs": 1,
        "float_reference": False,
        "mapping": {"wires": False, "read": {"read_noise": {"sigma_rel": 0.02}}},
        "rule": {"verify": {"window": 0.01, "start": "table", "turns_max": 4}, "update": {"cycles": False}},
    }
    experiment = Experiment.checked(settings, where="the test")
    file = tmp_path_factory.mktemp("run") / "run.h5"
    train(experiment, tables(), data=few()).save(file)
    network = record.load(file).network
    return SimpleNamespace(experiment=experiment, network=network, tables=experiment.chip.tables(tables()), file=file)


SERVICE = {"e_max": 0.3, "inputs": 16, "intervals": 2, "t_benchmark": 2000.0, "policy": {"longest": 40.0}}
SERVICE |= {"retention": {"nu": 0.5, "t_0": 1e6}}


def test_a_chip_in_service_is_calibrated_near_the_time_at_which_its_error_passes_the_limit(trained):
    settings = CalibrationSettings(**SERVICE)
    where = (trained.experiment, trained.tables, trained.network, few())
    found = list(in_service(settings, *where))
    assert found[0].efficiency > 0.9 and found[1].efficiency > 0.6, [one.efficiency for one in found]
    assert len(found[1].times) == 4 < len(found[0].times)  # the second interval goes by the length of the first
    for one in found:
        assert one.overhead == len(one.times) * 2000.0 / one.t_calibrated
        assert one.write.pulses > 0 and one.write.energy > 0.0 and one.e_benchmark > 0.0
    # The slow way: the mean of many reads of the drifted chip against that of many reads of the fresh one.
    first, x = found[0], few().x_train[:16]
    drift = settings.law(trained.experiment)
    old = aged(trained.network, first.t_ideal, t_cell=300.0, retention=drift, seed=1)
    rng = np.random.default_rng(7)
    fresh, later = (np.mean([each.scores(x, rng=rng) for _ in range(100)], axis=0) for each in (trained.network, old))
    # The golden outputs of the service are the mean of 16 reads: what is left of their noise is 1 % of the limit.
    assert np.linalg.norm(later - fresh) / np.linalg.norm(fresh) == near(0.3, rel=0.02)


def test_the_noise_of_reads_is_no_part_of_the_mean_error(trained):
    benchmark, rng = Benchmark.of(trained.network, few().x_train[:32], seed=1), np.random.default_rng(3)
    squares = [benchmark.error(trained.network, rng=rng) ** 2 for _ in range(20)]
    single = trained.network.scores(benchmark.x, rng=rng) - benchmark.golden
    power = np.sum(single**2) / np.sum(benchmark.golden**2)
    assert np.mean(squares) < 0.4 * power  # of a square that counted the noise it would be all


def test_what_no_chip_in_service_can_do_is_refused(trained, monkeypatch):
    monkeypatch.setattr("rramkit.learning.calibration._MOST", 9)
    where = (trained.experiment, trained.tables, trained.network, few())
    for wrong, words in (
        ({"inputs": 100}, "at most 45"),
        ({"e_max": 1e-4}, "must be above"),
        ({"retention": {"nu": 1e-4, "t_0": 1e8}}, "after 1e\\+09 s"),
        ({"retention": {"t_batch": 1.0}}, "of a training"),
        ({"t_benchmark": 1e-6, "policy": {"longest": 10.0}}, "took 9 benchmarks"),
    ):
        with pytest.raises(InputError, match=words):
            list(in_service(CalibrationSettings.checked(SERVICE | wrong, where="the test"), *where))


def test_the_example_is_settings_of_the_command(capsys):
    assert run(["calibrate", "--params", str(EXAMPLE), "--list"]) == 0
    assert json.loads(capsys.readouterr().out)["policy"]["benchmarks"] == 4


@pytest.fixture
def service(tmp_path, monkeypatch) -> list[str]:
    """Options of a short service, in a folder with the inputs of the training."""
    monkeypatch.chdir(tmp_path)
    images = few()
    x, y = images.x_train, images.y_train
    np.savez("own.npz", x_train=x, y_train=y, x_test=images.x_test, y_test=images.y_test)
    pairs = ("e_max=0.3", "intervals=1", "t_benchmark=5000", "retention.nu=0.5", "retention.t_0=1e6")
    return ["--data", "own.npz", *(word for pair in pairs for word in ("-s", pair))]


def test_the_command_prints_and_draws_within_the_width_of_a_terminal(trained, service, capsys):
    assert run(["calibrate", str(trained.file), *service, "--plot", "drift.svg"]) == 0
    said = capsys.readouterr().out
    assert "mean of all" in said and max(map(len, said.splitlines())) <= 80
    assert Path("drift.svg").stat().st_size > 1000
    with pytest.raises(InputError, match="needs a run file"):
        run(["calibrate"])


@pytest.mark.long
def test_the_command_gives_json(trained, service, capsys):
    assert run(["calibrate", str(trained.file), *service, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["intervals"]) == 1 and told["efficiency"] == told["intervals"][0]["efficiency"]
    assert told["retention"]["nu"] == 0.5 and told["intervals"][0]["pulses"] > 0
