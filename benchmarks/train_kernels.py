"""LeNet-5 with NumPy and with compiled kernels beside PyTorch: `python benchmarks/train_kernels.py TABLES.h5`.

Needs PyTorch and numba (the extras `torch` and `fast`), and RRAMKIT_DATA naming the folder of MNIST's files. Prints
milliseconds of processor time of a training step on one thread (set OMP_NUM_THREADS=1); the sides take turns in one
process, so that work beside them slows all alike. Networks and settings are those of `train_throughput.py`.
"""
# pyright: reportMissingImports=false

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from train_throughput import EVERYTHING, WARM, ours, pytorch

from rramkit import compiling, table
from rramkit.learning.data import DataSettings

TURNS, STEPS = 5, 8
CASES = {
    "converters and noise typed, wires": {"chip": {"ideal_periphery": True}},
    "without wires": {"chip": {"ideal_periphery": True}, "mapping": {**EVERYTHING["mapping"], "wires": False}},
    "every stage of the file": {"mapping": {"wires": True}},
}
KERNELS = {"NumPy": "numpy", "compiled": "compiled"}


def main(tables: Path) -> None:
    """Print milliseconds a step of each side, median and lowest, and its speed over PyTorch's."""
    import torch  # an extra

    torch.set_num_threads(1)
    data, file = DataSettings(name="mnist").loaded(seed=1), table.load(tables)
    for case, changes in CASES.items():
        steps: dict[str, Callable[[int], None]] = {"PyTorch": pytorch(data)}
        for name in KERNELS:
            use(name)
            steps[name] = ours(data, file, changes)
        times = taken(steps)
        print(case)
        for name, each in times.items():
            ratio = np.median(times["PyTorch"]) / np.median(each)
            print(f"  {name:10} {np.median(each):6.1f} ms, lowest {min(each):6.1f} ms, {ratio:.2f} of PyTorch's speed")


def taken(steps: dict[str, Callable[[int], None]]) -> dict[str, list[float]]:
    """Return milliseconds of a step in each turn of each side; the first turn warms up."""
    times: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(TURNS + 1):
        for name, step in steps.items():
            use(name)
            started = time.process_time()
            for number in range(STEPS):
                step(WARM + STEPS * turn + number)
            if turn:
                times[name].append((time.process_time() - started) / STEPS * 1e3)
    return times


def use(name: str) -> None:
    """Let the kit run one side's kernels."""
    if name in KERNELS:
        os.environ[compiling.VARIABLE] = KERNELS[name]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
