"""Fault-tolerant training: detection of stuck cells, threshold training, and re-mapping of rows, in turn (DAC 2017).

    every k batches:  detection (`fault_detection`), the first before anything is trained; rows of weights and rows of
                      cells are matched anew, so that stuck cells meet weights that their pairs can still hold; all
                      healthy cells are written by write-verify, since the test has moved them
    every batch:      threshold training (`open_loop`): change <- 0 where |change| < theta max |change|; no pulse goes
                      to a cell that is known to be stuck: the other half of its pair takes all of the change

A pair with one stuck half holds weights of one interval: stuck at the lowest conductance, a plus cell leaves zero and
negative weights, a minus cell zero and positive ones. Matched is by ::

    sum over rows r of   E[x_r^2] sum_c d(w_rc, interval of the pair at row m(r), column c)^2   ->  smallest, over m

    d  distance of a weight from an interval    E[x_r^2]  mean square of the inputs of row r in the batch
    m  physical row of each row: a mapping table in the row decoder, as in `row_sparse`

solved exactly (assignment problem; SciPy's `linear_sum_assignment`). Wanted are the first weights, and later those that
the pairs hold, since training has made up for what they lack: rows move at the first detection, and hardly later. Rows
are the neurons of the layer before (or the inputs): permuting them needs no other change of the network.

FOUND, in the source's abstract: detection by quiescent voltage comparison and training in turn, threshold training,
re-mapping; CIFAR-10 63 -> 76 % with many initial faults. RECALLED, not confirmed: theta = 0.01; neurons are permuted so
that cells stuck at 0 meet pruned weights. This kit's own choice: intervals in place of pruned weights, the use of a
row, the exact matching, that a healthy half makes up for a stuck one, and rows alone (a column of one matrix is a row
of the next).
"""

from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np
from pydantic import model_validator

from rramkit.array.mapping import Pairs, WeightMapping
from rramkit.array.matrix import Matrix
from rramkit.array.read_model import ReadModel
from rramkit.array.write.state import WriteCost
from rramkit.array.write.verify_read import VerifyRead
from rramkit.learning.optimisers import Optimiser
from rramkit.learning.rules.fault_detection import GroupTest, detected
from rramkit.learning.rules.open_loop import ThresholdTraining
from rramkit.learning.rules.row_matching import assignment, intervals, matched, mismatches, repaired
from rramkit.learning.rules.row_permutation import permuted
from rramkit.learning.rules.rram_device import RramDevice, pairs_only
from rramkit.learning.rules.rram_rule import UpdateRequest
from rramkit.learning.rules.rule import BoundRule, MatrixState
from rramkit.parameters import quantity
from rramkit.table import TableFile


