"""Fresh SPICE points against an existing table file: another seed, the same plans, the same limits."""

from rramkit.characterization.design import plans_of
from rramkit.characterization.engine.held_out import fresh_points
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.engine.progress import Report, silent
from rramkit.characterization.engine.runner import Runner
from rramkit.errors import InputError, TableError
from rramkit.table import HeldOut, TableFile


def verify(
    tables: TableFile, *, seed: int, points: int, workers: int | None = None, report: Report = silent
) -> dict[str, HeldOut]:
    """Return fresh points against each table, named `table.signal`.

    Raises
    ------
    TableError
        When the file was not made from SPICE.
    InputError
        When `seed` is the seed that a table was made with: its points would not be fresh.
    """
    plans = plans_of(tables.provenance)
    if not plans:
        raise TableError("the table file carries no plan: it was not made from SPICE. Verify one that was.")
    for each in plans:
        if seed == each.seed:
            raise InputError(
                f"`seed` must differ from the table's own, {each.seed}, for the points to be fresh. Change it."
            )
    fresh: dict[str, HeldOut] = {}
    with SpicePool(workers=workers) as pool:
        runner = Runner(pool, report)
        for plan in plans:
            held_out = fresh_points(runner, plan, tables.tables, seed=seed, points=points)
            fresh |= {f"{name}.{signal}": each for name, found in held_out.items() for signal, each in found.items()}
    return fresh
