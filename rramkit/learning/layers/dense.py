"""Dense (fully connected) layer: y = scale x W' + bias.

W' (R, C) is what a matrix holds, within [-1, 1] of its range; `scale` and a digital bias are outside it, as in the
bulk-switching module (arXiv 2305.14547). With `bias = "row"` the bias is one more row of W', driven by a constant one.

A sum over few cells is small against the noise of a readout that is made for many. With `copies` each input, and the
bias, is on so many rows, whose cells add up: the signal grows by `copies`, the cells' own noise by the root of it, the
readout's not. This kit's choice.
"""

from typing import ClassVar, Literal

import numpy as np

from rramkit.array.backend import namespace
from rramkit.array.matrix import Gradient, Samples
from rramkit.learning.layers.layer import (
    Backward,
    Forward,
    Layer,
    LayerPlan,
    MatrixPlan,
    Params,
    Shape,
    Sizes,
    vector_length,
)
from rramkit.learning.layers.read_cost import ReadCost
from rramkit.parameters import quantity


class Dense(Layer[Samples]):
    """Fully connected: vectors (B, F) to (B, C)."""

    kind: Literal["dense"] = quantity("dense", "1", "a dense layer")
    units: int = quantity(0, "1", "outputs; 0: one for each class", ge=0, le=65_536)
    bias: Literal["digital", "row", "none"] = quantity(
        "digital", "1", "bias: digital in memory, one more row of the matrix, or none"
    )
    copies: int = quantity(1, "1", "rows of each input, and of a bias that is a row", ge=1, le=4096)
    reach: float = quantity(0.0, "1", "as `network.reach`, of this layer; 0: that of the network", ge=0.0, le=1e3)
    unsaid: ClassVar[tuple[str, ...]] = ("copies", "reach")

    @property
    def sizes(self) -> Sizes:
        """One matrix, and the bias where it is digital."""
        return Sizes(matrices=1, vectors=int(self.bias == "digital"))

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return the matrix (F, C) and a zero bias for vectors (F,)."""
        inputs, units = vector_length(self, shape), self.units or classes
        matrix = MatrixPlan.of(
            inputs, units, reach=self.reach or reach, bias_row=self.bias == "row", copies=self.copies
        )
        return LayerPlan((units,), (matrix,), (np.zeros(units),) if self.bias == "digital" else ())

    def forward(self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator) -> Forward[Samples]:
        """Return scale x W' + bias for vectors (B, F): (B, C)."""
        xp = namespace(x)
        inputs = xp.concat([x, xp.ones_like(x[:, :1])], axis=1) if self.bias == "row" else x
        samples = Samples(inputs if self.copies == 1 else xp.tile(inputs, (1, self.copies)))
        product = params.matrices[0].forward(samples, rng=rng)
        y = product.y
        y *= params.scales[0]
        if self.bias == "digital":
            y += params.vectors[0]
        return Forward(y, samples, (ReadCost.of(product),))

    def backward(
        self, error: np.ndarray, cache: Samples, params: Params, *, needs_input_grad: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the gradients: scale e W'^T, scale x^T e and the sum of e (B, C)."""
        scaled = error * params.scales[0]
        matrices = (Gradient(cache, scaled),)
        vectors = (error.sum(axis=0),) if self.bias == "digital" else ()
        if not needs_input_grad:
            return Backward(error, matrices, vectors, (ReadCost(),))
        product = params.matrices[0].backward(scaled, rng=rng)
        to_rows = product.y if self.copies == 1 else product.y.reshape(len(error), self.copies, -1).sum(axis=1)
        to_inputs = to_rows[:, :-1] if self.bias == "row" else to_rows
        return Backward(to_inputs, matrices, vectors, (ReadCost.of(product),))
