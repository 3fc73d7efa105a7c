"""Slopes of a sensitivity: differences over the change that was made, by seed."""

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit.characterization.design import find_design
from rramkit.learning import Experiment
from rramkit.proof import sensitivity as module
from rramkit.proof.parameters import value_of


@pytest.mark.parametrize(("name", "value", "step"), [("sar.bits", 8.0, 0.125), ("cell.w_access", 2e-6, 0.1)])
def test_what_grows_with_a_parameter_has_its_value_as_slope(tmp_path, monkeypatch, name, value, step):
    """For m = p + seed, dm / d(ln p) is p, whatever whole values stand beside a whole number."""
    noise = np.array([0.0, 1.0, 5.0])
    monkeypatch.setattr(module, "_characterized", lambda design, *_: design)
    monkeypatch.setattr(
        module, "_metrics", lambda _, design, *__: {each: value_of(design, name) + noise for each in module.METRICS}
    )
    (found,) = module.sensitivity(find_design("chip"), Experiment(), [name], tmp_path)
    assert (found.value, found.step) == (near(value, rel=1e-12), near(step, rel=1e-9))  # of differences of doubles
    for metric in module.METRICS:
        assert found.mean[metric] == near(value, within=1e-9)  # sums with seeds of 5: their rounding
        assert found.error[metric] < 1e-9  # what the seeds have in common cancels
