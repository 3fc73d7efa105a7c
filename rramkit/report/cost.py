"""The chapter on what a training costs, digital side and area included."""

from collections.abc import Sequence

import numpy as np

from rramkit import plots, units
from rramkit.cost import Cost, References, Swing, beside, energy_by_epoch
from rramkit.cost.gradient import NAMES
from rramkit.cost.machines import machine_file
from rramkit.plots import svg
from rramkit.record import Run
from rramkit.report.elements import Drawing, Grid, Panel, Section, TableRow

_WIDEST = 10  # swings that are drawn


def section(cost: Cost, swings: Sequence[Swing]) -> Section:
    """Return the chapter: breakdown, places of the gradient, schedules, tornado, areas."""
    intro = (
        "Arrays, drivers and converters are priced by the tables and were counted while training; digital work is "
        "counted from the shapes of the layers and priced by published components (docs/cost.md)."
    )
    found = beside(cost)
    gradient = (_gradient(cost), _claimed(found))
    blocks = (_breakdown(cost), *gradient, _time(cost), *_worn(cost), *_tornado(cost, swings), *_learning(cost))
    grids = (_layers(cost), _machines(found), _moved(found), _assumed_of_machines(found), _areas(cost), _items(cost))
    return Section("cost", "What the training cost", intro, blocks, grids)


def _breakdown(cost: Cost) -> Panel:
    drawing = Drawing(
        svg(lambda ax: plots.cost_breakdown(ax, cost.by_heading_and_origin()), name="cost-breakdown"),
        "Energy of the run by heading; colours say where the prices are from. SPICE: the tables; found: published; "
        "derived: computed from what is published; recalled: from memory.",
    )
    writes, reads = cost.writes_and_reads()
    rows = (
        TableRow("energy of the run", units.text(cost.energy, "J")),
        TableRow("without static power", units.text(cost.energy_dynamic, "J")),
        TableRow("arrays: writes", units.text(writes, "J")),
        TableRow("arrays: reads", units.text(reads, "J")),
        *(TableRow(f"one {name}", units.text(energy, "J")) for name, energy in cost.per().items()),
        *(
            TableRow(f"share of prices marked {name}", units.percent(part / cost.energy))
            for name, part in cost.by_origin().items()
        ),
    )
    return Panel("Energy", (drawing,), rows)


def _gradient(cost: Cost) -> Panel:
    drawing = Drawing(
        svg(lambda ax: plots.gradient_places(ax, cost.gradients), name="cost-gradient"),
        "Energy of gradient and update, by where the outer products are added up.",
    )
    rows = tuple(TableRow(NAMES[each.place], _range(each.low, each.high)) for each in cost.gradients)
    return Panel("Where the gradient is added up", (drawing,), rows)


def _time(cost: Cost) -> Panel:
    rows = []
    for kind, each in cost.schedules.items():
        rows += [
            TableRow(f"{kind}: the run", units.text(each.total, "s")),
            TableRow(f"{kind}: a batch", units.text(each.batch, "s")),
            TableRow(f"{kind}: latency of an inference", units.text(each.latency, "s")),
            TableRow(f"{kind}: inferences a second", units.count(1.0 / each.interval) if each.interval else "-"),
        ]
    for name, value in cost.merit().items():
        if name.startswith("ops_joule"):
            label = name.removeprefix("ops_joule_")
            rows.append(TableRow(f"TOPS/W, {label}", "-" if value is None else f"{value * 1e-12:.3g}"))
    return Panel("Time and operations", (), tuple(rows))


def _worn(cost: Cost) -> tuple[Panel, ...]:
    if not cost.lifetimes:
        return ()
    rows = [TableRow("pulses that a cell stands (assumed)", units.count(cost.assumed.endurance))]
    for each in cost.lifetimes:
        rows += [
            TableRow(f"{each.layer}: pulses a batch, busiest cell", f"{each.busiest:.4g}"),
            TableRow(f"{each.layer}: balance, mean over busiest", f"{each.balance:.3g}"),
            TableRow(f"{each.layer}: batches it stands", units.count(each.batches) if each.busiest else "no pulse"),
        ]
    return (Panel("Lifetime of the cells", (), tuple(rows)),)


def _tornado(cost: Cost, swings: Sequence[Swing]) -> tuple[Panel, ...]:
    if not swings:
        return ()
    widest = swings[:_WIDEST]
    drawing = Drawing(
        svg(lambda ax: plots.tornado(ax, widest, cost.energy), name="cost-tornado", height=3.6),
        "How far each assumption moves the energy of the run, all else as it is: green to less, orange to more. "
        "Names are those that `--set` and a component file take.",
    )
    rows = tuple(TableRow(each.name, _range(each.low, each.high)) for each in widest)
    return (Panel("Which assumption moves it most", (drawing,), rows),)


