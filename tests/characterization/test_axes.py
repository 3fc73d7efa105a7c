"""Axes, corners and draws of a plan: values, limits of what may be said, and that every number is drawn in Python."""

import numpy as np
import pytest
from fixtures.closeness import near
from hypothesis import given, settings
from hypothesis import strategies as st

from rramkit.characterization.engine.axes import Axis, latin_hypercube
from rramkit.characterization.engine.corners import NOMINAL, Condition, Corners, at_corner, at_temperature
from rramkit.characterization.engine.monte_carlo import DrawNumber, matched_normals, spread_of_devices
from rramkit.circuits.cell import CellParams, ReadSweepParams, WriteParams, write_staircase
from rramkit.circuits.device import Device
from rramkit.circuits.readout import ReadoutBenchParams
from rramkit.circuits.sense_amp import SenseAmpBenchParams
from rramkit.errors import InputError
from rramkit.parameters import is_whole_path, number_of_path, replace_path, unit_of_path


def axis(**given):
    return Axis.checked({"parameter": "x"} | given, where="the test")


def test_values_of_every_kind():
    np.testing.assert_array_equal(axis(kind="list", values=[1, 3, 4]).grid, [1, 3, 4])
    np.testing.assert_allclose(axis(first=1, last=2, points=5).grid, [1, 1.25, 1.5, 1.75, 2], rtol=1e-15)
    found = axis(kind="logarithmic", first=1e-4, last=0.1, points=4)
    np.testing.assert_allclose(found.grid, [1e-4, 1e-3, 1e-2, 1e-1], rtol=1e-12)
    assert (found.grid[0], found.grid[-1]) == (1e-4, 0.1)  # the ends to the last digit: fresh points lie within them
    assert found.is_ratio and not axis(first=1, last=2, points=5).is_ratio


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"kind": "list", "values": [2, 1]}, "rising"),
        ({"kind": "list", "values": [1, 2], "points": 3}, "give `values` alone"),
        ({"first": 2, "last": 1, "points": 3}, "`first` below `last`"),
        ({"first": 1, "last": 2}, "2 or more"),
        ({"kind": "logarithmic", "first": 0, "last": 2, "points": 3}, "above 0"),
        ({"kind": "spiral"}, "kind"),
        ({"first": 1, "last": 2, "points": 3, "step": 1}, "not a known key"),
    ],
)
def test_an_axis_that_says_nothing_clear_is_refused(wrong, complaint):
    with pytest.raises(InputError, match=complaint):
        axis(**wrong)


@given(st.integers(2, 40), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_a_latin_hypercube_has_one_sample_in_every_part_of_every_axis(samples, seed):
    axes = [axis(kind="latin", first=-1, last=3), axis(kind="latin", first=1e-3, last=10, ratio=True)]
    found = latin_hypercube(axes, samples, rng=np.random.default_rng(seed))
    parts = np.stack([(found[:, 0] + 1) / 4, np.log(found[:, 1] / 1e-3) / np.log(1e4)], axis=1)
    for column in parts.T:
        assert sorted((np.clip(column, 0, 1 - 1e-12) * samples).astype(int)) == list(range(samples))


def test_places_of_an_axis_without_a_between_are_its_own_values():
    found = axis(kind="list", values=[1, 2, 4], between=False).placed(np.linspace(0, 0.999, 30))
    assert set(found) == {1, 2, 4}


def test_corners_move_every_technology_amplifier_and_device():
    condition = Condition("ss", 0.9, 350.0)
    cell = at_corner(WriteParams(), condition).cell
    assert cell.technology.corner == "ss"
    assert cell.technology.v_core == near(0.9, 1e-12) and cell.technology.v_io == near(0.9 * 3.3, 1e-12)
    assert cell.device.values["t_amb"] == 350.0
    readout = at_corner(ReadoutBenchParams(), condition).readout
    assert readout.ota.v_dd == near(0.9 * 1.8, 1e-12) and readout.ota.technology.corner == "ss"
    vteam = WriteParams(cell=CellParams(device=Device(model="vteam")))  # a model without an ambient temperature
    assert at_corner(vteam, condition).cell.device == vteam.cell.device


def test_the_nominal_corner_changes_no_circuit():
    params = SenseAmpBenchParams()
    assert at_corner(params, NOMINAL) == params


def test_temperature_is_written_into_the_deck():
    text = at_temperature(write_staircase(WriteParams()), Condition(temperature=398.15)).text()
    assert " temp=125\n" in text


def test_corner_axes_are_the_lists():
    corners = Corners(process=("tt", "ss"), temperature=(250.0, 300.0, 350.0))
    assert [each.label for each in corners.axes] == ["corner", "temperature"]
    assert corners.condition({"corner": 1.0, "temperature": 275.0}) == Condition("ss", 1.0, 275.0)
    assert Corners().axes == ()


def test_a_dotted_parameter_is_replaced_with_all_checks():
    params = replace_path(SenseAmpBenchParams(), "latch.technology.v_core", 0.8)
    assert params.latch.technology.v_core == 0.8
    assert unit_of_path(params, "latch.w_input") == "m"
    assert is_whole_path(params, "decisions") and replace_path(params, "decisions", 4.0).decisions == 4
    assert number_of_path(ReadSweepParams(), "read.v_read") == 0.1
    for path, complaint in (("latch.width", "must name a parameter"), ("v_cm.x", "not a group")):
        with pytest.raises(InputError, match=complaint):
            replace_path(params, path, 1.0)
    with pytest.raises(InputError, match="v_cm"):
        replace_path(params, "v_cm", 50.0)
    with pytest.raises(InputError, match="must name a number"):
        number_of_path(WriteParams(), "polarity")


@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
@settings(max_examples=30)
def test_matched_normals_have_the_moments_of_endless_draws(size, seed):
    found = matched_normals(np.random.default_rng(seed), size + 6, size)
    # the turn is a solve of a covariance whose condition is below 1e4 here: 1e-16 of it
    np.testing.assert_allclose(np.mean(found, axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(np.cov(found.T).reshape(size, size), np.eye(size), rtol=0, atol=1e-9)


def test_the_sigma_of_a_linear_response_is_exact_with_few_matched_draws():
    weights = np.array([3.0, -2.0, 0.5, 1.0])
    draws = [DrawNumber(5, k, 12, matched=True).normals(4) @ weights for k in range(12)]
    assert np.std(draws, ddof=1) == near(np.linalg.norm(weights), 1e-9)
    plain = [DrawNumber(5, k, 12, matched=False).normals(4) @ weights for k in range(12)]
    assert abs(np.std(plain, ddof=1) / np.linalg.norm(weights) - 1) > 0.01


def test_too_few_draws_to_match_are_refused():
    with pytest.raises(InputError, match=r"monte_carlo.count"):
        matched_normals(np.random.default_rng(0), 5, 4)


def test_devices_are_spread_by_their_published_law():
    params = WriteParams(cell=CellParams(device=Device(model="jart")))
    first, again = (spread_of_devices(params, rng=DrawNumber(1, 3, 9, matched=False).rng) for _ in range(2))
    assert first == again and first.cell.device.overrides != params.cell.device.overrides
    with pytest.raises(InputError, match="published spread"):
        spread_of_devices(WriteParams(), rng=np.random.default_rng(0))
