"""Corner lists of step-wise drives: rising times, the levels asked for, no edge over another."""

import numpy as np
import pytest
from fixtures.closeness import near
from hypothesis import given
from hypothesis import strategies as st

from rramkit.circuits.cell import WriteParams, _line_steps
from rramkit.circuits.stimuli import staircase_points
from rramkit.errors import InputError

RISE = 1e-9


@given(
    gaps=st.lists(st.floats(1.0, 100.0), min_size=1, max_size=20),
    levels=st.lists(st.floats(-4, 4), min_size=20, max_size=20),
)
def test_every_level_stands_from_its_edge_to_the_next(gaps, levels):
    starts = np.cumsum(gaps) * RISE
    points = staircase_points(list(zip(starts, levels, strict=False)), t_rise=RISE)
    times, volts = (np.array(column) for column in zip(*points, strict=True))
    assert np.all(np.diff(times) > 0)
    for start, level, end in zip(starts, levels, [*starts[1:], starts[-1] + 5 * RISE], strict=False):
        middle = (start + RISE + max(end, start + RISE)) / 2
        assert np.interp(middle, times, volts) == near(level, within=1e-6)


def test_overlapping_edges_are_refused():
    with pytest.raises(InputError, match="apart or more"):
        staircase_points([(1e-9, 1.0), (1.5e-9, 0.0)], t_rise=RISE)


@pytest.mark.parametrize("polarity", ["set", "reset"])
@pytest.mark.parametrize("pulses", [1, 34, 200])
def test_staircase_lines_have_no_two_corners_at_one_time(polarity, pulses):
    params = WriteParams(polarity=polarity, pulses=pulses)
    for steps in _line_steps(params).values():
        times = [t for t, _ in staircase_points(steps, t_rise=params.pulse.t_rise)]
        assert np.all(np.diff(times) > 0.1 * params.pulse.t_rise)
