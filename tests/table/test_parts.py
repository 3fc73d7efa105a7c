"""Format version 2: every part comes back, what cannot be is refused, version 1 is still read."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.edited import edited
from fixtures.synthetic_run import checked_tables
from fixtures.synthetic_tables import cornered_table, full_file, full_table

from rramkit import hdf5, table
from rramkit.errors import TableError
from rramkit.table import Distribution, Mask, Quantity, TableFile

VERSION_1 = Path(__file__).parents[1] / "data" / "tables_version_1.h5"


@pytest.fixture
def path(tmp_path):
    table.save(full_file(), tmp_path / "t.h5")
    return tmp_path / "t.h5"


def test_every_part_comes_back(path):
    ours, theirs = full_table(), table.load(path)["set"]
    np.testing.assert_array_equal(theirs.signals["delta_g"].values, ours.signals["delta_g"].values)  # NaN among them
    np.testing.assert_array_equal(theirs.masks["delta_g"].codes, ours.masks["delta_g"].codes)
    assert theirs.masks["delta_g"].reasons == ("no convergence", "crash")
    assert theirs.masks["delta_g"].counts() == {"no convergence": 1, "crash": 1}
    left, right = ours.distributions["cycles"], theirs.distributions["cycles"]
    for part in ("levels", "quantiles", "sigma"):
        np.testing.assert_array_equal(getattr(left, part), getattr(right, part))
    assert (right.signal, right.over, right.draws) == ("delta_g", "cycles", 40)
    left, right = ours.fits["soft_bounds"], theirs.fits["soft_bounds"]
    assert (left.equation, left.signal, left.residual, left.axes) == (
        right.equation,
        right.signal,
        right.residual,
        right.axes,
    )
    assert list(left.parameters) == list(right.parameters)
    for name, quantity in left.parameters.items():
        assert right.parameters[name].unit == quantity.unit
        np.testing.assert_array_equal(right.parameters[name].values, quantity.values)
        np.testing.assert_array_equal(right.errors[name], left.errors[name])
    assert theirs.step_error == ours.step_error
    assert theirs.valid == ours.valid
    assert theirs.held_out["energy"].limit_p95 == ours.held_out["energy"].limit_p95


def test_an_axis_of_labels_comes_back_and_gives_one_table_for_each(path):
    cornered = table.load(path)["strongarm"]
    assert cornered.axes["corner"].labels == ("tt", "ff", "ss")
    slow = cornered.along("corner", "ss")
    assert list(slow.axes) == ["temperature", "v_diff"]
    np.testing.assert_array_equal(slow.signals["t_decide"].values, cornered_table().signals["t_decide"].values[2])
    warm = slow.along("temperature", 358.0)
    np.testing.assert_array_equal(warm.signals["t_decide"].values, slow.signals["t_decide"].values[2])
    with pytest.raises(TableError, match="does not hold 'sf' \\(holds: tt, ff, ss\\)"):
        cornered.along("corner", "sf")
    with pytest.raises(TableError, match="has no axis `supply`"):
        cornered.along("supply", 1.0)


def test_a_table_along_one_value_keeps_its_own_held_out_points_and_masks():
    full = full_table()
    v = full.axes["v_pulse"].values[8]
    points = full.held_out["delta_g"]
    moved = np.where(np.arange(30) < 7, v, points.at["v_pulse"].values)
    full = replace(full, held_out={"delta_g": replace(points, at={**points.at, "v_pulse": Quantity(moved, "V")})})
    one = full.along("v_pulse", float(v))
    assert one.shape == (18,)
    assert one.held_out["delta_g"].spice.size == 7
    assert list(one.held_out["delta_g"].at) == ["g_start"]
    assert np.flatnonzero(one.masked("delta_g")).tolist() == [9]
    assert one.distributions["cycles"].quantiles.shape == (18, full.distributions["cycles"].levels.size)
    soft_bounds = one.fits["soft_bounds"]
    assert soft_bounds.axes == ()
    assert float(soft_bounds.parameters["rate"]) == full.fits["soft_bounds"].parameters["rate"].values[8]


def test_a_held_out_p95_has_a_limit_of_its_own():
    points = checked_tables()["set"].held_out["delta_g"]
    assert points.passed
    assert not replace(points, limit_p95=0.5 * points.p95).passed


def test_a_file_of_version_1_is_read():
    old = table.load(VERSION_1)
    assert sorted(old.tables) == ["read", "reset", "set", "wires"]
    assert old["set"].step_error == {"delta_g": 2.5e-8}
    assert "time_step_error" not in old["set"].conditions
    assert old.provenance["plan"] == '{"name": "made up"}'
    grid = checked_tables()["reset"].signals["delta_g"].values
    np.testing.assert_array_equal(old["reset"].signals["delta_g"].values, grid[np.ix_([0, 8, 17], [0, 11, 22])])
    assert old["read"].held_out["i_cell"].spice.size == 4


FULL = full_table()
CYCLES, SOFT = FULL.distributions["cycles"], FULL.fits["soft_bounds"]
CODES = FULL.masks["delta_g"].codes


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"masks": {}}, "`set/delta_g` holds values that are not finite"),
        ({"masks": {"delta_g": Mask(CODES[1:], ("a", "b"))}}, "`set/mask/delta_g` must be"),
        ({"masks": {"delta_g": Mask(CODES, ("a",))}}, "the number of one of its 1 reasons"),
        ({"masks": {**FULL.masks, "other": Mask(CODES, ("a", "b"))}}, "masks a signal that the table does not have"),
        ({"valid": {"v_pulse": (0.1, 1.0)}}, "valid range of axis `set/v_pulse`"),
        ({"distributions": {"c": replace(CYCLES, quantiles=-CYCLES.quantiles)}}, "must not fall along the levels"),
        ({"distributions": {"c": replace(CYCLES, sigma=-CYCLES.sigma)}}, "sigma` must be finite and not below 0"),
        ({"distributions": {"c": replace(CYCLES, levels=CYCLES.levels * 2)}}, "rising values within 0 to 1"),
        ({"distributions": {"c": replace(CYCLES, sigma=np.zeros(3))}}, "sigma` must be \\(18, 17\\)"),
        ({"fits": {"f": replace(SOFT, axes=("g_start",))}}, "`set/fits/f/rate` must be \\(18,\\)"),
        ({"fits": {"f": replace(SOFT, residual=np.nan)}}, "residual of `set/fits/f`"),
        ({"fits": {"f": replace(SOFT, axes=("nosuch",), parameters={})}}, "axes that the table does not have"),
        (
            {"axes": {**FULL.axes, "v_pulse": replace(FULL.axes["v_pulse"], labels=("a", "b"))}},
            "a label for each of its 17 values",
        ),
    ],
)
def test_parts_that_cannot_be_are_refused(tmp_path, changes, complaint):
    with pytest.raises(TableError, match=complaint):
        table.save(TableFile({"set": replace(FULL, **changes)}, {}), tmp_path / "t.h5")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("place", "complaint"),
    [
        ("set/energy", "`set/energy` holds values that are not finite"),
        ("set/distribution/cycles/sigma", "sigma` must be finite"),
        ("set/held_out/energy/fit", "`set/held_out/energy/fit` holds values that are not finite"),
    ],
)
def test_the_reader_refuses_them_too(path, place, complaint):
    with edited(path) as file:
        hdf5.dataset(file, place)[0] = np.nan
    with pytest.raises(TableError, match=complaint):
        table.load(path)


def test_an_unknown_kind_of_distribution_is_refused(path):
    with edited(path) as file:
        file["set/distribution/cycles"].attrs["over"] = "moons"
    with pytest.raises(TableError, match="`over` is 'moons', not one of cycles, devices, all"):
        table.load(path)


def test_quantiles_and_sigma_of_draws():
    draws = np.array([[3.0, 1.0, 2.0], [5.0, 5.0, 5.0]])
    found = Distribution.of_draws(draws, signal="y", over="devices", levels=np.array([0.0, 0.5, 1.0]))
    np.testing.assert_allclose(found.quantiles, [[1, 2, 3], [5, 5, 5]], rtol=1e-15, atol=0)
    np.testing.assert_allclose(found.sigma, [1, 0], rtol=1e-15, atol=0)
    assert found.draws == 3
