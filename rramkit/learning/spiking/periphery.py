"""What a spiking neuron is made of: integrating readouts of its two lines, and the comparator of its membrane."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from rramkit.array.backend import to_numpy
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.stages.adc import Adc
from rramkit.array.stages.integrating import integrating_readout
from rramkit.array.stages.readout import Readout
from rramkit.array.tile_grid import TileGrid
from rramkit.learning.chip import NOT_CHARACTERISED, OFF, ChipSettings
from rramkit.table import TableFile
from rramkit.table.schema import READOUT_INTEGRATING, SENSE_AMP, SENSE_AMP_OFFSET


@dataclass(frozen=True)
class NeuronCircuits:
    """Readouts and comparators of spiking neurons, as a table file has them.

    Attributes
    ----------
    readout : Readout
        Integrating readouts; off: currents themselves.
    e_compare : float
        Energy of one decision of a comparator (J).
    offset_mean, offset_sigma : float
        Offset of the comparators: its mean, and its standard deviation from neuron to neuron (V).
    sources : mapping
        Where the numbers of each are from: `table`, `ideal: not characterised` or `off`.
    c_integrate : float or None
        Capacitor of the readouts (F).
    g_line_max : float or None
        Heaviest line that the readouts were characterised with (S).
    """

    readout: Readout
    e_compare: float
    offset_mean: float
    offset_sigma: float
    sources: dict[str, str]
    c_integrate: float | None = None
    g_line_max: float | None = None

    @classmethod
    def of(cls, tables: TableFile | None, chip: ChipSettings) -> Self:
        """Return the circuits of the tables of reads; `chip.off` switches `readout` and `adc` (the comparator) off.

        Raises
        ------
        TableError
            When a table cannot be read.
        """
        whole = None if tables is None or chip.ideal_periphery else tables
        readout = None if whole is None or "readout" in chip.off else integrating_readout(whole)
        found = cls(Readout(), 0.0, 0.0, 0.0, {})
        sources = {"integrating readout": OFF if "readout" in chip.off else NOT_CHARACTERISED}
        sources["threshold comparator"] = OFF if "adc" in chip.off else NOT_CHARACTERISED
        if whole is not None and readout is not None:
            table = whole[READOUT_INTEGRATING.group]
            sources["integrating readout"] = f"table {READOUT_INTEGRATING.group}"
            c_integrate = table.condition(READOUT_INTEGRATING.c_integrate)
            found = replace(found, readout=readout, c_integrate=c_integrate, g_line_max=readout.gains[0].g_in[-1])
        if whole is not None and "adc" not in chip.off and SENSE_AMP.group in whole.tables:
            sources["threshold comparator"] = f"table {SENSE_AMP.group}"
            values = np.asarray(whole[SENSE_AMP.group].signal(SENSE_AMP.energy).values, dtype=float)
            found = replace(found, e_compare=float(np.nanmean(values)))
        if whole is not None and "adc" not in chip.off and SENSE_AMP_OFFSET.group in whole.tables:
            offset = whole[SENSE_AMP_OFFSET.group]
            sources["threshold comparator"] += f", {SENSE_AMP_OFFSET.group}"
            mean = float(np.mean(offset.signal(SENSE_AMP_OFFSET.offset).values))
            found = replace(found, offset_mean=mean, offset_sigma=offset.sigma(SENSE_AMP_OFFSET.offset))
        return replace(found, sources=sources)

    def offsets(self, neurons: int, *, rng: np.random.Generator) -> np.ndarray:
        """Draw the offset of each neuron's comparator (M,) in volts."""
        return self.offset_mean + self.offset_sigma * rng.standard_normal(neurons)

    def on(
        self, matrix: MappedMatrix, *, cells: tuple[float, np.random.Generator], rng: np.random.Generator
    ) -> MappedMatrix:
        """Return a matrix in cells read by these readouts, in place of the readouts and converters that it had.

        Parameters
        ----------
        matrix : MappedMatrix
            Pairs of cells on their tiles.
        cells : (float, Generator)
            Standard deviation of the logarithm of each cell's conductance (1), held within the table's conductances,
            and what draws it.
        rng : Generator
            Draws what differs from tile to tile.
        """
        model = matrix.tile.model
        chain = model.chain.model_copy(update={"readout": self.readout, "adc": Adc()})
        model = replace(model, chain=chain)
        g_cell = to_numpy(matrix.g_cell).astype(float)
        spread, draws = cells
        if spread:
            factors = np.exp(spread * draws.standard_normal(g_cell.shape))
            low, high = float(model.cells.g_grid[0]), float(model.cells.g_grid[-1])
            g_cell = np.clip(g_cell * factors, low, high)
        return replace(matrix, tile=TileGrid.of(model.placed(g_cell), model, rng=rng), digital=None)
