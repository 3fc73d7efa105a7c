"""Data sets: inputs with labels or targets for training, validation and test, standardisation and augmentation.

The validation inputs are a part of the training inputs that is not trained on: they choose settings, learning rates and
the end of a training. The test inputs are read once, after it.
"""

from dataclasses import dataclass, replace

import numpy as np

from rramkit.errors import InputError, SetupError

_TEST_PART = 0.2  # of each class (1): the usual split of small sets
_SPLIT_SEED = 1  # of the split of data that come without one
_VALIDATION = 2  # second word of the seed that draws the validation inputs: another stream than that of the test inputs
# Second word of the seed that draws errors of inputs. NumPy fills a seed up with zeros: this stream is also that of the
# first programming of a training's device, (seed, 3, 0). Both draw Gaussian numbers, of other things; figures of
# docs/systems (exploration) were drawn so, and stay as they are.
_FLUCTUATION = 3
_CROP = 4  # pixels that an image is shifted by at most: He et al. 2015 (arXiv 1512.03385), section 4.2


@dataclass(frozen=True, repr=False)
class DataSet:
    """Inputs and labels of a training and a test set; `DataSet(x, y)` splits off a fifth of each class as test set.

    Targets (N, O) from 0 to 1 in place of labels make a regression; of those, any fifth becomes the test set.

    Attributes
    ----------
    x_train, x_test : ndarray
        Vectors (N, F), images (N, C, H, W), or grey images (N, H, W), which get their channel's axis; numbers, or bytes
        that stand for 0 to 1.
    y_train, y_test : ndarray
        Labels (N,), integers from 0, or targets (N, O), numbers from 0 to 1.
    name : str
        Origin of the data, for reports.
    x_validation, y_validation : ndarray, optional
        The same, for the choice of settings: inputs (N, ...), labels (N,) or targets (N, O); left out, there are none
        until `with_validation` splits them off.
    prepared : tuple of (str, number)
        Data settings that have prepared the inputs, and their values (`DataSettings.prepared`).
    digest : str
        Hash of the arrays of a user's own file that the data come from; empty: of no such file.

    Raises
    ------
    InputError
        When shapes, types or labels do not fit each other.

    Examples
    --------
    >>> import numpy as np
    >>> x, y = np.random.default_rng(0).random((100, 4)), np.arange(100) % 2
    >>> data = DataSet(x, y)
    >>> data.x_train.shape, data.x_test.shape, data.classes
    ((80, 4), (20, 4), 2)
    """

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray = None  # pyright: ignore[reportAssignmentType]  (filled by the split)
    y_test: np.ndarray = None  # pyright: ignore[reportAssignmentType]
    name: str = ""
    x_validation: np.ndarray = None  # pyright: ignore[reportAssignmentType]  (none: an empty array)
    y_validation: np.ndarray = None  # pyright: ignore[reportAssignmentType]
    prepared: tuple[tuple[str, float], ...] = ()
    digest: str = ""

    def __post_init__(self) -> None:
        x, y = checked(self.x_train, self.y_train, "x_train", "y_train")
        if self.x_test is None or self.y_test is None:
            is_test = _part_of_each_class(y, _TEST_PART, rng=np.random.default_rng(_SPLIT_SEED))
            x, y, x_test, y_test = x[~is_test], y[~is_test], x[is_test], y[is_test]
        else:
            x_test, y_test = checked(self.x_test, self.y_test, "x_test", "y_test")
        if x.shape[1:] != x_test.shape[1:] or not _like(y_test, y):
            raise InputError(
                "training and test inputs must have one shape and the same classes; got "
                f"{x.shape[1:]} and {x_test.shape[1:]}, {_said(y)} and {_said(y_test)}. Fix the data."
            )
        x_validation, y_validation = self._checked_validation(x, y)
        for name, value in (
            *(("x_train", x), ("y_train", y), ("x_test", x_test), ("y_test", y_test)),
            *(("x_validation", x_validation), ("y_validation", y_validation)),
        ):
            object.__setattr__(self, name, value)

    def _checked_validation(self, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return validation inputs and labels, checked against those of training `x`, `y`; empty: there are none."""
        if self.x_validation is None or self.y_validation is None or not len(self.y_validation):
            return x[:0], y[:0]
        inputs, labels = checked(self.x_validation, self.y_validation, "x_validation", "y_validation")
        if inputs.shape[1:] != x.shape[1:] or not _like(labels, y):
            raise InputError(
                "`x_validation` must be inputs like those of training, of the same classes; got "
                f"{inputs.shape[1:]} and {x.shape[1:]}, {_said(labels)} and {_said(y)}. Fix the data."
            )
        return inputs, labels

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.shape))
        validation = f"{len(self.y_validation)} validation" if len(self.y_validation) else ""
        parts = [f"{len(self.y_train)} training", *([validation] if validation else [])]
        counts = f"{', '.join(parts)} and {len(self.y_test)} test inputs"
        answers = f"{self.classes} {'targets' if self.has_targets else 'classes'}"
        return f"DataSet({self.name or 'own data'}: {counts} of {shape}, {answers})"

    @property
    def has_targets(self) -> bool:
        """Whether inputs have targets (N, O), and not labels (N,)."""
        return self.y_train.ndim == 2

    @property
    def classes(self) -> int:
        """Number of classes; of targets where there are those."""
        return self.y_train.shape[1] if self.has_targets else int(self.y_train.max()) + 1

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one input: (F,) or (C, H, W)."""
        return self.x_train.shape[1:]

    def shortened(self, train: int, test: int, *, rng: np.random.Generator) -> "DataSet":
        """Return a random subset of so many training and test inputs (0: all of them).

        Parameters
        ----------
        train, test : int
            Inputs to keep; 0: all of them.
        rng : Generator
            Draws which.

        Returns
        -------
        DataSet
            The kept inputs in their order.

        Examples
        --------
        >>> import numpy as np
        >>> data = DataSet(np.random.default_rng(0).random((100, 4)), np.arange(100) % 2)
        >>> data.shortened(10, 0, rng=np.random.default_rng(0))
        DataSet(own data: 10 training and 20 test inputs of 4, 2 classes)
        """
        chosen = [
            np.sort(rng.permutation(len(labels))[: count or None])
            for labels, count in ((self.y_train, train), (self.y_test, test))
        ]
        (a, b), old = chosen, self
        return replace(old, x_train=old.x_train[a], y_train=old.y_train[a], x_test=old.x_test[b], y_test=old.y_test[b])

    def with_validation(self, fraction: float, *, seed: int) -> "DataSet":
        """Return the set with a part of each class of the training inputs split off as validation inputs.

        Parameters
        ----------
        fraction : float
            Part of each class (1), at least one input of a class that has two; 0: no split.
        seed : int
            Draws which inputs.

        Returns
        -------
        DataSet
            The set itself where it has validation inputs already, or `fraction` is 0.

        Raises
        ------
        InputError
            When no class has two training inputs.

        Examples
        --------
        >>> import numpy as np
        >>> data = DataSet(np.random.default_rng(0).random((100, 4)), np.arange(100) % 2)
        >>> data.with_validation(0.1, seed=1)
        DataSet(own data: 72 training, 8 validation and 20 test inputs of 4, 2 classes)
        """
        if len(self.y_validation) or not fraction:
            return self
        rng = np.random.default_rng((seed, _VALIDATION))
        out = _part_of_each_class(self.y_train, fraction, rng=rng, least=1)
        if not out.any():
            raise InputError(
                f"`data.validation` takes inputs of classes that have two or more; got {len(self.y_train)} training "
                f"inputs in {self.classes} classes. Set it to 0 or give more inputs."
            )
        x, y = self.x_train, self.y_train
        return replace(self, x_train=x[~out], y_train=y[~out], x_validation=x[out], y_validation=y[out])

    def fluctuating(self, sigma: float, *, seed: int) -> "DataSet":
        """Return the set with an error in each number of a validation or test input; training inputs stay.

        Parameters
        ----------
        sigma : float
            Standard deviation of the number's logarithm (1): as that of a written conductance (`sigma_log`).
        seed : int
            Draws the errors.

        Returns
        -------
        DataSet
            Validation and test inputs x exp(sigma z) in float32, z Gaussian and independent.

        Examples
        --------
        >>> import numpy as np
        >>> data = DataSet(np.ones((1000, 4)), np.arange(1000) % 2)
        >>> round(float(data.fluctuating(0.1, seed=1).x_test.std()), 1)
        0.1
        """
        rng = np.random.default_rng((seed, _FLUCTUATION))
        parts = [as_numbers(each, np.float32) for each in (self.x_validation, self.x_test)]
        moved = [x * np.exp(np.float32(sigma) * rng.standard_normal(x.shape, dtype=np.float32)) for x in parts]
        return replace(self, x_validation=moved[0], x_test=moved[1])

    def standardised(self) -> "DataSet":
        """Return numbers of mean 0 and deviation 1 over the training inputs, each channel by itself.

        Returns
        -------
        DataSet
            Inputs in float32; those for validation and test with the mean and the deviation of the training inputs.

        Examples
        --------
        >>> import numpy as np
        >>> data = DataSet(np.random.default_rng(0).random((100, 4)), np.arange(100) % 2)
        >>> float(data.standardised().x_train.std().round(3))
        1.0
        """
        axes = (0, *range(2, self.x_train.ndim)) if self.x_train.ndim == 4 else None
        parts = (self.x_train, self.x_validation, self.x_test)
        train, validation, test = (as_numbers(each, np.float32) for each in parts)
        mean = train.mean(axis=axes, keepdims=True, dtype=np.float64).astype(np.float32)
        deviation = train.std(axis=axes, keepdims=True, dtype=np.float64).astype(np.float32)
        deviation = np.where(deviation > 0.0, deviation, np.float32(1.0))
        train, validation, test = ((each - mean) / deviation for each in (train, validation, test))
        return replace(self, x_train=train, x_validation=validation, x_test=test)


def as_numbers(x: np.ndarray, dtype: np.typing.DTypeLike) -> np.ndarray:
    """Return inputs as numbers of a type; bytes become 0 to 1."""
    if x.dtype == np.uint8:
        return np.multiply(x, np.asarray(1.0 / 255.0, dtype), dtype=dtype)
    return x.astype(dtype, copy=False)


def augmented(x: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Return images (B, C, H, W), each mirrored or not and shifted by up to 4 pixels into zeros, at random."""
    batch, _, high, wide = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (_CROP, _CROP), (_CROP, _CROP)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (high, wide), axis=(2, 3))
    down, right = rng.integers(0, 2 * _CROP + 1, (2, batch))
    shifted = windows[np.arange(batch), :, down, right]
    mirrored = rng.random(batch) < 0.5
    return np.where(mirrored[:, None, None, None], shifted[..., ::-1], shifted)


def stratified(x: np.ndarray, labels: np.ndarray, *, seed: int, name: str = "") -> DataSet:
    """Split inputs (N, ...) and labels (N,) so that each class gives the same part to the test set; targets anyhow."""
    x, labels = checked(x, labels)
    counts = np.unique(_groups(labels), return_counts=True)[1]
    if round(_TEST_PART * counts.max()) < 1:
        raise InputError(
            f"a fifth of each class becomes the test set, but none of the {counts.size} classes has 3 inputs. Give "
            "more inputs, or a test set of your own (`x_test`, `y_test`)."
        )
    is_test = _part_of_each_class(labels, _TEST_PART, rng=np.random.default_rng(seed))
    return DataSet(x[~is_test], labels[~is_test], x[is_test], labels[is_test], name)


def checked(x: np.ndarray, y: np.ndarray, x_name: str = "x", y_name: str = "y") -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (N, F) or (N, C, H, W), and labels (N,) as integers or targets (N, O); refuse anything else.

    Raises
    ------
    InputError
        When a shape, a type or a value does not fit.
    """
    x, y = np.asarray(x), np.asarray(y)
    if x.ndim not in (2, 3, 4) or not len(x) or x.dtype.kind not in "uifb" or not _all_finite(x):
        raise InputError(
            f"`{x_name}` must be (N, F), (N, H, W) or (N, C, H, W) and finite; got {x.shape} of {x.dtype}. Fix it."
        )
    if y.ndim == 2 and y.dtype.kind == "f":
        return (x[:, None] if x.ndim == 3 else x), _checked_targets(y, len(x), y_name)
    if y.shape != (len(x),) or y.dtype.kind not in "ui" or y.min() < 0:
        raise InputError(
            f"`{y_name}` must be ({len(x)},), integers from 0; got {y.shape} of {y.dtype}. Fix the labels (of a "
            "regression: targets (N, O), numbers from 0 to 1)."
        )
    return (x[:, None] if x.ndim == 3 else x), y.astype(np.int64)


def _checked_targets(y: np.ndarray, count: int, name: str) -> np.ndarray:
    """Return targets (N, O) from 0 to 1."""
    if len(y) != count or not y.size or not np.all((y >= 0.0) & (y <= 1.0)):
        got = f"{y.shape}, {np.min(y, initial=np.inf):.4g} to {np.max(y, initial=-np.inf):.4g}"
        raise InputError(
            f"`{name}` must be targets ({count}, O) from 0 to 1; got {got}. Scale them, one for each input."
        )
    if y.shape[1] > 1 and np.all((y == 0.0) | (y == 1.0)) and np.all(y.sum(axis=1) == 1.0):
        raise InputError(
            f"`{name}` must be ({count},), integers from 0; got a column for each class, {y.shape}. Fix the labels: "
            f"`{name}.argmax(axis=1)`."
        )
    return y.astype(np.float64)


def _like(y: np.ndarray, of_training: np.ndarray) -> bool:
    """Whether answers are of the classes, or as many targets, as those of training."""
    if y.ndim == 2 or of_training.ndim == 2:
        return y.shape[1:] == of_training.shape[1:]
    return not len(y) or bool(y.max() <= of_training.max())


def _said(y: np.ndarray) -> str:
    return f"{y.shape[1]} targets" if y.ndim == 2 else f"labels to {y.max()}"


def _all_finite(x: np.ndarray) -> bool:
    return x.dtype.kind != "f" or bool(np.all(np.isfinite(x)))


def _part_of_each_class(labels: np.ndarray, part: float, *, rng: np.random.Generator, least: int = 0) -> np.ndarray:
    """Return a mask (N,) with the same part of each class, drawn with `rng`: `least` or more, but never all."""
    labels = _groups(labels)
    chosen = np.zeros(labels.size, dtype=bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        chosen[members[: min(max(round(part * members.size), least), members.size - 1)]] = True
    return chosen


def _groups(y: np.ndarray) -> np.ndarray:
    """Return labels (N,); inputs with targets are all of one group."""
    return np.zeros(len(y), dtype=np.int64) if y.ndim == 2 else y


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
