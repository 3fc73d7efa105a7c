"""Supply energy of one small operation in ngspice against the prices of a cost: forward, backward, one row written.

Run it from the root of a checkout: `python benchmarks/cost_vs_spice.py TABLES.h5 [ss ff] [--size 16]`; the tables are
those of the plan `chip` or `design`. Five minutes a corner for 8 x 8 cells. The operation, on one array of cells:

    forward, backward   a vector each, in one deck with all of the periphery of transistors: word lines and their
                        drivers, row drivers with every level and their rails, line switches, readouts, converters
                        (`rramkit.proof.operation`); every source is counted
    a row written       eight pulses of SET and eight of RESET through the write driver, from all its supplies: its
                        converter, buffer, level shifters, switches, the lines with the cells that hang on them

The decks of reads and of pulses are joined by sums. At the joints: the array's lines stand at 0 V before and after a
pulse and at the rest voltage in a read, and the line switches that part them from the periphery of reads are open while
a row is written; in the deck of pulses these open switches are not drawn (66 fF of a line's 0.5 to 1.2 pF). Supplies,
corner and temperature are the same.

The other side is what the simulator counts, which `rramkit cost` adds up.
"""

import argparse
from pathlib import Path

from rramkit import table
from rramkit.characterization.design import plans_of, waived_by
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.engine.runner import Runner
from rramkit.proof.operation import PARTS, operation_energies
from rramkit.proof.system import SystemSize, check_system

PULSES = SystemSize(rows=8, pairs=4, vectors=1, conversions=1, pulses=8)
T_NOMINAL = 300.15  # K


def main(path: Path, corners: list[str], size: int) -> None:
    """Print both sides of each part and of their sum, at the nominal condition and at each corner."""
    file = table.load(path)
    files = {"nominal": file.nominal()} | {name: file.at(corner=name, temperature=T_NOMINAL) for name in corners}
    waive = waived_by(plans_of(file.provenance))
    with SpicePool(workers=1, timeout=3600) as pool:
        for name, tables in files.items():
            runner = Runner(pool, lambda _: None, 0.0, waive=waive)
            both: list[tuple[str, float, float]] = []
            for direction, each in operation_energies(tables, runner, seed=1, rows=size, columns=size).items():
                for part in PARTS:
                    line(name, f"{direction}, {part}", each.spice[part], each.priced[part])
                both.append((direction, sum(each.spice.values()), sum(each.priced.values())))
                print(f"{name:8} {direction}: codes differ by at most {abs(each.steps).max():.0f} steps")
                print(f"{name:8} {direction}: readouts within the turns {1e12 * each.spice_turns:.1f} pJ")
            pulses = check_system(tables, runner, seed=1, size=PULSES)
            for part in ("energy_set", "energy_reset"):
                both.append((part, float(pulses[part].spice.sum()), float(pulses[part].fit.sum())))
            both.append(("one operation", sum(spice for _, spice, _ in both), sum(priced for *_, priced in both)))
            for part, spice, priced in both:
                line(name, part, spice, priced)


def line(name: str, part: str, spice: float, priced: float) -> None:
    """Print one part."""
    off = 100 * (priced / spice - 1)
    print(
        f"{name:8} {part:24} ngspice {1e12 * spice:8.2f} pJ, priced {1e12 * priced:8.2f} pJ, {off:+.1f} %", flush=True
    )


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    given.add_argument("tables", type=Path)
    given.add_argument("corners", nargs="*", default=["ss", "ff"])
    given.add_argument("--size", type=int, default=8, help="rows and columns of the array")
    asked = given.parse_args()
    main(asked.tables, asked.corners, asked.size)
