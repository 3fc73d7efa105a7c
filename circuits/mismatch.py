"""Pelgrom's law: the spread of equal devices that stand side by side, drawn in Python and written as numbers.

Pelgrom, Duinmaijer, Welbers, IEEE JSSC 24 (1989) 1433, doi 10.1109/JSSC.1989.572629: the difference of one figure
between two equal devices has a standard deviation that falls with the square root of the area. So one device alone
deviates from the mean by 1/sqrt(2) of it. The matching constants here are this kit's choice for a 45 nm technology.
"""

from collections.abc import Sequence

import numpy as np

from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class Matching(Parameters):
    """Matching constants of the technology; distance between the devices is left out (they are neighbours)."""

    a_vt: float = quantity(2.5e-9, "V m", "threshold: sigma of a pair's difference is a_vt/sqrt(W L)", ge=0, le=1e-7)
    a_c: float = quantity(
        1e-8, "m", "capacitor: sigma of a pair's relative difference is a_c/sqrt(area)", ge=0, le=1e-6
    )


def sigma_threshold(matching: Matching, width: float, length: float) -> float:
    """Return the standard deviation [V] of one transistor's threshold: a_vt/sqrt(2 W L), W and L drawn [m]."""
    return matching.a_vt / np.sqrt(2 * width * length)


def scaled_thresholds(matching: Matching, sizes: Sequence[tuple[float, float]], normals: np.ndarray) -> np.ndarray:
    """Return threshold deviations (len(sizes),) [V] of transistors of (width, length) [m] from standard normals."""
    return normals * [sigma_threshold(matching, width, length) for width, length in sizes]


def draw_thresholds(
    matching: Matching, sizes: Sequence[tuple[float, float]], *, rng: np.random.Generator
) -> np.ndarray:
    """Return one draw of threshold deviations (len(sizes),) [V] for transistors of (width, length) [m]."""
    return scaled_thresholds(matching, sizes, rng.normal(size=len(sizes)))


def checked_thresholds(dv_threshold: np.ndarray | None, names: Sequence[str]) -> np.ndarray:
    """Return rises of |threshold| (len(names),) [V] of a block's transistors; zeros where none are given.

    Raises
    ------
    InputError
        When they are not one for each transistor, or one is beyond 0.5 V.
    """
    dv = np.zeros(len(names)) if dv_threshold is None else dv_threshold
    if dv.shape != (len(names),) or not np.all(np.abs(dv) <= 0.5):
        raise InputError(
            f"`dv_threshold` must be ({len(names)},) in volt within +-0.5; got {dv.shape}, up to "
            f"{np.max(np.abs(dv), initial=0):g} V. One for each of {', '.join(names)}."
        )
    return dv


def sigma_capacitor(matching: Matching, area: float) -> float:
    """Return the relative standard deviation of one capacitor of `area` [m2]: a_c/sqrt(2 area)."""
    return matching.a_c / np.sqrt(2 * area)
