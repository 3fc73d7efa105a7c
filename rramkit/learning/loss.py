"""The loss: cross-entropy of a softmax, digital."""

import numpy as np


def cross_entropy(scores: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """Return the mean cross-entropy (nat) of softmax scores (B, C), and its derivative by the scores (B, C)."""
    shifted = scores - scores.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(labels))
    error = np.exp(log_p)
    error[rows, labels] -= 1.0
    return -float(log_p[rows, labels].mean()), error / len(labels)
