"""Processor time of each group of a design with behavioural and with compiled cells, in turn, and what differs.

python benchmarks/plan_groups.py [--plan design] [GROUP ...]

For each group: seconds of ngspice and of this process with behavioural cells, the same with compiled ones, and the
largest difference of a signal over its full scale (of a relative change of a cell: over 1). One ngspice process. It
needs the Verilog-A compiler (`rramkit doctor`); groups without cells take no part, as nothing differs.
"""

import argparse
import resource
import time
import warnings

import numpy as np

from rramkit.characterization.design import find_design, with_cells
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.engine.runner import Runner
from rramkit.characterization.engine.tables import component_tables
from rramkit.circuits.compiled_cell import Form
from rramkit.errors import SimulatorWarning
from rramkit.processes.processor_time import usage
from rramkit.table import Table

FORMS: tuple[Form, Form] = ("never", "always")
_WARM = "warm\nV1 a 0 1\nR1 a 0 1\n.op\n.end\n"


def main() -> None:
    """Print a line for each group, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", default="design")
    parser.add_argument("groups", nargs="*")
    given = parser.parse_args()
    warnings.simplefilter("ignore", SimulatorWarning)
    both = [{plan.name: plan for plan in with_cells(find_design(given.plan), form).plans} for form in FORMS]
    found: tuple[dict[str, Table], dict[str, Table]] = ({}, {})
    total = np.zeros(4)
    for name in given.groups or [name for name in both[0] if both[0][name].as_json() != both[1][name].as_json()]:
        seconds = np.ravel([_run(plans[name], tables) for plans, tables in zip(both, found, strict=True)])
        total += seconds
        ngspice, here, compiled, there = seconds
        worst = max(_differences(name, *found))
        print(
            f"{name:20s} {ngspice:6.2f} + {here:5.2f} s, compiled {compiled:6.2f} + {there:5.2f} s: "
            f"{(compiled + there) / (ngspice + here):.2f}; {worst[1]} differs by {worst[0]:.1g}",
            flush=True,
        )
    print(f"all: {total[0]:.1f} + {total[1]:.1f} s, compiled {total[2]:.1f} + {total[3]:.1f} s")


def _run(plan: ComponentPlan, tables: dict[str, Table]) -> tuple[float, float]:
    """Characterise one plan; return processor seconds of ngspice and of this process."""
    with SpicePool(workers=1, timeout=600.0) as pool:
        pool.run(_WARM)  # the process starts, and is counted nowhere
        before, here = _spice_seconds(pool), time.process_time()
        tables |= component_tables(Runner(pool, max_failed=plan.max_failed, report=lambda _: None), plan, tables)
        return max(_spice_seconds(pool) - before, 0.01), time.process_time() - here


def _spice_seconds(pool: SpicePool) -> float:
    """Return the processor seconds of the pool's processes, those that were replaced among them."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    alive = sum(usage(int(each.name)).seconds for each in pool.folder.iterdir() if each.name.isdigit())
    return alive + ended.ru_utime + ended.ru_stime


def _differences(group: str, ours: dict[str, Table], theirs: dict[str, Table]) -> list[tuple[float, str]]:
    """Return the largest difference of each signal of a group over its full scale."""
    found = [(0.0, "nothing")]
    for name in ours[group].signals if group in ours else ():
        plain, compiled = (np.asarray(tables[group].signals[name].values, dtype=float) for tables in (ours, theirs))
        full = 1.0 if group.startswith("disturb") else float(np.nanmax(np.abs(plain))) or 1.0
        found.append((float(np.nanmax(np.abs(compiled - plain))) / full, name))
    return found


if __name__ == "__main__":
    main()
