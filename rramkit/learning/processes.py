"""Many trainings at once: on processes of this machine, or on the workers of a Dask cluster."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import TypeVar

from rramkit.errors import SetupError

Task = TypeVar("Task")
TaskResult = TypeVar("TaskResult")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Executor(ABC):
    """Something that runs a function on many jobs."""

    @abstractmethod
    def run(self, function: Callable[[Task], TaskResult], jobs: Sequence[Task]) -> Iterator[tuple[int, TaskResult]]:
        """Yield (index of the job, outcome) as they come; `function` is one of a module's own, jobs can be pickled."""


@dataclass(frozen=True)
class Processes(Executor):
    """Processes of this machine; each takes one core, so that they do not get into each other's way."""

    workers: int | None = None

    def run(self, function: Callable[[Task], TaskResult], jobs: Sequence[Task]) -> Iterator[tuple[int, TaskResult]]:
        """Yield outcomes as they come; a caller that stops early stops the processes too.

        Raises
        ------
        SetupError
            When a process is killed from outside.
        """
        for name in _THREADS:
            os.environ.setdefault(name, "1")
        count = min(self.workers or os.cpu_count() or 1, max(len(jobs), 1))
        pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_end_with_the_parent)
        try:
            futures = {pool.submit(function, job): index for index, job in enumerate(jobs)}
            for future in as_completed(futures):
                yield futures[future], future.result()
        except BrokenProcessPool as error:
            raise SetupError(
                "a training process was killed (memory?). Take fewer `--workers` and run again."
            ) from error
        finally:
            for process in list((pool._processes or {}).values()):
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)


def _end_with_the_parent() -> None:
    """End this process when the one that began it does, however that ends: a training would go on for nobody."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    Thread(target=watch, daemon=True).start()


@dataclass(frozen=True)
class DaskCluster(Executor):
    """The workers of a Dask cluster, by the address of its scheduler; they must see the same files."""

    address: str

    def run(self, function: Callable[[Task], TaskResult], jobs: Sequence[Task]) -> Iterator[tuple[int, TaskResult]]:
        """Yield outcomes as they come.

        Raises
        ------
        SetupError
            When Dask is not installed or the scheduler does not answer.
        """
        try:
            from distributed import Client
            from distributed import as_completed as completed
        except ImportError as error:
            raise SetupError("a cluster needs Dask, which is missing. `pip install distributed`.") from error
        try:
            client = Client(self.address, timeout="10s", set_as_default=False)
        except OSError as error:
            raise SetupError(
                f"no Dask scheduler answers at {self.address} ({error}). Start one, or leave it out."
            ) from error
        with client:
            futures = {client.submit(function, job, pure=False): index for index, job in enumerate(jobs)}
            for future in completed(futures, loop=client.loop):
                yield futures[future], future.result()
