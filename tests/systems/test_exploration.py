"""The exploration of plans and experiments: what it must show, its front, its resumption, and how it is refused."""

import csv
import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables
from fixtures.closeness import near
from fixtures.synthetic import tables
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.array.cell_current import CellCurrent
from rramkit.cli.app import app
from rramkit.errors import InputError
from rramkit.learning import DataSet, Experiment
from rramkit.learning.exploration import Exploration, float_experiment
from rramkit.learning.explored import EVALUATED, RESULTS, TABLE, Explored, PointResult, explore, front, points_of
from rramkit.processes import Executor

LINEAR = {
    "network": {"hidden": [], "bias": "digital"},
    "loss": {"kind": "hinge"},
    "epochs": 3,
    "data": {"validation": 0.3},
    "optimiser": {"learning_rate": 0.03},
    "rule": {"kind": "threshold", "start": "error", "levels": 16, "centre": 0.5, "placement": "centre"},
}


def coarse(file):
    """Return a table file with few pulses: those of this test are not fired, and splines of many take a second."""
    few = {}
    for name in ("set", "reset"):
        one = file[name]
        at = [np.array([0, size // 2, size - 1]) for size in one.shape]
        axes = {
            axis: replace(each, values=each.values[i]) for (axis, each), i in zip(one.axes.items(), at, strict=True)
        }
        signals = {key: replace(each, values=each.values[np.ix_(*at)]) for key, each in one.signals.items()}
        few[name] = replace(one, axes=axes, signals=signals)
    return replace(file, tables={**file.tables, **few})


class _Counting(Executor):
    """One point after the other, in this process; ends after `most` of them as a killed run does."""

    def __init__(self, most=10**9):
        self.calls, self.most = 0, most

    def run(self, function, jobs):
        for index, job in enumerate(jobs):
            if self.calls == self.most:
                raise KeyboardInterrupt
            self.calls += 1
            yield index, function(job)


def _exploration(**more):
    return Exploration.checked({"tables": "tables.h5", "experiment": LINEAR, **more}, where="the test")


def _explored(folder, file, executor=None, **more):
    if not (folder / "tables.h5").exists():
        table.save(coarse(file), folder / "tables.h5")
    return explore(_exploration(**more), {"": folder / "tables.h5"}, folder / "explore", executor or _Counting())


# What it must show ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def spreads(tmp_path_factory):
    """A linear classifier of the digits: spread of the gap, equal spread of the inputs, and levels, one at a time."""
    axes = {"rule.sigma_log": [0.0, 0.3], "data.fluctuation": [0.0, 0.3], "rule.levels": [0, 4, 16]}
    return _explored(tmp_path_factory.mktemp("spreads"), tables(), grid="along", experiments=axes)


def test_accuracy_falls_faster_with_the_spread_of_the_gap_than_with_that_of_the_inputs(spreads):
    start = spreads.default.accuracy
    of_gap, of_inputs = (start - spreads.along(axis)[1].accuracy for axis in ("rule.sigma_log", "data.fluctuation"))
    assert of_gap > 2.0 * max(of_inputs, 0.01)  # 20 times on MNIST, whose inputs average over 12 times as many rows


def test_four_bits_of_levels_are_near_the_linear_ceiling(spreads):
    none, two_bits, four_bits = (each.accuracy for each in spreads.along("rule.levels"))
    assert four_bits > none - 0.02  # two standard errors of 434 images, ten of which change to each side
    assert two_bits < none


def test_the_best_point_beats_a_naive_default_by_ten_points_at_less_energy(tmp_path):
    low, centre = {"rule.placement": "low"}, {"rule.placement": "centre", "rule.centre": 0.5}
    rule = {"kind": "threshold", "start": "error", "levels": 16, "sigma_log": 0.4}
    axes = {"placement": {"centre": centre, "low": low}}
    found = _explored(tmp_path, tables(), experiments=axes, experiment=LINEAR | {"rule": rule})
    default, best = found.default, found.best
    assert best.accuracy > default.accuracy + 0.1 and best.energy < default.energy
    assert best.accuracy_test is not None and default.accuracy_test is not None
    assert best.accuracy_test > default.accuracy_test + 0.1


# Numbers of a point ---------------------------------------------------------------------------------------------------


def test_ideal_cells_are_as_accurate_as_float_and_take_the_square_of_the_read_voltage(tmp_path):
    rule, file = {**LINEAR["rule"], "levels": 0}, tables(linear=True, perfect_wires=True)
    axes = {"mapping.v_read": [0.2, 0.1]}
    full, half = _explored(tmp_path, file, experiments=axes, experiment=LINEAR | {"rule": rule}).results
    (path,) = (tmp_path / "explore").glob("float-*.h5")
    run = record.load(path)
    assert half.accuracy == full.accuracy == run.epochs.accuracy_validation[-1]
    assert half.accuracy_test == run.accuracy
    assert full.energy == near(4.0 * half.energy, rel=1e-6)  # sums of float32


def test_a_cell_driven_with_less_has_the_same_current_there():
    whole = CellCurrent.from_table(tables()["read"])
    part = whole.up_to(0.11)  # between two voltages of the table
    assert (part.v_forward, part.v_backward) == (0.11, 0.11)
    g, v = np.linspace(5e-6, 85e-6, 7), np.linspace(-0.11, 0.11, 9)
    of_whole, of_part = (each.conductance_terms(g).T @ each.voltage_terms(v) for each in (whole, part))
    assert np.max(np.abs(of_whole - of_part)) < 1e-5 * np.max(of_whole)  # linear between voltages, of which one is new
    with pytest.raises(InputError, match=r"`mapping\.v_read` must be above 0 and at most 0\.2 V"):
        whole.up_to(0.21)


def test_a_read_voltage_is_refused_where_the_driver_has_its_own():
    file = chip_tables()
    experiment = Experiment.checked({"mapping": {"v_read": 0.05}}, where="the test")
    with pytest.raises(InputError, match=r"`mapping\.v_read` must be left out where the row driver's levels are volts"):
        experiment.built_rule(file)
    off = experiment.model_copy(update={"chip": experiment.chip.model_copy(update={"off": ("row_driver",)})})
    device = off.built_rule(file).device
    assert device is not None and device.model.cells.v_forward == 0.05


def test_the_error_of_a_gap_is_one_of_the_logarithm_of_the_conductance():
    rule = {"kind": "threshold", "start": "error", "centre": 0.5, "placement": "centre", "sigma_log": 0.1}
    device = Experiment.checked({"rule": rule}, where="the test").built_rule(tables()).device
    assert device is not None
    weight = np.zeros((200, 100))  # 40,000 cells at 47 uS, from which the window's ends are six and 24 deviations away
    cells = device.program(weight, flips=None, rng=np.random.default_rng(0))
    moved = np.log(cells.g_cell / device.g_centre)
    assert float(moved.std()) == near(0.1, rel=0.011)  # three standard errors, 1/sqrt(2 N)
    assert abs(float(moved.mean())) < 3.0 * 0.1 / np.sqrt(moved.size)
    with pytest.raises(InputError, match="sigma_log is of the method `error`"):
        Experiment.checked({"rule": rule | {"start": "verify"}}, where="the test")


def test_the_error_of_inputs_is_of_the_same_form_and_leaves_training_inputs():
    x = np.full((300, 200), 200, dtype=np.uint8)
    data = DataSet(x, np.arange(300) % 3, x_validation=x[:90], y_validation=np.arange(90) % 3)
    moved = data.fluctuating(0.3, seed=1)
    assert moved.x_train is data.x_train
    for part in (moved.x_validation, moved.x_test):
        assert float(np.log(part * (255.0 / 200.0)).std()) == near(0.3, rel=0.025)  # three standard errors
    assert not np.array_equal(moved.x_validation[:60], moved.x_test[:60])


def test_points_that_differ_in_the_chip_share_their_float_training():
    one, other = ({**LINEAR, "mapping": {"rows": rows}, "chip": {"off": ["wires"]}} for rows in (16, 64))
    noisy = {**LINEAR, "data": {**LINEAR["data"], "fluctuation": 0.2}}
    keys = {float_experiment(Experiment.checked(each, where="the test")).key() for each in (LINEAR, one, other, noisy)}
    assert len(keys) == 1
    longer = float_experiment(Experiment.checked(LINEAR | {"epochs": 9}, where="the test"))
    assert longer.key() not in keys


# The front ------------------------------------------------------------------------------------------------------------


def _at(accuracy, energy):
    return PointResult({}, accuracy, None, energy, 0.0, 0.0, 0, 0, None, "")


def test_the_best_takes_no_more_energy_than_the_default_and_of_equal_ones_the_least():
    axes = {"mapping.rows": [16, 32, 64, 8, 4]}
    given = zip([0.7, 0.95, 0.9, 0.9, 0.6], [5.0, 9.0, 4.0, 3.0, 1.0], [16, 32, 64, 8, 4], strict=True)
    results = tuple(replace(_at(a, e), choices={"mapping.rows": str(rows)}) for a, e, rows in given)
    found = Explored(_exploration(experiments=axes), results)
    assert (found.default, found.best) == (results[0], results[3])
    assert found.front == [results[4], results[3], results[1]]
    assert found.along("mapping.rows") == list(results)
    expensive = Explored(_exploration(experiments=axes, default={"mapping.rows": 4}), results)
    assert expensive.best is expensive.default is results[4]


_COORDINATE = st.integers(0, 6).map(float)  # so few that equal ones are frequent


@settings(max_examples=25)
@given(st.lists(st.tuples(_COORDINATE, _COORDINATE), min_size=1, max_size=12))
def test_the_front_is_what_nothing_beats(pairs):
    """Against the slow loop: each point with all others."""
    points = [_at(accuracy, energy) for accuracy, energy in pairs]

    def beats(one, other):
        no_worse = one.accuracy >= other.accuracy and one.energy <= other.energy
        return no_worse and (one.accuracy, one.energy) != (other.accuracy, other.energy)

    slow = {(each.accuracy, each.energy) for each in points if not any(beats(other, each) for other in points)}
    found = [(each.accuracy, each.energy) for each in front(points)]
    assert set(found) == slow and len(found) == len(slow)
    assert found == sorted(found, key=lambda each: each[1])


# Axes -----------------------------------------------------------------------------------------------------------------


def test_axes_combine_in_full_or_along_the_default():
    axes = {"seed": [1, 2], "size": {"small": {"mapping": {"rows": 16}}, "large": {"mapping.rows": 64}}}
    full = _exploration(experiments=axes, default={"seed": 2, "size": "large"})
    texts = [full.text(point) for point in full.combinations()]
    assert texts == ["seed=1 size=small", "seed=1 size=large", "seed=2 size=small", "seed=2 size=large"]
    assert full.experiment_at({"seed": "1", "size": "small"}).mapping.rows == 16
    along = _exploration(experiments=axes, default={"size": "large"}, grid="along")
    assert [along.text(point) for point in along.combinations()] == [
        "seed=1 size=large",
        "seed=2 size=large",
        "seed=1 size=small",
    ]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "there is nothing to explore"),
        ({"experiments": {"seed": []}}, "`seed` must be a list of values, or a group of labelled choices"),
        ({"experiments": {"mapping": {"rows": [16]}}}, "Write a dotted name in quotes"),
        ({"experiments": {"seed": [1, 1]}}, "`seed` has a value twice"),
        ({"experiments": {"seed": [1]}, "default": {"sed": 1}}, "'sed' is none of the axes seed"),
        ({"experiments": {"seed": [1]}, "default": {"seed": 2}}, "`seed` must be one of 1; got 2"),
        ({"experiments": {"seed": [1]}, "plans": {"r_row": [1.0]}}, "plans needs `plan`"),
        ({"experiments": {"seed": [1]}, "plan": "wires"}, "plan and tables exclude each other"),
        ({"experiments": {"seed": [1]}, "way": "train", "chips": 2}, "chips and correct are of way"),
        ({"experiments": {"seed": [1]}, "correct": 1}, "at least 2 inputs"),
        ({"experiments": {"seed": [1]}, "experiment": {"sweep": {"seed": [1]}}}, "is of `rramkit sweep`"),
        ({"experiments": {"seed": [1]}, "experiment": {"tables": "t.h5"}}, "Set `tables` of the exploration"),
        ({"experiments": {"seed": [1]}, "experiment": {"data": {"validation": 0.0}}}, "validation inputs choose"),
        ({"experiments": {"seed": [1]}, "experiment": {"rule": "float"}}, "a rule that writes cells"),
        ({"experiments": {"seed": [1]}, "experiment": {"loss": {"kind": "bits"}}}, "must be one of labels"),
        ({"experiments": {"seed": list(range(101)), "epochs": list(range(1, 101))}}, "10100 points; 10000 at most"),
    ],
)
def test_an_exploration_that_does_not_fit_is_refused(more, words):
    with pytest.raises(InputError, match=re.escape(words)):
        _exploration(**more).combinations()


