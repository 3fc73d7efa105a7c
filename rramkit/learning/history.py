"""What an epoch did, for whoever shows progress, and all epochs' as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from rramkit.learning.trainer import NetworkState

BINS = 64  # of the conductance histograms (1): each an 8th of a bit-line's usual levels or finer


@dataclass(frozen=True)
class EpochReport:
    """One epoch's outcome; epoch 0 is before training.

    Attributes
    ----------
    epoch, epochs : int
        This one, and how many there are.
    accuracy_test, accuracy_train, float_accuracy_test : float
        Fractions of inputs classified rightly (training inputs: those that are judged); NaN without a float network.
    loss : float
        Mean cross-entropy over the judged training inputs (nat).
    pulses_set, pulses_reset, reads, energy_write, time_write, energy_read, clamped
        Pulses, cells read to be written, energy (J) and time (s) of both, energy of the training's array reads (J), and
        values clamped, in this epoch.
    pulses_by_matrix : ndarray of int
        Pulses at each of M matrices (M,) in this epoch.
    histograms : ndarray of int
        Cells in each bin of conductance (M, bins) after it.
    """

    epoch: int
    epochs: int
    accuracy_test: float
    accuracy_train: float
    float_accuracy_test: float
    loss: float
    pulses_set: int
    pulses_reset: int
    reads: int
    energy_write: float
    time_write: float
    energy_read: float
    clamped: int
    pulses_by_matrix: np.ndarray
    histograms: np.ndarray


def stacked(reports: Sequence[EpochReport]) -> dict[str, np.ndarray]:
    """Return each field of E+1 reports as an array (E+1, ...)."""
    return {field.name: np.stack([getattr(one, field.name) for one in reports]) for field in fields(EpochReport)}


def unstacked(arrays: dict[str, np.ndarray]) -> list[EpochReport]:
    """Return the reports that `stacked` had stacked."""
    rows = zip(*(_values(arrays[field.name]) for field in fields(EpochReport)), strict=True)
    return [EpochReport(*row) for row in rows]


def _values(array: np.ndarray) -> list:
    return array.tolist() if array.ndim == 1 else list(array)


def g_edges(g_range: tuple[float, float]) -> np.ndarray:
    """Return the edges (bins + 1,) of the conductance histograms (S)."""
    return np.linspace(*g_range, BINS + 1)


def histograms(student: NetworkState, edges: np.ndarray) -> np.ndarray:
    """Return the cells in each bin of conductance, (M, bins); cells beyond an end count in the last bin there."""
    held = [np.clip(part.cells.g_cell, edges[0], edges[-1]) for part in student.learner.parts]
    return np.array([np.histogram(g, edges)[0] for g in held], dtype=np.int64).reshape(len(held), BINS)


def pulses_between(before: NetworkState, after: NetworkState) -> np.ndarray:
    """Return the pulses fired at each matrix (M,) from one state to a later one."""
    pairs = zip(before.learner.pulses, after.learner.pulses, strict=True)
    return np.array([int(new.sum() - old.sum()) for old, new in pairs], dtype=np.int64)
