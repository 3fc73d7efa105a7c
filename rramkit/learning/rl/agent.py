"""An agent in training: it acts in a world, remembers, learns in rounds, and is judged without chance actions.

Every draw comes from a generator of seed, purpose and number: an episode has its own world, chance actions and read
noise, a round of training its own batches, an evaluation its own episodes. Between two episodes, what the agent has
written (banks, memory, diary) is therefore all there is to know of it.
"""

from dataclasses import replace

import numpy as np

from rramkit.learning.model import Network
from rramkit.learning.rl.banks import Banks, Copy, Freeze, Swap, TargetRule
from rramkit.learning.rl.dqn import QLearning
from rramkit.learning.rl.environments import World
from rramkit.learning.rl.log import TrainingLog
from rramkit.learning.rl.replay import Replay
from rramkit.learning.rl.settings import RlSettings
from rramkit.learning.rules import BoundRule, FloatReference
from rramkit.learning.trainer import Trainer
from rramkit.table import TableFile

# Second words of the seeds: one stream of random numbers for each purpose.
_WEIGHTS, _CHANCE, _BATCHES, _DEVICE, _WORLD, _ACTING, _JUDGING = range(1, 8)
_FIRST_LOOK, _SECOND_LOOK, _LAST = 10**6, 2 * 10**9, 3 * 10**9  # first seeds of the episodes that judge


