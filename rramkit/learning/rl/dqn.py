r"""One step of deep Q-learning (Mnih et al. 2015, doi 10.1038/nature14236), through two banks.

For a transition (s, a, r, s') of k actions (`multi_step`) and the networks' action values Q ::

    y     = r + gamma^k (1 - ended) Q_target(s', a*)
    a*    = argmax_a' Q_online(s', a')    double (van Hasselt, Guez and Silver 2016, arXiv 1509.06461)
            argmax_a' Q_target(s', a')    single: the original
    error = Q_online(s, a) - y,           clipped to +-1: the derivative of the Huber loss

`ended` is 1 where the episode ended by itself; one that was truncated by a time limit is bootstrapped. The largest of
several uncertain values is biased upwards; with one network choosing and the other valuing, it is not, and banks that
swap roles are double Q-learning's two learners (van Hasselt 2010).

The networks give values in units of `value_scale`, from `value_offset` on: Q = value_offset + value_scale output. An
action value of several hundred would need weights that no pair of cells can hold; and what the values of all states
have in common would take the range and the noise of the arrays for a number that is known. With the value of an
episode that never ends, reward / (1 - gamma), as the offset, arrays carry what failures take from it (this kit's
choice).
"""

from dataclasses import dataclass

import numpy as np

from rramkit.learning.layers.read_cost import NetworkReads
from rramkit.learning.model import ForwardResult, Gradients
from rramkit.learning.rl.banks import Banks
from rramkit.learning.rl.replay import Transitions
from rramkit.learning.trainer import NetworkState, Trainer


@dataclass(frozen=True)
class QLearning:
    """What is constant in deep Q-learning.

    Attributes
    ----------
    trainer : Trainer
        The network, and the rules that write it.
    discount : float
        gamma (1).
    value_scale : float
        Difference of action values that an output of one stands for, in the environment's unit of reward.
    double : bool
        Whether the online network picks the action that the target network values.
    value_offset : float
        Action value that an output of zero stands for.
    """

    trainer: Trainer
    discount: float
    value_scale: float
    double: bool
    value_offset: float = 0.0

    def read(self, state: NetworkState, observations: np.ndarray, *, rng: np.random.Generator) -> ForwardResult:
        """Return the forward pass of observations (B, F); `values` makes action values (B, A) of its scores."""
        return self.trainer.network.forward(self.trainer.params(state), observations, training=False, rng=rng)

    def values(self, scores: np.ndarray) -> np.ndarray:
        """Return the action values (...) that outputs (...) of a network stand for."""
        return self.value_offset + self.value_scale * scores

    def learn(self, banks: Banks, transitions: Transitions, *, rng: np.random.Generator) -> "QStep":
        """Train the online bank on a batch of transitions."""
        result, gradients, error, reads = self._gradients(banks, transitions, rng=rng)
        return QStep(
            online=self.trainer.step(banks.online, result, gradients, rng=rng),
            loss=huber(error[np.arange(len(error)), transitions.action]),
            reads=reads + result.reads + gradients.reads,
        )

    def calibrated(self, banks: Banks, reference: Banks, transitions: Transitions, *, margin: float) -> Banks:
        """Return the banks with the ADCs' full scales from the inputs and errors of a batch.

        Those are of `reference`, the same weights in memory: an ADC without a full scale would distort them.
        """
        rng = np.random.default_rng(0)  # weights in memory draw nothing
        _, gradients, _, _ = self._gradients(reference, transitions, rng=rng)
        return Banks(
            *(self.trainer.calibrated_by(bank, gradients, margin=margin) for bank in (banks.online, banks.target))
        )

    def _gradients(
        self, banks: Banks, transitions: Transitions, *, rng: np.random.Generator
    ) -> tuple[ForwardResult, Gradients, np.ndarray, NetworkReads]:
        """Return the online bank's forward pass and gradients, the errors (B, A), and the cost of the target values."""
        network, params = self.trainer.network, self.trainer.params(banks.online)
        next_values, reads = self._next_values(banks, transitions.after, rng=rng)
        result = network.forward(params, transitions.before, training=True, rng=rng)
        values = self.values(result.scores)
        error = td_error(values, transitions, next_values=next_values, discount=self.discount)
        clipped = (np.clip(error, -1.0, 1.0) / len(error)).astype(result.scores.dtype)
        return result, network.backward(params, result, clipped, rng=rng), error, reads

    def _next_values(
        self, banks: Banks, after: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, NetworkReads]:
        """Return the values (B,) of the observations `after` (B, F), and the cost of the reads."""
        values = self.read(banks.target, after, rng=rng)
        if not self.double:
            return self.values(values.scores.max(axis=1)), values.reads
        choice = self.read(banks.online, after, rng=rng)
        best = np.argmax(choice.scores, axis=1)
        return self.values(values.scores[np.arange(len(best)), best]), values.reads + choice.reads


@dataclass(frozen=True)
class QStep:
    """The online bank after a step, the mean Huber loss before it, and the cost of the reads."""

    online: NetworkState
    loss: float
    reads: NetworkReads


def td_error(values: np.ndarray, transitions: Transitions, *, next_values: np.ndarray, discount: float) -> np.ndarray:
    """Return the temporal-difference errors (B, A) of action values (B, A): zero except for the action taken.

    `next_values` (B,) are the values of the observations after.
    """
    target = transitions.reward + discount**transitions.steps * (1.0 - transitions.ended) * next_values
    error = np.zeros_like(values)
    rows = np.arange(len(values))
    error[rows, transitions.action] = values[rows, transitions.action] - target
    return error


def huber(error: np.ndarray) -> float:
    """Return the mean Huber loss of errors (B,), quadratic within +-1 and linear beyond."""
    size = np.abs(error)
    return float(np.mean(np.where(size <= 1.0, 0.5 * error**2, size - 0.5)))
