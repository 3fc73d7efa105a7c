"""The readout with its clamp amplifier: gain, linearity, clamp, stability, both modes."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.components.readout import (
    asymptote,
    gain_and_linearity,
    loop_gain,
    noise,
    offsets,
    phase_margin,
    reads,
)
from rramkit.characterization.engine.corners import Condition, at_temperature
from rramkit.characterization.waveforms import integral
from rramkit.circuits import readout
from rramkit.circuits.ota import NAMES, OtaParams, offset_by_hand, scaled_mismatch
from rramkit.circuits.readout import (
    ReadoutBenchParams,
    ReadoutNoiseParams,
    ReadoutOffsetParams,
    ReadoutParams,
    noise_at_rest,
    offset_sweep,
    read_train,
)
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError

INTEGRATING = ReadoutParams(mode="integrating")
GAINS = (3.5e3, 7e3, 14e3, 28e3)
FULL = 0.7  # V, full scale of the output above its rest
LSB = 0.72 / 256  # V, step of the 8-bit converter from 0.28 to 1.0 V


def train(pool, **given):
    params = ReadoutBenchParams(**given)
    return params, reads(pool.run(read_train(params).text()), params)


def at(deck, kelvin):
    """Return the deck's text at a temperature [K]."""
    return at_temperature(deck, Condition(temperature=kelvin)).text()


def margin(pool, params, *, v_in=0.0, kelvin=300.15):
    frequency, gain = loop_gain(pool.run(at(readout.loop_gain(params, v_in), kelvin)))
    return (*phase_margin(frequency, gain), abs(gain[0]))


@pytest.mark.parametrize("r_feedback", GAINS)
def test_transimpedance_is_the_feedback_resistor(pool, r_feedback):
    g_cells = 1e-3
    v_max = min(0.1, FULL / r_feedback / g_cells)
    params, found = train(pool, readout=ReadoutParams(r_feedback=r_feedback), v_max=v_max, g_cells=g_cells)
    gain, residual = gain_and_linearity(found.i_in, found.v_out)
    # out - bl = i r_feedback is Ohm's law; what has not settled in 40 ns flows in the capacitors instead.
    np.testing.assert_allclose(
        found.v_out - (found.v_error - found.v_error[0]),
        (found.i_in - found.i_in[0]) * r_feedback,
        rtol=5e-3,
        atol=1e-5,
    )
    assert gain == near(r_feedback, rel=0.005)
    assert residual * found.v_out[-1] < 0.1 * LSB
    # Ohm's law on the other side: what the cells and the line draw.
    expected = (params.inputs + found.v_error) / (1 / params.g_cells + params.r_line)
    np.testing.assert_allclose(found.i_in, expected, rtol=2e-3, atol=1e-9)


def test_it_takes_the_full_scale_of_each_gain_setting(pool):
    """The chip's largest current, 200 uA, through the lowest resistor; beyond full scale the output ends."""
    params, found = train(pool, g_cells=4e-3, reads=6)
    assert found.i_in[-1] > 250e-6 and found.v_out[-1] > 0.9
    inside = found.i_in < 210e-6
    gain, residual = gain_and_linearity(found.i_in[inside], found.v_out[inside])
    assert gain == near(params.readout.r_feedback, rel=0.005)
    assert residual * np.ptp(found.v_out[inside]) < 0.5 * LSB
    _, beyond = train(pool, readout=ReadoutParams(r_feedback=28e3), g_cells=4e-3, reads=3)
    assert 0.7 < beyond.v_out[-1] < 1.8 - 0.3
    assert beyond.v_error[-1] < -10e-3  # the clamp is lost


