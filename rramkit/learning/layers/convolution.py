"""Convolution as a matrix product over the windows of an image: y = scale (windows of x) W' + bias.

W' (R, C) is what a matrix holds, within [-1, 1] of its range, R the pixels of a window over all input channels; `scale`
and the bias are digital, as in the bulk-switching module (arXiv 2305.14547).
"""

from typing import Literal

import numpy as np

from rramkit.array.matrix import Gradient, Samples
from rramkit.array.windows import Windows
from rramkit.errors import InputError
from rramkit.learning.layers.layer import (
    Backward,
    Forward,
    Layer,
    LayerPlan,
    MatrixPlan,
    Params,
    Shape,
    Sizes,
    image_shape,
)
from rramkit.learning.layers.read_cost import ReadCost
from rramkit.parameters import quantity


class Convolution(Layer[Samples]):
    """The same product at every window: images (C, H, W, B) to (C', Ho, Wo, B)."""

    kind: Literal["convolution"] = quantity("convolution", "1", "a convolution")
    channels: int = quantity(16, "1", "output channels", ge=1, le=4096)
    kernel: int = quantity(3, "1", "edge of a window", ge=1, le=31)
    stride: int = quantity(1, "1", "pixels from window to window", ge=1, le=31)
    pad: int = quantity(0, "1", "border of zeros", ge=0, le=15)
    bias: Literal["digital", "none"] = quantity("digital", "1", "whether a digital bias is added to each channel")

    @property
    def sizes(self) -> Sizes:
        """One matrix, and the bias where there is one."""
        return Sizes(matrices=1, vectors=int(self.bias == "digital"))

    @property
    def windows(self) -> Windows:
        """The windows of an image."""
        return Windows(self.kernel, self.stride, self.pad)

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return the matrix (C kernel^2, C') and a zero bias for images (C, H, W)."""
        channels, high, wide = image_shape(self, shape)
        if min(high, wide) + 2 * self.pad < self.kernel:
            raise InputError(
                f"`kernel` must fit into the image and its border; got {self.kernel} on {high} x {wide}. "
                "Make it smaller."
            )
        matrix = MatrixPlan.of(channels * self.kernel**2, self.channels, reach=reach)
        vectors = (np.zeros(self.channels),) if self.bias == "digital" else ()
        return LayerPlan((self.channels, self.windows.size(high), self.windows.size(wide)), (matrix,), vectors)

    def forward(self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator) -> Forward[Samples]:
        """Return scale (windows of x) W' + bias for images (C, H, W, B): (C', Ho, Wo, B)."""
        windows = self.windows
        samples = Samples(x, windows)
        product = params.matrices[0].forward(samples, rng=rng)
        y = product.y.T.reshape(-1, windows.size(x.shape[1]), windows.size(x.shape[2]), x.shape[3])
        y *= params.scales[0]
        if self.bias == "digital":
            y += params.vectors[0][:, None, None, None]
        return Forward(y, samples, (ReadCost.of(product),))

    def backward(
        self, error: np.ndarray, cache: Samples, params: Params, *, needs_input_grad: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the gradients, those of the inputs added up where windows overlap."""
        errors = error.reshape(len(error), -1)
        scaled = (errors * params.scales[0]).T
        matrices = (Gradient(cache, scaled),)
        vectors = (errors.sum(axis=1),) if self.bias == "digital" else ()
        if not needs_input_grad:
            return Backward(error, matrices, vectors, (ReadCost(),))
        product = params.matrices[0].backward(scaled, rng=rng)
        to_inputs = self.windows.folded(product.y, cache.values.shape)
        return Backward(to_inputs, matrices, vectors, (ReadCost.of(product),))
