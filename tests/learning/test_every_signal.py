"""A training reads every signal of a table file, or the file's documentation says why not.

A signal is read where a training with NaN in its place differs or stops.
"""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables

from rramkit import table
from rramkit.cli.app import run as run_command
from rramkit.errors import KitError
from rramkit.learning import Experiment
from rramkit.learning.driver import drive
from rramkit.learning.supervised import SupervisedTraining
from rramkit.learning.train import data_set
from rramkit.table import Table, TableFile
from rramkit.table.schema import GROUPS, column
from rramkit.table.unread import UNREAD, markdown, reason

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


def without(old: Table, signal: str) -> Table:
    """Return a table with NaN for a signal and its scatter."""
    nothing = replace(old.signals[signal], values=np.full(old.signals[signal].values.shape, np.nan))
    spread = {
        name: replace(each, quantiles=each.quantiles * np.nan, sigma=each.sigma * np.nan)
        if each.signal == signal
        else each
        for name, each in old.distributions.items()
    }
    return replace(old, signals={**old.signals, signal: nothing}, distributions=spread, held_out={}, fits={})


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
    return ((name, signal) for name, each in file.items() for signal in each.signals)


def are_read(file: TableFile, names: list[tuple[str, str]], whole: list[np.ndarray]) -> bool:
    """Return whether a training with NaN in all these signals differs from that of the whole file, or stops."""
    changed = dict(file.tables)
    for name, signal in names:
        changed[name] = without(changed[name], signal)
    spoilt = outcome(TableFile(changed, file.provenance))
    return spoilt is None or not all(
        np.array_equal(one, other, equal_nan=True) for one, other in zip(whole, spoilt, strict=True)
    )


def check_every_signal(file: TableFile) -> None:
    """Assert that each signal is read, or has a reason, and not both.

    None of those that have a reason is read where a training without all of them is the same.
    """
    whole = outcome(file)
    assert whole is not None
    every = list(signals(file))
    excused = [each for each in every if reason(*each)]
    assert [each for each in every if each not in excused and not are_read(file, [each], whole)] == []
    if are_read(file, excused, whole):
        assert [each for each in excused if are_read(file, [each], whole)] == []
        raise AssertionError("signals that are not read alone are read together")


def test_every_signal_is_read_or_has_a_reason():
    check_every_signal(chip_tables())


def test_every_reason_is_of_a_column_and_the_documentation_has_it():
    assert {name.partition(".")[0] for name in UNREAD} <= set(GROUPS)
    assert all(not name.partition(".")[2] or column(*name.split(".")) is not None for name in UNREAD)
    assert markdown() in (Path(__file__).parents[2] / "docs" / "training.md").read_text()


@pytest.mark.long
@pytest.mark.spice
def test_every_signal_of_the_default_design_is_read_or_has_a_reason(tmp_path):
    """The same of a characterised file: minutes, and one training for each of its signals."""
    assert run_command(["characterize", "--plan", "design", "-o", str(tmp_path / "design.h5"), "--quiet"]) == 0
    check_every_signal(table.load(tmp_path / "design.h5").nominal())
