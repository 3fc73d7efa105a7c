"""What scatters in the write tables, and how many draws are made of it."""

from typing import Literal

from rramkit.characterization.cycle_noise import CycleNoise
from rramkit.circuits.mismatch import Matching
from rramkit.parameters import Parameters, quantity

Spread = Literal["cycles", "devices", "mismatch"]


class WriteSpread(Parameters):
    """Monte Carlo of the write tables; every draw is made here and goes into a deck as a number."""

    count: int = quantity(0, "1", "draws; 0: none", ge=0, le=100000)
    seed: int = quantity(11, "1", "seed of the draws", ge=0)
    spreads: tuple[Spread, ...] = quantity(
        ("mismatch",),
        "1",
        "cycles (stanford), devices (published ReRAM spread: jart), mismatch (access transistor's threshold)",
    )
    g_points: int = quantity(
        5, "1", "start conductances at which draws run; the table's others are between", ge=2, le=200
    )
    v_points: int = quantity(7, "1", "amplitudes at which draws run", ge=2, le=500)
    noise: CycleNoise = CycleNoise()
    matching: Matching = Matching()
