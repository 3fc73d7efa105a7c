"""The chapters on one cell and on the wires, from the tables."""

import numpy as np

from rramkit import plots, units
from rramkit.errors import TableError
from rramkit.plots import svg
from rramkit.report.elements import Drawing, Grid, Panel, Section, TableRow
from rramkit.staircase import Staircase, climb
from rramkit.surrogate.grid import GridSurrogate
from rramkit.table import Table, TableFile

_STEPPED = {"set": "word line", "reset": "source line"}
_WIRES = {"r_row": "row wire, a cell", "r_col": "column wire, a cell", "r_drive": "driver", "r_sense": "sense input"}


def section(tables: TableFile) -> Section:
    """Return the chapter on what one cell and the wires do."""
    makers = {"read": _read_block, "set": _write_block, "reset": _write_block, "wires": _wires_block}
    blocks = tuple(make(tables[name]) for name, make in makers.items() if name in tables.tables)
    return Section(
        "cell",
        "What one cell does",
        "Values of the tables, each measured in SPICE; points that the fits never saw are drawn as dots.",
        blocks=blocks,
    )


def conditions(tables: TableFile) -> Section:
    """Return the chapter that says under which conditions each table was measured."""
    return Section(
        "conditions",
        "Conditions of measurement",
        "Names as in the table file.",
        grids=tuple(_conditions(table) for table in tables.tables.values()),
    )


def _conditions(table: Table) -> Grid:
    axes = tuple(
        (name, units.span(axis.values, axis.unit), f"{axis.values.size} points") for name, axis in table.axes.items()
    )
    fixed = tuple((name, units.span(value.values, value.unit), "fixed") for name, value in table.conditions.items())
    return Grid(f"Table {table.name}", ("quantity", "value", ""), axes + fixed)


def _read_block(table: Table) -> Panel:
    _check_axes(table, "g_cell", "v_cell")
    g_cell = table.axes["g_cell"].values
    current = GridSurrogate(table, "i_cell")
    v_read = table.condition("v_read")
    low, high = (float(current.at(g, v_read)) for g in (g_cell[0], g_cell[-1]))
    drawing = Drawing(
        svg(lambda ax: plots.current_voltage(ax, table), name="current-voltage"),
        "Cell current against the voltage over the cell; colour is the conductance, dots are held-out SPICE runs.",
    )
    rows = (
        TableRow("conductances", units.span(g_cell, "S")),
        TableRow("cell voltages", units.span(table.axes["v_cell"].values, "V")),
        TableRow("read voltage", units.text(v_read, "V")),
        TableRow("read current, lowest conductance", units.text(low, "A")),
        TableRow("read current, highest conductance", units.text(high, "A")),
        TableRow("ratio of the two", units.text(high / low, "1") if low else "-"),
        *_size(table),
    )
    return Panel("Phase", (drawing,), rows)


def _write_block(table: Table) -> Panel:
    _check_axes(table, "g_start", "v_pulse")
    line = _STEPPED[table.name]
    draw = {
        "energy": (
            lambda ax: plots.pulse_energy(ax, table),
            f"Energy of one pulse against its {line} voltage; colour is the conductance before it.",
        ),
    }
    steps = _stepped(table)
    if table.axes["v_pulse"].values.size > 1:
        draw |= {
            "one-pulse": (
                lambda ax: plots.one_pulse(ax, table),
                f"Conductance after one pulse against its {line} voltage; colour is the conductance before it.",
            ),
            "map": (
                lambda ax: plots.delta_g_map(ax, table),
                "Change of conductance by one pulse, at each point that was run.",
            ),
        }
    else:
        draw = {"change": (lambda ax: plots.change_band(ax, table), "Change by one write, and how it scatters.")}
    if steps is not None:
        draw["staircase"] = (
            lambda ax: plots.staircase(ax, steps, name=table.name),
            "One cell as the driver steps through its amplitudes, one pulse at each.",
        )
    order = [key for key in ("one-pulse", "staircase", "map", "energy", "change") if key in draw]
    drawings = tuple(Drawing(svg(draw[key][0], name=f"{table.name}-{key}"), draw[key][1]) for key in order)
    climbed = () if steps is None else _staircase_rows(steps)
    return Panel(table.name.upper(), drawings, (*_write_rows(table), *climbed, *_size(table)))


def _stepped(table: Table) -> Staircase | None:
    """Return the staircase from where the polarity starts; None with one amplitude, or with failed points."""
    if table.axes["v_pulse"].values.size == 1 or np.any(table.masked("delta_g")):
        return None
    g_start = table.axes["g_start"].values
    return climb(table, g_start=float(g_start[0] if table.name == "set" else g_start[-1]))


def _write_rows(table: Table) -> tuple[TableRow, ...]:
    energy, delta_g = (table.signals[name].values[~table.masked(name)] for name in ("energy", "delta_g"))
    failed = int(np.count_nonzero(table.masked("delta_g")))
    strongest = delta_g.ravel()[np.argmax(np.abs(delta_g))]
    return (
        TableRow("conductances before", units.span(table.axes["g_start"].values, "S")),
        TableRow(f"{_STEPPED[table.name]} voltages", units.span(table.axes["v_pulse"].values, "V")),
        TableRow("pulse width", units.text(table.condition("t_pulse"), "s")),
        TableRow("largest change by one pulse", units.text(float(strongest), "S")),
        TableRow("energy a pulse, median", units.text(float(np.median(energy)), "J")),
        TableRow("energy a pulse, range", units.span(energy, "J")),
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


def _wires_block(table: Table) -> Panel:
    rows = tuple(TableRow(_WIRES.get(name, name), _resistance(table, name)) for name in table.signals)
    return Panel("Wires of the array, fitted to SPICE reads", (), rows)


def _resistance(table: Table, name: str) -> str:
    """Return a fitted resistance, with the netlist's own beside it where the table holds that."""
    fitted = units.span(table.signals[name].values, table.signals[name].unit)
    own = table.conditions.get(f"netlist_{name}")
    return fitted if own is None else f"{fitted} (netlist: {units.span(own.values, own.unit)})"


def _check_axes(table: Table, *names: str) -> None:
    if tuple(table.axes) != names:
        found = ", ".join(table.axes) or "none"
        raise TableError(
            f"table `{table.name}` must have the axes {', '.join(names)}; got {found}. "
            "Regenerate it with `rramkit characterize`."
        )


def _size(table: Table) -> tuple[TableRow, ...]:
    shape = " by ".join(str(axis.values.size) for axis in table.axes.values())
    return (TableRow("points in the table", f"{shape}, {units.count(next(iter(table.signals.values())).values.size)}"),)
