"""What the reuse of a periphery saves: transistors, active area and switching energy, from the two netlists themselves.

A round is a training step as the array sees it (forward, backward, update, and back to forward), or every mode once.
Behavioural blocks (probes, subtraction, activation) have no transistors to count, so they are listed by number.
Readouts as sense units, SAR converters and their multiplexers, or a circuit given as `sense`, are counted like all
else, but for the source of the amplifiers' bias and the converters' digital control. What amplifiers take from their
supply while they stand, and converters from their reference: `components.periphery`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.inventory import capacitance, count, switching_energy
from rramkit.circuits.periphery.array import add_periphery
from rramkit.circuits.periphery.controls import OperateParams, control_levels, conversion_levels, operation
from rramkit.circuits.periphery.modes import Mode, Operation
from rramkit.circuits.periphery.sense import SenseBlock

ROUND: tuple[Mode, ...] = ("forward", "backward", "update set")
ALL_MODES: tuple[Mode, ...] = (*ROUND, "memory read", "memory write")


@dataclass(frozen=True)
class Account:
    """One periphery, the array's cells left out.

    Attributes
    ----------
    area : float
        Active area of the transistors [m^2]; capacitors and resistors come on top.
    energy : float
        Energy of the switches' gates for one round [J]; of the converters also the clock and the plates' drivers.
    capacitance : float
        Sum of the sense units' and converters' capacitors [F].
    dacs, adcs : int
        How many converters of either kind there are.
    """

    transistors: int
    area: float
    energy: float
    dacs: int
    adcs: int
    ideal: dict[str, int]
    capacitance: float


def account(
    params: OperateParams, *, reuse: bool, sense: SenseBlock | None = None, modes: Sequence[Mode] = ROUND
) -> Account:
    """Return what the periphery of these parameters holds, with the reuse or without it; `modes` are one round."""
    periphery = params.periphery.model_copy(update={"reuse": reuse})
    circuit = Circuit("account")
    values = np.zeros((periphery.crossbar.rows, periphery.crossbar.cols))
    add_periphery(circuit, periphery, values, sense=sense)
    technology = periphery.crossbar.cell.technology
    held = count(circuit, technology, periphery_only=True)
    energy = 0.0
    if periphery.switches != "ideal":
        operations = one_round(params, modes)
        levels = control_levels(periphery, operations)
        controls = {node: v for node, v in levels.items() if node.startswith("ctl_")}
        controls |= conversion_levels(periphery, operations)
        energy = switching_energy(circuit, controls, technology)
    return Account(
        held.transistors,
        held.area,
        energy,
        len(periphery.dacs),
        len(periphery.converters),
        held.ideal,
        capacitance(circuit),
    )


def one_round(params: OperateParams, modes: Sequence[Mode] = ROUND) -> list[Operation]:
    """Return a round's operations, every driven line at the largest code."""
    bar, top = params.periphery.crossbar, params.periphery.levels - 1
    driven = {"forward": bar.rows, "backward": bar.cols}
    return [operation(params, mode, codes=[top] * driven.get(mode, 0)) for mode in modes]
