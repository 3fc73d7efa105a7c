"""Public process kits through the kit's resolver, against a bare ngspice that reads their files as they are.

python benchmarks/process_kits.py --sky130 FOLDER --gf180 FOLDER --ptm FOLDER --freepdk45 FOLDER
python benchmarks/process_kits.py --ihp FOLDER --osdi psp103.osdi psp103_nqs.osdi

Each folder is a checkout of the kit's public source (for PTM: one with 45nm_HP.pm and 45nm_LP.pm; for FreePDK45: its
.inc files); nothing of it is copied. IHP's transistors are compact models that its checkout holds as Verilog-A, to be
compiled first. Of each kit: a cell's read and its SET, the write driver and the latch, at the typical corner and at one
more. The circuit is simulated by the kit, whose deck holds the models that it uses, and by a process of its own of the
`ngspice` program, whose deck names the library's file by `.lib` or `.include` and holds the same circuit, solved by KLU
as the kit does.

The difference is the largest of all outputs and measures: of a waveform, over its largest value; of a measure, over its
value. Times are processor seconds of ngspice, parsing included, of one run each; those of the bare one hold the
start of the program.
"""

import argparse
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.waveforms import Waveforms
from rramkit.circuits import catalog
from rramkit.circuits.deck import Deck
from rramkit.processes.processor_time import usage

_USER = re.compile(r"(?ms)^\* file [^\n]*\n.*?^\* end of file$")


@dataclass(frozen=True)
class ProcessKit:
    """A process kit: how its models are named, and what stands before the circuit in a deck for a bare ngspice.

    Attributes
    ----------
    technology : dict
        `technology` of a parameter file, without the library.
    bare : dict of str to str
        Lines of a bare deck at each corner, `{folder}` for the kit's folder; the same lines are the user's library.
    l_io, w_most : float
        Least length of a thick-oxide transistor and largest width of any [m].
    more : dict
        Parameters of single circuits that differ, by the circuit.
    """

    technology: dict[str, Any]
    bare: dict[str, str]
    l_io: float
    w_most: float = 1e-3
    more: dict[str, dict[str, Any]] = field(default_factory=dict)


SKY130 = {
    "device": "subcircuit",
    "nmos_core": "sky130_fd_pr__nfet_01v8",
    "pmos_core": "sky130_fd_pr__pfet_01v8",
    "nmos_io": "sky130_fd_pr__nfet_g5v0d10v5",
    "pmos_io": "sky130_fd_pr__pfet_g5v0d10v5",
    "v_core": 1.8,
    "v_io": 5.0,
    "l_core": 0.15e-6,
    "l_io": 0.5e-6,
    "subcircuit": {"unit": 1e-6},
}
GF180 = {
    "device": "subcircuit",
    "nmos_core": "nmos_3p3",
    "pmos_core": "pmos_3p3",
    "nmos_io": "nmos_6p0",
    "pmos_io": "pmos_6p0",
    "v_core": 3.3,
    "v_io": 5.0,
    "l_core": 0.28e-6,
    "l_io": 0.7e-6,
    "subcircuit": {"count": ""},
}
GF180_BARE = (
    '.param sw_stat_global=0 sw_stat_mismatch=0 fnoicor=0\n.lib "{{folder}}/models/ngspice/sm141064.ngspice" {}\n'
)
PTM = dict.fromkeys(("nmos_core", "nmos_io"), "nmos") | dict.fromkeys(("pmos_core", "pmos_io"), "pmos")
FREEPDK45 = {"nmos_core": "NMOS_VTG", "pmos_core": "PMOS_VTG", "nmos_io": "NMOS_THKOX", "pmos_io": "PMOS_THKOX"}
KITS = {
    "sky130": ProcessKit(
        SKY130, {name: f'.lib "{{folder}}/models/sky130.lib.spice" {name}\n' for name in ("tt", "ss")}, 0.5e-6, 1e-4
    ),
    "gf180": ProcessKit(GF180, {name: GF180_BARE.format(name) for name in ("typical", "ss")}, 0.7e-6, 1e-4),
    "ptm": ProcessKit(
        PTM | {"v_core": 1.0, "v_io": 1.8, "l_core": 45e-9, "l_io": 90e-9},
        {name: f'.include "{{folder}}/45nm_{name}.pm"\n' for name in ("HP", "LP")},
        90e-9,
    ),
    "freepdk45": ProcessKit(
        FREEPDK45,
        {
            corner: "".join(f'.include "{{folder}}/{name}_{corner}.inc"\n' for name in FREEPDK45.values())
            for corner in ("nom", "ss")
        },
        0.22e-6,
    ),
}
IHP = {
    "device": "subcircuit",
    "nmos_core": "sg13_lv_nmos",
    "pmos_core": "sg13_lv_pmos",
    "nmos_io": "sg13_hv_nmos",
    "pmos_io": "sg13_hv_pmos",
    "v_core": 1.2,
    "v_io": 3.3,
    "l_core": 0.13e-6,
    "l_io": 0.45e-6,
}
KITS["ihp"] = ProcessKit(
    IHP,
    {
        f"mos_{corner}": "".join(
            f'.lib "{{folder}}/ihp-sg13g2/libs.tech/ngspice/models/cornerMOS{kind}.lib" mos_{corner}\n'
            for kind in ("lv", "hv")
        )
        for corner in ("tt", "ss")
    },
    0.45e-6,
)
CIRCUITS = ("cell_read", "cell_write", "write_driver_set", "sense_amp")


