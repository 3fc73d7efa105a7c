"""What is evaluated is the network in RRAM with its noise; what the seed draws; what an epoch costs."""

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit.learning import Experiment, train
from rramkit.learning.data import as_numbers
from rramkit.learning.layers.read_cost import NetworkReads
from rramkit.learning.supervised import SupervisedTraining
from rramkit.learning.trainer import Trainer

LEARNS = {"epochs": 4, "optimiser": {"learning_rate": 0.02}}  # the float network passes a half of the images
NOISY = {"read": {"read_noise": {"sigma_span": 0.3}}}


def experiment(**changes):
    settings = {"network": {"hidden": (6,)}, "data": {"train_images": 200, "test_images": 100}, "epochs": 1}
    return Experiment.checked({**settings, **changes}, where="the test")


def training(**changes):
    chosen = experiment(**changes)
    return SupervisedTraining(chosen, chosen.chip.tables(tables()), chosen.data.loaded(seed=chosen.seed))


def test_the_test_accuracy_is_that_of_the_tiles_after_training():
    """Counted by hand from scores of the matrices in RRAM; the float network and the untrained one say otherwise."""
    one = training(epochs=4, rule={"threshold": 0.01})
    while not one.finished:
        one.advance()
    x, labels = as_numbers(one.data.x_test, np.float32), one.data.y_test

    def share(trainer, state):
        scores = trainer.network.scores(trainer.params(state), x, rng=np.random.default_rng(0))
        return float(np.mean(np.argmax(scores, axis=1) == labels))

    outcome = one.outcome()
    assert outcome.accuracy == share(one.rram, one.states.rram) == np.trace(outcome.confusion) / len(labels)
    assert outcome.float_accuracy == share(one.reference, one.states.reference)
    assert outcome.confusion.sum() == len(labels)
    np.testing.assert_array_equal(outcome.confusion.sum(axis=1), np.bincount(labels, minlength=10))
    assert outcome.accuracy != share(one.rram, one.initial.rram)
    assert outcome.accuracy != outcome.float_accuracy


def test_validation_accuracy_and_loss_are_those_of_the_tiles():
    """Pulses that do nothing: the cells give no scores, while the float network learns."""
    run = train(experiment(**LEARNS, network={"hidden": (12,), "bias": "none"}), tables(dead=True))
    assert np.all(run.epochs.loss == near(np.log(10.0), 1e-6))  # ten equal scores, 32-bit numbers
    assert run.epochs.float_accuracy_validation[-1] > run.epochs.accuracy_validation[-1] + 0.2
    assert run.float_accuracy > run.accuracy + 0.2


def test_evaluation_has_the_noise_of_the_reads():
    """Each evaluation draws its own noise; without it the same cells would give the same scores."""
    quiet, noisy = training(), training(mapping=NOISY)
    for one, same in ((quiet, True), (noisy, False)):
        state, x = one.states.rram, one.data.x_validation
        scores = [one._scores(one.rram, state, x, np.random.default_rng(seed)) for seed in (1, 2)]
        assert np.array_equal(scores[0], scores[1]) == same
        reports = [one._report(0, one.states, _nothing()) for _ in range(2)]
        assert reports[0].loss == reports[1].loss  # the stream of an epoch is its own
    later = [noisy._report(epoch, noisy.states, _nothing()).loss for epoch in (1, 2)]
    assert later[0] != later[1]  # the same cells, two evaluations
    assert len({quiet._report(epoch, quiet.states, _nothing()).loss for epoch in (1, 2)}) == 1


def test_noise_of_the_whole_range_leaves_the_network_in_rram_guessing():
    """Chance is 0.1; the float network beside it knows nothing of the noise."""
    mapping = {"read": {"read_noise": {"sigma_span": 1.0}}}
    run = train(experiment(**LEARNS, network={"hidden": (12,)}, mapping=mapping), tables())
    assert run.accuracy < run.float_accuracy - 0.2
    assert run.epochs.accuracy_validation[-1] < run.epochs.float_accuracy_validation[-1] - 0.2


