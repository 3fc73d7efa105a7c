"""Data sheet: limits (min, typ, max) of a component's measures against every point of its tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rramkit.characterization.design import plans_of
from rramkit.characterization.engine.plan import SUMMARY, ComponentPlan, Limit
from rramkit.table import Table, TableFile


@dataclass(frozen=True)
class DataSheetLine:
    """One line of a data sheet: what was measured over all points, and the limits; None: none is given."""

    name: str
    unit: str
    low: float
    middle: float
    high: float
    limit: Limit


def data_sheet(file: TableFile) -> list[DataSheetLine]:
    """Return a line for each measure with limits: smallest, median and largest value of its table."""
    lines = []
    for plan in plans_of(file.provenance, simulated=False):
        for table in _own(plan, file.tables):
            for signal, quantity in table.signals.items():
                limit, good = plan.limit(signal), quantity.values[~table.masked(signal)]
                if good.size and any(each is not None for each in (limit.min, limit.typ, limit.max)):
                    low, middle, high = np.quantile(good, [0, 0.5, 1]).tolist()
                    lines.append(DataSheetLine(f"{table.name}.{signal}", quantity.unit, low, middle, high, limit))
    return lines


def all_broken(file: TableFile) -> list[str]:
    """Return what `broken` says of every component of a table file, by the plans in its provenance."""
    return [line for plan in plans_of(file.provenance, simulated=False) for line in broken(plan, file.tables)]


def broken(plan: ComponentPlan, tables: Mapping[str, Table]) -> list[str]:
    """Return a line for each measure that lies outside its limits: the worst value, where, and the limit."""
    lines = []
    for table in _own(plan, tables):
        for signal in table.signals:
            limit = plan.limit(signal)
            for bound, sign, word in ((limit.min, -1.0, "min"), (limit.max, 1.0, "max")):
                if bound is not None and (line := _worst(table, signal, bound, sign, word)):
                    lines.append(line)
    return lines


def _own(plan: ComponentPlan, tables: Mapping[str, Table]) -> list[Table]:
    return [tables[name] for name in (plan.name, plan.name + SUMMARY) if name in tables]


def _worst(table: Table, signal: str, bound: float, sign: float, word: str) -> str:
    quantity, bad = table.signals[signal], table.masked(signal)
    past = np.where(bad, -np.inf, sign * (quantity.values - bound))
    if np.all(bad):
        return ""
    worst = np.unravel_index(int(np.argmax(past)), past.shape)
    if past[worst] <= 0:
        return ""
    where = ", ".join(_coordinate(table, name, int(k)) for name, k in zip(table.axes, worst, strict=True))
    value = f"{quantity.values[worst]:.4g} {quantity.unit}"
    return f"`{table.name}.{signal}` is {value} at {where or 'its one point'}; {word} {bound:.4g} {quantity.unit}"


def _coordinate(table: Table, name: str, index: int) -> str:
    axis = table.axes[name]
    return f"{name} = {axis.labels[index] if axis.labels else f'{axis.values[index]:.4g} {axis.unit}'}"