def test_plans_of_files_are_beside_the_file_that_names_them():
    axes = {"which": {"own": {"plan": "mine.toml", "r_row": 2.0}, "the kit's": {"plan": "wires"}}}
    one = _exploration(tables="", plan="base.toml", plans=axes)
    own, kits = (one.plan_changes(point, Path("folder/explore.toml")) for point in one.combinations())
    assert own == {"plan": "folder/mine.toml", "r_row": 2.0} and kits == {"plan": "wires"}
    assert one.plan_name(Path("folder/explore.toml")) == "folder/base.toml"
    assert one.plan_text(one.default_point) == "which=own"


def test_a_setting_that_is_none_is_named():
    one = _exploration(experiments={"mapping.rose": [16]})
    with pytest.raises(InputError, match=r"explore, mapping\.rose=16: `mapping\.rose` is not a known key"):
        one.experiment_at({"mapping.rose": "16"})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("spiking.steps", 5, "spiking is not read here"),
        ("tables", "other.h5", "tables is not read here"),
        ("data.validation", 0.0, "data.validation must be above 0"),
        ("loss.kind", "mean_square", "loss.kind must be one of labels"),
        ("rule.kind", "float", "rule.kind must be of a rule that writes cells"),
    ],
)
def test_an_axis_that_no_point_can_have_is_refused(name, value, words):
    one = Exploration.checked({"tables": "tables.h5", "experiments": {name: [value]}}, where="the test")
    with pytest.raises(InputError, match=re.escape(f"explore, {one.text(one.default_point)}: {words}")):
        one.experiment_at(one.default_point)


