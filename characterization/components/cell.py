"""The 1T1R cell: read current, one write pulse."""

from collections.abc import Mapping

import numpy as np
from scipy.interpolate import PchipInterpolator

from rramkit.characterization.components.cell_measure import pulse_energies, read_conductances
from rramkit.characterization.engine.component import Component, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.cell_bench import ReadSweepParams, WriteParams, read_sweep, write_staircase
from rramkit.circuits.deck import Deck


def _currents(waves: Waveforms, params: ReadSweepParams, v_cell: np.ndarray) -> Mapping[str, np.ndarray]:
    """Read the sweep at any voltage of it: between its points a monotone cubic."""
    current = PchipInterpolator(waves.abscissa, waves["i_cell"])
    return {"i_cell": current(v_cell), "g_cell": np.array(current(params.read.v_read) / params.read.v_read)}


def _pulse(waves: Waveforms, params: WriteParams, _: np.ndarray) -> Mapping[str, np.ndarray]:
    before, after = read_conductances(waves, params)[[0, -1]]
    energy = np.sum(pulse_energies(waves, params))
    return {"g_start": np.array(before), "delta_g": np.array(after - before), "energy": np.array(energy)}


def _read_deck(params: ReadSweepParams, _steps: np.ndarray, _draw: RandomDraw) -> Deck:
    return read_sweep(params)


def _swept(params: ReadSweepParams) -> np.ndarray:
    return np.linspace(-params.read.v_max, params.read.v_max, params.points)


def _pulse_deck(params: WriteParams, _steps: np.ndarray, _draw: RandomDraw) -> Deck:
    return write_staircase(params)


COMPONENTS = (
    Component(
        name="cell_read",
        parameters=ReadSweepParams,
        deck=_read_deck,
        measure=_currents,
        steps=Steps(
            "v_cell",
            "V",
            "bit line less source line; positive: the bit line is driven",
            _swept,
        ),
        signals={"i_cell": Signal("A", "cell current, from bit line to source line")},
        summary={"g_cell": Signal("S", "conductance at the read voltage, bit line driven")},
        step="",
        constants={"v_read": ("read.v_read", "V"), "v_wl": ("read.v_wl", "V")},
    ),
    Component(
        name="cell_write",
        parameters=WriteParams,
        deck=_pulse_deck,
        measure=_pulse,
        summary={
            "g_start": Signal("S", "conductance before the pulse"),
            "delta_g": Signal("S", "its change"),
            "energy": Signal("J", "the pulse, from the drivers of all three lines"),
        },
        step="pulse.t_step",
        constants={"t_pulse": ("pulse.t_pulse", "s"), "t_rise": ("pulse.t_rise", "s"), "v_read": ("read.v_read", "V")},
    ),
)
