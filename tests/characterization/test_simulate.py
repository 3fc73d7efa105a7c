"""The ngspice boundary: every way a run can fail, provoked by a real deck, and no data of another deck ever."""

import pickle

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.waiting import wait_until

from rramkit.characterization.components.cell import one_current
from rramkit.characterization.engine.point import Job
from rramkit.characterization.engine.pool import SpicePool
from rramkit.characterization.spice_numbers import spice_number
from rramkit.errors import InputError, SimulationError
from rramkit.processes.processor_time import usage

GOOD = "divider\nV1 a 0 2\nR1 a b 1k\nR2 b 0 3k\n.op\n.end\n"
FAILING = {
    "parse": {
        "unknown subcircuit": "t\nX1 a 0 nosuch\nV1 a 0 1\n.op\n.end\n",
        "unknown model": "t\nV1 a 0 1\nD1 a 0 nosuch\n.op\n.end\n",
        "undefined parameter": "t\nV1 a 0 1\nR1 a 0 {nosuch}\n.op\n.end\n",
        "broken expression": "t\nV1 a 0 1\nB1 b 0 v = v(a)*(\nR1 b 0 1\n.op\n.end\n",
        "missing include": "t\n.include /nonexistent/model.lib\nV1 a 0 1\nR1 a 0 1\n.op\n.end\n",
        "no analysis": "t\nV1 a 0 1\nR1 a 0 1\n.end\n",
        "empty": "t\n.end\n",
    },
    "convergence": {
        "two sources in parallel": "t\nV1 a 0 1\nV2 a 0 2\nR1 a 0 1k\n.op\n.end\n",
        "no solution": "t\nB1 a 0 v = v(a) > 0.5 ? 0 : 1\nR1 a 0 1k\n.op\n.end\n",
        # dv/dt = v^2 from 1 reaches infinity at t = 1
        "finite escape time": "t\nC1 b 0 1 ic=1\nB1 0 b i = v(b)*v(b)\nR1 b 0 1e9\n.tran 1m 2 uic\n.end\n",
        "square root of a negative voltage": "t\nV1 a 0 -1\nB1 b 0 v = sqrt(v(a))\nR1 b 0 1k\n.tran 1n 10n\n.end\n",
    },
    "incomplete": {
        "stops by itself": (
            "t\nV1 a 0 pwl(0 0 10n 1)\nR1 a 0 1k\n.option autostop\n.tran 1n 1u\n.meas tran tc when v(a)=0.5\n.end\n"
        ),
    },
    "crash": {"endless recursion of a function": "t\n.func f(x) {f(x)+1}\nV1 a 0 {f(1)}\nR1 a 0 1k\n.op\n.end\n"},
}


@pytest.mark.parametrize(
    ("reason", "deck"),
    [pytest.param(reason, deck, id=name) for reason, decks in FAILING.items() for name, deck in decks.items()],
)
def test_failure_is_named_and_never_answers_with_old_data(pool, reason, deck):
    before = pool.run(GOOD)
    with pytest.raises(SimulationError) as caught:
        pool.run(deck)
    assert caught.value.reason == reason
    assert caught.value.deck == deck
    if reason != "crash":
        assert caught.value.log
    after = pool.run(GOOD)  # and the pool is as good as before
    assert after.vectors.keys() == before.vectors.keys()
    assert after["v(b)"] == before["v(b)"]


ENDLESS = "t\nV1 a 0 sin(0 1 1e9)\nR1 a b 1k\nC1 b 0 1p\n.save v(b)\n.tran 1p 1 0 1p\n.end\n"


def test_leaving_early_does_not_wait_for_a_long_run():
    """The deck takes days: that the block ends at all shows that it is not waited for."""
    with pytest.raises(KeyboardInterrupt), SpicePool(workers=2, timeout=1e6) as left:
        for _ in range(2):
            left.submit(Job(ENDLESS, one_current))
        wait_until(lambda: len(list(left.folder.iterdir())) == 2)  # each worker has its own, by its process
        pids = [int(path.name) for path in left.folder.iterdir()]
        wait_until(lambda: all(usage(pid).seconds > 1.5 for pid in pids))  # both are in ngspice by then
        raise KeyboardInterrupt


def test_a_run_that_hangs_is_killed_and_its_worker_replaced():
    """The deck takes days."""
    with SpicePool(workers=1, timeout=1.5) as short:
        with pytest.raises(SimulationError, match="timeout"):
            short.run(ENDLESS)
        assert short.run(GOOD)["v(b)"] == near(1.5, 1e-9)


