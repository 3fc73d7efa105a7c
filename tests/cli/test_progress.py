"""Signs of life where no terminal is: a line after two seconds, one a stage, one a minute, with the time left."""

import io
import sys
import time
from contextlib import contextmanager

import pytest

from rramkit.characterization.engine.runner import Progress
from rramkit.cli import progress
from rramkit.cli.app import run
from rramkit.cli.progress import Log, spice_progress, training_progress
from rramkit.errors import InputError


@pytest.fixture(autouse=True)
def by_the_clock(monkeypatch):
    monkeypatch.delenv(progress.VARIABLE)


@pytest.fixture
def clock():
    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    return Clock()


@pytest.fixture
def lines():
    return []


def test_a_stage_has_a_line_when_it_ends_and_one_a_minute_before(clock, lines):
    log = Log("ngspice", write=lines.append, clock=clock)
    for second in range(1, 301):  # a point a second, 300 of them
        clock.now = 100.0 + second
        log.show("read", second, 300, of="points")
    assert lines == [
        "read: 2 of 300 points, about 5 min left, running for 2 s",
        "read: 62 of 300 points, about 4 min left, running for 62 s",
        "read: 122 of 300 points, about 3 min left, running for 2 min",
        "read: 182 of 300 points, about 2 min left, running for 3 min",
        "read: 242 of 300 points, about 58 s left, running for 4 min",
        "read: 300 of 300 points, done in 5 min",
    ]


def test_each_stage_counts_its_own_time(clock, lines):
    log = Log("ngspice", write=lines.append, clock=clock)
    log.show("read", 4, 4, of="points")
    clock.now += 10.0
    log.show("set", 1, 8, of="points", state="1 failed")
    clock.now += 40.0
    log.show("set", 8, 8, of="points")
    assert lines == ["read: 4 of 4 points, done in 1 s", "set: 8 of 8 points, done in 50 s"]


def test_a_log_without_the_clock_has_the_lines_of_stages_alone(clock, lines, monkeypatch):
    monkeypatch.setenv(progress.VARIABLE, "stages")
    log = Log("ngspice", write=lines.append, clock=clock)
    clock.now += 300.0
    log.beat()
    log.show("read", 1, 2)
    log.show("read", 2, 2)
    assert lines == ["read: 2 of 2, done in 5 min"]


def test_points_that_ran_before_do_not_shorten_the_time_left(clock, lines):
    log = Log("ngspice", write=lines.append, clock=clock)
    log.show("read", 90, 110, of="points", free=90)
    clock.now += 40.0
    log.show("read", 100, 110, of="points", state="90 of them finished before", free=90)
    assert lines == ["read: 100 of 110 points, 90 of them finished before, about 40 s left, running for 40 s"]


def test_what_gives_no_word_by_itself_still_shows_that_it_lives(clock, lines):
    log = Log("x.cir in ngspice", write=lines.append, clock=clock)
    for second in range(130):
        clock.now = 100.0 + second
        log.beat()
    assert lines == [f"x.cir in ngspice: running for {text}" for text in ("2 s", "62 s", "2 min")]


def test_many_trainings_have_a_line_each_with_the_time_left(clock, lines):
    log = Log("trainings", write=lines.append, clock=clock)
    for done in (1, 2, 3):
        clock.now += 100.0
        log.step("trainings", done, 3, f"seed={done}: test 90.00 %")
    assert [line.partition(" (")[2] for line in lines] == [
        "1 of 3, about 3 min left)",
        "2 of 3, about 2 min left)",
        "3 of 3)",
    ]


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.1, "1 s"), (89.0, "89 s"), (90.0, "2 min"), (5300.0, "88 min"), (7500.0, "2 h 05 min")]
)
def test_a_time_is_for_a_person(seconds, text):
    assert progress._time(seconds) == text


def test_the_log_goes_to_the_error_stream_and_quiet_is_quiet(capsys):
    assert not sys.stderr.isatty()
    for quiet in (False, True):
        with spice_progress(quiet=quiet) as show:
            show(Progress("read", 1, 2))
            show(Progress("read", 2, 2, failed=1, reused=1))
    assert capsys.readouterr() == ("", "read: 2 of 2 points, 1 of them finished before, 1 failed, done in 1 s\n")


def test_a_block_that_takes_long_is_heard_of(capsys, monkeypatch):
    monkeypatch.setattr(progress, "FIRST", 0.01)
    with progress.log("x.cir in ngspice", quiet=False):
        while not (heard := capsys.readouterr().err):  # the line comes from beside the block; no time is measured
            time.sleep(0.01)
    assert heard == "x.cir in ngspice: running for 1 s\n"


def test_a_stage_of_a_command_has_a_line_when_it_took_long(clock, lines):
    log = Log("report", write=lines.append, clock=clock)
    for name, seconds in (("cost", 0.5), ("pictures of the tables", 40.0), ("page", 0.0)):
        clock.now += 1.0
        log.begin(name)
        clock.now += seconds
    log.begin("end")
    assert lines == ["pictures of the tables: done in 41 s"]  # neither the loading before, nor what was short


def test_every_command_runs_in_a_log_of_its_name(monkeypatch):
    """The one way in which a command is heard of: what takes long has a line, whatever the command does itself."""
    opened = []

    @contextmanager
    def heard(name, *, quiet):
        opened.append((name, quiet))
        yield

    monkeypatch.setattr(progress, "log", heard)
    assert run(["explain", "cell.w_access"]) == 0
    with pytest.raises(InputError):
        run(["export", "none.h5", "--to", "aihwkit", "-o", "x.py"])
    with pytest.raises(InputError):
        run(["simulate", "none.cir", "--json"])
    assert opened == [("explain", False), ("export", False), ("simulate", True)]


def test_the_innermost_log_speaks_alone(capsys, monkeypatch):
    monkeypatch.setattr(progress, "FIRST", 0.01)
    with progress.log("evaluate", quiet=False), spice_progress(quiet=True):
        time.sleep(0.2)  # twenty times as long as the log around would wait
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("seconds", "done", "free", "shown"),
    [
        (10.0, 100, 0, ["10.0 points/s", "about 10 s left"]),
        (10.0, 110, 100, ["1.0 points/s", "about 2 min left"]),
        (0.1, 29429, 29429, []),  # read from a store: no rate
        (0.1, 29429, 29428, []),  # nor of the first second
    ],
)
def test_points_that_are_free_have_no_rate(seconds, done, free, shown):
    assert progress._rate_and_left(seconds, done, done if done > 200 else 200, of="points", free=free) == shown


def test_on_a_terminal_a_bar_names_its_stage_and_the_time_left(monkeypatch, capsys):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("COLUMNS", "100")
    with progress.log("plot", quiet=False), progress.stages("plot", quiet=False) as show:
        show("plot", 1, 2, of="pictures")
        assert progress._open[-1] is None  # the bar speaks, the log around it is still
        show("plot", 2, 2, of="pictures")
    assert "plot" in terminal.getvalue() and "2/2" in terminal.getvalue()
    assert progress._open == [] and capsys.readouterr().out == ""


def test_a_training_has_its_outcome_in_the_line(capsys):
    class Epoch:
        done, total, text = 3, 3, "validation 95.00 %"

    with training_progress(quiet=False) as show:
        show(Epoch())  # pyright: ignore[reportArgumentType]
    assert capsys.readouterr().err == "training: 3 of 3, validation 95.00 %, done in 1 s\n"
