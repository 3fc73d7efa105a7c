# pyright: reportMissingImports=false, reportIncompatibleMethodOverride=false
"""A training step whose numbers stay on their device: nothing looks at a value, and it is the step of NumPy.

There is no card here: the tensors are the processor's, and `fixtures.on_device` sees what would wait for a device.
Both sides draw the same numbers, 0.3 for a normal and 0.6 for a uniform one: noise and scatter are compared too.
"""

from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables
from fixtures.synthetic import tables

from rramkit.array import rng as streams
from rramkit.array.backend import full, interpolated, solved
from rramkit.array.wires import WireModel
from rramkit.errors import InputError
from rramkit.learning import DataSet, Experiment, on_device
from rramkit.learning.condition import OperatingTables
from rramkit.learning.on_device import brought_back
from rramkit.learning.supervised import SupervisedTraining
from rramkit.learning.trainer import Trainer

torch = pytest.importorskip("torch")

from fixtures.on_device import Watched  # noqa: E402  (needs PyTorch)

SMALL = [
    {"kind": "convolution", "channels": 3, "pad": 1},
    {"kind": "activation"},
    {"kind": "max_pool"},
    {"kind": "flatten"},
    {"kind": "dense"},
]
EVERY_LAYER = [
    {"kind": "convolution", "channels": 2, "pad": 1, "bias": "none"},
    {"kind": "batch_norm"},
    {"kind": "residual", "main": [{"kind": "convolution", "channels": 2, "pad": 1}], "shortcut": []},
    {"kind": "max_pool"},
    {"kind": "mean_pool", "size": 0},
    {"kind": "flatten"},
    {"kind": "activation", "function": "leaky_relu"},
    {"kind": "dense", "units": 5, "bias": "row", "copies": 2},
    {"kind": "activation", "function": "tanh"},
    {"kind": "dense"},
]
SHARED = {  # cells of a row are pulsed together, with all that a write can have typed
    "schedule": "row",
    "droop": {"source_set": 1.7},
    "wear": {"n_half": 50.0},
    "retention": {"t_batch": 10.0},
    "stuck": {"low": 0.02},
    "disturb": {"scheme": "half"},
    "spread": {"sigma_gain": 0.2, "sigma_offset": 0.01, "sigma_window": 0.02},
}
RULES = {
    "float": {"kind": "float"},
    "nearest": {"kind": "mixed_precision"},
    "train": {"kind": "mixed_precision", "write": "train", "pulses_max": 3},
    "sign": {"kind": "sign"},
    "pulse": {"kind": "threshold", "way": "pulse"},
    "error": {"kind": "threshold", "way": "error", "sigma_program": 0.02, "reading": "device", "threshold": 0.01},
    "shared": {"kind": "mixed_precision", "update": SHARED, "verify": {"sigma_read": 0.01}},
}


