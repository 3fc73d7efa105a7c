"""The one place that imports h5py: named quantities with their units, in files that are whole and sealed, or absent."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np

from rramkit import seal
from rramkit.errors import TableError
from rramkit.files import whole_file

Group = h5py.Group
Dataset = h5py.Dataset


# The format since HDF5 1.8 carries checksums of its metadata, so that a damaged file is seen, not believed.
_SINCE = "v108"
_LIBRARY_WORDS = re.compile(r"^(?:\[Errno \d+\] )?(?:Unable|Can't) [^(]*\((.*)\)$", re.DOTALL)
_SYSTEM_WORDS = re.compile(r"error message = '([^']+)'")
_NUMBERS = "biuf"  # kinds of NumPy types that hold real numbers


@contextmanager
def new_file(path: Path) -> Iterator[Group]:
    """Yield the root of a new file, which is sealed and gets its name only when the block ends without an error."""
    with whole_file(path) as draft:
        try:
            with h5py.File(draft, "w", libver=(_SINCE, _SINCE), userblock_size=seal.SIZE) as file:
                file.attrs["sealed"] = True
                yield file
            seal.put(draft)
        except RuntimeError as error:  # what h5py makes of a disk that is full when the file is closed
            raise OSError(_reason(error)) from error


@contextmanager
def open_file(path: Path, *, kind: str) -> Iterator[Group]:
    """Yield the root of an existing file whose `format` attribute is `kind`.

    Raises
    ------
    TableError
        When the file is missing, is not HDF5 or is damaged, holds another format, or lacks something read from it.
    """
    maker = {"rramkit tables": "characterize", "rramkit run": "train", "rramkit checkpoint": "train"}.get(
        kind, "--help"
    )
    if not path.is_file():
        raise TableError(
            f"{path}: {'not a file' if path.exists() else 'no such file'}. `rramkit {maker}` makes one ({kind})."
        )
    try:
        sealed = seal.check(path)
        with h5py.File(path, "r") as file:
            if "sealed" in file.attrs and not sealed:
                raise ValueError("it has lost its seal: another program wrote it anew")
            found = file.attrs.get("format")
            if not isinstance(found, str) or found != kind:
                raise TableError(f"{path}: holds {found!r}, not {kind!r}. Give a file that `rramkit {maker}` made.")
            yield file
    except (OSError, KeyError, ValueError, TypeError, RuntimeError) as error:
        raise TableError(
            f"{path}: cannot be read as {kind!r}: {_reason(error)}. `rramkit {maker}` makes one."
        ) from error


def format_of(path: Path) -> str:
    """Return what a file says that it holds; nothing where it is no HDF5 file or is damaged."""
    try:
        seal.check(path)
        with h5py.File(path, "r") as file:
            return str(file.attrs.get("format", ""))
    except (OSError, ValueError, RuntimeError):
        return ""


def _reason(error: Exception) -> str:
    """Return the part of h5py's message that says something, as one line."""
    text = str(error).strip("'\"")
    buried = _SYSTEM_WORDS.search(text) or _LIBRARY_WORDS.match(text)
    return " ".join((buried[1] if buried else text).split())


def write(group: Group, name: str, values: np.ndarray | float | int, unit: str, description: str = "") -> h5py.Dataset:
    """Write one quantity with its unit (`1` for a pure number); return the dataset."""
    data = np.asarray(values)
    dataset = group.create_dataset(name, data=data, **_storage(data))
    dataset.attrs["units"] = unit
    if description:
        dataset.attrs["description"] = description
    return dataset


def write_axis(group: Group, name: str, values: np.ndarray, unit: str) -> h5py.Dataset:
    """Write the values of one dimension as an HDF5 dimension scale; return the dataset."""
    dataset = write(group, name, values, unit)
    dataset.make_scale(name)
    return dataset


def attach(dataset: h5py.Dataset, scales: Sequence[h5py.Dataset]) -> None:
    """Say which scale goes with each dimension of a dataset."""
    for dimension, scale in enumerate(scales):
        dataset.dims[dimension].attach_scale(scale)


def _storage(data: np.ndarray) -> dict[str, object]:
    """Return how to store values under a checksum: a single one inside the metadata, an array in chunks of its own."""
    if data.size > 1:
        return {"fletcher32": True, "compression": "gzip" if data.size > 64 else None}
    layout = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    layout.set_layout(h5py.h5d.COMPACT)
    return {"dcpl": layout}


def read(group: Group, name: str) -> np.ndarray:
    """Return one quantity as an array (a scalar as a 0-d array); raise `ValueError` when it holds no real numbers."""
    values = np.asarray(dataset(group, name)[()])
    if values.dtype.kind not in _NUMBERS:
        raise ValueError(f"{group.name}/{name} holds no real numbers")
    return values


def scalar(group: Group, name: str) -> float:
    """Return one quantity that is a single finite number; raise `ValueError` when it is not."""
    value = read(group, name)
    if value.ndim or not np.isfinite(value):
        raise ValueError(f"{group.name}/{name} is not one finite number")
    return float(value)


def number(group: Group | h5py.Dataset, name: str) -> float:
    """Return an attribute that holds one number."""
    return float(str(group.attrs[name]))


def words(group: Group | h5py.Dataset, name: str) -> list[str]:
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
