"""A matrix with a copy beside it: read forward from one array, and backward from a second one that holds W^T."""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.matrix import Product, Samples


@dataclass(frozen=True)
class Copied:
    """A matrix (R, C) whose errors go back through an array of its own, driven by its rows like any other.

    Attributes
    ----------
    main : MappedMatrix
        W (R, C), read forward.
    copy : MappedMatrix
        W^T (C, R) in other cells, read forward too: by the errors.
    """

    main: MappedMatrix
    copy: MappedMatrix

    @property
    def weight(self) -> np.ndarray:
        """The matrix (R, C) that the cells of the first array stand for."""
        return self.main.weight

    @property
    def mismatch(self) -> float:
        """Difference of both arrays' weights, rms over that of the weights (1)."""
        size = float(np.sqrt(np.mean(np.square(self.weight))))
        return float(np.sqrt(np.mean(np.square(self.copy.weight.T - self.weight)))) / size if size else 0.0

    def forward(self, x: Samples, *, rng: np.random.Generator) -> Product:
        """Return x W as read for samples (N, R): (N, C)."""
        return self.main.forward(x, rng=rng)

    def backward(self, error: np.ndarray, *, rng: np.random.Generator) -> Product:
        """Return e W^T as read from the copy for errors (N, C): (N, R)."""
        return self.copy.forward(Samples(error), rng=rng)

    def calibrated(self, x: Samples, errors: np.ndarray | None = None, *, margin: float) -> "Copied":
        """Return this matrix, converters' full scale `margin` times the largest current of samples and of errors."""
        main = self.main.calibrated(x, margin=margin)
        return Copied(main, self.copy if errors is None else self.copy.calibrated(Samples(errors), margin=margin))

    def without_cache(self) -> "Copied":
        """Return this matrix without the operators that reads have prepared."""
        return replace(self, main=self.main.without_cache(), copy=self.copy.without_cache())
