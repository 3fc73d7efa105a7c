"""Plots of tables and runs: each takes `ax` and data in SI units, draws, labels the units and returns `ax`."""

from rramkit.plots.canvas import save, svg
from rramkit.plots.cells import current_voltage, delta_g_map, one_pulse, pulse_energy, staircase
from rramkit.plots.drift import ablation, conductance_drift, gap_to_float, pulses_by_matrix
from rramkit.plots.residuals import residuals
from rramkit.plots.style import STYLE, style
from rramkit.plots.training import (
    conductance_histogram,
    confusion,
    energy_by_epoch,
    energy_cumulated,
    error_curve,
    learning_curve,
    loss,
    pulses_by_cell,
    pulses_by_epoch,
)

__all__ = [
    "STYLE",
    "ablation",
    "conductance_drift",
    "conductance_histogram",
    "confusion",
    "current_voltage",
    "delta_g_map",
    "energy_by_epoch",
    "energy_cumulated",
    "error_curve",
    "gap_to_float",
    "learning_curve",
    "loss",
    "one_pulse",
    "pulse_energy",
    "pulses_by_cell",
    "pulses_by_epoch",
    "pulses_by_matrix",
    "residuals",
    "save",
    "staircase",
    "style",
    "svg",
]
