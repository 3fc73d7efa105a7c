"""A network: its layers, the arrays they need, one forward and one backward pass."""

import math
from dataclasses import dataclass, replace
from typing import Protocol, Self

import numpy as np

from rramkit.array.backend import contiguous, namespace
from rramkit.array.matrix import Gradient, Matrix
from rramkit.learning.compared import compared
from rramkit.learning.floors import with_floors
from rramkit.learning.layers.clustered import Clustered
from rramkit.learning.layers.layer import Chain, LayerPlan, MatrixPlan, Params
from rramkit.learning.layers.read_cost import NetworkReads
from rramkit.learning.losses import CrossEntropy, LossSettings

SCORED_AT_ONCE = 500
"""Inputs whose scores are computed at once."""

_CROSS_ENTROPY = CrossEntropy()


class Architecture(Protocol):
    """What a network is built from; `NetworkSettings` is one."""

    @property
    def reach(self) -> float:
        """Weight at the full range of a pair, over the standard deviation of initial weights (1)."""
        ...

    def chain(self, *, images: bool) -> Chain:
        """Return the layers for inputs that are images or vectors."""
        ...


@dataclass(frozen=True)
class ForwardResult:
    """One forward pass: scores (B, C), the layers' caches, the cost of the reads, and the running means after it."""

    scores: np.ndarray
    caches: tuple[object, ...]
    reads: NetworkReads
    means: tuple[np.ndarray, ...]


@dataclass(frozen=True)
class Gradients:
    """Gradients of a loss with respect to each matrix and each vector of a network, and the cost of the reads."""

    matrices: tuple[Gradient, ...]
    vectors: tuple[np.ndarray, ...]
    reads: NetworkReads


