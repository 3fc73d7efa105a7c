"""Range of a coordinate on a page: its lowest and highest value with their unit, or the labels that it takes."""

from collections.abc import Sequence

import numpy as np

from rramkit import units
from rramkit.table import Quantity


def extent(values: Quantity, labels: Sequence[str] = ()) -> str:
    """Return a range as text, `2 to 50 µS`; of indices of labels, their own or `labels`: `tt, ss`."""
    named = values.labels or tuple(labels)
    if not named:
        return units.span(values.values, values.unit)
    return ", ".join(named[k] for k in np.unique(np.round(values.values).astype(int)))
