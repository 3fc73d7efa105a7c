"""The allow list: what a card of a library may be; all else is refused by file and line."""

import re

from rramkit.circuits.model_text.line import Line
from rramkit.circuits.model_text.option import settings
from rramkit.circuits.model_text.text import ModelText
from rramkit.circuits.random_functions import check_random
from rramkit.errors import InputError

_CARD = re.compile(r"^\.(?P<name>\w+)")
_ALLOWED = frozenset("model subckt ends param params func if elseif else endif".split())
_DROPPED = frozenset("protect unprotect prot unprot".split())
_OPTIONS = frozenset(("scale", "tnom", "wnflag"))
# Models that open files or run programs: of ngspice's code models, of its device simulator, and its network device.
_OPENS_FILES = frozenset(
    "filesource file_source xfer d_source d_state d_process d_cosim table2d table3d ndev numd numd2 nbjt nbjt2 "
    "numos".split()
)
_FILE_KEY = re.compile(r"(?i)\b\w*(?:file|simulation)\s*=")
_SEPARATORS = re.compile(r"[\s(),=]+")  # between words, as ngspice reads a model card


def check_library(flat: ModelText) -> None:
    """Raise `InputError` at the first card of a library that is not allowed."""
    depth, depths = 0, []
    for line in flat.lines:
        check_characters(line)
        card = _CARD.match(line.text)
        name = card["name"].lower() if card else ""
        if name == "subckt":
            depths.append(line)
        elif name == "ends":
            if not depths:
                raise InputError(f"{line.where}: `.ends` closes no subcircuit. Remove it.")
            depths.pop()
        depth = len(depths)
        if card is None:
            _check_element(line, depth)
        elif name in ("option", "options", "opt"):
            _check_options(line)
        elif name not in _ALLOWED and name not in _DROPPED:
            raise InputError(
                f"{line.where}: a library must hold models, subcircuits, parameters and functions only; got "
                f"`.{name}`. Remove the line."
            )
        check_files(line, name)
    if depths:
        raise InputError(f"{depths[-1].where}: the subcircuit is not closed. Add `.ends`.")
    check_random(flat.lines)


def check_characters(line: Line) -> None:
    """Raise `InputError` where a line holds anything but printable ASCII, or a back quote."""
    strange = next((char for char in line.text if not (" " <= char <= "~" or char == "\t")), None)
    if strange is not None:
        raise InputError(f"{line.where}: a card must be of printable ASCII; got {strange!r}. Replace the character.")
    if "`" in line.text:
        raise InputError(f"{line.where}: a back quote has no place in a card. Remove it.")


def _check_element(line: Line, depth: int) -> None:
    if depth == 0:
        raise InputError(
            f"{line.where}: an element or unknown line outside a subcircuit, `{line.text[:40]}`. Put it into one, or "
            "remove it."
        )
    if not line.text[0].isalpha():
        raise InputError(f"{line.where}: `{line.text[:40]}` is no element. Remove the line.")


def _check_options(line: Line) -> None:
    for name, _ in settings(line.text):
        if name not in _OPTIONS:
            raise InputError(
                f"{line.where}: of options a library may set {', '.join(sorted(_OPTIONS))} only; got `{name}`, which "
                "changes the analysis. Remove it."
            )


def check_files(line: Line, card: str) -> None:
    """Raise `InputError` where an element or a model opens a file or runs a program."""
    words = _SEPARATORS.split(line.text, maxsplit=3)
    kind = words[2].lower() if card == "model" and len(words) > 2 else ""
    if kind in _OPENS_FILES or (card in ("", "model") and _FILE_KEY.search(line.text)):
        what = f"a model of the kind `{kind}`" if kind else f"`{line.text[:40]}`"
        raise InputError(f"{line.where}: {what} opens a file or runs a program. Remove it.")
