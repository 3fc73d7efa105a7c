"""The chapters on one training, from its run file."""

import json
from collections.abc import Mapping

import numpy as np

from rramkit import plots, units
from rramkit.plots import svg
from rramkit.record import Epochs, LayerRecord, Run
from rramkit.report.elements import Drawing, Grid, Panel, Section, TableRow

_HISTORY = (
    ("loss", "loss (nat)", lambda value: f"{value:.4f}"),
    ("pulses_set", "set pulses", units.count),
    ("pulses_reset", "reset pulses", units.count),
    ("energy_write", "write energy", lambda value: units.text(float(value), "J")),
    ("time_write", "write time", lambda value: units.text(float(value), "s")),
    ("energy_read", "read energy", lambda value: units.text(float(value), "J")),
    ("time_read", "read time", lambda value: units.text(float(value), "s")),
    ("clamped", "clamped", units.count),
)


def section(run: Run) -> Section:
    """Return the chapter on what the training did."""
    blocks = (
        _learning(run),
        _spending(run.epochs),
        *([] if run.errors else [_confusion(run)]),
        *([_matrices(run)] if run.layers else []),
        *(_layer(index, layer) for index, layer in enumerate(run.layers)),
    )
    intro = "Epoch 0 is the network before training: its pulses and energy are those of the initial programming."
    sources = [stages(run)] if run.stages else []
    return Section("training", "What the training did", intro, blocks, (*sources, _history(run.epochs)))


def stages(run: Run) -> Grid:
    """Return what each stage of reads and writes takes its numbers from."""
    rows = tuple(
        (each.stage, each.part, each.source, ", ".join(each.groups) or "-", each.condition or "-")
        for each in run.stages
    )
    return Grid("What each stage reads", ("stage", "of", "source", "tables", "condition"), rows, words=5)


def settings(run: Run) -> Grid:
    """Return every setting of the run, in SI units."""
    rows = tuple((name, _shown(value)) for name, value in _flat(run.settings))
    return Grid("Every setting of the training", ("setting", "value (SI units)"), rows, folded=True)


def _flat(settings: Mapping[str, object], prefix: str = "") -> list[tuple[str, object]]:
    """Return settings by dotted name, each group's own before those within."""
    rows = [(prefix + name, value) for name, value in sorted(settings.items()) if not isinstance(value, dict)]
    for name, value in sorted(settings.items()):
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
    return rows


def _learning(run: Run) -> Panel:
    epochs = run.epochs
    images, accuracy, _ = epochs.followed
    best = int(np.argmax(accuracy))
    drawings = (
        Drawing(
            svg(lambda ax: plots.learning_curve(ax, epochs), name="learning-curve"),
            "Accuracy by epoch; the float network has the same budget and initial weights. Test images are read once.",
        ),
        Drawing(
            svg(lambda ax: plots.error_curve(ax, epochs), name="error-curve"),
            "The same as errors, on a logarithmic scale.",
        ),
        Drawing(svg(lambda ax: plots.loss(ax, epochs), name="loss"), "Mean loss over the training images."),
    )
    rows = (
        TableRow("accuracy, test images", units.percent(run.accuracy)),
        *_certainty(run),
        TableRow("float accuracy, test images", _float_accuracy(run)),
        TableRow("data", run.data_name),
        TableRow("accuracy, training images (of those evaluated)", units.percent(epochs.accuracy_train[-1])),
        TableRow(f"accuracy before training, {images} images", units.percent(accuracy[0])),
        TableRow(f"best epoch on {images} images", f"{epochs.epoch[best]}, with {units.percent(accuracy[best])}"),
        TableRow("loss, before and after", f"{epochs.loss[0]:.4f}, {epochs.loss[-1]:.4f}{_unit_of_loss(run)}"),
        TableRow("digital numbers a weight", _memory(run)),
        TableRow("epochs", units.count(epochs.epoch[-1])),
        TableRow("wall-clock time, both networks", units.text(run.train_seconds, "s")),
    )
    return Panel("Learning", drawings, rows)


def _float_accuracy(run: Run) -> str:
    return units.percent(run.float_accuracy) if np.isfinite(run.float_accuracy) else "not trained"


def _memory(run: Run) -> str:
    """Return what the controller keeps in memory for each weight."""
    if not run.memory:
        return "not recorded" if run.memory is None else "none"
    parts = ", ".join(f"{name}: {count}" for name, count in run.memory.items())
    return f"{sum(run.memory.values())} ({parts})"


def _unit_of_loss(run: Run) -> str:
    """Return the unit of the loss: nat of a cross-entropy, which runs without that setting have; else none."""
    loss = run.settings.get("loss")
    kind = loss.get("kind") if isinstance(loss, dict) else "cross_entropy"
    return " nat" if kind in ("cross_entropy", "bits") else ""


def _certainty(run: Run) -> list[TableRow]:
    """Return how far the accuracy can be trusted: its interval, or the errors that it is 1 less the mean of."""
    if not run.errors:
        return [TableRow("95 % interval of it (Wilson)", _interval(run))]
    mean, largest = (units.percent(run.errors[name]) for name in ("mean", "largest"))
    return [TableRow("1 less the mean relative error", f"{mean}; largest {largest} of the range")]


