"""What rules write to: the cells of a table file, how weights stand in them, and how they are read.

A weight w is a pair of cells; a weight of one is `g_unit` siemens of difference ::

    centre    g_plus = g_centre + w g_unit / 2    g_minus = g_centre - w g_unit / 2
    low       g_plus = g_low + max(w, 0) g_unit   g_minus = g_low + max(-w, 0) g_unit

With `levels`, targets are rounded to as many evenly spaced conductances. A written target is reached in one of three
ways: `pulse`, one pulse of each cell from where it stands, of the amplitude whose mean change is nearest; `verify`, the
write-verify loop; `error`, the target itself and a Gaussian error of `sigma_program` level spacings, as the
bulk-switching module's simulator does it (arXiv 2305.14547, its Table 1: 16 levels, 0.5; one pulse a cell is counted).
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rramkit.array.model import ArrayModel
from rramkit.array.tile import Tile
from rramkit.array.tile_grid import TileGrid
from rramkit.array.write.state import POLARITIES, CellState, WriteCost
from rramkit.array.write.write_verify import WriteVerify
from rramkit.learning.matrices import Matrix, TileMatrix

Way = Literal["pulse", "verify", "error"]
Placement = Literal["centre", "low"]


@dataclass(frozen=True)
class Bank:
    """Cells of one table file and the scale of the weights in them.

    Attributes
    ----------
    model : ArrayModel
        How the cells are read.
    loop : WriteVerify
        The write-verify loop, and in it the update chain.
    g_unit : float
        Conductance difference that stands for a weight of one (S).
    g_centre : float
        Conductance that the mean of a pair is kept near (S).
    placement : str
        `centre` or `low`.
    start, way : str
        How the first weights, and later targets, are reached: `pulse`, `verify` or `error`.
    levels : int
        Conductance levels of a target; 0: any conductance.
    sigma_program : float
        Programming error of the way `error`, in level spacings, or without levels over the conductance range (1).
    """

    model: ArrayModel
    loop: WriteVerify
    g_unit: float
    g_centre: float
    placement: Placement = "centre"
    start: Way = "pulse"
    way: Way = "verify"
    levels: int = 0
    sigma_program: float = 0.0

    def targets(self, weight: np.ndarray) -> np.ndarray:
        """Return the conductances (2, ...) in siemens of weights (...), within the range and on its levels."""
        low, high = self.loop.chain.writer.g_range
        if self.placement == "centre":
            half = 0.5 * self.g_unit * weight
            pairs = np.stack([self.g_centre + half, self.g_centre - half])
        else:
            pairs = low + self.g_unit * np.maximum(np.stack([weight, -weight]), 0.0)
        if self.levels > 1:
            step = (high - low) / (self.levels - 1)
            pairs = low + step * np.round((pairs - low) / step)
        return np.clip(pairs, low, high)

    def weight(self, g_cell: np.ndarray) -> np.ndarray:
        """Return the weights (...) that conductances (2, ...) in siemens stand for."""
        return (g_cell[0] - g_cell[1]) / self.g_unit

    @property
    def limit(self) -> float:
        """Largest weight that a pair can hold."""
        return self.loop.chain.writer.span / self.g_unit

    def kept(self, weight: np.ndarray) -> tuple[np.ndarray, int]:
        """Return weights (...) held within what a pair can hold, and how many that changed."""
        kept = np.clip(weight, -self.limit, self.limit)
        return kept, int(np.count_nonzero(kept != weight))

    def matrix(
        self,
        cells: CellState,
        before: Matrix | None,
        *,
        digital: np.ndarray | None = None,
        rng: np.random.Generator,
    ) -> TileMatrix:
        """Return the matrix that is read from cells (2, R, C); `digital` as in `TileMatrix`.

        `before` is the same matrix before it was written, whose periphery it keeps; None builds one on as many
        arrays as it takes, and `rng` draws what differs from one array's periphery to another's.
        """
        g_cell = self.model.placed(cells.g_cell)
        if isinstance(before, TileMatrix):
            return TileMatrix(before.tile.programmed(g_cell), self.g_unit, digital)
        largest = self.loop.chain.largest
        _, rows, pairs = g_cell.shape
        if largest is None or (rows <= largest[0] and 2 * pairs <= largest[1]):
            return TileMatrix(Tile.of(g_cell, self.model, rng=rng), self.g_unit, digital)
        return TileMatrix(TileGrid.of(g_cell, self.model, largest=largest, rng=rng), self.g_unit, digital)

    def placed(self, weight: np.ndarray, *, rng: np.random.Generator) -> CellState:
        """Write first weights (R, C) into fresh cells at the lowest conductance, the way `start`."""
        target = self.targets(weight)
        chain = self.loop.chain
        fresh = chain.init(np.full(target.shape, chain.writer.g_range[0]), rng=rng)
        return self.written(fresh, np.arange(target.size), target.ravel(), way=self.start, rng=rng)

    def written(
        self, cells: CellState, flat: np.ndarray, target: np.ndarray, *, way: Way, rng: np.random.Generator
    ) -> CellState:
        """Bring cells `flat` (N,) to targets (N,) in siemens; the tally says what that took."""
        if way == "verify":
            return self.loop.program(cells, target, flat, rng=rng).cells
        wanted = target - cells.g_cell.ravel()[flat]
        if way == "pulse":
            return self.pulsed(cells, flat, wanted, rng=rng)
        chain = self.loop.chain
        low, high = chain.writer.g_range
        spacing = (high - low) / (self.levels - 1) if self.levels > 1 else high - low
        after = np.clip(target + self.sigma_program * spacing * rng.standard_normal(flat.size), low, high)
        tally = WriteCost()
        for polarity, mine in zip(POLARITIES, (wanted > 0.0, wanted < 0.0), strict=True):
            unknown = np.zeros(np.count_nonzero(mine))  # energy and time
            cells = cells.pulsed(flat[mine], after[mine], polarity=polarity, energy=unknown, seconds=unknown)
            tally += cells.tally
        return replace(cells, tally=tally)

    def pulsed(self, cells: CellState, flat: np.ndarray, wanted: np.ndarray, *, rng: np.random.Generator) -> CellState:
        """Fire one pulse at each of the cells `flat` (N,), of the amplitude nearest the wanted change (N,) in siemens.

        A cell that is to stay where it is gets no pulse.
        """
        chain, tally = self.loop.chain, WriteCost()
        before = cells.g_cell.ravel()[flat]
        for polarity, mine in zip(POLARITIES, (wanted > 0.0, wanted < 0.0), strict=True):
            v_pulse, _ = chain.write(polarity).nearest(before[mine], wanted[mine])
            cells = chain.step(cells, flat[mine], v_pulse, polarity=polarity, rng=rng)
            tally += cells.tally
        return replace(cells, tally=tally)


def flat_cells(half: np.ndarray, row: np.ndarray, col: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the indices (N,) of cells into flattened pairs of `shape` (2, R, C)."""
    return np.ravel_multi_index((half, row, col), shape)
