"""Networks trained with defaults through imported tables: published devices, ramps, a linear cell, measured data.

    python benchmarks/measured_devices.py [NAME ...]

One row of a table for each of `tests/fixtures/measured_devices.py`, or those named: what the tables made of write mode
and threshold, accuracy on the digits, of the float network beside it, pulses a cell in the first programming and after,
and what the training warns of. `gong2018` needs the data folder (`RRAMKIT_DATA`).
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from fixtures.measured_devices import DEVICES, device

from rramkit.learning import train


def row(name: str, folder: Path) -> str:
    """Train one device with defaults and return its row."""
    run = train(device(name, folder))
    cells = sum(layer.pulses.size for layer in run.layers)
    pulses = run.epochs.pulses_set + run.epochs.pulses_reset
    said = ", ".join(fault.heading for fault in run.faults) or "-"
    mode = f"{run.chosen['rule.write']}, {run.chosen['rule.threshold']:.2g}"
    accuracies = f"{100 * run.accuracy:.1f} | {100 * run.float_accuracy:.1f}"
    return f"| {name} | {mode} | {accuracies} | {pulses[0] / cells:.1f} | {pulses[1:].sum() / cells:.1f} | {said} |"


def main(names: list[str]) -> None:
    """Print a row for each device."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names or DEVICES:
            print(row(name, Path(folder)), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
