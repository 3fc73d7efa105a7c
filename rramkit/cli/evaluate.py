"""`rramkit evaluate`: a trained network on test inputs, as it is, aged, and on other chips; its weights as arrays."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rramkit.cli import strict_json
from rramkit.cli.options import ParameterPairs, say_replaced
from rramkit.errors import InputError

if TYPE_CHECKING:
    from rramkit.cli.evaluated import Rests, Subject


def evaluate(
    run: Annotated[
        Path | None, typer.Argument(help="Run file of `rramkit train`.", metavar="RUN.h5", show_default=False)
    ] = None,
    data: Annotated[
        Path | None, typer.Option("--data", help="Inputs of your own, instead of the run's test inputs.", metavar="NPZ")
    ] = None,
    after: Annotated[
        list[float] | None,
        typer.Option("--after", help="Rest of the cells; may be repeated.", metavar="SECONDS", min=0),
    ] = None,
    temperature: Annotated[
        list[float] | None,
        typer.Option(help="Temperature of the rest; may be repeated; 300.", metavar="KELVIN", min=200, max=500),
    ] = None,
    refresh: Annotated[
        float, typer.Option(help="Time after which cells are brought back; 0: never.", metavar="SECONDS", min=0)
    ] = 0.0,
    spread: Annotated[
        list[float] | None,
        typer.Option(
            help="Standard deviation of the logarithm of a factor on each conductance: 0.1; may be repeated.",
            metavar="SIGMA",
            min=0,
            max=3,
        ),
    ] = None,
    chips: Annotated[int, typer.Option(help="Other chips that the weights are written into.", min=0, max=1000)] = 0,
    reads: Annotated[
        int, typer.Option(help="Passes that are averaged: less noise, as many times the energy.", min=1, max=10_000)
    ] = 1,
    seed: Annotated[
        int, typer.Option(help="Seed of drift exponents, of the spread, and of the first other chip.", min=0)
    ] = 1,
    pairs: ParameterPairs = None,
    layers: Annotated[
        list[str] | None,
        typer.Option(
            "--layer",
            help="Setting of one layer, by number or by kind and count: 0.off=wires, dense_2.read.adc.bits=4; may be "
            "repeated.",
            metavar="NAME.KEY=VALUE",
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            "--weights", help="Weights trained elsewhere, by name, or an ONNX file; with --experiment.", metavar="FILE"
        ),
    ] = None,
    experiment: Annotated[
        Path | None,
        typer.Option("--experiment", help="Experiment whose network the weights are of.", metavar="EXPERIMENT.toml"),
    ] = None,
    tables: Annotated[
        Path | None, typer.Option("--tables", help="Table file of their cells.", metavar="TABLES.h5")
    ] = None,
    correct: Annotated[
        int | None,
        typer.Option(
            "--correct",
            help="Training inputs that set a digital gain and offset of each output on the chip; 0: none; left out: 32 "
            "with --weights, 0 for a run.",
            metavar="N",
            min=0,
            max=1_000_000,
            show_default=False,
        ),
    ] = None,
    correct_aged: Annotated[
        bool, typer.Option("--correct-aged", help="Set gains and offsets anew after each rest.")
    ] = False,
    spiking: Annotated[
        bool,
        typer.Option(
            "--spiking", help="Run the network by spikes too, as `[spiking]` of its experiment and `-s` have it."
        ),
    ] = False,
    picture: Annotated[
        Path | None, typer.Option("--plot", help="Picture of the accuracy by spikes against steps.", metavar="FILE")
    ] = None,
    export: Annotated[
        Path | None, typer.Option("--export", help="File for the weights that the cells stand for.", metavar="NPZ")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Evaluate a trained network: accuracy, and energy and time of each layer, for one input.

    `--after` and `--temperature` age the cells, by the law of `rule.update.retention` (`-s nu=0.02` and the like change
    it); `--refresh` says what a refresh costs. `--spread` puts cells off their conductances. `--chips` writes the
    weights into cells of other draws. `--weights` maps a network that was trained elsewhere; `--correct` then makes up
    for what lines and switches take from its reads. `--spiking` runs a perceptron by spikes and prints accuracy against
    steps, and power (docs/systems/snn.md).
    """
    from rramkit import files
    from rramkit.cli.evaluated import CORRECTED_BY, Rests, of_run, of_weights
    from rramkit.cli.evaluation_text import text

    if export is not None:
        files.check_writable(export, keep=(run, data, weights, experiment, tables))
        say_replaced(export, quiet=as_json)
    if (run is None) == (weights is None):
        got = "neither" if run is None else "both"
        raise InputError(
            f"`rramkit evaluate` takes a run file, or `--weights` with `--experiment` and `--tables`; got {got}. "
            "Give one of the two."
        )
    if picture is not None:
        _check_picture(picture, spiking=spiking, keep=(run, data, weights, experiment, tables))
    if spiking:
        _check_alone(after=after, temperature=temperature, chips=chips, layer=layers, correct=correct, spread=spread)
        _check_alone(reads=reads > 1)
    if refresh and not after:
        raise InputError("`--refresh` is for cells that age: name a time with `--after SECONDS`.")
    rests = Rests(_ages(after, temperature), refresh, [] if spiking else pairs or [], correct_aged)
    number = CORRECTED_BY if correct is None and weights is not None and not spiking else correct or 0
    _check_correction(number, rests)
    own = _of_layers(layers or [])
    if run is not None:
        subject = of_run(run, data, own, correct=number)
    else:
        assert weights is not None
        if experiment is None:
            raise InputError("`--weights` needs the network that they are of. Name it: `--experiment EXPERIMENT.toml`.")
        subject = of_weights(weights, experiment, tables, data, own, correct=number, seed=seed)
    subject.reads = reads
    outcome = subject.outcome(rests, range(seed, seed + chips), spread or ())
    if spiking:
        from rramkit.cli.spiking import spiking_outcome

        outcome["spiking"] = spiking_outcome(subject, pairs or [], quiet=as_json)
        if picture is not None:
            _draw(picture, outcome)
    if export is not None:
        _export(export, subject)
        outcome["weights"] = str(export)
    typer.echo(strict_json.text(outcome, indent=1) if as_json else text(outcome))


