"""Environments: gymnasium's, with scaled observations.

Observations are scaled to order one: each number is divided by the scale listed here for its environment. Grids
are channels first, (C, H, W), as images are in a network.
Sources: CartPole of Barto, Sutton and Anderson 1983 and Acrobot of Sutton 1996, as in gymnasium;
Breakout of MinAtar (Young and Tian 2019, arXiv 1903.03176), four channels of 10 x 10 places, occupied or free.
"""
# pyright: reportMissingImports=false

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rramkit.errors import InputError, SetupError

# What one of each observed number counts as: the edge of the track and of the angle for the cart, a few of the speeds
# that occur; cosines and sines as they are, a third of the largest speeds for Acrobot (this kit's choice).
_SCALES = {
    "CartPole-v1": (2.4, 2.0, 0.21, 2.0),
    "Acrobot-v1": (1.0, 1.0, 1.0, 1.0, 4.0, 9.0),
}
USUAL_REWARD = {"CartPole-v1": 1.0, "Acrobot-v1": -1.0, "MinAtar/Breakout-v1": 0.0}
"""Reward of an action that neither scores nor ends the episode."""

_GRIDS = ("MinAtar/Breakout-v1",)
_LONGEST = 2500  # actions (1): a game of MinAtar ends by losing the ball only; one that is never lost is cut off
NAMES = (*_SCALES, *_GRIDS)


@dataclass(frozen=True)
class Step:
    """Result of one action: the next observation, the reward, and whether the episode ended, or was truncated."""

    observation: np.ndarray
    reward: float
    ended: bool
    cut: bool


class World:
    """One environment; `reset` starts an episode, `step` acts in it.

    Attributes
    ----------
    actions : int
        How many actions there are.
    shape : tuple of int
        Shape of an observation, (F,) or (C, H, W).
    dtype : dtype
        Type of the observed numbers: bool where places are occupied or free.
    """

    def __init__(self, environment: Any, scale: np.ndarray | None) -> None:  # noqa: ANN401  (gymnasium is optional)
        self._environment, self._scale = environment, scale
        self.actions = int(environment.action_space.n)
        shape = tuple(environment.observation_space.shape)
        self.shape = shape if scale is not None else (shape[-1], *shape[:-1])
        self.dtype = np.dtype(bool if scale is None else np.float64)

    @classmethod
    def of(cls, name: str) -> Self:
        """Return a new world of one of the `NAMES`.

        Raises
        ------
        InputError
            When the name is unknown.
        SetupError
            When the package that contains it is not installed.
        """
        if name not in NAMES:
            raise InputError(f"`environment` must be one of {', '.join(NAMES)}; got {name!r}. Choose one.")
        try:
            import gymnasium

            if name not in _GRIDS:
                return cls(gymnasium.make(name, disable_env_checker=True), np.array(_SCALES[name]))
            import minatar.gym

            if name not in gymnasium.registry:
                minatar.gym.register_envs()
            return cls(gymnasium.make(name, disable_env_checker=True, max_episode_steps=_LONGEST), None)
        except ImportError as error:
            raise SetupError(
                f"`{name}` needs a package that is missing ({error}). Run: pip install 'rramkit[rl]'"
            ) from None

    def reset(self, *, seed: int | None = None) -> np.ndarray:
        """Start an episode; return its first observation. `seed` reseeds the environment's own random numbers."""
        return self._own(self._environment.reset(seed=seed)[0])

    def step(self, action: int) -> Step:
        """Act once; return the result."""
        observation, reward, ended, cut, _ = self._environment.step(action)
        return Step(self._own(observation), float(reward), bool(ended), bool(cut))

    def close(self) -> None:
        """Close the environment."""
        self._environment.close()

    def _own(self, observation: np.ndarray) -> np.ndarray:
        if self._scale is None:
            return np.moveaxis(np.asarray(observation), -1, 0).astype(bool)
        return np.asarray(observation, dtype=float) / self._scale
