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
from rramkit.circuits.verilog_a import can_be_compiled, check_device, compact_model
from rramkit.errors import InputError
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
    text = netlists.FOLDER / Path(record.library).with_suffix(".va")
    if form == "never" or (form == "auto" and not (text.is_file() and can_be_compiled(str(text)))):
        return record.library
    if not text.is_file():
        raise InputError(
            f"`compiled` = always needs the model in Verilog-A; {record.subcircuit} has no netlists/{text.name}. Use "
            "auto or never."
        )
    check_device(str(text))
    module = compact_model(str(text)).modules[0].name
    return CompiledCell(str(text), osdi=(str(text),), cards=_cards(record, module), behavioural=record.library)


def _cards(record: DeviceModel, module: str) -> str:
    """Return the library's subcircuits, the moving one with the module in it; its parameters keep their defaults.

    The parameters stand on a `.model` line inside, so that each instance has its own.
    """
    text, values = netlists.text(record.library), record.sets["default"].values
    moving = re.search(rf"(?ms)^\.subckt {record.subcircuit} .*?\bs_0=(\S+).*?^\.ends\n", text)
    if moving is None:
        raise InputError(f"{record.library} must hold the subcircuit {record.subcircuit} with s_0. Correct it.")
    cards = [
        f".subckt {record.subcircuit} te be s s_0={moving[1]}{''.join(f' {key}={values[key]!r}' for key in values)}",
        f".model rramkit_cell {module}{''.join(f' {key}={{{key}}}' for key in values)}",
        "Ncell te be s rramkit_cell",
        ".ic v(s)={s_0}",
        ".ends",
        _COMMENT.sub("", text.replace(moving[0], "")).strip(),
    ]
    return "\n".join(cards)
