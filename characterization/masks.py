"""Failed points as a table carries them: a code for each, and the reasons that the codes stand for."""

from collections.abc import Sequence

import numpy as np

from rramkit.characterization.point import Outcome
from rramkit.table import Mask


def mask_of(outcomes: Sequence[Outcome], shape: tuple[int, ...]) -> Mask | None:
    """Return the mask of points in the order of `shape`; None when none failed."""
    reasons = tuple(sorted({outcome.reason for outcome in outcomes if outcome.reason is not None}))
    if not reasons:
        return None
    codes = [0 if outcome.reason is None else 1 + reasons.index(outcome.reason) for outcome in outcomes]
    return Mask(np.array(codes, dtype=np.uint8).reshape(shape), reasons)
