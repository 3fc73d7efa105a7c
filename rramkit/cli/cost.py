"""`rramkit cost`: what a training costs in energy, time and area, digital side included."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli import strict_json
from rramkit.cli.options import ParameterPairs
from rramkit.cli.progress import stage
from rramkit.errors import InputError, TableError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rramkit.cost import Cost, References, Swing
    from rramkit.cost.analogue import Corner
    from rramkit.cost.area import CircuitArea
    from rramkit.cost.machines import Machine
    from rramkit.cost.subject import Subject
    from rramkit.record import TrainingOutcome
    from rramkit.table import TableFile

_WIDEST = 8  # assumptions that are printed


def cost(
    run: Annotated[Path, typer.Argument(help="Run file of `rramkit train` or `rramkit rl`.", metavar="RUN.h5")],
    components: Annotated[
        Path | None,
        typer.Option("--components", help="Prices of your own, in place of the kit's by key.", metavar="MINE.toml"),
    ] = None,
    tables: Annotated[
        Path | None,
        typer.Option("--tables", help="Table file of the run, for its other corners.", metavar="TABLES.h5"),
    ] = None,
    corner: Annotated[str | None, typer.Option(help="Process corner to price the arrays at, for instance ss.")] = None,
    temperature: Annotated[float | None, typer.Option(help="Temperature of it.", metavar="KELVIN")] = None,
    supply: Annotated[float | None, typer.Option(help="Supply of it, over the nominal one.", metavar="RATIO")] = None,
    pairs: ParameterPairs = None,
    beside: Annotated[
        list[Path] | None,
        typer.Option("--beside", help="Run file to compare with, same prices; may be repeated.", metavar="OTHER.h5"),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option("--plot", help="Picture of the breakdown to write.", metavar="FILE")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print everything as JSON.")] = False,
) -> None:
    """Price a training: energy, time and area by layer, phase and part.

    Reads and writes were counted while training and are priced by the run's tables; digital work follows from the
    shapes of the layers and is priced by a component file. `--set` changes what is assumed (`gradient`, `state_bits`,
    `buffer`, `leak_share`, `schedule`, ...). With `--tables` the arrays are priced at another corner, and the corners
    count among the assumptions. `--beside` puts other trainings, such as those of other update rules, side by side.
    """
    from rramkit import files
    from rramkit.cli.options import parameters
    from rramkit.cost import Assumptions, Cost, summary, tornado
    from rramkit.cost import components as priced

    if picture is not None:
        from rramkit import plots  # here: a training is priced where matplotlib is not installed

        plots.check_picture(picture)
        files.check_writable(picture, keep=(run, components, tables))
    if tables is None and (corner is not None or temperature is not None or supply is not None):
        raise InputError("`--corner` needs the table file with its corners. Name it: `--tables TABLES.h5`.")
    assumed = parameters(Assumptions, None, pairs)
    subject = _subject(run)
    loaded = subject.run
    file = None if tables is None else _same_tables(tables, loaded)
    at = None if file is None else _corner(subject, file, corner, temperature, supply)
    stage("pricing the run")
    found = Cost(subject, priced(components), assumed, at, circuits(loaded))
    stage("what moves the total")
    swings = tornado(found, [] if file is None else corners(subject, file))
    others = {}
    for path in beside or ():
        other = _subject(path)
        others[path] = Cost(other, found.components, assumed, circuits=circuits(other.run))
    if picture is not None:
        from rramkit import plots

        plots.save(lambda ax: plots.cost_breakdown(ax, found.by_heading_and_origin()), picture, title=run.name)
    if as_json:
        told = summary(found, swings) | {"beside": {str(path): summary(each) for path, each in others.items()}}
        typer.echo(strict_json.text(told, indent=1))
    else:
        typer.echo("\n".join((*_text(found, swings), *_side_by_side({run: found, **others}))))
        if picture is not None:
            typer.echo(picture)


def circuits(run: "TrainingOutcome") -> "dict[str, CircuitArea]":
    """Return the areas of the circuits of a run's tables; none, with a note, where they cannot be drawn here."""
    try:
        from rramkit.characterization.areas import circuit_areas
    except ImportError:  # a network is priced where PySpice is not installed, but for its area
        typer.echo("rramkit: note: without PySpice the area of the tiles is not known.", err=True)
        return {}
    try:
        return dict(circuit_areas(run.tables_provenance))
    except InputError as error:
        typer.echo(f"rramkit: note: the area of the tiles is not known: {error}", err=True)
        return {}


