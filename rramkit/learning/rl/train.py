"""Train a deep Q-network in two banks of RRAM: act, remember, learn, and now and then renew the target network."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime

import numpy as np

from rramkit import __version__
from rramkit.episodes import EpisodeRun, Series
from rramkit.learning.model import Network
from rramkit.learning.rl.banks import Banks, Copy, Freeze, Rewrite, Swap, TargetRule
from rramkit.learning.rl.dqn import QLearning
from rramkit.learning.rl.environments import World
from rramkit.learning.rl.replay import Replay
from rramkit.learning.rl.settings import RlSettings
from rramkit.learning.rules import FloatReference, Tally
from rramkit.learning.student import Teacher
from rramkit.table import TableFile

# Second words of the seeds: one stream of random numbers for each purpose.
_WEIGHTS, _CHANCE, _BATCHES, _DEVICE, _JUDGING = 1, 2, 3, 4, 5
_FIRST_LOOK, _SECOND_LOOK, _LAST = 10**6, 2 * 10**6, 3 * 10**6  # first seeds of the episodes that judge


@dataclass(frozen=True)
class RlReport:
    """One evaluation, for whoever shows progress: actions so far of at most `steps`, mean return, what was written."""

    step: int
    steps: int
    mean_return: float
    tally: Tally
    target_updates: int
    cells_rewritten: int


@dataclass
class _Diary:
    """What is written down on the way."""

    episodes: list[tuple[int, float]] = field(default_factory=list)  # action at the end, return
    judged: list[tuple[int, float]] = field(default_factory=list)  # action, mean return
    rewrites: list[tuple[int, Rewrite]] = field(default_factory=list)  # batch, what the update wrote
    losses: list[tuple[int, float]] = field(default_factory=list)  # batch, mean loss of a round
    tally: Tally = field(default_factory=Tally)
    energy_read: float = 0.0
    batches: int = 0


def train(
    tables: TableFile | None,
    settings: RlSettings,
    *,
    tables_name: str = "",
    progress: Callable[[RlReport], None] | None = None,
) -> EpisodeRun:
    """Train with the tables' device (in float when there are none); the same tables and settings give the same run.

    Raises
    ------
    InputError, TableError
        When a layer is larger than the wires were checked on, or a table lacks something.
    SetupError
        When the environment's package is not installed.
    """
    started = time.perf_counter()
    agent = _Agent.of(tables, settings)
    try:
        while agent.step < settings.steps and not agent.solved:
            agent.act()
            if agent.step >= settings.warm_up and agent.step % settings.collect == 0:
                agent.train()
                if agent.step // settings.collect % settings.judge_every == 0:
                    agent.judge()
                    if progress is not None:
                        progress(agent.report())
        final = agent.play(settings.final_episodes, _LAST)
    finally:
        agent.world.close()
    return _run(agent, final, tables, tables_name=tables_name, seconds=time.perf_counter() - started)


class _Agent:
    """One training under way. It is written in place, as the world it acts in is."""

    def __init__(self, settings: RlSettings, world: World, learning: QLearning) -> None:
        self.settings, self.world, self.learning = settings, world, learning
        self._chance, self._batches, self._device, self._judging = (
            np.random.default_rng((settings.seed, word)) for word in (_CHANCE, _BATCHES, _DEVICE, _JUDGING)
        )
        self._dtype = np.dtype(settings.precision)
        teacher = learning.teacher
        weights = teacher.network.drawn(rng=np.random.default_rng((settings.seed, _WEIGHTS)), dtype=self._dtype)
        self.banks = Banks(*(teacher.enrolled(weights, dtype=self._dtype, rng=self._device) for _ in range(2)))
        self.diary = _Diary(tally=self.banks.online.learner.tally + self.banks.target.learner.tally)
        self._target_rule = _target_rule(settings, learning)
        self._replay = Replay(settings.replay, world.features, dtype=self._dtype)
        self._observation = world.reset(seed=settings.seed)
        self._return, self.step, self.solved = 0.0, 0, False

    @classmethod
    def of(cls, tables: TableFile | None, settings: RlSettings) -> "_Agent":
        world, optimiser = World.of(settings.environment), settings.optimiser.built()
        network = Network.of(settings.network, (world.features,), world.actions)
        rule = FloatReference(optimiser)
        if tables is not None:
            rule = settings.rule.built(tables, settings.mapping.model(tables, settings.precision), optimiser)
        of_vectors = replace(optimiser, weight_decay=0.0)  # biases do not decay: the usual practice
        return cls(
            settings, world, QLearning(Teacher(network, rule, of_vectors), settings.discount, settings.value_scale)
        )

    def act(self) -> None:
        """Take one action, by chance or by the online network, and remember what came of it."""
        action = self._by_chance() if self._chance.random() < self._chance_part() else self._best(self._observation)
        outcome = self.world.step(action)
        self._replay.add(self._observation, action, outcome.reward, after=outcome.observation, ended=outcome.ended)
        self._return += outcome.reward
        self.step += 1
        self._observation = outcome.observation
        if outcome.ended or outcome.cut:
            self.diary.episodes.append((self.step, self._return))
            self._observation, self._return = self.world.reset(), 0.0

    def train(self) -> None:
        """Do one round of training, with the updates of the target network that fall into it."""
        losses = []
        for _ in range(self.settings.batches):
            seen = self._replay.sample(self.settings.batch, rng=self._batches)
            learned = self.learning.learn(self.banks, seen, rng=self._device)
            self.banks = Banks(learned.online, self.banks.target)
            self.diary.tally += learned.online.learner.tally + Tally(clamped=learned.reads.clamped)
            self.diary.energy_read += learned.reads.energy
            self.diary.batches += 1
            losses.append(learned.loss)
            if self.diary.batches % self.settings.target_every == 0:
                self.banks, rewrite = self._target_rule.step(self.banks, rng=self._device)
                self.diary.rewrites.append((self.diary.batches, rewrite))
                self.diary.tally += rewrite.tally
        self.diary.losses.append((self.diary.batches, float(np.mean(losses))))

    def judge(self) -> None:
        """Evaluate; when the goal is reached, once more on three times as many other episodes before it counts."""
        episodes, goal = self.settings.judge_episodes, self.settings.goal
        mean = float(np.mean(self.play(episodes, _FIRST_LOOK + self.step)))
        self.diary.judged.append((self.step, mean))
        if goal is not None and mean >= goal:
            self.solved = float(np.mean(self.play(3 * episodes, _SECOND_LOOK + self.step))) >= goal

    def play(self, episodes: int, first_seed: int) -> np.ndarray:
        """Return the returns (episodes,) of the online network without chance actions, in a world of its own."""
        world, returns = World.of(self.settings.environment), np.zeros(episodes)
        for episode in range(episodes):
            observation, over = world.reset(seed=first_seed + episode), False
            while not over:
                outcome = world.step(self._best(observation, judging=True))
                returns[episode] += outcome.reward
                observation, over = outcome.observation, outcome.ended or outcome.cut
        world.close()
        return returns

    def report(self) -> RlReport:
        """Return how it stands."""
        return RlReport(
            step=self.step,
            steps=self.settings.steps,
            mean_return=self.diary.judged[-1][1],
            tally=self.diary.tally,
            target_updates=len(self.diary.rewrites),
            cells_rewritten=sum(rewrite.cells for _, rewrite in self.diary.rewrites),
        )

    def _best(self, observation: np.ndarray, *, judging: bool = False) -> int:
        rng = self._judging if judging else self._device
        done = self.learning.read(self.banks.online, observation[None].astype(self._dtype), rng=rng)
        if not judging:
            self.diary.energy_read += done.reads.energy
        return int(np.argmax(done.scores[0]))

    def _by_chance(self) -> int:
        return int(self._chance.integers(self.world.actions))

    def _chance_part(self) -> float:
        last, over = self.settings.chance_last, self.settings.exploration * self.settings.steps
        return max(last, 1.0 - (1.0 - last) * self.step / over)


def _target_rule(settings: RlSettings, learning: QLearning) -> TargetRule:
    if settings.target == "copy":
        return Copy(learning.teacher.rule)
    return Swap() if settings.target == "swap" else Freeze()


def _run(agent: _Agent, final: np.ndarray, tables: TableFile | None, *, tables_name: str, seconds: float) -> EpisodeRun:
    diary = agent.diary
    rewrites = [rewrite for _, rewrite in diary.rewrites]
    return EpisodeRun(
        settings=agent.settings.model_dump(mode="json"),
        tables_provenance=dict(tables.provenance) if tables else {},
        tables_name=tables_name,
        kit_version=__version__,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        series={
            "episodes": _series(diary.episodes),
            "judged": _series(diary.judged),
            "loss": _series(diary.losses),
            "target_updates": _series([(batch, rewrite.cells) for batch, rewrite in diary.rewrites]),
        },
        final_return=final,
        scalars={
            "energy_read": diary.energy_read,
            "energy_write": diary.tally.energy,
            "energy_target": sum(rewrite.tally.energy for rewrite in rewrites),
            "train_seconds": seconds,
            "steps": agent.step,
            "batches": diary.batches,
            "pulses_set": diary.tally.pulses_set,
            "pulses_reset": diary.tally.pulses_reset,
            "pulses_target": sum(rewrite.tally.pulses for rewrite in rewrites),
            "cells": sum(
                count.size for bank in (agent.banks.online, agent.banks.target) for count in bank.learner.pulses
            ),
            "clamped": diary.tally.clamped,
        },
    )


def _series(rows: list[tuple[int, float]]) -> Series:
    return Series(np.array([row[0] for row in rows], dtype=np.int64), np.array([row[1] for row in rows], dtype=float))
