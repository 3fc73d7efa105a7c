"""Characterise a whole plan: states, read currents, SET, RESET, array reads; one table file at the end."""

import json
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from rramkit import __version__, table
from rramkit.characterization.array_read import wire_table
from rramkit.characterization.batch import Bench, Tally
from rramkit.characterization.cell_read import read_table, state_map
from rramkit.characterization.cell_write import write_table
from rramkit.characterization.ngspice.library import Library, find_library
from rramkit.characterization.plan import Plan
from rramkit.characterization.pool import SpicePool
from rramkit.characterization.progress import Report, silent
from rramkit.circuits import libraries
from rramkit.errors import TableError
from rramkit.files import check_writable
from rramkit.table import TableFile


def characterize(plan: Plan, path: Path, *, workers: int | None = None, report: Report = silent) -> TableFile:
    """Run the plan in ngspice, write the table file to `path`, and return it.

    Raises
    ------
    SimulationError
        When a point fails twice. Nothing is then written.
    InputError, SetupError
        When `path` cannot be written, or there is no ngspice.
    """
    check_writable(path)
    started = perf_counter()
    with SpicePool(workers=workers) as pool:
        bench = Bench(pool, report, plan.max_failed)
        states = state_map(bench, plan)
        read = read_table(bench, plan, states)
        tables = {
            "read": read,
            "set": write_table(bench, plan, states, "set"),
            "reset": write_table(bench, plan, states, "reset"),
            "wires": wire_table(bench, plan, states, read),
        }
        library = pool.library
    provenance = inputs(plan, library) | _record(bench.tally, perf_counter() - started)
    result = TableFile(tables, provenance)
    table.save(result, path)
    return result


def inputs(plan: Plan, library: Library) -> dict[str, str]:
    """Return the part of the provenance that decides the numbers: same inputs, same table."""
    return {
        "plan": plan.as_json(),
        "models": json.dumps({str(name): libraries.sha256(name) for name in plan.cell.libraries}, sort_keys=True),
        "simulator": f"ngspice {library.version_text}{' with KLU' if library.klu else ''}",
        "kit_version": __version__,
    }


def reusable(plan: Plan, path: Path) -> TableFile | None:
    """Return the finished table file at `path` when the same inputs made it; None when it must be made (again)."""
    try:
        found = table.load(path)
    except TableError:
        return None
    wanted = inputs(plan, find_library())
    return found if all(found.provenance.get(name) == text for name, text in wanted.items()) else None


def _record(tally: Tally, seconds: float) -> dict[str, str]:
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "spice_runs": str(tally.runs),
        "spice_points": str(tally.swept_points),
        "spice_retried": str(tally.retried),
        "spice_seconds": f"{tally.seconds:.3f}",
        "characterize_seconds": f"{seconds:.3f}",
    }
