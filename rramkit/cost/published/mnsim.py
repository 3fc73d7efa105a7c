"""Accuracy of a read by MNSIM 1.1 (Xia et al., DATE 2016, TCAD 2018): a formula of wire resistance and array size.

A cross-check of the shape of the kit's tables of wire losses, not a reference for them: the formula was fitted to other
cells (1 kohm to 1 Mohm, 3 kohm load).
"""

from math import floor

_R_LINE = {18e-9: 12.681, 22e-9: 6.607, 28e-9: 3.928, 36e-9: 2.177}
"""Resistance (ohm) of a wire between two cells, at nodes (m)."""
_A, _B, _C, _D, _E, _F, _G, _H = -1.113, -0.004209, 24.74, 83.3, 83.07, 1.427e-6, 1.395, 10.62


def wire_resistance(node: float) -> float:
    """Return MNSIM's resistance (ohm) of a wire between two cells, at a node (m) from 18 to 90 nm."""
    known = next((r for at, r in _R_LINE.items() if abs(node - at) < 1e-12), None)
    return 54.21 / (1e9 * node - 13.73) if known is None else known


def read_error(size: int, r_wire: float) -> float:
    r"""Return the relative error of the output of a `size` x `size` array with wires of `r_wire` ohm a cell.

    With N = `size` and r = `r_wire`:
    :math:`y = (b r N + a) N / (c + d r N + e N) + f r N^2 + g / (h + N)`.

    Examples
    --------
    >>> from rramkit.cost.published.mnsim import read_error, wire_resistance
    >>> round(read_error(64, wire_resistance(45e-9)), 4)
    0.0219
    """
    rn = r_wire * size
    return (_B * rn + _A) * size / (_C + _D * rn + _E * size) + _F * rn * size + _G / (_H + size)


def accumulated(error: float, input_error: float) -> float:
    """Return the relative error of a layer's output, whose inputs have `input_error` already."""
    return (1 + error) * (1 + input_error) - 1


def digital_deviation(error: float, bits: int) -> float:
    """Return the mean deviation of a `bits`-bit output over full scale, for a relative error of the analog one."""
    levels = 2**bits
    return sum(floor(level * error + 0.5) for level in range(levels)) / levels / (levels - 1)
