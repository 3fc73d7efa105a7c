"""Serial boosting of small arrays: each is trained on the inputs that those before it answer badly, and bits are voted.

    D   weight of each training input, even at first
    k = 1 ... K:
        network k is trained on inputs drawn by D, in the array and with its noise
        l_i      mean |answer - target| of input i, over the largest
        beta     e/(1 - e), e = sum D l
        D        <- D beta^(1 - l), summing to 1
        alpha_b  ln((1 - e_b)/e_b)/2, e_b = sum D [bit b is wrong], not below 0
    bit b of the answer is the sign of sum_k alpha_kb (1 where network k says 1, else -1)

FOUND (MEI, DAC 2015, abstract): serial adaptive boosting of arrays, better and robust to noise. RECALLED: AdaBoost over
K arrays with the noise in training. This kit's own: the weights of inputs follow AdaBoost.R2 with a linear loss
(Drucker, ICML 1997), the votes AdaBoost (Freund and Schapire, 1997), bit by bit.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.data import DataSet
from rramkit.learning.experiment import Experiment
from rramkit.learning.losses import Bits, RelativeErrors
from rramkit.learning.train import data_set, train_on
from rramkit.learning.trained import TrainedNetwork
from rramkit.record.run import Run
from rramkit.table import TablesLike

_RESAMPLE = 12  # second word of the seed that draws training inputs: another stream than those of a training
_SURE = 1e-3  # least share of wrong bits that a vote reckons with (1): a few thousand inputs say no less


@dataclass(frozen=True)
class Round:
    """One array of a boosted network, with all before it.

    Attributes
    ----------
    run : Run
        Its training.
    votes : ndarray
        Weight of its vote on each bit (B,) (1).
    errors : RelativeErrors
        On the test inputs, of the vote of this array and all before it.
    bits : float
        Part of their bits that are right (1).
    """

    run: Run
    votes: np.ndarray
    errors: RelativeErrors
    bits: float


def boosted(
    experiment: Experiment,
    tables: TablesLike,
    arrays: int,
    *,
    tables_name: str = "",
    done: Callable[[int, Round], None] | None = None,
) -> list[Round]:
    """Train arrays one after the other, each on what those before it miss.

    Parameters
    ----------
    experiment : Experiment
        Of one array; its loss is `bits`. Array k has the seed of the experiment and k.
    tables : TableFile, str or Path
        As for `train`.
    arrays : int
        How many.
    tables_name : str, optional
        Name of the table file, for the record.
    done : callable, optional
        Called with the number of an array, from 1, and its round.

    Returns
    -------
    list of Round
        One an array.

    Raises
    ------
    InputError
        When the loss is another, or there are no arrays.

    Examples
    --------
    >>> import rramkit as rk
    >>> rk.learning.boosting.boosted(rk.Experiment(), rk.example(), 2)
    Traceback (most recent call last):
    rramkit.errors.InputError: `loss.kind` must be "bits" for votes on bits; got "cross_entropy". Set it.
    """
    loss = bits_of(experiment)
    if arrays < 1:
        raise InputError(f"`arrays` must be 1 or more; got {arrays}. Train one at least.")
    data = data_set(None, experiment)
    rng = np.random.default_rng((experiment.seed, _RESAMPLE))
    weight, rounds = np.full(len(data.y_train), 1.0 / len(data.y_train)), []
    for index in range(arrays):
        chosen = _resampled(data, weight, rng) if index else data
        one = experiment.model_copy(update={"seed": experiment.seed + index})
        run = train_on(chosen, one, tables, tables_name=tables_name)
        assert isinstance(run.network, TrainedNetwork)
        scores = run.network.scores(data.x_train)
        votes = votes_of(loss, scores, data.y_train, weight)
        weight = reweighted(loss, scores, data.y_train, weight)
        voted = vote([(each.run.network, each.votes) for each in rounds] + [(run.network, votes)], data.x_test)
        right = float(np.mean((voted > 0.0) == (loss.code(data.y_test) > 0.0)))
        rounds.append(Round(run, votes, loss.errors(voted, data.y_test), right))
        if done is not None:
            done(index + 1, rounds[-1])
    return rounds


def bits_of(experiment: Experiment) -> Bits:
    """Return the loss of an experiment; raise `InputError` when it has no bits to vote on."""
    loss = experiment.loss
    if not isinstance(loss, Bits):
        raise InputError(f'`loss.kind` must be "bits" for votes on bits; got "{loss.kind}". Set it.')
    return loss


def votes_of(loss: Bits, scores: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weight of an array's vote on each bit (B,), by its scores (N, B) of inputs weighted (N,)."""
    wrong = (scores > 0.0) != (loss.code(truth) > 0.0)
    missed = np.clip(weight @ wrong, _SURE, 1.0 - _SURE)
    return np.maximum(0.5 * np.log((1.0 - missed) / missed), 0.0)


def reweighted(loss: Bits, scores: np.ndarray, truth: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Return the weights of inputs (N,) for the next array: more for those that this one answers badly."""
    apart = np.mean(np.abs(loss.decoded(scores) - truth), axis=1)
    relative = apart / max(float(apart.max()), np.finfo(float).tiny)
    missed = float(np.clip(weight @ relative, _SURE, 0.5))  # from half on, nothing is to be learnt of it
    after = weight * (missed / (1.0 - missed)) ** (1.0 - relative)
    return after / after.sum()


def vote(arrays: Sequence[tuple[TrainedNetwork, np.ndarray]], x: np.ndarray) -> np.ndarray:
    """Return the sum of votes (N, B) of arrays, each a network with the weights of its votes (B,), on inputs."""
    return sum((votes * np.where(network.scores(x) > 0.0, 1.0, -1.0) for network, votes in arrays), np.zeros(()))


def _resampled(data: DataSet, weight: np.ndarray, rng: np.random.Generator) -> DataSet:
    """Return the data with as many training inputs, drawn by their weights."""
    drawn = rng.choice(len(weight), size=len(weight), p=weight)
    return replace(data, x_train=data.x_train[drawn], y_train=data.y_train[drawn])
