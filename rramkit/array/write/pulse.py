"""Write pulse: one SET or RESET pulse on each selected cell, from the tables `set` and `reset`.

A pulse changes a cell by the table's mean at the cell's conductance and the pulse's amplitude, or by a draw from the
distribution that the table keeps there: `cycles` (another draw for each pulse) and `devices` (each cell has a fixed
level of the distribution). Where a table has none, or of no width, the change is the mean.

The stepped quantity, here "amplitude", is the table's axis `v_pulse` (the word line or the driven line, as the table's
conditions say) or another of its axes: the width `t_pulse`, the gate `v_wl`. The other axes are held at their median.

Open loop: the controller knows a cell's conductance before the pulse and the mean change of each amplitude that the
driver can make; it fires once and does not read back. The choice of the amplitude (`amplitudes`) is this kit's own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np

from rramkit.array.backend import Array, at_least, at_most, both, counted, full, is_tensor, limited, namespace, resident
from rramkit.array.write.amplitudes import Inversion
from rramkit.errors import InputError, TableError
from rramkit.surrogate.grid import GridSurrogate
from rramkit.surrogate.quantiles import QuantileSurrogate
from rramkit.table import Table, TableFile
from rramkit.table.schema import RESET, SET

Stepped = Literal["v_pulse", "t_pulse", "v_wl"]
"""Quantity stepped from pulse to pulse: the amplitude, the width or the gate."""


@dataclass(frozen=True)
class Pulse:
    """Outcome of one pulse on each of N cells.

    Attributes
    ----------
    g_cell : ndarray
        Conductances after it (N,), in siemens, within the table's range.
    energy : ndarray
        Energy of each pulse (N,), in joules.
    clamped : int
        Cells clamped to the edge of the table's range.
    """

    g_cell: np.ndarray
    energy: np.ndarray
    clamped: int


@dataclass(frozen=True)
class GradualWrite:
    """Write pulses of one polarity, for every amplitude that the driver can make; the only reader of its table.

    Attributes
    ----------
    delta_g, energy : GridSurrogate
        Mean change of conductance (S) and energy (J) against conductance before the pulse (S), amplitude and any other
        axes of the table.
    v_pulse : ndarray
        Amplitudes (A,), rising: multiples of the driver's step from the lowest in the table (V); of another stepped
        quantity, the values of its axis in its unit.
    g_range : tuple of float
        Lowest and highest conductance that a cell may be left at (S).
    sign : float
        1 where pulses raise the conductance, -1 where they lower it (the table `reset`).
    axes : tuple of str
        Names of the table's axes but the first.
    place : tuple of float or None
        Coordinate on each of these; None for the stepped one.
    t_pulse : float
        Width of a pulse (s); not a number where the width is stepped.
    t_rise : float
        Edge of a pulse (s).
    v_line : float or None
        Voltage of the line that carries the current where the stepped one is the word line (V); None: the stepped one.
    c_line : float
        Capacitance of each line, whose charging is in `energy` (F).
    cycles, devices : QuantileSurrogate or None
        Distributions of the change from pulse to pulse, and from cell to cell.
    inversion : Inversion
        Amplitude against wanted change.
    """

    delta_g: GridSurrogate
    energy: GridSurrogate
    v_pulse: np.ndarray
    g_range: tuple[float, float]
    sign: float
    axes: tuple[str, ...]
    place: tuple[float | None, ...]
    t_pulse: float
    t_rise: float
    v_line: float | None
    c_line: float
    cycles: QuantileSurrogate | None
    devices: QuantileSurrogate | None
    inversion: Inversion

    @classmethod
    def from_table(
        cls,
        table: Table,
        g_range: tuple[float, float] | None = None,
        *,
        stepped: Stepped = "v_pulse",
        levels: np.ndarray | None = None,
    ) -> Self:
        """Build from a table with the axes g_start, v_pulse and any others; `g_range` is the table's own.

        `levels` (A,), rising, are the amplitudes that the driver makes; None: multiples of the table's step.
        """
        delta_g, energy = GridSurrogate(table, SET.delta_g), GridSurrogate(table, SET.energy)
        names = list(table.axes)[1:]
        if stepped not in names:
            raise TableError(
                f"table `{table.name}` must have the axis `{stepped}` to step it; it has {', '.join(names) or 'none'}. "
                "Characterise with that axis, or step another."
            )
        levels = _levels(table, stepped) if levels is None else levels
        place = tuple(None if name == stepped else float(np.median(table.axes[name].values)) for name in names)
        if SET.t_pulse in names:
            t_pulse = float("nan") if stepped == SET.t_pulse else float(np.median(table.axes[SET.t_pulse].values))
        else:
            t_pulse = table.condition(SET.t_pulse)
        g_grid = delta_g.fine_grid()[0]
        change = delta_g.at(g_grid[:, None], *(levels if x is None else x for x in place))
        sign = -1.0 if table.polarity == "reset" else 1.0
        return cls(
            delta_g=delta_g,
            energy=energy,
            v_pulse=levels,
            g_range=g_range or delta_g.x0_range,
            sign=sign,
            axes=tuple(names),
            place=place,
            t_pulse=t_pulse,
            t_rise=_optional(table, SET.t_rise, 0.0),
            v_line=float(table.conditions[SET.v_bl]) if SET.v_bl in table.conditions else None,
            c_line=_optional(table, SET.c_line, 0.0),
            cycles=_distribution(table, "cycles") or _distribution(table, "all"),
            devices=_distribution(table, "devices"),
            inversion=Inversion.of(g_grid, sign * change),
        )

    @property
    def amplitude_range(self) -> tuple[float, float]:
        """Lowest and highest amplitude of the table, in the unit of `v_pulse`."""
        return list(self.delta_g.ranges.values())[1 + self.place.index(None)]

    def coordinates(
        self, g_cell: np.ndarray, v_pulse: np.ndarray, lost: np.ndarray | float = 0.0
    ) -> tuple[np.ndarray | float, ...]:
        """Return where in the table cells (N,) in siemens and amplitudes (N,) are, one coordinate for each axis.

        `lost` (N,) are the volts of the axis `v_pulse` that do not reach the cell.
        """
        steps = (v_pulse if x is None else x for x in self.place)
        return (g_cell, *(x - lost if name == SET.v_pulse else x for name, x in zip(self.axes, steps, strict=True)))

    def mean(self, g_cell: np.ndarray, v_pulse: np.ndarray) -> np.ndarray:
        """Return the mean change (N,) of cells (N,) in siemens pulsed with amplitudes (N,), before any clamp (S)."""
        return self.delta_g.at(*self.coordinates(g_cell, v_pulse))

    def joules(self, g_cell: np.ndarray, v_pulse: np.ndarray, lost: np.ndarray | float = 0.0) -> np.ndarray:
        """Return the energy (N,) of pulses of amplitude (N,) on cells (N,) in siemens, as at the cell (J)."""
        return self.energy.at(*self.coordinates(g_cell, v_pulse, lost))

    def volts(self, v_pulse: Array) -> Array:
        """Return the volts (N,) of pulses of amplitude (N,): the same, or fixed where another axis is stepped."""
        fixed = self.place[self.axes.index(SET.v_pulse)]
        return v_pulse if fixed is None else full(tuple(v_pulse.shape), fixed, v_pulse)

    def width(self, v_pulse: Array) -> Array:
        """Return the width (N,) of pulses of amplitude (N,) (s)."""
        return v_pulse if np.isnan(self.t_pulse) else full(tuple(v_pulse.shape), self.t_pulse, v_pulse)

    def seconds(self, v_pulse: np.ndarray) -> np.ndarray:
        """Return how long each pulse keeps its lines (N,): width and six edges, as in the crossbar-write deck (s)."""
        return self.width(v_pulse) + 6.0 * self.t_rise

    def current(self, g_cell: np.ndarray, v_pulse: np.ndarray, lost: np.ndarray | float = 0.0) -> np.ndarray:
        """Return the mean current (N,) of pulses, I = (E - C V^2) / (V_line t): energy less the lines' charging (A).

        V^2 is summed over the driven lines in the table: `v_pulse` and, where the conditions name it, `v_bl`.
        """
        at, volts = self.coordinates(g_cell, v_pulse, lost), self.volts(v_pulse) - lost
        squares = volts**2 + (0.0 if self.v_line is None else self.v_line**2)
        line = volts if self.v_line is None else self.v_line
        return at_least(self.energy.at(*at) - self.c_line * squares, 0.0) / (line * self.width(v_pulse))

    def nearest(self, g_cell: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Choose the amplitude whose mean change is nearest the wanted one; the lowest among equals.

        Parameters
        ----------
        g_cell : ndarray
            Conductances before the pulse (N,), in siemens.
        wanted : ndarray
            Wanted changes (N,), in siemens.

        Returns
        -------
        v_pulse, expected : ndarray
            Amplitudes (N,), and the changes (N,) that the table expects of them in siemens, ending in range.
        """
        v_pulse = resident(self.v_pulse, g_cell)[self.inversion.nearest(g_cell, self.sign * wanted)]
        return v_pulse, limited(g_cell + self.mean(g_cell, v_pulse), *self.g_range) - g_cell

    def drawn(
        self,
        g_cell: np.ndarray,
        v_pulse: np.ndarray,
        lost: np.ndarray | float = 0.0,
        *,
        cycles: bool,
        level: np.ndarray | None,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw the change (N,) of pulses of amplitude (N,) on cells (N,) in siemens, before any clamp (S).

        `cycles` says whether pulses differ from one another. `level` (N,), within 0 to 1, is the level of each cell in
        the distribution over devices; None: at its mean.
        """
        at = self.coordinates(g_cell, v_pulse, lost)
        drawn = self.cycles if cycles else None
        change = mean = self.delta_g.at(*at)  # of the distributions too: all are of this signal
        if drawn is not None:
            change = drawn.sample(*at, rng=rng, mean=mean)
        if self.devices is not None and level is not None:
            change = change + (self.devices.at_level(*at, level=level, mean=mean) - mean)
        return change

    def fire(self, g_cell: np.ndarray, v_pulse: np.ndarray) -> Pulse:
        """Fire one mean pulse of amplitude `v_pulse` (N,) at cells of conductance `g_cell` (N,) in siemens.

        Raises
        ------
        InputError
            When an amplitude lies outside the table.
        """
        self.check(v_pulse)
        after = g_cell + self.mean(g_cell, v_pulse)
        clipped = np.clip(after, *self.g_range)
        return Pulse(clipped, self.joules(g_cell, v_pulse), self.moved(after, clipped))

    def rounded(self, v_pulse: np.ndarray) -> np.ndarray:
        """Return the amplitude that the driver makes (N,) nearest each of those asked for (N,)."""
        xp, v = namespace(v_pulse), resident(self.v_pulse, v_pulse)
        at = xp.searchsorted(v, v_pulse)
        below, above = v[at_least(at - 1, 0)], v[at_most(at, v.shape[0] - 1)]
        return xp.where(v_pulse - below <= above - v_pulse, below, above)

    def check(self, v_pulse: np.ndarray) -> None:
        """Raise `InputError` when an amplitude lies outside the table."""
        low, high = self.amplitude_range
        if is_tensor(v_pulse):
            return  # chosen from `v_pulse`; no value of a tensor is looked at
        if v_pulse.size and not (v_pulse.min() >= low * (1.0 - 1e-9) and v_pulse.max() <= high * (1.0 + 1e-9)):
            raise InputError(
                f"`v_pulse` must be within the table, {low:g} to {high:g} V; "
                f"got {v_pulse.min():g} to {v_pulse.max():g} V. Choose from `v_pulse`."
            )

    def moved(self, after: Array, clipped: Array, *, live: Array | None = None) -> Array | int:
        """Return how many conductances (N,) a clamp moved, of those that are `live`: rounding is not a clamp."""
        margin = 1e-9 * (self.g_range[1] - self.g_range[0])
        return counted(both(live, abs(after - clipped) > margin))


@dataclass(frozen=True)
class Writer:
    """Both polarities of write pulse of one table file, over the conductances that both tables know."""

    set: GradualWrite
    reset: GradualWrite
    g_range: tuple[float, float]

    @classmethod
    def from_tables(
        cls, tables: TableFile, *, stepped: Stepped = "v_pulse", levels: Mapping[str, np.ndarray] | None = None
    ) -> Self:
        """Build from the tables `set` and `reset`; raise `TableError` when they share no conductance.

        `levels` are the amplitudes that the driver makes, by polarity; left out, multiples of the tables' step.
        """
        tables = tables.nominal()
        starts = [next(iter(tables[name].axes.values())).values for name in (SET.group, RESET.group)]
        low, high = max(float(start[0]) for start in starts), min(float(start[-1]) for start in starts)
        if low >= high:
            raise TableError("tables `set` and `reset` share no conductance. Characterise both over one range.")
        upward, downward = (
            GradualWrite.from_table(
                tables[name], (low, high), stepped=stepped, levels=None if levels is None else levels.get(name)
            )
            for name in (SET.group, RESET.group)
        )
        return cls(upward, downward, (low, high))

    @property
    def span(self) -> float:
        """Highest less lowest conductance (S)."""
        return self.g_range[1] - self.g_range[0]


def _levels(table: Table, stepped: Stepped) -> np.ndarray:
    """Return the amplitudes (A,) that the driver can make."""
    values = np.asarray(table.axes[stepped].values, dtype=float)
    if stepped != SET.v_pulse or values.size == 1:
        return values
    v_step, low, high = table.condition(SET.v_step), float(values[0]), float(values[-1])
    if not v_step > 0.0:
        raise TableError(
            f"table `{table.name}` must have v_step above 0 V; got {v_step:g}. "
            "Regenerate it with `rramkit characterize`."
        )
    steps = int((high - low) / v_step * (1.0 + 1e-9))  # the last one may miss the axis' end by rounding only
    return np.minimum(low + v_step * np.arange(steps + 1), high)


def _optional(table: Table, condition: str, otherwise: float) -> float:
    return float(table.conditions[condition]) if condition in table.conditions else otherwise


def _distribution(table: Table, over: Literal["cycles", "devices", "all"]) -> QuantileSurrogate | None:
    return QuantileSurrogate(table, SET.delta_g, over=over) if table.distribution(SET.delta_g, over) else None
