"""What a user's library says of its transistors, held against what the parameters say of them.

A role that is given the card of the other channel, the pins of a subcircuit in another order or its sizes in another
unit would simulate, and give other numbers.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Protocol

from rramkit.circuits.model_text import ModelText, needed, number, subcircuits

_MODEL = re.compile(r"(?i)^\.model\s+(\S+)\s+([np]mos)(?![\w])")
_SIZES = (1e-9, 1e-2)  # m: below and above no transistor's default is, so that the unit is another one


class Written(Protocol):
    """How an instance is written, as `technology.Subcircuit` says: pins, names of width and length, unit [m]."""

    pins: str
    width: str
    length: str
    unit: float


def transistor_faults(library: ModelText, roles: Mapping[str, tuple[str, str]], written: Written) -> Iterator[str]:
    """Yield what does not fit.

    Parameters
    ----------
    library : ModelText
        The user's library.
    roles : mapping
        Role (`nmos_core` ...) to the name of its model and what that is, `model` or `subcircuit`. A role that has the
        name of its own and no card is one that the user does not use.
    written : Written
        How an instance of a subcircuit is written.
    """
    for role, (name, kind) in roles.items():
        part = needed(library, [name.lower()])
        known = subcircuits(part)
        models = {match[1].lower(): match[2].lower() for match in map(_MODEL.match, _lines(part)) if match}
        own = {of for model, of in models.items() if re.fullmatch(rf"{re.escape(name.lower())}(\.\d+)?", model)}
        if kind == "subcircuit" and name.lower() in known:
            channels = set(models.values())
            yield from (f"{role}: {text}" for text in _subcircuit_faults(name, part, written))
        elif kind == "subcircuit" and own:
            yield f'{role}: `{name}` is a model, not a subcircuit. Set `devices.{role} = "model"`'
            continue
        elif name != role and not own and name.lower() not in library.names:
            yield f"{role}: the library has no {kind} `{name}`. Fix the name, the section or the file"
            continue
        else:
            channels = own
        if channels and role[:4] not in channels:
            yield f"{role}: `{name}` is a {channels.pop()} transistor. Exchange the names"


def _lines(part: ModelText) -> Iterator[str]:
    return (line.text for line in part.lines)


def _subcircuit_faults(name: str, part: ModelText, written: Written) -> Iterator[str]:
    subcircuit = subcircuits(part)[name.lower()]
    if len(subcircuit.pins) != len(written.pins):
        yield f"`{name}` has the pins {' '.join(subcircuit.pins)}; a transistor is drawn with four. Name another one"
        return
    letters = "".join(pin[0] for pin in subcircuit.pins)
    if sorted(letters) == sorted(written.pins) and letters != written.pins:
        yield f'`{name}` has the pins {" ".join(subcircuit.pins)}. Set `subcircuit.pins = "{letters}"`'
    for size in (written.width, written.length):
        default = number(subcircuit.defaults.get(size.lower(), ""))
        metres = default * written.unit
        if metres > 0 and not _SIZES[0] <= metres <= _SIZES[1]:
            yield (
                f"`{name}` has `{size}={subcircuit.defaults[size.lower()]}` by itself, which `subcircuit.unit` = "
                f"{written.unit:g} makes {metres:g} m. Set the unit of its sizes"
            )
