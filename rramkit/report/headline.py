"""Headline of a report: key figures, verdict of the held-out checks, notices."""

from collections.abc import Mapping

import numpy as np

from rramkit import units
from rramkit.record import Run
from rramkit.report import sources
from rramkit.report.elements import KeyFigure
from rramkit.report.limits import FAIL, PASS, checks
from rramkit.table import TableFile
from rramkit.table.file import ONE_CONDITION
from rramkit.table.schema import CORNERS, READ

_NAMED = 3  # entries of a provenance that a notice names (1)
SPICE_RUNS = "spice_runs"
"""Name in a table file's provenance of the number of SPICE runs behind it."""


def tiles(tables: TableFile, run: Run | None) -> tuple[KeyFigure, ...]:
    """Return the numbers of the headline, in order of interest."""
    about_cells = () if run is not None else _conductance(tables)
    about_run = () if run is None else _training(run)
    return (*about_run, *about_cells, *_spice_runs(tables), verdict(tables))


def numbers(tables: TableFile, run: Run | None) -> dict[str, object]:
    """Return the headline for a program: SI units, fractions, counts; `passed` is None when nothing was checked."""
    checked = checks(tables)
    passed = all(points.passed for points in checked.values()) if checked else None
    of_run = {} if run is None else _run_numbers(run)
    return {"passed": passed, "checks": len(checked), **of_run, "notices": list(notices(tables, run))}


def _origin(provenance: Mapping[str, str]) -> dict[str, str]:
    """Return a provenance without the operating condition at which tables of it were taken."""
    taken_at = (CORNERS.corner, CORNERS.temperature, CORNERS.supply, ONE_CONDITION)
    return {name: text for name, text in provenance.items() if name not in taken_at}


def verdict(tables: TableFile) -> KeyFigure:
    """Return the verdict of every held-out limit: pass only when there are points and every fit keeps its limits."""
    checked = checks(tables)
    passed = sum(points.passed for points in checked.values())
    title = f"Fits against {sources.origin(tables)}"
    if not checked and sources.is_formula(tables):
        return KeyFigure(title, "none", "the tables are a formula: nothing was fitted")
    if not checked:
        return KeyFigure(title, "not checked", "the tables hold no held-out points", FAIL)
    label = "within limits" if passed == len(checked) else "outside limits"
    note = f"{passed} of {len(checked)} held-out checks pass"
    return KeyFigure(title, label, note, PASS if passed == len(checked) else FAIL)


def notices(tables: TableFile, run: Run | None) -> tuple[str, ...]:
    """Return what a reader must know before the numbers: faults of the training, failed fits, other tables, clamps."""
    failed = [f"{name} ({signal})" for (name, signal), points in checks(tables).items() if not points.passed]
    lines = [] if run is None else [f"{notice[:1].upper()}{notice[1:]}" for notice in run.notices]
    if failed:
        points = "SPICE points" if sources.origin(tables) == "SPICE" else "measured reads"
        lines.append(f"Outside its limits on held-out {points}: {', '.join(failed)}.")
    assumed = sources.assumed(tables)
    if assumed:
        listed = ", ".join(f"{key} = {value}" for key, value in assumed.items())
        lines.append(f"Assumed, neither measured nor given: {listed}. Energies and times follow from these.")
    others = other_tables(tables, run)
    if others:
        lines.append(others)
    mapping = {} if run is None else run.settings.get("mapping")
    if isinstance(mapping, dict) and mapping.get("wires") is False:
        lines.append("The run left the wires out of its array reads (`mapping.wires` is false).")
    clamped = 0 if run is None else int(run.epochs.clamped.sum())
    if clamped:
        lines.append(f"{units.count(clamped, 'value')} outside the range of the tables, clamped to it.")
    return tuple(lines)


def other_tables(tables: TableFile, run: Run | None) -> str:
    """Return a sentence where a run was trained with other tables than these; nothing where they are the same."""
    if run is None:
        return ""
    then, now = _origin(run.tables_provenance), _origin(tables.provenance)
    differing = sorted(name for name in then.keys() | now.keys() if then.get(name) != now.get(name))
    if not differing:
        return ""
    named = ", ".join(differing[:_NAMED]) + (", ..." if len(differing) > _NAMED else "")
    return (
        f"The run was trained with tables other than those of this report ({run.tables_name or 'unnamed'}): their "
        f"provenance differs in {named}. Give the table file that the run names, or train again."
    )


def _run_numbers(run: Run) -> dict[str, float | int]:
    epochs = run.epochs
    return {
        "accuracy": run.accuracy,
        "float_accuracy": run.float_accuracy,
        "energy_write": float(np.sum(epochs.energy_write)),
        "energy_read": float(np.sum(epochs.energy_read)),
        "pulses_set": int(np.sum(epochs.pulses_set)),
        "pulses_reset": int(np.sum(epochs.pulses_reset)),
        "clamped": int(np.sum(epochs.clamped)),
    }


def _training(run: Run) -> tuple[KeyFigure, ...]:
    of = _run_numbers(run)
    write, read, set_, reset = (of[name] for name in ("energy_write", "energy_read", "pulses_set", "pulses_reset"))
    return (
        KeyFigure("Accuracy in RRAM", units.percent(run.accuracy), units.count(run.confusion.sum(), "test image")),
        _in_float(run),
        KeyFigure(
            "Energy", units.text(write + read, "J"), f"write {units.text(write, 'J')}, read {units.text(read, 'J')}"
        ),
        KeyFigure("Write pulses", units.count(set_ + reset), f"{units.count(set_)} set, {units.count(reset)} reset"),
    )


def _in_float(run: Run) -> KeyFigure:
    """Return the accuracy of the float reference, which a training may leave out."""
    if not np.isfinite(run.float_accuracy):
        return KeyFigure("Accuracy in float", "none", "no float reference was trained")
    points = 100.0 * (run.accuracy - run.float_accuracy)
    images = units.count(abs(points) * float(run.confusion.sum()) / 100.0, "image")
    side = "above" if points > 0 else "below"
    note = f"RRAM is {abs(points):.2f} points {side}" + ("" if run.errors else f": {images}")
    return KeyFigure("Accuracy in float", units.percent(run.float_accuracy), note)


def _spice_runs(tables: TableFile) -> tuple[KeyFigure, ...]:
    runs = tables.provenance.get(SPICE_RUNS, "")
    return (KeyFigure("SPICE runs", units.count(int(runs)), "behind the tables"),) if runs.isdecimal() else ()


def _conductance(tables: TableFile) -> tuple[KeyFigure, ...]:
    if READ.group not in tables.tables:
        return ()
    g_cell = tables[READ.group].axes[READ.g_cell]
    note = f"{g_cell.values.size} levels in the read table"
    return (KeyFigure("Conductance", units.span(g_cell.values, g_cell.unit), note),)
