"""The ngspice program, beside the library or on PATH: batch runs of a deck without PySpice."""

import os
import re
import resource
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from rramkit.characterization.ngspice.library import SimulatorLibrary, environment, write_start_up
from rramkit.errors import SimulationError
from rramkit.processes.processor_time import TimeLimitError, run_limited

_MEASURE = re.compile(r"^\s*([a-z_]\w*)\s*=\s*([-+]?\d[\d.]*(?:e[-+]?\d+)?)(?:\s|$)", re.IGNORECASE)
_FAILED = re.compile(r"(?im)^.*(?:\bfailed\b.*measure|measure.*\bfailed\b|simulation\(s\) aborted|^error).*$")


@dataclass(frozen=True)
class BareRun:
    """What one run printed: the results of its `.meas` lines, its whole log, and the processor time [s] it took."""

    measures: Mapping[str, float]
    log: str
    cpu_seconds: float


def find_program(library: SimulatorLibrary) -> Path | None:
    """Return the ngspice program of the library's own prefix, else the one on PATH, else None."""
    for prefix in library.path.parents:
        program = prefix / "bin" / "ngspice"
        if program.is_file() and os.access(program, os.X_OK):
            return program
    program = shutil.which("ngspice")
    return Path(program) if program else None


def run_bare(program: Path, library: SimulatorLibrary, deck: str, *, timeout: float = 600.0) -> BareRun:
    """Run `ngspice -b` on a deck in a folder of its own, on one thread; `timeout` in processor seconds.

    The start-up file of a distribution asks for up to eight threads, which on a busy machine wait for each other: it is
    overruled by one of the folder, which is also read in place of the user's.

    Raises
    ------
    SimulationError
        When the run fails or exceeds its time limit.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory(prefix="rramkit-") as folder:
        (Path(folder) / "deck.cir").write_text(deck, encoding="utf-8")
        write_start_up(Path(folder))
        try:
            child = run_limited(
                [str(program), "-b", "deck.cir"],
                seconds=timeout,
                cwd=Path(folder),
                env=environment(library.spice_lib_dir, dict(os.environ)),
            )
        except TimeLimitError as error:
            raise SimulationError("timeout", f"{error}; killed", deck=deck) from error
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    log = child.stdout + child.stderr
    fatal = _FAILED.search(log)
    if child.returncode != 0 or fatal is not None:
        detail = fatal[0].strip() if fatal else f"exit code {child.returncode}"
        raise SimulationError("incomplete", detail, deck=deck, log=log[-4000:])
    matches = (_MEASURE.match(line) for line in log.splitlines())
    measures = {match[1].lower(): float(match[2]) for match in matches if match}
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return BareRun(measures, log, seconds)
