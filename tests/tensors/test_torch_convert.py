"""`rramkit.torch.convert`: models on ideal tiles against themselves, and what is refused. Skipped without PyTorch."""

import copy
from typing import Any

import pytest
from fixtures.chip_tables import chip_tables
from fixtures.synthetic import tables

from rramkit.array import ArrayModel
from rramkit.errors import InputError

torch = pytest.importorskip("torch")
nn = torch.nn

from rramkit.torch import (  # noqa: E402
    ChipSettings,
    TileConv2d,
    TileLinear,
    TileMultiheadAttention,
    array_of_chip,
    calibrate,
    cells_of,
    convert,
)

IDEAL = ArrayModel.from_tables(tables(linear=True), wires=False)
# What was asked of a converted network, in float32; and sums of a few dozen products in float64.
ASKED, ROUNDING = 1e-5, 1e-11


def apart(ours, theirs):
    """Return the largest difference of outputs, and of gradients by parameter, of a loss of all outputs."""
    outputs = [(y if isinstance(y, tuple) else (y,)) for y in (ours[0], theirs[0])]
    worst = 0.0
    for one, other in zip(*outputs, strict=True):
        for a, b in zip(*(each if isinstance(each, tuple) else (each,) for each in (one, other)), strict=True):
            worst = max(worst, float((a - b).detach().abs().max()))
    for y, model in zip(outputs, (ours[1], theirs[1]), strict=True):
        model.zero_grad()
        first = y[0].data if isinstance(y[0], nn.utils.rnn.PackedSequence) else y[0]
        first.square().mean().backward()
    gradients = [[each.grad for each in model.parameters()] for model in (ours[1], theirs[1])]
    for a, b in zip(*gradients, strict=True):
        assert (a is None) == (b is None)
        worst = worst if a is None or b is None else max(worst, float((a - b).abs().max()))
    return worst


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 8, 5, padding=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, (3, 3), stride=2, padding="valid", groups=2),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(16 * 36, 32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )


def test_a_cnn_on_ideal_tiles_is_the_float_model():
    torch.manual_seed(0)
    model, images = cnn(), torch.rand(4, 1, 28, 28)
    ours = convert(model, IDEAL)
    assert [type(ours[k]) for k in (0, 4, 7, 9)] == [TileConv2d, TileConv2d, TileLinear, TileLinear]
    assert type(model[0]) is nn.Conv2d and ours[0].weight is not model[0].weight
    assert apart((ours(images), ours), (model(images), model)) < ASKED
    assert list(cells_of(ours)) == ["0.cells", "4.cells.0", "4.cells.1", "7.cells", "9.cells"]
    ours.load_state_dict({name: 3.0 * each for name, each in model.state_dict().items()})  # still its keys


def block(**options):
    return nn.TransformerEncoderLayer(16, 2, dim_feedforward=32, batch_first=True, dropout=0.0, **options)


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
@pytest.mark.parametrize("mode", ["train", "eval"])
def test_a_transformer_block_on_ideal_tiles_is_the_float_model(mode):
    torch.manual_seed(0)
    model, x = nn.TransformerEncoder(block(), 2).train(mode == "train"), torch.randn(3, 7, 16)
    ours, mask = convert(model, IDEAL), torch.arange(7) >= torch.tensor([[7], [5], [3]])
    assert len(cells_of(ours)) == 2 * 6
    assert apart((ours(x), ours), (model(x), model)) < ASKED
    with torch.no_grad():  # where PyTorch's own would take the weights past the modules
        for own, theirs in ((ours(x), model(x)), (ours(x, src_key_padding_mask=mask), model(x, None, mask))):
            assert float((own - theirs).abs()[~mask].max()) < ASKED
        before = [each.energy for each in cells_of(ours).values()]
        ours(x)
        assert all(after.energy > one for one, after in zip(before, cells_of(ours).values(), strict=True))