class FaultTolerant(ThresholdTraining):
    """Threshold training on cells some of which are stuck: they are looked for, and rows are matched to them."""

    accumulates: ClassVar[bool] = True
    reaches_all: ClassVar[str] = "tests every cell"

    kind: Literal["fault_tolerant"] = quantity("fault_tolerant", "1", "stuck cells are found, rows matched to them")  # pyright: ignore[reportIncompatibleVariableOverride]
    detect_every: int = quantity(
        100,
        "1",
        "batches from one detection of stuck cells to the next; 0: none, which is threshold training",
        ge=0,
        le=10**9,
    )
    group: int = quantity(4, "1", "rows whose sum is read in a detection", ge=1, le=15)
    test: float = quantity(0.2, "1", "test change of a detection, over the conductance range", gt=0.0, le=0.5)
    remap: bool = quantity(True, "1", "whether rows are matched to the stuck cells that were found")

    @model_validator(mode="after")
    def _knows_what_it_wants(self) -> Self:
        if self.knows != "mean":
            raise ValueError(
                f'knows must be "mean" with the rule fault_tolerant, as a read sees what a stuck cell holds and not '
                f"what it should; got {self.knows!r}. Leave it out"
            )
        off = [
            name for name in ("group", "test", "remap") if getattr(self, name) != type(self).model_fields[name].default
        ]
        if not self.detect_every and off:
            raise ValueError(f"{off[0]} does nothing with detect_every = 0; got {getattr(self, off[0])}. Leave it out")
        return self

    def bind(
        self, tables: TableFile, model: ReadModel, optimiser: Optimiser, mapping: WeightMapping | None = None
    ) -> BoundRule:
        """Return the rule on the device of a table file; see `RramRule.bind`.

        Raises
        ------
        InputError
            As there, and when the mapping is not of pairs.
        """
        pairs_only(mapping or Pairs(), "fault_tolerant")
        bound = super().bind(tables, model, optimiser, mapping)
        assert bound.device is not None
        return replace(bound, device=replace(bound.device, group_reader=self._reader(bound.device, tables)))

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C), in the order of their rows; no cell is known to be stuck.

        Cells that were verified are taken for what they were written to, so that it is known later what a stuck one
        should have held.
        """
        if self.detect_every and self.remap:
            assignment()  # where it is missing, a training ends here and not at the first cell that is found stuck
        state, cost = super().first(device, weight, rng=rng)
        if self.detect_every and device.resolved().start == "verify" and state.g_estimate is not None:
            state = replace(state, g_estimate=device.mapping.targets(weight).astype(state.g_estimate.dtype))
        return replace(state, rows=np.arange(weight.shape[0]), stuck=np.zeros(state.cells.g_cell.shape, bool)), cost

    def known_weight(self, device: RramDevice, state: MatrixState) -> np.ndarray | None:
        """Return the weights (R, C) that the controller's estimates stand for, in the order of the matrix' rows."""
        weight = super().known_weight(device, state)
        return weight if weight is None or state.rows is None else weight[state.rows]

    def matrix(
        self, device: RramDevice, state: MatrixState, before: Matrix | None, *, rng: np.random.Generator
    ) -> Matrix:
        """Return the matrix that is read, its inputs routed to the physical rows."""
        return permuted(device, state, before, rng=rng)

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after stuck cells were looked for, every `detect_every` batches, and the changes written."""
        of_detection = WriteCost()
        if self.detect_every and not request.batch % self.detect_every:
            state, of_detection = self._detected(device, state, request, rng=rng)
        assert state.rows is not None
        placed = replace(state, chi=_placed(state.chi, state.rows))
        request = replace(request, change=_placed(request.change, state.rows))
        after, cost = super().apply(device, placed, request, rng=rng)
        return replace(after, chi=after.chi[state.rows]), of_detection + cost

    def _detected(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after a detection, its rows matched to what was found and all healthy cells written."""
        assert state.rows is not None and state.stuck is not None and state.g_estimate is not None
        seen, reads = device.read_all(state.cells, rng=rng)
        held = state.g_estimate if request.batch == 0 else seen
        wanted = device.mapping.weight(held)[state.rows]
        how = GroupTest(self.group, self.test)
        found = detected(device, state.cells, seen, state.stuck, how=how, rng=rng)
        rows = state.rows
        if self.remap and np.any(found.stuck):
            low, high = intervals(device.pairs, found.estimate, found.stuck)
            use = np.mean(np.square(request.gradient.inputs), axis=0)
            rows = matched(mismatches(wanted, low, high, use), state.rows)
        target = repaired(device.pairs, _placed(wanted, rows), found.estimate, found.stuck)
        flat = np.flatnonzero(~found.stuck)
        cells = device.write(found.cells, flat, target.ravel()[flat], method="verify", rng=rng)
        state = replace(state, cells=cells, stuck=found.stuck, rows=rows, g_estimate=target.astype(seen.dtype))
        return state, reads + found.cells.tally + cells.tally

    def _reader(self, device: RramDevice, tables: TableFile) -> VerifyRead | None:
        """Return the read of a group's column: the verify read in a range that holds all of its cells."""
        reader = device.loop.reader
        if reader is None or reader.sense != "adc":
            return None
        low, high = device.loop.chain.writer.g_range
        largest = device.loop.chain.largest
        columns = 1 if largest is None else largest[1]
        whole = VerifyRead.from_tables(tables.nominal(), "adc", g_range=(low, self.group * high), columns=columns)
        return replace(whole, g_span=reader.g_span)


def _placed(values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return values (R, C) of a matrix at the physical rows (R,) that hold them."""
    placed = np.empty_like(values)
    placed[rows] = values
    return placed
