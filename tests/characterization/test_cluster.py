"""A real Dask scheduler and real workers on the loopback address: the same numbers, a lost worker costs nothing."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixtures.characterize_run import numbers, rows_of, run, started
from fixtures.closeness import near
from fixtures.waiting import BACKSTOP, wait_until

from rramkit.characterization.components.cell import one_current
from rramkit.characterization.engine.cluster import Cluster
from rramkit.characterization.engine.point import Job
from rramkit.errors import SetupError, SimulationError
from rramkit.processes import dask as dask_client

pytestmark = [pytest.mark.spice, pytest.mark.long]

ROOT = str(Path(__file__).parents[2])
CRASH = "t\n.func f(x) {f(x)+1}\nV1 a 0 {f(1)}\nR1 a 0 1k\n.op\n.end\n"
GOOD = "divider\n* i_cell_0 = i(v_sl_0) [A] current\nV1 a 0 2\nR1 a b 1k\nV_sl_0 b 0 0\n.op\n.end\n"


class Dask:
    """A scheduler with two workers of one thread each, every one a process group of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.file = folder, folder / "scheduler.json"
        self.processes = [self._started("scheduler", "--host", "127.0.0.1", "--port", "0")]
        self._wait(self.file.exists)
        self.address = json.loads(self.file.read_text())["address"]
        for _ in range(2):
            self.add_worker()

    def add_worker(self) -> None:
        own = self.folder / f"worker-{len(self.processes)}"
        self.processes.append(
            self._started("worker", "--host", "127.0.0.1", "--nthreads", "1", "--local-directory", str(own))
        )

    def lose_worker(self) -> None:
        self._end(self.processes.pop())

    def stop(self) -> None:
        for process in reversed(self.processes):
            self._end(process)

    def _end(self, process: subprocess.Popen) -> None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    def _started(self, what: str, *arguments: str) -> subprocess.Popen:
        with (self.folder / f"{what}.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dask", what, "--scheduler-file", str(self.file), "--no-dashboard", *arguments],
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": ROOT},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def _wait(self, condition) -> None:
        wait_until(condition, lambda: (self.folder / "scheduler.log").read_text())


@pytest.fixture(scope="module")
def dask(tmp_path_factory) -> Iterator[Dask]:
    made = Dask(tmp_path_factory.mktemp("dask"))
    yield made
    made.stop()


def test_a_crash_costs_one_point_there_too(dask):
    with Cluster(dask.address) as cluster:
        assert cluster.simulator.startswith("ngspice ")
        jobs = [cluster.submit(Job(deck, one_current)) for deck in (GOOD, CRASH, GOOD)]
        assert [float(jobs[k].result(BACKSTOP).values[0]) for k in (0, 2)] == near([2e-3, 2e-3], 1e-9)
        with pytest.raises(SimulationError, match="crash"):
            jobs[1].result(BACKSTOP)


def test_the_same_numbers_though_a_worker_is_lost(dask, tmp_path):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    assert run(here, "-o", "out.h5") == (0, "")
    job = started(there, "-o", "out.h5", "--scheduler", dask.address)
    wait_until(lambda: rows_of(there / "out.points") >= 14 or job.poll() is not None)
    assert job.poll() is None
    dask.lose_worker()
    assert job.communicate(timeout=BACKSTOP) == ("", "") or job.returncode == 0
    assert numbers(there / "out.h5") == numbers(here / "out.h5")
    dask.add_worker()


def test_what_is_no_scheduler_is_an_error_of_one_line(monkeypatch):
    monkeypatch.setattr(dask_client, "_CONNECT_SECONDS", 1.0)
    with pytest.raises(SetupError, match=r"`--scheduler` must be the address of a Dask scheduler.*got 'tcp://127"):
        Cluster("tcp://127.0.0.1:9")


def test_tls_without_a_certificate_is_an_error_of_one_line_at_once():
    """Dask's own client fails late then, with a traceback, and waits a minute at its end."""
    with pytest.raises(SetupError, match=r"distributed\.comm\.tls\.ca-file") as error:
        dask_client.connect("tls://127.0.0.1:9")
    assert "\n" not in str(error.value)
