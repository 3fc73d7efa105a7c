"""Deep Q-learning in two banks of RRAM: `python benchmarks/dqn.py TABLES.h5 FOLDER [--kind KIND ...] [--seeds N]`.

Kinds: `float` (no device, roles swapped), `swap`, `freeze` and `copy` in CartPole, `acrobot` (bank frozen) and
`breakout` (roles swapped) as in `examples/rl`. Run files and pictures go to FOLDER; given again, the same command
reads finished trainings and resumes interrupted ones. `--report` prints the table of what FOLDER holds, without
training.
"""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rramkit import record, table
from rramkit.learning import rl
from rramkit.learning.checkpoint import path_of
from rramkit.lock import only_writer
from rramkit.plots import episodes as picture

EXAMPLES = Path(__file__).parents[1] / "examples" / "rl"
HEAD = "kind seed return below_475 actions batches updates cells_rewritten J_updates J_write J_read pulses clamped s"


@dataclass(frozen=True)
class Trial:
    """One training of a kind."""

    kind: str
    settings: rl.RlSettings

    def path(self, folder: Path) -> Path:
        """Return the episode file."""
        return folder / f"{self.kind}-{self.settings.seed}.h5"


def trials(kind: str, seeds: int) -> list[Trial]:
    """Return the trainings of a kind, one for each seed."""
    if kind in ("acrobot", "breakout"):
        settings = rl.RlSettings.from_toml(EXAMPLES / f"{kind}.toml")
    else:
        settings = rl.RlSettings.checked({"target": "swap" if kind == "float" else kind}, where="the benchmark")
    return [Trial(kind, settings.model_copy(update={"seed": seed})) for seed in range(1, seeds + 1)]


def finished(trial: Trial, folder: Path) -> record.EpisodeRun | None:
    """Return the run in the trial's file when it has the trial's settings."""
    if not trial.path(folder).exists():
        return None
    run = record.load(trial.path(folder), record.EpisodeRun)
    return run if run.settings == json.loads(trial.settings.as_json()) else None


def train(trial: Trial, tables: Path, folder: Path) -> record.EpisodeRun:
    """Train, or resume; save the run and its picture."""
    path = trial.path(folder)
    table_file = None if trial.kind == "float" else table.load(tables)
    with only_writer(path):
        run = rl.train(table_file, trial.settings, tables_name=tables.name, run_path=path)
        record.save(run, path)
        path_of(path).unlink(missing_ok=True)
    picture.save(run, path.with_suffix(".png"))
    return run


def line(trial: Trial, run: record.EpisodeRun) -> str:
    """Return one row of the table."""
    total, below = run.scalars, int(np.count_nonzero(run.final_return < 475.0))
    joules = " ".join(f"{total[name]:.3g}" for name in ("energy_target", "energy_write", "energy_read"))
    pulses = int(total["pulses_set"] + total["pulses_reset"])
    return (
        f"{trial.kind} {trial.settings.seed} {run.mean_return:.1f} {below} {total['steps']:.0f} {total['batches']:.0f} "
        f"{run.series['target_updates'].step.size} {run.cells_rewritten} {joules} "
        f"{pulses} {total['clamped']:.0f} {total['train_seconds']:.0f}"
    )


def main() -> None:
    """Run the trainings that are missing; print a row for each training and a summary for each kind."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = ("float", "swap", "freeze", "copy", "acrobot", "breakout")
    parser.add_argument("tables", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--kind", choices=kinds, nargs="+", default=kinds)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--report", action="store_true", help="train nothing")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    print(HEAD)
    for kind in given.kind:
        means = []
        for trial in trials(kind, given.seeds):
            run = finished(trial, given.folder)
            if run is None and given.report:
                continue
            run = run or train(trial, given.tables, given.folder)
            means.append(run.mean_return)
            print(line(trial, run), flush=True)
        if means and kind not in ("acrobot", "breakout"):
            print(f"{kind}: mean {np.mean(means):.1f}, {sum(mean >= 475.0 for mean in means)} of {len(means)} at 475")


if __name__ == "__main__":
    main()
