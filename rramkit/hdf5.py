"""HDF5 files, whole or absent, with a checksum: the only module that imports h5py.

Checksum. The first 512 bytes of a file (HDF5's user block, which HDF5 readers skip) hold the length and the SHA-256 of
the rest. They are checked before HDF5 opens the file: HDF5 has checksums of most of its structures but not of all, and
a flipped byte in the others (its heap of texts of variable length, the index of chunks) can hang it or change what it
reads.

A file may come from anywhere, so what it holds is looked over before anything is read (`_check_contents`): links,
values that are kept in other files, storage of other kinds than the kit's and arrays of absurd size are refused.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from h5py import h5l, h5o  # pyright: ignore[reportAttributeAccessIssue]  (compiled, without stubs)

from rramkit import global_heap
from rramkit.errors import TableError, file_meant, in_one_line, one_line
from rramkit.files import whole_file

Group = h5py.Group
Dataset = h5py.Dataset


SEAL_SIZE = 512  # bytes: the smallest user block that HDF5 has
_TITLE = b"rramkit sealed file\n"
_HDF5 = b"\x89HDF\r\n\x1a\n"  # the signature of a file without a user block: one that carries no seal

# The format since HDF5 1.8 carries checksums of its metadata, so that damage is detected.
_SINCE = "v108"
_LIBRARY_WORDS = re.compile(r"^(?:\[Errno \d+\] )?(?:Unable|Can't) [^(]*\((.*)\)$", re.DOTALL)
_SYSTEM_WORDS = re.compile(r"error message = '([^']+)'")
_NOUNS = {
    "rramkit tables": "a table file",
    "rramkit run": "a run file",
    "rramkit episodes": "a run file of `rramkit rl`",
    "rramkit checkpoint": "a checkpoint",
}
_CURES = {
    "rramkit tables": "Pass a file written by `rramkit characterize` or `rramkit import`.",
    "rramkit run": "Pass a file written by `rramkit train`.",
    "rramkit checkpoint": "",  # no user passes it: what reads it knows the cure
}
_NUMBERS = "biuf"  # kinds of NumPy types that hold real numbers
_FILTERS = {  # of chunks, by HDF5's number; others are refused: their code is seldom used, or a plug-in
    h5py.h5z.FILTER_DEFLATE,
    h5py.h5z.FILTER_SHUFFLE,
    h5py.h5z.FILTER_FLETCHER32,
    h5py.h5z.FILTER_LZF,
}
_OBJECTS = 200_000  # groups and datasets of a file: the largest of the kit have some thousands
_LONGEST = 300  # characters of a name
_TEXTS = 1000  # texts in one attribute: every one may repeat the same megabytes
_GROWS_BY = 2**20  # bytes of memory that a file in the making takes at a time
_ALWAYS_READ = 2**28  # bytes that a small file may unfold to
_PACKED = 64  # bytes that a byte of a larger file may unfold to: those of the kit shrink by up to 10

# What reading a file that holds anything can raise, in h5py, in NumPy, and where the kit makes records of it.
_UNREADABLE = (
    *(OSError, LookupError, ValueError, TypeError, RuntimeError),
    *(AttributeError, ArithmeticError, AssertionError, MemoryError),
)


class BrokenSealError(ValueError):
    """What a sealed file holds is not what was sealed."""


def seal(path: Path) -> None:
    """Seal a finished file, the first 512 bytes of which are free, or seal it anew after a change."""
    with path.open("r+b") as file:
        digest, length = _digest(path)
        file.write(_head(digest, length))


def is_sealed(path: Path) -> bool:
    """Return whether a file is sealed.

    Raises
    ------
    BrokenSealError
        When it is, and its bytes are not those that were sealed; or when it is neither sealed nor plain HDF5.
    """
    with path.open("rb") as file:
        head = file.read(SEAL_SIZE)
    if head.startswith(_HDF5):
        return False
    if not head.startswith(_TITLE):
        raise BrokenSealError("neither an rramkit file nor HDF5, or damaged")
    digest, length = _digest(path)
    if head == _head(digest, length):
        return True
    length_sealed = head.removeprefix(_TITLE).split(b" ")[0]
    if length_sealed.isdigit() and int(length_sealed) > length:
        raise BrokenSealError(
            f"it is damaged: {path.stat().st_size} of {SEAL_SIZE + int(length_sealed)} bytes are there"
        )
    raise BrokenSealError(
        "it is damaged or was changed by another program: its bytes do not match the SHA-256 at its head"
    )


def _digest(path: Path) -> tuple[str, int]:
    """Return SHA-256 and length of what stands after the head."""
    with path.open("rb") as file:
        file.seek(SEAL_SIZE)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, max(file.tell() - SEAL_SIZE, 0)


def _head(digest: str, length: int) -> bytes:
    return (_TITLE + f"{length} bytes follow this head of {SEAL_SIZE}\nSHA-256 {digest}\n".encode()).ljust(SEAL_SIZE)


@contextmanager
def new_file(path: Path) -> Iterator[Group]:
    """Yield the root of a new file, which is sealed and gets its name only when the block ends without an error.

    It is made in memory and written in one go: on a full disk HDF5 prints a traceback for each object that it cannot
    write, and may crash when the process ends.
    """
    with whole_file(path) as draft:
        with h5py.File(
            draft,
            "w",
            driver="core",
            backing_store=False,
            block_size=_GROWS_BY,
            libver=(_SINCE, _SINCE),
            userblock_size=SEAL_SIZE,
        ) as file:
            file.attrs["sealed"] = True
            yield file
            file.flush()
            image = file.id.get_file_image()  # what follows the user block
        with draft.open("wb") as stream:
            stream.write(_head(hashlib.sha256(image).hexdigest(), len(image)))
            stream.write(image)


@contextmanager
def open_file(path: Path, *, kind: str) -> Iterator[Group]:
    """Yield the root of an existing file whose `format` attribute is `kind`.

    Raises
    ------
    TableError
        When the file is missing, is not HDF5 or is damaged, holds another format, or lacks something read from it.
    """
    noun = _noun(kind)
    cure = _CURES.get(kind, f"Pass {noun}.")
    if not path.is_file():
        reason = "not a file" if path.exists() else "no such file"
        raise TableError(f"{path}: {reason}; {noun} is needed. {cure}{file_meant(path)}")
    try:
        with in_one_line(), _checked(path) as (file, sealed):
            if "sealed" in file.attrs and not sealed:
                raise ValueError("its checksum is missing: another program has rewritten it")
            name = file.attrs.get("format")
            if not isinstance(name, str) or name != kind:
                raise TableError(f"{path}: is {_noun(name)}, not {noun}. {cure}")
            _check_contents(file, path.stat().st_size)
            yield file
    except _UNREADABLE as error:
        raise TableError(one_line(f"{path}: cannot be read as {noun}: {_reason(error)}. {cure}")) from error


@contextmanager
def _checked(path: Path) -> Iterator[tuple[h5py.File, bool]]:
    """Yield a file that has the bytes that were sealed, and whether it is sealed."""
    sealed = is_sealed(path)
    global_heap.check(path, start=SEAL_SIZE if sealed else 0)
    with h5py.File(path, "r") as file:
        yield file, sealed


def format_of(path: Path) -> str:
    """Return the attribute `format` of a file; empty where it is no HDF5 file or is damaged."""
    try:
        with _checked(path) as (file, _):
            return str(file.attrs.get("format", ""))
    except _UNREADABLE:
        return ""


def _check_contents(root: Group, size: int) -> None:
    """Raise `ValueError` for what no file of the kit holds; `size` is that of the file in bytes.

    By HDF5's own identifiers: the classes of h5py cost ten times as much, and a chip's file holds a thousand objects.
    """
    seen, unfolded, groups = set[int](), 0, [root.id]
    _check_attributes(root.id)
    while groups:
        group = groups.pop()
        for name in group:
            item = _own(group, name)
            if (address := h5o.get_info(item).addr) in seen:
                continue
            seen.add(address)
            _check_attributes(item)
            if isinstance(item, h5py.h5g.GroupID):
                groups.append(item)
            else:
                unfolded += _bytes_of(item, name)
        if len(seen) > _OBJECTS:
            raise ValueError(f"it holds more than {_OBJECTS} groups and datasets")
        if unfolded > max(_ALWAYS_READ, _PACKED * size):
            raise ValueError(f"its {size} bytes would unfold to {unfolded:.2g}")


def _own(group: h5py.h5g.GroupID, name: bytes) -> h5py.h5g.GroupID | h5py.h5d.DatasetID:
    """Return what a group holds itself under a name; refuse links and named types."""
    text = name.decode()
    if not text.isprintable() or len(text) > _LONGEST:
        raise ValueError(f"it holds a name of {len(text)} characters that cannot be one")
    if group.links.get_info(name).type != h5l.TYPE_HARD:
        raise ValueError(f"`{text}` in it is a link, which may lead to another file: copy what it leads to")
    item = h5o.open(group, name)
    if not isinstance(item, h5py.h5g.GroupID | h5py.h5d.DatasetID):
        raise ValueError(f"`{text}` in it is neither group nor dataset")
    return item


def _check_attributes(item: h5py.h5g.GroupID | h5py.h5d.DatasetID) -> None:
    for index in range(h5py.h5a.get_num_attrs(item)):
        attribute = h5py.h5a.open(item, index=index)
        if math.prod(attribute.shape) > _TEXTS and isinstance(attribute.get_type(), h5py.h5t.TypeStringID):
            raise ValueError(f"it has an attribute of more than {_TEXTS} texts")


def _bytes_of(item: h5py.h5d.DatasetID, name: bytes) -> int:
    """Return the size of a dataset in memory; refuse one that does not hold all of its own values, as the kit's do."""
    plist, space = item.get_create_plist(), item.get_space()
    if plist.get_layout() == h5py.h5d.VIRTUAL or plist.get_external_count():
        raise ValueError(f"`{name.decode()}` in it has its values in other files: copy them into this one")
    if space.get_simple_extent_type() == h5py.h5s.NULL:
        raise ValueError(f"`{name.decode()}` in it holds nothing")
    filters = {plist.get_filter(index)[0] for index in range(plist.get_nfilters())}
    if not filters <= _FILTERS:
        raise ValueError(f"`{name.decode()}` in it is packed by a filter other than gzip, lzf, shuffle and fletcher32")
    shape = space.get_simple_extent_dims()
    if math.prod(shape) and not _is_stored(item, plist, shape):
        raise ValueError(f"`{name.decode()}` in it lacks some of its values")
    return math.prod(shape) * item.get_type().get_size()


