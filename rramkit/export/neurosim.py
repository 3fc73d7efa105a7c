"""The two CSV files of DNN+NeuroSim V1.5 (arXiv 2505.02314): states of a cell, and statistics of an output.

`--mem_states_file`: a row for each of the 2^b states of a cell of b bits (`--bitcell`), lowest first::

    states,mean,std        number, conductance and its standard deviation from cell to cell (S)

Here the states divide the conductance window evenly, and mean and deviation are those of cells that the kit's
write-verify loop has brought there with everything that the file characterises: drivers, droop, scatter, verify reads.

`--output_noise_file` (with `--output_noise -1`): a row for each output 0 to 2^B of a converter of B bits
(`--adc_precision`)::

    output,mean,std        ideal output, and mean and standard deviation of the real one (codes)

Here the input stands in the middle of a code of an ideal converter; transitions are the table's, which scatter by
mismatch from unit to unit, and the noise is that of converter and readout. Outputs count from the unit's own code at no
input, as the kit uses them, so that offsets are not in it. Cells are not either: NeuroSim takes one file or the other.
"""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from rramkit.array.stages.adc import Adc
from rramkit.array.write.update import UpdateParams
from rramkit.array.write.write_verify import VerifyParams, WriteVerify
from rramkit.errors import InputError, scipy_for
from rramkit.table import TableFile
from rramkit.table.schema import READOUT_NOISE

CELLS = 256
"""Cells that are written to each state: their deviation is known to 4 %."""

_BITS_MOST = 8


@dataclass(frozen=True)
class MemoryStates:
    """Conductances of the states of a cell (L,), lowest first.

    Attributes
    ----------
    mean, std : ndarray
        Mean and standard deviation from cell to cell (S).
    missed : int
        Cells, of all that were written, that write-verify gave up.
    """

    mean: np.ndarray
    std: np.ndarray
    missed: int = 0

    @property
    def text(self) -> str:
        """The CSV file."""
        return _csv(("states", "mean", "std"), zip(range(self.mean.size), self.mean, self.std, strict=True))


@dataclass(frozen=True)
class OutputNoise:
    """Outputs of a converter (2^b + 1,) for the ideal outputs 0 to 2^b.

    Attributes
    ----------
    mean, std : ndarray
        Mean and standard deviation over units and conversions (1).
    """

    mean: np.ndarray
    std: np.ndarray

    @property
    def text(self) -> str:
        """The CSV file."""
        return _csv(("output", "mean", "std"), zip(range(self.mean.size), self.mean, self.std, strict=True))


def memory_states(tables: TableFile, *, bits: int = 4, cells: int = CELLS, seed: int = 0) -> MemoryStates:
    """Return the states of a cell of some bits, as write-verify leaves them.

    Parameters
    ----------
    tables : TableFile
        Tables `read`, `set`, `reset` and those of the write path; with corners, at the nominal one.
    bits : int
        Bits of a cell, 1 to 8.
    cells : int
        Cells that are written to each state.
    seed : int
        Of devices, pulses and reads.

    Raises
    ------
    InputError
        When `bits` or `cells` is out of bounds, or the tables cannot be written with.
    TableError
        When the file lacks a table.

    Examples
    --------
    >>> from rramkit.table.example import example
    >>> memory_states(example(), bits=1, cells=8).mean.shape
    (2,)
    """
    if not 1 <= bits <= _BITS_MOST:
        raise InputError(f"`bits` must be 1 to {_BITS_MOST}; got {bits}. Pass the bits of one cell.")
    if cells < 2:
        raise InputError(f"`cells` must be 2 or more, for a deviation; got {cells}. Pass more.")
    update = UpdateParams.from_tables(tables)
    loop = WriteVerify.from_tables(tables, VerifyParams.from_tables(tables, VerifyParams(start="table")), update)
    low, high = loop.chain.writer.g_range
    levels, rng = np.linspace(low, high, 2**bits), np.random.default_rng(seed)
    target = np.broadcast_to(levels.reshape(2, 1, -1), (2, cells, levels.size // 2)).copy()
    fresh = loop.chain.init(np.full(target.shape, low), rng=rng)
    done = loop.program(fresh, target, rng=rng)
    g_cell = np.moveaxis(done.cells.g_cell, 1, 0).reshape(cells, levels.size)
    missed = int(np.count_nonzero(np.abs(done.error) > loop.tolerance(done.target)))
    return MemoryStates(np.mean(g_cell, axis=0), np.std(g_cell, axis=0, ddof=1), missed)


def output_noise(tables: TableFile) -> OutputNoise | None:
    """Return the outputs of the file's converter; None where it has none behind a readout.

    Parameters
    ----------
    tables : TableFile
        Tables `adc_levels`, `adc_mismatch`, `adc_noise` and `readout_noise`, as far as it has them.

    Examples
    --------
    >>> from rramkit.table.example import example
    >>> output_noise(example()) is None  # cells and wires alone
    True
    """
    tables = tables.nominal()
    adc = Adc.from_tables(tables)
    if adc is None or not adc.of_voltage:
        return None
    assert adc.v_low is not None
    with scipy_for("an export of output noise"):
        from scipy.special import ndtr

    transitions, number = adc.transitions(), np.arange(1, 2**adc.bits)
    v_in = adc.v_low + (np.arange(2**adc.bits) + 0.5) * adc.v_lsb
    mismatch = np.interp(number, adc.mismatch_codes, adc.mismatch_sigma) if adc.mismatch_codes else 0.0
    sigma = np.sqrt(mismatch**2 + adc.v_noise**2 + _readout_noise(tables) ** 2)
    least = np.finfo(float).tiny  # of a deviation: 0 is a step
    reached = ndtr((v_in[:, None] - transitions) / np.maximum(sigma, least))  # probability of code k or more
    mean, square = np.sum(reached, axis=1), np.sum((2 * number - 1) * reached, axis=1)
    std = np.sqrt(np.maximum(square - mean**2, 0.0))
    mean = mean - mean[0]
    return OutputNoise(np.append(mean, mean[-1]), np.append(std, std[-1]))  # beyond the range: the last code


def _readout_noise(tables: TableFile) -> float:
    """Return the noise of the readout at the converter's input (V): mean over its gain settings and lines."""
    readout = tables.tables.get(READOUT_NOISE.group)
    if readout is None:
        return 0.0
    current = np.asarray(readout.signal(READOUT_NOISE.i_noise).values, dtype=float)
    if READOUT_NOISE.r_feedback not in readout.axes:
        return 0.0
    place = list(readout.axes).index(READOUT_NOISE.r_feedback)
    ohm = np.asarray(readout.axes[READOUT_NOISE.r_feedback].values, dtype=float)
    return float(np.mean(np.moveaxis(current, place, -1) * ohm))


def _csv(header: Sequence[str], rows: Iterable[tuple[int, float, float]]) -> str:
    """Return rows as CSV; numbers to nine digits, more than the single precision that they are read with."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    for number, *values in rows:
        writer.writerow([number, *(f"{value:.9g}" for value in values)])
    return text.getvalue()
