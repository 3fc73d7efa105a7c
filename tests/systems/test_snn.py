"""Spiking networks: neurons against slow loops and closed forms, a converted network in cells, what it costs."""
# pyright: reportArgumentType=false, reportAttributeAccessIssue=false
# Groups are given as dictionaries here, which pydantic converts; the matrices here are in cells.

import itertools
import json
import math
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fixtures.chip_tables import normal
from fixtures.closeness import near
from fixtures.synthetic import perfect, tables
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.array.stages.integrating import integrating_readout
from rramkit.cli.app import app
from rramkit.cost import components
from rramkit.cost.spiking import COMPARISON, INTEGRATION, spiking_cost
from rramkit.errors import InputError, TableError
from rramkit.learning import DataSet, Experiment, train
from rramkit.learning.continued import plain_of
from rramkit.learning.evaluate import evaluate, rewritten
from rramkit.learning.experiment import grid
from rramkit.learning.spiking import LeakyNeuron, SamplingNeuron, SpikingSettings
from rramkit.learning.spiking.evaluation import checked_rates, decided, spiking_evaluation
from rramkit.learning.spiking.network import SpikingNetwork
from rramkit.learning.spiking.streams import EVALUATE, Streams
from rramkit.table import Table, TableFile
from rramkit.table.schema import READOUT_INTEGRATING, SENSE_AMP, SENSE_AMP_OFFSET

T_STEP = 1e-6  # s
C_INTEGRATE, T_INTEGRATE, E_READ, E_DECIDE = 2e-12, 16e-9, 5e-11, 4e-14  # F, s, J, J
R_IN, GAIN = 300.0, 0.95  # ohm, and the part of the charge that is on the capacitor in time
SETTINGS = {"steps": 16, "t_step": 1e-5, "calibration": 12}


def circuits_of_neurons(*, sigma: float = 0.0) -> dict[str, Table]:
    """Return tables of integrating readouts and comparators: straight lines, so that what is read from them is known.

    The clamp is at 0 V: a line that waits for its turn takes no energy.
    """
    g, v = np.array([1e-4, 1e-3]), np.array([0.05, 0.1, 0.4])
    i = g[:, None] * v
    readout = Table(
        name=READOUT_INTEGRATING.group,
        axes=READOUT_INTEGRATING.of(g_cells=g, v_in=v),
        signals=READOUT_INTEGRATING.of(
            i_in=i, v_out=GAIN * i * T_INTEGRATE / C_INTEGRATE, v_error=-R_IN * i, energy=np.full(i.shape, E_READ)
        ),
        conditions=READOUT_INTEGRATING.of(v_clamp=0.0, c_integrate=C_INTEGRATE, t_integrate=T_INTEGRATE, t_read=4e-8),
    )
    overdrive, v_cm = np.array([1e-3, 1e-2]), np.array([0.5, 0.8])
    decision = Table(
        name=SENSE_AMP.group,
        axes=SENSE_AMP.of(overdrive=overdrive, v_cm=v_cm),
        signals=SENSE_AMP.of(energy=np.full((2, 2), E_DECIDE)),
        conditions={},
    )
    drawn = normal("offset", np.zeros(()), sigma)
    offset = Table(
        name=SENSE_AMP_OFFSET.group,
        axes={},
        signals=SENSE_AMP_OFFSET.of(offset=np.asarray(0.0)),
        conditions={},
        distributions={"offset": drawn},
    )
    return {each.name: each for each in (readout, decision, offset)}


def with_neurons(file: TableFile, *, sigma: float = 0.0) -> TableFile:
    return TableFile({**file.tables, **circuits_of_neurons(sigma=sigma)}, file.provenance)


def data() -> DataSet:
    """Return three classes of 24 pixels, each of a third of the pixels that are mostly bright."""
    rng = np.random.default_rng(0)
    y = np.arange(171) % 3
    x = 0.1 + 0.2 * rng.random((171, 24))
    for label in range(3):
        x[np.ix_(y == label, np.arange(8) + 8 * label)] += 0.3 * rng.random((57, 8))
    return DataSet(x[:120], y[:120], x[120:], y[120:], "made up")


