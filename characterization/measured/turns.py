"""Where one ramp ends and the next begins, from the conductance alone: turns, jumps back to a start, blocks of lines.

Turns are found only where they stand out of the noise; anything else is asked.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rramkit.errors import InputError

_TURN = 0.4  # of the whole range: how far a ramp must go back before it has turned
_CLEAR = 0.04  # noise of a read over the range, up to which the place of a turn is clear
_STAYS, _STEPS = 0.25, 0.6  # first change after a turn over the next one: below, the read is repeated; above, it is not
_LEAST = 8  # rows of a block: shorter ones are a way of writing, not ramps


def blocks_of(blocks: Sequence[int]) -> np.ndarray:
    """Return the block of each row (N,); all in one where empty lines do not separate ramps."""
    found = np.array(blocks)
    return found if np.min(np.bincount(found)[np.unique(found)]) >= _LEAST else np.zeros_like(found)


def noise_of(g_cell: np.ndarray) -> float:
    """Return the noise of one read from third differences, robust against a few jumps: var = 20 s^2."""
    third = np.abs(np.diff(g_cell, 3))
    return float(np.median(third) / 0.6745 / np.sqrt(20)) if third.size else 0.0


def jumps(g_cell: np.ndarray, *, rising: bool) -> np.ndarray:
    """Return where (K,) a run of one polarity jumps back to its start by more than half of its range."""
    back = -np.diff(g_cell) if rising else np.diff(g_cell)
    large = 0.5 * np.ptp(g_cell)
    if large <= 6 * noise_of(g_cell):
        return np.array([], dtype=int)
    return np.flatnonzero(back > large) + 1


def turning_points(g_cell: np.ndarray, path: Path) -> list[tuple[int, int]]:
    """Return first and last read of each ramp of a column of both polarities.

    The read at a turn is the last of one ramp and the first of the next, unless the file repeats it.

    Raises
    ------
    InputError
        Where noise, or the changes beside a turn, leave open which read is the last of a ramp.
    """
    span, noise = float(np.ptp(g_cell)), noise_of(g_cell)
    ask = "Add a column of the polarity, or `--set pulses.ramp=N`, the reads of each ramp."
    if span == 0 or noise > _CLEAR * span:
        raise InputError(f"{path}: no column says which pulses are SET, and the noise hides where ramps turn. {ask}")
    ends, first = [], 0
    for turn in _zigzag(g_cell, _TURN * span):
        last, following = _around(g_cell, turn, noise)
        if last is None:
            raise InputError(f"{path}: which read is the last before the turn near row {turn + 1} is open. {ask}")
        ends.append((first, last))
        first = following
    return [*ends, (first, g_cell.size - 1)]


def _zigzag(g_cell: np.ndarray, least: float) -> list[int]:
    """Return the extremes after which the conductance goes back by `least`."""
    turns, extreme, way = [], 0, 0
    low = high = 0
    for k, g in enumerate(g_cell):
        if way == 0:
            low, high = (k if g < g_cell[low] else low), (k if g > g_cell[high] else high)
            if g - g_cell[low] >= least:
                way, extreme = 1, k
                turns += [low] if low > 0 and g_cell[0] - g_cell[low] >= least else []
            elif g_cell[high] - g >= least:
                way, extreme = -1, k
        elif way * (g - g_cell[extreme]) >= 0:
            extreme = k
        elif way * (g_cell[extreme] - g) >= least:
            turns.append(extreme)
            way, extreme = -way, k
    return turns


def _around(g_cell: np.ndarray, top: int, noise: float) -> tuple[int | None, int]:
    """Return the last read of the ramp before a turn and the first of the one after; None where that is open.

    The changes beside a turn are steps of the ramps, or nothing but noise where the file repeats the read.
    """
    reads = [g_cell[top + k] if 0 <= top + k < g_cell.size else np.nan for k in range(-2, 3)]
    earlier, came, goes, later = np.abs(np.diff(reads))
    if later > 8 * noise and goes < _STEPS * later:
        return (top, top + 1) if goes <= max(_STAYS * later, 3 * noise) else (None, 0)
    if earlier > 8 * noise and came <= max(_STAYS * earlier, 3 * noise):
        return top - 1, top
    return top, top
