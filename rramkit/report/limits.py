"""Chapter of the report on held-out errors: each fit against points not used in it, and its limits."""

from rramkit import plots, units
from rramkit.report import sources
from rramkit.report.elements import Drawing, Grid, Panel, Section, TableRow
from rramkit.report.ranges import extent
from rramkit.table import HeldOut, Table, TableFile
from rramkit.table.schema import words_of

PASS, FAIL = "pass", "fail"

_OPEN = 6  # checks (1): of more, those that pass are folded, and the table above them says the same
_HEADING = ("table", "verdict", "signal", "points", "rms", "limit", "95 %", "largest", "limit")


def checks(tables: TableFile) -> dict[tuple[str, str], HeldOut]:
    """Return the held-out points of each (table, signal) that has any, but those that only repeat the table's run."""
    return {
        (name, signal): points
        for name, table in tables.tables.items()
        for signal, points in table.held_out.items()
        if points.spice.size and not points.repeats
    }


def section(tables: TableFile) -> Section:
    """Return the chapter on the fits' errors: a row and a plot for each table and signal; of many, misses stay open."""
    checked = checks(tables)
    grid = Grid("Errors and limits", _HEADING, tuple(_row(*key, points) for key, points in checked.items()), words=3)
    origin = sources.origin(tables)
    return Section(
        "fits",
        f"Errors of the fits against {origin}",
        _intro(tables, is_checked=bool(checked)),
        blocks=tuple(
            _block(tables[name], signal, points, origin=origin, folded=len(checked) > _OPEN and points.passed)
            for (name, signal), points in checked.items()
        ),
        first=(grid,) if checked else (),
    )


def _intro(tables: TableFile, *, is_checked: bool) -> str:
    if is_checked:
        origin = "SPICE result" if sources.origin(tables) == "SPICE" else "measured read"
        return (
            f"Each point is a {origin} that was not used in the fit. A fit passes when the root-mean-square and the "
            "largest of its errors are both within their limits."
        )
    if sources.is_formula(tables):
        return "The tables are a formula with published figures: nothing was fitted, and there is nothing to hold out."
    return "The tables hold no held-out points: how well they meet what they stand for is not known."


def _row(name: str, signal: str, points: HeldOut) -> tuple[str, ...]:
    values = (points.rms, points.limit_rms, points.p95, points.max, points.limit_max)
    return (
        words_of(name),
        PASS if points.passed else FAIL,  # early in the row: a phone shows it without scrolling
        words_of(name, signal),
        units.count(points.spice.size),
        *(units.text(value, points.unit, beside=points.limit_max) for value in values),
    )


def _block(table: Table, signal: str, points: HeldOut, *, origin: str, folded: bool) -> Panel:
    name, quantity = table.name, words_of(table.name, signal)
    drawing = Drawing(
        plots.svg(
            lambda ax: plots.residuals(ax, points, quantity=quantity, source=origin, group=name),
            name=f"residuals-{name}-{signal}",
        ),
        "Error of the fit at each held-out point, on the scale of the errors; the line below gives the limits.",
    )
    at = (
        TableRow(f"held out over {plots.axis_words(table, axis)}", extent(values, _labels(table, axis)))
        for axis, values in points.at.items()
    )
    rows = (
        TableRow("points", units.count(points.spice.size)),
        TableRow(f"values in {origin}", units.span(points.spice, points.unit)),
        TableRow("rms error", _against(points.rms, points.limit_rms, points)),
        TableRow("95 % of errors below", units.text(points.p95, points.unit, beside=points.limit_max)),
        TableRow("largest error", _against(points.max, points.limit_max, points)),
        *at,
        TableRow("verdict", verdict := PASS if points.passed else FAIL),
    )
    drawings = (drawing,) if points.spice.size > 1 else ()  # of one point the numbers say all
    return Panel(f"{words_of(name)}: {quantity}", drawings, rows, folded, verdict)


def _labels(table: Table, axis: str) -> tuple[str, ...]:
    return table.axes[axis].labels if axis in table.axes else ()


def _against(error: float, limit: float, points: HeldOut) -> str:
    of, at_most = (units.text(value, points.unit, beside=points.limit_max) for value in (error, limit))
    return f"{of} (limit {at_most})"
