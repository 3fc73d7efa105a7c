"""Noise of one read of a cell: thermal and shot noise of its current, and slow noise (1/f, telegraph) of its filament.

    sigma_g^2 = (4 k T g + 2 q i) B/v^2 + (relative g)^2 + floor^2

    g  conductance (S)    v, i  read voltage (V) and the cell's current at it, g v (A)    T  ambient temperature (K)
    B  noise bandwidth of the read (Hz)    relative, floor  slow noise, which no bandwidth of a read averages out

Thermal and shot noise are both counted whole, each an upper bound: a conductor in equilibrium has the one, a barrier
far from it the other. Slow noise is the device's own: number and source stand with its model (`netlists/parameters/`).
"""

import numpy as np

from rramkit.parameters import Parameters, quantity

BOLTZMANN, CHARGE = 1.380649e-23, 1.602176634e-19  # J/K, C (SI, exact)


class ReadNoise(Parameters):
    """Bandwidth of a read, and a cell's slow noise; zeros are none."""

    bandwidth: float = quantity(
        33e6, "Hz", "noise bandwidth of a read: 1/(4 tau), settled to 0.5 % in 40 ns", gt=0, le=1e12
    )
    relative: float = quantity(0.0, "1", "slow noise over the conductance", ge=0, le=1)
    floor: float = quantity(0.0, "S", "slow noise of any conductance", ge=0, le=1e-4)


def sigma_of_read(noise: ReadNoise, g: np.ndarray | float, *, v_read: float, kelvin: float) -> np.ndarray:
    """Return the standard deviation [S] of reads of conductances (...) [S] at a voltage [V] and temperature [K]."""
    g = np.asarray(g, dtype=float)
    white = (4.0 * BOLTZMANN * kelvin * g + 2.0 * CHARGE * g * v_read) * noise.bandwidth / v_read**2
    return np.sqrt(white + (noise.relative * g) ** 2 + noise.floor**2)
