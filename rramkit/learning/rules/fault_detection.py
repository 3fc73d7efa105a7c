"""Detection of stuck cells in a trained array: a small test change, written to all cells, and sums of rows compared.

    1. each cell gets one pulse whose mean change, up or down, is nearest `test` of the conductance range, first those
       that are to rise, then those that are to fall
    2. the rows of a group are driven at once, and each column's current is read before and after these pulses; in each
       column, and for rises and falls apart,

           missing = |expected change - measured change| / test change, rounded, modulo 16

       is the number of cells in the group that did not change: where it is zero, nothing is looked at further
    3. each cell gets the opposite pulse, which brings it back; the cells of the columns where something was missing are
       read one by one before and after it: one that changed by less than 0.3 of what is expected is stuck

RECALLED, not confirmed: the source (Fault-Tolerant Training with On-Line Fault Detection, DAC 2017; "quiescent voltage
comparison" in its abstract) writes a small change, row group by row group, and compares sums modulo 16. This kit's own
choice: the rest; in particular the third step, a second test of single cells in suspected groups only (group testing,
Dorfman 1943), where the source may cross groups of rows with groups of columns. A column is read as verify reads are
(`rramkit.array.write.verify_read`), in the readout's smallest range that holds the whole group.

The test leaves a cell near where it was, off by the scatter of two pulses, so that it has to be written again. A cell
that is healthy but weak is taken for a stuck one; both are left alone from then on.
"""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.array.write.cell_address import every_address
from rramkit.array.write.state import POLARITIES, CellState, WriteCost
from rramkit.learning.rules.rram_device import RramDevice

MODULUS = 16
"""What sums are compared by (1): RECALLED."""

LEAST = 0.3
"""Part of its expected change below which a cell counts as stuck (1): ours. Behind driver and lines a healthy cell of
the design changes by 0.6 to 0.75 of its table's mean, with a scatter of 0.2."""


@dataclass(frozen=True)
class GroupTest:
    """How stuck cells are looked for.

    Attributes
    ----------
    group : int
        Rows that are driven at once.
    test : float
        Test change over the conductance range (1).
    """

    group: int
    test: float


@dataclass(frozen=True)
class Detection:
    """What a detection found.

    Attributes
    ----------
    cells : CellState
        Cells (halves, R, columns) after it; its tally counts pulses and reads.
    stuck : ndarray of bool
        Cells found stuck, those that were known before among them (halves, R, columns).
    estimate : ndarray
        What the controller takes conductances for (halves, R, columns) in siemens: as read where single cells were.
    """

    cells: CellState
    stuck: np.ndarray
    estimate: np.ndarray


def detected(
    device: RramDevice,
    cells: CellState,
    estimate: np.ndarray,
    known: np.ndarray,
    *,
    how: GroupTest,
    rng: np.random.Generator,
) -> Detection:
    """Look for stuck cells.

    Parameters
    ----------
    device : RramDevice
        What is written to.
    cells : CellState
        The cells (halves, R, columns).
    estimate : ndarray
        What the controller takes their conductances for (halves, R, columns), in siemens.
    known : ndarray of bool
        Cells known to be stuck (halves, R, columns): they are not pulsed.
    how : GroupTest
        Size of the groups, test change.
    rng : Generator
        Draws changes and the noise of reads.
    """
    shape, size = cells.g_cell.shape, how.test * device.mapping.span
    tested = np.flatnonzero(~known.ravel())
    g = estimate.ravel()[tested].astype(float)
    pulses = _test_pulses(device, g, size)
    column = _columns(device, shape, how.group)
    before, cost = device.read_sums(cells, column, rng=rng)
    suspected = np.zeros(tested.size, dtype=bool)
    for chosen in (pulses.is_set, ~pulses.is_set):  # apart: what a rise and a fall miss would cancel
        cells = _fired(device, cells, tested[chosen], pulses.of(chosen), rng=rng)
        after, reads = device.read_sums(cells, column, rng=rng)
        cost += cells.tally + reads
        expected = np.bincount(column[tested[chosen]], weights=pulses.expected[chosen], minlength=before.size)
        missing = np.mod(np.rint(np.abs(expected - (after - before)) / size), MODULUS)
        suspected[chosen] = missing[column[tested[chosen]]] > 0
        before = after
    single = tested[suspected]
    first, reads = device.read_cells(cells, single, rng=rng)
    cost += reads
    moved = g + pulses.expected
    back = _back(device, moved, pulses)
    cells = _fired(device, cells, tested, back, rng=rng)
    cost += cells.tally
    second, reads = device.read_cells(cells, single, rng=rng)
    wanted = back.expected[suspected]
    still = (second - first) * np.sign(wanted) < LEAST * np.abs(wanted)
    stuck, known_now = known.copy(), estimate.astype(float).copy()
    stuck.ravel()[single[still & (np.abs(wanted) > 0.0)]] = True
    known_now.ravel()[tested] = moved + back.expected
    known_now.ravel()[single] = second
    cells = replace(cells, tally=cost + reads)
    return Detection(cells, stuck, known_now.astype(estimate.dtype))


@dataclass(frozen=True)
class _Pulses:
    """One pulse for each of N cells: polarity, amplitude (V) and the change that the table expects (S), each (N,)."""

    is_set: np.ndarray
    v_pulse: np.ndarray
    expected: np.ndarray

    def of(self, chosen: np.ndarray) -> "_Pulses":
        """Return the pulses of some cells."""
        return _Pulses(self.is_set[chosen], self.v_pulse[chosen], self.expected[chosen])


def _test_pulses(device: RramDevice, g: np.ndarray, size: float) -> _Pulses:
    """Return the pulse of either polarity whose mean change is nearest `size` (S), for cells at `g` (N,)."""
    writer = device.loop.chain.writer
    v_set, rise = writer.set.nearest(g, np.full(g.shape, size))
    v_reset, fall = writer.reset.nearest(g, np.full(g.shape, -size))
    is_set = np.abs(rise - size) <= np.abs(-fall - size)
    return _Pulses(is_set, np.where(is_set, v_set, v_reset), np.where(is_set, rise, fall))


def _back(device: RramDevice, g: np.ndarray, pulses: _Pulses) -> _Pulses:
    """Return the pulses that undo others at cells that these have brought to `g` (N,)."""
    writer, is_set = device.loop.chain.writer, ~pulses.is_set
    v_pulse, expected = np.zeros(g.shape), np.zeros(g.shape)
    for write, chosen in ((writer.set, is_set), (writer.reset, ~is_set)):
        v_pulse[chosen], expected[chosen] = write.nearest(g[chosen], -pulses.expected[chosen])
    return _Pulses(is_set, v_pulse, expected)


def _fired(
    device: RramDevice, cells: CellState, flat: np.ndarray, pulses: _Pulses, *, rng: np.random.Generator
) -> CellState:
    """Fire one pulse at each of the cells `flat` (N,)."""
    cost = WriteCost()
    for polarity, chosen in zip(POLARITIES, (pulses.is_set, ~pulses.is_set), strict=True):
        cells = device.loop.chain.step(cells, flat[chosen], pulses.v_pulse[chosen], polarity=polarity, rng=rng)
        cost += cells.tally
    return replace(cells, tally=cost)


def _columns(device: RramDevice, shape: tuple[int, ...], group: int) -> np.ndarray:
    """Return the number of each cell's group and column among all of them (cells,): groups lie within an array."""
    at = every_address(shape, device.loop.chain.largest)
    groups = -(-at.rows // group)
    column = (at.array * groups + at.row // group) * at.cols + at.col
    return np.unique(column, return_inverse=True)[1].ravel()
