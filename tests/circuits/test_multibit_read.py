"""The multi-bit read from end to end: conductance in, code out."""

import numpy as np
import pytest

from rramkit.characterization.components.adc import codes, quantised, transitions
from rramkit.circuits.adc import AdcParams, AdcTrainParams, transition_train
from rramkit.circuits.multibit_read import MultibitReadParams, multibit_train
from rramkit.errors import InputError


def test_conductances_come_out_as_codes(pool):
    timing = AdcTrainParams(sar=AdcParams(bits=4), t_sample=15e-9)
    params = MultibitReadParams(converter=timing)
    fast = AdcTrainParams(sar=timing.sar)  # the levels settle in 2 ns: no readout before them
    edges = transitions(pool.run(transition_train(fast).text()), fast)
    # Codes 5 to 13, each aimed at from the middle of its step by hand: i = (v_out - v_clamp)/r_feedback, g = i/v_read.
    at = np.array([5, 8, 11, 13])
    v_out = (edges[at - 1] + edges[at]) / 2
    g = (v_out - params.readout.v_clamp) / params.readout.r_feedback / params.v_read
    waves = pool.run(multibit_train(params, g).text())
    np.testing.assert_array_equal(codes(waves, timing, at.size), at)
    sampled = [k * timing.t_slot + timing.t_sample for k in range(at.size)]
    found = np.interp(sampled, waves["time"], waves["v_tia"])
    # A tenth of a step of 4 bit: the clamp's error of 1 mV, and what 15 ns leave of the settling.
    np.testing.assert_allclose(found, v_out, rtol=0, atol=0.1 / 16)
    np.testing.assert_array_equal(quantised(found, edges), at)


def test_no_conductance_is_refused():
    with pytest.raises(InputError, match="conductances"):
        multibit_train(MultibitReadParams(), [0.0])
