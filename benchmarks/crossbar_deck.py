"""Cost of the deck generator: a 128 x 128 1T1R deck, and its operating point against a hand-written deck.

Run: `python benchmarks/crossbar_deck.py [ROWS] [RUNS]`. Both decks are the same circuit; the hand-written one is flat,
each cell a transistor and a B-source with numerical constants. They run alternately in the bare program; the ratio is
of the best runs, in processor time (wall time depends on other work of the machine), reading the deck included.
"""

import re
import sys
import time

import numpy as np

from rramkit import netlists
from rramkit.characterization.ngspice.library import find_library
from rramkit.characterization.program import find_program, run_bare
from rramkit.circuits.crossbar import CrossbarParams, CrossbarReadParams, example_pattern, static_reads

# The figures of netlists/rram_sky130.lib.
TOX, TF_MIN, TF_MAX, TF_REF, I_K1, V_REF = 5.0, 3.3, 4.9, 4.7249, 6.140e-5, 0.430


def by_hand(params: CrossbarReadParams, states: np.ndarray, v_in: np.ndarray) -> str:
    """Return a flat deck, as written in a loop by hand."""
    bar, (rows, cols) = params.crossbar, states.shape
    prefactor = I_K1 * np.exp(-(TOX - TF_MIN - (TF_MAX - TF_MIN) * states) / (TOX - TF_REF))
    lines = ["by hand", netlists.text(bar.cell.technology.library)]
    for i in range(rows):
        lines += [f"Vin{i} in{i} 0 {v_in[i]:.12g}", f"Rin{i} in{i} r{i}_0 {params.r_drive}"]
        lines += [f"Vw{i} w{i} 0 {params.read.v_wl}"]
        lines += [f"Rr{i}_{j} r{i}_{j} r{i}_{j + 1} {bar.r_row}" for j in range(cols - 1)]
    for j in range(cols):
        lines += [f"Rc{i}_{j} c{i}_{j} c{i + 1}_{j} {bar.r_col}" for i in range(rows - 1)]
        lines += [f"Ro{j} c{rows - 1}_{j} o{j} {params.r_sense}", f"Vs{j} o{j} 0 0", f".save i(Vs{j})"]
    size = f"l={bar.cell.l_access} w={bar.cell.w_access}"
    for i, j in np.ndindex(rows, cols):
        v = f"v(c{i}_{j},d{i}_{j})/{V_REF}"
        lines += [f"B{i}_{j} c{i}_{j} d{i}_{j} i = {prefactor[i, j]:.12g}*sinh(min(max({v}, -20), 20))"]
        lines += [f"M{i}_{j} d{i}_{j} w{i} r{i}_{j} 0 nmos_io {size}"]
    return "\n".join([*lines, ".options reltol=1e-5 abstol=1e-12 vntol=1e-8", ".op", ".end", ""])


def main(rows: int = 128, runs: int = 3) -> None:
    """Generate, run and compare."""
    params = CrossbarReadParams(crossbar=CrossbarParams(rows=rows, cols=rows))
    states, v_in = example_pattern(params)
    started = time.perf_counter()
    generated = static_reads(params, states, v_in[:, np.newaxis]).text()
    print(
        f"{rows} x {rows} 1T1R deck generated in {time.perf_counter() - started:.2f} s ({len(generated) / 1e6:.1f} MB)"
    )
    # The sweep of one vector is an operating point; `.op` starts it the way the hand-written deck does.
    generated = re.sub(r"(?m)^\.dc .*$", ".op", generated)
    library = find_library()
    program = find_program(library)
    if program is None:
        sys.exit("no ngspice program beside the library nor on PATH")
    solver = ".options klu acct\n.end\n" if library.klu else ".options acct\n.end\n"
    decks = {"generated": generated, "by hand": by_hand(params, states, v_in)}
    whole: dict[str, list[float]] = {name: [] for name in decks}
    analysis: dict[str, list[float]] = {name: [] for name in decks}
    currents = {}
    for _ in range(runs):
        for name, deck in decks.items():
            run = run_bare(program, library, deck.replace(".end\n", solver))
            whole[name].append(run.cpu_seconds)
            analysis[name].append(float(re.findall(r"Total analysis time \(seconds\) = (\S+)", run.log)[0]))
            sense = "vs" if name == "by hand" else "v_sense_"
            found = dict(re.findall(rf"(?m)^\s*{sense}(\d+)#branch\s+(\S+)", run.log))
            currents[name] = np.array([float(found[str(k)]) for k in range(rows)])
    for name in decks:
        print(f"{name}: whole run {_listed(whole[name])} s of processor; analysis {_listed(analysis[name])} s of wall")
    apart = np.max(np.abs(currents["generated"] - currents["by hand"])) / np.max(currents["by hand"])
    print(f"column currents differ by {apart:.1e} of the largest")
    print(f"ngspice {library.version_text}, KLU {library.klu}; generated / by hand, best of {runs}:")
    print(f"  whole run {min(whole['generated']) / min(whole['by hand']):.3f}")
    print(f"  analysis  {min(analysis['generated']) / min(analysis['by hand']):.3f}")


def _listed(seconds: list[float]) -> str:
    return ", ".join(f"{t:.2f}" for t in seconds)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))
