"""Area of tiles by layer, in `rramkit evaluate` too; a run whose layers differ is priced layer by layer."""

import json
from typing import NamedTuple

from fixtures.chip_tables import chip_tables
from fixtures.closeness import near

from rramkit import table
from rramkit.characterization import areas
from rramkit.cli.app import run
from rramkit.cost import Assumptions, cost_of
from rramkit.cost.analogue import Corner
from rramkit.cost.area import Tiles, tile_items
from rramkit.learning import Experiment, train
from rramkit.learning.condition import Condition


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


def test_evaluate_and_cost_have_the_area_of_each_layer_where_layers_differ(tmp_path, monkeypatch, capsys):
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
    assert run(["cost", "run.h5", "--json"]) == 0
    priced = [each["tiles"] for each in json.loads(capsys.readouterr().out)["layers"]]
    assert [(each["count"], each["rows"], each["columns"]) for each in priced] == [(5, 13, 12), (2, 4, 20)]


def test_each_layer_is_priced_by_its_own_settings():
    """Switches off in the second layer alone: nothing is priced for them there; its converter's energy is its own."""
    file = chip_tables(corners=True)
    small = {"network": {"hidden": [6]}, "epochs": 1, "batches": 2, "float_reference": False}
    small |= {"data": {"train_images": 100, "test_images": 20}}
    own = {"dense_2": {"off": ["line_switch", "wires"], "read": {"adc": {"energy": 7e-12}}, "override": True}}
    made = train(Experiment.checked(small | {"mapping": {"layers": own}}, where="the test"), file)
    cost = cost_of(made)
    of_all, of_second = (cost.subject.chain(index) for index in range(2))
    assert of_second.adc.energy == 7e-12 != of_all.adc.energy
    layers = [matrix.label for matrix in cost.subject.work.matrices]

    def energy(layer: str, part: str) -> float:
        return sum(item.energy for item in cost.items if item.layer == layer and item.part == part)

    conversions = cost.subject.counts.reads["conversions"].sum(axis=(0, 2))
    assert energy(layers[0], "line switches") == near(conversions[0] * of_all.line_switch.energy, rel=SUM)
    assert energy(layers[1], "line switches") == 0.0
    for index, chain in enumerate((of_all, of_second)):
        assert energy(layers[index], "converters") == near(conversions[index] * chain.adc.energy, rel=SUM)
    arrays = sum(item.energy for item in cost.items if item.counted == "measured")
    assert arrays == near(float(made.epochs.energy_read.sum() + made.epochs.energy_write.sum()), rel=SUM)
    # At another corner each layer is repriced by its own chain: what was typed over the tables stays.
    corner = Corner.of(cost.subject, file, Condition("ss"))
    assert corner.devices[1].model.chain.adc.energy == 7e-12
    assert corner.devices[0].model.chain.line_switch.energy > 0.0 == corner.devices[1].model.chain.line_switch.energy