def experiment(function: str = "relu", **changes) -> Experiment:
    network = {"hidden": [12], "function": function}
    settings = {"network": network, "epochs": 20, "batch": 20, "rule": "float", "optimiser": {"learning_rate": 0.02}}
    return Experiment.checked({**settings, **changes}, where="the test")


@pytest.fixture(scope="module")
def trained() -> SimpleNamespace:
    """A network trained in float, and the same weights in ideal and in synthetic cells."""
    chosen, given = experiment(float_reference=False), data()
    run = train(chosen, tables(), data=given)
    plain, made = plain_of(run.network), {}
    in_cells = experiment(rule={"kind": "write_verify", "placement": "low"})
    for name, file in (("perfect", with_neurons(perfect())), ("cells", with_neurons(tables(), sigma=3e-3))):
        operating = in_cells.chip.tables(file)
        network, _ = rewritten(in_cells, operating, plain, given.x_train, given.y_train, input_shape=(24,), seed=1)
        made[name] = SimpleNamespace(network=network, operating=operating)
    return SimpleNamespace(run=run, data=given, experiment=in_cells, **made)


def converted(trained, name: str, settings: SpikingSettings) -> SpikingNetwork:
    one, x = getattr(trained, name), trained.data.x_train.astype(np.float32)
    return SpikingNetwork.of(one.network, one.operating, trained.experiment.chip, settings, x[: settings.calibration])


def found(trained, network: SpikingNetwork, settings: SpikingSettings, **more):
    return spiking_evaluation(network, trained.data.x_test.astype(np.float32), trained.data.y_test, settings, **more)


# ---- neurons


@pytest.mark.parametrize("reset", ["subtract", "zero"])
@pytest.mark.parametrize(("tau", "refractory"), [(0.0, 0), (0.0, 2), (7e-6, 1)])
def test_a_leaky_neuron_is_the_recurrence(reset, tau, refractory):
    neuron, rng = LeakyNeuron(tau=tau, refractory=refractory, reset=reset), np.random.default_rng(3)
    inputs, shift = rng.normal(0.2, 0.5, (2, 60, 3)), np.array([0.0, 0.1, -0.2])
    wanted = np.zeros(inputs.shape, dtype=bool)
    for b, m in itertools.product(range(2), range(3)):
        v, rests, kept = 0.0, 0, (1.0 - T_STEP / tau if tau else 1.0)
        for t in range(60):
            if rests:
                rests -= 1
                continue
            v = v * kept + inputs[b, t, m]
            if v >= 1.0 + shift[m]:
                wanted[b, t, m], rests = True, refractory
                v = v - (1.0 + shift[m]) if reset == "subtract" else 0.0
    assert wanted.any() and not wanted.all()
    np.testing.assert_array_equal(neuron.spikes(inputs, shift, t_step=T_STEP), wanted)


def rate(neuron: LeakyNeuron, drive: float, steps: int) -> int:
    inputs = np.full((1, steps, 1), drive)
    return int(neuron.spikes(inputs, np.zeros(1), t_step=T_STEP).sum())


@pytest.mark.parametrize("drive", [0.125, 0.375, 0.75, 1.0, 3.0])  # eighths: sums without rounding
def test_a_constant_current_has_its_rate(drive):
    steps = 160
    assert rate(LeakyNeuron(refractory=0), drive, steps) == math.floor(min(drive, 1.0) * steps)
    for refractory in (0, 1, 4):
        period = math.ceil(1.0 / drive) + refractory
        spikes = rate(LeakyNeuron(refractory=refractory, reset="zero"), drive, steps)
        assert spikes == 1 + (steps - math.ceil(1.0 / drive)) // period
        assert rate(LeakyNeuron(refractory=refractory), 3.0, steps) == math.ceil(steps / (1 + refractory))


def test_a_leak_sets_a_least_current():
    tau, kept = 8 * T_STEP, 1.0 - 1.0 / 8.0
    neuron = LeakyNeuron(tau=tau, refractory=0, reset="zero")
    assert rate(neuron, 0.124, 500) == 0  # the membrane ends at 8 x 0.124
    drive = 0.2
    first = next(k for k in range(1, 100) if drive * (1.0 - kept**k) / (1.0 - kept) >= 1.0)
    assert rate(neuron, drive, 10 * first) == 10
    with pytest.raises(InputError, match=r"`spiking.neuron.tau` must be 0 or at least"):
        LeakyNeuron(tau=T_STEP / 2).spikes(np.ones((1, 1, 1)), np.zeros(1), t_step=T_STEP)


