"""The table file: the border between SPICE, which writes it, and training, which reads it.

Layout (format version 1; `docs/table-format.md` says it at length)::

    /read    i_cell (L, V)   axes g_cell (L), v_cell (V)        cell current; v > 0 drives the bit line
    /set     delta_g, energy (L, P)   axes g_start (L), v_pulse (P)   one pulse, word line stepped
    /reset   delta_g, energy (L, P)   axes g_start (L), v_pulse (P)   one pulse, source line stepped
    /wires   r_row, r_col, r_drive, r_sense                     of the fast wire model, fitted to array reads

Each group carries `signal`, `axes`, the conditions it was measured under as scalar datasets under `conditions/`, and
under `held_out/` the SPICE points that its fit never saw, with what the fit says there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rramkit import hdf5
from rramkit.errors import TableError

FORMAT = "rramkit tables"
FORMAT_VERSION = 1

# Units of the quantities that the layout names; another name may carry any unit.
_UNITS = (
    dict.fromkeys(("g_cell", "g_start", "delta_g"), "S")
    | dict.fromkeys(("v_cell", "v_pulse", "v_step", "v_read"), "V")
    | dict.fromkeys(("r_row", "r_col", "r_drive", "r_sense"), "ohm")
    | {"i_cell": "A", "energy": "J", "t_read": "s", "t_pulse": "s"}
)
_NEVER_NEGATIVE = ("g_cell", "g_start", "energy", "r_row", "r_col", "r_drive", "r_sense", "t_read", "t_pulse")


@dataclass(frozen=True)
class Quantity:
    """Values with a unit: a scalar or an array in SI units."""

    values: np.ndarray
    unit: str

    def __float__(self) -> float:
        return float(self.values)


@dataclass(frozen=True)
class HeldOut:
    """SPICE points that a fit never saw, and what the fit says there.

    `at` holds one array (N,) for each coordinate, `spice` and `fit` are (N,); all in the units given. The fit passes
    when its root-mean-square and its largest error are both within their limits (same unit).
    """

    at: Mapping[str, Quantity]
    spice: np.ndarray
    fit: np.ndarray
    unit: str
    limit_rms: float
    limit_max: float

    @property
    def error(self) -> np.ndarray:
        """Fit minus SPICE, (N,)."""
        return self.fit - self.spice

    @property
    def rms(self) -> float:
        """Root-mean-square error."""
        return float(np.sqrt(np.mean(self.error**2)))

    @property
    def p95(self) -> float:
        """95th percentile of the absolute error."""
        return float(np.quantile(np.abs(self.error), 0.95))

    @property
    def max(self) -> float:
        """Largest absolute error."""
        return float(np.max(np.abs(self.error)))

    @property
    def passed(self) -> bool:
        """Whether both limits are met."""
        return self.rms <= self.limit_rms and self.max <= self.limit_max


@dataclass(frozen=True)
class Table:
    """One characterised block.

    Attributes
    ----------
    name : str
        Group name: `read`, `set`, `reset` or `wires`.
    axes : mapping
        Coordinate name to (L,) values, in the order of the dimensions of each signal.
    signals : mapping
        Signal name to values of shape (len(axis 0), len(axis 1), ...); the first is the group's `signal`.
    conditions : mapping
        What it was measured under: pulse width, read voltage, segment resistance and so on.
    held_out : mapping
        Signal name to its held-out points.
    """

    name: str
    axes: Mapping[str, Quantity]
    signals: Mapping[str, Quantity]
    conditions: Mapping[str, Quantity] = field(default_factory=dict)
    held_out: Mapping[str, HeldOut] = field(default_factory=dict)

    def condition(self, name: str) -> float:
        """Return a condition in SI units; raise `TableError` when the table does not carry it."""
        if name not in self.conditions:
            known = ", ".join(self.conditions) or "none"
            raise TableError(f"table `{self.name}` lacks the condition `{name}` (has: {known}). Characterise again.")
        return float(self.conditions[name])


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


def save(tables: TableFile, path: Path) -> None:
    """Write a table file; it appears under `path` only when it is whole."""
    with hdf5.new_file(path) as root:
        root.attrs["format"] = FORMAT
        root.attrs["format_version"] = FORMAT_VERSION
        for name, text in tables.provenance.items():
            root.attrs[name] = text
        for name, table in tables.tables.items():
            _write_table(root.create_group(name), table)


def load(path: Path) -> TableFile:
    """Read a table file; raise `TableError` when it is missing, damaged or of another format."""
    with hdf5.open_file(path, kind=FORMAT) as root:
        version = round(hdf5.number(root, "format_version"))
        if version != FORMAT_VERSION:
            raise TableError(
                f"{path}: table format {version}; this kit reads format {FORMAT_VERSION}. Characterise again."
            )
        provenance = {name: str(text) for name, text in root.attrs.items() if name not in ("format", "format_version")}
        tables = {name: _read_table(name, hdf5.subgroup(root, name)) for name in hdf5.names(root)}
    for table in tables.values():
        _check(path, table)
    return TableFile(tables, provenance)


def _check(path: Path, table: Table) -> None:
    shape = tuple(axis.values.size for axis in table.axes.values())
    for name, axis in table.axes.items():
        if axis.values.ndim != 1 or not np.all(np.isfinite(axis.values)) or not np.all(np.diff(axis.values) > 0):
            raise TableError(f"{path}: axis `{table.name}/{name}` must be one rising row of values. Make it again.")
    for name, signal in table.signals.items():
        if signal.values.shape != shape:
            raise TableError(
                f"{path}: `{table.name}/{name}` must be {shape} as its axes; got {signal.values.shape}. Make it again."
            )
    for name, condition in table.conditions.items():
        if condition.values.ndim:
            raise TableError(f"{path}: `{table.name}/conditions/{name}` must be one value. Make it again.")
    for name, quantity in {**table.axes, **table.signals, **table.conditions}.items():
        _check_quantity(path, f"{table.name}/{name}", name, quantity)
    for name, points in table.held_out.items():
        _check_held_out(path, f"{table.name}/held_out/{name}", points)


def _check_quantity(path: Path, place: str, name: str, quantity: Quantity) -> None:
    unit = _UNITS.get(name, quantity.unit)
    if quantity.unit != unit:
        raise TableError(f"{path}: `{place}` must be in {unit}; got {quantity.unit!r}. Convert it to SI units.")
    if not np.all(np.isfinite(quantity.values)):
        raise TableError(f"{path}: `{place}` holds values that are not finite. Characterise again.")
    if name in _NEVER_NEGATIVE and np.any(quantity.values < 0):
        raise TableError(f"{path}: `{place}` holds values below 0 {unit}. Characterise again.")


def _check_held_out(path: Path, place: str, points: HeldOut) -> None:
    columns = {"spice": points.spice, "fit": points.fit} | {name: at.values for name, at in points.at.items()}
    for name, values in columns.items():
        if values.shape != (points.spice.size,) or not values.size:
            raise TableError(f"{path}: `{place}/{name}` must be one row, as long as the others. Make it again.")
        if not np.all(np.isfinite(values)):
            raise TableError(f"{path}: `{place}/{name}` holds values that are not finite. Characterise again.")
    if not (0 < points.limit_rms < np.inf and 0 < points.limit_max < np.inf):
        raise TableError(f"{path}: the limits of `{place}` must be above 0. Characterise again.")


def _write_table(group: hdf5.Group, table: Table) -> None:
    group.attrs["signal"] = next(iter(table.signals))
    group.attrs["axes"] = list(table.axes)
    group.attrs["signals"] = list(table.signals)
    for name, axis in table.axes.items():
        hdf5.write(group, name, axis.values, axis.unit).make_scale(name)
    for name, signal in table.signals.items():
        dataset = hdf5.write(group, name, signal.values, signal.unit)
        for dimension, axis in enumerate(table.axes):
            dataset.dims[dimension].attach_scale(group[axis])
    _write_quantities(group.create_group("conditions"), table.conditions)
    held_out = group.create_group("held_out")
    for name, points in table.held_out.items():
        _write_held_out(held_out.create_group(name), points)


def _write_held_out(group: hdf5.Group, points: HeldOut) -> None:
    _write_quantities(group, points.at)
    hdf5.write(group, "spice", points.spice, points.unit, "value of a SPICE run that the fit never saw")
    hdf5.write(group, "fit", points.fit, points.unit, "value of the fit at the same place")
    group.attrs["at"] = list(points.at)
    group.attrs.update({"rms": points.rms, "p95": points.p95, "max": points.max, "units": points.unit})
    group.attrs.update({"limit_rms": points.limit_rms, "limit_max": points.limit_max, "passed": points.passed})


def _write_quantities(group: hdf5.Group, quantities: Mapping[str, Quantity]) -> None:
    for name, quantity in quantities.items():
        hdf5.write(group, name, quantity.values, quantity.unit)


def _quantity(group: hdf5.Group, name: str) -> Quantity:
    return Quantity(hdf5.read(group, name), str(hdf5.dataset(group, name).attrs["units"]))


def _read_table(name: str, group: hdf5.Group) -> Table:
    conditions, held_out = hdf5.subgroup(group, "conditions"), hdf5.subgroup(group, "held_out")
    return Table(
        name=name,
        axes={axis: _quantity(group, axis) for axis in hdf5.words(group, "axes")},
        signals={signal: _quantity(group, signal) for signal in hdf5.words(group, "signals")},
        conditions={key: _quantity(conditions, key) for key in hdf5.names(conditions)},
        held_out={key: _read_held_out(hdf5.subgroup(held_out, key)) for key in hdf5.names(held_out)},
    )


def _read_held_out(group: hdf5.Group) -> HeldOut:
    return HeldOut(
        at={name: _quantity(group, name) for name in hdf5.words(group, "at")},
        spice=hdf5.read(group, "spice"),
        fit=hdf5.read(group, "fit"),
        unit=str(group.attrs["units"]),
        limit_rms=hdf5.number(group, "limit_rms"),
        limit_max=hdf5.number(group, "limit_max"),
    )