def test_values_are_plain_si_arrays(pool):
    waves = pool.run(GOOD)
    assert waves.kind == "op"
    assert waves["v(b)"] == near(2 * 3 / 4, 1e-9)  # closed form; 1e-12 S of gmin is 1e-9 of the divider
    assert waves["I(V1)"] == near(-2 / 4000, 1e-8)


def test_transient_against_closed_form(pool):
    deck = "rc\nV1 a 0 1\nR1 a b 1k\nC1 b 0 1n ic=0\n.tran 1n 5u 0 1n uic\n.meas tran v_tau find v(b) at=1u\n.end\n"
    waves = pool.run(deck)
    exact = 1 - np.exp(-waves["time"] / 1e-6)
    # Trapezoidal rule with h/tau = 1e-3: (h/tau)^2/12 is below 1e-7; the first step, from uic, is a first-order one.
    assert np.max(np.abs(waves["v(b)"] - exact)) < 1e-3
    assert waves.measures["v_tau"] == near(1 - np.exp(-1), within=1e-3)


def test_sweep_ends_where_the_deck_says(pool):
    waves = pool.run("s\nV1 a 0 0\nR1 a 0 1k\n.dc V1 -0.2 0.2 0.1\n.end\n")
    assert waves.kind == "dc"
    np.testing.assert_allclose(waves["i(v1)"], -np.array([-0.2, -0.1, 0, 0.1, 0.2]) / 1e3, atol=1e-12, rtol=0)


def test_outputs_have_the_names_that_the_header_gives_them(pool):
    header = "*   v_half = v(b) [V]   middle of the divider\n"
    waves = pool.run(GOOD.replace("\n", "\n" + header, 1))
    assert waves["v_half"] == near(1.5, 1e-9) and "v(b)" not in waves.vectors
    assert waves["i(v1)"].size == 1  # the header says nothing of it: ngspice's own name
    with pytest.raises(InputError, match=r"`v_hal` must be an output that the deck declares; got one with .*v_half"):
        waves["v_hal"]
    with pytest.raises(InputError, match="`abscissa` needs a sweep or a transient"):
        _ = waves.abscissa


def test_the_abscissa_is_time_or_the_swept_source(pool):
    sweep = pool.run("s\nV1 a 0 0\nR1 a 0 1k\n.dc V1 -0.2 0.2 0.1\n.end\n")
    np.testing.assert_allclose(sweep.abscissa, [-0.2, -0.1, 0, 0.1, 0.2], atol=1e-12, rtol=0)
    transient = pool.run("rc\nV1 a 0 1\nR1 a b 1k\nC1 b 0 1n ic=0\n.tran 1n 5u 0 1n uic\n.end\n")
    assert transient.abscissa is transient["time"]


def test_a_node_named_error_is_no_error(pool):
    waves = pool.run("names\nV1 error_amp 0 1\nR1 error_amp 0 1k\n.op\n.end\n")
    assert waves["v(error_amp)"] == 1.0


def test_map_keeps_order_makes_decks_lazily_and_survives_failures(pool):
    made = []

    def deck(k):
        def make():
            made.append(k)
            return GOOD if k % 5 else FAILING["crash"]["endless recursion of a function"]

        return make

    results = pool.map((k, deck(k)) for k in range(20))
    first = next(results)
    assert len(made) < 20
    found = [first, *results]
    assert [key for key, _ in found] == list(range(20))
    for key, outcome in found:
        assert isinstance(outcome, SimulationError) == (key % 5 == 0)


def test_a_users_spiceinit_changes_nothing(tmp_path, monkeypatch):
    (tmp_path / ".spiceinit").write_text("set temp=125\noption temp=125\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    deck = "t\nV1 a 0 1\nR1 a 0 1k tc1=0.01\n.op\n.end\n"
    with SpicePool(workers=1) as own:
        assert own.run(deck)["i(v1)"] == near(-1e-3, 1e-9)


def test_the_error_travels_between_processes_whole():
    error = SimulationError("parse", "what", deck="the deck\n", log="the log")
    again = pickle.loads(pickle.dumps(error))
    assert (again.reason, again.detail, again.deck, again.log) == ("parse", "what", "the deck\n", "the log")
    assert "the deck" in str(again)


def test_workers_leave_no_files(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    with SpicePool(workers=1) as own:
        own.run(GOOD)
        assert any(tmp_path.iterdir())
    assert not list(tmp_path.glob("rramkit-*"))


@pytest.mark.parametrize(
    ("word", "value"),
    [("50n", 50e-9), ("1.5meg", 1.5e6), ("2e-9s", 2e-9), ("-0.2", -0.2), ("10mV", 10e-3), (".5u", 0.5e-6)],
)
def test_spice_numbers(word, value):
    assert spice_number(word) == near(value, 1e-15)
