"""Fresh SPICE points against an existing table file: another seed, the same plan, the same limits."""

import json
from dataclasses import replace

import numpy as np

from rramkit.array.cell_current import CellCurrent
from rramkit.array.wires import RESISTANCES
from rramkit.characterization import cell_read, cell_write
from rramkit.characterization.components import wires
from rramkit.characterization.design import blocks_of
from rramkit.characterization.engine.held_out import fresh_points
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.engine.progress import Report, silent
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.plan import Plan
from rramkit.circuits.cell_bench import Polarity
from rramkit.errors import InputError, TableError
from rramkit.table import HeldOut, TableFile

POLARITIES: tuple[Polarity, ...] = ("set", "reset")


def verify(
    tables: TableFile, *, seed: int, points: int, workers: int | None = None, report: Report = silent
) -> dict[str, HeldOut]:
    """Return fresh points against each table, named `table.signal`.

    Raises
    ------
    InputError
        When `seed` is the seed that the table was made with: its points would not be fresh.
    """
    blocks = blocks_of(tables.provenance)
    plan = None if blocks and "plan" not in tables.provenance else plan_of(tables)
    for each in [*blocks, *([plan] if plan is not None else [])]:
        if seed == each.seed:
            raise InputError(
                f"`seed` must differ from the table's own, {each.seed}, for the points to be fresh. Change it."
            )
    found: dict[str, HeldOut] = {}
    with SpicePool(workers=workers) as pool:
        bench = Runner(pool, report)
        if plan is not None:
            found |= _cells(bench, plan.model_copy(update={"seed": seed}), tables, points)
        for block in blocks:
            fresh = fresh_points(bench, block, tables.tables, seed=seed, points=points)
            found |= {f"{name}.{signal}": each for name, held in fresh.items() for signal, each in held.items()}
    return found


def _cells(bench: Runner, plan: Plan, tables: TableFile, points: int) -> dict[str, HeldOut]:
    """Return fresh points of cell and arrays; the seed of `plan` draws them."""
    bench = replace(bench, max_failed=plan.max_failed)
    states = cell_read.state_map(bench, plan)
    found = {"read.i_cell": cell_read.fresh(bench, plan, states, tables["read"], count=points)}
    for polarity in POLARITIES:
        fresh = cell_write.fresh(bench, plan, states, tables[polarity], count=points)
        found |= {f"{polarity}.{signal}": held_out for signal, held_out in fresh.items()}
    sizes = [(plan.wires.crossbar.rows, plan.wires.crossbar.cols), (plan.wires.rows_max, plan.wires.cols_max)]
    rng = np.random.default_rng([plan.seed, 4])
    reads = wires.read_arrays(bench, plan, states, rng, sizes, stage="array reads")
    resistances = {name: float(tables["wires"].signals[name]) for name in RESISTANCES}
    current = CellCurrent.from_table(tables["read"])
    found["wires.i_array"] = wires.compare(plan, current, resistances, reads)
    return found


def plan_of(tables: TableFile) -> Plan:
    """Return the plan that a table file was made by; raise `TableError` for one that SPICE did not make."""
    text = tables.provenance.get("plan")
    if text is None:
        raise TableError("the table file carries no plan: it was not made from SPICE. Verify one that was.")
    try:
        return Plan.checked(json.loads(text), where="the table's plan")
    except json.JSONDecodeError as error:
        raise TableError(
            f"the table file's plan cannot be read ({error}). Regenerate it with `rramkit characterize`."
        ) from error