def _is_stored(item: h5py.h5d.DatasetID, plist: h5py.h5p.PropDCID, shape: tuple[int, ...]) -> bool:
    """Whether all values are in the file: HDF5 reads chunks that are not there as zeros."""
    if plist.get_layout() == h5py.h5d.COMPACT:
        return True
    if plist.get_layout() != h5py.h5d.CHUNKED:
        return item.get_storage_size() > 0
    chunks = zip(shape, plist.get_chunk(), strict=True)
    return item.get_num_chunks() == math.prod(-(-length // chunk) for length, chunk in chunks)


def _noun(kind: object) -> str:
    """Return what a file with this attribute `format` is, with its article."""
    return _NOUNS.get(str(kind), f"an HDF5 file of format {kind!r}" if kind else "an HDF5 file of another program")


def _reason(error: Exception) -> str:
    """Return the informative part of h5py's message, as one line."""
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
    held = dataset(group, name)
    if held.dtype.kind not in _NUMBERS:
        raise ValueError(f"{group.name}/{name} holds no real numbers")
    return np.asarray(held[()])


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


def json_mapping(group: Group, name: str) -> dict[str, object]:
    """Return an attribute that holds a JSON object; raise `ValueError` for other JSON."""
    values = json.loads(str(group.attrs[name]))
    if not isinstance(values, dict):
        raise ValueError(f"attribute '{name}' is not a JSON object")
    return values


def names(group: Group) -> list[str]:
    """Return the names of what a group holds, sorted."""
    return sorted(str(name) for name in group)


def dataset(group: Group, name: str) -> h5py.Dataset:
    """Return the dataset `name` of a group; raise `KeyError` when it is missing or not a dataset."""
    item = group[name]
    if not isinstance(item, h5py.Dataset):
        raise KeyError(f"{group.name}/{name} is not a dataset")
    return item


def subgroup(group: Group, name: str) -> Group:
    """Return the group `name` of a group; raise `KeyError` when it is missing or not a group."""
    item = group[name]
    if not isinstance(item, h5py.Group):
        raise KeyError(f"{group.name}/{name} is not a group")
    return item
