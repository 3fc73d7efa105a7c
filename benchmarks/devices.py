"""Every device model and parameter set in ngspice against SciPy: state after pulse trains over a grid of conditions.

Run it as `python benchmarks/devices.py [--points 1000] [--workers N] [--step 0.5] [--ngspice PATH]`. Prints, for each
set: points, failed runs, mean change of the state by a pulse, rms and largest error of the state after each
pulse, seconds of ngspice; with the ngspice program, also the time steps that it rejected of those it tried, over the
first and the last point of the set's grid.
"""

import argparse
import itertools
import re
import subprocess
import tempfile
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.reference import state_after
from rramkit.circuits.device import Device, DevicePulseParams, pulse_train
from rramkit.errors import SimulationError

ASKED = 1e-3  # of the state's range, after a pulse train
STEPS = 20  # largest time step: this part of an edge


@dataclass(frozen=True)
class Case:
    """Range of a set: (lowest, highest) drive for SET and RESET [V] and width [s], behind `r_series` [ohm].

    The ranges begin where the state hardly moves and end where one pulse crosses much of its range. `t_step` [s]
    bounds the time step besides (the sky130 cell's temperature moves within 0.23 ns).
    """

    model: str
    parameter_set: str
    v_set: tuple[float, float]
    v_reset: tuple[float, float]
    t_pulse: tuple[float, float]
    r_series: float = 5e3
    t_step: float = 1.0


CASES = (
    Case("bulk", "default", (1.5, 3.0), (1.5, 2.2), (10e-9, 500e-9)),
    Case("bulk", "symmetric", (1.5, 3.0), (1.5, 3.0), (10e-9, 500e-9)),
    Case("sky130", "default", (1.6, 2.6), (1.6, 2.6), (20e-9, 200e-9), t_step=0.025e-9),
    Case("stanford", "default", (1.4, 3.0), (1.4, 3.0), (10e-9, 100e-9), 1e3),
    Case("stanford", "ted16_a", (1.2, 2.2), (1.5, 2.7), (5e-9, 500e-9)),
    Case("stanford", "ted16_b", (1.2, 2.2), (1.5, 2.7), (5e-9, 500e-9)),
    Case("stanford", "ted16_c", (1.2, 2.2), (1.5, 2.7), (5e-9, 500e-9)),
    Case("stanford", "ted16_d", (1.2, 2.2), (1.0, 2.4), (5e-9, 500e-9), 20e3),
    Case("stanford", "ted16_e", (1.2, 2.2), (1.0, 2.4), (5e-9, 500e-9), 20e3),
    Case("stanford", "ted16_f", (1.2, 2.2), (1.0, 2.4), (5e-9, 500e-9), 20e3),
    Case("vteam", "default", (0.25, 0.45), (0.3, 1.2), (5e-9, 100e-9), 20.0),
    Case("vteam", "biolek", (1.0, 3.0), (1.0, 3.0), (0.05, 1.0), 1e3),
    Case("yakopcic", "default", (0.3, 1.2), (0.3, 1.2), (5e-6, 200e-6), 10.0),
    Case("yakopcic", "ltspice", (0.8, 1.5), (0.8, 1.5), (5e-6, 200e-6), 10.0),
    Case("jart", "default", (0.8, 1.4), (1.2, 2.2), (5e-9, 500e-9), 500.0),
)


