"""Run a deck in ngspice: complete, finite waveforms of each analysis, or one error with the reason.

ngspice is driven through PySpice's shared server, hardened: PySpice takes harmless lines for errors, raises nothing on
a deck that fails to parse, and then still shows the last deck's data. So here a run counts only when the log holds no
fatal line and warns of nothing that changes the numbers, exactly the plots of this deck appeared, every vector is
finite, and each analysis came to its end.

A `.noise` analysis gives two plots: the spectral densities, which are the waveforms, and the totals over the band
(`onoise_total`, `inoise_total`), which are its measures. ngspice runs it, and `.pz` and `.disto`, without KLU only.

One library is one global simulator: a `Simulator` lives in a process that does nothing else (`pool`).
"""

import logging
import math
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Self, cast

import numpy as np

from rramkit.characterization import deck_file, simulator_log
from rramkit.characterization.deck_file import Analysis, output_labels
from rramkit.characterization.ngspice.library import SimulatorLibrary, enter
from rramkit.characterization.spice_numbers import spice_number
from rramkit.characterization.waveforms import SCALES, Results, Waveforms
from rramkit.circuits.verilog_a import FOLDER_VARIABLE, CompactModel
from rramkit.errors import SetupError, SimulationError

LOG_TAIL = 40  # lines of ngspice's log that an error carries
_BEYOND_REPAIR = "cannot recover"  # from then on ngspice refuses every deck
_WITHOUT_KLU = re.compile(r"(?im)^[ \t]*\.?(?:noise|pz|disto)\b")
_PLOT = re.compile(r"(?P<kind>[a-z_]+)(?P<number>\d*)")
_SAVED = re.compile(r"[vi]\([\w.#+-]+\)|@[\w.:#$]+\[\w+\]")
_PRINTED = re.compile(
    r"^(?:doing analysis at|using (?:klu|sparse)|no\. of data rows|reference value|note: |circuit: |initial transient)",
    re.IGNORECASE,
)


