"""Ramps along one curve: by how many pulses each is moved so that its reads fall on those of the others.

The change by a pulse depends on the conductance, not on how many pulses a ramp has had: ramps that start at different
levels run along the same curve g = G(p), each from its own pulse number s::

    g_k(n) = G(n + s_k),     s_k = median over reads n of G^-1(g_k(n)) - n

The longest ramp has s = 0. G is the monotone curve through all ramps that are placed already.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import isotonic_regression

from rramkit.errors import InputError

_ROUNDS = 2  # after all ramps are placed, each is placed once more against all
_START = 0.004  # of the range: starts that scatter by less are one start
_WELL = 0.5  # of its reads on the curve so far (1): enough to place a ramp
_EDGE = 0.05  # of the range at both ends of the curve where its inverse says little


@dataclass(frozen=True, eq=False)
class Reads:
    """Conductances `g_cell` (N,) read after pulse numbers `pulse` (N,), rising."""

    pulse: np.ndarray
    g_cell: np.ndarray

    @classmethod
    def each(cls, g_cell: np.ndarray) -> "Reads":
        """Return reads after every pulse, the first before it."""
        return cls(np.arange(g_cell.size, dtype=float), g_cell)


def shifts(ramps: Sequence[Reads], *, rising: bool) -> np.ndarray:
    """Return the pulse number (T,) along one curve at which each ramp starts; all 0 where they start alike.

    Raises
    ------
    InputError
        When a ramp shares no conductances with the others.
    """
    placed = np.zeros(len(ramps))
    if len(ramps) == 1 or _start_alike(ramps):
        return placed
    order = [int(np.argmax([np.ptp(ramp.pulse) for ramp in ramps]))]
    reference = order[0]
    left = [k for k in range(len(ramps)) if k != reference]
    while left:
        pulse, level = _curve([_moved(ramps[k], placed[k]) for k in order], rising=rising)
        inside = {k: _overlap(ramps[k], level) / ramps[k].pulse.size for k in left}
        most = max(inside.values())
        for k in [k for k in left if inside[k] >= min(most, _WELL)]:  # all that lie on the curve so far, or the best
            shift = _shift(ramps[k], pulse, level)
            if shift is None:
                raise InputError(
                    f"the {'set' if rising else 'reset'} ramps share no conductances: one goes from "
                    f"{ramps[k].g_cell[0]:.3g} to {ramps[k].g_cell[-1]:.3g}, others from {level[0]:.3g} to "
                    f"{level[-1]:.3g}. Measure ramps that overlap."
                )
            placed[k] = shift
            order.append(k)
            left.remove(k)
    for _ in range(_ROUNDS):
        pulse, level = _curve([_moved(ramp, shift) for ramp, shift in zip(ramps, placed, strict=True)], rising=rising)
        found = [_shift(ramp, pulse, level) for ramp in ramps]
        placed = np.array([old if new is None else new for new, old in zip(found, placed, strict=True)])
        placed -= placed[reference]
    return placed


def _start_alike(ramps: Sequence[Reads]) -> bool:
    """Return whether all ramps start at one level, as far as their noise shows."""
    third = np.concatenate([np.diff(ramp.g_cell, 3) for ramp in ramps])
    noise = float(np.sqrt(np.mean(third**2) / 20))
    span = float(np.ptp(np.concatenate([ramp.g_cell for ramp in ramps])))
    starts = [ramp.g_cell[0] for ramp in ramps]
    return float(np.std(starts)) <= 3 * noise + _START * span


def _moved(ramp: Reads, shift: float) -> Reads:
    return Reads(ramp.pulse + shift, ramp.g_cell)


def _curve(ramps: Sequence[Reads], *, rising: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the monotone curve through ramps: pulse numbers, and rising or falling levels."""
    pulse = np.concatenate([ramp.pulse for ramp in ramps])
    order = np.argsort(pulse, kind="stable")
    g_cell = np.concatenate([ramp.g_cell for ramp in ramps])[order]
    return pulse[order], isotonic_regression(g_cell, increasing=rising).x


def _overlap(ramp: Reads, level: np.ndarray) -> int:
    return int(np.count_nonzero((ramp.g_cell >= level.min()) & (ramp.g_cell <= level.max())))


def _shift(ramp: Reads, pulse: np.ndarray, level: np.ndarray) -> float | None:
    """Return by how much a ramp is moved to lie on a curve; None where they share no conductances."""
    order = slice(None) if level[-1] >= level[0] else slice(None, None, -1)
    rising, at = level[order], pulse[order]
    distinct, place = np.unique(rising, return_inverse=True)
    mean = np.bincount(place, at) / np.bincount(place)
    low, high = distinct[0], distinct[-1]
    margin = _EDGE * (high - low)
    for edge in (margin, 0.0):
        inside = (ramp.g_cell >= low + edge) & (ramp.g_cell <= high - edge)
        if np.count_nonzero(inside) >= 3:
            return float(np.median(np.interp(ramp.g_cell[inside], distinct, mean) - ramp.pulse[inside]))
    return None
