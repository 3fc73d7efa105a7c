"""Figures of the sense amplifiers, the readout, the converter and the row drivers, measured in ngspice and printed.

Run from the root of a checkout: `python benchmarks/sense.py [draws]`; with 200 draws (the default) about three minutes
on one core.
"""

import argparse

import numpy as np

from rramkit.characterization.components import current_sense as current_sense_measures
from rramkit.characterization.components import readout as readout_measures
from rramkit.characterization.components import row_driver as row_driver_measures
from rramkit.characterization.components import sense_amp as sense_amp_measures
from rramkit.characterization.components.adc import (
    codes,
    coherent_sine,
    conversion_energies,
    effective_bits,
    nonlinearity,
    quantised,
    transitions,
)
from rramkit.characterization.components.sense_amp import fit_regeneration
from rramkit.characterization.engine.pool import SpicePool
from rramkit.circuits import adc, row_driver, sense_amp
from rramkit.circuits.adc import AdcParams, draw_capacitors
from rramkit.circuits.current_sense import CurrentSenseBenchParams, current_train
from rramkit.circuits.readout import ReadoutBenchParams, ReadoutParams, loop_gain, read_train
from rramkit.circuits.sense_amp import draw_mismatch, offset_by_hand

V_TH0 = 0.4106  # V, vth0 of the nominal nmos_core card


def print_sense_amp(pool: SpicePool, draws: int) -> None:
    """Print decision time, energy, kickback and offset of the latch."""
    params = sense_amp.SenseAmpBenchParams(v_first=1e-5, v_last=0.1, decisions=9)
    waves = pool.run(sense_amp.decision_train(params).text())
    found = sense_amp_measures.decisions(waves, params, params.decisions)
    print("StrongARM latch\n  overdrive mV  decision ps  energy fJ  kickback mV (difference, one input)")
    for row in zip(params.overdrives, found.t_decide, found.energy, found.kickback, found.kickback_common, strict=True):
        v_in, t, energy, kick, common = row
        print(f"  {v_in * 1e3:12.3f} {t * 1e12:12.2f} {energy * 1e15:10.1f} {kick * 1e3:12.2f} {common * 1e3:10.1f}")
    linear = np.abs(params.overdrives) < 5e-3
    fit = fit_regeneration(params.overdrives[linear], found.t_decide[linear])
    tau, t_0 = fit.values["tau"], fit.values["t_0"]
    grown = sense_amp_measures.waveform_regeneration(waves, params, 0)
    print(f"  regeneration constant {tau * 1e12:.2f} ps by the fit, {grown * 1e12:.2f} ps by the waveform")
    print(f"  t = {t_0 * 1e12:.2f} ps + tau ln(1 V/overdrive)")
    print_offsets(pool, draws)


def print_offsets(pool: SpicePool, draws: int) -> None:
    """Print the offset's spread over many draws, and what a hand analysis says."""
    params = sense_amp.SenseAmpBenchParams(search_steps=8)
    rng = np.random.default_rng(2024)
    drawn = [draw_mismatch(params.latch, rng=rng) for _ in range(draws)]
    decks = ((k, lambda dv=dv: sense_amp.offset_search(params, dv).text()) for k, dv in enumerate(drawn))
    found = []
    for _, outcome in pool.map(decks):
        if isinstance(outcome, Exception):
            raise outcome
        found.append(sense_amp_measures.offset(outcome, params))
    gm_over_i = sense_amp_measures.gm_over_i(pool.run(sense_amp.input_pair(params).text()))
    hand = offset_by_hand(params.latch, gm_over_i, V_TH0)
    sigma = float(np.std(found, ddof=1))
    print(f"  offset of {draws} draws: mean {np.mean(found) * 1e3:.2f} mV, sigma {sigma * 1e3:.2f} mV;")
    print(f"  by hand {hand * 1e3:.2f} mV (gm/I {gm_over_i:.2f} 1/V): {100 * (sigma / hand - 1):+.1f} %")


def print_readout(pool: SpicePool) -> None:
    """Print gain, linearity, stability and energy of both readouts."""
    for mode in ("transimpedance", "integrating"):
        params = ReadoutBenchParams(readout=ReadoutParams(mode=mode))
        found = readout_measures.reads(pool.run(read_train(params).text()), params)
        gain, residual = readout_measures.gain_and_linearity(found.i_in, found.v_out)
        frequency, loop = readout_measures.loop_gain(pool.run(loop_gain(params).text()))
        margin, unity = readout_measures.phase_margin(frequency, loop)
        print(f"Readout, {mode}\n  gain {gain:.1f} ohm, nonlinearity {100 * residual:.4f} % of full scale")
        print(f"  phase margin {margin:.1f} degrees at {unity / 1e6:.0f} MHz")
        print(f"  clamp within {1e3 * np.max(np.abs(found.v_error)):.2f} mV, energy {found.energy[0] * 1e12:.1f} pJ")
        if mode == "transimpedance":
            past = 100 * np.max(found.overshoot) / found.v_out[-1]
            print(f"  settles to 0.5 % in {np.max(found.t_settle) * 1e9:.2f} ns, overshoot {past:.2f} %")


