"""Convergence aids, in the order in which they are tried when a point's run fails.

The first is the deck as it is. Each further one changes only how ngspice solves, never the circuit: smaller steps,
another integration method, conductance from every node to ground during the search for the operating point. Their
results agree with the first's within its tolerance; which aid gave a point is recorded with it.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

AGAIN = ("crash", "timeout", "killed")
"""Reasons that may lie outside the deck (memory): the same deck is run once more, before another aid."""
KILLED_MOST = 5
"""Largest number of repeats of a deck whose process is killed from outside."""
HOPELESS = ("parse", "timeout")
"""Reasons that no aid removes: a wrong deck, a run that hangs (it would hang with each aid)."""


@dataclass(frozen=True)
class ConvergenceAid:
    """One convergence aid: its name, and the change of the deck's text."""

    name: str
    change: Callable[[str], str]


def finer(deck: str) -> str:
    """Return the deck with half the largest time step and a tenth of the relative tolerance."""
    text = _with_step(deck, 0.5)
    return re.sub(r"reltol=1e-(\d)", lambda match: f"reltol=1e-{int(match[1]) + 1}", text)


def gear(deck: str) -> str:
    """Return the deck with a quarter of the largest time step and Gear's method, which damps ringing."""
    return with_options(_with_step(deck, 0.25), "method=gear maxord=2 itl4=500")


def conducting(deck: str) -> str:
    """Return the deck with 1 pS for 1 fS beside every junction, and more iterations for the operating point."""
    return with_options(_with_step(deck, 0.5), "gmin=1e-11 rshunt=1e13 itl1=1000 itl2=500 itl4=500")


def ramped(deck: str) -> str:
    """Return the deck started by ramping its sources, in many steps, with looser residual currents."""
    return with_options(_with_step(deck, 0.25), "srcsteps=100 gminsteps=100 itl1=2000 itl4=1000 method=gear")


AIDS = (
    ConvergenceAid("as made", lambda deck: deck),
    ConvergenceAid("finer steps", finer),
    ConvergenceAid("gear", gear),
    ConvergenceAid("gmin", conducting),
    ConvergenceAid("source steps", ramped),
)


def with_options(deck: str, options: str) -> str:
    """Return the deck with an option line before its end, where it overrides the deck's own."""
    return re.sub(r"(?im)^\.end\s*$", f".options {options}\n.end", deck)


def _with_step(deck: str, factor: float) -> str:
    def scaled(match: re.Match[str]) -> str:
        step, stop, start = (float(match[k]) for k in (1, 2, 3))
        return f".tran {factor * step:.9e} {stop:.9e} {start:g} {factor * step:.9e}"

    number = r"([-+.\deE]+)"
    return re.sub(rf"(?m)^\.tran {number} {number} {number} {number}", scaled, deck)
