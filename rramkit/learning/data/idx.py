"""MNIST and Fashion-MNIST: four files in the IDX format of LeCun's page, gzipped or not.

IDX: two zero bytes, a byte for the type (8: unsigned bytes), a byte for the number of axes, each axis' length as four
bytes, most significant first, then the numbers.

MNIST: LeCun et al. 1998 (Proc. IEEE 86, 2278). Fashion-MNIST: Xiao et al. 2017 (arXiv 1708.07747).
"""

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.data.dataset import DataSet
from rramkit.learning.data.fetch import Remote, fetch

_UNSIGNED_BYTES = 8


@dataclass(frozen=True)
class IdxSet:
    """One set of four files: addresses and MD5 sums, training images and labels first."""

    name: str
    folder: str
    home: str
    md5: tuple[str, str, str, str]


FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
MNIST = IdxSet(
    "MNIST",
    "mnist",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    (
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
        "9fb629c4189551a2d022fa330f9573f3",
        "ec29112dd5afa0611ce80d1b7f02629c",
    ),
)
FASHION_MNIST = IdxSet(
    "Fashion-MNIST",
    "fashion_mnist",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    (
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
        "bef4ecab320f06d8554ea6380940ec79",
        "bb300cfdad3c16e7a12a480ee83cd310",
    ),
)


def load(which: IdxSet, folder: Path, *, download: bool) -> DataSet:
    """Read the four files from `folder` or its subfolder of the set's name, after a download if `download` is true.

    Raises
    ------
    InputError
        When a file is missing or damaged.
    SetupError
        When a download fails.
    """
    arrays = []
    for file, md5 in zip(FILES, which.md5, strict=True):
        remote = Remote(which.name, f"{file}.gz", which.home + f"{file}.gz", md5)
        arrays.append(read(fetch(remote, folder, which.folder, also=(file,), download=download)))
    x_train, y_train, x_test, y_test = arrays
    if x_train.ndim != 3 or x_test.ndim != 3 or len(x_train) != len(y_train) or len(x_test) != len(y_test):
        raise InputError(f"{folder}: images and labels of {which.name} differ in number. Download all four again.")
    labels = y_train.astype(np.int64), y_test.astype(np.int64)
    return DataSet(x_train[:, None], labels[0], x_test[:, None], labels[1], which.name)


def read(path: Path) -> np.ndarray:
    """Return the numbers of one IDX file, gzipped when its name says so."""
    try:
        raw = path.read_bytes()
        content = gzip.decompress(raw) if path.suffix == ".gz" else raw
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{path}: cannot be read ({error}). Download it again.") from error
    axes = content[3] if len(content) > 4 else 0
    start = 4 + 4 * axes
    shape = tuple(int.from_bytes(content[i : i + 4], "big") for i in range(4, start, 4))
    if content[:3] != bytes((0, 0, _UNSIGNED_BYTES)) or len(content) != start + int(np.prod(shape)):
        raise InputError(f"{path}: not a whole IDX file of bytes. Download it again.")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
