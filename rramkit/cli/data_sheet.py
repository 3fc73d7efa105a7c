"""Data sheet of a design's components, for the terminal."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.markup import escape
from rich.table import Table as Grid

from rramkit import units

if TYPE_CHECKING:
    from rramkit.characterization.limits import DataSheetLine


def as_grid(lines: "Sequence[DataSheetLine]") -> Grid:
    """Return a terminal table: measure, smallest, median and largest value, each with its limit in brackets."""
    grid = Grid(
        title=escape("Measures over all points [limit]"), title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 0)
    )
    for name in ("measure", "min", "median [typ]", "max", "verdict"):
        grid.add_column(name, justify="left" if name in ("measure", "verdict") else "right", no_wrap=True)
    for line in lines:
        low, high = line.limit.min, line.limit.max
        passed = (low is None or line.low >= low) and (high is None or line.high <= high)
        values = ((line.low, low), (line.middle, line.limit.typ), (line.high, high))
        verdict = "[green]pass[/]" if passed else "[bold red]FAIL[/]"
        grid.add_row(line.name, *(_cell(value, limit, line.unit) for value, limit in values), verdict)
    return grid


def _cell(value: float, limit: float | None, unit: str) -> str:
    return _short(value, unit) + ("" if limit is None else escape(f" [{_short(limit, unit)}]"))


def _short(value: float, unit: str) -> str:
    scale, label = units.prefixed(value, unit)
    return f"{value / scale:.3g} {label}".strip()
