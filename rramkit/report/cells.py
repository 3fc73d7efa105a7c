"""Chapters of the report on one cell and on the wires, from the tables."""

import re
from collections.abc import Mapping

import numpy as np

from rramkit import plots, units
from rramkit.errors import TableError
from rramkit.plots import svg
from rramkit.plots.gallery import FEW
from rramkit.report import sources
from rramkit.report.elements import Drawing, Grid, Panel, Section, TableRow
from rramkit.report.ranges import extent
from rramkit.staircase import Staircase, climb
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Quantity, Table, TableFile
from rramkit.table.operating_point import at_condition, nominal_condition
from rramkit.table.schema import READ, READS, RESET, SET, WIRES

_READS = READS["set"]  # both polarities have the same columns
_TAKEN = {
    "SPICE": "each simulated in SPICE",
    "the measurement": "measured",
    "the published figures": "in closed form from published figures of merit",
}
_WIRES: dict[str, str] = {
    WIRES.r_row: "row wire, per cell",
    WIRES.r_col: "column wire, per cell",
    WIRES.r_drive: "driver",
    WIRES.r_sense: "sense input",
}


def section(tables: TableFile) -> Section:
    """Return the chapter on one cell and the wires; tables with corners at their nominal condition, which it names."""
    origin, assumed = sources.origin(tables), sources.assumed(tables)
    makers = {
        READ.group: lambda table: _read_block(table, origin),
        SET.group: lambda table: _write_block(table, assumed),
        RESET.group: lambda table: _write_block(table, assumed),
        WIRES.group: lambda table: _wires_block(table, origin),
    }
    present = {name: tables[name] for name in makers if name in tables.tables}
    blocks = tuple(makers[name](at_condition(table)) for name, table in present.items())
    conditions: dict[str, list[str]] = {}
    for name, table in present.items():
        conditions.setdefault(nominal_condition(table), []).append(name)
    reads = tuple(_reads_block(tables[each.group]) for each in READS.values() if each.group in tables.tables)
    at = "".join(_shown_at(names, text) for text, names in conditions.items() if text)
    return Section(
        "cell",
        "One cell",
        f"Values of the tables, {_TAKEN[origin]}.{at}",
        blocks=(*blocks, *reads),
    )


def _shown_at(names: list[str], condition: str) -> str:
    """Return a sentence on the one condition, as `tt-300.15K`, at which tables with several are shown."""
    *most, last = names
    tables = f"Tables {', '.join(most)} and {last} are" if most else f"Table {last} is"
    words = re.sub(r"(?<=\d)K$", "\N{NO-BREAK SPACE}K", condition.replace("-", ", "))
    return f" {tables} shown at {words}."


def conditions(tables: TableFile) -> Section:
    """Return the chapter that says under which conditions each table was measured."""
    return Section(
        "conditions",
        "Conditions of measurement",
        "Names as in the table file."
        + (" What is marked as assumed was neither measured nor given." if sources.assumed(tables) else ""),
        grids=tuple(_conditions(table, sources.assumed(tables)) for table in tables.tables.values()),
    )


def _conditions(table: Table, assumed: Mapping[str, str]) -> Grid:
    axes = tuple(
        (name, extent(axis), _marked(table, name, assumed) or units.count(axis.values.size, _one_of(axis)))
        for name, axis in table.axes.items()
    )
    fixed = tuple(
        (name, units.span(value.values, value.unit), _marked(table, name, assumed) or "fixed")
        for name, value in table.conditions.items()
    )
    return Grid(f"Table {table.name}", ("quantity", "value", "how"), axes + fixed)


def _one_of(axis: Quantity) -> str:
    return "label" if axis.labels else "point"


def _marked(table: Table, name: str, assumed: Mapping[str, str]) -> str:
    """Return `assumed` where a value of a table was neither measured nor given, else nothing."""
    steps: dict[str, str] = {SET.v_step: SET.v_pulse}  # of one amplitude the step is the amplitude
    keys = (f"{table.name}.{steps.get(name, name)}", f"{READ.group}.{name}")
    return "assumed" if any(key in assumed for key in keys) else ""


def _reads_block(table: Table) -> Panel:
    drawing = Drawing(
        svg(lambda ax: plots.reads_and_fit(ax, table), name=f"{table.name}-fit"),
        "Every read of the measurement, and the mean curve of its device, which the table follows.",
    )
    ramps, devices = (np.unique(table.signals[name].values).size for name in (_READS.ramp, _READS.device))
    rows = (
        TableRow("reads", units.count(table.axes[_READS.read].values.size)),
        TableRow("ramps", units.count(ramps)),
        TableRow("devices", units.count(devices)),
        TableRow("conductances read", units.span(table.signals[_READS.g_cell].values, "S")),
    )
    return Panel(f"Measured reads, {table.name.removeprefix('reads_').upper()} pulses", (drawing,), rows)


def _read_block(table: Table, origin: str) -> Panel:
    _check_axes(table, READ.g_cell, READ.v_cell)
    g_cell = table.axes[READ.g_cell].values
    current = GridSurrogate(table, READ.i_cell)
    v_read = table.condition(READ.v_read)
    low, high = (float(current.at(g, v_read)) for g in (g_cell[0], g_cell[-1]))
    drawing = Drawing(
        svg(lambda ax: plots.current_voltage(ax, table), name="current-voltage"),
        "Cell current against the voltage over the cell; colour is the conductance"
        + (", circles are held-out SPICE runs, crosses the table there." if origin == "SPICE" else "."),
    )
    rows = (
        TableRow("conductances", units.span(g_cell, "S")),
        TableRow("cell voltages", units.span(table.axes[READ.v_cell].values, "V")),
        TableRow("read voltage", units.text(v_read, "V")),
        TableRow("read current, lowest conductance", units.text(low, "A")),
        TableRow("read current, highest conductance", units.text(high, "A")),
        TableRow("ratio of the two", units.text(high / low, "1") if low else "-"),
        *_size(table),
    )
    return Panel("Read", (drawing,), rows)


