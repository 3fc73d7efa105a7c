"""Executors: they run a function of a module on many tasks, on processes of this machine or on a Dask cluster."""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from math import inf
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from rramkit.cores import cores
from rramkit.errors import SetupError
from rramkit.processes.dask import connect
from rramkit.processes.workers import StartError, WorkerLost, Workers, end_with_parent, serve

Task = TypeVar("Task")
TaskResult = TypeVar("TaskResult")
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_KERNEL_THREADS = "RRAMKIT_THREADS"  # of `rramkit.array.kernels.parts`
_NEVER = 2**31  # tasks until a worker is replaced


class Executor(ABC):
    """Runs a function on many tasks."""

    @abstractmethod
    def run(self, function: Callable[[Task], TaskResult], jobs: Sequence[Task]) -> Iterator[tuple[int, TaskResult]]:
        """Yield (index of the task, result) as they come; `function` is a module's own, tasks can be pickled."""


@dataclass(frozen=True)
class Processes(Executor):
    """Processes of this machine; each uses one core, so that they do not slow each other down.

    `workers` is their number; default: one for each core that this process may use.
    """

    workers: int | None = None

    def run(self, function: Callable[[Task], TaskResult], jobs: Sequence[Task]) -> Iterator[tuple[int, TaskResult]]:
        """Yield results as they come; the processes end with the iteration.

        Raises
        ------
        SetupError
            When a process is killed from outside.
        """
        for name in _THREADS:
            os.environ.setdefault(name, "1")
        count = min(self.workers or cores(), max(len(jobs), 1))
        workers = Workers(count, _main, (), timeout=inf, recycle=_NEVER, depth=1)
        try:
            futures: dict[Future[TaskResult], int] = {
                workers.submit(_call, (function, job)): index for index, job in enumerate(jobs)
            }
            for future in as_completed(futures):
                yield futures[future], future.result()
        except WorkerLost as error:
            raise SetupError("a process was killed (memory?). Pass fewer `--workers` and run again.") from error
        except StartError as error:
            raise SetupError(
                "the processes end before they start. In a script, call the kit under `if __name__ == '__main__':`, "
                "since each process imports the script again."
            ) from error
        finally:
            workers.stop()


@dataclass(frozen=True)
class DaskCluster(Executor):
    """The workers of a Dask cluster, by the address of its scheduler; they must have the same files."""

    address: str

    def run(self, function: Callable[[Task], TaskResult], jobs: Sequence[Task]) -> Iterator[tuple[int, TaskResult]]:
        """Yield results as they come.

        Raises
        ------
        SetupError
            When Dask is not installed or the scheduler does not answer.
        """
        with connect(self.address) as client:
            from distributed import as_completed as completed

            futures = {client.submit(function, job, pure=False): index for index, job in enumerate(jobs)}
            for future in completed(futures, loop=client.loop):
                yield futures[future], future.result()


@contextmanager
def beside(function: Callable[[Task], TaskResult], task: Task) -> "Iterator[Future[TaskResult]]":
    """Yield the future of `function(task)`, which runs in a process of its own and is ended with the block.

    `function` is a module's own, task and result can be pickled.
    """
    workers = Workers(1, _main, (), timeout=inf, recycle=_NEVER, depth=1)
    try:
        yield workers.submit(_call, (function, task))
    finally:
        workers.stop()


def _main(pipe: Connection) -> None:
    os.environ.setdefault(_KERNEL_THREADS, "1")  # here: the parent goes on with its own
    watch = end_with_parent()
    serve(pipe, None, lambda: True)
    watch.join()  # the parent has ended, or kills this process in a moment


def _call(state: None, work: tuple[Callable[[Any], Any], Any]) -> Any:  # noqa: ANN401  (of any function)
    function, task = work
    return function(task)
