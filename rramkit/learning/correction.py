"""Digital correction of what matrices on a chip give: a gain and an offset for each output, from a few inputs.

A read gives less than the exact product: the resistance of lines, switches and readouts takes some percent of the
currents, a fifth of those of full arrays, nearly alike at all inputs, and the converters of many arrays add offsets of
their own. A network that is trained on the chip learns with that. Weights trained in float do not know it: what the
network subtracts next, biases and running means, is of exact products. So each output is corrected digitally,

    z = gain y + offset          gain = cov(y, z) / var(y),   offset = mean(z) - gain mean(y)

    y  output as read      z  exact product of the same inputs      over all vectors of a few inputs, without labels

layer after layer, each with the inputs that the corrected layers before it give. It is what chips with digital
processing beside their arrays do (Le Gallo et al. 2023, arXiv 2212.02872: an affine correction of each column). It
corrects what is alike at all inputs, and no noise. A matrix that comparators read (`sei`) gives no outputs to correct:
there the same line moves the references, (z_ref - offset) / gain, after test reads of the sums. Batch normalisation
with statistics taken anew on the chip (Joshi et al. 2020, arXiv 1906.03138) does the same for layers that have it, but
takes many more inputs: their own scatter enters its means, while here the same inputs are on both sides.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rramkit.array.matrix import FloatMatrix, Matrix, Product, Samples
from rramkit.array.selected_matrix import SelectedMatrix
from rramkit.errors import InputError
from rramkit.learning.corrected import Corrected
from rramkit.learning.data import as_numbers
from rramkit.learning.floors import floored, with_floors
from rramkit.learning.layers.read_cost import ReadCost
from rramkit.learning.trained import TrainedNetwork

_ROUNDING = 1e-12  # of a variance over the mean square (1): below, the sums of float64 hold no variance


@dataclass
class _Sums:
    """Sums over vectors of outputs as read and of exact products, one for each of C outputs; they grow in place."""

    count: int = 0
    y: np.ndarray = field(default_factory=lambda: np.zeros(1))
    z: np.ndarray = field(default_factory=lambda: np.zeros(1))
    yy: np.ndarray = field(default_factory=lambda: np.zeros(1))
    yz: np.ndarray = field(default_factory=lambda: np.zeros(1))

    def add(self, y: np.ndarray, z: np.ndarray) -> None:
        """Add outputs as read and exact ones (N, C)."""
        y, z = y.astype(float), z.astype(float)
        self.count += len(y)
        self.y, self.z = self.y + y.sum(axis=0), self.z + z.sum(axis=0)
        self.yy, self.yz = self.yy + (y * y).sum(axis=0), self.yz + (y * z).sum(axis=0)

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Return gain and offset (C,) of the least squares; an output without a relation keeps its gain."""
        mean_y, mean_z = self.y / self.count, self.z / self.count
        var = np.maximum(self.yy / self.count - mean_y**2, 0.0)
        cov = self.yz / self.count - mean_y * mean_z
        related = (cov > 0.0) & (var > _ROUNDING * self.yy / self.count)
        gain = np.where(related, cov / np.where(related, var, 1.0), 1.0)
        return gain, mean_z - gain * mean_y


@dataclass
class _Fitted:
    """A matrix whose outputs are corrected by all vectors so far."""

    matrix: Matrix
    exact: FloatMatrix
    sums: _Sums = field(default_factory=_Sums)
    cost: ReadCost = field(default_factory=ReadCost)

    @property
    def weight(self) -> np.ndarray:
        return self.matrix.weight

    def forward(self, x: Samples, /, *, rng: np.random.Generator) -> Product:
        product = self.matrix.forward(x, rng=rng)
        self.sums.add(product.y, self.exact.forward(x, rng=rng).y)
        self.cost = self.cost + ReadCost.of(product)
        corrected = self.corrected()
        if isinstance(corrected, SelectedMatrix):
            return replace(product, y=corrected.decisions(product.y).astype(product.y.dtype))
        return corrected.of(product)

    def corrected(self) -> Corrected | SelectedMatrix:
        """Return the matrix with its correction; of one that comparators read, with its references moved."""
        line = self.sums.line()
        return self.matrix.trimmed(*line) if isinstance(self.matrix, SelectedMatrix) else Corrected(self.matrix, *line)


def corrected(
    network: TrainedNetwork,
    weights: Sequence[np.ndarray],
    x: np.ndarray,
    *,
    batch: int,
    rng: np.random.Generator | None = None,
) -> tuple[TrainedNetwork, ReadCost]:
    """Return a network whose outputs are corrected on its chip, and what the reads for that cost.

    Parameters
    ----------
    network : TrainedNetwork
        The network on its chip; a correction that it has is left out.
    weights : sequence of ndarray
        What each matrix (R, C) should be, over its scale, as it was to be written.
    x : ndarray
        Inputs (N, F) or (N, C, H, W) like those of training; no test inputs.
    batch : int
        Inputs read at once.
    rng : Generator, optional
        Draws the read noise; left out, one of the network's seed.

    Raises
    ------
    InputError
        When there are fewer than two inputs.
    """
    if len(x) < 2:
        raise InputError(f"`x` must be at least two inputs, for a gain and an offset; got {len(x)}. Take more inputs.")
    rng = np.random.default_rng(network.seed) if rng is None else rng
    pairs = zip(network.params.matrices, weights, strict=True)
    fitted = tuple(_fitted(matrix, FloatMatrix(np.asarray(weight, network.dtype))) for matrix, weight in pairs)
    params = replace(network.params, matrices=fitted)  # read forward alone
    for start in range(0, len(x), batch):
        network.network.forward(params, as_numbers(x[start : start + batch], network.dtype), training=False, rng=rng)
    matrices = tuple(each.corrected() for each in fitted)
    cost = sum((each.cost for each in fitted), ReadCost())
    whole = with_floors(network.network.chain, replace(network.params, matrices=matrices))
    return replace(network, params=whole), cost


def _fitted(matrix: Matrix, exact: FloatMatrix) -> _Fitted:
    """Return a matrix without a correction and read to the end, or the sums of one whose columns are compared."""
    if isinstance(matrix, SelectedMatrix):
        return _Fitted(matrix.tested(), exact)
    return _Fitted(floored(matrix.inner if isinstance(matrix, Corrected) else matrix, None), exact)