def test_the_loop_gain_tells_the_clamps_error(pool):
    """At the heaviest line, which divides the loop gain most, up to full scale."""
    # A read long enough that only the static error is left.
    params, found = train(pool, g_cells=4e-3, v_max=0.063, reads=2, t_read=400e-9, t_reset=100e-9)
    at_dc = np.array([margin(pool, params, v_in=v)[2] for v in (0, params.v_max / 2, params.v_max)])
    # dv_error = -dv_out/A, T = A/(1 + r_feedback/r); A falls with the second stage's current: Simpson's mean of 1/T.
    r = 1 / params.g_cells + params.r_line
    mean = 6 / np.sum(np.array([1, 4, 1]) / at_dc)
    found_gain = -found.v_out[-1] / (found.v_error[-1] - found.v_error[0]) / (1 + params.readout.r_feedback / r)
    # An input draws v_out/r_feedback from the output, the cut loop v_out/(r_feedback + r): heavier by 9 %, and so the
    # gain is lower by at most that, the more the higher the output's resistance.
    assert mean / (1 + r / params.readout.r_feedback) < found_gain < mean
    # The clamp takes less than a step of the 8-bit converter from any input. A gain that is off is calibrated away; of
    # the bend, a line through the ends leaves a quarter of the change of 1/T: less than a tenth of a step.
    assert np.min(at_dc) > 256
    assert (1 / at_dc[-1] - 1 / at_dc[0]) / 4 < 0.15 / 256


@pytest.mark.parametrize(("corner", "kelvin"), [("tt", 300.15), ("ss", 358.15), ("ff", 253.15)])
def test_it_is_stable_and_settles(pool, corner, kelvin):
    """45 degrees with the lightest line of the chip (65 cells of 4 uS); 40 ns where g_cells r_feedback is up to 14."""
    technology = Technology(corner=corner)
    for r_feedback in GAINS:
        block = ReadoutParams(ota=OtaParams(technology=technology), r_feedback=r_feedback)
        light = ReadoutBenchParams(readout=block, g_cells=0.25e-3)
        full = min(0.1, FULL / r_feedback / light.g_cells)
        for v_in in (0.0, full):
            assert margin(pool, light, v_in=v_in, kelvin=kelvin)[0] > 45
        heavy = 14 / r_feedback
        params = ReadoutBenchParams(readout=block, g_cells=heavy, v_max=FULL / 14, reads=2)
        found = reads(pool.run(at(read_train(params), kelvin)), params)
        assert found.t_settle[-1] < 40e-9
        assert found.overshoot[-1] < 0.02 * FULL
        assert abs(found.v_error[-1] - found.v_error[0]) / found.i_in[-1] < 20  # ohm


def test_a_heavy_line_costs_margin(pool):
    light, heavy = (margin(pool, ReadoutBenchParams(c_line=c))[0] for c in (50e-15, 2e-12))
    assert heavy < light - 20


def test_integrating_is_charge_over_capacitance(pool):
    params, block = ReadoutBenchParams(readout=INTEGRATING), INTEGRATING
    waves = pool.run(read_train(params).text())
    found = reads(waves, params)
    gain, residual = gain_and_linearity(found.i_in, found.v_out)
    # t/c, from half the edge on; the output follows its own slope after the loop's 1 ns: 6 % of 16 ns, and the
    # line keeps the charge of the clamp's error on its 500 fF: 25 mV of 700 mV on a quarter of c_integrate, 1 %.
    assert gain == near(params.t_integrate / block.c_integrate, rel=0.08)
    # Charge is kept: what the cells drew, and what the line (half of it behind its resistance) gave up, is on the
    # capacitor, its other end at the line. A tenth of a step of an 8-bit converter.
    spans = [(params.t_begin(k), params.t_sample(k)) for k in range(params.reads)]
    charge = np.array([integral(waves["time"], waves["i_row"], span) for span in spans])
    charge, clamp, current = (each - each[0] for each in (charge, found.v_error, found.i_in))
    kept = params.c_line * clamp - params.c_line / 2 * params.r_line * current
    np.testing.assert_allclose(found.v_out, (charge + kept) / block.c_integrate + clamp, rtol=0, atol=0.1 / 256 * FULL)
    # The second stage's transconductance falls as it carries more, and so the clamp's error bends: 0.9 mV at the
    # line, a quarter more at the output. Half a step of an 8-bit converter is what a read may lose.
    assert residual < 0.5 / 256


