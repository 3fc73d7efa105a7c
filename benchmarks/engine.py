"""The characterisation engine against a plain PySpice loop: speed, start time, memory, file size.

python benchmarks/engine.py speed     points a second: plain loop, one worker, two; share of time outside ngspice
python benchmarks/engine.py start     from the command to the end of its first run, plan of 10,000 points
python benchmarks/engine.py size      10,000 points: memory of parent and workers, size of the files
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
from plain_pyspice import plain_loop

from rramkit.characterization.components.cell import StateMap
from rramkit.characterization.engine.cases import Case, runs_of
from rramkit.characterization.engine.point import values_or_nan
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.engine.runner import Runner, silent
from rramkit.characterization.engine.store import Store
from rramkit.characterization.plan import Plan
from rramkit.characterization.spice_arrays import cell_states

PLAN = Plan()
TEN_THOUSAND = (
    *("conductance.points=100", "set.points=50", "reset.points=50"),
    # Small arrays: a worker's memory is then that of the pulses, of which there are 10,000.
    *(f"wires.{name}=8" for name in ("crossbar.rows", "crossbar.cols", "rows_max", "cols_max")),
)
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


MEASURES = ("state_end", "energy")
WRITE = PLAN.expanded()[1]
CONDITION = WRITE.corners.condition({})


def pulses_of(states: StateMap, count: int) -> list[Case]:
    """Return `count` SET pulses over the plan's window and amplitudes."""
    rng = np.random.default_rng(1)
    g = rng.uniform(PLAN.conductance.g_min, PLAN.conductance.g_max, count)
    v = np.sort(rng.uniform(PLAN.set.v_first, PLAN.set.v_last, count))
    coordinates = zip(states.state_of(g).tolist(), v.tolist(), strict=True)
    return [Case(WRITE.component, WRITE.nominal, (("state", s), ("v_first", u)), CONDITION) for s, u in coordinates]


def speed(count: int, rounds: int) -> None:
    """Print points a second of the three ways, the best of several rounds each, run alternately."""
    with SpicePool(workers=1) as one, SpicePool(workers=2) as two:
        states = cell_states(Runner(one, silent), PLAN)
        pulses = pulses_of(states, count)
        seconds: dict[str, list[float]] = {"plain": [], "one": [], "two": []}
        change, outside = {}, []
        for _ in range(rounds):
            taken, change["plain"] = plain(pulses)
            seconds["plain"].append(taken)
            for name, pool in (("one", one), ("two", two)):
                taken, inside, change[name] = engine(pool, states, pulses)
                seconds[name].append(taken)
                outside.append(1 - inside / (pool.workers * taken))
    best = {name: min(each) for name, each in seconds.items()}
    window = PLAN.conductance.g_max - PLAN.conductance.g_min
    print(f"{count} SET pulses, best of {rounds}, points a second:")
    for name, taken in best.items():
        error = np.max(np.abs(change[name] - change["plain"])) / window
        print(f"  {name:6s} {count / taken:7.1f}   largest difference to the plain loop {error:.1e} of the window")
    print(f"two workers / one            {best['one'] / best['two']:.2f}   (asked: 1.8)")
    print(f"two workers / plain loop     {best['plain'] / best['two']:.2f}   (asked: 5)")
    print(f"one worker / plain loop      {best['plain'] / best['one']:.2f}")
    print(f"time outside ngspice         {min(outside):.1%}   (asked: 20 %)")


def plain(pulses: list[Case]) -> tuple[float, np.ndarray]:
    """Return the plain loop's seconds and changes (N,) [S]; it runs in a process of its own."""
    context = multiprocessing.get_context("spawn")
    answer = context.Queue()
    process = context.Process(
        target=plain_loop, args=(PLAN, *np.array([[value for _, value in case.at] for case in pulses]).T, answer)
    )
    process.start()
    found = answer.get()
    process.join()
    return found


def engine(pool: SpicePool, states: StateMap, pulses: list[Case]) -> tuple[float, float, np.ndarray]:
    """Return the engine's seconds, those in ngspice, and the changes (N,) [S]; every point goes into a store."""
    with tempfile.TemporaryDirectory() as folder, Store(Path(folder) / "some.points") as store:
        bench = Runner(pool, silent, store=store)
        bench.run("warm", runs_of(pulses_of(states, 16 * pool.workers), MEASURES, [""] * 16 * pool.workers)[0])
        before, began = bench.tally.seconds, time.perf_counter()
        runs, order = runs_of(pulses, MEASURES, [""] * len(pulses))
        outcomes = bench.run("pulses", runs)
        seconds = time.perf_counter() - began
    ends = np.empty(len(pulses))
    ends[order] = values_or_nan(outcomes, (2,))[:, 0]
    starts = np.array([dict(case.at)["state"] for case in pulses])
    return seconds, bench.tally.seconds - before, states.g_of(ends) - states.g_of(starts)


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


def main() -> None:
    """Run the measurement that the command names."""
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


if __name__ == "__main__":
    main()
