"""Fresh SPICE points against an existing table file: another seed, the same plan, the same limits."""

import json

import numpy as np

from rramkit.array.cells import CellCurrent
from rramkit.array.wires import RESISTANCES
from rramkit.characterization import array_read, cell_read, cell_write
from rramkit.characterization.batch import Bench
from rramkit.characterization.plan import Plan
from rramkit.characterization.pool import SpicePool
from rramkit.characterization.progress import Report, silent
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
    plan = plan_of(tables)
    if seed == plan.seed:
        raise InputError(
            f"`seed` must differ from the table's own, {plan.seed}, for the points to be fresh. Change it."
        )
    plan = plan.model_copy(update={"seed": seed})
    with SpicePool(workers=workers) as pool:
        bench = Bench(pool, report, plan.max_failed)
        states = cell_read.state_map(bench, plan)
        found = {"read.i_cell": cell_read.fresh(bench, plan, states, tables["read"], count=points)}
        for polarity in POLARITIES:
            fresh = cell_write.fresh(bench, plan, states, tables[polarity], count=points)
            found |= {f"{polarity}.{signal}": held_out for signal, held_out in fresh.items()}
        sizes = [(plan.wires.crossbar.rows, plan.wires.crossbar.cols), (plan.wires.rows_max, plan.wires.cols_max)]
        rng = np.random.default_rng([seed, 4])
        reads = array_read.read_arrays(bench, plan, states, rng, sizes, stage="array reads")
        resistances = {name: float(tables["wires"].signals[name]) for name in RESISTANCES}
        current = CellCurrent.from_table(tables["read"])
        found["wires.i_array"] = array_read.compare(plan, current, resistances, reads)
    return found


def plan_of(tables: TableFile) -> Plan:
    """Return the plan that a table file was made by; raise `TableError` for one that SPICE did not make."""
    text = tables.provenance.get("plan")
    if text is None:
        raise TableError("the table file carries no plan: it was not made from SPICE. Verify one that was.")
    try:
        return Plan.checked(json.loads(text), where="the table's plan")
    except json.JSONDecodeError as error:
        raise TableError(f"the table file's plan cannot be read ({error}). Characterise again.") from error
