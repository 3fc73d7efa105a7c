"""The schema is the one place that spells columns: the docs are generated from it, every source takes names from it."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from rramkit import table
from rramkit.errors import InputError, TableError
from rramkit.table import Quantity, Table, TableFile, schema
from rramkit.table.schema import GROUPS, READ, RESET, SET, WIRES, WRITE_DRIVER_SET

ROOT = Path(__file__).resolve().parents[2]


def test_the_docs_have_the_tables_of_the_schema():
    text = (ROOT / "docs" / "table-format.md").read_text(encoding="utf-8")
    written = text.split("<!-- schema -->\n")[1].split("<!-- end of schema -->")[0]
    assert written == schema.markdown(), "paste the output of `python -m rramkit.table.schema`"


def test_every_column_has_its_name_a_unit_and_a_text():
    for group in GROUPS.values():
        assert group.text and group.columns
        for name, column in group.columns.items():
            assert column == name
            assert column.unit and column.text
            assert column.kind in ("axis", "signal", "condition", "held_out")


def test_a_column_is_its_name_and_travels_with_its_unit():
    assert SET.delta_g == "delta_g"
    assert {"delta_g": 1}[SET.delta_g] == 1
    again = pickle.loads(pickle.dumps(SET.delta_g))
    assert (again, again.unit, again.kind) == ("delta_g", "S", "signal")


def test_a_group_cannot_be_changed():
    with pytest.raises(AttributeError):
        READ.i_cell = "another"  # pyright: ignore[reportAttributeAccessIssue]


def test_quantities_take_the_units_of_their_columns():
    conditions = READ.of(v_read=0.1, t_read=1e-8)
    assert {name: each.unit for name, each in conditions.items()} == {"v_read": "V", "t_read": "s"}
    with pytest.raises(InputError, match=r"`read` has the columns g_cell, .*; got 'v_reed'\. Fix the name\."):
        READ.of(v_reed=0.1)


def test_polarity_is_that_of_the_group_or_of_the_table():
    assert (SET.polarity, RESET.polarity, WRITE_DRIVER_SET.polarity, READ.polarity) == ("set", "reset", "set", None)
    axes = SET.of(g_start=[1e-6, 2e-6], v_pulse=[1.0])
    signals = SET.of(delta_g=np.ones((2, 1)), energy=np.ones((2, 1)))
    assert Table("set", axes, signals).polarity == "set"
    assert Table("mine", axes, signals).polarity is None
    assert Table("mine", axes, signals, polarity="reset").polarity == "reset"


def _file(name: str, **columns: Quantity) -> TableFile:
    return TableFile({name: Table(name, {}, columns)}, {})


def test_a_group_of_the_kit_is_checked_and_a_users_own_is_free(tmp_path):
    ohms = WIRES.of(r_row=1.0, r_col=1.0, r_drive=50.0, r_sense=50.0)
    table.save(_file("wires", **ohms), tmp_path / "t.h5")
    table.save(_file("mine", r_row=Quantity(np.array(-1.0), "furlong")), tmp_path / "t.h5")
    for changes, complaint in (
        ({"r_row": WIRES.r_row.quantity(-1.0)}, "`wires/r_row` holds values below 0 ohm"),
        ({"r_row": Quantity(np.array(1.0), "kohm")}, "`wires/r_row` must be in ohm; got 'kohm'"),
    ):
        with pytest.raises(TableError, match=complaint):
            table.save(_file("wires", **{**ohms, **changes}), tmp_path / "t.h5")
    del ohms["r_sense"]
    with pytest.raises(TableError, match="table `wires` must have the signal `r_sense`"):
        table.save(_file("wires", **ohms), tmp_path / "t.h5")


def test_polarity_of_a_file_is_kept_and_checked(tmp_path):
    axes = SET.of(g_start=[1e-6, 2e-6], v_pulse=[1.0])
    signals = SET.of(delta_g=np.ones((2, 1)), energy=np.ones((2, 1)))
    table.save(TableFile({"mine": Table("mine", axes, signals, polarity="reset")}, {}), tmp_path / "t.h5")
    assert table.load(tmp_path / "t.h5")["mine"].polarity == "reset"
    with pytest.raises(TableError, match="`polarity` of `set` must be set; got reset"):
        table.save(TableFile({"set": Table("set", axes, signals, polarity="reset")}, {}), tmp_path / "t.h5")
