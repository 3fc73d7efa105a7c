"""Save and load a table file."""

from pathlib import Path

from rramkit import hdf5
from rramkit.errors import TableError
from rramkit.table.check import check
from rramkit.table.format import read_table, write_table
from rramkit.table.table import TableFile
from rramkit.table.version_1 import upgraded

FORMAT = "rramkit tables"
FORMAT_VERSION = 2
_OLDEST = 1
_OWN = ("format", "format_version", "sealed")  # root attributes that are no provenance


def save(tables: TableFile, path: Path) -> None:
    """Write a table file; it appears under `path` only when it is whole.

    Raises
    ------
    TableError
        When a table is not one that `load` would take.
    InputError
        When `path` cannot be written.
    """
    for table in tables.tables.values():
        check(path, table)
    with hdf5.new_file(path) as root:
        root.attrs["format"] = FORMAT
        root.attrs["format_version"] = FORMAT_VERSION
        for name, text in tables.provenance.items():
            root.attrs[name] = text
        for name, table in tables.tables.items():
            write_table(root.create_group(name), table)


def load(path: Path) -> TableFile:
    """Read a table file; raise `TableError` when it is missing, damaged or of another format."""
    with hdf5.open_file(path, kind=FORMAT) as root:
        version = round(hdf5.number(root, "format_version"))
        if not _OLDEST <= version <= FORMAT_VERSION:
            raise TableError(
                f"{path}: table format {version}; this kit reads formats {_OLDEST} to {FORMAT_VERSION}. "
                "Regenerate it with `rramkit characterize`."
            )
        provenance = {name: str(text) for name, text in root.attrs.items() if name not in _OWN}
        tables = {name: read_table(name, hdf5.subgroup(root, name)) for name in hdf5.names(root)}
    if version == 1:
        tables = {name: upgraded(table) for name, table in tables.items()}
    for table in tables.values():
        check(path, table)
    return TableFile(tables, provenance)
