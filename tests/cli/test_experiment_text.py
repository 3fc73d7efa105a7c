"""Experiments as TOML."""

from rramkit.cli.experiment_text import toml_text
from rramkit.learning import Experiment


def test_an_experiment_is_read_back_with_any_character_in_it(tmp_path):
    layers = [{"kind": "dense", "units": 3}, {"kind": "step", "threshold": [0.5, 1e-9]}, {"kind": "dense"}]
    values = {"tables": 'größe "\U0001d6fc"\\t.h5', "epochs": 3, "network": {"layers": layers, "reach": 2.0}}
    written = Experiment.checked(values, where="the test")
    path = tmp_path / "experiment.toml"
    path.write_text(toml_text(written, heading="of a test"), encoding="utf-8")
    assert Experiment.from_toml(path) == written
