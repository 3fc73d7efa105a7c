"""The CMOS technology that circuits are drawn in: transistor models at a corner, supplies, lengths."""

from typing import Literal

from rramkit.parameters import Parameters, quantity

ModelName = Literal["nmos_core", "pmos_core", "nmos_io", "pmos_io"]


class Technology(Parameters):
    """The kit's 45 nm technology at one process corner."""

    corner: Literal["tt", "ff", "ss"] = quantity("tt", "1", "process corner: typical, fast or slow")
    v_core: float = quantity(1.0, "V", "supply of core transistors", ge=0.3, le=5)
    v_io: float = quantity(3.3, "V", "supply of thick-oxide transistors", ge=0.5, le=6)
    l_core: float = quantity(50e-9, "m", "drawn length of core transistors", ge=5e-9, le=10e-6)
    l_io: float = quantity(220e-9, "m", "drawn length of thick-oxide transistors", ge=20e-9, le=10e-6)

    @property
    def library(self) -> str:
        """Name of the library file in netlists/."""
        return f"cmos_45nm_{self.corner}.lib"
