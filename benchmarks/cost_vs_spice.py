"""Supply energy of one small operation in ngspice against the prices of a cost: forward, backward, one row written.

Run it from the root of a checkout: `python benchmarks/cost_vs_spice.py TABLES.h5 [ss ff]`; the tables are those of the
plan `chip` or `design`. Two minutes a corner. The operation, on 8 x 8 cells:

    forward, backward   six vectors each, read through row drivers, switches and readouts of transistors; the power of
                        the readouts' supply over the time of a read
    a row written       eight pulses of SET and eight of RESET through the write driver, from all its supplies

The table's side is what the simulator counts: `readouts and cells` and `write pulses` of `rramkit cost`.
"""

import sys
from pathlib import Path

from rramkit import table
from rramkit.characterization.design import plans_of, waived_by
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.engine.runner import Runner
from rramkit.proof.system import SystemSize, check_system

PARTS = ("energy_forward", "energy_backward", "energy_set", "energy_reset")
SIZE = SystemSize(rows=8, pairs=4, vectors=6, conversions=1, pulses=8)
T_NOMINAL = 300.15  # K


def main(path: Path, corners: list[str]) -> None:
    """Print both sides of each part and of their sum, at the nominal condition and at each corner."""
    file = table.load(path)
    files = {"nominal": file.nominal()} | {name: file.at(corner=name, temperature=T_NOMINAL) for name in corners}
    waive = waived_by(plans_of(file.provenance))
    with SpicePool(workers=1, timeout=600) as pool:
        for name, tables in files.items():
            found = check_system(tables, Runner(pool, lambda _: None, 0.0, waive=waive), seed=1, size=SIZE)
            sums = {part: (found[part].spice.sum(), found[part].fit.sum()) for part in PARTS}
            both = list(sums.values())
            sums["one operation"] = (sum(spice for spice, _ in both), sum(priced for _, priced in both))
            for part, (spice, priced) in sums.items():
                print(f"{name:8} {part:16} ngspice {1e12 * spice:8.2f} pJ, priced {1e12 * priced:8.2f} pJ, "
                      f"{100 * (priced / spice - 1):+.1f} %")  # fmt: skip


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:] or ["ss", "ff"])
