"""Every update rule with its defaults on the digits: `python benchmarks/rules_digits.py TABLES.h5 FOLDER [WORKERS]`.

`rramkit characterize` makes TABLES.h5. Each rule also on a published device of equal pulses (EpiRAM: mean pulses and
scatter, one pulse a write), the kind of device that rules of equal pulses are designed for: the characterised cell's
SET ends at a level. Three seeds, ten epochs; trainings run one on each core (or on WORKERS), and the same command
resumes interrupted ones.
"""

import sys
from pathlib import Path
from typing import get_args

import numpy as np

from rramkit import record, table
from rramkit.characterization.measured.importer import from_preset
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.learning import Experiment
from rramkit.learning.experiment import grid
from rramkit.learning.rules import Rule
from rramkit.learning.sweep import Trial, TrialResult, sweep, trials
from rramkit.processes import Processes

RULES = tuple(str(rule.model_fields["kind"].default) for rule in get_args(get_args(Rule)[0]))
SUITED: dict[str, dict[str, dict[str, object]]] = {
    "mixed_precision": {"rule": {"write": "count", "threshold": 0.0}},
    "outer_product": {"optimiser": {"kind": "momentum", "learning_rate": 0.02}},
    "open_loop": {"rule": {"every": 20}},
    "threshold_training": {"rule": {"every": 20}},
    "sign": {"rule": {"theta": 0.1}},
    "tiki_taka": {"rule": {"rows": 4, "rate_transfer": 0.3}, "optimiser": {"kind": "momentum", "learning_rate": 0.05}},
}
"""What a rule is given on the device of equal pulses, whose pulse changes a cell by 1/64 of its range: found on seed 7.
First weights are verified there (but in float); all else is the default."""
SEEDS = (1, 2, 3)


def main(tables: Path, folder: Path, workers: int | None = None) -> None:
    """Train every rule on both devices; print a line for each rule."""
    folder.mkdir(parents=True, exist_ok=True)
    published = folder / "epiram.h5"
    if not published.exists():  # a new file would have another hash, and every training would start again
        table.save(from_preset("epiram", ImportSettings()), published)
    cells: dict[str, list[str]] = {rule: [] for rule in RULES}
    for place, suited in ((tables, False), (published, True)):
        labelled = [one for rule in RULES for one in grid(_experiment(rule, suited=suited))]
        chosen = trials([(f"{one.name} {label}", one) for label, one in labelled], place, folder / place.stem)
        rows = sweep(chosen, Processes(workers), progress=_show)
        for rule in RULES:
            found = [pair for pair in zip(rows, chosen, strict=True) if pair[1].experiment.name == rule]
            cells[rule].append(_cell(found))
    print("| rule | defaults, characterised (%) | pulses a cell | suited, EpiRAM (%) | pulses a cell |")
    for rule, both in cells.items():
        print(f"| `{rule}` | " + " | ".join(both) + " |")


def _experiment(rule: str, *, suited: bool) -> Experiment:
    more = SUITED.get(rule, {}) if suited else {}
    start = {"start": "verify"} if suited and rule != "float" else {}
    settings: dict[str, object] = {
        "name": rule,
        "rule": {"kind": rule, **start, **more.get("rule", {})},
        "optimiser": more.get("optimiser", {}),
        "epochs": 10,
        "float_reference": False,
        "sweep": {"seed": SEEDS},
    }
    return Experiment.checked(settings, where=rule)


def _show(row: TrialResult) -> None:
    print(f"{row.label}: {100 * row.accuracy:.2f} % in {row.seconds:.0f} s", flush=True)


def _cell(found: list[tuple[TrialResult, Trial]]) -> str:
    """Return accuracy (mean, lowest and highest over the seeds) and pulses a cell of one rule on one device."""
    accuracy = 100 * np.array([row.accuracy for row, _ in found])
    cells = sum(layer.pulses.size for layer in record.load(found[0][1].run).layers)
    pulses = np.mean([row.pulses for row, _ in found]) / max(cells, 1)
    return f"{accuracy.mean():.1f} ({accuracy.min():.1f} to {accuracy.max():.1f}) | {pulses:.1f}"


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if sys.argv[3:] else None)
