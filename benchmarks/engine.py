"""The characterisation engine against a plain PySpice loop, and what it costs: speed, start, memory, size.

    python benchmarks/engine.py speed     points a second: plain loop, one worker, two; share of time outside ngspice
    python benchmarks/engine.py start     from the command to the end of its first run, plan of 10,000 points
    python benchmarks/engine.py size      10,000 points: memory of parent and workers, size of the files

The plain loop is what a user of PySpice writes: one process, PySpice's own simulator, for each point a circuit, a run,
an interpolation; the circuit, its options and its time step are those of the kit's own staircase of one pulse.
"""

import argparse
import multiprocessing
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from rramkit.characterization.batch import Bench
from rramkit.characterization.cell_pulses import AskedPulses, results
from rramkit.characterization.cell_read import StateMap, state_map
from rramkit.characterization.plan import Plan
from rramkit.characterization.pool import SpicePool
from rramkit.characterization.progress import silent
from rramkit.characterization.store import Store

PLAN = Plan()
TEN_THOUSAND = ("conductance.points=100", "set.points=50", "reset.points=50")
COMMAND = "import sys; sys.argv[0] = 'rramkit'; from rramkit.cli import main; main()"
FIRST = """
import sys, time
from contextlib import contextmanager
from rramkit.cli import characterize
@contextmanager
def until_the_first(*, quiet):
    def told(progress):
        print(time.time() - float(sys.argv.pop()))
        raise SystemExit
    yield told
characterize.spice_progress = until_the_first
sys.argv[0], began = "rramkit", sys.argv.pop()
from rramkit.cli import main
sys.argv.append(began)
from rramkit.cli.app import run
run(sys.argv[1:-1])
"""


def asked(states: StateMap, count: int) -> AskedPulses:
    """Return `count` SET pulses over the plan's window and amplitudes."""
    rng = np.random.default_rng(1)
    g = rng.uniform(PLAN.conductance.g_min, PLAN.conductance.g_max, count)
    v = np.sort(rng.uniform(PLAN.set.v_first, PLAN.set.v_last, count))
    return AskedPulses("set", states.state_of(g), v, PLAN.pulse.t_step)


def plain_loop(state: np.ndarray, v_pulse: np.ndarray, answer: "multiprocessing.Queue") -> None:
    """Run single pulses as a user of PySpice would; put the seconds taken and the changes of conductance [S]."""
    import logging

    from PySpice.Spice.NgSpice.Shared import NgSpiceShared

    from rramkit.characterization.ngspice.library import enter, find_library
    from rramkit.circuits import libraries
    from rramkit.circuits.cell_bench import TRANSIENT_OPTIONS, WriteParams, write_staircase

    logging.disable(logging.CRITICAL)  # PySpice calls harmless lines of a newer ngspice errors
    library = find_library()
    enter(library, Path(tempfile.mkdtemp(prefix="rramkit-plain-")))
    NgSpiceShared.LIBRARY_PATH = str(library.path)
    changes, began = [], 0.0
    for k, (s, v) in enumerate(zip(state[[0, *range(state.size)]], v_pulse[[0, *range(state.size)]], strict=True)):
        if k == 1:
            began = time.perf_counter()  # the first one loads the library
        params = WriteParams(cell=PLAN.cell, state=float(s), v_first=float(v), v_last=float(v), pulses=1)
        deck = write_staircase(params)
        deck.circuit.raw_spice += "\n".join(libraries.text(name) for name in deck.libraries) + "\n"
        simulator = deck.circuit.simulator(temperature=27, nominal_temperature=27)
        simulator.options(**dict(word.split("=") for word in TRANSIENT_OPTIONS.split()))
        waves = simulator.transient(
            step_time=PLAN.pulse.t_step,
            end_time=params.t_slot + params.read.t_read + 4 * params.pulse.t_rise,
            max_time=PLAN.pulse.t_step,
            use_initial_condition=True,
        )
        times = [params.t_read_at(0), params.t_read_at(1)]
        before, after = np.interp(times, np.array(waves.time), np.array(waves["v_sl"])) / params.read.v_read
        changes.append(after - before)
    answer.put((time.perf_counter() - began, np.array(changes[1:])))


