"""Settings of single layers: each changes its layer and no other; what changes nothing, or fits nothing, is refused."""
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# Groups are given as dictionaries here, which pydantic converts; the matrices here are in cells.

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables
from fixtures.synthetic import tables

from rramkit import record
from rramkit.array.matrix import Samples
from rramkit.errors import InputError
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.ablate import ablation
from rramkit.learning.evaluate import evaluate, read_anew
from rramkit.learning.rl.agent import trainer_of
from rramkit.learning.rl.settings import RlSettings
from rramkit.learning.supervised import trainers

LAYERS = [
    {"kind": "convolution", "channels": 3, "kernel": 2},
    {"kind": "activation"},
    {"kind": "residual", "main": [{"kind": "convolution", "channels": 3, "pad": 1}]},
    {"kind": "flatten"},
    {"kind": "dense"},
]
IMAGE, CLASSES = (1, 4, 4), 3
FIRST, LAST = 0, 2
# Stages that draw a layer's own devices, of which another layer would get others.
QUIET = ["read_noise", "readout", "adc", "cycles", "line_switch"]


def experiment(layers, **more) -> Experiment:
    settings = {"network": {"layers": LAYERS}, "rule": {"kind": "write_verify"}, "epochs": 1, "mapping": {"rows": 64}}
    settings["mapping"] = {**settings["mapping"], **more.pop("mapping", {}), "layers": layers}
    return Experiment.checked({**settings, **more}, where="the test")


def products(one: Experiment, file) -> list[np.ndarray]:
    """Return what each matrix gives for one batch, every matrix with random numbers of its own."""
    chip = one.on(one.chip.tables(file))
    trainer, _ = trainers(one, chip, IMAGE, CLASSES)
    weights = trainer.network.init_weights(rng=np.random.default_rng(1), dtype=np.dtype("float32"))
    state = trainer.init(weights, dtype=np.dtype("float32"), rng=np.random.default_rng(2))
    found = []
    for matrix in state.rule_state.matrices:
        x = np.random.default_rng(3).random((5, matrix.weight.shape[0])).astype("float32")
        found.append(matrix.forward(Samples(x), rng=np.random.default_rng(4)).y)
    return found


