"""Held-out evidence: points that the fit has not seen, limits that stand, seeds that draw, energies of the sources."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.cell import pulse_energies, row_pulses
from rramkit.characterization.components.wires import array_inputs
from rramkit.characterization.engine.held_out import compare, request
from rramkit.characterization.engine.monte_carlo import DrawNumber, MonteCarlo
from rramkit.characterization.engine.results import GridPointResult, cases_of, fresh_cases
from rramkit.characterization.plan import Plan
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.cell import LINES, WriteParams
from rramkit.table import Quantity, Table

PLANS = {plan.name: plan for plan in Plan().expanded()}
OF_AXES = ("read", "set", "reset")


def coordinates(plan, fresh):
    """Return the coordinates (N,) of fresh points by axis, steps of runs among them."""
    found = {axis.label: [] for axis in plan.all_axes}
    for place, _ in fresh.work:
        for label, value in place.at.items():
            found[label].append(value)
        if plan.step_axis is not None:
            found[plan.step_axis.label] += place.steps
    return {label: np.array(values) for label, values in found.items()}


@pytest.mark.parametrize("name", OF_AXES)
def test_held_out_points_lie_between_those_of_the_fit(name):
    plan = PLANS[name]
    at = coordinates(plan, request(plan, seed=plan.seed, runs=60))
    for axis in plan.all_axes:
        grid, values = axis.grid, at[axis.label]
        assert np.all((values >= grid[0]) & (values <= grid[-1]))
        distance = np.min(np.abs(values[:, None] - grid), axis=1)
        half = np.diff(grid).max() / 2
        # Points drawn evenly are within a fiftieth of the half interval of a grid point in 2 % of all cases, or, in the
        # narrow intervals of an uneven grid, in some 10 %: never half of them.
        assert np.mean(distance > half / 50) > 0.6, axis.label
        assert np.ptp(values) > 0.8 * (grid[-1] - grid[0])  # over the whole range: 60 draws leave 5 % at an end


@pytest.mark.parametrize("name", OF_AXES)
def test_another_seed_draws_other_points_and_the_same_seed_the_same(name):
    plan = PLANS[name]
    first, again, other = (coordinates(plan, request(plan, seed=seed, runs=8)) for seed in (3, 3, 4))
    for label, values in first.items():
        np.testing.assert_array_equal(values, again[label])
        assert np.all(values != other[label])


def test_arrays_that_check_the_wires_are_others_than_those_of_the_fit():
    params = Plan().wire_params()
    (seen, held), (other, _) = array_inputs(params, 1), array_inputs(params, 2)
    assert len(held) == 2 * (params.held_out_arrays + 1)
    for each in held:
        assert all(each.g_cell.shape != one.g_cell.shape or np.all(each.g_cell != one.g_cell) for one in seen)
    assert held[-1].g_cell.shape == (params.rows_max, params.cols_max)
    assert np.all(seen[0].g_cell != other[0].g_cell)
    np.testing.assert_array_equal(seen[0].g_cell, array_inputs(params, 1)[0][0].g_cell)


# Limits ---------------------------------------------------------------------------------------------------------------

LIMITS = {  # fractions of full scale, rms and largest: as docs/characterize.md states them
    ("read", "i_cell"): (5e-4, 2e-3),
    ("set", "delta_g"): (2e-3, 0.01),
    ("reset", "delta_g"): (2e-3, 0.01),
    ("set", "energy"): (2e-3, 0.01),
    ("reset", "energy"): (2e-3, 0.01),
}


@pytest.mark.parametrize(("name", "signal"), LIMITS)
def test_an_error_beyond_the_limit_fails_and_one_within_it_passes(name, signal):
    """Made-up SPICE values around a table of one value: the error over full scale is known."""
    plan, (rms, most) = PLANS[name], LIMITS[name, signal]
    scale = (
        80e-6 - 4e-6 if signal == "delta_g" else 3.0
    )  # a change is held over the window, else over the largest value
    table = flat_table(plan, 3.0)
    for error, passes in ((0.95 * rms, True), (1.05 * rms, False)):
        assert held(plan, table, signal, error * scale * np.array([1.0, -1.0] * 50)).passed == passes
    lone = np.zeros(100)
    lone[7] = most * scale
    limits = held(plan, table, signal, lone)
    assert limits.limit_max == near(most * scale, 1e-9) and limits.limit_rms == near(rms * scale, 1e-9)
    assert held(plan, table, signal, 0.95 * lone).passed == (0.95 * most / 10 < rms)
    assert not held(plan, table, signal, 1.05 * lone).passed


def flat_table(plan, value):
    axes = {axis.label: Quantity(axis.grid, "1") for axis in plan.all_axes}
    shape = tuple(axis.values.size for axis in axes.values())
    signals = {n: Quantity(np.full(shape, value), s.unit) for n, s in plan.component.signals.items()}
    signals |= {n: Quantity(np.full(shape, value), s.unit) for n, s in plan.component.summary.items() if n not in axes}
    return Table(plan.name, axes, signals)


def held(plan, table, signal, errors):
    """Return the check of 100 fresh points, one a run, whose SPICE values are off by `errors` (100,)."""
    places = [place for place, _ in request(plan, seed=1, runs=100).work]
    step = plan.step_axis
    places = [replace(p, steps=p.steps[:1]) if step is not None else p for p in places]
    by_step = signal in plan.component.signals
    results = [
        GridPointResult(
            place,
            (),
            {signal: np.full((1, 1), 3.0 + error) if by_step else np.array([3.0 + error])},
            ("",),
        )
        for place, error in zip(places, errors, strict=True)
    ]
    asked = replace(request(plan, seed=1, runs=1), signals=(signal,))
    return compare(plan, {plan.name: table}, asked, results)[plan.name][signal]


# Seeds of draws -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("matched", [True, False])
def test_draws_follow_their_seed_and_number(matched):
    def normals(seed, number):
        return DrawNumber(seed, number, 20, matched).normals(4)

    np.testing.assert_array_equal(normals(3, 1), normals(3, 1))
    assert np.all(normals(3, 1) != normals(4, 1))
    assert np.all(normals(3, 1) != normals(3, 2))
    own = DrawNumber(3, 1, 20, matched).rng.normal(size=4)
    assert np.all(own != DrawNumber(4, 1, 20, matched).rng.normal(size=4))
    assert np.all(own != DrawNumber(3, 2, 20, matched).rng.normal(size=4))


def test_the_draws_that_check_a_spread_are_others_than_those_of_the_table():
    plan = PLANS["read"].model_copy(update={"monte_carlo": MonteCarlo(count=6, seed=5)})
    place = request(plan, seed=1, runs=1).work[0][0]
    own, fresh = cases_of(plan, place), fresh_cases(plan, place, seed=77)
    draws, others = ([each.draw for each in cases if each.draw is not None] for cases in (own, fresh))
    assert len(draws) == len(others) == 6
    numbers = {(each.seed, each.number) for each in draws}
    assert numbers == {(5, k) for k in range(6)}
    assert not numbers & {(each.seed, each.number) for each in others}
    assert not any(each.matched for each in others)


# Energies of the sources ----------------------------------------------------------------------------------------------


def test_the_energy_of_a_pulse_is_the_integral_of_what_its_three_sources_give():
    """Constant currents and voltages: i v t by hand, every line with a share of its own."""
    time, cells = np.linspace(0.0, 80e-9, 33), 2
    vectors = {"time": time}
    for k in range(cells):
        vectors[f"state_{k}"] = np.linspace(0.1, 0.2 + k, time.size)
        for number, line in enumerate(LINES):
            vectors[f"v_{line}_{k}"] = np.full(time.size, 1.0 + number)
            vectors[f"i_{line}_{k}"] = np.full(time.size, -1e-6 * (1 + number) * (1 + k))  # out of the source
    found = row_pulses(Waveforms("tran", vectors, {}), cells)
    by_hand = sum((1.0 + number) * 1e-6 * (1 + number) for number in range(len(LINES))) * 80e-9
    assert len(LINES) == 3
    assert found[0, 1] == near(by_hand, 1e-12) and found[1, 1] == near(2 * by_hand, 1e-12)  # rounding of 33 sums
    assert found[:, 0] == near(np.array([0.2, 1.2]), 1e-12)


def test_the_energy_of_each_pulse_of_a_staircase_is_that_of_its_own_window():
    params = WriteParams(pulses=2)
    windows = [params.write_window(index) for index in range(2)]
    end = params.t_read_at(2) + 10e-9
    time = np.unique(np.concatenate([np.linspace(0.0, end, 4001), *windows]))
    power = np.where(time < windows[0][1], 1.0, 3.0)  # uW in the first pulse, and in the second
    vectors = {"time": time}
    for line in LINES:
        vectors[f"v_{line}"] = np.full(time.size, 1.0)
        vectors[f"i_{line}"] = -1e-6 * power / len(LINES)
    found = pulse_energies(Waveforms("tran", vectors, {}), params)
    seconds = windows[0][1] - windows[0][0]
    # The step between the two lies at a window's end, where a grid interval is interpolated: 1e-3 of the window.
    assert found == near(np.array([1e-6, 3e-6]) * seconds, 5e-3)
