"""Two checkouts of the kit, side by side: `python benchmarks/versions.py OLD NEW [--design] [--runs N]`.

Both are set up (`make setup`). The demo, or with `--design` the characterisation of the default design, runs in each
in turn, N times, from an empty folder; printed are the wall-clock and the processor seconds of each run with all its
child processes, and the ratio of the smallest ones. `--keep FOLDER` keeps what the last run of each wrote, in
FOLDER/old and FOLDER/new.
"""

import argparse
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter


@dataclass(frozen=True)
class Cost:
    """What one run took, with its child processes: wall-clock and processor time (s)."""

    wall: float
    processor: float


def run(checkout: Path, command: list[str], keep: Path | None) -> Cost:
    """Run a command of a checkout's kit in an empty folder, which moves to `keep` afterwards."""
    environment = os.environ | {"PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    before, started = os.times(), perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        program = [str(checkout / ".venv" / "bin" / "rramkit"), *command]
        subprocess.run(program, cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
        after, ended = os.times(), perf_counter()
        if keep is not None:
            shutil.rmtree(keep, ignore_errors=True)
            shutil.copytree(folder, keep)
    processor = after.children_user + after.children_system - before.children_user - before.children_system
    return Cost(ended - started, processor)


def main(checkouts: list[Path], *, design: bool, runs: int, keep: Path | None) -> None:
    """Run both in turn; print each run and the ratio of new over old."""
    command = ["characterize", "--plan", "design", "-q", "-o", "design.h5"] if design else ["demo", "-o", "demo"]
    costs: dict[Path, list[Cost]] = {checkout: [] for checkout in checkouts}
    for number in range(runs):
        for name, checkout in zip(("old", "new"), checkouts, strict=True):
            cost = run(checkout, command, None if keep is None else keep / name)
            costs[checkout].append(cost)
            print(f"run {number + 1}, {checkout}: {cost.wall:.1f} s, {cost.processor:.1f} s of processor", flush=True)
    old, new = (costs[checkout] for checkout in checkouts)
    for what in ("wall", "processor"):
        least = [min(getattr(cost, what) for cost in each) for each in (old, new)]
        print(f"{what}: new over old {least[1] / least[0]:.2f} ({least[1]:.1f} over {least[0]:.1f} s)")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", type=Path, help="checkout before")
    parser.add_argument("new", type=Path, help="checkout after")
    parser.add_argument("--design", action="store_true", help="characterise the default design, not the demo")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    main([given.old.resolve(), given.new.resolve()], design=given.design, runs=given.runs, keep=given.keep)
