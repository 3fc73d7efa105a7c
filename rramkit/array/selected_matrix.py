"""A matrix whose input bits select rows, read by comparators: the mapping `sei` (`mapping.sei`) on its arrays.

`selection` has the currents: one product a read for them and one for the conductance of the open cells, whatever the
slices. With a readout (`stages.readout`) the column is held at rest and the comparator sees its output, in the gain
setting and with the constant current that `readout_setting` chooses; two neighbouring columns share a readout and its
comparator, one after the other::

    y_m = 1 where  f(i' + i_bias + v_offset g) + v_offset  >  f(i_ref + i_bias) + v_latch

    g  conductance of the open cells of the column, the mean of the batch (S)
    f, i', v_offset  as `stages.readout` has them        v_latch  offset of the comparator (V)

Offsets are those of each unit, drawn once; a reference is a voltage without an error of its own, and what makes it is
not priced. `trimmed` moves it by what test reads have shown of a column.

Energy of a read: for each open input of a part the level shifter of its gates (`stages.word_line`, a load of 2 S rows
of cells); what the ports of minus slices give, at v_rest + v; the readouts at the mean current; a decision a column
(`stages.sense_amp`), and its line switch. The ports stay on; what makes their voltages is not priced. Without a
readout it is sum |v i| t_read.

Errors go back through weights in memory (`MappedMatrix.digital`): an array whose gates follow the inputs has no
transposed read.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from rramkit.array.backend import Array, to_numpy
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping.sei import Sei, read_voltage
from rramkit.array.matrix import Product, Samples
from rramkit.array.products import product, times
from rramkit.array.read_model import ReadModel
from rramkit.array.readout_setting import ReadoutSetting
from rramkit.array.rng import Rng
from rramkit.array.selection import Selection
from rramkit.array.stages.chain import ReadChain
from rramkit.array.stages.readout import ReadoutGain
from rramkit.array.stages.sense_unit import LINES
from rramkit.array.stages.stage import Stage
from rramkit.array.tile import Tile
from rramkit.errors import InputError

_STAGES = ("read_noise", "line_switch", "readout", "word_line")
"""Stages of a read that these arrays have."""


@dataclass(frozen=True)
class SelectedMatrix(MappedMatrix):
    """A matrix (N, M) in cells whose rows are opened by bits; `SelectedMatrix.built` makes one.

    Attributes
    ----------
    model : ReadModel
        Cells, wires and stages of its arrays.
    offset, latch : ndarray or None
        Input offset of readout and comparator of each sensed column (J M,), in volts; None: none.
    reference : ndarray or None
        What an output must exceed (M,), in outputs of the matrix (1); None: not known, and sums are given.
    trim : ndarray or None
        Gain and offset (2, M), of outputs (1), that make what a column gives the exact output: they move the reference.
    test : bool
        Whether reads are test reads: sums in place of decisions, at the same gain setting.

    Examples
    --------
    >>> import numpy as np
    >>> import rramkit as rk
    >>> from rramkit.array.mapping import Sei
    >>> model = rk.ArrayModel(rk.example(), wires=False)
    >>> mapping = Sei.from_tables(rk.example(), Sei(bits=2, slices=2))
    >>> cells = mapping.targets(np.array([[1.0, -1.0], [1.0, 1.0]]))
    >>> matrix = SelectedMatrix.built(cells, mapping, model).compared(np.array([1.5, -0.5]))
    >>> matrix.forward(np.array([[1.0, 1.0], [1.0, 0.0]])).y > matrix.reference
    array([[ True,  True],
           [False, False]])
    """

    model: ReadModel = None  # pyright: ignore[reportAssignmentType]  (a field after those with defaults)
    offset: np.ndarray | None = None
    latch: np.ndarray | None = None
    reference: np.ndarray | None = None
    trim: np.ndarray | None = None
    test: bool = False

    @classmethod
    def built(
        cls,
        g_cell: Array,
        mapping: Sei,
        model: ReadModel,
        *,
        digital: np.ndarray | None = None,
        rng: Rng | np.random.Generator | None = None,
    ) -> Self:
        """Build from the conductances of cells.

        Parameters
        ----------
        g_cell : ndarray
            Conductances (2, N, M S) in siemens, S slices of each of M outputs.
        mapping : Sei
            How weights lie in them, and the comparator.
        model : ReadModel
            How these arrays are read.
        digital : ndarray, optional
            The same weights (N, M) in memory, in weights (1), through which errors go back; left out, none do.
        rng : Generator, optional
            Draws the offsets of readouts and comparators; needed where they have any.

        Returns
        -------
        SelectedMatrix
            Without references: its reads give sums.

        Raises
        ------
        InputError
            When the read chain has a stage that these arrays lack, an input needs more rows than an array has, or
            `rng` is missing.

        Examples
        --------
        >>> import rramkit as rk
        >>> from rramkit.array.mapping import Sei
        >>> mapping = Sei.from_tables(rk.example(), Sei(bits=2, slices=2))
        >>> cells = mapping.targets(np.array([[1.0, -1.0], [1.0, 1.0]]))
        >>> SelectedMatrix.built(cells, mapping, rk.ArrayModel(rk.example(), wires=False)).outputs
        2
        """
        _check(model, mapping)
        bare = replace(model, wires=None, chain=ReadChain())  # a container: its own reads are those of other mappings
        matrix = cls(Tile.of(g_cell, bare), mapping, None, digital, model=model)
        across, down, _, columns = matrix.cut
        lines = model.wires
        if lines is not None:
            lines.check(*matrix.tiling[1:])
        sigmas = (model.chain.readout.offset_sigma, mapping.sense_amp.offset_sigma)
        if not model.chain.readout.on or not any(sigmas):
            return matrix
        if not isinstance(rng, np.random.Generator):
            raise InputError("`rng` must be a Generator: readouts and comparators have offsets; got none. Pass one.")
        parts = down if mapping.merge == "vote" else 1
        drawn = rng.standard_normal((2, parts, -(-across * columns // LINES))).repeat(LINES, axis=-1)
        of_units = drawn[..., : matrix.outputs].reshape(2, -1)
        return replace(
            matrix, offset=model.chain.readout.offset_mean + sigmas[0] * of_units[0], latch=sigmas[1] * of_units[1]
        )

    @property
    def sei(self) -> Sei:
        """The mapping."""
        assert isinstance(self.mapping, Sei)
        return self.mapping

    @property
    def outputs(self) -> int:
        """Outputs M."""
        return int(self.g_cell.shape[-1]) // self.sei.slices

    @property
    def cut(self) -> tuple[int, int, int, int]:
        """Arrays across and down, and inputs and columns of each."""
        return self.sei.cut(int(self.g_cell.shape[-2]), self.outputs, self.model.largest_array)

    @property
    def tiling(self) -> tuple[int, int, int]:
        """Number of arrays, and rows and columns of each."""
        across, down, inputs, columns = self.cut
        return across * down, inputs * self.sei.rows_per_input, columns

    @property
    def decides(self) -> bool:
        """Whether reads are decisions."""
        return self.reference is not None and not self.test

    @property
    def chain(self) -> ReadChain:
        """Stages of a read."""
        return self.model.chain

    def compared(self, reference: np.ndarray | None) -> Self:
        """Return this matrix with other references.

        Parameters
        ----------
        reference : ndarray or None
            What an output must exceed to be one (M,), in outputs of the matrix (1); None: sums are given.

        Returns
        -------
        SelectedMatrix
            Itself where the references are the same.

        Examples
        --------
        >>> import rramkit as rk
        >>> from rramkit.array.mapping import Sei
        >>> mapping, model = Sei.from_tables(rk.example(), Sei(bits=2)), rk.ArrayModel(rk.example(), wires=False)
        >>> matrix = SelectedMatrix.built(mapping.targets(np.array([[1.0, -1.0]])), mapping, model)
        >>> matrix.compared(np.array([0.5, -1.5])).forward(np.array([[1.0]])).y > [0.5, -1.5]
        array([[ True,  True]])
        """
        same = reference is not None and self.reference is not None and np.array_equal(reference, self.reference)
        return self if same else self._with(reference=reference)

    def tested(self) -> Self:
        """Return this matrix for test reads, which give sums."""
        return self._with(test=True)

    def trimmed(self, gain: np.ndarray, offset: np.ndarray) -> Self:
        """Return this matrix with references moved, after test reads.

        Parameters
        ----------
        gain, offset : ndarray
            Factor (M,) (1) and addition (M,), in outputs (1), that make what a column gives the exact output.

        Returns
        -------
        SelectedMatrix
            For reads in use, no longer for test reads.

        Examples
        --------
        >>> import rramkit as rk
        >>> from rramkit.array.mapping import Sei
        >>> mapping, model = Sei.from_tables(rk.example(), Sei(bits=2)), rk.ArrayModel(rk.example(), wires=False)
        >>> matrix = SelectedMatrix.built(mapping.targets(np.array([[1.0, -1.0]])), mapping, model)
        >>> matrix.trimmed(np.array([1.02, 0.99]), np.array([0.0, 0.1])).trim
        array([[1.02, 0.99],
               [0.  , 0.1 ]])
        """
        return self._with(trim=np.stack([gain, offset]), test=False)

    def _with(self, **changes: object) -> Self:
        """Return this matrix with other references: what its rows give stays."""
        new = replace(self, **changes)
        if "selection" in vars(self):
            vars(new)["selection"] = self.selection
        return new

    @cached_property
    def selection(self) -> Selection:
        """What open rows give, computed by the first read. Not a field: a run file holds what it is made of."""
        return Selection.of(self.sei._as_digits(to_numpy(self.g_cell).astype(float)), self.sei, self.model)

    def forward(self, x: Samples | Array, *, rng: Rng | np.random.Generator | None = None) -> Product:
        """Return outputs (B, M), one above or below the reference, of bits `x` (B, N); without it the sums themselves.

        Raises
        ------
        InputError
            When an input is neither 0 nor 1, or the cells are noisy and `rng` is missing.
        """
        x = self._samples(x)
        bits = to_numpy(x.values)
        if not np.all((bits == 0.0) | (bits == 1.0)):
            raise InputError(
                f"inputs of a matrix in the mapping `sei` must be bits, 0 or 1: they open rows; got "
                f"{float(bits.min()):g} to {float(bits.max()):g}. Put a `step` layer before, or take another mapping."
            )
        rows, bits = self.selection, bits.astype(self.model.precision, copy=False)
        i = rows.summed(x.layout, bits)
        opened, vectors = np.asarray(x.layout.sums(bits), dtype=float), i.shape[0]
        g_line = (opened / vectors) @ rows.linear.astype(float)
        setting = self._setting()
        i = self._with_noise(i, x, bits, g_line, setting, rng)
        if setting is not None:
            i = i * self._factor(g_line, setting) + self._shift(g_line, setting.gain)
        y = i / self.sei.i_unit(read_voltage(self.model.cells))
        beyond = 0
        if self.decides:
            y, beyond = self._decided(y, x, bits, setting)
        elif self.sei.merge == "vote":
            y = y.reshape(vectors, -1, self.outputs).sum(axis=1)
        return self._priced(y.astype(bits.dtype, copy=False), i, opened, setting, beyond * vectors)

    def backward(self, error: Array, *, rng: Rng | None = None) -> Product:
        """Return e W^T for errors (B, M) through the weights in memory: (B, N).

        Raises
        ------
        InputError
            When there are no weights in memory.
        """
        if self.digital is None:
            raise InputError(
                "the mapping `sei` must have weights in memory to train, its arrays have no transposed read; "
                'got none. Set `rule.kind = "threshold"`, or train with another mapping and write the weights: '
                "`rramkit evaluate --weights`."
            )
        return Product(times(error, self.digital.T))

    def calibrated(self, x: Samples, errors: Array | None = None, *, margin: float) -> Self:
        """Return this matrix: its references set the gain settings."""
        return self

    def decisions(self, y: np.ndarray) -> np.ndarray:
        """Return sums (B, M) as `forward` gives them without a reference, compared with the reference."""
        return self._outputs(y > self._in_sums())

    def _in_sums(self) -> np.ndarray:
        """Return the reference (M,) as a column's own sum: moved by the trim."""
        assert self.reference is not None
        return self.reference if self.trim is None else (self.reference - self.trim[1]) / self.trim[0]

    def _outputs(self, above: np.ndarray) -> np.ndarray:
        """Return one above the reference, or one below: the bit survives scale, bias and rounding."""
        assert self.reference is not None
        return self.reference + np.where(above, 1.0, -1.0)

    def _decided(
        self, y: np.ndarray, x: Samples, bits: np.ndarray, setting: ReadoutSetting | None
    ) -> tuple[np.ndarray, int]:
        """Return outputs (B, M) of sums (B, J M), and the number of columns whose reference is beyond the readout."""
        reference, sei = self._in_sums(), self.sei
        parts = y.shape[-1] // self.outputs
        beyond = 0 if setting is None else setting.beyond
        if parts == 1:
            return self._outputs(y > reference), beyond * parts
        share: np.ndarray | float = 1.0 / parts
        if sei.move:
            of_parts = (self.selection.part[:, None] == np.arange(parts)).astype(bits.dtype)
            opened = product(x.layout, (bits,), (of_parts,))
            share = (opened / np.maximum(opened.sum(axis=-1, keepdims=True), 1.0))[..., None]
        votes = (y.reshape(y.shape[0], parts, self.outputs) > share * reference).sum(axis=1)
        return self._outputs(2 * votes > parts), beyond * parts

    def _i_ref(self) -> np.ndarray:
        """Return the reference current of each column (M,), of a part its equal share (A)."""
        parts = self.cut[1] if self.sei.merge == "vote" else 1
        return self._in_sums() * (self.sei.i_unit(read_voltage(self.model.cells)) / parts)

    def _setting(self) -> ReadoutSetting | None:
        """Return how the readouts are set; None: there are none."""
        readout = self.model.chain.readout
        if not readout.on:
            return None
        return ReadoutSetting.of(readout, self.sei.sense_amp, None if self.reference is None else self._i_ref())

    def _factor(self, g_line: np.ndarray, setting: ReadoutSetting) -> np.ndarray:
        """Return i' / i (J M,): what the input resistance of the gain setting changes."""
        readout = self.model.chain.readout
        r_in = readout.input_resistance(setting.number, g_line)
        return (1.0 + (readout.r_sensing or 0.0) * g_line) / (1.0 + r_in * g_line)

    def _shift(self, g_line: np.ndarray, gain: ReadoutGain) -> np.ndarray:
        """Return what the offsets of readout and comparator add to a current (J M,) in amperes."""
        if self.offset is None or self.latch is None:
            return np.zeros_like(g_line)
        return self.offset * (g_line + 1.0 / gain.r_feedback) - self.latch / gain.r_feedback

    def _with_noise(
        self,
        i: np.ndarray,
        x: Samples,
        bits: np.ndarray,
        g_line: np.ndarray,
        setting: ReadoutSetting | None,
        rng: Rng | np.random.Generator | None,
    ) -> np.ndarray:
        """Return currents (B, J M) with the noise of cells and readouts."""
        readout, own = self.model.chain.readout, np.zeros(())
        if setting is not None:
            own = setting.gain.noise(g_line) ** 2 if readout.noise is None else np.full_like(g_line, readout.noise**2)
        if self.selection.variance is None and not np.any(own):
            return i
        if not isinstance(rng, np.random.Generator):
            raise InputError("`rng` must be a Generator: this read chain is noisy; got none. Pass one.")
        if self.selection.variance is not None:
            own = own + product(x.layout, (bits,), (self.selection.variance,))
        return i + np.sqrt(own).astype(i.dtype) * rng.standard_normal(i.shape, dtype=i.dtype)

    def _priced(
        self, y: np.ndarray, i: np.ndarray, opened: np.ndarray, setting: ReadoutSetting | None, beyond: int
    ) -> Product:
        """Return the product with energy and time of its reads."""
        chain, amp, (across, down, _, columns) = self.model.chain, self.sei.sense_amp, self.cut
        turns = 1 if setting is None else LINES
        compared = self.decides
        gates = chain.word_line.e_line(self.sei.rows_per_input * columns) if chain.word_line.on else 0.0
        e_gates = gates * across * float(opened.sum())
        e_ports = turns * self.model.t_read * float(opened @ self.selection.power)
        e_readouts = 0.0 if setting is None else self._e_readouts(i, setting)
        lines = i.size * (down if self.sei.merge == "current" else 1) + self.tiling[1] * across * down
        e_decisions = amp.energy * i.size if compared else 0.0
        energy = e_gates + e_ports + e_readouts + chain.line_switch.energy * lines + e_decisions
        seconds = y.shape[0] * turns * (self.model.t_read + (amp.t_decide if compared else 0.0))
        return Product(y, energy, beyond, seconds, i.size, beyond, e_ports, e_readouts, float(i.size))

    def _e_readouts(self, i: np.ndarray, setting: ReadoutSetting) -> float:
        """Return the energy (J) of readouts at the mean currents of columns, and of the columns that wait."""
        readout = self.model.chain.readout
        if not readout.supplied:
            return 0.0
        mean = i.mean(axis=0, dtype=float) + setting.i_bias
        waits = (LINES - 1) * readout.v_rest * self.model.t_read * np.maximum(mean, 0.0)
        return float((setting.gain.read_energy(mean) + waits).sum()) * i.shape[0]


