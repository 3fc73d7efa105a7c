"""Run a deck in ngspice: complete, finite waveforms, or one error with the reason.

ngspice is driven through PySpice's shared server, hardened: PySpice takes harmless lines for errors, raises nothing on
a deck that fails to parse, and then still shows the last deck's data. So here a run counts only when the log holds no
fatal line, exactly the plots of this deck appeared, every vector is finite, and the analysis came to its end.

A `.noise` analysis gives two plots: the spectral densities, which are the waveforms, and the totals over the band
(`onoise_total`, `inoise_total`), which are its measures. ngspice runs it without KLU only.

One library is one global simulator: a `Simulator` lives in a process that does nothing else (`pool`).
"""

import logging
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, cast

import numpy as np

from rramkit.characterization.deck_file import output_labels
from rramkit.characterization.ngspice.library import SimulatorLibrary, enter
from rramkit.characterization.waveforms import SCALES, Waveforms
from rramkit.errors import SetupError, SimulationError

LOG_TAIL = 40  # lines of ngspice's log that an error carries
_PARSE = re.compile(
    r"circuit not parsed|unknown subckt|could not find a valid modelname|unable to find definition of model"
    r"|unknown parameter|undefined parameter|expression err|syntax error|unimplemented control|no such device"
    r"|error on line|incomplete or empty netlist|mif-error|there aren't any circuits loaded|no circuit loaded"
    r"|too few parameters|unknown device type|could not find include",
    re.IGNORECASE,
)
# Only what ends a run: a failed gmin or source stepping is a note when the next method succeeds.
_CONVERGENCE = re.compile(
    r"timestep too small|doanalyses:|simulation\(s\) aborted|transient op failed|simulation interrupted", re.IGNORECASE
)
_ERROR = re.compile(r"^\s*(fatal )?error\b|^\s*fatal\b", re.IGNORECASE)
_BEYOND_REPAIR = "cannot recover"  # from then on ngspice refuses every deck
_NOISE = re.compile(r"(?im)^\.noise\b")
_MEASURE = re.compile(r"^\s*([a-z_]\w*)\s*=\s*([-+]?\d[\d.]*(?:e[-+]?\d+)?)", re.IGNORECASE)


class Simulator:
    """The ngspice of this process. Make one, in a process of its own; `folder` becomes its private current folder."""

    def __init__(self, library: SimulatorLibrary, folder: Path) -> None:
        self._shared = _load(library, folder)
        self._klu = library.klu
        self.usable = True
        """False after an error from which this ngspice does not recover: its process must end."""

    def run(self, deck: str) -> Waveforms:
        """Run a deck; return its waveforms.

        Raises
        ------
        SimulationError
            With reason `parse`, `convergence` or `incomplete`.
        """
        before, started = set(self._shared.plot_names), perf_counter()
        try:
            log = self._load_and_run(deck)
            self.usable = not any(_BEYOND_REPAIR in line for line in log)
            new = [name for name in self._shared.plot_names if name not in before]
            _check_log(deck, log, plots=len(new), expected=2 if _NOISE.search(deck) else 1)
            kind = re.sub(r"\d+$", "", new[0])
            plots = [self._vectors(name) for name in new]
            vectors = next((plot for plot in plots if "frequency" in plot), plots[0])
            _check_vectors(deck, log, kind, vectors)
            totals = {
                name: float(each[0])
                for plot in plots
                if plot is not vectors
                for name, each in _named(deck, plot).items()
            }
            return Waveforms(kind, _named(deck, vectors), _measures(log) | totals, perf_counter() - started)
        finally:
            self._clear()

    def _vectors(self, plot: str) -> dict[str, np.ndarray]:
        return {_as_written(name): vector._data for name, vector in self._shared.plot(None, plot).items()}

    def _load_and_run(self, deck: str) -> list[str]:
        klu = self._klu and not _NOISE.search(deck)
        text = re.sub(r"(?im)^\.end\s*$", ".options klu\n.end", deck) if klu else deck
        accepted = _accepted(lambda: self._shared.load_circuit(text))
        log = self._shared.take_log()
        if not accepted or any(_PARSE.search(line) for line in log):
            return [*log, *([] if accepted else ["circuit not parsed: ngspice refused the deck"])]
        _accepted(self._shared.run)
        return [*log, *self._shared.take_log()]

    def _clear(self) -> None:
        """Drop circuit and data: memory would grow, and the next deck could be answered with this one's data."""
        for command in ("remcirc", "destroy all") if self.usable else ():
            self._shared.exec_command(command)
        self._shared.take_log()


