"""A real Ctrl-C or SIGTERM: one line and its exit code, no process, no unfinished file, an older result untouched."""

import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from fixtures.synthetic import tables
from fixtures.waiting import BACKSTOP, wait_until

from rramkit import table
from rramkit.cli import entry
from rramkit.learning.checkpoint import path_of

PROGRAM = "import sys; sys.argv[0] = 'rramkit'; from rramkit.cli import main; main()"


class Started:
    """The command line as a process group of its own, in an empty folder with a folder for temporary files."""

    def __init__(self, folder: Path, *arguments: str, program: str = PROGRAM) -> None:
        self.folder, self.temporary, self.program = folder / "work", folder / "tmp", program
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
            [sys.executable, "-c", self.program, *self.arguments],
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

    def tidy(self) -> bool:
        """Whether it left its files as they were, but for a checkpoint: a busy machine may have let it come to one."""
        return self.unchanged() and self.files().keys() - self.before.keys() <= {path_of(Path("out.h5")).name}

    def running(self) -> list[str]:
        """Names of the group's living processes."""
        names = []
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = stat.read_text().rpartition(")")
            except OSError:
                continue
            state, _, group = rest.split()[:3]
            if int(group) == self.process.pid and state != "Z":
                names.append(name)
        return names

    def end(self) -> tuple[str, str]:
        """Wait for its end; return output and error output."""
        return self.process.communicate(timeout=BACKSTOP)


@pytest.mark.parametrize(
    ("number", "whole_group", "code"),
    [
        (signal.SIGINT, True, 130),
        pytest.param(signal.SIGINT, False, 130, marks=pytest.mark.long),
        (signal.SIGTERM, False, 143),
    ],
)
def test_characterize_ends_tidily(tmp_path, number, whole_group, code):
    with Started(tmp_path, "characterize", "-o", "out.h5", "-q", "--workers", "2") as job:
        wait_until(lambda: len(list(job.temporary.glob("rramkit-*/*"))) == 2)
        assert len(job.running()) >= 3
        (os.killpg if whole_group else os.kill)(job.process.pid, number)
        out, err = job.end()
        assert job.process.returncode == code
        assert err.count("\n") == 1
        assert err.startswith("rramkit: interrupted")
        assert "finished points are kept in out.points; the same command resumes there" in err
        assert out == ""
        assert job.files().keys() - job.before.keys() == {"out.points"}
        assert job.unchanged()
        assert list(job.temporary.iterdir()) == []
        wait_until(lambda: not job.running())


def test_a_killed_characterize_takes_its_workers_along(tmp_path):
    with Started(tmp_path, "characterize", "-o", "out.h5", "-q", "--workers", "2") as job:
        wait_until(lambda: len(list(job.temporary.glob("rramkit-*/*"))) == 2)
        job.process.kill()
        wait_until(lambda: not job.running())
        assert job.files().keys() - job.before.keys() <= {"out.points", "out.points-journal", ".out.h5.lock"}
        assert job.unchanged()
        assert list(job.temporary.iterdir()) == []


# Prints a line as soon as both handlers stand: from then on every signal must end in the kit's own line and code.
MARKED = """
import os, signal, sys
set_handler = signal.signal
def set_and_say(number, handler):
    set_handler(number, handler)
    if number == signal.SIGTERM:
        os.write(1, b"handled\\n")
signal.signal = set_and_say
sys.argv[0] = "rramkit"
from rramkit.cli import main
main()
"""
TRAIN = ("train", "--tables", "in.h5", "-o", "out.h5", "-q", "--epochs", "10000")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_time_ends_in_one_line(tmp_path, number):
    """At 0 to 1 s after the handlers stand: while modules load, between, and in the training."""
    for step in (0, 1, 2, 3, 4, 6, 10) if number == signal.SIGINT else (0, 3, 6):
        (tmp_path / str(step)).mkdir()
        with Started(tmp_path / str(step), *TRAIN, program=MARKED) as job:
            assert job.process.stdout is not None
            assert job.process.stdout.readline() == "handled\n"
            time.sleep(0.1 * step)
            job.process.send_signal(number)
            _, err = job.end()
            assert (job.process.returncode, err.count("\n")) == (128 + number, 1), err
            assert err.startswith("rramkit: interrupted")
            assert job.tidy()
            assert list(job.temporary.iterdir()) == []


