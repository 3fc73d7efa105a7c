"""The sky130 cell as behavioural sources against the same equations in Verilog-A: numbers and processor seconds.

python benchmarks/verilog_a.py [--side 4]

Pulse trains behind 5 kohm, held reads, and the write of one cell in an array with all states moving. Seconds are those
of the ngspice process, the smallest of three. It needs the Verilog-A compiler (`rramkit doctor`).
"""

import argparse
import os
import tomllib
from pathlib import Path

import numpy as np

from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.crossbar_write import CrossbarWriteParams, array_write
from rramkit.circuits.device import Device, DevicePulseParams, HeldReadsParams, held_reads, pulse_train
from rramkit.parameters import beside
from rramkit.processes.processor_time import usage

EXAMPLE = Path(__file__).parents[1] / "examples" / "own_device_va" / "sky130.toml"
STATES = (0.1, 0.3, 0.55, 0.8)
TRAINS = ((1.9, -1.5), (2.3, -1.7), (-1.9, 2.0))


def main() -> None:
    """Print the largest differences, and the ratio of the times."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--side", type=int, default=4)
    given = parser.parse_args()
    with beside(EXAMPLE):
        compiled = Device.checked(tomllib.loads(EXAMPLE.read_text())["device"], where=str(EXAMPLE))
    devices = (Device(model="sky130"), compiled)
    with SpicePool(workers=1, timeout=3600.0) as pool:
        trains(pool, devices)
        reads(pool, devices)
        array(pool, devices, given.side)


def trains(pool: SpicePool, devices: tuple[Device, Device]) -> None:
    """Print how far states and currents of the pulse trains differ."""
    after, during, spent = 0.0, 0.0, [0.0, 0.0]
    for state in STATES:
        for v_pulse in TRAINS:
            waves: list[Waveforms] = []
            for k, device in enumerate(devices):
                params = DevicePulseParams(device=device, state=state, v_pulse=v_pulse, t_step=5e-11)
                found, seconds = timed(pool, pulse_train(params).text(), runs=1)
                waves.append(found)
                spent[k] += seconds
            after = max(after, *(abs(waves[0].measures[name] - waves[1].measures[name]) for name in waves[0].measures))
            times = np.linspace(0, waves[0]["time"][-1], 400)
            one, two = (np.interp(times, each["time"], each["i_drive"]) for each in waves)
            during = max(during, float(np.max(np.abs(one - two)) / np.max(np.abs(one))))
    print(
        f"{len(STATES) * len(TRAINS)} pulse trains: state after each pulse within {after:.1g}, current within ", end=""
    )
    print(f"{during:.1g} of its peak at all times; {spent[0]:.2f} against {spent[1]:.2f} s")


def reads(pool: SpicePool, devices: tuple[Device, Device]) -> None:
    """Print how far read currents differ."""
    states = tuple(np.linspace(0, 1, 11))
    currents = []
    for device in devices:
        waves = pool.run(held_reads(HeldReadsParams(device=device, state=states, v_read=0.1)).text())
        currents.append(np.array([waves[f"i_device_{k}"][[0, -1]] for k in range(len(states))]))
    print(f"reads at 0.1 V of {len(states)} states: within {np.max(np.abs(currents[1] / currents[0] - 1)):.1g}")


def array(pool: SpicePool, devices: tuple[Device, Device], side: int) -> None:
    """Print how far the states of an array after the write of one cell differ, and what the write costs."""
    found = []
    for device in devices:
        values = {"crossbar": {"rows": side, "cols": side, "cell": {"device": device.model_dump(exclude_unset=True)}}}
        deck = array_write(CrossbarWriteParams.checked(values, where="benchmark")).text()
        found.append(timed(pool, deck, runs=1))
    (one, first), (two, second) = found
    states = [name for name in one.vectors if name.startswith("s_")]
    worst = max(abs(float(one[name][-1] - two[name][-1])) for name in states)
    print(f"write in {side} x {side}: {len(states)} states within {worst:.1g}; {first:.2f} against {second:.2f} s")


def timed(pool: SpicePool, deck: str, *, runs: int = 3) -> tuple[Waveforms, float]:
    """Return the waveforms of a deck, and the smallest processor seconds of so many runs."""
    waves, spent = pool.run(deck), []
    for _ in range(runs):
        pids = [int(each.name) for each in pool.folder.iterdir() if each.name.isdigit()]
        before = sum(usage(pid).seconds for pid in pids)
        pool.run(deck)
        spent.append(sum(usage(pid).seconds for pid in pids) - before)
    return waves, max(min(spent), 1.0 / os.sysconf("SC_CLK_TCK"))


if __name__ == "__main__":
    main()
