"""Read chain: every stage between the numbers that enter an array and those that leave it.

Each stage is one file with its own parameters, and off at its defaults. Fields are in the order in which a signal
passes them. Cell current and wires are not stages: they come from the tables `read` and `wires` (`cell_current`,
`wires`). The access transistor is part of the cell current: the table `read` is of the whole cell, one transistor and
one resistive element, at its terminals.
"""

from collections.abc import Collection, Mapping
from typing import Any, ClassVar, Literal, Self

from pydantic import PrivateAttr, model_validator

from rramkit.array.stages.adc import Adc
from rramkit.array.stages.clamp import Clamp
from rramkit.array.stages.comparator import Comparator
from rramkit.array.stages.line_switch import LineSwitch
from rramkit.array.stages.read_noise import ReadNoise
from rramkit.array.stages.readout import Readout
from rramkit.array.stages.row_driver import RowDriver
from rramkit.array.stages.sense_unit import SenseUnit
from rramkit.array.stages.stage import LineDrive, Stage
from rramkit.array.stages.telegraph import Telegraph
from rramkit.array.stages.word_line import WordLine
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity
from rramkit.table import TableFile, TablesLike, loaded

Merge = Literal["digital", "count", "majority", "analog"]
"""How the arrays that hold the rows of one matrix make one output (`rramkit.array.tile_grid`)."""


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
        "mux": "line_switch",
        "multiplexer": "line_switch",
        "converter": "adc",
        "noise": "read_noise",
    }

    unsaid: ClassVar[tuple[str, ...]] = ("comparator", "merge")

    row_driver: RowDriver = RowDriver()
    read_noise: ReadNoise = ReadNoise()
    telegraph: Telegraph = Telegraph()
    line_switch: LineSwitch = LineSwitch()
    clamp: Clamp = Clamp()
    readout: Readout = Readout()
    adc: Adc = Adc()
    comparator: Comparator = Comparator()
    word_line: WordLine = WordLine()
    subtraction: Literal["analog", "digital"] = quantity(
        "analog",
        "1",
        "whether the halves of a pair are subtracted before or after conversion; with a readout, always after",
    )
    merge: Merge = quantity(
        "digital",
        "1",
        "how arrays that share outputs are merged: partial sums added; rounded to counts and added; votes of "
        "comparators; currents joined before one converter",
    )
    _origins: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.readout.on and self.adc.of_voltage and (self.adc.spread or self.adc.shared > 1):
            raise ValueError(
                "adc behind a readout takes latch_sigma and mismatch_sigma, and serves two lines: "
                "leave out offset_sigma, gain_sigma and shared"
            )
        if self.adc.of_voltage and not self.readout.on:
            raise ValueError("adc with v_low and v_high must follow a readout: give readout.gains, or leave them out")
        if self.adc.bits == 1 and self.subtraction == "analog":
            raise ValueError("adc must have at least 2 bits where pairs are subtracted before it: one is the sign")
        if self.merge == "majority" and self.adc.on:
            raise ValueError("adc has no place with merge majority, where comparators decide: leave adc out")
        if self.merge != "majority" and self.comparator.on:
            raise ValueError("comparator is for merge majority: set merge, or leave comparator out")
        return self

    @property
    def counts(self) -> bool:
        """Whether arrays are merged by counts: the current of an input of one at a weight of one."""
        return self.merge in ("count", "majority")

    @property
    def absent(self) -> str:
        """Name of the stage that the merge leaves out: the ADC where comparators decide, or these."""
        return "adc" if self.merge == "majority" else "comparator"

    @property
    def e_converter(self) -> float:
        """Energy of converting one sensed current (J): of an ADC, or of its share of a comparator's decision."""
        return self.comparator.e_conversion if self.merge == "majority" else self.adc.energy

    @classmethod
    def from_tables(cls, tables: TablesLike, chain: Self | None = None, *, without: Collection[str] = ()) -> Self:
        """Build from what a table file characterises, at its nominal condition.

        Parameters
        ----------
        tables : TableFile, str or Path
            The file; of corners, supplies and temperatures the nominal ones are taken.
        chain : ReadChain, optional
            Settings by hand: what it sets explicitly is kept, and so are the stages that the file does not have.
        without : collection of str
            Names of stages that are left as `chain` has them, although the file characterises them.

        Returns
        -------
        ReadChain
            The chain; `origins` says what came from where.

        Raises
        ------
        TableError
            When a stage's table lacks a signal or a condition.
        InputError
            When the file's values and those by hand do not fit together, or `without` names no stage.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> ReadChain.from_tables(example(), ReadChain(adc=Adc(bits=6))).adc.bits
        6
        """
        chain, tables = chain or cls(), loaded(tables).nominal()
        stages = dict(chain._named())
        strange = sorted(set(without) - set(stages))
        if strange:
            raise InputError(f"`without` must name stages of {', '.join(stages)}; got {strange[0]!r}. Fix the name.")
        values: dict[str, Any] = chain.model_dump(exclude_unset=True)
        found = {
            name: type(stage).from_tables(tables)
            for name, stage in stages.items()
            if name not in (*without, chain.absent)
        }
        adc = found.get("adc")
        if isinstance(adc, Adc) and not _has_readout(found.get("readout"), values.get("readout", {})):
            found["adc"] = adc.of_currents()
        origins = {}
        for name, stage in found.items():
            if stage is not None:
                by_hand = values.get(name, {})
                values[name] = {**_not_replaced(stage, by_hand), **by_hand}
                origins[name] = _origin(stage, by_hand, tables)
        built = cls.checked(values, where="the read chain from tables")
        built._origins.update(origins)
        return built

    @classmethod
    def groups_of(cls, name: str) -> tuple[str, ...]:
        """Return the names of the tables that a stage reads, the one it needs first.

        Parameters
        ----------
        name : str
            Name of the stage.

        Returns
        -------
        tuple of str
            Groups of the table file; none where no table is for it.

        Examples
        --------
        >>> ReadChain.groups_of("row_driver")
        ('row_driver',)
        """
        return dict(cls()._named())[name].groups

    def origins(self) -> dict[str, str]:
        """Return where each stage's numbers come from.

        Returns
        -------
        dict of str to str
            By name of the stage `table` (with what is typed over it, and which of its tables the file lacks), `typed`,
            or `ideal: not characterised`.

        Examples
        --------
        >>> ReadChain(adc=Adc(bits=6)).origins()["adc"], ReadChain().origins()["clamp"]
        ('typed', 'ideal: not characterised')
        """
        ideal = "ideal: not characterised"
        return {
            name: self._origins.get(name, "typed" if stage.on else ideal)
            if stage.on or name not in self._origins
            else f"ideal: typed over the table ({self._origins[name]})"
            for name, stage in self._named()
            if name != self.absent
        }

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages that are on, in signal order; a readout and the ADC of its voltage are one, `SenseUnit`."""
        stages = []
        for name, stage in self._named():
            if name == "readout" and self.readout.on:
                adc = self.adc if self.adc.of_voltage else Adc()
                stages.append(SenseUnit.model_construct(readout=self.readout, adc=adc))
            elif stage.on and not (name == "adc" and self.adc.of_voltage):
                stages.append(stage)
        return tuple(stages)

    @property
    def nonlinear(self) -> bool:
        """Whether sensing is not linear: each phase, and by `halves` each half of a pair, is sensed by itself."""
        return any(not stage.linear for stage in self.stages)

    @property
    def halves(self) -> bool:
        """Whether the two halves of a pair are sensed one by one in a forward read."""
        return self.nonlinear and (self.subtraction == "digital" or self.readout.on)

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
    def calibrates_backward(self) -> bool:
        """Whether a stage's range is to be measured on a batch of backward reads too."""
        return any(stage.calibrates_backward for stage in self.stages)

    @property
    def r_column(self) -> float:
        """Series resistance at the end of each column (ohm)."""
        return sum((stage.r_column for stage in self.stages), 0.0)

    @property
    def r_line(self) -> float:
        """Series resistance at the end of every line (ohm)."""
        return sum((stage.r_line for stage in self.stages), 0.0)

    @property
    def r_driving(self) -> float | None:
        """Output resistance of what drives a line (ohm); None: that of the wires."""
        return next((stage.r_driving for stage in self.stages if stage.r_driving is not None), None)

    @property
    def r_sensing(self) -> float | None:
        """Input resistance of what senses a line (ohm); None: that of the wires."""
        return next((stage.r_sensing for stage in self.stages if stage.r_sensing is not None), None)

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
        for stage in (*self.stages, self.readout):
            lines = stage.drive(lines)
        return lines

    def _named(self) -> list[tuple[str, Stage]]:
        values = ((name, getattr(self, name)) for name in type(self).model_fields)
        return [(name, value) for name, value in values if isinstance(value, Stage)]


def _has_readout(found: Stage | None, by_hand: Mapping[str, Any]) -> bool:
    return bool(by_hand["gains"]) if "gains" in by_hand else isinstance(found, Readout) and found.on


def _not_replaced(stage: Stage, by_hand: Mapping[str, Any]) -> dict[str, Any]:
    """Return a stage's values from tables, without those that mean nothing beside what is set by hand."""
    values = stage.model_dump(exclude_unset=True)
    for name, dropped in stage.typed_over.items():
        if name in by_hand and by_hand[name] != getattr(stage, name):
            values = {field: value for field, value in values.items() if field not in dropped}
    return values


def _origin(stage: Stage, by_hand: Mapping[str, Any], tables: TableFile) -> str:
    """Return where the numbers of a stage from tables come from."""
    missing = [group for group in stage.groups if group not in tables.tables]
    parts = [f"without {', '.join(missing)}"] if missing else []
    parts += [f"typed: {', '.join(by_hand)}"] if by_hand else []
    return "table" + (f" ({'; '.join(parts)})" if parts else "")
