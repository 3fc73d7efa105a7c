"""The device models' published equations in Python, one file each: the reference that ngspice is compared with."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rramkit.characterization.equations import bulk, jart, sky130, stanford, vteam, yakopcic

Values = Mapping[str, float]


@dataclass(frozen=True)
class Equations:
    """One model's equations.

    Attributes
    ----------
    current : callable
        `current(p, v, s)` [A], from te to be.
    rate : callable
        `rate(p, v, y)` [1/s] of the states y = (s, ...).
    others : tuple
        Where the states after s start.
    """

    current: Callable[[Values, float, float], float]
    rate: Callable[[Values, float, Sequence[float]], list[float]]
    others: tuple[float, ...] = ()


EQUATIONS = {
    "bulk": Equations(bulk.current, bulk.rate),
    "jart": Equations(jart.current, jart.rate),
    "sky130": Equations(sky130.current, sky130.rate, (0.0,)),
    "stanford": Equations(stanford.current, stanford.rate),
    "vteam": Equations(vteam.current, vteam.rate),
    "yakopcic": Equations(yakopcic.current, yakopcic.rate),
}
