"""The SAR converter: closed loop against its own levels, levels against charge conservation, 1 to 6 bit, energy."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.adc import (
    codes,
    coherent_sine,
    conversion_energies,
    effective_bits,
    nonlinearity,
    quantised,
    transitions,
)
from rramkit.circuits.adc import (
    AdcBenchParams,
    AdcParams,
    conversion_train,
    draw_capacitors,
    levels_by_hand,
    transition_train,
)
from rramkit.circuits.mismatch import Matching
from rramkit.circuits.sense_amp import NAMES, SenseAmpParams
from rramkit.errors import InputError

LSB = 1 / 64  # V, of the nominal 6-bit converter


def levels(pool, params, capacitors=None):
    return transitions(pool.run(transition_train(params, capacitors).text()), params)


def converted(pool, params, v_in, **given):
    waves = pool.run(conversion_train(params, v_in, **given).text())
    return codes(waves, params, len(v_in)), waves


@pytest.fixture(scope="module")
def nominal(pool):
    return levels(pool, AdcBenchParams())


def test_matched_array_is_linear(nominal):
    dnl, inl = nonlinearity(nominal)
    # What is left without mismatch: the charge of the sampling gate, which bends at the ends of its range.
    assert np.max(np.abs(dnl)) < 0.05
    assert np.max(np.abs(inl)) < 0.15
    sine = coherent_sine(nominal, samples=1021, cycles=37)
    # 6.02 bits are ideal; an INL of 0.06 steps adds (0.06)^2/2 to the 1/12 of the quantisation: 0.02 bit
    assert effective_bits(quantised(sine, nominal).astype(float), 37) > 5.9


def test_levels_are_those_of_charge_conservation(nominal):
    params = AdcParams()
    step = np.mean(np.diff(nominal))
    # The step says how much capacitance the transistors add to x: overlaps of the gate, the comparator's input.
    total = params.v_ref * params.c_unit / step
    added = total - np.sum(params.nominal_capacitors) - params.c_parasitic
    assert 2e-15 < added < 20e-15
    by_hand = levels_by_hand(
        params.model_copy(update={"c_parasitic": params.c_parasitic + added}), params.nominal_capacitors
    )
    np.testing.assert_allclose(nominal, by_hand, rtol=0, atol=0.1 * LSB)


def test_mismatch_of_the_array_appears_as_charge_conservation_says(pool):
    # Ten times the spread, so that it stands out; 4 bit of the 6-bit array.
    latch = SenseAmpParams(matching=Matching(a_c=1e-7))
    params = AdcBenchParams(sar=AdcParams(latch=latch, bits=4))
    drawn = draw_capacitors(params.sar, rng=np.random.default_rng(7))
    shift = levels(pool, params, drawn) - levels(pool, params)
    by_hand = levels_by_hand(params.sar, drawn) - levels_by_hand(params.sar, params.sar.nominal_capacitors)
    assert np.max(np.abs(by_hand)) > 0.5 * LSB
    # The transistors' 10 fF on top of 138 fF, which the hand does not know: 7 %, and a hundredth of a step.
    np.testing.assert_allclose(shift, by_hand, rtol=0.1, atol=0.02 * LSB)


def test_capacitors_follow_pelgroms_law():
    params, rng = AdcParams(), np.random.default_rng(3)
    drawn = np.array([draw_capacitors(params, rng=rng) for _ in range(4000)])
    units = np.concatenate([[1.0], 2.0 ** np.arange(params.bits_max)])
    area = params.c_unit / params.c_density
    expected = params.latch.matching.a_c / np.sqrt(2 * area * units)
    # 4000 draws know a standard deviation to 1.1 %: four of those
    np.testing.assert_allclose(np.std(drawn, axis=0) / params.nominal_capacitors, expected, rtol=0.045)


def test_dnl_of_the_first_bit_follows_from_the_unit():
    """Over many drawn arrays, by hand: sigma of the step at the middle is sigma_unit sqrt(2^N - 1) steps."""
    params, rng = AdcParams(c_parasitic=0.0), np.random.default_rng(11)
    found = [nonlinearity(levels_by_hand(params, draw_capacitors(params, rng=rng)))[0] for _ in range(3000)]
    sigma_unit = params.latch.matching.a_c / np.sqrt(2 * params.c_unit / params.c_density)
    assert np.std([dnl[30] for dnl in found]) == near(sigma_unit * np.sqrt(63), 0.06)
    assert np.mean([np.max(np.abs(dnl)) < 0.5 for dnl in found]) > 0.99  # the default array is good for 6 bit


def test_closed_loop_decides_as_its_levels_say(pool, nominal):
    # Four places within a step, away from the transitions by the 0.2 steps that the comparator's own kickback may take.
    at = np.array([0, 3, 17, 31, 32, 46, 61])
    edges = np.concatenate([[nominal[0] - LSB], nominal, [nominal[-1] + LSB]])
    v_in = np.clip(edges[at] + np.array([0.5, 0.3, 0.7, 0.5, 0.3, 0.7, 0.5]) * (edges[at + 1] - edges[at]), 0, 1)
    found, _ = converted(pool, AdcBenchParams(), v_in)
    np.testing.assert_array_equal(found, at)


def test_fewer_bits_are_the_first_of_the_whole_code(pool, nominal):
    at = np.array([13, 52])
    v_in = (nominal[at - 1] + nominal[at]) / 2
    energies = []
    for bits in range(1, 7):
        params = AdcBenchParams(sar=AdcParams(bits=bits))
        found, waves = converted(pool, params, v_in)
        np.testing.assert_array_equal(found, at >> (6 - bits))
        energies.append(sum(np.mean(e) for e in conversion_energies(waves, params, 2).values()))
    assert np.all(np.diff(energies) > 5e-15)  # each bit costs a decision at least, 20 fJ and more


def test_offset_of_the_comparator_moves_all_codes(pool, nominal):
    dv = np.zeros(len(NAMES))
    dv[NAMES.index("input_p")] = 2 * LSB
    at = np.array([20, 45])
    v_in = (nominal[at - 1] + nominal[at]) / 2
    found, _ = converted(pool, AdcBenchParams(), v_in, dv_threshold=dv)
    np.testing.assert_array_equal(found, at - 2)


def test_energy_of_the_reference_is_the_charge_of_the_plates(pool):
    params, v_in = AdcBenchParams(), 0.4
    found, waves = converted(pool, params, [v_in, v_in])
    energy = conversion_energies(waves, params, 2)
    assert found[0] == found[1]
    # The inverters' own drains (2 fF/um on 32 um) and what they let through on their edges come on top of the plates.
    by_hand = reference_energy(params.sar, v_in, int(found[1]), c_added=10e-15)
    assert by_hand < energy["reference"][1] < 1.6 * by_hand
    assert 6 * 15e-15 < energy["comparator"][1] < 6 * 50e-15  # six decisions
    assert sum(e[1] for e in energy.values()) < 0.5e-12


def reference_energy(sar, v_in, code, *, c_added):
    """v_ref times the charge that flows into all plates that stand at v_ref, step by step: charge conservation."""
    c, total = sar.nominal_capacitors, np.sum(sar.nominal_capacitors) + sar.c_parasitic + c_added

    def bottoms(word):
        return np.array([sar.v_ref, *(0.0 if word >> k & 1 else sar.v_ref for k in range(sar.bits_max))])

    words, kept = [], 0
    for bit in reversed(range(sar.bits_max)):
        words.append(kept | 1 << bit)
        kept |= code & 1 << bit
    plates = [bottoms(words[0])]
    x = [v_in]
    for word in [*words[1:], code]:
        plates.append(bottoms(word))
        x.append(x[-1] + c @ (plates[-1] - plates[-2]) / total)
    plates.append(plates[0])
    x.append(v_in)  # and the next sampling
    charge = sum(
        np.sum((c * ((after - x_after) - (before - x_before)))[after > 0])
        for before, after, x_before, x_after in zip(plates, plates[1:], x, x[1:], strict=False)
    )
    return sar.v_ref * charge


def test_half_the_step_gives_the_same_levels(pool):
    params = AdcBenchParams(sar=AdcParams(bits=3))
    coarse, fine = (levels(pool, params.model_copy(update={"t_step": t})) for t in (50e-12, 25e-12))
    np.testing.assert_allclose(coarse, fine, rtol=0, atol=1e-3 * LSB)


@pytest.mark.long
def test_effective_bits_of_a_converted_sine(pool, nominal):
    v_in = coherent_sine(nominal, samples=64, cycles=7)
    found, _ = converted(pool, AdcBenchParams(), np.clip(v_in, 0, 1))
    by_levels = effective_bits(quantised(v_in, nominal).astype(float), 7)
    # 64 samples know the noise to 1/sqrt(2 * 61) = 9 %, 0.13 bit; the kickback's 0.15 steps cost 0.02 bit more.
    assert effective_bits(found.astype(float), 7) == near(by_levels, within=0.3)
    assert effective_bits(found.astype(float), 7) > 5.5


def test_effective_bits_of_an_ideal_quantiser():
    ideal = np.arange(1, 64) / 64
    sine = coherent_sine(ideal, samples=4099, cycles=101)
    # SINAD = 6.02 N + 1.76 dB takes the error for evenly spread; at 6 bit that holds to 0.05 bit.
    assert effective_bits(quantised(sine, ideal).astype(float), 101) == near(6.0, within=0.05)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"v_ref must not exceed v_core \+ 0.2 V"):
        AdcParams.checked({"v_ref": 1.3}, where="here")
    with pytest.raises(InputError, match="bits"):
        conversion_train(AdcBenchParams(sar=AdcParams(bits=7)))
    with pytest.raises(InputError, match="inputs"):
        conversion_train(AdcBenchParams(), [1.2])
    with pytest.raises(InputError, match="capacitors"):
        transition_train(AdcBenchParams(), np.ones(3))
    with pytest.raises(InputError, match="cycles"):
        effective_bits(np.zeros(64), 8)
