"""The CMOS technology that circuits are drawn in: transistor models at a corner, supplies, lengths.

The kit's own 45 nm cards are the default. A user's technology drops in by its model file and its models' names:

    [technology]
    library_file = "pdk/models.lib"     # relative to the folder that the command runs in
    section = "tt"                      # one `.lib` section of it; left out: the whole file
    nmos_core = "nch"
    nmos_io = "nch_33"
    l_core = 60e-9                      # and its lengths and supplies
"""

import re
from pathlib import Path
from typing import Literal, Self

from pydantic import field_validator, model_validator

from rramkit.circuits.libraries import CONTROL_WORDS, Library, UserLibrary, check_path
from rramkit.parameters import Parameters, quantity

ModelName = Literal["nmos_core", "pmos_core", "nmos_io", "pmos_io"]
MODEL_NAMES: tuple[ModelName, ...] = ("nmos_core", "pmos_core", "nmos_io", "pmos_io")

_NAME = re.compile(r"[a-z]\w{0,63}", re.IGNORECASE | re.ASCII)
# On a transistor's line these words are no names of models.
_RESERVED = re.compile(rf"(?i)(?:off|nmos|pmos|[lwm]|nf|a[ds]|p[ds]|nr[ds]|d?temp|{CONTROL_WORDS})")


class Technology(Parameters):
    """A CMOS technology at one process corner: the kit's 45 nm cards, or a user's model file."""

    corner: Literal["tt", "ff", "ss"] = quantity("tt", "1", "process corner of the kit's own cards")
    library_file: str = quantity("", "1", "a user's model file; empty: the kit's own 45 nm cards")
    section: str = quantity("", "1", "section of the user's model file; empty: the whole file")
    nmos_core: str = quantity("nmos_core", "1", "model of the thin-oxide NMOS transistor")
    pmos_core: str = quantity("pmos_core", "1", "model of the thin-oxide PMOS transistor")
    nmos_io: str = quantity("nmos_io", "1", "model of the thick-oxide NMOS transistor")
    pmos_io: str = quantity("pmos_io", "1", "model of the thick-oxide PMOS transistor")
    v_core: float = quantity(1.0, "V", "supply of core transistors", ge=0.3, le=5)
    v_io: float = quantity(3.3, "V", "supply of thick-oxide transistors", ge=0.5, le=6)
    l_core: float = quantity(50e-9, "m", "drawn length of core transistors", ge=5e-9, le=10e-6)
    l_io: float = quantity(220e-9, "m", "drawn length of thick-oxide transistors", ge=20e-9, le=10e-6)
    l_diffusion: float = quantity(200e-9, "m", "length of a drain or source strip beyond its gate", ge=0, le=10e-6)

    @property
    def library(self) -> Library:
        """The model library: a file of netlists/ by name, or the user's."""
        return UserLibrary(self.library_file, self.section) if self.library_file else f"cmos_45nm_{self.corner}.lib"

    def model(self, kind: str, oxide: str) -> str:
        """Return the model's name of an `n` or `p` transistor with `core` or `io` oxide."""
        return getattr(self, f"{kind}mos_{oxide}")

    @field_validator("library_file")
    @classmethod
    def _file(cls, path: str) -> str:
        return check_path(path) if path else path

    @field_validator("section", *MODEL_NAMES)
    @classmethod
    def _name(cls, name: str) -> str:
        if name and (not _NAME.fullmatch(name) or _RESERVED.fullmatch(name)):
            raise ValueError("must be one name of ASCII letters, digits and _, and no word of SPICE's own")
        return name

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.section and any(c.isspace() for c in str(Path(self.library_file).resolve())):
            raise ValueError("ngspice cuts the path of a `.lib` line at a blank: `library_file` must hold none")
        if not all(getattr(self, kind) for kind in MODEL_NAMES):
            raise ValueError("the names of the models must not be empty")
        if not self.library_file and (self.section or any(getattr(self, kind) != kind for kind in MODEL_NAMES)):
            raise ValueError("a section or another model's name needs `library_file`, the file that holds it")
        return self
