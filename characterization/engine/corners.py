"""Corners: process, supply and temperature, and what each changes in a component's parameters and deck.

process       every `Technology` in the parameters: the kit's own cards at that corner, or that section or file of a
              user's (`technology.corners`)
supply        a factor on the supplies of every technology and amplifier, and on those that the component names itself
temperature   ngspice's `temp` (transistors), and the ambient `t_amb` of every ReRAM device whose model has one

Given wire segments follow the temperature by their coefficient; other resistors keep their values.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, TypeVar

from pydantic import Field

from rramkit.characterization.engine.axes import CORNER, SUPPLY, TEMPERATURE, Axis
from rramkit.circuits.deck import Deck
from rramkit.circuits.device import Device
from rramkit.circuits.ota import OtaParams
from rramkit.circuits.technology import Technology
from rramkit.parameters import Parameters, number_of_path, quantity, replace_path

T_NOMINAL = 300.15  # K: 27 degrees Celsius, where the transistor cards are given (their `tnom`)
ZERO_CELSIUS = 273.15  # K

Given = TypeVar("Given", bound=Parameters)


@dataclass(frozen=True)
class Condition:
    """One corner: process by name, supply as a factor of the nominal one, temperature [K].

    Without a process every technology keeps its own; without a temperature transistors are at `T_NOMINAL` and each
    ReRAM device at its own ambient temperature.
    """

    process: str | None = "tt"
    supply: float = 1.0
    temperature: float | None = T_NOMINAL


NOMINAL = Condition()


class Corners(Parameters):
    """Every combination of these; a list of more than one value is an axis of the table."""

    process: tuple[Annotated[str, Field(pattern=r"^[A-Za-z0-9_.+-]{1,64}$")], ...] = quantity(
        ("tt",),
        "1",
        "process corners: tt, ff, ss, or sections of the user's own model file; none: that of each technology",
    )
    supply: tuple[Annotated[float, Field(ge=0.5, le=1.5)], ...] = quantity((1.0,), "1", "supplies over nominal, rising")
    temperature: tuple[Annotated[float, Field(ge=200, le=450)], ...] = quantity(
        (T_NOMINAL,), "K", "temperatures, rising; none: 300.15 K, each ReRAM device at its own ambient temperature"
    )

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Return an axis for each list of more than one value; process corners stand at 0, 1, 2 ... as given."""
        places = tuple(float(place) for place in range(len(self.process)))
        lists = ((CORNER, places, False), (SUPPLY, self.supply, True), (TEMPERATURE, self.temperature, True))
        return tuple(
            Axis(parameter=name, kind="list", values=values, between=between)
            for name, values, between in lists
            if len(values) > 1
        )

    @property
    def nominal(self) -> "Corners":
        """Return the one corner next to tt, nominal supply and 300.15 K."""
        return Corners(
            process=("tt",) if "tt" in self.process else self.process[:1],
            supply=tuple(sorted(self.supply, key=lambda supply: abs(supply - 1))[:1]),
            temperature=tuple(sorted(self.temperature, key=lambda kelvin: abs(kelvin - T_NOMINAL))[:1]),
        )

    def condition(self, at: Mapping[str, float]) -> Condition:
        """Return the corner at coordinates of the axes; where there is none, the first of the list."""
        return Condition(
            self.process[round(at.get(CORNER, 0))] if self.process else None,
            at.get(SUPPLY, self.supply[0] if self.supply else 1.0),
            at.get(TEMPERATURE, self.temperature[0] if self.temperature else None),
        )


def at_corner(params: Given, condition: Condition, supplies: Sequence[str] = ()) -> Given:
    """Return the parameters at a corner; `supplies` are dotted paths of further supplies that the factor moves."""
    moved = _walked(params, condition)
    for path in supplies:
        moved = replace_path(moved, path, number_of_path(params, path) * condition.supply)
    return moved


def at_temperature(deck: Deck, condition: Condition) -> Deck:
    """Return the deck with its transistors at the corner's temperature."""
    if condition.temperature is None:
        return deck
    return replace(deck, options=f"{deck.options} temp={condition.temperature - ZERO_CELSIUS:.9g}".strip())


def _walked(record: Given, condition: Condition) -> Given:
    changes: dict[str, object] = {}
    for name in type(record).model_fields:
        inner = getattr(record, name)
        if isinstance(inner, Parameters):
            changes[name] = _walked(inner, condition)
    if isinstance(record, Technology):
        if condition.process is not None:
            changes |= record.at_process(condition.process)
        changes |= {name: getattr(record, name) * condition.supply for name in ("v_core", "v_io")}
    elif isinstance(record, OtaParams):
        changes["v_dd"] = record.v_dd * condition.supply
    elif isinstance(record, Device) and condition.temperature is not None and "t_amb" in record.record.parameters:
        changes["overrides"] = record.overrides | {"t_amb": condition.temperature}
    return type(record).checked(
        {name: changes.get(name, getattr(record, name)) for name in type(record).model_fields}, where="the corner"
    )
