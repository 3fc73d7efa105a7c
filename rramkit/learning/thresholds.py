"""Thresholds that turn the activations of a trained network into bits, layer by layer, without training on.

SEI (Xia et al., DAC 2016, doi 10.1145/2897937.2898101) quantises intermediate data to one bit "based on the analysis of
data distribution" (FOUND in its abstract); a greedy search for the threshold of each layer, first layer first, is
RECALLED, no source at hand. Each activation becomes a step between two levels, which the next layer takes into its
weights and bias, so that bits enter it::

    f(a) -> low + (high - low) [a > threshold]          w' = (high - low) w       bias' = bias + low sum w

    a  input of the activation in the network whose layers before are of one bit already

Levels are the means of the exact network's activations where the bit is 1 and where it is 0. The threshold is

    layer      one for the layer: of the quantiles of a, the one with the highest accuracy on the images, the rest exact
    channel    one for each channel, this kit's own: the least mean square of what is left of the exact activations

A next layer without a digital bias, or with a border of zeros, has no place for `low`: there it is zero. Images choose
thresholds and levels, so test images are not among them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.array.matrix import FloatMatrix
from rramkit.errors import InputError
from rramkit.learning.data import as_numbers
from rramkit.learning.layers import Activation, AnyLayer, Convolution, Dense, Flatten, MaxPool, MeanPool, Params, Step
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.state_dict import PlainWeights, state_dict

By = Literal["layer", "channel"]

_QUANTILES = np.linspace(0.02, 0.98, 33)
"""Of the inputs of a layer's activations (1): thresholds that are tried for a layer."""


@dataclass(frozen=True)
class LayerBits:
    """One activation as a step.

    Attributes
    ----------
    name : str
        Number of the layer.
    threshold, low, high : ndarray
        Of each channel (C,), or of all (1,): what an input must exceed, and the levels of 0 and 1.
    ones : float
        Part of the images' outputs that are 1 (1).
    accuracy : float
        Fraction of the images that are classified correctly with this layer and those before it of one bit (1).
    """

    name: str
    threshold: np.ndarray
    low: np.ndarray
    high: np.ndarray
    ones: float
    accuracy: float


@dataclass(frozen=True)
class OneBit:
    """A network whose activations are bits.

    Attributes
    ----------
    settings : NetworkSettings
        Its layers, steps in the places of activations.
    arrays : dict of ndarray
        Weights and biases by name, as `rramkit evaluate --weights` takes them.
    layers : tuple of LayerBits
        Each activation.
    accuracy : float
        Fraction of the images that the network with activations classifies correctly (1).
    """

    settings: NetworkSettings
    arrays: dict[str, np.ndarray]
    layers: tuple[LayerBits, ...]
    accuracy: float


def one_bit(plain: PlainWeights, x: np.ndarray, labels: np.ndarray, *, reach: float, by: By = "layer") -> OneBit:
    """Return a network of which every activation is a step.

    Parameters
    ----------
    plain : PlainWeights
        The trained network: dense layers and convolutions, pooling, activations.
    x, labels : ndarray
        Images (N, F) or (N, C, H, W) like those of training, and their classes (N,).
    reach : float
        That of the network's settings.
    by : str
        `layer` or `channel`.

    Returns
    -------
    OneBit
        Layers, weights, and what each threshold costs.

    Raises
    ------
    InputError
        When a layer is of another kind or has `copies`, there is no activation with a matrix behind it, or labels are
        targets.

    Examples
    --------
    >>> import numpy as np
    >>> import rramkit as rk
    >>> from rramkit.learning.continued import plain_of
    >>> network = rk.load_run("run.h5").network  # of 4 inputs and 3 classes
    >>> x = np.random.default_rng(0).random((50, 4))
    >>> found = one_bit(plain_of(network), x, network.predict(x), reach=10.0)
    >>> [layer.kind for layer in found.settings.layers], len(found.layers)
    (['dense', 'step', 'dense'], 1)
    """
    if labels.ndim != 1:
        raise InputError(
            f"thresholds are chosen by how many images are classified correctly: `labels` must be classes (N,); got "
            f"targets {labels.shape}. Take a network of classes."
        )
    search = _Search(plain, labels, by)
    return search.run(as_numbers(x, np.dtype(np.float32)), reach)