def corners(subject: "Subject", file: "TableFile") -> "list[Corner]":
    """Return every process corner of a table file, each at its nominal temperature and supply."""
    from rramkit.cost.analogue import Corner
    from rramkit.learning.condition import Condition
    from rramkit.table.schema import CORNERS

    labels: dict[str, None] = {}
    for each in file.tables.values():
        if CORNERS.corner in each.axes:
            labels |= dict.fromkeys(each.axes[CORNERS.corner].labels or ())
    return [Corner.of(subject, file, Condition(corner=label)) for label in labels]


def _subject(path: Path) -> "Subject":
    """Return what a run file says of its training; what cannot be priced is refused with the file's name."""
    from rramkit import record
    from rramkit.cost.subject import Subject

    loaded = record.load(path, record.TrainingOutcome)
    try:
        return Subject.of(loaded)
    except (InputError, TableError) as error:
        raise type(error)(f"{path}: {error}") from error


def _side_by_side(costs: "Mapping[Path, Cost]") -> "Iterator[str]":
    """Yield what several trainings cost and reached, one a row."""
    from rramkit import units
    from rramkit.cost.lifetime import shortest
    from rramkit.record import EpisodeRun, Run

    if len(costs) < 2:
        return
    heading = ("run", "reached", "energy", "without static", "writes", "reads", "gradient and update")
    heading += ("pulses", "lifetime, batches")
    rows: list[tuple[str, ...]] = [heading]
    for path, each in costs.items():
        outcome, (writes, reads) = each.subject.run, each.writes_and_reads()
        reached = units.percent(outcome.accuracy) if isinstance(outcome, Run) else "-"
        reached = f"{outcome.mean_return:.4g}" if isinstance(outcome, EpisodeRun) else reached
        update = next(one.low for one in each.gradients if one.chosen)
        energies = (each.energy, each.energy_dynamic, writes, reads, update)
        pulses = sum(item.count for item in each.items if item.part == "write pulses")
        worn = shortest(each.lifetimes)
        life = units.count(worn.batches) if worn is not None and worn.busiest else "-"
        rows.append((path.name, reached, *(units.text(value, "J") for value in energies), units.count(pulses), life))
    yield from _table("side by side", rows)
    yield from _interfaces(costs)


def _interfaces(costs: "Mapping[Path, Cost]") -> "Iterator[str]":
    """Yield row drivers and converters of one input, one training a row, and what the first one saves of each other."""
    from rramkit import units

    rows: list[tuple[str, ...]] = [("run", "conversions", "drivers", "converters", "energy", "area", "the first saves")]
    first = next(iter(costs.values())).interfaces
    for path, cost in costs.items():
        each = cost.interfaces
        energies = (each.e_drivers, each.e_converters, each.energy)
        saved = "-" if each is first else f"{_saved(first.energy, each.energy)} energy"
        if each is not first and each.area and first.area is not None:
            saved += f", {_saved(first.area, each.area)} area"
        rows.append(
            (
                path.name,
                units.count(round(each.conversions)),
                *(_j(value) for value in energies),
                _area(each.area),
                saved,
            )
        )
    yield from _table("row drivers and converters of one input", rows)


def _saved(now: float, then: float) -> str:
    return f"{100.0 * (1.0 - now / then):.1f} %" if then else "-"


def _corner(
    subject: "Subject", file: "TableFile", corner: str | None, temperature: float | None, supply: float | None
) -> "Corner | None":
    from rramkit.cost.analogue import Corner
    from rramkit.learning.condition import Condition

    condition = Condition(corner, temperature, supply)
    return None if condition.is_nominal else Corner.of(subject, file, condition)


