"""A user's own data, from one `.npz` file: read without trust, and checked for what is probably not meant.

Refused: what is no `.npz` of numbers, arrays that the file does not hold in full (a header may claim any shape, and
NumPy takes the memory for it first), one class, labels far beyond the classes that occur, images with the channel
last, inputs that are all the same. Said: classes without a training input, classes of few inputs, a test set so small
that the accuracy goes in coarse steps, inputs far from 0 to 1, test inputs of another range than the training inputs',
test inputs that are training inputs too.
"""

import hashlib
import math
import warnings
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from rramkit.errors import DataWarning, InputError, one_line
from rramkit.learning.data.dataset import DataSet, stratified

_WHOLE, _SPLIT = ("x", "y"), ("x_train", "y_train", "x_test", "y_test")
_VALIDATION = ("x_validation", "y_validation")
_ARRAYS = 4096  # of a file: the weights of a ResNet-152 are 932
_ALWAYS_READ = 2**30  # bytes that any file may unfold to
_PACKED = 200  # bytes that a byte of a larger file may unfold to: spikes and one-hot inputs shrink by 100
_CHANNELS = (1, 3, 4)  # of an image: grey, colours, colours and opacity
_FEW = 10  # training inputs of a class
_FEW_TESTS = 50  # test inputs: the accuracy goes in steps of 2 %
_LARGE = 30.0  # of an input (1): standardised ones stay below it, pixels from 0 to 255 do not
_OTHER_RANGE = 4.0  # of the largest test input over the largest training input, either way
_KNOWN = 0.01  # part of the test inputs: a few equal images are in published data too
_TORCH = (
    "Write it in PyTorch: `numpy.savez('w.npz', **{name: each.numpy() for name, each in model.state_dict().items()})`, "
    "or export the model as ONNX."
)
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def own(path: Path, *, seed: int, standardised: bool = False) -> DataSet:
    """Read a user's own data from one `.npz` file.

    Keys: `x_train` (N, F) or (N, C, H, W) or (N, H, W), `y_train` (N,), `x_test`, `y_test`, and `x_validation`,
    `y_validation` if they are to be one's own; or only `x` and `y`, of which a fifth of each class becomes the test
    set. Bytes stand for 0 to 1; other numbers are used as they are. Labels are integers from 0; targets of a
    regression (N, O) are numbers from 0 to 1.

    Parameters
    ----------
    path : Path
        The file.
    seed : int
        Of the split, where the file has none.
    standardised : bool
        Whether the inputs will be scaled, so that how large they are says nothing.

    Raises
    ------
    InputError
        When the file cannot be read or does not fit.
    """
    arrays = npz_arrays(path)
    try:
        data = _data_set(arrays, seed, path.name)
        if data is not None:
            said = [*_of_classes(data), *_of_inputs(data, standardised=standardised)]
            if said:
                warnings.warn(f"{data.name}: {'; '.join(said)}.", DataWarning, stacklevel=3)
            return replace(data, digest=digest_of(arrays))
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    raise InputError(
        f"{path}: must hold {', '.join(_SPLIT)}, or x and y; got {', '.join(sorted(arrays)) or 'nothing'}. "
        "Name the arrays so."
    )


def digest_of(arrays: Mapping[str, np.ndarray]) -> str:
    """Return a hash of a file's arrays, their names and types; how the file is packed does not change it."""
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        found.update(f"{name} {array.dtype.str} {array.shape} ".encode())
        found.update(np.ascontiguousarray(array).data)
    return found.hexdigest()[:16]


