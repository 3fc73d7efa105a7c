"""The worlds an agent acts in: gymnasium's, behind what an agent needs of them.

Observations become rows of numbers of order one: each is divided by the scale that stands here for its environment.
Sources: CartPole of Barto, Sutton and Anderson 1983 and Acrobot of Sutton 1996, as gymnasium brings them along;
Breakout of MinAtar (Young and Tian 2019, arXiv 1903.03176), whose 10 x 10 x 4 grid of objects is given flat.
"""
# pyright: reportMissingImports=false

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from rramkit.errors import InputError, SetupError

# What one of each observed number counts as: the edge of the track and of the angle for the cart, a few of the speeds
# that occur; cosines and sines as they are, the largest speeds for Acrobot (this kit's choice; its order matters only).
_SCALES = {
    "CartPole-v1": (2.4, 2.0, 0.21, 2.0),
    "Acrobot-v1": (1.0, 1.0, 1.0, 1.0, 12.566371, 28.274334),
    "MinAtar/Breakout-v1": (1.0,) * 400,
}
NAMES = tuple(_SCALES)


@dataclass(frozen=True)
class Step:
    """What one action led to: the next observation (F,), the reward, and whether the episode ended, or was cut off."""

    observation: np.ndarray
    reward: float
    ended: bool
    cut: bool


class World:
    """One environment; `reset` starts an episode, `step` acts in it."""

    def __init__(self, environment: Any, scale: np.ndarray) -> None:  # noqa: ANN401  (gymnasium is optional)
        self._environment = environment
        self._scale = scale
        self.actions = int(environment.action_space.n)
        self.features = scale.size

    @classmethod
    def of(cls, name: str) -> Self:
        """Return a new world of one of the `NAMES`.

        Raises
        ------
        InputError
            When the name is unknown.
        SetupError
            When the package that brings it along is not installed.
        """
        if name not in _SCALES:
            raise InputError(f"`environment` must be one of {', '.join(NAMES)}; got {name!r}. Choose one.")
        try:
            import gymnasium

            if name.startswith("MinAtar/"):
                import minatar.gym

                if name not in gymnasium.registry:
                    minatar.gym.register_envs()
            # A grid world of MinAtar ends by losing the ball only: one that is never lost is cut off.
            limit = {"max_episode_steps": 2500} if name.startswith("MinAtar/") else {}
            environment = gymnasium.make(name, disable_env_checker=True, **limit)
        except ImportError as error:
            raise SetupError(
                f"`{name}` needs a package that is missing ({error}). `pip install rramkit[rl]`."
            ) from None
        return cls(environment, np.array(_SCALES[name]))

    def reset(self, *, seed: int | None = None) -> np.ndarray:
        """Start an episode; return its first observation (F,). `seed` starts the world's own random numbers anew."""
        return self._scaled(self._environment.reset(seed=seed)[0])

    def step(self, action: int) -> Step:
        """Act; return what happened."""
        observation, reward, ended, cut, _ = self._environment.step(action)
        return Step(self._scaled(observation), float(reward), bool(ended), bool(cut))

    def close(self) -> None:
        """Give back what the environment holds."""
        self._environment.close()

    def _scaled(self, observation: np.ndarray) -> np.ndarray:
        return np.asarray(observation, dtype=float).ravel() / self._scale
