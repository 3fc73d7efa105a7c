"""`rramkit.torch`: modules on tiles against torch.nn's own: products, ranges, writes. Skipped without PyTorch."""

from typing import Any

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables
from sklearn.datasets import load_digits

from rramkit.array import ArrayModel, ReadChain
from rramkit.errors import InputError

torch = pytest.importorskip("torch")
nn = torch.nn

from rramkit.torch import TileConv2d, TileLinear, array_of_chip, cells_of, convert  # noqa: E402
from rramkit.torch.state import digest  # noqa: E402

IDEAL = ArrayModel.from_tables(tables(linear=True), wires=False)
REAL = ArrayModel.from_tables(
    tables(), chain=ReadChain.checked({"adc": {"noise": 1e-8}, "read_noise": {"sigma_rel": 0.01}}, where="test")
)
# Sums of a few dozen products in float64, at values of up to a hundred.
ROUNDING = 1e-11


def gradients(module, x):
    x = x.clone().requires_grad_()
    y = module(x)
    (y.square().sum() + y.sum()).backward()
    return [y.detach(), x.grad, *(each.grad for each in module.parameters())]


def close(ours, theirs, within=ROUNDING):
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=within)


@pytest.mark.parametrize("backward", ["tile", "digital"])
def test_ideal_linear_layers_are_torchs_own(backward):
    torch.manual_seed(0)
    ours, x = TileLinear(12, 5, IDEAL, backward=backward).double(), torch.randn(2, 7, 12, dtype=torch.float64)
    theirs = nn.Linear(12, 5).double()
    theirs.load_state_dict({"weight": ours.weight, "bias": ours.bias})
    close(gradients(ours, x), gradients(theirs, x))
    assert ours(x[:0]).shape == (0, 7, 5)


CONVOLUTIONS: list[dict[str, Any]] = [
    {"kernel_size": 3, "stride": 2, "padding": 1},
    {"kernel_size": (3, 2), "stride": (1, 2), "padding": (2, 0), "dilation": (1, 2)},
    {"kernel_size": (2, 4), "padding": "same", "groups": 2},
    {"kernel_size": 3, "padding": "valid", "groups": 4, "bias": False},
    {"kernel_size": 3, "padding": 1, "padding_mode": "reflect"},
    {"kernel_size": 3, "padding": "same", "padding_mode": "circular", "dilation": 2},
]


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")  # PyTorch's own, of its copy
@pytest.mark.parametrize("options", CONVOLUTIONS, ids=str)
@pytest.mark.parametrize("dims", [1, 2])
def test_ideal_convolutions_are_torchs_own(options, dims):
    torch.manual_seed(0)
    if dims == 1:
        options = {name: each[0] if isinstance(each, tuple) else each for name, each in options.items()}
    kind, sizes = (nn.Conv1d, (9,)) if dims == 1 else (nn.Conv2d, (9, 8))
    theirs = kind(4, 8, **options).double()
    ours, images = convert(theirs, IDEAL), torch.randn(3, 4, *sizes, dtype=torch.float64)
    close(gradients(ours, images), gradients(theirs, images))
    close([ours(images[0])], [theirs(images[0])])
    assert len(cells_of(ours)) == options.get("groups", 1)


def test_a_convolution_made_by_hand_takes_torchs_arguments():
    torch.manual_seed(0)
    theirs = nn.Conv2d(2, 4, (3, 2), padding="same", groups=2).double()
    ours = TileConv2d(2, 4, IDEAL, kernel_size=(3, 2), padding="same", groups=2).double()
    ours.load_state_dict(theirs.state_dict())
    images = torch.randn(3, 2, 7, 6, dtype=torch.float64)
    close(gradients(ours, images), gradients(theirs, images))
    with pytest.raises(InputError, match=r"`input` must be \(B, C, H, W\) or .* with C = 2; got \(3, 1, 7, 6\)"):
        ours(images[:, :1])
    with pytest.raises(InputError, match="must hold the kernel"):
        TileConv2d(2, 4, IDEAL, kernel_size=9)(torch.rand(1, 2, 7, 6))


