"""What a stage of a read is: settings with hooks that do nothing unless the stage says otherwise.

A read passes its stages in the order of the fields of `ReadChain`. Each stage overrides the hooks it needs:

    drive      once for a tile    how lines are driven: levels, pulses, energy
    fabricate  once for a tile    what differs from tile to tile: offsets, gains, traps (drawn from ADC to row driver)
    prepare    after a write      conductance terms of each cell, and the variance of its conductance
    at_lines   each read          what the conductances of the sensed lines change in what `fabricate` gave
    each_read  each read          factor on the current of each cell
    e_sense    each sub-read      energy that depends on the sensed currents
    sense      each sub-read      sensed currents: limits, conversion
    calibrate  on request         what `fabricate` gave, after the currents of a batch

`prepare` runs when cells have been written, not at each read, and a chain in which every `sense` is `linear` reads the
phases of a signed vector and the halves of a pair as one product. To add a stage: its file, one field in
`chain.ReadChain`, its test and a line in docs/arrays.md.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np

from rramkit.array.backend import Array
from rramkit.array.rng import TileRng
from rramkit.parameters import Parameters
from rramkit.table import TableFile

State = Any
"""What one stage keeps for a tile; its own business."""


@dataclass(frozen=True)
class LineDrive:
    """How a line is driven to a voltage between 0 V and the full read voltage.

    Attributes
    ----------
    fractions : ndarray or None
        Voltage of each code over the full read voltage (levels,); None: any voltage, as requested.
    serial : bool
        One pulse of the full read voltage for each bit of the code, instead of one pulse of the code's voltage.
    accumulate : str
        How serial bits are weighted and added: by `charge`, with one conversion, or `digital`, with one a bit.
    e_line : float
        Energy of one driven line and pulse (J).
    volts : ndarray or None
        Voltage of each code in volts (levels,), in place of `fractions`.
    e_levels : tuple of ndarray or None
        Energy of each code (levels,): that of a line without cells (J), and more for each siemens of its cells (J/S).
    supplied : bool
        Whether stages count the energy of the supplies, which holds what the cells take.
    """

    fractions: np.ndarray | None = None
    serial: bool = False
    accumulate: Literal["charge", "digital"] = "charge"
    e_line: float = 0.0
    volts: np.ndarray | None = None
    e_levels: tuple[np.ndarray, np.ndarray] | None = None
    supplied: bool = False

    @property
    def levels(self) -> int:
        """Number of codes; 0: any voltage."""
        levels = self.fractions if self.volts is None else self.volts
        return 0 if levels is None else levels.size

    @property
    def bits(self) -> int:
        """Bits of a code."""
        return math.ceil(math.log2(self.levels)) if self.levels else 0

    @property
    def pulses(self) -> int:
        """Pulses of one vector."""
        return self.bits if self.serial else 1

    @property
    def sub_reads(self) -> int:
        """Sub-reads of one phase of a vector, each with a conversion of its own."""
        return self.bits if self.serial and self.accumulate == "digital" else 1


@dataclass(frozen=True)
class TileSpec:
    """Tiles as `Stage.fabricate` sees them.

    Attributes
    ----------
    g_cell : array
        Conductances (..., 2, R, C) in siemens.
    outputs : tuple of int
        Sensed outputs of a forward and of a backward read.
    i_high : tuple of float
        Largest current of an output, forward and backward (A).
    t_read : float
        Duration of a read pulse (s).
    """

    g_cell: Array
    outputs: tuple[int, int]
    i_high: tuple[float, float]
    t_read: float = 0.0

    @property
    def tiles(self) -> int:
        """Number of tiles."""
        return math.prod(self.g_cell.shape[:-3])

    @property
    def rows(self) -> int:
        """Rows of a tile."""
        return int(self.g_cell.shape[-2])

    @property
    def columns(self) -> int:
        """Physical columns of a tile."""
        return int(self.g_cell.shape[-3]) * int(self.g_cell.shape[-1])

    @property
    def paired(self) -> bool:
        """Whether columns are pairs."""
        return self.g_cell.shape[-3] == 2


@dataclass
class CellTerms:
    """Cells of tiles (T, 2, R, C) between look-up and product; `Stage.prepare` changes the arrays in place.

    Attributes
    ----------
    g_cell : array
        Conductances (T, 2, R, C) in siemens.
    terms : array
        Conductance terms behind the wires (K, T, 2, R, C).
    variance : array or None
        Variance of the conductances from read to read (T, 2, R, C), in siemens squared; None: no noise.
    g_span : float
        Highest less lowest conductance of the table (S).
    t_read : float
        Duration of a read pulse (s).
    """

    g_cell: Array
    terms: Array
    variance: Array | None
    g_span: float
    t_read: float


class Stage(Parameters):
    """Settings of one stage; at its defaults it is off, and an off stage is absent from `ReadChain.stages`.

    `groups` names the tables that `from_tables` reads, the one it needs first; `typed_over` names, for a field, those
    of a table that mean nothing once that field is set by hand to another value.
    """

    groups: ClassVar[tuple[str, ...]] = ()
    typed_over: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    @classmethod
    def from_tables(cls, tables: TableFile) -> Self | None:
        """Return the stage as a table file characterises it, at one condition; None where the file does not."""
        return None

    @property
    @abstractmethod
    def on(self) -> bool:
        """Whether the stage does anything."""

    @property
    def linear(self) -> bool:
        """Whether `sense` leaves currents as they are: then phases and halves may be added before it."""
        return True

    @property
    def random(self) -> bool:
        """Whether a read draws random numbers for this stage."""
        return False

    @property
    def per_read(self) -> bool:
        """Whether `each_read` gives factors."""
        return False

    @property
    def per_tile(self) -> bool:
        """Whether `fabricate` draws random numbers."""
        return False

    @property
    def calibrates(self) -> bool:
        """Whether a batch of currents should set the range of this stage."""
        return False

    @property
    def calibrates_backward(self) -> bool:
        """Whether a batch of backward reads should set its range too."""
        return False

    @property
    def r_column(self) -> float:
        """Series resistance at the end of each column (ohm)."""
        return 0.0

    @property
    def r_line(self) -> float:
        """Series resistance at the end of each line, driven or sensed (ohm)."""
        return 0.0

    @property
    def r_driving(self) -> float | None:
        """Output resistance of what drives a line (ohm); None: that of the wires."""
        return None

    @property
    def r_sensing(self) -> float | None:
        """Input resistance of what senses a line (ohm); None: that of the wires."""
        return None

    @property
    def changes_currents(self) -> bool:
        """Whether `sense` does anything."""
        return type(self).sense is not Stage.sense

    @property
    def needs_lines(self) -> bool:
        """Whether `at_lines` does anything."""
        return False

    @property
    def turns(self) -> int:
        """How many lines a circuit that senses serves, one after the other, each with a read of its own."""
        return 1

    @property
    def i_noise(self) -> float:
        """Standard deviation of the noise of each sub-read at the sensed output (A)."""
        return 0.0

    @property
    def e_conversion(self) -> float:
        """Energy of sensing one output once (J)."""
        return 0.0

    def conversion_time(self, sub_reads: int) -> float:
        """Return the time that sensing takes after the pulses of one phase of a vector (s)."""
        return 0.0

    def e_batch(self, tile: TileSpec, *, backward: bool) -> float:
        """Return the energy of a batch of vectors on all tiles that does not depend on their number (J)."""
        return 0.0

    def e_sense(self, i: Array, state: State, *, backward: bool, sensed: np.ndarray | None = None) -> float:
        """Return the energy (J) of sensing currents (..., N, M), beside that of `e_conversion`.

        `sensed` (...) is how many of each tile's currents are sensed, the others being 0; None: all.
        """
        return 0.0

    def at_lines(self, state: State, g_line: Array, *, backward: bool) -> State:
        """Return `state` for sensed lines of conductances (..., 1, M) in siemens."""
        return state

    def variance(self, state: State, *, backward: bool) -> Array | float:
        """Return the variance (A^2) of one sub-read's noise at each output (..., 1, M), from `at_lines`, or of all."""
        return self.i_noise**2

    def drive(self, lines: LineDrive) -> LineDrive:
        """Return how lines are driven."""
        return lines

    def fabricate(self, tile: TileSpec, *, rng: TileRng | None) -> State:
        """Return what stays fixed for each tile; `rng` is given where `per_tile` holds."""
        return None

    def prepare(self, cells: CellTerms) -> None:
        """Change the terms and the variance of cells, once after a write."""

    def each_read(self, state: State, reference: Array, *, rng: TileRng) -> Array | None:
        """Return the factor on the current of each cell (..., 2, R, C) in this read; None: one."""
        return None

    def sense(self, i: Array, state: State, *, backward: bool, two_way: bool) -> tuple[Array, int]:
        """Return currents (..., N, M) after this stage, and how many exceeded its range; `i` may be overwritten.

        `two_way` says that currents of both signs arrive: pairs subtracted before sensing.
        """
        return i, 0

    def calibrate(self, state: State, i: np.ndarray, *, backward: bool, margin: float, reference: Array) -> State:
        """Return `state` after the largest currents `i` (..., N, M) in amperes of a batch, times `margin`."""
        return state
