"""Gain setting of readouts before comparators; the current that puts references where a latch decides.

A latch is characterised over common modes v_low to v_high (`stages.sense_amp`), a readout at rest lies below. A
constant current into every column lifts outputs, so that the middle of the references is the middle of that range; the
gain setting is the one of the largest feedback resistor that keeps all references within it::

    v_low <= v_rest + f(i_ref + i_bias) <= v_high

What makes the current is not priced; what readouts take for it is. The constant current is this kit's own choice.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from rramkit.array.stages.readout import Readout, ReadoutGain
from rramkit.array.stages.sense_amp import SenseAmp


@dataclass(frozen=True)
class ReadoutSetting:
    """How the readouts of a matrix are set.

    Attributes
    ----------
    gain : ReadoutGain
        The gain setting.
    number : int
        Its number.
    i_bias : float
        Constant current into each column (A).
    beyond : int
        Columns whose reference is beyond the latch's range.
    """

    gain: ReadoutGain
    number: int
    i_bias: float = 0.0
    beyond: int = 0

    @classmethod
    def of(cls, readout: Readout, sense_amp: SenseAmp, i_ref: np.ndarray | None) -> Self:
        """Return the setting for reference currents (M,) in amperes; None: a test read, in the largest range."""
        if i_ref is None:
            return cls(readout.gains[readout.first], readout.first)
        numbers = range(len(readout.gains)) if readout.r_feedback is None else [readout.first]
        span = float(i_ref.max() - i_ref.min())
        ends = {number: _ends(readout.gains[number], readout.v_rest, sense_amp) for number in numbers}
        fit = [number for number, (low, high) in ends.items() if span <= high - low]
        number = fit[-1] if fit else numbers[0]
        low, high = ends[number]
        i_bias = 0.5 * (low + high) - 0.5 * float(i_ref.max() + i_ref.min())
        beyond = np.count_nonzero((i_ref + i_bias < low - 1e-9 * span) | (i_ref + i_bias > high + 1e-9 * span))
        return cls(readout.gains[number], number, i_bias, int(beyond))


def _ends(gain: ReadoutGain, v_rest: float, sense_amp: SenseAmp) -> tuple[float, float]:
    """Return the currents (A) at which the readout's output is at the ends of the latch's common modes."""
    curve = gain.curve()
    low, high = (float(curve.current(np.asarray(v - v_rest))) for v in (sense_amp.v_low, sense_amp.v_high))
    return low, min(high, curve.i_end)
