"""The trained network in a run file: the changes since its initial state, and a copy of the tables it was trained on.

The initial state is computed again from settings, seed and tables, so that a run file needs no list of what a rule, a
mapping or a read chain keeps: everything that reads depend on comes back as it was.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

from rramkit import hdf5, table
from rramkit.table import TableFile

_WIDEST = 10_000_000  # inputs or outputs of a network: a figure beyond is damage


@dataclass(frozen=True)
class StoredNetwork:
    """What a run file holds of its network.

    Attributes
    ----------
    input_shape : tuple of int
        (F,) or (C, H, W).
    outputs : int
        Classes, or actions.
    changes : mapping
        Arrays of the trained network that differ from the initial one, by path.
    tables : bytes
        The table file as a whole, where arrays are read; empty for a network in float.
    write_tables : bytes
        The same where they are written; empty where that is the same operating point.
    """

    input_shape: tuple[int, ...]
    outputs: int
    changes: Mapping[str, np.ndarray]
    tables: bytes = b""
    write_tables: bytes = b""

    @classmethod
    def of(
        cls,
        input_shape: tuple[int, ...],
        outputs: int,
        changes: Mapping[str, np.ndarray],
        read: TableFile | None,
        write: TableFile | None,
    ) -> Self:
        """Return what a file holds of a network with its tables; None: in float."""
        return cls(input_shape, outputs, changes, bytes_of(read), b"" if write is read else bytes_of(write))

    def table_files(self) -> tuple[TableFile, TableFile] | None:
        """Return the tables that the network was trained on, where it is read and where it is written; None: float."""
        if not self.tables:
            return None
        read = tables_of(self.tables)
        return read, tables_of(self.write_tables) if self.write_tables else read


def bytes_of(tables: TableFile | None) -> bytes:
    """Return a table file as bytes; nothing for None."""
    if tables is None:
        return b""
    with tempfile.TemporaryDirectory(prefix="rramkit-") as folder:
        path = Path(folder) / "tables.h5"
        table.save(tables, path)
        return path.read_bytes()


def tables_of(content: bytes) -> TableFile:
    """Return the table file that `bytes_of` wrote."""
    with tempfile.TemporaryDirectory(prefix="rramkit-") as folder:
        path = Path(folder) / "tables.h5"
        path.write_bytes(content)
        return table.load(path)


def write(root: hdf5.Group, network: StoredNetwork) -> None:
    """Write the group `network`."""
    group = root.create_group("network")
    hdf5.write(group, "input_shape", np.array(network.input_shape), "1", "shape of one input")
    hdf5.write(group, "outputs", network.outputs, "1")
    hdf5.write(group, "tables", np.frombuffer(network.tables, np.uint8), "1", "the table file, byte by byte")
    hdf5.write(group, "write_tables", np.frombuffer(network.write_tables, np.uint8), "1", "the same, of writes")
    write_arrays(group.create_group("changes"), network.changes)


def read(root: hdf5.Group) -> StoredNetwork | None:
    """Read the group `network`; None in a file of an earlier format, which has none."""
    if "network" not in root:
        return None
    group = hdf5.subgroup(root, "network")
    shape, outputs = hdf5.read(group, "input_shape"), round(hdf5.scalar(group, "outputs"))
    if shape.dtype.kind not in "iu" or shape.shape not in ((1,), (3,)) or not np.all((0 < shape) & (shape <= _WIDEST)):
        raise ValueError("`network/input_shape` is not (F,) or (C, H, W)")
    if not 0 < outputs <= _WIDEST:
        raise ValueError(f"`network/outputs` is {outputs}")
    return StoredNetwork(
        input_shape=tuple(shape.tolist()),
        outputs=outputs,
        changes=read_arrays(hdf5.subgroup(group, "changes")),
        tables=hdf5.read(group, "tables").tobytes(),
        write_tables=hdf5.read(group, "write_tables").tobytes() if "write_tables" in group else b"",
    )


def write_arrays(group: hdf5.Group, arrays: Mapping[str, np.ndarray]) -> None:
    """Write arrays by path: HDF5 names cannot hold every path, so each has a number, and `paths` lists the paths."""
    paths = sorted(arrays)
    hdf5.write(group, "paths", np.frombuffer(json.dumps(paths).encode(), np.uint8), "1", "JSON: path of each array")
    for index, path in enumerate(paths):
        hdf5.write(group, str(index), arrays[path], "1", path)


def read_arrays(group: hdf5.Group) -> dict[str, np.ndarray]:
    """Return the arrays that `write_arrays` wrote, by path."""
    paths = json.loads(hdf5.read(group, "paths").tobytes())
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        raise ValueError(f"{group.name}/paths is not a list of names")
    return {path: hdf5.read(group, str(index)) for index, path in enumerate(paths)}
