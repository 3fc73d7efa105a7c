"""Training itself: signs in four phases, errors back through a copy that the same pulses write."""

from typing import Any

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import perfect, tables

from rramkit.array import ArrayModel
from rramkit.array.matrix import Gradient, Samples
from rramkit.array.write.spread import SpreadParams
from rramkit.array.write.update import UpdateParams
from rramkit.cost import cost_of
from rramkit.cost.area import Tiles, copies_of, tiles_of
from rramkit.errors import InputError
from rramkit.learning import Experiment, train
from rramkit.learning.cells import leaves, with_leaves
from rramkit.learning.optimisers import Momentum
from rramkit.learning.rules import MatrixState, Sign
from rramkit.learning.rules.copied import Copied

FINE = perfect(g_step=1e-8)
SHAPES = ((6, 4), (5, 3))
TINY = {
    "network": {"hidden": [6]},
    "epochs": 1,
    "batches": 3,
    "float_reference": False,
    "data": {"train_images": 100, "test_images": 20},
}


def rng(seed=5):
    return np.random.default_rng(seed)


def started(rule, shapes=SHAPES) -> tuple[Any, Any]:
    bound = rule.bind(FINE, ArrayModel.from_tables(FINE, wires=False), Momentum(0.1))
    return bound, bound.init([rng(k).uniform(-0.3, 0.3, shape) for k, shape in enumerate(shapes)], rng=rng())


def stepped(bound, state, seed=2) -> Any:
    changes = [rng(seed + k).uniform(-0.1, 0.1, shape) for k, shape in enumerate(SHAPES)]
    return bound.step(state, [Gradient(Samples(np.eye(len(each))), each) for each in changes], rng=rng())


def test_the_copy_is_the_transpose_to_the_last_bit_where_cells_are_alike():
    bound, state = started(Sign(backward="copy"))
    for seed in range(3):
        state = stepped(bound, state, seed)
        matrix, part = state.matrices[1], state.parts[1]
        assert isinstance(matrix, Copied) and part.copy is not None
        np.testing.assert_array_equal(part.copy.g_cell.swapaxes(1, 2), part.cells.g_cell)
        assert matrix.mismatch == 0.0
        e = rng(seed).uniform(-1.0, 1.0, (4, 3))
        np.testing.assert_allclose(matrix.backward(e, rng=rng()).y, e @ matrix.weight.T, rtol=0, atol=1e-12)
    assert not isinstance(state.matrices[0], Copied) and state.parts[0].copy is None  # it passes no error on


def test_pulses_are_twice_as_many_and_take_no_longer():
    of = {}
    for backward in ("tile", "copy"):
        bound, first = started(Sign(backward=backward))
        of[backward] = first, stepped(bound, first)
    (one_first, one), (two_first, two) = of["tile"], of["copy"]
    for number, times in ((0, 1), (1, 2)):
        assert two.tallies[number].pulses == times * one.tallies[number].pulses > 0
        assert two.tallies[number].energy == near(times * one.tallies[number].energy, rel=1e-12)
        assert two.tallies[number].seconds == one.tallies[number].seconds
        fired = two.parts[number].pulses - two_first.parts[number].pulses
        np.testing.assert_array_equal(fired, times * (one.parts[number].pulses - one_first.parts[number].pulses))
        assert two.parts[number].busiest(two_first.parts[number]) == 1  # each array's own cells
    assert two_first.tallies[1].pulses == 2 * one_first.tallies[1].pulses


def test_the_arrays_drift_apart_by_their_spread_and_errors_feel_it():
    mismatch = []
    for sigma in (0.03, 0.12):
        update = UpdateParams(spread=SpreadParams(sigma_gain=sigma))
        bound, state = started(Sign(backward="copy", update=update, start="error"))  # both exactly at the weights
        assert state.matrices[1].mismatch < 1e-12
        for seed in range(20):
            state = stepped(bound, state, seed)
        mismatch.append(state.matrices[1].mismatch)
    assert mismatch[1] > 2.0 * mismatch[0] > 0.0
    matrix, e = state.matrices[1], rng().uniform(-1.0, 1.0, (4, 3))
    np.testing.assert_allclose(matrix.backward(e, rng=rng()).y, e @ matrix.copy.weight, rtol=0, atol=1e-12)


def test_one_matrix_has_no_copy():
    with pytest.raises(InputError, match=r"`rule.backward` \"copy\" needs a network of two matrices or more.*got 1"):
        started(Sign(backward="copy"), shapes=SHAPES[:1])


@pytest.fixture(scope="module")
def runs():
    """Return trainings with a transposed read, and with a copy."""
    file = tables()
    rules = {backward: {"kind": "sign", "backward": backward} for backward in ("tile", "copy")}
    return {name: train(Experiment.checked(TINY | {"rule": rule}, where="here"), file) for name, rule in rules.items()}


def test_the_cost_has_the_copys_writes_and_tiles(runs):
    costs = {name: cost_of(run) for name, run in runs.items()}
    assert copies_of(costs["tile"].subject) == ()
    # Six hidden units and a bias to ten classes: 7 x 20 cells, and the copy 10 x 14.
    assert copies_of(costs["copy"].subject) == (Tiles("2 dense 7 x 10", 1, 10, 14),)
    assert tiles_of(costs["copy"].subject) == tiles_of(costs["tile"].subject)
    cells = {
        name: [each.tiles, each.copy] for name, each in zip(costs, (costs[n].layers()[1] for n in costs), strict=True)
    }
    sizes = {name: sum(one.count * one.rows * one.columns for one in each if one) for name, each in cells.items()}
    assert sizes["copy"] == 2 * sizes["tile"]
    for name, cost in costs.items():
        pulses = sum(item.count for item in cost.initial if item.part == "write pulses" and item.layer[0] == "2")
        assert pulses == (2 if name == "copy" else 1) * 140  # one pulse a cell


def test_a_run_file_gives_back_both_arrays(runs, tmp_path):
    import rramkit as rk

    path = tmp_path / "copy.h5"
    runs["copy"].save(path)
    of_run: Any = runs["copy"].network
    of_file: Any = rk.load_run(path).network
    was, now = of_run.params.matrices[1], of_file.params.matrices[1]
    for one, other in zip(leaves(was), leaves(now), strict=True):
        np.testing.assert_array_equal(one.g_cell, other.g_cell)
    assert isinstance(with_leaves(now, leaves(now)), Copied)


def test_a_training_goes_on_from_both_arrays(runs):
    experiment = Experiment.checked(TINY | {"rule": {"kind": "sign", "backward": "copy"}}, where="here")
    further = train(experiment, tables(), start=runs["copy"])
    ended = runs["copy"].network.params.matrices[1]
    assert isinstance(ended, Copied)
    np.testing.assert_array_equal(further.layers[1].g_initial, np.asarray(ended.main.g_cell, float))
    assert MatrixState.__dataclass_fields__["copy"].default is None
