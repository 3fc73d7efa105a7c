"""Write driver: levels, pulse shape, energy with and without the driver, half-select disturb. A few minutes.

Run it from the repository's root: `python benchmarks/write_driver.py [pulses]` (default: 40 pulses a staircase).
"""

import sys

import numpy as np

from rramkit.characterization.components.cell import pulse_energies
from rramkit.characterization.components.disturb import disturbances
from rramkit.characterization.components.write_driver import (
    MeasuredPulse,
    cell_energies,
    driven_conductances,
    pulse_shapes,
    supply_energies,
)
from rramkit.characterization.engine.pool import SpicePool
from rramkit.circuits.cell import CellParams, Polarity, PulseParams, WriteParams, write_staircase
from rramkit.circuits.disturb import DisturbBenchParams, half_select, neighbour_states, write_disturb
from rramkit.circuits.write_driver import DriverResetParams, DriverWriteParams, driven_write
from rramkit.circuits.write_verify import WriteVerifyParams, write_verify

SET: tuple[Polarity, float] = ("set", 0.55)
RESET: tuple[Polarity, float] = ("reset", 0.95)
STARTS = (0.3, 0.7, 0.95)


def main() -> None:
    """Print one section for each figure."""
    pulses = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with SpicePool(timeout=900) as pool:
        for params in (
            DriverWriteParams(state=0.55, pulses=pulses),
            DriverResetParams(pulses=pulses),
        ):
            staircase(pool, params)
        for polarity, state in (SET, RESET):
            closed_loop(pool, polarity, state)
        gated(pool)
        ungated(pool)


def staircase(pool: SpicePool, params: DriverWriteParams) -> None:
    """Print levels, shape and energy of one staircase."""
    waves = pool.run(driven_write(params).text())
    g, sign = driven_conductances(waves, params), 1 if params.polarity == "set" else -1
    steps = sign * np.diff(g)
    print(f"{params.polarity.upper()} through the driver: {params.pulses} pulses, codes {params.codes[0]} to 63")
    print(f"  levels       {np.sum(steps > 0)} of {params.pulses} pulses step the right way (over 0.1 uS: "
          f"{np.sum(steps > 1e-7)}); {g[0] * 1e6:.2f} to {g[-1] * 1e6:.2f} uS; "
          f"steps {steps.min() * 1e6:.2f} to {steps.max() * 1e6:.2f} uS")  # fmt: skip
    shapes = pulse_shapes(waves, params)
    for name, unit, scale in (("overshoot", "mV", 1e3), ("droop", "mV", 1e3), ("t_settle", "ns", 1e9)):
        values = np.array([getattr(shape, name) for shape in shapes]) * scale
        print(f"  {name:12} {values.min():.1f} to {values.max():.1f} {unit}")
    offsets = np.array([offset(shape) for shape in shapes]) * 1e3
    print(f"  offset       {offsets.min():.1f} to {offsets.max():.1f} mV (line before the pulse, against the code)")
    supplies = supply_energies(waves, params)
    total, cell = sum(supplies.values()), cell_energies(waves, params)
    means = ", ".join(f"{name} {np.mean(values) * 1e12:.2f}" for name, values in supplies.items())
    print(f"  supplies     {np.mean(total) * 1e12:.1f} pJ a pulse ({means})")
    print(f"  cell         {np.mean(cell) * 1e12:.1f} pJ a pulse; without the driver (ideal sources behind 100 ohm): "
          f"{np.mean(without_driver(pool, params)) * 1e12:.1f} pJ\n")  # fmt: skip


def offset(shape: MeasuredPulse) -> float:
    """Return the error of the settled line against its code's voltage [V]."""
    return shape.v_settled - shape.v_level


def without_driver(pool: SpicePool, params: DriverWriteParams) -> np.ndarray:
    """Return the energies (P,) [J] of the same staircase from ideal drivers."""
    ideal = WriteParams(
        cell=params.cell,
        pulse=PulseParams(v_bl_set=params.driver.v_bl_set, v_wl_reset=params.driver.v_write, t_pulse=params.t_pulse),
        polarity=params.polarity,
        state=params.state,
        v_first=params.amplitudes[0],
        v_last=params.amplitudes[-1],
        pulses=params.pulses,
    )
    return pulse_energies(pool.run(write_staircase(ideal).text()), ideal)


def closed_loop(pool: SpicePool, polarity: Polarity, state: float) -> None:
    """Print where write-verify stops for three targets."""
    print(f"Write-verify, {polarity.upper()}, 12 pulses at the most")
    for g_target in (15e-6, 30e-6, 50e-6):
        params = WriteVerifyParams(polarity=polarity, state=state, g_target=g_target, pulses=12)
        waves = pool.run(write_verify(params).text())
        t_done, divider = waves.measures.get("t_done"), waves.measures[f"v_divider_{params.pulses}"]
        g = (2 * params.driver.v_read - divider) / divider * g_target
        count = sum(params.pulse_interval(k)[1] < t_done for k in range(params.pulses)) if t_done else params.pulses
        print(f"  target {g_target * 1e6:.0f} uS: {count} pulses, {g * 1e6:.2f} uS")
    print()


def gated(pool: SpicePool) -> None:
    """Print the disturb of gated neighbours by pulses at full amplitude."""
    print("Neighbours of the gated 1T1R, full amplitude: change of state (range 1) a pulse, first and fourth")
    for polarity, state in (SET, RESET):
        params = DisturbBenchParams(polarity=polarity, state=state)
        changes = disturbances(pool.run(write_disturb(params).text()), params)
        for node, (where, start) in neighbour_states(params).items():
            first, last = changes[node][0], changes[node][-1]
            print(f"  {polarity:6} {where} from {start:<5} {first:+.1e} {last:+.1e}   1,000 pulses: {1000 * last:+.1e}")
    print()


def ungated(pool: SpicePool) -> None:
    """Print the disturb of V/2 biasing with the word line open."""
    print("V/2, word line open: change of state after 10 and 100 pulses, and 1,000 by proportion")
    rows: tuple[tuple[Polarity, float], ...] = (
        ("set", 1.7),
        ("set", 2.2),
        ("reset", 1.8),
        ("reset", 2.0),
        ("reset", 2.4),
    )
    for polarity, v_line in rows:
        for start in STARTS:
            found = []
            for pulses in (10, 100):
                params = half_select(CellParams(), polarity=polarity, v_line=v_line, state=start, pulses=pulses)
                found.append(float(pool.run(write_staircase(params).text())["state"][-1]) - start)
            print(
                f"  {polarity:6} V = {v_line} V from {start:<5} {found[0]:+.2e} {found[1]:+.2e}   {10 * found[1]:+.1e}"
            )


if __name__ == "__main__":
    main()
