"""Time limits count processor time: a busy, stopped or suspended worker loses nothing, one that spins or hangs ends."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fixtures import jobs
from fixtures.waiting import BACKSTOP, state_of, wait_until

from rramkit.processes import processor_time
from rramkit.processes.processor_time import TimeLimitError, run_limited
from rramkit.processes.workers import StartError, WorkerLost, Workers


@contextmanager
def workers(count: int = 1, *, timeout: float) -> Iterator[Workers]:
    started = Workers(count, jobs.main, (), timeout=timeout, recycle=100)
    try:
        yield started
    finally:
        started.stop()


def test_a_job_that_spins_is_killed_and_the_next_one_runs():
    with workers(timeout=0.3) as pool:
        endless, next_job = pool.submit(jobs.spin, 1e9), pool.submit(jobs.spin, 0.0)
        with pytest.raises(WorkerLost) as caught:
            endless.result(BACKSTOP)
        assert caught.value.exit_code is None
        assert caught.value.reason == "no result within 0.3 s of processor time"
        assert next_job.result(BACKSTOP) > 0


def test_each_job_has_the_whole_limit():
    with workers(timeout=0.6) as pool:
        futures = [pool.submit(jobs.spin, 0.4) for _ in range(4)]
        assert len({future.result(BACKSTOP) for future in futures}) == 1


def test_a_stopped_worker_loses_nothing(monkeypatch):
    """As a suspended machine or a paused job: it is stopped for longer than either limit."""
    with workers(timeout=0.3) as pool:
        pid = pool.submit(jobs.spin, 0.0).result(BACKSTOP)
        monkeypatch.setattr(processor_time, "ASLEEP_SECONDS", 0.2)
        future = pool.submit(jobs.stop_then_spin, 0.05)
        wait_until(lambda: state_of(pid) == "T")
        with pytest.raises(TimeoutError):
            future.result(1.5)  # five times the limit
        os.kill(pid, signal.SIGCONT)
        assert future.result(BACKSTOP) == pid


def test_a_busy_machine_loses_nothing():
    """Nine processes on one core: the job takes nine times its processor time, three times its limit."""
    core = {min(os.sched_getaffinity(0))}
    spinning = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(8)]
    try:
        with workers(timeout=0.6) as pool:
            pid = pool.submit(jobs.spin, 0.0).result(BACKSTOP)
            for process in (pid, *(each.pid for each in spinning)):
                os.sched_setaffinity(process, core)
            assert pool.submit(jobs.spin, 0.2).result(BACKSTOP) == pid
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def test_a_job_that_sleeps_for_ever_is_killed(monkeypatch):
    with workers(timeout=100.0) as pool:
        pool.submit(jobs.spin, 0.0).result(BACKSTOP)  # the start of the worker has the usual limits
        monkeypatch.setattr(processor_time, "ASLEEP_SECONDS", 0.3)
        monkeypatch.setattr(processor_time, "LOOK_SECONDS", 0.1)
        with pytest.raises(WorkerLost, match="no processor time"):
            pool.submit(jobs.sleep_for_ever, None).result(BACKSTOP)


def test_a_crash_carries_its_exit_code():
    with workers(timeout=1.0) as pool:
        with pytest.raises(WorkerLost) as caught:
            pool.submit(jobs.crash, 7).result(BACKSTOP)
        assert caught.value.exit_code == 7
        assert pool.submit(jobs.spin, 0.0).result(BACKSTOP) > 0


def test_workers_that_never_become_ready_are_an_error():
    failing = Workers(1, sys.exit, (), timeout=1.0, recycle=1)
    try:
        with pytest.raises(StartError):
            failing.submit(jobs.spin, 0.0).result(BACKSTOP)
    finally:
        failing.stop()


def test_a_program_within_its_limit_returns_its_output(tmp_path):
    done = run_limited(["sh", "-c", "echo out; echo err >&2; exit 3"], seconds=10.0, cwd=tmp_path, env=os.environ)
    assert (done.stdout, done.stderr, done.returncode) == ("out\n", "err\n", 3)


def test_a_program_that_spins_is_killed(tmp_path):
    with pytest.raises(TimeLimitError, match=r"within 0\.2 s of processor time"):
        run_limited([sys.executable, "-c", "while True: pass"], seconds=0.2, cwd=tmp_path, env=os.environ)


def test_two_jobs_run_on_two_workers(tmp_path):
    """The worker that starts first leaves the second job to the other one: each job waits for the other."""
    with workers(2, timeout=60.0) as pool:
        futures = [pool.submit(jobs.meet, (str(tmp_path), 2)) for _ in range(2)]
        assert len({future.result(BACKSTOP) for future in futures}) == 2
