"""A CNN and a transformer block of the examples: trained on ideal tiles as in float, on a chip, and saved there."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from fixtures.chip_tables import chip_tables
from fixtures.synthetic import tables
from fixtures.waiting import BACKSTOP

from rramkit.array import ArrayModel
from rramkit.learning.data.settings import DataSettings

torch = pytest.importorskip("torch")
nn = torch.nn

from rramkit.torch import cells_of, convert  # noqa: E402

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "torch" / "small_networks.py"
IDEAL = ArrayModel.from_tables(tables(linear=True), wires=False)
ASKED = 1e-5  # what was asked of networks on ideal tiles


def script() -> Any:
    spec = importlib.util.spec_from_file_location("small_networks", SCRIPT)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["small_networks"] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


EXAMPLES = script()
SHAPES = {"cnn": (1, 28, 28), "RowsTransformer": (64,)}


def model_of(name: str) -> Any:
    torch.manual_seed(0)
    return getattr(EXAMPLES, name)()


def batch(name: str, number: int, dtype: Any) -> tuple[Any, Any]:
    generator = torch.Generator().manual_seed(number)
    x = torch.rand((6, *SHAPES[name]), generator=generator, dtype=torch.float64).to(dtype)
    return x, torch.randint(10, (6,), generator=generator)


def stepped(model: Any, name: str, optimiser: Any, *, steps: int = 3, dtype: Any = None) -> Any:
    """Return the scores of a batch after some steps of training on others."""
    for number in range(steps):
        x, labels = batch(name, number, dtype or torch.float64)
        optimiser.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()
        optimiser.step()
    with torch.no_grad():
        return model(batch(name, 99, dtype or torch.float64)[0])


OPTIMISERS = {"SGD": {"lr": 0.05, "momentum": 0.9}, "Adam": {"lr": 0.003}, "AdamW": {"lr": 0.003, "weight_decay": 0.1}}


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("optimiser", list(OPTIMISERS))
@pytest.mark.parametrize("name", list(SHAPES))
def test_trained_on_ideal_tiles_it_is_the_float_network(name, optimiser, fused):
    model = model_of(name).double()
    ours, found = convert(model, IDEAL), []
    for each in (model, ours):
        made = getattr(torch.optim, optimiser)(each.parameters(), fused=fused, **OPTIMISERS[optimiser])
        found.append(stepped(each, name, made))
    assert float((found[0] - found[1]).abs().max()) < ASKED
    untrained = model_of(name).double()(batch(name, 99, torch.float64)[0])
    assert float((found[0] - untrained).detach().abs().max()) > 100.0 * ASKED  # the steps did something


CHILD = """
import sys, torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
from test_torch_networks import chip_tables, convert, model_of, saved_step
name, path = sys.argv[2:]
net = convert(model_of(name), chip_tables(), seed=3)
net.load_state_dict(torch.load(f"{path}/{name}.pt"))
torch.save(saved_step(net, name), f"{path}/{name}.out.pt")
"""


def saved_step(net: Any, name: str) -> list[Any]:
    """Return scores and weights of a network after one more step."""
    optimiser = torch.optim.SGD(net.parameters(), lr=0.05)
    scores = stepped(net, name, optimiser, steps=1, dtype=torch.float32)
    return [scores, *(each.detach() for each in net.parameters())]


@pytest.fixture
def one_thread():
    """Let PyTorch run on one thread, as the other process does: sums of several end in other bits."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", [pytest.param("cnn", marks=pytest.mark.long), "RowsTransformer"])
def test_saved_on_a_chip_it_goes_on_to_the_bit_in_a_new_process(name, tmp_path):
    net = convert(model_of(name), chip_tables(), seed=0)
    stepped(net, name, torch.optim.Adam(net.parameters(), lr=0.003), steps=2, dtype=torch.float32)
    torch.save(net.state_dict(), tmp_path / f"{name}.pt")
    wanted = saved_step(net, name)
    folder = Path(__file__).parent
    code = f"import sys; sys.path[:0] = {[str(folder), str(folder.parent), *sys.path]!r}\n{CHILD}"
    subprocess.run([sys.executable, "-c", code, str(folder), name, str(tmp_path)], check=True, timeout=BACKSTOP)
    found = torch.load(tmp_path / f"{name}.out.pt")
    assert len(found) == len(wanted) and all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def learned(name: str, data: DataSettings, *, epochs: int, rate: float) -> tuple[float, float, Any]:
    """Return the accuracies of a network in float and on a chip, and the latter."""
    task, found = EXAMPLES.Task(lambda: model_of(name), data, epochs, rate), data.loaded(seed=1)
    in_float = EXAMPLES.trained(model_of(name), found, task)
    tiles = EXAMPLES.trained(convert(model_of(name), chip_tables(), seed=1), found, task)
    return EXAMPLES.accuracy(in_float, found), EXAMPLES.accuracy(tiles, found), tiles


def costs(tiles: Any) -> dict[str, tuple[float, float]]:
    return {name: (cells.energy, cells.seconds) for name, cells in cells_of(tiles).items()}


@pytest.mark.long
def test_a_transformer_block_learns_on_a_chip_and_each_layer_has_its_energy():
    in_float, on_tiles, tiles = learned("RowsTransformer", DataSettings(), epochs=4, rate=0.01)
    # A tenth is chance; 359 test images, a standard error of 2.5 points; what the chip costs is in docs/results.md.
    assert in_float > 0.7 and on_tiles > in_float - 0.15
    before, one = costs(tiles), torch.rand(1, 64)
    with torch.no_grad():
        tiles(one)
    spent = {name: now[0] - before[name][0] for name, now in costs(tiles).items()}
    assert len(spent) == 8 and all(each > 0.0 for each in spent.values())
    # Eight rows go through 16 inputs of `linear1`, and through the eight of the embedding.
    assert spent["block.linear1.cells"] > spent["embedding.cells"]


FOLDER = os.environ.get("RRAMKIT_DATA", "")


@pytest.mark.skipif(not (Path(FOLDER) / "mnist").is_dir(), reason="RRAMKIT_DATA names no folder with MNIST")
def test_a_cnn_learns_mnist_on_a_chip_and_each_layer_has_its_energy():
    data = DataSettings(name="mnist", train_images=800, test_images=200)
    in_float, on_tiles, tiles = learned("cnn", data, epochs=2, rate=0.01)
    # 200 test images: a standard error of 3 points.
    assert in_float > 0.7 and on_tiles > in_float - 0.15
    assert list(costs(tiles)) == ["0.cells", "3.cells", "7.cells"]
    assert all(energy > 0.0 and seconds > 0.0 for energy, seconds in costs(tiles).values())
