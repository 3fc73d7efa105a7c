import random
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
from fixtures.edited import edited
from fixtures.synthetic_run import checked_tables
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rramkit import hdf5, record, table
from rramkit.errors import TableError
from rramkit.table import HeldOut, Quantity, Table, TableFile

FINITE = st.floats(-1e3, 1e3, allow_subnormal=False)
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "tables.h5"
    table.save(checked_tables(), path)
    return path


@st.composite
def files(draw):
    rows, cols, points = (draw(st.integers(1, 9)) for _ in range(3))
    axes = {
        name: Quantity(np.cumsum(draw(arrays(float, size, elements=st.floats(0.01, 10)))), unit)
        for name, size, unit in (("here", rows, "m"), ("there", cols, "V"))
    }
    signals = {
        name: Quantity(draw(arrays(float, (rows, cols), elements=FINITE)), "S") for name in ("delta", "other", "third")
    }
    held_out = HeldOut(
        at={name: Quantity(draw(arrays(float, points, elements=FINITE)), axis.unit) for name, axis in axes.items()},
        spice=draw(arrays(float, points, elements=FINITE)),
        fit=draw(arrays(float, points, elements=FINITE)),
        unit="S",
        limit_rms=draw(st.floats(1e-9, 1)),
        limit_max=draw(st.floats(1e-9, 1)),
    )
    conditions = {"width": Quantity(np.array(draw(FINITE)), "s")}
    return TableFile({"block": Table("block", axes, signals, conditions, {"delta": held_out})}, {"note": draw(TEXT)})


@settings(max_examples=25)
@given(files())
def test_what_is_saved_comes_back(file):
    with TemporaryDirectory() as folder:
        table.save(file, Path(folder) / "t.h5")
        back = table.load(Path(folder) / "t.h5")
    assert back.provenance == file.provenance
    ours, theirs = file["block"], back["block"]
    for kind in ("axes", "signals", "conditions"):
        left, right = getattr(ours, kind), getattr(theirs, kind)
        assert list(left) == list(right)  # the order of axes is that of the dimensions
        for name, quantity in left.items():
            assert right[name].unit == quantity.unit
            np.testing.assert_array_equal(right[name].values, quantity.values)
    left, right = ours.held_out["delta"], theirs.held_out["delta"]
    np.testing.assert_array_equal(right.spice, left.spice)
    np.testing.assert_array_equal(right.fit, left.fit)
    assert (right.unit, right.limit_rms, right.limit_max) == (left.unit, left.limit_rms, left.limit_max)
    for name, at in left.at.items():
        np.testing.assert_array_equal(right.at[name].values, at.values)


def test_every_dataset_says_what_it_is(path):
    with h5py.File(path) as file:
        units = {}
        file.visititems(
            lambda name, item: units.update({name: item.attrs["units"]}) if isinstance(item, h5py.Dataset) else None
        )
        assert len(units) > 30
        assert units["set/delta_g"] == units["set/held_out/delta_g/spice"] == "S"
        for name in ("read", "set", "reset"):
            group = hdf5.subgroup(file, name)
            signals, axes = hdf5.words(group, "signals"), hdf5.words(group, "axes")
            assert group.attrs["signal"] == signals[0]
            for signal in signals:
                scales = [dimension.keys() for dimension in hdf5.dataset(group, signal).dims]
                assert [list(keys) for keys in scales] == [[axis] for axis in axes]
                for k, axis in enumerate(axes):
                    np.testing.assert_array_equal(hdf5.dataset(group, signal).dims[k][0][()], hdf5.read(group, axis))
        held_out = hdf5.subgroup(file, "read/held_out/i_cell")
        assert hdf5.number(held_out, "rms") <= hdf5.number(held_out, "p95") <= hdf5.number(held_out, "max")
        assert held_out.attrs["passed"]


def test_missing_foreign_and_other_versions_are_refused(path, tmp_path):
    with pytest.raises(
        TableError,
        match=r"none\.h5: no such file; a table file is needed. Pass a file written by",
    ):
        table.load(tmp_path / "none.h5")
    with pytest.raises(TableError, match="not a file"):
        table.load(tmp_path)
    with pytest.raises(TableError, match=r"is a table file, not a run file\. Pass a file written by `rramkit train`"):
        record.load(path)
    with edited(path) as file:
        file.attrs["format_version"] = 4
    with pytest.raises(TableError, match="table format 4; this kit reads formats 1 to 3"):
        table.load(path)


