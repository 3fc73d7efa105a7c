"""Machines to compare a run with: what is published of each, under which assumption, and its energy for a workload."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from rramkit import units
from rramkit.cost.components import Components
from rramkit.cost.scaling import Mark
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

OPERATIONS = 2
"""Operations of one multiplication and addition, as the sources count them."""


@dataclass(frozen=True)
class Range:
    """A range over assumptions; an end that is None is unknown: nothing is taken in its place.

    Examples
    --------
    >>> from rramkit.cost.machines import Range
    >>> Range(1e-3, None).over(Range(1e-4, 2e-4))
    Range(low=5.0, high=None)
    """

    low: float | None = None
    high: float | None = None

    @property
    def known(self) -> bool:
        """Whether either end is known."""
        return self.low is not None or self.high is not None

    def over(self, divisor: "Range") -> "Range":
        """Return the range of quotients: lowest over highest, highest over lowest."""
        return Range(_quotient(self.low, divisor.high), _quotient(self.high, divisor.low))

    def times(self, factor: float) -> "Range":
        """Return the range of `factor` (not below 0) times the value."""
        return Range(*(None if end is None else factor * end for end in (self.low, self.high)))

    def plus(self, other: "Range") -> "Range":
        """Return the range of sums; an end is unknown where either is."""
        low = None if self.low is None or other.low is None else self.low + other.low
        return Range(low, None if self.high is None or other.high is None else self.high + other.high)

    def text(self, unit: str) -> str:
        """Return the range as text, `1.2 to 3.4 mJ`, `1.2 mJ or more`, `at most 3.4 mJ` or `unknown`."""
        if self.low is None or self.high is None:
            if self.low is not None:
                return f"{units.text(self.low, unit)} or more"
            return "unknown" if self.high is None else f"at most {units.text(self.high, unit)}"
        if self.low == self.high:
            return units.text(self.low, unit)
        low, high = units.text(self.low, unit, beside=self.high), units.text(self.high, unit)
        return f"{low.removesuffix(high.split()[-1]).rstrip() if ' ' in high else low} to {high}"


class Machine(Parameters):
    """What is published of a machine; a figure that is None is unknown."""

    title: str = Field(description="name, for tables")
    power: float | None = quantity(None, "W", "power of the chip or card", gt=0, le=1e5)
    ops: float | None = quantity(None, "1/s", "operations a second at most", gt=0, le=1e18)
    area: float | None = quantity(None, "m2", "area", gt=0, le=1e-2)
    energy_low: float | None = quantity(None, "J", "lowest energy of an operation over the assumptions", gt=0, le=1e-6)
    energy_high: float | None = quantity(None, "J", "highest; None: it may need any more", gt=0, le=1e-6)
    node: float | None = quantity(None, "m", "technology node", gt=0, le=1e-6)
    precision: str = Field(default="unknown", description="numbers that it computes with")
    memory: tuple[str, ...] = Field(default=(), description="components that price its off-chip bytes; none: included")
    source: str = Field(description="key of a source")
    mark: Mark = Field(description="found, derived or recalled")
    assumption: str = Field(description="what the energies take for granted", min_length=1)
    note: str = Field(default="", description="further published figures")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.energy_low, self.energy_high
        if high is not None and (low is None or high < low):
            raise ValueError(f"must have `energy_low` up to `energy_high`; got {low} and {high}. Fix them")
        return self

    @property
    def energy_of_operation(self) -> Range:
        """Energy of one operation (J)."""
        return Range(self.energy_low, self.energy_high)

    def energy(self, macs: float, components: Components, *, off_chip: float = 0.0) -> Range:
        """Return the energy of a workload.

        Parameters
        ----------
        macs : float
            Multiplications, each with an addition.
        components : Components
            Prices of memory off chip.
        off_chip : float
            Bytes that cross the border of the chip; not priced for a card whose power includes its memory.

        Returns
        -------
        Range
            Energy (J), lowest and highest over the assumptions.

        Examples
        --------
        >>> from rramkit.cost import components, machines
        >>> machines()["dadiannao"].energy(1e9, components()).text("J")
        '3.48 to 7.2 mJ'
        """
        if min(macs, off_chip) < 0:
            raise InputError(f"`macs` and `off_chip` must be 0 or more; got {macs} and {off_chip}. Fix them.")
        bits = [components[key].read_bit_at() for key in self.memory] or [0.0]
        moved = Range(min(bits), max(bits)).times(8 * off_chip)
        return self.energy_of_operation.times(OPERATIONS * macs).plus(moved)


class Claim(Parameters):
    """A published ratio: a machine's energy over that of the system that claims it."""

    title: str = Field(description="whose, of what")
    ratio: float = quantity(1.0, "1", "how many times less energy", gt=0)
    machine: str = Field(description="key of the machine")
    source: str = Field(description="key of a source")
    mark: Mark = Field(description="found, derived or recalled")


class MachineFile(Parameters):
    """What a file of machines holds."""

    sources: dict[str, str] = Field(default={}, description="title of each source by its key")
    machines: dict[str, Machine] = Field(default={}, description="machines by key")
    claims: dict[str, Claim] = Field(default={}, description="published ratios by the kind of learning")

    @model_validator(mode="after")
    def _with_sources(self) -> Self:
        for key, entry in {**self.machines, **self.claims}.items():
            if entry.source not in self.sources:
                raise ValueError(f"must have a title in `sources` for `{entry.source}` of {key}. Add it")
        for key, claim in self.claims.items():
            if claim.machine not in self.machines:
                raise ValueError(f"must have a machine `{claim.machine}`, which {key} names. Add it")
        return self


@cache
def machine_file() -> MachineFile:
    """Return the kit's machines with the titles of their sources."""
    return MachineFile.from_toml(Path(__file__).parent / "machines.toml")


def machines() -> dict[str, Machine]:
    """Return the reference machines by key.

    Examples
    --------
    >>> from rramkit.cost import machines
    >>> list(machines())[:2], machines()["prime"].energy_of_operation.known
    (['dadiannao', 'gpu_k20'], False)
    """
    return dict(machine_file().machines)


def _quotient(dividend: float | None, divisor: float | None) -> float | None:
    return None if dividend is None or not divisor else dividend / divisor
