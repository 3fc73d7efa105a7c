import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import V_READ, tables

from rramkit.array import ArrayModel, ReadChain, Tile, characterised_chain
from rramkit.errors import TableError
from rramkit.table import Quantity, Table, TableFile


def blocks():
    """Return converters as `rramkit characterize` writes them: a bent DAC of 8 codes, a 6-bit ADC at 1.2 V, 8 kohm."""
    code, g_cell = np.arange(8.0), np.array([1e-6, 2e-5, 1e-4])
    v_row = 0.6 - V_READ * (code / 7)[:, None] ** 1.1 * (1.0 - 100 * g_cell)
    i_in = np.linspace(0.0, 1e-4, 5)[:, None] * np.ones(3)
    made = {
        "dac": (
            {"code": (code, "1"), "g_cell": (g_cell, "S")},
            {"v_row": (v_row, "V"), "energy": (v_row * 1e-12, "J")},
            {},
        ),
        "adc": (
            {"code": (np.arange(1.0, 64), "1")},
            {"v_transition": (np.arange(1.0, 64) / 64, "V")},
            {"bits": (6.0, "1"), "t_conversion": (20e-9, "s"), "v_ref": (1.2, "V")},
        ),
        "adc_conversion": ({"v_in": (np.array([0.1, 1.0]), "V")}, {"energy": (np.array([1e-12, 3e-12]), "J")}, {}),
        "transimpedance": (
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
    chain = characterised_chain(
        TableFile({**file.tables, **blocks()}, file.provenance), ReadChain.checked({"mux": {"tau": 1e-9}}, where="test")
    )
    assert (chain.dac.levels, chain.converter.bits, chain.mux.tau) == (8, 6, 1e-9)
    np.testing.assert_allclose(chain.dac.transfer, (np.arange(8) / 7) ** 1.1, rtol=1e-9)
    assert chain.converter.i_high == near(1.2 / 8000, rel=1e-9)
    assert (chain.converter.t_convert, chain.converter.energy) == (20e-9, near(2e-12, rel=1e-9))
    g_cell = np.full((2, 1, 1), 1e-5)
    g_cell[0] = 8e-5
    reading = Tile.of(g_cell, ArrayModel.from_tables(file, wires=False, chain=chain)).forward(
        np.array([[V_READ * 3 / 7]])
    )
    lsb = 1.2 / 8000 / 31
    settled = 1.0 - np.exp(-20.0)
    assert reading.i[0, 0] == near(np.rint(7e-5 * V_READ * (3 / 7) ** 1.1 * settled / lsb) * lsb, rel=1e-9)


def test_a_table_file_without_blocks_leaves_the_chain_as_it_is():
    assert characterised_chain(tables()) == ReadChain()
    broken = {**blocks()}
    broken["dac"] = Table("dac", broken["dac"].axes, {})
    with pytest.raises(TableError, match="`dac` lacks the signal `v_row`"):
        characterised_chain(TableFile(broken, {}))
