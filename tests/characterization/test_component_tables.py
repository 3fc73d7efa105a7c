"""Tables of a block plan from made-up runs: every number in its place, failures masked, draws summed up, limits."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.design import component_plan
from rramkit.characterization.engine.point import Outcome
from rramkit.characterization.engine.tables import component_tables
from rramkit.characterization.limits import broken
from rramkit.errors import SimulationError
from rramkit.surrogate.look_up import look_up

PLAN = {
    "name": "sense",
    "block": "sense_amp",
    "measures": ["t_decide", "energy", "tau_regeneration"],
    "axes": [
        {"parameter": "v_cm", "kind": "list", "values": [0.5, 0.6, 0.7]},
        {"parameter": "overdrive", "kind": "logarithmic", "first": 1e-4, "last": 1e-1, "points": 4},
    ],
    "corners": {"process": ["ss", "tt"], "temperature": [250, 300, 350]},
    "fit": {"t_decide": {"log": True}},
    "held_out": {"runs": 5, "steps": 3},
    "limits": {"t_decide": {"of": "value", "held_out_rms": 0.02, "held_out_max": 0.05}},
    "step_runs": 2,
}


def closed_form(case):
    """The made-up latch: its measures in closed form of everything that a plan can move."""
    params, overdrive, draw = case.resolved()
    slow = 2.0 if case.condition.process == "ss" else 1.0
    tau = 1e-11 * slow * params.v_cm * case.condition.temperature / 300 * (1 + 1e-4 * params.t_step / 1e-12)
    t_decide = tau * (3 - np.log(overdrive))
    shift = 0.0 if draw.dv_threshold is None else draw.dv_threshold[1]
    return {"t_decide": t_decide, "energy": 1e-14 + 1e-3 * t_decide + 1e-12 * shift, "tau_regeneration": tau}


@dataclass
class MadeUp:
    """A bench that answers from the closed form; `fails` says which runs it does not answer."""

    max_failed: float = 0.0
    fails: Callable = lambda case: False
    stages: list = field(default_factory=list)

    def together(self, stages):
        self.stages += stages
        return {stage: [self.answer(point) for point in points] for stage, points in stages.items()}

    def answer(self, point):
        case, signals = point.measure.keywords["case"], point.measure.keywords["signals"]
        if self.fails(case):
            return Outcome(None, "convergence", "made up")
        found = closed_form(case)
        return Outcome(np.concatenate([np.atleast_1d(found[name]) for name in signals]))


def plan(**given):
    return component_plan(PLAN | given, where="the test")


def made(bench=None, **given):
    return component_tables(bench or MadeUp(), plan(**given))  # pyright: ignore[reportArgumentType]


def test_every_number_stands_in_its_place():
    tables = made()
    table = tables["sense"]
    assert list(table.axes) == ["v_cm", "overdrive", "corner", "temperature"]
    assert table.axes["corner"].labels == ("ss", "tt") and table.axes["overdrive"].log
    for place, found in np.ndenumerate(table.signals["t_decide"].values):  # the slow obvious loop
        v_cm, overdrive, _, temperature = (axis.values[k] for axis, k in zip(table.axes.values(), place, strict=True))
        slow = (2.0, 1.0)[place[2]]
        tau = 1e-11 * slow * v_cm * temperature / 300 * (1 + 2e-4 * 0.5)
        assert found == near(tau * (3 - np.log(overdrive)), 1e-9)
    summary = tables["sense_summary"]
    assert list(summary.axes) == ["v_cm", "corner", "temperature"]
    assert summary.signals["tau_regeneration"].values[1, 0, 2] == near(1e-11 * 2 * 0.6 * 350 / 300, 2e-4)
    assert table.signals["t_decide"].log and table.conditions["t_clock"].unit == "s"


def test_the_step_error_is_that_of_half_the_step():
    table = made()["sense"]
    # the made-up latch is off by 1e-4 of its value for each picosecond: half of it goes with half the step
    largest = np.max(table.signals["t_decide"].values)
    assert 0 < table.step_error["t_decide"] <= 0.51e-4 * largest
    with pytest.raises(SimulationError, match=r"halving `t_step` changes `t_decide` .* Make `t_step` smaller"):
        made(max_step_error=1e-6)


def test_fresh_points_are_held_against_the_fit_and_never_those_of_the_grid():
    table = made()["sense"]
    held = table.held_out["t_decide"]
    assert held.spice.size == 15 and set(held.at) == {"v_cm", "overdrive", "corner", "temperature"}
    assert held.passed and 0 < held.rms
    assert not set(held.at["overdrive"].values) & set(table.axes["overdrive"].values)
    ratio = table.held_out["t_decide_ratio"]
    np.testing.assert_allclose(ratio.fit, held.fit / held.spice, rtol=1e-12)
    assert (ratio.limit_rms, ratio.limit_max) == (0.02, 0.05)


def test_a_failed_run_is_masked_with_its_reason_and_not_interpolated():
    bench = MadeUp(fails=lambda case: case.condition.process == "ss" and dict(case.at)["v_cm"] == 0.7)
    table = made(bench)["sense"]
    mask = table.masks["t_decide"]
    assert mask.reasons == ("convergence",)
    assert np.all(mask.bad[2, :, 0, :]) and np.count_nonzero(mask.bad) == 4 * 3
    assert np.all(np.isnan(table.signals["t_decide"].values[mask.bad]))
    assert all(table.held_out["t_decide"].at["corner"].values == 1)  # fresh runs beside failed ones are left out


def test_draws_are_summed_up():
    monte_carlo = {"count": 40, "seed": 3, "quantiles": [0.1, 0.5, 0.9]}
    limits = {"energy": {"sigma_rms": 0.3, "sigma_max": 0.5}}
    table = made(monte_carlo=monte_carlo, limits=limits, measures=["energy"], fit={})["sense"]
    found = table.distributions["energy"]
    sigma = 1e-12 * 2.5e-9 / np.sqrt(2 * 4e-6 * 50e-9)  # Pelgrom, of one input transistor
    np.testing.assert_allclose(found.sigma, sigma, rtol=1e-6)  # matched draws: exact for what is linear
    assert found.draws == 40 and found.quantiles.shape == (*table.shape, 3)
    held = table.held_out["energy_sigma"]
    assert held.passed and held.rms > 0  # independent draws know it to a ninth


def test_the_regeneration_constant_is_recovered_at_every_corner():
    table = made()["sense"]
    fit = table.fits["regeneration"]
    assert fit.axes == ("v_cm", "corner", "temperature")
    tau, t_0 = fit.parameters["tau"].values, fit.parameters["t_0"].values
    exact = 1e-11 * 2.0 * 0.6 * 350 / 300 * (1 + 1e-4)  # v_cm 0.6 V, ss, 350 K; the time step's part
    assert tau[1, 0, 2] == near(exact, 1e-6)
    assert t_0[1, 0, 2] == near(3 * exact, 1e-6)


def test_limits_tell_what_lies_outside_and_where():
    limits = {"energy": {"min": 1e-14, "max": 1.02e-14}, "tau_regeneration": {"max": 1e-9}}
    chosen = plan(limits=limits)
    lines = broken(chosen, component_tables(MadeUp(), chosen))  # pyright: ignore[reportArgumentType]
    assert len(lines) == 1
    assert "`sense.energy` is" in lines[0] and "corner = ss" in lines[0] and "max 1.02e-14 J" in lines[0]


def test_scattered_points_are_looked_up_like_a_grid():
    axes = [
        {"parameter": "v_cm", "kind": "latin", "first": 0.5, "last": 0.8},
        {"parameter": "overdrive", "kind": "latin", "first": 1e-4, "last": 1e-1, "ratio": True},
        {"parameter": "temperature", "kind": "latin", "first": 250, "last": 350},
    ]
    table = made(axes=axes, samples=60, corners={}, measures=["t_decide"])["sense"]
    assert list(table.axes) == ["sample"] and list(table.signals) == ["v_cm", "overdrive", "temperature", "t_decide"]
    at = {"v_cm": 0.63, "overdrive": 2e-3, "temperature": 310.0}
    exact = 1e-11 * 0.63 * 310 / 300 * (3 - np.log(2e-3))
    assert look_up(table, "t_decide", at) == near(exact, 5e-3)
    assert table.held_out["t_decide"].passed
