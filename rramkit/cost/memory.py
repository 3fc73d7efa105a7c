"""Memories of the digital side: which ones hold the controller's numbers and a batch of outputs, and what they leak.

Left to the kit (`auto`), each is the smallest single one of the component file that holds everything, or as many of the
largest as it takes.
"""

from rramkit.cost.assumptions import SIZES, Assumptions, GradientPlace
from rramkit.cost.components import Components
from rramkit.cost.subject import Subject

MULTIPLIER = "digital.multiplier32_aladdin"
"""Component that the gradient unit's leakage and area are taken from."""

_KILOBYTE = 8 * 1024  # bits
_SUMS = "gradient of the batch"  # the controller's number that a rule without it adds up in cells


def gradient_place(subject: Subject, assumed: Assumptions) -> GradientPlace:
    """Return where the gradient is added up."""
    if assumed.gradient != "auto":
        return assumed.gradient
    return "batch" if _SUMS in subject.memory else "memory"


def settled(subject: Subject, assumed: Assumptions) -> Assumptions:
    """Return assumptions in which nothing is left to the kit."""
    place = gradient_place(subject, assumed)
    chosen = assumed.model_copy(update={"gradient": place})
    state, buffer = _bits(subject, chosen)
    names = {
        "state": _smallest(state) if assumed.state == "auto" else assumed.state,
        "buffer": _smallest(buffer) if assumed.buffer == "auto" else assumed.buffer,
    }
    return chosen.model_copy(update=names)


def memories(subject: Subject, assumed: Assumptions) -> dict[str, int]:
    """Return how many memories of each component hold numbers and outputs, for `settled` assumptions."""
    found: dict[str, int] = {}
    for name, bits in zip((assumed.state, assumed.buffer), _bits(subject, assumed), strict=True):
        assert name != "auto"
        key = f"memory.{name}"
        found[key] = found.get(key, 0) + -(-bits // (SIZES[name] * _KILOBYTE))
    return {key: count for key, count in found.items() if count}


def leak(subject: Subject, components: Components, assumed: Assumptions) -> dict[str, float]:
    """Return the power (W) that memories and the gradient unit take all the time, by component."""
    lanes = 0 if assumed.gradient == "memory" else assumed.lanes
    counts = {**memories(subject, assumed), MULTIPLIER: lanes}
    each = {key: components[key].leak for key in counts}
    return {
        key: assumed.leak_share * watts * counts[key]
        for key, watts in each.items()
        if watts is not None and counts[key]
    }


def _bits(subject: Subject, assumed: Assumptions) -> tuple[int, int]:
    """Return the bits of the controller's numbers, and those of inputs and outputs of a batch."""
    numbers = 0 if assumed.gradient == "memory" else sum(subject.memory.values())
    outputs = sum(each.columns * each.positions for each in subject.work.matrices) + subject.work.inputs
    batch = subject.training.images / max(subject.training.batches, 1.0)
    return subject.weights * numbers * assumed.state_bits, int(batch * outputs * assumed.data_bits)


def _smallest(bits: int) -> str:
    """Return the smallest memory that holds so many bits; beyond all, the largest."""
    return next((name for name, size in SIZES.items() if size * _KILOBYTE >= bits), list(SIZES)[-1])