def main() -> None:
    """Print a line a circuit and corner of each kit that has a folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in KITS:
        parser.add_argument(f"--{name}", type=Path, metavar="FOLDER")
    parser.add_argument("--osdi", type=Path, nargs="+", default=[], metavar="FILE", help="compiled models of --ihp")
    parser.add_argument("--circuits", nargs="+", default=CIRCUITS, choices=CIRCUITS)
    parser.add_argument("--typical", action="store_true", help="the first corner of each kit only")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch, SpicePool(workers=1, timeout=3600.0) as pool:
        print(f"{pool.simulator}; Python {sys.version.split()[0]}")
        print("| kit | corner | circuit | difference | where | cut deck | whole library | deck made |\n|" + "---|" * 8)
        for name, kit in KITS.items():
            folder = getattr(given, name)
            if folder is None:
                continue
            if name == "ihp":
                kit = replace(kit, technology=kit.technology | {"osdi": [str(path.resolve()) for path in given.osdi]})
            corners = list(kit.bare)[: 1 if given.typical else None]
            for corner in corners:
                for line in lines(kit, corner, folder.resolve(), given.circuits, Path(scratch), pool):
                    print(f"| {name} | {corner} {line}", flush=True)


def lines(
    kit: ProcessKit, corner: str, folder: Path, circuits: list[str], scratch: Path, pool: SpicePool
) -> Iterator[str]:
    """Yield a line of the table for each circuit."""
    bare = kit.bare[corner].format(folder=folder)
    library = scratch / f"{corner}.lib"
    library.write_text(bare)
    for circuit in circuits:
        started = process_time()
        deck = drawn(circuit, kit, library)
        text = deck.text()
        made = process_time() - started
        if pool.folder.exists():
            pool.run("warm\nV1 a 0 1\nR1 a 0 1\n.op\n.end\n")
        before = spent(pool)
        ours = pool.run(text)
        cut = spent(pool) - before
        theirs, whole = run_bare(_USER.sub(lambda _: bare, text), folder, scratch, kit.technology.get("osdi", ()))
        worst, where = difference(deck, ours, theirs)
        yield f"| {circuit} | {worst:.1e} | {where} | {cut:.2f} s | {whole:.2f} s | {made:.2f} s |"


def drawn(circuit: str, kit: ProcessKit, library: Path) -> Deck:
    """Return a circuit in a kit's technology, short: a few pulses, decisions or points."""
    technology = kit.technology | {"library_file": str(library)}
    length = kit.l_io
    cell = {"technology": technology, "l_access": length}
    wide = kit.w_most
    given: dict[str, Any] = {
        "cell_read": {"cell": cell, "points": 9},
        "cell_write": {"cell": cell, "pulses": 2, "v_last": 1.5},
        "write_driver_set": {
            "cell": cell,
            "pulses": 1,
            "code_first": 40,
            "code_last": 40,
            "driver": {
                "lines": {"cells": 16},
                "shifter": {"l_cross": length},
                "buffer": {
                    "l_bias": 2 * length,
                    "l_signal": 2 * length,
                    "l_load": 3 * length,
                    "w_out": min(2e-4, wide),
                },
            },
        },
        "sense_amp": {"latch": {"technology": technology}, "decisions": 2, "v_first": 5e-3},
    }[circuit]
    block = catalog.block(circuit)
    return block.deck(block.parameters.checked(_merged(given, kit.more.get(circuit, {})), where=circuit))


