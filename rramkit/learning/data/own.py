"""A user's own data: one `.npz` file.

Keys: `x_train` (N, F) or (N, C, H, W) or (N, H, W), `y_train` (N,), `x_test`, `y_test`; or only `x` and `y`, of which a
fifth of each class becomes the test set. Bytes stand for 0 to 1; other numbers are taken as they are. Labels are
integers from 0.
"""

import zipfile
from pathlib import Path

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.data.dataset import DataSet, stratified

_WHOLE, _SPLIT = ("x", "y"), ("x_train", "y_train", "x_test", "y_test")


def load(path: Path, *, seed: int) -> DataSet:
    """Read and check a file; raise `InputError` with what does not fit."""
    try:
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot be read as .npz ({error}). Write it with `numpy.savez`.") from error
    if all(name in found for name in _SPLIT):
        x_train, y_train, x_test, y_test = (found[name] for name in _SPLIT)
        _check(path, "x_train", x_train, y_train)
        _check(path, "x_test", x_test, y_test)
        if x_train.shape[1:] != x_test.shape[1:] or y_test.max() > y_train.max():
            raise InputError(f"{path}: training and test inputs must have one shape and the same classes. Fix it.")
        data = DataSet(_images(x_train), y_train.astype(np.int64), _images(x_test), y_test.astype(np.int64), path.name)
    elif all(name in found for name in _WHOLE):
        _check(path, "x", found["x"], found["y"])
        data = stratified(_images(found["x"]), found["y"].astype(np.int64), seed=seed, name=path.name)
    else:
        raise InputError(
            f"{path}: must hold {', '.join(_SPLIT)}, or x and y; got {', '.join(sorted(found)) or 'nothing'}. "
            "Name the arrays so."
        )
    return data


def _check(path: Path, name: str, x: np.ndarray, labels: np.ndarray) -> None:
    if x.ndim not in (2, 3, 4) or not len(x) or x.dtype.kind not in "uifb" or not np.all(np.isfinite(x)):
        raise InputError(
            f"{path}: `{name}` must be (N, F), (N, H, W) or (N, C, H, W) and finite; got {x.shape} of {x.dtype}. "
            "Fix it."
        )
    if labels.shape != (len(x),) or labels.dtype.kind not in "ui" or labels.min() < 0:
        raise InputError(
            f"{path}: labels of `{name}` must be ({len(x)},), integers from 0; got {labels.shape} of {labels.dtype}. "
            "Fix them."
        )


def _images(x: np.ndarray) -> np.ndarray:
    """Return grey images (N, H, W) with their channel's axis."""
    return x[:, None] if x.ndim == 3 else x
