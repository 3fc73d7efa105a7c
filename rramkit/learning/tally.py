"""Reads and writes of each matrix as the arrays that a training log and a run file keep (`rramkit.record.counts`)."""

from collections.abc import Sequence

import numpy as np

from rramkit.array.backend import brought
from rramkit.array.write.state import WriteCost
from rramkit.learning.layers.read_cost import NetworkReads
from rramkit.record.counts import READS, WRITES


def reads_by_matrix(reads: NetworkReads, matrices: int) -> np.ndarray:
    """Return the reads of M matrices in both directions (M, 2, len(READS)); zeros where there were none."""
    found = np.zeros((matrices, 2, len(READS)))
    for way, costs in enumerate((reads.forward, reads.backward)):
        for matrix, cost in enumerate(costs):
            found[matrix, way] = [brought(getattr(cost, name)) for name in READS]
    return found


def writes_by_matrix(writes: Sequence[WriteCost], matrices: int) -> np.ndarray:
    """Return the writes of M matrices (M, len(WRITES)); zeros where there were none, as in float."""
    found = np.zeros((matrices, len(WRITES)))
    for matrix, cost in enumerate(writes):
        found[matrix] = [brought(getattr(cost, name)) for name in WRITES]
    return found


def added(one: Sequence[WriteCost], other: Sequence[WriteCost]) -> tuple[WriteCost, ...]:
    """Return the sum of two costs by matrix; an empty one adds nothing."""
    return tuple(a + b for a, b in zip(one, other, strict=True)) if one and other else tuple(one or other)
