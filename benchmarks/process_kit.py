"""Cost of a deck with a big process kit: the whole library in it, against what the circuit uses; made-up kit.

python benchmarks/process_kit.py [--transistors 400]

The kit has a section for each corner. Each transistor is a subcircuit with 6 binned BSIM4 models, whose parameters
refer to parameters of the corner through functions, as published kits are built. Times are processor seconds of the
ngspice process, the smallest of three; the first line is that of this process, once a run.
"""

import argparse
import os
import tempfile
from pathlib import Path
from time import process_time

from rramkit.characterization.engine.pool import SpicePool
from rramkit.circuits.cell import ReadSweepParams, read_sweep
from rramkit.circuits.libraries import UserLibrary
from rramkit.processes.processor_time import usage

BINS = 6
CARD = (
    "level=54 version=4.5 lmin={lmin} lmax={lmax} wmin=1e-8 wmax=1e-3 toxe={{t_ox_{k}}} vth0={{f_{k}(vth_{k})}} "
    "u0={{u_{k}*0.03}} k1=0.4 k2=0.01 nfactor=1.5 vsat=1e5 rdsw=100 eta0=0.01 pclm=0.9 cgso=1e-10 cgdo=1e-10"
)


def main() -> None:
    """Print both costs and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--transistors", type=int, default=400)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "kit.lib"
        path.write_text("".join(f".lib {corner}\n{section(given.transistors)}.endl\n" for corner in ("tt", "ss")))
        started = process_time()
        library = UserLibrary(str(path), "tt")
        cards = len(library.models.lines)
        params = {
            "technology": {"library_file": str(path), "section": "tt", "device": "subcircuit", "nmos_io": "fet_0"}
        }
        deck = read_sweep(ReadSweepParams.checked({"cell": params, "points": 3}, where="benchmark")).text()
        print(f"{cards} cards: parsed, checked and cut in {process_time() - started:.2f} s, once a run")
        started = process_time()
        for _ in range(100):
            read_sweep(ReadSweepParams.checked({"cell": params, "points": 3}, where="benchmark")).text()
        print(f"a further deck: made in {1e3 * (process_time() - started) / 100:.2f} ms")
        part = library.text([*deck.split()])
        assert part in deck
        whole = deck.replace(part, library.text())
        with SpicePool(workers=1, timeout=3600.0) as pool:
            cut, full = (seconds(pool, text) for text in (deck, whole))
        print(f"cut {cut:.3f} s, whole {full:.3f} s of ngspice a deck: whole over cut {full / cut:.0f}")


def section(transistors: int) -> str:
    """Return the cards of a corner."""
    lines = []
    for k in range(transistors):
        lines += [f".param t_ox_{k}=4n vth_{k}={{0.4+shift_{k}}} u_{k}=1", f".param shift_{k}=0.01"]
        lines += [f".func f_{k}(x) {{x+0.001}}", f".subckt fet_{k} d g s b w=1u l=1u ad=0 as=0 pd=0 ps=0"]
        lines += [f"M1 d g s b n_{k} w={{w}} l={{l}} ad={{ad}} as={{as}} pd={{pd}} ps={{ps}}"]
        edges = [1e-8 * 4**b for b in range(BINS + 1)]
        for b in range(BINS):
            lines.append(f".model n_{k}.{b} nmos " + CARD.format(k=k, lmin=edges[b], lmax=edges[b + 1]))
        lines.append(".ends")
    return "\n".join([*lines, ""])


def seconds(pool: SpicePool, deck: str) -> float:
    """Return the processor seconds of the pool's worker for a deck."""
    pool.run(deck)
    spent = []
    for _ in range(3):
        pids = [int(each.name) for each in pool.folder.iterdir()]
        before = sum(usage(pid).seconds for pid in pids)
        for _ in range(5):
            pool.run(deck)
        spent.append((sum(usage(pid).seconds for pid in pids) - before) / 5)
    return max(min(spent), 1.0 / os.sysconf("SC_CLK_TCK") / 5)


if __name__ == "__main__":
    main()
