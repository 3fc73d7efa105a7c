"""Tables of format version 1 as tables of today: what the format later gave a place of its own is moved there."""

from dataclasses import replace

from rramkit.table.table import Table


def upgraded(table: Table) -> Table:
    """Move the condition `time_step_error` of the write tables, which was that of `delta_g`, to `step_error`."""
    conditions = dict(table.conditions)
    error = conditions.pop("time_step_error", None)
    if error is None:
        return table
    return replace(table, conditions=conditions, step_error={"delta_g": float(error)})
