"""Lines that a user of PyTorch, xarray or scikit-rf would guess: loading, printing, values of tables."""

import copy
import pickle

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic_run import checked_tables

from rramkit import table
from rramkit.errors import InputError, TableError

TABLES = checked_tables()


def test_load_takes_text_or_a_path(tmp_path):
    path = tmp_path / "tables.h5"
    table.save(TABLES, str(path))
    assert list(table.load(str(path))) == list(table.load(path)) == ["read", "reset", "set", "wires"]


def test_tables_are_iterated_contained_and_counted():
    assert "read" in TABLES
    assert "nosuch" not in TABLES
    assert 0 not in TABLES
    assert list(TABLES) == ["read", "set", "reset", "wires"]
    assert len(TABLES) == 4
    assert TABLES.keys() == ("read", "set", "reset", "wires")
    assert [one.name for one in TABLES.values()] == [name for name, _ in TABLES.items()]


def test_printing_tables_says_one_line_a_table():
    lines = str(TABLES).splitlines()
    assert lines[0] == "<TableFile of 4 tables>"
    assert lines[1].strip() == (
        "read (g_cell 16 x v_cell 17); i_cell [A]; held-out error at most 10% of its limit (i_cell)"
    )
    assert lines[4].strip().startswith("wires (no axes); r_row [ohm], r_col [ohm]")
    assert len(lines) == 5


def test_a_table_and_a_quantity_are_one_line():
    for shown in (repr(TABLES["set"]), repr(TABLES["set"]["delta_g"]), repr(TABLES["set"]["t_pulse"])):
        assert "\n" not in shown
        assert len(shown) < 160
    assert repr(TABLES["set"]["t_pulse"]) == "<Quantity 5e-08 s>"


def test_columns_by_name():
    read = TABLES["read"]
    assert read["i_cell"] is read.signals["i_cell"]
    assert read.i_cell is read.signals["i_cell"]  # pyright: ignore[reportAttributeAccessIssue]
    assert read["g_cell"] is read.axes["g_cell"]
    assert float(read["t_read"]) == 20e-9
    assert {"i_cell", "g_cell", "t_read"} <= set(read)
    assert "i_cell" in read
    with pytest.raises(TableError, match=r"table `read` has no column 'i_sell' \(has: g_cell, v_cell, i_cell"):
        read["i_sell"]
    with pytest.raises(AttributeError, match=r"table `read` has no column 'i_sell' \(has: g_cell, v_cell, i_cell"):
        read.i_sell  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018


def test_a_quantity_is_an_array_to_numpy():
    i_cell = TABLES["read"]["i_cell"]
    np.testing.assert_array_equal(np.asarray(i_cell), i_cell.values)
    assert np.max(i_cell) == i_cell.values.max()
    np.testing.assert_array_equal(i_cell[3], i_cell.values[3])


def test_values_between_the_points():
    read, g, v = TABLES["read"], 2e-5, np.array([0.05, 0.1])
    current = read.at("i_cell", g_cell=g, v_cell=v)
    assert current.shape == (2,)
    assert np.all(np.diff(current) > 0)
    np.testing.assert_array_equal(read(g, v), current)
    np.testing.assert_array_equal(read.interp(g_cell=g, v_cell=v)["i_cell"], current)
    grid = TABLES["set"]
    at = grid.at("delta_g", g_start=grid["g_start"][4], v_pulse=grid["v_pulse"][7])
    assert at == near(grid["delta_g"][4, 7], 1e-12)
    assert read.sel(v_cell=0.0).at("i_cell", g_cell=g) == near(0.0, within=1e-15)  # A: rounding


def test_values_outside_or_misnamed_are_refused_in_one_line():
    read = TABLES["read"]
    with pytest.raises(InputError, match=r"`g_cell` must lie within 4e-06 to 9e-05 S, .* `read`; got 0.001\. Pass"):
        read.at("i_cell", g_cell=1e-3, v_cell=0.1)
    with pytest.raises(InputError, match="`at` must give g_cell, v_cell of `read`; got g_cell"):
        read.at("i_cell", g_cell=1e-5)
    with pytest.raises(TableError, match="table `read` lacks the signal `power`"):
        read.at("power", g_cell=1e-5, v_cell=0.1)
    with pytest.raises(InputError, match="table `read` has the axes g_cell, v_cell; got 1 coordinates"):
        read(1e-5)


def test_tables_can_be_copied_and_sent_to_processes():
    again = pickle.loads(pickle.dumps(TABLES))
    np.testing.assert_array_equal(again["read"]["i_cell"], TABLES["read"]["i_cell"])
    assert list(copy.deepcopy(TABLES)) == list(TABLES)


def test_wires_without_axes_have_values():
    assert float(TABLES["wires"]["r_row"]) == 1.2
    assert TABLES["wires"].at("r_row") == 1.2
