"""What sits at a crossbar's crossings: the cell's subcircuit, one line of SPICE for each cell, device-to-device spread.

`values` (R, C) says what each cell holds: the conductance [S] of a bare resistor (1R), the normalised state of a ReRAM
behind a transistor (1T1R) or a selector (1S1R). Spread and faults are arrays too, drawn by the caller's generator:
nothing random happens in a deck.
"""

from typing import Literal

import numpy as np
from PySpice.Spice.Netlist import SubCircuit

from rramkit.circuits.cell import CellParams, dynamic_cell, held_cell
from rramkit.circuits.libraries import ModelFile
from rramkit.circuits.selector import SelectorParams
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

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
        """Whether every cell is as it was asked to be."""
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
    return cell.libraries if kind == "1T1R" else (cell.device.library, selector.library)


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