class Simulator:
    """The ngspice of this process. Make one, in a process of its own; `folder` becomes its private current folder."""

    def __init__(self, library: SimulatorLibrary, folder: Path) -> None:
        self._shared = _load(library, folder)
        self._klu = library.klu
        self._folder = folder
        self._compact: dict[str, str] = {}  # hash of the model by module
        self.usable = True
        """False after an error from which this ngspice does not recover: its process must end."""

    def load(self, models: Iterable[CompactModel]) -> None:
        """Load compact models that this ngspice has not loaded yet.

        ngspice keeps what it has loaded, and takes the first of a name: two models with one module need two processes.

        Raises
        ------
        SimulationError
            With reason `parse`, where a file does not load, or another model's module has its name.
        """
        for model in models:
            if all(self._compact.get(name) == model.sha256 for name in model.names):
                continue
            clash = sorted(model.names & set(self._compact))
            if clash:
                detail = f"two compact models hold the module `{clash[0]}`, and ngspice would take the first of them"
                raise SimulationError("parse", f"{detail}. Rename one")
            said = self._command(f"osdi {self._beside(model)}")
            if said:
                raise SimulationError("parse", f"{Path(model.path).name} does not load: {'; '.join(said)[:300]}")
            self._compact |= dict.fromkeys(model.names, model.sha256)

    def _beside(self, model: CompactModel) -> str:
        """Return the path of a copy in this process's folder, which no blank or other word of ngspice's is in."""
        copy = self._folder / f"{model.sha256}.osdi"
        if not copy.exists():
            try:
                shutil.copyfile(model.file, copy)
            except OSError as error:
                raise SetupError(
                    f"the compiled file of {model.path} cannot be read here ({model.file}: {error.strerror}). Name a "
                    f"folder that every machine sees in {FOLDER_VARIABLE}; the kit's own cells need none with "
                    "`--compiled-cells never`."
                ) from error
        return f"./{copy.name}"

    def _command(self, command: str) -> list[str]:
        """Run a command in this process's folder; return what ngspice says."""
        here = Path.cwd()
        os.chdir(self._folder)
        try:
            self._shared.take_log()
            accepted = _accepted(lambda: self._shared.exec_command(command))
            said = [line.strip() for line in self._shared.take_log() if line.strip(" *")]
            return said or ([] if accepted else ["ngspice refused it"])
        finally:
            os.chdir(here)

    def run(self, deck: str) -> Waveforms:
        """Run a deck with one analysis; return its waveforms.

        Raises
        ------
        SimulationError
            With reason `parse`, `convergence` or `incomplete`.
        """
        return only(self.results(deck), deck)

    def results(self, deck: str, folder: Path | None = None) -> Results:
        """Run a deck; return what each of its analyses gave, and what ngspice warns of.

        Parameters
        ----------
        deck : str
            Its text.
        folder : Path, optional
            Where `.control` sections read and write; default: this process's private one.

        Raises
        ------
        SimulationError
            With reason `parse`, `convergence` or `incomplete`.
        """
        before, started = set(self._shared.plot_names), perf_counter()
        if folder is not None:
            os.chdir(folder)
        try:
            log, printed = self._load_and_run(deck, before)
            self.usable = not any(_BEYOND_REPAIR in line for line in log)
            plots = self._plots(set(self._shared.plot_names) - before)
            _check_log(deck, log, plots)
            seconds = perf_counter() - started
            analyses = tuple(_analyses(deck, log, plots, seconds))
            warnings = (*_warnings(deck, log), *_without_values(plots), *_not_saved(deck, plots))
            return Results(analyses, warnings, _not_measured(deck, log, analyses), printed)
        finally:
            self._clear()

    def _plots(self, names: Iterable[str]) -> "list[_Plot]":
        found = [(match["kind"], int(match["number"] or 0), name) for name in names if (match := _PLOT.fullmatch(name))]
        return [_Plot.of(kind, number, self._vectors(name)) for kind, number, name in sorted(found)]

    def _vectors(self, plot: str) -> dict[str, np.ndarray]:
        vectors = {_as_written(name): vector._data for name, vector in self._shared.plot(None, plot).items()}
        return {name: values.real if name in SCALES else values for name, values in vectors.items()}

    def _load_and_run(self, deck: str, before: set[str]) -> tuple[list[str], tuple[str, ...]]:
        """Return the log, and what `.control` sections printed: these run while the deck is loaded."""
        mode = deck_file.behaviour(deck)
        self._shared.exec_command(f"set ngbehavior={mode}" if mode else "unset ngbehavior")
        self._shared.take_log()
        klu = self._klu and not _WITHOUT_KLU.search(deck)
        text = re.sub(r"(?im)^\.end\s*$", ".options klu\n.end", deck) if klu else deck
        accepted = _accepted(lambda: self._shared.load_circuit(text))
        log = self._shared.take_log()
        printed = ()
        if deck_file.has_control(deck):
            printed = tuple(line for line in log if line.strip() and not _PRINTED.match(line.strip()))
        if not accepted or simulator_log.fatal(log, deck) is not None:
            return [*log, *([] if accepted else ["circuit not parsed: ngspice refused the deck"])], printed
        if set(self._shared.plot_names) == before or not deck_file.has_control(deck):
            _accepted(self._shared.run)
        return [*log, *self._shared.take_log()], printed

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
    own = name.startswith(("@", "onoise", "inoise", "transfer_")) or name in SCALES or "#" in name
    return name if "(" in name or own else f"v({name})"


