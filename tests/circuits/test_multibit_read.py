"""The multi-bit read from end to end: conductance in, code out, and what the supplies give for it."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.adc import codes, conversion_energies, transitions
from rramkit.characterization.components.multibit_read import measure
from rramkit.characterization.waveforms import integral
from rramkit.circuits.adc import AdcTrainParams, transition_train
from rramkit.circuits.multibit_read import MultibitReadParams, multibit_train
from rramkit.errors import InputError

TIMING = AdcTrainParams(t_sample=40e-9, t_step=200e-12)
G_CELLS = np.array([1e-6, 0.4e-3, 1.2e-3, 1.9e-3])  # S: rest to 190 uA at 0.1 V


@pytest.fixture(scope="module")
def run(pool):
    params = MultibitReadParams(converter=TIMING)
    return params, pool.run(multibit_train(params, G_CELLS).text())


@pytest.fixture(scope="module")
def edges(pool, run):
    """Where the codes of the reads begin and end, from the converter's own bench: arrays (2, N).

    A readout settles in 40 ns, a plain source in 3.
    """
    own = AdcTrainParams(t_step=200e-12)
    found = codes(run[1], TIMING, G_CELLS.size)
    both = np.concatenate([found, found + 1])
    return transitions(pool.run(transition_train(own, codes=both).text()), own, both).reshape(2, -1)


def test_codes_are_those_of_the_output_by_the_converters_levels(run, edges):
    params, waves = run
    sampled = [k * TIMING.t_slot + TIMING.t_sample for k in range(G_CELLS.size)]
    v_out = np.interp(sampled, waves["time"], waves["v_tia"])
    found = codes(waves, TIMING, G_CELLS.size)
    # 0.15 steps of kickback: as the levels say, but for outputs so close to one of them.
    step = params.converter.sar.v_step
    begins, ends = edges
    assert np.all((begins < v_out + 0.15 * step) & (v_out - 0.15 * step < ends))
    # By hand: v_clamp + g v_read r_feedback; 1 mV is a third of a step, for clamp and settling.
    by_hand = params.readout.v_clamp + G_CELLS * params.v_read * params.readout.r_feedback
    assert np.max(np.abs(v_out - by_hand)) < 1e-3
    assert found[0] == 7 and found[-1] > 220  # rest of a balanced unit; the range is used


def test_energy_is_that_of_readout_and_converter(run):
    params, waves = run
    energy = measure(waves, params, G_CELLS)["energy"]
    converter = np.sum(list(conversion_energies(waves, TIMING, G_CELLS.size).values()), axis=0)
    slot = (TIMING.t_slot, 2 * TIMING.t_slot)
    charge = integral(waves["time"], -waves["i_ota"], slot)
    assert energy[1] == near(converter[1] + params.readout.ota.v_dd * charge, rel=1e-9)
    assert energy[1] > 20 * converter[1]  # an amplifier takes a milliwatt, a converter 20 uW


def test_no_conductance_is_refused():
    with pytest.raises(InputError, match="conductances"):
        multibit_train(MultibitReadParams(), [0.0])
