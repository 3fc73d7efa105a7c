"""The kit's device models as compiled Verilog-A: `netlists/rram_X.va` in the place of the subcircuit of `rram_X.lib`.

The subcircuit keeps its name, pins and parameters, so a circuit does not know which of the two stands in its deck. The
behavioural one is the reference, and what is used where no compiled one can be had; the one whose state is held is
behavioural in either case: it is one source.
"""

import re
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
_COMMENT = re.compile(r"(?m)^\*.*\n")


@dataclass(frozen=True)
class CompiledCell(DeviceLibrary):
    """A model of the kit whose moving cell is compiled; `behavioural` is the library with the same cell in sources."""

    behavioural: str = ""


def cell_library(record: DeviceModel, form: Form) -> ModelFile:
    """Return the library of a model of the kit: the behavioural one's name, or the compiled cell.

    Parameters
    ----------
    record : DeviceModel
        The model.
    form : {"never", "auto", "always"}
        Whether the cell is compiled; auto: where this machine has a compiler, or what one has left.

    Raises
    ------
    InputError
        When it must be compiled, and the kit has no Verilog-A of it.
    SetupError
        When it must be compiled, and there is no compiler.
    """
    if form == "never":
        return record.library
    text = netlists.FOLDER / Path(record.library).with_suffix(".va")
    fault = _why_not(text)
    if fault is not None and form == "always":
        raise fault
    if fault is not None:
        return record.library
    check_device(str(text))
    module = compact_model(str(text)).modules[0].name
    return CompiledCell(str(text), osdi=(str(text),), cards=_cards(record, module), behavioural=record.library)


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


def _cards(record: DeviceModel, module: str) -> str:
    """Return the library's subcircuits, the moving one with the module in it; its parameters keep their defaults.

    The parameters stand on a `.model` line inside, so that each instance has its own.
    """
    text, values = netlists.text(record.library), record.sets["default"].values
    moving = re.search(rf"(?ms)^\.subckt {record.subcircuit} .*?\bs_0=(\S+).*?^\.ends\n", text)
    if moving is None:
        raise InputError(f"{record.library} must hold the subcircuit {record.subcircuit} with s_0. Fix it.")
    cards = [
        f".subckt {record.subcircuit} te be s s_0={moving[1]}{''.join(f' {key}={values[key]!r}' for key in values)}",
        f".model rramkit_cell {module}{''.join(f' {key}={{{key}}}' for key in values)}",
        "Ncell te be s rramkit_cell",
        ".ic v(s)={s_0}",
        ".ends",
        _COMMENT.sub("", text.replace(moving[0], "")).strip(),
    ]
    return "\n".join(cards)