def _same_tables(path: Path, run: "TrainingOutcome") -> "TableFile":
    """Return the table file; raise `InputError` where the run was trained on another."""
    from rramkit import table

    file, created = table.load(path), run.tables_provenance.get("created", "")
    if file.provenance.get("created", "") != created:
        raise InputError(
            f"{path}: the run was trained on {run.tables_name or 'other tables'} of {created or 'no date'}, not on "
            "these. Pass the table file that the run names, or leave `--tables` out."
        )
    return file


def _text(cost: "Cost", swings: "Sequence[Swing]") -> "Iterator[str]":
    """Yield all that is printed of one cost."""
    from rramkit import units
    from rramkit.cost import beside

    yield from _whole(cost)
    yield from _breakdowns(cost)
    yield from _table("time", list(_times(cost)))
    yield from _line_buffers(cost)
    yield from _table("figures of merit", list(_merit(cost)))
    yield from _table("tiles", list(_tiles(cost)))
    yield f"  whole chip         {_area(cost.area)}"
    yield from _table(f"lifetime of the cells, {units.count(cost.assumed.endurance)} pulses each", list(_worn(cost)))
    moved = [(each.name, _ends(each.low, each.high), f"{each.low_at} to {each.high_at}") for each in swings[:_WIDEST]]
    yield from _table("what moves the total", moved)
    yield from _references(beside(cost))
    yield from _prices(cost)


def _whole(cost: "Cost") -> "Iterator[str]":
    """Yield the energy of the run, and the arrays' part of it."""
    at = "" if cost.corner is None else f", arrays at {_condition(cost)}"
    whole, dynamic = _j(cost.energy), _j(cost.energy_dynamic)
    yield f"energy of the run    {whole}, of it {dynamic} without static power{at}"
    writes, reads = cost.writes_and_reads()
    yield f"arrays               writes {_j(writes)}, reads {_j(reads)}"


def _breakdowns(cost: "Cost") -> "Iterator[str]":
    """Yield the energy by heading, part and layer, that of one image and the like, and the places of the gradient."""
    from rramkit.cost.gradient import NAMES

    parts = dict(sorted(cost.by_part().items(), key=lambda each: -each[1]))
    for title, energies in (("heading", cost.by_heading()), ("part", parts), ("layer", cost.by_layer())):
        rows = [(name, _j(value), _share(value, cost.energy)) for name, value in energies.items()]
        yield from _table(f"by {title}", rows)
    yield from _table("energy of one", [(name, _j(value)) for name, value in cost.per().items()])
    places = [
        (NAMES[each.place] + (" *" if each.chosen else ""), _ends(each.low, each.high)) for each in cost.gradients
    ]
    yield from _table("gradient and update", places)


def _times(cost: "Cost") -> "Iterator[tuple[str, ...]]":
    for kind, each in cost.schedules.items():
        spans = {"run": each.total, "batch": each.batch, "inference": each.latency, "every": each.interval}
        yield kind, *(f"{name} {_s(seconds)}" for name, seconds in spans.items())


def _line_buffers(cost: "Cost") -> "Iterator[str]":
    """Yield what each layer keeps in a pipeline of line buffers, and when it begins; convolutions alone have lines."""
    found = cost.line_buffers
    if not any(each.layer.split()[1] == "convolution" for each in found):
        return
    rows = [
        (
            each.layer,
            f"{each.numbers} numbers of {each.bits} bit",
            _j(each.energy),
            f"{1e12 * each.area:.4g} um2",
            f"begins {_s(each.begins)}",
            f"ends {_s(each.ends)}",
        )
        for each in found
    ]
    yield from _table("pipeline of line buffers, one input", rows)
    serial = cost.schedules["serial"].latency
    yield f"  latency            {_s(found[-1].ends)}, {_s(serial)} with each layer after all of the one before"


def _tiles(cost: "Cost") -> "Iterator[tuple[str, ...]]":
    for each in cost.layers():
        tiles = each.tiles
        cells = " and ".join(
            f"{one.count} of {one.rows} x {one.columns}" for one in (tiles, each.copy) if one is not None
        )
        yield tiles.layer, f"{cells} cells", f"{_j(each.energy_tile)} each", _area(each.area)


