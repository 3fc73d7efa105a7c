"""Data sets: images as rows of numbers in [0, 1], labels as integers, split once and repeatably."""

from dataclasses import dataclass

import numpy as np

from rramkit.errors import SetupError

_TEST_PART = 0.2  # of each class (1): the usual split of small sets


@dataclass(frozen=True)
class DataSet:
    """Inputs `x_train` (N, F) and `x_test` (M, F) within [0, 1], and labels `y_train` (N,) and `y_test` (M,)."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.y_train.max()) + 1


def digits(*, seed: int) -> DataSet:
    """Return the 1797 handwritten digits of 8 x 8 pixels that scikit-learn brings along (Alpaydin and Kaynak 1998).

    A fifth of each class, drawn with `seed`, is the test set.

    Raises
    ------
    SetupError
        When scikit-learn is not installed.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise SetupError("the digits come with scikit-learn, which is missing. `pip install scikit-learn`.") from error
    x, labels = load_digits(return_X_y=True)
    return stratified(np.asarray(x, dtype=float) / 16.0, np.asarray(labels), seed=seed)  # pixels are 0 to 16


def stratified(x: np.ndarray, labels: np.ndarray, *, seed: int) -> DataSet:
    """Split inputs (N, F) and labels (N,) so that each class gives the same part to the test set."""
    rng = np.random.default_rng(seed)
    is_test = np.zeros(labels.size, dtype=bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        is_test[members[: round(_TEST_PART * members.size)]] = True
    return DataSet(x[~is_test], labels[~is_test], x[is_test], labels[is_test])
