import re
from dataclasses import replace

import matplotlib
import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables
from fixtures.synthetic_run import checked_tables, run
from fixtures.synthetic_tables import cornered_table, full_file, full_table, write_table_at_corners
from matplotlib._pylab_helpers import Gcf
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch

from rramkit import plots, record, table
from rramkit.characterization.measured.importer import from_preset
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.cli.app import run as command
from rramkit.errors import TableError
from rramkit.plots import canvas, training
from rramkit.plots.style import style
from rramkit.plots.tile import error_map, errors_of_currents
from rramkit.staircase import climb
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Distribution, HeldOut, Quantity, Table, TableFile
from rramkit.table.schema import GROUPS

PARTS = ["mapping.wires", "mapping.read.noise", "all"]
FILE, RUN = checked_tables(), run()
STAIRCASE = climb(FILE["set"], g_start=4e-6)
HELD_OUT = FILE["set"].held_out["delta_g"]
FULL, CORNERED = full_table(), cornered_table()
ONE = FULL.along("g_start", float(FULL.axes["g_start"].values[0]))
IDENTICAL = from_preset("epiram", ImportSettings())["set"]
PLAYED = replace(HELD_OUT, at={"pulse": Quantity(np.arange(30.0), "1")})

DRAWINGS = {
    "current_voltage": (lambda ax: plots.current_voltage(ax, FILE["read"]), "cell voltage (mV)", "cell current (µA)"),
    "one_pulse": (
        lambda ax: plots.one_pulse(ax, FILE["set"]),
        "word line voltage (V)",
        "conductance after one pulse (µS)",
    ),
    "pulse_energy": (lambda ax: plots.pulse_energy(ax, FILE["set"]), "word line voltage (V)", "energy per pulse (pJ)"),
    "delta_g_map": (
        lambda ax: plots.delta_g_map(ax, FILE["reset"]),
        "source line voltage (V)",
        "conductance before (µS)",
    ),
    "staircase": (
        lambda ax: plots.staircase(ax, STAIRCASE, table=FILE["set"]),
        "word line voltage, one pulse a step (V)",
        "conductance after it (µS)",
    ),
    "residuals": (
        lambda ax: plots.residuals(ax, HELD_OUT, quantity="change"),
        "change in SPICE (µS)",
        "fit minus SPICE (nS)",
    ),
    "family": (lambda ax: plots.family(ax, FULL, "energy"), "word line voltage (V)", "energy per pulse (pJ)"),
    "family of labels": (lambda ax: plots.family(ax, CORNERED, "t_decide"), "v_diff (mV)", "t_decide (ps)"),
    "family of one": (
        lambda ax: plots.family(ax, ONE, "delta_g"),
        "word line voltage (V)",
        "change of conductance (µS)",
    ),
    "residual_map": (
        lambda ax: plots.residual_map(ax, FULL, "delta_g"),
        "word line voltage (V)",
        "conductance before (µS)",
    ),
    "histogram": (
        lambda ax: plots.histogram(ax, FULL, "cycles"),
        "change of conductance, from its median (nS)",
        "share in one of 16 bins (%)",
    ),
    "change_band": (lambda ax: plots.change_band(ax, IDENTICAL), "conductance before (µS)", "change by one write (nS)"),
    "played_train": (lambda ax: plots.played_train(ax, PLAYED), "pulse", "conductance (µS)"),
    "learning_curve": (lambda ax: plots.learning_curve(ax, RUN.epochs), "epoch", "images classified correctly (%)"),
    "error_curve": (lambda ax: plots.error_curve(ax, RUN.epochs), "epoch", "error (%)"),
    "loss": (lambda ax: plots.loss(ax, RUN.epochs), "epoch", "loss on training images"),
    "pulses_by_epoch": (lambda ax: plots.pulses_by_epoch(ax, RUN.epochs), "epoch", "pulses per epoch"),
    "energy_by_epoch": (lambda ax: plots.energy_by_epoch(ax, RUN.epochs), "epoch", "energy per epoch (µJ)"),
    "energy_cumulative": (lambda ax: plots.energy_cumulative(ax, RUN.epochs), "epoch", "energy since the start (µJ)"),
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
    "pulses_by_matrix": (lambda ax: plots.pulses_by_matrix(ax, RUN.layers), "epoch", "pulses per cell"),
    "gap_to_float": (lambda ax: plots.gap_to_float(ax, RUN.epochs), "epoch", "float minus RRAM, validation (points)"),
    "ablation": (
        lambda ax: plots.ablation(ax, PARTS, [0.95, 0.97, 0.94], reference=0.972, errors=[0.003, 0.01, float("nan")]),
        "test images classified correctly (%); line: 97.20 without any",
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
    *curves, crosses = ax.lines
    np.testing.assert_array_equal(points_of(curves[0]), read.signals["i_cell"].values[0])
    np.testing.assert_array_equal(points_of(curves[-1]), read.signals["i_cell"].values[-1])
    np.testing.assert_array_equal(np.asarray(ax.collections[0].get_offsets())[:, 1], read.held_out["i_cell"].spice)
    np.testing.assert_array_equal(crosses.get_ydata(), read.held_out["i_cell"].fit)


def points_of(line):
    """The values of a curve at the table's own points, which it marks."""
    return np.asarray(line.get_ydata())[:: line.get_markevery()]


def test_ticks_and_label_share_one_prefix():
    ax = plots.one_pulse(Figure().add_subplot(), FILE["set"])
    assert ax.yaxis.get_major_formatter()(40e-6, 0) == "40"


def test_residuals_show_both_limits_and_every_point():
    ax = plots.residuals(Figure().add_subplot(), HELD_OUT, quantity="change")
    heights = {float(np.asarray(line.get_ydata())[0]) for line in ax.lines[:3]}
    assert heights == {0.0, HELD_OUT.limit_max, -HELD_OUT.limit_max}
    low, high = ax.get_ylim()
    assert low < HELD_OUT.error.min() and HELD_OUT.error.max() < high


def of_errors(errors, *, limit_rms=1e-6, limit_max=2e-6, spice=None):
    """Held-out points with these errors (S) and limits; SPICE's values are 1, 2, ... uS where nothing is said."""
    errors = np.asarray(errors, dtype=float)
    spice = 1e-6 * np.arange(1.0, errors.size + 1.0) if spice is None else spice
    at = {
        "g_start": Quantity(1e-6 * 10.0 ** np.arange(errors.size), "S"),
        "v_pulse": Quantity(np.ones(errors.size), "V"),
    }
    return HeldOut(at, spice, spice + errors, "S", limit_rms, limit_max)


def legend(ax):
    return [each.get_text() for each in ax.get_legend().get_texts()] if ax.get_legend() else []


@pytest.mark.parametrize("which", ["learning curve", "residuals"])
def test_a_legend_is_no_wider_than_its_picture(which):
    """A legend that is wider takes the room of the data, and is cut on a phone."""
    with style():
        figure = Figure(figsize=(canvas.WIDTH, canvas.HEIGHT))
        ax = figure.add_subplot()
        if which == "residuals":
            plots.residuals(ax, of_errors([0.6e-6, 0.9e-6]), quantity="change")
        else:
            plots.learning_curve(ax, RUN.epochs)
            assert len(legend(ax)) == 5
        figure.canvas.draw()
        shown = ax.get_legend()
        assert shown is not None and shown.get_window_extent().x1 <= figure.bbox.x1
        assert ax.get_window_extent().width > 0.7 * figure.bbox.width


def test_a_count_is_written_in_what_stands_out_from_its_colour():
    assert training._on((0.0, 0.0, 0.0, 1.0)) == "white"
    assert training._on((0.12, 0.57, 0.55, 1.0)) == "black"  # middle of the scale: white would have 3.9, black has 5.4


def test_errors_far_below_their_limits_are_seen_and_the_limits_written():
    ax = plots.residuals(Figure().add_subplot(), of_errors([2e-9, -1e-9, 1e-9]), quantity="change")
    assert ax.get_ylim() == near((-2.5e-9, 2.5e-9), 1e-6)  # rounding of a sum of values a thousand times larger
    assert legend(ax) == [] and not list(ax.patches)
    assert [each.get_text() for each in ax.texts] == ["rms 1.414 nS of 1 µS, largest 2 nS of 2 µS allowed"]
    near_limit = plots.residuals(Figure().add_subplot(), of_errors([0.6e-6, 0.9e-6]), quantity="change")
    assert legend(near_limit) == ["limit of the rms", "limit of any point"]
    assert near_limit.get_ylim() == near((-2.5e-6, 2.5e-6), 1e-12)


def test_residuals_of_ratios_stand_over_the_coordinate_that_moves():
    points = of_errors([0.01, -0.02, 0.005], spice=np.ones(3), limit_rms=0.03, limit_max=0.05)
    ax = plots.residuals(Figure().add_subplot(), points, quantity="ratio", group="set")
    np.testing.assert_array_equal(ax.lines[-1].get_xdata(), points.at["g_start"].values)
    assert (ax.get_xlabel(), ax.get_xscale()) == ("conductance before (µS)", "log")


def test_tables_without_held_out_points_and_cells_without_pulses_draw():
    bare = tables()
    assert plots.current_voltage(Figure().add_subplot(), bare["read"]).has_data()
    idle = replace(RUN.layers[1], pulses=np.zeros((2, 13, 10), dtype=int))
    plots.svg(lambda ax: plots.pulses_by_cell(ax, idle), name="idle")
    plots.svg(lambda ax: plots.confusion(ax, np.diag(np.arange(10))), name="all-right")


def test_a_family_states_where_the_axes_that_are_not_drawn_stand():
    axes = {
        "corner": Quantity(np.arange(2.0), "1", labels=("ss", "tt")),
        "temperature": Quantity(np.array([250.0, 300.0, 350.0, 400.0]), "K"),
        "v_in": Quantity(np.linspace(0.0, 1.0, 5), "V"),
    }
    rising = np.linspace(0.0, 1.0, 5) * np.array([1.0, 2.0, 3.0, 4.0])[None, :, None] * np.ones((2, 1, 1))
    table = Table(name="block", axes=axes, signals={"y": Quantity(rising, "V")}, conditions={})
    ax = plots.family(Figure().add_subplot(), table, "y")
    assert [each.get_text() for each in ax.texts] == ["at temperature 300 K"]
    assert all(np.asarray(line.get_ydata())[-1] == 2.0 for line in ax.get_lines())  # of the second temperature
    assert legend(ax) == ["corner ss", "tt"]
    assert len({str(line.get_linestyle()) for line in ax.get_lines()}) == 2  # where they coincide both are seen


def test_a_family_shows_held_out_points_and_leaves_a_gap_where_a_point_failed():
    ax = plots.family(Figure().add_subplot(), FILE["set"], "delta_g")
    circles = ax.collections[0]
    np.testing.assert_array_equal(np.asarray(circles.get_offsets())[:, 1], HELD_OUT.spice)
    assert not np.asarray(circles.get_facecolor()).size  # open: a curve under one is seen
    np.testing.assert_array_equal(ax.lines[-1].get_ydata(), HELD_OUT.fit)
    assert legend(ax) == ["held out, own conductance", "the table there"]
    holed = FILE["set"].signals["delta_g"].values.copy()
    holed[0, 4] = np.nan  # the curve of the lowest conductance is always drawn
    ax = plots.family(Figure().add_subplot(), replace(FILE["set"], signals={"y": Quantity(holed, "S")}), "y")
    assert np.flatnonzero(np.isnan(points_of(ax.lines[0]))).tolist() == [4]


def test_a_curve_is_what_a_look_up_takes_in_logarithms_where_the_table_has_them():
    v, t = Quantity(np.geomspace(1e-4, 0.1, 7), "V", log=True), np.array([95.0, 80.0, 70.0, 62.0, 50.0, 39.0, 30.0])
    table = Table("sense_amp", {"overdrive": v}, {"t_decide": Quantity(1e-12 * t, "s", log=True)})
    ax = plots.family(Figure().add_subplot(), table, "t_decide")
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("overdrive (mV)", "decision time (ps)")
    x, y = (np.asarray(each) for each in ax.lines[0].get_data())
    assert np.max(np.abs(GridSurrogate(table, "t_decide").at(x) / y - 1.0)) < 1e-3  # a look-up is resampled to 5e-4
    straight = np.interp(x, v.values, table.signals["t_decide"].values)
    assert np.max(np.abs(straight / y - 1.0)) > 0.02  # a straight line would not pass


def test_no_line_joins_process_corners():
    table = Table("disturb", {"corner": Quantity.of_labels(("ff", "ss"))}, {"disturb_row": Quantity(np.ones(2), "1")})
    ax = plots.family(Figure().add_subplot(), table, "disturb_row")
    assert [(line.get_linestyle(), line.get_marker()) for line in ax.lines] == [("None", ".")]
    assert ax.get_xlim() == (-0.5, 1.5)


@pytest.mark.parametrize(
    ("value", "unit", "label", "tick"), [(3e-11, "1", "y (10⁻¹²)", "30"), (2e-9, "V", "y (nV)", "2")]
)
def test_small_numbers_have_ticks_that_can_be_read(value, unit, label, tick):
    table = Table("own", {"x": Quantity(np.arange(3.0), "1")}, {"y": Quantity(value * np.array([0.5, 0.7, 1.0]), unit)})
    ax = plots.family(Figure().add_subplot(), table, "y")
    assert ax.get_ylabel() == label
    assert ax.yaxis.get_major_formatter()(value, 0) == tick


@pytest.mark.parametrize(("value", "ends"), [(0.0, (-1.0, 1.0)), (3.3, (0.0, 6.6))])
def test_a_signal_of_one_value_has_an_axis_on_which_it_is_read(value, ends):
    table = Table("own", {"x": Quantity(np.arange(3.0), "1")}, {"y": Quantity(np.full(3, value), "V")})
    assert plots.family(Figure().add_subplot(), table, "y").get_ylim() == ends


def test_histograms_stand_at_the_nominal_corner_and_name_it():
    corners, g = Quantity.of_labels(("tt", "ff", "ss")), Quantity(np.array([1e-6, 2e-6]), "S")
    draws = np.array([1.0, 5.0, 9.0])[None, :, None] + np.random.default_rng(0).normal(0.0, 0.2, (2, 3, 40))
    found = Distribution.of_draws(draws, signal="y", over="cycles")
    table = Table("t", {"g": g, "corner": corners}, {"y": Quantity(np.ones((2, 3)), "V")}, distributions={"y": found})
    ax = plots.histogram(Figure().add_subplot(), table, "y")
    assert [each.get_text() for each in ax.texts] == ["at process corner tt"]
    assert all(np.max(bars.get_data()[1]) < 3.0 for bars in ax.patches if isinstance(bars, StepPatch))


def test_a_map_of_residuals_has_two_numbers_for_axes_and_a_mark_for_each_corner():
    table = write_table_at_corners()
    axes = {
        "g_start": np.array([5e-6, 1e-5, 2e-5]),
        "v_pulse": np.array([1.0, 1.2, 1.4]),
        "corner": np.array([0.0, 1.0, 1.0]),
    }
    at = {name: Quantity(values, table.axes[name].unit) for name, values in axes.items()}
    points = HeldOut(at, np.zeros(3), 1e-9 * np.arange(3.0), "S", 1e-6, 1e-6)
    ax = plots.residual_map(Figure().add_subplot(), replace(table, held_out={"delta_g": points}), "delta_g")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("word line voltage (V)", "conductance before (µS)")
    labels = table.axes["corner"].labels
    assert legend(ax) == [f"corner {labels[0]}", labels[1]]


def test_errors_of_a_tile_have_cells_at_whole_numbers_and_references_in_words():
    error = np.array([[1e-6, -2e-6, 0.0], [0.0, 1e-6, 3e-6]])
    ax = error_map(Figure().add_subplot(), error, label="pair minus target", unit="S")
    assert ax.get_xlim() == (-0.5, 2.5) and ax.get_ylim() == (1.5, -0.5)
    i = np.array([[1e-6, 2e-6]])
    ax = errors_of_currents(Figure().add_subplot(), i, {"product": 1.1 * i, "exact": i})
    assert legend(ax) == ["against ideal product", "against exact wires"]
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), (i - 1.1 * i).ravel())


