"""A training reads every signal of a table file, or the file's documentation says why not.

A signal is read where a training with NaN in its place differs or stops.
"""

import warnings
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables

from rramkit.errors import KitError
from rramkit.learning import Experiment
from rramkit.learning.driver import drive
from rramkit.learning.supervised import SupervisedTraining
from rramkit.learning.train import data_set
from rramkit.table import Table, TableFile
from rramkit.table.unread import UNREAD, reason

TINY = Experiment.checked(
    {
        "network": {"hidden": [4]},
        "epochs": 1,
        "batches": 2,
        "batch": 10,
        "float_reference": False,
        "data": {"train_images": 60, "test_images": 30},
        "rule": {"kind": "write_verify"},
    },
    where="the test",
)
OUTCOME = ("loss", "energy_read", "energy_write", "time_read", "time_write", "clamped", "pulses_set", "reads")


def without(table: Table, signal: str) -> Table:
    """Return a table with NaN for a signal and its scatter."""
    nothing = replace(table.signals[signal], values=np.full(table.signals[signal].values.shape, np.nan))
    spread = {
        name: replace(each, quantiles=each.quantiles * np.nan, sigma=each.sigma * np.nan)
        if each.signal == signal
        else each
        for name, each in table.distributions.items()
    }
    return replace(table, signals={**table.signals, signal: nothing}, distributions=spread, held_out={}, fits={})


def outcome(file: TableFile) -> list[np.ndarray] | None:
    """Return what a training gives; None where it stops. It is not written to a file, which would refuse NaN."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of NaN on its way
            training = SupervisedTraining(TINY, TINY.chip.tables(file), data_set(None, TINY))
            drive(training)
    except (KitError, ArithmeticError, LookupError, ValueError):
        return None
    return [training.log.values(name) for name in OUTCOME]


def signals(file: TableFile) -> Iterator[tuple[str, str]]:
    return ((name, signal) for name, table in file.items() for signal in table.signals)


def read_by_training(file: TableFile) -> dict[tuple[str, str], bool]:
    """Return whether a training reads each signal of a file."""
    whole, found = outcome(file), {}
    assert whole is not None
    for name, signal in signals(file):
        spoilt = outcome(TableFile({**file.tables, name: without(file[name], signal)}, file.provenance))
        same = spoilt is not None and all(
            np.array_equal(one, other, equal_nan=True) for one, other in zip(whole, spoilt, strict=True)
        )
        found[name, signal] = not same
    return found


def test_every_signal_is_read_or_has_a_reason():
    found = read_by_training(chip_tables())
    silent = [f"{group}.{signal}" for (group, signal), read in found.items() if not read]
    assert [name for name in silent if not reason(*name.split("."))] == []
    stale = [f"{group}.{signal}" for (group, signal), read in found.items() if read and reason(group, signal)]
    assert stale == []
