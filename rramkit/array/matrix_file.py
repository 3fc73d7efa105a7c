"""A matrix as a CSV or NPY file."""

from pathlib import Path

import numpy as np

from rramkit import files
from rramkit.errors import InputError


def load_matrix(path: Path, name: str) -> np.ndarray:
    """Read a matrix from CSV or NPY; a single row is a matrix of one row.

    Raises
    ------
    InputError
        When the file is not there, or holds no matrix of finite numbers.
    """
    try:
        matrix = np.load(path) if path.suffix == ".npy" else np.loadtxt(path, delimiter=",", ndmin=2)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror or error}). Pass a CSV or NPY file.") from error
    except ValueError as error:
        raise InputError(f"{path}: not a table of numbers ({error}). Pass a CSV or NPY file.") from error
    matrix = np.atleast_2d(matrix)
    if matrix.ndim != 2 or not matrix.size or matrix.dtype.kind not in "iuf" or not np.all(np.isfinite(matrix)):
        raise InputError(f"{path}: `{name}` must be a matrix of finite numbers; got {matrix.shape}. Fix the file.")
    return matrix.astype(float)


def save_matrix(path: Path, matrix: np.ndarray) -> None:
    """Write a matrix as CSV, or as NPY where the name ends in it."""
    with files.whole_file(path) as draft:
        if path.suffix == ".npy":
            with draft.open("wb") as stream:
                np.save(stream, matrix)
        else:
            np.savetxt(draft, matrix, delimiter=",")
