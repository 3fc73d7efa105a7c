"""The 1T1R cell and the transposable array: read current, one write pulse, forward against backward."""

from collections.abc import Mapping

import numpy as np
from scipy.interpolate import PchipInterpolator

from rramkit.characterization.components import periphery_measure
from rramkit.characterization.components.cell_measure import pulse_energies, read_conductances
from rramkit.characterization.engine.component import Component, Signal, Steps
from rramkit.characterization.simulate import Waveforms
from rramkit.circuits.cell_bench import ReadSweepParams, WriteParams, read_sweep, write_staircase
from rramkit.circuits.deck import Deck
from rramkit.circuits.periphery import OperateParams, static_operations, unit_reads


def _currents(waves: Waveforms, params: ReadSweepParams, v_cell: np.ndarray) -> Mapping[str, np.ndarray]:
    """Read the sweep at any voltage of it: between its points a monotone cubic."""
    current = PchipInterpolator(waves["v-sweep"], waves["i(v_sl)"])
    return {"i_cell": current(v_cell), "g_cell": np.array(current(params.read.v_read) / params.read.v_read)}


def _pulse(waves: Waveforms, params: WriteParams, _: np.ndarray) -> Mapping[str, np.ndarray]:
    before, after = read_conductances(waves, params)[[0, -1]]
    energy = np.sum(pulse_energies(waves, params))
    return {"g_start": np.array(before), "delta_g": np.array(after - before), "energy": np.array(energy)}


def _matrix_deck(params: OperateParams, *_: object) -> Deck:
    bar, rng = params.periphery.crossbar, np.random.default_rng(params.seed)
    shape = (bar.rows, bar.cols)
    values = rng.uniform(5e-6, 80e-6, shape) if bar.cell_kind == "1R" else rng.uniform(0.55, 0.8, shape)
    return static_operations(params, values, [*unit_reads(params, "forward"), *unit_reads(params, "backward")])


def _matrices(waves: Waveforms, params: OperateParams, _: np.ndarray) -> Mapping[str, np.ndarray]:
    forward = periphery_measure.matrix(waves, params, "forward")
    backward = periphery_measure.matrix(waves, params, "backward", first=len(unit_reads(params, "forward")))
    line = periphery_measure.against_ideal(backward, forward)
    return {
        "deviation": np.array(periphery_measure.reciprocity(forward, backward)),
        "gain": np.array(line.gain),
        "residual": np.array(line.residual / np.max(forward)),
        "g_forward": np.array(np.mean(forward)),
        "g_backward": np.array(np.mean(backward)),
    }


BLOCKS = {
    "cell-read": Component(
        deck=lambda params, *_: read_sweep(params),
        measure=_currents,
        train=Steps(
            "v_cell",
            "V",
            "bit line less source line; positive: the bit line is driven",
            lambda p: np.linspace(-p.read.v_max, p.read.v_max, p.points),
        ),
        signals={"i_cell": Signal("A", "cell current, from bit line to source line")},
        summary={"g_cell": Signal("S", "conductance at the read voltage, bit line driven")},
        step="",
        constants={"v_read": ("read.v_read", "V"), "v_wl": ("read.v_wl", "V")},
    ),
    "cell-write": Component(
        deck=lambda params, *_: write_staircase(params),
        measure=_pulse,
        summary={
            "g_start": Signal("S", "conductance before the pulse"),
            "delta_g": Signal("S", "its change"),
            "energy": Signal("J", "the pulse, from the drivers of all three lines"),
        },
        step="pulse.t_step",
        constants={"t_pulse": ("pulse.t_pulse", "s"), "t_rise": ("pulse.t_rise", "s"), "v_read": ("read.v_read", "V")},
    ),
    "periphery": Component(
        deck=_matrix_deck,
        measure=_matrices,
        summary={
            "deviation": Signal("1", "largest difference of the backward from the forward matrix, over its largest"),
            "gain": Signal("1", "slope of the backward against the forward matrix"),
            "residual": Signal("1", "largest distance from that line, over the forward matrix' largest"),
            "g_forward": Signal("S", "mean of the forward matrix"),
            "g_backward": Signal("S", "mean of the backward matrix"),
        },
        step="",
    ),
}
