"""Upgrade of tables of format 1: `time_step_error` of the write tables, a condition, is the step error of `delta_g`."""

from dataclasses import replace

from rramkit.table.schema import SET
from rramkit.table.table import Table


def upgraded(table: Table) -> Table:
    """Return a table of format 1 as one of format 2."""
    conditions = dict(table.conditions)
    error = conditions.pop("time_step_error", None)
    if error is None:
        return table
    return replace(table, conditions=conditions, step_error={SET.delta_g: float(error)})
