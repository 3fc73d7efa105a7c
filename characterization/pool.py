"""Worker processes that run decks: one ngspice each, recycled, a time limit for each run, crashes contained."""

import os
import pickle
import shutil
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as RunTimeout
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context, parent_process
from multiprocessing.util import Finalize
from pathlib import Path
from time import sleep
from types import TracebackType
from typing import Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from rramkit.characterization.ngspice.library import Library, find_library
from rramkit.characterization.point import Job, Measured, measured
from rramkit.characterization.simulate import Simulator, Waveforms
from rramkit.errors import SetupError, SimulationError

RECYCLE_AFTER = 500  # runs: what little ngspice leaks each run never adds up
IN_FLIGHT = 4  # decks handed out for each worker: enough to keep it busy, few enough to make decks lazily
_LAST_WORD = "last-word"  # file in a worker's folder
_CLEARINGS = 100
_FAREWELL = 0.2  # seconds: the parent's pipes and its life end in any order

_Key = TypeVar("_Key")
_Result = TypeVar("_Result")
_simulator: Simulator | None = None


class SpicePool:
    """A pool of ngspice processes; use it in a `with` block.

    Parameters
    ----------
    workers : int, optional
        Processes; default: one for each core this process may use.
    timeout : float
        Seconds after which a run is killed and its worker replaced.
    library : Library, optional
        Default: `find_library()`.

    Raises
    ------
    SetupError
        When there is no usable ngspice library.
    """

    def __init__(self, *, workers: int | None = None, timeout: float = 120.0, library: Library | None = None) -> None:
        self.library = library or find_library()
        self.workers = workers or len(os.sched_getaffinity(0))
        self.timeout = timeout
        self.folder = Path(tempfile.mkdtemp(prefix="rramkit-"))
        self._pool = ProcessPool(
            max_workers=self.workers,
            max_tasks=RECYCLE_AFTER,
            initializer=_start_worker,
            initargs=[self.library, self.folder],
            context=get_context("spawn"),  # a forked copy of a threaded parent may hang
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """End the workers: after their runs, or at once when the block failed or was interrupted."""
        if kind is None:
            self._pool.close()
        else:
            self._pool.stop()
        self._pool.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def submit(self, job: Job) -> "Future[Measured]":
        """Hand out a job; its future holds what was measured, or a `SimulationError`."""
        return self._submit(job.deck, _measure_in_worker, job)

    def run(self, deck: str) -> Waveforms:
        """Run one deck; raise `SimulationError` when it gives no complete result."""
        return self._submit(deck, _run_in_worker, deck).result()

    def map(
        self, decks: Iterable[tuple[_Key, Callable[[], str]]]
    ) -> Iterator[tuple[_Key, Waveforms | SimulationError]]:
        """Run many decks; yield (key, waveforms or the error) in the order given.

        A deck is made only when a worker is near to needing it, so that the first run starts at once.
        """
        waiting: deque[tuple[_Key, Future[Waveforms]]] = deque()
        for key, make_deck in decks:
            deck = make_deck()
            waiting.append((key, self._submit(deck, _run_in_worker, deck)))
            if len(waiting) >= IN_FLIGHT * self.workers:
                yield _next(waiting)
        while waiting:
            yield _next(waiting)

    def _submit(self, deck: str, function: Callable[..., _Result], argument: object) -> "Future[_Result]":
        """Return a future in the kit's own terms: what pebble says of a worker's end becomes a `KitError`."""
        outside: Future[_Result] = Future()
        inside = self._pool.schedule(function, args=[argument], timeout=self.timeout)
        inside.add_done_callback(lambda ended: self._pass_on(deck, ended, outside))
        return outside

    def _pass_on(self, deck: str, ended: "Future[_Result]", outside: "Future[_Result]") -> None:
        if ended.cancelled():
            outside.cancel()
            return
        error = ended.exception()
        if error is None:
            outside.set_result(ended.result())
        else:
            outside.set_exception(self._in_kit_terms(deck, error))

    def _in_kit_terms(self, deck: str, error: BaseException) -> BaseException:
        if isinstance(error, RunTimeout):
            return SimulationError("timeout", f"no result within {self.timeout:g} s; killed", deck=deck)
        if isinstance(error, BrokenProcessPool):
            return SetupError(
                "the ngspice processes end before they start. In a script, call the kit under "
                "`if __name__ == '__main__':`, since each process imports the script again."
            )
        if isinstance(error, ProcessExpired):
            return _last_word(self.folder, error.pid or 0) or SimulationError(
                "crash", f"its process died (exit code {error.exitcode})", deck=deck
            )
        return error


def _next(waiting: "deque[tuple[_Key, Future[Waveforms]]]") -> tuple[_Key, Waveforms | SimulationError]:
    key, future = waiting.popleft()
    try:
        return key, future.result()
    except SimulationError as error:
        return key, error


def _start_worker(library: Library, folder: Path) -> None:
    global _simulator
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends the workers itself
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a Python handler would wait for the end of ngspice's run
    Finalize(None, _clear_without_parent, args=[folder, _FAREWELL], exitpriority=0)
    threading.Thread(target=_end_with_parent, args=[folder], daemon=True).start()
    own = folder / str(os.getpid())
    own.mkdir()
    _simulator = Simulator(library, own)


def _end_with_parent(folder: Path) -> None:
    """Wait until the parent is gone; a killed one could not end this process and clear the folder."""
    _clear_without_parent(folder, None)
    os._exit(1)


def _clear_without_parent(folder: Path, patience: float | None) -> None:
    """Clear the folder when the parent has gone, or goes within `patience` seconds.

    Called twice: the main thread may end, on the end of the parent's pipe, while the thread that waits is half-way.
    """
    parent = parent_process()
    if parent is not None:
        parent.join(patience)
        for _ in range(_CLEARINGS):
            if parent.is_alive() or not folder.exists():
                return
            shutil.rmtree(folder, ignore_errors=True)  # again and again: a sibling may just be making its files
            sleep(0.01)


def _run_in_worker(deck: str) -> Waveforms:
    if _simulator is None:
        raise RuntimeError("the worker was not started by SpicePool")
    try:
        return _simulator.run(deck)
    except SimulationError as error:
        if not _simulator.usable:
            # The next deck would be refused whatever it holds: leave the error in a file, make room for a new worker.
            Path(_LAST_WORD).write_bytes(pickle.dumps(error))
            os._exit(1)
        raise


def _measure_in_worker(job: Job) -> Measured:
    return measured(job, _run_in_worker(job.deck))


def _last_word(folder: Path, pid: int) -> SimulationError | None:
    """Return the error that a worker left when it ended itself."""
    path = folder / str(pid) / _LAST_WORD
    return pickle.loads(path.read_bytes()) if path.exists() else None
