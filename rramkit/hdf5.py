"""The one place that imports h5py: named quantities with their units, in files that are whole or absent."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from rramkit.errors import TableError
from rramkit.files import whole_file

Group = h5py.Group


@contextmanager
def new_file(path: Path) -> Iterator[Group]:
    """Yield the root of a new file, which gets its name only when the block ends without an error."""
    with whole_file(path) as draft, h5py.File(draft, "w") as file:
        yield file


@contextmanager
def open_file(path: Path, *, kind: str) -> Iterator[Group]:
    """Yield the root of an existing file whose `format` attribute is `kind`.

    Raises
    ------
    TableError
        When the file is missing, is not HDF5 or is damaged, holds another format, or lacks something read from it.
    """
    if not path.exists():
        maker = {"rramkit tables": "characterize", "rramkit run": "train"}.get(kind, "--help")
        raise TableError(f"{path}: no such file. `rramkit {maker}` makes one ({kind}).")
    try:
        with h5py.File(path, "r") as file:
            found = file.attrs.get("format")
            if found != kind:
                raise TableError(f"{path}: holds {found!r}, not {kind!r}. Give a file that rramkit made for this.")
            yield file
    except (OSError, KeyError) as error:
        reason = str(error).strip("'\"")
        raise TableError(f"{path}: cannot be read as {kind!r}: {reason}. Make it again.") from error


def write(group: Group, name: str, values: np.ndarray | float | int, unit: str, description: str = "") -> h5py.Dataset:
    """Write one quantity with its unit (`1` for a pure number); return the dataset."""
    data = np.asarray(values)
    dataset = group.create_dataset(name, data=data, compression="gzip" if data.ndim and data.size > 64 else None)
    dataset.attrs["units"] = unit
    if description:
        dataset.attrs["description"] = description
    return dataset


def read(group: Group, name: str) -> np.ndarray:
    """Return one quantity as an array (a scalar as a 0-d array)."""
    return np.asarray(dataset(group, name)[()])


def number(group: Group, name: str) -> float:
    """Return an attribute that holds one number."""
    return float(str(group.attrs[name]))


def words(group: Group, name: str) -> list[str]:
    """Return an attribute that holds a list of names."""
    return [str(word) for word in np.atleast_1d(np.asarray(group.attrs[name]))]


def names(group: Group) -> list[str]:
    """Return the names of what a group holds, sorted."""
    return sorted(str(name) for name in group)


def dataset(group: Group, name: str) -> h5py.Dataset:
    """Return the dataset `name` of a group; raise `KeyError` when it is missing or not a dataset."""
    found = group[name]
    if not isinstance(found, h5py.Dataset):
        raise KeyError(f"{group.name}/{name} is not a dataset")
    return found


def subgroup(group: Group, name: str) -> Group:
    """Return the group `name` of a group; raise `KeyError` when it is missing or not a group."""
    found = group[name]
    if not isinstance(found, h5py.Group):
        raise KeyError(f"{group.name}/{name} is not a group")
    return found
