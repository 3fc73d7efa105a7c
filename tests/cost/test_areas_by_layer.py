"""Area of tiles by layer, in `rramkit evaluate` too; runs whose layers differ are not priced, and reported without."""

import json
from typing import NamedTuple

import pytest
from fixtures.chip_tables import chip_tables
from fixtures.closeness import near

from rramkit import record, table
from rramkit.characterization import areas
from rramkit.cli.app import run
from rramkit.cost import Assumptions
from rramkit.cost.area import Tiles, tile_items
from rramkit.cost.subject import Subject
from rramkit.errors import InputError


class Circuit(NamedTuple):
    area: float
    capacitance: float


CIRCUITS = {"cell": Circuit(2e-12, 0.0), "adc": Circuit(1e-10, 4e-15)}
SUM = 1e-12  # a few products of doubles, each rounded to 1e-16


def test_the_area_of_tiles_is_that_of_their_circuits():
    assumed = Assumptions(layout_factor=2.0, c_area=1e-3)
    items = tile_items([Tiles("0", 3, 10, 8), Tiles("1", 1, 4, 6)], assumed, CIRCUITS)
    # Arrays of 80 cells and five sense units, and of 24 and three: each circuit 2 area + C / c_area.
    counts = {("0", "cell"): 3 * 80, ("0", "adc"): 3 * 5, ("1", "cell"): 24, ("1", "adc"): 3}
    assert {(item.layer, item.part): item.count for item in items} == counts
    for item in items:
        assert item.area == near(item.count * {"cell": 4e-12, "adc": 2.04e-10}[item.part], rel=SUM)
    assert tile_items([Tiles("0", 3, 10, 8)], assumed, {}) == []


def test_evaluate_has_the_area_of_each_layer_and_prices_no_layers_that_differ(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    table.save(chip_tables(), "tables.h5")
    small = ["-s", "network.hidden=[6]", "-s", "epochs=1", "-s", "batches=2", "-s", "float_reference=false"]
    small += ["-s", "data.train_images=100", "-s", "data.test_images=20", "-s", "mapping.rows=16"]
    run(["train", "--tables", "tables.h5", *small, "-s", "mapping.layers.dense_2.rows=4", "-q"])
    monkeypatch.setattr(areas, "circuit_areas", lambda provenance: CIRCUITS)
    capsys.readouterr()
    assert run(["evaluate", "run.h5", "--json"]) == 0
    layers = json.loads(capsys.readouterr().out)["layers"]
    of_cell, of_adc = 3.0 * 2e-12, 3.0 * 1e-10 + 4e-15 / 2e-3  # layout factor and capacitance as assumed by default
    # 65 rows in five arrays of 13, columns 12 of six pairs; 7 rows in two arrays of 4, columns of ten pairs.
    for layer, (arrays, rows, columns) in zip(layers, [(5, 13, 12), (2, 4, 20)], strict=True):
        units = -(-max(rows, columns) // 2)
        assert layer["area"] == near(arrays * (rows * columns * of_cell + units * of_adc), rel=SUM)
    assert run(["evaluate", "run.h5"]) == 0
    assert "mm2" in capsys.readouterr().out
    monkeypatch.setattr(areas, "circuit_areas", lambda provenance: {})
    assert run(["evaluate", "run.h5", "--json"]) == 0
    assert [layer["area"] for layer in json.loads(capsys.readouterr().out)["layers"]] == [None, None]
    with pytest.raises(InputError, match=r"settings of single layers .*dense_2.* are not priced"):
        Subject.of(record.load("run.h5"))
    assert run(["report", "tables.h5", "--run", "run.h5", "-o", "r.html"]) == 0
    assert "settings of single layers are not priced" in capsys.readouterr().err
