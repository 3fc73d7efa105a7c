"""Line switch: its resistance at the rest voltage of a read, and the energy of closing and opening it once."""

import numpy as np

from rramkit.characterization.engine.component import Component, Signal, Values
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.deck import Deck
from rramkit.circuits.line_switch import LineSwitchBenchParams, switch_once


def deck(params: LineSwitchBenchParams, _steps: np.ndarray, _draw: RandomDraw) -> Deck:
    """Return the deck of a switch that closes and opens once."""
    return switch_once(params)


def measure(waves: Waveforms, params: LineSwitchBenchParams, _steps: np.ndarray) -> Values:
    """Return the closed switch' resistance [ohm], and the energy [J] that supply and control give; none comes back."""
    time = waves["time"]
    v, i = (np.interp(params.t_sample, time, x) for x in (waves["v_a"] - waves["v_b"], waves["i_load"]))
    supply = np.maximum(-params.switch.technology.v_io * waves["i_vdd"], 0)
    control = np.maximum(-waves["v_en"] * waves["i_en"], 0)
    energy = integral(time, supply + control, (0.5 * params.t_closed, float(time[-1])))
    return {"r_on": np.asarray(v / i), "energy": np.asarray(energy)}


COMPONENTS = (
    Component(
        name="line_switch",
        parameters=LineSwitchBenchParams,
        deck=deck,
        measure=measure,
        summary={
            "r_on": Signal("ohm", "closed, at the rest voltage of a read"),
            "energy": Signal("J", "closed and opened once, from the supply of its inverters and its control"),
        },
        constants={"w_switch": ("switch.w_switch", "m")},
    ),
)