def _load(library: SimulatorLibrary, folder: Path) -> Any:  # noqa: ANN401  (a class defined at run time: PySpice is imported only here)
    enter(library, folder)
    logging.getLogger("PySpice").setLevel(logging.CRITICAL)  # "Unsupported Ngspice version" is harmless
    try:
        from PySpice.Spice.NgSpice.Shared import NgSpiceShared, ffi
    except ImportError as error:
        raise SetupError(f"PySpice must be installed to run ngspice ({error}). Run `pip install PySpice`.") from error

    class Shared(NgSpiceShared):
        """PySpice's server, whose own guesses about what is an error are replaced by a log that `Simulator` reads."""

        LIBRARY_PATH = str(library.path)

        @staticmethod
        def _send_char(message_c: Any, ngspice_id: int, user_data: Any) -> int:  # noqa: ANN401
            self = ffi.from_handle(user_data)
            line = cast(bytes, ffi.string(message_c)).decode(errors="replace").partition(" ")[2]
            self._stdout.append(line)
            self.__dict__.setdefault("log", []).append(line)
            return 0

        def take_log(self) -> list[str]:
            log, self.__dict__["log"] = self.__dict__.get("log", []), []
            return log

    return Shared.new_instance()


def _accepted(command: Callable[[], None]) -> bool:
    """Run one ngspice command; return whether its return code was 0."""
    try:
        command()
    except NameError:  # what PySpice raises for a return code
        return False
    return True


def _as_written(name: str) -> str:
    """Return the vector's name in a deck's words: `v_bl#branch` is `i(v_bl)`, node `s` is `v(s)`."""
    name = name.lower()
    if name.endswith("#branch"):
        return f"i({name.removesuffix('#branch')})"
    own = name.startswith(("@", "onoise", "inoise")) or name in SCALES
    return name if "(" in name or own else f"v({name})"


def _named(deck: str, vectors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the vectors by the names that the deck's header gives them, as outputs; others keep ngspice's."""
    names = {label.vector: name for name, label in output_labels(deck).items()}
    return {names.get(vector, vector): values for vector, values in vectors.items()}


def _check_log(deck: str, log: list[str], *, plots: int, expected: int = 1) -> None:
    for reason, pattern in (("parse", _PARSE), ("convergence", _CONVERGENCE)):
        fatal = next((line for line in log if pattern.search(line)), None)
        if fatal is not None:
            raise _failure(reason, fatal.strip(), deck, log)
    error = next((line for line in log if _ERROR.search(line)), None)
    if plots != expected:
        raise _failure("parse", (error or f"{plots} results appeared instead of {expected}").strip(), deck, log)
    if error is not None and "measure" not in error.lower():
        raise _failure("convergence", error.strip(), deck, log)


def _check_vectors(deck: str, log: list[str], kind: str, vectors: Mapping[str, np.ndarray]) -> None:
    lengths = {values.size for values in vectors.values()}
    if not vectors or len(lengths) != 1 or lengths == {0}:
        raise _failure("incomplete", f"vectors of lengths {sorted(lengths)}", deck, log)
    broken = [name for name, values in vectors.items() if not np.all(np.isfinite(values))]
    if broken:
        raise _failure("incomplete", f"`{broken[0]}` holds values that are not finite", deck, log)
    end = _last_abscissa(deck, kind)
    if end is not None:
        scale = vectors["time"] if kind == "tran" else next((vectors[s] for s in SCALES[2:] if s in vectors), None)
        if scale is None or scale.size < end.points or abs(scale[-1] - end.stop) > end.slack:
            reached = "nothing" if scale is None or not scale.size else f"{scale[-1]:g}"
            raise _failure("incomplete", f"the analysis reached {reached} of {end.stop:g}", deck, log)


@dataclass(frozen=True)
class _Stop:
    """Where an analysis ends, how far off counts as there, and the fewest points that it must have."""

    stop: float
    slack: float
    points: int


def _last_abscissa(deck: str, kind: str) -> _Stop | None:
    """Return where the deck's own `.tran` or (one-variable) `.dc` ends, so that a run that dies half-way is seen."""
    line = re.search(rf"(?im)^\.{kind}\s+(.*)$", deck)
    words = line[1].split() if line else []
    if kind == "tran" and len(words) >= 2:
        stop = spice_number(words[1])
        return _Stop(stop, 1e-6 * stop, 2)
    if kind == "dc" and len(words) == 4:
        start, stop, step = (spice_number(word) for word in words[1:])
        steps = math.floor((stop - start) / step * (1 + 1e-9) + 1e-6)
        return _Stop(start + steps * step, abs(step) * 1e-3, steps + 1)
    return None


_SUFFIXES = {"t": 1e12, "g": 1e9, "meg": 1e6, "k": 1e3, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15}


def spice_number(word: str) -> float:
    """Return the value of a SPICE number such as `50n`, `1.5meg`, `2e-9s`; NaN when it is an expression."""
    match = re.fullmatch(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?)(meg|[tgkmunpf])?[a-z]*", word.lower())
    return float(match[1]) * _SUFFIXES.get(match[2], 1.0) if match else float("nan")


def _measures(log: list[str]) -> dict[str, float]:
    matches = (_MEASURE.match(line) for line in log)
    return {match[1].lower(): float(match[2]) for match in matches if match}


def _failure(reason: str, detail: str, deck: str, log: list[str]) -> SimulationError:
    return SimulationError(reason, detail, deck=deck, log="\n".join(log[-LOG_TAIL:]))