def _learning(cost: Cost) -> tuple[Panel, ...]:
    run = cost.subject.run
    if not isinstance(run, Run) or run.epochs.epoch.size < 2:
        return ()
    images, accuracy, _ = run.epochs.followed
    energy = np.cumsum(energy_by_epoch(cost))
    drawing = Drawing(
        svg(lambda ax: plots.accuracy_against_energy(ax, energy, accuracy, images), name="cost-accuracy"),
        "Accuracy against all energy spent so far.",
    )
    rows = (TableRow(f"accuracy, {images} images", units.percent(accuracy[-1])),)
    return (Panel("Accuracy against energy", (drawing,), rows),)


def _layers(cost: Cost) -> Grid:
    heading = ("layer", "tiles", "the run", "one tile of it", "an inference", "time of its reads", "area")
    rows = tuple(
        (
            each.tiles.layer,
            " and ".join(f"{one.count} of {one.rows} x {one.columns}" for one in (each.tiles, each.copy) if one),
            units.text(each.energy, "J"),
            units.text(each.energy_tile, "J"),
            units.text(each.energy_image, "J"),
            units.text(each.seconds_image, "s"),
            "not known" if each.area is None else _square(each.area),
        )
        for each in cost.layers()
    )
    return Grid("Cost by layer", heading, rows, words=2)


def _claimed(found: References) -> Panel:
    claim = found.claims[0].claim
    drawing = Drawing(
        svg(lambda ax: plots.claimed_ratio(ax, found.claims), name="cost-claim"),
        f"Energy of {machine_file().machines[claim.machine].title} over the run's, with the gradient in three places; "
        f"the line is the {claim.ratio:g} times of {claim.title}.",
    )
    rows = tuple(TableRow(each.unit, f"{each.ratio.text('1')}; the claim lies {each.place}") for each in found.claims)
    return Panel("Beside TIME's claim", (drawing,), rows)


def _machines(found: References) -> Grid:
    heading = ("machine", "mark", "compared in", "its energy", "over the run's")
    rows = [
        (each.machine.title, each.machine.mark, each.compared_in, each.energy.text("J"), each.ratio.text("1"))
        for each in found.machines
    ]
    for each in found.claims:
        title = f"TIME's claim of {each.claim.ratio:g} times; gradient: {each.unit}"
        rows.append((title, each.claim.mark, "training", f"the claim lies {each.place}", each.ratio.text("1")))
    return Grid("Beside other machines", heading, tuple(rows), words=3)


def _assumed_of_machines(found: References) -> Grid:
    titles = machine_file().sources
    rows = tuple((each.machine.title, each.machine.assumption, titles[each.machine.source]) for each in found.machines)
    return Grid("Assumptions and sources of the machines", ("machine", "assumption", "source"), rows, 3, folded=True)


def _moved(found: References) -> Grid:
    rows = tuple((name, f"{low:.3g}", f"{high:.3g}") for name, low, high in found.swings)
    heading = ("assumption, alone", "lowest ratio over the run's", "highest ratio over the run's")
    machine = machine_file().machines[found.claims[0].claim.machine]
    return Grid(f"What moves the ratio to {machine.title}", heading, rows)


def _areas(cost: Cost) -> Grid:
    rows = tuple(
        (each.layer, each.part, each.origin, units.count(each.count), _square(each.area)) for each in cost.areas
    )
    return Grid("Area by part", ("layer", "part", "from", "number", "area"), rows, words=3, folded=True)


def _items(cost: Cost) -> Grid:
    heading = ("layer", "phase", "part", "price", "from", "counted", "number", "energy")
    rows = tuple(
        (
            *(each.layer, each.phase, each.part, each.price, each.origin, each.counted),
            "-" if each.phase == "static" else units.count(each.count),  # leakage is of a time, not of operations
            units.text(each.energy, "J"),
        )
        for each in cost.items
    )
    return Grid("Every part of the energy", heading, rows, words=6, folded=True)


def _range(low: float, high: float) -> str:
    return units.text(low, "J") if low == high else f"{units.text(low, 'J')} to {units.text(high, 'J')}"


def _square(area: float) -> str:
    return f"{1e6 * area:.4g} mm\N{SUPERSCRIPT TWO}"
