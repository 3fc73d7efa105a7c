import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import V_READ, tables

from rramkit.array import ArrayModel, ReadChain, Tile
from rramkit.errors import TableError
from rramkit.table import Quantity, Table, TableFile


def blocks():
    """Return converters as characterised: a bent row driver of 8 codes, a 6-bit ADC at 1.2 V, 8 kohm."""
    code, g_cell = np.arange(8.0), np.array([1e-6, 2e-5, 1e-4])
    v_row = 0.6 - V_READ * (code / 7)[:, None] ** 1.1 * (1.0 - 100 * g_cell)
    i_in = np.linspace(0.0, 1e-4, 5)[:, None] * np.ones(3)
    made = {
        "row_driver": (
            {"code": (code, "1"), "g_cell": (g_cell, "S")},
            {"v_row": (v_row, "V"), "energy": (v_row * 1e-12, "J")},
            {},
        ),
        "adc_levels": (
            {"code": (np.arange(1.0, 64), "1")},
            {"v_transition": (np.arange(1.0, 64) / 64, "V")},
            {"bits": (6.0, "1"), "t_conversion": (20e-9, "s"), "v_ref": (1.2, "V")},
        ),
        "adc": ({"v_in": (np.array([0.1, 1.0]), "V")}, {"energy": (np.array([1e-12, 3e-12]), "J")}, {}),
        "readout_transimpedance": (
            {"v_in": (np.arange(5.0), "V"), "g_cells": (g_cell, "S")},
            {"i_in": (i_in, "A"), "v_out": (-8000 * i_in, "V")},
            {},
        ),
    }

    def quantities(parts):
        return {name: Quantity(np.asarray(values), unit) for name, (values, unit) in parts.items()}

    return {
        name: Table(name, quantities(axes), quantities(signals), quantities(conditions))
        for name, (axes, signals, conditions) in made.items()
    }


def test_converters_come_from_the_table_and_the_rest_stays():
    file = tables(linear=True)
    chain = ReadChain.from_tables(
        TableFile({**file.tables, **blocks()}, file.provenance),
        ReadChain.checked({"multiplexer": {"tau": 1e-9}}, where="test"),
    )
    assert (chain.row_driver.levels, chain.adc.bits, chain.line_switch.tau) == (8, 6, 1e-9)
    np.testing.assert_allclose(chain.row_driver.transfer, (np.arange(8) / 7) ** 1.1, rtol=1e-9)
    assert chain.adc.i_high == near(1.2 / 8000, rel=1e-9)
    assert (chain.adc.t_convert, chain.adc.energy) == (20e-9, near(2e-12, rel=1e-9))
    g_cell = np.full((2, 1, 1), 1e-5)
    g_cell[0] = 8e-5
    reading = Tile.of(g_cell, ArrayModel.from_tables(file, wires=False, chain=chain)).forward(
        np.array([[V_READ * 3 / 7]])
    )
    lsb = 1.2 / 8000 / 31
    settled = 1.0 - np.exp(-20.0)
    assert reading.i[0, 0] == near(np.rint(7e-5 * V_READ * (3 / 7) ** 1.1 * settled / lsb) * lsb, rel=1e-9)


def test_a_table_file_without_blocks_leaves_the_chain_as_it_is():
    assert ReadChain.from_tables(tables()) == ReadChain()
    broken = {**blocks()}
    broken["row_driver"] = Table("row_driver", broken["row_driver"].axes, {})
    with pytest.raises(TableError, match="`row_driver` lacks the signal `v_row`"):
        ReadChain.from_tables(TableFile(broken, {}))


def test_what_is_set_by_hand_is_kept():
    file = tables()
    by_hand = ReadChain.checked({"adc": {"bits": 4, "noise": 1e-8}}, where="test")
    adc = ReadChain.from_tables(TableFile({**file.tables, **blocks()}, {}), by_hand).adc
    assert (adc.bits, adc.noise, adc.t_convert) == (4, 1e-8, 20e-9)


def test_of_corners_and_temperatures_the_nominal_ones_are_taken():
    parts = blocks()
    row_driver, adc = parts["row_driver"], parts["adc"]
    corner, kelvin = ("ff", "tt", "ss"), np.array([233.0, 300.15, 398.0])
    scale = np.array([0.8, 1.0, 1.3])[:, None] * np.array([0.9, 1.0, 1.2])
    more = {"corner": Quantity.of_labels(corner), "temperature": Quantity(kelvin, "K")}

    def over_corners(table):
        signals = {
            name: Quantity(values.values[..., None, None] * scale, values.unit)
            for name, values in table.signals.items()
        }
        return Table(table.name, {**table.axes, **more}, signals, table.conditions)

    file = {**parts, "row_driver": over_corners(row_driver), "adc": over_corners(adc)}
    assert ReadChain.from_tables(TableFile(file, {})) == ReadChain.from_tables(TableFile(parts, {}))
