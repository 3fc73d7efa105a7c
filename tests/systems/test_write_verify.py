"""Write-verify as published (Alibart et al. 2012): the kit's loop by settings, against the algorithm in volts."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.synthetic import G_HIGH, G_LOW, tables

from rramkit.array import UpdateParams, VerifyParams, WriteVerify
from rramkit.array.write.program import program_matrix
from rramkit.array.write.spread import SpreadParams
from rramkit.learning.exploration import Exploration
from rramkit.learning.rules.rram_rule import RramRule

PUBLISHED = {"window_of": "target", "start": "lowest", "step": 1, "turns_max": 100_000, "ends_max": 100_000}


def fine_steps(v_step=0.002):
    """Return made-up tables whose driver makes steps of 2 mV in both polarities."""
    file = tables(reset_v_step=v_step)
    step = replace(file["set"].conditions["v_step"], values=np.asarray(v_step))
    set_ = replace(file["set"], conditions={**file["set"].conditions, "v_step": step})
    return replace(file, tables={**file.tables, "set": set_})


def as_published(chain, g, target, *, tolerance, readings, most):
    """Write one cell as the algorithm is written down, with two ramps in volts; return conductance and pulses."""
    ramps = {side: chain.write(name).v_pulse for side, name in ((1, "set"), (-1, "reset"))}
    first, largest = ({side: v[end] for side, v in ramps.items()} for end in (0, -1))
    step = {side: v[1] - v[0] for side, v in ramps.items()}
    volts, good, pulses = dict(first), 0, 0
    while pulses < most:
        if target * (1.0 - tolerance) <= g <= target * (1.0 + tolerance):
            good += 1
            if good == readings:
                break
            continue
        good, side = 0, 1 if g < target else -1
        writer = chain.writer.set if side > 0 else chain.writer.reset
        g = float(writer.fire(np.array([g]), np.array([volts[side]])).g_cell[0])
        pulses += 1
        volts[side] = min(volts[side] + step[side], largest[side])
        volts[-side] = first[-side]  # on the other side the ramp starts anew
    return g, pulses


@pytest.mark.parametrize("confirm", [1, 3])
def test_the_loop_is_the_published_algorithm(confirm):
    params = VerifyParams.checked(
        {**PUBLISHED, "window": 0.05, "confirm": confirm, "pulses_max": 200}, where="the test"
    )
    loop = WriteVerify.from_tables(tables(), params)
    target = np.random.default_rng(1).uniform(1.3 * G_LOW, 0.95 * G_HIGH, (2, 5, 4))
    start = loop.chain.init(np.full(target.shape, G_LOW), rng=np.random.default_rng(0))
    done = loop.program(start, target, rng=np.random.default_rng(0))
    assert np.count_nonzero(done.side < 0) > 3  # both ramps were used
    for k, want in enumerate(target.ravel()):
        g, pulses = as_published(loop.chain, G_LOW, want, tolerance=0.05, readings=confirm, most=200)
        assert abs(done.cells.g_cell.ravel()[k] - g) < 1e-9 * want  # amplitudes by sums of steps: their rounding
        assert done.pulses[k] == pulses


def test_every_cell_reaches_one_percent_of_its_target():
    """With devices that differ by a tenth, and where pulses are of the table's mean."""
    params = VerifyParams.checked({**PUBLISHED, "window": 0.01, "confirm": 5, "pulses_max": 3000}, where="the test")
    spread = UpdateParams(spread=SpreadParams(sigma_gain=0.1, sigma_offset=0.005))
    loop = WriteVerify.from_tables(fine_steps(), params, spread)
    target = np.random.default_rng(1).uniform(1.5 * G_LOW, 0.95 * G_HIGH, (2, 8, 8))
    start = loop.chain.init(np.full(target.shape, G_LOW), rng=np.random.default_rng(0))
    done = loop.program(start, target, rng=np.random.default_rng(0))
    reached = np.abs(done.error) <= 0.01 * done.target
    assert np.mean(reached) > 0.97, np.mean(reached)  # a device whose gain is below a half ends short of the highest
    of_range = WriteVerify.from_tables(fine_steps(), params.model_copy(update={"window_of": "range"}), spread)
    other = of_range.program(start, target, rng=np.random.default_rng(0))
    low = done.target < 0.25 * G_HIGH
    assert np.any(np.abs(other.error)[low] > 0.01 * other.target[low])  # 1 % of the range is more than of these targets
    assert other.pulses.sum() < done.pulses.sum()


def test_what_a_relative_window_passes_counts_as_programmed():
    weight = np.linspace(-1.0, 1.0, 12).reshape(4, 3)
    params = VerifyParams.checked({**PUBLISHED, "window": 0.02, "pulses_max": 2000}, where="the test")
    loop = WriteVerify.from_tables(fine_steps(), params)
    done = program_matrix(weight, loop, rng=np.random.default_rng(0))
    inside = np.abs(done.cells.g_cell - done.g_target) <= 0.02 * done.g_target
    assert np.array_equal(done.converged, inside) and done.cost.missed == np.count_nonzero(~inside)


def test_the_example_has_the_published_settings():
    path = Path(__file__).resolve().parents[2] / "examples" / "systems" / "write_verify.toml"
    exploration = Exploration.from_toml(path)
    rule = exploration.experiment_at(exploration.default_point).rule
    assert isinstance(rule, RramRule)
    verify = rule.verify
    assert {name: getattr(verify, name) for name in PUBLISHED} == PUBLISHED and verify.window == 0.01
