"""The 1T1R cell: current against conductance and voltage; change of conductance and energy of one write pulse.

A cell's conductance is g = i(v_read)/v_read of the cell alone, at its own terminals: the word line at its read voltage,
both lines at rest, the source line pulled down by v_read (`circuits/cell`). It is that in every table: `read.g_cell`,
`set.g_start`, `delta_g`. The drivers' resistance acts during a pulse only.

A deck takes states; a table has conductances. `StateMap` is the cell's conductance at 101 states, measured at each
corner and for each drawn device, a monotone cubic in the logarithm of g between them. A pulse's deck holds no reads:
the map says what conductance the state at its end has, so that a run is only as long as the pulse, and a start
conductance is the same number for every amplitude.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from pydantic import model_validator

from rramkit.characterization.cycle_noise import CycleNoise, noise_equations, sigma_of
from rramkit.characterization.engine.component import (
    Component,
    CycleSpread,
    Mismatch,
    Preparation,
    SideBySide,
    Signal,
    Steps,
    Values,
)
from rramkit.characterization.engine.corners import T_NOMINAL
from rramkit.characterization.engine.monte_carlo import RandomDraw
from rramkit.characterization.fits.writes import write_fits
from rramkit.characterization.read_noise import ReadNoise, sigma_of_read
from rramkit.characterization.scatter import PulseScatter, distributions
from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.cell import (
    LINES,
    CellParams,
    Polarity,
    PulseParams,
    PulseRowParams,
    ReadParams,
    ReadRowParams,
    WriteParams,
    pulse_row,
    read_row,
)
from rramkit.circuits.deck import Deck
from rramkit.circuits.mismatch import Matching, scaled_thresholds
from rramkit.errors import InputError
from rramkit.monotone_cubic import MonotoneCubic
from rramkit.parameters import Parameters, quantity
from rramkit.table import Fit, Table
from rramkit.table.parts import Distribution
from rramkit.table.schema import SET

_STATES = 101  # of the state map: a cubic between them is exact to 1e-6
_READS = 25  # cells side by side in one read
_PULSES = 8  # cells side by side in one pulse: a quarter less time than alone; the devices take the rest
_ROUNDS = 60  # of the bisection that inverts the map: 2^-60 of an interval


class CellReadParams(Parameters):
    """A cell whose state is held, read statically over both signs of the read range."""

    cell: CellParams = CellParams()
    read: ReadParams = ReadParams()
    state: float = quantity(0.5, "1", "held state of the cell", ge=0, le=1)
    points: int = quantity(21, "1", "swept voltages of both signs; 1: v_read alone", ge=1, le=1001)
    matching: Matching = Matching()


class CellWriteParams(Parameters):
    """One write pulse at a cell; the driver and the lines have tables of their own (`write_driver_set`, `wires`)."""

    cell: CellParams = CellParams()
    read: ReadParams = ReadParams()
    pulse: PulseParams = PulseParams()
    polarity: Polarity = quantity("set", "1", "set steps the line `pulse.set_line`, reset the source line")
    state: float = quantity(0.5, "1", "state at the start", ge=0, le=1)
    v_first: float = quantity(1.0, "V", "amplitude of the pulse on the stepped line", ge=0, le=3.6)
    pulses: int = quantity(1, "1", "number of pulses; one", ge=1, le=1)
    v_step: float = quantity(0.01, "V", "step of the driver that writes in the array", gt=0, le=0.5)
    matching: Matching = Matching()
    noise: CycleNoise = CycleNoise()
    scatter: PulseScatter = PulseScatter()

    @model_validator(mode="before")
    @classmethod
    def _of_one_pulse(cls, values: Any) -> Any:  # noqa: ANN401  (as pydantic gives it)
        """Leave out the last amplitude of a staircase, which plans of 0.1.0 carry: there is one pulse."""
        if isinstance(values, Mapping) and values.get("pulses", 1) == 1:
            return {name: value for name, value in values.items() if name != "v_last"}
        return values

    @property
    def v_wl(self) -> float | None:
        """Return the word line's voltage where it is not the stepped line [V]."""
        if self.polarity == "reset":
            return self.pulse.v_wl_reset
        return self.pulse.v_wl_set if self.pulse.set_line == "bl" else None

    @property
    def v_bl(self) -> float | None:
        """Return the bit line's voltage where SET steps the word line [V]."""
        return self.pulse.v_bl_set if self.polarity == "set" and self.pulse.set_line == "wl" else None