def _check(model: ReadModel, mapping: Sei) -> None:
    """Refuse stages that these arrays do not have, and arrays too small for one input."""
    chain = model.chain
    stages = {name: getattr(chain, name) for name in ReadChain.model_fields if name not in _STAGES}
    on = [name for name, stage in stages.items() if isinstance(stage, Stage) and stage.on]
    if chain.subtraction != "analog":
        raise InputError(
            "`read.subtraction` must be left out with the mapping `sei`: slices and signs add up in one column; got "
            f"{chain.subtraction}. Remove it."
        )
    if chain.merge != "digital":
        raise InputError(
            f"`read.merge` must be left out with the mapping `sei`, whose own `merge` says how arrays are joined; got "
            f"{chain.merge}. Remove it."
        )
    if on:
        raise InputError(
            f"arrays of the mapping `sei` must have no stage `{on[0]}`: inputs open rows, comparators sense columns. "
            f"Switch it off: `off = {_listed(on)}` of the chip or of the layer."
        )
    if model.backend != "numpy":
        raise InputError(
            f'`mapping.backend` must be "numpy" with the mapping `sei`; got {model.backend!r}. Leave it out.'
        )
    rows = model.largest_array[0]
    if rows < mapping.rows_per_input:
        raise InputError(
            f"`mapping.rows` must be at least {mapping.rows_per_input}, the rows of one input with {mapping.slices} "
            f"slices; got {rows}. Raise it, or take fewer slices."
        )


def _listed(names: Sequence[str]) -> str:
    return "[" + ", ".join(f'"{name}"' for name in names) + "]"