@pytest.mark.parametrize("refractory", [1, 4])
def test_a_sampling_neuron_is_on_in_the_part_of_a_sigmoid(refractory):
    steps, u = 2000, np.array([-2.0, 0.0, 1.5])
    neuron, inputs = SamplingNeuron(refractory=refractory), np.broadcast_to(u, (10, steps, 3))
    uniform = np.random.default_rng(5).random(inputs.shape)
    on = neuron.spikes(inputs, np.zeros(3), t_step=T_STEP, uniform=uniform)
    wanted = 1.0 / (1.0 + np.exp(-u))
    # 20,000 steps in spells of four or more: at least 2,500 independent ones, of a standard deviation below 0.01.
    np.testing.assert_allclose(on.mean(axis=(0, 1)), wanted, atol=0.04)
    edges = np.diff(on[0, :, 0].astype(int), prepend=0, append=0)
    spells = np.flatnonzero(edges == -1) - np.flatnonzero(edges == 1)
    assert np.all(spells[:-1] % refractory == 0)  # the last one may be cut
    shifted = neuron.spikes(inputs + 0.7, np.full(3, 0.7), t_step=T_STEP, uniform=uniform)
    assert np.mean(shifted != on) < 1e-3  # the comparator's offset is taken from the input: but for rounding


# ---- spikes in, classes out


def test_a_pixel_spikes_in_its_part_of_the_steps():
    x, streams = np.array([0.0, 0.25, 1.0]), Streams(1, EVALUATE)
    spikes = streams.spikes(7, x, 8000, 0.0)
    assert not spikes[:, 0].any() and spikes[:, 2].all()
    assert spikes[:, 1].mean() == near(0.25, within=0.02)  # four standard deviations of 8,000 draws
    assert np.array_equal(spikes, Streams(1, EVALUATE).spikes(7, x, 8000, 0.0))
    assert not np.array_equal(spikes, Streams(2, EVALUATE).spikes(7, x, 8000, 0.0))
    assert not np.array_equal(spikes, streams.spikes(8, x, 8000, 0.0))
    rates = np.array([streams.spikes(k, np.full(1, 0.5), 400, 0.2).mean() for k in range(300)])
    # The spread of the rate, 0.1, and that of 400 draws, 0.025, add as squares; known to 4 % from 300 inputs.
    assert rates.std() == near(math.hypot(0.1, 0.025), rel=0.16)


def test_the_class_is_that_of_most_spikes_the_first_to_have_them():
    spikes = np.array([[[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 0, 0], [1, 0, 0]]], dtype=bool)
    assert decided(spikes).tolist() == [[-1, 1, 2, 2, 0]]
    assert decided(np.zeros((2, 3, 4), dtype=bool)).tolist() == [[-1] * 3] * 2
    with pytest.raises(InputError, match=r"must be within 0 to 1.*got -0.5 to 2"):
        checked_rates(np.array([-0.5, 2.0]))


# ---- the readout of a neuron


def test_an_integrating_readout_is_read_from_its_table():
    readout = integrating_readout(with_neurons(tables()))
    assert readout is not None
    (gain,) = readout.gains
    assert gain.r_feedback == near(T_INTEGRATE / C_INTEGRATE, rel=1e-12)  # rounding
    currents = np.array([1e-6, 5e-5, 3.9e-4])
    np.testing.assert_allclose(gain.curve().output(currents), GAIN * gain.r_feedback * currents, rtol=1e-9)
    assert gain.curve().i_end == near(4e-4, rel=1e-12)
    assert gain.resistance(np.array(5e-4)) == near(R_IN, rel=1e-9)
    assert gain.spread < 1e-9  # the lines of the table are one
    assert integrating_readout(tables()) is None
    flat = with_neurons(tables())
    columns, one = READOUT_INTEGRATING, flat[READOUT_INTEGRATING.group]
    signals = {**one.signals, **columns.of(v_out=np.zeros((2, 3)))}
    broken = TableFile({**flat.tables, one.name: replace(one, signals=signals)}, flat.provenance)
    with pytest.raises(TableError, match="must rise with the current"):
        integrating_readout(broken)


