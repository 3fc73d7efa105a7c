"""Schema of the table file: axes, signals and conditions of every group that the kit writes or reads, with units.

A column's name is spelled here and nowhere else: `READ.i_cell` is the text `i_cell` that carries `.unit` and `.text`.
Every group may have the axes of `Corners` besides its own (else `supply` and `temperature` may be conditions), and the
parameters of a user's plan as axes. A group of another name is a user's own; its columns are free.

A file has the groups of one noun of the chip; `python -m rramkit.table.schema` prints the tables of
`docs/table-format.md`.
"""

from collections.abc import Mapping, Sequence

from rramkit.table.columns import Column, Group, Polarity
from rramkit.table.schema.arrays import Periphery, System, Wires
from rramkit.table.schema.cells import (
    CellNoise,
    Disturb,
    DisturbReset,
    DisturbSet,
    DroopReset,
    DroopSet,
    HalfSelect,
    Read,
    Reset,
    Set,
    Write,
    WriteLoss,
)
from rramkit.table.schema.conditions import Corners, Scattered
from rramkit.table.schema.converters import (
    Adc,
    AdcLevels,
    AdcLevelsSummary,
    AdcMismatch,
    AdcNoise,
    AdcSummary,
    CurrentSense,
    MultibitRead,
    SenseAmp,
    SenseAmpOffset,
    SenseAmpSummary,
)
from rramkit.table.schema.drivers import (
    LevelShifter,
    LineSwitch,
    RowDriver,
    RowDriverSerial,
    WriteDriver,
    WriteDriverReset,
    WriteDriverSet,
)
from rramkit.table.schema.measured import Reads, ReadsReset, ReadsSet
from rramkit.table.schema.readouts import (
    ReadoutIntegrating,
    ReadoutNoise,
    ReadoutOffset,
    ReadoutTransimpedance,
    ReadoutTransimpedanceSummary,
)

SUMMARY = "_summary"
"""Ending of the group that holds what one run gives as a whole, beside the group of its steps."""

ASSUMED = "assumed"
"""Root attribute of imported files: settings that neither measurement nor user gave, `set.v_pulse = 1 V; ...`."""

COMPONENT_PLAN = "component_plan_"
"""Beginning of the root attributes that hold the plan of each table, as JSON."""

CORNERS, SCATTERED = Corners(), Scattered()
READ, SET, RESET, WIRES = Read(), Set(), Reset(), Wires()
CELL_NOISE, LINE_SWITCH = CellNoise(), LineSwitch()
ROW_DRIVER, ROW_DRIVER_SERIAL = RowDriver(), RowDriverSerial()
READOUT_TRANSIMPEDANCE, READOUT_INTEGRATING = ReadoutTransimpedance(), ReadoutIntegrating()
READOUT_OFFSET, READOUT_NOISE = ReadoutOffset(), ReadoutNoise()
READOUT_TRANSIMPEDANCE_SUMMARY = ReadoutTransimpedanceSummary()
ADC, ADC_SUMMARY, ADC_NOISE = Adc(), AdcSummary(), AdcNoise()
ADC_LEVELS, ADC_LEVELS_SUMMARY, ADC_MISMATCH = AdcLevels(), AdcLevelsSummary(), AdcMismatch()
SENSE_AMP, SENSE_AMP_SUMMARY, SENSE_AMP_OFFSET = SenseAmp(), SenseAmpSummary(), SenseAmpOffset()
CURRENT_SENSE, MULTIBIT_READ = CurrentSense(), MultibitRead()
WRITE_DRIVER_SET, WRITE_DRIVER_RESET = WriteDriverSet(), WriteDriverReset()
DROOP_SET, DROOP_RESET, DISTURB_SET, DISTURB_RESET = DroopSet(), DroopReset(), DisturbSet(), DisturbReset()
LEVEL_SHIFTER, DISTURB, PERIPHERY, SYSTEM = LevelShifter(), Disturb(), Periphery(), System()

READS: Mapping[Polarity, Reads] = {"set": ReadsSet(), "reset": ReadsReset()}
"""Columns of the two tables of measured reads by polarity."""

