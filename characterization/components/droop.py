"""IR drop of a write pulse: volts of amplitude that a volt dropped along the source line or the bit line costs.

Four cells side by side start in one state: the pulse as it is, the pulse with its amplitude lower by dv, and the pulse
with a drop of dv along one line. With the states at their ends ::

    ratio = (s_whole - s_line)/(s_whole - s_lower)

They share every time step, so that differences of 1e-9 of the range are real. Where the pulse changes the cell by less,
the ratio is that of the currents early in the pulse, which the voltage over the device sets, as it would set the
change: the limit of the first for a cell that stands still. In between the two are weighted by the change. Neither
matters there, as nothing is written; it keeps the table smooth and defined. A pulse that drives the filament to its
limit ends there whatever it lost: its ratio, too, is that of the currents, late in the pulse. The stepped line's own
ratio is one.
"""

from collections.abc import Sequence

import numpy as np

from rramkit.characterization.components.cell import StateMap, state_preparation
from rramkit.characterization.engine.component import Component, SideBySide, Signal, Values
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.deck import Deck
from rramkit.circuits.droop import DroopParams, droops, variants

_SIDE = 5  # pulses in one deck, each in three or four cells: twenty cells are the quickest for each
_TOLD = 1e-9  # of the state's range: what two cells in one deck differ by beyond the solver's rounding
_LIMIT = 0.01  # of the state's range: nearer than this to 0 or 1 the filament's limit holds it
_EARLY = 0.1  # of the plateau: currents of a cell that stands still are taken after this part, the temperature settled
_LATE = 0.9  # of the plateau: those of one that has come to its limit
_LEAST = 1e-3  # volts lost for a volt dropped: less is nothing, and tables interpolate logarithms
_STATES = ("state_whole", "state_lower", "state_source", "state_bit")
_CURRENTS = ("i_whole", "i_lower", "i_source", "i_bit")


def deck(params: DroopParams, steps: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the deck of one pulse and of its variants."""
    return decks([params], steps, draw)


def decks(params: Sequence[DroopParams], _: np.ndarray, __: RandomDraw) -> Deck:
    """Return the deck of pulses side by side, each with its variants."""
    return droops(params)


def measure(waves: Waveforms, params: DroopParams, steps: np.ndarray) -> Values:
    """Return the states at the ends and the currents."""
    return side_by_side(waves, [params], steps)[0]


def side_by_side(waves: Waveforms, each: Sequence[DroopParams], _: np.ndarray) -> list[Values]:
    """Return of each pulse the states of its variants at the end, and their currents."""
    names, pulse = variants(each[0]), each[0].pulse
    found = []
    for k in range(len(each)):
        cells = {name: k * len(names) + j for j, name in enumerate(names)}
        cells = {name: cells.get(name, cells["lower"]) for name in ("whole", "lower", "source", "bit")}
        limited = _comes_to_a_limit(waves[f"state_{cells['whole']}"])
        at = 2 * pulse.t_rise + (_LATE if limited else _EARLY) * pulse.t_pulse
        states = {
            f"state_{name}": np.asarray(waves[f"state_{cell}"][0 if limited else -1]) for name, cell in cells.items()
        }
        currents = {
            f"i_{name}": np.asarray(np.interp(at, waves["time"], waves[f"i_{cell}"])) for name, cell in cells.items()
        }
        found.append(states | currents)
    return found


def _comes_to_a_limit(state: np.ndarray) -> bool:
    """Return whether a state (T,) ends at a limit at which it did not start."""
    start, end = state[0], state[-1]
    return bool(end > 1.0 - _LIMIT >= start or end < _LIMIT <= start)


def ratios(_: StateMap, __: DroopParams, raw: Values) -> Values:
    """Return the volts of amplitude lost for each volt dropped along the source and the bit line."""
    changes, currents = ({name: (raw[names[0]] - raw[name]).item() for name in names} for names in (_STATES, _CURRENTS))
    weight = changes["state_lower"] ** 2 / (changes["state_lower"] ** 2 + _TOLD**2)
    return {
        line: np.maximum(
            weight * _over(changes[f"state_{line}"], changes["state_lower"])
            + (1.0 - weight) * _over(currents[f"i_{line}"], currents["i_lower"]),
            _LEAST,
        )
        for line in ("source", "bit")
    }


def _over(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


DROOP = Component(
    name="droop",
    parameters=DroopParams,
    deck=deck,
    measure=measure,
    summary={
        "source": Signal("1", "volts of amplitude lost for each volt dropped along the source line"),
        "bit": Signal("1", "volts of amplitude lost for each volt dropped along the bit line"),
    },
    step="pulse.t_step",
    side_by_side=SideBySide(_SIDE, ("state", "v_first"), decks, side_by_side),
    preparation=state_preparation("g_start", raw=(*_STATES, *_CURRENTS), convert=ratios),
)
COMPONENTS = (DROOP,)