class CellNoiseParams(CellReadParams):
    """A cell that is read at the read voltage, and the noise of that."""

    points: int = quantity(1, "1", "swept voltages: v_read alone", ge=1, le=1)
    noise: ReadNoise = ReadNoise()

    @property
    def bandwidth(self) -> float:
        """Return the noise bandwidth of a read [Hz]."""
        return self.noise.bandwidth


@dataclass(frozen=True)
class StateMap:
    """Conductance of a cell alone against its state, both rising.

    Attributes
    ----------
    state, g : ndarray
        States (N,) and conductances (N,) [S], without those states between which the conductance does not rise.
    """

    state: np.ndarray
    g: np.ndarray

    @classmethod
    def of_reads(cls, g: np.ndarray) -> "StateMap":
        """Build from the conductances (N,) [S] read at states evenly over 0 to 1."""
        state = np.linspace(0, 1, g.size)
        rising = np.concatenate([[True], g[1:] > np.maximum.accumulate(g)[:-1]])
        if not np.all(g > 0) or np.count_nonzero(rising) < 2:
            raise InputError(
                f"`cell` must conduct more in a higher state; got {g[0]:.3g} S in state 0 and {g[-1]:.3g} S in "
                "state 1. Check its device and the word line's read voltage."
            )
        return cls(state[rising], g[rising])

    def g_of(self, state: np.ndarray) -> np.ndarray:
        """Return the conductance [S] in a state."""
        return np.exp(self._log_g(np.clip(state, self.state[0], self.state[-1])))

    def state_of(self, g: np.ndarray, *, nearest: bool = False) -> np.ndarray:
        """Return the state with conductance `g` [S]: the same cubic inverted; `nearest`: the end, where g is outside.

        Raises
        ------
        InputError
            When the cell cannot have such a conductance.
        """
        if not nearest and (np.min(g) < self.g[0] or np.max(g) > self.g[-1]):
            raise InputError(
                f"`conductance` must lie within {self.g[0]:.3g} to {self.g[-1]:.3g} S, the range of this cell; got "
                f"{np.min(g):.3g} to {np.max(g):.3g} S (the read table adds 15 % at both ends). Narrow g_min, g_max."
            )
        target = np.log(np.clip(g, self.g[0], self.g[-1]))
        place = np.clip(np.searchsorted(np.log(self.g), target, side="right") - 1, 0, self.g.size - 2)
        low, high = self.state[place], self.state[place + 1]
        for _ in range(_ROUNDS):
            middle = (low + high) / 2
            below = self._log_g(middle) < target
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return (low + high) / 2

    @cached_property
    def _log_g(self) -> MonotoneCubic:
        return MonotoneCubic(self.state, np.log(self.g))


def row_currents(waves: Waveforms, cells: int) -> np.ndarray:
    """Return the current (cells, V) [A] of each cell of a row at each voltage of its sweep."""
    return np.stack([waves[f"i_cell_{k}"] for k in range(cells)])


def one_current(waves: Waveforms) -> np.ndarray:
    """Return the current (V,) [A] of a row of one cell."""
    return row_currents(waves, 1)[0]


def row_pulses(waves: Waveforms, cells: int) -> np.ndarray:
    """Return of a row of pulses each cell's state at the end and the energy [J] from its three drivers; (cells, 2)."""
    power = [sum(-waves[f"v_{line}_{k}"] * waves[f"i_{line}_{k}"] for line in LINES) for k in range(cells)]
    energy = np.trapezoid(np.array(power), waves["time"], axis=1)
    return np.stack([[waves[f"state_{k}"][-1] for k in range(cells)], energy], axis=1)