def _interval(run: Run) -> str:
    """Return where the accuracy lies with 95 % confidence, given so many images (Wilson, JASA 22, 209, 1927)."""
    z, n, share = 1.959964, max(int(run.confusion.sum()), 1), run.accuracy
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return f"{units.percent(centre - half)} to {units.percent(centre + half)}"


def _spending(epochs: Epochs) -> Panel:
    drawings = (
        Drawing(
            svg(lambda ax: plots.pulses_by_epoch(ax, epochs), name="pulses"), "Write pulses in each epoch of training."
        ),
        Drawing(svg(lambda ax: plots.energy_by_epoch(ax, epochs), name="energy"), "Energy in each epoch of training."),
        Drawing(
            svg(lambda ax: plots.energy_cumulative(ax, epochs), name="cumulative"),
            "Energy since the start, initial programming included.",
        ),
    )
    pulses = epochs.pulses_set + epochs.pulses_reset
    write, read = float(epochs.energy_write.sum()), float(epochs.energy_read.sum())
    rows = (
        TableRow("set pulses", units.count(epochs.pulses_set.sum())),
        TableRow("reset pulses", units.count(epochs.pulses_reset.sum())),
        TableRow("of these, initial programming", units.count(pulses[0])),
        TableRow("energy of initial programming", units.text(float(epochs.energy_write[0]), "J")),
        TableRow("cells read to be written", units.count(epochs.reads.sum())),
        TableRow("write time", units.text(float(epochs.time_write.sum()), "s")),
        TableRow("write energy", units.text(write, "J")),
        TableRow("read energy", units.text(read, "J")),
        TableRow("read time", units.text(float(epochs.time_read.sum()), "s")),
        TableRow("both", units.text(write + read, "J")),
        TableRow("write energy per pulse, mean", units.text(write / max(int(pulses.sum()), 1), "J")),
        TableRow("values clamped to a table's edge", units.count(epochs.clamped.sum())),
    )
    return Panel("Pulses and energy", drawings, rows)


def _confusion(run: Run) -> Panel:
    counts = run.confusion
    recall = np.diag(counts) / np.maximum(counts.sum(axis=1), 1)
    wrong = counts - np.diag(np.diag(counts))
    true, predicted = np.unravel_index(np.argmax(wrong), wrong.shape)
    drawing = Drawing(
        svg(lambda ax: plots.confusion(ax, counts), name="confusion", height=3.5),
        "Test images by true and predicted class; colour is the share of the true class that was misclassified.",
    )
    rows = (
        TableRow("test images", units.count(counts.sum())),
        TableRow("right", units.count(np.trace(counts))),
        *(TableRow(f"class {label}, correct", units.percent(share)) for label, share in enumerate(recall)),
        TableRow("most frequent error", f"{true} taken for {predicted}: {units.count(wrong[true, predicted])} images"),
    )
    return Panel("Confusion", (drawing,), rows)


def _matrices(run: Run) -> Panel:
    drawing = Drawing(
        svg(lambda ax: plots.pulses_by_matrix(ax, run.layers), name="pulses-by-matrix"),
        "Pulses per cell in each epoch of training, by matrix.",
    )
    cells = sum(layer.pulses.size for layer in run.layers)
    most = max(int(layer.pulses.max()) for layer in run.layers)
    rows = (
        TableRow("matrices", units.count(len(run.layers))),
        TableRow("cells", units.count(cells)),
        TableRow("pulses per cell, largest", units.count(most)),
    )
    return Panel("All matrices", (drawing,), rows)


def _layer(index: int, layer: LayerRecord) -> Panel:
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
        TableRow("cells", f"2 by {rows} by {columns}, {units.count(layer.pulses.size)}"),
        TableRow("conductance before, mean", units.text(float(layer.g_initial.mean()), "S")),
        TableRow("conductance after, mean", units.text(float(layer.g_final.mean()), "S")),
        TableRow("conductance after, range", units.span(layer.g_final, "S")),
        TableRow("change, rms", units.text(float(np.sqrt(np.mean(change**2))), "S")),
        TableRow("pulses", units.count(layer.pulses.sum())),
        TableRow("pulses per cell, mean", units.text(float(layer.pulses.mean()), "1")),
        TableRow("pulses per cell, largest", units.count(layer.pulses.max())),
        TableRow("cells without a pulse", units.percent(float(np.mean(layer.pulses == 0)))),
    )
    return Panel(f"Matrix {index}", drawings, numbers)


def _history(epochs: Epochs) -> Grid:
    images, accuracy, of_float = epochs.followed
    shares = {images: accuracy, "training": epochs.accuracy_train, f"float, {images}": of_float}
    columns = [[units.percent(value) for value in values] for values in shares.values()]
    columns += [[shown(value) for value in getattr(epochs, name)] for name, _, shown in _HISTORY]
    rows = tuple(zip((str(epoch) for epoch in epochs.epoch), *columns, strict=True))
    return Grid("Every epoch", ("epoch", *shares, *(heading for _, heading, _ in _HISTORY)), rows, folded=True)


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
