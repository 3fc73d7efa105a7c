"""A deep Q-learning agent in training: it acts, stores transitions, learns in rounds, and is evaluated greedily.

Every random number comes from a generator of seed, purpose and number: an episode has its own environment, exploration
and read noise, a round of training its own batches, an evaluation its own episodes. Between two episodes a checkpoint
of the state, the replay memory and the log is therefore complete.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np

from rramkit import __version__, units
from rramkit.array.write.state import WriteCost
from rramkit.errors import InputError
from rramkit.learning import faults
from rramkit.learning.by_layer import rule_on_network
from rramkit.learning.checkpoint import Checkpoint, check_fit, flatten, restore
from rramkit.learning.chip import Chip, stored_tables
from rramkit.learning.condition import OperatingTables, origin
from rramkit.learning.driver import Report, Training
from rramkit.learning.layers.read_cost import NetworkReads
from rramkit.learning.log import TrainingLog
from rramkit.learning.model import Network
from rramkit.learning.rl.banks import Banks, Copy, Freeze, Swap, TargetRule
from rramkit.learning.rl.dqn import QLearning, QStep
from rramkit.learning.rl.environments import World
from rramkit.learning.rl.multi_step import MultiStep
from rramkit.learning.rl.replay import Replay, Transitions
from rramkit.learning.rl.settings import RlSettings
from rramkit.learning.rules import BoundRule, FloatReference
from rramkit.learning.tally import added, reads_by_matrix, writes_by_matrix
from rramkit.learning.trained import TrainedNetwork
from rramkit.learning.trainer import NetworkState, Trainer
from rramkit.record.counts import READS, WRITES
from rramkit.record.faults import Fault
from rramkit.record.network import StoredNetwork

# Second words of the seeds: one stream of random numbers for each purpose.
_WEIGHTS, _EXPLORATION, _BATCHES, _DEVICE, _WORLD, _ACTING, _EVALUATION = range(1, 8)
_EVALUATE, _CONFIRM, _FINAL = 10**6, 2 * 10**9, 3 * 10**9  # first seeds of the episodes of an evaluation
SERIES = ("episodes", "judged", "loss", "energy", "target_updates", "target_energy")
"""Series of the training log that are recorded."""
_ROUNDS = ("pulses", "changed", "clipped", "saturated")
"""Series of the online network by round, from which faults are found; the first value is before training."""


@dataclass(frozen=True)
class RlReport(Report):
    """One evaluation, for a progress display.

    Attributes
    ----------
    step, steps : int
        Actions so far, and at most.
    mean_return : float
        Mean return of the evaluation's episodes.
    tally : WriteCost
        Cost of all writes so far.
    target_updates, cells_rewritten : int
        Updates of the target network so far, and the cells that they have written.
    faults : tuple of Fault
        What the training has not done, so far.
    """

    step: int
    steps: int
    mean_return: float
    tally: WriteCost
    target_updates: int
    cells_rewritten: int
    faults: tuple[Fault, ...] = ()

    @property
    def done(self) -> int:
        """Actions so far."""
        return self.step

    @property
    def total(self) -> int:
        """Actions at most."""
        return self.steps

    @property
    def text(self) -> str:
        """Faults in capitals, mean return, pulses, updates of the target network."""
        pulses, said = self.tally.pulses_set + self.tally.pulses_reset, [each.heading.upper() for each in self.faults]
        return "  ".join([*said, ""]) + (
            f"actions  mean return {self.mean_return:.0f}  {units.count(pulses)} pulses  {self.target_updates} target "
            f"updates rewrote {units.count(self.cells_rewritten)} cells"
        )


@dataclass(frozen=True)
class AgentState:
    """What an agent has reached.

    Attributes
    ----------
    banks : Banks
        Both networks.
    step, batches : int
        Actions taken and batches trained on.
    solved : bool
        Whether two evaluations have reached the goal.
    tally, target : WriteCost
        Cost of all writes, and of those of the target network's updates.
    energy_read, time_read : float
        Energy (J) and time (s) of the array reads.
    reads : ndarray
        The reads of each matrix (M, 2, `READS`), both banks together, as `rramkit.record.counts` keeps them.
    writes : ndarray
        The writes of each matrix (M, `WRITES`), without those of the target network's updates.
    """

    banks: Banks
    step: int = 0
    batches: int = 0
    solved: bool = False
    tally: WriteCost = field(default_factory=WriteCost)
    target: WriteCost = field(default_factory=WriteCost)
    energy_read: float = 0.0
    time_read: float = 0.0
    reads: np.ndarray = field(default_factory=lambda: np.zeros((0, 2, len(READS))))
    writes: np.ndarray = field(default_factory=lambda: np.zeros((0, len(WRITES))))

    @classmethod
    def first(cls, banks: Banks, matrices: int) -> Self:
        """Return the state before the first action: both banks are written."""
        online, target = banks.online.rule_state, banks.target.rule_state
        writes = writes_by_matrix(added(online.tallies, target.tallies), matrices)
        reads = np.zeros((matrices, 2, len(READS)))
        return cls(banks, tally=online.tally + target.tally, reads=reads, writes=writes)

    def with_reads(self, by_matrix: NetworkReads) -> "AgentState":
        """Return the state with the cost of array reads added."""
        reads = by_matrix.total
        tally = self.tally + WriteCost(clamped=reads.clamped) if reads.clamped else self.tally
        energy, seconds = self.energy_read + reads.energy, self.time_read + reads.seconds
        counted = self.reads + reads_by_matrix(by_matrix, len(self.reads))
        return replace(self, energy_read=energy, time_read=seconds, tally=tally, reads=counted)


class Agent(Training[RlReport]):
    """One training by reinforcement. It is written in place, as the environment that it acts in is.

    Attributes
    ----------
    settings : RlSettings
        Environment, network, rule and budget.
    initial, state : AgentState
        Networks and totals before the first action, and now.
    memory : Replay
        The stored transitions.
    log : TrainingLog
        `SERIES`: the return of each episode at its last action; the mean return of each evaluation at its action; the
        mean loss of each round at its last batch; the energy of writes and reads so far (J) after each round, at its
        action; the cells and the energy (J) of each update of the target network, at its batch.
    """

    def __init__(self, settings: RlSettings, learning: QLearning, world: World, *, tables: str = "") -> None:
        self.settings, self._learning, self._world = settings, learning, world
        self._tables, self._dtype = tables, np.dtype(settings.precision)
        banks = initial_banks(learning.trainer, settings)
        self.initial = AgentState.first(banks, len(learning.trainer.network.matrices))
        self.state, self.log = self.initial, TrainingLog.of(*SERIES, *_ROUNDS)
        self._log_round(banks.online, 0, NetworkReads())
        self.memory = Replay(settings.replay, world.shape, dtype=world.dtype if world.dtype == bool else self._dtype)
        self._target_rule, self._checkpoint_step = _target_rule(settings, learning), 0
        self._begin_episode()

    @classmethod
    def of(cls, tables: OperatingTables | None, settings: RlSettings) -> "Agent":
        """Return the agent of the settings before its first action, on the tables' chip or, without them, in float.

        Raises
        ------
        InputError
            When a layer does not take what the one before it gives, or the target's rule needs a rule that writes.
        """
        world = World.of(settings.environment)
        trainer = trainer_of(settings, settings.on(tables), world.shape, world.actions)
        learning = QLearning(trainer, settings.discount, settings.value_scale, settings.double, settings.offset)
        return cls(settings, learning, world, tables=origin(tables))

    @property
    def identity(self) -> str:
        """Settings, origin of the tables and the kit's version."""
        return f"rl {self.settings.key()} {self._tables} {__version__}"

    @property
    def finished(self) -> bool:
        """Whether the last action is taken or the goal is reached."""
        return self.state.step >= self.settings.steps or self.state.solved

    @property
    def checkpoint_due(self) -> bool:
        """At the first end of an episode after `checkpoint_every` actions."""
        return self._between and self.state.step - self._checkpoint_step >= self.settings.checkpoint_every

    def advance(self) -> RlReport | None:
        """Act once; train and evaluate where it is time to."""
        self._act()
        settings, step = self.settings, self.state.step
        if step < settings.warm_up or step % settings.collect:
            return None
        self._train_round()
        if self.log.length("loss") % settings.judge_every:
            return None
        self._evaluate()
        return RlReport(
            step=step,
            steps=settings.steps,
            mean_return=self.log.last("judged"),
            tally=self.state.tally,
            target_updates=self.log.length("target_updates"),
            cells_rewritten=int(self.log.values("target_updates").sum()),
            faults=self.faults(),
        )

    def faults(self) -> tuple[Fault, ...]:
        """Return what the training has not done so far, although it ran."""
        log, online = self.log, self.state.banks.online.rule_state
        series = faults.Series(*(log.values(name) for name in _ROUNDS), unit="round")
        return tuple(faults.of_writes(self._learning.trainer.rule, online.parts, series))

    def without_cache(self) -> None:
        """Drop what reads have prepared in both banks."""
        banks, without_cache = self.state.banks, self._learning.trainer.without_cache
        banks = Banks(without_cache(banks.online), without_cache(banks.target))
        self.state, self._checkpoint_step = replace(self.state, banks=banks), self.state.step

    def checkpoint(self, seconds: float) -> Checkpoint:
        """Return the state's changes, the log and the replay memory."""
        return Checkpoint(flatten(self.initial, self.state), self.log.arrays(), seconds, self.memory.arrays())

    def resume(self, reached: Checkpoint) -> None:
        """Go on from a checkpoint between two episodes."""
        check_fit(self.initial, reached.state)
        self.state, self.log = restore(self.initial, reached.state), TrainingLog.from_arrays(reached.log)
        self.memory.restore(reached.memory or {})
        self._checkpoint_step = self.state.step
        self._begin_episode()

    def final_returns(self) -> np.ndarray:
        """Return the returns (E,) of the final evaluation, on episodes of its own."""
        return self.play(self.settings.final_episodes, _FINAL)

    def trained(self) -> TrainedNetwork:
        """Return the online network."""
        settings, online = self.settings, self.state.banks.online
        return TrainedNetwork.of(self._learning.trainer, online, precision=settings.precision, seed=settings.seed)

    def changes(self) -> dict[str, np.ndarray]:
        """Return the arrays of the online network that differ from the initial one's, by path."""
        return self.trained().changes(self.initial.banks.online, self._learning.trainer)

    def play(self, episodes: int, first: int) -> np.ndarray:
        """Return the returns (E,) of the online network without exploration, in worlds seeded from `first` on.

        The episodes run side by side, so that one read answers for all that are not over.
        """
        worlds, returns = [World.of(self.settings.environment) for _ in range(episodes)], np.zeros(episodes)
        observations = np.stack([world.reset(seed=first + index) for index, world in enumerate(worlds)])
        playing, rng = np.arange(episodes), self._stream(_EVALUATION, first)
        while playing.size:
            online = self.state.banks.online
            result = self._learning.read(online, observations[playing].astype(self._dtype), rng=rng)
            over = np.zeros(playing.size, dtype=bool)
            for turn, (index, action) in enumerate(zip(playing, np.argmax(result.scores, axis=1), strict=True)):
                outcome = worlds[index].step(int(action))
                returns[index] += outcome.reward
                observations[index], over[turn] = outcome.observation, outcome.ended or outcome.cut
            playing = playing[~over]
        for world in worlds:
            world.close()
        return returns

    def close(self) -> None:
        """Close the environment."""
        self._world.close()

    @property
    def actions(self) -> int:
        """How many actions the environment has."""
        return self._world.actions

    def _begin_episode(self) -> None:
        """Begin an episode in an environment of its own; its number is that of the episodes so far."""
        number = self.log.length("episodes")
        self._world.close()
        self._world = World.of(self.settings.environment)
        self._observation = self._world.reset(seed=int(self._stream(_WORLD, number).integers(2**31)))
        self._exploration, self._acting = self._stream(_EXPLORATION, number), self._stream(_ACTING, number)
        self._episode = MultiStep(self.memory, steps=self.settings.return_steps, discount=self.settings.discount)
        self._return, self._between = 0.0, True

    def _act(self) -> None:
        """Take one action, at random or by the online network, and store the transition."""
        explores = self._exploration.random() < self._epsilon()
        action = int(self._exploration.integers(self._world.actions)) if explores else self._greedy()
        outcome = self._world.step(action)
        over, after = outcome.ended or outcome.cut, outcome.observation
        self._episode.add(self._observation, action, outcome.reward, after=after, ended=outcome.ended, last=over)
        self._return += outcome.reward
        self._observation, self._between = after, False
        self.state = replace(self.state, step=self.state.step + 1)
        if over:
            self.log.add(self.state.step, episodes=self._return)
            self._begin_episode()

    def _train_round(self) -> None:
        """Train on a round of batches, with the updates of the target network that fall into it."""
        self._set_rate()
        number, steps, before = self.log.length("loss"), [], self.state.banks.online
        batches, device = self._stream(_BATCHES, number), self._stream(_DEVICE, number + 1)
        for _ in range(self.settings.batches):
            transitions = self.memory.sample(self.settings.batch, rng=batches).of_type(self._dtype)
            if not self.state.batches:
                self._calibrate(transitions)
            steps.append(self._train_batch(transitions, device))
            if self.state.batches % self.settings.target_every == 0:
                self._update_target(device)
        self.log.add(self.state.batches, loss=float(np.mean([step.loss for step in steps])))
        self.log.add(self.state.step, energy=self.state.tally.energy + self.state.energy_read)
        pulses = sum(step.online.rule_state.tally.pulses for step in steps)
        self._log_round(before, pulses, sum((step.reads for step in steps), NetworkReads()))

    def _set_rate(self) -> None:
        """Set the learning rate of a round, by the actions so far; of both banks, since `swap` changes their roles."""
        last, banks = self.settings.rate_last, self.state.banks
        rate = 1.0 - (1.0 - last) * min(self.state.step / self.settings.steps, 1.0)
        at_rate = self._learning.trainer.at_rate
        banks = Banks(at_rate(banks.online, rate), at_rate(banks.target, rate))
        self.state = replace(self.state, banks=banks)

    def _log_round(self, before: NetworkState, pulses: int, reads: NetworkReads) -> None:
        """Log what a round of training has done to the online network, which was `before`."""
        now = self.state.banks.online.rule_state
        self.log.add(
            self.state.batches,
            pulses=np.array([pulses]),
            changed=faults.cells_changed(before.rule_state, now),
            clipped=faults.clipped(self._learning.trainer.rule, now),
            saturated=reads.total.saturated,
        )

    def _calibrate(self, transitions: Transitions) -> None:
        """Set the full scales of ADCs and readouts that are measured, by the first batch; until then, the largest."""
        settings, trainer = self.settings, self._learning.trainer
        if not trainer.calibrates:
            return
        weights = trainer_of(settings, None, trainer.network.input_shape, self.actions)
        reference, margin = initial_banks(weights, settings), settings.mapping.margin
        banks = self._learning.calibrated(self.state.banks, reference, transitions, margin=margin)
        self.state = replace(self.state, banks=banks)

    def _train_batch(self, transitions: Transitions, device: np.random.Generator) -> QStep:
        state = self.state
        step = self._learning.learn(state.banks, transitions, rng=device)
        banks, tally = Banks(step.online, state.banks.target), state.tally + step.online.rule_state.tally
        writes = state.writes + writes_by_matrix(step.online.rule_state.tallies, len(state.writes))
        state = replace(state, banks=banks, tally=tally, writes=writes).with_reads(step.reads)
        self.state = replace(state, batches=state.batches + 1)
        return step

    def _update_target(self, device: np.random.Generator) -> None:
        banks, rewrite = self._target_rule.step(self.state.banks, rng=device)
        self.log.add(self.state.batches, target_updates=float(rewrite.cells), target_energy=rewrite.tally.energy)
        tally, target = self.state.tally + rewrite.tally, self.state.target + rewrite.tally
        self.state = replace(self.state, banks=banks, tally=tally, target=target)

    def _evaluate(self) -> None:
        """Evaluate; a goal that is reached is confirmed on three times as many other episodes."""
        episodes, goal, step = self.settings.judge_episodes, self.settings.goal, self.state.step
        mean = float(np.mean(self.play(episodes, _EVALUATE + step)))
        self.log.add(step, judged=mean)
        if goal is not None and mean >= goal:
            confirmed = float(np.mean(self.play(3 * episodes, _CONFIRM + step))) >= goal
            self.state = replace(self.state, solved=confirmed)

    def _greedy(self) -> int:
        observation = self._observation[None].astype(self._dtype)
        result = self._learning.read(self.state.banks.online, observation, rng=self._acting)
        self.state = self.state.with_reads(result.reads)
        return int(np.argmax(result.scores[0]))

    def _epsilon(self) -> float:
        """Return the probability of a random action."""
        last, over = self.settings.chance_last, self.settings.exploration * self.settings.steps
        return max(last, 1.0 - (1.0 - last) * self.state.step / over)

    def _stream(self, purpose: int, number: int) -> np.random.Generator:
        return np.random.default_rng((self.settings.seed, purpose, number))


