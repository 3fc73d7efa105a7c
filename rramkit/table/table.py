"""One characterised block: its signals over its axes, and all that says how far to trust them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from rramkit.errors import TableError
from rramkit.table.distribution import Distribution, Over
from rramkit.table.held_out import HeldOut
from rramkit.table.quantity import Quantity


@dataclass(frozen=True)
class Mask:
    """Points of a signal that failed: `codes` (...) of uint8, 0 where it is good, k where `reasons[k - 1]` holds.

    The signal's own value at a masked point is not a number.
    """

    codes: np.ndarray
    reasons: tuple[str, ...]

    @classmethod
    def of_reasons(cls, reasons: Sequence[str | None], shape: tuple[int, ...]) -> Self:
        """Build from the reason of each point (None where it is good), in the order of the flattened signal."""
        known = tuple(sorted({reason for reason in reasons if reason is not None}))
        codes = [0 if reason is None else 1 + known.index(reason) for reason in reasons]
        return cls(np.array(codes, dtype=np.uint8).reshape(shape), known)

    @property
    def bad(self) -> np.ndarray:
        """Where the signal has no value, (...) of bool."""
        return self.codes > 0

    def counts(self) -> dict[str, int]:
        """Return how many points each reason took."""
        return {reason: int(np.count_nonzero(self.codes == k)) for k, reason in enumerate(self.reasons, start=1)}


@dataclass(frozen=True)
class Fit:
    """A parametric model fitted beside a table.

    Attributes
    ----------
    equation : str
        The model, in the names of its parameters and of the table's axes and signals.
    signal : str
        The signal that it describes.
    parameters : mapping
        Name to estimates; each has the shape of `axes`.
    errors : mapping
        Name to standard errors, of the same shapes and units.
    residual : float
        Root-mean-square of model minus data over the points fitted, in `unit`.
    axes : tuple of str
        Axes of the table along which the fit was made anew; none when one set of parameters holds for all of it.
    unit : str
        Unit of the residual; empty: the signal's.
    """

    equation: str
    signal: str
    parameters: Mapping[str, Quantity]
    errors: Mapping[str, np.ndarray]
    residual: float
    axes: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """One characterised block.

    Attributes
    ----------
    name : str
        Group name: `read`, `set`, `reset`, `wires`, or that of another block.
    axes : mapping
        Coordinate name to (L,) values, in the order of the dimensions of each signal.
    signals : mapping
        Signal name to values of shape (len(axis 0), len(axis 1), ...); the first is the group's `signal`.
    conditions : mapping
        What it was measured under: pulse width, read voltage, segment resistance and so on.
    held_out : mapping
        Signal name to its held-out points.
    masks : mapping
        Signal name to its failed points; a signal without an entry has none.
    distributions : mapping
        Name to how a signal scatters; see `distribution`.
    fits : mapping
        Name to a parametric model beside the table.
    step_error : mapping
        Signal name to its largest change, in its unit, when the time step is halved.
    valid : mapping
        Axis name to the lowest and the highest value that the table holds for; an axis without an entry: its ends.
    """

    name: str
    axes: Mapping[str, Quantity]
    signals: Mapping[str, Quantity]
    conditions: Mapping[str, Quantity] = field(default_factory=dict)
    held_out: Mapping[str, HeldOut] = field(default_factory=dict)
    masks: Mapping[str, Mask] = field(default_factory=dict)
    distributions: Mapping[str, Distribution] = field(default_factory=dict)
    fits: Mapping[str, Fit] = field(default_factory=dict)
    step_error: Mapping[str, float] = field(default_factory=dict)
    valid: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of every signal."""
        return tuple(axis.values.size for axis in self.axes.values())

    def condition(self, name: str) -> float:
        """Return a condition in SI units; raise `TableError` when the table does not carry it."""
        if name not in self.conditions:
            known = ", ".join(self.conditions) or "none"
            raise TableError(
                f"table `{self.name}` lacks the condition `{name}` (has: {known}). "
                "Regenerate it with `rramkit characterize`."
            )
        return float(self.conditions[name])

    def signal(self, name: str) -> Quantity:
        """Return a signal; raise `TableError` when the table does not carry it."""
        if name not in self.signals:
            known = ", ".join(self.signals) or "none"
            raise TableError(
                f"table `{self.name}` lacks the signal `{name}` (has: {known}). "
                "Regenerate it with `rramkit characterize`."
            )
        return self.signals[name]

    def masked(self, signal: str) -> np.ndarray:
        """Return where a signal has no value, in the signal's shape, of bool."""
        mask = self.masks.get(signal)
        return np.zeros(self.shape, dtype=bool) if mask is None else mask.bad

    def valid_range(self, axis: str) -> tuple[float, float]:
        """Return the lowest and the highest value of an axis that the table holds for."""
        values = self.axes[axis].values
        return self.valid.get(axis, (float(values[0]), float(values[-1])))

    def distribution(self, signal: str, over: Over | None = None) -> Distribution | None:
        """Return how a signal scatters (over `cycles`, `devices` or `all`; None: the first there is), or None."""
        fitting = (d for d in self.distributions.values() if d.signal == signal and over in (None, d.over))
        return next(fitting, None)

    def along(self, axis: str, value: float | str) -> "Table":
        """Return the table at one of an axis' own values or labels, without that axis.

        Held-out points at other values of the axis are left behind, and so are fits made anew along it.

        Raises
        ------
        TableError
            When the axis is not there, or does not hold the value.
        """
        index, place = self._index(axis, value), list(self.axes).index(axis)

        def taken(values: np.ndarray) -> np.ndarray:
            return np.take(values, index, axis=place)

        coordinate = float(self.axes[axis].values[index])
        return replace(
            self,
            axes={name: each for name, each in self.axes.items() if name != axis},
            signals={name: replace(each, values=taken(each.values)) for name, each in self.signals.items()},
            held_out=_at_value(self.held_out, axis, coordinate),
            masks={name: replace(mask, codes=taken(mask.codes)) for name, mask in self.masks.items()},
            distributions={
                name: replace(each, quantiles=taken(each.quantiles), sigma=taken(each.sigma))
                for name, each in self.distributions.items()
            },
            fits={name: fit for name, fit in self.fits.items() if axis not in fit.axes},
            valid={name: each for name, each in self.valid.items() if name != axis},
        )

    def _index(self, axis: str, value: float | str) -> int:
        if axis not in self.axes:
            known = ", ".join(self.axes) or "none"
            raise TableError(f"table `{self.name}` has no axis `{axis}` (has: {known}). Characterise along it.")
        found = self.axes[axis]
        known = found.labels if isinstance(value, str) else tuple(found.values.tolist())
        if value not in known:
            listed = ", ".join(str(each) for each in known) or "no labels"
            raise TableError(f"axis `{self.name}/{axis}` does not hold {value!r} (holds: {listed}). Take one of them.")
        return known.index(value)


def _at_value(held_out: Mapping[str, HeldOut], axis: str, value: float) -> dict[str, HeldOut]:
    found = {}
    for signal, points in held_out.items():
        keep = points.at[axis].values == value if axis in points.at else np.ones(points.spice.size, dtype=bool)
        if np.any(keep):
            chosen = points.where(keep)
            found[signal] = replace(chosen, at={name: each for name, each in chosen.at.items() if name != axis})
    return found


@dataclass(frozen=True)
class TableFile:
    """Every table of one characterisation, and where the numbers come from (`provenance`: name to text)."""

    tables: Mapping[str, Table]
    provenance: Mapping[str, str]

    def __getitem__(self, name: str) -> Table:
        if name not in self.tables:
            known = ", ".join(self.tables)
            raise TableError(f"the table file has no table `{name}` (has: {known}). Characterise that block.")
        return self.tables[name]