def test_real_modules_are_near_and_count():
    torch.manual_seed(0)
    module, x = TileLinear(70, 9, REAL, largest=(40, 24)), torch.randn(11, 70)
    exact = torch.nn.functional.linear(x, module.weight, module.bias).detach()
    error = (module(x).detach() - exact).abs().max() / exact.abs().max()
    assert 1e-3 < float(error) < 0.3
    assert module.cells.grid is not None and module.cells.grid.shape == (2, 1) and module.cells.energy > 0.0
    assert (module.cells.writes, module.cells.clamped) == (1, 0)


# Ranges ---------------------------------------------------------------------------------------------------------------


def test_the_range_is_the_weights_own_and_grows_with_them():
    torch.manual_seed(0)
    module, x = TileLinear(6, 3, IDEAL, bias=False).double(), torch.eye(6, dtype=torch.float64)
    with torch.no_grad():
        module.weight.mul_(40.0)  # many times the bound of the first draw
        close([module(x)], [module.weight.T])
        largest = float(module.weight.abs().max())
        assert module.cells.mapping is not None and module.cells.mapping.w_max == near(largest, 1e-12)
        module.weight.mul_(2.0)
        close([module(x)], [module.weight.T])
    assert module.cells.mapping is not None and module.cells.mapping.w_max == near(3.0 * largest, 1e-12)
    assert (module.cells.writes, module.cells.ranges, module.cells.clamped) == (2, 1, 0)


def test_a_weight_beyond_a_given_range_is_an_error():
    module = TileLinear(6, 3, IDEAL, w_max=1.0)
    with torch.no_grad():
        module.weight[1, 2] = -1.5
    with pytest.raises(InputError, match=r"`weight` must be within `w_max` = 1; got 1.5. Leave `w_max` out"):
        module(torch.rand(2, 6))
    with torch.no_grad():
        module.weight[1, 2] = float("nan")
    with pytest.raises(InputError, match="`weight` must be finite; got nan"):
        module(torch.rand(2, 6))


def test_converters_take_their_range_from_the_first_batch_of_each_direction():
    torch.manual_seed(0)
    chain = ReadChain.checked({"adc": {"bits": 6}}, where="test")
    six_bits = ArrayModel.from_tables(tables(linear=True), wires=False, chain=chain)
    module, x = TileLinear(64, 10, six_bits), torch.randn(50, 64)
    x.requires_grad_()
    y, exact = module(x), nn.functional.linear(x, module.weight, module.bias)
    # Six bits, one the sign, of 1.3 times the largest current: steps of 4.2 % of it, and two phases of half a step at
    # most. The full scale of the array would be ten times as large.
    assert float((y - exact).detach().abs().max() / exact.detach().abs().max()) < 0.05
    error = torch.randn(50, 10)
    (own,) = torch.autograd.grad(y, x, error)
    wanted = error @ module.weight.detach()
    assert float((own - wanted).abs().max() / wanted.abs().max()) < 0.05
    assert module.cells.measured == [True, True] and module.cells.clamped == 0


# Writes ---------------------------------------------------------------------------------------------------------------


def test_what_write_gives_is_what_is_read_from_the_first_write_on():
    torch.manual_seed(0)
    calls = []

    def half(g_cell, wanted):
        calls.append(g_cell)
        return 0.5 * (g_cell + wanted)

    module = TileLinear(6, 3, IDEAL, write=half, bias=False, w_max=1.0).double()
    x, first = torch.eye(6, dtype=torch.float64), module.weight.detach().clone()
    close([module(x)], [0.5 * first.T])  # from equal cells, half the way
    assert len(calls) == 1 == module.cells.writes
    assert float(calls[0].max()) == float(calls[0].min()) == near(4e-6, 1e-12)  # the lowest of the tables
    module(x)
    assert len(calls) == 1
    with torch.no_grad():
        module.weight.copy_(-first)
    close([module(x)], [-0.25 * first.T])  # half the way from w / 2 to -w


def _halved_data(layer):
    layer.weight.data.mul_(0.5)


def _new_data(layer):
    layer.weight.data = 0.5 * layer.weight.data


def _vector(layer):
    halves = 0.5 * nn.utils.parameters_to_vector(layer.parameters()).detach()
    nn.utils.vector_to_parameters(halves, layer.parameters())


def _loaded(layer):
    layer.load_state_dict({"weight": 0.5 * layer.weight})


def _numpy(layer):
    layer.weight.detach().numpy()[:] *= 0.5


