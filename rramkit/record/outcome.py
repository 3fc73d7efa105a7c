"""What every training's record has: settings, origin of the tables, and the network that came out."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Protocol

import numpy as np

from rramkit import hdf5
from rramkit.errors import TableError
from rramkit.record.counts import Counts
from rramkit.record.faults import Fault
from rramkit.record.network import StoredNetwork
from rramkit.record.sources import StageSource

FORMAT = "rramkit run"
FORMAT_VERSION = 3


class TrainedNetwork(Protocol):
    """The network of a record: scores and classes of inputs; `rramkit.learning.trained.TrainedNetwork` is one."""

    def scores(self, x: np.ndarray, *, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the scores (N, C) of inputs (N, ...)."""
        ...

    def predict(self, x: np.ndarray, *, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the class (N,) of inputs (N, ...)."""
        ...


@dataclass(frozen=True, kw_only=True, repr=False)
class TrainingOutcome(ABC):
    """The record of one training.

    Attributes
    ----------
    settings : mapping
        Every setting by name, in SI units.
    tables_name : str
        File name of the table file.
    tables_provenance : mapping
        Name to text: the origin of the tables' numbers; empty in float.
    stages : tuple of StageSource
        Where the numbers of each stage of reads and writes came from; empty in float and in files of rramkit 0.1.0.
    kit_version, created : str
        Version of the kit, and the local time with its zone (ISO 8601).
    stored_network : StoredNetwork or None
        What the file holds of the network; None in files of format 2 (rramkit 0.1.0), which hold conductances alone.
    faults : tuple of Fault
        What the training did not do although it ran: no pulse, weights clipped, an accuracy at chance.
    counts : Counts or None
        Reads and writes of each matrix; None in files of kits that did not count.
    """

    settings: Mapping[str, object]
    tables_name: str
    tables_provenance: Mapping[str, str]
    kit_version: str
    created: str
    stored_network: StoredNetwork | None = None
    stages: tuple[StageSource, ...] = ()
    faults: tuple[Fault, ...] = ()
    counts: Counts | None = None

    @property
    def notices(self) -> tuple[str, ...]:
        """What the training did not do although it ran: one line each, with the likely cause and the cure."""
        return tuple(f"{fault.heading}: {fault.text}" for fault in self.faults)

    @cached_property
    def network(self) -> TrainedNetwork:
        """The trained network; the first access initialises it by the run's seed and restores its arrays."""
        return self._restored()

    @abstractmethod
    def totals(self) -> dict[str, float | int]:
        """Return the run's totals by name, in SI units."""

    def scores(self, x: np.ndarray, *, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the scores of inputs, read through the trained network's arrays.

        Parameters
        ----------
        x : array
            Inputs (N, F) or (N, C, H, W) like those of the training set (1).
        rng : Generator, optional
            Draws the read noise; left out, one of the run's seed.

        Returns
        -------
        ndarray
            Scores (N, classes) (1).

        Raises
        ------
        InputError
            When the shape of an input is another one than in training.
        TableError
            When the run holds no network (files of rramkit 0.1.0).

        Examples
        --------
        >>> import numpy as np
        >>> import rramkit as rk
        >>> rk.load_run("run.h5").scores(np.ones((5, 4))).shape
        (5, 3)
        """
        return self.network.scores(x, rng=rng)

    def predict(self, x: np.ndarray, *, rng: np.random.Generator | None = None) -> np.ndarray:
        """Return the class of inputs, read through the trained network's arrays.

        Parameters
        ----------
        x : array
            Inputs (N, F) or (N, C, H, W) like those of the training set (1).
        rng : Generator, optional
            Draws the read noise; left out, one of the run's seed.

        Returns
        -------
        ndarray of int
            Classes (N,), from 0.

        Raises
        ------
        InputError
            When the shape of an input is another one than in training.
        TableError
            When the run holds no network (files of rramkit 0.1.0).

        Examples
        --------
        >>> import numpy as np
        >>> import rramkit as rk
        >>> rk.load_run("run.h5").predict(np.ones((5, 4))).shape
        (5,)
        """
        return self.network.predict(x, rng=rng)

    def save(self, path: str | Path) -> Path:
        """Write the run file; it appears under `path` only when it is whole.

        Parameters
        ----------
        path : str or Path
            File to write; an existing one is replaced.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        InputError
            When it cannot be written.

        Examples
        --------
        >>> import rramkit as rk
        >>> run = rk.load_run("run.h5")
        >>> rk.load_run(run.save("copy.h5")).accuracy == run.accuracy
        True
        """
        with hdf5.new_file(Path(path)) as root:
            self._write(root)
        return Path(path)

    @abstractmethod
    def plot(self, path: str | Path) -> Path:
        """Draw the training into a PNG, PDF or SVG file and return its path."""

    @abstractmethod
    def _restored(self) -> TrainedNetwork:
        """Return the network of `stored_network`."""

    @abstractmethod
    def _write(self, root: hdf5.Group) -> None:
        """Write everything into the root of a new file."""

    def _stored(self) -> StoredNetwork:
        if self.stored_network is None:
            raise TableError(
                f"this run (rramkit {self.kit_version}, {self.created}) holds no network: its file has format 2 or "
                "earlier. Train again to get one."
            )
        return self.stored_network


def upper_module(name: str) -> ModuleType:
    """Return a module that imports this package, as `learning.train` or `plots` does; loaded at its first use.

    A record is data, which training writes and plots read. Its methods that rebuild or draw are a facade of theirs.
    """
    return import_module(f"rramkit.{name}")
