"""Held-out residuals as a table for the terminal and as a dictionary for a script."""

from collections.abc import Mapping
from math import isfinite

from rich import box
from rich.markup import escape
from rich.table import Table as Grid

from rramkit import units
from rramkit.cli.console import console
from rramkit.table import HeldOut, TableFile


def show(grid: Grid) -> None:
    """Print a table, as wide as the terminal."""
    console().print(grid)


def of_tables(tables: TableFile) -> dict[str, HeldOut]:
    """Return the held-out points of every table, named `table.signal`."""
    return {
        f"{table.name}.{signal}": points
        for table in tables.tables.values()
        for signal, points in table.held_out.items()
    }


def as_grid(residuals: Mapping[str, HeldOut], title: str) -> Grid:
    """Return a terminal table: quantity, count, rms, p95 and max with their limits, verdict; fits 80 columns."""
    grid = Grid(title=escape(title), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0))
    tails = any(isfinite(points.limit_p95) for points in residuals.values())
    limit_p95 = ("limit",) if tails else ()
    for name in ("quantity", "points", "rms", "limit", "p95", *limit_p95, "max", "limit", "verdict"):
        justify = "left" if name in ("quantity", "verdict") else "right"
        grid.add_column(
            name, justify=justify, no_wrap=name != "quantity", overflow="fold"
        )  # a long name takes two lines
    for name, points in residuals.items():
        tail = (points.limit_p95,) if tails else ()
        numbers = (points.rms, points.limit_rms, points.p95, *tail, points.max, points.limit_max)
        cells = [_short(number, points.unit) if isfinite(number) else "-" for number in numbers]
        grid.add_row(escape(name), str(points.spice.size), *cells, _verdict(points))
    return grid


def _verdict(points: HeldOut) -> str:
    """Return pass or FAIL, or that the points are the table's own run again, which would pass whatever the table is."""
    if points.repeats:
        return "repeat"
    return "[green]pass[/]" if points.passed else "[bold red]FAIL[/]"


def _short(value: float, unit: str) -> str:
    """Return a value with its prefix and two or three digits: errors and limits want no more."""
    scale, label = units.prefixed(value, unit)
    return f"{value / scale:.3g} {label}"


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
            "limit_p95": points.limit_p95 if isfinite(points.limit_p95) else None,
            "limit_max": points.limit_max,
            "repeats": points.repeats,
            "pass": bool(points.passed),  # of measured data a number of NumPy
        }
        for name, points in residuals.items()
    }