@pytest.mark.parametrize("place", [FIRST, LAST])
@pytest.mark.parametrize(
    ("file", "setting"),
    [
        (tables, {"off": ["wires"]}),
        (tables, {"read": {"adc": {"bits": 5, "i_high": 1e-4}}}),
        (tables, {"read": {"row_driver": {"levels": 4}}}),
        (tables, {"weights": {"kind": "bit_slices", "slices": 3}}),
        (tables, {"rows": 2}),
        (tables, {"columns": 2}),
        (chip_tables, {"off": ["row_driver"]}),
        (chip_tables, {"off": ["write_driver"]}),
        (chip_tables, {"read": {"row_driver": {"levels": 4}}, "override": True}),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_setting_changes_its_layer_and_no_other(file, setting, place):
    name = ("0", "convolution_2", "dense_1")[place]
    off = {"chip": {"off": QUIET}} if file is chip_tables else {}
    plain, changed = products(experiment({}, **off), file()), products(experiment({name: setting}, **off), file())
    same = [np.array_equal(one, other) for one, other in zip(plain, changed, strict=True)]
    assert same == [index != place for index in range(3)]


def test_a_typed_number_of_all_layers_is_another_of_one():
    of_all = {"read": {"adc": {"bits": 6, "i_high": 1e-4}, "row_driver": {"levels": 8}}}
    finer = experiment({"2.main.0": {"read": {"adc": {"bits": 8}}}, "dense_1": {"off": ["adc"]}}, mapping=of_all)
    # What a run file holds is the same: a default that was typed is typed, and nothing else is.
    for one in (finer, Experiment.checked(finer.model_dump(mode="json"), where="the run")):
        rule = trainers(one, one.on(one.chip.tables(tables())), IMAGE, CLASSES)[0].rule
        chains = [rule.at(index).device.model.chain for index in range(3)]
        assert [(chain.adc.bits, chain.adc.i_high, chain.row_driver.levels) for chain in chains] == [
            (6, 1e-4, 8),
            (8, 1e-4, 8),
            (0, None, 8),
        ]


@pytest.mark.parametrize(
    ("layers", "words"),
    [
        (
            {"conv1": {"off": ["wires"]}},
            r"must name layers with a matrix: 0 or convolution_1, 2.main.0 or .*Did you mean",
        ),
        ({"1": {"off": ["wires"]}}, "must name layers with a matrix"),
        ({"0": {"off": ["wires"]}, "convolution_1": {"rows": 2}}, "must name a layer once"),
        ({"0": {}}, r"`mapping\.layers\.0` must set something"),
        ({"0": {"off": ["wirs"]}}, r"`mapping\.layers\.0`: .* Did you mean `wires`"),
        ({"0": {"rows": 4}}, r"`mapping\.layers\.0\.rows` must change something"),  # it has four
        ({"0": {"off": ["wires", "adc"]}}, r"`mapping\.layers\.0\.off = adc` must change something"),
        ({"0": {"off": ["wires"], "override": True}}, r"`mapping\.layers\.0\.override` must change something"),
        ({"0": {"read": {"adc": {"shared": 2, "bits": 4}}, "off": ["adc"]}}, r"Remove one of the two"),
        ({"0": {"read": {"adc": {"bits": 0}}}}, r"`mapping\.layers\.0\.read\.adc\.bits` must change something"),
    ],
)
def test_what_fits_nothing_or_changes_nothing_is_refused(layers, words):
    with pytest.raises(InputError, match=words) as error:
        products(experiment(layers), tables())
    assert "\n" not in str(error.value)


def test_an_unknown_key_of_a_layer_is_named_whole():
    with pytest.raises(
        InputError, match=r"`mapping\.layers\.0\.read\.adc\.bit` is not a known key. Keys: bits, .*bits"
    ):
        experiment({"0": {"read": {"adc": {"bit": 4}}}})


def test_the_tables_number_of_one_layer_needs_an_override():
    with pytest.raises(InputError, match=r"`mapping\.layers\.0`: `mapping\.read\.row_driver\.levels` must be left out"):
        products(experiment({"0": {"read": {"row_driver": {"levels": 4}}}}), chip_tables())


def test_rules_in_float_and_ablations_have_no_layers_of_their_own():
    with pytest.raises(InputError, match="weights are not in cells"):
        products(experiment({"0": {"off": ["wires"]}}, rule={"kind": "float"}), tables())
    with pytest.raises(InputError, match="must be left out of an ablation"):
        ablation(experiment({"0": {"off": ["wires"]}}), tables())
    ideal = experiment({"0": {"off": ["wires"]}, "dense_1": {"rows": 2, "off": ["wires"]}}).ideal()
    assert {
        name: layer.model_dump(exclude_defaults=True, exclude_none=True) for name, layer in ideal.mapping.layers.items()
    } == {"dense_1": {"rows": 2}}


def test_one_device_for_all_layers_is_refused_where_they_differ():
    with pytest.raises(InputError, match="must be left out where all layers are taken alike; it has dense_1"):
        experiment({"dense_1": {"off": ["wires"]}}).built_rule(tables())


def test_an_agents_layers_have_settings_of_their_own_too():
    settings = RlSettings.checked({"mapping": {"layers": {"dense_2": {"off": ["wires"]}}}}, where="the test")
    rule = trainer_of(settings, settings.on(settings.chip.tables(tables())), (4,), 2).rule
    assert [rule.at(index).device.model.wires is None for index in range(3)] == [False, True, False]


@pytest.fixture(scope="module")
def images() -> DataSet:
    rng = np.random.default_rng(0)
    x, y = rng.random((60, *IMAGE)), np.arange(60) % 3
    x[np.arange(60), 0, y, y] += 1.0  # a class that can be learned
    return DataSet(x[:45], y[:45], x[45:], y[45:], "made up")


def test_a_run_with_settings_by_layer_comes_back(images, tmp_path):
    one = experiment({"dense_1": {"weights": {"kind": "bit_slices"}, "read": {"adc": {"bits": 8}}}})
    run = train(one, tables(), data=images)
    assert [layer.g_final.shape for layer in run.layers] == [(2, 4, 3), (2, 27, 3), (2, 27, 12)]
    assert run.epochs.pulses_set[1:].sum() > 0
    back = record.load(run.save(tmp_path / "run.h5"))
    np.testing.assert_array_equal(back.scores(images.x_test), run.scores(images.x_test))


def test_a_trained_network_is_read_anew_in_one_layer_alone(images):
    one = experiment({})
    operating, network = one.chip.tables(tables()), train(one, tables(), data=images).network
    coarse = experiment({"0": {"read": {"row_driver": {"levels": 3}, "adc": {"bits": 3}}}})
    x, labels = images.x_train, images.y_train
    anew = read_anew(coarse, operating, network, x, labels, layers=["0"])
    first, *others = zip(network.params.matrices, anew.params.matrices, strict=True)
    assert all(old is new for old, new in others)
    np.testing.assert_array_equal(first[0].g_cell, first[1].g_cell)
    numbers = np.random.default_rng(0).random((5, 4)).astype("float32")
    old, new = (matrix.forward(numbers, rng=np.random.default_rng(0)).y for matrix in first)
    assert not np.array_equal(old, new)
    costs = [evaluate(each, x, labels).layers for each in (network, anew)]
    assert costs[0][1].shape == costs[1][1].shape and costs[0][1].also == "convolution_2"
    with pytest.raises(InputError, match="takes other cells"):
        read_anew(
            experiment({"0": {"weights": {"slices": 2, "kind": "bit_slices"}}}),
            operating,
            network,
            x,
            labels,
            layers=["0"],
        )
