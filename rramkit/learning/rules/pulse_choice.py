"""One pulse for each of some pairs: which half, which polarity, which amplitude.

A weight rises by a SET of its plus cell or a RESET of its minus cell, and falls the other way about. Which of the two
is fired: the one that brings the mean of the pair towards `g_centre`, unless its nearest amplitude misses the wanted
change by more than `MISS_LIMIT` and the other one's misses it by less. Where both miss by more, none is fired. The
choice is this kit's own design; it knows the table's means only, not what stays with each cell.
"""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.write.pulse import Writer
from rramkit.array.write.state import POLARITIES, CellState, WriteCost
from rramkit.learning.rules.bank import Bank, flat_cells

MISS_LIMIT = 0.5
"""Largest miss of a pulse over the change wanted (1): beyond it, firing gains less than waiting."""


@dataclass(frozen=True)
class PulsePlan:
    """One pulse for each of P weights out of N.

    Attributes
    ----------
    weight : ndarray of int
        Which of the N weights (P,).
    half : ndarray of int
        0 for the plus cell, 1 for the minus cell (P,).
    is_set : ndarray of bool
        SET or RESET (P,).
    v_pulse, expected : ndarray
        Amplitude (V) and the change of the pulsed cell that the table expects (S), (P,).
    """

    weight: np.ndarray
    half: np.ndarray
    is_set: np.ndarray
    v_pulse: np.ndarray
    expected: np.ndarray


def plan_pulses(writer: Writer, g_pair: np.ndarray, wanted: np.ndarray, *, g_centre: float) -> PulsePlan:
    """Choose cell, polarity and amplitude for pairs (2, N) in siemens whose difference should change by `wanted` (N,).

    The rule stands in this module's docstring.
    """
    weights = np.arange(wanted.size)
    size = np.abs(wanted)
    set_half = np.where(wanted > 0.0, 0, 1)
    v_set, rise = writer.set.nearest(g_pair[set_half, weights], size)
    v_reset, fall = writer.reset.nearest(g_pair[1 - set_half, weights], -size)
    set_miss, reset_miss = np.abs(rise - size) / size, np.abs(fall + size) / size
    low_pair = g_pair.mean(axis=0) < g_centre
    miss_at_hand = np.where(low_pair, set_miss, reset_miss)
    is_set = np.where(miss_at_hand <= MISS_LIMIT, low_pair, set_miss < reset_miss)
    fire = np.where(is_set, set_miss, reset_miss) <= MISS_LIMIT
    half = np.where(is_set, set_half, 1 - set_half)
    v_pulse, expected = np.where(is_set, v_set, v_reset), np.where(is_set, rise, fall)
    return PulsePlan(weights[fire], half[fire], is_set[fire], v_pulse[fire], expected[fire])


def write_pairs(
    bank: Bank, cells: CellState, change: np.ndarray, where: tuple[np.ndarray, np.ndarray], *, rng: np.random.Generator
) -> tuple[CellState, np.ndarray]:
    """Fire at most one pulse at each of some pairs.

    Parameters
    ----------
    bank : Bank
        What is written to.
    cells : CellState
        Cells (2, R, C).
    change : ndarray
        Wanted changes of N weights (N,); where it is zero nothing is fired.
    where : tuple of ndarray
        Their rows and columns (N,), each pair at most once.
    rng : Generator
        What draws the changes.

    Returns
    -------
    cells, expected : CellState, ndarray
        The cells, their tally that of all pulses, and the change of the weights (N,) that the table expects.
    """
    expected, wanting = np.zeros(change.shape), np.flatnonzero(change)
    if not wanting.size:
        return replace(cells, tally=WriteCost()), expected
    rows, cols = (each[wanting] for each in where)
    wanted = np.asarray(change[wanting] * bank.g_unit, dtype=float)
    plan = plan_pulses(bank.loop.chain.writer, cells.g_cell[:, rows, cols], wanted, g_centre=bank.g_centre)
    expected[wanting[plan.weight]] = np.where(plan.half == 0, plan.expected, -plan.expected) / bank.g_unit
    flat = flat_cells(plan.half, rows[plan.weight], cols[plan.weight], cells.g_cell.shape)
    return fired(bank, cells, plan, flat, rng=rng), expected


def reads_of(bank: Bank, cells: CellState, rows: np.ndarray, cols: np.ndarray) -> WriteCost:
    """Return what it takes to read both halves of the pairs at `rows` and `cols` (N,), to know what a pulse will do."""
    flat = flat_cells(np.repeat((0, 1), rows.size), np.tile(rows, 2), np.tile(cols, 2), cells.g_cell.shape)
    return bank.loop.reads(flat, cells.g_cell.ravel()[flat], cells.g_cell.shape)


def fired(bank: Bank, cells: CellState, plan: PulsePlan, flat: np.ndarray, *, rng: np.random.Generator) -> CellState:
    """Fire a plan's pulses at the cells `flat` (P,); the tally is that of all of them."""
    tally = WriteCost()
    for polarity, mine in zip(POLARITIES, (plan.is_set, ~plan.is_set), strict=True):
        cells = bank.loop.chain.step(cells, flat[mine], plan.v_pulse[mine], polarity=polarity, rng=rng)
        tally += cells.tally
    return replace(cells, tally=tally)