# ---- a converted network


def test_the_charge_of_a_step_is_that_of_the_cells_of_its_spikes(trained):
    """Ohmic cells, no wires. Without circuits the weights' product; with them each line behind its input resistance."""
    settings, x = SpikingSettings(**SETTINGS), trained.data.x_train.astype(np.float32)[:12]
    of_cells, chip = trained.perfect, trained.experiment.chip
    spikes = np.random.default_rng(0).random((16, 24)) < 0.4
    plain = chip.model_copy(update={"ideal_periphery": True})
    ideal, real = (SpikingNetwork.of(of_cells.network, of_cells.operating, each, settings, x) for each in (plain, chip))
    assert set(ideal.circuits.sources.values()) == {"ideal: not characterised"}
    off = SpikingNetwork.of(
        of_cells.network, of_cells.operating, chip.model_copy(update={"off": ("readout",)}), settings, x
    )
    assert off.circuits.sources["integrating readout"] == "off"
    layer, rows = ideal.layers[0], ideal.layers[0].rows(spikes, np.dtype(float))
    y, cost = layer.read(spikes, ideal.dtype, rng=np.random.default_rng(0))
    np.testing.assert_allclose(y, rows @ layer.matrix.weight, atol=1e-5)  # 25 products in single precision
    assert cost.energy > 0.0 and cost.clamped == 0
    g = layer.matrix.g_cell.astype(float)
    lines = [rows @ half / (1.0 + R_IN * half.sum(axis=0)) for half in g]
    wanted = GAIN * (lines[0] - lines[1]) / layer.matrix.mapping.g_unit
    y, _ = real.layers[0].read(spikes, real.dtype, rng=np.random.default_rng(0))
    # The wires' closed form keeps what a line loses to a part in a thousand; single precision is below that.
    np.testing.assert_allclose(y, wanted, atol=2e-3 * np.abs(wanted).max())


def test_accuracy_rises_with_the_steps_and_stays(trained):
    settings = SpikingSettings(**SETTINGS | {"steps": 32})
    one = found(trained, converted(trained, "cells", settings), settings)
    by_levels = evaluate(trained.cells.network, trained.data.x_test, trained.data.y_test).accuracy
    assert by_levels > 0.95
    assert one.accuracy_by_step.shape == (32,) and one.accuracy == one.accuracy_by_step[-1]
    assert one.accuracy_by_step[0] < one.accuracy_by_step[9] - 0.1
    assert one.accuracy > 0.9  # of 51 inputs
    assert np.ptp(one.accuracy_by_step[-8:]) < 0.1  # it stays there: five inputs
    assert one.accuracy == np.mean(one.predicted == trained.data.y_test)
    spread = SpikingSettings(**SETTINGS | {"steps": 32, "spread": 0.2})
    other = found(trained, converted(trained, "cells", spread), spread)
    assert other.accuracy > one.accuracy - 0.09  # four of 51 inputs; a point of MNIST is the page's figure
    assert other.layers[0].unit != one.layers[0].unit


def test_an_inputs_spikes_do_not_depend_on_the_others(trained):
    """Not on the block, nor on how many inputs there are: to the last bit."""
    settings = SpikingSettings(**SETTINGS | {"steps": 8})
    network = converted(trained, "cells", settings)
    one, other = (found(trained, network, settings, block=block) for block in (7, 51))
    np.testing.assert_array_equal(one.accuracy_by_step, other.accuracy_by_step)
    np.testing.assert_array_equal(one.predicted, other.predicted)
    assert [each.spikes for each in one.layers] == [each.spikes for each in other.layers]
    few = settings.model_copy(update={"inputs": 9})
    np.testing.assert_array_equal(found(trained, network, few).predicted, one.predicted[:9])
    seeded = settings.model_copy(update={"seed": 2})
    assert found(trained, network, seeded).spikes_in != one.spikes_in


