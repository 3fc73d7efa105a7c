"""Trainings and tiles at a process corner: a corner axis is read at the corner passed, or at the nominal one."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fixtures.synthetic import tables
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.cli.app import app
from rramkit.errors import InputError, TableError
from rramkit.learning import Experiment, train
from rramkit.learning.condition import NOMINAL, Condition, condition_axes
from rramkit.table import Quantity, TableFile

STRENGTH = {"tt": 1.0, "ss": 0.7}
TINY = Experiment.checked(
    {
        "network": {"hidden": [5]},
        "epochs": 1,
        "float_reference": False,
        "data": {"train_images": 200, "test_images": 50},
        "mapping": {"wires": False},
    },
    where="the test",
)


def _one(name):
    """Return a file of one corner without what a corner axis would have to carry along."""
    file = tables(strength=STRENGTH[name])
    plain = {key: replace(file[key], held_out={}, distributions={}) for key in ("read", "set", "reset")}
    return TableFile(plain, file.provenance)


def _corners():
    """Return both corners' tables in one file, stacked along an axis `corner`."""
    files = {name: _one(name) for name in STRENGTH}
    axis = Quantity(np.arange(len(files), dtype=float), "1", labels=tuple(files))
    stacked = {}
    for key, first in files["tt"].tables.items():
        signals = {
            name: replace(signal, values=np.stack([file[key].signals[name].values for file in files.values()]))
            for name, signal in first.signals.items()
        }
        stacked[key] = replace(first, axes={"corner": axis, **first.axes}, signals=signals)
    return TableFile(stacked, files["tt"].provenance)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("corners") / "tables.h5"
    table.save(_corners(), path)
    return path


def test_a_file_without_such_axes_is_as_it_is():
    file = _one("tt")
    assert NOMINAL.of(file) is file
    assert condition_axes(file) == ()
    with pytest.raises(TableError, match="no table of the file has the axis `corner`"):
        Condition(corner="ss").of(file)


@pytest.mark.parametrize("corner", STRENGTH)
def test_training_at_a_corner_is_training_with_that_corners_tables(path, corner):
    there = train(TINY, Condition(corner=corner).load(path))
    alone = train(TINY, _one(corner))
    np.testing.assert_array_equal(there.layers[0].g_final, alone.layers[0].g_final)
    np.testing.assert_array_equal(there.epochs.loss, alone.epochs.loss)
    assert there.tables_provenance["corner"] == corner


def test_train_itself_reads_a_file_at_the_nominal_condition(path):
    nominal = train(TINY, path)
    np.testing.assert_array_equal(nominal.epochs.loss, train(TINY, _one("tt")).epochs.loss)


def test_the_command_trains_at_a_corner_and_says_when_it_takes_the_nominal_one(path, tmp_path):
    pairs = ["network.hidden=[5]", "epochs=1", "data.train_images=200", "data.test_images=50", "mapping.wires=false"]
    arguments = ["train", "--tables", str(path), *[word for pair in pairs for word in ("--set", pair)]]

    def run(name, *more):
        done = CliRunner().invoke(app, [*arguments, "-o", str(tmp_path / name), *more], catch_exceptions=False)
        assert done.exit_code == 0
        return record.load(tmp_path / name), done.stderr

    nominal, message = run("nominal.h5")
    slow, silent = run("ss.h5", "--corner", "ss")
    assert "read at the nominal condition of its axes corner; `--corner` sets another" in message.replace("\n", " ")
    assert "nominal condition" not in silent
    assert np.any(slow.layers[0].g_final != nominal.layers[0].g_final)
    np.testing.assert_array_equal(slow.layers[0].g_final, train(TINY, Condition("ss").load(path)).layers[0].g_final)
    x = np.random.default_rng(0).random((20, 64))
    assert np.any(slow.scores(x) != nominal.scores(x))


def test_a_tile_at_a_corner_is_one_of_that_corners_tables(path, tmp_path):
    def outcome(file, *options):
        result = CliRunner().invoke(app, ["tile", str(file), "--no-wires", "--json", *options])
        assert result.exit_code == 0, result.output
        numbers = json.loads(result.stdout)
        del numbers["read"]["seconds"]
        return numbers

    alone = tmp_path / "ss.h5"
    table.save(_one("ss"), alone)
    at_corner = outcome(path, "--corner", "ss")
    assert at_corner == outcome(alone)
    assert at_corner["write"] != outcome(path)["write"]  # the nominal corner
    refused = CliRunner().invoke(app, ["tile", str(path), "--corner", "ss", "--ngspice"])
    assert isinstance(refused.exception, InputError) and "nominal condition only" in str(refused.exception)
