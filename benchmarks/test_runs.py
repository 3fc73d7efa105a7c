"""Is `make test` green every time? Runs it idle and beside busy processes; logs each closing line with its times.

    python benchmarks/test_runs.py --idle 10 --loaded 5 --load 8 --log test_runs.log

Exits with 1 when a run failed. A run that hangs is ended after `--hang` seconds of the wall clock.
"""

import argparse
import os
import re
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CLOSING = re.compile(r"(?m)^=+ .*(?:passed|failed|error|no tests ran).* =+$")
FAULTS = re.compile(r"(?m)^(?:FAILED|ERROR) .*$")


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Keep so many processes busy during the block."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def run(command: str, *, hang: float) -> tuple[bool, str, float, float]:
    """Run the command in the checkout; return whether it passed, its output, wall-clock and processor seconds."""
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    process = subprocess.Popen(
        command, shell=True, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        output, _ = process.communicate(timeout=hang)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output = f"{process.communicate()[0]}\nFAILED it hangs: no end within {hang:g} s"
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return process.returncode == 0, output, time.monotonic() - started, cpu


def main() -> int:
    """Run and log; return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--idle", type=int, default=10, help="runs without other load")
    parser.add_argument("--loaded", type=int, default=5, help="runs beside busy processes")
    parser.add_argument("--load", type=int, default=8, help="busy processes")
    parser.add_argument("--hang", type=float, default=7200.0, help="wall-clock seconds after which a run hangs")
    parser.add_argument("--command", default="make test")
    parser.add_argument("--log", type=Path, default=Path("test_runs.log"))
    options = parser.parse_args()
    failed = 0
    for number, load in enumerate([0] * options.idle + [options.load] * options.loaded, start=1):
        began = f"{datetime.now():%Y-%m-%d %H:%M:%S}"
        with busy(load):
            passed, output, wall, cpu = run(options.command, hang=options.hang)
        failed += not passed
        closing = (CLOSING.findall(output) or ["no closing line"])[-1].strip("= ")
        state = "green" if passed else "RED"
        lines = [f"{began}  run {number}, load {load}: {state}, {wall:.0f} s, {cpu:.0f} s processor time: {closing}"]
        lines += [f"    {fault}" for fault in FAULTS.findall(output)]
        with options.log.open("a", encoding="utf-8") as log:
            log.write("\n".join(lines) + "\n")
        print("\n".join(lines), flush=True)
        if not passed:
            options.log.with_suffix(f".{number}.txt").write_text(output, encoding="utf-8")
    print(f"{failed} of {options.idle + options.loaded} runs failed; log: {options.log}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