class Agent:
    """One training under way. It is written in place, as the world it acts in is.

    Attributes
    ----------
    banks, initial : Banks
        Both networks, now and before the first batch.
    memory : Replay
        What it remembers.
    diary : Diary
        What it did.
    between : bool
        Whether the next action begins an episode.
    """

    def __init__(self, settings: RlSettings, learning: QLearning, world: World) -> None:
        self.settings, self._learning, self._world = settings, learning, world
        self._dtype = np.dtype(settings.precision)
        self.banks = self.initial = self._two_banks()
        self.diary = TrainingLog(tally=self.banks.online.learner.tally + self.banks.target.learner.tally)
        kept = world.dtype if world.dtype == bool else self._dtype
        self.memory = Replay(settings.replay, world.shape, dtype=kept)
        self._target_rule = _target_rule(settings, learning)
        self.begin()

    @classmethod
    def of(cls, tables: TableFile | None, settings: RlSettings) -> "Agent":
        """Return the agent of the settings before its first action, on the tables' device or, without them, in float.

        Raises
        ------
        InputError
            When a layer does not take what the one before it gives, or the target's rule wants a rule that writes.
        """
        world, optimiser = World.of(settings.environment), settings.optimiser.built()
        network = Network.of(settings.network, world.shape, world.actions)
        rule = BoundRule(FloatReference(), optimiser)
        if tables is not None:
            model = settings.mapping.model(tables, settings.precision)
            rule = settings.rule.bind(tables, model, optimiser, settings.mapping.weights)
        teacher = Trainer(
            network, rule, replace(optimiser, weight_decay=0.0)
        )  # biases do not decay: the usual practice
        return cls(settings, QLearning(teacher, settings.discount, settings.value_scale, settings.double), world)

    def begin(self) -> None:
        """Begin an episode in a world of its own; its number is that of the episodes so far."""
        number = len(self.diary.episodes)
        self._world.close()
        self._world = World.of(self.settings.environment)
        self._observation = self._world.reset(seed=int(self._stream(_WORLD, number).integers(2**31)))
        self._chance, self._acting = self._stream(_CHANCE, number), self._stream(_ACTING, number)
        self._return, self.between = 0.0, True

    def act(self) -> None:
        """Take one action, by chance or by the online network, and remember what came of it."""
        by_chance = self._chance.random() < self._chance_part()
        action = int(self._chance.integers(self._world.actions)) if by_chance else self._best()
        outcome = self._world.step(action)
        self.memory.add(self._observation, action, outcome.reward, after=outcome.observation, ended=outcome.ended)
        self._return += outcome.reward
        self._observation, self.between = outcome.observation, False
        self.diary.step += 1
        if outcome.ended or outcome.cut:
            self.diary.episodes.append((self.diary.step, self._return))
            self.begin()

    def learn(self) -> None:
        """Do one round of training, with the updates of the target network that fall into it."""
        number, losses, diary = len(self.diary.loss), [], self.diary
        batches, device = self._stream(_BATCHES, number), self._stream(_DEVICE, number + 1)
        for _ in range(self.settings.batches):
            seen = self.memory.sample(self.settings.batch, rng=batches)
            learned = self._learning.learn(self.banks, seen.of_type(self._dtype), rng=device)
            self.banks = Banks(learned.online, self.banks.target)
            diary.tally += learned.online.learner.tally
            diary.read(learned.reads)
            diary.batches += 1
            losses.append(learned.loss)
            if diary.batches % self.settings.target_every == 0:
                self.banks, rewrite = self._target_rule.step(self.banks, rng=device)
                diary.rewrote(rewrite)
        diary.loss.append((diary.batches, float(np.mean(losses))))
        diary.energy.append((diary.step, diary.tally.energy + diary.energy_read))

    def judge(self) -> None:
        """Evaluate; when the goal is reached, once more on three times as many other episodes before it counts."""
        episodes, goal, step = self.settings.judge_episodes, self.settings.goal, self.diary.step
        mean = float(np.mean(self.play(episodes, _FIRST_LOOK + step)))
        self.diary.judged.append((step, mean))
        if goal is not None and mean >= goal:
            self.diary.solved = float(np.mean(self.play(3 * episodes, _SECOND_LOOK + step))) >= goal

    def judged_last(self) -> np.ndarray:
        """Return the returns (E,) of the last evaluation, on episodes that no other one has seen."""
        return self.play(self.settings.final_episodes, _LAST)

    def play(self, episodes: int, first: int) -> np.ndarray:
        """Return the returns (E,) of the online network without chance actions, in worlds seeded from `first` on.

        The episodes go on side by side, so that one read answers for all that are not over.
        """
        worlds, returns = [World.of(self.settings.environment) for _ in range(episodes)], np.zeros(episodes)
        seen = np.stack([world.reset(seed=first + place) for place, world in enumerate(worlds)])
        playing, rng = np.arange(episodes), self._stream(_JUDGING, first)
        while playing.size:
            done = self._learning.read(self.banks.online, seen[playing].astype(self._dtype), rng=rng)
            over = np.zeros(playing.size, dtype=bool)
            for turn, (place, action) in enumerate(zip(playing, np.argmax(done.scores, axis=1), strict=True)):
                outcome = worlds[place].step(int(action))
                returns[place] += outcome.reward
                seen[place], over[turn] = outcome.observation, outcome.ended or outcome.cut
            playing = playing[~over]
        for world in worlds:
            world.close()
        return returns

    def settle(self) -> None:
        """Go on with matrices as if made anew, as one that is taken up from a checkpoint does."""
        settled = self._learning.teacher.settled
        self.banks = Banks(settled(self.banks.online), settled(self.banks.target))

    def close(self) -> None:
        """Give back what the world holds."""
        self._world.close()

    def _best(self) -> int:
        observation = self._observation[None].astype(self._dtype)
        done = self._learning.read(self.banks.online, observation, rng=self._acting)
        self.diary.read(done.reads)
        return int(np.argmax(done.scores[0]))

    def _chance_part(self) -> float:
        last, over = self.settings.chance_last, self.settings.exploration * self.settings.steps
        return max(last, 1.0 - (1.0 - last) * self.diary.step / over)

    def _two_banks(self) -> Banks:
        """Return both networks from the same first weights, each as the device takes them."""
        teacher, device = self._learning.teacher, self._stream(_DEVICE, 0)
        weights = teacher.network.drawn(rng=self._stream(_WEIGHTS, 0), dtype=self._dtype)
        return Banks(*(teacher.enrolled(weights, dtype=self._dtype, rng=device) for _ in range(2)))

    def _stream(self, purpose: int, number: int) -> np.random.Generator:
        return np.random.default_rng((self.settings.seed, purpose, number))


def _target_rule(settings: RlSettings, learning: QLearning) -> TargetRule:
    if settings.target == "copy":
        return Copy(learning.teacher.rule)
    return Swap() if settings.target == "swap" else Freeze()
