"""Single write pulses at cells side by side: what is asked, the runs that answer it, and the results.

A pulse's run holds no reads: how a state is read is known from `StateMap`, so that the run is only as long as the
pulse, and a start conductance is the same number for every amplitude.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from rramkit.characterization.cell_read import StateMap
from rramkit.characterization.components.cell_measure import one_pulse, row_pulses
from rramkit.characterization.engine.point import Outcome, Point, PointGroup, values_or_nan
from rramkit.characterization.plan import Plan
from rramkit.circuits.cell_bench import Polarity
from rramkit.circuits.cell_rows import PulseRowParams, pulse_row

ROW = 8  # cells in one deck: a quarter less time than alone; the devices take the rest, and a longer row gains nothing


@dataclass(frozen=True)
class AskedPulses:
    """Single pulses of one polarity: start states (N,), amplitudes (N,) [V], largest time step [s]."""

    polarity: Polarity
    state: np.ndarray
    v_pulse: np.ndarray
    t_step: float

    def runs(self, plan: Plan) -> list[PointGroup]:
        """Return the runs that answer them, rows of `ROW` cells."""
        return [self._row(plan, slice(k, k + ROW)) for k in range(0, self.state.size, ROW)]

    def _row(self, plan: Plan, which: slice) -> PointGroup:
        places = range(*which.indices(self.state.size))
        alone = tuple(
            Point(
                lambda k=k: self._deck(plan, slice(k, k + 1)),
                one_pulse,
                f"state = {self.state[k]:.6g}, v_pulse = {self.v_pulse[k]:.4g} V",
            )
            for k in places
        )
        return PointGroup(alone, lambda: self._deck(plan, which), partial(row_pulses, cells=len(places)))

    def _deck(self, plan: Plan, which: slice) -> str:
        params = PulseRowParams(
            cell=plan.cell,
            pulse=plan.pulse.model_copy(update={"t_step": self.t_step}),
            polarity=self.polarity,
            state=tuple(self.state[which].tolist()),
            v_pulse=tuple(self.v_pulse[which].tolist()),
        )
        return pulse_row(params).text()


@dataclass(frozen=True)
class Pulses:
    """Results of single pulses, (N,) each: conductance before and its change [S], amplitude [V], energy [J].

    Change and energy are not a number where the point failed.
    """

    g_start: np.ndarray
    v_pulse: np.ndarray
    delta_g: np.ndarray
    energy: np.ndarray

    @property
    def good(self) -> np.ndarray:
        """Return where a point has a result, (N,) of bool."""
        return np.isfinite(self.delta_g)


def results(asked: AskedPulses, states: StateMap, outcomes: Sequence[Outcome]) -> Pulses:
    """Return what became of the pulses asked."""
    state, energy = values_or_nan(outcomes, (2,)).T
    g_start, g_end = states.read_of(asked.state), np.full(state.shape, np.nan)
    g_end[np.isfinite(state)] = states.read_of(state[np.isfinite(state)])
    return Pulses(g_start, asked.v_pulse, g_end - g_start, energy)
