r"""Returns over several actions: what the replay memory stores of an episode (Sutton 1988, doi 10.1007/BF00115009).

n actions from an observation on make one transition, to the observation after the last of them::

    reward = sum_(j < k) gamma^j r_j        k = n, or as many actions as are left of the episode

The value of the observation after counts gamma^k (`td_error`). A failure then reaches the values of the n observations
before it at once, and a network's error is in one term of k + 1. Actions that were at random, or of an older network,
stay in the sum: it is not corrected for them, as usual for small n.
"""

from collections import deque

import numpy as np

from rramkit.learning.rl.replay import Replay


class MultiStep:
    """The last actions of one episode, on their way into a replay memory; written in place.

    Attributes
    ----------
    memory : Replay
        Where transitions go.
    steps : int
        Actions of a transition, n.
    discount : float
        gamma (1).
    """

    def __init__(self, memory: Replay, *, steps: int, discount: float) -> None:
        self.memory, self.steps, self.discount = memory, steps, discount
        self._waiting: deque[tuple[np.ndarray, int, float]] = deque()

    def add(
        self, before: np.ndarray, action: int, reward: float, *, after: np.ndarray, ended: bool, last: bool
    ) -> None:
        """Take one action of the episode; store what is complete by it, and all that waits with the `last` one."""
        waiting = self._waiting
        waiting.append((before, action, reward))
        while waiting and (last or len(waiting) == self.steps):
            total = sum(self.discount**j * each for j, (_, _, each) in enumerate(waiting))
            self.memory.add(*waiting[0][:2], total, after=after, ended=ended, steps=len(waiting))
            waiting.popleft()
