"""Residual block: relu(main(x) + shortcut(x)), He et al. 2015 (arXiv 1512.03385), eq. 1 and 2."""

from typing import TYPE_CHECKING, Literal

import numpy as np

from rramkit.array.backend import at_least
from rramkit.errors import InputError
from rramkit.learning.layers.layer import (
    AnyLayer,
    Backward,
    Caches,
    Chain,
    Forward,
    Layer,
    LayerPlan,
    Params,
    Shape,
    Sizes,
    joined_gradients,
    joined_plans,
)
from rramkit.parameters import quantity

if TYPE_CHECKING:
    LayerSettings = AnyLayer  # the union of all layers, which the package hands to pydantic: a block holds any of them


class Residual(Layer[tuple[Caches, Caches, np.ndarray]]):
    """Two chains of layers on the same inputs whose outputs add, and a rectifier."""

    kind: Literal["residual"] = quantity("residual", "1", "a residual block")
    main: tuple["LayerSettings", ...] = quantity((), "1", "layers of the main path")
    shortcut: tuple["LayerSettings", ...] = quantity((), "1", "layers of the shortcut; none: the identity")

    @property
    def sizes(self) -> Sizes:
        """Those of both chains."""
        return Chain((*self.main, *self.shortcut)).sizes

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return what both chains need, the main path's first."""
        main, shortcut = (Chain(layers).plan(shape, classes=classes, reach=reach) for layers in self._paths)
        if main.shape != shortcut.shape:
            raise InputError(
                f"`main` and `shortcut` must give one shape; got {main.shape} and {shortcut.shape}. Fix the block."
            )
        return joined_plans(main.shape, (main, shortcut))

    def forward(
        self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator
    ) -> Forward[tuple[Caches, Caches, np.ndarray]]:
        """Return the rectified sum of both chains' outputs."""
        main, shortcut = (chain.forward(x, own, training=training, rng=rng) for chain, own in self._with_params(params))
        y = at_least(main.y + shortcut.y, 0.0)
        caches = (main.cache, shortcut.cache, y)
        return Forward(y, caches, main.reads + shortcut.reads, main.means + shortcut.means)

    def backward(
        self,
        error: np.ndarray,
        cache: tuple[Caches, Caches, np.ndarray],
        params: Params,
        *,
        needs_input_grad: bool,
        rng: np.random.Generator,
    ) -> Backward:
        """Return the gradients of both chains; those of the inputs add."""
        error = error * (cache[2] > 0.0)
        main, shortcut = (
            chain.backward(error, caches, own, needs_input_grad=True, rng=rng)
            for (chain, own), caches in zip(self._with_params(params), cache[:2], strict=True)
        )
        return joined_gradients(main.error + shortcut.error, (main, shortcut))

    @property
    def _paths(self) -> tuple[tuple["LayerSettings", ...], tuple["LayerSettings", ...]]:
        return self.main, self.shortcut

    def _with_params(self, params: Params) -> list[tuple[Chain, Params]]:
        chains = [Chain(layers) for layers in self._paths]
        return list(zip(chains, params.split([chain.sizes for chain in chains]), strict=True))
