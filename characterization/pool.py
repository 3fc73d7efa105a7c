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
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from rramkit.characterization.ngspice.library import Library, find_library
from rramkit.characterization.simulate import Simulator, Waveforms
from rramkit.errors import SetupError, SimulationError

RECYCLE_AFTER = 500  # runs: what little ngspice leaks each run never adds up
IN_FLIGHT = 4  # decks handed out for each worker: enough to keep it busy, few enough to make decks lazily
_LAST_WORD = "last-word"  # file in a worker's folder

_Key = TypeVar("_Key")
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
        self._folder = Path(tempfile.mkdtemp(prefix="rramkit-"))
        self._pool = ProcessPool(
            max_workers=self.workers,
            max_tasks=RECYCLE_AFTER,
            initializer=_start_worker,
            initargs=[self.library, self._folder],
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
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(self, deck: str) -> Waveforms:
        """Run one deck; raise `SimulationError` when it gives no complete result."""
        return self._result(deck, self._submit(deck))

    def map(
        self, decks: Iterable[tuple[_Key, Callable[[], str]]]
    ) -> Iterator[tuple[_Key, Waveforms | SimulationError]]:
        """Run many decks; yield (key, waveforms or the error) in the order given.

        A deck is made only when a worker is near to needing it, so that the first run starts at once.
        """
        waiting: deque[tuple[_Key, str, Future[Waveforms]]] = deque()
        for key, make_deck in decks:
            deck = make_deck()
            waiting.append((key, deck, self._submit(deck)))
            if len(waiting) >= IN_FLIGHT * self.workers:
                yield self._next(waiting)
        while waiting:
            yield self._next(waiting)

    def _next(self, waiting: "deque[tuple[_Key, str, Future[Waveforms]]]") -> tuple[_Key, Waveforms | SimulationError]:
        key, deck, future = waiting.popleft()
        try:
            return key, self._result(deck, future)
        except SimulationError as error:
            return key, error

    def _submit(self, deck: str) -> "Future[Waveforms]":
        return self._pool.schedule(_run_in_worker, args=[deck], timeout=self.timeout)

    def _result(self, deck: str, future: "Future[Waveforms]") -> Waveforms:
        try:
            return future.result()
        except RunTimeout:
            raise SimulationError("timeout", f"no result within {self.timeout:g} s; killed", deck=deck) from None
        except BrokenProcessPool as error:
            raise SetupError(
                "the ngspice processes end before they start. In a script, call the kit under "
                "`if __name__ == '__main__':`, since each process imports the script again."
            ) from error
        except ProcessExpired as error:
            raise _last_word(self._folder, error.pid) or SimulationError(
                "crash", f"its process died (exit code {error.exitcode})", deck=deck
            ) from None


def _start_worker(library: Library, folder: Path) -> None:
    global _simulator
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is interrupted, and ends the workers itself
    threading.Thread(target=_end_with_parent, args=[folder], daemon=True).start()
    own = folder / str(os.getpid())
    own.mkdir()
    _simulator = Simulator(library, own)


def _end_with_parent(folder: Path) -> None:
    """Wait until the parent is gone; a killed one could not end this process and clear the folder."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(1)


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


def _last_word(folder: Path, pid: int) -> SimulationError | None:
    """Return the error that a worker left when it ended itself."""
    path = folder / str(pid) / _LAST_WORD
    return pickle.loads(path.read_bytes()) if path.exists() else None