@pytest.mark.parametrize(
    "options", [{}, {"kdim": 6, "vdim": 5}, {"bias": False, "add_bias_kv": True, "add_zero_attn": True}], ids=str
)
@pytest.mark.parametrize("batch_first", [False, True])
def test_attention_on_ideal_tiles_is_torchs_own(options, batch_first):
    torch.manual_seed(0)
    model = nn.MultiheadAttention(8, 2, batch_first=batch_first, **options).double()
    shapes = [(5, 3, 8), (4, 3, options.get("kdim", 8)), (4, 3, options.get("vdim", 8))]
    parts = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    parts = [each.transpose(0, 1) for each in parts] if batch_first else parts
    ours = convert(model, IDEAL)
    assert type(ours) is TileMultiheadAttention and type(ours.out_proj) is TileLinear
    mask = torch.rand(5, 4) < 0.3
    mask[:, 0] = False
    given = {"attn_mask": mask, "average_attn_weights": False}
    assert apart((ours(*parts, **given), ours), (model(*parts, **given), model)) < ROUNDING
    single = [each[0] if batch_first else each[:, 0] for each in parts]
    assert ours(*single, need_weights=False)[1] is None
    assert apart((ours(*single), ours), (model(*single), model)) < ROUNDING


RECURRENT = [
    (nn.LSTM, {}),
    (nn.LSTM, {"num_layers": 2, "bidirectional": True, "batch_first": True, "proj_size": 3}),
    (nn.GRU, {"num_layers": 2, "bias": False}),
    (nn.GRU, {"bidirectional": True, "batch_first": True}),
    (nn.RNN, {"nonlinearity": "relu"}),
]


@pytest.mark.parametrize("kind,options", RECURRENT, ids=str)
def test_recurrent_layers_on_ideal_tiles_are_torchs_own(kind, options):
    torch.manual_seed(0)
    model = kind(5, 6, **options).double()
    ours, first = convert(model, IDEAL), options.get("batch_first", False)
    x = torch.randn(*((3, 4, 5) if first else (4, 3, 5)), dtype=torch.float64)
    y, last = model(x)
    assert apart((ours(x), ours), ((y, last), model)) < ROUNDING
    taken_up = tuple(each.detach() for each in last) if isinstance(last, tuple) else last.detach()
    assert apart((ours(x, taken_up), ours), (model(x, taken_up), model)) < ROUNDING
    assert apart((ours(x[0]), ours), (model(x[0]), model)) < ROUNDING
    packed = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([2, 4, 3]), batch_first=first, enforce_sorted=False)
    own, theirs = ours(packed), model(packed)
    assert torch.equal(own[0].batch_sizes, theirs[0].batch_sizes)
    assert apart(((own[0].data, own[1]), ours), ((theirs[0].data, theirs[1]), model)) < ROUNDING


def test_converters_take_their_range_from_a_batch():
    torch.manual_seed(0)
    # A head that the batch drives little at the first step of the sequence, and much later.
    model = nn.ModuleDict({"lstm": nn.LSTM(6, 8), "head": nn.Linear(8, 3)})

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = model

        def forward(self, x):
            return self.parts["head"](self.parts["lstm"](x)[0])

    net, x = Net(), torch.randn(5, 20, 6)
    ours = convert(net, chip_tables(linear=True, without=("cell_noise", "readout_noise", "adc_noise")), batch=x)
    cells = cells_of(ours).values()
    assert all(each.measured == [True, False] and each.energy == 0.0 for each in cells)
    found = float((ours(x) - net(x)).detach().norm() / net(x).detach().norm())
    assert 1e-3 < found < 0.15  # 32 levels of the drivers and the scatter of the readouts; without a range 0.5
    assert sum(each.clamped for each in cells) == 0
    alone = convert(net, chip_tables(linear=True, without=("cell_noise", "readout_noise", "adc_noise")))
    torch.testing.assert_close(alone(x), convert(net, alone.parts["head"].cells.model, batch=x)(x), rtol=0, atol=0)
    ours(100.0 * x)
    calibrate(ours, x)
    assert all(each.measured[0] for each in cells)


