"""HDF5's global heap, in which texts of variable length are kept: the one structure that can hang the library.

HDF5 has no checksum of these heaps, and where the length of an object in one is damaged, it never leaves the heap
(seen in HDF5 2.0). So each collection of objects is walked here before HDF5 opens the file.

Layout of a collection (HDF5 file format specification 3.0, section III.E): "GCOL", version 1, three bytes, length of
the collection (8 bytes), then objects one after the other: index (2), references (2), four bytes, length (8), data up
to a multiple of 8. Index 0 is the free space, whose length counts its own head.
"""

import mmap
import struct
from pathlib import Path

_SIGNATURE, _HEAD = b"GCOL\x01", 16  # bytes of the head of a collection, and of each object
_SMALLEST = 4096  # bytes of a collection: HDF5 refuses a shorter one itself
_SUPERBLOCK = b"\x89HDF\r\n\x1a\n"
_WIDTHS = {0: 13, 1: 13, 2: 9, 3: 9}  # version of the superblock: where it says how wide offsets and lengths are


def check(path: Path, *, start: int) -> None:
    """Raise `ValueError` where a heap collection of the HDF5 file that begins at byte `start` could hang a reader."""
    if path.stat().st_size <= start:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        _check_widths(content, start)
        at = content.find(_SIGNATURE)
        while at >= 0:
            _check_collection(content, at)
            at = content.find(_SIGNATURE, at + 1)


def _check_widths(content: mmap.mmap, start: int) -> None:
    """Refuse offsets and lengths of other than 8 bytes: every library writes 8, and the walk relies on it."""
    if content[start : start + len(_SUPERBLOCK)] != _SUPERBLOCK:
        return  # HDF5 says what is wrong with it
    where = _WIDTHS.get(content[start + len(_SUPERBLOCK)], 9)
    if content[start + where : start + where + 2] != b"\x08\x08":
        raise ValueError("its offsets or lengths are not 8 bytes wide, or it is damaged")


def _check_collection(content: mmap.mmap, at: int) -> None:
    if len(content) < at + _HEAD:
        return
    (length,) = struct.unpack_from("<Q", content, at + 8)
    if not _SMALLEST <= length <= len(content) - at:
        return  # no collection: HDF5 refuses it, or it is data that look like one
    place = _HEAD
    while length - place >= _HEAD:
        index, _, size = struct.unpack_from("<HH4xQ", content, at + place)
        used = size if index == 0 else _HEAD + -(-size // 8) * 8
        if not _HEAD <= used <= length - place:
            raise ValueError("its heap of texts is damaged")
        place += used
