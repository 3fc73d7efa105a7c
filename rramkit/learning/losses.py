"""Losses of a training: what a batch's scores cost, and how good they are; TOML group `loss`, by its `kind`.

* `cross_entropy`: of softmax scores and labels; the default.
* `hinge`: of a linear support vector machine, each class against the rest (Rifkin and Klautau, JMLR 5, 101, 2004).
* `mean_square`: of real targets.
* `bits`: each target is a binary number, each bit one output behind a comparator; cross-entropy of each bit, by its
  weight in the number.

The first two take labels (N,) and are judged by the fraction of inputs classified correctly. The others take targets
(N, O) from 0 to 1 and are judged by the relative error: |answer - target| over the range of the targets, which is 1.
Their accuracy is 1 less its mean, so that what follows an accuracy (schedules, sweeps) works for both.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field

from rramkit.array.backend import Array, at_least, mean, namespace, numbered
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


@dataclass(frozen=True)
class RelativeErrors:
    """Mean and largest |answer - target| over all inputs and outputs, over the range of the targets (1)."""

    mean: float
    largest: float


class LossSettings(Parameters, ABC):
    """What a loss must have; scores are (B, S), and truth is labels (B,) or targets (B, O)."""

    takes_targets: ClassVar[bool] = False

    def outputs(self, of_data: int) -> int:
        """Return the number S of scores for data of so many classes or targets."""
        return of_data

    @abstractmethod
    def of(self, scores: Array, truth: Array) -> tuple[Array | float, Array]:
        """Return the mean loss of a batch, of tensors as one of one number, and its derivative by the scores (B, S)."""

    @abstractmethod
    def accuracy(self, scores: np.ndarray, truth: np.ndarray) -> float:
        """Return the part answered correctly, or 1 less the mean relative error (1)."""

    @abstractmethod
    def chance(self, truth: np.ndarray) -> float:
        """Return the largest accuracy of one answer to all inputs (1)."""

    def errors(self, scores: np.ndarray, truth: np.ndarray) -> RelativeErrors | None:
        """Return the relative errors of answers to targets; None for labels."""
        return None

    def check(self, *, has_targets: bool) -> None:
        """Refuse data of the other kind.

        Raises
        ------
        InputError
            When labels are given to a loss of targets, or targets to one of labels.
        """
        if has_targets == self.takes_targets:
            return
        kind = type(self).model_fields["kind"].default
        wanted, got = ("targets (N, O)", "labels (N,)") if self.takes_targets else ("labels (N,)", "targets (N, O)")
        others = '"cross_entropy" or "hinge"' if self.takes_targets else '"mean_square" or "bits"'
        raise InputError(
            f'`loss.kind` = "{kind}" must have {wanted}; the data have {got}. Take {others}, or other data.'
        )


class _OfLabels(LossSettings):
    """A loss of labels: the largest score is the answer."""

    def accuracy(self, scores: np.ndarray, truth: np.ndarray) -> float:
        """Return the fraction of inputs classified correctly."""
        return float(np.mean(np.argmax(scores, axis=1) == truth))

    def chance(self, truth: np.ndarray) -> float:
        """Return the part of the most frequent class."""
        return float(np.max(np.bincount(truth))) / len(truth)


class CrossEntropy(_OfLabels):
    """Cross-entropy of softmax scores."""

    kind: Literal["cross_entropy"] = quantity("cross_entropy", "1", "cross-entropy of softmax scores and labels")

    def of(self, scores: Array, truth: Array) -> tuple[Array | float, Array]:
        """Return the mean cross-entropy (nat) and its derivative."""
        return cross_entropy(scores, truth)


class Hinge(_OfLabels):
    """Hinge of each class against the rest: sum over classes of max(0, 1 - s) for the label's, max(0, 1 + s) else.

    Examples
    --------
    >>> import numpy as np
    >>> Hinge().of(np.array([[2.0, -0.5, -3.0]]), np.array([0]))[0]
    0.5
    """

    kind: Literal["hinge"] = quantity("hinge", "1", "support vector machine of each class against the rest")
    squared: bool = quantity(False, "1", "whether the hinge is squared, half of it: a slope that grows with the miss")

    def of(self, scores: Array, truth: Array) -> tuple[Array | float, Array]:
        """Return the mean over the batch of the sum over classes (1), and its derivative."""
        xp, own = namespace(scores), truth[:, None] == numbered(scores.shape[1], scores)
        side = xp.where(own, xp.ones_like(scores), -1.0)
        miss = at_least(1.0 - side * scores, 0.0)
        if self.squared:
            return 0.5 * mean((miss * miss).sum(axis=1)), -side * miss / len(truth)
        return mean(miss.sum(axis=1)), -side * (miss > 0.0) / len(truth)


class _OfTargets(LossSettings):
    """A loss of targets from 0 to 1."""

    takes_targets: ClassVar[bool] = True

    @abstractmethod
    def decoded(self, scores: np.ndarray) -> np.ndarray:
        """Return the answers (B, O) that scores (B, S) stand for."""

    def accuracy(self, scores: np.ndarray, truth: np.ndarray) -> float:
        """Return 1 less the mean relative error, 0 at least."""
        return max(0.0, 1.0 - self.errors(scores, truth).mean)

    def chance(self, truth: np.ndarray) -> float:
        """Return the accuracy of the median of each target."""
        return 1.0 - float(np.mean(np.abs(truth - np.median(truth, axis=0))))

    def errors(self, scores: np.ndarray, truth: np.ndarray) -> RelativeErrors:
        """Return mean and largest relative error (1)."""
        apart = np.abs(self.decoded(scores) - truth)
        return RelativeErrors(float(np.mean(apart, dtype=np.float64)), float(np.max(apart)))


class MeanSquare(_OfTargets):
    """Half the square of the error, summed over targets; the scores are the answers.

    Examples
    --------
    >>> import numpy as np
    >>> MeanSquare().of(np.array([[1.0, 0.5]]), np.array([[0.0, 0.5]]))[0]
    0.5
    """

    kind: Literal["mean_square"] = quantity("mean_square", "1", "square of the error of real targets")

    def decoded(self, scores: np.ndarray) -> np.ndarray:
        """Return the scores."""
        return scores

    def of(self, scores: Array, truth: Array) -> tuple[Array | float, Array]:
        """Return the mean over the batch of half the sum of squares (1), and its derivative."""
        apart = scores - namespace(truth).astype(truth, scores.dtype, copy=False)
        return 0.5 * mean((apart * apart).sum(axis=1)), apart / len(truth)


class Bits(_OfTargets):
    """Cross-entropy of each bit of binary targets, the highest first, each by its weight 2^-b in the number.

    Output b of a target says 1 where its score is above 0: a comparator. A target t is the number round(t (2^B - 1)) of
    B bits. (RECALLED of MEI, DAC 2015: the weights by bit; the rest is this kit's.) In Gray code (`gray`, this kit's
    choice) numbers side by side differ in one bit, so that a bit missed at its own edge costs one step and not half the
    range; the logic behind the comparators turns it into the number.

    Examples
    --------
    >>> import numpy as np
    >>> loss = Bits(bits=2)
    >>> loss.code(np.array([[0.0, 0.34, 1.0]])).astype(int)
    array([[0, 0, 0, 1, 1, 1]])
    >>> loss.decoded(np.array([[-1.0, -3.0, -1.0, 2.0, 1.0, 1.0]]))
    array([[0.        , 0.33333333, 1.        ]])
    """

    kind: Literal["bits"] = quantity("bits", "1", "cross-entropy of each bit of binary targets, by its weight")
    bits: int = quantity(4, "1", "bits of each target, each of them an output of the network", ge=1, le=16)
    gray: bool = quantity(False, "1", "whether numbers are in Gray code, and not binary")
    by_weight: bool = quantity(True, "1", "whether bit b counts 2^-b of the highest; false: all alike")

    def outputs(self, of_data: int) -> int:
        """Return the bits of all targets."""
        return of_data * self.bits

    def code(self, truth: np.ndarray) -> np.ndarray:
        """Return the bits (B, O x bits) of targets (B, O), 0.0 or 1.0, the highest of each target first."""
        number = np.rint(np.asarray(truth, dtype=np.float64) * (2**self.bits - 1)).astype(np.int64)
        number = number ^ (number >> 1) if self.gray else number
        shifts = np.arange(self.bits - 1, -1, -1)
        return ((number[..., None] >> shifts) & 1).reshape(len(number), -1).astype(np.float64)

    def decoded(self, scores: np.ndarray) -> np.ndarray:
        """Return the numbers (B, O) of the bits that scores above 0 say, over the largest number."""
        said = (scores > 0.0).reshape(len(scores), -1, self.bits)
        said = np.logical_xor.accumulate(said, axis=-1) if self.gray else said
        return said @ 2.0 ** np.arange(self.bits - 1, -1, -1) / (2**self.bits - 1)

    def of(self, scores: np.ndarray, truth: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the mean over the batch of the weighted sum over bits (nat), and its derivative."""
        said = self.code(truth).astype(scores.dtype)
        weight = 0.5 ** np.arange(self.bits) if self.by_weight else np.ones(self.bits)
        weight = np.tile(weight, scores.shape[1] // self.bits).astype(scores.dtype)
        # log(1 + exp(s)) - y s, without overflow at either end
        each = np.logaddexp(0.0, scores, dtype=scores.dtype) - said * scores
        probability = 0.5 * (np.tanh(0.5 * scores) + 1.0)
        return float(np.sum(weight * each, axis=1).mean()), weight * (probability - said) / len(truth)


Loss = Annotated[CrossEntropy | Hinge | MeanSquare | Bits, Field(discriminator="kind")]
"""The losses by their `kind`."""


def cross_entropy(scores: Array, labels: Array) -> tuple[Array | float, Array]:
    """Return the mean cross-entropy (nat) of softmax scores (B, C), and its derivative by the scores (B, C)."""
    xp, rows = namespace(scores), numbered(len(labels), scores)
    shifted = scores - xp.max(scores, axis=1, keepdims=True)
    log_p = shifted - xp.log(xp.sum(xp.exp(shifted), axis=1, keepdims=True))
    error = xp.exp(log_p)
    error[rows, labels] -= 1.0
    return -mean(log_p[rows, labels]), error / len(labels)
