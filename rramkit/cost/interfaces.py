"""The interfaces of the arrays: what drives their lines, and what converts their currents.

The row drivers turn numbers into voltages, the converters (or the comparators of the merge `majority`) currents into
numbers: the two parts that a network with inputs and outputs of few bits can do without. Readouts, which hold a line
and turn its current into a voltage, are in neither.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rramkit.cost.digital import passes
from rramkit.cost.items import total

if TYPE_CHECKING:
    from rramkit.cost.cost import Cost

_CONVERTERS = ("adc", "sense_amp")


@dataclass(frozen=True)
class Interfaces:
    """Drivers and converters of one forward pass.

    Attributes
    ----------
    conversions : float
        Currents converted (1).
    e_drivers, e_converters : float
        Energy (J).
    a_drivers, a_converters : float or None
        Area (m2); None: not known.
    """

    conversions: float
    e_drivers: float
    e_converters: float
    a_drivers: float | None
    a_converters: float | None

    @property
    def energy(self) -> float:
        """Energy of both (J)."""
        return self.e_drivers + self.e_converters

    @property
    def area(self) -> float | None:
        """Area of both (m2); None: not known."""
        return None if self.a_drivers is None or self.a_converters is None else self.a_drivers + self.a_converters


def interfaces_of(cost: "Cost") -> Interfaces:
    """Return the interfaces of a training's network, by the mean of its forward passes.

    Parameters
    ----------
    cost : Cost
        The cost.
    """
    count = max(passes(cost.subject, cost.subject.training), 1.0)
    forward = [item for item in cost.training if item.phase == "forward"]
    converters = [item for item in forward if item.part == "converters"]

    def area(names: tuple[str, ...]) -> float | None:
        return sum(each.area for each in cost.areas if each.part in names) if cost.circuits else None

    return Interfaces(
        sum(item.count for item in converters) / count,
        total(item for item in forward if item.part == "row drivers") / count,
        total(converters) / count,
        area(("row_driver",)),
        area(_CONVERTERS),
    )
