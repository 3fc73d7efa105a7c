"""Provenance of a report: short facts in one list, documents (plan, models) folded below it."""

import json
from datetime import datetime

from rramkit import __version__
from rramkit.record import Run
from rramkit.report.elements import TableRow
from rramkit.table import TableFile
from rramkit.table.schema import ASSUMED

_SHORT = 120  # characters: what is longer, or is JSON, gets a place of its own


def facts(tables: TableFile, run: Run | None) -> tuple[TableRow, ...]:
    """Return versions, seeds and dates as one list."""
    of_run = () if run is None else _run_facts(run)
    short = (TableRow(f"tables: {name}", text) for name, text in tables.provenance.items() if not _long(text))
    return (*of_run, *short, TableRow("report: kit_version", __version__))


def subject(tables: TableFile) -> str:
    """Return what was characterised: the plan's name, the measured file or preset, or else the names of the tables."""
    try:
        name = json.loads(tables.provenance.get("plan", "")).get("name")
    except (json.JSONDecodeError, AttributeError):
        name = None
    if isinstance(name, str):
        return name
    source = tables.provenance.get("source", "")
    return source or ", ".join(tables.tables)


def origin(tables: TableFile) -> str:
    """Return where the values of the tables come from: `SPICE`, `the measurement`, or `the published figures`."""
    source = tables.provenance.get("source", "")
    if source.startswith("measured"):
        return "the measurement"
    return "the published figures" if source.startswith("preset") else "SPICE"


def is_formula(tables: TableFile) -> bool:
    """Return whether the tables are computed from published figures, without a fit."""
    return origin(tables) == "the published figures"


def assumed(tables: TableFile) -> dict[str, str]:
    """Return what neither a measurement nor the user gave: `set.v_pulse` to `1 V`, and so on."""
    parts = [each.partition(" = ") for each in tables.provenance.get(ASSUMED, "").split("; ")]
    return {key: value for key, equals, value in parts if equals}


def date(text: str) -> str:
    """Return an ISO 8601 time to the minute, for reading; another text as it is."""
    try:
        return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M %Z}".strip()
    except ValueError:
        return text


def documents(tables: TableFile) -> tuple[TableRow, ...]:
    """Return each long text of the tables' provenance, JSON laid out to be read."""
    return tuple(TableRow(name, _laid_out(text)) for name, text in tables.provenance.items() if _long(text))


def _run_facts(run: Run) -> tuple[TableRow, ...]:
    return (
        TableRow("run: created", run.created),
        TableRow("run: kit_version", run.kit_version),
        TableRow("run: seed", str(run.seed)),
        TableRow("run: tables", run.tables_name),
    )


def _long(text: str) -> bool:
    return len(text) > _SHORT or text.lstrip()[:1] in ("{", "[")


def _laid_out(text: str) -> str:
    try:
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    except json.JSONDecodeError:
        return text
