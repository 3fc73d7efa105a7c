"""Pictures of runs: what stands on the axes, which curves share a panel, and which of them get a name."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.deck_file import Label, measure_labels, output_labels, read_voltage, swept
from rramkit.characterization.plots import NAMED, draw_analyses, draw_waveforms
from rramkit.characterization.waveforms import Results, Waveforms
from rramkit.circuits import catalog
from rramkit.cli import simulated


def drawn(name: str, points: int = 200):
    """The picture of a block's own outputs, with made-up values."""
    block = catalog.block(name)
    built = block.deck(block.parameters())
    deck = built.text()
    scale = "time" if built.kind == "tran" else "v-sweep"
    vectors = {scale: np.linspace(0, 1e-6, points)} | {out.name: np.zeros(points) for out in built.outputs}
    waves = Waveforms(kind=built.kind, vectors=vectors, measures={})
    return built, draw_waveforms(waves, output_labels(deck), title="t", swept=swept(deck))


@pytest.mark.parametrize("name", sorted(catalog.BLOCKS))
def test_every_panel_has_units_and_names(name):
    built, figure = drawn(name)
    shown = []
    for ax in figure.axes:
        assert ax.get_ylabel().endswith(("V)", "A)", " (1)"))
        names = [line.get_label() for line in ax.get_lines()]
        assert (ax.get_legend() is not None) == (len(names) <= NAMED)
        colours = [line.get_color() for line in ax.get_lines()]
        assert len(set(map(str, colours))) == len(colours) or len(colours) > 20
        shown += names
    assert sorted(shown) == sorted(out.name for out in built.outputs)
    x_label = figure.axes[-1].get_xlabel()
    assert x_label == "time (µs)" if built.kind == "tran" else x_label.endswith(("V)", " (1)"))


def test_numbers_of_different_kinds_have_their_own_panels():
    _, figure = drawn("periphery_codes")
    assert [ax.get_ylabel() for ax in figure.axes] == [
        "current (mA)",
        "voltage (mV)",
        "register (1)",
        "activation (1)",
        "state (1)",
    ]


def test_points_of_a_sweep_are_marked_and_named():
    _, figure = drawn("crossbar_pairs", points=8)
    assert figure.axes[0].get_xlabel() == "input vector (1)"
    assert all(line.get_marker() == "o" for line in figure.axes[0].get_lines())
    _, figure = drawn("cell_read", points=21)
    assert figure.axes[0].get_lines()[0].get_marker() == "o"
    assert figure.axes[-1].get_xlabel() == "swept source (µV)"


def test_small_signal_results_are_drawn_as_magnitude_and_phase_over_frequency():
    frequency = np.logspace(1, 5, 9)
    vectors = {"frequency": frequency, "v(out)": 1 / (1 + 1j * frequency / 1e3)}
    small, point = Waveforms("ac", vectors, {}), Waveforms("op", {"v(out)": np.zeros(1)}, {})
    sweep = Waveforms("dc", {"temp-sweep": np.linspace(-40, 125, 5), "@m1[id]": np.ones(5)}, {})
    figure = draw_analyses([point, small, sweep], {}, title="costs $1, not $2")
    axes = [ax for part in figure.subfigs for ax in part.axes]
    assert [ax.get_ylabel() for ax in axes] == ["voltage (V)", "phase (°)", "current (A)"]
    assert (axes[1].get_xlabel(), axes[1].get_xscale()) == ("frequency (Hz)", "log")
    assert np.asarray(axes[1].get_lines()[0].get_ydata())[-1] == near(-89.427, within=1e-3)  # -arctan(100)
    assert axes[2].get_xlabel() == "temperature (degC)"
    figure.canvas.draw()  # a title between dollar signs is no formula


def test_spikes_of_a_supply_do_not_flatten_the_current_of_a_cell():
    """Currents stand in panels of one size; each panel's unit stands once, with the prefix of its ticks."""
    time = np.linspace(0.0, 1e-6, 50)
    wave = np.sin(1e7 * time)
    vectors = {"time": time, "i_cell": 3e-4 * wave, "i_write": 7e-3 * wave, "i_core": 4e-3 * wave, "i_idle": 0 * wave}
    vectors["v_wl"] = 3.3 * wave
    labels = {name: Label(name, "V" if name == "v_wl" else "A", "") for name in vectors if name != "time"}
    figure = draw_waveforms(Waveforms("tran", vectors, {}), labels, title="t")
    panels = [(ax.get_ylabel(), [line.get_label() for line in ax.get_lines()]) for ax in figure.axes]
    assert panels == [
        ("current (µA)", ["i_cell", "i_idle"]),
        ("current (mA)", ["i_write", "i_core"]),
        ("voltage (V)", ["v_wl"]),
    ]
    assert figure.axes[0].yaxis.get_major_formatter()(-2e-4, 0) == "\N{MINUS SIGN}200"
    assert figure.axes[-1].get_xlabel() == "time (µs)"


def test_read_currents_have_conductance_and_resistance_beside_them(capsys):
    block = catalog.block("cell_write")
    deck = block.deck(block.parameters()).text()
    measures = measure_labels(deck)
    results = Results((Waveforms("tran", {"time": np.zeros(2)}, {"i_read_0": 5e-7, "i_other": 1.0}),))
    assert read_voltage(deck) == 0.1
    assert simulated.conductances(results, measures, 0.1) == {"i_read_0": near(5e-6, 1e-12)}
    simulated.show(results, {}, measures, title="t", v_read=0.1)
    line = next(each for each in capsys.readouterr().out.splitlines() if "i_read_0" in each)
    assert "500 nA" in line and "5 µS" in line and "200 kΩ" in line
    assert read_voltage("a deck of another\n.end\n") is None
    assert read_voltage(deck.replace("v_read = 0.1 V", "v_read = 100m V")) is None  # a header changed by hand
