"""A made-up run, and tables with held-out points: plots and report are tested without training or ngspice."""

from dataclasses import replace

import numpy as np
from synthetic import tables

from rramkit.record import Epochs, LayerRecord, Run
from rramkit.surrogate import GridSurrogate
from rramkit.table import HeldOut, Quantity, Table, TableFile

SIZES = ((2, 65, 12), (2, 13, 10))
EPOCHS = 4


def checked_tables(*, error: float = 0.001, provenance: dict[str, str] | None = None) -> TableFile:
    """Return the synthetic tables with held-out points; `error` is the fits' error over full scale, its limit 0.01."""
    file = tables()
    checked = {name: _with_held_out(table, error) for name, table in file.tables.items()}
    return TableFile(checked, {**file.provenance, "spice_runs": "1431", **(provenance or {})})


def run(**changes) -> Run:
    """Return a run with a smooth history; keyword arguments replace fields."""
    rng = np.random.default_rng(3)
    epoch = np.arange(EPOCHS + 1)
    accuracy = 0.95 - 0.85 * np.exp(-epoch.astype(float))
    pulses = np.array([2000, 900, 500, 300, 200])
    made = Run(
        settings={"epochs": EPOCHS, "network": {"hidden": [12]}, "mapping": {"wires": True}},
        tables_name="tables.h5",
        tables_provenance=dict(checked_tables().provenance),
        data_name="digits",
        kit_version="0.0.7",
        seed=11,
        created="2026-11-22T10:30:00+00:00",
        epochs=Epochs(
            epoch=epoch,
            accuracy_test=accuracy,
            accuracy_train=accuracy + 0.02,
            float_accuracy_test=accuracy + 0.03,
            loss=2.3 * np.exp(-0.5 * epoch),
            pulses_set=pulses,
            pulses_reset=pulses // 2,
            reads=pulses * 3,
            energy_write=pulses * 10e-12,
            time_write=pulses * 60e-9,
            energy_read=np.array([0.0, 3e-6, 3e-6, 3e-6, 3e-6]),
            clamped=np.zeros(EPOCHS + 1, dtype=int),
        ),
        layers=tuple(_layer(rng, size) for size in SIZES),
        confusion=np.diag(np.arange(30, 40)) + np.eye(10, k=1, dtype=int),
        accuracy=float(accuracy[-1]),
        float_accuracy=float(accuracy[-1] + 0.03),
        train_seconds=12.5,
    )
    return replace(made, **changes)


def _layer(rng: np.random.Generator, size: tuple[int, ...]) -> LayerRecord:
    first, last = rng.uniform(4e-6, 90e-6, size), rng.uniform(4e-6, 90e-6, size)
    edges = np.linspace(4e-6, 90e-6, 33)
    between = [first + part * (last - first) for part in np.linspace(0.0, 1.0, EPOCHS + 1)]
    counts = np.stack([np.histogram(g, edges)[0] for g in between])
    return LayerRecord(first, last, rng.poisson(2.0, size), np.array([1000, 450, 250, 150, 100]), counts, edges)


def _with_held_out(table: Table, error: float) -> Table:
    if not table.axes:
        return table
    return replace(table, held_out={signal: _held_out(table, signal, error) for signal in table.signals})


def _held_out(table: Table, signal: str, error: float) -> HeldOut:
    rng = np.random.default_rng(5)
    at = {name: rng.uniform(axis.values[0], axis.values[-1], 30) for name, axis in table.axes.items()}
    surrogate = GridSurrogate(table, signal)
    fit = surrogate.at(*at.values())
    return HeldOut(
        at={name: Quantity(values, table.axes[name].unit) for name, values in at.items()},
        spice=fit + error * surrogate.full_scale * np.where(np.arange(30) % 2, 1.0, -1.0),
        fit=fit,
        unit=table.signals[signal].unit,
        limit_rms=0.01 * surrogate.full_scale,
        limit_max=0.02 * surrogate.full_scale,
    )
