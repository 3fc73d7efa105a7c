"""Flatten: images as vectors."""

from typing import Literal

import numpy as np

from rramkit.array.backend import contiguous
from rramkit.learning.layers.layer import Backward, Forward, Layer, LayerPlan, Params, Shape, image_shape
from rramkit.parameters import quantity


class Flatten(Layer[tuple[int, ...]]):
    """Images (C, H, W, B) as vectors (B, C H W)."""

    kind: Literal["flatten"] = quantity("flatten", "1", "images as vectors")

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return (C H W,) for images (C, H, W)."""
        return LayerPlan((int(np.prod(image_shape(self, shape))),))

    def forward(
        self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator
    ) -> Forward[tuple[int, ...]]:
        """Return the pixels of each image as a row."""
        return Forward(contiguous(x.reshape(-1, x.shape[3]).T), tuple(x.shape))

    def backward(
        self,
        error: np.ndarray,
        cache: tuple[int, ...],
        params: Params,
        *,
        needs_input_grad: bool,
        rng: np.random.Generator,
    ) -> Backward:
        """Return each row (B, C H W) as an image."""
        return Backward(contiguous(error.T).reshape(cache))
