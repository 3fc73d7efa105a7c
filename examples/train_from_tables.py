"""Conductance change of a pulse, and a training through the tables: `python examples/train_from_tables.py TABLES.h5`.

Needs neither PySpice nor ngspice; `rramkit characterize -o TABLES.h5` (or `make demo`) makes the file.
"""

import sys
from pathlib import Path

import numpy as np

from rramkit import table
from rramkit.learning import Experiment, NetworkSettings, train
from rramkit.surrogate.grid import GridSurrogate


def main(path: Path) -> None:
    """Print the conductance change of a pulse, then train a small network for five epochs."""
    tables = table.load(path)
    delta_g = GridSurrogate(tables["set"], "delta_g")
    for v_pulse in np.linspace(*delta_g.x1_range, 5):
        print(f"SET from 10 uS, word line {v_pulse:.2f} V: {1e6 * float(delta_g.at(10e-6, v_pulse)):+.2f} uS")
    run = train(Experiment(network=NetworkSettings(hidden=(24,)), epochs=5), tables)
    energy = run.epochs.energy_write.sum() + run.epochs.energy_read.sum()
    print(f"accuracy {run.accuracy:.3f} (float {run.float_accuracy:.3f}), {1e9 * energy:.0f} nJ")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
