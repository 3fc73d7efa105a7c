"""One self-contained page from tables and, when there is one, a run."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import jinja2
from markupsafe import Markup, escape

from rramkit import table
from rramkit.cost import Cost, Swing
from rramkit.files import whole_file
from rramkit.record import Run
from rramkit.report import cells, headline, limits, sources, training
from rramkit.report import cost as costs
from rramkit.report.elements import Page, Section
from rramkit.table import TableFile
from rramkit.table.schema import READ, RESET, SET, WIRES

Priced = tuple[Cost, Sequence[Swing]]

_TEMPLATES = Path(__file__).parents[1] / "templates"
_ORDER = (READ.group, SET.group, RESET.group, WIRES.group)


_TITLES = {
    "SPICE": "RRAM characterisation report",
    "the measurement": "Report on a measured RRAM device",
    "the published figures": "Report on a published RRAM device",
}
_MODEL = "The cell model is a published compact model, not a measurement of silicon; it has no forming step."
NOT_MODELLED = (
    "Converters and reads are ideal, and take no energy, but for what the experiment's `mapping.read` has on.",
    "Cells differ, and pulses differ, only where the tables keep a distribution or the rule's `update.spread` is on.",
    "Conductances hold, and cells do not wear or stick, unless the rule's `update` has `retention`, `wear` or `stuck`.",
    "Write voltages droop along the lines only where the rule's `update.droop` is on.",
    "Half-selected cells stay as they are unless the rule's `update.disturb` is on.",
    _MODEL,
    "Energy counts write pulses, array reads and the read stages that are on; logic, data movement and leakage are in "
    "the chapter on cost, where there is one. Decoders and control are in neither.",
)
"""Version 0.1 of the kit; one sentence each, shown in every report."""


Chapters = tuple[Section, ...]
"""Chapters on the tables alone: cell and wires, errors of the fits, conditions."""


def report(
    tables: TableFile,
    run: Run | None,
    path: Path,
    *,
    drawn: Chapters | None = None,
    priced: Priced | None = None,
) -> None:
    """Write a self-contained HTML page; it appears under `path` only when it is whole.

    Parameters
    ----------
    tables : TableFile
        The tables.
    run : Run or None
        A training with these tables; without one the page holds the characterisation only.
    path : Path
        File to write.
    drawn : tuple of Section, optional
        What `chapters` gives for these tables, drawn before; left out, they are drawn now.
    priced : tuple of Cost and swings, optional
        What the training cost, and what its assumptions move.
    """
    text = render(page(tables, run, drawn=drawn, priced=priced))
    with whole_file(path) as draft:
        draft.write_text(text, encoding="utf-8")


def chapters(path: Path) -> Chapters:
    """Return the chapters on the tables of a file alone: most of the page's pictures, which no training changes."""
    return chapters_of(table.load(path))


def chapters_of(tables: TableFile) -> Chapters:
    """Return the chapters on tables alone."""
    return _chapters(_in_order(tables))


def page(tables: TableFile, run: Run | None, *, drawn: Chapters | None = None, priced: Priced | None = None) -> Page:
    """Return the parts of the page: numbers as text, plots as SVG; the chapters on the tables may be `drawn` before."""
    tables = _in_order(tables)
    created = tables.provenance.get("created", "") if run is None else run.created
    trained = "" if run is None else f"trained with {run.tables_name}, seed {run.seed}"
    return Page(
        title=_TITLES[sources.origin(tables)] if run is None else "RRAM training report",
        subtitle=" · ".join(part for part in (sources.subject(tables), trained, sources.date(created)) if part),
        tiles=headline.tiles(tables, run),
        notices=headline.notices(tables, run),
        sections=_sections(tables, run, drawn or _chapters(tables), priced),
        made=_made(tables, run),
        not_modelled=_not_modelled(tables),
        sources=sources.facts(tables, run),
        documents=sources.documents(tables),
    )


def _made(tables: TableFile, run: Run | None) -> str:
    """Return what the page's numbers are: measured, of published figures, or simulated."""
    simulated = "" if run is None else "; arrays and training are simulated"
    return {
        "SPICE": "These numbers are those of a simulation.",
        "the measurement": f"The cell is measured{simulated}.",
        "the published figures": f"The cell is computed from published figures{simulated}.",
    }[sources.origin(tables)]


def _not_modelled(tables: TableFile) -> tuple[str, ...]:
    """Return what the page's numbers leave out; the sentence on the cell is that of its origin."""
    cell = {
        "SPICE": _MODEL,
        "the measurement": "The cell is a measured device, without forming, drift and wear beyond what was measured.",
        "the published figures": "The cell is a formula with published figures of merit, not a measurement.",
    }
    return tuple(cell[sources.origin(tables)] if line == _MODEL else line for line in NOT_MODELLED)


def render(parts: Page) -> str:
    """Return the page as HTML; every text is escaped, only the SVG of the kit's own plots is not."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(page=parts, svg=Markup, words=_words)


def _words(text: str) -> Markup:
    """Return a sentence as HTML, escaped, with what stands in backticks as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _chapters(tables: TableFile) -> Chapters:
    return cells.section(tables), limits.section(tables), cells.conditions(tables)


def _sections(tables: TableFile, run: Run | None, of_tables: Chapters, priced: Priced | None) -> tuple[Section, ...]:
    if run is None:
        return of_tables
    *others, conditions = of_tables
    conditions = replace(conditions, grids=(training.settings(run), *conditions.grids))
    cost = () if priced is None else (costs.section(*priced),)
    return training.section(run), *cost, *others, conditions


def _in_order(tables: TableFile) -> TableFile:
    """Return the tables in the order of the report; a file lists them by the alphabet."""
    names = sorted(tables.tables, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))
    return replace(tables, tables={name: tables.tables[name] for name in names})
