"""The CMOS technology that circuits are drawn in: transistor models at a corner, supplies, lengths.

The kit's own 45 nm cards are the default. A user's technology drops in by its model file and its models' names:

    [technology]
    library_file = "pdk/models.lib"     # relative to this file
    section = "tt"                      # one `.lib` section of it; left out: the whole file
    nmos_core = "nch"
    nmos_io = "nch_33"
    l_core = 60e-9                      # and its lengths and supplies

A process corner is the section of its name; other sections, and files of their own, are named:

    [technology.corners]
    tt = "pdk/models_tt.lib"
    ss = { section = "slow" }           # of `library_file`

Transistors that are subcircuits, as SkyWater's own sky130 models, drop in with

    device = "subcircuit"
    nmos_core = "sky130_fd_pr__nfet_01v8"
    [technology.subcircuit]
    unit = 1e-6                         # metre in one unit of its w and l: here they are micrometres

Transistors that are compact models in Verilog-A (`N` lines inside subcircuits, as PSP of IHP's SG13G2) need these:

    osdi = ["pdk/psp103.osdi"]          # compiled, or the text (.va), which needs the compiler

A kit may have both: `device` is the rule, `devices` names the roles that are otherwise.

    [technology.devices]
    nmos_io = "model"
"""

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import field_validator, model_validator

from rramkit.circuits.libraries import ModelFile, UserLibrary, check_path, checks_libraries
from rramkit.circuits.transistor_cards import transistor_faults
from rramkit.circuits.verilog_a import is_compact_model
from rramkit.errors import InputError, SetupError
from rramkit.parameters import Parameters, absolute, quantity

PINS = "dgsb"
NOMINAL = "tt"  # process corner of a library that has one only
ModelName = Literal["nmos_core", "pmos_core", "nmos_io", "pmos_io"]
MODEL_NAMES: tuple[ModelName, ...] = ("nmos_core", "pmos_core", "nmos_io", "pmos_io")

_NAME = re.compile(r"[a-z]\w{0,63}", re.IGNORECASE | re.ASCII)
_SECTION = re.compile(r"[\w.+-]{1,64}", re.ASCII)
# What ngspice takes on a transistor's line, without `//`, which begins a comment, and without its words and numbers
# there (`2n7002` is a name, `2n` is a number).
_MODEL = re.compile(
    r"(?!off$|gnd$|thermal$|\d+(?:\.\d*)?(?:e[-+]?\d+)?[a-z]*$)"
    r"[a-z0-9_](?:[\w.+:#!~@^%&?<>|-]|/(?!/)){0,63}",
    re.IGNORECASE | re.ASCII,
)
_SHRINK = 0.5  # the least `.options scale` that is a shrink of what is drawn; below it is another unit of length
Kind = Literal["model", "subcircuit"]


