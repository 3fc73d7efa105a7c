"""The kit's device models as compiled Verilog-A: `netlists/rram_X.va` in the place of the subcircuit of `rram_X.lib`.

The subcircuit keeps its name, pins and parameters, so a circuit does not know which of the two stands in its deck. The
behavioural one is the reference, and what is used where no compiled one can be had. The subcircuit whose state is held
is compiled too where the text has a module of it: a behavioural source is a tree that ngspice walks at each iteration,
which in a large array takes as long as the cell's transistor. Of vteam it is a resistor; jart's stays behavioural.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rramkit import netlists
from rramkit.circuits.libraries import DeviceLibrary, ModelFile
from rramkit.circuits.verilog_a import FOLDER_VARIABLE, VARIABLE, can_be_compiled, check_device, compact_model
from rramkit.circuits.verilog_a.compiler import PROGRAMS
from rramkit.errors import InputError, KitError, SetupError
from rramkit.netlists.models import DeviceModel

Form = Literal["never", "auto", "always"]
FormOfDevice = Literal["in_plans", "never", "auto", "always"]
_COMMENT = re.compile(r"(?m)^\*.*\n")


@dataclass(frozen=True)
class CompiledCell(DeviceLibrary):
    """A model of the kit whose moving cell is compiled.

    Attributes
    ----------
    behavioural : str
        The library with the same cell in sources.
    held : bool
        Whether the cell whose state is held is compiled too; else it is the behavioural library's.
    """

    behavioural: str = ""
    held: bool = False


@dataclass(frozen=True)
class CellUsed:
    """Which text of a cell decks have.

    Attributes
    ----------
    library : str
        Name of its library, or of its Verilog-A text.
    sha256 : str
        Hash of that, as decks and table files have it.
    compiled : bool
        Whether a compiled module works it out; else ngspice's own elements do.
    """

    library: str
    sha256: str
    compiled: bool

    def __str__(self) -> str:
        return f"{'compiled' if self.compiled else 'behavioural'} ({self.library} {self.sha256[:12]})"


def cell_library(record: DeviceModel, form: FormOfDevice) -> ModelFile:
    """Return the library of a model of the kit: the behavioural one's name, or the compiled cell.

    Parameters
    ----------
    record : DeviceModel
        The model.
    form : {"in_plans", "never", "auto", "always"}
        Whether the cell is compiled; auto: where this machine has a compiler, or what one has left. A device that is
        compiled in plans is behavioural here: a plan asks for `always` (`device.in_plan`).

    Raises
    ------
    InputError
        When it must be compiled, and the kit has no Verilog-A of it.
    SetupError
        When it must be compiled, and there is no compiler.
    """
    if form in ("in_plans", "never"):
        return record.library
    text = netlists.FOLDER / Path(record.library).with_suffix(".va")
    fault = _why_not(text)
    if fault is not None and form == "always":
        raise fault
    if fault is not None:
        return record.library
    check_device(str(text))
    names = compact_model(str(text)).names
    return CompiledCell(
        str(text),
        osdi=(str(text),),
        cards=_cards(record, names),
        behavioural=record.library,
        held=_held_module(record) in names,
    )


def _why_not(text: Path) -> KitError | None:
    """Return why a model cannot be compiled here; None: it can."""
    if not text.is_file():
        return InputError(
            f"`compiled` = always needs the model in Verilog-A; there is no {text.name}. Use auto or never."
        )
    if not can_be_compiled(str(text)):
        return SetupError(
            f"`compiled` = always needs the Verilog-A compiler {PROGRAMS[0]}, on PATH or named in {VARIABLE}; found "
            f"none, and none has left {text.name} in {FOLDER_VARIABLE}. Install it, or use auto or never."
        )
    return None


def _cards(record: DeviceModel, modules: frozenset[str]) -> str:
    """Return the library's subcircuits with the modules in them; their parameters keep their defaults.

    All cells share one model and have theirs on the instance line: ngspice looks for a model in a list, and an array
    has thousands of cells.
    """
    name, values = record.subcircuit, record.sets["default"].values
    state, rest = _taken_out(netlists.text(record.library), name)
    ours = [
        f".model {name}_model {name}_cell",
        f".subckt {name} te be s s_0={state}{''.join(f' {key}={values[key]!r}' for key in values)}",
        f"Ncell te be s {name}_model{_passed(values)}",
        ".ic v(s)={s_0}",
        ".ends",
    ]
    if _held_module(record) in modules:
        state, rest = _taken_out(rest, f"{name}_held")
        held = {key: values[key] for key in values if record.parameters[key].held}
        ours += [
            f".model {name}_held_model {_held_module(record)}",
            f".subckt {name}_held te be s_0={state}{''.join(f' {key}={held[key]!r}' for key in held)}",
            f"Ncell te be {name}_held_model s_0={{s_0}}{_passed(held)}",
            ".ends",
        ]
    return "\n".join([*ours, _COMMENT.sub("", rest).strip()]).strip()


def _held_module(record: DeviceModel) -> str:
    """Return the name of the module of a cell whose state is held, which a text may have."""
    return f"{record.subcircuit}_cell_held"


def _taken_out(text: str, name: str) -> tuple[str, str]:
    """Return where a subcircuit's state starts, and the library without it."""
    found = re.search(rf"(?ms)^\.subckt {name} .*?\bs_0=(\S+).*?^\.ends\n", text)
    if found is None:
        raise InputError(f"the library must hold the subcircuit {name} with s_0. Fix it.")
    return found[1], text.replace(found[0], "")


def _passed(names: Iterable[str]) -> str:
    """Return parameters of the subcircuit as they are passed on to the module."""
    return "".join(f" {name}={{{name}}}" for name in names)