class _Search:
    """The walk through a network's layers: values of the exact network, and of the one with bits, side by side."""

    def __init__(self, plain: PlainWeights, labels: np.ndarray, by: By) -> None:
        self.network, self.labels, self.by = plain.network, labels, by
        self.layers = plain.network.chain.layers
        matrices = tuple(FloatMatrix(weight.astype(np.float32)) for weight in plain.weights)
        vectors = tuple(each.astype(np.float32) for each in plain.vectors)
        self.params = list(
            plain.network.params(matrices, vectors, plain.means).split([layer.sizes for layer in self.layers])
        )
        known = (Dense, Convolution, Activation, MaxPool, MeanPool, Flatten, Step)
        strange = [str(type(each).model_fields["kind"].default) for each in self.layers if not isinstance(each, known)]
        if strange:
            raise InputError(
                "thresholds are found for dense layers, convolutions, activations, pooling and flatten; got a layer "
                f"{strange[0]}. Take another network."
            )
        if any(isinstance(each, Dense) and each.copies > 1 for each in self.layers):
            raise InputError("thresholds are found for dense layers of one row an input; got `copies`. Leave them out.")

    def run(self, x: np.ndarray, reach: float) -> OneBit:
        """Walk through all layers."""
        exact = bits = np.ascontiguousarray(np.moveaxis(x, 0, -1)) if x.ndim == 4 else x
        layers, found, steps = list(self.layers), [], {}
        accuracy = self._accuracy(0, exact)
        for index, layer in enumerate(self.layers):
            following = self._matrix_after(index)
            if isinstance(layer, Activation) and following is not None:
                a, exact = bits, self._forward(index, exact)
                threshold, low, high = self._threshold(index, a, exact, has_low=_has_low(self.layers[following]))
                above = a > _over(threshold, a)
                bits = np.where(above, _over(high, a), _over(low, a)).astype(a.dtype)
                layers[index] = Step(threshold=tuple(threshold.tolist()))
                steps[following] = (index, low, high)
                part = self._accuracy(index + 1, bits)
                found.append(LayerBits(str(index), threshold, low, high, float(above.mean()), part))
            else:
                same = exact is bits
                exact = self._forward(index, exact)
                bits = exact if same else self._forward(index, bits)
        if not found:
            raise InputError("the network has no activation with a matrix behind it: no bits to make. Take another.")
        settings = NetworkSettings.checked({"layers": tuple(layers), "reach": reach}, where="the network of one bit")
        return OneBit(settings, self._arrays(settings, steps), tuple(found), accuracy)

    def _forward(self, index: int, x: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(0)  # a float layer draws nothing
        return self.layers[index].forward(x, self.params[index], training=False, rng=rng).y

    def _accuracy(self, index: int, x: np.ndarray) -> float:
        """Return the accuracy of the layers from `index` on, exact, for their inputs `x` (1)."""
        for each in range(index, len(self.layers)):
            x = self._forward(each, x)
        return float(np.mean(np.argmax(x, axis=1) == self.labels))

    def _matrix_after(self, index: int) -> int | None:
        """Return the number of the next layer with a matrix; None: there is none."""
        later = range(index + 1, len(self.layers))
        return next((each for each in later if self.layers[each].sizes.matrices), None)

    def _threshold(
        self, index: int, a: np.ndarray, exact: np.ndarray, *, has_low: bool
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return threshold, low and high (C,) or (1,) of the inputs `a` of an activation, `exact` what it gave."""
        if self.by == "channel":
            pairs = zip(_channels(a), _channels(exact), strict=True)
            return _columns([_least_squares(*pair, has_low=has_low) for pair in pairs])
        best, chosen = -1.0, None
        for threshold in np.unique(np.quantile(a, _QUANTILES)):
            above = a > threshold
            if above.all() or not above.any():
                continue
            low = float(exact[~above].mean()) if has_low else 0.0
            tried = (float(threshold), low, float(exact[above].mean()))
            accuracy = self._accuracy(index + 1, np.where(above, tried[2], tried[1]).astype(a.dtype))
            if accuracy > best:
                best, chosen = accuracy, tried
        return _columns([chosen or _constant(a, exact)])

    def _arrays(
        self, settings: NetworkSettings, steps: dict[int, tuple[int, np.ndarray, np.ndarray]]
    ) -> dict[str, np.ndarray]:
        """Return weights and biases by name, levels taken into the matrices that follow."""
        new = Network.of(settings, self.network.input_shape, self.network.plan.shape[0])
        matrices, vectors = [], []
        for index, (layer, own) in enumerate(zip(self.layers, self.params, strict=True)):
            weights, biases = [own.scales[k] * each.weight for k, each in enumerate(own.matrices)], list(own.vectors)
            if index in steps:
                weights[0], biases = _with_levels(layer, weights[0], biases, *steps[index][1:])
            matrices, vectors = [*matrices, *weights], [*vectors, *biases]
        scales = zip(matrices, new.matrices, strict=True)
        floats = tuple(FloatMatrix(weight / plan.scale) for weight, plan in scales)
        params = Params(floats, tuple(vectors), (), tuple(plan.scale for plan in new.matrices))
        return state_dict(new, params)


def _with_levels(
    layer: AnyLayer, weight: np.ndarray, biases: list[np.ndarray], low: np.ndarray, high: np.ndarray
) -> tuple[np.ndarray, list[np.ndarray]]:
    """Return weight (R, C) and biases of a layer that gets bits in place of levels."""
    as_row = isinstance(layer, Dense) and layer.bias == "row"
    rows = len(weight) - as_row
    zero, one = (np.repeat(each, rows // each.size)[:, None] for each in (low, high))
    new = weight.copy()
    new[:rows] *= one - zero
    shift = (zero * weight[:rows]).sum(axis=0)
    if as_row:
        new[-1] += shift
        return new, biases
    return new, [biases[0] + shift, *biases[1:]] if biases else biases


def _has_low(layer: AnyLayer) -> bool:
    """Whether a layer can take up the level of 0: by a bias, and without a border that has another level."""
    if isinstance(layer, Convolution):
        return layer.bias == "digital" and not layer.pad
    return isinstance(layer, Dense) and layer.bias != "none"


def _least_squares(a: np.ndarray, exact: np.ndarray, *, has_low: bool) -> tuple[float, float, float]:
    """Return threshold, low and high that leave the least mean square of `exact` (N,), bits being of `a` (N,).

    Sums up to each place in the order of `a` give what every threshold leaves. A 1 must stand for more than a 0.
    """
    order = np.argsort(a, kind="stable")
    a, sums = a[order].astype(float), np.cumsum(exact[order], dtype=float)
    count, total = a.size, sums[-1]
    below = np.arange(1, count)
    high = (total - sums[:-1]) / (count - below)
    low = sums[:-1] / below if has_low else np.zeros(count - 1)
    explained = (count - below) * high**2 + (below * low**2)
    explained[(np.diff(a) <= 0.0) | (high <= low)] = -1.0
    best = int(np.argmax(explained)) if count > 1 else 0
    if count < 2 or explained[best] < 0.0:
        return _constant(a, exact)
    return float(0.5 * (a[best] + a[best + 1])), float(low[best]), float(high[best])


def _constant(a: np.ndarray, exact: np.ndarray) -> tuple[float, float, float]:
    """Return threshold, low and high of a channel that is always 0: its values do not differ."""
    return float(a.max()), float(exact.mean()), float(exact.mean()) + 1.0


def _columns(found: Sequence[tuple[float, float, float]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    threshold, low, high = (np.array(column) for column in zip(*found, strict=True))
    return threshold, low, high


def _channels(values: np.ndarray) -> np.ndarray:
    """Return images (C, H, W, B) or vectors (B, C) as (C, N)."""
    return values.reshape(len(values), -1) if values.ndim == 4 else values.T


def _over(each: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Return numbers (C,) or (1,) so that they broadcast over images (C, H, W, B) or vectors (B, C)."""
    return each[:, None, None, None] if values.ndim == 4 else each
