"""Tables at one operating condition: as a look-up in the whole table; masks, distributions and held-out points."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rramkit import table
from rramkit.errors import TableError
from rramkit.surrogate.grid import exact_pchip
from rramkit.table import Quantity, TableFile

FILE = table.load(Path(__file__).resolve().parents[1] / "data" / "tables_version_2.h5")


def test_a_value_between_temperatures_is_that_of_the_tensor_pchip():
    whole, cut = FILE["row_driver"], FILE.at(corner="ss", temperature=330.0)["row_driver"]
    slow = whole.along("corner", "ss")
    knots = [axis.values for axis in slow.axes.values()]
    at = [np.array([0.3, 2.2]), np.array([7e-6]), np.array([330.0])]
    expected = exact_pchip(slow.signals["v_row"].values, knots, at)[..., 0]
    found = exact_pchip(cut.signals["v_row"].values, [axis.values for axis in cut.axes.values()], at[:2])
    np.testing.assert_allclose(found, expected, rtol=1e-13)  # the same polynomial, summed in another order
    assert list(cut.axes) == ["code", "g_cell"]
    assert cut.condition("temperature") == 330.0


def test_a_logarithmic_signal_is_interpolated_in_its_logarithm():
    whole, cut = FILE["sense_amp"], FILE.at(corner="ff", temperature=325.0)["sense_amp"]
    ff = whole.along("corner", "ff").signals["t_decide"].values
    values = exact_pchip(
        np.log(ff), [np.arange(3.0), np.array([250.0, 300.15, 350.0])], [np.arange(3.0), np.array([325.0])]
    )
    np.testing.assert_allclose(cut.signals["t_decide"].values, np.exp(values[:, 0]), rtol=1e-12)
    assert cut.signals["t_decide"].log


def test_a_value_of_the_axis_is_taken_as_it_is():
    cut = FILE.at(corner="tt", temperature=350.0)["row_driver"]
    expected = FILE["row_driver"].sel(corner="tt", temperature=350.0)
    np.testing.assert_array_equal(cut.signals["v_row"].values, expected.signals["v_row"].values)


def test_failed_points_stay_failed_where_they_shape_the_curve():
    slow = FILE.at(corner="ss", temperature=340.0)["sense_amp"]
    assert slow.masked("t_decide").tolist() == [True, False, False]
    assert np.isnan(slow.signals["t_decide"].values[0])
    assert slow.masks["t_decide"].reasons == ("no convergence",)
    assert not np.any(FILE.at(corner="ss", temperature=250.0)["sense_amp"].masked("t_decide"))
    assert not np.any(FILE.at(corner="tt", temperature=340.0)["sense_amp"].masked("t_decide"))


def test_distributions_keep_their_quantiles_about_the_signal():
    whole = FILE["sense_amp_offset"].along("corner", "ff")
    cut = FILE.at(corner="ff", temperature=275.075)["sense_amp_offset"]  # the middle between two temperatures
    widths = whole.distributions["offset"].quantiles - whole.signals["offset"].values[:, None]
    expected = cut.signals["offset"].values + (widths[0] + widths[1]) / 2
    np.testing.assert_allclose(cut.distributions["offset"].quantiles, expected, rtol=0, atol=1e-15)  # V
    np.testing.assert_allclose(
        cut.distributions["offset"].sigma, whole.distributions["offset"].sigma[:2].mean(), rtol=1e-12
    )


def test_held_out_points_of_the_corner_stay_with_their_own_temperature():
    points = FILE.at(corner="ss", temperature=330.0)["row_driver"].held_out["v_row"]
    assert points.spice.tolist() == [0.15, 0.05]
    assert points.at["temperature"].values.tolist() == [330.0, 350.0]
    assert "corner" not in points.at


def test_what_was_not_asked_for_is_nominal():
    nominal = FILE.nominal()
    assert nominal["row_driver"].condition("temperature") == 300.15
    np.testing.assert_array_equal(
        nominal["row_driver"].signals["v_row"].values,
        FILE["row_driver"].sel(corner="tt", temperature=300.15).signals["v_row"].values,
    )
    assert nominal["disturb"].signals["disturb_row"].values == 1e-4  # no tt: the first, ff
    assert (nominal.provenance["corner"], nominal.provenance["temperature"]) == ("nominal", "nominal")
    assert "read" in nominal.provenance["one_condition"].split(", ")
    assert nominal["read"] is FILE["read"]


def test_a_nominal_temperature_outside_the_axis_is_its_nearest_end():
    cold = replace(FILE["row_driver"], valid={"temperature": (250.0, 290.0)})
    assert TableFile({"row_driver": cold}, {}).nominal()["row_driver"].condition("temperature") == 290.0


def test_a_file_without_conditions_is_nominal_as_it_is():
    single = TableFile({name: FILE[name] for name in ("read", "set", "reset", "wires")}, {})
    assert single.nominal() is single


def test_what_does_not_reach_the_condition_is_left_out_and_says_why():
    cut = FILE.at(corner="tt")
    assert "disturb" not in list(cut)
    assert "disturb" in cut  # the file characterises it, elsewhere
    with pytest.raises(TableError, match=r"table `disturb` has the corners ff, ss; got 'tt'\. Pass one"):
        cut["disturb"]


@pytest.mark.parametrize(
    ("condition", "complaint"),
    [
        ({"corner": "sss"}, r"has the corners .*; got 'sss'\. Pass one of them"),
        ({"temperature": 400.0}, r"`temperature` must lie within 250 to 350 K, the range of table .*; got 400\."),
        ({"supply": 0.9}, r"no table of the file has the axis `supply`\. Characterise"),
    ],
)
def test_a_condition_that_no_table_reaches_is_refused(condition, complaint):
    with pytest.raises(TableError, match=complaint) as caught:
        FILE.at(**condition)
    assert "\n" not in str(caught.value)


def test_a_condition_can_be_saved(tmp_path):
    table.save(FILE.at(corner="ss", temperature=330.0), tmp_path / "t.h5")
    again = table.load(tmp_path / "t.h5")
    assert (again.provenance["corner"], again.provenance["temperature"]) == ("ss", "330 K")
    assert isinstance(again["row_driver"].signals["v_row"], Quantity)