def _named(deck: str, vectors: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the vectors by the names that the deck's header gives them, as outputs; others keep ngspice's."""
    names = {label.vector: name for name, label in output_labels(deck).items()}
    return {names.get(vector, vector): values for vector, values in vectors.items()}


@dataclass(frozen=True)
class _Plot:
    """One plot of ngspice: `ac1` is number 1 of kind `ac`."""

    kind: str
    number: int
    vectors: Mapping[str, np.ndarray]
    empty: tuple[str, ...] = ()
    """Vectors that ngspice was asked for and has no values of."""

    @classmethod
    def of(cls, kind: str, number: int, vectors: Mapping[str, np.ndarray]) -> Self:
        """Return a plot; where every vector is empty it has them all."""
        kept = {name: values for name, values in vectors.items() if values.size}
        return cls(kind, number, kept or vectors, tuple(name for name in vectors if kept and name not in kept))


def only(results: Results, deck: str) -> Waveforms:
    """Return the waveforms of a deck with one analysis; raise `SimulationError` where it has more."""
    if len(results.analyses) != 1:
        raise SimulationError("parse", f"{len(results.analyses)} results appeared instead of 1", deck=deck)
    return results.analyses[0]


def _analyses(deck: str, log: Sequence[str], plots: "Sequence[_Plot]", seconds: float) -> Iterator[Waveforms]:
    """Yield the waveforms of each analysis in the order of the deck, checked."""
    values = simulator_log.measures(log, deck_file.measured_names(deck))
    for analysis, plot in _in_deck_order(deck, plots):
        _check_vectors(deck, log, analysis, plot)
        totals = {}
        if plot.kind == "noise":
            totals = _named(deck, _totals(plots, plot))
        measures = {**values.pop(plot.kind, {}), **{name: float(each[0]) for name, each in totals.items()}}
        words = analysis.words if analysis is not None else ()
        yield Waveforms(plot.kind, _named(deck, plot.vectors), measures, seconds, words)


def _in_deck_order(deck: str, plots: "Sequence[_Plot]") -> "list[tuple[Analysis | None, _Plot]]":
    """Return each plot with the analysis that it is of; None where that is not known.

    ngspice numbers the plots of one kind as it makes them, those of the last such line first.
    """
    lines = deck_file.analyses(deck)
    paired: list[tuple[int, Analysis | None, _Plot]] = []
    for kind in dict.fromkeys(plot.kind for plot in plots):
        mine = [plot for plot in plots if plot.kind == kind and not _is_total(plot)] or [
            p for p in plots if p.kind == kind
        ]
        places = [place for place, line in enumerate(lines) if line.kind == kind]
        if len(places) == len(mine):
            paired += [(place, lines[place], plot) for place, plot in zip(reversed(places), mine, strict=True)]
        else:
            paired += [(min(places, default=len(lines)), None, plot) for plot in mine]
    return [(analysis, plot) for _, analysis, plot in sorted(paired, key=lambda each: (each[0], each[2].number))]


def _is_total(plot: _Plot) -> bool:
    return plot.kind == "noise" and "frequency" not in plot.vectors


def _totals(plots: Sequence[_Plot], spectrum: _Plot) -> Mapping[str, np.ndarray]:
    """Return the totals of a noise analysis: the plot after its spectrum."""
    return next((p.vectors for p in plots if _is_total(p) and p.number == spectrum.number + 1), {})


def _warnings(deck: str, log: Sequence[str]) -> tuple[str, ...]:
    """Return what ngspice warns of; raise `SimulationError` at what changes the numbers and is not waived."""
    messages = simulator_log.warnings(log, deck)
    changed = [message.text for message in messages if message.changes]
    if changed:
        more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
        raise _failure(
            "parse",
            f"{changed[0]}{more}: the numbers would not be those of the deck as it is written. Fix it, or accept it: "
            "`--waive` with a part of the message, in a plan `waive = [...]`",
            deck,
            log,
        )
    return tuple(message.text for message in messages)


def _without_values(plots: Iterable[_Plot]) -> Iterator[str]:
    for plot in plots:
        yield from (f"`{name}` has no values in `.{plot.kind}`" for name in plot.empty)


def _not_saved(deck: str, plots: Iterable[_Plot]) -> Iterator[str]:
    """Yield the vectors of `.save` lines that no analysis has; ngspice leaves them out without a word."""
    found = {vector for plot in plots for vector in (*plot.vectors, *plot.empty)}
    for line in re.findall(r"(?im)^\.save[ \t]+(.*)$", deck):
        for vector in _SAVED.findall(line.lower()):
            inner = vector[2:-1] if vector[0] == "i" else ""
            if vector not in found:
                cure = f" (ngspice calls the current of a device `@{inner}[i]`)" if inner else ""
                yield f"`.save {vector}`: there is no such vector{cure}"


def _not_measured(deck: str, log: Sequence[str], analyses: Iterable[Waveforms]) -> dict[str, str]:
    """Return the `.meas` lines without a number, with the reason as far as it is known."""
    measured = {name for waves in analyses for name in waves.measures}
    kinds, reasons = {waves.kind for waves in analyses}, simulator_log.why_not_measured(log)
    missing = {name: kind for name, kind in deck_file.measured_names(deck).items() if name not in measured}
    return {
        name: reasons.get(name) or ("" if kind in kinds else f"there is no `.{kind}`") for name, kind in missing.items()
    }


def _check_log(deck: str, log: Sequence[str], plots: Sequence[_Plot]) -> None:
    fatal = simulator_log.fatal(log, deck)
    if fatal is not None:
        raise _failure(*fatal, deck, log)
    error, kinds = simulator_log.error(log), [plot.kind for plot in plots]
    if not plots:
        raise _failure("parse", error or "0 results appeared instead of 1", deck, log)
    if deck_file.has_control(deck):
        return
    for kind in dict.fromkeys(analysis.kind for analysis in deck_file.analyses(deck)):
        wanted = sum(analysis.kind == kind for analysis in deck_file.analyses(deck))
        if kinds.count(kind) < wanted:
            raise _failure("parse", error or f"`.{kind}` gave no result", deck, log)
        if wanted > 1 and kind in deck_file.measured_names(deck).values():
            raise _failure(
                "parse",
                f"the deck has {wanted} `.{kind}` lines and a `.meas {kind}`: ngspice measures one of them without "
                f"saying which. Keep one `.{kind}` a deck",
                deck,
                log,
            )
    if error is not None:
        raise _failure("convergence", error, deck, log)


def _check_vectors(deck: str, log: Sequence[str], analysis: Analysis | None, plot: _Plot) -> None:
    vectors = plot.vectors
    lengths = {values.size for values in vectors.values()}
    if not vectors or len(lengths) != 1 or lengths == {0}:
        raise _failure("incomplete", f"vectors of lengths {sorted(lengths)}", deck, log)
    broken = [name for name, values in vectors.items() if not np.all(np.isfinite(values))]
    if broken:
        name = {label.vector: each for each, label in output_labels(deck).items()}.get(broken[0], broken[0])
        raise _failure("incomplete", f"`{name}` holds values that are not finite", deck, log)
    end = _last_abscissa(analysis) if analysis is not None and not deck_file.has_control(deck) else None
    if end is not None:
        scale = vectors["time"] if plot.kind == "tran" else next((vectors[s] for s in SCALES[2:] if s in vectors), None)
        if scale is None or scale.size < end.points or abs(scale[-1] - end.stop) > end.slack:
            reached = "nothing" if scale is None or not scale.size else f"{scale[-1]:g}"
            raise _failure("incomplete", f"the analysis reached {reached} of {end.stop:g}", deck, log)


@dataclass(frozen=True)
class _Stop:
    """Where an analysis ends, how far off counts as there, and the fewest points that it must have."""

    stop: float
    slack: float
    points: int


def _last_abscissa(analysis: Analysis) -> _Stop | None:
    """Return where a `.tran` or `.dc` ends, so that a run that dies half-way is seen; None: it does not say."""
    words = analysis.words
    if analysis.kind == "tran" and len(words) >= 2:
        stop = spice_number(words[1])
        return _Stop(stop, 1e-6 * stop, 2)
    if analysis.kind != "dc" or len(words) not in (4, 8):
        return None
    points, last = 1, (0.0, 0.0)
    for first in range(0, len(words), 4):
        start, stop, step = (spice_number(word) for word in words[first + 1 : first + 4])
        if not math.isfinite(start + stop + step) or step == 0:
            return None
        steps = math.floor((stop - start) / step * (1 + 1e-9) + 1e-6)
        points *= steps + 1
        last = last if first else (start + steps * step, abs(step) * 1e-3)
    return _Stop(*last, points)


def _failure(reason: str, detail: str, deck: str, log: Sequence[str]) -> SimulationError:
    return SimulationError(reason, detail, deck=deck, log="\n".join(log[-LOG_TAIL:]))
