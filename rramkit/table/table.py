"""One table: signals over axes, with conditions, held-out errors, failed points, distributions and fits."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from rramkit.errors import InputError, TableError
from rramkit.table import schema
from rramkit.table.columns import Polarity
from rramkit.table.parts import Distribution, Fit, HeldOut, Mask, Over, Quantity

_EDGE = 1e-9  # of the axis' span (1): a value this far outside is rounding, not an extrapolation


@dataclass(frozen=True, repr=False)
class Table:
    """One table of a file.

    `table["i_cell"]` is a signal, axis or condition; `table.at("i_cell", g_cell=2e-5, v_cell=0.1)` interpolates.

    Attributes
    ----------
    name : str
        Group name: one of `rramkit.table.schema.GROUPS`, or a user's own.
    axes : mapping
        Coordinate name to (L,) values, in the order of the dimensions of each signal.
    signals : mapping
        Signal name to values of shape (len(axis 0), len(axis 1), ...); the first is the group's `signal`.
    conditions : mapping
        What it was measured under: pulse width, read voltage, segment resistance and so on; scalars.
    held_out : mapping
        Signal name to its held-out points.
    masks : mapping
        Signal name to its failed points; a signal without an entry has none.
    distributions : mapping
        Name to the distribution of a signal; see `Distribution`.
    fits : mapping
        Name to a parametric model beside the table.
    step_error : mapping
        Signal name to its largest change, in its unit, when the time step is halved.
    valid : mapping
        Axis name to the lowest and the highest value that the table holds for; an axis without an entry: its ends.
    polarity : str or None
        `set` or `reset` for a table of write pulses; None: that of the group in the schema.

    Examples
    --------
    >>> import rramkit as rk
    >>> table = rk.example()["read"]
    >>> table
    <Table read (g_cell 16 x v_cell 17); i_cell [A]; no held-out points>
    >>> float(table["t_read"]), table["i_cell"].unit
    (2e-08, 'A')
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
    polarity: Polarity | None = None

    def __post_init__(self) -> None:
        if self.polarity is None:
            object.__setattr__(self, "polarity", schema.polarity_of(self.name))

    def __getitem__(self, name: str) -> Quantity:
        """Return a signal, axis or condition; raise `TableError` when the table has none of that name."""
        for quantities in (self.signals, self.axes, self.conditions):
            if name in quantities:
                return quantities[name]
        raise TableError(f"table `{self.name}` has no column {name!r} (has: {', '.join(self)}). Pass one of them.")

    def __contains__(self, name: object) -> bool:
        return name in self.signals or name in self.axes or name in self.conditions

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of axes, signals and conditions."""
        return iter(dict.fromkeys([*self.axes, *self.signals, *self.conditions]))

    def __len__(self) -> int:
        return len(list(iter(self)))

    def keys(self) -> tuple[str, ...]:
        """Return the names of axes, signals and conditions."""
        return tuple(self)

    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Quantity:
            """Return a column: `table.i_cell` is `table["i_cell"]`."""
            if name.startswith("_") or "signals" not in self.__dict__:
                raise AttributeError(name)
            if name in self:
                return self[name]
            raise AttributeError(f"table `{self.name}` has no column {name!r} (has: {', '.join(self)})")

    def __repr__(self) -> str:
        return f"<Table {summary(self)}>"

    def __call__(self, *coordinates: ArrayLike) -> np.ndarray:
        """Interpolate the first signal at one array for each axis, in the order of the axes.

        Parameters
        ----------
        *coordinates : array_like
            One value or array for each axis, in its SI unit, broadcast together.

        Returns
        -------
        ndarray
            The first signal in its unit, in the broadcast shape.

        Raises
        ------
        InputError
            When there are more or fewer coordinates than axes, or one lies outside its axis.
        TableError
            When the point lies beside one that failed.

        Examples
        --------
        >>> import rramkit as rk
        >>> read = rk.example()["read"]
        >>> bool(read(2e-5, 0.1) == read.at("i_cell", g_cell=2e-5, v_cell=0.1))
        True
        """
        if len(coordinates) != len(self.axes):
            raise InputError(
                f"table `{self.name}` has the axes {', '.join(self.axes) or 'none'}; got {len(coordinates)} "
                "coordinates. Pass one for each."
            )
        return self.at(next(iter(self.signals)), **dict(zip(self.axes, coordinates, strict=True)))

    def at(self, signal: str, /, **coordinates: ArrayLike) -> np.ndarray:
        """Interpolate a signal (monotone cubic) at coordinates by name, in SI units; labels of an axis of names.

        Parameters
        ----------
        signal : str
            Name of a signal.
        **coordinates : array_like
            One value or array for each axis, broadcast together.

        Returns
        -------
        ndarray
            The signal in its unit, in the broadcast shape; see `self[signal].unit`.

        Raises
        ------
        InputError
            When a coordinate is missing, or lies outside the valid range of its axis.
        TableError
            When the table has no such signal, or the point lies beside one that failed.

        Examples
        --------
        >>> import rramkit as rk
        >>> read = rk.example()["read"]
        >>> read.at("i_cell", g_cell=2e-5, v_cell=[0.0, 0.2]).round(9)  # A
        array([0.e+00, 4.e-06])
        """
        from rramkit.surrogate.look_up import coordinate_ranges, look_up

        self.signal(signal)
        for name, (low, high) in coordinate_ranges(self).items():
            values = np.asarray(coordinates.get(name, low))
            margin = _EDGE * ((high - low) or abs(low))
            if values.dtype.kind in "biuf" and np.any((values < low - margin) | (values > high + margin)):
                got = f"{values.min():g}" if values.size == 1 else f"{values.min():g} to {values.max():g}"
                raise InputError(
                    f"`{name}` must lie within {low:g} to {high:g} {self[name].unit}, the range of table "
                    f"`{self.name}`; got {got}. Pass a value inside, or characterise a wider range."
                )
        return look_up(self, signal, coordinates)

    def interp(self, **coordinates: ArrayLike) -> dict[str, np.ndarray]:
        """Interpolate every signal at coordinates by name; see `at`.

        Parameters
        ----------
        **coordinates : array_like
            One value or array for each axis, in its SI unit, broadcast together.

        Returns
        -------
        dict of str to ndarray
            Each signal in its unit, in the broadcast shape.

        Raises
        ------
        InputError
            When a coordinate is missing, or lies outside the valid range of its axis.
        TableError
            When the point lies beside one that failed.

        Examples
        --------
        >>> import rramkit as rk
        >>> sorted(rk.example()["set"].interp(g_start=20e-6, v_pulse=1.3))
        ['delta_g', 'energy']
        """
        return {name: self.at(name, **coordinates) for name in self.signals}

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of every signal."""
        return tuple(axis.values.size for axis in self.axes.values())

    def condition(self, name: str) -> float:
        """Return a condition of the measurement, such as a pulse width.

        Parameters
        ----------
        name : str
            Name of the condition.

        Returns
        -------
        float
            Its value in its SI unit.

        Raises
        ------
        TableError
            When the table does not carry it.

        Examples
        --------
        >>> import rramkit as rk
        >>> read = rk.example()["read"]
        >>> read.condition("t_read")  # s
        2e-08
        """
        if name not in self.conditions:
            raise TableError(
                f"table `{self.name}` lacks the condition `{name}` (has: {', '.join(self.conditions) or 'none'}). "
                "Regenerate the file with `rramkit characterize`."
            )
        return float(self.conditions[name])

    def signal(self, name: str) -> Quantity:
        """Return a signal on the grid of the axes.

        Parameters
        ----------
        name : str
            Name of the signal.

        Returns
        -------
        Quantity
            Its values (len(axis 0), len(axis 1), ...) with their unit.

        Raises
        ------
        TableError
            When the table does not carry it.

        Examples
        --------
        >>> import rramkit as rk
        >>> read = rk.example()["read"]
        >>> read.signal("i_cell").values.shape
        (16, 17)
        """
        if name not in self.signals:
            raise TableError(
                f"table `{self.name}` lacks the signal `{name}` (has: {', '.join(self.signals) or 'none'}). "
                "Regenerate the file with `rramkit characterize`."
            )
        return self.signals[name]

    def masked(self, signal: str) -> np.ndarray:
        """Return where a signal has no value, in the signal's shape, of bool.

        Parameters
        ----------
        signal : str
            Name of a signal.

        Returns
        -------
        ndarray of bool
            True at the points that failed, in the shape of the signal.

        Examples
        --------
        >>> import rramkit as rk
        >>> read = rk.example()["read"]
        >>> bool(read.masked("i_cell").any())
        False
        """
        mask = self.masks.get(signal)
        return np.zeros(self.shape, dtype=bool) if mask is None else mask.bad

    def valid_range(self, axis: str) -> tuple[float, float]:
        """Return the lowest and the highest value of an axis that the table holds for.

        Parameters
        ----------
        axis : str
            Name of an axis.

        Returns
        -------
        tuple of float
            Lowest and highest value, in the axis' unit.

        Examples
        --------
        >>> import rramkit as rk
        >>> read = rk.example()["read"]
        >>> read.valid_range("g_cell")  # S
        (4e-06, 9e-05)
        """
        values = self.axes[axis].values
        return self.valid.get(axis, (float(values[0]), float(values[-1])))

    def distribution(self, signal: str, over: Over | None = None) -> Distribution | None:
        """Return the distribution of a signal, where the table has one.

        Parameters
        ----------
        signal : str
            Name of a signal.
        over : str, optional
            What it is the spread of: `cycles`, `devices` or `all`; left out, the first that the table has.

        Returns
        -------
        Distribution or None
            Its quantiles at each point of the axes.

        Examples
        --------
        >>> import rramkit as rk
        >>> read = rk.example()["read"]
        >>> read.distribution("i_cell") is None
        True
        """
        matches = (each for each in self.distributions.values() if each.signal == signal and over in (None, each.over))
        return next(matches, None)

    def sigma(self, signal: str) -> float:
        """Return the standard deviation of a signal, the mean over the axes.

        Parameters
        ----------
        signal : str
            Name of a signal.

        Returns
        -------
        float
            In the signal's unit; 0 where the table has no distribution of it.

        Examples
        --------
        >>> import rramkit as rk
        >>> rk.example()["read"].sigma("i_cell")
        0.0
        """
        spread = self.distribution(signal)
        return 0.0 if spread is None else float(np.mean(spread.sigma))

    def along(self, axis: str, value: float | str) -> "Table":
        """Return the table at one of an axis' own values or labels, without that axis.

        Held-out points at other values of the axis are left out; fits along the axis are those at the value.

        Parameters
        ----------
        axis : str
            Name of an axis.
        value : float or str
            One of its values in its SI unit, or one of its labels.

        Returns
        -------
        Table
            The table without that axis.

        Raises
        ------
        TableError
            When the axis is not there, or does not hold the value.

        Examples
        --------
        >>> import rramkit as rk
        >>> read = rk.example()["read"]
        >>> read.along("v_cell", 0.2).shape
        (16,)
        """
        index, dimension = self._index(axis, value), list(self.axes).index(axis)

        def selected(values: np.ndarray, at: int = dimension) -> np.ndarray:
            return np.take(values, index, axis=at)

        return replace(
            self,
            axes={name: each for name, each in self.axes.items() if name != axis},
            signals={name: replace(each, values=selected(each.values)) for name, each in self.signals.items()},
            held_out=_held_out_at(self.held_out, axis, float(self.axes[axis].values[index])),
            masks={name: replace(mask, codes=selected(mask.codes)) for name, mask in self.masks.items()},
            distributions={
                name: replace(each, quantiles=selected(each.quantiles), sigma=selected(each.sigma))
                for name, each in self.distributions.items()
            },
            fits={name: _fit_at(fit, axis, index) for name, fit in self.fits.items()},
            valid={name: each for name, each in self.valid.items() if name != axis},
        )

    def sel(self, **values: float | str) -> "Table":
        """Return the table at own values or labels of several axes, without these axes; see `along`.

        Parameters
        ----------
        **values : float or str
            By name of an axis, one of its values in its SI unit or one of its labels.

        Returns
        -------
        Table
            The table without these axes.

        Raises
        ------
        TableError
            When an axis is not there, or does not hold its value.

        Examples
        --------
        >>> import rramkit as rk
        >>> read = rk.example()["read"]
        >>> read.sel(v_cell=0.0).at("i_cell", g_cell=2e-5).round(12).tolist()
        0.0
        """
        table = self
        for axis, value in values.items():
            table = table.along(axis, value)
        return table

    def _index(self, axis: str, value: float | str) -> int:
        if axis not in self.axes:
            names = ", ".join(self.axes) or "none"
            raise TableError(
                f"table `{self.name}` has no axis `{axis}` (has: {names}). Characterise it with that axis."
            )
        quantity = self.axes[axis]
        values = quantity.labels if isinstance(value, str) else tuple(quantity.values.tolist())
        if value not in values:
            listed = ", ".join(str(each) for each in values) or "no labels"
            raise TableError(f"axis `{self.name}/{axis}` does not hold {value!r} (holds: {listed}). Pass one of them.")
        return values.index(value)


