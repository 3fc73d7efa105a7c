"""Fresh SPICE points against an existing table file: another seed, the same plans, the same limits."""

from rramkit.characterization.design import plans_of, waived_by
from rramkit.characterization.engine.held_out import fresh_points
from rramkit.characterization.engine.pool import TIMEOUT, SpicePool
from rramkit.characterization.engine.runner import Report, RunCounts, Runner, silent
from rramkit.errors import InputError, TableError
from rramkit.table import HeldOut, TableFile
from rramkit.table.schema import WRITES


def verify(
    tables: TableFile,
    *,
    seed: int,
    points: int,
    workers: int | None = None,
    timeout: float = TIMEOUT,
    report: Report = silent,
    tally: RunCounts | None = None,
) -> dict[str, HeldOut]:
    """Compare each table with fresh SPICE points of another seed, under its own plan and limits.

    Parameters
    ----------
    tables : TableFile
        Tables that `characterize` made.
    seed : int
        Draws where the points lie; not the tables' own.
    points : int
        Points a table.
    workers : int, optional
        ngspice processes; left out, one for each core.
    timeout : float
        Processor seconds after which one run is killed.
    report : callable, optional
        Called for every point that ends.
    tally : RunCounts, optional
        Counts the runs, what was retried among them.

    Returns
    -------
    dict of str to HeldOut
        By `table.signal`: the points, SPICE and the table there, and the limit.

    Raises
    ------
    TableError
        When the file was not made from SPICE, its cell tables are of another definition of conductance, or no plan
        limits a held-out error: nothing would be compared. When the tables were made from other models.
    InputError
        When `seed` is a table's own seed: its points would not be fresh. When a model file of the user's own was not
        named in this process (`circuits.libraries.name_library`).
    SetupError
        When there is no ngspice.

    Examples
    --------
    >>> import rramkit as rk
    >>> checks = verify(rk.load("tables.h5"), seed=7, points=20)  # doctest: +SKIP
    >>> max(held_out.worst for held_out in checks.values()) <= 1.0  # doctest: +SKIP
    True
    >>> verify(rk.example(), seed=7, points=20)
    Traceback (most recent call last):
    rramkit.errors.TableError: the table file carries no plan: it was not made from SPICE. Pass one that was.
    """
    plans = plans_of(tables.provenance)
    if not plans:
        raise TableError("the table file carries no plan: it was not made from SPICE. Pass one that was.")
    _check_definition(tables)
    for each in plans:
        if seed == each.seed:
            raise InputError(
                f"`seed` must differ from the table's own, {each.seed}, for the points to be fresh. Change it."
            )
    fresh: dict[str, HeldOut] = {}
    with SpicePool(workers=workers, timeout=timeout) as pool:
        runner = Runner(pool, report, tally=tally or RunCounts(), waive=waived_by(plans))
        for plan in plans:
            held_out = fresh_points(runner, plan, tables.tables, seed=seed, points=points)
            fresh |= {f"{name}.{signal}": each for name, found in held_out.items() for signal, each in found.items()}
    if not fresh:
        raise TableError(
            "nothing was compared: no plan of the table file limits a held-out error. Add `held_out_rms` and "
            "`held_out_max` to a measure in the plan's `limits` and regenerate the file with `rramkit characterize`."
        )
    return fresh


def _check_definition(tables: TableFile) -> None:
    """Raise `TableError` where write tables of format 1 or 2 count the drivers' resistance in the conductance."""
    through = [
        name
        for name, table in tables.tables.items()
        if table.polarity is not None and WRITES[table.polarity].through_drivers in table.conditions
    ]
    if through:
        raise TableError(
            f"the conductances of the cell tables must be of the cell alone; got {', '.join(sorted(through))} with "
            "`through_drivers` (read through the drivers, formats 1 and 2). Regenerate the file with "
            "`rramkit characterize`."
        )
