"""`--json` of every command is JSON by its standard: no NaN, no infinity, nothing that only Python writes."""

import ast
import json
import re
from pathlib import Path

import numpy as np
import pytest
from fixtures.synthetic import tables

from rramkit import table
from rramkit.cli import strict_json
from rramkit.cli.app import run
from rramkit.errors import InputError
from rramkit.learning.state_dict import state_dict
from rramkit.learning.trained import TrainedNetwork
from rramkit.record import load

ROOM = Path(strict_json.__file__).parent
OWN = {"strict_json", "import_measured"}  # the second prints by `json.dumps` itself: what it prints is read below


def strict(text: str) -> object:
    def refuse(word: str) -> object:
        raise AssertionError(f"{word} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_every_command_prints_its_json_in_one_way():
    found = {path.stem: path.read_text() for path in ROOM.glob("*.py") if '"--json"' in path.read_text()}
    assert len(found) >= 15
    for name in found.keys() - OWN:
        calls = [each.func for each in ast.walk(ast.parse(found[name])) if isinstance(each, ast.Call)]
        names = {each.attr for each in calls if isinstance(each, ast.Attribute)}
        assert "dumps" not in names, f"{name} must print by `strict_json.text`"


def test_numbers_that_json_has_not_become_null():
    value = {"a": np.float32(1.5), "b": [np.nan, -np.inf, np.int64(3), np.bool_(True)], "c": Path("x"), 2: (1, None)}
    assert strict(strict_json.text(value)) == {"a": 1.5, "b": [None, None, 3, True], "c": "x", "2": [1, None]}
    assert strict(strict_json.text(np.array([[np.nan, 1.0]]))) == [[None, 1.0]]
    with pytest.raises(TypeError):
        strict_json.text({"a": object()})


def test_what_the_commands_print(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table.save(tables(), "tables.h5")
    np.save("w.npy", np.array([[0.5, -0.25], [0.1, 1.0]]))
    rng, classes = np.random.default_rng(0), np.arange(150) % 3
    np.savez("own.npz", x=rng.random((150, 6)) + np.eye(3, 6)[classes], y=classes)
    data = ["-s", "data.name=npz", "-s", "data.file=own.npz"]
    small = [*data, "-s", "network.hidden=[4]", "-s", "epochs=1", "-s", "batches=3", "-s", "mapping.wires=false"]

    def printed(*arguments: str) -> dict:
        assert run([*arguments, "--json"]) in (0, 1)
        found = strict(capsys.readouterr().out)
        assert isinstance(found, dict)
        return found

    told = printed("train", *small, "-s", "float_reference=false", "-s", "data.validation=0")
    assert told["float_accuracy"] is None and told["accuracy_validation"] is None  # NaN within the kit
    assert printed("report", "tables.h5", "--run", "run.h5", "-o", "r.html")["report"] == "r.html"
    printed("tile", "tables.h5", "-t", "w.npy")
    printed("import", "--preset", "epiram", "-o", "e.h5")
    priced = printed("cost", "run.h5")
    assert priced["area"] is None and priced["energy"] > 0.0 and len(priced["layers"]) == 2
    found = printed("evaluate", "run.h5", "--after", "1e6", "--export", "w.npz", "--chips", "2")
    assert found["accuracy"] == told["accuracy"] and found["chips_alike"]
    own = ("--layer", "dense_2.read.adc.bits=2", "--layer", "dense_2.read.adc.energy=1e-12")
    again = printed("evaluate", "run.h5", "--after", "1e6", "--refresh", "1e4", *own)
    assert again["layers"][0] == found["layers"][0] and again["layers"][1] != found["layers"][1]
    (refresh,) = again["refreshes"]
    assert refresh["pulses"] > 0 and refresh["energy"] > 0.0 and refresh["reads"] >= refresh["pulses"]
    for words, wrong in (("Did you mean `dense_1`", "dens_1.off=wires"), ("NAME.KEY=VALUE", "0")):
        with pytest.raises(InputError, match=words):
            run(["evaluate", "run.h5", "--layer", wrong])
    # The weights that went out come back, into cells of the same tables, by the names that they went out with.
    Path("e.toml").write_text("mapping.wires = false\nnetwork.hidden = [4]\ndata.name = 'npz'\ndata.file = 'own.npz'\n")
    back = printed("evaluate", "--weights", "w.npz", "--experiment", "e.toml", "--tables", "tables.h5")
    assert "names" not in back and back["written"]["pulses"] > 0
    correction = back["written"]["correction"]
    assert correction["inputs"] == 32 and correction["energy"] > 0.0 and correction["seconds"] > 0.0
    by_hand = printed("evaluate", "run.h5", "--correct", "8", "--after", "1e6", "--correct-aged")
    assert by_hand["correction"]["inputs"] == by_hand["aged"][0]["correction"]["inputs"] == 8
    # Told by as many inputs as there are, not as were wanted; and what is exported has no correction.
    assert run(["evaluate", "run.h5", "--correct", "1000", "--export", "plain.npz"]) == 0
    said = capsys.readouterr().out
    (told_inputs,) = re.findall(r"each, by (\d+) training inputs", said)
    assert int(told_inputs) == 150 - found["inputs"] and "plain.npz, without the correction of outputs" in said
    for words, wrong in (("at least 2 inputs", ("--correct", "1")), ("--after SECONDS", ("--correct-aged",))):
        with pytest.raises(InputError, match=words):
            run(["evaluate", "run.h5", *wrong])
    network = load("run.h5").network
    assert isinstance(network, TrainedNetwork)
    with np.load("w.npz") as file:
        assert set(file) == set(state_dict(network.network, network.params))
    # A damaged checkpoint is in the way of a training that goes on from the run, until `--restart`.
    Path(".more.checkpoint.h5").write_bytes(b"damaged")
    with pytest.raises(Exception, match="--restart"):
        run(["train", "--from", "run.h5", "-o", "more.h5", "-q"])
    further = printed("train", "--from", "run.h5", "-o", "more.h5", "--restart")
    assert further["accuracy_before"] is not None and load("more.h5").settings == load("run.h5").settings
