"""Files of formats 1 and 2 still load. Both were written by the kit of their time: made up, not characterised."""

import json
from pathlib import Path

import h5py
import numpy as np

from rramkit import table

DATA = Path(__file__).resolve().parents[1] / "data"
NAMES = {
    "dac": "row_driver",
    "adc": "adc_levels",
    "adc_conversion": "adc",
    "transimpedance": "readout_transimpedance",
    "sense": "sense_amp",
    "sense_offset": "sense_amp_offset",
    "driver_set": "write_driver_set",
    "write_disturb": "disturb",
    "read": "read",
    "set": "set",
    "reset": "reset",
    "wires": "wires",
    "mine": "mine",
}


def test_groups_of_format_2_take_the_names_of_their_components():
    path = DATA / "tables_version_2.h5"
    tables = table.load(path)
    assert sorted(tables) == sorted(NAMES.values())
    with h5py.File(path) as file:
        for old, new in NAMES.items():
            for signal, quantity in tables[new].signals.items():
                dataset = file[f"{old}/{signal}"]
                assert isinstance(dataset, h5py.Dataset)
                np.testing.assert_array_equal(quantity.values, dataset[()])
    assert json.loads(tables.provenance["component_plan_row_driver"])["name"] == "row_driver"
    assert "block_plan_dac" not in tables.provenance
    assert json.loads(tables.provenance["component_plan_mine"])["name"] == "mine"


def test_what_format_2_did_not_say_is_added():
    tables = table.load(DATA / "tables_version_2.h5")
    assert (tables["set"].polarity, tables["write_driver_set"].polarity, tables["read"].polarity) == (
        "set",
        "set",
        None,
    )
    assert tables["reset"].condition("through_drivers") == 1.0
    assert "through_drivers" not in table.load(DATA / "tables_version_1.h5")["reset"].conditions  # no drivers there
    assert "g_cells" in tables["readout_transimpedance"].axes
    assert "g_cells" not in tables["readout_transimpedance"].conditions


def test_an_upgraded_file_saved_is_of_format_3(tmp_path):
    tables = table.load(DATA / "tables_version_2.h5")
    table.save(tables, tmp_path / "t.h5")
    again = table.load(tmp_path / "t.h5")
    assert again.provenance == tables.provenance
    with h5py.File(tmp_path / "t.h5") as file:
        assert file.attrs["format_version"] == 3
        assert file["set"].attrs["polarity"] == "set"
    for name in tables:
        for signal, quantity in tables[name].signals.items():
            np.testing.assert_array_equal(again[name].signals[signal].values, quantity.values)