def _held_out_at(held_out: Mapping[str, HeldOut], axis: str, value: float) -> dict[str, HeldOut]:
    """Return the held-out points at one value of an axis, without that coordinate."""
    remaining = {}
    for signal, points in held_out.items():
        keep = points.at[axis].values == value if axis in points.at else np.ones(points.spice.size, dtype=bool)
        if np.any(keep):
            chosen = points.where(keep)
            remaining[signal] = replace(chosen, at={name: each for name, each in chosen.at.items() if name != axis})
    return remaining


def _fit_at(fit: Fit, axis: str, index: int) -> Fit:
    """Return the fit at one value of an axis along which it was made; another fit as it is."""
    if axis not in fit.axes:
        return fit

    def selected(values: np.ndarray) -> np.ndarray:
        return np.asarray(np.take(values, index, axis=fit.axes.index(axis)))

    return replace(
        fit,
        parameters={name: replace(each, values=selected(each.values)) for name, each in fit.parameters.items()},
        errors={name: selected(values) for name, values in fit.errors.items()},
        axes=tuple(name for name in fit.axes if name != axis),
    )


def summary(table: Table) -> str:
    """Return one line: name, axes with sizes, signals, largest held-out error over its limit, failed points."""
    sizes = [f"{name} {axis.values.size}" for name, axis in table.axes.items()]
    failed = max((int(np.count_nonzero(mask.bad)) for mask in table.masks.values()), default=0)
    parts = [
        f"({' x '.join(sizes) or 'no axes'})",
        ", ".join(f"{name} [{each.unit}]" for name, each in table.signals.items()),
        _held_out_summary(table.held_out),
        f"{failed} failed points" if failed else "",
    ]
    return f"{table.name} " + "; ".join(part for part in parts if part)


def _held_out_summary(held_out: Mapping[str, HeldOut]) -> str:
    worst = max(held_out, key=lambda name: held_out[name].worst, default=None)
    if worst is None:
        return "no held-out points"
    return f"held-out error at most {held_out[worst].worst:.0%} of its limit ({worst})"
