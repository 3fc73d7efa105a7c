"""A user's own data: one `.npz` file.

Keys: `x_train` (N, F) or (N, C, H, W) or (N, H, W), `y_train` (N,), `x_test`, `y_test`; or only `x` and `y`, of which a
fifth of each class becomes the test set. Bytes stand for 0 to 1; other numbers are used as they are. Labels are
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
            arrays = {name: file[name] for name in file.files}
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise InputError(f"{path}: cannot be read as .npz ({error}). Write it with `numpy.savez`.") from error
    try:
        if all(name in arrays for name in _SPLIT):
            return DataSet(*(arrays[name] for name in _SPLIT), name=path.name)
        if all(name in arrays for name in _WHOLE):
            return stratified(arrays["x"], arrays["y"], seed=seed, name=path.name)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    raise InputError(
        f"{path}: must hold {', '.join(_SPLIT)}, or x and y; got {', '.join(sorted(arrays)) or 'nothing'}. "
        "Name the arrays so."
    )