def _write_block(table: Table, assumed: Mapping[str, str]) -> Panel:
    _check_axes(table, SET.g_start, SET.v_pulse)
    line = plots.stepped_line(table)
    draw = {
        "energy": (
            lambda ax: plots.pulse_energy(ax, table),
            f"Energy of one pulse against its {line} voltage; colour is the conductance before it.",
        ),
    }
    steps = _stepped(table)
    if table.axes[SET.v_pulse].values.size > 1:
        draw |= {
            "one-pulse": (
                lambda ax: plots.one_pulse(ax, table),
                f"Conductance after one pulse against its {line} voltage; colour is the conductance before it.",
            ),
            "map": (
                lambda ax: plots.delta_g_map(ax, table),
                "Change of conductance by one pulse, at each point of the table.",
            ),
        }
    else:
        draw = {"change": (lambda ax: plots.change_band(ax, table), "Change by one write, and how it scatters.")}
    if steps is not None:
        draw["staircase"] = (
            lambda ax: plots.staircase(ax, steps, table=table),
            "One cell as the driver steps through its amplitudes, one pulse at each.",
        )
    order = [key for key in ("one-pulse", "staircase", "map", "energy", "change") if key in draw]
    drawings = tuple(Drawing(svg(draw[key][0], name=f"{table.name}-{key}"), draw[key][1]) for key in order)
    of_staircase = () if steps is None else _staircase_rows(steps)
    return Panel(table.name.upper(), drawings, (*_write_rows(table, assumed), *of_staircase, *_size(table)))


def _stepped(table: Table) -> Staircase | None:
    """Return the staircase from where the polarity starts; None with few amplitudes, or with failed points."""
    if table.axes[SET.v_pulse].values.size == 1 or np.any(table.masked(SET.delta_g)):
        return None
    steps = climb(table)
    return steps if steps.v_pulse.size >= FEW else None


def _write_rows(table: Table, assumed: Mapping[str, str]) -> tuple[TableRow, ...]:
    """Return the figures of a write table; those of assumed amplitudes and widths are marked."""
    volts, width = (" (assumed)" if _marked(table, name, assumed) else "" for name in (SET.v_pulse, SET.t_pulse))
    joules = " (of assumed pulses)" if volts or width else ""
    energy, delta_g = (table.signals[name].values[~table.masked(name)] for name in (SET.energy, SET.delta_g))
    failed = int(np.count_nonzero(table.masked(SET.delta_g)))
    strongest = delta_g.ravel()[np.argmax(np.abs(delta_g))]
    return (
        TableRow("conductances before", units.span(table.axes[SET.g_start].values, "S")),
        TableRow(f"{plots.stepped_line(table)} voltages", units.span(table.axes[SET.v_pulse].values, "V") + volts),
        TableRow("pulse width", units.text(table.condition(SET.t_pulse), "s") + width),
        TableRow("largest change by one pulse", units.text(float(strongest), "S")),
        TableRow("energy per pulse, median", units.text(float(np.median(energy)), "J") + joules),
        TableRow("energy per pulse, range", units.span(energy, "J") + joules),
        *((TableRow("points that failed in SPICE", units.count(failed)),) if failed else ()),
    )


def _staircase_rows(steps: Staircase) -> tuple[TableRow, ...]:
    changes = np.abs(np.diff(np.concatenate([[steps.g_start], steps.g_cell])))
    return (
        TableRow("staircase", f"{units.count(steps.v_pulse.size)} pulses, {units.span(steps.v_pulse, 'V')}"),
        TableRow(
            "staircase, from and to", f"{units.text(steps.g_start, 'S')}, {units.text(float(steps.g_cell[-1]), 'S')}"
        ),
        TableRow("staircase, largest step", units.text(float(changes.max()), "S")),
        TableRow("staircase, pulses held at the table's edge", units.count(steps.clamped)),
        TableRow("staircase, energy", units.text(float(steps.energy.sum()), "J")),
    )


def _wires_block(table: Table, origin: str) -> Panel:
    rows = tuple(TableRow(_WIRES.get(name, name), _resistance(table, name)) for name in table.signals)
    title = "Wires of the array, fitted to SPICE reads" if origin == "SPICE" else "Wires of the array, as given"
    return Panel(title, (), rows)


def _resistance(table: Table, name: str) -> str:
    """Return a fitted resistance, with the netlist's own beside it where the table holds that."""
    fitted = units.span(table.signals[name].values, table.signals[name].unit)
    own = table.conditions.get(f"netlist_{name}")
    return fitted if own is None else f"{fitted} (netlist: {units.span(own.values, own.unit)})"


def _check_axes(table: Table, *names: str) -> None:
    if tuple(table.axes) != names:
        raise TableError(
            f"table `{table.name}` must have the axes {', '.join(names)}; got {', '.join(table.axes) or 'none'}. "
            "Regenerate the file with `rramkit characterize`."
        )


def _size(table: Table) -> tuple[TableRow, ...]:
    shape = " by ".join(str(axis.values.size) for axis in table.axes.values())
    return (TableRow("points in the table", f"{shape}, {units.count(next(iter(table.signals.values())).values.size)}"),)
