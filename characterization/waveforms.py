"""Waveforms of one ngspice run, by the names that the deck gives its outputs; integrals over them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from rramkit.characterization.vector_units import unit_of
from rramkit.errors import InputError

SCALES = ("time", "frequency", "v-sweep", "i-sweep", "temp-sweep", "res-sweep")
"""ngspice's names of an abscissa."""


@dataclass(frozen=True)
class Waveforms:
    """The result of one run.

    Attributes
    ----------
    kind : str
        `tran`, `dc`, `op`, `ac`, `noise`, `tf`, `pz`, `sens`, `disto` or `sp`.
    vectors : mapping
        Output as the deck's header names it (`i_cell_0`), lower case, to values (T,) in SI units, complex for `ac`. A
        vector that the header does not name keeps ngspice's word for it (`v(s)`, `i(v_bl)`); the abscissa, real, is
        there as `time`, `frequency` or `v-sweep`.
    measures : mapping
        Results of the deck's own `.meas` lines; of a `.noise` analysis the totals over the band.
    seconds : float
        Wall-clock time that ngspice took.
    words : tuple of str
        What the deck says after the analysis' name.
    """

    kind: str
    vectors: Mapping[str, np.ndarray]
    measures: Mapping[str, float]
    seconds: float = 0.0
    words: tuple[str, ...] = ()

    def __getitem__(self, output: str) -> np.ndarray:
        """Return an output's values (T,); raise `InputError` for one that the deck does not declare."""
        values = self.vectors.get(output.lower())
        if values is None:
            raise InputError(
                f"`{output}` must be an output that the deck declares; got one with {', '.join(self.vectors)}. "
                "Fix the name, or add an `Output` to the deck."
            )
        return values

    @property
    def scale(self) -> str | None:
        """Return the name of the abscissa; None where the run has a single point."""
        return next((name for name in SCALES if name in self.vectors), None)

    def unit(self, vector: str) -> str:
        """Return the unit of a vector that the deck's header does not name."""
        return unit_of(vector, self.kind, self.words)

    @property
    def abscissa(self) -> np.ndarray:
        """Return time [s], frequency [Hz] or the swept quantity (T,); raise `InputError` where there is none."""
        if self.scale is None:
            raise InputError(f"`abscissa` needs a sweep or a transient; got the kind {self.kind!r}. Fix the deck.")
        return self.vectors[self.scale]


@dataclass(frozen=True)
class Results:
    """What a deck gave.

    Attributes
    ----------
    analyses : tuple of Waveforms
        One of each analysis, in the order of the deck.
    warnings : tuple of str
        What ngspice warns of, each once, with its line.
    not_measured : mapping
        `.meas` lines that gave no number, by name: why, as far as ngspice says.
    printed : tuple of str
        What `.control` sections printed.
    """

    analyses: tuple[Waveforms, ...]
    warnings: tuple[str, ...] = ()
    not_measured: Mapping[str, str] = field(default_factory=dict)
    printed: tuple[str, ...] = ()


def integral(time: np.ndarray, values: np.ndarray, window: tuple[float, float]) -> float:
    """Integrate `values` (T,) over a window of `time` [s] by the trapezoidal rule, its ends interpolated."""
    inside = (time > window[0]) & (time < window[1])
    t = np.concatenate([[window[0]], time[inside], [window[1]]])
    return float(np.trapezoid(np.interp(t, time, values), t))
