"""Upgrade of files of formats 1 and 2: groups are named by their component; a table knows its polarity.

In formats 1 and 2 the kit read the conductances of `set` and `reset` through the drivers of the pulse (`r_driver`), up
to 1.6 % below `read.g_cell` at 80 uS for 200 ohm. The values stay; the condition `through_drivers` says so.
"""

import json
from collections.abc import Mapping
from dataclasses import replace

from rramkit.table.schema import COMPONENT_PLAN, SET, WRITES
from rramkit.table.table import Table

COMPONENTS = {
    "dac": "row_driver",
    "bit_serial": "row_driver_serial",
    "transimpedance": "readout_transimpedance",
    "integrator": "readout_integrating",
    "adc": "adc_levels",
    "adc_summary": "adc_levels_summary",
    "adc_conversion": "adc",
    "adc_conversion_summary": "adc_summary",
    "sense": "sense_amp",
    "sense_summary": "sense_amp_summary",
    "sense_offset": "sense_amp_offset",
    "driver_set": "write_driver_set",
    "driver_reset": "write_driver_reset",
    "write_disturb": "disturb",
}
"""Names of groups, and of plans in the provenance, of format 2 to those of format 3."""

_PLAN = "block_plan_"


def from_format_2(
    tables: Mapping[str, Table], provenance: Mapping[str, str]
) -> tuple[dict[str, Table], dict[str, str]]:
    """Return tables and provenance of a file of format 2 as those of format 3."""
    renamed = {COMPONENTS.get(name, name): table for name, table in tables.items()}
    texts = dict(_renamed_plan(name, text) for name, text in provenance.items())
    return {name: _upgraded(replace(table, name=name, polarity=None)) for name, table in renamed.items()}, texts


def _renamed_plan(name: str, text: str) -> tuple[str, str]:
    """Return a root attribute of format 3: the plan of a table, with the table's new name; another as it is."""
    group = name.removeprefix(_PLAN)
    if group == name:
        return name, text
    component = COMPONENTS.get(group, group)
    plan = json.loads(text) | {"name": component} if component != group else json.loads(text)
    return COMPONENT_PLAN + component, json.dumps(plan)


def _upgraded(table: Table) -> Table:
    """Return a table without conditions that repeat an axis, and with what was implicit of the write tables."""
    conditions = {name: each for name, each in table.conditions.items() if name not in table.axes}
    write = WRITES[table.polarity] if table.polarity and table.name == WRITES[table.polarity].group else None
    if write is not None and write.r_driver in conditions and float(conditions[write.r_driver]) > 0.0:
        conditions |= write.of(through_drivers=1.0)
    return replace(table, conditions=conditions)


def from_format_1(table: Table) -> Table:
    """Return a table of format 1 as one of format 2: `time_step_error`, a condition, is the step error of `delta_g`."""
    conditions = dict(table.conditions)
    error = conditions.pop("time_step_error", None)
    if error is None:
        return table
    return replace(table, conditions=conditions, step_error={SET.delta_g: float(error)})
