"""The SAR converter: closed loop against its own levels, levels against charge conservation, 1 to 8 bit, energy."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.adc import (
    codes,
    coherent_sine,
    conversion_energies,
    effective_bits,
    noise,
    nonlinearity,
    quantised,
    top_plate,
    transfer,
    transitions,
)
from rramkit.characterization.design import find_design
from rramkit.circuits.adc import (
    AdcBenchParams,
    AdcNoiseParams,
    AdcParams,
    conversion_train,
    draw_capacitors,
    levels_by_hand,
    sampled_noise,
    transition_train,
)
from rramkit.circuits.mismatch import Matching
from rramkit.circuits.sense_amp import NAMES, SenseAmpParams
from rramkit.errors import InputError

BOLTZMANN = 1.380649e-23  # J/K
LSB = 0.72 / 256  # V, of the nominal converter: 8 bit from 0.28 V to 1.0 V


def levels(pool, params, capacitors=None):
    return transitions(pool.run(transition_train(params, capacitors).text()), params)


def converted(pool, params, v_in, **given):
    waves = pool.run(conversion_train(params, v_in, **given).text())
    return codes(waves, params, len(v_in)), waves


@pytest.fixture(scope="module")
def nominal(pool):
    return levels(pool, AdcBenchParams(t_step=200e-12))


def test_matched_array_is_linear(nominal):
    dnl, inl = nonlinearity(nominal)
    # What is left without mismatch: the charge of the sampling gate, which bends at the ends of its range.
    assert np.max(np.abs(dnl)) < 0.05
    assert np.max(np.abs(inl)) < 0.25
    sine = coherent_sine(nominal, samples=1021, cycles=37)
    # 8 bits are ideal; an INL of 0.1 steps rms adds 0.1^2 to the 1/12 of the quantisation: 0.08 bit
    assert effective_bits(quantised(sine, nominal).astype(float), 37) > 7.9


def test_nominal_gain_and_offset_are_within_half_a_step(nominal):
    """What the reference is chosen for: 0.28 V to 1.0 V are 256 steps, the transistors' capacitance or not."""
    ideal = AdcParams().ideal(np.arange(1, 256))
    assert np.max(np.abs(nominal - ideal)) < 0.5 * LSB
    plain = AdcParams(c_transistors=0.0)
    assert plain.v_reference < AdcParams().v_reference - 9 * LSB  # without it the range would be 9 steps short


def test_the_capacitance_of_the_reference_is_what_the_levels_say(nominal):
    params, codes = AdcParams(), np.arange(1, 256)
    # A fifth of a femtofarad of 276 fF is 0.2 steps of 256
    assert abs(top_plate(params, codes, nominal) - params.c_transistors) < 0.2e-15
    np.testing.assert_allclose(nominal, levels_by_hand(params, params.nominal_capacitors), rtol=0, atol=0.25 * LSB)


def test_top_plate_is_recovered_from_levels_by_hand():
    params = AdcParams()
    other = params.model_copy(update={"c_transistors": 33e-15, "v_ref": params.v_reference})
    by_hand = levels_by_hand(other, other.nominal_capacitors)
    assert top_plate(params, np.arange(1, 256), by_hand) == near(33e-15, rel=1e-9)


def test_a_reference_alone_is_the_range_of_version_0_1():
    params = AdcParams.checked({"v_ref": 1.0, "bits_max": 6, "bits": 6}, where="here")
    assert (params.v_low, params.v_high, params.v_common, params.v_reference) == (0.0, 1.0, 0.5, 1.0)
    given = AdcParams(v_cm=0.6, v_ref=0.75, v_low=0.3, v_high=0.9)
    assert (given.v_common, given.v_reference, given.v_step) == (0.6, 0.75, near(0.6 / 256, rel=1e-12))


