"""Clamp that holds a sensed line at its voltage: saturates at `i_max`; excess current is clipped and counted.

Its input resistance is part of the wires (`r_sense` of the table). Off: `i_max` 0.
"""

from rramkit.array.backend import Array, counted, is_tensor, limited, namespace
from rramkit.array.stages.stage import Stage, State
from rramkit.parameters import quantity


class Clamp(Stage):
    """Saturation current of the clamp."""

    i_max: float = quantity(0.0, "A", "largest current of a sensed line, either way; 0: no limit", ge=0.0, le=1.0)

    @property
    def on(self) -> bool:
        """Whether currents saturate."""
        return self.i_max > 0.0

    @property
    def linear(self) -> bool:
        """Not where it saturates."""
        return not self.on

    def sense(self, i: Array, state: State, *, backward: bool, two_way: bool) -> tuple[Array, int]:
        """Return currents (..., N, M) within +-`i_max`, and how many saturated."""
        xp = namespace(i)
        clipped = counted(xp.abs(i) > self.i_max)
        if is_tensor(i):
            return limited(i, -self.i_max, self.i_max), clipped
        return (limited(i, -self.i_max, self.i_max), clipped) if clipped else (i, 0)
