"""Deep Q-learning in two banks: its arithmetic against the slow loop, the banks' roles, and a world that is learned."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables
from matplotlib.figure import Figure

from rramkit import record
from rramkit.errors import InputError, TableError
from rramkit.learning import rl
from rramkit.learning.mapping_settings import MappingSettings
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.optimisers import Adam
from rramkit.learning.rl.agent import Agent
from rramkit.learning.rules import BoundRule, FloatReference, MixedPrecision
from rramkit.learning.rules.rram_rule import RramRule
from rramkit.learning.trainer import Trainer
from rramkit.plots import episodes as picture

pytest.importorskip("gymnasium", reason="the extra `rl` is not installed")

ROOT = Path(__file__).parents[3]
SHORT = {
    "steps": 600,
    "warm_up": 128,
    "collect": 64,
    "batches": 4,
    "target_every": 5,
    "batch": 8,
    "network": NetworkSettings(hidden=(8,)),
    "final_episodes": 3,
}


@pytest.mark.parametrize(
    ("rule", "threshold"),
    [
        ({"centre": 0.3}, 0.03),
        ({"kind": "mixed_precision", "centre": 0.3}, 0.03),
        ({"threshold": 0.01}, 0.01),
        ({"write": "count"}, None),  # that of an equal pulse
        ("mixed_precision", None),
        ({"kind": "threshold"}, 1 / 15),
    ],
    ids=["centre", "kind", "threshold", "write", "name", "other"],
)
def test_a_key_of_the_rule_leaves_the_others_at_the_defaults_of_rl(rule, threshold):
    settings = rl.RlSettings.checked({"rule": rule}, where="the test")
    assert getattr(settings.rule, "threshold", 0.0) == threshold
    assert rl.RlSettings.of_run(settings.model_dump(mode="json")).rule == settings.rule, "as its run file has it"


def transitions(count, rng):
    return rl.Transitions(
        before=rng.normal(size=(count, 4)),
        action=rng.integers(0, 2, count),
        reward=rng.normal(size=count),
        after=rng.normal(size=(count, 4)),
        ended=(rng.random(count) < 0.3).astype(float),
        steps=rng.integers(1, 4, count),
    )


def test_the_error_is_that_of_the_slow_loop():
    rng = np.random.default_rng(3)
    seen, values, after = transitions(20, rng), rng.normal(size=(20, 2)), rng.normal(size=20)
    error = rl.td_error(values, seen, next_values=after, discount=0.9)
    for n in range(20):
        wanted = seen.reward[n] + (0.0 if seen.ended[n] else 0.9 ** int(seen.steps[n]) * after[n])
        assert error[n, seen.action[n]] == near(values[n, seen.action[n]] - wanted, within=1e-12)
        assert error[n, 1 - seen.action[n]] == 0.0


def test_the_step_goes_down_the_huber_loss():
    """The error sent back is the derivative of the loss by the values: finite differences of the loss itself."""
    rng = np.random.default_rng(4)
    seen, values, after = transitions(6, rng), rng.normal(size=(6, 2)) * 2.0, rng.normal(size=6)
    rows, small = np.arange(6), 1e-6

    def loss(these):
        return rl.huber(rl.td_error(these, seen, next_values=after, discount=0.9)[rows, seen.action])

    slope = np.clip(rl.td_error(values, seen, next_values=after, discount=0.9), -1.0, 1.0) / 6
    for row in range(6):
        for action in range(2):
            moved = values.copy()
            moved[row, action] += small
            # second derivative at most 1/6: the difference quotient is off by less than 1e-6
            assert (loss(moved) - loss(values)) / small == near(slope[row, action], within=1e-6)


def test_replay_forgets_the_oldest_first():
    memory = rl.Replay(3, (1,))
    for n in range(5):
        memory.add(np.array([float(n)]), n % 2, float(n), after=np.array([n + 1.0]), ended=n == 4)
    drawn = memory.sample(200, rng=np.random.default_rng(1))
    assert set(drawn.reward) == {2.0, 3.0, 4.0}
    assert np.array_equal(drawn.before[:, 0], drawn.reward)
    assert np.array_equal(drawn.after[:, 0], drawn.reward + 1.0)
    assert np.array_equal(drawn.ended, (drawn.reward == 4.0).astype(float))


FLOAT64 = np.dtype(np.float64)
NO_WIRES = MappingSettings(wires=False)


def network(*hidden):
    return Network.of(NetworkSettings(hidden=hidden), (4,), 2)


def in_rram():
    rule = rl.RlSettings().rule.bind(tables(), NO_WIRES.model(tables(), precision="float64"), Adam(0.001))
    return Trainer(network(8), rule, Adam(0.001))


def two(trainer, rng):
    drawn = [trainer.network.init_weights(rng=rng, dtype=FLOAT64) for _ in range(2)]
    return rl.Banks(*(trainer.init(weights, dtype=FLOAT64, rng=rng) for weights in drawn))


@pytest.fixture
def banks():
    return two(in_rram(), np.random.default_rng(7))


def test_roles_change_without_a_write(banks):
    after, rewrite = rl.Swap().step(banks, rng=np.random.default_rng(0))
    assert (rewrite.cells, rewrite.tally.pulses, rewrite.tally.energy) == (0, 0, 0.0)
    assert after.target.rule_state is banks.online.rule_state
    for now, then in zip(after.online.rule_state.matrices, banks.target.rule_state.matrices, strict=True):
        assert now is then


def test_swap_keeps_each_banks_own_memory(banks):
    after, _ = rl.Swap().step(banks, rng=np.random.default_rng(0))
    assert after.online is banks.target
    assert after.target is banks.online


def test_freeze_goes_on_from_the_frozen_weights(banks):
    """What the online bank holds and what is still to be written make the frozen bank's weights, with its chi.

    The pulses of the table do what is expected of them, so that the sum is exact.
    """
    after, rewrite = rl.Freeze(in_rram().rule).step(banks, rng=np.random.default_rng(0))
    for new, chi, old, old_chi in zip(
        after.online.rule_state.matrices,
        after.online.rule_state.chi,
        banks.online.rule_state.matrices,
        banks.online.rule_state.chi,
        strict=True,
    ):
        assert np.allclose(new.weight + chi, old.weight + old_chi, rtol=0, atol=1e-12)  # rounding of three sums
    assert after.online.rule_state.optimiser is banks.online.rule_state.optimiser
    assert after.target is banks.online
    # The update pays for its reads, every cell of both banks and those before its pulses, and for its pulses.
    parts = list(zip(after.online.rule_state.parts, banks.target.rule_state.parts, strict=True))
    cells, pulses = sum(now.pulses.size for now, _ in parts), sum((now.pulses - old.pulses).sum() for now, old in parts)
    assert rewrite.tally.pulses == pulses > 0
    assert 2 * cells < rewrite.tally.reads <= 3 * cells
    assert rewrite.cells == sum(np.count_nonzero(now.pulses > old.pulses) for now, old in parts)
    # Two random networks differ by more than the threshold at most weights; what one pulse can write, is written.
    assert rewrite.cells > 0.25 * cells / 2


@pytest.mark.parametrize("kind", ["sign", "outer_product", "tiki_taka", "write_verify"])
def test_freeze_is_refused_where_nothing_would_write_the_difference(kind):
    settings = rl.RlSettings.checked({"rule": {"kind": kind}, "target": "freeze"}, where="the test")
    rule = settings.rule.bind(tables(), NO_WIRES.model(tables(), precision="float64"), Adam(0.001))
    with pytest.raises(InputError, match=f"needs a rule that accumulates changes; got {kind}"):
        rl.Freeze(rule)


def test_copy_brings_every_cell_into_the_window(banks):
    """Write-verify with a window of 1 % of the range; what it fired is counted."""
    rule = in_rram().rule
    assert isinstance(rule.rule, RramRule) and rule.device is not None
    after, rewrite = rl.Copy(rule).step(banks, rng=np.random.default_rng(0))
    low, high = rule.device.loop.chain.writer.g_range
    for now, wanted in zip(after.target.rule_state.parts, banks.online.rule_state.parts, strict=True):
        assert np.max(np.abs(now.cells.g_cell - wanted.cells.g_cell)) <= 0.0101 * (high - low)
    assert after.online is banks.online
    assert 0 < rewrite.cells <= sum(part.cells.g_cell.size for part in banks.online.rule_state.parts)
    assert rewrite.tally.pulses >= rewrite.cells
    assert rewrite.tally.energy > 0.0


def test_the_target_bank_is_only_read():
    rng = np.random.default_rng(5)
    trainer = in_rram()
    both = two(trainer, rng)
    before = [matrix.weight.copy() for matrix in both.target.rule_state.matrices]
    learned = rl.QLearning(trainer, discount=0.99, value_scale=20.0, double=True).learn(
        both, transitions(16, rng), rng=rng
    )
    assert learned.reads.total.energy > 0.0
    for matrix, weight in zip(both.target.rule_state.matrices, before, strict=True):
        assert np.array_equal(matrix.weight, weight)


@pytest.mark.parametrize("steps", [1, 3, 20])
@pytest.mark.parametrize("ended", [True, False])
def test_transitions_of_several_actions_are_those_of_the_slow_loop(steps, ended):
    """An episode of 7 actions, ended or cut off: each observation with what follows within n actions of it."""
    rng, count = np.random.default_rng(9), 7
    seen, actions, rewards = rng.normal(size=(count + 1, 4)), rng.integers(0, 2, count), rng.normal(size=count)
    memory = rl.Replay(50, (4,))
    for episode in range(2):  # the second begins with nothing of the first
        window = rl.MultiStep(memory, steps=steps, discount=0.9)
        for n in range(count):
            last = n == count - 1
            window.add(seen[n], actions[n], rewards[n], after=seen[n + 1], ended=last and ended, last=last)
        assert memory.added == (episode + 1) * count
    stored = memory.arrays()
    for place in range(2 * count):
        n = place % count
        end = min(n + steps, count)
        wanted = sum(0.9 ** (k - n) * rewards[k] for k in range(n, end))
        assert stored["reward"][place] == near(wanted, within=1e-14)  # rounding of seven products
        assert stored["action"][place] == actions[n]
        assert stored["steps"][place] == end - n
        assert stored["ended"][place] == float(ended and end == count)
        assert np.array_equal(stored["before"][place], seen[n])
        assert np.array_equal(stored["after"][place], seen[end])


@pytest.mark.parametrize(
    ("settings", "offset"),
    [
        ({}, 100.0),  # a reward of one an action, without end
        ({"discount": 0.5}, 2.0),
        ({"environment": "Acrobot-v1"}, -100.0),
        ({"environment": "MinAtar/Breakout-v1"}, 0.0),
        ({"value_offset": 0.0}, 0.0),
    ],
)
def test_an_output_of_zero_is_an_episode_that_never_ends(settings, offset):
    assert rl.RlSettings.checked(settings, where="the test").offset == offset


@pytest.mark.parametrize("double", [True, False])
def test_an_offset_is_a_bias_of_the_outputs(double):
    """Values of a network with digital biases, whose outputs are moved down as the offset moves up: the same step."""
    rng = np.random.default_rng(10)
    settings = NetworkSettings(hidden=(8,), bias="digital")
    trainer = Trainer(Network.of(settings, (4,), 2), BoundRule(FloatReference(), Adam(0.001)), Adam(0.001))
    both, seen = two(trainer, rng), transitions(30, rng)

    def moved(state):
        return replace(state, vectors=(*state.vectors[:-1], state.vectors[-1] - 7.0 / 5.0))

    plain = rl.QLearning(trainer, discount=0.9, value_scale=5.0, double=double)
    offset = rl.QLearning(trainer, discount=0.9, value_scale=5.0, double=double, value_offset=7.0)
    one = plain.learn(both, seen, rng=rng)
    other = offset.learn(rl.Banks(moved(both.online), moved(both.target)), seen, rng=rng)
    assert other.loss == near(one.loss, within=1e-12)  # rounding of sums of the order of ten
    for new, old in zip(other.online.rule_state.matrices, one.online.rule_state.matrices, strict=True):
        assert np.allclose(new.weight, old.weight, rtol=0, atol=1e-9)  # Adam divides by gradients down to 1e-4


@pytest.mark.parametrize("double", [True, False])
def test_next_values_are_those_of_the_slow_loop(double):
    """Loss of one batch in float, whose target is valued row by row: chosen by the online network, or by itself."""
    rng = np.random.default_rng(8)
    trainer = Trainer(network(8), BoundRule(FloatReference(), Adam(0.001)), Adam(0.001))
    both, seen = two(trainer, rng), transitions(30, rng)
    seen = replace(seen, ended=np.zeros(30), steps=np.ones(30, dtype=int))
    learning = rl.QLearning(trainer, discount=0.9, value_scale=5.0, double=double, value_offset=3.0)

    def values(state, observation):
        return 3.0 + 5.0 * learning.read(state, observation[None], rng=rng).scores[0]

    errors, chosen_apart = [], 0
    for n in range(30):
        ours, theirs = values(both.online, seen.after[n]), values(both.target, seen.after[n])
        chosen_apart += int(np.argmax(ours) != np.argmax(theirs))
        worth = theirs[np.argmax(ours)] if double else theirs.max()
        errors.append(values(both.online, seen.before[n])[seen.action[n]] - (seen.reward[n] + 0.9 * worth))
    assert chosen_apart  # otherwise both ways would be the same
    # rounding of products in another order
    assert learning.learn(both, seen, rng=rng).loss == near(rl.huber(np.array(errors)), within=1e-12)


def test_a_step_learns_the_values_of_a_fixed_world():
    """Rewards of one action, no future: the values of 64 fixed observations are fitted, in float."""
    rng = np.random.default_rng(6)
    trainer = Trainer(network(32), BoundRule(FloatReference(), Adam(0.003)), Adam(0.003))
    first = two(trainer, rng).online
    both, seen = rl.Banks(first, first), transitions(64, rng)
    learning = rl.QLearning(trainer, discount=0.0, value_scale=2.0, double=False)
    losses = []
    for _ in range(300):
        learned = learning.learn(both, seen, rng=rng)
        both = rl.Banks(learned.online, both.target)
        losses.append(learned.loss)
    assert losses[-1] < 0.1 * losses[0]  # 64 chance rewards and 32 units: not all can be met


@pytest.mark.parametrize("target", ["swap", "freeze", "copy"])
def test_the_same_seed_gives_the_same_run(target):
    first, second = (rl.train(tables(), rl.RlSettings(target=target, mapping=NO_WIRES, **SHORT)) for _ in range(2))
    for name, series in first.series.items():
        assert np.array_equal(series.value, second.series[name].value)
    assert np.array_equal(first.final_return, second.final_return)
    assert first.scalars["pulses_set"] == second.scalars["pulses_set"] > 0
    assert first.series["target_updates"].step.tolist() == [5, 10, 15, 20, 25, 30]
    assert first.cells_rewritten == second.cells_rewritten
    assert (first.cells_rewritten > 0) == (target != "swap")


def test_the_learning_rate_falls_in_a_straight_line_in_both_banks():
    agent = Agent.of(None, rl.RlSettings.checked(SHORT | {"rate_last": 0.25, "goal": None}, where="the test"))
    rounds = 0
    while not agent.finished:
        if agent.advance() is not None:
            rounds, banks = rounds + 1, agent.state.banks
            for bank in (banks.online, banks.target):
                assert bank.rule_state.optimiser.rate == near(1.0 - 0.75 * agent.state.step / 600, rel=1e-12)
                assert bank.optimiser.rate == bank.rule_state.optimiser.rate
    assert rounds > 5
    agent.close()


def test_a_file_holds_the_whole_run(tmp_path):
    run = rl.train(tables(), rl.RlSettings(mapping=NO_WIRES, **SHORT), tables_name="t.h5")
    record.save(run, tmp_path / "e.h5")
    found = record.load(tmp_path / "e.h5", record.EpisodeRun)
    assert found.settings == run.settings
    assert found.scalars == run.scalars
    assert found.mean_return == run.mean_return
    for name, series in run.series.items():
        assert np.array_equal(found.series[name].step, series.step)
        assert np.array_equal(found.series[name].value, series.value)


def test_rounds_without_a_pulse_are_said():
    rule = MixedPrecision(threshold=1.0)
    run = rl.train(tables(), rl.RlSettings(mapping=NO_WIRES, rule=rule, **SHORT))
    (fault,) = run.faults
    assert fault.kind == "no_pulse" and fault.epochs[0] == 1
    assert fault.text.startswith("Rounds 1 to") and "`rule.threshold`" in fault.text
    assert "no pulse fired" in repr(run)


def test_a_picture_shows_returns_energy_and_rewritten_cells(tmp_path):
    run = rl.train(tables(), rl.RlSettings(target="copy", mapping=NO_WIRES, **SHORT))
    picture.save(run, tmp_path / "e.png")
    assert (tmp_path / "e.png").read_bytes().startswith(b"\x89PNG")
    figure = Figure()
    spent = picture.energy(figure.subplots(), run)
    assert spent.get_ylabel().startswith("energy since the start (")
    reads_and_writes, updates = (float(np.asarray(line.get_ydata())[-1]) for line in spent.get_lines())
    assert updates == near(run.scalars["energy_target"], 1e-12)  # the same numbers added up
    assert 0.0 < updates < reads_and_writes < run.scalars["energy_write"] + run.scalars["energy_read"]  # acting goes on


def test_another_file_is_refused(tmp_path):
    (tmp_path / "x.h5").write_text("no")
    with pytest.raises(TableError, match="cannot be read"):
        record.load(tmp_path / "x.h5", record.EpisodeRun)


def test_an_unknown_world_is_named():
    with pytest.raises(InputError, match="one of CartPole-v1"):
        rl.World.of("Pong-v5")


@pytest.mark.parametrize("path", sorted((ROOT / "examples" / "rl").glob("*.toml")), ids=lambda path: path.name)
def test_the_examples_settings_are_read(path):
    assert rl.RlSettings.from_toml(path).environment != rl.RlSettings().environment


def test_one_key_of_a_group_leaves_the_others_at_their_defaults():
    """Those of `rramkit rl` (as `rramkit explain` prints them), not those of an experiment."""
    one = rl.RlSettings.checked({"network": {"hidden": [5]}, "optimiser": {"momentum": 0.5}}, where="the test")
    whole = rl.RlSettings()
    assert one.network == whole.network.model_copy(update={"hidden": (5,)})
    assert one.optimiser == whole.optimiser.model_copy(update={"momentum": 0.5})


def test_training_waits_for_the_first_transition():
    """One of n actions is stored after n: before, a batch would be drawn from an empty memory."""
    with pytest.raises(InputError, match=r"warm_up must be at least return_steps = 20.*got 19"):
        rl.RlSettings(warm_up=19, return_steps=20)
    settings = {"steps": 6, "warm_up": 5, "collect": 1, "batches": 1, "batch": 2, "judge_every": 100}
    agent = Agent.of(None, rl.RlSettings.checked(settings | {"network": {"hidden": [4]}}, where="the test"))
    while not agent.finished:
        agent.advance()
    agent.close()
    assert agent.state.batches == 2


def test_a_run_file_from_before_a_key_has_what_its_training_had():
    of_now = rl.RlSettings(return_steps=3, value_offset=7.0, rate_last=0.5).model_dump(mode="json")
    assert rl.RlSettings.of_run(of_now) == rl.RlSettings.checked(of_now, where="the test")
    before = {name: of_now[name] for name in of_now if name not in ("return_steps", "value_offset", "rate_last")}
    then = rl.RlSettings.of_run(before)
    assert (then.return_steps, then.value_offset, then.rate_last) == (1, 0.0, 1.0)


@pytest.mark.parametrize("name", ["CartPole-v1", "Acrobot-v1", "MinAtar/Breakout-v1"])
def test_worlds_repeat_with_their_seed(name):
    if name.startswith("MinAtar"):
        pytest.importorskip("minatar", reason="the package minatar is not installed")
    lives = []
    for _ in range(2):
        world, rng = rl.World.of(name), np.random.default_rng(1)
        seen = [world.reset(seed=11)]
        for _ in range(30):
            step = world.step(int(rng.integers(world.actions)))
            seen.append(step.observation)
            if step.ended or step.cut:
                seen.append(world.reset())
        assert all(observation.shape == world.shape for observation in seen)
        lives.append(np.stack(seen))
    assert np.array_equal(*lives)


@pytest.mark.long
def test_cartpole_is_learned_in_float():
    """Two hidden layers and single actions: the settings of the figures with ideal periphery."""
    settings = {
        "network": {"hidden": [64, 64], "bias": "row", "reach": 10.0},
        "optimiser": {"learning_rate": 0.001},
        **{"target_every": 128, "steps": 50_000, "batch": 128, "batches": 128, "discount": 0.98, "return_steps": 1},
        **{"exploration": 0.1, "chance_last": 0.04, "value_scale": 20.0, "value_offset": 0.0},
        **{"rate_last": 1.0, "seed": 1},
    }
    run = rl.train(None, rl.RlSettings.checked(settings, where="the test"))
    assert run.mean_return >= 475.0
