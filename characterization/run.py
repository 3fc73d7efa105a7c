"""Characterise a whole plan: states, read currents, SET, RESET, array reads; one table file at the end.

Finished points go into a store beside the output as they come, so that a run that was ended goes on where it stopped;
the table file appears when it is whole.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from rramkit import __version__, table
from rramkit.characterization.array_read import wire_table
from rramkit.characterization.batch import Bench, Tally
from rramkit.characterization.cell_read import read_table, state_map
from rramkit.characterization.cell_write import write_table
from rramkit.characterization.means import Means
from rramkit.characterization.ngspice.library import find_library
from rramkit.characterization.plan import Plan
from rramkit.characterization.shard import Elsewhere, Shard
from rramkit.circuits import libraries
from rramkit.errors import TableError
from rramkit.table import Table, TableFile


def characterize(plan: Plan, path: Path, means: Means | None = None) -> TableFile:
    """Run the plan in ngspice, write the table file to `path`, and return it.

    Raises
    ------
    SimulationError
        When too many points fail. No table is then written.
    InputError, SetupError
        When `path` cannot be written, another run is writing it, or there is no ngspice.
    """
    started = perf_counter()
    with (means or Means()).bench(plan, path) as bench:
        tables = {name: make() for name, make in _tables(bench, plan).items()}
        provenance = inputs(plan, bench.executor.simulator) | _record(bench.tally, perf_counter() - started)
        result = TableFile(tables, provenance)
        table.save(result, path)
    return result


def characterize_share(plan: Plan, path: Path, shard: Shard, means: Means | None = None) -> str:
    """Run one share of the plan's points into the store of `path`, and say so; `merge` makes the tables of all."""
    with (means or Means()).bench(plan, path, shard) as bench:
        for make in _tables(bench, plan).values():
            try:
                make()
            except Elsewhere:
                continue
        store = bench.store
    return f"{store.path}: share {shard}, {bench.tally.runs} points" if store is not None else ""


def _tables(bench: Bench, plan: Plan) -> dict[str, Callable[[], Table]]:
    """Return what makes each table, after what they all build on."""
    states = state_map(bench, plan)
    read = read_table(bench, plan, states)
    return {
        "read": lambda: read,
        "set": lambda: write_table(bench, plan, states, "set"),
        "reset": lambda: write_table(bench, plan, states, "reset"),
        "wires": lambda: wire_table(bench, plan, states, read),
    }


def inputs(plan: Plan, simulator: str) -> dict[str, str]:
    """Return the part of the provenance that decides the numbers: same inputs, same table."""
    return {
        "plan": plan.as_json(),
        "models": json.dumps({str(name): libraries.sha256(name) for name in plan.cell.libraries}, sort_keys=True),
        "simulator": simulator,
        "kit_version": __version__,
    }


def reusable(plan: Plan, path: Path) -> TableFile | None:
    """Return the finished table file at `path` when the same inputs made it; None when it must be made (again)."""
    try:
        found = table.load(path)
    except TableError:
        return None
    wanted = inputs(plan, find_library().simulator)
    return found if all(found.provenance.get(name) == text for name, text in wanted.items()) else None


def _record(tally: Tally, seconds: float) -> dict[str, str]:
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "spice_runs": str(tally.runs),
        "spice_points": str(tally.swept_points),
        "spice_reused": str(tally.reused),
        "spice_retried": str(tally.retried),
        "spice_failed": str(tally.failed),
        "spice_seconds": f"{tally.seconds:.3f}",
        "characterize_seconds": f"{seconds:.3f}",
    }