def _replaced(layer):
    layer.weight = nn.Parameter(0.5 * layer.weight.detach())


@pytest.mark.parametrize("change", [_halved_data, _new_data, _vector, _loaded, _numpy, _replaced])
def test_cells_follow_the_weight_however_it_is_changed(change):
    torch.manual_seed(0)
    layer, x = TileLinear(20, 10, IDEAL, bias=False).double(), torch.randn(5, 20, dtype=torch.float64)
    with torch.no_grad():
        first = layer(x)
        change(layer)
        close([layer(x)], [0.5 * first])
    assert layer.cells.writes == 2


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "Adagrad"])
def test_cells_follow_every_optimiser(name, fused):
    torch.manual_seed(0)
    net = convert(nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)), IDEAL)
    plain = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    plain.load_state_dict(net.state_dict(), strict=False)
    x, y = torch.randn(16, 6), torch.randint(3, (16,))
    makers = [getattr(torch.optim, name)(each.parameters(), lr=0.05, fused=fused) for each in (net, plain)]
    before = net[0].weight.detach().clone()
    for _ in range(5):
        for model, optimiser in zip((net, plain), makers, strict=True):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(x), y).backward()
            optimiser.step()
    assert float((net[0].weight - before).detach().abs().max()) > 1e-3
    # float32 gradients through Adam's quotient, five times
    close([net(x).detach()], [plain(x).detach()], within=1e-5)


def test_modules_learn_through_the_cells_from_a_data_loader():
    torch.manual_seed(1)
    rng = np.random.default_rng(0)
    x = torch.tensor(rng.normal(size=(250, 8)), dtype=torch.float32)
    labels = ((x[:, 0] * x[:, 1] > 0).long() + (x[:, 2] > 0).long()) % 2
    net = nn.Sequential(TileLinear(8, 20, REAL), nn.ReLU(), TileLinear(20, 2, REAL))
    optimiser = torch.optim.Adam(net.parameters(), lr=0.03)
    batches = torch.utils.data.DataLoader(torch.utils.data.TensorDataset(x, labels), batch_size=100, shuffle=True)
    for _ in range(40):  # two of 100 and one of 50
        for images, wanted in batches:
            optimiser.zero_grad()
            nn.functional.cross_entropy(net(images), wanted).backward()
            optimiser.step()
    accuracy = float((net(x).argmax(dim=1) == labels).float().mean())
    assert accuracy > 0.85  # chance is a half
    assert [each.writes for each in cells_of(net).values()] == [121, 121]  # before each of 120 steps, and at the end


def test_six_bit_converters_train_the_digits():
    data, labels = (np.asarray(each) for each in load_digits(return_X_y=True))
    order = np.random.default_rng(0).permutation(len(labels))
    x = torch.tensor(data[order] / 16.0, dtype=torch.float32)
    y, six_bits = torch.tensor(labels[order]), ReadChain.checked({"adc": {"bits": 6}}, where="test")
    model = ArrayModel.from_tables(tables(), wires=False, chain=six_bits)
    torch.manual_seed(0)
    net = nn.Sequential(TileLinear(64, 32, model), nn.ReLU(), TileLinear(32, 10, model))
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    for step in range(8 * 28):
        at = slice(50 * (step % 28), 50 * (step % 28) + 50)
        optimiser.zero_grad()
        nn.functional.cross_entropy(net(x[at]), y[at]).backward()
        optimiser.step()
    with torch.no_grad():
        accuracy = float((net(x[1400:]).argmax(dim=1) == y[1400:]).float().mean())
    assert accuracy > 0.90  # the full scale of the array in place of a measured one: 0.2


def test_converters_in_saturation_are_measured_again_in_training_and_give_a_warning_in_evaluation():
    torch.manual_seed(0)
    chain = ReadChain.checked({"adc": {"bits": 6}}, where="test")
    model, x = ArrayModel.from_tables(tables(), wires=False, chain=chain), torch.randn(90, 8)
    training, evaluating = TileLinear(8, 10, model), TileLinear(8, 10, model).eval()
    with torch.no_grad():
        for module in (training, evaluating):
            module(x[:1])  # each converter's range is that of one vector
            module(x)  # 910 outputs
            assert module.cells.clamped > 100
        training(x)
        with pytest.warns(UserWarning, match=r"outputs were clamped by converters or drivers. Give them a range again"):
            evaluating(x)
        before = [module.cells.clamped for module in (training, evaluating)]
        training(x)
        evaluating(x)
    assert training.cells.clamped == before[0] and evaluating.cells.clamped > before[1] + 100