def test_titles_are_in_words_and_empty_frames_are_left_out():
    drawings = plots.gallery(FILE)
    assert drawings["set-delta_g-family"].title == "SET: change of conductance"
    assert drawings["reset-energy-residuals"].title == "RESET: errors of the fit, energy per pulse"
    few = replace(FILE["set"], held_out={"delta_g": HELD_OUT.where(np.arange(HELD_OUT.spice.size) < 3)})
    assert "set-delta_g-residual-map" in drawings
    assert "set-delta_g-residual-map" not in plots.gallery(TableFile({"set": few}, {}))
    one = replace(FILE["set"], held_out={"delta_g": HELD_OUT.where(np.arange(HELD_OUT.spice.size) < 1)})
    assert "set-delta_g-residuals" in drawings
    assert "set-delta_g-residuals" not in plots.gallery(TableFile({"set": one}, {}))


def test_every_column_that_a_picture_shows_has_words():
    for name, group in GROUPS.items():
        assert group.words, name
        for column in group.columns.values():
            assert column.kind == "condition" or (column.words and "_" not in column.words), f"{name}.{column}"


def test_a_map_of_residuals_marks_what_failed():
    ax = plots.residual_map(Figure().add_subplot(), FULL, "delta_g")
    crosses = np.column_stack([np.asarray(ax.lines[0].get_xdata()), np.asarray(ax.lines[0].get_ydata())])
    v, g = (FULL.axes[name].values for name in ("v_pulse", "g_start"))
    np.testing.assert_allclose(crosses, [[v[8], g[9]], [v[9], g[9]]], rtol=1e-15)


