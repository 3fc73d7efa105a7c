"""What the reuse of a periphery saves: transistors, active area and switching energy, from the two netlists themselves.

One round is a training step as the array sees it: forward, backward, update, and back to forward. Behavioural blocks
(sense units, subtraction, activation) have no transistors to count, so they are listed by number; a sense unit given
as a circuit (`sense`) is counted like everything else.
"""

from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.inventory import count, switching_energy
from rramkit.circuits.periphery import PeripheryParams, SenseBlock, add_periphery
from rramkit.circuits.periphery_bench import OperateParams, control_levels, operation
from rramkit.circuits.periphery_modes import Mode

ROUND: tuple[Mode, ...] = ("forward", "backward", "update set")


@dataclass(frozen=True)
class Account:
    """One periphery, the array's cells left out: area in m^2, energy of the switches' gates for one round in J."""

    transistors: int
    area: float
    energy: float
    converters: int
    ideal: dict[str, int]


def account(params: OperateParams, *, reuse: bool, sense: SenseBlock | None = None) -> Account:
    """Return what the periphery of these parameters holds, with the reuse or without it."""
    periphery = params.periphery.model_copy(update={"reuse": reuse})
    circuit = Circuit("account")
    values = np.zeros((periphery.crossbar.rows, periphery.crossbar.cols))
    add_periphery(circuit, periphery, values, sense=sense)
    held = count(circuit, periphery_only=True)
    energy = 0.0
    if periphery.switches != "ideal":
        controls = {node: v for node, v in _round(params, periphery).items() if node.startswith("ctl_")}
        energy = switching_energy(circuit, controls, periphery.crossbar.cell.technology.library)
    return Account(held.transistors, held.area, energy, len(periphery.dacs), held.ideal)


def _round(params: OperateParams, periphery: PeripheryParams) -> dict[str, list[float]]:
    """Return the controls' levels in a round, every driven line at the largest code."""
    top, bar = periphery.levels - 1, periphery.crossbar
    driven = {"forward": bar.rows, "backward": bar.cols}
    operations = [operation(params, mode, codes=[top] * driven.get(mode, 0)) for mode in ROUND]
    return control_levels(periphery, operations)