@dataclass(frozen=True)
class Network:
    """Layers, and what they need for inputs of one shape.

    Attributes
    ----------
    chain : Chain
        The layers.
    input_shape : tuple of int
        (F,) for vectors, (C, H, W) for images.
    plan : LayerPlan
        Shape and scale of each matrix, initial values of the digital vectors and running means.

    Examples
    --------
    >>> import numpy as np
    >>> from rramkit.learning.networks import NetworkSettings
    >>> network, rng = Network.of(NetworkSettings(hidden=[5]), (4,), 3), np.random.default_rng(0)
    >>> [(plan.rows, plan.columns) for plan in network.matrices]
    [(5, 5), (6, 3)]
    """

    chain: Chain
    input_shape: tuple[int, ...]
    plan: LayerPlan

    @classmethod
    def of(cls, settings: Architecture, input_shape: tuple[int, ...], classes: int) -> Self:
        """Build the network of the settings for inputs of a shape and a number of classes.

        Parameters
        ----------
        settings : NetworkSettings
            Which layers.
        input_shape : tuple of int
            (F,) for vectors, (C, H, W) for images.
        classes : int
            Number of outputs.

        Returns
        -------
        Network
            The network.

        Raises
        ------
        InputError
            When a layer does not take what the one before it gives.

        Examples
        --------
        >>> from rramkit.learning.networks import NetworkSettings
        >>> Network.of(NetworkSettings(name="lenet5"), (1, 28, 28), 10).order
        219
        """
        chain = settings.chain(images=len(input_shape) == 3)
        return cls(chain, input_shape, chain.plan(input_shape, classes=classes, reach=settings.reach))

    @property
    def matrices(self) -> tuple[MatrixPlan, ...]:
        """Shape and scale of each matrix."""
        return self.plan.matrices

    @property
    def first(self) -> int:
        """Matrices of the first layer that has any, which pass no error on: one, or those of a sparse layer's clusters.

        The copies of a block's inner layers stay: their errors stay within the block.
        """
        layer = next((each for each in self.chain.layers if each.sizes.matrices), None)
        return layer.sizes.matrices if isinstance(layer, Clustered) else 1

    @property
    def vectors(self) -> tuple[np.ndarray, ...]:
        """Initial values of the trained digital vectors."""
        return self.plan.vectors

    @property
    def means(self) -> tuple[np.ndarray, ...]:
        """Initial values of the running means."""
        return self.plan.means

    @property
    def order(self) -> int:
        """Order of a square matrix as large as the largest one."""
        return math.isqrt(max(plan.rows * plan.columns for plan in self.matrices))

    def init_weights(self, *, rng: np.random.Generator, dtype: np.dtype) -> tuple[np.ndarray, ...]:
        """Draw the initial weights (R, C) of each matrix, within [-1, 1] of its range.

        Parameters
        ----------
        rng : Generator
            Draws the weights.
        dtype : dtype
            Type of the numbers.

        Returns
        -------
        tuple of ndarray
            Weights (R, C) of each matrix (1), over the weight at the full range of its pairs.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.learning.networks import NetworkSettings
        >>> network, rng = Network.of(NetworkSettings(hidden=[5]), (4,), 3), np.random.default_rng(0)
        >>> [weight.shape for weight in network.init_weights(rng=rng, dtype=np.dtype(float))]
        [(5, 5), (6, 3)]
        """
        return tuple(np.clip(plan.init(rng=rng), -1.0, 1.0).astype(dtype) for plan in self.matrices)

    def params(
        self,
        matrices: tuple[Matrix, ...],
        vectors: tuple[np.ndarray, ...] = (),
        means: tuple[np.ndarray, ...] = (),
    ) -> Params:
        """Return the numbers of all layers, with the digital scale of each matrix.

        Parameters
        ----------
        matrices : tuple of Matrix
            One for each of `self.matrices`, in RRAM or in float.
        vectors : tuple of ndarray
            Trained digital vectors, as many as `self.vectors`.
        means : tuple of ndarray
            Running means, as many as `self.means`.

        Returns
        -------
        Params
            What `forward` and `scores` take.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.learning.networks import NetworkSettings
        >>> network, rng = Network.of(NetworkSettings(hidden=[5]), (4,), 3), np.random.default_rng(0)
        >>> from rramkit.array.matrix import FloatMatrix
        >>> weights = network.init_weights(rng=rng, dtype=np.dtype(float))
        >>> params = network.params(tuple(FloatMatrix(weight) for weight in weights), network.vectors, network.means)
        >>> len(params.matrices)
        2
        """
        scales = tuple(plan.scale for plan in self.matrices)
        return with_floors(self.chain, compared(self.chain, Params(matrices, vectors, means, scales)))

    def forward(self, params: Params, x: np.ndarray, *, training: bool, rng: np.random.Generator) -> ForwardResult:
        """Run a batch (B, F) or (B, C, H, W) forward through the layers.

        Parameters
        ----------
        params : Params
            The numbers of all layers.
        x : ndarray
            Inputs (B, F) or (B, C, H, W) (1).
        training : bool
            Whether normalisation takes the means of the batch, and not the running ones.
        rng : Generator
            Draws the read noise.

        Returns
        -------
        ForwardResult
            Scores (B, classes), caches for `backward`, cost of the reads, and the running means after the batch.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.learning.networks import NetworkSettings
        >>> network, rng = Network.of(NetworkSettings(hidden=[5]), (4,), 3), np.random.default_rng(0)
        >>> from rramkit.array.matrix import FloatMatrix
        >>> weights = network.init_weights(rng=rng, dtype=np.dtype(float))
        >>> params = network.params(tuple(FloatMatrix(weight) for weight in weights), network.vectors, network.means)
        >>> network.forward(params, np.ones((2, 4)), training=False, rng=rng).scores.shape
        (2, 3)
        """
        inputs = contiguous(namespace(x).moveaxis(x, 0, -1)) if x.ndim == 4 else x  # images are (C, H, W, B) inside
        result = self.chain.forward(inputs, params, training=training, rng=rng)
        return ForwardResult(result.y, result.cache, NetworkReads(forward=result.reads), result.means)

    def backward(
        self, params: Params, result: ForwardResult, error: np.ndarray, *, rng: np.random.Generator
    ) -> Gradients:
        """Run the gradient of a loss with respect to the scores (B, C) backward, each product by its own matrix.

        Parameters
        ----------
        params : Params
            The numbers of all layers, as in the forward pass.
        result : ForwardResult
            Result of the forward pass.
        error : ndarray
            Gradient of the loss with respect to the scores (B, classes) (1).
        rng : Generator
            Draws the read noise.

        Returns
        -------
        Gradients
            Those of each matrix and of each vector, and the cost of the reads.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.learning.networks import NetworkSettings
        >>> network, rng = Network.of(NetworkSettings(hidden=[5]), (4,), 3), np.random.default_rng(0)
        >>> from rramkit.array.matrix import FloatMatrix
        >>> weights = network.init_weights(rng=rng, dtype=np.dtype(float))
        >>> params = network.params(tuple(FloatMatrix(weight) for weight in weights), network.vectors, network.means)
        >>> result = network.forward(params, np.ones((2, 4)), training=True, rng=rng)
        >>> [each.weight.shape for each in network.backward(params, result, np.ones((2, 3)), rng=rng).matrices]
        [(5, 5), (6, 3)]
        """
        back = self.chain.backward(error, result.caches, params, needs_input_grad=False, rng=rng)
        return Gradients(back.matrices, back.vectors, NetworkReads(backward=back.reads))

    def gradients(
        self,
        params: Params,
        x: np.ndarray,
        truth: np.ndarray,
        *,
        rng: np.random.Generator,
        loss: LossSettings = _CROSS_ENTROPY,
    ) -> tuple[float, ForwardResult, Gradients]:
        """Return the mean loss of a batch with labels (B,) or targets (B, O), the forward result, and the gradients.

        Parameters
        ----------
        params : Params
            The numbers of all layers.
        x : ndarray
            Inputs (B, F) or (B, C, H, W) (1).
        truth : ndarray
            Classes (B,), from 0; targets (B, O) for a loss that takes those.
        rng : Generator
            Draws the read noise.
        loss : LossSettings
            Which loss; left out, the cross-entropy.

        Returns
        -------
        loss : float
            Mean loss (nat, or 1).
        result : ForwardResult
            Scores and running means.
        gradients : Gradients
            Those of each matrix and of each vector; its reads count both passes.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.learning.networks import NetworkSettings
        >>> network, rng = Network.of(NetworkSettings(hidden=[5]), (4,), 3), np.random.default_rng(0)
        >>> from rramkit.array.matrix import FloatMatrix
        >>> weights = network.init_weights(rng=rng, dtype=np.dtype(float))
        >>> params = network.params(tuple(FloatMatrix(weight) for weight in weights), network.vectors, network.means)
        >>> loss, result, gradients = network.gradients(params, np.ones((2, 4)), np.array([0, 2]), rng=rng)
        >>> loss > 0.0, len(gradients.matrices)
        (True, 2)
        """
        result = self.forward(params, x, training=True, rng=rng)
        mean, error = loss.of(result.scores, truth)
        gradients = self.backward(params, result, error, rng=rng)
        return mean, result, replace(gradients, reads=gradients.reads + result.reads)

    def scores(
        self, params: Params, x: np.ndarray, *, rng: np.random.Generator, batch: int = SCORED_AT_ONCE
    ) -> np.ndarray:
        """Return the scores (N, C) of many inputs, a batch at a time and with the running means.

        Parameters
        ----------
        params : Params
            The numbers of all layers.
        x : ndarray
            Inputs (N, F) or (N, C, H, W) (1).
        rng : Generator
            Draws the read noise.
        batch : int
            Inputs read at once.

        Returns
        -------
        ndarray
            Scores (N, classes) (1); the largest of a row is the class.

        Examples
        --------
        >>> import numpy as np
        >>> from rramkit.learning.networks import NetworkSettings
        >>> network, rng = Network.of(NetworkSettings(hidden=[5]), (4,), 3), np.random.default_rng(0)
        >>> from rramkit.array.matrix import FloatMatrix
        >>> weights = network.init_weights(rng=rng, dtype=np.dtype(float))
        >>> params = network.params(tuple(FloatMatrix(weight) for weight in weights), network.vectors, network.means)
        >>> network.scores(params, np.ones((7, 4)), rng=rng).shape
        (7, 3)
        """
        starts = range(0, len(x), batch)
        parts = [self.forward(params, x[i : i + batch], training=False, rng=rng).scores for i in starts]
        return namespace(parts[0]).concat(parts, axis=0)
