"""Comparison of two table files: equal files pass, every kind of change is detected, the older file's limits apply."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fixtures.synthetic_run import checked_tables
from fixtures.synthetic_tables import full_file, full_table

from rramkit import table
from rramkit.cli.app import run as command
from rramkit.table import Mask, Quantity, TableFile
from rramkit.table.compare import compare

OLD = checked_tables()


def _with(name, **changes):
    return TableFile({**OLD.tables, name: replace(OLD[name], **changes)}, OLD.provenance)


def _signal(name, signal, values, unit=None):
    quantity = OLD[name].signals[signal]
    return _with(name, signals={**OLD[name].signals, signal: Quantity(values, unit or quantity.unit)})


def test_a_file_equals_itself():
    found = compare(OLD, OLD)
    assert found.passed
    assert found.quantities["set.delta_g"].max == 0
    assert found.quantities["wires.r_row"].spice.size == 1
    assert {"read.g_cell", "set.v_pulse", "set.t_pulse", "reset.energy"} <= set(found.quantities)
    assert compare(full_file(), full_file()).passed  # with labels and failed points


def test_changes_are_judged_by_the_limits_that_the_older_file_keeps():
    values = OLD["set"].signals["delta_g"].values
    limit = OLD["set"].held_out["delta_g"].limit_rms
    assert compare(_signal("set", "delta_g", values + 0.9 * limit), OLD).passed
    assert not compare(_signal("set", "delta_g", values + 1.1 * limit), OLD).passed
    one = values.copy()
    one[3, 4] += 1.1 * OLD["set"].held_out["delta_g"].limit_max
    found = compare(_signal("set", "delta_g", one), OLD)
    assert [name for name, points in found.quantities.items() if not points.passed] == ["set.delta_g"]


def test_what_keeps_no_limit_may_differ_by_rounding_only():
    r_row = OLD["wires"].signals["r_row"].values
    assert compare(_signal("wires", "r_row", r_row * (1 + 1e-9)), OLD).passed
    assert not compare(_signal("wires", "r_row", r_row * (1 + 1e-4)), OLD).passed
    axis = OLD["set"].axes["g_start"].values
    for shift, passes in ((1e-5, True), (1e-3, False)):
        moved = {**OLD["set"].axes, "g_start": Quantity(axis + shift * np.ptp(axis), "S")}
        assert compare(_with("set", axes=moved), OLD).passed is passes


def test_what_cannot_be_compared_is_said():
    without = TableFile({name: one for name, one in OLD.tables.items() if name != "wires"}, {})
    assert compare(without, OLD).complaints == ("table: `wires` is in the old file only",)
    assert compare(OLD, without).complaints == ("table: `wires` is in the new file only",)
    short = _with(
        "set",
        axes={**OLD["set"].axes, "g_start": Quantity(OLD["set"].axes["g_start"].values[:-1], "S")},
        signals={name: replace(one, values=one.values[:-1]) for name, one in OLD["set"].signals.items()},
    )
    assert "`set.delta_g` has shape (17, 17), in the old file (18, 17)" in compare(short, OLD).complaints
    odd = _signal("wires", "r_row", OLD["wires"].signals["r_row"].values, unit="kohm")
    assert compare(odd, OLD).complaints == ("`wires.r_row` is in kohm, in the old file in ohm",)
    full = full_table()
    worse = full.masks["delta_g"].codes.copy()
    worse[0, 0] = 1
    hole = {"delta_g": Mask(worse, full.masks["delta_g"].reasons)}
    found = compare(TableFile({"set": replace(full, masks=hole)}, {}), TableFile({"set": full}, {}))
    assert found.complaints == ("`set.delta_g`: 3 points failed, 2 in the old file",)


def test_the_command_compares_without_spice_and_exits_1_on_a_miss(tmp_path, capsys):
    new, old = tmp_path / "new.h5", tmp_path / "old.h5"
    table.save(OLD, old)
    table.save(OLD, new)
    assert command(["verify", str(new), "--golden", str(old)]) == 0
    assert "set.delta_g" in capsys.readouterr().out
    table.save(_signal("reset", "delta_g", OLD["reset"].signals["delta_g"].values * 0.5), new)
    assert command(["verify", str(new), "--golden", str(old), "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert shown["surrogate"]["reset.delta_g"]["pass"] is False
    assert shown["surrogate"]["set.delta_g"]["pass"] is True


@pytest.mark.parametrize("tails", [False, True])
def test_a_limit_of_the_tail_is_shown_where_there_is_one(tmp_path, capsys, tails):
    file = TableFile({"set": full_table()}, {}) if tails else OLD
    table.save(file, tmp_path / "t.h5")
    command(["verify", str(tmp_path / "t.h5"), "--golden", str(tmp_path / "t.h5")])
    assert capsys.readouterr().out.count("limit") >= (3 if tails else 2)
