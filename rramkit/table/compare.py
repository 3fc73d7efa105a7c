"""Two table files, quantity by quantity: what changed, against the limits that the older one keeps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rramkit.table.file import TableFile
from rramkit.table.parts import HeldOut, Quantity
from rramkit.table.table import Table

AXIS_LIMIT = 1e-4
"""Largest difference of an axis' values over its span (1): conductances are measured, and differ by rounding only."""

VALUE_LIMIT = 1e-6
"""Largest difference over full scale (1) of a quantity that keeps no limits of its own."""


@dataclass(frozen=True)
class Comparison:
    """What two files have in common, and in what they are not of one kind.

    Attributes
    ----------
    quantities : mapping
        `table.quantity` to old values (as `spice`) and new ones (as `fit`), with their limits.
    complaints : tuple of str
        What cannot be compared: tables, quantities, units, shapes or labels of one file that the other lacks.
    """

    quantities: Mapping[str, HeldOut]
    complaints: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether nothing is missing and every quantity is within its limits."""
        return not self.complaints and all(points.passed for points in self.quantities.values())


def compare(new: TableFile, old: TableFile) -> Comparison:
    """Compare every axis, signal and condition of two files; held-out limits of the old one judge its signals."""
    quantities: dict[str, HeldOut] = {}
    complaints = list(_unmatched("table", new.tables, old.tables))
    for name in new.tables.keys() & old.tables.keys():
        found, said = _compare_tables(new[name], old[name])
        quantities |= found
        complaints += said
    return Comparison(dict(sorted(quantities.items())), tuple(complaints))


def _compare_tables(new: Table, old: Table) -> tuple[dict[str, HeldOut], list[str]]:
    found: dict[str, HeldOut] = {}
    said: list[str] = []
    for kind in ("axes", "signals", "conditions"):
        ours, theirs = getattr(new, kind), getattr(old, kind)
        said += _unmatched(f"`{new.name}` {kind}", ours, theirs)
        for name in [each for each in theirs if each in ours]:
            wrong = _unlike(f"{new.name}.{name}", ours[name], theirs[name])
            if wrong:
                said.append(wrong)
            else:
                found[f"{new.name}.{name}"] = _differences(kind, name, new, old)
    for name in [each for each in old.signals if each in new.signals]:
        failed, before = (int(np.count_nonzero(table.masked(name))) for table in (new, old))
        if failed > before:
            said.append(f"`{new.name}.{name}`: {failed} points failed, {before} in the old file")
    return found, said


def _unmatched(what: str, new: Mapping[str, object], old: Mapping[str, object]) -> Iterator[str]:
    for name in sorted(old.keys() - new.keys()):
        yield f"{what}: `{name}` stands in the old file only"
    for name in sorted(new.keys() - old.keys()):
        yield f"{what}: `{name}` stands in the new file only"


def _unlike(name: str, new: Quantity, old: Quantity) -> str:
    if new.unit != old.unit:
        return f"`{name}` is in {new.unit}, in the old file in {old.unit}"
    if new.labels != old.labels:
        return f"`{name}` is of {', '.join(new.labels)}, in the old file of {', '.join(old.labels)}"
    if new.values.shape != old.values.shape:
        return f"`{name}` has shape {new.values.shape}, in the old file {old.values.shape}"
    return ""


def _differences(kind: str, name: str, new: Table, old: Table) -> HeldOut:
    """Return old against new values; of a signal where both files have one."""
    ours, theirs = (np.atleast_1d(getattr(table, kind)[name].values) for table in (new, old))
    good = np.ones(ours.shape, dtype=bool)
    if kind == "signals" and new.axes and ours.shape == new.shape:
        good = ~(new.masked(name) | old.masked(name))
    scale = float(np.ptp(theirs) if kind == "axes" else np.max(np.abs(theirs[good]), initial=0.0)) or 1.0
    limit = (AXIS_LIMIT if kind == "axes" else VALUE_LIMIT) * scale
    kept = old.held_out.get(name) if kind == "signals" else None
    unit = getattr(new, kind)[name].unit
    return HeldOut(
        at={},
        spice=theirs[good].ravel(),
        fit=ours[good].ravel(),
        unit=unit,
        limit_rms=limit if kept is None else kept.limit_rms,
        limit_max=limit if kept is None else kept.limit_max,
        limit_p95=limit if kept is None else kept.limit_p95,
    )
