# pyright: reportMissingImports=false
"""The benchmark for a GPU, dry: on the processor, two steps of the smallest network."""

import importlib.util
import json
from pathlib import Path

import pytest

pytest.importorskip("torch")

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "on_device.py"


def test_it_runs_dry_and_prints_what_a_card_would_have_printed(capsys):
    found = importlib.util.spec_from_file_location("on_device_benchmark", SCRIPT)
    assert found is not None and found.loader is not None
    script = importlib.util.module_from_spec(found)
    found.loader.exec_module(script)
    script.main(["--device", "cpu", "--steps", "1", "--turns", "1", "--batch", "4", "--networks", "lenet5", "--json"])
    told = json.loads(capsys.readouterr().out)
    row = told["networks"]["lenet5"]
    assert told["device"] == "cpu" and told["batch"] == 4
    assert row["rram_images_per_s"] > 0.0 and row["pytorch_images_per_s"] > row["rram_images_per_s"]


@pytest.mark.parametrize("name", ["vgg8", "resnet18"])
def test_every_network_has_its_like_in_pytorch(name):
    import torch

    from rramkit.learning import NetworkSettings

    found = importlib.util.spec_from_file_location("on_device_benchmark", SCRIPT)
    assert found is not None and found.loader is not None
    script = importlib.util.module_from_spec(found)
    found.loader.exec_module(script)
    network = script.modules(NetworkSettings(name=name).chain(images=True).layers)
    assert network(torch.zeros((2, 3, 32, 32))).shape == (2, 10)