def print_adc(pool: SpicePool) -> None:
    """Print linearity, effective bits and energy of the converter."""
    params = adc.AdcBenchParams()
    matched = transitions(pool.run(adc.transition_train(params).text()), params)
    print(f"SAR converter, {params.sar.bits} bit")
    print_levels("matched", matched)
    for seed in (1, 2, 3):
        capacitors = draw_capacitors(params.sar, rng=np.random.default_rng(seed))
        deck = adc.transition_train(params, capacitors)
        print_levels(f"draw {seed}", transitions(pool.run(deck.text()), params))
    v_in = np.clip(coherent_sine(matched, samples=64, cycles=7), 0, params.sar.v_high)
    waves = pool.run(adc.conversion_train(params, v_in).text())
    found = codes(waves, params, v_in.size).astype(float)
    print(f"  64 samples of a sine in closed loop: {effective_bits(found, 7):.2f} effective bits")
    for bits in range(1, params.sar.bits + 1):
        small = adc.AdcBenchParams(sar=AdcParams(bits=bits), conversions=8)
        waves = pool.run(adc.conversion_train(small).text())
        energy = {name: 1e15 * float(np.mean(e[1:])) for name, e in conversion_energies(waves, small, 8).items()}
        parts = ", ".join(f"{name} {value:.1f}" for name, value in energy.items())
        print(f"  {bits} bit: {sum(energy.values()):.1f} fJ a conversion ({parts}), {small.t_slot * 1e9:.1f} ns")


def print_levels(name: str, v_transition: np.ndarray) -> None:
    """Print the linearity that transition levels have."""
    dnl, inl = nonlinearity(v_transition)
    sine = coherent_sine(v_transition, samples=4099, cycles=101)
    effective = effective_bits(quantised(sine, v_transition).astype(float), 101)
    print(
        f"  {name}: DNL {np.max(np.abs(dnl)):.3f}, INL {np.max(np.abs(inl)):.3f} steps, {effective:.2f} effective bits"
    )


def print_current_sense(pool: SpicePool) -> None:
    """Print the reads of the current sense amplifier."""
    params = CurrentSenseBenchParams()
    waves = pool.run(current_train(params).text())
    found = current_sense_measures.current_reads(waves, params, params.reads)
    print(f"Current sense amplifier, reference {params.g_ref * 1e6:.0f} uS")
    for k, g in enumerate(params.conductances):
        what = "more" if found.low_resistance[k] else "less"
        print(
            f"  {g * 1e6:7.2f} uS: {what}, line {found.v_line[k] * 1e3:.1f} mV, "
            f"difference {found.v_sense[k] * 1e3:.2f} mV, {found.energy[k] * 1e15:.0f} fJ"
        )


def print_row_drivers(pool: SpicePool) -> None:
    """Print levels, settling and energy of the row drivers."""
    params = row_driver.RowDriverBenchParams()
    waves = pool.run(row_driver.level_train(params).text())
    found = row_driver_measures.levels(waves, params, len(params.codes))
    ideal = np.array([params.driver.v_level(code) for code in params.codes])
    sag, slow = np.max(ideal - found.v_row), np.max(found.t_settle)
    print(f"Multi-level source: sag up to {sag * 1e3:.2f} mV, settled in {slow * 1e9:.3f} ns,")
    print(f"  {np.mean(found.energy) * 1e15:.0f} fJ a level of {params.t_level * 1e9:.0f} ns")
    word = row_driver.SerialRowDriverBenchParams()
    waves = pool.run(row_driver.word_train(word).text())
    energy = row_driver_measures.word_energy(waves, word)
    print(
        f"Bit-serial driver: a word of {word.bits} bits, "
        + ", ".join(f"{k} {e * 1e15:.0f} fJ" for k, e in energy.items())
    )


def main() -> None:
    """Print everything."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("draws", nargs="?", type=int, default=200, help="draws of the latch's transistors")
    draws = parser.parse_args().draws
    with SpicePool(timeout=600) as pool:
        print_sense_amp(pool, draws)
        print_readout(pool)
        print_adc(pool)
        print_current_sense(pool)
        print_row_drivers(pool)


if __name__ == "__main__":
    main()
