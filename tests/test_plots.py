import re
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from matplotlib._pylab_helpers import Gcf
from matplotlib.figure import Figure
from synthetic import tables
from synthetic_run import checked_tables, run

from rramkit import plots
from rramkit.staircase import climb

FILE, RUN = checked_tables(), run()
STAIRCASE = climb(FILE["set"], g_start=4e-6)
HELD_OUT = FILE["set"].held_out["delta_g"]

DRAWINGS = {
    "current_voltage": (lambda ax: plots.current_voltage(ax, FILE["read"]), "cell voltage (mV)", "cell current (µA)"),
    "one_pulse": (
        lambda ax: plots.one_pulse(ax, FILE["set"]),
        "word line voltage (V)",
        "conductance after one pulse (µS)",
    ),
    "pulse_energy": (lambda ax: plots.pulse_energy(ax, FILE["set"]), "word line voltage (V)", "energy a pulse (pJ)"),
    "delta_g_map": (
        lambda ax: plots.delta_g_map(ax, FILE["reset"]),
        "source line voltage (V)",
        "conductance before (µS)",
    ),
    "staircase": (
        lambda ax: plots.staircase(ax, STAIRCASE, name="set"),
        "word line voltage, one pulse a step (V)",
        "conductance after it (µS)",
    ),
    "residuals": (
        lambda ax: plots.residuals(ax, HELD_OUT, quantity="change"),
        "change in SPICE (µS)",
        "fit minus SPICE (µS)",
    ),
    "learning_curve": (lambda ax: plots.learning_curve(ax, RUN.epochs), "epoch", "images classified rightly (%)"),
    "error_curve": (lambda ax: plots.error_curve(ax, RUN.epochs), "epoch", "images classified wrongly (%)"),
    "loss": (lambda ax: plots.loss(ax, RUN.epochs), "epoch", "loss on training images (nat)"),
    "pulses_by_epoch": (lambda ax: plots.pulses_by_epoch(ax, RUN.epochs), "epoch", "pulses an epoch"),
    "energy_by_epoch": (lambda ax: plots.energy_by_epoch(ax, RUN.epochs), "epoch", "energy an epoch (µJ)"),
    "energy_cumulated": (lambda ax: plots.energy_cumulated(ax, RUN.epochs), "epoch", "energy since the start (µJ)"),
    "conductance_histogram": (
        lambda ax: plots.conductance_histogram(ax, RUN.layers[0]),
        "cell conductance (µS)",
        "cells",
    ),
    "pulses_by_cell": (
        lambda ax: plots.pulses_by_cell(ax, RUN.layers[0]),
        "row",
        "column: plus, then minus half",
    ),
    "conductance_drift": (lambda ax: plots.conductance_drift(ax, RUN.layers[0]), "epoch", "cell conductance (µS)"),
    "pulses_by_matrix": (lambda ax: plots.pulses_by_matrix(ax, RUN.layers), "epoch", "pulses a cell"),
    "gap_to_float": (lambda ax: plots.gap_to_float(ax, RUN.epochs), "epoch", "float minus RRAM (points)"),
    "ablation": (
        lambda ax: plots.ablation(ax, ["wires", "read.noise", "all"], [0.95, 0.97, 0.94], 0.972),
        "test images right (%); line: without any",
        "",
    ),
    "confusion": (lambda ax: plots.confusion(ax, RUN.confusion), "predicted class", "true class"),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_plot_draws_on_the_axes_it_is_given_and_labels_the_units(name):
    draw, x_label, y_label = DRAWINGS[name]
    ax = Figure().add_subplot()
    assert draw(ax) is ax
    assert (ax.get_xlabel(), ax.get_ylabel()) == (x_label, y_label)
    assert ax.has_data()


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_plot_as_svg_stands_alone_and_is_the_same_every_time(name):
    draw = DRAWINGS[name][0]
    text = plots.svg(draw, name=name)
    assert text == plots.svg(draw, name=name)
    assert text.startswith("<svg")
    assert "http" not in text
    names = re.findall(r' id="([^"]+)"', text)
    assert len(names) == len(set(names))
    used = set(re.findall(r'(?:href="#|url\(#)([^")]+)', text))
    assert used <= set(names)


def test_plots_leave_no_figure_and_no_setting_behind():
    before = dict(matplotlib.rcParams)
    plots.svg(lambda ax: plots.loss(ax, RUN.epochs), name="loss")
    assert dict(matplotlib.rcParams) == before
    assert Gcf.get_all_fig_managers() == []


def test_data_stay_in_si_units():
    ax = plots.current_voltage(Figure().add_subplot(), FILE["read"])
    read = FILE["read"]
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), read.signals["i_cell"].values[0])
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), read.signals["i_cell"].values[-1])
    np.testing.assert_array_equal(np.asarray(ax.collections[0].get_offsets())[:, 1], read.held_out["i_cell"].spice)


def test_ticks_and_label_share_one_prefix():
    ax = plots.one_pulse(Figure().add_subplot(), FILE["set"])
    assert ax.yaxis.get_major_formatter()(40e-6, 0) == "40"


def test_residuals_show_both_limits_and_every_point():
    ax = plots.residuals(Figure().add_subplot(), HELD_OUT, quantity="change")
    heights = {float(np.asarray(line.get_ydata())[0]) for line in ax.lines[:3]}
    assert heights == {0.0, HELD_OUT.limit_max, -HELD_OUT.limit_max}
    low, high = ax.get_ylim()
    assert low < HELD_OUT.error.min() and HELD_OUT.error.max() < high


def test_tables_without_held_out_points_and_cells_without_pulses_draw():
    bare = tables()
    assert plots.current_voltage(Figure().add_subplot(), bare["read"]).has_data()
    idle = replace(RUN.layers[1], pulses=np.zeros((2, 13, 10), dtype=int))
    plots.svg(lambda ax: plots.pulses_by_cell(ax, idle), name="idle")
    plots.svg(lambda ax: plots.confusion(ax, np.diag(np.arange(10))), name="all-right")
