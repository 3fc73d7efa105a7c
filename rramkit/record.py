"""The run file: what one training did, epoch by epoch, and with which tables; the report is drawn from it.

Layout (format version 2)::

    /                accuracy, float_accuracy, train_seconds, confusion (classes, classes)
    /epochs          epoch, accuracy_test, accuracy_train, float_accuracy_test, loss, pulses_set, pulses_reset,
                     reads, energy_write, time_write, energy_read, clamped: one value an epoch, the first before
                     training
    /layers/0, ...   g_initial, g_final, pulses (2, R, C): plus and minus halves of the cells of one matrix, or
                     (1, R, C) without pairs;
                     pulses_by_epoch (E+1,), histogram (E+1, B): cells in each of B bins, g_edges (B+1,)

A network in float has no layers here, and a run without a float network has NaN for its accuracies. The root's
attributes carry the experiment and the tables' provenance as JSON, the kit's version, the seed and the time.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from rramkit import hdf5
from rramkit.errors import TableError

FORMAT = "rramkit run"
FORMAT_VERSION = 2

_EPOCH_UNITS = {
    "energy_write": "J",
    "time_write": "s",
    "energy_read": "J",
}  # all others are counts or fractions: unit 1
_LAYER_UNITS = {
    "g_initial": "S",
    "g_final": "S",
    "pulses": "1",
    "pulses_by_epoch": "1",
    "histogram": "1",
    "g_edges": "S",
}
_SCALAR_UNITS = {"accuracy": "1", "float_accuracy": "1", "train_seconds": "s"}
_TEXTS = ("tables_name", "data_name", "kit_version", "created")


@dataclass(frozen=True)
class Epochs:
    """The history of one training: arrays (E+1,), row 0 before training.

    Attributes
    ----------
    epoch : array of int
        0 to E.
    accuracy_test, accuracy_train : array
        Fraction of images classified rightly by the network in RRAM.
    float_accuracy_test : array
        The same of the float network with the same budget and initial weights, on the test set.
    loss : array
        Mean cross-entropy of the RRAM network over the training set (nat).
    pulses_set, pulses_reset : array of int
        Pulses fired in that epoch; row 0 counts the initial programming.
    reads : array of int
        Cells read in that epoch to be written: to verify them, or to choose a pulse.
    energy_write, time_write : array
        Energy (J) and time (s) of these pulses and reads, arrays of one matrix side by side.
    energy_read : array
        Energy of the training's array reads in that epoch (J).
    clamped : array of int
        Values in that epoch that left the tables' range and took the value at its edge.
    """

    epoch: np.ndarray
    accuracy_test: np.ndarray
    accuracy_train: np.ndarray
    float_accuracy_test: np.ndarray
    loss: np.ndarray
    pulses_set: np.ndarray
    pulses_reset: np.ndarray
    reads: np.ndarray
    energy_write: np.ndarray
    time_write: np.ndarray
    energy_read: np.ndarray
    clamped: np.ndarray


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
    """

    g_initial: np.ndarray
    g_final: np.ndarray
    pulses: np.ndarray
    pulses_by_epoch: np.ndarray
    histogram: np.ndarray
    g_edges: np.ndarray


@dataclass(frozen=True)
class Run:
    """One training and its outcome.

    Attributes
    ----------
    settings : mapping
        Every setting by name, in SI units, as `Experiment` dumps them.
    tables_name : str
        File name of the table file.
    tables_provenance : mapping
        Name to text: where the tables' numbers come from.
    data_name : str
        What was learnt.
    kit_version, created : str
        Version of the kit, and the local time with its zone (ISO 8601).
    seed : int
        Seed of every random choice.
    epochs : Epochs
        The history.
    layers : tuple of LayerRecord
        The arrays, from the input to the output.
    confusion : ndarray
        Counts on the test set, true class by predicted class.
    accuracy, float_accuracy : float
        Fraction of test images right after training, in RRAM and in float.
    train_seconds : float
        Wall-clock time of the training, both networks together (s); of its last part, where it was taken up.
    """

    settings: Mapping[str, object]
    tables_name: str
    tables_provenance: Mapping[str, str]
    data_name: str
    kit_version: str
    seed: int
    created: str
    epochs: Epochs
    layers: tuple[LayerRecord, ...]
    confusion: np.ndarray
    accuracy: float
    float_accuracy: float
    train_seconds: float


