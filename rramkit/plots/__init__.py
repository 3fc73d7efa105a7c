"""Plots of tables and runs: each takes `ax` and data in SI units, draws, labels the units and returns `ax`."""

from rramkit.plots.axis_words import axis_words, stepped_line
from rramkit.plots.calibration import calibrations
from rramkit.plots.canvas import check_picture, save, svg
from rramkit.plots.cells import current_voltage, delta_g_map, one_pulse, pulse_energy, staircase
from rramkit.plots.cost import accuracy_against_energy, claimed_ratio, cost_breakdown, gradient_places, tornado
from rramkit.plots.drift import ablation, conductance_drift, gap_to_float, pulses_by_matrix
from rramkit.plots.exploration import pareto_front
from rramkit.plots.gallery import gallery, run_gallery
from rramkit.plots.measured import reads_and_fit, save_fits
from rramkit.plots.proof import margins
from rramkit.plots.spiking import accuracy_by_step
from rramkit.plots.style import STYLE, style
from rramkit.plots.tables import change_band, family, histogram, played_train, residual_map, residuals
from rramkit.plots.training import (
    conductance_histogram,
    confusion,
    energy_by_epoch,
    energy_cumulative,
    error_curve,
    learning_curve,
    loss,
    pulses_by_cell,
    pulses_by_epoch,
)

__all__ = [
    "STYLE",
    "ablation",
    "accuracy_against_energy",
    "accuracy_by_step",
    "axis_words",
    "calibrations",
    "change_band",
    "check_picture",
    "claimed_ratio",
    "conductance_drift",
    "conductance_histogram",
    "confusion",
    "cost_breakdown",
    "current_voltage",
    "delta_g_map",
    "energy_by_epoch",
    "energy_cumulative",
    "error_curve",
    "family",
    "gallery",
    "gap_to_float",
    "gradient_places",
    "histogram",
    "learning_curve",
    "loss",
    "margins",
    "one_pulse",
    "pareto_front",
    "played_train",
    "pulse_energy",
    "pulses_by_cell",
    "pulses_by_epoch",
    "pulses_by_matrix",
    "reads_and_fit",
    "residual_map",
    "residuals",
    "run_gallery",
    "save",
    "save_fits",
    "staircase",
    "stepped_line",
    "style",
    "svg",
    "tornado",
]
