"""Active area of each circuit of a table file's plans, from the transistors of its netlist.

A circuit is that of its plan's nominal parameters. What a bench adds (sources, loads, cells) is left out, so the area
is that of one of them: a driver of one line, the switch of one line, one readout, one converter. The write driver has
three parts: `write_amplitude` (converter, buffer and inhibit, once an array), `write_row` (word and source line) and
`write_column` (bit line). `cell` is the access transistor. Wells, spacing and wires are not in it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rramkit.characterization.design import plans_of
from rramkit.circuits import inventory
from rramkit.circuits.adc.bench import conversion_train
from rramkit.circuits.current_sense import current_train
from rramkit.circuits.deck import Deck
from rramkit.circuits.level_shifter import level_shifter_bench
from rramkit.circuits.line_switch import switch_once
from rramkit.circuits.readout import read_train
from rramkit.circuits.row_driver import level_train
from rramkit.circuits.sense_amp import decision_train
from rramkit.circuits.technology import Technology
from rramkit.circuits.write_driver import driven_write
from rramkit.parameters import Parameters

_WRITE = "write_driver_reset"
# Name of the area, plan, deck of it, and what the top-level instances of one circuit begin with.
_PARTS: tuple[tuple[str, str, Callable[[Any], Deck], tuple[str, ...]], ...] = (
    ("row_driver", "row_driver", level_train, ("X_driver",)),
    ("line_switch", "line_switch", switch_once, ("X_switch",)),
    ("readout", "readout_transimpedance", read_train, ("X_readout",)),
    ("adc", "adc", conversion_train, ("X_sar",)),
    ("sense_amp", "sense_amp", decision_train, ("X_latch",)),
    ("current_sense", "current_sense", current_train, ("X_sense",)),
    ("level_shifter", "level_shifter", level_shifter_bench, ("X_shifter", "X_driver")),
    ("write_amplitude", _WRITE, driven_write, ("X_converter", "X_buffer", "X_inhibit", "M_inhibit")),
    ("write_row", _WRITE, driven_write, ("X_wl_", "M_wl_", "X_sl_", "M_sl_")),
    ("write_column", _WRITE, driven_write, ("X_bl_", "M_bl_")),
    ("cell", _WRITE, driven_write, ("X_cell",)),
)


@dataclass(frozen=True)
class CircuitArea:
    """Active area (m2) and capacitors (F) of one circuit, with its number of transistors."""

    area: float
    capacitance: float
    transistors: int


def circuit_areas(provenance: Mapping[str, str]) -> dict[str, CircuitArea]:
    """Return the circuits of a table file by name: those of which it has a plan.

    Parameters
    ----------
    provenance : mapping of str to str
        That of the table file.

    Returns
    -------
    dict of str to CircuitArea
        Empty where the tables were not made from SPICE.

    Raises
    ------
    InputError, TableError
        As `plans_of`: a model file that the user did not name, or models that are not those of the tables.
    """
    plans = {plan.name: plan for plan in plans_of(provenance)}
    decks, found = {}, {}
    for name, plan, deck, begins in _PARTS:
        if plan not in plans:
            continue
        params = plans[plan].nominal
        technology = _technology(params)
        assert technology is not None  # every one of these circuits is made of transistors
        circuit = decks.setdefault(plan, deck(params).circuit)
        own = [each for each in inventory.transistors(circuit, technology) if each.path.startswith(begins)]
        capacitance = inventory.capacitance(circuit) if name in ("adc", "readout") else 0.0
        found[name] = CircuitArea(sum(t.area for t in own), capacitance, sum(t.count for t in own))
    return found


def _technology(params: Parameters) -> Technology | None:
    """Return the first technology in parameters, at any depth."""
    for name in type(params).model_fields:
        value = getattr(params, name)
        if isinstance(value, Technology):
            return value
        if isinstance(value, Parameters) and (found := _technology(value)) is not None:
            return found
    return None
