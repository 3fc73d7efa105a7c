"""The table file: all tables of one characterisation; load, save, selection of an operating condition."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rramkit import hdf5
from rramkit.errors import InputError, TableError
from rramkit.table import upgrade
from rramkit.table.check import check
from rramkit.table.format import read_table, write_table
from rramkit.table.operating_point import at_condition
from rramkit.table.schema import CORNERS
from rramkit.table.table import Table, summary

FORMAT = "rramkit tables"
FORMAT_VERSION = 3
ONE_CONDITION = "one_condition"
"""Root attribute of a file at an operating condition: tables that were characterised at one condition only."""

_OLDEST = 1
_OWN = ("format", "format_version", "sealed")  # root attributes that are no provenance


@dataclass(frozen=True, repr=False)
class TableFile:
    """Tables by name, and where the numbers come from.

    `tables["read"]` is a table, `"read" in tables`, `list(tables)`; `print(tables)` says one line a table.

    Attributes
    ----------
    tables : mapping
        Name to table.
    provenance : mapping
        Name to text: plans, simulator, versions, counts.
    absent : mapping
        Name of a table that the file has but not at this operating condition, to the reason.

    Examples
    --------
    >>> import rramkit as rk
    >>> tables = rk.load("tables.h5")
    >>> list(tables), "read" in tables
    (['read', 'reset', 'set', 'wires'], True)
    >>> print(rk.example())
    <TableFile of 4 tables>
      read (g_cell 16 x v_cell 17); i_cell [A]; no held-out points
      set (g_start 18 x v_pulse 41); delta_g [S], energy [J]; no held-out points
      reset (g_start 18 x v_pulse 41); delta_g [S], energy [J]; no held-out points
      wires (no axes); r_row [ohm], r_col [ohm], r_drive [ohm], r_sense [ohm]; no held-out points
    """

    tables: Mapping[str, Table]
    provenance: Mapping[str, str]
    absent: Mapping[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Table:
        """Return a table; raise `TableError` when the file has none of that name."""
        if name in self.tables:
            return self.tables[name]
        if name in self.absent:
            raise TableError(self.absent[name])
        names = ", ".join(self.tables) or "none"
        raise TableError(
            f"the table file has no table `{name}` (has: {names}). Pass one of them, or characterise that component."
        )

    def __contains__(self, name: object) -> bool:
        """Whether the file characterises it, at this operating condition or another."""
        return name in self.tables or name in self.absent

    def __iter__(self) -> Iterator[str]:
        return iter(self.tables)

    def __len__(self) -> int:
        return len(self.tables)

    def keys(self) -> tuple[str, ...]:
        """Return the names of the tables."""
        return tuple(self.tables)

    def values(self) -> tuple[Table, ...]:
        """Return the tables."""
        return tuple(self.tables.values())

    def items(self) -> tuple[tuple[str, Table], ...]:
        """Return names and tables."""
        return tuple(self.tables.items())

    def __repr__(self) -> str:
        count = f"<TableFile of {len(self)} table{'' if len(self) == 1 else 's'}>"
        return "\n".join([count, *(f"  {summary(table)}" for table in self.tables.values())])

    def at(
        self, *, corner: str | None = None, supply: float | None = None, temperature: float | None = None
    ) -> "TableFile":
        """Return the tables at one operating condition, with held-out points, masks and distributions.

        Parameters
        ----------
        corner : str, optional
            Process corner, a label of the axis `corner`; None: `tt`, or the first where there is no `tt`.
        supply : float, optional
            Factor on the supplies (1); None: 1, or the nearest that a table reaches.
        temperature : float, optional
            Temperature (K), interpolated by a monotone cubic; None: 300.15 K, or the nearest that a table reaches.

        Returns
        -------
        TableFile
            Tables without axes of condition, the condition in `provenance`. A table without these axes is as it was and
            is named in the provenance (`one_condition`). A table that does not reach the condition is left out: asking
            for it by name raises, and says why.

        Raises
        ------
        TableError
            When no table has the axis of a value that was passed, or none of them reaches it.

        Examples
        --------
        >>> import rramkit as rk
        >>> slow_hot = rk.load("corners.h5").at(corner="ss", temperature=358.15)  # doctest: +SKIP
        >>> rk.example().at(corner="ss")
        Traceback (most recent call last):
        rramkit.errors.TableError: no table of the file has the axis `corner`. Characterise with several ...
        """
        wanted = {CORNERS.corner: corner, CORNERS.supply: supply, CORNERS.temperature: temperature}
        tables, absent = {}, dict(self.absent)
        for name, table in self.tables.items():
            try:
                tables[name] = at_condition(table, corner=corner, supply=supply, temperature=temperature)
            except TableError as error:
                absent[name] = str(error)
        for axis in (axis for axis, value in wanted.items() if value is not None):
            self._check_reached(axis, tables, absent)
        fixed = [name for name, table in tables.items() if table is self.tables[name]]
        if len(fixed) == len(self.tables):
            return self
        units = {CORNERS.temperature: " K"}
        condition = {axis: _text(value, units.get(axis, "")) for axis, value in wanted.items()}
        return TableFile(tables, {**self.provenance, **condition, ONE_CONDITION: ", ".join(fixed)}, absent)

    def _check_reached(self, axis: str, tables: Mapping[str, Table], absent: Mapping[str, str]) -> None:
        """Raise when no table has the axis, or none that has it reaches the value that was passed."""
        having = [name for name, table in self.tables.items() if axis in table.axes]
        if not having:
            raise TableError(
                f"no table of the file has the axis `{axis}`. Characterise with several values of it (`[corners]` of a "
                f"plan; `--plan design` has them), or leave `{axis}` out."
            )
        if not set(having) & set(tables):
            raise TableError(absent[having[0]])

    def nominal(self) -> "TableFile":
        """Return the tables at the nominal condition: corner `tt` (or the first), supply 1, 300.15 K; see `at`.

        Returns
        -------
        TableFile
            Tables without axes of condition; this file where no table has one.

        Examples
        --------
        >>> import rramkit as rk
        >>> list(rk.example().nominal())
        ['read', 'set', 'reset', 'wires']
        """
        return self.at()


TablesLike = TableFile | Path | str
"""Tables, or the path of the file that holds them."""


def loaded(tables: TablesLike) -> TableFile:
    """Return tables as they are, or those of the file at a path; raise `InputError` for anything else."""
    if isinstance(tables, TableFile):
        return tables
    if isinstance(tables, str | Path):
        return load(tables)
    raise InputError(f"`tables` must be a table file or its path; got {type(tables).__name__}. Pass rramkit.load(...).")


def _text(value: str | float | None, unit: str) -> str:
    """Return a condition as text of the provenance."""
    if value is None:
        return "nominal"
    return value if isinstance(value, str) else f"{value:.6g}{unit}"


def save(tables: TableFile, path: Path | str) -> None:
    """Write a table file; it appears under `path` only when it is whole.

    Parameters
    ----------
    tables : TableFile
        The tables and their provenance.
    path : str or Path
        File to write; an existing one is replaced.

    Raises
    ------
    TableError
        When a table is not one that `load` would take.
    InputError
        When `path` cannot be written.

    Examples
    --------
    >>> import rramkit as rk
    >>> rk.save(rk.example(), "example.h5")
    >>> len(rk.load("example.h5"))
    4
    """
    path = Path(path)
    for table in tables.tables.values():
        check(path, table)
    with hdf5.new_file(path) as root:
        root.attrs["format"] = FORMAT
        root.attrs["format_version"] = FORMAT_VERSION
        for name, text in tables.provenance.items():
            root.attrs[name] = text
        for name, table in tables.tables.items():
            write_table(root.create_group(name), table)


def load(path: Path | str) -> TableFile:
    """Read a table file of format 1 to 3; tables of earlier formats come with the names of format 3.

    Parameters
    ----------
    path : str or Path
        A file that `rramkit characterize`, `rramkit import` or `save` wrote.

    Returns
    -------
    TableFile
        All of its tables, at every operating condition that it has.

    Raises
    ------
    TableError
        When the file is missing, damaged or of another format.

    Examples
    --------
    >>> import rramkit as rk
    >>> rk.load("tables.h5")["read"].shape
    (16, 17)
    """
    path = Path(path)
    with hdf5.open_file(path, kind=FORMAT) as root:
        version = round(hdf5.number(root, "format_version"))
        if not _OLDEST <= version <= FORMAT_VERSION:
            raise TableError(
                f"{path}: table format {version}; this kit reads formats {_OLDEST} to {FORMAT_VERSION}. "
                "Regenerate the file with `rramkit characterize`."
            )
        provenance = {name: str(text) for name, text in root.attrs.items() if name not in _OWN}
        tables = {name: read_table(name, hdf5.subgroup(root, name)) for name in hdf5.names(root)}
        if version < 2:
            tables = {name: upgrade.from_format_1(table) for name, table in tables.items()}
        if version < 3:
            tables, provenance = upgrade.from_format_2(tables, provenance)
        for table in tables.values():
            check(path, table)
    return TableFile(tables, provenance)
