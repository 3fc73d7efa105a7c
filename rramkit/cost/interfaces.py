"""The interfaces of the arrays: what drives their lines, and what converts their currents.

The row drivers turn numbers into voltages, the converters (or the comparators of the merge `majority`) currents into
numbers: the two parts that a network with inputs and outputs of few bits can do without. Readouts, which hold a line
and turn its current into a voltage, are in neither. All matrices are counted; the ends of a network alone, with their
readouts, are `rramkit.cost.network_ends`. What drives an array in the mapping `sei`, ports and word lines,
is in neither.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from rramkit.array.read_parts import COMPARATORS, CONVERTERS, DRIVERS
from rramkit.cost.area import AreaItem
from rramkit.cost.items import Item, total

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


def interfaces_of(items: Sequence[Item], areas: Sequence[AreaItem] | None, *, inputs: float) -> Interfaces:
    """Return the interfaces of a network, by the mean of its forward passes.

    Parameters
    ----------
    items : sequence of Item
        Of a part of a training.
    areas : sequence of AreaItem, optional
        Areas by layer and part; left out, not known.
    inputs : float
        Forward passes in that part.
    """
    count = max(inputs, 1.0)
    forward = [item for item in items if item.phase == "forward"]
    converters = [item for item in forward if item.part in (CONVERTERS, COMPARATORS)]

    def area(names: tuple[str, ...]) -> float | None:
        return None if areas is None else sum(each.area for each in areas if each.part in names)

    return Interfaces(
        sum(item.count for item in converters) / count,
        total(item for item in forward if item.part == DRIVERS) / count,
        total(converters) / count,
        area(("row_driver",)),
        area(_CONVERTERS),
    )
