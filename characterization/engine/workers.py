"""Worker processes that can be lost at any moment: killed, crashed or hung, each costs the one job it had.

One pipe for each worker and nothing shared between them, so that no death leaves a lock behind. One thread hands out
jobs, reads results, replaces what has died and kills what is over its time.
"""

import signal
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, field
from math import inf
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from threading import Lock, Thread
from time import monotonic
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_CONTEXT = get_context("spawn")  # a forked copy of a threaded parent may hang
_STILLBORN = 3  # workers in a row that end before they are ready: something is wrong that another one will not mend
_AHEAD = 2  # jobs in a worker's pipe, the one it does among them: it need not wait until this process has a moment
_START_SECONDS = 120.0  # 0.5 s is usual; a loaded machine with a cold disk needs more


class Lost(Exception):
    """The worker that had the job is gone; `exit_code` is its process' own, or None when it was over its time."""

    def __init__(self, exit_code: int | None) -> None:
        super().__init__(exit_code)
        self.exit_code = exit_code


class Stillborn(Exception):
    """Workers end before they are ready."""


@dataclass
class _Task:
    work: tuple[Callable[..., Any], object]
    future: "Future[Any]"


@dataclass
class _Worker:
    """`tasks` is what it does now and what waits in its pipe; `since` is when it began that, or was started."""

    process: BaseProcess
    pipe: Connection
    ready: bool = False
    runs: int = 0
    tasks: deque[_Task] = field(default_factory=deque)
    since: float = field(default_factory=monotonic)


class Workers:
    """A number of processes that each run `main(pipe, *arguments)`: see `answer` for what that must do.

    Parameters
    ----------
    count : int
        How many.
    main, arguments : callable, tuple
        What a worker runs; both travel to it.
    timeout : float
        Seconds after which a job's worker is killed.
    recycle : int
        Jobs after which a worker is replaced.
    """

    def __init__(
        self, count: int, main: Callable[..., None], arguments: tuple[object, ...], *, timeout: float, recycle: int
    ) -> None:
        self._count, self._main, self._arguments = count, main, arguments
        self._timeout, self._recycle = timeout, recycle
        self._workers: list[_Worker] = []
        self._waiting: deque[_Task] = deque()
        self._lock, self._stopped, self._stillborn = Lock(), False, 0
        self._bell, self._ear = _CONTEXT.Pipe()
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    def submit(self, function: Callable[..., _Result], argument: object) -> "Future[_Result]":
        """Hand out `function(state, argument)`; `state` is what `main` gives to `answer`."""
        task = _Task((function, argument), Future())
        with self._lock:
            if self._stopped:
                raise RuntimeError("the workers were stopped")
            self._waiting.append(task)
        self._bell.send(None)
        return task.future

    def stop(self) -> None:
        """End all workers now; what they were doing is cancelled."""
        with self._lock:
            self._stopped = True
        self._bell.send(None)
        self._thread.join()

    def _serve(self) -> None:
        resource_tracker.ensure_running()  # when it starts, it unblocks what the next line blocks
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # Ctrl-C is the main thread's; workers inherit this
        error: Exception | None = None
        try:
            self._fill(self._count)
            while not self._stopped:
                self._turn()
        except Exception as failure:  # noqa: BLE001  (such as no room for a process: whoever waits must hear of it)
            error = failure
        with self._lock:
            self._stopped = True
        for worker in list(self._workers):
            self._bury(worker, error)
        while self._waiting:
            _end(self._waiting.popleft(), error)

    def _turn(self) -> None:
        """Hand out what there is, then wait for the next thing that happens, and see to it."""
        self._fill(min(self._count, len(self._workers) + len(self._waiting)))
        self._hand_out()
        for pipe in wait([self._ear, *(worker.pipe for worker in self._workers)], self._patience()):
            if pipe is self._ear:
                self._ear.recv()
            else:
                self._listen(next(worker for worker in self._workers if worker.pipe is pipe))
        for worker in [each for each in self._workers if self._due(each) < monotonic()]:
            self._bury(worker, Lost(None))

    def _fill(self, count: int) -> None:
        """Start workers up to a number."""
        while len(self._workers) < count:
            ours, theirs = _CONTEXT.Pipe()
            process = _CONTEXT.Process(target=self._main, args=(theirs, *self._arguments), daemon=True)
            process.start()
            theirs.close()  # so that the worker's end is the only one, and its death is the end of the pipe
            self._workers.append(_Worker(process, ours))

    def _hand_out(self) -> None:
        """Give each worker its next job, and then each another one ahead."""
        for depth in range(1, _AHEAD + 1):
            for worker in self._workers:
                while worker.ready and len(worker.tasks) < depth and self._waiting:
                    task = self._waiting.popleft()
                    if task.future.running() or task.future.set_running_or_notify_cancel():
                        self._send(worker, task)

    def _send(self, worker: _Worker, task: _Task) -> None:
        worker.since = worker.since if worker.tasks else monotonic()
        worker.tasks.append(task)
        try:
            worker.pipe.send(task.work)
        except OSError:  # it has just died: `_listen` will see
            return
        except Exception as error:  # noqa: BLE001  (what cannot be pickled is the caller's to hear of)
            worker.tasks.pop()
            task.future.set_exception(error)

    def _listen(self, worker: _Worker) -> None:
        try:
            is_good, said, is_usable = worker.pipe.recv()
        except (EOFError, OSError):
            worker.process.join()
            self._bury(worker, Lost(worker.process.exitcode))
            return
        if not worker.ready:
            worker.ready, self._stillborn = True, 0
            return
        task, worker.since = worker.tasks.popleft(), monotonic()
        worker.runs += 1
        if is_good:
            task.future.set_result(said)
        else:
            task.future.set_exception(said)
        if worker.runs >= self._recycle or not is_usable:
            self._bury(worker, None)

    def _bury(self, worker: _Worker, error: Exception | None) -> None:
        """End a worker; the job that it did fails with `error`, those that waited in its pipe go to another one."""
        worker.process.kill()
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        if error is not None and worker.tasks:
            worker.tasks.popleft().future.set_exception(error)
        self._waiting.extendleft(reversed(worker.tasks))
        if not worker.ready and isinstance(error, Lost):
            self._stillborn += 1
            while self._stillborn >= _STILLBORN and self._waiting:
                _end(self._waiting.popleft(), Stillborn())

    def _due(self, worker: _Worker) -> float:
        """Return the moment at which a worker is over its time."""
        if worker.tasks:
            return worker.since + self._timeout
        return inf if worker.ready else worker.since + _START_SECONDS

    def _patience(self) -> float | None:
        """Return the seconds until the first worker is over its time; None when none can be."""
        first = min((self._due(worker) for worker in self._workers), default=inf)
        return None if first == inf else max(first - monotonic(), 0.0) + 0.001


def _end(task: _Task, error: Exception | None) -> None:
    """End a job without a result; a future that runs cannot be cancelled, and says so."""
    if error is not None:
        task.future.set_exception(error)
    elif not task.future.cancel():
        task.future.set_exception(CancelledError())


def answer(pipe: Connection, state: object, is_usable: Callable[[], bool]) -> None:
    """Serve jobs in a worker until its parent is gone, or until it is usable no more; `main` ends with this."""
    pipe.send((True, None, True))  # ready
    while is_usable():
        try:
            function, argument = pipe.recv()
        except (EOFError, OSError):
            return
        try:
            said = (True, function(state, argument), is_usable())
        except Exception as error:  # noqa: BLE001  (every error is the parent's to hear of)
            said = (False, error, is_usable())
        pipe.send(said)
