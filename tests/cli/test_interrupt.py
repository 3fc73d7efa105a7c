"""A real Ctrl-C: soon over, one line, no process, no unfinished file, an older result untouched."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from fixtures.synthetic import tables

from rramkit import table

PROGRAM = "import sys; sys.argv[0] = 'rramkit'; from rramkit.cli import main; main()"


class Started:
    """The command line as a process group of its own, in an empty folder with a folder for temporary files."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.folder, self.temporary = folder / "work", folder / "tmp"
        for path in (self.folder, self.temporary):
            path.mkdir()
        self.before: dict[str, bytes] = {}
        self.arguments = arguments

    def __enter__(self) -> "Started":
        (self.folder / "out.h5").write_text("an older result")
        table.save(tables(), self.folder / "in.h5")
        self.before = self.files()
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "TMPDIR": str(self.temporary),
            "PYTHONUNBUFFERED": "1",
        }
        self.process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *self.arguments],
            cwd=self.folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.communicate()

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}

    def unchanged(self) -> bool:
        """Whether every file that was there before is what it was."""
        return {name: raw for name, raw in self.files().items() if name in self.before} == self.before

    def running(self) -> list[str]:
        """Living processes of the group, by their state and name."""
        found = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = stat.read_text().rpartition(")")
            except OSError:
                continue
            state, _, group = rest.split()[:3]
            if int(group) == self.process.pid and state != "Z":
                found.append(name)
        return found

    def wait_until(self, happened, seconds: float) -> None:
        end = time.monotonic() + seconds
        while not happened():
            assert time.monotonic() < end, "it did not happen in time"
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("number", "whole_group", "code"),
    [(signal.SIGINT, True, 130), (signal.SIGINT, False, 130), (signal.SIGTERM, False, 143)],
)
def test_characterize_ends_tidily(tmp_path, number, whole_group, code):
    with Started(tmp_path, "characterize", "-o", "out.h5", "-q", "--workers", "2") as job:
        job.wait_until(lambda: len(list(job.temporary.glob("rramkit-*/*"))) == 2, 30)
        assert len(job.running()) >= 3
        asked = time.monotonic()
        (os.killpg if whole_group else os.kill)(job.process.pid, number)
        out, err = job.process.communicate(timeout=20)
        assert time.monotonic() - asked < 5  # 0.3 s by itself; the rest is for a busy machine
        assert job.process.returncode == code
        assert err.count("\n") == 1
        assert err.startswith("rramkit: interrupted")
        assert "finished points are kept in out.points; the same command goes on there" in err
        assert out == ""
        assert job.files().keys() - job.before.keys() == {"out.points"}
        assert job.unchanged()
        assert list(job.temporary.iterdir()) == []
        job.wait_until(lambda: not job.running(), 5)


def test_a_killed_characterize_takes_its_workers_along(tmp_path):
    with Started(tmp_path, "characterize", "-o", "out.h5", "-q", "--workers", "2") as job:
        job.wait_until(lambda: len(list(job.temporary.glob("rramkit-*/*"))) == 2, 30)
        job.process.kill()
        job.wait_until(lambda: not job.running(), 10)
        assert job.files().keys() - job.before.keys() <= {"out.points", "out.points-journal", ".out.h5.lock"}
        assert job.unchanged()
        assert list(job.temporary.iterdir()) == []


def test_train_ends_tidily(tmp_path):
    with Started(tmp_path, "train", "--tables", "in.h5", "-o", "out.h5", "--epochs", "10000") as job:
        time.sleep(2.0)
        job.process.send_signal(signal.SIGINT)
        _, err = job.process.communicate(timeout=20)
        assert job.process.returncode == 130
        assert "Traceback" not in err
        assert err.splitlines()[-1].startswith("rramkit: interrupted")
        assert job.files() == job.before


@pytest.mark.parametrize("delay", [0.15, 0.3, 0.6])
def test_even_while_it_loads(tmp_path, delay):
    with Started(tmp_path, "train", "--tables", "in.h5", "-o", "out.h5", "-q") as job:
        time.sleep(delay)
        job.process.send_signal(signal.SIGINT)
        _, err = job.process.communicate(timeout=20)
        # Python itself, before the kit's first line, dies of the signal without a word of ours.
        assert (job.process.returncode, err.count("\n")) == (130, 1) or job.process.returncode == -signal.SIGINT
        assert job.files() == job.before
