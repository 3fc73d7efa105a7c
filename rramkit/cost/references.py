"""Reference machines and TIME's claims beside the cost of a training, over its assumptions and places of the gradient.

The first programming is left out, as a reference's loading of weights is. The range of a run's energy is over what no
circuit and no count says (`CHOICES`): the multipliers' width, leakage counted or gated off, schedule; that of the
gradient in memory also over the pulses that coincidences may take (`rramkit.cost.gradient`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product

from rramkit.cost.assumptions import Assumptions, GradientPlace
from rramkit.cost.comparison import Against, ClaimedRatio, Workload, against, claimed, swings
from rramkit.cost.cost import Cost
from rramkit.cost.digital import passes
from rramkit.cost.gradient import NAMES, PLACES
from rramkit.cost.items import total
from rramkit.cost.machines import Machine, Range, machine_file
from rramkit.cost.memory import gradient_place
from rramkit.record import EpisodeRun

TITLES: Mapping[str, str] = {
    "gradient": "place of the gradient",
    "gradient_bits": "bits of the gradient's multipliers",
    "leak_share": "leakage, counted or gated off",
    "schedule": "schedule",
}
CHOICES: Mapping[str, tuple[object, ...]] = {
    "gradient_bits": (8, 16),
    "leak_share": (0.0, 1.0),
    "schedule": ("serial", "pipelined"),
}
"""Choices of `Assumptions` that a range is over."""


@dataclass(frozen=True)
class References:
    """Reference machines beside one training.

    Attributes
    ----------
    training : Workload
        The training without its first programming, at its own place of the gradient.
    inference : Workload
        One forward pass, without leakage.
    by_place : mapping
        The training at each place of the gradient, by title.
    machines : tuple of Against
        Each machine.
    claims : tuple of ClaimedRatio
        What TIME claims, beside each place.
    swings : tuple of (str, float, float)
        By how much each assumption alone moves the ratio to the claim's machine: lowest and highest over that of the
        run under its own assumptions, the most first.
    """

    training: Workload
    inference: Workload
    by_place: Mapping[str, Workload]
    machines: tuple[Against, ...]
    claims: tuple[ClaimedRatio, ...]
    swings: tuple[tuple[str, float, float], ...]


def beside(cost: Cost) -> References:
    """Return the reference machines beside the cost of a training.

    Examples
    --------
    >>> import rramkit as rk
    >>> from rramkit.cost import beside, cost_of
    >>> found = beside(cost_of(rk.load_run("run.h5")))
    >>> found.machines[0].machine.title, found.claims[0].claim.ratio
    ('DaDianNao', 5.3)
    """
    workloads: dict[GradientPlace, Workload] = {place: _training(cost, place) for place in PLACES}
    training = workloads[gradient_place(cost.subject, cost.assumed)]
    by_place = {NAMES[place]: workloads[place] for place in PLACES}
    inference = _inference(cost)
    claims = claimed(by_place, reinforcement=isinstance(cost.subject.run, EpisodeRun))
    machine = machine_file().machines[claims[0].claim.machine]
    return References(
        training,
        inference,
        by_place,
        against(training, inference),
        claims,
        _swings(cost, training.on(machine), machine),
    )


def energy_of(cost: Cost, **choices: object) -> float:
    """Return the energy (J) of a training without its first programming, with some assumptions replaced."""
    assumed = Assumptions.checked(cost.assumed.model_dump() | choices, where="assumptions")
    return total(replace(cost, assumed=assumed).training)


def _training(cost: Cost, place: GradientPlace) -> Workload:
    """Return the training with the gradient at a place.

    Multiplications are those of each forward pass (in reinforcement learning also of those that act and value), and of
    backward pass and gradient for each input trained on.
    """
    work, images = cost.subject.work, cost.subject.training.images
    forward = passes(cost.subject, cost.subject.training)
    found = [energy_of(cost, gradient=place, **choices) for choices in _combinations()]
    more = next(each.high - each.low for each in cost.gradients if each.place == place)
    return Workload(
        macs=forward * work.macs_forward + images * (work.macs_backward + work.macs_forward),
        energy=Range(min(found), max(found) + more),
        off_chip=total(item for item in cost.training if item.price.startswith("offchip.")),
    )


def _inference(cost: Cost) -> Workload:
    inputs = total(item for item in cost.training if item.price.startswith("offchip."))
    inputs /= max(passes(cost.subject, cost.subject.training), 1.0)
    energy = cost.energy_inference
    return Workload(cost.subject.work.macs_forward, Range(energy, energy), inputs)


def _combinations() -> Iterator[dict[str, object]]:
    for values in product(*CHOICES.values()):
        yield dict(zip(CHOICES, values, strict=True))


def _swings(cost: Cost, theirs: Range, machine: Machine) -> tuple[tuple[str, float, float], ...]:
    """Return how far each assumption alone moves the ratio to a machine of energy `theirs`; an unknown end does not."""
    base = energy_of(cost)
    arrays = [item for item in cost.training if item.origin == "SPICE"]
    writes = total(item for item in arrays if item.phase == "update")
    free = {"reads of the arrays": total(arrays) - writes, "writes": writes}
    ratio = {name: {"free": base / (base - each)} for name, each in free.items()}
    for name, values in {**CHOICES, "gradient": PLACES}.items():
        ratio[TITLES[name]] = {str(value): base / energy_of(cost, **{name: value}) for value in values}
    if theirs.low is not None and theirs.high is not None:
        middle = (theirs.low * theirs.high) ** 0.5
        ratio[f"{machine.title}: its own range"] = {"low": theirs.low / middle, "high": theirs.high / middle}
    return swings(1.0, ratio)
