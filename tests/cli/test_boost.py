"""`rramkit boost` and what `rramkit evaluate` says of networks that answer by numbers."""

import json

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.cli import evaluation_text
from rramkit.cli.app import app
from rramkit.errors import InputError

SETTINGS = """
epochs = 1
batch = 50
loss = { kind = "bits", bits = 2, gray = true }
rule = { kind = "write_verify", way = "error", start = "error" }
network = { hidden = [6], function = "sigmoid" }
data = { name = "function", function = "sin", bits = 3, train_images = 100, test_images = 50, validation = 0.0 }
"""


def _run(*arguments):
    result = CliRunner().invoke(app, [*map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("boost")
    table.save(tables(), path / "tables.h5")
    (path / "mei.toml").write_text(SETTINGS)
    told = _run("boost", path / "mei.toml", "--tables", path / "tables.h5", "--arrays", 2, "-o", path / "runs").stdout
    (path / "told.txt").write_text(told)
    return path


def test_a_boost_tells_a_program_what_it_writes(folder):
    again = _run(
        "boost", folder / "mei.toml", "--tables", folder / "tables.h5", "--arrays", 1, "-o", folder / "a", "--json"
    )
    told = json.loads(again.stdout)
    assert told["summary"] == str(folder / "a" / "boost.json")
    assert told["rounds"] == json.loads((folder / "a" / "boost.json").read_text())


def test_a_boost_writes_its_arrays_and_what_their_votes_reach(folder):
    summary = json.loads((folder / "runs" / "boost.json").read_text())
    assert [each["arrays"] for each in summary] == [1, 2]
    for number, each in enumerate(summary, 1):
        assert record.load(folder / "runs" / f"array{number}.h5").errors["mean"] == each["alone"]["mean"]
        assert len(each["votes"]) == 2 and 0.0 <= each["voted"]["bits"] <= 1.0
    told = (folder / "told.txt").read_text().splitlines()
    assert told[-1] == str(folder / "runs" / "boost.json") and "2 arrays: mean error" in told[-2]


def test_an_evaluation_prints_errors_reads_operations_and_the_share_that_was_tuned(folder):
    run = folder / "runs" / "array1.h5"
    once = json.loads(_run("evaluate", run, "--json").stdout)
    more = json.loads(_run("evaluate", run, "--reads", 3, "--chips", 1, "--json").stdout)
    assert once["errors"]["mean"] == near(1.0 - once["accuracy"], 1e-12)  # rounding
    assert more["reads"] == 3 and more["energy"] == near(3.0 * once["energy"], 1e-6)  # made-up reads have no noise
    assert more["function"]["per_joule"] == near(once["function"]["per_joule"] / 3.0, 1e-6)
    assert once["function"]["per_joule"] == near(22 / (once["energy"] + once["function"]["activations"]), 1e-12)
    assert more["chips"][0]["tuned"] == 1.0 and more["chips"][0]["window"] == 0.01
    text = evaluation_text.text(more)
    for words in ("relative error", "3 reads, averaged", "22 operations", "of the cells within 0.01 of the range"):
        assert words in " ".join(text.split())


def test_inputs_of_ones_own_for_a_network_of_a_function(folder, tmp_path):
    x = np.random.default_rng(0).random((40, 1))
    np.savez(tmp_path / "own.npz", x=x, y=0.5 * x)
    found = json.loads(_run("evaluate", folder / "runs" / "array1.h5", "--data", tmp_path / "own.npz", "--json").stdout)
    assert found["inputs"] == 8 and "function" not in found


def test_what_cannot_be_boosted_is_refused_in_one_line(folder, tmp_path):
    (tmp_path / "other.toml").write_text(SETTINGS.replace('"bits", bits = 2, gray = true', '"mean_square"'))
    with pytest.raises(InputError, match=r'`loss\.kind` must be "bits" for votes on bits; got "mean_square"\. Set it'):
        _run("boost", tmp_path / "other.toml", "--tables", folder / "tables.h5", "-o", tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_boost_does_not_write_over_its_tables(folder, tmp_path):
    table.save(tables(), tmp_path / "array2.h5")
    before = (tmp_path / "array2.h5").read_bytes()
    with pytest.raises(InputError, match=r"array2\.h5: the output is also an input of this command"):
        _run("boost", folder / "mei.toml", "--tables", tmp_path / "array2.h5", "--arrays", 2, "-o", tmp_path)
    assert (tmp_path / "array2.h5").read_bytes() == before