# Resumption -----------------------------------------------------------------------------------------------------------


def test_a_run_that_ends_keeps_its_points_and_what_is_finished_is_not_run_again(tmp_path):
    axes = {"mapping.rows": [16, 32, 64]}
    with pytest.raises(KeyboardInterrupt):
        _explored(tmp_path, tables(), _Counting(most=2), experiments=axes)
    assert not (tmp_path / "explore" / RESULTS).exists()
    assert len(json.loads((tmp_path / "explore" / EVALUATED).read_text())["points"]) == 2
    rest, again = _Counting(), _Counting()
    first = _explored(tmp_path, tables(), rest, experiments=axes)
    assert rest.calls == 1 + sum(each.accuracy_test is not None for each in first.results)
    assert _explored(tmp_path, tables(), again, experiments=axes).results == first.results and again.calls == 0


def test_other_tables_make_other_points(tmp_path):
    one, other = ({"": tmp_path / f"{name}.h5"} for name in ("one", "other"))
    file = coarse(tables())
    table.save(file, one[""])
    table.save(table.TableFile(file.tables, {**file.provenance, "device": "another"}), other[""])
    settings = _exploration(experiments={"mapping.rows": [16, 32]})
    keys = [each.key for files in (one, other, one) for each in points_of(settings, files, tmp_path)]
    assert keys[:2] == keys[4:] and len(set(keys)) == 4


