"""Train a network with every matrix in RRAM, beside a float network of the same budget."""

import warnings
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from rramkit import __version__
from rramkit.errors import InputError, TrainingWarning
from rramkit.learning.chip import of_then, stored_tables
from rramkit.learning.condition import OperatingTables
from rramkit.learning.data import DataSet, stratified
from rramkit.learning.data.own import check_arrays
from rramkit.learning.driver import drive
from rramkit.learning.experiment import Experiment
from rramkit.learning.rules import chosen_by_tables
from rramkit.learning.supervised import EpochReport, Outcome, SupervisedTraining, init, trainers
from rramkit.learning.trained import TrainedNetwork
from rramkit.record.counts import Counts
from rramkit.record.network import StoredNetwork
from rramkit.record.run import Epochs, LayerRecord, Run
from rramkit.table import TableFile, TablesLike, loaded

DataLike = DataSet | Sequence[ArrayLike]


def train(
    experiment: Experiment | TablesLike,
    tables: TablesLike | None = None,
    *,
    tables_name: str = "",
    data: DataLike | None = None,
    progress: Callable[[EpochReport], None] | None = None,
    run_path: str | Path | None = None,
    start: Run | None = None,
) -> Run:
    """Train with the tables' device, and in float beside it; the same experiment, tables and data give the same run.

    Parameters
    ----------
    experiment : Experiment
        Network, data, mapping, rule and budget. `train(tables)` alone trains the default experiment: the digits.
    tables : TableFile, str or Path, optional
        Tables `read`, `set`, `reset`, `wires` and those of other stages, or the file that holds them; left out,
        the file that the experiment names. Every stage that they characterise is on, unless `chip.off` names it.
        Tables with axes of corner, supply or temperature are taken at the operating points of `chip`: the nominal one,
        unless the experiment says otherwise.
    tables_name : str, optional
        Name of the table file, for the record.
    data : DataSet or tuple of arrays, optional
        Data instead of the experiment's own: (x, y), of which a fifth of each class becomes the test set, or (x_train,
        y_train, x_test, y_test), prepared as `data` says (`train_images`, `bits`, `standardise`, `fluctuation`); or a
        `DataSet`, which is taken as it is. Without validation inputs of its own, a part `data.validation` of each class
        of the training inputs is split off.
    progress : callable, optional
        Called with an `EpochReport` before training and after each epoch.
    run_path : str or Path, optional
        Where the run file will be: a checkpoint is written beside it after each epoch, and training resumes from it
        when there is one.

    start : Run, optional
        Run to go on from, of the same network: training begins at its conductances, biases and running means, with a
        new optimiser and new counts of pulses; left out, at first weights of the seed.

    Returns
    -------
    Run
        Accuracy, history and the trained network; `save` writes it to a file. What the training did not do although it
        ran (no pulse, weights clipped, an accuracy at chance) is in `notices`, and a `TrainingWarning` each.

    Raises
    ------
    InputError, TableError
        When layers do not fit each other or the tables, a checkpoint belongs to another training, settings would
        prepare a `DataSet` anew, or `pretrain` is set with `start`.

    Examples
    --------
    >>> import numpy as np
    >>> import rramkit as rk
    >>> experiment = rk.Experiment(network={"hidden": [5]}, epochs=1)
    >>> x, y = np.random.default_rng(0).random((60, 4)), np.arange(60) % 3
    >>> run = rk.train(experiment, rk.example(), data=(x, y))
    >>> run.history.loss.shape, run.network.predict(x).shape
    ((2,), (60,))
    """
    if not isinstance(experiment, Experiment):
        experiment, tables = _default(experiment, tables)
    return train_on(
        data_set(data, experiment),
        experiment,
        tables,
        tables_name=tables_name,
        progress=progress,
        run_path=run_path,
        start=start,
    )


def train_on(
    data: DataSet,
    experiment: Experiment,
    tables: TablesLike | None,
    *,
    tables_name: str = "",
    progress: Callable[[EpochReport], None] | None = None,
    run_path: str | Path | None = None,
    start: Run | None = None,
) -> Run:
    """Train as `train` does, on data that are prepared as the experiment says."""
    if start is not None and experiment.pretrain.epochs:
        raise InputError(
            "`pretrain.epochs` is of first weights, and a run that is gone on from has its own: it must be 0 with "
            f"`start`; got {experiment.pretrain.epochs}. Leave `pretrain` out, or start anew."
        )
    file, name = _loaded(experiment.tables_path(None) if tables is None else tables)
    taken = experiment.chip.tables(file)
    network = None if start is None else start.network
    assert network is None or isinstance(network, TrainedNetwork)
    training = SupervisedTraining(experiment, taken, data, start=network)
    path = None if run_path is None else Path(run_path)
    seconds = drive(training, progress=progress, run_path=path)
    run = _run(training, taken, tables_name or name, seconds)
    for notice in run.notices:
        warnings.warn(notice, TrainingWarning, stacklevel=3)  # at the line that calls `train`
    return run


def data_set(data: DataLike | None, experiment: Experiment) -> DataSet:
    """Return the data as a `DataSet`: the experiment's own for None; what has no split is split by its seed.

    Raises
    ------
    InputError
        When arrays do not fit, or the experiment has settings that prepare inputs and the data are a `DataSet` that
        they have not prepared.
    """
    settings, seed = experiment.data, experiment.seed
    if data is None:
        return settings.loaded(seed=seed)
    if not isinstance(data, DataSet):
        return settings.prepared(_of_arrays(data, experiment), seed=seed)
    missing = [name for name, value in settings.preparing if (name, value) not in data.prepared]
    if missing:
        raise InputError(
            f"`data` must be arrays with `data.{missing[0]}`, which prepares them; got a DataSet, which is taken as it "
            "is. Pass the arrays, or `experiment.data.prepared(data, seed=...)`, or leave the setting out."
        )
    return data.with_validation(settings.validation, seed=seed)