def test_the_integrators_clamp_error_is_its_slope_over_its_bandwidth(pool):
    _, fast = train(pool, readout=INTEGRATING, reads=3)
    slow_block = ReadoutParams(mode="integrating", c_integrate=2 * INTEGRATING.c_integrate)
    _, slow = train(pool, readout=slow_block, reads=3)
    _, still = train(pool, reads=3)
    # Less what the second stage needs to carry the current, slope or no slope: the transimpedance shows it.
    errors = [found.v_error[-1] - still.v_error[-1] for found in (fast, slow)]
    assert errors[0] < -2e-3
    # Half the slope, half the error; the slope itself gains the 4 % that the smaller error leaves of the input.
    assert errors[1] / errors[0] == near(0.5, rel=0.1)


def test_half_the_step_changes_nothing(pool):
    for block in (ReadoutParams(), INTEGRATING):
        params, found = train(pool, readout=block, reads=3)
        _, fine = train(pool, readout=block, reads=3, t_step=params.t_step / 2)
        np.testing.assert_allclose(fine.v_out, found.v_out, rtol=0, atol=1e-3 * found.v_out[-1])


def test_energy_is_the_bias_times_the_supply(pool):
    params, found = train(pool)
    ota = params.readout.ota
    # Three branches of the bias as wide as its diode, then what the current sources copy; the folded branches' sinks
    # carry the tail's current and that of the mirror.
    i_sinks = 2 * ota.i_bias * ota.w_sink / ota.w_bias_n
    current = ota.i_bias * (4 + ota.w_load / ota.w_bias_p) + i_sinks
    # Output conductance of the current sources: 15 %.
    assert found.energy[0] == near(ota.v_dd * current * params.t_slot, rel=0.15)
    # A read's current comes from the second stage's own: the supply gives no more.
    assert found.energy[-1] == near(found.energy[0], rel=0.1)


def test_the_asymptote_of_an_exponential_is_found():
    t = np.linspace(0, 40e-9, 200)
    for tau in (6e-9, 30e-9):
        end, found = asymptote(t, 0.5 - 0.4 * np.exp(-t / tau))
        assert end == near(0.5, rel=1e-3) and found == near(tau, rel=1e-2)
    assert asymptote(t, np.full(200, 0.5)) == (0.5, 0.0)


def test_a_read_that_is_too_short_shows_it(pool):
    """The time to settle is that of a long read, though a short one ends before it."""
    given = {"readout": ReadoutParams(r_feedback=28e3), "g_cells": 4e-3, "v_max": FULL / 28e3 / 4e-3, "reads": 2}
    _, short = train(pool, **given)
    _, long = train(pool, **given, t_read=300e-9)
    assert short.t_settle[-1] > 40e-9
    # Never less than the long read's. Two poles are near each other, the differences hold a slower mean of both, and
    # what follows from half of the time is more by up to 15 %; it was 11 % of 40 ns, 8 % of 60 ns.
    assert 1 < short.t_settle[-1] / long.t_settle[-1] < 1.15


def amplifier_point(pool, params):
    """Return the transconductances [S] of the amplifier's transistors at rest."""
    deck = offset_sweep(params)
    fields = [f".save @m.x_ota.m_{name}[gm]" for name in NAMES]
    text = deck.text().replace(deck.analysis, "\n".join([*fields, ".op"]))
    waves = pool.run("\n".join(line for line in text.splitlines() if not line.startswith(".meas")))
    return {name: float(waves[f"@m.x_ota.m_{name}[gm]"][0]) for name in NAMES}


