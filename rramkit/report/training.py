"""The chapters on one training, from its run file."""

import json
from collections.abc import Mapping

import numpy as np

from rramkit import plots, units
from rramkit.plots import svg
from rramkit.record import Epochs, LayerRecord, Run
from rramkit.report.blocks import Block, Drawing, Grid, Row, Section

_HISTORY = (
    ("accuracy_test", "test", units.percent),
    ("accuracy_train", "training", units.percent),
    ("float_accuracy_test", "float, test", units.percent),
    ("loss", "loss (nat)", lambda value: f"{value:.4f}"),
    ("pulses_set", "set pulses", units.count),
    ("pulses_reset", "reset pulses", units.count),
    ("energy_write", "write energy", lambda value: units.text(float(value), "J")),
    ("energy_read", "read energy", lambda value: units.text(float(value), "J")),
    ("clamped", "clamped", units.count),
)


def section(run: Run) -> Section:
    """Return the chapter on what the training did."""
    blocks = (
        _learning(run),
        _spending(run.epochs),
        _confusion(run),
        *([_matrices(run)] if run.layers else []),
        *(_layer(index, layer) for index, layer in enumerate(run.layers)),
    )
    intro = "Epoch 0 is the network before training: its pulses and energy are those of the initial programming."
    return Section("training", "What the training did", intro, blocks, (_history(run.epochs),))


def settings(run: Run) -> Grid:
    """Return every setting of the run, in SI units."""
    rows = tuple((name, _shown(value)) for name, value in _flat(run.settings))
    return Grid("Training", ("setting", "value (SI units)"), rows)


def _flat(settings: Mapping[str, object], prefix: str = "") -> list[tuple[str, object]]:
    """Return settings by dotted name, each group's own before those within."""
    rows = [(prefix + name, value) for name, value in sorted(settings.items()) if not isinstance(value, dict)]
    for name, value in sorted(settings.items()):
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
    return rows


def _learning(run: Run) -> Block:
    epochs = run.epochs
    best = int(np.argmax(epochs.accuracy_test))
    drawings = (
        Drawing(
            svg(lambda ax: plots.learning_curve(ax, epochs), name="learning-curve"),
            "Accuracy by epoch; the float network has the same budget and initial weights.",
        ),
        Drawing(
            svg(lambda ax: plots.error_curve(ax, epochs), name="error-curve"),
            "The same as errors, on a logarithmic scale.",
        ),
        Drawing(svg(lambda ax: plots.loss(ax, epochs), name="loss"), "Mean cross-entropy over the training images."),
    )
    rows = (
        Row("accuracy, test images", units.percent(run.accuracy)),
        Row("95 % interval of it (Wilson)", _interval(run)),
        Row("float accuracy, test images", units.percent(run.float_accuracy)),
        Row("data", run.data_name),
        Row("accuracy, training images, of those judged", units.percent(epochs.accuracy_train[-1])),
        Row("accuracy before training", units.percent(epochs.accuracy_test[0])),
        Row("best epoch on test images", f"{epochs.epoch[best]}, with {units.percent(epochs.accuracy_test[best])}"),
        Row("loss, before and after", f"{epochs.loss[0]:.4f}, {epochs.loss[-1]:.4f} nat"),
        Row("epochs", units.count(epochs.epoch[-1])),
        Row("wall-clock time, both networks", units.text(run.train_seconds, "s")),
    )
    return Block("Learning", drawings, rows)


def _interval(run: Run) -> str:
    """Return where the accuracy lies with 95 % confidence, given so many images (Wilson, JASA 22, 209, 1927)."""
    z, n, share = 1.959964, max(int(run.confusion.sum()), 1), run.accuracy
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return f"{units.percent(centre - half)} to {units.percent(centre + half)}"