def _worn(cost: "Cost") -> "Iterator[tuple[str, ...]]":
    """Yield the pulses a batch at each matrix' busiest cell, how evenly they are spread, and the batches it stands."""
    from rramkit import units

    for each in cost.lifetimes:
        pulses = f"{each.busiest:.4g} pulses a batch at the busiest cell"
        stands = f"{units.count(each.batches)} batches" if each.busiest else "no pulse"
        yield each.layer, pulses, f"balance {each.balance:.3g}", stands
    if not cost.lifetimes:
        yield "not known", "the run file does not say what its busiest cell got: train again"


def _prices(cost: "Cost") -> "Iterator[str]":
    """Yield where the prices are from, which are the user's, and which have no source at hand."""
    from rramkit.cost.summary import unconfirmed

    origins = ", ".join(f"{name} {_share(value, cost.energy).strip()}" for name, value in cost.by_origin().items())
    yield f"prices from          {origins}"
    if cost.components.replaced:
        yield f"yours                {', '.join(cost.components.replaced)}"
    if unconfirmed(cost):
        yield f"unconfirmed          {', '.join(unconfirmed(cost))}: from memory, no source at hand"


def _references(found: "References") -> "Iterator[str]":
    """Yield the machines beside the run, TIME's claim, and what moves the ratio."""
    yield from _table(
        "beside machines, first programming left out (their energy, over the run's)",
        [
            (_title(each.machine), each.compared_in, each.energy.text("J"), each.ratio.text("1"))
            for each in found.machines
        ],
    )
    for each in found.claims:
        claim = f"TIME's {each.claim.ratio:g} times"
        yield f"{claim:<20} {each.unit}: {each.ratio.text('1')}; the claim lies {each.place}"
    yield from _table(
        "what moves that ratio (over the run's as assumed)",
        [(name, f"{low:.3g} to {high:.3g} times") for name, low, high in found.swings],
    )


def _table(title: str, rows: "Sequence[tuple[str, ...]]") -> "Iterator[str]":
    """Yield a heading and its rows, columns aligned."""
    yield title
    widths = [max(len(row[k]) for row in rows if k < len(row)) for k in range(max(map(len, rows), default=0))]
    for row in rows:
        first, *rest = row
        cells = [text.rjust(width) for text, width in zip(rest, widths[1:], strict=False)]
        yield "  ".join([f"  {first:<{widths[0]}}", *cells]).rstrip()


def _title(machine: "Machine") -> str:
    return f"{machine.title} (unconfirmed)" if machine.mark == "recalled" else machine.title


def _merit(cost: "Cost") -> "Iterator[tuple[str, str]]":
    from rramkit import units

    merit = cost.merit()
    for name, label, scale, unit in (
        ("ops_joule_inference", "inference", 1e-12, "TOPS/W"),
        ("ops_joule_training", "training", 1e-12, "TOPS/W"),
        ("ops_second_inference", "inference", 1e-12, "TOPS"),
        ("ops_second_training", "training", 1e-12, "TOPS"),
        ("ops_second_area_inference", "inference", 1e-18, "TOPS/mm2"),
    ):
        value = merit[name]
        yield f"{label}, {unit}", "not known" if value is None else f"{value * scale:.4g}"
    value = merit["inferences_second"]
    yield "inferences a second", "not known" if value is None else units.count(value)


def _condition(cost: "Cost") -> str:
    assert cost.corner is not None
    at = cost.corner.condition
    parts = [
        at.corner or "",
        f"{at.temperature:g} K" if at.temperature else "",
        f"supply {at.supply:g}" if at.supply else "",
    ]
    return ", ".join(part for part in parts if part)


def _ends(low: float, high: float) -> str:
    return _j(low) if low == high else f"{_j(low)} to {_j(high)}"


def _j(value: float) -> str:
    from rramkit import units

    return units.text(value, "J")


def _share(value: float, whole: float) -> str:
    return f"{100.0 * value / whole:.1f} %" if whole else "-"


def _s(value: float) -> str:
    from rramkit import units

    return units.text(value, "s")


def _area(value: float | None) -> str:
    return "not known" if value is None else f"{1e6 * value:.4g} mm2"