def data_of(run: Run, experiment: Experiment) -> DataSet:
    """Return the data that a run's experiment names.

    Raises
    ------
    InputError
        When a user's own file holds other inputs than those that the run was trained on.
    """
    data = data_set(None, experiment)
    if run.data_digest not in ("", data.digest):
        raise InputError(
            f"{experiment.data.file}: must hold the inputs that the run was trained on; it holds others under the same "
            "name. Put those back, or train on these."
        )
    return data


def _of_arrays(data: Sequence[ArrayLike], experiment: Experiment) -> DataSet:
    if not isinstance(data, tuple | list) or len(data) not in (2, 4):
        raise InputError(
            f"`data` must be a DataSet, (x, y) or (x_train, y_train, x_test, y_test); got {type(data).__name__}. "
            "Pass one of these."
        )
    arrays = [np.asarray(one) for one in data]
    check_arrays(dict(zip(("x", "y") if len(arrays) == 2 else ("x_train", "y_train", "x_test"), arrays, strict=False)))
    if len(arrays) == 2:
        return stratified(arrays[0], arrays[1], seed=experiment.seed)
    return DataSet(x_train=arrays[0], y_train=arrays[1], x_test=arrays[2], y_test=arrays[3])


def _default(first: TablesLike, tables: TablesLike | None) -> tuple[Experiment, TablesLike]:
    """Return the default experiment for a call with tables alone."""
    if tables is not None or not isinstance(first, TableFile | str | Path):
        raise InputError(
            f"`experiment` must be an Experiment; got {type(first).__name__}. Pass Experiment(...), or tables alone."
        )
    return Experiment(), first


def _loaded(tables: TablesLike) -> tuple[TableFile, str]:
    """Return tables and the name of their file."""
    return loaded(tables), "" if isinstance(tables, TableFile) else Path(tables).name


def _run(training: SupervisedTraining, tables: OperatingTables, tables_name: str, seconds: float) -> Run:
    experiment, data, outcome = training.experiment, training.data, training.outcome()
    return Run(
        settings=experiment.model_dump(mode="json"),
        tables_name=tables_name,
        tables_provenance=dict(tables.read.provenance),
        stages=training.chip.sources,
        data_name=data.name,
        data_digest=data.digest,
        kit_version=__version__,
        seed=experiment.seed,
        created=datetime.now().astimezone().isoformat(timespec="seconds"),
        epochs=_epochs(training, outcome),
        layers=_layers(training),
        confusion=outcome.confusion,
        accuracy=outcome.accuracy,
        float_accuracy=outcome.float_accuracy,
        train_seconds=seconds,
        stored_network=_stored(training, tables),
        memory=training.rram.rule.memory,
        faults=training.faults(),
        chosen=chosen_by_tables(experiment.rule, training.rram.rule),
        counts=_counts(training),
        errors=_errors(outcome),
    )


def _errors(outcome: Outcome) -> dict[str, float]:
    pairs = (("", outcome.errors), ("float_", outcome.float_errors))
    return {f"{of}{name}": value for of, each in pairs if each is not None for name, value in vars(each).items()}


def _epochs(training: SupervisedTraining, outcome: Outcome) -> Epochs:
    """Return the history; the test inputs were read after the last epoch alone."""
    log = training.log
    unread = np.full(log.length("epoch"), np.nan)
    test = {"accuracy_test": unread.copy(), "float_accuracy_test": unread.copy()}
    test["accuracy_test"][-1], test["float_accuracy_test"][-1] = outcome.accuracy, outcome.float_accuracy
    return Epochs(**test, **{name: log.values(name) for name in Epochs.__dataclass_fields__ if name not in test})


def _layers(training: SupervisedTraining) -> tuple[LayerRecord, ...]:
    by_matrix, histograms = (training.log.values(name) for name in ("pulses_by_matrix", "histograms"))
    initial, final = training.initial.rram.rule_state.parts, training.states.rram.rule_state.parts
    return tuple(
        LayerRecord(
            g_initial=before.cells.g_cell,
            g_final=after.cells.g_cell,
            pulses=after.pulses,
            pulses_by_epoch=by_matrix[:, index],
            pulses_busiest=after.busiest(before),
            histogram=histograms[:, index],
            g_edges=training.g_edges,
        )
        for index, (before, after) in enumerate(zip(initial, final, strict=True))
    )


def _counts(training: SupervisedTraining) -> Counts:
    names = ("images", "batches", "reads_by_matrix", "writes_by_matrix")
    return Counts.of(*(training.log.values(name) for name in names))


def _stored(training: SupervisedTraining, tables: OperatingTables) -> StoredNetwork:
    experiment, trainer = training.experiment, training.rram
    network = TrainedNetwork.of(trainer, training.states.rram, precision=experiment.precision, seed=experiment.seed)
    changes = network.changes(training.uncalibrated, trainer)
    return StoredNetwork.of(training.data.shape, trainer.network.plan.shape[0], changes, tables.read, tables.write)


def restored(settings: Mapping[str, object], stored: StoredNetwork) -> TrainedNetwork:
    """Return the trained network of a run file: initialised by the experiment's seed, with the stored changes."""
    experiment = Experiment.checked(of_then(settings), where="the run file")
    tables = stored_tables(stored)
    assert tables is not None  # of a supervised training there are always tables
    trainer, _ = trainers(experiment, experiment.on(tables), stored.input_shape, stored.outputs)
    state = init(trainer, experiment)
    network = TrainedNetwork.of(trainer, state, precision=experiment.precision, seed=experiment.seed)
    return network.with_changes(dict(stored.changes))