def _check_alone(**others: object) -> None:
    """Raise `InputError` for what a network that is run by spikes has not."""
    for name, value in others.items():
        if value:
            raise InputError(f"`--spiking` runs a network as it was written; got `--{name}` too. Leave one out.")


def _check_picture(path: Path, *, spiking: bool, keep: tuple[Path | None, ...]) -> None:
    from rramkit import files, plots

    if not spiking:
        raise InputError("`--plot` draws the accuracy by spikes: name `--spiking` too, or leave it out.")
    plots.check_picture(path)
    files.check_writable(path, keep=keep)


def _draw(path: Path, outcome: dict[str, Any]) -> None:
    """Draw the accuracy by spikes against the steps."""
    import numpy as np

    from rramkit import plots

    accuracy = np.asarray(outcome["spiking"]["accuracy_by_step"])
    beside = outcome["accuracy"] if outcome["inputs"] == outcome["spiking"]["inputs"] else None  # of the same inputs
    title = f"{outcome['data']}, {outcome['spiking']['inputs']} inputs shown as spikes"
    plots.save(lambda ax: plots.accuracy_by_step(ax, accuracy, beside), path, title=title)
    outcome["picture"] = str(path)


def _check_correction(number: int, rests: "Rests") -> None:
    if number == 1:
        raise InputError("`--correct` must be 0, or at least 2 inputs, for a gain and an offset; got 1. Take more.")
    if rests.anew and not (number and rests.ages):
        raise InputError(
            "`--correct-aged` corrects outputs after a rest: name its time with `--after SECONDS`, and the inputs with "
            "`--correct N`."
        )


def _ages(after: list[float] | None, temperature: list[float] | None) -> list[tuple[float, float]]:
    if temperature and not after:
        raise InputError("`--temperature` is that of a rest: name its time with `--after SECONDS`.")
    return [(seconds, kelvin) for kelvin in temperature or [300.0] for seconds in after or []]


def _of_layers(layers: list[str]) -> list[str]:
    """Return the settings of single layers as pairs of an experiment; a stage's name may stand without brackets."""
    pairs = []
    for each in layers:
        key, equals, value = each.partition("=")
        name, dot, _ = key.partition(".")
        if not equals or not dot or not name.strip():
            raise InputError(f"`--layer` must be NAME.KEY=VALUE; got {each!r}. For instance: --layer 0.off=wires")
        if key.endswith(".off") and not value.strip().startswith("["):
            value = str([one.strip() for one in value.split(",")])  # a list of TOML too
        pairs.append(f"mapping.layers.{key.strip()}={value}")
    return pairs


def _export(path: Path, subject: "Subject") -> None:
    import numpy as np

    from rramkit import files
    from rramkit.learning.state_dict import state_dict

    network = subject.network
    arrays: dict[str, np.ndarray] = state_dict(network.network, network.params)
    with files.whole_file(path) as draft, draft.open("wb") as stream:
        np.savez(stream, **arrays)  # pyright: ignore[reportArgumentType]  (its keywords are names of arrays)