@pytest.mark.parametrize("content", [b"", b"hello", bytes(range(256)) * 20])
def test_what_is_not_hdf5_is_refused_in_one_line(tmp_path, content):
    (tmp_path / "t.h5").write_bytes(content)
    with pytest.raises(TableError, match="cannot be read as a table file") as caught:
        table.load(tmp_path / "t.h5")
    assert "\n" not in str(caught.value)


def test_damaged_bytes_are_refused_or_change_nothing(path):
    whole, clean = path.read_bytes(), table.load(path)
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(TableError):
        table.load(path)
    chance, refused = random.Random(3), 0
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        try:
            found = table.load(path)
        except TableError as error:
            assert "\n" not in str(error)
            refused += 1
            continue
        for name, one in clean.tables.items():  # it was a bit that no value depends on
            for kind in ("axes", "signals", "conditions"):
                for key, quantity in getattr(one, kind).items():
                    np.testing.assert_array_equal(getattr(found[name], kind)[key].values, quantity.values)
    assert refused > 10


def _changed(file: TableFile, name: str, **changes) -> TableFile:
    return TableFile({**file.tables, name: replace(file[name], **changes)}, file.provenance)


_SHORT = {"g_start": Quantity(np.ones(3), "S")}


def _signal(values, unit="S"):
    return lambda one: {"signals": {**one.signals, "delta_g": Quantity(values(one.signals["delta_g"].values), unit)}}


def _at(values, where, bad):
    values = values.copy()
    values.flat[where] = bad
    return values


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (_signal(lambda v: _at(v, 0, np.nan)), "`set/delta_g` holds values that are not finite"),
        (_signal(lambda v: _at(v, 5, np.inf)), "`set/delta_g` holds values that are not finite"),
        (_signal(lambda v: v * 1e6, "uS"), "`set/delta_g` must be in S; got 'uS'"),
        (
            lambda one: {"axes": {**one.axes, "g_start": Quantity(one.axes["g_start"].values[::-1], "S")}},
            r"\(L,\) rising",
        ),
        (lambda one: {"conditions": {"v_step": Quantity(np.array(np.nan), "V")}}, "v_step` holds values that are not"),
        (lambda one: {"conditions": {"v_step": Quantity(np.ones(2), "V")}}, "must be one value"),
        (lambda one: {"signals": {**one.signals, "energy": Quantity(-one.signals["energy"].values, "J")}}, "below 0 J"),
        (
            lambda one: {"held_out": {"delta_g": replace(one.held_out["delta_g"], at=_SHORT)}},
            r"`set/held_out/delta_g/g_start` must be \(N,\), one value a held-out point",
        ),
        (
            lambda one: {"held_out": {"delta_g": replace(one.held_out["delta_g"], limit_max=np.nan)}},
            "limits of `set/held_out/delta_g` must be above 0",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_values_that_cannot_be_are_refused(tmp_path, change, complaint):
    file = checked_tables()
    with pytest.raises(TableError, match=complaint):
        table.save(_changed(file, "set", **change(file["set"])), tmp_path / "t.h5")


@pytest.mark.filterwarnings("ignore:operands:UserWarning")
def test_shapes_and_types_that_cannot_be_are_refused(path):
    whole = path.read_bytes()
    for value, complaint in ((np.zeros(3), r"must be \(18, 17\) as its axes; got \(3,\)"), ("text", "no real numbers")):
        path.write_bytes(whole)
        with edited(path) as file:
            del file["set/delta_g"]
            file["set/delta_g"] = value
            file["set/delta_g"].attrs["units"] = "S"
        with pytest.raises(TableError, match=complaint):
            table.load(path)


def test_what_a_table_lacks_is_named():
    file = checked_tables()
    with pytest.raises(TableError, match="no table `nosuch` \\(has: read, set, reset, wires\\)"):
        file["nosuch"]
    with pytest.raises(TableError, match="`set` lacks the condition `nosuch` \\(has: t_pulse, v_step\\)"):
        file["set"].condition("nosuch")
