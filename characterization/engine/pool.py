"""Worker processes that run decks: one ngspice each, recycled, a processor-time limit for each run, crash isolation."""

import os
import shutil
import signal
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import Self, TypeVar

from rramkit.characterization.engine.point import Job, MeasuredValues, measured
from rramkit.characterization.ngspice.library import SimulatorLibrary, find_library
from rramkit.characterization.simulate import Simulator, only
from rramkit.characterization.waveforms import Results, Waveforms
from rramkit.circuits.libraries import leave_checks_to_parent
from rramkit.circuits.verilog_a import CompactModel, models_of_deck
from rramkit.cores import cores
from rramkit.errors import SetupError, SimulationError
from rramkit.processes import leftovers
from rramkit.processes.workers import StartError, WorkerLost, Workers, end_with_parent, serve

TIMEOUT = 120.0  # processor seconds: ten times those of the slowest deck in the kit's own plans
RECYCLE_AFTER = 500  # runs: what little ngspice leaks each run never adds up
IN_FLIGHT = 4  # decks handed out for each worker: enough to keep it busy, few enough to generate decks lazily
_REMOVAL_TRIES = 100

_Key = TypeVar("_Key")
_Result = TypeVar("_Result")


class SpicePool:
    """A pool of ngspice processes; use it in a `with` block.

    Parameters
    ----------
    workers : int, optional
        Processes; default: one for each core this process may use.
    timeout : float
        Processor seconds after which a run is killed and its worker replaced.
    library : SimulatorLibrary, optional
        Default: `find_library()`.

    Raises
    ------
    SetupError
        When there is no usable ngspice library.
    """

    def __init__(
        self, *, workers: int | None = None, timeout: float = TIMEOUT, library: SimulatorLibrary | None = None
    ) -> None:
        self.library = library or find_library()
        self.workers = workers or cores()
        self.timeout = timeout
        self.folder = Path(tempfile.mkdtemp(prefix="rramkit-"))
        leftovers.note_folder(self.folder)
        self._groups = [_Group(self._new_workers())]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the workers at once: the caller has waited for the results that it needs."""
        for group in self._groups:
            group.workers.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        leftovers.forget_folder(self.folder)

    @property
    def simulator(self) -> str:
        """Return the version and the solver of the pool's ngspice."""
        return self.library.simulator

    def submit(self, job: Job, models: tuple[CompactModel, ...] | None = None) -> "Future[MeasuredValues]":
        """Hand out a job; its future holds the measured values, or a `SimulationError`.

        `models` are the compact models that its deck asks for; left out: they are looked up among those that the user
        named in this process.
        """
        return self._submit(job.deck, _measure, job, models)

    def run(self, deck: str) -> Waveforms:
        """Run one deck with one analysis; raise `SimulationError` when it gives no complete result."""
        return self._submit(deck, _run, deck).result()

    def results(self, deck: str, folder: Path | None = None) -> Results:
        """Run one deck with any number of analyses, its `.control` sections in `folder`; raise as `run` does."""
        return self._submit(deck, _results, (deck, folder)).result()

    def map(
        self, decks: Iterable[tuple[_Key, Callable[[], str]]]
    ) -> Iterator[tuple[_Key, Waveforms | SimulationError]]:
        """Run many decks; yield (key, waveforms or the error) in the order given.

        A deck is generated only shortly before a worker needs it, so that the first run starts at once.
        """
        waiting: deque[tuple[_Key, Future[Waveforms]]] = deque()
        for key, make_deck in decks:
            deck = make_deck()
            waiting.append((key, self._submit(deck, _run, deck)))
            if len(waiting) >= IN_FLIGHT * self.workers:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)

    def _submit(
        self,
        deck: str,
        function: Callable[..., _Result],
        argument: object,
        models: tuple[CompactModel, ...] | None = None,
    ) -> "Future[_Result]":
        """Return a future whose errors are the kit's: a worker that ended is a `KitError`."""
        models = models_of_deck(deck) if models is None else models
        workers = self._workers_for(models)
        work = (function, argument, models)
        return translated(workers.submit(_with_models, work), lambda error: self._in_kit_terms(deck, error))

    def _workers_for(self, models: tuple[CompactModel, ...]) -> Workers:
        """Return workers that have loaded no other version of a compact model: what ngspice has loaded stays."""
        if models and not self.library.osdi:
            raise SetupError(
                f"ngspice {self.library.version_text} ({self.library.path}) was built without OSDI, which compact "
                "models need. Run `rramkit setup`, or install ngspice 44 or newer."
            )
        wanted = {name: model.sha256 for model in models for name in model.names}
        group = next((each for each in self._groups if each.takes(wanted)), None)
        if group is None:
            group = _Group(self._new_workers())
            self._groups.append(group)
        group.loaded |= wanted
        return group.workers

    def _new_workers(self) -> Workers:
        return Workers(self.workers, _main, (self.library, self.folder), timeout=self.timeout, recycle=RECYCLE_AFTER)

    def _in_kit_terms(self, deck: str, error: BaseException) -> BaseException:
        if isinstance(error, WorkerLost) and error.exit_code is None:
            return SimulationError("timeout", f"{error.reason}; killed", deck=deck)
        if isinstance(error, WorkerLost) and error.exit_code == -signal.SIGKILL:
            return SimulationError("killed", "its process was killed from outside (memory?)", deck=deck)
        if isinstance(error, WorkerLost):
            return SimulationError("crash", f"its process died (exit code {error.exit_code})", deck=deck)
        if isinstance(error, StartError):
            return SetupError(
                "the ngspice processes end before they start. In a script, call the kit under "
                "`if __name__ == '__main__':`, since each process imports the script again."
            )
        return error


