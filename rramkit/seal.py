"""A seal on a finished file: its first 512 bytes say how long the rest is and what its SHA-256 is.

HDF5 leaves room for them (its user block), so that every HDF5 reader opens a sealed file. The kit's own reader checks
the seal before HDF5 sees the file: HDF5 keeps checksums of most of its structures but not of all, and a flipped byte in
the others (its heap of texts of variable length, the index of chunks) can hang it or change what it reads.
"""

import hashlib
from pathlib import Path

SIZE = 512  # bytes: the smallest user block that HDF5 has
_TITLE = b"rramkit sealed file\n"
_HDF5 = b"\x89HDF\r\n\x1a\n"  # the signature of a file without a user block: one that carries no seal


class BrokenSealError(ValueError):
    """What a sealed file holds is not what was sealed."""


def put(path: Path) -> None:
    """Seal a finished file, the first 512 bytes of which are free, or seal it anew after a change."""
    with path.open("r+b") as file:
        digest, length = _digest(path)
        file.write(_head(digest, length))


def check(path: Path) -> bool:
    """Return whether a file is sealed.

    Raises
    ------
    BrokenSealError
        When it is, and its bytes are not those that were sealed; or when it is neither sealed nor plain HDF5.
    """
    with path.open("rb") as file:
        head = file.read(SIZE)
    if head.startswith(_HDF5):
        return False
    if not head.startswith(_TITLE):
        raise BrokenSealError("it starts neither with a seal nor as HDF5: another kind of file, or a damaged one")
    digest, length = _digest(path)
    if head == _head(digest, length):
        return True
    sealed = head.removeprefix(_TITLE).split(b" ")[0]
    if sealed.isdigit() and int(sealed) > length:
        raise BrokenSealError(f"it is damaged: {path.stat().st_size} of {SIZE + int(sealed)} bytes are there")
    raise BrokenSealError(
        "it is damaged, or was changed after it was made: its bytes do not match the SHA-256 at its head"
    )


def _digest(path: Path) -> tuple[str, int]:
    """Return SHA-256 and length of what stands after the head."""
    with path.open("rb") as file:
        file.seek(SIZE)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return digest, max(file.tell() - SIZE, 0)


def _head(digest: str, length: int) -> bytes:
    return (_TITLE + f"{length} bytes follow this head of {SIZE}\nSHA-256 {digest}\n".encode()).ljust(SIZE)
