"""Operating condition of a training: process corner, temperature and supply of the tables that it reads."""

from dataclasses import dataclass
from pathlib import Path

from rramkit import table
from rramkit.errors import InputError
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
        """Return the tables at this condition; a file without such axes is returned as it is.

        Raises
        ------
        InputError
            When a value is set and the file has no axis for it.
        """
        axes = condition_axes(tables)
        missing = [name for name in AXES if getattr(self, name) is not None and name not in axes]
        if missing:
            given = ", ".join(f"{name} = {getattr(self, name)}" for name in missing)
            raise InputError(
                f"the table file has no axis `{missing[0]}`; got {given}. Regenerate it with `rramkit characterize` "
                "and a plan that has this axis, or leave it out."
            )
        if not axes:
            return tables
        if self.is_nominal:
            return tables.nominal()
        return tables.at(corner=self.corner, temperature=self.temperature, supply=self.supply)

    def load(self, path: str | Path) -> TableFile:
        """Return the tables of a file at this condition."""
        return self.of(table.load(Path(path)))


NOMINAL = Condition()
"""The nominal condition: nothing set."""


def condition_axes(tables: TableFile) -> tuple[str, ...]:
    """Return which of `AXES` the tables of a file have."""
    present = {name for one in tables.tables.values() for name in one.axes}
    return tuple(name for name in AXES if name in present)
