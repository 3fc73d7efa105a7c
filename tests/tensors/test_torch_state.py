"""State of modules on tiles: what is saved goes on to the bit, in a new process too, or it is an error."""

import copy
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.chip_tables import chip_tables
from fixtures.synthetic import tables
from fixtures.waiting import BACKSTOP

from rramkit.array import ArrayModel, ReadChain
from rramkit.errors import InputError

torch = pytest.importorskip("torch")
nn = torch.nn

from rramkit.torch import TileLinear, calibrate, cells_of, convert  # noqa: E402

TYPED = {
    "row_driver": {"levels": 64},
    "adc": {"bits": 9, "noise": 1e-8, "shared": 2, "offset_sigma": 1e-8, "gain_sigma": 0.01},
    "read_noise": {"sigma_span": 0.01, "sigma_rel": 0.02},
    "telegraph": {"fraction": 0.2},
}
NOISY = ArrayModel.from_tables(tables(), chain=ReadChain.checked(TYPED, where="test"))
ARRAYS = {"typed stages": NOISY, "a chip": chip_tables()}


def network():
    torch.manual_seed(0)
    return nn.ModuleDict(
        {"image": nn.Conv2d(1, 4, 3), "steps": nn.GRU(4, 5, batch_first=True), "head": nn.Linear(5, 3)}
    )


def scores(net, x):
    """Return the scores of images (B, 1, H, W), whose windows are the steps of a sequence."""
    return net["head"](net["steps"](net["image"](x).flatten(2).transpose(1, 2))[0][:, -1])


def images():
    return torch.rand(4, 1, 5, 5, generator=torch.Generator().manual_seed(1))


def trained(arrays, *, seed=0):
    """Return a network on tiles after two steps, the second of which its cells have not seen yet."""
    net = convert(network(), arrays, seed=seed)
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        scores(net, images()).square().sum().backward()
        optimiser.step()
    return net


@pytest.fixture(scope="module", params=list(ARRAYS))
def net(request):
    return request.param, trained(ARRAYS[request.param])


def goes_on(net, x=None):
    """Return what a network gives next: two noisy outputs, and the gradients of the second."""
    x = images() if x is None else x
    net.zero_grad()
    first, second = scores(net, x), scores(net, x)
    second.square().sum().backward()
    assert not torch.equal(first, second)  # there is noise
    return [first, second, *(each.grad.clone() for each in net.parameters())]


def equal(ours, theirs):
    for one, other in zip(ours, theirs, strict=True):
        assert torch.equal(one, other)


def test_loaded_it_goes_on_to_the_bit(net):
    name, own = net[0], copy.deepcopy(net[1])
    state = own.state_dict()
    assert all(isinstance(each, torch.Tensor) for each in state.values())
    fresh, used = convert(network(), ARRAYS[name], seed=7), trained(ARRAYS[name], seed=9)
    fresh.load_state_dict(state)
    used.load_state_dict(state)
    counts = [[(each.energy, each.writes, each.seed) for each in cells_of(one).values()] for one in (own, fresh, used)]
    assert counts[0] == counts[1] == counts[2]
    wanted = goes_on(own)
    equal(goes_on(fresh), wanted)
    equal(goes_on(used), wanted)


def test_copies_and_pickles_go_on_to_the_bit(net):
    own = copy.deepcopy(net[1])
    others = [copy.deepcopy(own), pickle.loads(pickle.dumps(own))]
    wanted = goes_on(own)
    for other in others:
        equal(goes_on(other), wanted)
    with torch.no_grad():
        own["head"].weight.mul_(0.5)
        scores(own, images())
    writes = [one["head"].cells.writes for one in (own, others[0])]
    assert writes[0] == writes[1] + 1  # a copy's cells are its own


CHILD = """
import sys, torch
torch.set_num_threads(1)
sys.path.insert(0, sys.argv[1])
from test_torch_state import ARRAYS, convert, goes_on, network
for name, arrays in ARRAYS.items():
    path = f"{sys.argv[2]}/{name}"
    net = convert(network(), arrays, seed=3)
    net.load_state_dict(torch.load(f"{path}.pt"))
    torch.save(goes_on(net), f"{path}.out.pt")
"""


def test_a_new_process_goes_on_to_the_bit(tmp_path):
    wanted = {}
    for name, arrays in ARRAYS.items():
        own = trained(arrays)
        torch.save(own.state_dict(), tmp_path / f"{name}.pt")
        wanted[name] = goes_on(own)
    folder = Path(__file__).parent
    paths = [str(folder), str(folder.parent), *sys.path]
    code = f"import sys; sys.path[:0] = {paths!r}\n{CHILD}"
    subprocess.run([sys.executable, "-c", code, str(folder), str(tmp_path)], check=True, timeout=BACKSTOP)
    for name, each in wanted.items():
        equal(torch.load(tmp_path / f"{name}.out.pt"), each)


def test_before_the_first_write_the_seed_is_the_state():
    one, other = convert(network(), NOISY, seed=1), convert(network(), NOISY, seed=2)
    other.load_state_dict(one.state_dict())
    equal([scores(other, images())], [scores(one, images())])


