"""Train a deep Q-network in two banks of RRAM: act, store transitions, learn, update the target network."""

import warnings
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import numpy as np

from rramkit import __version__
from rramkit.errors import TrainingWarning
from rramkit.learning.condition import OperatingTables
from rramkit.learning.driver import drive
from rramkit.learning.rl.agent import SERIES, Agent, RlReport
from rramkit.learning.rl.settings import RlSettings
from rramkit.record.counts import Counts
from rramkit.record.episodes import EpisodeRun, Series
from rramkit.record.network import StoredNetwork
from rramkit.table import TableFile, loaded


def train(
    tables: TableFile | str | Path | None,
    settings: RlSettings | None = None,
    *,
    tables_name: str = "",
    progress: Callable[[RlReport], None] | None = None,
    run_path: str | Path | None = None,
) -> EpisodeRun:
    """Train with the tables' device (in float when there are none); the same tables and settings give the same run.

    Parameters
    ----------
    tables : TableFile, str, Path or None
        Tables `read`, `set`, `reset`, `wires` and those of other stages, or the file that holds them; every stage that
        they characterise is on, unless `chip.off` names it.
    settings : RlSettings, optional
        Environment, network, rule and budget; left out, the default: CartPole.
    tables_name : str, optional
        Name of the table file, for the record.
    progress : callable, optional
        Called with an `RlReport` after each evaluation.
    run_path : str or Path, optional
        Where the run file will be: a checkpoint is written beside it every `checkpoint_every` actions, and training
        resumes from it when there is one.

    Returns
    -------
    EpisodeRun
        Returns, history and the trained online network; `save` writes it to a file.

    Raises
    ------
    InputError, TableError
        When layers do not fit each other or the tables, or a checkpoint belongs to another training.
    SetupError
        When the environment's package is not installed.

    Examples
    --------
    >>> from rramkit.learning import rl
    >>> settings = rl.RlSettings(environment="CartPole-v1", steps=20_000)
    >>> run = rl.train("tables.h5", settings)  # doctest: +SKIP
    >>> run.mean_return, run.history["judged"].value  # doctest: +SKIP
    """
    settings = settings or RlSettings()
    if isinstance(tables, str | Path):
        tables_name = tables_name or Path(tables).name
    taken = None if tables is None else settings.chip.tables(loaded(tables))
    agent = Agent.of(taken, settings)
    try:
        seconds = drive(agent, progress=progress, run_path=None if run_path is None else Path(run_path))
        run = _run(agent, taken, tables_name=tables_name, seconds=seconds)
    finally:
        agent.close()
    for notice in run.notices:
        warnings.warn(notice, TrainingWarning, stacklevel=2)
    return run


def _run(agent: Agent, tables: OperatingTables | None, *, tables_name: str, seconds: float) -> EpisodeRun:
    state, log, chip = agent.state, agent.log, agent.settings.on(tables)
    read, write = (None, None) if tables is None else (tables.read, tables.write)
    network = agent.trained().network
    return EpisodeRun(
        settings=agent.settings.model_dump(mode="json"),
        tables_provenance={} if read is None else dict(read.provenance),
        stages=() if chip is None else chip.sources,
        tables_name=tables_name,
        kit_version=__version__,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        series={name: Series(log.steps(name), log.values(name).astype(float)) for name in SERIES},
        final_return=agent.final_returns(),
        scalars={
            "energy_read": state.energy_read,
            "energy_write": state.tally.energy,
            "energy_target": state.target.energy,
            "time_read": state.time_read,
            "time_write": state.tally.seconds,
            "train_seconds": seconds,
            "steps": state.step,
            "batches": state.batches,
            "pulses_set": state.tally.pulses_set,
            "pulses_reset": state.tally.pulses_reset,
            "pulses_target": state.target.pulses,
            "cells": sum(
                count.size for bank in (state.banks.online, state.banks.target) for count in bank.rule_state.pulses
            ),
            "clamped": state.tally.clamped,
        },
        faults=agent.faults(),
        counts=_counts(agent),
        stored_network=StoredNetwork.of(network.input_shape, agent.actions, agent.changes(), read, write),
    )


def _counts(agent: Agent) -> Counts:
    """Return the counts: a row for the initial programming, and one for all that follows."""
    initial, state = agent.initial, agent.state
    batch = agent.settings.batch
    return Counts.of(
        np.array([0, state.batches * batch]),
        np.array([0, state.batches]),
        np.stack([initial.reads, state.reads - initial.reads]),
        np.stack([initial.writes, state.writes - initial.writes]),
    )