def test_offset_of_a_known_threshold_and_its_trim(pool):
    params = ReadoutOffsetParams()
    matched = offsets(pool.run(offset_sweep(params).text()), params, np.array([]))
    rise = np.zeros(len(NAMES))
    rise[NAMES.index("input_n")] = 3e-3
    waves = pool.run(offset_sweep(params, rise).text())
    found = offsets(waves, params, np.array([]))
    # A source of 3 mV in series with the inverting input; 2 %: the loop's gain moves little else.
    assert found["v_untrimmed"] - matched["v_untrimmed"] == near(-3e-3, rel=0.02)
    steps = np.diff(waves["v_bl"])
    # One unit a code, less what the transistors that steer the groups take: 2^k - (2^(k-1) + ... + 1) units' worth.
    groups = [k & -k for k in range(1, steps.size + 1)]  # the group that comes, for all that are smaller
    lost = np.array([taken([(n, 1)]) - taken([(2**bit, 1) for bit in bits(n - 1)]) for n in groups])
    part = (1 - steps[31] / np.median(steps)) / lost[31]
    np.testing.assert_allclose(steps / np.median(steps), 1 - part * lost, rtol=0, atol=0.01)
    assert np.min(steps) > 0.5 * np.median(steps)  # no code is lost
    assert abs(found["v_offset"]) <= 0.51 * np.max(steps)
    assert abs(waves["v_bl"][0] - params.readout.v_clamp - found["v_untrimmed"]) > 5e-3  # what the trim reaches


def bits(code):
    """Numbers of the bits that are set."""
    return [bit for bit in range(code.bit_length()) if code >> bit & 1]


def taken(groups):
    """Current that steering takes from groups of (units, transistors that steer them), in an arbitrary unit.

    A transistor's drop is in proportion to the units that it carries, and takes that part from each unit's current.
    """
    return sum(units**2 / steered for units, steered in groups)


def test_the_drawn_trim_is_that_of_the_sweep(pool):
    """Units lumped at a fixed code stand where the binary groups of the sweep do, less their share of the steering."""
    params = ReadoutOffsetParams()
    swept = pool.run(offset_sweep(params).text())["v_bl"]
    steps = np.diff(swept)
    step = float(np.median(steps))
    part = (1 - steps[31] / step) / (taken([(32, 1)]) - taken([(2**bit, 1) for bit in range(5)]))
    for code in (0, 13, 32, 63):
        block = ReadoutParams(ota=OtaParams(trim=code - 32))
        bench = ReadoutBenchParams(readout=block, reads=2, v_max=1e-3)
        v_bl = reads(pool.run(read_train(bench).text()), bench).v_error[0] + block.v_clamp
        # Each side has its own units, and the one that is always on stands on the other; half their difference counts.
        sides = (bits(code), 0), (bits(63 - code), 1)
        lumped = [taken([(sum(2**b for b in on) + one, len(on) + one)]) if on or one else 0 for on, one in sides]
        apart = [taken([(2**b, 1) for b in on]) + one for on, one in sides]
        more = part / 2 * ((apart[0] - lumped[0]) - (apart[1] - lumped[1]))
        assert v_bl == near(swept[code] + more * step, within=0.01 * step)  # up to a sixth of a step without `more`


@pytest.mark.long
def test_offset_by_hand(pool):
    """Sigma of the untrimmed offset by one response to each transistor's threshold, and by hand from three pairs."""
    params = ReadoutOffsetParams()
    ota = params.readout.ota
    rest = offsets(pool.run(offset_sweep(params).text()), params, np.array([]))["v_untrimmed"]
    responses = []
    for k in range(len(NAMES)):
        rise = np.zeros(len(NAMES))
        rise[k] = 1e-3
        deck = offset_sweep(params, rise)
        text = deck.text().replace(deck.analysis, ".dc V_code 32 32.5 1").replace("at=0", "at=32")
        responses.append((pool.run(text)["v_bl"][0] - params.readout.v_clamp - rest) / 1e-3)
    sigma = float(np.linalg.norm(scaled_mismatch(ota, np.array(responses))))
    # What the hand leaves out: cascodes, second stage and the output conductance of the sinks, 10 %.
    assert offset_by_hand(ota, amplifier_point(pool, params)) == near(sigma, rel=0.1)


