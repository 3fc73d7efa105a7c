"""A run's energy as a range, for each place of the gradient, and its work, as machines are compared with it."""

from dataclasses import replace

from rramkit.cost.comparison import Against, ClaimedRatio, Workload, against, claimed
from rramkit.cost.cost import Cost
from rramkit.cost.gradient import PLACES
from rramkit.cost.machines import Range
from rramkit.record import EpisodeRun

NAMES = {"batch": "sums in registers", "image": "sums in SRAM", "memory": "in memory"}
"""What the places of the gradient are called."""


def workload(cost: Cost) -> Workload:
    """Return the multiplications of the training, and the bytes of its inputs, one each."""
    work, span = cost.subject.work, cost.subject.training
    pairs = zip(work.matrices, span.reads["vectors"].sum(axis=1), strict=True)
    macs = sum(float(vectors) * each.rows * each.columns for each, vectors in pairs)
    return Workload(macs + work.macs_forward * span.images, work.inputs * span.images)


def by_place(cost: Cost) -> dict[str, Range]:
    """Return the energy of the run (J) at each place of the gradient: without static power to with it.

    In memory the upper end also has one pulse at each weight for each image.
    """
    found = {}
    for place in PLACES:
        there = replace(cost, assumed=cost.assumed.model_copy(update={"gradient": place}))
        more = next(each.high - each.low for each in cost.gradients if each.place == place)
        found[NAMES[place]] = Range(there.energy_dynamic, there.energy + more)
    return found


def machines_beside(cost: Cost) -> tuple[Against, ...]:
    """Return each reference machine beside the run as it is priced: without static power to with it."""
    return against(Range(cost.energy_dynamic, cost.energy), workload(cost), cost.components)


def claims_beside(cost: Cost) -> tuple[ClaimedRatio, ...]:
    """Return TIME's ratio beside the run's at each place of the gradient."""
    reinforcement = isinstance(cost.subject.run, EpisodeRun)
    return claimed(by_place(cost), workload(cost), cost.components, reinforcement=reinforcement)
