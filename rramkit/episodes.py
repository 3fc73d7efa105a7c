"""The episode file: what one training by reinforcement did, and what it wrote; the plots are drawn from it.

Layout (format version 1)::

    /                final_return (E,), energy_read, energy_write, train_seconds
    /episodes        step, value       return of each training episode, at the action that ended it
    /judged          step, value       mean return of each evaluation without chance actions
    /loss            step, value       mean Huber loss of each round of training, at its last batch
    /energy          step, value       energy of all writes and reads so far (J) after each round, at its action
    /target_updates  step, value       cells rewritten by each update of the target network, at its batch
    /target_energy   step, value       energy of its writes (J)

The root's attributes carry the settings and the tables' provenance as JSON, counts, the kit's version and the time.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rramkit import hdf5
from rramkit.errors import TableError

FORMAT = "rramkit episodes"
FORMAT_VERSION = 1

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
    "train_seconds": "s",
    "steps": "1",
    "batches": "1",
    "pulses_set": "1",
    "pulses_reset": "1",
    "pulses_target": "1",
    "cells": "1",
    "clamped": "1",
}
_TEXTS = ("tables_name", "kit_version", "created")


@dataclass(frozen=True)
class Series:
    """Values (N,) at the actions or batches `step` (N,)."""

    step: np.ndarray
    value: np.ndarray


@dataclass(frozen=True)
class EpisodeRun:
    """One training by reinforcement.

    Attributes
    ----------
    settings, tables_provenance : mapping
        What was asked for, and where the tables came from (empty in float).
    tables_name, kit_version, created : str
        Name of the table file, version of the kit, date and time.
    series : mapping
        `episodes`, `judged`, `loss`, `energy`, `target_updates` and `target_energy`.
    final_return : ndarray
        Returns (E,) of the last evaluation, without chance actions.
    scalars : mapping
        Totals in SI units: actions `steps`, `batches`, pulses, `pulses_target` and `energy_target` of the updates of
        the target network alone, `cells` of both banks, energies, clamped values, seconds.
    """

    settings: Mapping[str, object]
    tables_provenance: Mapping[str, str]
    tables_name: str
    kit_version: str
    created: str
    series: Mapping[str, Series]
    final_return: np.ndarray
    scalars: Mapping[str, float]

    @property
    def mean_return(self) -> float:
        """Mean return of the last evaluation."""
        return float(np.mean(self.final_return))

    @property
    def cells_rewritten(self) -> int:
        """Cells written by the updates of the target network, all together."""
        return int(self.series["target_updates"].value.sum())


def save(run: EpisodeRun, path: Path) -> None:
    """Write an episode file; it appears under `path` only when it is whole."""
    with hdf5.new_file(path) as root:
        root.attrs.update({"format": FORMAT, "format_version": FORMAT_VERSION})
        root.attrs.update({name: getattr(run, name) for name in _TEXTS})
        root.attrs["settings"] = json.dumps(dict(run.settings), sort_keys=True)
        root.attrs["tables_provenance"] = json.dumps(dict(run.tables_provenance), sort_keys=True)
        hdf5.write(root, "final_return", run.final_return, "1")
        for name, unit in _SCALARS.items():
            hdf5.write(root, name, run.scalars[name], unit)
        for name, unit in _SERIES.items():
            group = root.create_group(name)
            hdf5.write(group, "step", run.series[name].step, "1")
            hdf5.write(group, "value", run.series[name].value, unit)


def load(path: Path) -> EpisodeRun:
    """Read an episode file; raise `TableError` when it is missing, damaged or of another format."""
    with hdf5.open_file(path, kind=FORMAT) as root:
        version = round(hdf5.number(root, "format_version"))
        if version != FORMAT_VERSION:
            raise TableError(f"{path}: episode format {version}; this kit reads {FORMAT_VERSION}. Train again.")
        series = {name: hdf5.subgroup(root, name) for name in _SERIES}
        return EpisodeRun(
            settings=json.loads(str(root.attrs["settings"])),
            tables_provenance=json.loads(str(root.attrs["tables_provenance"])),
            tables_name=str(root.attrs["tables_name"]),
            kit_version=str(root.attrs["kit_version"]),
            created=str(root.attrs["created"]),
            series={k: Series(hdf5.read(group, "step"), hdf5.read(group, "value")) for k, group in series.items()},
            final_return=hdf5.read(root, "final_return"),
            scalars={name: hdf5.scalar(root, name) for name in _SCALARS},
        )
