"""Worker processes that may end at any moment: a worker that is killed, crashes or hangs costs only its current job.

Each worker has one pipe and shares nothing with the others, so that a dead one holds no lock. One thread hands out
jobs, reads results, replaces dead workers and kills those over their time limit.
"""

import os
import signal
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing import get_context, parent_process, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from typing import Any, TypeVar

from rramkit.processes import leftovers
from rramkit.processes.processor_time import ProcessorLimit

_Result = TypeVar("_Result")
_CONTEXT = get_context("spawn")  # a forked copy of a threaded parent may hang
_START_FAILURES = 3  # workers in a row that end before they are ready: another one would end too
_START_SECONDS = 120.0  # processor time from the start of a worker until it is ready; 0.5 s is usual


class WorkerLost(Exception):
    """The worker that had the job ended.

    Attributes
    ----------
    exit_code : int, optional
        Exit code of its process; None when it was killed at its time limit.
    reason : str
        Which time limit that was.
    """

    def __init__(self, exit_code: int | None, reason: str = "") -> None:
        super().__init__(exit_code, reason)
        self.exit_code, self.reason = exit_code, reason


class StartError(Exception):
    """Workers end before they are ready."""


@dataclass
class _Task:
    work: tuple[Callable[..., Any], object]
    future: "Future[Any]"


@dataclass
class _Worker:
    """A worker process: `tasks` holds its current job and those that wait in its pipe."""

    process: BaseProcess
    pipe: Connection
    limit: ProcessorLimit
    ready: bool = False
    runs: int = 0
    tasks: deque[_Task] = field(default_factory=deque)

    @property
    def busy(self) -> bool:
        """Whether the worker runs a job or starts."""
        return bool(self.tasks) or not self.ready


