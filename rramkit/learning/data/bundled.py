"""Scikit-learn's digits: a data set that needs no download."""

import numpy as np

from rramkit.errors import SetupError
from rramkit.learning.data.dataset import DataSet, stratified


def digits(*, seed: int) -> DataSet:
    """Return the 1797 handwritten digits of 8 x 8 pixels of scikit-learn (Alpaydin and Kaynak 1998).

    A fifth of each class, drawn with `seed`, is the test set.

    Parameters
    ----------
    seed : int
        Seed of the split.

    Returns
    -------
    DataSet
        Vectors of 64 pixels from 0 to 1 (1), ten classes.

    Raises
    ------
    SetupError
        When scikit-learn is not installed.

    Examples
    --------
    >>> from rramkit.learning import digits
    >>> digits(seed=1)
    DataSet(digits (scikit-learn): 1438 training and 359 test inputs of 64, 10 classes)
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError as error:
        raise SetupError("the digits come with scikit-learn, which is missing. `pip install scikit-learn`.") from error
    x, labels = load_digits(return_X_y=True)
    pixels = np.asarray(x, dtype=float) / 16.0  # from 0 to 16
    return stratified(pixels, np.asarray(labels), seed=seed, name="digits (scikit-learn)")