def npz_arrays(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of an `.npz` file of numbers by name.

    Raises
    ------
    InputError
        When it cannot be read as one, or an array in it is not there in full.
    """
    cure = _TORCH if path.suffix in (".pt", ".pth", ".ckpt") else "Write it with `numpy.savez`."
    if path.suffix == ".npy" and path.is_file():
        raise InputError(f"{path}: holds one array alone. Put inputs and labels into one file. {cure}")
    try:
        with zipfile.ZipFile(path) as file:
            _check_sizes(file, path.stat().st_size)
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile, zlib.error) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(one_line(f"{path}: cannot be read as .npz ({why}). {cure}")) from error
    except (TypeError, LookupError, EOFError, RuntimeError, NotImplementedError, MemoryError, SyntaxError) as error:
        raise InputError(one_line(f"{path}: cannot be read as .npz (damaged: {error}). {cure}")) from error


def _check_sizes(file: zipfile.ZipFile, packed: int) -> None:
    """Raise `ValueError` where the arrays of a file are not what their headers say, or far larger than the file."""
    members = file.infolist()
    if len(members) > _ARRAYS:
        raise ValueError(f"it holds {len(members)} arrays")
    size = sum(member.file_size for member in members)
    if size > max(_ALWAYS_READ, _PACKED * packed):
        raise ValueError(f"its {packed} bytes would unfold to {size}")
    for member in members:
        with file.open(member) as stream:
            version = np.lib.format.read_magic(stream)
            if version not in _HEADERS:
                raise ValueError(f"`{member.filename}` has the header of another version")
            shape, _, dtype = _HEADERS[version](stream)
            if dtype.hasobject:
                raise ValueError(f"`{member.filename}` holds Python objects, which could run code: numbers are needed")
            if any(length < 0 for length in shape) or dtype.kind not in "biuf":
                raise ValueError(f"`{member.filename}` holds {dtype} of {shape}, no numbers")
            if stream.tell() + math.prod(shape) * dtype.itemsize != member.file_size:
                raise ValueError(
                    f"`{member.filename}` should hold {shape} of {dtype}, and has other {member.file_size} bytes"
                )


def _data_set(arrays: dict[str, np.ndarray], seed: int, name: str) -> DataSet | None:
    """Return the data of a file's arrays; None where they have other names."""
    check_arrays(arrays)
    if all(key in arrays for key in _SPLIT):
        validation = {key: arrays[key] for key in _VALIDATION if key in arrays}
        return DataSet(*(arrays[key] for key in _SPLIT), name=name, **validation)
    if all(key in arrays for key in _WHOLE):
        return stratified(arrays["x"], arrays["y"], seed=seed, name=name)
    return None


def check_arrays(arrays: Mapping[str, np.ndarray]) -> None:
    """Refuse inputs (`x...`) and labels (`y...`) of a user's that are probably not what was meant.

    Raises
    ------
    InputError
        When images have their channel last, or labels go far beyond the classes that occur.
    """
    for name, array in arrays.items():
        if name.startswith("x"):
            _check_layout(array, name)
        elif name.startswith("y"):
            _check_labels(array, name)


def _check_layout(x: np.ndarray, name: str) -> None:
    """Refuse images whose channel is the last axis."""
    if x.ndim == 4 and x.shape[3] in _CHANNELS and x.shape[1] not in _CHANNELS:
        raise InputError(
            f"`{name}` must be images (N, C, H, W); got {x.shape}, with the channel last. Pass "
            f"`{name}.transpose(0, 3, 1, 2)`."
        )


def _check_labels(y: np.ndarray, name: str) -> None:
    """Refuse labels far beyond the classes that occur: a network has an output for each up to the largest."""
    if y.ndim != 1 or y.dtype.kind not in "ui" or not y.size or y.min() < 0:
        return  # `DataSet` says what is wrong
    found = np.unique(y)
    if int(found[-1]) + 1 > max(2 * found.size, 10) and name in ("y", "y_train"):
        raise InputError(
            f"`{name}` must number the classes from 0; got {found.size} classes up to the label {found[-1]}. Number "
            f"them anew: `np.unique({name}, return_inverse=True)[1]`."
        )


def _of_classes(data: DataSet) -> list[str]:
    """Refuse one class; return what makes an accuracy mean little."""
    if data.has_targets:
        return []
    found, counts = np.unique(data.y_train, return_counts=True)
    if data.classes < 2 or found.size < 2:
        raise InputError(f"labels must be of two or more classes; all are {found[0]}. Fix the labels.")
    said = []
    missing = sorted(set(range(data.classes)) - set(found.tolist()))
    if missing:
        said.append(f"no training input has the label {', '.join(map(str, missing[:5]))}: labels count from 0")
    few = found[counts < _FEW]
    if few.size:
        said.append(f"{few.size} of {found.size} classes have fewer than {_FEW} training inputs")
    if data.y_test.size < _FEW_TESTS:
        said.append(f"{data.y_test.size} test inputs: the accuracy goes in steps of {1 / data.y_test.size:.1%}")
    return said


def _of_inputs(data: DataSet, *, standardised: bool) -> list[str]:
    """Refuse inputs that are all the same; return what is probably not meant of the others."""
    if len(data.x_train) > 1 and not np.any(data.x_train != data.x_train[0]):
        raise InputError("training inputs must differ; all are the same. Check how they were written.")
    largest, of_tests = map(_largest, (data.x_train, data.x_test))
    said = []
    if largest > _LARGE and not standardised:
        said.append(
            f"inputs reach {largest:.4g}, and are used as they are (only bytes stand for 0 to 1): divide them, or "
            "`--set data.standardise=true`"
        )
    if max(largest, of_tests) > _OTHER_RANGE * min(largest, of_tests):
        said.append(f"test inputs reach {of_tests:.4g}, training inputs {largest:.4g}: scale both alike")
    known = {hash(row.tobytes()) for row in data.x_train}  # hashes: the rows themselves would double the data in memory
    shared = sum(hash(row.tobytes()) in known for row in data.x_test) / len(data.x_test)
    if shared > _KNOWN:
        said.append(f"{shared:.1%} of the test inputs are training inputs too: their accuracy is not that of new ones")
    return said


def _largest(x: np.ndarray) -> float:
    """Return the largest magnitude of inputs (N, ...) as a training sees them: bytes stand for 0 to 1."""
    largest = max(float(np.max(x)), -float(np.min(x)))  # no copy: of bytes it would be eight times as large, twice
    return largest / (255 if x.dtype == np.uint8 else 1)