@dataclass
class _Group:
    """Workers, and the hash of the compact model that they may have loaded, by module."""

    workers: Workers
    loaded: dict[str, str] = field(default_factory=dict)

    def takes(self, wanted: dict[str, str]) -> bool:
        """Whether none of its modules is another one of a name wanted."""
        return all(self.loaded.get(name, sha256) == sha256 for name, sha256 in wanted.items())


def _next(waiting: "deque[tuple[_Key, Future[Waveforms]]]") -> tuple[_Key, Waveforms | SimulationError]:
    key, future = waiting.popleft()
    try:
        return key, future.result()
    except SimulationError as error:
        return key, error


def _main(pipe: Connection, library: SimulatorLibrary, folder: Path) -> None:
    watch = end_with_parent(partial(_remove, folder))
    leave_checks_to_parent()
    own = folder / str(os.getpid())
    own.mkdir()
    simulator = Simulator(library, own)
    serve(pipe, simulator, lambda: simulator.usable)
    watch.join()  # the parent has ended, or kills this process in a moment: the other thread handles both


def _remove(folder: Path) -> None:
    """Remove the pool's folder, which a killed parent could not."""
    for _ in range(_REMOVAL_TRIES):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            break
        sleep(0.01)  # another worker was writing its files


def _with_models(
    simulator: Simulator, work: tuple[Callable[..., _Result], object, tuple[CompactModel, ...]]
) -> _Result:
    function, argument, models = work
    simulator.load(models)
    return function(simulator, argument)


def _run(simulator: Simulator, deck: str) -> Waveforms:
    return simulator.run(deck)


def _results(simulator: Simulator, deck_and_folder: tuple[str, Path | None]) -> Results:
    return simulator.results(*deck_and_folder)


def _measure(simulator: Simulator, job: Job) -> MeasuredValues:
    results = simulator.results(job.deck)
    return measured(job, only(results, job.deck), results.warnings)


def translated(inside: "Future[_Result]", in_kit_terms: Callable[[BaseException], BaseException]) -> "Future[_Result]":
    """Return a future that ends when `inside` does, its error or cancellation put into other words."""
    outside: Future[_Result] = Future()

    def pass_on(ended: "Future[_Result]") -> None:
        error = CancelledError() if ended.cancelled() else ended.exception()
        if error is None:
            outside.set_result(ended.result())
        else:
            outside.set_exception(in_kit_terms(error))

    inside.add_done_callback(pass_on)
    return outside
