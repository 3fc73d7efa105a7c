"""The examples of `rramkit.torch` run. Skipped without PyTorch."""

import doctest
import importlib

import pytest

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("name", ["arrays", "convert", "convolution", "linear"])
def test_the_examples_run(name):
    module = importlib.import_module(f"rramkit.torch.{name}")
    ran = doctest.testmod(module, optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    assert ran.attempted and not ran.failed
