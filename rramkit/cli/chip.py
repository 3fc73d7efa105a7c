"""Options of every command that reads or trains on a chip: its operating points, and the stages that are off.

`@on_chip` puts them before a command's own options and hands them over as `ChipOptions`, its first argument.
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from rramkit.cli.rows import rows

if TYPE_CHECKING:
    from rramkit.learning.chip import ChipSettings
    from rramkit.parameters import Parameters
    from rramkit.record import StageSource
    from rramkit.table import TableFile

Settings = TypeVar("Settings", bound="Parameters")


@dataclass(frozen=True)
class ChipOptions:
    """What the options of the command line say of the chip; what is left out is as the settings have it."""

    off: Annotated[
        list[str] | None,
        typer.Option("--off", help="Make a stage ideal that the file characterises; may be repeated.", metavar="STAGE"),
    ] = None
    ideal_periphery: Annotated[
        bool, typer.Option("--ideal-periphery", help="Take cells and wires alone from the file.")
    ] = False
    override: Annotated[bool, typer.Option("--override", help="Let typed numbers take the place of the file's.")] = (
        False
    )
    corner: Annotated[str | None, typer.Option("--corner", help="Process corner of the tables, for instance ss.")] = (
        None
    )
    temperature: Annotated[
        float | None, typer.Option("--temperature", help="Temperature of the tables, in kelvin.", metavar="KELVIN")
    ] = None
    supply: Annotated[
        float | None, typer.Option("--supply", help="Supply of the tables over the nominal one.", metavar="RATIO")
    ] = None
    write_corner: Annotated[
        str | None, typer.Option("--write-corner", help="Corner of all writes, where it is not that of reads.")
    ] = None
    write_temperature: Annotated[
        float | None, typer.Option("--write-temperature", help="Temperature of all writes.", metavar="KELVIN")
    ] = None
    write_supply: Annotated[
        float | None, typer.Option("--write-supply", help="Supply of all writes.", metavar="RATIO")
    ] = None

    def given(self, before: "ChipSettings") -> dict[str, Any]:
        """Return the settings that the options change; stages that are off add up."""
        values = {name: value for name, value in vars(self).items() if value is not None and value is not False}
        off = [name.strip() for text in self.off or [] for name in text.split(",") if name.strip()]
        return values | {"off": tuple(dict.fromkeys((*before.off, *off)))} if off else values

    def chip(self) -> "ChipSettings":
        """Return the settings of a chip that the options alone give."""
        from rramkit.learning.chip import ChipSettings

        return ChipSettings.checked(self.given(ChipSettings()), where="the options")

    def on_top_of(self, settings: Settings, before: "ChipSettings") -> Settings:
        """Return an experiment's settings, whose `chip` is `before`, with what the options change."""
        given = self.given(before)
        if not given:
            return settings
        chip = {**before.model_dump(exclude_unset=True), **given}
        return type(settings).checked({**settings.model_dump(exclude_unset=True), "chip": chip}, where="the options")


def on_chip(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command whose first argument is made of the options above, which it then has beside its own."""
    shared = list(inspect.signature(ChipOptions).parameters.values())
    own = list(inspect.signature(command).parameters.values())[1:]

    def with_options(**values: Any) -> None:  # noqa: ANN401  (of any option)
        chip = ChipOptions(**{each.name: values.pop(each.name) for each in shared})
        command(chip, **values)

    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in (*own, *shared)]
    with_options.__signature__ = inspect.Signature(parameters)
    with_options.__annotations__ = {each.name: each.annotation for each in parameters}
    with_options.__doc__ = command.__doc__
    with_options.__name__ = command.__name__
    return with_options


def load_tables(path: Path, chip: "ChipSettings", *, quiet: bool) -> "TableFile":
    """Read a table file; unless `quiet`, say on the error stream when it is read at the nominal condition of several.

    Raises
    ------
    InputError, TableError
        When the file cannot be read or has no axis for what is given.
    """
    from rramkit import table
    from rramkit.learning.condition import condition_axes

    tables = table.load(path)
    chip.tables(tables)
    axes = condition_axes(tables)
    if axes and chip.condition.is_nominal and chip.write_condition.is_nominal and not quiet:
        options = ", ".join(f"`--{axis}`" for axis in axes)
        names, verb = ", ".join(axes), "sets" if len(axes) == 1 else "set"
        typer.echo(f"{path}: read at the nominal condition of its axes {names}; {options} {verb} another.", err=True)
    return tables


def listed(sources: "Sequence[StageSource]") -> str:
    """Return what each stage reads, as lines for the terminal: stage, source, tables, condition."""
    width = max((len(each.stage) for each in sources), default=0) + 1
    shown = [(each.stage, _source(each)) for each in sources]
    return "\n".join(["what each stage reads:", rows(shown, width=width, indent="  ")])


def _source(each: "StageSource") -> str:
    """Return a stage's source with its tables and where these were taken: `table: set, reset (one condition)`."""
    tables = f": {', '.join(each.groups)}" if each.groups else ""
    return f"{each.source}{tables}{f' ({each.condition})' if each.condition else ''}"
