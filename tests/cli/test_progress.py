"""Signs of life where no terminal is: a line after two seconds, one a stage, one a minute, with the time left."""

import sys
import time

import pytest

from rramkit.characterization.engine.runner import Progress
from rramkit.cli import progress
from rramkit.cli.progress import Log, spice_progress, training_progress


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


def test_a_training_has_its_outcome_in_the_line(capsys):
    class Epoch:
        done, total, text = 3, 3, "validation 95.00 %"

    with training_progress(quiet=False) as show:
        show(Epoch())  # pyright: ignore[reportArgumentType]
    assert capsys.readouterr().err == "training: 3 of 3, validation 95.00 %, done in 1 s\n"