def _nothing():
    from rramkit.array.write.state import WriteCost
    from rramkit.learning.supervised import EpochCost

    return EpochCost(WriteCost(), NetworkReads())


# Seeds ----------------------------------------------------------------------------------------------------------------


def test_the_seed_draws_weights_writes_order_and_noise_each_by_itself():
    first, again, other = (training(seed=seed) for seed in (1, 1, 2))
    for purpose in range(1, 8):
        draws = [one._stream(purpose, 1).random(4) for one in (first, again, other)]
        np.testing.assert_array_equal(draws[0], draws[1])
        assert np.all(draws[0] != draws[2]), purpose
        assert np.all(draws[0] != first._stream(purpose, 2).random(4)), purpose
        assert np.all(draws[0] != first._stream(purpose % 7 + 1, 1).random(4)), purpose
    weights = [one.initial.reference.rule_state.matrices[0].weight for one in (first, again, other)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert np.all(weights[0][:-1] != weights[2][:-1])  # the last row, of biases, starts at zero


def test_the_seed_draws_the_first_writes():
    """Devices that differ: the same weights of one seed, written by two streams."""
    rule = {"update": {"spread": {"sigma_gain": 0.3}}}
    gains = [training(seed=seed, rule=rule).initial.rram.rule_state.parts[0].cells.traits.gain_set for seed in (1, 2)]
    assert np.all(gains[0] != gains[1])


def test_each_epoch_has_its_own_order_and_noise(monkeypatch):
    one = training(epochs=2)
    orders = [np.concatenate(one._batches(epoch)) for epoch in (1, 2)]
    np.testing.assert_array_equal(np.sort(orders[0]), np.sort(orders[1]))
    assert np.mean(orders[0] != orders[1]) > 0.9  # of 180 places, one in 180 is the same by chance
    asked, stream, random = [], SupervisedTraining._stream, Trainer.random
    monkeypatch.setattr(
        SupervisedTraining,
        "_stream",
        lambda self, purpose, epoch: asked.append((purpose, epoch)) or stream(self, purpose, epoch),
    )
    monkeypatch.setattr(Trainer, "random", lambda self, seed: asked.append(tuple(seed[1:])) or random(self, seed))
    while not one.finished:
        one.advance()
    by_epoch = [{purpose for purpose, of in asked if of == epoch} for epoch in (0, 1, 2)]
    assert by_epoch[1] == by_epoch[2] > by_epoch[0]
    assert len(by_epoch[1]) == 4  # order, device, evaluation, augmentation


# Costs ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [0.005])
def test_an_epoch_costs_all_of_its_batches(threshold):
    """The log against a loop over the same batches by hand: writes of each batch, reads of both passes of each."""
    one = training(rule={"threshold": threshold})
    one.advance()
    state, device = one.states.rram, one._stream(3, 1)
    writes, reads, pulses = [], [], []
    for batch in one._batches(1):
        x, labels = as_numbers(one.data.x_train[batch], np.float32), one.data.y_train[batch]
        params = one.rram.params(state)
        result = one.rram.network.forward(params, x, training=True, rng=device)
        # cross-entropy by hand: its gradient by the scores
        share = np.exp(result.scores - result.scores.max(axis=1, keepdims=True))
        error = share / share.sum(axis=1, keepdims=True)
        error[np.arange(len(labels)), labels] -= 1.0
        gradients = one.rram.network.backward(params, result, (error / len(labels)).astype(np.float32), rng=device)
        assert gradients.reads.total.energy > 0.0 and result.reads.total.energy > 0.0
        reads += [result.reads.total.energy, gradients.reads.total.energy]
        state = one.rram.step(state, result, gradients, rng=device)
        writes.append(state.rule_state.tally.energy)
        pulses.append(state.rule_state.tally.pulses)
    report = one.advance()
    assert np.count_nonzero(pulses) > 1  # else the last batch could stand for all
    assert report.pulses_set + report.pulses_reset == sum(pulses)
    assert report.energy_write == near(sum(writes), 1e-5)  # 32-bit gradients, in another order
    assert report.energy_read == near(sum(reads), 1e-5)
