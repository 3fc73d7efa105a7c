"""The record of one training by reinforcement, episode by episode; the plots are drawn from it.

Layout (run file, format version 3, `kind` reinforcement)::

    /                final_return (E,), energy_read, energy_write, time_read, time_write, train_seconds
    /episodes        step, value       return of each training episode, at the action that ended it
    /judged          step, value       mean return of each evaluation without random actions
    /loss            step, value       mean Huber loss of each round of training, at its last batch
    /energy          step, value       energy of all writes and reads so far (J) after each round, at its action
    /target_updates  step, value       cells rewritten by each update of the target network, at its batch
    /target_energy   step, value       energy of its writes (J)
    /network         the trained online network and a copy of its tables (`network`)
    /counts          reads and writes of each matrix, both banks together (`counts`)

The root's attributes carry the settings and the tables' provenance as JSON, counts, the kit's version and the time.
Files of rramkit 0.1.0 have the format `rramkit episodes`, version 1, and no network.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rramkit import hdf5
from rramkit.record import check, counts, faults, sources
from rramkit.record import network as stored
from rramkit.record.outcome import FORMAT, FORMAT_VERSION, TrainedNetwork, TrainingOutcome, upper_module

KIND = "reinforcement"
OLD_FORMAT, OLD_FORMAT_VERSION = "rramkit episodes", 1

_SERIES = {
    "episodes": "1",
    "judged": "1",
    "loss": "1",
    "energy": "J",
    "target_updates": "1",
    "target_energy": "J",
}
_SCALARS = {
    "energy_read": "J",
    "energy_write": "J",
    "energy_target": "J",
    "time_read": "s",
    "time_write": "s",
    "train_seconds": "s",
    "steps": "1",
    "batches": "1",
    "pulses_set": "1",
    "pulses_reset": "1",
    "pulses_target": "1",
    "cells": "1",
    "clamped": "1",
}
_COUNTS = ("steps", "batches", "pulses_set", "pulses_reset", "pulses_target", "cells", "clamped")
_MAY_BE_BELOW = ("episodes", "judged")  # returns: a reward may be a loss
_LATER = ("time_read", "time_write")  # rramkit 0.1.0 did not write them: NaN
_TEXTS = ("tables_name", "kit_version", "created")


@dataclass(frozen=True)
class Series:
    """Values (N,) at the actions or batches `step` (N,)."""

    step: np.ndarray
    value: np.ndarray


@dataclass(frozen=True, kw_only=True, repr=False)
class EpisodeRun(TrainingOutcome):
    """One training by reinforcement; `rl.train` returns it, `record.load` reads it from a file.

    Attributes
    ----------
    series : mapping
        `episodes`, `judged`, `loss`, `energy`, `target_updates` and `target_energy`; `history` is the same.
    final_return : ndarray
        Returns (E,) of the last evaluation, without random actions.
    scalars : mapping
        Totals in SI units: actions `steps`, `batches`, pulses, `pulses_target` and `energy_target` of the updates of
        the target network alone, `cells` of both banks, energies, clamped values; times of the arrays' reads and writes
        and of the computation.
    """

    series: Mapping[str, Series]
    final_return: np.ndarray
    scalars: Mapping[str, float]

    @property
    def history(self) -> Mapping[str, Series]:
        """The series of the training."""
        return self.series

    @property
    def mean_return(self) -> float:
        """Mean return of the last evaluation."""
        return float(np.mean(self.final_return))

    @property
    def cells_rewritten(self) -> int:
        """Cells written by the updates of the target network, all together."""
        return int(self.series["target_updates"].value.sum())

    def _restored(self) -> TrainedNetwork:
        """Return the online network: `predict` gives the best action of observations (N, ...)."""
        return upper_module("learning.rl.agent").restored(self.settings, self._stored())

    def totals(self) -> dict[str, float | int]:
        """Return the run's totals by name, in SI units."""
        return {
            "mean_return": self.mean_return,
            "target_updates": int(self.series["target_updates"].step.size),
            "cells_rewritten": self.cells_rewritten,
            **{name: int(value) if name in _COUNTS else value for name, value in self.scalars.items()},
        }

    def plot(self, path: str | Path) -> Path:
        """Draw returns, energy and rewritten cells into a PNG, PDF or SVG file."""
        drawing = upper_module("plots.episodes")
        drawing.save(self, Path(path))
        return Path(path)

    def __repr__(self) -> str:
        said = "".join(f"; {fault.heading}" for fault in self.faults)
        return (
            f"EpisodeRun({self.settings.get('environment', 'environment')}, {int(self.scalars['steps'])} actions: "
            f"mean return {self.mean_return:.1f} over {self.final_return.size} episodes{said})"
        )

    def _write(self, root: hdf5.Group) -> None:
        root.attrs.update({"format": FORMAT, "format_version": FORMAT_VERSION, "kind": KIND})
        root.attrs.update({name: getattr(self, name) for name in _TEXTS})
        root.attrs["settings"] = json.dumps(dict(self.settings), sort_keys=True)
        root.attrs["tables_provenance"] = json.dumps(dict(self.tables_provenance), sort_keys=True)
        root.attrs["stages"] = sources.as_json(self.stages)
        root.attrs["faults"] = faults.as_json(self.faults)
        hdf5.write(root, "final_return", self.final_return, "1")
        for name, unit in _SCALARS.items():
            hdf5.write(root, name, self.scalars[name], unit)
        for name, unit in _SERIES.items():
            group = root.create_group(name)
            hdf5.write(group, "step", self.series[name].step, "1")
            hdf5.write(group, "value", self.series[name].value, unit)
        if self.stored_network is not None:
            stored.write(root, self.stored_network)
        if self.counts is not None:
            counts.write(root, self.counts)


