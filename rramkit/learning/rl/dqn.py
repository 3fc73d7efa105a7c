r"""One step of deep Q-learning (Mnih et al. 2015, doi 10.1038/nature14236), through two banks.

For a transition (s, a, r, s') and the networks' action values Q ::

    y     = r + gamma (1 - ended) Q_target(s', a*)
    a*    = argmax_a' Q_online(s', a')    double (van Hasselt, Guez and Silver 2016, arXiv 1509.06461)
            argmax_a' Q_target(s', a')    single: the original
    error = Q_online(s, a) - y,           held within +-1 as the derivative of the Huber loss

`ended` is 1 where the episode ended by itself; one that was cut off by a limit of time goes on being worth something.
The largest of several uncertain values is too large on average; with one network choosing and the other valuing, it is
not, and banks that swap roles are double Q-learning's two learners (van Hasselt 2010).

The networks give values in units of `value_scale`: an action value of several hundred would want weights that no pair
of cells can hold, so the last layer stands for Q / value_scale (this kit's choice).
"""

from dataclasses import dataclass

import numpy as np

from rramkit.learning.layers import ReadCost
from rramkit.learning.model import ForwardResult
from rramkit.learning.rl.banks import Banks
from rramkit.learning.rl.replay import Transitions
from rramkit.learning.trainer import NetworkState, Trainer


@dataclass(frozen=True)
class QLearning:
    """What a step needs besides the banks.

    Attributes
    ----------
    teacher : Teacher
        The network, and the rules that write it.
    discount : float
        gamma (1).
    value_scale : float
        Action value that an output of one stands for, in the environment's unit of reward.
    double : bool
        Whether the online network picks the action that the target network values.
    """

    teacher: Trainer
    discount: float
    value_scale: float
    double: bool

    def read(self, student: NetworkState, observations: np.ndarray, *, rng: np.random.Generator) -> ForwardResult:
        """Return a pass of observations (B, F); its scores times `value_scale` are the action values (B, A)."""
        return self.teacher.network.forward(student.parts, observations, training=False, rng=rng)

    def learn(self, banks: Banks, seen: Transitions, *, rng: np.random.Generator) -> "Learned":
        """Train the online bank on a batch of transitions."""
        network, online = self.teacher.network, banks.online
        after, reads = self._next_values(banks, seen.after, rng=rng)
        done = network.forward(online.parts, seen.before, training=True, rng=rng)
        error = td_error(done.scores * self.value_scale, seen, next_values=after, discount=self.discount)
        held = (np.clip(error, -1.0, 1.0) / len(error)).astype(done.scores.dtype)
        slopes = network.backward(online.parts, done, held, rng=rng)
        return Learned(
            online=self.teacher.stepped(online, done, slopes, rng=rng),
            loss=huber(error[np.arange(len(error)), seen.action]),
            reads=reads + done.reads + slopes.reads,
        )

    def _next_values(self, banks: Banks, after: np.ndarray, *, rng: np.random.Generator) -> tuple[np.ndarray, ReadCost]:
        """Return what the observations `after` (B, F) are worth (B,), and what the reads took."""
        values = self.read(banks.target, after, rng=rng)
        if not self.double:
            return values.scores.max(axis=1) * self.value_scale, values.reads
        choice = self.read(banks.online, after, rng=rng)
        best = np.argmax(choice.scores, axis=1)
        return values.scores[np.arange(len(best)), best] * self.value_scale, values.reads + choice.reads


@dataclass(frozen=True)
class Learned:
    """The online bank after a step, the mean Huber loss before it, and what the reads took."""

    online: NetworkState
    loss: float
    reads: ReadCost


def td_error(values: np.ndarray, seen: Transitions, *, next_values: np.ndarray, discount: float) -> np.ndarray:
    """Return the temporal-difference errors (B, A) of action values (B, A): zero but for the action taken.

    `next_values` (B,) is what the observations after are worth.
    """
    wanted = seen.reward + discount * (1.0 - seen.ended) * next_values
    error = np.zeros_like(values)
    rows = np.arange(len(values))
    error[rows, seen.action] = values[rows, seen.action] - wanted
    return error


def huber(error: np.ndarray) -> float:
    """Return the mean Huber loss of errors (B,), quadratic within +-1 and linear beyond."""
    size = np.abs(error)
    return float(np.mean(np.where(size <= 1.0, 0.5 * error**2, size - 0.5)))