class Workers:
    """A number of processes that each run `main(pipe, *arguments)`, which ends with `serve`.

    Parameters
    ----------
    count : int
        Number of processes.
    main, arguments : callable, tuple
        What a worker runs; both are pickled.
    timeout : float
        Processor seconds after which the worker of a job is killed.
    recycle : int
        Jobs after which a worker is replaced.
    depth : int
        Jobs in a worker's pipe, the current one among them: with two it need not wait for this process between short
        jobs; with one no long job waits in a busy worker while another is idle.
    """

    def __init__(
        self,
        count: int,
        main: Callable[..., None],
        arguments: tuple[object, ...],
        *,
        timeout: float,
        recycle: int,
        depth: int = 2,
    ) -> None:
        self._count, self._main, self._arguments = count, main, arguments
        self._timeout, self._recycle, self._depth = timeout, recycle, depth
        self._workers: list[_Worker] = []
        self._queue: deque[_Task] = deque()
        self._lock, self._stopped, self._start_failures = Lock(), False, 0
        self._wake, self._woken = _CONTEXT.Pipe()
        self._thread = Thread(target=self._loop, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[..., _Result], argument: object) -> "Future[_Result]":
        """Hand out `function(state, argument)`; `state` is the one that `main` passes to `serve`."""
        task = _Task((function, argument), Future())
        with self._lock:
            if self._stopped:
                raise RuntimeError("the workers were stopped")
            self._queue.append(task)
        self._wake.send(None)
        return task.future

    def stop(self) -> None:
        """End all workers now; their jobs are cancelled."""
        with self._lock:
            self._stopped = True
        self._wake.send(None)
        self._thread.join()

    def _loop(self) -> None:
        resource_tracker.ensure_running()  # when it starts, it unblocks what the next line blocks
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is the main thread's; workers inherit this
        error: Exception | None = None
        try:
            self._start_workers(self._count)
            while not self._stopped:
                self._step()
        except Exception as failure:  # noqa: BLE001  (such as no memory for a process: the futures carry it)
            error = failure
        with self._lock:
            self._stopped = True
        for worker in list(self._workers):
            self._end_worker(worker, error)
        while self._queue:
            _end_task(self._queue.popleft(), error)

    def _step(self) -> None:
        """Hand out the jobs in the queue, wait for the next event, and handle it."""
        self._start_workers(min(self._count, len(self._workers) + len(self._queue)))
        self._hand_out()
        for pipe in wait([self._woken, *(worker.pipe for worker in self._workers)], self._wait_seconds()):
            if pipe is self._woken:
                self._woken.recv()
            else:
                self._receive(next(worker for worker in self._workers if worker.pipe is pipe))
        for worker in [each for each in self._workers if each.busy]:
            reason = worker.limit.exceeded()
            if reason is not None and not worker.pipe.poll():  # a result that is there counts
                self._end_worker(worker, WorkerLost(None, reason))

    def _start_workers(self, count: int) -> None:
        """Start workers up to a number."""
        while len(self._workers) < count and not leftovers.ending():
            ours, theirs = _CONTEXT.Pipe()
            process = _CONTEXT.Process(target=self._main, args=(theirs, *self._arguments), daemon=True)
            process.start()
            leftovers.note_worker(process)
            assert process.pid is not None
            theirs.close()  # so that the worker's end is the only one, and its death is the end of the pipe
            self._workers.append(_Worker(process, ours, ProcessorLimit(process.pid, _START_SECONDS)))

    def _hand_out(self) -> None:
        """Give each worker its next job, and then each another one ahead; workers that start get theirs later."""
        starting = sum(not worker.ready for worker in self._workers)
        for depth in range(1, self._depth + 1):
            reserved = starting if depth > 1 else 0
            for worker in self._workers:
                while worker.ready and len(worker.tasks) < depth and len(self._queue) > reserved:
                    task = self._queue.popleft()
                    if task.future.running() or task.future.set_running_or_notify_cancel():
                        self._send(worker, task)

    def _send(self, worker: _Worker, task: _Task) -> None:
        if not worker.tasks:
            worker.limit.restart(self._timeout)
        worker.tasks.append(task)
        try:
            worker.pipe.send(task.work)
        except OSError:  # it has just died: `_receive` will see the end of the pipe
            return
        except Exception as error:  # noqa: BLE001  (what cannot be pickled is an error of the caller)
            worker.tasks.pop()
            task.future.set_exception(error)

    def _receive(self, worker: _Worker) -> None:
        try:
            is_good, result, is_usable = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            self._end_worker(worker, WorkerLost(worker.process.exitcode))
            return
        if not worker.ready:
            worker.ready, self._start_failures = True, 0
            return
        task = worker.tasks.popleft()
        worker.limit.restart(self._timeout)
        worker.runs += 1
        if is_good:
            task.future.set_result(result)
        else:
            task.future.set_exception(result)
        if worker.runs >= self._recycle or not is_usable:
            self._end_worker(worker, None)

    def _end_worker(self, worker: _Worker, error: Exception | None) -> None:
        """End a worker; its current job fails with `error`, those that wait in its pipe return to the queue."""
        worker.process.kill()
        worker.process.join()
        leftovers.forget_worker(worker.process)
        worker.pipe.close()
        self._workers.remove(worker)
        if error is not None and worker.tasks:
            worker.tasks.popleft().future.set_exception(error)
        self._queue.extendleft(reversed(worker.tasks))
        if not worker.ready and isinstance(error, WorkerLost):
            self._start_failures += 1
            while self._start_failures >= _START_FAILURES and self._queue:
                _end_task(self._queue.popleft(), StartError())

    def _wait_seconds(self) -> float | None:
        """Return the seconds until the next look at a busy worker; None when all are idle."""
        return min((worker.limit.wait_seconds() for worker in self._workers if worker.busy), default=None)


def _end_task(task: _Task, error: Exception | None) -> None:
    """End a job without a result: with the error, or cancelled."""
    if error is not None:
        task.future.set_exception(error)
    elif not task.future.cancel():
        task.future.set_exception(CancelledError())


def serve(pipe: Connection, state: object, is_usable: Callable[[], bool]) -> None:
    """Run jobs in a worker until its parent ends, or until `is_usable` returns False; `main` ends with this."""
    with suppress(EOFError, BrokenPipeError, ConnectionResetError):  # the parent has ended: nobody wants the result
        pipe.send((True, None, True))  # ready
        while is_usable():
            function, argument = pipe.recv()
            try:
                result = (True, function(state, argument), is_usable())
            except Exception as error:  # noqa: BLE001  (the parent raises it from the future)
                result = (False, error, is_usable())
            pipe.send(result)


def end_with_parent(cleanup: Callable[[], None] | None = None) -> Thread:
    """Start a thread that ends this process, after a `cleanup`, when the parent has ended, however that ended.

    A killed parent cannot end its workers, and their jobs would run on for nothing.
    """
    thread = Thread(target=_wait_for_parent, args=[cleanup], daemon=True)
    thread.start()
    return thread


def _wait_for_parent(cleanup: Callable[[], None] | None) -> None:
    parent = parent_process()
    if parent is not None:
        try:
            parent.join()
            if cleanup is not None:
                cleanup()
        finally:
            os._exit(1)  # whatever became of the cleanup: else the worker's job would run on
