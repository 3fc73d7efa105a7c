"""The clamp that holds a sensed line at its voltage: it can take a limited current, and what comes beyond is lost.

Its input resistance is part of the wires (`r_sense` of the table). Off: `i_max` 0.
"""

from rramkit.array.backend import Array, limited, namespace
from rramkit.parameters import Parameters, quantity


class Clamp(Parameters):
    """The largest current that the clamp can take."""

    i_max: float = quantity(0.0, "A", "largest current of a sensed line, either way; 0: no limit", ge=0.0, le=1.0)

    def apply(self, i: Array) -> tuple[Array, int]:
        """Return the currents `i` (...) that come through, and how many met the limit."""
        if self.i_max == 0.0:
            return i, 0
        xp = namespace(i)
        lost = int(xp.count_nonzero(xp.abs(i) > self.i_max))
        return (limited(i, -self.i_max, self.i_max), lost) if lost else (i, 0)
