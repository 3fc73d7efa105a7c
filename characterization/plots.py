"""Waveforms as a picture: one panel for each kind of quantity, against time, frequency or the swept quantity."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure, FigureBase
from matplotlib.ticker import FuncFormatter

from rramkit import units
from rramkit.characterization import vector_units
from rramkit.characterization.deck_file import Label, in_header_order
from rramkit.characterization.waveforms import SCALES, Waveforms
from rramkit.errors import InputError

NAMED, COLUMN = 24, 12  # curves in a panel up to which each gets its name; names under one another
SINGLE = 64  # points of a sweep up to which each is marked: they may have nothing to do with their neighbours
HIDDEN = 4.0  # largest over smallest swing of the currents in a panel (1): beyond it the small ones look like zero
_TITLES = {"V": "voltage", "A": "current", "degree": "phase", "V/√Hz": "noise", "A/√Hz": "noise"}
_NUMBERS = {"q": "register", "act": "activation", "der": "activation"}  # else a state; by how a name begins
_PHASE = "phase of "


def draw_waveforms(waves: Waveforms, labels: Mapping[str, Label], *, title: str, swept: str = "") -> Figure:
    """Return a figure of all outputs of a run; `swept` says what the abscissa of a sweep is, its unit with it."""
    return draw_analyses([waves], labels, title=title, swept=swept)


def draw_analyses(analyses: Sequence[Waveforms], labels: Mapping[str, Label], *, title: str, swept: str = "") -> Figure:
    """Return a figure of the analyses of a deck, one under the other; those of one point only where there is no other.

    Complex vectors are drawn as magnitude and phase.
    """
    wide = [waves for waves in analyses if waves.scale] or list(analyses[:1])
    drawn = [_magnitude_and_phase(waves, labels) for waves in wide]
    panels = [_panels(waves, labels) for waves in drawn]
    names = [len(outputs) for each in panels for outputs in each.values()]
    height = 1.2 + 2.3 * sum(len(each) for each in panels)
    wider = any(COLUMN < count <= NAMED for count in names)
    figure = Figure(figsize=(9.5 if wider else 8, height), layout="constrained")
    figure.suptitle(_plain(title), fontsize=10)
    parts = figure.subfigures(len(drawn), 1, squeeze=False, height_ratios=[len(each) for each in panels])[:, 0]
    for part, waves, each in zip(parts if len(drawn) > 1 else [figure], drawn, panels, strict=True):
        _draw(part, waves, labels, each, swept=swept)
    return figure


def _draw(
    figure: FigureBase,
    waves: Waveforms,
    labels: Mapping[str, Label],
    panels: "_Panels",
    *,
    swept: str,
) -> None:
    scale = waves.scale
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for ax, ((kind, unit, _), outputs) in zip(axes, panels.items(), strict=True):
        draw_panel(ax, waves, outputs, labels, scale=scale)
        _name_axis(ax.yaxis, kind, unit)
    if scale is None:
        axes[-1].set_xlabel("point")
        return
    name, unit = vector_units.axis(scale)
    if scale == "frequency" and np.all(waves.abscissa > 0):
        axes[-1].set_xscale("log")
    if swept and scale not in ("time", "frequency"):
        axes[-1].set_xlabel(swept)
    else:
        _name_axis(axes[-1].xaxis, name, unit)


def _name_axis(axis: Axis, label: str, unit: str) -> None:
    """Label an axis whose data are in SI units: the unit stands once, in the label, with the prefix of the ticks."""
    is_log, (low, high) = axis.get_scale() == "log", axis.get_view_interval()
    scale, shown = (1.0, unit) if is_log or unit == "1" else units.prefixed(max(abs(low), abs(high)), unit)
    if not is_log:
        axis.set_major_formatter(FuncFormatter(lambda value, _: _tick(value / scale)))
    axis.set_label_text(f"{label} ({shown})")


def _tick(value: float) -> str:
    number = round(value, 9) + 0.0  # without the rounding noise of a tick locator, and without -0
    return f"{number:.6g}".replace("-", "\N{MINUS SIGN}")


def _magnitude_and_phase(waves: Waveforms, labels: Mapping[str, Label]) -> Waveforms:
    """Return waveforms with the magnitude of complex vectors in their place, and their phase in degrees after them."""
    if not any(np.iscomplexobj(values) for values in waves.vectors.values()):
        return waves
    real = {name: np.abs(values) if np.iscomplexobj(values) else values for name, values in waves.vectors.items()}
    phase = {
        _PHASE + (labels[name].name if name in labels else name): np.degrees(np.unwrap(np.angle(values)))
        for name, values in waves.vectors.items()
        if np.iscomplexobj(values)
    }
    return replace(waves, vectors=real | phase)


def _plain(text: str) -> str:
    """Return a text that is drawn as it stands: between two dollar signs would be a formula."""
    return text.replace("$", r"\$")


def draw_panel(
    ax: Axes, waves: Waveforms, outputs: list[str], labels: Mapping[str, Label], *, scale: str | None
) -> Axes:
    """Draw outputs of one unit against the run's scale; return `ax`."""
    if len(outputs) > 10:
        ax.set_prop_cycle(color=matplotlib.colormaps["tab20"].colors)  # pyright: ignore[reportAttributeAccessIssue]
    for output in outputs:
        y = waves[output]
        x = waves.abscissa if scale else range(y.size)
        marked = y.size == 1 or (scale != "time" and y.size <= SINGLE)
        label = labels[output].name if output in labels else output
        ax.plot(x, y, label=_plain(label), linewidth=1.2, marker="o" if marked else None, markersize=3)
    ax.grid(alpha=0.3)
    if len(outputs) <= NAMED:
        columns = 1 + (len(outputs) - 1) // COLUMN
        ax.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1.01, 1.02), frameon=False, ncols=columns)
    else:
        ax.set_title(f"{len(outputs)} curves", fontsize=8, loc="right")
    return ax


