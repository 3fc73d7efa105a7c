"""What a simulated deck gave, for a person and as JSON."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from rich.markup import escape
from rich.table import Table as Grid

from rramkit import units
from rramkit.characterization import vector_units
from rramkit.characterization.deck_file import Label, in_header_order
from rramkit.characterization.waveforms import SCALES, Results, Waveforms
from rramkit.cli.console import console

_WORDS = ("measure", "output", "vector", "meaning")  # columns that hold words; the others hold numbers
_READ = "read current"  # how a deck's header describes the current of a cell that is read


def show(
    results: Results,
    outputs: Mapping[str, Label],
    measures: Mapping[str, Label],
    *,
    title: str,
    v_read: float | None = None,
) -> None:
    """Print measures, then the outputs of each analysis; complex ones as magnitude, and phase at the last point.

    Beside read currents stand conductance and resistance, where the deck reads its cell at `v_read` (V).
    """
    out = console()
    out.print(escape(title), style="italic", highlight=False)
    for line in results.printed:
        out.print(escape(line), highlight=False)
    values = {name: value for waves in results.analyses for name, value in waves.measures.items()}
    if values or results.not_measured:
        read = conductances(results, measures, v_read)
        of_cells = ("conductance", "resistance") if read else ()
        rows = [
            (*row[:2], *_of_cell(read.get(row[0]), len(of_cells)), row[2])
            for row in (_measure(name, value, measures.get(name), results) for name, value in values.items())
        ]
        blank = ("",) * len(of_cells)
        rows += [(name, "failed", *blank, reason) for name, reason in results.not_measured.items()]
        out.print(_grid("measures", ("measure", "value", *of_cells, "meaning"), rows))
    for waves in results.analyses:
        out.print(_outputs(waves, outputs))
        out.print(_extent(waves), highlight=False)
    out.print(f"{results.analyses[0].seconds:.3f} s in ngspice", highlight=False)


def conductances(results: Results, measures: Mapping[str, Label], v_read: float | None) -> dict[str, float]:
    """Return the conductance (S) of the cell at each read current that was measured; none without `v_read` (V)."""
    if not v_read:
        return {}
    currents = {name: value for waves in results.analyses for name, value in waves.measures.items()}
    read = {name for name, label in measures.items() if label.description.startswith(_READ)}
    return {name: abs(value) / v_read for name, value in currents.items() if name in read}


def _of_cell(g_cell: float | None, count: int) -> tuple[str, ...]:
    """Return conductance and resistance as texts, or `count` blanks."""
    if g_cell is None:
        return ("",) * count
    return units.text(g_cell, "S"), units.text(1.0 / g_cell, "ohm") if g_cell else "-"


def _measure(name: str, value: float, label: Label | None, results: Results) -> tuple[str, str, str]:
    if label is not None:
        return name, units.text(value, label.unit), label.description
    total = next((w for w in results.analyses if w.kind == "noise" and name in w.measures), None)
    return name, f"{value:.6g}" if total is None else units.text(value, total.unit(name)), ""


def _outputs(waves: Waveforms, labels: Mapping[str, Label]) -> Grid:
    names = in_header_order((name for name in waves.vectors if name not in SCALES), labels)
    is_complex = any(np.iscomplexobj(waves[name]) for name in names)
    if waves.scale is None and all(waves[name].size == 1 for name in names):
        values = ("magnitude", "phase") if is_complex else ("value",)
    else:
        values = ("min", "max", "last", *(("phase of last",) if is_complex else ()))
    rows = []
    for name in names:
        label = labels.get(name) or Label(name, waves.unit(name), "", name)
        rows.append((label.name, label.vector, *_cells(waves[name], label.unit, len(values)), label.description))
    return _grid(_TITLES.get(waves.kind, waves.kind), ("output", "vector", *values, "meaning"), rows)


_TITLES = {
    "tran": "transient",
    "dc": "sweep",
    "op": "operating point",
    "ac": "small signal: magnitude and phase",
    "noise": "noise",
    "tf": "transfer function",
    "pz": "poles and zeros",
    "sens": "sensitivity",
    "disto": "distortion: magnitude and phase",
}


def _cells(values: np.ndarray, unit: str, count: int) -> list[str]:
    """Return smallest, largest and last value, or the last alone; of complex ones the phase of the last too."""
    size = np.abs(values) if np.iscomplexobj(values) else values
    shown = [size.min(), size.max(), size[-1]] if count > 2 else [size[-1]]
    cells = [units.text(float(value), unit) for value in shown]
    if np.iscomplexobj(values):
        cells.append(units.text(float(np.degrees(np.angle(values[-1]))), "degree"))
    return [*cells, *[""] * (count - len(cells))]


def _extent(waves: Waveforms) -> str:
    """Return a line about the points of an analysis: how many, and from where to where."""
    points = next(iter(waves.vectors.values())).size
    text = f"{waves.kind}, {points} point{'s' if points != 1 else ''}"
    if waves.scale is None:
        return text
    name, unit = vector_units.axis(waves.scale)
    ends = (units.text(float(end), unit) for end in (waves.abscissa[0], waves.abscissa[-1]))
    return f"{text}, {name} from {' to '.join(ends)}"


def _grid(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Grid:
    grid = Grid(title=title, title_justify="left")
    for name in columns:
        grid.add_column(name, justify="left" if name in _WORDS else "right")
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    return grid


def complaints(results: Results) -> Iterator[str]:
    """Yield a line for each `.meas` line that gave no number."""
    for name, reason in results.not_measured.items():
        yield f"`{name}` was not measured{f' ({reason})' if reason else ''}. Fix its `.meas` line, or the analysis."


def as_json(
    results: Results, labels: Mapping[str, Label], *, read: Mapping[str, float] | None = None
) -> dict[str, object]:
    """Return what a deck gave, ready for strict JSON: the first analysis, and of several all under `analyses`.

    `read` are conductances (S) at read currents, by the measure.
    """
    each = [_analysis(waves, labels) for waves in results.analyses]
    return {
        **each[0],
        "measures": {name: value for waves in results.analyses for name, value in waves.measures.items()},
        **({"conductances": dict(read)} if read else {}),
        "not_measured": dict(results.not_measured),
        "warnings": list(results.warnings),
        **({"printed": list(results.printed)} if results.printed else {}),
        **({"analyses": each} if len(each) > 1 else {}),
    }


def _analysis(waves: Waveforms, labels: Mapping[str, Label]) -> dict[str, object]:
    vectors = {name: label.vector for name, label in labels.items()}
    return {
        "analysis": waves.kind,
        "seconds": waves.seconds,
        "measures": dict(waves.measures),
        "outputs": {label.name: label.vector for name, label in labels.items() if name in waves.vectors},
        "vectors": {vectors.get(name, name): _numbers(values) for name, values in waves.vectors.items()},
        "units": {
            vectors.get(name, name): labels[name].unit if name in labels else waves.unit(name) for name in waves.vectors
        },
    }


def _numbers(values: np.ndarray) -> object:
    """Return real values as a list, complex ones as lists of their parts, magnitude and phase in degrees."""
    if not np.iscomplexobj(values):
        return values.tolist()
    return {
        "real": np.real(values).tolist(),
        "imaginary": np.imag(values).tolist(),
        "magnitude": np.abs(values).tolist(),
        "phase_degrees": np.degrees(np.angle(values)).tolist(),
    }
