"""Read chain: every stage between the numbers that enter an array and those that leave it.

Each stage is one file with its own parameters, and off at its defaults. Fields are in the order in which a signal
passes them. Cell current and wires are not stages: they come from the tables `read` and `wires` (`cell_current`,
`wires`). The access transistor is part of the cell current: the table `read` is of the whole cell, one transistor and
one resistive element, at its terminals.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import model_validator

from rramkit.array.stages.adc import Adc
from rramkit.array.stages.clamp import Clamp
from rramkit.array.stages.multiplexer import Multiplexer
from rramkit.array.stages.read_noise import ReadNoise
from rramkit.array.stages.row_driver import RowDriver
from rramkit.array.stages.stage import LineDrive, Stage
from rramkit.array.stages.telegraph import Telegraph
from rramkit.parameters import Parameters, quantity
from rramkit.table import TablesLike, loaded


class ReadChain(Parameters):
    """The stages of a read; by default all are off.

    Examples
    --------
    >>> chain = ReadChain.checked({"adc": {"bits": 8}, "row_driver": {"levels": 256}}, where="example")
    >>> [type(stage).__name__ for stage in chain.stages]
    ['RowDriver', 'Adc']
    """

    old_names: ClassVar[Mapping[str, str]] = {
        "dac": "row_driver",
        "mux": "multiplexer",
        "converter": "adc",
        "noise": "read_noise",
    }

    row_driver: RowDriver = RowDriver()
    read_noise: ReadNoise = ReadNoise()
    telegraph: Telegraph = Telegraph()
    multiplexer: Multiplexer = Multiplexer()
    clamp: Clamp = Clamp()
    adc: Adc = Adc()
    subtraction: Literal["analog", "digital"] = quantity(
        "analog", "1", "whether the halves of a pair are subtracted before or after conversion"
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.adc.bits == 1 and self.subtraction == "analog":
            raise ValueError("adc must have at least 2 bits where pairs are subtracted before it: one is the sign")
        return self

    @classmethod
    def from_tables(cls, tables: TablesLike, chain: Self | None = None) -> Self:
        """Build from what a table file characterises, at its nominal condition.

        Parameters
        ----------
        tables : TableFile, str or Path
            The file; of corners, supplies and temperatures the nominal ones are taken.
        chain : ReadChain, optional
            Settings by hand: what it sets explicitly is kept, and so are the stages that the file does not have.

        Returns
        -------
        ReadChain
            The chain.

        Raises
        ------
        TableError
            When a stage's table lacks a signal or a condition.
        InputError
            When the file's values and those by hand do not fit together.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> ReadChain.from_tables(example(), ReadChain(adc=Adc(bits=6))).adc.bits
        6
        """
        chain, tables = chain or cls(), loaded(tables).nominal()
        values: dict[str, Any] = chain.model_dump(exclude_unset=True)
        for name, stage in chain._named():
            characterized = type(stage).from_tables(tables)
            if characterized is not None:
                values[name] = {**characterized.model_dump(exclude_unset=True), **values.get(name, {})}
        return cls.checked(values, where="the read chain from tables")

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that are on, in signal order."""
        return tuple(stage for _, stage in self._named() if stage.on)

    @property
    def nonlinear(self) -> bool:
        """Whether sensing is not linear: each phase, and by `halves` each half of a pair, is sensed by itself."""
        return any(not stage.linear for stage in self.stages)

    @property
    def halves(self) -> bool:
        """Whether the two halves of a pair are sensed one by one in a forward read."""
        return self.nonlinear and self.subtraction == "digital"

    @property
    def random(self) -> bool:
        """Whether a read draws random numbers."""
        return any(stage.random for stage in self.stages)

    @property
    def per_tile(self) -> bool:
        """Whether building a tile draws random numbers."""
        return any(stage.per_tile for stage in self.stages)

    @property
    def calibrates(self) -> bool:
        """Whether a stage's range is to be measured on a batch (`Tile.calibrated`)."""
        return any(stage.calibrates for stage in self.stages)

    @property
    def r_column(self) -> float:
        """Series resistance at the end of each column (ohm)."""
        return sum((stage.r_column for stage in self.stages), 0.0)

    def drive(self) -> LineDrive:
        """Return how lines are driven.

        Returns
        -------
        LineDrive
            Levels, pulses and energy of the row drivers, as the stages set them.

        Examples
        --------
        >>> ReadChain().drive() == LineDrive()
        True
        """
        lines = LineDrive()
        for stage in self.stages:
            lines = stage.drive(lines)
        return lines

    def _named(self) -> list[tuple[str, Stage]]:
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return [(name, value) for name, value in values if isinstance(value, Stage)]
