r"""One step of deep Q-learning (Mnih et al. 2015, doi 10.1038/nature14236), through two banks.

For a transition (s, a, r, s') and the networks' action values Q ::

    y     = r + gamma (1 - ended) max_a' Q_target(s', a')
    error = Q_online(s, a) - y,    held within +-1 as the derivative of the Huber loss

The networks give values in units of `value_scale`: an action value of several hundred would want weights that no pair
of cells can hold, so the last layer stands for Q / value_scale (this kit's choice).
"""

from dataclasses import dataclass

import numpy as np

from rramkit.learning.network import Pass, backward, forward
from rramkit.learning.rl.banks import Banks
from rramkit.learning.rl.replay import Transitions
from rramkit.learning.rules import Learner, UpdateRule


@dataclass(frozen=True)
class QLearning:
    """What a step needs besides the banks.

    Attributes
    ----------
    rule : UpdateRule
        What writes the online bank.
    discount : float
        gamma (1).
    value_scale : float
        Action value that an output of one stands for, in the environment's unit of reward.
    """

    rule: UpdateRule
    discount: float
    value_scale: float

    def read(self, learner: Learner, observations: np.ndarray, *, rng: np.random.Generator) -> Pass:
        """Return a pass of observations (B, F); its scores times `value_scale` are the action values (B, A)."""
        return forward(learner.matrices, observations, rng=rng)

    def learn(self, banks: Banks, seen: Transitions, *, rng: np.random.Generator) -> "Learned":
        """Train the online bank on a batch of transitions."""
        wanted_from = self.read(banks.target, seen.after, rng=rng)
        done = self.read(banks.online, seen.before, rng=rng)
        error = td_error(
            done.scores * self.value_scale,
            seen,
            next_values=wanted_from.scores * self.value_scale,
            discount=self.discount,
        )
        back = backward(banks.online.matrices, done, np.clip(error, -1.0, 1.0) / len(error), rng=rng)
        online = self.rule.step(banks.online, back.weights, rng=rng)
        return Learned(
            online=online,
            loss=huber(error[np.arange(len(error)), seen.action]),
            energy_read=wanted_from.energy + done.energy + back.energy,
            clamped=wanted_from.clamped + done.clamped + back.clamped,
        )


@dataclass(frozen=True)
class Learned:
    """The online bank after a step, the mean Huber loss before it, read energy (J) and values clamped."""

    online: Learner
    loss: float
    energy_read: float
    clamped: int


def td_error(values: np.ndarray, seen: Transitions, *, next_values: np.ndarray, discount: float) -> np.ndarray:
    """Return the temporal-difference errors (B, A) of action values (B, A): zero but for the action taken."""
    wanted = seen.reward + discount * (1.0 - seen.ended) * next_values.max(axis=1)
    error = np.zeros_like(values)
    rows = np.arange(len(values))
    error[rows, seen.action] = values[rows, seen.action] - wanted
    return error


def huber(error: np.ndarray) -> float:
    """Return the mean Huber loss of errors (B,), quadratic within +-1 and linear beyond."""
    size = np.abs(error)
    return float(np.mean(np.where(size <= 1.0, 0.5 * error**2, size - 0.5)))