def save(run: Run, path: Path) -> None:
    """Write a run file; it appears under `path` only when it is whole."""
    with hdf5.new_file(path) as root:
        root.attrs.update({"format": FORMAT, "format_version": FORMAT_VERSION, "seed": run.seed})
        root.attrs.update({name: getattr(run, name) for name in _TEXTS})
        root.attrs["settings"] = json.dumps(dict(run.settings), sort_keys=True)
        root.attrs["tables_provenance"] = json.dumps(dict(run.tables_provenance), sort_keys=True)
        for name, unit in _SCALAR_UNITS.items():
            hdf5.write(root, name, getattr(run, name), unit)
        hdf5.write(root, "confusion", run.confusion, "1", "test images, true class by predicted class")
        epochs = root.create_group("epochs")
        for column in fields(Epochs):
            hdf5.write(epochs, column.name, getattr(run.epochs, column.name), _EPOCH_UNITS.get(column.name, "1"))
        layers = root.create_group("layers")
        for index, layer in enumerate(run.layers):
            group = layers.create_group(str(index))
            for name, unit in _LAYER_UNITS.items():
                hdf5.write(group, name, getattr(layer, name), unit)


def load(path: Path) -> Run:
    """Read a run file.

    Raises
    ------
    TableError
        When the file is missing, damaged or of another format.
    """
    with hdf5.open_file(path, kind=FORMAT) as root:
        version = round(hdf5.number(root, "format_version"))
        if version != FORMAT_VERSION:
            raise TableError(f"{path}: run format {version}; this kit reads format {FORMAT_VERSION}. Train again.")
        epochs, layers = hdf5.subgroup(root, "epochs"), hdf5.subgroup(root, "layers")
        run = Run(
            settings=_mapping(root, "settings"),
            tables_name=str(root.attrs["tables_name"]),
            tables_provenance={key: str(text) for key, text in _mapping(root, "tables_provenance").items()},
            data_name=str(root.attrs["data_name"]),
            kit_version=str(root.attrs["kit_version"]),
            seed=int(str(root.attrs["seed"])),
            created=str(root.attrs["created"]),
            epochs=Epochs(**{column.name: hdf5.read(epochs, column.name) for column in fields(Epochs)}),
            layers=tuple(_read_layer(hdf5.subgroup(layers, str(index))) for index in range(len(layers))),
            confusion=hdf5.read(root, "confusion"),
            accuracy=hdf5.scalar(root, "accuracy"),
            float_accuracy=float(hdf5.read(root, "float_accuracy")),
            train_seconds=hdf5.scalar(root, "train_seconds"),
        )
    _check(path, run)
    return run


def _mapping(root: hdf5.Group, name: str) -> dict[str, object]:
    found = json.loads(str(root.attrs[name]))
    if not isinstance(found, dict):
        raise ValueError(f"attribute '{name}' is not a JSON object")
    return found


def _check(path: Path, run: Run) -> None:
    epochs = {column.name: getattr(run.epochs, column.name) for column in fields(Epochs)}
    shapes = {values.shape for values in epochs.values()}
    layers = [getattr(layer, name) for layer in run.layers for name in _LAYER_UNITS]
    fits = {
        "epochs": len(shapes) == 1 and epochs["epoch"].ndim == 1 and epochs["epoch"].size > 0,
        "layers": all(_fits(layer, epochs["epoch"].size) for layer in run.layers),
        "confusion": run.confusion.ndim == 2 and run.confusion.shape[0] == run.confusion.shape[1] > 0,
    }
    kept = [values for name, values in epochs.items() if name != "float_accuracy_test"]
    wrong = next((name for name, fitting in fits.items() if not fitting), None)
    if wrong is not None:
        raise TableError(f"{path}: `{wrong}` holds arrays whose shapes do not fit each other. Train again.")
    if not all(np.all(np.isfinite(values)) for values in (*kept, *layers, run.confusion)):
        raise TableError(f"{path}: holds values that are not finite. Train again.")


def _fits(layer: LayerRecord, rows: int) -> bool:
    """Whether the cells' arrays are (2 or 1, R, C), one shape, and the epochs' have a row for each epoch."""
    shape, bins = layer.g_initial.shape, layer.g_edges.size - 1
    cells = len(shape) == 3 and shape[0] in (1, 2) and shape == layer.g_final.shape == layer.pulses.shape
    return cells and layer.pulses_by_epoch.shape == (rows,) and layer.histogram.shape == (rows, bins)


def _read_layer(group: hdf5.Group) -> LayerRecord:
    return LayerRecord(**{name: hdf5.read(group, name) for name in _LAYER_UNITS})
