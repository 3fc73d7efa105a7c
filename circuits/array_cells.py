"""Cells of a crossbar: subcircuit, selector, one line of SPICE for each cell, device-to-device spread, stuck-at faults.

`values` (R, C) says what each cell holds: the conductance [S] of a bare resistor (1R), the normalised state of a ReRAM
behind a transistor (1T1R) or a selector (1S1R). Spread and faults are arrays too, drawn by the caller's generator:
nothing random happens in a deck.

The selector is a two-terminal switch that conducts exponentially to its threshold, ohmically above it; equations,
source and choices stand in the header of `netlists/selector_threshold.lib`.
"""

from typing import Literal

import numpy as np
from PySpice.Spice.Netlist import SubCircuit

from rramkit import netlists
from rramkit.circuits.cell import CellParams, dynamic_cell, held_cell
from rramkit.circuits.libraries import ModelFile
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class SelectorParams(Parameters):
    """One selector; all four defaults are this kit's choice."""

    v_th: float = quantity(0.8, "V", "threshold: above it the selector is ohmic", ge=0.05, le=3)
    v_slope: float = quantity(0.04, "V", "voltage for a factor e of current below the threshold", ge=0.01, le=0.5)
    r_on: float = quantity(2e3, "ohm", "differential resistance above the threshold", ge=1, le=1e6)
    g_off: float = quantity(1e-11, "S", "leakage conductance, in parallel", ge=0, le=1e-6)

    @property
    def library(self) -> str:
        """Name of the library file in netlists/."""
        return netlists.SELECTOR_THRESHOLD

    def spice(self) -> dict[str, float]:
        """Return the parameters as the library's subcircuit takes them."""
        return {"v_th": self.v_th, "v_slope": self.v_slope, "r_on": self.r_on, "g_off": self.g_off}

    def current(self, v: np.ndarray) -> np.ndarray:
        """Return the current (...) [A] at the voltages (...) [V] across the selector: the library's own equation."""
        up, down = (np.logaddexp(0, (sign * v - self.v_th) / self.v_slope) for sign in (1, -1))
        return self.v_slope / self.r_on * (up - down) + self.g_off * np.asarray(v)


CellKind = Literal["1T1R", "1R", "1S1R"]
SOUND, STUCK_LOW, STUCK_HIGH = 0, 1, 2  # entries of a fault map


class CellSpread(Parameters):
    """Device-to-device spread and stuck-at faults; default: none."""

    sigma: float = quantity(
        0.0, "1", "spread of the cells: of the conductance's logarithm (1R), else of the state", ge=0, le=1
    )
    stuck_low: float = quantity(0.0, "1", "fraction of cells stuck at the low conductance", ge=0, le=0.5)
    stuck_high: float = quantity(0.0, "1", "fraction of cells stuck at the high conductance", ge=0, le=0.5)

    @property
    def nothing(self) -> bool:
        """Whether every cell holds its nominal value."""
        return self.sigma == self.stuck_low == self.stuck_high == 0

    def drawn(self, values: np.ndarray, kind: CellKind, *, rng: np.random.Generator) -> np.ndarray:
        """Return `values` (R, C) with spread and faults drawn from `rng`; stuck cells hold an end of the range."""
        if self.nothing:
            return values
        low, high = (0.0, 1.0) if kind != "1R" else (float(np.min(values)), float(np.max(values)))
        faults = draw_faults(values.shape, self.stuck_low, self.stuck_high, rng=rng)
        return with_faults(with_spread(values, rng.normal(0, self.sigma, values.shape), kind), faults, low, high)


def with_spread(values: np.ndarray, deviation: np.ndarray, kind: CellKind) -> np.ndarray:
    """Return `values` (R, C) moved by each cell's own `deviation` (R, C).

    A conductance is multiplied by exp(deviation), so that it stays positive and its median stays where it was; a state
    is added to and held within [0, 1]: at constant voltage ln G is linear in the sky130 state, so both are lognormal.
    """
    if deviation.shape != values.shape:
        raise InputError(f"`deviation` must be (R, C) = {values.shape}; got {deviation.shape}. Reshape the array.")
    return values * np.exp(deviation) if kind == "1R" else np.clip(values + deviation, 0, 1)


