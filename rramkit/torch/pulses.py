# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportGeneralTypeIssues=false
"""Writes by the pulses of a table file: write-verify of every cell, with the file's scatter, drivers, droop and sense.

`PulseWrites` is given to modules as their `write`; each matrix then has a `PulseWrite` of its own, with its own devices
and random numbers. Its state goes with that of the cells.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from rramkit.array.backend import Array, like, to_numpy
from rramkit.array.rng import TileRng
from rramkit.array.write.state import CellState, WriteCost
from rramkit.array.write.write_verify import WriteVerify
from rramkit.errors import InputError
from rramkit.learning.chip import Chip, ChipSettings
from rramkit.table import TablesLike, loaded
from rramkit.torch.state import restored, set_streams, streams_of, tensors_of


@dataclass(frozen=True)
class PulseWrites:
    """How all cells of a model are written: one write-verify loop.

    Attributes
    ----------
    loop : WriteVerify
        Pulses, their stages, window and limits.
    """

    loop: WriteVerify

    @classmethod
    def from_tables(cls, tables: TablesLike, settings: ChipSettings | None = None) -> Self:
        """Return the writes of a table file with every stage that it has, as `rramkit train` takes them.

        Parameters
        ----------
        tables : TableFile, str or Path
            The table file.
        settings : ChipSettings, optional
            Stages that are off, and the operating point of writes; left out, everything.

        Returns
        -------
        PulseWrites
            The writes.

        Raises
        ------
        TableError
            When the file lacks pulses, or a stage's table lacks a signal or a condition.
        """
        settings = settings or ChipSettings()
        return cls.of_chip(Chip.of(settings.tables(loaded(tables)), settings))

    @classmethod
    def of_chip(cls, chip: Chip) -> Self:
        """Return the writes of a chip."""
        return cls(WriteVerify.from_tables(chip.tables.write, chip.verify, chip.update))

    def of_matrix(self, seed: Sequence[int]) -> "PulseWrite":
        """Return the writes of one matrix."""
        return PulseWrite(self.loop, seed)


class PulseWrite(nn.Module):
    """Writes of one matrix.

    Attributes
    ----------
    cells : CellState or None
        The devices; None before the first write.
    cost : WriteCost
        Pulses, verify reads, energy (J) and time (s) of all writes.
    missed : int
        Cells that the last write gave up outside its window.
    """

    def __init__(self, loop: WriteVerify, seed: Sequence[int]) -> None:
        super().__init__()
        self.loop, self.rng = loop, TileRng.seeded((*seed, 2))
        self.cells: CellState | None = None
        self.cost, self.missed = WriteCost(), 0

    def forward(self, g_cell: Array, wanted: Array) -> Array:
        """Return the conductances (2, N, M) in siemens after the cells were brought from `g_cell` towards `wanted`."""
        now, (generator,) = to_numpy(g_cell).astype(float), self.rng.generators
        cells = self.loop.chain.init(now, rng=generator) if self.cells is None else replace(self.cells, g_cell=now)
        done = self.loop.program(cells, to_numpy(wanted).astype(float), rng=generator)
        self.cells, self.cost = done.cells, self.cost + done.tally
        self.missed = int(np.count_nonzero(np.abs(done.error) > self.loop.tolerance(done.target)))
        return like(done.cells.g_cell, g_cell)

    def extra_repr(self) -> str:
        """Return the costs for `print(model)`."""
        return f"{self.cost.pulses} pulses, {self.cost.energy:.3g} J, {self.missed} cells missed"

    def _save_to_state_dict(self, destination: dict[str, Any], prefix: str, keep_vars: bool) -> None:
        tensors = {"streams": streams_of(self.rng), "missed": torch.tensor(self.missed)}
        if self.cells is not None:
            tensors |= tensors_of(self.cells, "cells") | tensors_of(self.cost, "cost")
        destination.update({prefix + name: tensor for name, tensor in tensors.items()})

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Take the devices of a `state_dict`; where it has none, the present ones are written for its weights."""
        own = {name[len(prefix) :]: tensor for name, tensor in state_dict.items() if name.startswith(prefix)}
        if not own:
            return
        try:
            self._set_tensors(own)
        except (InputError, KeyError) as error:
            error_msgs.append(f"{prefix.removesuffix('.')}: the writes do not fit this module's: {error}")

    def _set_tensors(self, tensors: dict[str, Tensor]) -> None:
        self.cells, self.cost, self.missed = None, WriteCost(), int(tensors["missed"])
        if "cells.g_cell" in tensors:
            place = torch.device("cpu")
            fresh = self.loop.chain.init(to_numpy(tensors["cells.g_cell"]).copy(), rng=np.random.default_rng(0))
            self.cells = restored(fresh, tensors, "cells", device=place)
            self.cost = restored(WriteCost(), tensors, "cost", device=place)
        set_streams(self.rng, tensors["streams"])
