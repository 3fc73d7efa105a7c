"""The 1T1R cell: a ReRAM device between bit line and transistor, the transistor's source on the source line.

SET drives the bit line (current flows into the top electrode; the transistor, its source at ground, limits it);
RESET drives the source line (the transistor is then a source follower, so the word line must be boosted).
"""

from PySpice.Spice.Netlist import SubCircuit

from rramkit.circuits.device import Device
from rramkit.circuits.libraries import ModelFile
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.technology import Technology
from rramkit.parameters import Parameters, quantity


class CellParams(Parameters):
    """One 1T1R cell."""

    technology: Technology = Technology()
    device: Device = Device()
    w_access: float = quantity(2e-6, "m", "width of the access transistor", ge=0.1e-6, le=20e-6)
    l_access: float = quantity(0.22e-6, "m", "length of the access transistor", ge=0.22e-6, le=2e-6)

    @property
    def libraries(self) -> tuple[ModelFile, ...]:
        """Libraries that a deck with this cell needs."""
        return self.device.library, self.technology.library


def dynamic_cell(params: CellParams) -> SubCircuit:
    """Return `.subckt cell_1t1r bl wl sl s`: the state moves; `s_0` is where it starts, pin s its voltage (0 to 1)."""
    cell = SubCircuit("cell_1t1r", "bl", "wl", "sl", "s", s_0=0)
    cell.X("_rram", params.device.subcircuit(), "bl", "d", "s", s_0="{s_0}", **params.device.instance())
    _add_access(cell, params)
    return cell


def held_cell(params: CellParams) -> SubCircuit:
    """Return `.subckt cell_1t1r_held bl wl sl`: the state stands still at `s_0`, for read currents."""
    cell = SubCircuit("cell_1t1r_held", "bl", "wl", "sl", s_0=0)
    held = params.device.instance(held=True)
    cell.X("_rram", params.device.subcircuit(held=True), "bl", "d", s_0="{s_0}", **held)
    _add_access(cell, params)
    return cell


def _add_access(cell: SubCircuit, params: CellParams) -> None:
    draw = Netlister(cell, params.technology)
    draw.mosfet("_access", ("d", "wl", "sl", 0), "nmos_io", w=params.w_access, length=params.l_access, strips=False)
