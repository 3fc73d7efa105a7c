"""Pulse selection: which cells of some weights are pulsed, with which polarity and amplitude, one pulse a cell.

Pairs: a weight rises by a SET of its plus cell or a RESET of its minus cell, and falls the other way. Each has a
nearest amplitude, whose mean change is its step. The aim is the wanted change, or, where no step comes within
`MISS_LIMIT` of it, the largest step that stays below: a pulse that is too small brings the weight nearer, and what is
missing is written by those that follow; one that is too large has to wait until more is wanted. Fired is the one that
brings the mean of the pair towards `g_centre`, unless its step misses the aim by more than `MISS_LIMIT` and the other
one's misses it by less. Where no step gains anything, nothing is fired.

Other mappings: each cell that has to change (`Mapping.changes`) gets the pulse of the nearest mean change, unless that
goes past the wanted one by more than `MISS_LIMIT`. Both are this kit's own design; they use the table's means only, not
a cell's traits.
"""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.backend import Array, both, is_tensor, kept, namespace, numbered, only
from rramkit.array.backend import size as size_of
from rramkit.array.mapping import Mapping, Pairs
from rramkit.array.write.pulse import Writer
from rramkit.array.write.state import POLARITIES, CellState, WriteCost
from rramkit.learning.rules.rram_device import RramDevice

MISS_LIMIT = 0.5
"""Largest miss of a pulse over the change aimed at (1): one that goes further past it gains less than waiting."""

LEAST_GAIN = 1e-3
"""Smallest step that is fired, over the change wanted (1): a cell at its end would take pulses without an effect."""


@dataclass(frozen=True)
class PulsePlan:
    """One pulse for each of P pairs out of N.

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
    live : array of bool or None
        Of tensors, where P is N, which are fired (P,); None: all.
    """

    weight: np.ndarray
    half: np.ndarray
    is_set: np.ndarray
    v_pulse: Array
    expected: Array
    live: Array | None = None


@dataclass(frozen=True)
class CellPulses:
    """One pulse for each of P cells.

    Attributes
    ----------
    flat : ndarray of int
        The cells (P,), as indices into the flattened (halves, R, columns).
    is_set : ndarray of bool
        SET or RESET (P,).
    v_pulse, expected : ndarray
        Amplitude (V) and the change of the cell that the table expects (S), (P,).
    change : ndarray
        Change of each of the N weights that the table expects (N,).
    live : array of bool or None
        Of tensors, where every weight has a pulse, which are fired (P,); None: all.
    """

    flat: Array
    is_set: Array
    v_pulse: Array
    expected: Array
    change: Array
    live: Array | None = None


def plan_pulses(
    writer: Writer,
    g_pair: Array,
    wanted: Array,
    *,
    g_centre: float,
    stuck: Array | None = None,
    live: Array | None = None,
) -> PulsePlan:
    """Choose cell, polarity and amplitude for pairs (2, N) in siemens whose difference should change by `wanted` (N,).

    The rule stands in this module's docstring. Cells (2, N) that are known to be `stuck` get no pulse, nor pairs (N,)
    of tensors that are not `live`.
    """
    xp, weights = namespace(wanted), numbered(wanted.shape[0], wanted)
    size = xp.abs(wanted)
    set_half = 1 - xp.astype(wanted > 0.0, weights.dtype)
    v_set, rise = writer.set.nearest(g_pair[set_half, weights], size)
    v_reset, fall = writer.reset.nearest(g_pair[1 - set_half, weights], -size)
    if stuck is not None:
        rise, fall = xp.where(stuck[set_half, weights], 0.0, rise), xp.where(stuck[1 - set_half, weights], 0.0, fall)
    aim = xp.maximum(aims(rise, size), aims(-fall, size))
    set_miss, reset_miss = _miss(rise, aim), _miss(-fall, aim)
    low_pair = g_pair.mean(axis=0) < g_centre
    preferred_miss = xp.where(low_pair, set_miss, reset_miss)
    is_set = xp.where(preferred_miss <= MISS_LIMIT, low_pair, set_miss < reset_miss)
    fire = xp.where(is_set, set_miss, reset_miss) <= MISS_LIMIT
    half = xp.where(is_set, set_half, 1 - set_half)
    v_pulse, expected = xp.where(is_set, v_set, v_reset), xp.where(is_set, rise, fall)
    (weight, half, is_set, v_pulse, expected), live = kept(fire, weights, half, is_set, v_pulse, expected, live=live)
    return PulsePlan(weight, half, is_set, v_pulse, expected, live)


def aims(step: Array, size: Array) -> Array:
    """Return what pulses of mean changes `step` (N,) can bring of changes of `size` (N,), in one direction.

    That is the whole change where the step comes within `MISS_LIMIT` of it, the step where it stays below, and 0 where
    it goes too far past or is none.
    """
    xp = namespace(step)
    short = xp.where(step >= LEAST_GAIN * size, step, 0.0)
    return xp.where(step > (1.0 + MISS_LIMIT) * size, 0.0, xp.where(step >= (1.0 - MISS_LIMIT) * size, size, short))


