"""The record of one supervised training, epoch by epoch; the report is drawn from it.

Layout (run file, format version 3, `kind` supervised)::

    /                accuracy, float_accuracy, train_seconds, confusion (classes, classes)
    /epochs          epoch, accuracy_validation, accuracy_train, accuracy_test, float_accuracy_validation,
                     float_accuracy_test, loss, pulses_set, pulses_reset, reads, energy_write, time_write, energy_read,
                     time_read, clamped, cells_changed, weights_clipped, saturated: one value an epoch, the first before
                     training; NaN where nothing was evaluated
    /layers/0, ...   g_initial, g_final, pulses (2, R, C): plus and minus halves of the cells of one matrix, or
                     (1, R, C) without pairs;
                     pulses_by_epoch (E+1,), histogram (E+1, B): cells in each of B bins, g_edges (B+1,);
                     pulses_busiest, pulses of the training at the cell with most of them
    /network         the trained network and a copy of its tables (`network`)
    /counts          reads and writes of each matrix in each epoch (`counts`)

A network in float has no layers here, and a run without a float network has NaN for its accuracies. The root's
attributes carry the experiment and the tables' provenance as JSON, the kit's version, the seed and the time. Format 2
(rramkit 0.1.0) has no `kind` and no `network`. Files without validation accuracies are of trainings that read the test
inputs after each epoch.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

import numpy as np

from rramkit import hdf5, units
from rramkit.errors import TableError
from rramkit.record import check, counts, faults, sources
from rramkit.record import network as stored
from rramkit.record.outcome import FORMAT, FORMAT_VERSION, TrainedNetwork, TrainingOutcome, upper_module

KIND = "supervised"
_EPOCH_UNITS = {
    "energy_write": "J",
    "time_write": "s",
    "energy_read": "J",
    "time_read": "s",
}  # all others are counts or fractions: unit 1
_LAYER_UNITS = {
    "g_initial": "S",
    "g_final": "S",
    "pulses": "1",
    "pulses_by_epoch": "1",
    "histogram": "1",
    "g_edges": "S",
}
_BUSIEST = "pulses_busiest"
_SCALAR_UNITS = {"accuracy": "1", "float_accuracy": "1", "train_seconds": "s"}
_VALIDATION = ("accuracy_validation", "float_accuracy_validation")
_ACCURACIES = (*_VALIDATION, "accuracy_train", "accuracy_test", "float_accuracy_test")
_MAY_BE_NAN = (*_VALIDATION, "accuracy_test", "float_accuracy_test")
_COUNTS = ("epoch", "pulses_set", "pulses_reset", "reads", "clamped")
_TEXTS = ("tables_name", "data_name", "kit_version", "created")
_LATER = {"time_read", "cells_changed", "weights_clipped", "saturated"}  # columns that older versions did not write


@dataclass(frozen=True)
class Epochs:
    """The history of one training: arrays (E+1,), row 0 before training.

    Attributes
    ----------
    epoch : array of int
        0 to E.
    accuracy_validation, accuracy_train : array
        Fraction of inputs classified correctly by the network in RRAM, of targets 1 less the mean relative error;
        validation inputs are training inputs that are not trained on, and choose settings. NaN where there are none.
    accuracy_test : array
        The same on the test inputs, which are read once: NaN but for the last epoch.
    float_accuracy_validation, float_accuracy_test : array
        The same of the float network with the same budget and initial weights.
    loss : array
        Mean loss of the RRAM network over (a sample of) the training set (a cross-entropy in nat).
    pulses_set, pulses_reset : array of int
        Pulses fired in that epoch; row 0 counts the initial programming.
    reads : array of int
        Cells read in that epoch in order to be written: to verify them, or to choose a pulse.
    energy_write, time_write : array
        Energy (J) and time (s) of these pulses and reads, arrays of one matrix side by side.
    energy_read, time_read : array
        Energy (J) and time (s) of the training's array reads in that epoch, the arrays of one matrix side by side, one
        matrix after the other; times are NaN in a file of rramkit 0.1.0, which does not hold them.
    clamped : array of int
        Values in that epoch beyond the tables' range, clamped to its edge.
    cells_changed : array
        Cells whose conductance that epoch changed; NaN, as the two that follow, in older files.
    weights_clipped : array
        Part of the weights at an end of what cells can hold; in row 0 of those that were cut to it.
    saturated : array
        Part of the sensed currents of that epoch beyond a converter's range.
    """

    epoch: np.ndarray
    accuracy_validation: np.ndarray
    accuracy_train: np.ndarray
    accuracy_test: np.ndarray
    float_accuracy_validation: np.ndarray
    float_accuracy_test: np.ndarray
    loss: np.ndarray
    pulses_set: np.ndarray
    pulses_reset: np.ndarray
    reads: np.ndarray
    energy_write: np.ndarray
    time_write: np.ndarray
    energy_read: np.ndarray
    time_read: np.ndarray
    clamped: np.ndarray
    cells_changed: np.ndarray
    weights_clipped: np.ndarray
    saturated: np.ndarray

    @property
    def followed(self) -> tuple[str, np.ndarray, np.ndarray]:
        """Which inputs the training was followed by, and the accuracies (E+1,) on them, in RRAM and in float.

        `validation`; without validation inputs, `training` for the network in RRAM (NaN for float); `test` in the files
        of versions that had no validation inputs.
        """
        if np.any(np.isfinite(self.accuracy_validation)):
            return "validation", self.accuracy_validation, self.float_accuracy_validation
        if np.all(np.isfinite(self.accuracy_test)):
            return "test", self.accuracy_test, self.float_accuracy_test
        return "training", self.accuracy_train, np.full(self.epoch.shape, np.nan)


@dataclass(frozen=True)
class LayerRecord:
    """One matrix in RRAM.

    Attributes
    ----------
    g_initial, g_final : ndarray
        Conductance before and after (2 or 1, R, C), in siemens.
    pulses : ndarray of int
        Pulses fired at each cell (2 or 1, R, C), those of the initial programming among them.
    pulses_by_epoch : ndarray of int
        Pulses in each epoch (E+1,).
    histogram : ndarray of int
        Cells in each bin of conductance after each epoch (E+1, B).
    g_edges : ndarray
        Edges of the bins (B+1,), in siemens.
    pulses_busiest : int or None
        Pulses at the cell that got most of them after the initial programming; None in older files.
    """

    g_initial: np.ndarray
    g_final: np.ndarray
    pulses: np.ndarray
    pulses_by_epoch: np.ndarray
    histogram: np.ndarray
    g_edges: np.ndarray
    pulses_busiest: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Run(TrainingOutcome):
    """One supervised training and its outcome; `train` returns it, `record.load` reads it from a file.

    Attributes
    ----------
    data_name : str
        The data set.
    seed : int
        Seed of every random choice.
    epochs : Epochs
        The history; `history` is the same.
    layers : tuple of LayerRecord
        The arrays, from the input to the output.
    confusion : ndarray
        Test inputs (classes, classes), counted by true and by predicted class.
    accuracy, float_accuracy : float
        Fraction of test inputs classified correctly after training, in RRAM and in float: the test inputs are read
        then, and not before. Of targets, 1 less the mean relative error.
    errors : mapping
        Relative errors on the test inputs by name: `mean` and `largest`, and `float_mean` and `float_largest` of the
        float network; empty for a training on labels.
    data_digest : str
        Hash of the user's own file of data; empty: of no such file, or of a run of an older version.
    train_seconds : float
        Wall-clock time of the training, both networks together (s).
    memory : mapping or None
        Digital numbers that the controller of the cells keeps for each weight, by name; None in older files.
    chosen : mapping
        Settings that were left to the tables, and what they became, by dotted name.

    Examples
    --------
    >>> import numpy as np
    >>> import rramkit as rk
    >>> run = rk.load_run("run.h5")  # of a network of 4 inputs and 3 classes
    >>> run.history.loss.shape, run.confusion.shape
    ((2,), (3, 3))
    >>> run.predict(np.ones((5, 4))).shape
    (5,)
    """

    data_name: str
    seed: int
    epochs: Epochs
    layers: tuple[LayerRecord, ...]
    confusion: np.ndarray
    accuracy: float
    float_accuracy: float
    train_seconds: float
    memory: Mapping[str, int] | None = None
    chosen: Mapping[str, object] = field(default_factory=dict)
    errors: Mapping[str, float] = field(default_factory=dict)
    data_digest: str = ""

    @property
    def history(self) -> Epochs:
        """The history of the training, one value an epoch."""
        return self.epochs

    def _restored(self) -> TrainedNetwork:
        return upper_module("learning.train").restored(self.settings, self._stored())

    def totals(self) -> dict[str, float | int]:
        """Return the run's totals by name, in SI units; those of writes include the initial programming.

        Returns
        -------
        dict of str to float or int
            Accuracies (1), pulses, reads, energies (J), times (s), digital numbers a weight and the seed.

        Examples
        --------
        >>> import rramkit as rk
        >>> run = rk.load_run("run.h5")
        >>> totals = run.totals()
        >>> totals["epochs"], totals["energy_write"] > 0.0
        (1, True)
        """
        epochs = self.epochs
        return {
            "accuracy": self.accuracy,
            "float_accuracy": self.float_accuracy,
            **{f"error_{name}": value for name, value in self.errors.items()},
            "accuracy_validation": float(epochs.accuracy_validation[-1]),
            "accuracy_before": float(epochs.followed[1][0]),
            "epochs": int(epochs.epoch[-1]),
            "pulses_set": int(epochs.pulses_set.sum()),
            "pulses_reset": int(epochs.pulses_reset.sum()),
            "reads": int(epochs.reads.sum()),
            "energy_write": float(epochs.energy_write.sum()),
            "time_write": float(epochs.time_write.sum()),
            "energy_read": float(epochs.energy_read.sum()),
            "time_read": float(epochs.time_read.sum()),
            "clamped": int(epochs.clamped.sum()),
            **({} if self.memory is None else {"digital_numbers": sum(self.memory.values())}),
            "train_seconds": self.train_seconds,
            "seed": self.seed,
        }

    def plot(self, path: str | Path) -> Path:
        """Draw the validation accuracy by epoch, beside the float reference, into a PNG, PDF or SVG file.

        Parameters
        ----------
        path : str or Path
            Picture to write; its ending says which kind.

        Returns
        -------
        Path
            The picture.

        Raises
        ------
        InputError
            When the ending is of no picture format, or the file cannot be written.

        Examples
        --------
        >>> import rramkit as rk
        >>> run = rk.load_run("run.h5")
        >>> run.plot("run.png").name
        'run.png'
        """
        drawing = upper_module("plots")
        drawing.save(lambda ax: drawing.learning_curve(ax, self.epochs), Path(path))
        return Path(path)

    def __repr__(self) -> str:
        totals = self.totals()
        pulses = units.count(int(totals["pulses_set"] + totals["pulses_reset"]))
        digital = f" (float {units.percent(self.float_accuracy)})" if np.isfinite(self.float_accuracy) else ""
        accuracy = f"test accuracy {units.percent(self.accuracy)}{digital}"
        said = "".join(f"; {fault.heading}" for fault in self.faults)
        return f"Run({self.data_name or 'data'}, {totals['epochs']} epochs: {accuracy}, {pulses} pulses{said})"

    def _write(self, root: hdf5.Group) -> None:
        root.attrs.update({"format": FORMAT, "format_version": FORMAT_VERSION, "kind": KIND, "seed": self.seed})
        root.attrs.update({name: getattr(self, name) for name in (*_TEXTS, "data_digest")})
        root.attrs["settings"] = json.dumps(dict(self.settings), sort_keys=True)
        root.attrs["memory"] = json.dumps(None if self.memory is None else dict(self.memory))
        root.attrs["tables_provenance"] = json.dumps(dict(self.tables_provenance), sort_keys=True)
        root.attrs["stages"] = sources.as_json(self.stages)
        root.attrs["faults"] = faults.as_json(self.faults)
        if self.errors:
            root.attrs["errors"] = json.dumps(dict(self.errors), sort_keys=True)
        root.attrs["chosen"] = json.dumps(dict(self.chosen), sort_keys=True)
        for name, unit in _SCALAR_UNITS.items():
            hdf5.write(root, name, getattr(self, name), unit)
        hdf5.write(root, "confusion", self.confusion, "1", "test inputs, true class by predicted class")
        epochs = root.create_group("epochs")
        for column in fields(Epochs):
            hdf5.write(epochs, column.name, getattr(self.epochs, column.name), _EPOCH_UNITS.get(column.name, "1"))
        layers = root.create_group("layers")
        for index, layer in enumerate(self.layers):
            group = layers.create_group(str(index))
            for name, unit in _LAYER_UNITS.items():
                hdf5.write(group, name, getattr(layer, name), unit)
            if layer.pulses_busiest is not None:
                hdf5.write(group, _BUSIEST, layer.pulses_busiest, "1")
        if self.stored_network is not None:
            stored.write(root, self.stored_network)
        if self.counts is not None:
            counts.write(root, self.counts)


def read(root: hdf5.Group, path: Path) -> Run:
    """Read a run from the root of its file; raise `TableError` where arrays do not fit each other."""
    epochs, layers = hdf5.subgroup(root, "epochs"), hdf5.subgroup(root, "layers")
    run = Run(
        settings=hdf5.json_mapping(root, "settings"),
        tables_name=str(root.attrs["tables_name"]),
        tables_provenance={key: str(text) for key, text in hdf5.json_mapping(root, "tables_provenance").items()},
        data_name=str(root.attrs["data_name"]),
        kit_version=str(root.attrs["kit_version"]),
        seed=int(str(root.attrs["seed"])),
        created=str(root.attrs["created"]),
        epochs=_read_epochs(epochs),
        layers=tuple(_read_layer(hdf5.subgroup(layers, str(index))) for index in range(len(layers))),
        confusion=hdf5.read(root, "confusion"),
        accuracy=hdf5.scalar(root, "accuracy"),
        float_accuracy=float(hdf5.read(root, "float_accuracy")),
        train_seconds=hdf5.scalar(root, "train_seconds"),
        stored_network=stored.read(root),
        stages=sources.from_json(str(root.attrs.get("stages", "[]"))),
        memory=_read_memory(root),
        faults=faults.from_json(str(root.attrs.get("faults", "[]"))),
        chosen=json.loads(str(root.attrs.get("chosen", "{}"))),
        data_digest=str(root.attrs.get("data_digest", "")),
        counts=counts.read(root, path),
        errors=_read_errors(root),
    )
    _check(path, run)
    return run


def _read_epochs(group: hdf5.Group) -> Epochs:
    """Read the history; what older files do not hold is NaN."""
    missing = np.full(hdf5.read(group, "epoch").shape, np.nan)
    absent = {*_LATER, *_VALIDATION} - set(group)
    names = [column.name for column in fields(Epochs)]
    return Epochs(**{name: missing if name in absent else hdf5.read(group, name) for name in names})


def _read_errors(root: hdf5.Group) -> dict[str, float]:
    if "errors" not in root.attrs:
        return {}
    return {name: float(str(value)) for name, value in hdf5.json_mapping(root, "errors").items()}


def _read_memory(root: hdf5.Group) -> dict[str, int] | None:
    if json.loads(str(root.attrs.get("memory", "null"))) is None:
        return None
    return {name: int(str(count)) for name, count in hdf5.json_mapping(root, "memory").items()}


def _check(path: Path, run: Run) -> None:
    epochs = {column.name: getattr(run.epochs, column.name) for column in fields(Epochs)}
    shapes = {values.shape for values in epochs.values()}
    consistent = {
        "epochs": len(shapes) == 1 and epochs["epoch"].ndim == 1 and epochs["epoch"].size > 0,
        "layers": all(_is_consistent(layer, epochs["epoch"].size) for layer in run.layers),
        "confusion": run.confusion.ndim == 2 and run.confusion.shape[0] == run.confusion.shape[1] > 0,
    }
    wrong = next((name for name, fits in consistent.items() if not fits), None)
    if wrong is not None:
        raise TableError(f"{path}: `{wrong}` holds arrays whose shapes do not fit each other. Train again.")
    _check_epochs(path, epochs)
    for index, layer in enumerate(run.layers):
        _check_layer(path, f"layers/{index}", layer)
    check.counts(path, {"confusion": run.confusion})
    check.fractions(path, {"accuracy": run.accuracy})
    check.fractions(path, {"float_accuracy": run.float_accuracy}, absent=True)
    check.numbers(path, {"train_seconds": run.train_seconds, "seed": float(run.seed)}, low=0.0)
    check.numbers(path, {f"error {name}": value for name, value in run.errors.items()}, low=0.0)
    check.counts(path, {f"memory of {name}": count for name, count in (run.memory or {}).items()})


def _check_epochs(path: Path, epochs: Mapping[str, np.ndarray]) -> None:
    """Refuse a history that no training can have."""
    if not np.array_equal(epochs["epoch"], np.arange(epochs["epoch"].size)):
        check.refuse(path, "`epochs/epoch` must count from 0")
    later = {name for name in _LATER if np.all(np.isnan(epochs[name]))}
    for name in epochs.keys() - later:
        column = {f"epochs/{name}": epochs[name]}
        if name in _ACCURACIES:
            check.fractions(path, column, absent=name in _MAY_BE_NAN)
        elif name in _COUNTS:
            check.counts(path, column)
        else:
            check.numbers(path, column, low=0.0)


def _check_layer(path: Path, place: str, layer: LayerRecord) -> None:
    """Refuse arrays of cells that no matrix can have."""
    check.numbers(path, {f"{place}/{name}": getattr(layer, name) for name in ("g_initial", "g_final")}, low=0.0)
    check.numbers(path, {f"{place}/g_edges": layer.g_edges})
    check.counts(path, {f"{place}/{name}": getattr(layer, name) for name in ("pulses", "pulses_by_epoch", "histogram")})
    if layer.pulses_busiest is not None:
        check.counts(path, {f"{place}/{_BUSIEST}": layer.pulses_busiest})
    if not np.all(np.diff(layer.g_edges) > 0.0):
        check.refuse(path, f"`{place}/g_edges` must rise")
    if np.any(layer.histogram.sum(axis=1) > layer.pulses.size):
        check.refuse(path, f"`{place}/histogram` counts more cells than there are")


def _is_consistent(layer: LayerRecord, rows: int) -> bool:
    """Whether the cells' arrays are (2 or 1, R, C), one shape, and the epochs' have a row for each epoch."""
    shape, bins = layer.g_initial.shape, layer.g_edges.size - 1
    if layer.g_edges.ndim != 1 or bins < 1:
        return False
    cells = len(shape) == 3 and shape[0] in (1, 2) and shape == layer.g_final.shape == layer.pulses.shape
    return cells and layer.pulses_by_epoch.shape == (rows,) and layer.histogram.shape == (rows, bins)


def _read_layer(group: hdf5.Group) -> LayerRecord:
    busiest = round(hdf5.scalar(group, _BUSIEST)) if _BUSIEST in group else None
    return LayerRecord(**{name: hdf5.read(group, name) for name in _LAYER_UNITS}, pulses_busiest=busiest)
