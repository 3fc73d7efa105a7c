"""Half-select disturb: the change of a neighbour by one write pulse.

`disturb` is the worst of the write driver's own array, at transistor level. `disturb_cell` is one
cell's own, and gives the tables `disturb_set` and `disturb_reset` over amplitude and state, in two schemes:

    half    V/2 without gating: half the line voltage over the neighbour, its word line fully open
    gated   the kit's arrays. In SET the neighbour of the same bit line, its word line closed, sees the bit line; that
            of the same word line sees nothing (both lines at ground). In RESET the neighbour of the same row, its word
            line open, has both lines at the amplitude (the inhibited bit line follows the source line); that of the
            same column sees nothing
"""

from collections.abc import Mapping, Sequence

import numpy as np

from rramkit.characterization.components.cell import StateMap, state_preparation
from rramkit.characterization.engine.component import Component, SideBySide, Signal, Values
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits.deck import Deck
from rramkit.circuits.disturb import (
    DisturbBenchParams,
    DisturbCellParams,
    disturb_cells,
    neighbour_states,
    write_disturb,
)

_SIDE = 10  # pulses in one deck, each at a neighbour of either scheme


def half_selected(params: Sequence[DisturbCellParams], _: np.ndarray, __: RandomDraw) -> Deck:
    """Return the deck of half-selected cells side by side, one of either scheme for each pulse."""
    return disturb_cells(params)


def half_selected_alone(params: DisturbCellParams, steps: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the deck of one pulse's half-selected cells."""
    return half_selected([params], steps, draw)


def half_selected_ends(waves: Waveforms, each: Sequence[DisturbCellParams], _: np.ndarray) -> list[Values]:
    """Return each half-selected cell's state at the end, by scheme."""
    return [
        {name: np.asarray(waves[f"state_{2 * k + j}"][-1]) for j, name in enumerate(_ENDS)} for k in range(len(each))
    ]


def half_selected_end(waves: Waveforms, params: DisturbCellParams, steps: np.ndarray) -> Values:
    """Return the half-selected cells' states at the end of one pulse, by scheme."""
    return half_selected_ends(waves, [params], steps)[0]


def relative_changes(states: StateMap, params: DisturbCellParams, raw: Values) -> Values:
    """Return the size of the relative change of conductance of either scheme, at least what a run can tell."""
    before = states.g_of(np.array(params.state))
    ends = {name: states.g_of(raw[end]) for end, name in zip(_ENDS, _SCHEMES, strict=True)}
    return {name: np.maximum(np.abs(after / before - 1.0), _TOLD) for name, after in ends.items()}


_TOLD = 1e-12  # of the conductance: rounding of a state of about one; the tables interpolate logarithms
_SCHEMES = ("half", "gated")
_ENDS = ("end_half", "end_gated")


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


DISTURB_CELL = Component(
    name="disturb_cell",
    parameters=DisturbCellParams,
    deck=half_selected_alone,
    measure=half_selected_end,
    summary={
        "half": Signal("1", "relative change of conductance by one pulse in the V/2 scheme, gate open"),
        "gated": Signal("1", "the same with the gate closed or the line inhibited"),
    },
    step="pulse.t_step",
    side_by_side=SideBySide(_SIDE, ("state", "v_first"), half_selected, half_selected_ends),
    preparation=state_preparation("g_cell", raw=_ENDS, convert=relative_changes),
)
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
    DISTURB_CELL,
)