def test_a_chip_is_taken_whole_at_its_operating_point():
    model, chip = nn.Linear(4, 3), chip_tables(corners=True)
    whole = convert(model, chip).cells.model
    assert whole.origins()["adc"].startswith("table") and whole.origins()["row_driver"] == "table"
    hot = convert(model, chip, chip=ChipSettings(corner="ss", temperature=358.0, off=("adc",))).cells.model
    assert hot.origins()["adc"] == "ideal: not characterised"
    at = array_of_chip(chip, ChipSettings(corner="ss", temperature=358.0, off=("adc",)))
    assert hot.wires == at.wires != whole.wires
    with pytest.raises(InputError, match="`chip` must be left out beside an ArrayModel"):
        convert(model, whole, chip=ChipSettings())


# What changes, and what does not --------------------------------------------------------------------------------------


def test_in_place_the_optimiser_of_before_still_works():
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.Linear(6, 2)), torch.randn(9, 4)
    seen, optimiser = [], torch.optim.SGD(model.parameters(), lr=0.5)
    model[0].register_forward_hook(lambda *_: seen.append(1))
    assert convert(model, IDEAL, inplace=True) is model
    before = model(x).detach()
    model(x).square().sum().backward()
    optimiser.step()
    assert len(seen) == 2 and float((model(x) - before).detach().abs().max()) > 0.01


def test_what_is_shared_stays_shared_and_what_is_digital_digital():
    torch.manual_seed(0)
    shared, table = nn.Linear(4, 4), nn.Embedding(5, 4)
    head = nn.Linear(4, 5, bias=False)
    head.weight = table.weight
    model = nn.Sequential(table, shared, nn.Sequential(nn.ReLU(), shared), nn.ConvTranspose1d(3, 3, 1), head)
    ours, words = convert(model, IDEAL, digital=("3",)), torch.tensor([[0, 3, 4]])
    assert ours[1] is ours[2][1] and ours[4].weight is ours[0].weight and type(ours[3]) is nn.ConvTranspose1d
    assert list(cells_of(ours)) == ["1.cells", "4.cells"]
    assert float((ours(words) - model(words)).detach().abs().max()) < ASKED
    both = convert(convert(model, IDEAL, digital=("3", "4")), array_of_chip(chip_tables()), digital=("3",), seed=5)
    assert both[1].cells.model.chain.stages == () != both[4].cells.model.chain.stages


class Own(nn.Linear):
    def forward(self, input):
        return super().forward(input) + 1.0


def _pruned():
    return pytest.importorskip("torch.nn.utils.prune").l1_unstructured(nn.Linear(3, 3), "weight", amount=2)


REFUSED = [
    (lambda: nn.Conv3d(1, 1, 1), "`0` .Conv3d. has no form on tiles"),
    (lambda: nn.LSTMCell(2, 2), "`0` .LSTMCell. has no form on tiles"),
    (lambda: Own(2, 2), "`0` .Own. computes in its own way, not as Linear does"),
    (lambda: nn.utils.parametrizations.weight_norm(nn.Linear(2, 2)), "remove the parametrisation or pruning first"),
    (_pruned, "remove the parametrisation or pruning first"),
    (lambda: nn.ReLU(), "must have a layer to put on tiles"),
]


@pytest.mark.parametrize("layer,message", REFUSED, ids=[message for _, message in REFUSED])
def test_a_layer_that_tiles_do_not_take_is_named(layer, message):
    with pytest.raises(InputError, match=message):
        convert(nn.Sequential(layer()), IDEAL)


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
def test_a_layer_without_weights_is_named():
    with pytest.raises(InputError, match="has no weights yet: run a batch through the model first"):
        convert(nn.Sequential(nn.LazyLinear(2)), IDEAL)