class Subcircuit(Parameters):
    """How an instance of a transistor that is a subcircuit is written; for `device` = subcircuit only."""

    pins: str = quantity("dgsb", "1", "order of its pins: d(rain), g(ate), s(ource), b(ulk)")
    width: str = quantity("w", "1", "name of its parameter for the width")
    length: str = quantity("l", "1", "name of its parameter for the length")
    count: str = quantity(
        "m", "1", "name of its parameter for the number of equal transistors in parallel; empty: each is drawn"
    )
    strips: bool = quantity(True, "1", "it takes ad, as, pd and ps too: areas and perimeters of drain and source")
    unit: float = quantity(1.0, "m", "what 1 means as its width or length: 1 m, or 1e-6 m", ge=1e-9, le=1)

    @field_validator("pins")
    @classmethod
    def _each_once(cls, pins: str) -> str:
        if sorted(pins) != sorted(PINS):
            raise ValueError(f"must hold each of the letters {PINS} once")
        return pins

    @field_validator("width", "length")
    @classmethod
    def _parameter(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("must be one name of ASCII letters, digits and _")
        return name

    @field_validator("count")
    @classmethod
    def _count(cls, name: str) -> str:
        return cls._parameter(name) if name else name

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
        return sizes | ({self.count: count} if count != 1 and self.count else {})


class CornerLibrary(Parameters):
    """Where the models of one process corner stand."""

    library_file: str = quantity("", "1", "its model file; empty: that of the technology")
    section: str = quantity("", "1", "section of it; empty: the whole file")

    @model_validator(mode="before")
    @classmethod
    def _file_alone(cls, given: Any) -> Any:  # noqa: ANN401  (as pydantic gives it)
        return {"library_file": given} if isinstance(given, str) else given

    @field_validator("library_file")
    @classmethod
    def _file(cls, path: str) -> str:
        return check_path(absolute(path)) if path else path

    @field_validator("section")
    @classmethod
    def _section(cls, name: str) -> str:
        return _checked_section(name)


class Technology(Parameters):
    """A CMOS technology at one process corner: the kit's 45 nm cards, or a user's model file."""

    corner: Literal["tt", "ff", "ss"] = quantity("tt", "1", "process corner of the kit's own cards")
    library_file: str = quantity("", "1", "a user's model file; empty: the kit's own 45 nm cards")
    section: str = quantity("", "1", "section of the user's model file; empty: the whole file")
    corners: dict[str, CornerLibrary] = quantity(
        {}, "1", "file or section of a process corner, by its name; others are sections of `library_file`"
    )
    osdi: tuple[str, ...] = quantity(
        (),
        "1",
        "compact models of the library's N lines: compiled files (.osdi) or Verilog-A texts (.va)",
        max_length=20,
    )
    device: Kind = quantity("model", "1", "what the names below are: models, or subcircuits with a transistor inside")
    devices: dict[ModelName, Kind] = quantity({}, "1", "the same for single ones of the names below, where it differs")
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
        if self.library_file:
            return UserLibrary(self.library_file, self.section, self.osdi)
        return f"cmos_45nm_{self.corner}.lib"

    def kind_of(self, name: ModelName) -> Kind:
        """Return what the transistor of a role is."""
        return self.devices.get(name, self.device)

    @property
    def has_subcircuits(self) -> bool:
        """Whether a transistor of some role is a subcircuit."""
        return any(self.kind_of(name) == "subcircuit" for name in MODEL_NAMES)

    def at_process(self, process: str) -> dict[str, str]:
        """Return the fields that a process corner changes: the kit's corner, or the user's file and section.

        Raises
        ------
        InputError
            For another corner than tt of a library without sections that names no file for it: it would do nothing.
        """
        if not self.library_file:
            return {"corner": process}
        named = self.corners.get(process)
        if named is not None:
            return {"library_file": named.library_file or self.library_file, "section": named.section}
        if not self.section and process != NOMINAL:
            raise InputError(
                f"process corner {process}: {Path(self.library_file).name} is read without a section, so the corner "
                f"would do nothing. Set `technology.section`, or name its file: `technology.corners.{process}`."
            )
        return {"section": process} if self.section else {}

    @field_validator("library_file")
    @classmethod
    def _file(cls, path: str) -> str:
        return check_path(absolute(path)) if path else path

    @field_validator("osdi")
    @classmethod
    def _compact_models(cls, paths: tuple[str, ...]) -> tuple[str, ...]:
        paths = tuple(check_path(absolute(path)) for path in paths)
        strange = next((path for path in paths if not is_compact_model(path)), None)
        if strange is not None:
            raise ValueError(f"must be files that end in .osdi or .va; got {strange}")
        return paths

    @field_validator("section")
    @classmethod
    def _section(cls, name: str) -> str:
        return _checked_section(name)

    @field_validator("corners")
    @classmethod
    def _corner_names(cls, corners: dict[str, CornerLibrary]) -> dict[str, CornerLibrary]:
        for name, corner in corners.items():
            _checked_section(name)
            if not (corner.library_file or corner.section):
                raise ValueError(f"{name}: must name a file, a section, or both")
        return corners

    @field_validator(*MODEL_NAMES)
    @classmethod
    def _name(cls, name: str) -> str:
        if name and not _MODEL.fullmatch(name):
            raise ValueError("must be one name of a model as ngspice takes it: no number, blank, quote, brace, ; or $")
        return name

    @model_validator(mode="before")
    @classmethod
    def _first_corner(cls, given: Any) -> Any:  # noqa: ANN401  (as pydantic gives it)
        """Take the file of corner tt, else of the first, for the technology's own where that is left out."""
        corners = given.get("corners") if isinstance(given, dict) else None
        if not isinstance(corners, dict) or not corners or given.get("library_file"):
            return given
        first = corners.get("tt", next(iter(corners.values())))
        first = {"library_file": first} if isinstance(first, str) else first
        if isinstance(first, CornerLibrary):
            first = first.model_dump()
        return {**given, **first} if isinstance(first, dict) else given

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.library_file:
            self._check_library(UserLibrary(self.library_file, self.section, self.osdi))
        elif self.osdi:
            raise ValueError("osdi: compact models need `library_file`, whose N lines use them")
        if not all(getattr(self, kind) for kind in MODEL_NAMES):
            raise ValueError("the names of the models must not be empty")
        if self.library_file and self.corner != NOMINAL:
            raise ValueError(
                f"corner = {self.corner} is one of the kit's own cards and does nothing for a `library_file`. Set "
                "`section`, or name the corner's file"
            )
        own = not self.section and all(getattr(self, kind) == kind for kind in MODEL_NAMES)
        if not self.library_file and not (own and not self.has_subcircuits):
            raise ValueError("a section, another model's name or a subcircuit needs `library_file`, which holds it")
        for kind in MODEL_NAMES:
            if self.kind_of(kind) == "subcircuit" and not _NAME.fullmatch(getattr(self, kind)):
                raise ValueError(f"{kind}: the name of a subcircuit must be of ASCII letters, digits and _")
        return self

    def _check_library(self, library: UserLibrary) -> None:
        """Raise `ValueError` where a user's library cannot be flattened, is not allowed, or holds other models."""
        if not checks_libraries():
            return
        try:
            models, _ = library.models, library.compact_models
            roles = {name: (getattr(self, name), self.kind_of(name)) for name in MODEL_NAMES}
            fault = next(transistor_faults(models, roles, self.subcircuit), None)
        except (InputError, SetupError) as error:
            raise ValueError(f"library_file: {error}") from error
        self._check_scale(models.options)
        if fault is not None:
            raise ValueError(fault)

    def _check_scale(self, options: dict[str, float]) -> None:
        """Raise `ValueError` where the library's `.options scale` would change sizes."""
        scale = options.get("scale", 1.0)
        plain = [name for name in MODEL_NAMES if self.kind_of(name) == "model"]
        if _SHRINK <= scale <= 1 / _SHRINK:
            return
        if plain:
            raise ValueError(
                f"library_file: sets `.options scale={scale:g}`, by which ngspice multiplies the sizes of {plain[0]}, "
                "a model. Name a subcircuit, or a library without the option"
            )
        if not 1 / (1 + 1e-6) < self.subcircuit.unit / scale < 1 + 1e-6:  # two ways to write one number
            raise ValueError(
                f"library_file: sets `.options scale={scale:g}`, by which ngspice multiplies sizes, and "
                f"subcircuit.unit is {self.subcircuit.unit:g}. Set `subcircuit.unit = {scale:g}`"
            )


def _checked_section(name: str) -> str:
    if name and not _SECTION.fullmatch(name):
        raise ValueError("must be one name of ASCII letters, digits and _.+-")
    return name
