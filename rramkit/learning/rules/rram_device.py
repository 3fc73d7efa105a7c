"""The device that rules write to: cells of one table file, their weight mapping, write loop and array model.

It is built once for a training (`RramRule.bind`). A target conductance is reached in one of three ways:

    pulse     one pulse of each cell, of the amplitude whose mean change is nearest the wanted one
    verify    the write-verify loop
    error     the target itself and a Gaussian error of `sigma_program` level spacings, as the bulk-switching module's
              simulator does it (arXiv 2305.14547, its Table 1: 16 levels, 0.5), or of its logarithm (`sigma_log`), as
              a Gaussian error of a tunnelling gap gives it: ln g = const - gap/g_0; one pulse a cell is counted

What a controller knows of a conductance it has read (`read_cells`, `read_weights`: with the noise and at the cost of a
verify read) or worked out from its own pulses. No rule looks at the cells themselves.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rramkit.array.backend import Array, kept, limited, namespace, size
from rramkit.array.mapped_matrix import MappedMatrix, current_of_count
from rramkit.array.mapping import Mapping, Pairs, Sei
from rramkit.array.matrix import Matrix
from rramkit.array.read_model import ReadModel
from rramkit.array.selected_matrix import SelectedMatrix
from rramkit.array.tile import Tile
from rramkit.array.tile_grid import TileGrid
from rramkit.array.write.cell_address import every_address
from rramkit.array.write.state import POLARITIES, CellState, WriteCost
from rramkit.array.write.verify_read import VerifyRead
from rramkit.array.write.write_verify import WriteVerify
from rramkit.errors import InputError
from rramkit.learning.rules.pulse_counts import EqualPulses

WriteMethod = Literal["pulse", "verify", "error"]
Start = Literal["auto", "pulse", "verify", "error"]
"""How first weights are written; auto: `pulse` where the strongest SET of a fresh cell brings it to the middle of the
range, or does nothing; else `verify`."""


@dataclass(frozen=True)
class RramDevice:
    """What a rule is bound to.

    Attributes
    ----------
    model : ReadModel
        How the cells are read.
    loop : WriteVerify
        The write-verify loop, and in it the update chain.
    mapping : Mapping
        How weights stand in the cells, over the conductances that both write tables share.
    pulses : EqualPulses or None
        The equal pulses of rules that count pulses.
    start : str
        How first weights are written: `pulse`, `verify` or `error`; `auto` until `resolved`.
    sigma_program : float
        Programming error of `error`, in level spacings, or without levels over the conductance range (1).
    sigma_log : float
        Another of `error`, of the logarithm of the conductance: standard deviation (1).
    group_reader : VerifyRead or None
        Read of a column of several rows at once, of rules that look for stuck cells through the chip.
    """

    model: ReadModel
    loop: WriteVerify
    mapping: Mapping
    pulses: EqualPulses | None = None
    start: Start = "pulse"
    sigma_program: float = 0.0
    sigma_log: float = 0.0
    group_reader: VerifyRead | None = None

    @property
    def equal_pulses(self) -> EqualPulses:
        """The equal pulses; only of rules that count them."""
        assert self.pulses is not None
        return self.pulses

    @property
    def pairs(self) -> Pairs:
        """The mapping of a rule that writes pairs only."""
        assert isinstance(self.mapping, Pairs)
        return self.mapping

    @property
    def amplitudes(self) -> int:
        """Amplitudes that the driver can make, of the polarity that has fewer."""
        return min(self.loop.chain.write(polarity).v_pulse.size for polarity in POLARITIES)

    @property
    def g_centre(self) -> float:
        """Conductance about which cells are held: of a pair its centre, else the middle of the window (S)."""
        low, high = self.mapping.window
        return self.mapping.g_centre if isinstance(self.mapping, Pairs) else 0.5 * (low + high)

    def largest_steps(self, g_cell: float) -> tuple[float, float]:
        """Return the mean changes (S) of the strongest SET and RESET at a conductance (S), as magnitudes."""
        return self._steps(g_cell, self.mapping.span)

    def smallest_steps(self, g_cell: float) -> tuple[float, float]:
        """Return the mean changes (S) of the weakest SET and RESET at a conductance (S), as magnitudes."""
        return self._steps(g_cell, 0.0)

    def _steps(self, g_cell: float, wanted: float) -> tuple[float, float]:
        writes = [self.loop.chain.write(polarity) for polarity in POLARITIES]
        at, each = np.array([g_cell]), [np.array([write.sign * wanted]) for write in writes]
        rise, fall = (float(abs(write.nearest(at, one)[1][0])) for write, one in zip(writes, each, strict=True))
        return rise, fall

    def resolved(self) -> "RramDevice":
        """Return the device with the way of first weights that its pulses allow, where it was left to the tables."""
        if self.start != "auto":
            return self
        reached, _ = self.largest_steps(self.loop.chain.writer.g_range[0])
        small = 0.0 < reached < 0.5 * self.loop.chain.writer.span
        return replace(self, start="verify" if small else "pulse")

    def matrix(
        self,
        cells: CellState,
        before: Matrix | None,
        *,
        flips: np.ndarray | None = None,
        digital: np.ndarray | None = None,
        rng: np.random.Generator,
    ) -> MappedMatrix:
        """Return the matrix that is read from cells (halves, R, columns); `flips`, `digital` as in `MappedMatrix`.

        `before` is the same matrix before the last write, whose periphery it keeps; None builds one on as many
        arrays as it takes, and `rng` draws the spread of their periphery.
        """
        g_cell = self.model.placed(cells.g_cell)
        if isinstance(before, MappedMatrix):
            return before.programmed(g_cell, digital=digital)
        if isinstance(self.mapping, Sei):
            return SelectedMatrix.built(g_cell, self.mapping, self.model, digital=digital, rng=rng)
        largest = self.loop.chain.largest
        halves, rows, columns = g_cell.shape
        i_count = current_of_count(self.mapping, self.model)
        fits = largest is None or (rows <= largest[0] and halves * columns <= largest[1])
        if fits and not self.model.chain.counts:
            return MappedMatrix(Tile.of(g_cell, self.model, rng=rng), self.mapping, flips, digital)
        grid = TileGrid.of(g_cell, self.model, largest=largest, i_count=i_count, rng=rng)
        return MappedMatrix(grid, self.mapping, flips, digital)

    def program(self, weight: np.ndarray, *, flips: np.ndarray | None, rng: np.random.Generator) -> CellState:
        """Write first weights (R, C) into fresh cells at the lowest conductance, by `start`."""
        target = self.mapping.targets(weight, flips)
        chain = self.loop.chain
        lowest = np.full(target.shape, chain.writer.g_range[0])
        fresh, flat = chain.init(lowest, rng=rng), np.arange(target.size)
        start = self.resolved().start
        assert start != "auto"
        if start == "pulse":  # what a fresh cell is at is known: nothing is read
            return self.pulse(fresh, flat, lowest.ravel(), target.ravel() - lowest.ravel(), rng=rng)
        return self.write(fresh, flat, target.ravel(), method=start, rng=rng)

    def write(
        self,
        cells: CellState,
        flat: Array,
        target: Array,
        *,
        method: WriteMethod,
        rng: np.random.Generator,
        live: Array | None = None,
    ) -> CellState:
        """Bring cells `flat` (N,) to targets (N,) in siemens; the state's cost is that of all its pulses and reads.

        A pulse is chosen by what a read of the cell sees. Of tensors those cells are written that are `live` (N,).
        """
        if method == "verify":
            within = np.clip(target.astype(float), *self.mapping.window)  # float32 rounds the window's ends
            return self.loop.program(cells, within, flat, rng=rng).cells
        if method == "pulse":
            seen, reads = self.read_cells(cells, flat, rng=rng, live=live)
            cells = self.pulse(cells, flat, seen, target - seen, rng=rng, live=live)
            return replace(cells, tally=cells.tally + reads)
        # books the pulse as SET or RESET; the outcome does not depend on it
        wanted, xp = target - cells.g_cell.reshape(-1)[flat], namespace(target)
        low, high = self.loop.chain.writer.g_range
        error = self.sigma_program * self.mapping.g_spacing * rng.standard_normal(size(flat))
        if self.sigma_log:
            error += target * xp.expm1(self.sigma_log * rng.standard_normal(size(flat)))
        after, cost = limited(target + error, low, high), WriteCost()
        for polarity, mine in zip(POLARITIES, (wanted > 0.0, wanted < 0.0), strict=True):
            (at, end), of_side = kept(mine, flat, after, live=live)
            nothing = xp.zeros_like(end)  # energy and time are not modelled
            cells = cells.pulsed(at, end, polarity=polarity, energy=nothing, seconds=nothing, live=of_side)
            cost += cells.tally
        return replace(cells, tally=cost)

    def pulse(
        self,
        cells: CellState,
        flat: Array,
        before: Array,
        wanted: Array,
        *,
        rng: np.random.Generator,
        live: Array | None = None,
    ) -> CellState:
        """Fire one pulse at each of the cells `flat` (N,), of the amplitude nearest the wanted change (N,) in siemens.

        `before` (N,) is the conductance that the controller takes them for. A cell whose wanted change is zero gets no
        pulse, nor one that is not `live` (N,), of tensors.
        """
        chain, cost = self.loop.chain, WriteCost()
        for polarity, mine in zip(POLARITIES, (wanted > 0.0, wanted < 0.0), strict=True):
            (at, from_here, change), of_side = kept(mine, flat, before, wanted, live=live)
            v_pulse, _ = chain.write(polarity).nearest(from_here, change)
            cells = chain.step(cells, at, v_pulse, polarity=polarity, rng=rng, live=of_side)
            cost += cells.tally
        return replace(cells, tally=cost)

    def read_cells(
        self, cells: CellState, flat: Array, *, rng: np.random.Generator, live: Array | None = None
    ) -> tuple[Array, WriteCost]:
        """Read cells `flat` (N,) once, as a verify read does; of tensors those that are `live` (N,).

        Returns
        -------
        seen : ndarray
            Conductances (N,) in siemens as read, within what the write tables reach.
        cost : WriteCost
            Number, energy and time of the reads.
        """
        chain, verify = self.loop.chain, self.loop.params
        g_cell = cells.g_cell.reshape(-1)[flat]
        cost = self.loop.reads(flat, g_cell, tuple(cells.g_cell.shape), live=live)
        if verify.sense == "latch":
            raise InputError(
                "`rule.verify.sense` must be adc or typed for a rule that reads conductances; got latch, which tells "
                "the side of a target only. Change it, or write by write-verify."
            )
        if verify.sense == "typed" and not verify.sigma_read:
            return g_cell, cost
        seen = self.loop.seen(cells, flat, rng=rng)
        return namespace(g_cell).astype(limited(seen, *chain.writer.g_range), g_cell.dtype, copy=False), cost

    def read_sums(
        self, cells: CellState, column: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, WriteCost]:
        """Read the columns of several rows at once: through `group_reader`, or with the noise of one typed verify read.

        Parameters
        ----------
        cells : CellState
            The cells (halves, R, columns).
        column : ndarray of int
            Number of the group of rows and the column of each cell (cells,), from 0 on.
        rng : Generator
            Draws the noise.

        Returns
        -------
        sums : ndarray
            Conductances of each group and column, summed, as read (S).
        cost : WriteCost
            Number, energy and time of the reads.
        """
        chain, shape = self.loop.chain, cells.g_cell.shape
        total = np.bincount(column, weights=cells.g_cell.ravel().astype(float))
        _, lead = np.unique(column, return_index=True)  # a cell of each: where its column lies
        if self.group_reader is None:
            noise = self.loop.params.sigma_read * chain.writer.span
            return total + noise * rng.standard_normal(total.shape), self.loop.reads(lead, total, shape)
        at, row = chain.address(lead, shape), self.group_reader.row
        cost = self.group_reader.cost(at, total)
        others = np.unique(every_address(shape, chain.largest).row_line).size - np.unique(at.row_line).size
        energy = cost.energy + others * (row.e_row + row.e_driver)  # of the groups' other rows
        seen = self.group_reader.seen(total, None, rng=rng)
        return seen, WriteCost.of_reads(cost.reads, energy=energy, seconds=cost.seconds)

    def read_weights(
        self, cells: CellState, rows: Array, cols: Array, *, rng: np.random.Generator, live: Array | None = None
    ) -> tuple[Array, WriteCost]:
        """Read all cells that tell the weights at `rows` and `cols` (N,) of the array, each once; the `live` ones.

        Returns
        -------
        seen : ndarray
            Conductances (halves, R, columns) in siemens as read; NaN where nothing was read.
        cost : WriteCost
            Number, energy and time of the reads.
        """
        flat, xp = self.mapping.cells_known_by(rows, cols, tuple(cells.g_cell.shape)), namespace(cells.g_cell)
        of_cells = None if live is None else xp.tile(live, (size(flat) // size(live),))
        values, cost = self.read_cells(cells, flat, rng=rng, live=of_cells)
        seen = xp.full_like(cells.g_cell, np.nan)
        seen.reshape(-1)[flat] = values
        return seen, cost

    def read_all(self, cells: CellState, *, rng: np.random.Generator) -> tuple[np.ndarray, WriteCost]:
        """Read every cell once; return the conductances (halves, R, columns) as read, and the cost."""
        shape = cells.g_cell.shape
        seen, cost = self.read_cells(cells, np.arange(cells.g_cell.size), rng=rng)
        return seen.reshape(shape), cost


def pairs_only(mapping: Mapping, rule: str) -> Pairs:
    """Return the mapping; raise `InputError` unless it is one pair of cells a weight."""
    if not isinstance(mapping, Pairs):
        name = type(mapping).__name__
        raise InputError(
            f"`rule` {rule} writes pairs of cells and needs the mapping `pairs`; got {name}. "
            'Set `mapping.kind = "pairs"`, or take a rule that writes targets (threshold, write_verify).'
        )
    return mapping
