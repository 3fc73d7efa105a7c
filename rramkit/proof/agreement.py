"""Agreement of two classifiers on the same inputs: exact confidence bound on disagreement, McNemar's test of accuracy.

With d of N inputs decided differently, the probability of a different decision is with confidence 1 - alpha at most
the upper limit of Clopper and Pearson (Biometrika 26 (1934) 404), the (1 - alpha) quantile of Beta(d + 1, N - d); with
none it is 1 - alpha^(1/N), near 3/N at 95 %.

McNemar (Psychometrika 12 (1947) 153), exact: of the inputs that one of two classifiers decides rightly and the other
wrongly, each of the two cases is as likely as the other where the accuracies are equal; the p value is two-sided
binomial.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from rramkit.errors import InputError

CONFIDENCE = 0.95


def disagreement_bound(different: int, total: int, confidence: float = CONFIDENCE) -> float:
    """Return the largest probability of a different decision that `different` of `total` do not exclude.

    Parameters
    ----------
    different, total : int
        Inputs decided differently, and all of them, 0 <= different <= total, total > 0.
    confidence : float
        Confidence of the one-sided bound (1).

    Returns
    -------
    float
        The bound (1).

    Raises
    ------
    InputError
        When the counts do not fit.

    Examples
    --------
    >>> round(disagreement_bound(0, 300), 4)
    0.0099
    """
    if not 0 <= different <= total or total < 1 or not 0.0 < confidence < 1.0:
        raise InputError(
            f"`different` of `total` must be 0 <= different <= total > 0 with a confidence within 0 to 1; got "
            f"{different} of {total} at {confidence:g}. Pass counts of inputs."
        )
    if different == total:
        return 1.0
    return float(stats.beta.ppf(confidence, different + 1, total - different))


@dataclass(frozen=True)
class Agreement:
    """Decisions of SPICE and of the tile on the same inputs (N,), and the true classes.

    Attributes
    ----------
    spice, tile, truth : ndarray of int
        Class of each input (N,).
    """

    spice: np.ndarray
    tile: np.ndarray
    truth: np.ndarray

    @property
    def total(self) -> int:
        """Number of inputs."""
        return int(self.spice.size)

    @property
    def differing(self) -> np.ndarray:
        """Indices (D,) of the inputs decided differently."""
        return np.flatnonzero(self.spice != self.tile)

    @property
    def bound(self) -> float:
        """Largest probability of a different decision at 95 % confidence (1)."""
        return disagreement_bound(self.differing.size, self.total)

    @property
    def only_right(self) -> tuple[int, int]:
        """Inputs that SPICE alone decides rightly, and those that the tile alone does."""
        spice, tile = self.spice == self.truth, self.tile == self.truth
        return int(np.count_nonzero(spice & ~tile)), int(np.count_nonzero(tile & ~spice))

    @property
    def p_value(self) -> float:
        """Probability of so unequal counts where both are equally accurate: McNemar, exact, two-sided (1)."""
        first, second = self.only_right
        return 1.0 if first + second == 0 else float(stats.binomtest(first, first + second).pvalue)

    @property
    def accuracies(self) -> tuple[float, float]:
        """Fraction decided rightly, by SPICE and by the tile (1)."""
        return float(np.mean(self.spice == self.truth)), float(np.mean(self.tile == self.truth))

    def statement(self) -> str:
        """Return the outcome in one sentence."""
        alike = self.total - self.differing.size
        spice, tile = self.accuracies
        return (
            f"{alike} of {self.total} images decided alike by ngspice and by the tables: they differ on at most "
            f"{100.0 * self.bound:.2g} % of all with 95 % confidence (Clopper-Pearson). Accuracy on these images: "
            f"ngspice {100.0 * spice:.2f} %, tables {100.0 * tile:.2f} % (McNemar p = {self.p_value:.2g})."
        )
