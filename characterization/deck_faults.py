"""Faults of a user's deck that ngspice passes over without a word, and that change its numbers."""

import re
from collections.abc import Iterable, Iterator, Sequence

from rramkit.circuits.instances import Fault, instance_faults
from rramkit.circuits.model_text import Line
from rramkit.errors import InputError

_SETTING = re.compile(r"(?i)([a-z_]\w*)(?:\s*=\s*(?:'[^']*'|\{[^}]*\}|[^\s=]+))?")
_PARAMETER = re.compile(r"(?i)(?:^|[\s,])([a-z_]\w*)(?:\([^()]*\))?\s*=(?!=)")
# Of the manual of ngspice 46, and what other simulators' decks say that concerns their printing only.
_OPTIONS = frozenset(
    "absdv abstol acct altinit autopartial autostop badmos3 brief bypass chgtol convabsstep convlimit convstep "
    "copynodesets cshunt defad defas defl defm defnrd defnrs defw delmin diode_cj0 diode_rser diodemod epsmin "
    "filetype fixed_scale gfarad gmin gminfactor gminsteps indverbosity ingold interp itl1 itl2 itl3 itl4 itl5 itl6 "
    "keepopinfo klu klu_memgrow_factor limpts list lteabstol ltereltol lvltim maxevtiter maxopalter maxord maxwarns "
    "measdgt method minbreak mincutoff newtrunc nfreqs nlimit noacct noasciiplotvalue nobreak node noinit nomeas "
    "nomod noopac noopiter nopage norefvalue nosqnoise nosteplimit nostepsizelimit numdgt numdig oldlimit optmenu "
    "opts opttran pivrel pivtol plotwinsize post probe ramptime reldv reltol rndseed rseries rshunt save "
    "savecurrents savecurrents_bsim3 savecurrents_bsim4 savecurrents_mos1 scale seed seedinfo sim_status sparse "
    "sqnoise srcsteps temp tnom trnoise trtol trytocompact unwrap vntol warn wnflag xmu xtrtol".split()
)


def check(cards: Sequence[Line], waive: Iterable[str] = ()) -> None:
    """Raise `InputError` at the first fault of a deck whose message holds none of the texts of `waive`."""
    accepted = [text.lower() for text in waive]
    for fault in faults(cards):
        if not any(text in str(fault).lower() for text in accepted):
            raise InputError(
                f"{fault}: ngspice would not say so, and give other numbers. Fix it, or accept it with `--waive` and a "
                "part of this message."
            )


def faults(cards: Sequence[Line]) -> Iterator[Fault]:
    """Yield what stands in a deck twice, parameters that a subcircuit or ngspice does not have, lost multipliers."""
    yield from _twice(cards)
    yield from instance_faults(cards, cards)
    yield from _options(cards)


def _twice(cards: Sequence[Line]) -> Iterator[Fault]:
    """Yield second models, subcircuits and parameters of one name; none where conditions choose between them."""
    if any(line.text[:3].lower() == ".if" for line in cards):
        return
    first: dict[tuple[str, str], Line] = {}
    depth = 0
    for line in cards:
        words = line.text.lower().split(None, 2)
        card = words[0]
        names = words[1:2] if card in (".model", ".subckt") else []
        names = _PARAMETER.findall(line.text.lower()[len(card) :]) if card in (".param", ".params") else names
        for name in names if depth == 0 else ():
            kind = "parameter" if card.startswith(".param") else "definition"
            if (kind, name) in first:
                yield Fault(line, f"`{name}` is defined a second time (first: {first[kind, name].where})")
            first.setdefault((kind, name), line)
        depth += (card == ".subckt") - (card == ".ends")


def _options(cards: Iterable[Line]) -> Iterator[Fault]:
    for line in cards:
        card, *rest = line.text.split(None, 1)
        if card.lower() in (".option", ".options", ".opt") and rest:
            for name in _SETTING.findall(re.sub(r"\s*=\s*", "=", rest[0])):
                if name.lower() not in _OPTIONS:
                    yield Fault(line, f"ngspice has no option `{name}`")
