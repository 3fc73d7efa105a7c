"""CIFAR-10: 60,000 colour images of 32 x 32 pixels in ten classes (Krizhevsky 2009, technical report, Toronto).

Three forms: the binary batches of its page (also inside their archive, the form of a download), the pickled batches of
the Python version, and a copy as JPEG files in two `.npz` files, which is lossy and so named.
"""

import io
import pickle
import tarfile
from pathlib import Path

import numpy as np

from rramkit.errors import InputError, SetupError
from rramkit.learning.data.dataset import DataSet
from rramkit.learning.data.fetch import Remote, fetch
from rramkit.learning.data.own import npz_arrays

ARCHIVE = Remote(
    "CIFAR-10",
    "cifar-10-binary.tar.gz",
    "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
    "c32a1d4ab5d03f1284b67883e8d87530",
)
LOSSY = "CIFAR-10 (lossy JPEG copy)"
_SHAPE = (3, 32, 32)
_RECORD = 1 + 3072  # bytes of one image: label, then red, green and blue rows
_BATCHES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch")
_PICKLED = {("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode")}


def load(folder: Path, *, download: bool) -> DataSet:
    """Read CIFAR-10 from `folder` in any of the three forms; when there is none, download it if `download` is true.

    Raises
    ------
    InputError
        When no form is complete.
    SetupError
        When a download fails, or Pillow is missing for the JPEG form.
    """
    for where in (folder, folder / "cifar10", folder / "cifar-10-batches-bin", folder / "cifar-10-batches-py"):
        for suffix, read in ((".bin", _binary), ("", _pickled)):
            if all((where / f"{name}{suffix}").is_file() for name in _BATCHES):
                return _joined([read((where / f"{name}{suffix}").read_bytes()) for name in _BATCHES])
    jpeg = [folder / f"cifar10_jpeg_{part}.npz" for part in ("train", "test")]
    if all(path.is_file() for path in jpeg):
        (x_train, y_train), (x_test, y_test) = (_decoded(path) for path in jpeg)
        return DataSet(x_train, y_train, x_test, y_test, LOSSY)
    path = fetch(ARCHIVE, folder, "cifar10", download=download)
    try:
        with tarfile.open(path) as archive:
            members = [archive.extractfile(f"cifar-10-batches-bin/{name}.bin") for name in _BATCHES]
            return _joined([_binary(member.read()) for member in members if member is not None])
    except (tarfile.TarError, KeyError, OSError, EOFError) as error:
        raise InputError(f"{path}: not the whole archive of CIFAR-10 ({error}). Download it again.") from error


def _joined(batches: list[tuple[np.ndarray, np.ndarray]]) -> DataSet:
    *train, (x_test, y_test) = batches
    return DataSet(
        np.concatenate([x for x, _ in train]), np.concatenate([y for _, y in train]), x_test, y_test, "CIFAR-10"
    )


def _binary(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    if not content or len(content) % _RECORD:
        raise InputError(
            f"CIFAR-10: a binary batch has {len(content)} bytes, no multiple of {_RECORD}. Download it again."
        )
    records = np.frombuffer(content, np.uint8).reshape(-1, _RECORD)
    return records[:, 1:].reshape(-1, *_SHAPE), records[:, 0].astype(np.int64)


def _pickled(content: bytes) -> tuple[np.ndarray, np.ndarray]:
    try:
        batch = _Arrays(io.BytesIO(content), encoding="bytes").load()
        return np.asarray(batch[b"data"], np.uint8).reshape(-1, *_SHAPE), np.asarray(batch[b"labels"], np.int64)
    except (pickle.UnpicklingError, KeyError, TypeError, ValueError, EOFError) as error:
        raise InputError(f"CIFAR-10: a pickled batch cannot be read ({error}). Use the binary version.") from error


class _Arrays(pickle.Unpickler):
    """Reads arrays only: a pickle may name any function."""

    def find_class(self, module: str, name: str) -> object:
        """Return one of the few objects that an array's pickle names."""
        if name == "_reconstruct" and module in ("numpy.core.multiarray", "numpy._core.multiarray"):
            return np.empty(0).__reduce__()[0]  # its module depends on NumPy's version
        if (module, name) not in _PICKLED:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return super().find_class(module, name)


def _decoded(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return images (N, 3, 32, 32) and labels (N,) of a file of concatenated JPEG files."""
    try:
        from PIL import Image
    except ImportError as error:
        raise SetupError(f"{path}: JPEG images need Pillow, which is missing. `pip install pillow`.") from error
    arrays = npz_arrays(path)
    missing = [name for name in ("jpeg", "offsets", "labels") if name not in arrays]
    if missing:
        raise InputError(f"{path}: lacks the array `{missing[0]}`. Download it again.")
    jpeg, offsets, labels = arrays["jpeg"], arrays["offsets"], arrays["labels"]
    images = np.empty((len(labels), *_SHAPE), np.uint8)
    for index in range(len(labels)):
        picture = Image.open(io.BytesIO(jpeg[offsets[index] : offsets[index + 1]].tobytes()))
        images[index] = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)
    return images, labels.astype(np.int64)