def save_waveforms(
    analyses: Sequence[Waveforms], labels: Mapping[str, Label], path: Path, *, title: str, swept: str = ""
) -> None:
    """Draw the analyses of a deck into a picture file; its suffix says which kind (`check_picture`)."""
    draw_analyses(analyses, labels, title=title, swept=swept).savefig(path, dpi=130)


def check_picture(path: Path) -> None:
    """Raise `InputError` when `path` has no suffix of a picture."""
    suffixes = FigureCanvasBase.get_supported_filetypes()
    if path.suffix.removeprefix(".").lower() not in suffixes:
        raise InputError(f"{path}: a picture must end in one of {', '.join(sorted(suffixes))}. Rename it.")


_Panels = Mapping[tuple[str, str, int], list[str]]
"""Outputs by kind, unit and number of the panel among those of its kind."""


def _panels(waves: Waveforms, labels: Mapping[str, Label]) -> _Panels:
    """Return the outputs of each kind and unit, in the order of the header; currents of one size to a panel."""
    kinds: dict[tuple[str, str], list[str]] = {}
    for output in in_header_order(waves.vectors, labels):
        if output not in SCALES:
            unit = "degree" if output.startswith(_PHASE) else _unit(waves, output, labels)
            kind = _NUMBERS.get(output.partition("_")[0], "state") if unit == "1" else _TITLES.get(unit, "value")
            kinds.setdefault((kind, unit), []).append(output)
    return {
        (kind, unit, number): outputs
        for (kind, unit), all_of_kind in kinds.items()
        for number, outputs in enumerate(_by_size(waves, all_of_kind) if unit == "A" else [all_of_kind])
    }


def _by_size(waves: Waveforms, outputs: list[str]) -> list[list[str]]:
    """Return currents in groups of one size, so that spikes of a supply do not flatten the current of a cell.

    A group begins where a swing is less than a `HIDDEN`-th of the largest of the group before it. What does not swing
    at all stays with the smallest ones.
    """
    swings = {name: float(np.ptp(waves[name])) if waves[name].size > 1 else 0.0 for name in outputs}
    groups: list[list[str]] = []
    top = 0.0
    for name in sorted(outputs, key=lambda each: -swings[each]):
        if groups and (swings[name] == 0.0 or swings[name] * HIDDEN >= top):
            groups[-1].append(name)
        else:
            groups.append([name])
            top = swings[name]
    in_order = [sorted(group, key=outputs.index) for group in groups]
    return sorted(in_order, key=lambda group: outputs.index(group[0]))


def _unit(waves: Waveforms, output: str, labels: Mapping[str, Label]) -> str:
    return labels[output].unit if output in labels else waves.unit(output)