def test_plain_weights_load_and_the_cells_follow():
    net, plain = trained(NOISY), network()
    writes = net["head"].cells.writes
    net.load_state_dict(plain.state_dict())
    with torch.no_grad():
        error = (scores(net, images()) - scores(plain, images())).abs().max()
    assert float(error) < 0.2 and net["head"].cells.writes == writes + 1
    plain.load_state_dict(net.state_dict(), strict=False)


def _without(state, key):
    return {name: each for name, each in state.items() if name != key}


def _with(state, key, change):
    return {**state, key: change(state[key])}


def test_what_does_not_fit_is_an_error(net):
    name, own = net
    state, arrays = own.state_dict(), ARRAYS[name]
    stage = next(key for key in state if key.startswith("head.cells.stages"))
    damaged = [
        (_without(state, "head.cells.streams"), "head.cells: `state_dict` must hold `streams`"),
        (_without(state, "head.cells.g_cell"), "`state_dict` has `counts`|`state_dict` has `range`"),
        (_without(state, stage), "must hold `stages"),
        ({**state, "head.cells.stages.more": torch.zeros(1)}, "got `stages.more` beside them"),
        (_with(state, "head.cells.streams", lambda each: each[:, :3]), "must hold random streams"),
        (_with(state, "head.cells.g_cell", lambda each: 0.0 * each), "must be finite and above 0 S"),
        (_with(state, "head.cells.g_cell", lambda each: each[:, :2]), "`g_cell` must be the cells of `written`"),
    ]
    for broken, message in damaged:
        with pytest.raises(RuntimeError, match=message):
            convert(network(), arrays).load_state_dict(broken)
    other = ArrayModel.from_tables(tables(), wires=False)
    with pytest.raises(RuntimeError, match="must hold cells of this module's tables, stages and array size"):
        convert(network(), other).load_state_dict(state)
    with pytest.raises(RuntimeError, match="must hold cells of this module's tables, stages and array size"):
        convert(network(), arrays, largest=(8, 8)).load_state_dict(state)


def test_ranges_and_writes_of_a_module_are_state_too():
    class Drifting(nn.Module):
        """Writes end lower and lower."""

        def __init__(self):
            super().__init__()
            self.register_buffer("part", torch.ones(()))

        def forward(self, g_cell, wanted):
            self.part.mul_(0.9)
            return wanted.min() + float(self.part) * (wanted - wanted.min())

    one, other = (TileLinear(6, 3, NOISY, write=Drifting(), seed=seed) for seed in (1, 2))
    x = torch.rand(5, 6)
    for factor in (1.0, 3.0):
        with torch.no_grad():
            one.weight.mul_(factor)
            one(x)
    calibrate(one, x)
    other.load_state_dict(one.state_dict())
    assert other.cells.mapping == one.cells.mapping and other.cells.ranges == 1
    with torch.no_grad():
        for each in (one, other):
            each.weight.mul_(0.5)
        equal([other(x)], [one(x)])


def test_writes_by_pulses_are_counted_and_their_devices_are_state():
    torch.manual_seed(0)
    one, other = (convert(nn.Linear(3, 2), tables(), write="pulses", seed=seed) for seed in (1, 2))
    x = torch.eye(3)
    with torch.no_grad():
        one(x)
    pulses, mapping = one.cells.write, one.cells.mapping
    held = torch.from_numpy(one.cells.matrix.weight).T
    beyond = (held - one.weight).detach().abs() > 2.0 * 0.01 * mapping.w_max  # the window of each half of a pair
    assert int(beyond.sum()) <= pulses.missed <= 2
    assert not torch.equal(held.float(), one.weight.detach())
    assert pulses.cost.pulses >= 12 and pulses.cost.energy > 0.0 and pulses.cost.reads >= 24
    other.load_state_dict(one.state_dict())
    assert other.cells.write.cost == pulses.cost
    with torch.no_grad():
        for each in (one, other):
            each.weight.mul_(-0.7)
        equal([other(x)], [one(x)])
    assert torch.equal(other.cells.matrix.g_cell, one.cells.matrix.g_cell)
    with pytest.raises(RuntimeError, match=r"Unexpected key.*cells.write.streams"):
        convert(nn.Linear(3, 2), tables()).load_state_dict(one.state_dict())
    with pytest.raises(InputError, match=r"`write` = pulses must come with a table file"):
        convert(nn.Linear(3, 2), NOISY, write="pulses")


def test_inference_mode_leaves_the_cells_fit_for_training():
    net, x = convert(network(), NOISY), images()
    with torch.inference_mode():
        scores(net, x)
    before = [each.detach().clone() for each in net.parameters()]
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    scores(net, x).square().sum().backward()
    optimiser.step()
    scores(net, x)
    assert all(not torch.equal(one, other) for one, other in zip(before, net.parameters(), strict=True))
    assert {each.writes for each in cells_of(net).values()} == {2}
    equal(goes_on(net.double(), x.double())[:0], [])
    assert {each.writes for each in cells_of(net).values()} == {2}  # the same numbers in another type


def test_a_second_derivative_is_refused():
    module, x = TileLinear(3, 2, NOISY), torch.rand(4, 3, requires_grad=True)
    (first,) = torch.autograd.grad(module(x).square().sum(), x, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()
