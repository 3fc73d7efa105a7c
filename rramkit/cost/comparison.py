"""A run's energy against that of reference machines for the same multiplications, and against what TIME claims."""

from collections.abc import Mapping
from dataclasses import dataclass

from rramkit.cost.components import Components
from rramkit.cost.machines import Claim, Machine, Range, machine_file


@dataclass(frozen=True)
class Workload:
    """What any machine has to do for the same training.

    Attributes
    ----------
    macs : float
        Multiplications, each with an addition: those of the forward and the backward pass and of the gradient.
    off_chip : float
        Bytes that cross the border of the chip: the inputs, one byte each.
    """

    macs: float
    off_chip: float = 0.0


@dataclass(frozen=True)
class Against:
    """One machine beside the run.

    Attributes
    ----------
    key, machine : str and Machine
        The machine.
    energy : Range
        Its energy for the workload (J).
    ratio : Range
        That over the run's: above 1, the run needs less.
    """

    key: str
    machine: Machine
    energy: Range
    ratio: Range


@dataclass(frozen=True)
class ClaimedRatio:
    """A claimed ratio beside the run's, with one gradient unit.

    Attributes
    ----------
    claim : Claim
        What is claimed.
    unit : str
        Gradient unit.
    ratio : Range
        The run's ratio.
    """

    claim: Claim
    unit: str
    ratio: Range

    @property
    def place(self) -> str:
        """Where the claim lies: `within` the range, `above` it (the run needs more energy than claimed) or `below`."""
        low, high = self.ratio.low, self.ratio.high
        if high is not None and self.claim.ratio > high:
            return "above"
        if low is not None and self.claim.ratio < low:
            return "below"
        return "within" if low is not None and high is not None else "unknown"


def against(ours: Range, workload: Workload, components: Components) -> tuple[Against, ...]:
    """Return each reference machine beside a run.

    Parameters
    ----------
    ours : Range
        Energy of the run (J), over its assumptions.
    workload : Workload
        What it computed.
    components : Components
        Prices of memory off chip.

    Returns
    -------
    tuple of Against
        In the order of the file of machines; unknown energies stay unknown.

    Examples
    --------
    >>> from rramkit.cost import Range, components
    >>> from rramkit.cost.comparison import Workload, against
    >>> first = against(Range(1e-3, 2e-3), Workload(1e9), components())[0]
    >>> first.machine.title, first.energy.text("J"), first.ratio.text("1")
    ('DaDianNao', '3.48 to 7.2 mJ', '1.74 to 7.2')
    """
    rows = []
    for key, machine in machine_file().machines.items():
        energy = machine.energy(workload.macs, components, off_chip=workload.off_chip)
        rows.append(Against(key, machine, energy, energy.over(ours)))
    return tuple(rows)


def claimed(
    by_unit: Mapping[str, Range], workload: Workload, components: Components, *, reinforcement: bool
) -> tuple[ClaimedRatio, ...]:
    """Return TIME's ratio beside that of a run, for each gradient unit.

    Parameters
    ----------
    by_unit : mapping of str to Range
        Energy of the run (J) with each gradient unit.
    workload : Workload
        What it computed.
    components : Components
        Prices of memory off chip.
    reinforcement : bool
        Whether the run learns by reinforcement: against a GPU, else against DaDianNao.

    Returns
    -------
    tuple of ClaimedRatio
        One for each unit.

    Examples
    --------
    >>> from rramkit.cost import Range, components
    >>> from rramkit.cost.comparison import Workload, claimed
    >>> units = {"in memory": Range(3e-3, 3e-3), "digital": Range(3e-2, 3e-2)}
    >>> for row in claimed(units, Workload(48e9), components(), reinforcement=False):
    ...     print(row.unit, row.ratio.text("1"), row.place)
    in memory 55.68 to 115.2 below
    digital 5.568 to 11.52 below
    """
    claim = machine_file().claims["reinforcement" if reinforcement else "supervised"]
    energy = machine_file().machines[claim.machine].energy(workload.macs, components, off_chip=workload.off_chip)
    return tuple(ClaimedRatio(claim, unit, energy.over(ours)) for unit, ours in by_unit.items())


def swings(base: float, alternatives: Mapping[str, Mapping[str, float]]) -> tuple[tuple[str, float, float], ...]:
    """Return how far each assumption moves a total, the one that moves it most first.

    Parameters
    ----------
    base : float
        The total under the assumptions of the run.
    alternatives : mapping
        By assumption: the total under each of its choices, the others as in `base`.

    Returns
    -------
    tuple of (str, float, float)
        Assumption, and the lowest and highest total over `base` (1).

    Examples
    --------
    >>> from rramkit.cost.comparison import swings
    >>> swings(2.0, {"converter": {"own": 2.0, "survey": 3.0}, "gradient": {"registers": 2.0, "SRAM": 20.0}})
    (('gradient', 1.0, 10.0), ('converter', 1.0, 1.5))
    """
    found = [
        (name, min(base, *choices.values()) / base, max(base, *choices.values()) / base)
        for name, choices in alternatives.items()
    ]
    return tuple(sorted(found, key=lambda row: row[1] / row[2]))