def test_mismatch_of_the_array_appears_as_charge_conservation_says(pool):
    # Ten times the spread, so that it stands out; 4 bit of the array.
    latch = SenseAmpParams(matching=Matching(a_c=1e-7))
    params = AdcBenchParams(sar=AdcParams(latch=latch, bits=4), t_step=200e-12)
    drawn = draw_capacitors(params.sar, rng=np.random.default_rng(7))
    shift = levels(pool, params, drawn) - levels(pool, params)
    by_hand = levels_by_hand(params.sar, drawn) - levels_by_hand(params.sar, params.sar.nominal_capacitors)
    assert np.max(np.abs(by_hand)) > 0.5 * LSB
    # Shifts of up to 10 steps meet another charge of the sampling gate, which bends by 0.2 steps over 256.
    np.testing.assert_allclose(shift, by_hand, rtol=0.02, atol=0.05 * LSB)


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
    params, rng = AdcParams(c_parasitic=0.0, c_transistors=0.0), np.random.default_rng(11)
    found = [nonlinearity(levels_by_hand(params, draw_capacitors(params, rng=rng)))[0] for _ in range(3000)]
    sigma_unit = params.latch.matching.a_c / np.sqrt(2 * params.c_unit / params.c_density)
    assert np.std([dnl[126] for dnl in found]) == near(sigma_unit * np.sqrt(255), rel=0.06)
    assert np.mean([np.max(np.abs(dnl)) < 0.5 for dnl in found]) > 0.99  # the default array is good for 8 bit


def test_closed_loop_decides_as_its_levels_say(pool, nominal):
    # Places within a step, away from the transitions by the 0.15 steps that the comparator's own kickback may take.
    at = np.array([0, 7, 64, 127, 128, 186, 249, 254])
    edges = np.concatenate([[nominal[0] - LSB], nominal, [nominal[-1] + LSB]])
    part = np.array([0.5, 0.2, 0.8, 0.5, 0.2, 0.8, 0.2, 0.5])
    found, _ = converted(pool, AdcBenchParams(), edges[at] + part * (edges[at + 1] - edges[at]))
    np.testing.assert_array_equal(found, at)


def test_inputs_beyond_the_range_end_in_its_outer_codes(pool):
    found, _ = converted(pool, AdcBenchParams(), [0.2, 1.0])
    np.testing.assert_array_equal(found, [0, 255])


def test_fewer_bits_are_the_first_of_the_whole_code(pool, nominal):
    at = np.array([53, 210])
    v_in = (nominal[at - 1] + nominal[at]) / 2
    energies = []
    for bits in (1, 3, 6, 8):
        params = AdcBenchParams(sar=AdcParams(bits=bits))
        found, waves = converted(pool, params, v_in)
        np.testing.assert_array_equal(found, at >> (8 - bits))
        energies.append(sum(np.mean(e) for e in conversion_energies(waves, params, 2).values()))
    assert np.all(np.diff(energies) > 2 * 5e-15)  # two bits and more cost two decisions at least, 20 fJ each and more


def test_offset_of_the_comparator_moves_all_codes(pool, nominal):
    dv = np.zeros(len(NAMES))
    dv[NAMES.index("input_p")] = 10 * LSB
    at = np.array([80, 180])
    v_in = (nominal[at - 1] + nominal[at]) / 2
    found, _ = converted(pool, AdcBenchParams(), v_in, dv_threshold=dv)
    # The kickback of unequal transistors is another one: a step of the 10 at most.
    assert np.max(np.abs(found - (at - 10))) <= 1
    assert found[0] - found[1] == at[0] - at[1]  # and the same at both


def test_energy_of_the_reference_is_the_charge_of_the_plates(pool):
    params, v_in = AdcBenchParams(), 0.4
    found, waves = converted(pool, params, [v_in, v_in])
    energy = conversion_energies(waves, params, 2)
    assert found[0] == found[1]
    # The inverters' own drains (2 fF/um on 64 um) and what they let through on their edges come on top of the plates.
    by_hand = reference_energy(params.sar, v_in, int(found[1]), c_added=params.sar.c_transistors)
    assert by_hand < energy["reference"][1] < 1.6 * by_hand
    assert 8 * 15e-15 < energy["comparator"][1] < 8 * 50e-15  # eight decisions
    assert sum(e[1] for e in energy.values()) < 1e-12  # the data sheet's


def reference_energy(sar, v_in, code, *, c_added):
    """v_ref times the charge that flows into all plates that stand at it, step by step: charge conservation."""
    c, total = sar.nominal_capacitors, np.sum(sar.nominal_capacitors) + sar.c_parasitic + c_added

    def bottoms(word):
        return np.array([sar.v_reference, *(0.0 if word >> k & 1 else sar.v_reference for k in range(sar.bits_max))])

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
    return sar.v_reference * charge


