"""Level shifter: delays, swing and energy of one pulse."""

from collections.abc import Mapping

import numpy as np

from rramkit.characterization.engine.component import Component, Signal
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.deck import Deck
from rramkit.circuits.level_shifter import LevelShifterBench, level_shifter_bench


def deck(params: LevelShifterBench, _steps: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of one input pulse."""
    return level_shifter_bench(params)


def measure(waves: Waveforms, params: LevelShifterBench, _steps: np.ndarray) -> Mapping[str, np.ndarray]:
    """Return delays, swing and energy; NaN where an edge never came."""
    names = ("t_up", "t_down", "t_rise", "v_high", "v_low", "q_io")
    measured = {name: np.array(waves.measures.get(name, np.nan)) for name in names}
    return measured | {"energy": -measured["q_io"] * params.technology.v_io}


COMPONENTS = (
    Component(
        name="level_shifter",
        parameters=LevelShifterBench,
        deck=deck,
        measure=measure,
        summary={
            "t_up": Signal("s", "delay of the rising word line"),
            "t_down": Signal("s", "delay of the falling word line"),
            "t_rise": Signal("s", "its rising edge, from a tenth to nine tenths"),
            "v_high": Signal("V", "word line while the input is high"),
            "v_low": Signal("V", "word line after the pulse"),
            "energy": Signal("J", "energy of one pulse, from the thick-oxide supply"),
        },
    ),
)
