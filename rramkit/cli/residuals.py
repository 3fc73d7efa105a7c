"""Held-out residuals as a table for the terminal and as a dictionary for a script."""

from collections.abc import Mapping

from rich.table import Table as Grid

from rramkit.table import HeldOut, TableFile


def of_tables(tables: TableFile) -> dict[str, HeldOut]:
    """Return the held-out points of every table, named `table.signal`."""
    return {
        f"{table.name}.{signal}": points
        for table in tables.tables.values()
        for signal, points in table.held_out.items()
    }


def as_grid(residuals: Mapping[str, HeldOut], title: str) -> Grid:
    """Return a terminal table: quantity, count, rms, p95, max, the two limits, verdict."""
    grid = Grid(title=title, title_justify="left")
    for name in ("quantity", "points", "rms", "p95", "max", "limit rms", "limit max", "unit", "verdict"):
        grid.add_column(name, justify="left" if name in ("quantity", "unit", "verdict") else "right")
    for name, points in residuals.items():
        numbers = (points.rms, points.p95, points.max, points.limit_rms, points.limit_max)
        verdict = "[green]pass[/]" if points.passed else "[bold red]FAIL[/]"
        grid.add_row(name, str(points.spice.size), *(f"{number:.3g}" for number in numbers), points.unit, verdict)
    return grid


def as_json(residuals: Mapping[str, HeldOut]) -> dict[str, dict[str, object]]:
    """Return rms, p95, max, unit, limits and verdict of each quantity."""
    return {
        name: {
            "points": points.spice.size,
            "rms": points.rms,
            "p95": points.p95,
            "max": points.max,
            "unit": points.unit,
            "limit": points.limit_rms,
            "limit_max": points.limit_max,
            "pass": points.passed,
        }
        for name, points in residuals.items()
    }
