"""Multi-bit read: the code of a bit line's cells through readout and SAR converter, and its energy."""

from collections.abc import Mapping

import numpy as np

from rramkit.characterization.components.adc import CODE, codes, conversion_energies
from rramkit.characterization.engine.component import Component, Steps
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.deck import Deck
from rramkit.circuits.multibit_read import MultibitReadParams, multibit_train


def deck(params: MultibitReadParams, g_cells: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of reads, one for each conductance (N,) [S] of the line's cells together."""
    return multibit_train(params, g_cells)


def conductances(params: MultibitReadParams) -> np.ndarray:
    """Return the conductances (N,) [S] of the bench's own train."""
    return params.conductances


def measure(waves: Waveforms, params: MultibitReadParams, g_cells: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return code and energy of each read."""
    energies = conversion_energies(waves, params.converter, g_cells.size)
    return {
        "code": codes(waves, params.converter, g_cells.size).astype(float),
        "energy": np.sum(list(energies.values()), axis=0),
    }


COMPONENTS = (
    Component(
        name="multibit_read",
        parameters=MultibitReadParams,
        deck=deck,
        measure=measure,
        steps=Steps("g_cells", "S", "conductance of all cells of the line together", conductances),
        signals=CODE,
        step="converter.t_step",
        constants={
            "bits": ("converter.sar.bits", "1"),
            "v_read": ("v_read", "V"),
            "t_conversion": ("converter.t_slot", "s"),
        },
    ),
)
