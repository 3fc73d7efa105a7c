"""The mean curve of a pulse train and the two noises around it.

Mean. Two candidates. The curve of the nonlinearity label (`fits.nonlinearity`) has three parameters. The free curve
averages reads over blocks of n pulses (and over all trains of the same pulses), makes them monotone by isotonic
regression and joins them by a monotone cubic: G(p). Its block is as long as the noise asks for, so that the standard
error of a block's mean, s/sqrt(n), is an eighth of the rise over a block::

    n = (8 s_read N/|G(N) - G(0)|)^(2/3)

What each pulse leaves behind makes the train a walk, whose bends no block smooths away: over n pulses it strays by
s_write sqrt(n), and for that to be an eighth of the rise a block must have n = (8 s_write N/|G(N) - G(0)|)^2 pulses.
The label's curve is taken where it leaves no more variance than the free one for the parameters that each has, and
where the noise leaves the free one fewer than 8 blocks: the bends of one such train say nothing of the next.

Noise. A read differs from G by noise of the read itself, which the next read does not know, and by the walk that the
pulses before left behind. Over n pulses the difference of two reads scatters by::

    < (r_{p+n} - r_p)^2 > = 2 s_read^2 + n s_write^2,   r = g - G

a line in n, of which intercept and slope are fitted, both at least 0, over lags from 2 (at lag 1 slow read noise shows)
to the length of a block, beyond which G itself follows the walk (a tenth of the train for the label's curve). This
split and the rules for the blocks are this kit's own design; that read noise and write noise are separated at all
follows aihwkit's write noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.interpolate import PchipInterpolator
from scipy.optimize import isotonic_regression, nnls

from rramkit.characterization.fits.nonlinearity import curvature_of, fit_train, shape
from rramkit.errors import InputError

_PARTS = 8  # points of the fine curve for each pulse
_LAGS_LEAST = 6
_BLOCKS_LEAST = 8
_LABEL_KNOTS = 65


@dataclass(frozen=True)
class Trajectory:
    """Mean conductance against pulse number, and what scatters around it.

    Attributes
    ----------
    pulse, g_cell : ndarray
        Knots of the mean curve (M,): pulse numbers, and conductances (S), strictly monotone.
    sigma_read, sigma_write : float
        Standard deviation of one read around the true conductance, and of what one pulse leaves behind (S).
    step_at, step : ndarray
        Conductance before (S), and change less the mean curve's (S), of every pulse measured (K,).
    """

    pulse: np.ndarray
    g_cell: np.ndarray
    sigma_read: float
    sigma_write: float
    step_at: np.ndarray
    step: np.ndarray

    @classmethod
    def of(cls, trains: Sequence[np.ndarray], *, rising: bool, keep: np.ndarray | None = None) -> "Trajectory":
        """Build from trains (N_k,) of reads of the same pulses; `keep` (N,) of bool says which reads the mean may see.

        Raises
        ------
        InputError
            When the conductance does not go the way of its polarity.
        """
        noise, length = _quick_noise(trains), max(train.size for train in trains)
        pulse, g_cell, block = _mean_curve(trains, noise, rising=rising, keep=keep)
        if g_cell.size < 2:
            raise InputError(
                f"the conductance does not {'rise' if rising else 'fall'} along its {'set' if rising else 'reset'} "
                "pulses. Check the polarity, or swap the columns."
            )
        found = cls._around(trains, pulse, g_cell, max(_LAGS_LEAST, block))
        label = cls._around(trains, *_label_curve(trains, keep), max(_LAGS_LEAST, length // 10))
        strayed = (8 * found.sigma_write * length / np.ptp(g_cell)) ** 2 / len(trains)
        if length < _BLOCKS_LEAST * max(strayed, block):
            return label
        return label if label._variance(trains, 3) <= found._variance(trains, g_cell.size) else found

    def _variance(self, trains: Sequence[np.ndarray], parameters: int) -> float:
        """Return the variance (S^2) that the curve leaves in the trains, for its number of parameters."""
        rest = np.concatenate([train - self.at(np.arange(train.size)) for train in trains])
        return float(np.sum(rest**2)) / max(rest.size - parameters, 1)

    @classmethod
    def _around(cls, trains: Sequence[np.ndarray], pulse: np.ndarray, g_cell: np.ndarray, lags: int) -> "Trajectory":
        """Return the trajectory of a mean curve with what the trains scatter around it."""
        curve = PchipInterpolator(pulse, g_cell)
        means = [curve(np.clip(np.arange(train.size), pulse[0], pulse[-1])) for train in trains]
        rests = [train - mean for train, mean in zip(trains, means, strict=True)]
        sigma_read, sigma_write = _split(rests, lags)
        step_at = np.concatenate([mean[:-1] for mean in means])
        return cls(pulse, g_cell, sigma_read, sigma_write, step_at, np.concatenate([np.diff(rest) for rest in rests]))

    @property
    def ends(self) -> tuple[float, float]:
        """Lowest and highest conductance of the mean curve."""
        return float(np.min(self.g_cell)), float(np.max(self.g_cell))

    def at(self, pulse: np.ndarray) -> np.ndarray:
        """Return the mean conductance (N,) after pulse numbers (N,); the ends hold outside."""
        fine, g_fine = self._fine
        return np.interp(pulse, fine, g_fine)

    def change(self, g_cell: np.ndarray, pulses: int) -> np.ndarray:
        """Return the mean change (N,) that `pulses` equal pulses make of cells (N,); none beyond the last level."""
        fine, g_fine = self._fine
        order = slice(None) if g_fine[-1] > g_fine[0] else slice(None, None, -1)
        number = np.interp(g_cell, g_fine[order], fine[order])
        return np.interp(number + pulses, fine, g_fine) - np.interp(number, fine, g_fine)

    @cached_property
    def _fine(self) -> tuple[np.ndarray, np.ndarray]:
        count = int((self.pulse[-1] - self.pulse[0]) * _PARTS) + 1
        fine = np.union1d(np.linspace(self.pulse[0], self.pulse[-1], max(count, 2)), self.pulse)
        return fine, PchipInterpolator(self.pulse, self.g_cell)(fine)


def _quick_noise(trains: Sequence[np.ndarray]) -> float:
    """Return the noise of one read (S) from third differences, which hardly see a smooth curve: var = 20 s^2."""
    return float(np.sqrt(np.mean(np.concatenate([np.diff(train, 3) for train in trains]) ** 2) / 20))


def _mean_curve(
    trains: Sequence[np.ndarray], noise: float, *, rising: bool, keep: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the knots of the mean curve and the length of a block."""
    length = max(train.size for train in trains)
    pulses, reads = _pooled(trains, keep)
    tail = max(length // 20, 1)
    rise = abs(np.mean(reads[pulses >= length - tail]) - np.mean(reads[pulses < tail])) or np.ptp(reads) or 1.0
    wanted = (8 * noise / np.sqrt(len(trains)) * length / rise) ** (2 / 3)
    block = int(np.clip(np.ceil(wanted), 1, max(length // 4, 1)))
    number = np.minimum(pulses // block, max(length // block - 1, 0))  # what is left over joins the last block
    count = np.bincount(number)
    known = count > 0
    p, g = (np.bincount(number, values)[known] / count[known] for values in (pulses, reads))
    level = isotonic_regression(g, weights=count[known], increasing=rising).x
    _, group = np.unique(np.round(level / max(np.ptp(level), 1e-300), 12), return_inverse=True)
    weight = np.bincount(group, count[known])
    knots = np.bincount(group, p * count[known]) / weight, np.bincount(group, level * count[known]) / weight
    order = np.argsort(knots[0])
    return knots[0][order], knots[1][order], block


def _label_curve(trains: Sequence[np.ndarray], keep: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return knots of the curve of the nonlinearity label through all trains."""
    pulses, reads = _pooled(trains, keep)
    found = fit_train(pulses.astype(float), reads).values
    x = np.linspace(0.0, 1.0, _LABEL_KNOTS)
    g_cell = found["g_first"] + (found["g_last"] - found["g_first"]) * shape(x, curvature_of(found["label"]))
    return pulses[0] + x * (pulses[-1] - pulses[0]), g_cell


def _pooled(trains: Sequence[np.ndarray], keep: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Return pulse numbers, rising, and reads of all trains together, as far as `keep` lets them be seen."""
    pulses = np.concatenate([np.arange(train.size) for train in trains])
    reads = np.concatenate(trains)
    if keep is not None:
        pulses, reads = pulses[keep[pulses]], reads[keep[pulses]]
    order = np.argsort(pulses, kind="stable")
    return pulses[order], reads[order]


def _split(rests: Sequence[np.ndarray], lags: int) -> tuple[float, float]:
    """Return the noise of one read and of one pulse (S) from the scatter of differences over several lags."""
    rows, squares = [], []
    for lag in range(2, lags + 1):
        found = [rest[lag:] - rest[:-lag] for rest in rests if rest.size > lag]
        if found:
            rows.append((2.0, float(lag)))
            squares.append(float(np.mean(np.concatenate(found) ** 2)))
    scale = max(squares, default=0.0)
    if len(rows) < 2 or scale == 0.0:
        return 0.0, 0.0
    variances, _ = nnls(np.array(rows), np.array(squares) / scale)
    return float(np.sqrt(variances[0] * scale)), float(np.sqrt(variances[1] * scale))
