"""TIME mode on MNIST: open loop and write-verify. `python benchmarks/time_mnist.py TABLES.h5 FOLDER [WORKERS]`.

`rramkit characterize` makes TABLES.h5 (the sky130 1T1R cell); the environment variable RRAMKIT_DATA names the folder of
MNIST's files. Each of the experiments `examples/experiments/time_mnist*.toml` with its own seeds, with the cells as the
table has them and with spread from device to device (`SPREAD`), which the table's mean does not include. Trainings run
one on each core (or on WORKERS); the same command resumes interrupted ones.
"""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rramkit import record, units
from rramkit.learning import Experiment
from rramkit.learning.experiment import grid, put
from rramkit.learning.sweep import Trial, TrialResult, sweep, trials
from rramkit.processes import Processes

EXPERIMENTS = Path(__file__).parents[1] / "examples" / "experiments"
FILES = {
    "open loop": "time_mnist.toml",
    "open loop, large changes": "time_mnist_threshold.toml",
    "write-verify": "time_mnist_verified.toml",
}
SPREAD = 0.3
"""Deviation of the logarithm of a cell's change, SET and RESET apart (1): our choice of a middling device."""
E_SENSE = 334e-15
"""Energy of a verify read's conversion (J), that a file of the cell alone does not have: of this kit's 6-bit SAR."""


@dataclass(frozen=True)
class Spent:
    """Means over the seeds after the first programming: pulses, cells read, energies (J), time of writes (s)."""

    pulses: float
    reads: float
    energy_write: float
    energy_read: float
    time_write: float


def main(tables: Path, folder: Path, workers: int | None = None) -> None:
    """Train all; print accuracies against float, cost of the writes, and the ratio of both ways."""
    chosen = [one for spread in (0.0, SPREAD) for way in FILES for one in _trials(way, spread, tables, folder)]
    rows = sweep(chosen, Processes(workers), progress=_show)
    for spread in (0.0, SPREAD):
        spent = {}
        for way in FILES:
            label = _label(way, spread)
            found = [pair for pair in zip(rows, chosen, strict=True) if pair[1].label.startswith(f"{label}, seed")]
            spent[way] = _said(label, found)
        verified = spent.pop("write-verify").energy_write
        for way, one in spent.items():
            print(f"write energy, {way} over write-verify: {one.energy_write / verified:.2f}")
        print()


def _trials(way: str, spread: float, tables: Path, folder: Path) -> list[Trial]:
    settings = Experiment.from_toml(EXPERIMENTS / FILES[way]).model_dump()
    if way == "write-verify":
        put(settings, "rule.verify.e_sense", E_SENSE)
    if spread:
        put(settings, "rule.update.spread", {"sigma_gain": spread})
    experiment = Experiment.checked(settings, where=way)
    labelled = [(f"{_label(way, spread)}, {label}", one) for label, one in grid(experiment)]
    return trials(labelled, tables, folder)


def _label(way: str, spread: float) -> str:
    return f"{way}, spread {spread:g}"


def _show(row: TrialResult) -> None:
    print(f"{row.label}: {100 * row.accuracy:.2f} % (float {100 * (row.float_accuracy or 0):.2f} %)", flush=True)


def _said(label: str, found: list[tuple[TrialResult, Trial]]) -> Spent:
    """Print one way's means over its seeds, and return what its writes took."""
    runs = [record.load(trial.run) for _, trial in found]
    rram, digital = (100 * np.array([getattr(run, name) for run in runs]) for name in ("accuracy", "float_accuracy"))
    epochs = [run.epochs for run in runs]
    spent = Spent(
        pulses=_mean([each.pulses_set + each.pulses_reset for each in epochs]),
        reads=_mean([each.reads for each in epochs]),
        energy_write=_mean([each.energy_write for each in epochs]),
        energy_read=_mean([each.energy_read for each in epochs]),
        time_write=_mean([each.time_write for each in epochs]),
    )
    cells = sum(layer.pulses.size for layer in runs[0].layers)
    print(f"{label}: {len(runs)} seeds: {', '.join(f'{each:.2f}' for each in rram)} %; mean {rram.mean():.2f} %")
    print(f"  float {digital.mean():.2f} %, gap {(digital - rram).mean():.2f} points")
    print(f"  pulses {spent.pulses:.3g}, {spent.pulses / cells:.1f} a cell; cells read to be written {spent.reads:.3g}")
    write, read = units.text(spent.energy_write, "J"), units.text(spent.energy_read, "J")
    print(f"  write energy {write}, time {units.text(spent.time_write, 's')}; energy of forward and backward {read}")
    return spent


def _mean(columns: list[np.ndarray]) -> float:
    return float(np.mean([column[1:].sum() for column in columns]))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else None)