def test_a_matrix_of_a_module_from_elsewhere_gives_a_warning():
    class Bag(nn.Module):
        def __init__(self):
            super().__init__()
            self.own, self.part = nn.Parameter(torch.rand(3, 3)), nn.Linear(3, 3)

        def forward(self, x):
            return self.part(x @ self.own)

    with pytest.warns(UserWarning, match=r"`own` \(3, 3\) of Bag stays digital"):
        convert(Bag(), IDEAL)


def test_bad_arguments_are_named():
    model = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    with pytest.raises(InputError, match="goes onto tiles with its `out_proj`, which `digital` names"):
        convert(nn.Sequential(nn.MultiheadAttention(4, 2)), IDEAL, digital=("0.out_proj",))
    with pytest.raises(InputError, match="`digital` must name modules of the model; got 'one'"):
        convert(model, IDEAL, digital=("one",))
    with pytest.raises(InputError, match=r"`digital` must be a sequence of names"):
        convert(model, IDEAL, digital="0")
    with pytest.raises(InputError, match=r"`model` must be a torch.nn.Module; got int"):
        number: Any = 1
        convert(number, IDEAL)
    with pytest.raises(InputError, match="`model` must have layers on tiles"):
        calibrate(model, torch.rand(2, 3))
    assert convert(copy.deepcopy(model), IDEAL, digital=("0",))[1].cells.seed == (0, 2)
    wide = convert(model, IDEAL, w_max=0.01)
    with pytest.raises(InputError, match=r"`weight` must be within `w_max` = 0.01"):
        wide(torch.rand(2, 3))


def outputs_by_module(ours: Any, x: Any) -> list[Any]:
    """Return what each module of a chain gives for inputs that do not depend on the modules before it."""
    found = []
    for module in ours:
        torch.manual_seed(1)
        found.append(module(torch.rand(3, module.in_features)).detach())
    return found


@pytest.mark.parametrize("name", ["0", "1"])
@pytest.mark.parametrize(
    ("setting", "options"),
    [
        ({"off": ["wires"]}, {}),
        ({"off": ["row_driver"]}, {}),
        ({"read": {"row_driver": {"levels": 3}}, "override": True}, {}),
        ({"rows": 2}, {}),
        ({"off": ["write_driver"]}, {"write": "pulses"}),
    ],
    ids=str,
)
def test_a_setting_of_one_module_changes_it_and_no_other(setting, options, name):
    torch.manual_seed(0)
    model, x = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4)), torch.rand(3, 6)
    quiet = {"chip": ChipSettings(off=("read_noise", "readout", "adc")), **options}
    plain = outputs_by_module(convert(model, chip_tables(), **quiet), x)
    changed = outputs_by_module(convert(model, chip_tables(), layers={name: setting}, **quiet), x)
    assert [bool(torch.equal(one, other)) for one, other in zip(plain, changed, strict=True)] == [
        place != int(name) for place in range(2)
    ]


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        ({"head": {"off": ["wires"]}}, r"must name modules that go onto tiles: 0, 1; got 'head'"),
        ({"0": {}}, r"`layers\['0'\]` must set something"),
        ({"0": {"off": ["wirs"]}}, r"`layers\['0'\]`: .*Did you mean `wires`"),
        ({"0": {"off": ["cycles"]}}, r"`layers\['0'\]\.off = cycles` must change something"),  # writes are exact
        ({"0": {"rows": 64}}, r"`layers\['0'\]\.rows` must change something"),
        ({"0": {"weights": {"kind": "bit_slices"}}}, "in pairs of cells"),
        ({"0": {"row": 3}}, r"layers\['0'\]: `row` is not a known key"),
        ({"0": {"read": {"row_driver": {"levels": 3}}}}, "must be left out: the table file has it"),
    ],
)
def test_settings_of_one_module_that_do_not_fit_are_refused(layers, words):
    model = nn.Sequential(nn.Linear(6, 5), nn.Linear(5, 4))
    with pytest.raises(InputError, match=words):
        convert(model, chip_tables(), layers=layers)
    with pytest.raises(InputError, match="must come with a table file"):
        convert(model, IDEAL, layers=layers)