def _merged(given: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    both = {key: _merged(given[key], more[key]) for key in given if key in more and isinstance(more[key], Mapping)}
    return {**given, **more, **both}


def spent(pool: SpicePool) -> float:
    """Return the processor seconds of the pool's worker so far."""
    return sum(usage(int(each.name)).seconds for each in pool.folder.iterdir())


def run_bare(deck: str, folder: Path, scratch: Path, osdi: Sequence[str]) -> tuple[Waveforms, float]:
    """Return what a bare ngspice in `folder`, which loads `osdi` first, gives for a deck, and its processor seconds."""
    raw, path = scratch / "bare.raw", scratch / "bare.cir"
    raw.unlink(missing_ok=True)
    loaded = "".join(f"pre_osdi {path}\n" for path in osdi)
    control = f".options klu\n.control\n{loaded}set filetype=binary\nrun\nwrite {raw}\nquit\n.endc\n.end\n"
    path.write_text(re.sub(r"(?im)^\.end\s*\Z", lambda _: control, deck))
    program = Path(__file__).parents[1] / ".ngspice" / "bin" / "ngspice"
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [program if program.exists() else "ngspice", "-n", path],
        cwd=folder / "models" / "ngspice" if (folder / "models" / "ngspice").exists() else folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if not raw.exists():
        sys.exit(f"bare ngspice wrote nothing:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    found = re.findall(r"(?m)^(\w+)\s+=\s+([-+\d.e]+)", done.stdout)
    measures = {name.lower(): float(value) for name, value in found}
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Waveforms("bare", read_raw(raw), measures, seconds, ()), seconds


def read_raw(path: Path) -> dict[str, np.ndarray]:
    """Return the vectors of a binary raw file of real numbers, by name in lower case."""
    head, _, body = path.read_bytes().partition(b"Binary:\n")
    text = head.decode("latin-1")
    count, points = (int(re.search(rf"{what}:\s*(\d+)", text)[1]) for what in ("No. Variables", "No. Points"))  # type: ignore[index]
    names = [line.split()[1].lower() for line in text.split("Variables:")[-1].splitlines()[1:] if line.strip()]
    values = np.frombuffer(body, dtype="<f8", count=count * points).reshape(points, count)
    return dict(zip(names, values.T, strict=True))


def difference(deck: Deck, ours: Waveforms, theirs: Waveforms) -> tuple[float, str]:
    """Return the largest difference of a deck's outputs and measures, and which of them it is."""
    found: dict[str, float] = {}
    for output in deck.outputs:
        mine, other = ours.vectors[output.name], theirs.vectors[output.vector.lower()]
        if deck.kind == "tran":
            other = np.interp(ours.vectors["time"], theirs.vectors["time"], other)
        found[output.name] = _over(np.max(np.abs(mine - other)), np.max(np.abs(other)))
    for name, value in ours.measures.items():
        found[name] = _over(abs(value - theirs.measures[name.lower()]), abs(theirs.measures[name.lower()]))
    worst = max(found, key=lambda name: found[name])
    return found[worst], worst if found[worst] else "all equal"


def _over(difference: float, size: float) -> float:
    return float(difference / size) if difference else 0.0


if __name__ == "__main__":
    main()