def test_train_ends_tidily(tmp_path):
    with Started(tmp_path, "train", "--tables", "in.h5", "-o", "out.h5", "--epochs", "10000") as job:
        wait_until((job.folder / ".out.h5.lock").exists)
        job.process.send_signal(signal.SIGINT)
        _, err = job.end()
        assert job.process.returncode == 130
        assert "Traceback" not in err
        assert err.splitlines()[-1].startswith("rramkit: interrupted")
        assert job.tidy()


@pytest.mark.parametrize("steps", [(0, 2, 4, 6), pytest.param((1, 3, 5, 7, 8, 9), marks=pytest.mark.long)])
def test_a_signal_from_the_start_is_python_s_or_ours(tmp_path, steps):
    """Before the kit's first line Python itself dies of the signal; never an error of the kit with code 1.

    While Python reads the .pth files of its packages it discards the signal: a person presses Ctrl-C once more.
    """
    for step in steps:
        (tmp_path / str(step)).mkdir()
        with Started(tmp_path / str(step), *TRAIN) as job:
            time.sleep(0.02 * step)
            while job.process.poll() is None:
                job.process.send_signal(signal.SIGINT)
                with suppress(subprocess.TimeoutExpired):
                    job.process.wait(timeout=5)
            _, err = job.end()
            ours = (job.process.returncode, err.count("\n")) == (130, 1)
            assert ours or job.process.returncode == -signal.SIGINT or "rramkit/" not in err, err
            assert job.unchanged()  # after a discarded signal the training may have come to a checkpoint


IN_PLACE_OF_A_COMMAND = """
import os, signal, sys, time
import rramkit.cli.app
from rramkit.cli import main

def command(arguments):
    {body}

rramkit.cli.app.run = command
main()
"""
IN_A_DESTRUCTOR = """
    class Closed:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)
            len([])  # the handler runs before this
    Closed()
    signal.pause()
"""
IN_AN_IMPORT = """
    import pathlib
    pathlib.Path("module.py").write_text(
        "import signal, time; signal.raise_signal(signal.SIGINT); time.sleep(0.1); print('loaded', flush=True)"
    )
    sys.path.insert(0, "")
    import module
    signal.pause()
"""
IN_A_CALLBACK = """
    import weakref
    class Watched:
        pass
    def callback(_):
        signal.raise_signal(signal.SIGTERM)
        len([])  # the handler runs before this
    watched = Watched()
    reference = weakref.ref(watched, callback)
    del watched
    signal.pause()
"""
WITH_A_POOL = """
    from rramkit.characterization.engine.pool import SpicePool
    pool = SpicePool(workers=1)  # before its `with` block
    signal.raise_signal(signal.SIGTERM)
    signal.pause()
"""
IN_THE_TIDYING = """
    from rramkit.cli import entry
    entry._SAME_SECONDS = 3600.0  # however busy the machine is
    try:
        signal.raise_signal(signal.SIGINT)
        signal.pause()
    finally:
        signal.raise_signal(signal.SIGINT)  # the same request: `timeout` signals the process and its group
        print("tidied", flush=True)
        entry._SAME_SECONDS = 0.0
        signal.raise_signal(signal.SIGTERM)
        signal.pause()
"""
# Whatever the command holds is closed when its frames go, after it has ended.
BESIDE_A_GENERATOR = """
    from rramkit.cli import entry
    def held():
        try:
            yield
        finally:
            print("tidied", flush=True)
            entry._SAME_SECONDS = 0.0
            signal.raise_signal(signal.SIGTERM)
            signal.pause()
    results = held()
    next(results)
    signal.raise_signal(signal.SIGINT)
    signal.pause()
"""


