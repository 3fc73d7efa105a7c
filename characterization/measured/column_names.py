"""Names of columns: the words that declare a role, and the unit that stands beside them."""

import re
from collections.abc import Iterable
from itertools import pairwise

from rramkit.characterization.measured import unit_spelling

OF_UNIT = {"S": "conductance", "ohm": "resistance", "A": "current"}
SET_WORDS = ("set", "potentiation", "potentiating", "pot", "ltp", "up", "gset", "rset", "gpot", "p")
RESET_WORDS = ("reset", "depression", "depressing", "dep", "ltd", "down", "greset", "rreset", "gdep", "d")
_CONDUCTANCE = {"conductance", "g", "gcell", "gset", "greset", "gpot", "gdep"}
_RESISTANCE = {"resistance", "r", "rcell", "rset", "rreset"}
_CURRENT = {"current", "i", "id", "ids", "icell", "iread"}
VOLTS = {"voltage", "v", "amplitude", "vpulse", "vwrite", "vread", "vcell", "bias"}
_READ = {"read", "vread"}
_WRITE = {"pulse", "amplitude", "vpulse", "vwrite", "write", "programming", "prog"}
# A conductance in its name does not make a column one: differences, errors, logarithms, targets.
_DERIVED = {"delta", "change", "diff", "dg", "dr", "std", "stdev", "sd", "sem", "sigma", "error", "err", "log", "ln"}
_DERIVED |= {"log10", "min", "max", "ratio", "target", "goal", "relative", "uncertainty", "noise", "fit", "model"}
_NUMBERS = {"applied", "cumulative", "total", "number", "no", "num", "index", "count", "#", "nr"}


def name_and_unit(name: str) -> tuple[str, str | None]:
    """Return the name without its unit, and the unit as written; None where the name has none."""
    bracket = re.match(r"^(.*?)\s*[\(\[\{]\s*([^()\[\]{}]*?)\s*[\)\]\}]\s*$", name)
    if bracket:
        return bracket[1], bracket[2]
    for split in (r"^(.+?)\s*/\s*(\S.*)$", r"^(.+?),\s*(\S+(?:\s\S+)?)$", r"^(.+)[\s_.]+(\S+)$"):
        match = re.match(split, name)
        if match and unit_spelling.parsed(match[2]) is not None and (len(match[2]) > 1 or "/" in name):
            return match[1], match[2]
    return name, None


def words_of(name: str) -> list[str]:
    """Return the words and numbers of a name, in lower case: `LTP_cycle3` is ltp, cycle, 3."""
    apart = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W\d_]+|\d+|#", apart.lower())


def number_after(words: list[str], names: Iterable[str]) -> str | None:
    """Return the number that follows one of the names, else None."""
    return next((b for a, b in pairwise(words) if a in names and b.isdecimal()), None)


def role_of(name: str, unit: str | None) -> str | None:
    """Return the role that the words of a column of a pulse file declare, else None."""
    words = words_of(name)
    has = set(words)
    si = (unit_spelling.parsed(unit) or (1.0, None))[1] if unit else None
    numbered = any(word.isdecimal() for word in words)
    if has & _DERIVED or has >= {"d", "g"} or has >= {"d", "r"}:
        return None
    if has & {"polarity", "direction"} or words in (["pulse", "type"], ["operation"]):
        return "polarity"
    if has & {"width", "duration", "tpulse"} or has >= {"pulse", "length"} or has >= {"t", "pulse"}:
        return "width"
    if has & VOLTS and not has & (_CONDUCTANCE | _RESISTANCE | _CURRENT | {"at"}):
        if has & _READ:
            return "read_voltage"
        return "amplitude" if has & _WRITE and not has & {"set", "reset"} else None
    for quantity, role in ((_CONDUCTANCE, "conductance"), (_RESISTANCE, "resistance"), (_CURRENT, "current")):
        if has & quantity:
            return role
    if si in OF_UNIT:
        return OF_UNIT[si] if has & {*SET_WORDS, *RESET_WORDS, "device", "dev", "cell", "cycle", "cyc", "run"} else None
    if si == "s" or words in (["time"], ["timestamp"], ["date"], ["t"]):
        return "ignore" if has & {"time", "timestamp", "t"} else None
    if has & {"cycle", "cyc", "run", "repetition"} and not numbered:
        return "cycle"
    if (has & {"device", "dev"} and not numbered) or words == ["cell"]:
        return "device"
    if (
        words in (["pulse"], ["pulses"], ["n"], ["npulse"], ["n", "pulse"], ["index"])
        or (has & {"pulse", "pulses"} and has <= {"pulse", "pulses", "of", "the", *_NUMBERS})
        or words == ["#"]
    ):
        return "pulse"
    if has & {*SET_WORDS, *RESET_WORDS} - {"p", "d"}:
        return "response"
    return None


def iv_role_of(name: str) -> str | None:
    """Return the role that the words of a column of an I-V file declare, else None."""
    has = set(words_of(name))
    if has & {"curve", "state", "level", "sweep", "trace"}:
        return "curve"
    if has & _CURRENT:
        return "current"
    if has & VOLTS:
        return "voltage"
    return "ignore" if has & {"time", "timestamp"} else None
