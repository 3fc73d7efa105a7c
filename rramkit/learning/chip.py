"""The chip that a training runs on: every stage of reads and writes that its table file characterises, less those off.

    typed    in the file    the stage is
    no       no             ideal: "ideal: not characterised"
    yes      no             as typed
    no       yes            the table's
    yes      yes            an error, unless `override`: the table's, with the typed numbers in place of its own

A stage that is named in `off` is ideal, whatever the file has. A setting is typed where it differs from its default.
`ReadChain.from_tables` and `UpdateParams.from_tables` know the stages; this module names none of them but the wires,
which an array model has or has not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Generic, Self, TypeVar

from rramkit.array.read_model import Precision
from rramkit.array.stages.chain import ReadChain
from rramkit.array.write.update import UpdateParams
from rramkit.array.write.write_verify import VerifyParams
from rramkit.errors import InputError, meant
from rramkit.learning.condition import Condition, OperatingTables
from rramkit.learning.mapping_settings import MappingSettings
from rramkit.learning.optimisers import Optimiser
from rramkit.learning.rules import BoundRule, RramRule, UpdateRule
from rramkit.parameters import Parameters, quantity
from rramkit.record.network import StoredNetwork
from rramkit.record.sources import Part, StageSource
from rramkit.table import TableFile
from rramkit.table.schema import READ, RESET, SET, WIRES

CELLS = (READ.group, SET.group, RESET.group, WIRES.group)
"""Tables of cell and lines: what `ideal_periphery` leaves."""

SENSE = "sense"
"""Name of the stage that reads cells in order to write them: `rule.verify`."""

_TYPED_SENSE = ("sigma_read", "e_sense")

NOT_CHARACTERISED = "ideal: not characterised"
OFF = "off"

Record = TypeVar("Record", ReadChain, UpdateParams)
Settings = TypeVar("Settings", bound=Parameters)


class ChipSettings(Parameters):
    """Which of the file's stages are on, and the operating point at which arrays are read and written."""

    off: tuple[str, ...] = quantity((), "1", "stages that are ideal although the file has them, by name")
    ideal_periphery: bool = quantity(False, "1", "take cells and wires alone from the file")
    override: bool = quantity(False, "1", "whether a typed number may take the place of a table's")
    corner: str | None = quantity(None, "1", "process corner, a label of the tables; left out: tt, or the first")
    temperature: float | None = quantity(None, "K", "temperature; left out: 300.15 K", gt=0.0, le=1000.0)
    supply: float | None = quantity(None, "1", "supplies over the nominal ones; left out: 1", gt=0.0, le=10.0)
    write_corner: str | None = quantity(None, "1", "corner of all writes; left out: as of reads")
    write_temperature: float | None = quantity(None, "K", "temperature of all writes; left out: as of reads", gt=0.0)
    write_supply: float | None = quantity(None, "1", "supply of all writes; left out: as of reads", gt=0.0)

    @property
    def condition(self) -> Condition:
        """The operating point of reads."""
        return Condition(self.corner, self.temperature, self.supply)

    @property
    def write_condition(self) -> Condition:
        """The operating point of writes."""
        return Condition(self.write_corner, self.write_temperature, self.write_supply).over(self.condition)

    def tables(self, file: TableFile) -> OperatingTables:
        """Return the tables of a file where they are read and where they are written.

        Raises
        ------
        TableError
            When a value is set that no table of the file has an axis for, or that none reaches.
        """
        return OperatingTables.of(file, self.condition, self.write_condition)