def test_a_row_of_biases_has_its_part_of_the_steps(trained):
    settings = SpikingSettings(**SETTINGS)
    first, second = converted(trained, "cells", settings).layers
    assert first.bias_rate == 1.0
    # A spike of the first layer stands for its unit of activations, and so must one of the biases.
    assert second.bias_rate == near(1.0 / (first.unit * first.scale), rel=1e-12)
    third = replace(second, bias_rate=1.0 / 3.0)
    rows = third.rows(np.zeros((9, 12), dtype=bool), np.dtype(float))
    assert rows[:, -1].tolist() == [0, 0, 1] * 3 and not rows[:, :-1].any()


def test_the_power_is_that_of_its_parts(trained):
    """Readouts at one energy a line and step, comparators at one a neuron and step: counted by hand."""
    settings = SpikingSettings(**SETTINGS)
    network = converted(trained, "cells", settings)
    one = found(trained, network, settings)
    cost = spiking_cost(network, one, components())
    neurons, steps = (12, 3), settings.steps
    parts = {(item.layer[0], item.part): item.energy for item in cost.items}
    for name, count in zip("02", neurons, strict=True):
        assert parts[name, INTEGRATION] == near(2 * count * steps * E_READ, rel=1e-6)  # two lines of one array
        assert parts[name, COMPARISON] == near(count * steps * E_DECIDE, rel=1e-12)
    compare = components()["digital.comparator32"].energy_at()
    assert parts["n", "input encoder"] > 0.0
    encoder = [each for each in cost.items if each.price == "digital.comparator32"]
    assert [each.energy for each in encoder] == [near(24 * steps * compare, rel=1e-12)]
    assert cost.energy == near(sum(each.energy for each in cost.items), rel=1e-12)
    assert cost.power == near(cost.energy / (16 * 1e-5), rel=1e-12)
    in_neurons = sum(each.energy for each in cost.items if each.part.startswith(("integrating", "threshold", "refr")))
    assert cost.neuron_share == near(in_neurons / cost.energy, rel=1e-12)
    unit, first = network.layers[0].unit, trained.cells.network.params.matrices[0]
    current = unit * first.mapping.g_unit * first.tile.model.cells.v_forward
    wanted = current * T_INTEGRATE / settings.neuron.theta  # the charge of a read that fills it to the threshold
    assert one.layers[0].c_membrane == near(wanted, rel=1e-12)


def test_a_networks_sigmoids_are_sampled():
    chosen, given = experiment("sigmoid", float_reference=False), data()
    network = train(chosen, tables(), data=given).network
    settings = SpikingSettings(**SETTINGS | {"steps": 60, "neuron": "sampling"})
    x = given.x_test.astype(np.float32)
    spiking = SpikingNetwork.of(network, None, chosen.chip, settings, x[:20])
    one = spiking_evaluation(spiking, x, given.y_test, settings)
    assert one.accuracy > 0.9
    # A logit is one over the digital factor, but for the single precision of the products.
    assert spiking.layers[0].unit == near(1.0 / network.params.scales[0], rel=1e-6)
    y, exact = np.array([[0.9, -1.8]]), np.array([[1.0, -2.0]])  # an array that loses a tenth
    assert SamplingNeuron().unit(y, exact, 4.0) == near(0.9 / 4.0, rel=1e-12)


# ---- what is refused


@pytest.mark.parametrize(
    ("network", "neuron", "message"),
    [
        ({"hidden": [4], "bias": "digital"}, "lif", 'Train with `network.bias = "row"`'),
        ({"hidden": [4], "function": "sigmoid"}, "lif", 'Set `spiking.neuron.kind = "sampling"`'),
        ({"hidden": [4], "function": "relu"}, "sampling", 'Set `spiking.neuron.kind = "lif"`'),
        ({"hidden": [4], "function": "tanh"}, "lif", 'Train with `function = "relu"`'),
        ({"layers": [{"kind": "dense", "units": 4, "bias": "row"}, {"kind": "dense"}]}, "lif", "got dense"),
        ({"layers": [{"kind": "dense", "bias": "row", "copies": 2}]}, "lif", "one row an input; got `copies` = 2"),
    ],
    ids=["digital_bias", "sigmoid", "relu", "tanh", "no_activation", "copies"],
)
def test_a_network_without_a_spiking_form_is_refused(network, neuron, message):
    chosen = experiment(network=network, epochs=1, float_reference=False)
    run, settings = train(chosen, tables(), data=data()).network, SpikingSettings(**SETTINGS, neuron=neuron)
    with pytest.raises(InputError, match=message):
        SpikingNetwork.of(run, None, chosen.chip, settings, data().x_train[:4])