def with_faults(values: np.ndarray, faults: np.ndarray, low: float, high: float) -> np.ndarray:
    """Return `values` (R, C) with cells stuck where `faults` (R, C) is 1 (at `low`) or 2 (at `high`); 0 is sound."""
    if faults.shape != values.shape or not np.all(np.isin(faults, (SOUND, STUCK_LOW, STUCK_HIGH))):
        raise InputError(
            f"`faults` must be (R, C) = {values.shape} of 0 (sound), 1 (stuck low), 2 (stuck high); got "
            f"{faults.shape} of {np.unique(faults)[:5]}. Fix the map."
        )
    return np.where(faults == STUCK_LOW, low, np.where(faults == STUCK_HIGH, high, values))


def draw_faults(shape: tuple[int, ...], low: float, high: float, *, rng: np.random.Generator) -> np.ndarray:
    """Return a fault map (R, C): each cell is stuck low with probability `low`, stuck high with probability `high`."""
    if not (low >= 0 and high >= 0 and low + high <= 1):
        raise InputError(f"`low` and `high` must be probabilities of sum 1 or less; got {low:g} and {high:g}.")
    u = rng.uniform(size=shape)
    return np.where(u < low, STUCK_LOW, np.where(u < low + high, STUCK_HIGH, SOUND))


def subcircuit(kind: CellKind, cell: CellParams, selector: SelectorParams, *, moving: bool) -> SubCircuit | None:
    """Return what `cell_line` refers to: state held, or moving (with the state as a further pin); None for 1R."""
    if kind == "1R":
        return None
    if kind == "1T1R":
        return dynamic_cell(cell) if moving else held_cell(cell)
    pins, name = (("s",), "cell_1s1r") if moving else ((), "cell_1s1r_held")
    found = SubCircuit(name, "bl", "sl", *pins, s_0=0)
    device, held = cell.device, not moving
    found.X("_rram", device.subcircuit(held=held), "bl", "m", *pins, s_0="{s_0}", **device.instance(held=held))
    found.X("_sel", "selector_threshold", "m", "sl", **selector.spice())
    return found


def libraries(kind: CellKind, cell: CellParams, selector: SelectorParams) -> tuple[ModelFile, ...]:
    """Return the names of the library files that a deck with these cells needs."""
    if kind == "1R":
        return ()
    return cell.libraries if kind == "1T1R" else (cell.device.model_file, selector.library)


def cell_line(
    kind: CellKind, where: str, bit: str, source: str, *, word: str, value: float, moving: bool = False
) -> str:
    """Return the SPICE line of one cell between its bit-line and source-line nodes; nothing for an open 1R cell."""
    if kind == "1R":
        return f"R_cell_{where} {bit} {source} {1 / value:.12g}" if value > 0 else ""
    opening = f" {word}" if kind == "1T1R" else ""
    state = f" s_{where}" if moving else ""
    name = ("cell_1t1r" if kind == "1T1R" else "cell_1s1r") + ("" if moving else "_held")
    return f"X_cell_{where} {bit}{opening} {source}{state} {name} s_0={value:.12g}"


def check_values(values: np.ndarray, shape: tuple[int, int], kind: CellKind) -> None:
    """Raise `InputError` unless `values` are (R, C) of what cells of this kind hold."""
    bound = np.inf if kind == "1R" else 1.0
    what = "conductances in siemens, 0 or more" if kind == "1R" else "states within [0, 1]"
    if values.shape != shape or not np.all((values >= 0) & (values <= bound)) or not np.all(np.isfinite(values)):
        found = f"{values.shape}, {np.min(values, initial=np.inf):g} to {np.max(values, initial=-np.inf):g}"
        raise InputError(f"`states` must be (R, C) = {shape}, {what}; got {found}. Clip or reshape the array.")