def _miss(step: Array, aim: Array) -> Array:
    """Return the miss of steps (N,) over the change aimed at (N,); infinite where nothing can be gained."""
    xp = namespace(step)
    return xp.where(aim > 0.0, xp.abs(step - aim) / xp.where(aim > 0.0, aim, 1.0), np.inf)


def choose_pulses(
    device: RramDevice,
    g_cell: Array,
    change: Array,
    where: tuple[Array, Array],
    *,
    flips: Array | None = None,
    stuck: Array | None = None,
    live: Array | None = None,
) -> CellPulses:
    """Choose at most one pulse for each cell of some weights.

    Parameters
    ----------
    device : RramDevice
        What is written to.
    g_cell : ndarray
        Conductances (halves, R, columns) in siemens as the controller knows them.
    change : ndarray
        Wanted changes of N weights (N,); where it is zero nothing is fired.
    where : tuple of ndarray
        Their rows and columns (N,), each weight at most once.
    flips : ndarray, optional
        Columns stored as complements.
    stuck : ndarray of bool, optional
        Cells of pairs (2, R, columns) that get no pulse; of pairs alone.
    live : array of bool, optional
        Of tensors, which of the weights are written (N,); left out, all.
    """
    if is_tensor(change):
        return _of_pairs(device, g_cell, change, where, stuck, live=both(live, change != 0.0))
    chosen = np.flatnonzero(change)
    rows, cols = (each[chosen] for each in where)
    if not chosen.size:
        none = np.zeros(0)
        return CellPulses(none.astype(np.intp), none.astype(bool), none, none, np.zeros(change.shape))
    if isinstance(device.mapping, Pairs):
        pulses = _of_pairs(device, g_cell, change[chosen], (rows, cols), stuck)
    else:
        pulses = _of_cells(device, g_cell, change[chosen], (rows, cols), flips)
    expected = np.zeros(change.shape)
    expected[chosen] = pulses.change
    return replace(pulses, change=expected)


def fire(device: RramDevice, cells: CellState, pulses: CellPulses, *, rng: np.random.Generator) -> CellState:
    """Fire the chosen pulses, SETs first; the state's cost is that of all of them."""
    if not size_of(pulses.flat):
        return replace(cells, tally=WriteCost())
    chain = device.loop.chain
    return chain.both_polarities(cells, pulses.flat, pulses.v_pulse, pulses.is_set, rng=rng, live=pulses.live)


def _of_pairs(
    device: RramDevice,
    g_cell: Array,
    change: Array,
    where: tuple[Array, Array],
    stuck: Array | None,
    *,
    live: Array | None = None,
) -> CellPulses:
    (rows, cols), pairs, xp = where, device.pairs, namespace(change)
    wanted = xp.astype(change * pairs.g_unit, xp.float64)
    known = None if stuck is None else stuck[:, rows, cols]
    plan = plan_pulses(
        device.loop.chain.writer, g_cell[:, rows, cols], wanted, g_centre=pairs.g_centre, stuck=known, live=live
    )
    expected = xp.zeros_like(wanted)
    of_weight = xp.where(plan.half == 0, plan.expected, -plan.expected) / pairs.g_unit
    expected[plan.weight] = only(of_weight, plan.live)
    flat = (plan.half * g_cell.shape[1] + rows[plan.weight]) * g_cell.shape[2] + cols[plan.weight]
    return CellPulses(flat, plan.is_set, plan.v_pulse, plan.expected, expected, plan.live)


def _of_cells(
    device: RramDevice,
    g_cell: np.ndarray,
    change: np.ndarray,
    where: tuple[np.ndarray, np.ndarray],
    flips: np.ndarray | None,
) -> CellPulses:
    mapping: Mapping = device.mapping
    flat, flipped = mapping.cells_of(*where, g_cell.shape), mapping.flipped_at(flips, where[1])
    before = g_cell.ravel()[flat]
    wanted = np.asarray(mapping.changes(before, change, flipped), dtype=float)
    v_pulse, expected = np.zeros(wanted.shape), np.zeros(wanted.shape)
    for polarity, chosen in zip(POLARITIES, (wanted > 0.0, wanted < 0.0), strict=True):
        write = device.loop.chain.write(polarity)
        v_pulse[chosen], expected[chosen] = write.nearest(before[chosen], wanted[chosen])
    fires = aims(np.sign(wanted) * expected, np.abs(wanted)) > 0.0
    expected = np.where(fires, expected, 0.0)
    after = mapping.decode(before + expected, flipped)
    return CellPulses(
        flat[fires], wanted[fires] > 0.0, v_pulse[fires], expected[fires], after - mapping.decode(before, flipped)
    )
