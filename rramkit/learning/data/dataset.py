"""What there is to learn: inputs and labels, for training and for testing."""

from dataclasses import dataclass, replace

import numpy as np

_TEST_PART = 0.2  # of each class (1): the usual split of small sets
_CROP = 4  # pixels that an image is shifted by at most: He et al. 2015 (arXiv 1512.03385), section 4.2


@dataclass(frozen=True)
class DataSet:
    """Inputs and labels; `y_train` (N,) and `y_test` (M,) are integers from 0.

    Attributes
    ----------
    x_train, x_test : ndarray
        Vectors (N, F) or images (N, C, H, W); numbers, or bytes that stand for 0 to 1.
    name : str
        Where they come from, and what must be said beside an accuracy.
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    name: str = ""

    @property
    def classes(self) -> int:
        """Number of classes."""
        return int(self.y_train.max()) + 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input: (F,) or (C, H, W)."""
        return self.x_train.shape[1:]

    def shortened(self, train: int, test: int, *, rng: np.random.Generator) -> "DataSet":
        """Return so many inputs drawn without replacement (0: all of them)."""
        kept = [
            np.sort(rng.permutation(len(labels))[: count or None])
            for labels, count in ((self.y_train, train), (self.y_test, test))
        ]
        (a, b), old = kept, self
        return replace(old, x_train=old.x_train[a], y_train=old.y_train[a], x_test=old.x_test[b], y_test=old.y_test[b])

    def standardised(self) -> "DataSet":
        """Return numbers of mean 0 and deviation 1 over the training inputs, each channel by itself."""
        axes = (0, *range(2, self.x_train.ndim)) if self.x_train.ndim == 4 else None
        train, test = as_numbers(self.x_train, np.float32), as_numbers(self.x_test, np.float32)
        mean = train.mean(axis=axes, keepdims=True, dtype=np.float64).astype(np.float32)
        deviation = train.std(axis=axes, keepdims=True, dtype=np.float64).astype(np.float32)
        deviation = np.where(deviation > 0.0, deviation, np.float32(1.0))
        return replace(self, x_train=(train - mean) / deviation, x_test=(test - mean) / deviation)


def as_numbers(x: np.ndarray, dtype: np.typing.DTypeLike) -> np.ndarray:
    """Return inputs as numbers of a type; bytes become 0 to 1."""
    if x.dtype == np.uint8:
        return np.multiply(x, np.asarray(1.0 / 255.0, dtype), dtype=dtype)
    return x.astype(dtype, copy=False)


def augmented(x: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return images (B, C, H, W), each mirrored or not and shifted by up to 4 pixels into zeros, by chance."""
    batch, _, high, wide = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (_CROP, _CROP), (_CROP, _CROP)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (high, wide), axis=(2, 3))
    down, right = rng.integers(0, 2 * _CROP + 1, (2, batch))
    shifted = windows[np.arange(batch), :, down, right]
    mirrored = rng.random(batch) < 0.5
    return np.where(mirrored[:, None, None, None], shifted[..., ::-1], shifted)


def stratified(x: np.ndarray, labels: np.ndarray, *, seed: int, name: str = "") -> DataSet:
    """Split inputs (N, ...) and labels (N,) so that each class gives the same part to the test set."""
    rng = np.random.default_rng(seed)
    is_test = np.zeros(labels.size, dtype=bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        is_test[members[: round(_TEST_PART * members.size)]] = True
    return DataSet(x[~is_test], labels[~is_test], x[is_test], labels[is_test], name)