def read(root: hdf5.Group, path: Path) -> EpisodeRun:
    """Read a training from the root of its file; raise `TableError` for numbers that no training can have."""
    series = {name: hdf5.subgroup(root, name) for name in _SERIES}
    run = EpisodeRun(
        settings=hdf5.json_mapping(root, "settings"),
        tables_provenance={key: str(text) for key, text in hdf5.json_mapping(root, "tables_provenance").items()},
        tables_name=str(root.attrs["tables_name"]),
        kit_version=str(root.attrs["kit_version"]),
        created=str(root.attrs["created"]),
        series={k: Series(hdf5.read(group, "step"), hdf5.read(group, "value")) for k, group in series.items()},
        final_return=hdf5.read(root, "final_return"),
        scalars={name: _scalar(root, name) for name in _SCALARS},
        stored_network=stored.read(root),
        stages=sources.from_json(str(root.attrs.get("stages", "[]"))),
        faults=faults.from_json(str(root.attrs.get("faults", "[]"))),
        counts=counts.read(root, path),
    )
    _check(path, run)
    return run


def _check(path: Path, run: EpisodeRun) -> None:
    for name, each in run.series.items():
        if each.step.ndim != 1 or each.step.shape != each.value.shape or np.any(np.diff(each.step) < 0):
            check.refuse(path, f"`{name}` must be values (N,) at rising steps (N,)")
        check.counts(path, {f"{name}/step": each.step})
        check.numbers(path, {f"{name}/value": each.value}, **({} if name in _MAY_BE_BELOW else {"low": 0.0}))
    if run.final_return.ndim != 1 or not run.final_return.size:
        check.refuse(path, "`final_return` must be one value an episode (E,)")
    check.numbers(path, {"final_return": run.final_return})
    check.counts(path, {name: run.scalars[name] for name in _COUNTS})
    known = {name: value for name, value in run.scalars.items() if not (name in _LATER and np.isnan(value))}
    check.numbers(path, known, low=0.0)


def _scalar(root: hdf5.Group, name: str) -> float:
    """Return one total; NaN where rramkit 0.1.0 did not write it."""
    if name not in _LATER:
        return hdf5.scalar(root, name)
    return float(hdf5.read(root, name)) if name in root else float("nan")