def _spending(epochs: Epochs) -> Block:
    drawings = (
        Drawing(
            svg(lambda ax: plots.pulses_by_epoch(ax, epochs), name="pulses"), "Write pulses in each epoch of training."
        ),
        Drawing(svg(lambda ax: plots.energy_by_epoch(ax, epochs), name="energy"), "Energy in each epoch of training."),
        Drawing(
            svg(lambda ax: plots.energy_cumulated(ax, epochs), name="cumulated"),
            "Energy since the start, initial programming included.",
        ),
    )
    pulses = epochs.pulses_set + epochs.pulses_reset
    write, read = float(epochs.energy_write.sum()), float(epochs.energy_read.sum())
    rows = (
        Row("set pulses", units.count(epochs.pulses_set.sum())),
        Row("reset pulses", units.count(epochs.pulses_reset.sum())),
        Row("of these, initial programming", units.count(pulses[0])),
        Row("energy of initial programming", units.text(float(epochs.energy_write[0]), "J")),
        Row("cells read to be written", units.count(epochs.reads.sum())),
        Row("write time", units.text(float(epochs.time_write.sum()), "s")),
        Row("write energy", units.text(write, "J")),
        Row("read energy", units.text(read, "J")),
        Row("both", units.text(write + read, "J")),
        Row("write energy a pulse, mean", units.text(write / max(int(pulses.sum()), 1), "J")),
        Row("values clamped to a table's edge", units.count(epochs.clamped.sum())),
    )
    return Block("Pulses and energy", drawings, rows)


def _confusion(run: Run) -> Block:
    counts = run.confusion
    recall = np.diag(counts) / np.maximum(counts.sum(axis=1), 1)
    wrong = counts - np.diag(np.diag(counts))
    true, predicted = np.unravel_index(np.argmax(wrong), wrong.shape)
    drawing = Drawing(
        svg(lambda ax: plots.confusion(ax, counts), name="confusion", height=3.5),
        "Test images by true and predicted class; colour is the share of the true class that went astray.",
    )
    rows = (
        Row("test images", units.count(counts.sum())),
        Row("right", units.count(np.trace(counts))),
        *(Row(f"class {label}, right", units.percent(share)) for label, share in enumerate(recall)),
        Row("most frequent error", f"{true} taken for {predicted}: {units.count(wrong[true, predicted])} images"),
    )
    return Block("Confusion", (drawing,), rows)


def _matrices(run: Run) -> Block:
    drawing = Drawing(
        svg(lambda ax: plots.pulses_by_matrix(ax, run.layers), name="pulses-by-matrix"),
        "Pulses a cell in each epoch of training, by matrix.",
    )
    cells = sum(layer.pulses.size for layer in run.layers)
    most = max(int(layer.pulses.max()) for layer in run.layers)
    rows = (
        Row("matrices", units.count(len(run.layers))),
        Row("cells", units.count(cells)),
        Row("pulses a cell, largest", units.count(most)),
    )
    return Block("All matrices", (drawing,), rows)


def _layer(index: int, layer: LayerRecord) -> Block:
    drawings = (
        Drawing(
            svg(lambda ax: plots.conductance_histogram(ax, layer), name=f"histogram-{index}"),
            "Cells by conductance, before and after training.",
        ),
        Drawing(
            svg(lambda ax: plots.conductance_drift(ax, layer), name=f"drift-{index}"),
            "The same after each epoch.",
        ),
        Drawing(
            svg(lambda ax: plots.pulses_by_cell(ax, layer), name=f"pulses-by-cell-{index}"),
            "Pulses fired at each cell, plus half over minus half; blank cells got none.",
        ),
    )
    _, rows, columns = layer.pulses.shape
    change = layer.g_final - layer.g_initial
    numbers = (
        Row("cells", f"2 by {rows} by {columns}, {units.count(layer.pulses.size)}"),
        Row("conductance before, mean", units.text(float(layer.g_initial.mean()), "S")),
        Row("conductance after, mean", units.text(float(layer.g_final.mean()), "S")),
        Row("conductance after, range", units.span(layer.g_final, "S")),
        Row("change, rms", units.text(float(np.sqrt(np.mean(change**2))), "S")),
        Row("pulses", units.count(layer.pulses.sum())),
        Row("pulses a cell, mean", units.text(float(layer.pulses.mean()), "1")),
        Row("pulses a cell, largest", units.count(layer.pulses.max())),
        Row("cells without a pulse", units.percent(float(np.mean(layer.pulses == 0)))),
    )
    return Block(f"Matrix {index}", drawings, numbers)


def _history(epochs: Epochs) -> Grid:
    columns = [[shown(value) for value in getattr(epochs, name)] for name, _, shown in _HISTORY]
    rows = tuple(zip((str(epoch) for epoch in epochs.epoch), *columns, strict=True))
    return Grid("Every epoch", ("epoch", *(heading for _, heading, _ in _HISTORY)), rows, folded=True)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