def test_levels_between_the_plans_codes_lie_on_straight_lines(nominal):
    """The plan's codes stand for all: a tenth of a step between them, and the same figures."""
    codes = np.array(find_design("adc_levels").blocks[0].axes[0].values).astype(int)
    every = np.arange(1, 256)
    between = np.interp(every, codes, nominal[codes - 1])
    assert np.max(np.abs(between - nominal)) < 0.1 * LSB
    few, all_of_them = (transfer(AdcParams(), code, nominal[code - 1]) for code in (codes, every))
    for name in ("step", "gain_error", "offset"):
        np.testing.assert_allclose(few[name], all_of_them[name], rtol=1e-12, atol=0)
    for name in ("inl_max", "dnl_max"):  # in steps
        np.testing.assert_allclose(few[name], all_of_them[name], rtol=0, atol=0.05)
    np.testing.assert_allclose(few["effective_bits"], all_of_them["effective_bits"], rtol=0, atol=0.05)
    assert np.isnan(transfer(AdcParams(), codes[::3], nominal[codes[::3] - 1])["dnl_max"])  # no neighbours


def test_half_the_step_gives_the_same_levels(pool):
    params = AdcBenchParams(sar=AdcParams(bits=3))
    coarse, fine = (levels(pool, params.model_copy(update={"t_step": t})) for t in (200e-12, 50e-12))
    # 200 ps are the plans' step
    np.testing.assert_allclose(coarse, fine, rtol=0, atol=0.02 * LSB)


@pytest.mark.long
def test_effective_bits_of_a_converted_sine(pool, nominal):
    v_in = coherent_sine(nominal, samples=64, cycles=7)
    found, _ = converted(pool, AdcBenchParams(), np.clip(v_in, 0, 1))
    by_levels = effective_bits(quantised(v_in, nominal).astype(float), 7)
    # 64 samples know the noise to 1/sqrt(2 * 61) = 9 %, 0.13 bit; the kickback's 0.15 steps cost 0.02 bit more.
    assert effective_bits(found.astype(float), 7) == near(by_levels, within=0.3)
    assert effective_bits(found.astype(float), 7) > 7.5


def test_sampled_noise_is_that_of_the_capacitors(pool):
    found, by_hand = [], []
    for k in (1, 4):
        params = AdcNoiseParams(sar=AdcParams(c_unit=k * 1e-15, w_bottom_n=k * 0.1e-6, w_bottom_p=k * 0.15e-6))
        found.append(float(noise(pool.run(sampled_noise(params).text()), params, np.array([]))["v_noise"]))
        c_top = np.sum(params.sar.nominal_capacitors) + params.sar.c_parasitic + params.sar.c_transistors
        by_hand.append(np.sqrt(2 * BOLTZMANN * 300.15 / c_top))  # k T/C of x and of y
    # The drivers of the plates add 9 % within the comparator's 20 GHz, more where they are wider.
    assert np.all((1.0 < np.array(found) / by_hand) & (np.array(found) / by_hand < 1.25))
    assert found[0] < 0.1 * LSB


def test_effective_bits_of_an_ideal_quantiser():
    ideal = np.arange(1, 64) / 64
    sine = coherent_sine(ideal, samples=4099, cycles=101)
    # SINAD = 6.02 N + 1.76 dB takes the error for evenly spread; at 6 bit that holds to 0.05 bit.
    assert effective_bits(quantised(sine, ideal).astype(float), 101) == near(6.0, within=0.05)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match=r"v_ref must not exceed v_core \+ 0.2 V"):
        AdcParams.checked({"v_ref": 1.3, "v_low": 0.3}, where="here")
    with pytest.raises(InputError, match=r"v_high must not exceed v_core \+ 0.2 V"):
        AdcParams.checked({"v_high": 1.3}, where="here")
    with pytest.raises(InputError, match="v_high must exceed v_low"):
        AdcParams.checked({"v_low": 1.1}, where="here")
    with pytest.raises(InputError, match="bits"):
        conversion_train(AdcBenchParams(sar=AdcParams(bits_max=6, bits=7)))
    with pytest.raises(InputError, match="inputs"):
        conversion_train(AdcBenchParams(), [1.2])
    with pytest.raises(InputError, match="capacitors"):
        transition_train(AdcBenchParams(), np.ones(3))
    with pytest.raises(InputError, match="cycles"):
        effective_bits(np.zeros(64), 8)
