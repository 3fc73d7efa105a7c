"""The CMOS technology that circuits are drawn in: transistor models at a corner, supplies, lengths.

The kit's own 45 nm cards are the default. A user's technology drops in by its model file and its models' names:

    [technology]
    library_file = "pdk/models.lib"     # relative to the folder that the command runs in
    section = "tt"                      # one `.lib` section of it; left out: the whole file
    nmos_core = "nch"
    nmos_io = "nch_33"
    l_core = 60e-9                      # and its lengths and supplies

Transistors that are subcircuits, as SkyWater's own sky130 models, drop in with

    device = "subcircuit"
    nmos_core = "sky130_fd_pr__nfet_01v8"
    [technology.subcircuit]
    unit = 1e-6                         # metre in one unit of its w and l: here they are micrometres
"""

import re
from typing import Literal, Self

from pydantic import field_validator, model_validator

from rramkit.circuits.libraries import CONTROL_WORDS, ModelFile, UserLibrary, check_path
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

PINS = "dgsb"
ModelName = Literal["nmos_core", "pmos_core", "nmos_io", "pmos_io"]
MODEL_NAMES: tuple[ModelName, ...] = ("nmos_core", "pmos_core", "nmos_io", "pmos_io")

_NAME = re.compile(r"[a-z]\w{0,63}", re.IGNORECASE | re.ASCII)
# On a transistor's line these words are no names of models.
_RESERVED = re.compile(rf"(?i)(?:off|[lwm]|nf|a[ds]|p[ds]|nr[ds]|d?temp|{CONTROL_WORDS})")


class Subcircuit(Parameters):
    """How an instance of a transistor that is a subcircuit is written; for `device` = subcircuit only."""

    pins: str = quantity("dgsb", "1", "order of its pins: d(rain), g(ate), s(ource), b(ulk)")
    width: str = quantity("w", "1", "name of its parameter for the width")
    length: str = quantity("l", "1", "name of its parameter for the length")
    count: str = quantity("m", "1", "name of its parameter for the number of equal transistors in parallel")
    strips: bool = quantity(True, "1", "it takes ad, as, pd and ps too: areas and perimeters of drain and source")
    unit: float = quantity(1.0, "m", "what 1 means as its width or length: 1 m, or 1e-6 m", ge=1e-9, le=1)

    @field_validator("pins")
    @classmethod
    def _each_once(cls, pins: str) -> str:
        if sorted(pins) != sorted(PINS):
            raise ValueError(f"must hold each of the letters {PINS} once")
        return pins

    @field_validator("width", "length", "count")
    @classmethod
    def _parameter(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("must be one name of ASCII letters, digits and _")
        return name

    @model_validator(mode="after")
    def _apart(self) -> Self:
        if len({name.lower() for name in (self.width, self.length, self.count)}) != 3:
            raise ValueError("width, length and count must be three names")
        return self

    def sizes(self, w: float, length: float, count: int, *, l_strip: float) -> dict[str, float]:
        """Return the parameters of an instance `w` wide and `length` long, its strips `l_strip` long [all m]."""
        w, length, l_strip = (x / self.unit for x in (w, length, l_strip))
        sizes: dict[str, float] = {self.width: w, self.length: length}
        if self.strips and l_strip > 0:
            area, edge = w * l_strip, 2 * (w + l_strip)
            sizes |= {"ad": area, "as": area, "pd": edge, "ps": edge}
        return sizes | ({self.count: count} if count != 1 else {})


class Technology(Parameters):
    """A CMOS technology at one process corner: the kit's 45 nm cards, or a user's model file."""

    corner: Literal["tt", "ff", "ss"] = quantity("tt", "1", "process corner of the kit's own cards")
    library_file: str = quantity("", "1", "a user's model file; empty: the kit's own 45 nm cards")
    section: str = quantity("", "1", "section of the user's model file; empty: the whole file")
    device: Literal["model", "subcircuit"] = quantity(
        "model", "1", "what the names below are: models, or subcircuits with a transistor inside"
    )
    nmos_core: str = quantity("nmos_core", "1", "model of the thin-oxide NMOS transistor")
    pmos_core: str = quantity("pmos_core", "1", "model of the thin-oxide PMOS transistor")
    nmos_io: str = quantity("nmos_io", "1", "model of the thick-oxide NMOS transistor")
    pmos_io: str = quantity("pmos_io", "1", "model of the thick-oxide PMOS transistor")
    v_core: float = quantity(1.0, "V", "supply of core transistors", ge=0.3, le=5)
    v_io: float = quantity(3.3, "V", "supply of thick-oxide transistors", ge=0.5, le=6)
    l_core: float = quantity(50e-9, "m", "drawn length of core transistors", ge=5e-9, le=10e-6)
    l_io: float = quantity(220e-9, "m", "drawn length of thick-oxide transistors", ge=20e-9, le=10e-6)
    l_diffusion: float = quantity(200e-9, "m", "length of a drain or source strip beyond its gate", ge=0, le=10e-6)
    subcircuit: Subcircuit = Subcircuit()

    @property
    def library(self) -> ModelFile:
        """The model library: a file of netlists/ by name, or the user's."""
        return UserLibrary(self.library_file, self.section) if self.library_file else f"cmos_45nm_{self.corner}.lib"

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
        if self.library_file:
            _check_library(UserLibrary(self.library_file, self.section))
        if not all(getattr(self, kind) for kind in MODEL_NAMES):
            raise ValueError("the names of the models must not be empty")
        own = not self.section and all(getattr(self, kind) == kind for kind in MODEL_NAMES)
        if not self.library_file and not (own and self.device == "model"):
            raise ValueError("a section, another model's name or a subcircuit needs `library_file`, which holds it")
        return self


def _check_library(library: UserLibrary) -> None:
    """Raise `ValueError` where a user's library cannot be flattened or holds a card that is not allowed."""
    try:
        _ = library.models
    except InputError as error:
        raise ValueError(f"library_file: {error}") from error