@dataclass(frozen=True)
class Chip:
    """What a table file makes of the stages of an experiment.

    Attributes
    ----------
    tables : OperatingTables
        The tables, where arrays are read and where they are written.
    chain : ReadChain
        Stages of a read.
    update : UpdateParams
        Stages of a write.
    verify : VerifyParams
        How cells are read to be written.
    wires : bool
        Whether lines have resistance.
    sources : tuple of StageSource
        Where each stage's numbers come from, reads first, each in signal order.
    """

    tables: OperatingTables
    chain: ReadChain
    update: UpdateParams
    verify: VerifyParams
    wires: bool
    sources: tuple[StageSource, ...] = ()

    @classmethod
    def of(
        cls,
        tables: OperatingTables,
        settings: ChipSettings,
        *,
        chain: ReadChain | None = None,
        update: UpdateParams | None = None,
        verify: VerifyParams | None = None,
        wires: bool = True,
    ) -> Self:
        """Return the chip of a file's tables, with the stages that were typed.

        Raises
        ------
        InputError
            When `off` names no stage, or one that was typed; when a typed number is a table's without `override`.
        TableError
            When a stage's table lacks a signal or a condition.
        """
        read, write = (_of_cells(each) if settings.ideal_periphery else each for each in (tables.read, tables.write))
        typed_chain, typed_update = _numbers_typed(chain or ReadChain()), _numbers_typed(update or UpdateParams())
        reads = Stages(
            "mapping.read", ReadChain(), typed_chain, ReadChain.from_tables(read, ReadChain(merge=typed_chain.merge))
        )
        writes = Stages("rule.update", UpdateParams(), typed_update, UpdateParams.from_tables(write))
        wired = wires and WIRES.group not in settings.off
        _check_names(settings.off, (WIRES.group, *reads.names, *writes.names, SENSE))
        own_verify, of_verify = _verify(write, verify or VerifyParams(), settings)
        of_reads, of_writes = reads.sources(settings), writes.sources(settings)
        sources = (
            _source("read", "cell current", "table", (READ.group,), tables),
            _source("write", "pulses", "table", (SET.group, RESET.group), tables),
            _source("read", WIRES.group, "table" if wired else OFF, (WIRES.group,), tables),
            *(_source("read", name, source, reads.groups(name), tables) for name, source in of_reads.items()),
            *(_source("write", name, source, writes.groups(name), tables) for name, source in of_writes.items()),
            _source("write", SENSE, of_verify, (*reads.groups("readout"), *reads.groups("adc")), tables),
        )
        whole = ReadChain.from_tables(read, typed_chain, without=reads.left_out(settings.off))
        changed = UpdateParams.from_tables(write, typed_update, off=writes.left_out(settings.off))
        return cls(tables, whole, changed, own_verify, wired, sources)


def chip_of(tables: OperatingTables, settings: ChipSettings, *, mapping: MappingSettings, rule: UpdateRule) -> Chip:
    """Return the chip of tables with the stages that mapping and rule have typed; see `Chip.of`."""
    update, verify = (rule.update, rule.verify) if isinstance(rule, RramRule) else (None, None)
    chip = Chip.of(tables, settings, chain=mapping.read, update=update, verify=verify, wires=mapping.wires)
    return replace(chip, sources=(*chip.sources, *_sources_of_mappings(mapping, tables)))


def _sources_of_mappings(mapping: MappingSettings, tables: OperatingTables) -> tuple[StageSource, ...]:
    """Return the tables that weight mappings read themselves, of all layers and of single ones."""
    of_layers = [layer.weights for layer in mapping.layers.values() if layer.weights is not None]
    groups = dict.fromkeys(each.groups for each in (mapping.weights, *of_layers) if each.groups)
    return tuple(_source("read", each[0], "table", each, tables) for each in groups)


def rule_on(
    chip: Chip, *, rule: UpdateRule, mapping: MappingSettings, optimiser: Optimiser, precision: Precision
) -> BoundRule:
    """Return an update rule on a chip: read as at its operating point of reads, written as at that of writes.

    Raises
    ------
    InputError
        When the rule cannot write the mapping, or single layers have settings of their own: `rule_on_network`.
    """
    if mapping.layers:
        raise InputError(
            f"`mapping.layers` must be left out where all layers are taken alike; it has {', '.join(mapping.layers)}. "
            "Remove it."
        )
    model = mapping.model(chip.tables.read, precision, chain=chip.chain, wires=chip.wires)
    if isinstance(rule, RramRule):
        rule = rule.model_copy(update={"update": chip.update, "verify": chip.verify})
    return rule.bind(chip.tables.write, model, optimiser, mapping.weights.sensed_by(chip.tables.read))