def speed(count: int, rounds: int) -> None:
    """Print points a second of the three ways, the best of several rounds each, taken in turn."""
    context = multiprocessing.get_context("spawn")
    with SpicePool(workers=1) as one, SpicePool(workers=2) as two, tempfile.TemporaryDirectory() as folder:
        states = state_map(Bench(one, silent), PLAN)
        pulses = asked(states, count)
        best, change, outside = dict.fromkeys(("plain", "one", "two"), np.inf), {}, 1.0
        for k in range(rounds):
            queue = context.Queue()
            process = context.Process(target=plain_loop, args=(pulses.state, pulses.v_pulse, queue))
            process.start()
            seconds, change["plain"] = queue.get()
            process.join()
            best["plain"] = min(best["plain"], seconds)
            for name, pool in (("one", one), ("two", two)):
                with Store(Path(folder) / f"{name}{k}.points") as store:
                    bench = Bench(pool, silent, store=store)
                    bench.run("warm", asked(states, 16 * pool.workers).runs(PLAN))
                    ngspice, began = bench.tally.seconds, time.perf_counter()
                    outcomes = bench.run("pulses", pulses.runs(PLAN))
                    seconds = time.perf_counter() - began
                best[name] = min(best[name], seconds)
                change[name] = results(pulses, states, outcomes).delta_g
                if name == "two":
                    outside = min(outside, 1 - (bench.tally.seconds - ngspice) / (2 * seconds))
    window = PLAN.conductance.g_max - PLAN.conductance.g_min
    print(f"{count} SET pulses, best of {rounds}, points a second:")
    for name, seconds in best.items():
        error = np.max(np.abs(change[name] - change["plain"])) / window
        print(f"  {name:6s} {count / seconds:7.1f}   largest difference to the plain loop {error:.1e} of the window")
    print(f"two workers / one            {best['one'] / best['two']:.2f}   (asked: 1.8)")
    print(f"two workers / plain loop     {best['plain'] / best['two']:.2f}   (asked: 5)")
    print(f"one worker / plain loop      {best['plain'] / best['one']:.2f}")
    print(f"time outside ngspice         {outside:.1%}   (asked: 20 %)")


def start(rounds: int) -> None:
    """Print the seconds from the command to the end of its first run."""
    found = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            given = [word for pair in TEN_THOUSAND for word in ("-s", pair)]
            command = [sys.executable, "-c", FIRST, "characterize", "-q", *given, str(time.time())]
            done = subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, env=environment())
            found.append(float(done.stdout.split()[0]))
    print(f"command to the end of the first run, 10,000 points: best {min(found):.2f} s, worst {max(found):.2f} s")


def size() -> None:
    """Print memory and sizes of a run of 10,000 points."""
    with tempfile.TemporaryDirectory() as folder:
        given = [word for pair in TEN_THOUSAND for word in ("-s", pair)]
        began = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-c", COMMAND, "characterize", *given], cwd=folder, env=environment()
        ) as run:
            parent, workers = [], []
            while run.poll() is None:
                time.sleep(0.5)
                parent.append(resident(run.pid))
                workers.append(max((resident(pid) for pid in children(run.pid)), default=0.0))
        seconds = time.perf_counter() - began
        print(f"\n{seconds:.0f} s; exit code {run.returncode}")
        for name, rows in (("parent", parent), ("largest worker", workers)):
            early, late = rows[len(rows) // 10], max(rows[-len(rows) // 5 : -3])
            print(f"{name}: {early:.0f} MB after a tenth, {late:.0f} MB near the end, peak {max(rows):.0f} MB")
        for path in sorted(Path(folder).iterdir()):
            print(f"{path.name}: {path.stat().st_size / 1e6:.2f} MB")


def resident(pid: int) -> float:
    """Return the resident memory of a process in MB; 0 when it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def children(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    try:
        found = [path.read_text().split() for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except OSError:
        return []
    return [int(child) for each in found for child in each]


def environment() -> dict[str, str]:
    """Return this process' environment, with the checkout on the path."""
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "start", "size"))
    parser.add_argument("--points", type=int, default=384)
    parser.add_argument("--rounds", type=int, default=3)
    asked_for = parser.parse_args()
    if asked_for.what == "speed":
        speed(asked_for.points, asked_for.rounds)
    elif asked_for.what == "start":
        start(asked_for.rounds)
    else:
        size()
