"""A trained network: scores and classes of new inputs, and how a run file's arrays become one again."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.errors import InputError, TableError
from rramkit.learning.checkpoint import check_fit, flatten, restore
from rramkit.learning.data import as_numbers
from rramkit.learning.layers.layer import Params
from rramkit.learning.model import Network
from rramkit.learning.trainer import NetworkState, Trainer


@dataclass(frozen=True, repr=False)
class TrainedNetwork:
    """A network with its programmed cells, biases, scales and running means.

    Attributes
    ----------
    network : Network
        The layers.
    params : Params
        Matrices in RRAM (or in float), digital vectors and running means.
    dtype : dtype
        Type of all digital numbers.
    seed : int
        Of the read noise, where none is given.

    Examples
    --------
    >>> import numpy as np
    >>> import rramkit as rk
    >>> network = rk.load_run("run.h5").network  # of 4 inputs and 3 classes
    >>> network.predict(np.ones((5, 4))).shape
    (5,)
    """

    network: Network
    params: Params
    dtype: np.dtype
    seed: int = 0

    @classmethod
    def of(cls, trainer: Trainer, state: NetworkState, *, precision: str, seed: int) -> Self:
        """Return the network of a state in training, as a run file restores it: without what reads have prepared."""
        params = trainer.params(trainer.without_cache(state))
        return cls(trainer.network, params, np.dtype(precision), seed)

    def scores(self, x: np.ndarray, *, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the scores of inputs, read through the arrays.

        Parameters
        ----------
        x : array
            Inputs (N, F) or (N, C, H, W) like those of training (standardised if those were); bytes stand for 0 to 1.
        rng : Generator, optional
            Draws the read noise, where the read chain has any; left out, one of the run's seed.

        Returns
        -------
        ndarray
            Scores (N, classes) (1).

        Raises
        ------
        InputError
            When the shape of an input is another one than in training.

        Examples
        --------
        >>> import numpy as np
        >>> import rramkit as rk
        >>> network = rk.load_run("run.h5").network  # of 4 inputs and 3 classes
        >>> network.scores(np.ones((5, 4))).shape
        (5, 3)
        """
        x = self._checked(x)
        return self.network.scores(self.params, x, rng=rng or np.random.default_rng(self.seed))

    def predict(self, x: np.ndarray, *, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the class of the largest score of each input.

        Parameters
        ----------
        x : array
            Inputs (N, ...) as `scores` takes them, numbers.
        rng : Generator, optional
            As for `scores`.

        Returns
        -------
        ndarray of int
            Classes (N,), from 0.

        Raises
        ------
        InputError
            When the shape of an input is another one than in training.

        Examples
        --------
        >>> import numpy as np
        >>> import rramkit as rk
        >>> network = rk.load_run("run.h5").network  # of 4 inputs and 3 classes
        >>> network.predict(np.ones((5, 4))).shape
        (5,)
        """
        return np.argmax(self.scores(x, rng=rng), axis=1)

    def changes(self, initial: NetworkState, trainer: Trainer) -> dict[str, np.ndarray]:
        """Return what differs from the initial state's parameters, by path: what a run file stores."""
        return flatten(trainer.params(initial), self.params)

    def with_changes(self, changes: dict[str, np.ndarray]) -> Self:
        """Return the network whose parameters differ from these by what `changes` gave.

        Raises
        ------
        TableError
            When they are changes of another network: what a file says may be anything.
        """
        try:
            check_fit(self.params, changes)
        except ValueError as error:
            raise TableError(f"the run file's network is not that of its settings: {error}. Train again.") from None
        return replace(self, params=restore(self.params, changes))

    def __repr__(self) -> str:
        sizes = ", ".join(f"{plan.rows} x {plan.columns}" for plan in self.network.matrices)
        shape = " x ".join(map(str, self.network.input_shape))
        return f"TrainedNetwork(inputs {shape}, matrices {sizes}, {len(self.params.vectors)} digital vectors)"

    def _checked(self, x: np.ndarray) -> np.ndarray:
        x, shape = np.asarray(x), self.network.input_shape
        if x.ndim == 3 and len(shape) == 3 and shape[0] == 1:
            x = x[:, None]  # grey images (N, H, W)
        if x.shape[1:] != shape or not len(x) or x.dtype.kind not in "uifb":
            wanted = f"(N, {', '.join(map(str, shape))})"
            raise InputError(f"`x` must be {wanted} numbers; got {x.shape} of {x.dtype}. Reshape it.")
        return as_numbers(x, self.dtype)
