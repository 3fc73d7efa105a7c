"""MNSIM's formula for the error of a read beside the wires of this kit, at equal cells, wires and sizes.

    python benchmarks/mnsim_accuracy.py [PICTURE]

MNSIM 1.1 has no cells in its formula; the range that it takes is 1 kohm to 1 Mohm, in whose middle all cells of ours
lie (500 kohm). Both are V / V' - 1, of an output without and with the resistance of the wires, all rows driven: MNSIM's
as its code has it, ours the mean over the columns, and the column farthest from the drivers. Columns end in a virtual
ground, as the kit reads them, or in MNSIM's load of 3 kohm. The last column of the table is the largest relative
difference of the closed form, which all this is, from the solution of every node (sizes up to 64).
"""

import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from rramkit import plots, solve_wires
from rramkit.array import effective_conductance
from rramkit.cost.published import mnsim
from rramkit.plots.style import BLUE, GREEN, VERMILION, legend_above, name_axis

NODES = (18e-9, 22e-9, 28e-9, 36e-9, 45e-9, 90e-9)  # m
SIZES = (16, 32, 64, 128, 256, 512)
R_CELL = 500e3  # ohm: the middle of MNSIM's range
R_LOAD = 3e3  # ohm: MNSIM's default
SMALL = 64  # largest size (1) that is solved node by node here


def errors(size: int, r_wire: float, *, r_cell: float = R_CELL, r_load: float = 0.0, exact: bool = False) -> np.ndarray:
    """Return V / V' - 1 (1) of each column of a `size` x `size` array of equal cells, all rows at one volt."""
    g = np.full((size, size), 1.0 / r_cell)
    if exact:
        driven = np.ones((size, 1))
        i = solve_wires(g, driven, r_row=r_wire, r_col=r_wire, r_source=0.0, r_sense=r_load).i_out[:, 0]
    else:
        i = effective_conductance(g, r_row=r_wire, r_col=r_wire, r_drive=0.0, r_sense=r_load).sum(axis=0)
    ideal = size / r_cell / (1.0 + size / r_cell * r_load)
    return ideal / i - 1.0


def rows() -> list[tuple[float, int, float, float, float, float, float | None]]:
    """Return node (m), size, MNSIM's error, ours (mean, farthest, mean with the load), and the closed form's own."""
    found = []
    for node in NODES:
        r_wire = mnsim.wire_resistance(node)
        for size in SIZES:
            ours, loaded = errors(size, r_wire), errors(size, r_wire, r_load=R_LOAD)
            own = None
            if size <= SMALL:
                solved = errors(size, r_wire, exact=True)
                own = float(np.max(np.abs(ours / solved - 1.0)))
            theirs = mnsim.read_error(size, r_wire)
            found.append((node, size, theirs, float(ours.mean()), float(ours.max()), float(loaded.mean()), own))
    return found


def draw(ax: Axes) -> Axes:
    """Draw both errors over size, at three nodes."""
    for node, colour in zip((18e-9, 45e-9, 90e-9), (VERMILION, BLUE, GREEN), strict=True):
        r_wire, name = mnsim.wire_resistance(node), f"{1e9 * node:.0f} nm"
        ax.plot(SIZES, [mnsim.read_error(size, r_wire) for size in SIZES], "--", color=colour, label=f"MNSIM, {name}")
        ax.plot(SIZES, [errors(size, r_wire).mean() for size in SIZES], "o-", color=colour, label=f"wires here, {name}")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xlabel("rows and columns of the array")
    ax.set_xticks(SIZES, [str(size) for size in SIZES])
    name_axis(ax.yaxis, "relative error of an output", "1")
    legend_above(ax)
    return ax


def main(picture: str | None = None) -> None:
    """Print the table; draw it where a picture is named."""
    print("| node | N | MNSIM | ours, mean | farthest column | with 3 kohm | closed form |")
    print("|---|---|---|---|---|---|---|")
    for node, size, theirs, mean, farthest, loaded, own in rows():
        numbers = " | ".join(f"{each:.4f}" for each in (theirs, mean, farthest, loaded))
        print(f"| {1e9 * node:.0f} nm | {size} | {numbers} | {'' if own is None else f'{own:.0e}'} |")
    if picture is not None:
        plots.check_picture(Path(picture))
        plots.save(draw, Path(picture), title="MNSIM's formula, and wires solved here, cells of 500 kohm")
        print(picture)


if __name__ == "__main__":
    main(*sys.argv[1:2])
