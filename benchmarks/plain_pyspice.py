"""Single write pulses as a user of PySpice would run them: one process, PySpice's own simulator, one run for each."""

import logging
import tempfile
import time
from pathlib import Path
from queue import Queue
from typing import Any

import numpy as np

from rramkit.characterization.ngspice.library import enter, find_library
from rramkit.characterization.plan import Plan
from rramkit.circuits import libraries
from rramkit.circuits.cell import TRANSIENT_OPTIONS, WriteParams, write_staircase


def plain_loop(plan: Plan, state: np.ndarray, v_pulse: np.ndarray, answer: "Queue[tuple[float, np.ndarray]]") -> None:
    """Run a SET pulse from each state (N,) at each amplitude (N,) [V]; return seconds and changes (N,) [S].

    The circuit, its options and its time step are those of the kit's staircase of one pulse. The first run, which
    loads the library, does not count.
    """
    from PySpice.Spice.NgSpice.Shared import NgSpiceShared

    logging.disable(logging.CRITICAL)  # PySpice reports harmless lines of a newer ngspice as errors
    library = find_library()
    with tempfile.TemporaryDirectory(prefix="rramkit-plain-") as folder:
        enter(library, Path(folder))
        NgSpiceShared.LIBRARY_PATH = str(library.path)
        _pulse(plan, float(state[0]), float(v_pulse[0]))
        began = time.perf_counter()
        changes = [_pulse(plan, float(s), float(v)) for s, v in zip(state, v_pulse, strict=True)]
        answer.put((time.perf_counter() - began, np.array(changes)))


def _pulse(plan: Plan, state: float, v_pulse: float) -> float:
    params = WriteParams(
        cell=plan.cell, read=plan.read, pulse=plan.pulse, state=state, v_first=v_pulse, v_last=v_pulse, pulses=1
    )
    deck = write_staircase(params)
    deck.circuit.raw_spice += "\n".join(libraries.text(name) for name in deck.libraries) + "\n"
    simulator: Any = deck.circuit.simulator(temperature=27, nominal_temperature=27)
    simulator.options(**{name: value for name, _, value in (w.partition("=") for w in TRANSIENT_OPTIONS.split())})
    waves = simulator.transient(
        step_time=plan.pulse.t_step,
        end_time=params.t_slot + params.read.t_read + 4 * params.pulse.t_rise,
        max_time=plan.pulse.t_step,
        use_initial_condition=True,
    )
    times = [params.t_read_at(0), params.t_read_at(1)]
    before, after = np.interp(times, np.array(waves.time), np.array(waves["v_sl"])) / params.read.v_read
    return float(after - before)