@pytest.mark.parametrize(
    ("body", "code", "out", "message"),
    [
        (IN_A_DESTRUCTOR, 130, "", "interrupted. Nothing unfinished"),
        (IN_A_CALLBACK, 143, "", "interrupted. Nothing unfinished"),
        (IN_AN_IMPORT, 130, "loaded\n", "interrupted. Nothing unfinished"),
        (WITH_A_POOL, 143, "", "interrupted. Nothing unfinished"),
        (IN_THE_TIDYING, 143, "tidied\n", "interrupted twice: ended at once"),
        (BESIDE_A_GENERATOR, 143, "tidied\n", "interrupted twice: ended at once"),
    ],
    ids=["destructor", "callback", "import", "pool", "second signal", "second signal, frames closed"],
)
def test_no_signal_is_lost(tmp_path, body, code, out, message):
    with Started(tmp_path, program=IN_PLACE_OF_A_COMMAND.format(body=body.strip())) as job:
        output, err = job.end()
        assert (output, job.process.returncode, err.count("\n")) == (out, code, 1), err
        assert err.startswith(f"rramkit: {message}")
        assert list(job.temporary.iterdir()) == []


# The processes of a sweep, as long as it takes: `sum` never lets another thread of its process run.
SWEEP = """
    from rramkit.processes import Processes
    from rramkit.processes.workers import Workers
    {change}
    results = Processes(2).run(sum, [range(2), range(2), range(10**15), range(10**15)])
    next(results), next(results)
    print("busy", flush=True)
    next(results)
"""


# Signals are one request within no time at all: the test waits for the word, and not for the clock.
HANGS = """from rramkit.cli import entry
    entry._SAME_SECONDS = 0.0
    def stop(self):
        print("hangs", flush=True)
        while True:  # `pause` would sleep through a signal that comes just before it
            time.sleep(0.01)
    Workers.stop = stop"""


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_sweep_ends_with_its_processes_and_without_their_tracebacks(tmp_path, times, number):
    """Also where tidying up does not end: then by the second signal."""
    body = SWEEP.format(change=HANGS if times == 2 else "").strip()
    with Started(tmp_path, program=IN_PLACE_OF_A_COMMAND.format(body=body)) as job:
        assert job.process.stdout is not None
        assert job.process.stdout.readline() == "busy\n"
        job.process.send_signal(number)
        if times == 2:
            assert job.process.stdout.readline() == "hangs\n"  # the first signal is not one with the second
            job.process.send_signal(number)
        _, err = job.end()
        assert (job.process.returncode, err.count("\n")) == (128 + number, 1), err
        wait_until(lambda: not job.running())


def test_a_command_that_ends_well_leaves_the_handlers_of_the_system(tmp_path):
    body = "import atexit; atexit.register(lambda: os.kill(os.getpid(), signal.SIGTERM)); return 0"
    with Started(tmp_path, program=IN_PLACE_OF_A_COMMAND.format(body=body)) as job:
        assert job.end() == ("", "")
        assert job.process.returncode == -signal.SIGTERM


def test_an_interrupt_that_a_library_turned_into_another_error_is_one(kit, monkeypatch):
    def command(_arguments):
        try:
            raise entry.Interrupted(2)
        except entry.Interrupted as interrupted:
            raise SystemError("a callback returned a result with an exception set") from interrupted

    monkeypatch.setattr("rramkit.cli.app.run", command)
    monkeypatch.setattr(entry, "_clear_leftovers", lambda: None)  # it would end this process's own workers
    code, out, err = kit("train")
    assert (code, out) == (130, "")
    assert err == (
        "rramkit: interrupted. Nothing unfinished was left under a final name. The same command starts again.\n"
    )
