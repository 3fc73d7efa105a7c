"""Sensitivity of a training to circuit parameters: re-characterise what a parameter touches, train, compare by seed.

For each parameter p, at p (1 - step) and p (1 + step), the design is characterised with the file of finished points of
the unchanged one, so that only the decks that the parameter touches run again; the experiment is then trained with the
same seeds on all three files. Of each metric m the change per relative change of the parameter,

    s = (m(p (1 + step)) - m(p (1 - step))) / (2 step)

(of a whole number with the nearest whole values, and half their relative distance as the step) is averaged over the
seeds; its standard error is that of the mean of the seeds' own differences, in which what the seeds have in common
cancels.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from rramkit.characterization.design import Design
from rramkit.characterization.run import RunOptions
from rramkit.errors import InputError
from rramkit.learning.experiment import Experiment
from rramkit.learning.train import train
from rramkit.proof.parameters import beside, changed, value_of
from rramkit.proof.variants import Watch, characterized
from rramkit.record import Run
from rramkit.table import TableFile

METRICS: Mapping[str, tuple[str, Callable[[Run], float]]] = {
    "loss": ("nat", lambda run: float(run.epochs.loss[-1])),
    "accuracy": ("1", lambda run: run.accuracy),
    "energy_read": ("J", lambda run: float(run.epochs.energy_read.sum())),
    "energy_write": ("J", lambda run: float(run.epochs.energy_write.sum())),
}
"""Unit and value of each metric of a run."""


@dataclass(frozen=True)
class Sensitivity:
    """Change of the metrics with one circuit parameter.

    Attributes
    ----------
    name : str
        The parameter.
    value, step : float
        Its value in the design, and the relative change to either side (1): of a whole number half the relative
        distance of the whole values beside it.
    touched : tuple of str
        Plans that were characterised again.
    mean, error : dict of str to float
        Of each metric: change per relative change of the parameter, and its standard error, in the metric's unit.
    """

    name: str
    value: float
    step: float
    touched: tuple[str, ...]
    mean: Mapping[str, float]
    error: Mapping[str, float]


def sensitivity(
    design: Design,
    experiment: Experiment,
    names: Sequence[str],
    folder: Path,
    *,
    step: float = 0.1,
    seeds: Sequence[int] = (1, 2, 3),
    options: RunOptions | None = None,
    watch: Watch | None = None,
) -> list[Sensitivity]:
    """Return the sensitivity of a training to circuit parameters of a design.

    Parameters
    ----------
    design : Design
        What is characterised; `find_design("chip")` is the nominal one.
    experiment : Experiment
        What is trained.
    names : sequence of str
        Circuit parameters: ends of dotted paths, for instance `readout.ota.w_input`, `cell.w_access`.
    folder : Path
        Where table files and finished points are kept; the same call resumes there.
    step : float
        Relative change of each parameter to either side (1).
    seeds : sequence of int
        Seeds of the trainings; at least two, for the error bars.
    options : RunOptions, optional
        Workers, scheduler and report of the characterisations; their points are in the file beside `base.h5`.
    watch : Watch, optional
        Where progress is reported, points too; left out, points as `options` says, nothing else.

    Returns
    -------
    list of Sensitivity
        One for each parameter.

    Raises
    ------
    InputError
        When a name is no parameter of the design or 0, a changed value is out of bounds, or there are too few seeds.
    """
    if len(set(seeds)) < 2:
        raise InputError(f"`seeds` must be two or more different ones for error bars; got {list(seeds)}. Pass more.")
    if not 0.0 < step < 1.0:
        raise InputError(f"`step` must be within 0 to 1; got {step:g}. Pass for instance 0.1.")
    values = {name: value_of(design, name) for name in names}  # all are checked before anything runs
    sides = {name: dict(zip((-1, 1), beside(design, name, step), strict=True)) for name in values}
    variants = {(name, sign): changed(design, name, side[sign]) for name, side in sides.items() for sign in (-1, 1)}
    options = options or RunOptions()
    watch = watch or Watch(points=partial(nullcontext, options.report))
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / "base.h5"
    characterized(design, base, base, options, watch)
    outcomes = []
    for name, value in values.items():
        runs = {}
        for sign in (-1, 1):
            variant, touched = variants[name, sign]
            path = folder / f"{name}_{'up' if sign > 0 else 'down'}.h5"
            watch.line(f"{name} = {sides[name][sign]:g}: {', '.join(touched)}")
            tables = characterized(variant, path, base, options, watch)
            runs[sign] = _metrics(experiment, tables, seeds, path.name, watch)
        half = (sides[name][1] - sides[name][-1]) / (2.0 * abs(value))
        outcomes.append(_outcome(name, value, half, variants[name, 1][1], runs[-1], runs[1]))
    return outcomes


def _metrics(
    experiment: Experiment, tables: TableFile, seeds: Sequence[int], name: str, watch: Watch
) -> dict[str, np.ndarray]:
    """Return each metric (S,) over the seeds."""
    found: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for seed in seeds:
        watch.line(f"training on {name}, seed {seed}")
        settings = experiment.model_copy(update={"seed": seed, "float_reference": False})
        with watch.epochs(experiment.epochs) as report:
            run = train(settings, tables, tables_name=name, progress=report)
        for metric, (_, of) in METRICS.items():
            found[metric].append(of(run))
    return {metric: np.array(values) for metric, values in found.items()}


def _outcome(
    name: str,
    value: float,
    step: float,
    touched: tuple[str, ...],
    down: Mapping[str, np.ndarray],
    up: Mapping[str, np.ndarray],
) -> Sensitivity:
    slopes = {metric: (up[metric] - down[metric]) / (2.0 * step) for metric in METRICS}
    return Sensitivity(
        name=name,
        value=value,
        step=step,
        touched=touched,
        mean={metric: float(np.mean(each)) for metric, each in slopes.items()},
        error={metric: float(np.std(each, ddof=1) / np.sqrt(each.size)) for metric, each in slopes.items()},
    )