@dataclass(frozen=True)
class Stages(Generic[Record]):
    """The stages of one record: as they are without anything, as they were typed, and as the tables have them.

    Attributes
    ----------
    where : str
        The record in the settings.
    plain, typed, table : ReadChain or UpdateParams
        The three.
    """

    where: str
    plain: Record
    typed: Record
    table: Record

    @property
    def names(self) -> list[str]:
        """Names of the stages."""
        return list(self.table.origins())

    def left_out(self, off: Sequence[str]) -> tuple[str, ...]:
        """Return the names in `off` of stages that the tables have."""
        return tuple(name for name in self.names if name in off and self._in_tables(name))

    def groups(self, name: str) -> tuple[str, ...]:
        """Return the names of the tables that a stage reads."""
        return self.table.groups_of(name)

    def sources(self, settings: ChipSettings) -> dict[str, str]:
        """Return where the numbers of each stage come from, by its name.

        Raises
        ------
        InputError
            When a stage is typed and off, or a typed number is a table's without `override`.
        """
        return {name: self._source(name, settings) for name in self.names}

    def _in_tables(self, name: str) -> bool:
        return self.table.origins()[name].startswith("table")

    def _source(self, name: str, settings: ChipSettings) -> str:
        typed, table, plain = (getattr(record, name) for record in (self.typed, self.table, self.plain))
        is_typed = typed != plain
        if typed is False:
            return OFF
        if name in settings.off:
            if is_typed:
                raise InputError(f"`chip.off` has `{name}`, which `{self.where}.{name}` sets. Remove one of the two.")
            return OFF
        if not self._in_tables(name):
            return "typed" if is_typed else NOT_CHARACTERISED
        if not is_typed:
            return "table"
        both = [field for field in _set(typed) if plain is None or field in _set(table)]
        if (both or plain is None) and not settings.override:
            keys = ", ".join(f"{self.where}.{name}.{field}" for field in both) or f"{self.where}.{name}"
            raise InputError(
                f"`{keys}` must be left out: the table file has it. Remove it, or set `chip.override = true` (the "
                f"option `--override`), or switch the table's off: `chip.off`."
            )
        fields = ", ".join(_set(typed)) or "all"
        return f"table, typed: {fields} (override)" if both or plain is None else f"table, typed: {fields}"


def _verify(tables: TableFile, typed: VerifyParams, settings: ChipSettings) -> tuple[VerifyParams, str]:
    """Return how cells are read to be written, and where that comes from; `sense` typed otherwise is a table's too."""
    typed = _numbers_typed(typed)
    numbers, from_file = [name for name in _set(typed) if name in _TYPED_SENSE], VerifyParams.from_tables(tables, typed)
    if SENSE in settings.off:
        if numbers or typed.sense != "typed":
            raise InputError(f"`chip.off` has `{SENSE}`, which `rule.verify` sets. Remove one of the two.")
        return typed, OFF
    if typed.sense != "typed":
        return typed, "table"
    if VerifyParams.from_tables(tables).sense == "typed":
        return typed, "typed" if numbers else NOT_CHARACTERISED
    if numbers and not settings.override:
        keys = ", ".join(f"rule.verify.{name}" for name in numbers)
        raise InputError(
            f"`{keys}` must be left out: the table file has readout and ADC. Remove it, or set `chip.override = true` "
            f"(the option `--override`), or switch the read through them off: `chip.off`."
        )
    return (typed, f"typed: {', '.join(numbers)} (override)") if numbers else (from_file, "table")


def _numbers_typed(record: Settings) -> Settings:
    """Return a record in which only what differs from its default is set."""
    return type(record).checked(record.model_dump(exclude_defaults=True), where="the stages")


def of_then(settings: Mapping[str, object]) -> dict[str, object]:
    """Return the settings of a run file; one from before there was `chip` took cells and wires alone from its file."""
    return {"chip": {"ideal_periphery": True}, **settings}


def stored_tables(stored: StoredNetwork) -> OperatingTables | None:
    """Return the tables of a run file, where its arrays are read and written; None in float."""
    files = stored.table_files()
    return None if files is None else OperatingTables(*files)


def _source(part: Part, name: str, source: str, groups: Sequence[str], tables: OperatingTables) -> StageSource:
    """Return a stage's source with the tables that it reads, where it reads any."""
    if not source.startswith("table"):
        return StageSource(part, name, source)
    file = tables.write if part == "write" else tables.read
    present = tuple(group for group in groups if group in file.tables)
    missing = [group for group in groups if group not in present]
    source = f"{source}, without {', '.join(missing)}" if missing else source
    return StageSource(part, name, source, present, tables.condition_of(present, write=part == "write"))


def _set(stage: object) -> list[str]:
    """Return the fields of a stage that differ from their defaults."""
    return list(stage.model_dump(exclude_defaults=True)) if isinstance(stage, Parameters) else []


def _check_names(off: Sequence[str], names: Sequence[str]) -> None:
    for name in off:
        if name not in names:
            raise InputError(
                f"`chip.off` must name stages: {', '.join(names)}; got {name!r}.{meant(name, names)} Fix it."
            )


def _of_cells(tables: TableFile) -> TableFile:
    """Return a file's tables of cell and lines alone."""
    kept = {name: table for name, table in tables.tables.items() if name in CELLS}
    return TableFile(kept, tables.provenance, tables.absent)
