"""`rramkit.torch`: modules on tiles against torch.nn's own, and a small problem that they learn. Skipped without it."""

from typing import Any

import numpy as np
import pytest
from fixtures.synthetic import tables

from rramkit.array import ArrayModel, ReadChain
from rramkit.errors import InputError

torch = pytest.importorskip("torch")
from rramkit.torch import TileConv2d, TileLinear  # noqa: E402  (only where there is PyTorch)

IDEAL = ArrayModel.from_tables(tables(linear=True), wires=False)
REAL = ArrayModel.from_tables(
    tables(), chain=ReadChain.checked({"adc": {"noise": 1e-8}, "read_noise": {"sigma_rel": 0.01}}, where="test")
)


def gradients(module, x):
    x = x.clone().requires_grad_()
    y = module(x)
    (y.square().sum() + y.sum()).backward()
    return [y.detach(), x.grad, module.weight.grad.reshape(-1), module.bias.grad]


@pytest.mark.parametrize("backward", ["tile", "digital"])
def test_ideal_modules_are_torchs_own(backward):
    torch.manual_seed(0)
    linear, x = TileLinear(12, 5, IDEAL, backward=backward).double(), torch.randn(7, 12, dtype=torch.float64)
    plain = torch.nn.Linear(12, 5).double()
    plain.load_state_dict({"weight": linear.weight, "bias": linear.bias})
    for ours, theirs in zip(gradients(linear, x), gradients(plain, x), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-9)  # rounding, at values of up to a hundred
    options: dict[str, Any] = {"kernel_size": 3, "stride": 2, "padding": 1}
    ours = TileConv2d(2, 4, IDEAL, backward=backward, **options).double()
    theirs = torch.nn.Conv2d(2, 4, **options).double()
    theirs.load_state_dict({"weight": ours.weight.reshape(4, 2, 3, 3), "bias": ours.bias})
    images = torch.randn(3, 2, 7, 6, dtype=torch.float64)
    for one, other in zip(gradients(ours, images), gradients(theirs, images), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


def test_real_modules_are_near_and_count():
    torch.manual_seed(0)
    module, x = TileLinear(70, 9, REAL, largest=(40, 24)), torch.randn(11, 70)
    exact = torch.nn.functional.linear(x, module.weight, module.bias).detach()
    error = (module(x).detach() - exact).abs().max() / exact.abs().max()
    assert 1e-3 < float(error) < 0.3
    assert module.cells.grid is not None and module.cells.grid.shape == (2, 1) and module.cells.energy > 0.0
    with torch.no_grad():
        module.weight[0, 0] = 10.0 * module.cells.mapping.w_max
    before = module.cells.clamped
    module(x)
    assert module.cells.clamped == before + 1


def test_what_write_gives_is_what_is_read():
    module = TileLinear(6, 3, IDEAL, write=lambda g_cell, wanted: 0.5 * (g_cell + wanted), bias=False).double()
    x, first = torch.eye(6, dtype=torch.float64), module.weight.detach().clone()
    module(x)
    with torch.no_grad():
        module.weight.copy_(-first)
    assert float(module(x).detach().abs().max()) < 1e-12  # half the way from w to -w


def test_modules_learn_through_the_cells():
    torch.manual_seed(1)
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(256, 8)), dtype=torch.float32)
    labels = ((x[:, 0] * x[:, 1] > 0).long() + (x[:, 2] > 0).long()) % 2
    net = torch.nn.Sequential(
        TileLinear(8, 20, REAL, w_max=3.0), torch.nn.ReLU(), TileLinear(20, 2, REAL, w_max=3.0, seed=1)
    )
    optimiser = torch.optim.Adam(net.parameters(), lr=0.03)
    for _ in range(120):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(net(x), labels).backward()
        optimiser.step()
    accuracy = float((net(x).argmax(dim=1) == labels).float().mean())
    assert accuracy > 0.85  # chance is a half


def test_bad_input_is_named():
    with pytest.raises(InputError, match="`backward` must be tile or digital"):
        TileLinear(3, 2, IDEAL, backward="analog")  # pyright: ignore[reportArgumentType]
