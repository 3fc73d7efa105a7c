"""Write-verify closed in the circuit: it stops in the read that finds the cell at its target."""

import numpy as np
import pytest

from rramkit.circuits.write_verify import WriteVerifyParams, write_verify


@pytest.mark.parametrize("g_target", [40e-6, pytest.param(15e-6, marks=pytest.mark.long)])
def test_write_verify_stops_at_its_target(pool, g_target):
    check_verify(pool, WriteVerifyParams(state=0.55, g_target=g_target, pulses=4), rising=True)


@pytest.mark.long
@pytest.mark.parametrize("g_target", [30e-6, 50e-6])
def test_write_verify_in_reset(pool, g_target):
    check_verify(pool, WriteVerifyParams(polarity="reset", state=0.95, g_target=g_target, pulses=8), rising=False)


def check_verify(pool, params, *, rising):
    waves = pool.run(write_verify(params).text())
    t_done = waves.measures["t_done"]
    reads = [k for k in range(params.pulses + 1) if params.strobe(k)[0] < t_done < params.strobe(k)[1] + 1e-9]
    assert len(reads) == 1  # the latch moves in a strobe and at no other time
    stop = reads[0]
    assert 0 < stop < params.pulses  # a loop that never or always stops would pass otherwise
    divider = np.array([waves.measures[f"v_divider_{k}"] for k in range(params.pulses + 1)])
    g = (2 * params.driver.v_read - divider) / divider * params.g_target
    beyond = g > params.g_target if rising else g < params.g_target
    # The comparator's own systematic offset may be mistaken by 2 mV of 100 mV: 4 % of the target.
    slack = 0.04 * params.g_target
    assert np.all(beyond[stop:] | (abs(g[stop:] - params.g_target) < slack))
    assert not np.any(beyond[:stop] & (abs(g[:stop] - params.g_target) > slack))
    state = np.interp([params.read_interval(stop)[1], params.t_stop], waves["time"], waves["state"])
    assert abs(state[1] - state[0]) < 1e-6  # and no pulse comes after
