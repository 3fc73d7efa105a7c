"""Long Live TIME: rows by gradient, as Deep Gradient Compression keeps what is not written; lifetime of the cells."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import perfect, tables

from rramkit import record
from rramkit.array import ArrayModel, VerifyParams
from rramkit.array.matrix import Gradient, Samples
from rramkit.characterization import areas
from rramkit.cli.app import run
from rramkit.cost import Assumptions, cost_of, summary
from rramkit.cost.lifetime import shortest
from rramkit.errors import InputError
from rramkit.learning import Experiment, train
from rramkit.learning.optimisers import Momentum
from rramkit.learning.rules import RowSparse
from rramkit.learning.rules.row_sparse import largest_rows
from rramkit.report.cost import section

FINE = perfect(g_step=1e-8)
ROUNDING = 1e-12  # sums of doubles in another order
ROWS, COLS, BATCHES = 6, 4, 8
TINY = {
    "network": {"hidden": [6]},
    "epochs": 1,
    "batches": BATCHES,
    "float_reference": False,
    "data": {"train_images": 100, "test_images": 20},
    "optimiser": {"kind": "momentum", "learning_rate": 0.01},
}


def gradients(count, seed=3):
    return np.random.default_rng(seed).uniform(-0.01, 0.01, (count, ROWS, COLS))


def started(rule, optimiser) -> tuple[Any, Any]:
    bound = rule.bind(FINE, ArrayModel.from_tables(FINE, wires=False), optimiser)
    weight = np.random.default_rng(1).uniform(-0.3, 0.3, (ROWS, COLS))
    return bound, bound.init([weight], rng=np.random.default_rng(5))


def stepped(bound, state, gradient) -> Any:
    return bound.step(state, [Gradient(Samples(np.eye(ROWS)), gradient)], rng=np.random.default_rng(7))


@pytest.mark.parametrize("masked", [False, True])
def test_what_is_not_written_is_kept_as_in_deep_gradient_compression(masked):
    rule = RowSparse(keep=0.34, swap_every=0, masked=masked)
    bound, state = started(rule, Momentum(0.5, momentum=0.9))
    u, r = np.zeros((ROWS, COLS)), state.chi[0].copy()
    for gradient in gradients(6):
        state = stepped(bound, state, gradient)
        u = 0.9 * u + gradient  # the paper's u; its v is -r / 0.5
        r = r - 0.5 * u
        rows = largest_rows(r, 0.34)
        r[rows] = 0.0
        if masked:
            u[rows] = 0.0
        np.testing.assert_allclose(state.chi[0], r, rtol=0, atol=ROUNDING)
        np.testing.assert_allclose(state.optimiser.first[0], u, rtol=0, atol=ROUNDING)
        assert rows.size == 2


def test_the_fraction_falls_geometrically_while_it_warms_up():
    rule = RowSparse(keep=0.01, warm_up=100, warm_from=0.25)
    fractions = np.array([rule.fraction(batch) for batch in range(101)])
    assert fractions[0] == 0.25 and fractions[100] == rule.fraction(10**6) == 0.01
    np.testing.assert_allclose(fractions[1:] / fractions[:-1], 0.04**0.01, rtol=ROUNDING)
    bound, state = started(RowSparse(keep=0.17, warm_up=2, warm_from=1.0, swap_every=0), Momentum(0.5))
    written = []
    for gradient in gradients(3):
        before, state = state, stepped(bound, state, gradient)
        written.append(np.count_nonzero(np.any(state.pulses[0] != before.pulses[0], axis=(0, 2))))
    assert written == [6, 2, 1]  # all, sqrt(0.17) and 0.17 of six rows


def test_a_setting_that_does_nothing_is_refused():
    with pytest.raises(InputError, match="warm_from does nothing without warm_up"):
        RowSparse(warm_from=0.5)
    with pytest.raises(InputError, match="ratio does nothing with swap_every = 0"):
        RowSparse(swap_every=0, ratio=3.0)
    with pytest.raises(InputError, match="warm_from must be above keep"):
        RowSparse(keep=0.3, warm_up=10)
    with pytest.raises(InputError, match=r"`rule.masked` needs an optimiser with momentum; got `optimiser.momentum` 0"):
        started(RowSparse(masked=True), Momentum(0.1, momentum=0.0))


def test_swaps_spread_the_pulses_of_a_row_that_is_always_the_largest():
    one_row = np.zeros((ROWS, COLS))
    one_row[2] = 0.02
    busiest = {}
    verify = VerifyParams(start="table", window=1e-3)
    for rule in (
        RowSparse(keep=0.17, swap_every=0, verify=verify),
        RowSparse(keep=0.17, swap_every=2, ratio=1.0, verify=verify),
    ):
        every = rule.swap_every
        bound, first = started(rule, Momentum(0.5, momentum=0.0))
        state = first
        for batch in range(24):
            state = stepped(bound, state, one_row * (-1.0) ** (batch // 4))
        busiest[every] = state.parts[0].busiest(first.parts[0])
        fired = [state.parts[0].cells.pulses - first.parts[0].cells.pulses][0]
        assert busiest[every] == int(max(fired.ravel()))  # the slow way: cell by cell
    assert busiest[0] == 12  # a pulse a batch: twelve rises at one half of the pair, twelve falls at the other
    assert busiest[2] < 0.7 * busiest[0]  # six rows share them; each swap adds pulses of its own


def test_rows_change_places_within_their_array():
    rule = RowSparse(keep=0.17, swap_every=1, ratio=1.0, verify=VerifyParams(start="table", window=1e-3))
    model = replace(ArrayModel.from_tables(FINE, wires=False), largest=(3, 2 * COLS))  # six rows in two arrays
    bound: Any = rule.bind(FINE, model, Momentum(0.5, momentum=0.0))
    state = bound.init([np.zeros((ROWS, COLS))], rng=np.random.default_rng(5))
    one_row, places = np.zeros((ROWS, COLS)), set()
    one_row[4] = 0.02
    for _ in range(8):
        state = stepped(bound, state, one_row)
        places.add(int(state.parts[0].rows[4]))
    assert places == {3, 4, 5}
    np.testing.assert_array_equal(state.parts[0].rows[:3], [0, 1, 2])


@pytest.fixture(scope="module")
def runs():
    """Return trainings that write all rows, and a tenth of them."""
    file = tables()
    rules = {keep: {"kind": "row_sparse", "keep": keep, "swap_every": 0} for keep in (1.0, 0.1)}
    return {keep: train(Experiment.checked(TINY | {"rule": rule}, where="here"), file) for keep, rule in rules.items()}


def test_lifetime_rises_as_one_over_the_part_written_times_the_balance(runs):
    lives = {keep: cost_of(run, assumed=Assumptions(endurance=1e5)).lifetimes for keep, run in runs.items()}
    for keep, found in lives.items():
        for each, layer in zip(found, runs[keep].layers, strict=True):
            mean = layer.pulses_by_epoch[1] / layer.pulses.size / BATCHES
            assert each.mean == near(mean, rel=ROUNDING)
            assert each.busiest == layer.pulses_busiest / BATCHES
            assert each.batches == near(1e5 * each.balance / mean, rel=ROUNDING)
    dense, sparse = lives[1.0][0], lives[0.1][0]
    # 6 of 65 rows a batch. With all of them, pixels that are never lit take no pulse, and half of a small change takes
    # none (`pulse_choice`): the rows that are chosen are those that take the most, so less than 65 / 6 remains.
    assert 3.0 < dense.mean / sparse.mean < 65 / 6
    rise = (dense.mean / sparse.mean) * (sparse.balance / dense.balance)
    assert sparse.batches / dense.batches == near(rise, rel=ROUNDING)
    assert sparse.batches > 1.2 * dense.batches
    assert shortest(lives[0.1]) == min(lives[0.1], key=lambda each: each.batches)


def test_the_lifetime_is_in_the_run_file_the_cost_and_the_report(runs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, keep in (("dense.h5", 1.0), ("sparse.h5", 0.1)):
        runs[keep].save(name)
    loaded = record.load(Path("sparse.h5"), record.Run)
    assert [layer.pulses_busiest for layer in loaded.layers] == [layer.pulses_busiest for layer in runs[0.1].layers]
    monkeypatch.setattr(areas, "circuit_areas", lambda provenance: {})  # not looked at, and slow to draw
    found = cost_of(loaded, assumed=Assumptions(endurance=1e5))
    told: Any = summary(found)["lifetimes"]
    assert [each["batches"] for each in told] == [each.batches for each in found.lifetimes]
    assert run(["cost", "dense.h5", "--beside", "sparse.h5"]) == 0
    text = capsys.readouterr().out
    assert "lifetime of the cells, 1,000,000 pulses each" in text and "lifetime, batches" in text
    panels = [panel.title for panel in section(cost_of(loaded), ()).blocks]
    assert "Lifetime of the cells" in panels


def test_an_older_run_file_has_no_lifetime(runs):
    old = replace(runs[0.1], layers=tuple(replace(layer, pulses_busiest=None) for layer in runs[0.1].layers))
    assert cost_of(old).lifetimes == ()