def read_conductances(waves: Waveforms, params: WriteParams) -> np.ndarray:
    """Return the conductance (P + 1,) [S] of the reads before, between and after P pulses of a staircase, at v_read."""
    times = [params.t_read_at(index) for index in range(params.pulses + 1)]
    return np.interp(times, waves["time"], waves["i_sl"]) / params.read.v_read


def pulse_energies(waves: Waveforms, params: WriteParams) -> np.ndarray:
    """Return the energy (P,) [J] from the three line drivers in each pulse, charging of the lines included."""
    power = sum(-waves[f"v_{line}"] * waves[f"i_{line}"] for line in LINES)
    windows = [params.write_window(index) for index in range(params.pulses)]
    return np.array([integral(waves["time"], np.asarray(power), window) for window in windows])


def read_deck(params: CellReadParams, v_cell: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the static read of one cell."""
    return read_decks([params], v_cell, draw)


def read_decks(params: Sequence[CellReadParams], v_cell: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the static reads of cells side by side; a threshold higher by dv is a word line lower by dv.

    The sweep reaches every voltage of a plan, also where that lies beyond `read.v_max`.
    """
    first, states = params[0], tuple(each.state for each in params)
    largest = float(np.max(np.abs(v_cell), initial=first.read.v_max)) if first.points > 1 else first.read.v_max
    reach = ReadParams.checked({**first.read.model_dump(), "v_max": largest}, where="the plan's axis v_cell")
    read = reach.model_copy(update={"v_wl": first.read.v_wl - _threshold(draw)})
    return read_row(ReadRowParams(cell=first.cell, read=read, state=states, points=first.points))


def reads(waves: Waveforms, params: CellReadParams, v_cell: np.ndarray) -> Values:
    """Return current and conductance of a row of one cell."""
    return reads_side_by_side(waves, [params], v_cell)[0]


def reads_side_by_side(waves: Waveforms, params: Sequence[CellReadParams], v_cell: np.ndarray) -> list[Values]:
    """Return each cell's current at any voltage of its sweep (a monotone cubic between the points) and conductance."""
    return [_read(waves.abscissa, current, params[0], v_cell) for current in row_currents(waves, len(params))]


def _read(v_sweep: np.ndarray, current: np.ndarray, params: CellReadParams, v_cell: np.ndarray) -> Values:
    v_read = params.read.v_read
    if v_sweep.size == 1:
        return {"i_cell": np.full(v_cell.shape, current[0]), "g_cell": current[0] / v_read}
    curve = MonotoneCubic(v_sweep, current)
    return {"i_cell": curve(v_cell), "g_cell": np.asarray(curve(v_read) / v_read)}


def read_noise(waves: Waveforms, params: CellNoiseParams, steps: np.ndarray) -> Values:
    """Return the noise of a cell's read."""
    return read_noises(waves, [params], steps)[0]


def read_noises(waves: Waveforms, params: Sequence[CellNoiseParams], v_cell: np.ndarray) -> list[Values]:
    """Return the noise of the reads of cells side by side."""
    first = params[0]
    v_read, kelvin = first.read.v_read, first.cell.device.values.get("t_amb", T_NOMINAL)
    g_cells = [each["g_cell"] for each in reads_side_by_side(waves, params, v_cell)]
    return [{"sigma_g": sigma_of_read(first.noise, g, v_read=v_read, kelvin=kelvin)} for g in g_cells]


def write_deck(params: CellWriteParams, steps: np.ndarray, draw: RandomDraw) -> Deck:
    """Return the deck of one pulse at one cell."""
    return write_decks([params], steps, draw)


def write_decks(params: Sequence[CellWriteParams], _: np.ndarray, draw: RandomDraw) -> Deck:
    """Return one pulse at each of cells side by side; a threshold higher by dv is a gate that is lower by dv."""
    first, dv = params[0], _threshold(draw)
    gates = {name: getattr(first.pulse, name) - dv for name in ("v_wl_set", "v_wl_reset")}
    stepped = dv if first.polarity == "set" and first.pulse.set_line == "wl" else 0.0
    return pulse_row(
        PulseRowParams(
            cell=first.cell,
            pulse=first.pulse.model_copy(update=gates),
            polarity=first.polarity,
            state=tuple(each.state for each in params),
            v_pulse=tuple(each.v_first - stepped for each in params),
        )
    )


def pulses(waves: Waveforms, params: CellWriteParams, steps: np.ndarray) -> Values:
    """Return state and energy of a row of one pulse."""
    return pulses_side_by_side(waves, [params], steps)[0]


def pulses_side_by_side(waves: Waveforms, params: Sequence[CellWriteParams], _: np.ndarray) -> list[Values]:
    """Return each cell's state at the end of its pulse and the energy [J] from its drivers."""
    return [{"state_end": row[0], "energy": row[1]} for row in row_pulses(waves, len(params))]


def noisy_pulse(waves: Waveforms, params: CellWriteParams, _: np.ndarray) -> Values:
    """Return the state at the end of one pulse, and the standard deviation of its noise, both over the range."""
    device, state = params.cell.device, waves["state_0"]
    model, values = noise_equations(device), device.values
    # The line that is not driven stands still, so that its driver's current is the device's, without charging.
    current = np.abs(waves["i_sl_0"] if params.polarity == "set" else waves["i_bl_0"])
    v = np.array([model.voltage(values, float(i), float(s)) for i, s in zip(current, state, strict=True)])
    signed = v if params.polarity == "set" else -v
    sigma = sigma_of(waves["time"], signed, state, device=device, noise=params.noise)
    return {"state_end": state[-1], "sigma": np.asarray(sigma / model.span(values))}


def _noise_added(states: StateMap, raw: Values, normals: np.ndarray) -> Values:
    """Return what a step of the state after the pulse adds to the change, (D,) [S]."""
    after = np.clip(raw["state_end"] + raw["sigma"] * normals, 0.0, 1.0)
    return {"delta_g": states.g_of(after) - states.g_of(raw["state_end"])}


def _has_cycle_noise(params: CellWriteParams) -> None:
    noise_equations(params.cell.device)


def _as_measured(_: StateMap, __: CellNoiseParams, raw: Values) -> Values:
    return {name: np.asarray(value).reshape(()) for name, value in raw.items()}


def _changes(states: StateMap, params: CellWriteParams, raw: Values) -> Values:
    g_start, g_end = states.g_of(np.array([params.state, raw["state_end"].item()]))
    return {"g_start": g_start, "delta_g": g_end - g_start, "energy": raw["energy"]}


def _threshold(draw: RandomDraw) -> float:
    return 0.0 if draw.dv_threshold is None else float(draw.dv_threshold[0])


def _one_transistor(_: CellReadParams | CellWriteParams) -> int:
    return 1


def _threshold_draw(params: CellReadParams | CellWriteParams, normals: np.ndarray) -> RandomDraw:
    size = (params.cell.w_access, params.cell.l_access)
    return RandomDraw(dv_threshold=scaled_thresholds(params.matching, [size], normals))


def _voltages(params: CellReadParams) -> np.ndarray:
    return np.linspace(-params.read.v_max, params.read.v_max, max(params.points, 3))


class ReadCell(Protocol):
    """Parameters of a component that has a cell and says how it is read."""

    @property
    def cell(self) -> CellParams:
        """The cell."""
        ...

    @property
    def read(self) -> ReadParams:
        """How it is read."""
        ...

    @property
    def matching(self) -> Matching:
        """How its transistor varies."""
        ...


def cell_of(params: ReadCell) -> CellReadParams:
    """Return how a cell's conductance is read for its state map."""
    return CellReadParams(cell=params.cell, read=params.read, points=1, matching=params.matching)


def state_map(rows: np.ndarray) -> StateMap:
    """Return the map of conductances (N, 1) [S] read at N states."""
    return StateMap.of_reads(rows[:, 0])


def _held_state(states: StateMap, g: float, nearest: bool) -> tuple[str, float]:
    return "state", float(states.state_of(np.array([g]), nearest=nearest)[0])


def _fits(table: Table) -> Mapping[str, Fit]:
    """Return the parametric models beside a write table of two axes; one with corners has none."""
    return write_fits(table) if tuple(table.axes) == ("g_start", "v_pulse") else {}


def state_preparation(
    coordinate: str, *, raw: tuple[str, ...], convert: Callable[[StateMap, Any, Values], Values]
) -> Preparation:
    """Return the state map as a preparation of another component of this cell (with fields cell, read, matching).

    `coordinate` is the axis of conductance; `raw` the measures of a run that `convert` turns into the component's.
    """
    return replace(_MAP, coordinate=coordinate, raw=raw, convert=convert)


def _scatter(params: CellWriteParams, table: Table) -> Mapping[str, Distribution]:
    """Return the scatter of a pulse around the changes of a table, from pulse to pulse and from device to device."""
    return distributions(params.scatter, np.asarray(table.signals[SET.delta_g].values))


_MISMATCH = Mismatch(_one_transistor, _threshold_draw)
_READ = Component(
    name="cell_read",
    parameters=CellReadParams,
    deck=read_deck,
    measure=reads,
    steps=Steps("v_cell", "V", "bit line less source line", _voltages),
    signals={"i_cell": Signal("A", "cell current, from bit line to source line")},
    summary={"g_cell": Signal("S", "conductance of the cell alone at the read voltage")},
    mismatch=_MISMATCH,
    step="",
    constants={
        "v_read": ("read.v_read", "V"),
        "v_rest": ("read.v_rest", "V"),
        "v_wl": ("read.v_wl", "V"),
        "t_read": ("read.t_read", "s"),
    },
    side_by_side=SideBySide(_READS, ("state",), read_decks, reads_side_by_side),
)
_MAP = Preparation(
    stage="cell states",
    component=_READ,
    parameters=cell_of,
    points=tuple(("state", float(state)) for state in np.linspace(0, 1, _STATES)),
    measures=("g_cell",),
    result=state_map,
    coordinate="g_cell",
    unit="S",
    place=_held_state,
)
_WRITE_CONSTANTS = {
    "t_pulse": ("pulse.t_pulse", "s"),
    "t_rise": ("pulse.t_rise", "s"),
    "v_step": ("v_step", "V"),
    "v_wl": ("v_wl", "V"),
    "v_bl": ("v_bl", "V"),
    "v_read": ("read.v_read", "V"),
    "w_access": ("cell.w_access", "m"),
    "r_driver": ("pulse.r_driver", "ohm"),
    "c_line": ("pulse.c_line", "F"),
    "t_step": ("pulse.t_step", "s"),
    "scatter_relative": ("scatter.relative", "1"),
    "scatter_floor": ("scatter.floor", "S"),
    "scatter_devices": ("scatter.devices", "1"),
}
CELL_READ = replace(_READ, preparation=_MAP)
CELL_WRITE = Component(
    name="cell_write",
    parameters=CellWriteParams,
    deck=write_deck,
    measure=pulses,
    summary={
        "g_start": Signal("S", "conductance of the cell alone before the pulse"),
        "delta_g": Signal("S", "its change"),
        "energy": Signal("J", "the pulse, from the drivers of all three lines"),
    },
    mismatch=_MISMATCH,
    step="pulse.t_step",
    fits=_fits,
    constants=_WRITE_CONSTANTS,
    side_by_side=SideBySide(_PULSES, ("state", "v_first"), write_decks, pulses_side_by_side),
    preparation=replace(_MAP, coordinate="g_start", raw=("state_end", "energy"), convert=_changes),
    cycles=CycleSpread(_has_cycle_noise, ("state_end", "sigma"), noisy_pulse, _noise_added),
    scatter=_scatter,
)
CELL_NOISE = Component(
    name="cell_noise",
    parameters=CellNoiseParams,
    deck=read_deck,
    measure=read_noise,
    summary={"sigma_g": Signal("S", "standard deviation of the conductance from read to read")},
    mismatch=_MISMATCH,
    step="",
    constants={"bandwidth": ("bandwidth", "Hz")},
    side_by_side=SideBySide(_READS, ("state",), read_decks, read_noises),
    preparation=state_preparation("g_cell", raw=("sigma_g",), convert=_as_measured),
)
COMPONENTS = (CELL_READ, CELL_WRITE, CELL_NOISE)
