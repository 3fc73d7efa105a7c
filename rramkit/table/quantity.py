"""Values with a unit, and which unit the names that the layout knows must have."""

from dataclasses import dataclass

import numpy as np

# Units of the quantities that the layout names; another name may carry any unit.
UNITS = (
    dict.fromkeys(("g_cell", "g_start", "delta_g"), "S")
    | dict.fromkeys(("v_cell", "v_pulse", "v_step", "v_read"), "V")
    | dict.fromkeys(("r_row", "r_col", "r_drive", "r_sense"), "ohm")
    | {"i_cell": "A", "energy": "J", "t_read": "s", "t_pulse": "s"}
)
NEVER_NEGATIVE = ("g_cell", "g_start", "energy", "r_row", "r_col", "r_drive", "r_sense", "t_read", "t_pulse")


@dataclass(frozen=True)
class Quantity:
    """Values with a unit: a scalar or an array in SI units.

    Attributes
    ----------
    values : ndarray
        The numbers.
    unit : str
        SI unit; `1` for a pure number.
    labels : tuple of str
        For an axis of names (process corners and the like): one for each value, the values then being 0, 1, 2 ...
        Nothing is interpolated along such an axis; take one of its values (`Table.along`).
    log : bool
        Whether whoever interpolates does so in its logarithm: an axis along which factors count, an exponential signal.
    """

    values: np.ndarray
    unit: str
    labels: tuple[str, ...] = ()
    log: bool = False

    def __float__(self) -> float:
        return float(self.values)

    @classmethod
    def of_labels(cls, labels: tuple[str, ...]) -> "Quantity":
        """Return an axis of names."""
        return cls(np.arange(len(labels), dtype=float), "1", labels)