def test_a_histogram_of_draws_has_their_shares():
    draws = np.random.default_rng(1).normal(3.0, 0.5, 5000)
    levels = np.linspace(0, 1, 201)
    found = Distribution.of_draws(draws, signal="y", over="devices", levels=levels)
    one = Table("t", {}, {"y": Quantity(np.array(3.0), "V")}, distributions={"y": found})
    ax = plots.histogram(Figure().add_subplot(), one, "y")
    bars = ax.patches[-1]
    assert isinstance(bars, StepPatch)
    shares, edges, _ = bars.get_data()
    assert shares.sum() == near(1.0, 1e-12)
    counted = np.histogram(draws, edges)[0] / draws.size
    np.testing.assert_allclose(shares, counted, rtol=0, atol=6e-3)  # straight lines between levels of half a percent


def test_the_command_draws_every_table_into_a_folder(tmp_path):
    table.save(full_file(), tmp_path / "t.h5")
    assert command(["plot", str(tmp_path / "t.h5"), "-o", str(tmp_path / "out"), "--format", "svg"]) == 0
    names = {path.stem for path in (tmp_path / "out").iterdir()}
    assert {"set-delta_g-family", "set-delta_g-residual-map", "set-delta_g-histogram-cycles", "set-map"} <= names
    assert "strongarm-t_decide-family" in names
    assert all(path.read_text(encoding="utf-8").startswith("<?xml") for path in (tmp_path / "out").iterdir())


