"""Characterise a design: cell and array (states, reads, SET, RESET, array reads), blocks; one table file at the end.

Finished points go into a store beside the output as they come, so that a run that was ended goes on where it stopped;
the table file appears when it is whole.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

from rramkit import __version__, table
from rramkit.characterization.cell_read import read_table, state_map
from rramkit.characterization.cell_write import write_table
from rramkit.characterization.components.wires import wire_table
from rramkit.characterization.design import Design, design_of, echo, libraries_of
from rramkit.characterization.engine.component_tables import block_tables
from rramkit.characterization.engine.run_options import RunOptions
from rramkit.characterization.engine.runner import RunCounts, Runner
from rramkit.characterization.engine.shard import Elsewhere, Shard
from rramkit.characterization.ngspice.library import find_library
from rramkit.characterization.plan import Plan
from rramkit.circuits import libraries
from rramkit.errors import TableError
from rramkit.table import Table, TableFile


def characterize(plan: Plan | Design, path: Path, means: RunOptions | None = None) -> TableFile:
    """Run the plan, of cell and arrays or of a whole design, in ngspice, write the table file to `path`, and return it.

    Raises
    ------
    SimulationError
        When too many points fail. No table is then written.
    InputError, SetupError
        When `path` cannot be written, another run is writing it, or there is no ngspice.
    """
    started = perf_counter()
    with (means or RunOptions()).bench(plan, path) as bench:
        tables = {name: table for make in _tables(bench, design_of(plan)) for name, table in make().items()}
        provenance = inputs(plan, bench.executor.simulator) | _record(bench.tally, perf_counter() - started)
        result = TableFile(tables, provenance)
        table.save(result, path)
    return result


def characterize_share(plan: Plan | Design, path: Path, shard: Shard, means: RunOptions | None = None) -> RunCounts:
    """Run one share of the plan's points into the store of `path`; the tables are made of all shares together."""
    with (means or RunOptions()).bench(plan, path, shard) as bench:
        for make in _tables(bench, design_of(plan)):
            try:
                make()
            except Elsewhere:
                continue
    return bench.tally


def _tables(bench: Runner, design: Design) -> list[Callable[[], dict[str, Table]]]:
    """Return what makes the tables, by name; those of cell and arrays after what they all build on."""
    blocks = [lambda plan=plan: block_tables(bench, plan) for plan in design.blocks]
    plan = design.cell
    if plan is None:
        return blocks
    states = state_map(bench, plan)
    read = read_table(bench, plan, states)
    return [
        lambda: {"read": read},
        lambda: {"set": write_table(bench, plan, states, "set")},
        lambda: {"reset": write_table(bench, plan, states, "reset")},
        lambda: {"wires": wire_table(bench, plan, states, read)},
        *blocks,
    ]


def inputs(plan: Plan | Design, simulator: str) -> dict[str, str]:
    """Return the part of the provenance that decides the numbers: same inputs, same table."""
    design = design_of(plan)
    used = {library for each in design.blocks for library in libraries_of(each)}
    used |= set(design.cell.cell.libraries) if design.cell is not None else set()
    return echo(design) | {
        "models": json.dumps({str(name): libraries.sha256(name) for name in used}, sort_keys=True),
        "simulator": simulator,
        "kit_version": __version__,
    }


def reusable(plan: Plan | Design, path: Path) -> TableFile | None:
    """Return the finished table file at `path` when the same inputs made it; None when it must be made (again)."""
    try:
        found = table.load(path)
    except TableError:
        return None
    wanted = inputs(plan, find_library().simulator)
    return found if all(found.provenance.get(name) == text for name, text in wanted.items()) else None


def _record(tally: RunCounts, seconds: float) -> dict[str, str]:
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