@pytest.mark.filterwarnings("ignore::rramkit.errors.DataWarning")  # few inputs
@pytest.mark.parametrize("way", ["program", "train"])
def test_other_data_of_the_same_name_and_shape_make_other_points(tmp_path, way):
    x, y, file = np.random.default_rng(1).random((120, 5)), np.arange(120) % 2, tmp_path / "own.npz"
    settings_ = LINEAR | {"epochs": 1, "data": {"name": "npz", "file": str(file), "validation": 0.3}}
    given = {"experiments": {"rule.levels": [0, 4]}, "way": way, "experiment": settings_}

    def found(turn, executor):
        np.savez(file, x_train=x[:60, ::turn], y_train=y[:60], x_test=x[60:, ::turn], y_test=y[60:])
        return _explored(tmp_path, tables(), executor, **given).results

    one, other = found(1, _Counting()), found(-1, executor := _Counting())
    assert executor.calls >= 2 and {each.key for each in one}.isdisjoint({each.key for each in other})
    assert all(a.energy != b.energy for a, b in zip(one, other, strict=True))
    assert found(1, executor := _Counting()) == one and executor.calls == 0


def test_a_file_that_is_no_result_is_refused(tmp_path):
    (tmp_path / "explore").mkdir()
    (tmp_path / "explore" / EVALUATED).write_text('{"points": 3}')
    with pytest.raises(InputError, match="holds no finished points of `rramkit explore`"):
        _explored(tmp_path, tables(), experiments={"mapping.rows": [16]})


