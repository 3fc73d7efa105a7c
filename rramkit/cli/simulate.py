"""`rramkit simulate`: run a deck or a circuit block in ngspice, print its measures, draw its waveforms."""

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit.cli import failed_deck, strict_json
from rramkit.cli.options import ParameterFile, ParameterPairs, parameters
from rramkit.cli.progress import stage
from rramkit.errors import InputError, SimulatorWarning, meant
from rramkit.files import check_writable, whole_file

if TYPE_CHECKING:
    from rramkit.characterization.deck_file import DeckOptions

Behaviour = Annotated[
    str | None,
    typer.Option(
        "--behaviour", help="Whose syntax the deck is written in: ltspice, pspice or hspice.", metavar="SIMULATOR"
    ),
]
TrustControl = Annotated[
    bool, typer.Option("--trust-control", help="Run the deck's .control sections: they can run any program.")
]
Waive = Annotated[
    list[str] | None,
    typer.Option("--waive", help="Accept the warnings whose message holds this text; may be repeated.", metavar="TEXT"),
]
CompactModels = Annotated[
    list[Path] | None,
    typer.Option(
        "--osdi",
        help="Compact model of the deck's N lines, a compiled file (.osdi) or a Verilog-A text (.va); may be repeated.",
        metavar="FILE",
    ),
]


def simulate(
    what: Annotated[str, typer.Argument(help="A deck file, or the name of a circuit (`rramkit netlist --list`).")],
    plot: Annotated[
        Path | None,
        typer.Option("--plot", "-o", help="Picture of the waveforms; default: NAME.png here.", metavar="FILE.png"),
    ] = None,
    no_plot: Annotated[bool, typer.Option("--no-plot", help="Draw nothing.")] = False,
    params: ParameterFile = None,
    pairs: ParameterPairs = None,
    behaviour: Behaviour = None,
    trust_control: TrustControl = False,
    waive: Waive = None,
    osdi: CompactModels = None,
    timeout: Annotated[float, typer.Option(help="Processor seconds after which the run is killed.", min=0.1)] = 600.0,
    json: Annotated[bool, typer.Option("--json", help="Print measures and vectors as JSON.")] = False,
) -> None:
    """Run a deck file, or a block by name, in ngspice; print its measures and draw its waveforms.

    Exit code 1 where a `.meas` line gave no number.
    """
    from rramkit.characterization.deck_file import (
        BEHAVIOURS,
        DeckOptions,
        measure_labels,
        output_labels,
        read_voltage,
        swept,
    )
    from rramkit.characterization.engine.pool import SpicePool
    from rramkit.characterization.plots import check_picture, save_waveforms
    from rramkit.cli import simulated

    if behaviour is not None and behaviour not in BEHAVIOURS:
        raise InputError(f"`--behaviour` must be one of {', '.join(BEHAVIOURS)}; got {behaviour!r}. Pass one of them.")
    compact = tuple(str(path.absolute()) for path in osdi or ())
    options = DeckOptions(
        behaviour=behaviour or "", trust_control=trust_control, waive=tuple(waive or ()), osdi=compact
    )
    deck = _deck(what, params, pairs, options)
    picture = plot or Path(f"{Path(what).stem}.png")
    if not no_plot:
        check_picture(picture)
        check_writable(picture, keep=(Path(what), params))
    stage(f"{what} in ngspice")
    with failed_deck.kept_beside(picture), SpicePool(workers=1, timeout=timeout) as pool:
        results = pool.results(deck, Path.cwd() if trust_control else None)
    for text in results.warnings:
        warnings.warn(f"ngspice warns: {text}", SimulatorWarning, stacklevel=2)
    title, outputs = deck.partition("\n")[0].removeprefix("* "), output_labels(deck)
    if not no_plot:  # before anything is printed: a reader such as `head` may close the pipe
        with whole_file(picture) as draft:
            save_waveforms(results.analyses, outputs, draft, title=title, swept=swept(deck))
    if json:
        read = simulated.conductances(results, measure_labels(deck), read_voltage(deck))
        shown = simulated.as_json(results, outputs, read=read)
        typer.echo(strict_json.text(shown, indent=1))
    else:
        simulated.show(results, outputs, measure_labels(deck), title=title, v_read=read_voltage(deck))
    if not no_plot:
        typer.echo(f"{picture}", err=json)
    for line in simulated.complaints(results):
        typer.echo(f"rramkit: {line}", err=True)
    if results.not_measured:
        raise typer.Exit(1)


def _deck(what: str, params: Path | None, pairs: list[str] | None, options: "DeckOptions") -> str:
    from rramkit.characterization.deck_file import read_deck, with_notes
    from rramkit.circuits import catalog

    if catalog.current_name(what) in catalog.BLOCKS:
        if options.behaviour or options.trust_control:
            raise InputError("`--behaviour` and `--trust-control` belong to a deck file. Leave them out.")
        block = catalog.block(catalog.noted_name(what))
        return with_notes(block.deck(parameters(block.parameters, params, pairs)).text(), options)
    if not Path(what).exists() and "." not in what and "/" not in what:
        raise InputError(
            f"`what` must be a deck file or one of {', '.join(catalog.BLOCKS)}; got {what!r}."
            f"{meant(catalog.current_name(what), catalog.BLOCKS)} Pass one of them."
        )
    if params or pairs:
        raise InputError(
            "`--params` and `--set` belong to a block; a deck file carries its own numbers. Edit the deck."
        )
    return read_deck(Path(what), options)
