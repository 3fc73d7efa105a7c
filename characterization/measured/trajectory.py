"""Mean curve of a measured pulse train, and its read noise and write noise.

Mean. Two candidates. The curve of the nonlinearity label (`fits.nonlinearity`) has three parameters. The free curve
averages reads over blocks of n pulses (and over all trains of the same pulses), makes them monotone by isotonic
regression and joins them by a monotone cubic: G(p). The length of a block follows from the noise, so that the standard
error of a block's mean, s/sqrt(n), is an eighth of the rise over a block::

    n = (8 s_read N/|G(N) - G(0)|)^(2/3)

Write noise accumulates to a random walk, which blocks do not average out: over n pulses it deviates by
s_write sqrt(n), and for that to be an eighth of the rise a block must have n = (8 s_write N/|G(N) - G(0)|)^2 pulses.
The label's curve is used where its residual variance, for its number of parameters, is not above the free curve's, and
where the noise leaves the free one fewer than 8 blocks: the bends of one such train do not repeat in the next.

Ramps that start at different levels, or are of different lengths, run along one curve: each is moved along it by the
number of pulses at which its reads fit best (`alignment`). Blocks are counted in reads.

Noise. A read differs from G by read noise, independent from read to read, and by the random walk of the pulses before
it. Over n pulses the variance of the difference of two reads is::

    < (r_{p+n} - r_p)^2 > = 2 s_read^2 + n s_write^2,   r = g - G

a line in n, of which intercept and slope are fitted, both at least 0, over lags from 2 (at lag 1 slow read noise shows)
to the length of a block, beyond which G itself follows the walk (a tenth of the ramp for the label's curve). Reads that
are several pulses apart have their n. This split and the rules for the blocks are this kit's own design; the separation
of read noise from accumulating noise follows aihwkit's write noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.optimize import isotonic_regression, nnls

from rramkit.characterization.fits.nonlinearity import curvature_of, fit_train, shape
from rramkit.characterization.measured.alignment import Reads, shifts
from rramkit.errors import InputError
from rramkit.monotone_cubic import MonotoneCubic

HELD_OUT = 5
"""Every fifth read of a ramp is kept from the mean curve."""

_PARTS = 8  # points of the fine curve for each pulse
_FINE_MOST = 20000
_LAGS_LEAST = 6
_BLOCKS_LEAST = 8
_LABEL_KNOTS = 65


@dataclass(frozen=True)
class Trajectory:
    """Mean conductance against pulse number, and the noise around it.

    Attributes
    ----------
    pulse, g_cell : ndarray
        Knots of the mean curve (M,): pulse numbers, and conductances (S), strictly monotone.
    sigma_read, sigma_write : float
        Standard deviation of one read around the true conductance, and of the change by one pulse (S).
    step_at, step : ndarray
        Conductance before (S), and change less the mean curve's over the root of its pulses (S), of every two
        successive reads (K,).
    shifts : ndarray
        Pulse number along the curve (T,) at which each ramp starts.
    """

    pulse: np.ndarray
    g_cell: np.ndarray
    sigma_read: float
    sigma_write: float
    step_at: np.ndarray
    step: np.ndarray
    shifts: np.ndarray

    @classmethod
    def of(cls, ramps: Sequence[Reads], *, rising: bool, held_out: bool = False) -> "Trajectory":
        """Build from ramps of the same pulses; `held_out` keeps every fifth read, but for the last, from the mean.

        Raises
        ------
        InputError
            When the conductance does not go the way of its polarity, or ramps share no conductances.
        """
        starts = shifts(ramps, rising=rising)
        moved = [Reads(ramp.pulse + start, ramp.g_cell) for ramp, start in zip(ramps, starts, strict=True)]
        kept = [Reads(ramp.pulse[keep], ramp.g_cell[keep]) for ramp in moved for keep in [_kept(ramp, held_out)]]
        noise, length = _quick_noise(ramps), max(ramp.pulse.size for ramp in ramps)
        spacing = float(np.median(np.concatenate([np.diff(ramp.pulse) for ramp in ramps])))
        pulse, g_cell, block = _mean_curve(kept, noise, spacing=spacing, rising=rising)
        if g_cell.size < 2:
            raise InputError(
                f"the conductance does not {'rise' if rising else 'fall'} along its {'set' if rising else 'reset'} "
                "pulses. Check the polarity, or swap the columns."
            )
        free = cls._around(moved, pulse, g_cell, max(_LAGS_LEAST, block), starts)
        label = cls._around(moved, *_label_curve(kept), max(_LAGS_LEAST, length // 10), starts)
        strayed = (8 * free.sigma_write * np.sqrt(spacing) * length / np.ptp(g_cell)) ** 2 / len(ramps)
        if length < _BLOCKS_LEAST * max(strayed, block):
            return label
        return label if label._variance(moved, 3) <= free._variance(moved, g_cell.size) else free

    def _variance(self, ramps: Sequence[Reads], parameters: int) -> float:
        """Return the variance (S^2) that the curve leaves in the ramps, for its number of parameters."""
        rest = np.concatenate([ramp.g_cell - self.at(ramp.pulse) for ramp in ramps])
        return float(np.sum(rest**2)) / max(rest.size - parameters, 1)

    @classmethod
    def _around(
        cls, ramps: Sequence[Reads], pulse: np.ndarray, g_cell: np.ndarray, lags: int, starts: np.ndarray
    ) -> "Trajectory":
        """Return the trajectory of a mean curve with the scatter of the ramps around it."""
        curve = MonotoneCubic(pulse, g_cell)
        means = [curve(np.clip(ramp.pulse, pulse[0], pulse[-1])) for ramp in ramps]
        rests = [Reads(ramp.pulse, ramp.g_cell - mean) for ramp, mean in zip(ramps, means, strict=True)]
        sigma_read, sigma_write = _split(rests, lags)
        step_at = np.concatenate([mean[:-1] for mean in means])
        steps = [np.diff(rest.g_cell) / np.sqrt(np.diff(rest.pulse)) for rest in rests]
        return cls(pulse, g_cell, sigma_read, sigma_write, step_at, np.concatenate(steps), starts)

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
        number = self.number(g_cell)
        return np.interp(number + pulses, fine, g_fine) - np.interp(number, fine, g_fine)

    def number(self, g_cell: np.ndarray) -> np.ndarray:
        """Return the pulse number (N,) at which the mean curve has conductances (N,); the ends hold outside."""
        fine, g_fine = self._fine
        order = slice(None) if g_fine[-1] > g_fine[0] else slice(None, None, -1)
        return np.interp(g_cell, g_fine[order], fine[order])

    @cached_property
    def _fine(self) -> tuple[np.ndarray, np.ndarray]:
        count = int((self.pulse[-1] - self.pulse[0]) * _PARTS) + 1
        even = np.linspace(self.pulse[0], self.pulse[-1], min(max(count, 2), _FINE_MOST))
        fine = np.union1d(even, self.pulse)
        return fine, MonotoneCubic(self.pulse, self.g_cell)(fine)


def _kept(ramp: Reads, held_out: bool) -> np.ndarray:
    """Return which reads of a ramp (N,) the mean may see."""
    keep = np.ones(ramp.pulse.size, dtype=bool)
    if held_out:
        keep[HELD_OUT - 1 :: HELD_OUT] = False
        keep[-1] = True  # the last level is the end of the range
    return keep


def _quick_noise(ramps: Sequence[Reads]) -> float:
    """Return the noise of one read (S) from third differences, which hardly see a smooth curve: var = 20 s^2."""
    return float(np.sqrt(np.mean(np.concatenate([np.diff(ramp.g_cell, 3) for ramp in ramps]) ** 2) / 20))


def _mean_curve(
    ramps: Sequence[Reads], noise: float, *, spacing: float, rising: bool
) -> tuple[np.ndarray, np.ndarray, int]:
    """Return the knots of the mean curve, and the length of a block in reads, which are `spacing` pulses apart."""
    pulses, reads = _pooled(ramps)
    first = float(pulses[0])
    place = (pulses - first) / spacing
    length = int(np.round(place[-1])) + 1
    tail = max(length // 20, 1)
    last, first_reads = reads[place > place[-1] - tail + 0.5], reads[place < tail - 0.5]
    rise = abs(np.mean(last) - np.mean(first_reads)) or np.ptp(reads) or 1.0
    length_block = (8 * noise / np.sqrt(len(ramps)) * length / rise) ** (2 / 3)
    block = int(np.clip(np.ceil(length_block), 1, max(length // 4, 1)))
    # what is left over joins the last block; rounding must not split reads of one pulse number
    number = np.minimum((place + 1e-6) // block, max(length // block - 1, 0)).astype(int)
    count = np.bincount(number)
    filled = count > 0
    p, g = (np.bincount(number, values)[filled] / count[filled] for values in (place, reads))
    level = isotonic_regression(g, weights=count[filled], increasing=rising).x
    _, group = np.unique(np.round(level / max(np.ptp(level), 1e-300), 12), return_inverse=True)
    weight = np.bincount(group, count[filled])
    knots = np.bincount(group, p * count[filled]) / weight, np.bincount(group, level * count[filled]) / weight
    order = np.argsort(knots[0])
    return first + spacing * knots[0][order], knots[1][order], block


def _label_curve(ramps: Sequence[Reads]) -> tuple[np.ndarray, np.ndarray]:
    """Return knots of the curve of the nonlinearity label through all ramps."""
    pulses, reads = _pooled(ramps)
    label = fit_train(pulses, reads).values
    x = np.linspace(0.0, 1.0, _LABEL_KNOTS)
    g_cell = label["g_first"] + (label["g_last"] - label["g_first"]) * shape(x, curvature_of(label["label"]))
    return pulses[0] + x * (pulses[-1] - pulses[0]), g_cell


def _pooled(ramps: Sequence[Reads]) -> tuple[np.ndarray, np.ndarray]:
    """Return pulse numbers, rising, and reads of all ramps together."""
    pulses = np.concatenate([ramp.pulse for ramp in ramps])
    reads = np.concatenate([ramp.g_cell for ramp in ramps])
    order = np.argsort(pulses, kind="stable")
    return pulses[order], reads[order]


def _split(rests: Sequence[Reads], lags: int) -> tuple[float, float]:
    """Return the noise of one read and of one pulse (S) from the scatter of differences over several lags."""
    rows, squares = [], []
    for lag in range(2, lags + 1):
        pairs = [(rest.g_cell[lag:] - rest.g_cell[:-lag], rest.pulse[lag:] - rest.pulse[:-lag]) for rest in rests]
        differences, apart = (np.concatenate(each) for each in zip(*pairs, strict=True))
        if differences.size:
            rows.append((2.0, float(np.mean(apart))))
            squares.append(float(np.mean(differences**2)))
    scale = max(squares, default=0.0)
    if len(rows) < 2 or scale == 0.0:
        return 0.0, 0.0
    variances, _ = nnls(np.array(rows), np.array(squares) / scale)
    return float(np.sqrt(variances[0] * scale)), float(np.sqrt(variances[1] * scale))
