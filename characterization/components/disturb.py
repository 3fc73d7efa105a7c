"""Half-select disturb: the change of a neighbour's state by one write pulse."""

from collections.abc import Mapping

import numpy as np

from rramkit.characterization.engine.component import Component, Signal
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.deck import Deck
from rramkit.circuits.disturb import DisturbBenchParams, neighbour_states, write_disturb


def deck(params: DisturbBenchParams, _steps: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of full-amplitude pulses with half-selected neighbours."""
    return write_disturb(params)


def disturbances(waves: Waveforms, params: DisturbBenchParams) -> dict[str, np.ndarray]:
    """Return for each neighbour's state the change (P,) that each pulse brings."""
    times = [params.t_between(index) for index in range(params.pulses + 1)]
    return {name: np.diff(np.interp(times, waves["time"], waves[name])) for name in neighbour_states(params)}


def measure(waves: Waveforms, params: DisturbBenchParams, _steps: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return the largest change of a neighbour of the row and of the column."""
    changes = disturbances(waves, params)
    worst = {where: [np.abs(v) for name, v in changes.items() if f"s_{where}" in name] for where in ("row", "col")}
    return {f"disturb_{where}": np.array(np.max(values)) for where, values in worst.items()}


COMPONENTS = (
    Component(
        name="disturb",
        parameters=DisturbBenchParams,
        deck=deck,
        measure=measure,
        summary={
            "disturb_row": Signal("1", "largest change of a row neighbour's state by one pulse"),
            "disturb_col": Signal("1", "largest change of a column neighbour's state by one pulse"),
        },
        supplies=("driver.v_write",),
    ),
)