def grid(case: Case, *, points: int, step: float) -> list[DevicePulseParams]:
    """Return amplitude x width x start state: SET, RESET, SET with both amplitudes at the same place of their range."""
    side = max(round(points ** (1 / 3)), 2)
    amplitudes = zip(np.linspace(*case.v_set, side), np.linspace(*case.v_reset, side), strict=True)
    widths, states = np.geomspace(*case.t_pulse, side), np.linspace(0.02, 0.98, max(-(-points // side**2), 2))
    return [
        DevicePulseParams(
            device=Device(model=case.model, parameter_set=case.parameter_set),
            state=float(state),
            r_series=case.r_series,
            v_pulse=(float(up), -float(down), float(up)),
            t_pulse=float(width),
            t_rise=float(width) / 20,
            t_rest=float(width) / 10,
            t_step=step * min(float(width) / 20 / STEPS, case.t_step),
        )
        for (up, down), width, state in itertools.product(amplitudes, widths, states)
    ]


def simulated(pool: SpicePool, trains: list[DevicePulseParams]) -> tuple[np.ndarray, float, list[SimulationError]]:
    """Return the state (N, P) after each pulse, NaN where the run failed; seconds of ngspice; the failures."""
    states = np.full((len(trains), len(trains[0].v_pulse)), np.nan)
    seconds, failures = 0.0, []
    for k, waves in pool.map((k, lambda p=p: pulse_train(p).text()) for k, p in enumerate(trains)):
        if isinstance(waves, SimulationError):
            failures.append(waves)
            continue
        times = [trains[k].t_after(pulse) for pulse in range(states.shape[1])]
        states[k] = np.interp(times, waves["time"], waves["state"])
        seconds += waves.seconds
    return states, seconds, failures


def step_counts(ngspice: str, trains: list[DevicePulseParams]) -> str:
    """Return rejected/tried time steps of some trains, run by the bare program, which counts them."""
    counts = {"Rejected": 0, "Transient": 0}
    for train in trains:
        with tempfile.TemporaryDirectory() as folder:
            deck = Path(folder) / "train.cir"
            deck.write_text(pulse_train(train).text().replace(".options ", ".options acct "), encoding="utf-8")
            run = subprocess.run(
                [ngspice, "-n", "-b", deck.name], cwd=folder, capture_output=True, text=True, check=False
            )
        for name in counts:
            found = re.search(rf"{name} timepoints = (\d+)", run.stdout)
            counts[name] += int(found[1]) if found else 0
    return f"{counts['Rejected']}/{counts['Transient']}"


def main() -> None:
    """Run all cases and print one line for each."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--points", type=int, default=1000, help="grid points over all cases")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--step", type=float, default=1.0, help="time step, as a factor on the default")
    parser.add_argument("--ngspice", default="", help="the ngspice program, for counts of rejected time steps")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    given = parser.parse_args()
    per_case = -(-given.points // len(CASES))
    cases = [case for case in CASES if given.only in f"{case.model} {case.parameter_set}"]
    print(f"{'set':<20} points failed   moved      rms error  max error  seconds  rejected/tried")
    failed, count, worst = 0, 0, 0.0
    with SpicePool(workers=given.workers) as pool, ProcessPoolExecutor(given.workers) as executor:
        for case in cases:
            trains = grid(case, points=per_case, step=given.step)
            reference = executor.map(state_after, trains, chunksize=4)
            states, seconds, failures = simulated(pool, trains)
            expected = np.array(list(reference))
            error = np.abs(states - expected)
            start = np.array([[train.state] for train in trains])
            moved = np.mean(np.abs(np.diff(expected, axis=1, prepend=start)))
            rms, largest = np.sqrt(np.nanmean(error**2)), np.nanmax(error)
            failed, count, worst = failed + len(failures), count + len(trains), max(worst, float(largest))
            name = f"{case.model} {case.parameter_set}"
            steps = step_counts(given.ngspice, [trains[0], trains[-1]]) if given.ngspice else ""
            print(
                f"{name:<20} {len(trains):6d} {len(failures):6d}   {moved:9.3f}  {rms:9.2e}  {largest:9.2e}"
                f"  {seconds:7.1f}  {steps}",
                flush=True,
            )
            for failure in failures[:1]:
                print(f"    first failure: {failure}")
    print(f"{count} points, {failed} failed, largest error {worst:.2e} (asked: {ASKED:g})")


if __name__ == "__main__":
    main()
