"""Operating condition of a training: process corner, temperature and supply of the tables that it reads."""

from dataclasses import dataclass
from pathlib import Path

from rramkit import table
from rramkit.table import TableFile

AXES = ("corner", "temperature", "supply")


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


def origin(tables: TableFile | None) -> str:
    """Return when tables were characterised and at which condition they are taken: what a checkpoint must agree in."""
    if tables is None:
        return ""
    return " ".join(text for name in ("created", *AXES) if (text := tables.provenance.get(name)))


def condition_axes(tables: TableFile) -> tuple[str, ...]:
    """Return which of `AXES` the tables of a file have."""
    present = {name for one in tables.tables.values() for name in one.axes}
    return tuple(name for name in AXES if name in present)