def test_the_command_draws_a_training_into_a_folder(tmp_path):
    nothing = np.full(5, np.nan)
    of_rram = replace(RUN.epochs, float_accuracy_validation=nothing, float_accuracy_test=nothing)
    alone = replace(RUN, epochs=of_rram, float_accuracy=np.nan)
    for name, made, gap in (("with", RUN, True), ("alone", alone, False)):
        record.save(made, tmp_path / f"{name}.h5")
        assert command(["plot", str(tmp_path / f"{name}.h5"), "-o", str(tmp_path / name), "--format", "svg"]) == 0
        names = {path.stem for path in (tmp_path / name).iterdir()}
        assert {
            "learning-curve",
            "confusion",
            "pulses-by-matrix",
            "matrix-0-conductance-by-epoch",
            "matrix-1-pulses-by-cell",
        } <= names
        assert ("gap-to-float" in names) is gap


def test_the_command_names_a_file_that_is_neither(tmp_path):
    (tmp_path / "notes.h5").write_text("no tables")
    with pytest.raises(TableError, match=r"notes\.h5: cannot be read as a table file"):
        command(["plot", str(tmp_path / "notes.h5"), "-o", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()


def test_a_write_table_over_corners_is_drawn_at_its_nominal_condition_which_the_name_says():
    drawings = plots.gallery(TableFile({"set": write_table_at_corners()}, {}))
    assert {"set-delta_g-family", "set-tt-300.15K-map", "set-tt-300.15K-staircase"} <= set(drawings)
    ax = drawings["set-tt-300.15K-staircase"](Figure().add_subplot())
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), climb(FILE["set"]).g_cell)
