"""State of written cells, and the cost of writes."""

from dataclasses import dataclass, field, replace
from typing import Literal, Self

import numpy as np

from rramkit.array.backend import Array, copied, counted, namespace, only, size, total
from rramkit.array.write.spread import Traits
from rramkit.errors import InputError

Polarity = Literal["set", "reset"]
POLARITIES: tuple[Polarity, Polarity] = ("set", "reset")


@dataclass(frozen=True)
class WriteCost:
    """Cost and counts of writes; costs add. Of cells that are tensors they are tensors of one number each.

    Attributes
    ----------
    pulses_set, pulses_reset : int
        Pulses fired.
    energy : float
        Energy of the pulses and of the reads that go with them (J).
    clamped : int
        Values clamped at an edge: conductances at the end of a cell's window, amplitudes at the end of the
        table; in a rule, also changes beyond the range of a pair.
    seconds : float
        Time that pulses and these reads took, arrays side by side (s).
    reads : int
        Cells read to be written: to verify them, or to choose a pulse.
    stuck : int
        Pulses that went to stuck cells.
    half_selected : int
        Half-select events of other cells.
    energy_reads, seconds_reads : float
        The part of these reads in energy (J) and in time (s).
    """

    pulses_set: int = 0
    pulses_reset: int = 0
    energy: float = 0.0
    clamped: int = 0
    seconds: float = 0.0
    reads: int = 0
    stuck: int = 0
    half_selected: int = 0
    energy_reads: float = 0.0
    seconds_reads: float = 0.0

    def __add__(self, other: "WriteCost") -> "WriteCost":
        return WriteCost(
            self.pulses_set + other.pulses_set,
            self.pulses_reset + other.pulses_reset,
            self.energy + other.energy,
            self.clamped + other.clamped,
            self.seconds + other.seconds,
            self.reads + other.reads,
            self.stuck + other.stuck,
            self.half_selected + other.half_selected,
            self.energy_reads + other.energy_reads,
            self.seconds_reads + other.seconds_reads,
        )

    @classmethod
    def of_reads(cls, count: int, *, energy: float, seconds: float) -> Self:
        """Return the cost of reading `count` cells, with the energy (J) and the time (s) of all."""
        return cls(energy=energy, seconds=seconds, reads=count, energy_reads=energy, seconds_reads=seconds)

    @property
    def pulses(self) -> int:
        """Pulses fired, of both polarities."""
        return self.pulses_set + self.pulses_reset


@dataclass(frozen=True, repr=False)
class CellState:
    """Every cell of arrays (..., 2, R, C): conductance, traits, and the pulses so far.

    Attributes
    ----------
    g_cell : ndarray
        Conductances, in siemens.
    traits : Traits
        Spread, faults and drift of each cell.
    pulses_set, pulses_reset : ndarray of int
        Pulses fired at each cell.
    energy : ndarray
        Energy of these pulses (J).
    seconds : ndarray
        Time that each cell was selected (s).
    age : ndarray or None
        Time since the cell's last pulse, as at the retention's temperature (s); None: nothing drifts.
    tally : WriteCost
        Cost of the last step.
    """

    g_cell: np.ndarray
    traits: Traits
    pulses_set: np.ndarray
    pulses_reset: np.ndarray
    energy: np.ndarray
    seconds: np.ndarray
    age: np.ndarray | None = None
    tally: WriteCost = field(default_factory=WriteCost)

    @classmethod
    def fresh(cls, g_cell: np.ndarray, traits: Traits, *, ages: bool) -> Self:
        """Return cells of conductances (..., 2, R, C) in siemens that no pulse has touched."""
        counts = np.zeros(g_cell.shape, dtype=np.int64)
        zeros = np.zeros(g_cell.shape)
        return cls(g_cell, traits, counts, counts, zeros, zeros, zeros if ages else None)

    def pulsed(
        self,
        flat: Array,
        g_after: Array,
        *,
        polarity: Polarity,
        energy: Array,
        seconds: Array,
        live: Array | None = None,
        own: bool = False,
    ) -> Self:
        """Return the cells after one pulse at each of `flat` (N,), which ends at `g_after` (N,), with their counts.

        Of tensors `live` (N,) says which of them are pulsed; None: all. `own`: whether nobody else has this state,
        whose arrays are then written into, and not copied.
        """
        is_set, energy = polarity == "set", only(energy, live)
        one = 1 if live is None else namespace(live).astype(live, self.pulses_set.dtype)
        count = size(flat) if live is None else counted(live)
        return replace(
            self,
            g_cell=_with(self.g_cell, flat, g_after, live, own=own),
            pulses_set=_plus(self.pulses_set, flat, one) if is_set else self.pulses_set,
            pulses_reset=self.pulses_reset if is_set else _plus(self.pulses_reset, flat, one),
            energy=_plus(self.energy, flat, energy, own=own),
            seconds=_plus(self.seconds, flat, only(seconds, live), own=own),
            age=None if self.age is None else _with(self.age, flat, 0.0, live, own=own),
            tally=WriteCost(
                pulses_set=count if is_set else 0,
                pulses_reset=0 if is_set else count,
                energy=total(energy),
            ),
        )

    @property
    def pulses(self) -> np.ndarray:
        """Pulses fired at each cell (..., 2, R, C)."""
        return self.pulses_set + self.pulses_reset

    def __repr__(self) -> str:
        low, high = (1e6 * float(g) for g in (self.g_cell.min(), self.g_cell.max()))
        fired, energy = int(self.pulses.sum()), float(self.energy.sum())
        return f"CellState({self.g_cell.shape} cells, {low:.3g} to {high:.3g} uS, {fired} pulses, {energy:.3g} J)"


def checked_conductance(g_cell: np.ndarray) -> np.ndarray:
    """Return conductances as a float array (..., 2, R, C) in siemens; raise `InputError` where they are not."""
    g_cell = np.asarray(g_cell, dtype=float)
    if g_cell.ndim < 3 or g_cell.shape[-3] not in (1, 2):
        raise InputError(
            f"`g_cell` must be (..., 2, R, C) in siemens, plus and minus, or (..., 1, R, C); got {g_cell.shape}. "
            "Reshape it."
        )
    if not (np.all(np.isfinite(g_cell)) and np.all(g_cell > 0.0)):
        raise InputError("`g_cell` must be finite and above 0 S; got other values. Fix them.")
    return g_cell


def _with(values: Array, flat: Array, new: Array | float, live: Array | None = None, *, own: bool = False) -> Array:
    """Return `values` with `new` at the cells `flat` (N,), of tensors at those that are `live` (N,).

    They are written in their place where they are the caller's `own`.
    """
    changed = values if own else copied(values)
    if live is not None:
        new = namespace(live).where(live, new, changed.reshape(-1)[flat])
    changed.reshape(-1)[flat] = new
    return changed


def _plus(values: Array, flat: Array, more: Array | int, *, own: bool = False) -> Array:
    """Return `values` with `more` added at the cells `flat` (N,), each named once."""
    return _with(values, flat, values.reshape(-1)[flat] + more, own=own)
