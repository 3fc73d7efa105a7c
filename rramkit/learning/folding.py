"""A binary network as counts and thresholds: batch normalisation and `sum w` folded into one comparison an output.

A matrix of weights +1 and -1 makes counts of rows that are 0 or 1, b::

    n = sum b w,    sum (2 b - 1) w = 2 n - sum w

Behind it stand batch normalisation, which is a straight line of n in each channel, and a step. Both together are one
comparison with a whole number, from above or, where the line falls, from below; so is the network that takes +1 and -1
in place of 1 and 0, with another number::

    bit = n >= at_least    where rising,      bit = n <= at_most   else
    2 n - sum w >= 2 at_least - sum w         the same in the network of +1 and -1

The numbers are found by running the layers themselves on every count that a matrix of R rows can make, in the network's
own precision: the folded network gives the bits of the unfolded one, ties included.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.layers import BatchNorm, Convolution, Dense, MaxPool, Params, Step
from rramkit.learning.rules.binary import signs
from rramkit.learning.trained import TrainedNetwork


@dataclass(frozen=True)
class Folded:
    """One matrix (R, C) of a binary network with the step behind it.

    Attributes
    ----------
    weight : ndarray of int8
        +1 and -1 (R, C).
    threshold : ndarray of int
        Smallest count that gives 1 where `rising`, else the largest (C,). Beyond R or -R - 1: never, or always.
    rising : ndarray of bool
        Whether the bit is 1 above its threshold or below (C,).
    """

    weight: np.ndarray
    threshold: np.ndarray
    rising: np.ndarray

    @property
    def threshold_of_signs(self) -> np.ndarray:
        """The same thresholds for inputs of +1 and -1 in place of 1 and 0 (C,): 2 threshold - sum w."""
        return 2 * self.threshold - self.weight.sum(axis=0, dtype=int)

    def bits(self, count: np.ndarray) -> np.ndarray:
        """Compare counts with the thresholds.

        Parameters
        ----------
        count : ndarray of int
            n = sum b w (..., C) of rows b that are 0 or 1.

        Returns
        -------
        ndarray of int8
            Outputs (..., C), 0 or 1.

        Examples
        --------
        >>> one = Folded(np.ones((4, 2), np.int8), np.array([3, 1]), np.array([True, False]))
        >>> one.bits(np.array([2, 0])), one.bits(np.array([3, 2]))
        (array([0, 1], dtype=int8), array([1, 0], dtype=int8))
        """
        return np.where(self.rising, count >= self.threshold, count <= self.threshold).astype(np.int8)


def folded(network: TrainedNetwork) -> tuple[Folded, ...]:
    """Return the matrices of a binary network that have a step behind them, with their thresholds.

    Parameters
    ----------
    network : TrainedNetwork
        Trained with the rule `binary`: dense layers and convolutions without bias, each but the last followed by batch
        normalisation and a step, with or without max pooling before these.

    Returns
    -------
    tuple of Folded
        By matrix, in order.

    Raises
    ------
    InputError
        When a matrix has a bias, or something else than these between it and its step.

    Examples
    --------
    >>> import rramkit as rk
    >>> from rramkit.learning.folding import folded
    >>> [each.weight.shape for each in folded(rk.load_run("binary.h5").network)]  # doctest: +SKIP
    [(25, 6), (150, 16), (400, 120), (120, 84)]
    """
    return tuple(_folded(network))


def _folded(network: TrainedNetwork) -> Iterator[Folded]:
    layers, sizes = network.network.chain.layers, [each.sizes for each in network.network.chain.layers]
    params = list(network.params.split(sizes))
    at = [index for index, layer in enumerate(layers) if isinstance(layer, Dense | Convolution)]
    for index, following in zip(at, [*at[1:], len(layers)], strict=True):
        between = [i for i in range(index + 1, following) if not isinstance(layers[i], MaxPool)]
        steps = [i for i in between if isinstance(layers[i], Step)]
        if not steps:
            continue  # the scores
        norms = between[: between.index(steps[0])]
        layer = layers[index]
        if getattr(layer, "bias", "none") != "none" or any(not isinstance(layers[i], BatchNorm) for i in norms):
            raise InputError(
                f"`network` must have batch normalisation alone between a matrix without bias and its step; layer "
                f"{index} has {', '.join(type(layers[i]).__name__ for i in range(index, steps[0]))}, bias "
                f"{getattr(layer, 'bias', 'none')}. Change the layers."
            )
        yield _of_matrix(network, params, index, (*norms, steps[0]))


def _of_matrix(network: TrainedNetwork, params: list[Params], index: int, behind: tuple[int, ...]) -> Folded:
    """Return a matrix with the thresholds of the layers `behind` it, which are run on every count."""
    weight, scale = signs(params[index].matrices[0].weight), params[index].scales[0]
    rows, columns = weight.shape
    counts, rng = np.arange(-rows, rows + 1), np.random.default_rng(0)  # nothing is drawn
    y = np.repeat(counts[:, None], columns, axis=1).astype(network.dtype) * network.dtype.type(scale)
    for layer in behind:
        y = network.network.chain.layers[layer].forward(y, params[layer], training=False, rng=rng).y
    rising = y[-1] >= y[0]
    first = np.where(y.any(axis=0), np.argmax(y > 0, axis=0), len(counts))  # of those that are 1, the smallest
    last = np.where(y.any(axis=0), len(counts) - 1 - np.argmax(y[::-1] > 0, axis=0), -1)
    return Folded(weight.astype(np.int8), np.where(rising, first, last) - rows, rising)
