"""Slopes of a sensitivity: differences over the change that was made, by seed; and how they are shown."""

import numpy as np
import pytest
from fixtures.closeness import near
from rich.console import Console

from rramkit.characterization.design import find_design
from rramkit.cli.sensitivity import as_grid
from rramkit.learning import Experiment
from rramkit.proof import sensitivity as module
from rramkit.proof.parameters import value_of


@pytest.mark.parametrize(("name", "value", "step"), [("sar.bits", 8.0, 0.125), ("cell.w_access", 2e-6, 0.1)])
def test_what_grows_with_a_parameter_has_its_value_as_slope(tmp_path, monkeypatch, name, value, step):
    """For m = p + seed, dm / d(ln p) is p, whatever whole values stand beside a whole number."""
    noise = np.array([0.0, 1.0, 5.0])
    monkeypatch.setattr(module, "characterized", lambda design, *_: design)
    monkeypatch.setattr(
        module, "_metrics", lambda _, design, *__: {each: value_of(design, name) + noise for each in module.METRICS}
    )
    (found,) = module.sensitivity(find_design("chip"), Experiment(), [name], tmp_path)
    assert (found.value, found.step) == (near(value, rel=1e-12), near(step, rel=1e-9))  # of differences of doubles
    for metric in module.METRICS:
        assert found.mean[metric] == near(value, within=1e-9)  # sums with seeds of 5: their rounding
        assert found.error[metric] < 1e-9  # what the seeds have in common cancels


def test_no_figure_is_cut_on_a_narrow_terminal():
    found = module.Sensitivity(
        name="readout.ota.w_input",
        value=80e-6,
        step=0.1,
        touched=("readout_transimpedance", "readout_offset", "readout_noise", "multibit_read"),
        mean={"loss": -8.2e-4, "accuracy": 0.93, "energy_read": 80e-9, "energy_write": -104.5e-9},
        error={"loss": 5.1e-4, "accuracy": 0.12, "energy_read": 2e-9, "energy_write": 13e-9},
    )
    console = Console(width=80, record=True)
    console.print(as_grid([found]))
    shown = console.export_text()
    for text in ("readout.ota.w_input = 8e-05", "8.2", "+0.930 points", "0.120 points", "800 pJ", "20 pJ", "130 pJ"):
        assert text in shown, shown
    assert "…" not in shown