# Noise ----------------------------------------------------------------------------------------------------------------


def test_layers_draw_independent_noise_from_one_seed():
    x = torch.randn(4, 30, generator=torch.Generator().manual_seed(0))

    def noise(layers):
        with torch.no_grad():
            return [(layer(x) - nn.functional.linear(x, layer.weight, layer.bias)).numpy() for layer in layers]

    torch.manual_seed(3)
    first = [TileLinear(30, 10, REAL) for _ in range(2)]
    one, other = noise(first)
    torch.manual_seed(3)
    again = noise([TileLinear(30, 10, REAL) for _ in range(2)])
    np.testing.assert_array_equal([one, other], again)
    same = nn.ModuleList([nn.Linear(30, 10), nn.Linear(30, 10)])
    same[1].load_state_dict(same[0].state_dict())
    drawn = [noise(convert(same, REAL, seed=seed)) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    of_layers, of_seeds = drawn[0][0] - drawn[0][1], drawn[0][0] - drawn[2][0]
    assert float(np.abs(of_layers).max()) > 0.0 and float(np.abs(of_seeds).max()) > 0.0


@pytest.mark.long
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor that is not a leaf")  # torch.compile's own
def test_a_compiled_model_leaves_the_cells_out_of_its_graphs():
    torch.manual_seed(0)
    net, x = nn.Sequential(TileLinear(6, 8, REAL), nn.ReLU(), TileLinear(8, 3, REAL)), torch.randn(4, 6)
    compiled = torch.compile(net, backend="eager")
    with torch.no_grad():
        one, other = compiled(x), compiled(x)
        assert not torch.equal(one, other)  # noise is drawn at each call
        net[2].weight.data.zero_()
        wanted = net[2].bias.expand(4, 3)
        assert float((compiled(x) - wanted).abs().max()) < 0.1 < float((one - wanted).abs().max())
    compiled(x).sum().backward()
    assert net[0].weight.grad is not None and net[2].cells.writes == 2


# Refusals -------------------------------------------------------------------------------------------------------------


def test_automatic_mixed_precision_is_refused():
    module, x = TileLinear(3, 2, IDEAL), torch.rand(4, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16), pytest.raises(InputError, match=r"outside torch.autocast"):
        module(x)
    with torch.autocast("cpu", dtype=torch.bfloat16), torch.autocast("cpu", enabled=False):
        assert module(x).dtype == torch.float32
    with pytest.raises(InputError, match=r"must both be float32 or both float64; got torch.bfloat16"):
        module.bfloat16()(x.bfloat16())
    with pytest.raises(InputError, match=r"got torch.float64 and torch.float32. Convert them: x.float\(\)"):
        module.float()(x.double())


@pytest.mark.filterwarnings("ignore:.*torch.jit.trace.* is deprecated")
def test_a_trace_which_would_hold_one_output_for_all_is_refused():
    with pytest.raises(InputError, match=r"must run eagerly.*got torch.jit.trace"):
        torch.jit.trace(TileLinear(3, 2, IDEAL), (torch.rand(4, 3),))


def test_bad_input_is_named():
    with pytest.raises(InputError, match="`backward` must be tile or digital"):
        TileLinear(3, 2, IDEAL, backward="analog")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="`w_max` must be above 0"):
        TileLinear(3, 2, IDEAL, w_max=0.0)
    with pytest.raises(InputError, match="`seed` must be a whole number"):
        TileLinear(3, 2, IDEAL, seed=-1)
    with pytest.raises(InputError, match=r"`x` must be \(..., N\) with N = 3; got 6"):
        TileLinear(3, 2, IDEAL)(torch.rand(2, 6))


def test_a_table_file_in_place_of_arrays_gives_all_of_its_stages():
    torch.manual_seed(0)
    direct, bare = TileLinear(3, 2, tables()), TileLinear(3, 2, ArrayModel.from_tables(tables(), wires=False))
    assert torch.equal(digest(direct.cells.model, None), digest(array_of_chip(tables()), None))
    assert not torch.equal(digest(direct.cells.model, None), digest(bare.cells.model, None))