def test_settings_that_cannot_hold_are_refused(trained):
    short = SpikingSettings(**SETTINGS | {"t_step": 1e-9})
    with pytest.raises(InputError, match=r"`spiking.t_step` must be at least 8e-08 s"):
        found(trained, converted(trained, "cells", short), short)
    floating = SpikingSettings(**SETTINGS, spread=0.2)
    x = trained.data.x_train[:4].astype(np.float32)
    with pytest.raises(InputError, match="the network is in float"):
        SpikingNetwork.of(trained.run.network, None, trained.experiment.chip, floating, x)
    with pytest.raises(InputError, match="tau"):
        SpikingSettings(neuron={"kind": "sampling", "tau": 1e-3})


def test_the_command_prints_and_draws_it(trained, tmp_path):
    table.save(with_neurons(tables()), tmp_path / "tables.h5")
    given = trained.data
    arrays = {"x_train": given.x_train, "y_train": given.y_train, "x_test": given.x_test, "y_test": given.y_test}
    np.savez(tmp_path / "data.npz", **arrays)
    toml = (
        f'network = {{ hidden = [12] }}\ndata = {{ name = "npz", file = "{tmp_path / "data.npz"}" }}\n'
        'rule = "write_verify"\nepochs = 1\nfloat_reference = false\n[spiking]\nsteps = 4\ncalibration = 10\n'
    )
    (tmp_path / "snn.toml").write_text(toml)
    from rramkit.learning.state_dict import state_dict

    run = trained.run.network
    np.savez(tmp_path / "w.npz", **state_dict(run.network, run.params))

    def evaluated(*more: str):
        names = ["--weights", "w.npz", "--experiment", "snn.toml", "--tables", "tables.h5"]
        whole = ["evaluate", *(str(tmp_path / each) if "." in each else each for each in names), *more]
        return CliRunner().invoke(app, whole)

    printed = evaluated("--spiking", "--json", "-s", "t_step=1e-5", "--plot", str(tmp_path / "snn.png"))
    assert printed.exit_code == 0, printed.exception
    outcome = json.loads(printed.stdout)["spiking"]
    assert outcome["settings"]["steps"] == 4 and outcome["settings"]["t_step"] == 1e-5
    assert len(outcome["accuracy_by_step"]) == 4 and outcome["inputs"] == 51
    assert outcome["stages"]["integrating readout"] == "table readout_integrating"
    assert outcome["power"] == near(outcome["energy"] / 4e-5, rel=1e-12)
    assert (tmp_path / "snn.png").stat().st_size > 1000
    text = evaluated("--spiking").stdout
    assert "by spikes" in text and "of the energy" in text and "SPICE:" in text
    for wrong, message in (
        (["--plot", str(tmp_path / "x.png")], "name `--spiking` too"),
        (["--spiking", "--chips", "2"], "got `--chips` too"),
        (["--spiking", "--spread", "0.1"], "got `--spread` too"),
        (["--spiking", "--reads", "2"], "got `--reads` too"),
        (["--spiking", "-s", "step=3"], "`step` is not a known key"),
    ):
        assert message in str(evaluated(*wrong).exception)


def test_a_run_file_keeps_its_spiking_settings(tmp_path):
    chosen = experiment(spiking={"steps": 7, "neuron": {"refractory": 3}}, epochs=1, float_reference=False)
    train(chosen, tables(), data=data()).save(tmp_path / "run.h5")
    again = Experiment.checked(record.load(tmp_path / "run.h5").settings, where="the run")
    assert again.spiking.steps == 7 and again.spiking.neuron.refractory == 3
    assert "spiking" not in experiment().model_dump()  # files of before stay what they are
    with pytest.raises(InputError, match=r"`sweep` has `spiking.steps`"):
        grid(experiment(sweep={"spiking.steps": [5, 10]}))
