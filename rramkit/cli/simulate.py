"""`rramkit simulate`: run a deck or a circuit block in ngspice, print its measures, draw its waveforms."""

import json as json_format
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table as Grid

from rramkit import units
from rramkit.cli import failed_deck
from rramkit.cli.options import ParameterFile, ParameterPairs, parameters
from rramkit.errors import InputError
from rramkit.files import check_writable, whole_file

if TYPE_CHECKING:
    from rramkit.characterization.deck_file import Label
    from rramkit.characterization.waveforms import Waveforms


def simulate(
    what: Annotated[str, typer.Argument(help="A deck file, or the name of a circuit (`rramkit netlist --list`).")],
    plot: Annotated[
        Path | None,
        typer.Option("--plot", "-o", help="Picture of the waveforms; default: NAME.png here.", metavar="FILE.png"),
    ] = None,
    no_plot: Annotated[bool, typer.Option("--no-plot", help="Draw nothing.")] = False,
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    timeout: Annotated[float, typer.Option(help="Processor seconds after which the run is killed.", min=0.1)] = 600.0,
    json: Annotated[bool, typer.Option("--json", help="Print measures and vectors as JSON.")] = False,
) -> None:
    """Run a deck file, or a block by name, in ngspice; print its measures and draw its waveforms."""
    from rramkit.characterization.deck_file import measure_labels, output_labels, swept
    from rramkit.characterization.engine.pool import SpicePool
    from rramkit.characterization.plots import check_picture, save_waveforms

    deck = _deck(what, params, pairs)
    picture = plot or Path(f"{Path(what).stem}.png")
    if not no_plot:
        check_picture(picture)
        check_writable(picture, keep=(Path(what), params))
    with failed_deck.kept_beside(picture), SpicePool(workers=1, timeout=timeout) as pool:
        waves = pool.run(deck)
    title, outputs = deck.partition("\n")[0], output_labels(deck)
    if json:
        typer.echo(json_format.dumps(_as_json(waves, outputs), indent=1))
    else:
        _print(waves, outputs, measure_labels(deck), title=title)
    if not no_plot:
        with whole_file(picture) as draft:
            save_waveforms(waves, outputs, draft, title=title, swept=swept(deck))
        typer.echo(f"{picture}", err=json)


def _deck(what: str, params: Path | None, pairs: list[str] | None) -> str:
    from rramkit.characterization.deck_file import read_deck
    from rramkit.circuits import catalog

    if catalog.current_name(what) in catalog.BLOCKS:
        block = catalog.block(catalog.noted_name(what))
        return block.deck(parameters(block.parameters, params, pairs)).text()
    if not Path(what).exists() and "." not in what and "/" not in what:
        raise InputError(
            f"`what` must be a deck file or one of {', '.join(catalog.BLOCKS)}; got {what!r}. Pass one of them."
        )
    if params or pairs:
        raise InputError(
            "`--params` and `--set` belong to a block; a deck file carries its own numbers. Edit the deck."
        )
    return read_deck(Path(what))


def _print(waves: "Waveforms", outputs: "dict[str, Label]", measures: "dict[str, Label]", *, title: str) -> None:
    from rramkit.characterization.deck_file import Label, in_header_order
    from rramkit.characterization.waveforms import SCALES

    console = Console()
    if waves.measures:
        grid = Grid("measure", "value", "meaning", title=title, title_justify="left")
        for name, value in waves.measures.items():
            label = measures.get(name)
            grid.add_row(
                name, units.text(value, label.unit) if label else f"{value:.6g}", label.description if label else ""
            )
        console.print(grid)
    grid = Grid("output", "vector", "min", "max", "last", "meaning", title="waveforms", title_justify="left")
    for name in in_header_order((name for name in waves.vectors if name not in SCALES), outputs):
        values, label = waves[name], outputs.get(name) or Label(name, "A" if name.startswith("i(") else "V", "", name)
        cells = [units.text(float(value), label.unit) for value in (values.min(), values.max(), values[-1])]
        grid.add_row(label.name, label.vector, *cells, label.description)
    console.print(grid)
    console.print(f"{waves.kind}, {next(iter(waves.vectors.values())).size} points, {waves.seconds:.3f} s in ngspice")


def _as_json(waves: "Waveforms", labels: "dict[str, Label]") -> dict[str, object]:
    vectors = {name: label.vector for name, label in labels.items()}
    return {
        "analysis": waves.kind,
        "seconds": waves.seconds,
        "measures": dict(waves.measures),
        "outputs": {label.name: label.vector for label in labels.values()},
        "vectors": {vectors.get(name, name): values.tolist() for name, values in waves.vectors.items()},
    }
