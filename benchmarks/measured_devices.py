"""Networks trained through imported tables: the measured file, the worked example, and the six published devices.

    python benchmarks/measured_devices.py [PULSES.csv]

PULSES.csv: the pulse response of Gong et al. 2018 (arbitrary units), if it is there. One line for each: accuracy on
the digits, of the float network beside it, writes a cell. The bursts bring a write to about 4 % of the range.
"""

import sys
from pathlib import Path

from rramkit.characterization.measured.importer import from_preset, from_pulses
from rramkit.characterization.measured.presets import presets
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.learning import Experiment, train
from rramkit.learning.rules import MixedPrecision
from rramkit.table import TableFile

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "measured"
EXPERIMENT = Experiment(epochs=10, rule=MixedPrecision(threshold=0.04))
WRITE = 0.04  # of the range (1): what one write should change


def show(name: str, tables: TableFile) -> None:
    """Train and print one line."""
    run = train(EXPERIMENT, tables)
    cells = sum(layer.pulses.size for layer in run.layers)
    writes = int(run.epochs.pulses_set.sum() + run.epochs.pulses_reset.sum())
    accuracies = f"{100 * run.accuracy:.2f} % (float {100 * run.float_accuracy:.2f} %)"
    print(f"{name:<12} {accuracies}, {writes / cells:.1f} writes a cell", flush=True)


def main(pulses: Path | None = None) -> None:
    """Print a line for each device."""
    chosen = ImportSettings.from_toml(EXAMPLE / "settings.toml")
    show("example", from_pulses(EXAMPLE / "pulses.csv", chosen, iv=EXAMPLE / "iv.csv"))
    for name, device in presets().items():
        show(name, from_preset(name, ImportSettings(burst=max(round(WRITE * device.states), 1))))
    if pulses is not None:
        show("gong2018", from_pulses(pulses, ImportSettings(g_low=2e-6, g_high=20e-6, burst=40)))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
