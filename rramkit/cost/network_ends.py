"""Ends of a network in arrays: what stands between its digital inputs and outputs and the lines, in area and energy.

Its inputs and outputs alone; drivers and converters of all of its matrices are `rramkit.cost.interfaces`.

An input line is driven by a row driver (a converter of some bits), or by its line switch alone where an input is one
bit; an output is a readout with its converter, or a comparator. Which of both a network has is read off the stages that
are on: `row_driver` in its first matrix, `adc` in its last. (Merging the interface, MEI, DAC 2015: RECALLED; circuits
and prices are those of the table file. DESIGN: the comparator is the current sense amplifier of the tables, the copies
of an input share its driver, and what lies between two matrices is alike in both and not counted.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rramkit.array.read_parts import CONVERTERS, DRIVERS, SENSING
from rramkit.cost.area import CircuitArea
from rramkit.cost.assumptions import Assumptions
from rramkit.learning.cells import leaves
from rramkit.learning.evaluate import LayerCost
from rramkit.learning.trained import TrainedNetwork
from rramkit.table import TableFile
from rramkit.table.schema import CURRENT_SENSE, LINE_SWITCH

_ANALOG_INPUT, _BINARY_INPUT = ("line_switch", "row_driver"), ("line_switch",)
_ANALOG_OUTPUT, _BINARY_OUTPUT = ("readout", "adc"), ("current_sense",)


@dataclass(frozen=True)
class NetworkEnds:
    """Inputs and outputs of a network.

    Attributes
    ----------
    inputs, outputs : int
        Lines that are driven by an input, and outputs of the network.
    input_circuits, output_circuits : tuple of str
        What each of them is.
    area : float
        Area of all of them (m2).
    energy : float
        Energy of all of them for one input (J).
    """

    inputs: int
    outputs: int
    input_circuits: tuple[str, ...]
    output_circuits: tuple[str, ...]
    area: float
    energy: float


def ends_of(
    network: TrainedNetwork,
    layers: Sequence[LayerCost],
    tables: TableFile,
    circuits: Mapping[str, CircuitArea],
    *,
    assumed: Assumptions | None = None,
    reads: int = 1,
) -> NetworkEnds | None:
    """Return the ends of a network.

    Parameters
    ----------
    network : TrainedNetwork
        In arrays.
    layers : sequence of LayerCost
        What its layers cost for one input, as `evaluate` finds it.
    tables : TableFile
        The tables that it is read by.
    circuits : mapping
        Areas of their circuits, as `circuit_areas` gives them.
    assumed : Assumptions, optional
        Layout factor and capacitance of an area; left out, the default ones.
    reads : int
        Passes of an input, of which the layers' costs are.

    Returns
    -------
    NetworkEnds or None
        None in float, or where the tables or their circuits lack one of the circuits at them.
    """
    plans, assumed = network.network.matrices, assumed or Assumptions()
    ends = [leaves(network.params.matrices[index]) for index in (0, -1)]
    if not all(ends):
        return None
    first, last = (each[0].tile.model.chain for each in ends)
    of_input = _ANALOG_INPUT if first.row_driver.levels else _BINARY_INPUT
    of_output = _ANALOG_OUTPUT if last.adc.bits else _BINARY_OUTPUT
    priced = [LINE_SWITCH.group, *([] if last.adc.bits else [CURRENT_SENSE.group])]
    if any(name not in circuits for name in (*of_input, *of_output)) or any(n not in tables.tables for n in priced):
        return None
    inputs, outputs = plans[0].fan_in, plans[-1].columns
    area = sum(inputs * _area(circuits[name], assumed) for name in of_input)
    area += sum(outputs * _area(circuits[name], assumed) for name in of_output)
    energy = reads * inputs * _mean(tables, LINE_SWITCH.group, LINE_SWITCH.energy)
    energy += layers[0].parts.get(DRIVERS, 0.0) * inputs / plans[0].rows
    if last.adc.bits:
        energy += sum(layers[-1].parts.get(name, 0.0) for name in (SENSING, CONVERTERS))
    else:
        energy += reads * outputs * _mean(tables, CURRENT_SENSE.group, CURRENT_SENSE.energy)
    return NetworkEnds(inputs, outputs, of_input, of_output, area, energy)


def _area(circuit: CircuitArea, assumed: Assumptions) -> float:
    return assumed.layout_factor * circuit.area + circuit.capacitance / assumed.c_area


def _mean(tables: TableFile, group: str, signal: str) -> float:
    return float(np.mean(tables[group].signal(signal).values))
