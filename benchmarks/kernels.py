"""Processor time of each compiled kernel over that of its NumPy reference, in one run: `python benchmarks/kernels.py`.

Needs numba (the extra `fast`). Sizes: the first layer of LeNet-5 at a batch of 64 (6 pairs, 50,176 windows), and an
array of 65 x 96 cells behind wires, its conductance curves, and amplitudes for 100 of its cells; for the look-up of
codes, units of an 8-bit ADC. The lowest of `TURNS` turns counts, each
kernel and its reference in turn, on one thread.
"""

import os
import time
from collections.abc import Callable

import numpy as np

from rramkit import compiling
from rramkit.array.elimination import Ladder
from rramkit.array.kernels import parts, reference
from rramkit.array.stages.adc import Adc
from rramkit.array.stages.readout import Readout, ReadoutGain
from rramkit.array.stages.sense_unit import LookUp, UnitDraws
from rramkit.array.threads import alone

TURNS, VECTORS, OUTPUTS = 7, 50_176, 12


def main() -> None:
    """Print microseconds of the reference and of the compiled kernel, and their ratio."""
    os.environ[parts.VARIABLE] = "1"
    print(f"{compiling.family()}, NumPy {np.__version__}")
    with alone():
        for name, case in CASES.items():
            slow, fast = seconds(name, case)
            print(f"{name:16} NumPy {1e6 * slow:7.0f} us   compiled {1e6 * fast:7.0f} us   {slow / fast:4.1f} times")


def seconds(name: str, case: Callable[[], tuple[object, ...]]) -> tuple[float, float]:
    """Return the lowest processor time of the reference and of the compiled kernel (s)."""
    from rramkit.array.kernels import compiled

    lowest = [np.inf, np.inf]
    for _ in range(TURNS + 1):  # the first compiles
        for at, module in enumerate((reference, compiled)):
            arguments = case()
            named = {"axis": -1} if name == "noisy_halves" else {}
            started = time.process_time()
            getattr(module, name)(*arguments, **named)
            lowest[at] = min(lowest[at], time.process_time() - started)
    return lowest[0], lowest[1]


def numbers(outputs: int, scale: float) -> np.ndarray:
    """Return numbers (VECTORS, outputs) whose vectors lie side by side, as a convolution's do."""
    return np.random.default_rng(1).random((outputs, VECTORS), dtype=np.float32).T * np.float32(scale)


def sensed() -> tuple[object, ...]:
    """Return currents and the look-up of six sense units."""
    gain = ReadoutGain(r_feedback=1e4, i_in=(0.0, 5e-5, 1e-4), v_out=(0.0, 0.5, 0.95))
    draws = UnitDraws(np.zeros(6), np.zeros(6), np.zeros((6, 1)))
    readout, adc, unit = Readout(gains=(gain,), v_rest=0.4), Adc(bits=8, v_low=0.4, v_high=1.4), np.arange(OUTPUTS) // 2
    look_up = LookUp.of(readout, adc, draws, np.array(0), unit, reference=np.zeros(0, np.float32))
    factor = look_up.parts_per_ampere
    return numbers(OUTPUTS, 1e-4), factor, -look_up.i_low * factor, look_up


CASES: dict[str, Callable[[], tuple[object, ...]]] = {
    "normal_numbers": lambda: (np.random.default_rng(1).integers(0, 2**32, 2**15, dtype=np.uint32),),
    "noisy": lambda: (numbers(OUTPUTS, 1e-5), numbers(OUTPUTS, 1e-14), 1e-15, numbers(OUTPUTS, 1.0)),
    "noisy_halves": lambda: (
        (numbers(OUTPUTS // 2, 1e-5), numbers(OUTPUTS // 2, 5e-6)),
        (numbers(OUTPUTS // 2, 1e-14), numbers(OUTPUTS // 2, 5e-15)),
        1e-15,
        numbers(OUTPUTS, 1.0),
    ),
    "quantised": lambda: (numbers(OUTPUTS, 1e-5), 4e-8, 0.0, 255.0),
    "looked_up": sensed,
    "wire_profiles": lambda: (
        np.random.default_rng(1).uniform(1e-6, 5e-5, (65, 96)).astype(np.float32),
        Ladder(50.0, 1.0, 1.0, 50.0),
    ),
    "behind_wires": lambda: (
        np.random.default_rng(1).uniform(1e-6, 5e-5, (1, 65, 96)).astype(np.float32),
        Ladder(50.0, 1.0, 1.0, 50.0),
    ),
    "stream_normals": lambda: (reference.started(np.arange(3, dtype=np.uint64)[None]), VECTORS * OUTPUTS),
    "even_curves": lambda: (
        np.random.default_rng(1).uniform(0.0, 1e-4, (2, 65, 48)).astype(np.float32),
        *np.random.default_rng(2).normal(size=(2, 3, 8192)).astype(np.float32),
        (0.0, 1e-4),
    ),
    "pair_matrices": lambda: (
        np.random.default_rng(1).uniform(0.0, 1e-4, (2, 1, 2, 65, 48)).astype(np.float32),
        np.random.default_rng(2).uniform(0.0, 1e-14, (1, 2, 65, 48)).astype(np.float32),
        np.random.default_rng(3).uniform(0.8, 1.0, (1, 2, 65, 48)).astype(np.float32),
    ),
    "nearest_step": lambda: (
        np.random.default_rng(1).uniform(0.0, 1e-4, 100),
        np.random.default_rng(2).uniform(0.0, 1e-4, 100),
        np.linspace(0.0, 1e-4, 50),
        np.maximum.accumulate(np.random.default_rng(3).uniform(0.0, 1e-4, (50, 30)), axis=1),
    ),
}

if __name__ == "__main__":
    main()
