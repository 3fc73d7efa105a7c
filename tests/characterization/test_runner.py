"""Points on their bench: convergence aids, failures as results, too many of them; in the real ngspice."""

from concurrent.futures import Future
from functools import partial

import numpy as np
import pytest

from rramkit.characterization.engine.convergence_aids import LADDER, finer
from rramkit.characterization.engine.point import Point, PointGroup, values_or_nan
from rramkit.characterization.engine.runner import Runner, silent
from rramkit.errors import SimulationError

pytestmark = pytest.mark.spice

DIVIDER = "divider\nV1 a 0 {v}\nR1 a b 1k\nR2 b 0 3k\n.op\n.end\n"
NO_SOLUTION = "t\nB1 a 0 v = v(a) > 0.5 ? 0 : 1\nR1 a 0 1k\n.op\n.end\n"
CRASH = "t\n.func f(x) {f(x)+1}\nV1 a 0 {f(1)}\nR1 a 0 1k\n.op\n.end\n"


def voltage(waves, node):
    return waves[f"v({node})"]


def nothing(waves):
    return np.full(1, np.nan)


def divider(v):
    return Point(lambda: DIVIDER.format(v=v), partial(voltage, node="b"), f"v = {v}")


def deck(text, node="a"):
    return Point(lambda: text, partial(voltage, node=node))


def test_outcomes_come_back_in_order_and_measured(pool):
    told = []
    bench = Runner(pool, told.append)
    outcomes = bench.run("dividers", [divider(v) for v in range(1, 12)])
    np.testing.assert_allclose(values_or_nan(outcomes, (1,))[:, 0], 0.75 * np.arange(1, 12), rtol=1e-8)
    assert {outcome.attempt for outcome in outcomes} == {0}
    assert (bench.tally.runs, bench.tally.failed) == (11, 0)
    assert [progress.done for progress in told] == list(range(1, 12))
    assert told[-1].total == 11


def test_a_failed_point_is_a_result(pool):
    points = [divider(v) for v in range(1, 20)] + [deck(NO_SOLUTION)]
    bench = Runner(pool, silent, max_failed=0.05)
    outcomes = bench.run("one in twenty", points)
    assert [outcome.reason for outcome in outcomes] == [None] * 19 + ["convergence"]
    assert outcomes[-1].values is None
    assert outcomes[-1].attempt == len(LADDER) - 1  # every aid was tried
    assert bench.tally.failed == 1
    assert np.isnan(values_or_nan(outcomes, (1,))[-1, 0])


def test_one_more_than_max_failed_fails_the_run_with_a_list(pool):
    points = [divider(v) for v in range(1, 19)] + [deck(NO_SOLUTION)] * 2
    with pytest.raises(SimulationError, match=r"2 of the 20 points of `stage` failed every attempt.*0\.05") as caught:
        Runner(pool, silent, max_failed=0.05).run("stage", points)
    assert "stage 18" in caught.value.log and "stage 19" in caught.value.log
    assert caught.value.deck


def test_points_that_others_build_on_may_not_fail(pool):
    with pytest.raises(SimulationError, match="1 of the 4"):
        Runner(pool, silent, max_failed=1.0).need("states", [divider(1)] * 3 + [deck(NO_SOLUTION)])


def test_a_crash_costs_one_point(pool):
    points = [divider(1), deck(CRASH), divider(2)]
    outcomes = Runner(pool, silent, max_failed=0.5).run("crash", points)
    assert [outcome.reason for outcome in outcomes] == [None, "crash", None]


def test_a_wrong_deck_fails_at_once(pool):
    wrong = deck("t\nX1 a 0 nosuch\nV1 a 0 1\n.op\n.end\n")
    with pytest.raises(SimulationError, match="parse"):
        Runner(pool, silent, max_failed=1.0).run("wrong", [wrong, divider(1)])


def test_a_measure_without_numbers_is_a_failure(pool):
    point = Point(lambda: DIVIDER.format(v=1), nothing)
    missing = Point(lambda: DIVIDER.format(v=1), partial(voltage, node="nosuch"))
    outcomes = Runner(pool, silent, max_failed=1.0).run("measures", [point, missing])
    assert [outcome.reason for outcome in outcomes] == ["measure", "measure"]
    assert "nosuch" in outcomes[1].detail


def test_rungs_change_the_solver_and_not_the_circuit():
    steps = "t\nV1 a 0 1\nR1 a 0 1k\n.options reltol=1e-4\n.tran 2e-9 1e-8 0 2e-9 uic\n.end\n"
    assert ".tran 1.000000000e-09 1.000000000e-08 0 1.000000000e-09 uic" in finer(steps)
    assert "reltol=1e-5" in finer(steps)
    for aid in LADDER:
        changed = [line for line in aid.change(steps).splitlines() if not line.startswith((".tran", ".options"))]
        assert changed == [line for line in steps.splitlines() if not line.startswith((".tran", ".options"))]


def both(waves):
    return np.stack([waves["v(b)"], waves["v(b)"]])


def test_points_whose_shared_deck_fails_run_alone_and_are_marked(pool):
    points = (divider(1), divider(2))
    bench = Runner(pool, silent)
    good = PointGroup(points, lambda: DIVIDER.format(v=3), both)
    split = PointGroup(points, lambda: NO_SOLUTION, both)
    outcomes = bench.run("groups", [good, split, divider(4)])
    # The split ones have the numbers of their own decks, and say so.
    np.testing.assert_allclose(values_or_nan(outcomes, (1,))[:, 0], [2.25, 2.25, 0.75, 1.5, 3.0], rtol=1e-8)
    assert [outcome.alone for outcome in outcomes] == [False, False, True, True, False]
    assert (bench.tally.retried, bench.tally.alone, bench.tally.failed) == (2, 2, 0)
    assert bench.tally.retries() == "2 retried, 2 of them alone, after a shared deck that failed"


class Flaky:
    """An executor whose first attempt at every deck is lost with its process."""

    def __init__(self, pool, reason):
        self.pool, self.reason, self.seen = pool, reason, set()
        self.simulator, self.workers = pool.simulator, pool.workers

    def submit(self, job):
        if job.deck in self.seen:
            return self.pool.submit(job)
        self.seen.add(job.deck)
        future = Future()
        future.set_exception(SimulationError(self.reason, "lost", deck=job.deck))
        return future


@pytest.mark.parametrize("reason", ["crash", "killed", "timeout"])
def test_what_ran_again_is_counted_and_gives_the_same_numbers(pool, reason):
    once, again = Runner(pool, silent), Runner(Flaky(pool, reason), silent)
    first, second = (values_or_nan(each.run("d", [divider(1), divider(2)]), (1,)) for each in (once, again))
    np.testing.assert_array_equal(first, second)
    assert (once.tally.retried, again.tally.retried, again.tally.alone) == (0, 2, 0)
