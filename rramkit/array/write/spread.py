"""Device-to-device spread and stuck-at faults: traits drawn once for each cell.

Each cell changes by `gain` times the change of the table and sees its amplitude `offset` volts lower, and the ends of
its window differ from the table's::

    ln gain ~ N(0, sigma_gain)    offset ~ N(0, sigma_offset)    ln(low'/low), ln(high'/high) ~ N(0, sigma_window)

one gain for SET and another for RESET. Where the table keeps a distribution over devices (`devices`), each cell keeps a
level of it, drawn uniformly, so that a strong device is strong in every pulse; where it has the spread of measured
windows (`sigma_window`), that is the deviation of the ends, drawn apart from level and gain. Stuck cells hold an end of
the table's range, take pulses and do not move. The forms are this kit's choice: lognormal, since gains and conductances
stay positive, as the spread of the kit's crossbar netlist.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from rramkit.parameters import Parameters, quantity
from rramkit.table.schema import WRITES


class SpreadParams(Parameters):
    """Device-to-device spread; zero is none, exactly."""

    groups: ClassVar[tuple[str, ...]] = tuple(columns.group for columns in WRITES.values())

    sigma_gain: float = quantity(0.0, "1", "of the logarithm of the change of a pulse, SET and RESET apart", ge=0, le=3)
    sigma_offset: float = quantity(0.0, "V", "of the offset of the amplitude at the cell", ge=0, le=1)
    sigma_window: float = quantity(0.0, "1", "of the logarithm of the window's ends", ge=0, le=1)
    devices: bool = quantity(
        True, "1", "draw each cell's level in the table's distribution over devices, if it has one"
    )


class StuckParams(Parameters):
    """Stuck-at faults."""

    low: float = quantity(0.0, "1", "share of the cells stuck at the lowest conductance", ge=0, le=0.5)
    high: float = quantity(0.0, "1", "share of the cells stuck at the highest conductance", ge=0, le=0.5)


@dataclass(frozen=True)
class Traits:
    """Traits of each cell of arrays (..., 2, R, C); None: every cell is the table's own.

    Attributes
    ----------
    gain_set, gain_reset : ndarray or None
        Factors on the change of a pulse (1).
    offset : ndarray or None
        Volts by which the amplitude at the cell is lower (V).
    low, high : ndarray or None
        Ends of the cell's window (S).
    level : ndarray or None
        Place in the table's distribution over devices (0 to 1).
    stuck : ndarray of int8 or None
        0 not stuck, -1 stuck at the lowest, 1 at the highest conductance.
    drift : ndarray or None
        Drift exponent (1).
    sense : ndarray or None
        Offset of the comparator that verifies the cell, over its standard deviation (1).
    """

    gain_set: np.ndarray | None = None
    gain_reset: np.ndarray | None = None
    offset: np.ndarray | None = None
    low: np.ndarray | None = None
    high: np.ndarray | None = None
    level: np.ndarray | None = None
    stuck: np.ndarray | None = None
    drift: np.ndarray | None = None
    sense: np.ndarray | None = None


def drawn_traits(
    shape: tuple[int, ...],
    spread: SpreadParams | None,
    stuck: StuckParams | None,
    *,
    ends: tuple[float, float],
    levels: bool,
    rng: np.random.Generator,
) -> Traits:
    """Draw the traits of each cell of arrays `shape` (..., 2, R, C), in a fixed order; those that are off are None.

    `ends` are the table's window (S); `levels` says whether the table has a distribution over devices.
    """
    traits = Traits()
    if spread is not None:
        low, high = ends
        gain_set, gain_reset, end_low, end_high = (
            _lognormal(shape, sigma, rng=rng)
            for sigma in (spread.sigma_gain, spread.sigma_gain, spread.sigma_window, spread.sigma_window)
        )
        own_low = None if end_low is None else low * end_low
        traits = Traits(
            gain_set=gain_set,
            gain_reset=gain_reset,
            offset=rng.normal(0.0, spread.sigma_offset, shape) if spread.sigma_offset else None,
            low=own_low,
            high=None if own_low is None or end_high is None else np.maximum(high * end_high, own_low),
            level=rng.uniform(size=shape) if spread.devices and levels else None,
        )
    return traits if stuck is None else replace(traits, stuck=_faults(shape, stuck, rng=rng))


def _lognormal(shape: tuple[int, ...], sigma: float, *, rng: np.random.Generator) -> np.ndarray | None:
    """Draw lognormal factors of median one; None where `sigma` is zero."""
    return np.exp(rng.normal(0.0, sigma, shape)) if sigma else None


def _faults(shape: tuple[int, ...], params: StuckParams, *, rng: np.random.Generator) -> np.ndarray | None:
    """Draw which cells are stuck (int8: -1 lowest, 0 not stuck, 1 highest); None where none can be."""
    if not (params.low or params.high):
        return None
    u = rng.uniform(size=shape)
    return np.where(u < params.low, -1, np.where(u < params.low + params.high, 1, 0)).astype(np.int8)
