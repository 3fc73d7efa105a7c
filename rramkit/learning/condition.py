"""Operating condition of a training: process corner, temperature and supply of the tables that it reads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from rramkit import table
from rramkit.table import TableFile
from rramkit.table.operating_point import axes_of_condition
from rramkit.table.schema import CORNERS

AXES = (str(CORNERS.corner), str(CORNERS.temperature), str(CORNERS.supply))


@dataclass(frozen=True)
class Condition:
    """Where on the axes `corner`, `temperature` and `supply` the tables are taken.

    Attributes
    ----------
    corner : str or None
        Process corner by its label, for instance `ss`.
    temperature : float or None
        Temperature (K).
    supply : float or None
        Supply voltage over the nominal one (1).

    What is left out takes its nominal value.
    """

    corner: str | None = None
    temperature: float | None = None
    supply: float | None = None

    @property
    def is_nominal(self) -> bool:
        """Whether nothing is set."""
        return self == NOMINAL

    def over(self, other: "Condition") -> "Condition":
        """Return this condition; what it leaves out is as in another one."""
        own = {name: value for name in AXES if (value := getattr(self, name)) is not None}
        return replace(other, **own)

    def of(self, tables: TableFile) -> TableFile:
        """Return the tables at this condition.

        Parameters
        ----------
        tables : TableFile
            The tables; those without axes of condition are returned as they are.

        Returns
        -------
        TableFile
            Tables without axes of condition.

        Raises
        ------
        TableError
            When a value is set that no table of the file has an axis for, or that none reaches.

        Examples
        --------
        >>> from rramkit.table.example import example
        >>> list(Condition().of(example()))
        ['read', 'set', 'reset', 'wires']
        """
        if self.is_nominal:
            return tables.nominal() if condition_axes(tables) else tables
        return tables.at(corner=self.corner, temperature=self.temperature, supply=self.supply)

    def load(self, path: str | Path) -> TableFile:
        """Return the tables of a file at this condition.

        Parameters
        ----------
        path : str or Path
            The table file.

        Returns
        -------
        TableFile
            Tables without axes of condition.

        Raises
        ------
        TableError
            When the file is missing or damaged, or has no table at this condition.

        Examples
        --------
        >>> len(Condition().load("tables.h5"))
        4
        """
        return self.of(table.load(Path(path)))


NOMINAL = Condition()
"""The nominal condition: nothing set."""


@dataclass(frozen=True)
class OperatingTables:
    """The tables of one file where arrays are read and where they are written.

    Attributes
    ----------
    read, write : TableFile
        Without axes of condition; the same object where both conditions are.
    condition, write_condition : Condition
        Where they were taken.
    axes : mapping
        The axes of condition that each table had in the file, by its name.
    """

    read: TableFile
    write: TableFile
    condition: Condition = NOMINAL
    write_condition: Condition = NOMINAL
    axes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @classmethod
    def of(cls, file: TableFile, condition: Condition = NOMINAL, write_condition: Condition | None = None) -> Self:
        """Return the tables read at `condition` and written at `write_condition`; left out, at the same.

        Raises
        ------
        TableError
            As `Condition.of`.
        """
        at = condition if write_condition is None else write_condition
        read = condition.of(file)
        axes = {name: axes_of_condition(table) for name, table in file.items()}
        return cls(read, read if at == condition else at.of(file), condition, at, axes)

    def mapped(self, function: Callable[[TableFile], TableFile]) -> Self:
        """Return both with a function applied, once where they are the same."""
        read = function(self.read)
        return replace(self, read=read, write=read if self.write is self.read else function(self.write))

    def condition_of(self, groups: Sequence[str], *, write: bool) -> str:
        """Return where some tables were taken, and what they have no axis for: `ss, 358 K; no axis of supply`."""
        at, file = (self.write_condition, self.write) if write else (self.condition, self.read)
        names: dict[str, list[str]] = {}
        for name in groups:
            if name in file.tables:
                names.setdefault(_condition_of(self.axes.get(name, ()), at), []).append(name)
        if len(names) < 2:
            return next(iter(names), "")
        return "; ".join(f"{', '.join(tables)}: {text}" for text, tables in names.items())


def _condition_of(axes: tuple[str, ...], at: Condition) -> str:
    """Return where a table that had these axes of condition was taken."""
    parts = [_text(name, getattr(at, name)) for name in axes]
    lacks = [name for name in AXES if name not in axes and getattr(at, name) is not None]
    taken = ", ".join(parts) or "one condition"
    return f"{taken} (no axis of {', '.join(lacks)})" if lacks else taken


def origin(tables: OperatingTables | None) -> str:
    """Return when tables were characterised and at which conditions they are taken: what a checkpoint must agree in."""
    if tables is None:
        return ""
    names = [("created", *AXES), () if tables.write is tables.read else AXES]
    files = zip((tables.read, tables.write), names, strict=True)
    return " ".join(text for file, keys in files for key in keys if (text := file.provenance.get(key)))


def condition_axes(tables: TableFile) -> tuple[str, ...]:
    """Return which of `AXES` the tables of a file have."""
    present = {name for one in tables.tables.values() for name in one.axes}
    return tuple(name for name in AXES if name in present)


def _text(name: str, value: str | float | None) -> str:
    if value is None:
        return f"nominal {name}"
    return (
        f"{value:g} K" if name == CORNERS.temperature else f"supply {value:g}" if name == CORNERS.supply else str(value)
    )