def test_noise_is_that_of_feedback_cells_and_amplifier(pool):
    """At 10 MHz, where the loop gain is high and 1/f is low, against 4 k T (R + g R^2) and the amplifier's pairs."""
    k_t = 1.380649e-23 * 300.15
    g_m = amplifier_point(pool, ReadoutOffsetParams())
    # A long channel gives 2/3; short ones more: this kit's cards 0.7 to 1 by their own noise model.
    v_amplifier = 2 * 4 * k_t * 0.8 * sum(g_m[name] for name in ("input_n", "sink_n", "mirror_n")) / g_m["input_n"] ** 2
    for r, g in ((3.5e3, 1e-3), (7e3, 0.25e-3), (3.5e3, 0.25e-3)):
        params = ReadoutNoiseParams(readout=ReadoutParams(r_feedback=r), g_cells=g)
        waves = pool.run(at(noise_at_rest(params), 300.15))
        density = np.interp(1e7, waves["frequency"], waves["v_noise"])
        by_hand = np.sqrt(4 * k_t * (r + g * r**2) + (1 + g * r) ** 2 * v_amplifier)
        assert density == near(by_hand, rel=0.15)
        total = waves.measures["v_noise_total"]
        slow_loop = np.sqrt(np.trapezoid(waves["v_noise"] ** 2, waves["frequency"]))
        assert total == near(slow_loop, rel=0.02)  # straight lines between ten points a decade
        assert noise(waves, params, np.array([]))["i_noise"] == near(total / r, rel=1e-12)


def test_noise_of_a_resistor_and_a_capacitor_is_kt_over_c(pool):
    """Analysis and totals of a deck that is not the kit's: the closed form, and the band outside it."""
    deck = """kT/C
V1 in 0 dc 0 ac 1
R1 in out 1k
C1 out 0 1p
.save onoise_spectrum
.save onoise_total
.noise v(out) V1 dec 20 1e3 1e13
.options temp=27
.end
"""
    waves = pool.run(deck)
    assert waves.kind == "noise"
    assert waves.measures["onoise_total"] == near(np.sqrt(1.380649e-23 * 300.15 / 1e-12), rel=2e-3)
    assert waves["onoise_spectrum"][0] == near(np.sqrt(4 * 1.380649e-23 * 300.15 * 1e3), rel=1e-4)
    assert pool.run(deck).measures == waves.measures  # two results of one analysis do not leak into the next run


def test_a_sweep_without_a_trim_is_refused():
    with pytest.raises(InputError, match="trim_bits"):
        offset_sweep(ReadoutOffsetParams(readout=ReadoutParams(ota=OtaParams(trim_bits=0))))


def test_a_loop_that_never_falls_through_one_is_refused():
    with pytest.raises(InputError, match="gain"):
        phase_margin(np.array([1.0, 2.0]), np.array([0.5 + 0j, 0.4 + 0j]))


def test_phase_margin_of_a_known_loop():
    """One pole at 1 kHz with a gain of 1000, a second at 1 MHz: the closed form."""
    f = np.geomspace(1, 1e9, 400)
    gain = 1000 / (1 + 1j * f / 1e3) / (1 + 1j * f / 1e6)
    degrees, at = phase_margin(f, gain)
    exact = 1e6 * np.sqrt((np.sqrt(5) - 1) / 2)  # |f/1e6| sqrt(1 + (f/1e6)^2) = 1, the first pole far below
    assert at == near(exact, rel=2e-3)
    assert degrees == near(180 - np.degrees(np.arctan(exact / 1e3) + np.arctan(exact / 1e6)), within=0.2)
