"""Runs on the workers of a Dask scheduler: the same decks and the same ngspice, so the same numbers.

Each Dask worker keeps ngspice processes of its own, as many as it has threads, so that a crash or a hang costs one
point there as it does here. Dask handles a lost worker: it hands the worker's points to another one.
"""

from concurrent.futures import CancelledError, Future
from multiprocessing import current_process
from threading import Lock
from types import TracebackType
from typing import Self, cast

from rramkit import __version__
from rramkit.characterization.engine.point import Job, MeasuredValues
from rramkit.characterization.engine.pool import TIMEOUT, SpicePool, translated
from rramkit.characterization.ngspice.library import find_library
from rramkit.circuits.verilog_a import CompactModel, models_of_deck
from rramkit.errors import SetupError, SimulationError
from rramkit.processes.dask import connect


class Cluster:
    """The workers of a Dask scheduler; use it in a `with` block.

    Parameters
    ----------
    address : str
        The scheduler's, such as `tcp://127.0.0.1:8786`.
    timeout : float
        Processor seconds after which a run is killed and its ngspice process replaced.

    Raises
    ------
    SetupError
        When there is no such scheduler, it has no workers, or they differ in ngspice or kit.
    """

    def __init__(self, address: str, *, timeout: float = TIMEOUT) -> None:
        self.address, self.timeout = address, timeout
        self._client = connect(address)
        self._executor = self._client.get_executor(pure=False)
        self.simulator = self._common_simulator()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the cluster; the jobs still running are cancelled."""
        self._executor.shutdown(wait=False)
        self._client.close(timeout=1)

    @property
    def workers(self) -> int:
        """Return how many jobs run at a time, on all workers together, at present."""
        return max(sum(cast(dict[str, int], self._client.nthreads()).values()), 1)

    def submit(self, job: Job) -> "Future[MeasuredValues]":
        """Hand out a job; its future holds the measured values, or a `SimulationError`."""
        return translated(
            self._executor.submit(_measure_here, job, models_of_deck(job.deck), self.simulator, self.timeout),
            lambda error: self._in_kit_terms(job, error),
        )

    def _common_simulator(self) -> str:
        """Return the ngspice of all workers; raise `SetupError` when they differ in it or in the kit."""
        versions = set(cast(dict[str, tuple[str, str]], self._client.run(_versions)).values())
        if len(versions) != 1 or next(iter(versions))[1] != __version__:
            text = "; ".join(sorted(f"{simulator}, rramkit {version}" for simulator, version in versions))
            raise SetupError(
                f"the workers of {self.address} must all have one ngspice, and rramkit {__version__} as here; got "
                f"{text}. Install the same on each."
            )
        return next(iter(versions))[0]

    def _in_kit_terms(self, job: Job, error: BaseException) -> BaseException:
        from distributed import KilledWorker

        if isinstance(error, KilledWorker):
            return SimulationError("crash", f"each Dask worker that ran it died ({error})", deck=job.deck)
        if isinstance(error, CancelledError):
            return SetupError(
                f"the Dask scheduler at {self.address} does not answer any more. Start it again, and its workers."
            )
        return error


_pools: dict[float, SpicePool] = {}  # by their time limit
_pools_lock = Lock()


def _versions() -> tuple[str, str]:
    return find_library().simulator, __version__


def _measure_here(job: Job, models: tuple[CompactModel, ...], simulator: str, timeout: float) -> MeasuredValues:
    """Run in a Dask worker: hand the job to one of its own ngspice processes."""
    pool = _pool_here(timeout)
    if pool.simulator != simulator:  # a worker that came later
        raise SetupError(f"a Dask worker has {pool.simulator}, the others {simulator}. Install the same on each.")
    return pool.submit(job, models).result()


def _pool_here(timeout: float) -> SpicePool:
    with _pools_lock:
        if timeout not in _pools:
            from distributed import get_worker

            # Dask's nanny starts its worker as a daemon, which may have no children; ours end with it by themselves.
            current_process().daemon = False
            _pools[timeout] = SpicePool(workers=get_worker().state.nthreads, timeout=timeout)
        return _pools[timeout]
