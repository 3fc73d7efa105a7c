"""Multi-bit read: the code of a bit line's cells through readout and SAR converter, and its energy."""

from collections.abc import Mapping

import numpy as np

from rramkit.characterization.components.adc import codes, conversion_energies
from rramkit.characterization.engine.component import Component, Signal, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.deck import Deck
from rramkit.circuits.multibit_read import MultibitReadParams, multibit_train


def deck(params: MultibitReadParams, g_cells: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of reads, one for each conductance (N,) [S] of the line's cells together."""
    return multibit_train(params, g_cells)


def conductances(params: MultibitReadParams) -> np.ndarray:
    """Return the conductances (N,) [S] of the bench's own train."""
    return params.conductances


def measure(waves: Waveforms, params: MultibitReadParams, g_cells: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return code of each read, and its energy: the readout's over the whole slot, and the converter's."""
    timing, count = params.converter, g_cells.size
    converter = np.sum(list(conversion_energies(waves, timing, count).values()), axis=0)
    supply = -params.readout.ota.v_dd * waves["i_ota"]
    slots = [(k * timing.t_slot, (k + 1) * timing.t_slot) for k in range(count)]
    amplifier = np.array([integral(waves["time"], supply, slot) for slot in slots])
    return {
        "code": codes(waves, timing, count).astype(float),
        "energy": amplifier + converter,
    }


COMPONENTS = (
    Component(
        name="multibit_read",
        parameters=MultibitReadParams,
        deck=deck,
        measure=measure,
        steps=Steps("g_cells", "S", "conductance of all cells of the line together", conductances),
        signals={
            "code": Signal("1", "output code"),
            "energy": Signal("J", "of readout and converter together, from their supplies, read and conversion"),
        },
        step="converter.t_step",
        constants={
            "bits": ("converter.sar.bits", "1"),
            "v_read": ("v_read", "V"),
            "r_feedback": ("readout.r_feedback", "ohm"),
            "t_conversion": ("converter.t_slot", "s"),
        },
    ),
)
