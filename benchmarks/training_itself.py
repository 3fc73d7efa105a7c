"""Error of training with a copy crossbar against the mismatch of its two arrays, beside the transposed read.

    python benchmarks/training_itself.py DESIGN.h5 FOLDER [EPOCHS]

The experiment is `examples/systems/training_itself.toml`. The spread of the cells (`rule.update.spread.sigma_gain`, in
place of the table's) is raised; mismatch is the difference of both arrays' weights at the end, rms over that of the
weights. A transposed read has the same spread and one array. Trainings run one after the other, and the same command
goes on with those that are missing; `copy_mismatch.svg` in FOLDER is the picture.
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from rramkit import plots, record, table
from rramkit.learning import Experiment, train
from rramkit.learning.rules.copied import Copied
from rramkit.learning.trained import TrainedNetwork
from rramkit.parameters import toml_values

EXPERIMENT = Path(__file__).parents[1] / "examples/systems/training_itself.toml"
SPREADS = (0.0, 0.5, 1.0)
WAYS = {"copy": "copy crossbar", "tile": "transposed read"}


def main(tables: Path, folder: Path, epochs: int | None = None) -> None:
    """Train at each spread in both ways, print a line for each, and draw them."""
    folder.mkdir(parents=True, exist_ok=True)
    file, points = table.load(tables), {way: [] for way in WAYS}
    for spread in SPREADS:
        for way in WAYS:
            path = folder / f"{way}_{spread:g}{'' if epochs is None else f'_{epochs}_epochs'}.h5"
            if not path.exists():
                train(_experiment(way, spread, epochs), file, tables_name=tables.name).save(path)
            run = record.load(path, record.Run)
            network = run.network
            assert isinstance(network, TrainedNetwork)
            matrix = network.params.matrices[1]
            apart = matrix.mismatch if isinstance(matrix, Copied) else 0.0
            points[way].append((apart, 100.0 * (1.0 - run.accuracy)))
            gap = 100.0 * (run.float_accuracy - run.accuracy)
            print(f"{WAYS[way]}, spread {spread:g}: mismatch {apart:.2f}, {run.accuracy:.2%}, {gap:.2f} below float")
    plots.save(lambda ax: _draw(ax, points), folder / "copy_mismatch.svg")
    print(folder / "copy_mismatch.svg")


def _experiment(way: str, spread: float, epochs: int | None) -> Experiment:
    values = toml_values(EXPERIMENT)
    values["rule"]["backward"] = way
    if spread:
        values["rule"]["update"] = {"spread": {"sigma_gain": spread}}
        values["chip"] = {"override": True}
    if epochs is not None:
        values["epochs"] = epochs
    return Experiment.checked(values, where=str(EXPERIMENT))


def _draw(ax: Axes, points: dict[str, list[tuple[float, float]]]) -> Axes:
    """Draw test errors over the mismatch of the copy, at the same spread of the cells."""
    apart = np.array([x for x, _ in points["copy"]])
    for way, found in points.items():
        ax.plot(apart, [error for _, error in found], marker="o", label=WAYS[way])
    ax.set_xlabel("mismatch of both arrays, rms over that of the weights")
    ax.set_ylabel("test error (%)")
    ax.set_ylim(bottom=0.0)
    ax.legend()
    return ax


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else None)
