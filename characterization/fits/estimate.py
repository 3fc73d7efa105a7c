"""Least squares with standard errors, shared by all parametric fits.

For residuals r (N,) of a model with P parameters at their best, of Jacobian J (N, P), the covariance of the parameters
is s^2 (J^T J)^-1 with s^2 = sum r^2 / (N - P): right for independent errors of one size, and to first order in them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from rramkit.errors import InputError


@dataclass(frozen=True)
class Estimate:
    """Parameters by name, their standard errors, and the root-mean-square residual (in the unit of the data)."""

    values: Mapping[str, float]
    errors: Mapping[str, float]
    residual: float


@dataclass(frozen=True)
class Start:
    """Where the search for a parameter starts, its bounds, and the least size that its steps are taken over.

    The size is for a parameter that may start next to zero by chance, where its own value says nothing of its scale.
    """

    value: float
    low: float = -np.inf
    high: float = np.inf
    size: float = 0.0


def estimate(residuals: Callable[[np.ndarray], np.ndarray], start: Mapping[str, Start]) -> Estimate:
    """Fit parameters (P,), in the order of `start`, to the least sum of squares of `residuals` (N,).

    Raises
    ------
    InputError
        When there are fewer data than parameters, or one of them is not finite.
    """
    guess = np.array([each.value for each in start.values()])
    low, high = (np.array([getattr(each, end) for each in start.values()]) for end in ("low", "high"))
    guess = np.clip(guess, low, high)
    first = residuals(guess)
    if first.size < guess.size or not np.all(np.isfinite(first)):
        raise InputError(
            f"a fit of {', '.join(start)} needs at least {guess.size} finite points; got {first.size}. Pass more."
        )
    scale = np.maximum(np.abs(guess), [each.size for each in start.values()])
    scale = np.where(scale == 0, 1.0, scale)
    unit = float(np.max(np.abs(first))) or 1.0  # least squares stops on absolute changes: siemens are far below them
    solution = least_squares(lambda p: residuals(p * scale) / unit, guess / scale, bounds=(low / scale, high / scale))
    rest = solution.fun * unit
    return Estimate(
        values=dict(zip(start, (solution.x * scale).tolist(), strict=True)),
        errors=dict(zip(start, (_errors(solution.jac * unit, rest) * scale).tolist(), strict=True)),
        residual=float(np.sqrt(np.mean(rest**2))),
    )


def _errors(jacobian: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """Return the standard errors (P,); infinity for what the data do not determine."""
    freedom = rest.size - jacobian.shape[1]
    if freedom < 1:
        return np.full(jacobian.shape[1], np.inf)
    size = np.linalg.norm(jacobian, axis=0)  # parameters of very different scales must not count as undetermined
    if not np.all(size > 0.0):
        return np.full(jacobian.shape[1], np.inf)
    _, singular, right = np.linalg.svd(jacobian / size, full_matrices=False)
    if singular[-1] <= np.finfo(float).eps * max(jacobian.shape) * singular[0]:
        return np.full(jacobian.shape[1], np.inf)
    return np.sqrt(np.sum((right / singular[:, None]) ** 2, axis=0) * np.sum(rest**2) / freedom) / size


def column(estimates: Sequence[Estimate], name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return one parameter of several fits and its standard errors, (K,) each."""
    return np.array([one.values[name] for one in estimates]), np.array([one.errors[name] for one in estimates])