def trainer_of(settings: RlSettings, chip: Chip | None, input_shape: tuple[int, ...], actions: int) -> Trainer:
    """Return the constant parts of the Q-network, on a chip or, without one, in float."""
    network, optimiser = Network.of(settings.network, input_shape, actions), settings.optimiser.built()
    rule = BoundRule(FloatReference(), optimiser)
    if settings.mapping.backend != "numpy":
        raise InputError(
            f"`mapping.backend` must be numpy in reinforcement learning; got {settings.mapping.backend}. Leave it out."
        )
    if chip is not None:
        rule = rule_on_network(
            *(chip, network, settings.chip),
            rule=settings.rule,
            mapping=settings.mapping,
            optimiser=optimiser,
            precision=settings.precision,
        )
    return Trainer(network, rule, replace(optimiser, weight_decay=0.0))  # biases do not decay: the usual practice


def initial_banks(trainer: Trainer, settings: RlSettings) -> Banks:
    """Return both networks from the same initial weights, each as the device takes them."""
    dtype, device = np.dtype(settings.precision), np.random.default_rng((settings.seed, _DEVICE, 0))
    weights = trainer.network.init_weights(rng=np.random.default_rng((settings.seed, _WEIGHTS, 0)), dtype=dtype)
    return Banks(*(trainer.init(weights, dtype=dtype, rng=device) for _ in range(2)))


def restored(settings: Mapping[str, object], stored: StoredNetwork) -> TrainedNetwork:
    """Return the online network of a run file: initialised by the settings' seed, with the stored changes."""
    checked = RlSettings.of_run(settings)
    trainer = trainer_of(checked, checked.on(stored_tables(stored)), stored.input_shape, stored.outputs)
    online = initial_banks(trainer, checked).online
    network = TrainedNetwork.of(trainer, online, precision=checked.precision, seed=checked.seed)
    return network.with_changes(dict(stored.changes))


def _target_rule(settings: RlSettings, learning: QLearning) -> TargetRule:
    if settings.target == "copy":
        return Copy(learning.trainer.rule)
    return Swap() if settings.target == "swap" else Freeze(learning.trainer.rule)
