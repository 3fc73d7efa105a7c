"""What is priced: the network of a run file, its arrays, its counts and the chip of its tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from rramkit.array.stages.chain import ReadChain
from rramkit.array.write.write_verify import WriteVerify
from rramkit.cost.work import NetworkWork, work_of
from rramkit.errors import InputError, TableError
from rramkit.learning.by_layer import rule_on_network
from rramkit.learning.chip import of_then, stored_tables
from rramkit.learning.condition import OperatingTables
from rramkit.learning.experiment import Experiment
from rramkit.learning.model import Network
from rramkit.learning.rl.settings import RlSettings
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rule import BoundRule
from rramkit.record import EpisodeRun, Run, TrainingOutcome
from rramkit.record.counts import Counts

Settings = Experiment | RlSettings


@dataclass(frozen=True)
class Span:
    """Counts of a part of a training, its epochs added up.

    Attributes
    ----------
    images, batches : float
        Inputs trained on, and batches.
    reads : mapping
        As `Counts.reads`, by matrix and direction (M, 2).
    writes : mapping
        As `Counts.writes`, by matrix (M,).
    """

    images: float
    batches: float
    reads: Mapping[str, np.ndarray]
    writes: Mapping[str, np.ndarray]

    @classmethod
    def of(cls, counts: Counts, epochs: slice) -> Self:
        """Return the sum of some epochs."""
        return cls(
            float(counts.images[epochs].sum()),
            float(counts.batches[epochs].sum()),
            {name: each[epochs].sum(axis=0, dtype=float) for name, each in counts.reads.items()},
            {name: each[epochs].sum(axis=0, dtype=float) for name, each in counts.writes.items()},
        )


@dataclass(frozen=True)
class Subject:
    """One training as a cost sees it.

    Attributes
    ----------
    run : TrainingOutcome
        The record.
    settings : Experiment or RlSettings
        Its settings.
    tables : OperatingTables
        The tables that it read and wrote by.
    network : Network
        The layers.
    work : NetworkWork
        Digital work of one input.
    counts : Counts
        What it did.
    devices : tuple of RramDevice
        Cells, read chain, write loop and mapping of each matrix: those of all layers, or its own (`mapping.layers`).
    memory : mapping
        Digital numbers that the controller keeps for each weight.
    banks : int
        Networks in RRAM: two in deep Q-learning.
    """

    run: TrainingOutcome
    settings: Settings
    tables: OperatingTables
    network: Network
    work: NetworkWork
    counts: Counts
    devices: tuple[RramDevice, ...]
    memory: Mapping[str, int]
    banks: int = 1

    @classmethod
    def of(cls, run: TrainingOutcome) -> Self:
        """Return what a run file says of its training.

        Raises
        ------
        InputError
            When the run is in float: it has no arrays.
        TableError
            When its file holds no counts or no network.
        """
        if run.counts is None:
            raise TableError(
                f"this run (rramkit {run.kit_version}, {run.created}) holds no counts of its reads and writes, which a "
                "cost is priced from: an earlier kit made it. Train again."
            )
        settings = _settings(run)
        stored = run._stored()  # its message is the right one
        tables = stored_tables(stored)
        if tables is None:
            raise InputError("the run is in float: it has no arrays to price. Pass a run on tables.")
        network = Network.of(settings.network, stored.input_shape, stored.outputs)
        rule = bound_rule(settings, tables, network)
        memory = run.memory if isinstance(run, Run) and run.memory is not None else rule.memory
        banks = 2 if isinstance(run, EpisodeRun) else 1
        return cls(
            run, settings, tables, network, work_of(network), run.counts, devices_of(rule, network), memory, banks
        )

    def chain(self, matrix: int) -> ReadChain:
        """Return the stages of a read of a matrix."""
        return self.devices[matrix].model.chain

    def loop(self, matrix: int) -> WriteVerify:
        """Return the write loop of a matrix."""
        return self.devices[matrix].loop

    @cached_property
    def initial(self) -> Span:
        """The initial programming."""
        return Span.of(self.counts, slice(0, 1))

    @cached_property
    def training(self) -> Span:
        """All that follows it."""
        return Span.of(self.counts, slice(1, None))

    @property
    def epochs(self) -> int:
        """Epochs of training; a training by reinforcement is one."""
        return max(int(self.counts.images.size) - 1, 1)

    @property
    def weights(self) -> int:
        """Weights of the network, each counted once."""
        return sum(each.rows * each.columns for each in self.work.matrices)

    def arrays(self, matrix: int) -> int:
        """Return how many times a network holds a matrix in cells: two of a rule with a second matrix."""
        return self.settings.rule.arrays(matrix, first=self.network.first)

    def copied(self, matrix: int) -> bool:
        """Return whether a copy of a matrix, its transpose, stands beside it."""
        return self.settings.rule.copied(matrix, first=self.network.first)

    def columns(self, matrix: int) -> int:
        """Return the physical columns of a matrix: those of its cells, or what the mapping gives a weight."""
        if isinstance(self.run, Run) and matrix < len(self.run.layers):
            halves, _, columns = self.run.layers[matrix].g_final.shape
            return int(halves * columns)
        mapping = self.devices[matrix].mapping
        return self.work.matrices[matrix].columns * mapping.cells_per_half * mapping.halves

    def g_mean(self, matrix: int) -> float:
        """Return the mean conductance of a matrix' cells, or the middle of the window where the file lacks it (S)."""
        if isinstance(self.run, Run) and matrix < len(self.run.layers):
            return float(np.mean(self.run.layers[matrix].g_final))
        return self.devices[matrix].g_centre


def devices_of(rule: BoundRule, network: Network) -> tuple[RramDevice, ...]:
    """Return the device of each matrix of a network.

    Raises
    ------
    InputError
        When the rule is in float.
    """
    found = [rule.at(index).device for index in range(len(network.matrices))]
    devices = tuple(device for device in found if device is not None)
    if len(devices) < len(found):
        raise InputError("the run is in float: it has no arrays to price. Pass a run on tables.")
    return devices


def bound_rule(settings: Settings, tables: OperatingTables, network: Network) -> BoundRule:
    """Return the settings' rule on the chip of tables, each matrix with its own settings where it has any."""
    chip = settings.on(tables)
    assert chip is not None
    return rule_on_network(
        chip,
        network,
        settings.chip,
        rule=settings.rule,
        mapping=settings.mapping,
        optimiser=settings.optimiser.built(),
        precision=settings.precision,
    )


def _settings(run: TrainingOutcome) -> Settings:
    if isinstance(run, EpisodeRun):
        return RlSettings.of_run(run.settings)
    return Experiment.checked(of_then(run.settings), where="the run file")
