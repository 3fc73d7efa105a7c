"""The three places of the gradient side by side: over the batch in registers, for each image in SRAM, in the cells.

In memory no product is formed: where a pulse of a row meets one of a column the cell takes a step, so the cost is that
of the pulses. How many there are is unknown for a run by another rule, and is given as a range::

    lowest     the pulses that the run fired: what is left after the images of a batch have been added up
    highest    one pulse at each weight for each image

each at the run's mean energy of a pulse, row drivers included. A run by a rule that does write coincidences
(`outer_product`, `tiki_taka`) has its own pulses, and both ends are those.
"""

from dataclasses import dataclass

from rramkit.cost.assumptions import Assumptions, GradientPlace
from rramkit.cost.components import Components
from rramkit.cost.digital import digital_items
from rramkit.cost.items import Item, total
from rramkit.cost.memory import gradient_place
from rramkit.cost.subject import Subject

PLACES: tuple[GradientPlace, ...] = ("batch", "image", "memory")


@dataclass(frozen=True)
class GradientCost:
    """One place of the gradient: the energy (J) of gradient and update of a training, lowest and highest."""

    place: GradientPlace
    low: float
    high: float
    chosen: bool


def gradient_costs(
    subject: Subject, components: Components, assumed: Assumptions, analogue: tuple[Item, ...]
) -> tuple[GradientCost, ...]:
    """Return the energy of gradient and update of a training, without its initial programming, at each place.

    Parameters
    ----------
    subject : Subject
        The training.
    components, assumed
        Prices and widths.
    analogue : tuple of Item
        The training's writes, from `analogue_items`.
    """
    span, chosen = subject.training, gradient_place(subject, assumed)
    own = gradient_place(subject, assumed.model_copy(update={"gradient": "auto"}))
    writes = [item for item in analogue if item.phase == "update"]
    pulses = [item for item in writes if item.part == "write pulses"]
    fired, of_pulses = sum(item.count for item in pulses), total(pulses)
    most = sum(each.macs for each in subject.work.matrices) * span.images
    found = []
    for place in PLACES:
        assumption = assumed.model_copy(update={"gradient": place})
        digital = digital_items(subject, span, components, assumption)
        base = total(item for item in digital if item.phase in ("gradient", "update")) + total(writes)
        more = of_pulses / fired * (most - fired) if place == "memory" and own != "memory" and fired else 0.0
        found.append(GradientCost(place, base, base + max(more, 0.0), place == chosen))
    return tuple(found)