class Still(np.random.Generator):
    """NumPy's generator, whose numbers are always the same."""

    def standard_normal(self, size: Any = None, dtype: Any = float, out: Any = None) -> Any:
        return np.full(size, 0.3)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return np.full(size, 0.6)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads and devices draw these numbers too."""

    def of_tiles(self: Any, size: tuple[int, ...], reference: Any, *, normal: bool) -> Any:
        return full(self.shape + size, 0.3 if normal else 0.6, reference)

    def of_device(self: Any, shape: tuple[int, ...], dtype: Any, *, normal: bool) -> Any:
        return torch.full(shape, 0.3 if normal else 0.6, dtype=dtype, device=self.device)

    monkeypatch.setattr(streams.TileRng, "_filled", of_tiles)
    monkeypatch.setattr(streams.DeviceRng, "filled", of_device)


def training(
    rule: dict[str, Any], backend: str, *, chip: bool, network: Any = None, side: int = 6, **settings: Any
) -> SupervisedTraining:
    size = {} if chip else {"rows": 12, "columns": 6}
    values = {
        "network": network or {"layers": SMALL},
        "rule": rule,
        "batch": 8,
        "precision": "float64",
        "mapping": {"backend": backend, **size, **settings.pop("mapping", {})},
        **settings,
    }
    file = chip_tables(scatter=True) if chip else tables()
    rng, y = np.random.default_rng(0), np.arange(24) % 4
    x = rng.random((24, 1, side, side))
    data = DataSet(x[:16], y[:16], x[16:], y[16:], "made up")
    return SupervisedTraining(Experiment.checked(values, where="the test"), OperatingTables(file, file), data)


def two_steps(rule: dict[str, Any], backend: str, **settings: Any) -> tuple[Any, Watched, Any]:
    """State and costs after two steps, what was seen during the second, and the pulses so far."""
    made = training(rule, backend, **settings)
    trainer, data = made.rram, made.data
    state = trainer.placed(made.states.rram)
    rng = trainer.random((1,)) if backend == "torch" else Still(np.random.SFC64(1))
    batches = [trainer.placed((data.x_train[at], data.y_train[at])) for at in (slice(0, 8), slice(8, 16))]
    state, _ = trainer.train_step(state, *batches[0], rng=rng)
    with Watched() as watched:
        state, reads = trainer.train_step(state, *batches[1], rng=rng)
    weights = tuple(np.asarray(matrix.weight) for matrix in state.rule_state.matrices)
    state, reads = brought_back((state, reads))
    cells, digital = state.rule_state, (state.vectors, state.optimiser, state.means)
    return (cells.parts, cells.optimiser, cells.tallies, weights, *digital, reads), watched, cells.pulses


def numbers(value: Any, path: str = "") -> dict[str, Any]:
    """Every array and number of nested records, by its path; the tally of cells is that of their last write alone."""
    if is_dataclass(value):
        names = [each.name for each in fields(value) if each.name != "tally"]
        return {key: each for name in names for key, each in numbers(getattr(value, name), f"{path}.{name}").items()}
    if isinstance(value, tuple):
        return {key: each for i, one in enumerate(value) for key, each in numbers(one, f"{path}[{i}]").items()}
    return {path: value} if isinstance(value, np.ndarray | int | float) else {}


@pytest.mark.parametrize(
    ("rule", "chip", "more"),
    [
        *((rule, False, {}) for rule in ("float", "sign", "shared")),
        ("train", False, {"loss": {"kind": "hinge", "squared": True}}),
        ("pulse", False, {"optimiser": {"kind": "momentum", "weight_decay": 0.01}}),
        ("nearest", True, {}),
        # without converters: a sum that rounds to nothing on one side, or to a code, is no error of either
        ("error", False, {"network": {"layers": EVERY_LAYER}}),
    ],
    ids=["float", "sign", "shared rows", "train by hinge", "pulse and decay", "whole chip", "every layer"],
)
@pytest.mark.usefixtures("still")
def test_a_step_looks_at_no_value_and_is_numpys(rule, chip, more):
    (wanted, _, _), (found, watched, pulses) = (
        two_steps(RULES[rule], backend, chip=chip, **more) for backend in ("numpy", "torch")
    )
    assert not watched.places, dict(watched.places)
    found, wanted = numbers(found), numbers(wanted)
    assert found.keys() == wanted.keys()
    for path, value in wanted.items():
        # float64, other orders of the sums: 1e-13 of the largest was the most that was seen
        scale = np.max(np.abs(value), initial=0.0) or 1.0
        np.testing.assert_allclose(found[path], value, rtol=0, atol=1e-11 * scale, err_msg=path)
    if rule != "float":
        assert sum(int(each.sum()) for each in pulses) > 20  # something was written


def test_lenet_looks_at_no_value():
    made = training(RULES["nearest"], "torch", chip=True, network={"name": "lenet5"}, side=28, precision="float32")
    trainer, data = made.rram, made.data
    state, rng = trainer.placed(made.states.rram), trainer.random((1,))
    x, y = trainer.placed((data.x_train.astype(np.float32), data.y_train))
    state, _ = trainer.train_step(state, x[:8], y[:8], rng=rng)
    with Watched() as watched:
        state, reads = trainer.train_step(state, x[8:], y[8:], rng=rng)
    assert not watched.places, dict(watched.places)
    after = brought_back(state).rule_state
    assert after.tally.pulses > 0 and after.tally.energy > 0.0 and brought_back(reads).total.energy > 0.0
    assert all(np.isfinite(part.cells.g_cell).all() for part in after.parts)


@pytest.mark.parametrize(
    "look",
    [
        lambda x: float(x[0]),
        lambda x: bool(x[0] > 1.0),
        lambda x: x[0].item(),
        lambda x: x.tolist(),
        lambda x: np.asarray(x),
        lambda x: x.numpy(),
        lambda x: torch.nonzero(x),
        lambda x: x[x > 1.0],
        lambda x: x[torch.argmax(x)],
        lambda x: torch.unique(x),
        lambda x: torch.from_numpy(np.ones(3)) + x,
        lambda x: torch.tensor([1.0, 2.0, 3.0]) + x,
        lambda x: torch.linalg.solve(torch.diag(x), x),
        lambda x: x.to("meta"),
    ],
    ids=(
        *("float", "bool", "item", "list", "array", "numpy", "places", "mask", "index", "unique"),
        *("from numpy", "tensor", "solve", "to"),
    ),
)
def test_the_watch_sees_each_look(look):
    x = torch.tensor([1.0, 2.0, 3.0])
    with Watched() as watched:
        x = x * 2.0 + torch.where(x > 1.0, x, 0.0)
        assert not watched.places
        look(x)
    assert watched.places


def test_an_epoch_reports_counts_that_are_numbers():
    made = training(RULES["nearest"], "torch", chip=False, epochs=1, precision="float32")
    made.advance()
    report = made.advance()
    assert report.pulses_set + report.pulses_reset == int(report.pulses_by_matrix.sum()) > 0
    assert isinstance(report.pulses_set, int) and isinstance(report.energy_write, float)
    assert report.energy_read > 0.0 and report.reads > 0
    for part in made.states.rram.rule_state.parts:
        assert isinstance(part.cells.g_cell, np.ndarray)


def test_the_same_seed_gives_the_same_epoch_again():
    first, second = (
        training({"kind": "mixed_precision", "verify": {"sigma_read": 0.02}}, "torch", chip=False, epochs=1)
        for _ in range(2)
    )
    for made in (first, second):
        made.advance()
        made.advance()
    for mine, other in zip(*(each.states.rram.rule_state.parts for each in (first, second)), strict=True):
        np.testing.assert_array_equal(mine.cells.g_cell, other.cells.g_cell)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        (
            {"rule": {"kind": "outer_product"}},
            "`rule.kind` must be float, mixed_precision.*; got outer_product, which f",
        ),
        ({"rule": {"kind": "threshold"}}, "got threshold, which with way = verify"),
        ({"rule": {"kind": "mixed_precision", "write": "count"}}, "got mixed_precision, which with write = count"),
        ({"rule": {"kind": "tiki_taka"}}, "got tiki_taka, which asks"),
        ({"rule": {"kind": "write_verify"}, "mapping": {"kind": "bit_slices"}}, "`rule.kind` must be float"),
        (
            {
                "rule": {"kind": "threshold", "way": "pulse", "placement": "centre"},
                "mapping": {"kind": "offset_column"},
            },
            "`mapping.kind` must be pairs.*got offset_column",
        ),
        (
            {"rule": {"kind": "float"}, "mapping": {"backend": "numpy", "device": "cuda"}},
            "of the backend torch.*got cuda",
        ),
    ],
    ids=["outer product", "verify", "count", "two matrices", "rule and mapping", "mapping", "NumPy"],
)
def test_what_does_not_train_on_a_device_is_refused(settings, named):
    with pytest.raises(InputError, match=named):
        training(settings.pop("rule"), "torch", chip=False, **settings)


@pytest.mark.parametrize(
    ("rule", "chip"), [("float", False), pytest.param("nearest", True, marks=pytest.mark.long)], ids=["float", "chip"]
)
def test_weights_that_are_no_numbers_end_the_epoch(rule, chip):
    made = training(RULES[rule], "torch", chip=chip, epochs=1)
    made.advance()
    made.data.x_train[3, 0, 0, 0] = np.nan
    said = (
        r"must stay finite; after epoch 1 some are not: 1 of the 16 inputs are not finite, .* number 3\. Fix the data"
    )
    with pytest.raises(InputError, match=said):
        made.advance()


def test_test_inputs_that_are_no_numbers_are_named_too():
    made = training(RULES["float"], "torch", chip=False, epochs=1)
    made.advance()
    made.data.x_test[2, 0, 0, 0] = np.nan
    with pytest.raises(InputError, match=r"scores must be finite; some are not: 1 of the 8 inputs .* number 2\. Fix"):
        made.outcome()


def test_the_learning_rate_is_named_where_neither_inputs_nor_wires_are_at_fault():
    made = training(RULES["float"], "torch", chip=False, epochs=1)
    made.states.rram.vectors[0][:] = np.nan
    with pytest.raises(InputError, match=r"not: the inputs are, and cells and wires .*Lower `optimiser\."):
        made.advance()


def test_wires_that_make_no_positive_network_are_named(monkeypatch):
    """What tensors leave as no numbers NumPy refuses: its sentence is the reason, with the matrix that it is of."""

    def refused(*_):
        raise InputError("the cells and wires must make a positive network; they do not")

    made = training(RULES["nearest"], "torch", chip=False, epochs=1)
    made.states.rram.vectors[0][:] = np.nan
    monkeypatch.setattr(WireModel, "effective", refused)
    with pytest.raises(InputError, match=r"scores must be finite; some are not: matrix 0: the cells and"):
        made.advance()


def test_an_epoch_of_several_parts_is_that_of_one(monkeypatch):
    """Parts hold whole batches; the bytes of an input are 36 numbers of eight."""
    whole, parts = (
        training(RULES["nearest"], "torch", chip=False, epochs=1, data={"augment": True}, batch=4) for _ in range(2)
    )
    sizes, sent = [], Trainer.placed

    def counted(self, state):
        if isinstance(state, tuple):
            sizes.append(len(state[0]))
        return sent(self, state)

    monkeypatch.setattr(Trainer, "placed", counted)
    for made, most in ((whole, 2**28), (parts, 9 * 36 * 8)):  # two batches and one input more
        monkeypatch.setattr(on_device, "AT_ONCE", most)
        made.advance()
        made.advance()
    assert sizes == [16, 16, 8, 8, 8, 8]  # an epoch of the network in RRAM, and one of that in float
    for mine, other in zip(*(each.states.rram.rule_state.parts for each in (whole, parts)), strict=True):
        np.testing.assert_array_equal(mine.cells.g_cell, other.cells.g_cell)


def test_scores_of_several_parts_are_those_of_one(monkeypatch):
    made = training(RULES["nearest"], "torch", chip=False, precision="float32")
    x = np.random.default_rng(1).random((1100, 1, 6, 6))
    found = []
    for most in (2**28, 1):
        monkeypatch.setattr(on_device, "AT_ONCE", most)
        found.append(made._scores(made.rram, made.states.rram, x, made._draws(1, 0)))
    assert on_device.sent_at_once(144, 500) == 500
    np.testing.assert_array_equal(*found)


def test_a_matrix_that_is_not_positive_gives_no_numbers():
    matrices = torch.tensor([[[1.0, 2.0], [2.0, 1.0]], [[2.0, 1.0], [1.0, 2.0]]], dtype=torch.float64)
    found = solved(matrices, matrices)
    assert bool(torch.isnan(found[0]).all())
    np.testing.assert_allclose(found[1].numpy(), np.eye(2), rtol=0, atol=1e-15)  # a few roundings


@pytest.mark.parametrize("grid", [[1.0, 2.0, 3.0], [1.0, 1.0, 2.0], [1.0, 2.0, 2.0], [2.0, 2.0, 2.0]])
def test_equal_points_of_a_grid_give_what_numpy_gives(grid):
    x, points, values = np.array([0.5, 1.0, 1.5, 2.0, 2.5, 3.0]), np.array(grid), np.arange(3.0)
    found = interpolated(torch.from_numpy(x), points, values).numpy()
    np.testing.assert_allclose(found, np.interp(x, points, values), rtol=0, atol=1e-15)  # a rounding