@pytest.mark.long
def test_cells_that_are_trained_themselves_are_explored_too(tmp_path):
    data = {"validation": 0.3, "train_images": 300, "test_images": 50}
    trained = {**LINEAR, "epochs": 1, "rule": "mixed_precision", "data": data}
    axes = {"rule.threshold": [0.05, 0.1]}
    one, other = _explored(tmp_path, tables(), way="train", experiment=trained, experiments=axes).results
    assert len(list((tmp_path / "explore").glob("rule.threshold=*.h5"))) == 2
    assert one.pulses > 0 and one.energy_write > 0.0 and one.pulses != other.pulses


# The command ----------------------------------------------------------------------------------------------------------

_FILE = """
tables = "tables.h5"
grid = "along"
[experiments]
"mapping.rows" = [64, 16]
"rule.levels" = [16, 4]
[experiment]
epochs = 1
network = { hidden = [], bias = "digital" }
rule = { kind = "threshold", start = "error" }
"""


def _run(*arguments):
    return CliRunner().invoke(app, ["explore", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    table.save(coarse(tables()), tmp_path / "tables.h5")
    (tmp_path / "one.toml").write_text(_FILE)
    return tmp_path


def test_the_command_prints_front_and_verdict_and_writes_strict_files(folder, monkeypatch):
    monkeypatch.setattr("rramkit.processes.Processes", lambda _: _Counting())
    ended = _run(folder / "one.toml", "-o", folder / "out")
    assert ended.exit_code == 0, ended.output + str(ended.exception)
    for text in ("Pareto front", "mapping.rows, the rest as the default", "default ", "cell current  table: read"):
        assert text in ended.output
    assert ended.output.splitlines()[-1] == str(folder / "out" / RESULTS)
    outcome = json.loads((folder / "out" / RESULTS).read_text(), parse_constant=lambda name: pytest.fail(name))
    assert outcome == json.loads(_run(folder / "one.toml", "-o", folder / "out", "--json").stdout)
    assert outcome["default"] == 0 and len(outcome["points"]) == 3 and set(outcome["front"]) <= {0, 1, 2}
    lines = list(csv.DictReader((folder / "out" / TABLE).read_text().splitlines()))
    assert [line["mapping.rows"] for line in lines] == ["64", "16", "64"]
    assert float(lines[0]["energy"]) == outcome["points"][0]["energy"]
    assert [line["front"] == "1" for line in lines] == [index in outcome["front"] for index in range(3)]
    assert (folder / "out" / "explore.svg").read_text().startswith("<?xml")


def test_the_command_lists_what_it_would_run(folder):
    ended = _run(folder / "one.toml", "--list")
    assert ended.exit_code == 0 and "3 points:" in ended.output
    assert "mapping.rows=64 rule.levels=16  (default)" in ended.output
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("one.toml", "-s", "plan=wires"), "plan and tables exclude each other"),
        (("one.toml", "-s", "tables="), "names neither `plan` nor `tables`"),
        (("one.toml", "-s", "experiment.epoch=2"), "`experiment.epoch` is not a known key"),
        (("one.toml", "--tables", "none.h5"), "none.h5"),
        (("tables.h5",), "is a table file, not an exploration"),
    ],
)
def test_a_wrong_call_is_one_line(folder, monkeypatch, arguments, words):
    monkeypatch.chdir(folder)
    ended = _run(*arguments)
    assert ended.exit_code != 0
    assert words in str(ended.exception) and "\n" not in str(ended.exception)
