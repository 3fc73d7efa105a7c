"""Train a deep Q-network in two banks of RRAM: act, remember, learn, and now and then renew the target network."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import numpy as np

from rramkit import __version__
from rramkit.array.write.state import WriteCost
from rramkit.episodes import EpisodeRun
from rramkit.learning import checkpoint, tree
from rramkit.learning.rl.agent import Agent
from rramkit.learning.rl.log import TrainingLog
from rramkit.learning.rl.settings import RlSettings
from rramkit.table import TableFile


@dataclass(frozen=True)
class RlReport:
    """One evaluation, for whoever shows progress: actions so far of at most `steps`, mean return, what was written."""

    step: int
    steps: int
    mean_return: float
    tally: WriteCost
    target_updates: int
    cells_rewritten: int


def train(
    tables: TableFile | None,
    settings: RlSettings,
    *,
    tables_name: str = "",
    progress: Callable[[RlReport], None] | None = None,
    run_path: Path | None = None,
) -> EpisodeRun:
    """Train with the tables' device (in float when there are none); the same tables and settings give the same run.

    Parameters
    ----------
    tables : TableFile or None
        Tables `read`, `set`, `reset` and, where the mapping wants them, `wires`.
    settings : RlSettings
        Environment, network, rule and budget.
    tables_name : str, optional
        Name of the table file, for the record.
    progress : callable, optional
        Called with an `RlReport` after each evaluation.
    run_path : Path, optional
        Where the episode file will be: a checkpoint lies beside it every `checkpoint_every` actions, and is taken up
        when there is one.

    Raises
    ------
    InputError, TableError
        When layers do not fit each other or the tables, or a checkpoint belongs to another training.
    SetupError
        When the environment's package is not installed.
    """
    began, agent = time.perf_counter(), Agent.of(tables, settings)
    keeper = _Keeper(agent, run_path, identity=_identity(tables, settings), began=began)
    keeper.take_up()
    try:
        while agent.diary.step < settings.steps and not agent.diary.solved:
            agent.act()
            if _time_to_learn(agent) and _judged(agent) and progress is not None:
                progress(_report(agent))
            keeper.keep()
        final = agent.judged_last()
    finally:
        agent.close()
    return _run(agent, final, tables, tables_name=tables_name, seconds=keeper.seconds)


def _time_to_learn(agent: Agent) -> bool:
    """Learn when a round is due; return whether one was."""
    settings, step = agent.settings, agent.diary.step
    if step < settings.warm_up or step % settings.collect:
        return False
    agent.learn()
    return True


def _judged(agent: Agent) -> bool:
    """Evaluate when it is time to; return whether it was."""
    if len(agent.diary.loss) % agent.settings.judge_every:
        return False
    agent.judge()
    return True


class _Keeper:
    """Writes checkpoints of an agent between two episodes, and takes one up."""

    def __init__(self, agent: Agent, run: Path | None, *, identity: str, began: float) -> None:
        self._agent, self._identity, self._began = agent, identity, began
        self._place = None if run is None else checkpoint.path_of(run)
        self._kept_at, self._before = 0, 0.0

    @property
    def seconds(self) -> float:
        """Time that the training has taken so far, those before it was taken up included (s)."""
        return self._before + time.perf_counter() - self._began

    def take_up(self) -> None:
        """Bring the agent to where the checkpoint was, when there is one."""
        found = None if self._place is None else checkpoint.load(self._place, identity=self._identity)
        if found is None:
            return
        agent, history = self._agent, found.history
        agent.banks = tree.restored(agent.initial, found.state)
        agent.memory.take_up(_without("memory.", history))
        agent.diary = TrainingLog.of(_without("diary.", history))
        agent.begin()
        self._kept_at, self._before = agent.diary.step, float(history["seconds"])

    def keep(self) -> None:
        """Write a checkpoint where one is due: at the first end of an episode after `checkpoint_every` actions."""
        agent = self._agent
        due = agent.diary.step - self._kept_at >= agent.settings.checkpoint_every
        if not (due and agent.between):
            return
        agent.settle()  # with or without a file: an agent that is taken up goes on from the very same matrices
        self._kept_at = agent.diary.step
        if self._place is None:
            return
        history = {f"memory.{name}": array for name, array in agent.memory.arrays().items()}
        history |= {f"diary.{name}": array for name, array in agent.diary.arrays().items()}
        history["seconds"] = np.array(self.seconds)
        state = tree.changed(agent.initial, agent.banks)
        now = checkpoint.Checkpoint(agent.diary.step, state, history)
        checkpoint.save(now, self._place, identity=self._identity)


def _without(prefix: str, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def _identity(tables: TableFile | None, settings: RlSettings) -> str:
    """Return what a checkpoint must agree in: settings, tables' origin and the kit's version."""
    made = "" if tables is None else tables.provenance.get("created", "")
    return f"rl {settings.key()} {made} {__version__}"


def _report(agent: Agent) -> RlReport:
    diary = agent.diary
    return RlReport(
        step=diary.step,
        steps=agent.settings.steps,
        mean_return=diary.judged[-1][1],
        tally=diary.tally,
        target_updates=len(diary.rewrites),
        cells_rewritten=diary.cells_rewritten,
    )


def _run(agent: Agent, final: np.ndarray, tables: TableFile | None, *, tables_name: str, seconds: float) -> EpisodeRun:
    diary, banks = agent.diary, (agent.banks.online, agent.banks.target)
    targets = sum((rewrite.tally for _, rewrite in diary.rewrites), WriteCost())
    return EpisodeRun(
        settings=agent.settings.model_dump(mode="json"),
        tables_provenance=dict(tables.provenance) if tables else {},
        tables_name=tables_name,
        kit_version=__version__,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        series=diary.series(),
        final_return=final,
        scalars={
            "energy_read": diary.energy_read,
            "energy_write": diary.tally.energy,
            "energy_target": targets.energy,
            "train_seconds": seconds,
            "steps": diary.step,
            "batches": diary.batches,
            "pulses_set": diary.tally.pulses_set,
            "pulses_reset": diary.tally.pulses_reset,
            "pulses_target": targets.pulses,
            "cells": sum(count.size for bank in banks for count in bank.learner.pulses),
            "clamped": diary.tally.clamped,
        },
    )