WRITES: Mapping[Polarity, Write] = {"set": SET, "reset": RESET}
"""Columns of the two write tables by polarity; they have the same names."""

DROOPS: Mapping[Polarity, WriteLoss] = {"set": DROOP_SET, "reset": DROOP_RESET}
"""Columns of the two tables of IR drop by polarity."""

DISTURBS: Mapping[Polarity, HalfSelect] = {"set": DISTURB_SET, "reset": DISTURB_RESET}
"""Columns of the two tables of half-select disturb by polarity."""

WRITE_DRIVERS: Mapping[Polarity, WriteDriver] = {"set": WRITE_DRIVER_SET, "reset": WRITE_DRIVER_RESET}
"""Columns of the two tables of the write driver by polarity."""

GROUPS: Mapping[str, Group] = {
    each.group: each
    for each in (
        *(READ, CELL_NOISE, SET, RESET, WIRES),
        *(ROW_DRIVER, ROW_DRIVER_SERIAL, LINE_SWITCH),
        *(READOUT_TRANSIMPEDANCE, READOUT_TRANSIMPEDANCE_SUMMARY, READOUT_INTEGRATING, READOUT_OFFSET, READOUT_NOISE),
        *(ADC, ADC_SUMMARY, ADC_LEVELS, ADC_LEVELS_SUMMARY, ADC_MISMATCH, ADC_NOISE),
        *(SENSE_AMP, SENSE_AMP_SUMMARY, SENSE_AMP_OFFSET, CURRENT_SENSE, MULTIBIT_READ),
        *(WRITE_DRIVER_SET, WRITE_DRIVER_RESET, DROOP_SET, DROOP_RESET, DISTURB_SET, DISTURB_RESET),
        *(LEVEL_SHIFTER, DISTURB, PERIPHERY, SYSTEM),
        *READS.values(),
    )
}
"""Every group of the kit by its name."""


def column(group: str, name: str) -> Column | None:
    """Return the column `name` of a group, those that every group may have included; None for a user's own."""
    if group not in GROUPS:
        return None
    shared = CORNERS.columns | SCATTERED.columns
    return GROUPS[group].columns.get(name) or shared.get(name)


def words_of(group: str, name: str = "") -> str:
    """Return what a table is called on pictures, or a column of it: in the field's words, `change of conductance`.

    What is a user's own keeps its name. Held-out ratios and spreads (`t_decide_ratio`,
    `offset_sigma`) are named after their column.
    """
    if not name:
        return (GROUPS[group].words if group in GROUPS else "") or group
    found = column(group, name) or CORNERS.columns.get(name)
    if found is not None:
        return found.words
    for ending, derived in _DERIVED.items():
        if name.endswith(ending):
            return derived.format(words_of(group, name.removesuffix(ending)))
    return name


_DERIVED = {"_ratio": "{}, table over SPICE", "_sigma": "spread of {}, table over fresh draws"}


def polarity_of(group: str) -> Polarity | None:
    """Return the polarity of the pulses of a group of the kit; None where it has none, or is a user's own."""
    return GROUPS[group].polarity if group in GROUPS else None


def markdown() -> str:
    """Return the tables of `docs/table-format.md`: the columns of every group; groups of the same columns in one."""
    alike: dict[tuple[tuple[str, str], ...], list[Group]] = {}
    for group in GROUPS.values():
        alike.setdefault(tuple((name, each.text) for name, each in group.columns.items()), []).append(group)
    parts = [_section([CORNERS], "Axes of every group"), _section([SCATTERED], "Scattered points")]
    return "\n".join(parts + [_section(groups, ", ".join(f"`{g.group}`" for g in groups)) for groups in alike.values()])


def _section(groups: Sequence[Group], title: str) -> str:
    """Return the heading, the descriptions and the columns of groups that have the same columns."""
    lines = [f"### {title}", "", *(f"{group.text}." for group in groups), ""]
    lines += ["| column | kind | unit | meaning |", "|---|---|---|---|"]
    for column in groups[0].columns.values():
        kind = column.kind.replace("_", "-") + (", required" if column.required else "")
        lines.append(f"| `{column}` | {kind} | {column.unit} | {column.text} |")
    return "\n".join([*lines, ""])
