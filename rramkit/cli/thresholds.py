"""`rramkit thresholds`: the activations of a trained network become bits, without training on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from rramkit.cli import strict_json
from rramkit.cli.options import ParameterPairs
from rramkit.errors import InputError

if TYPE_CHECKING:
    from rramkit.learning.data import DataSet
    from rramkit.learning.thresholds import OneBit


def thresholds(
    run: Annotated[Path, typer.Argument(help="Run file of `rramkit train`, in float or on tables.", metavar="RUN.h5")],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Experiment file with step layers to write; the weights go beside it, as .npz.",
            metavar="ONE_BIT.toml",
        ),
    ] = Path("one_bit.toml"),
    images: Annotated[int, typer.Option(help="Validation inputs that thresholds are found on; 0: all.", min=0)] = 2000,
    by: Annotated[
        Literal["layer", "channel"],
        typer.Option("--by", help="One threshold a layer, by the accuracy; or one a channel, by the mean square."),
    ] = "layer",
    experiment: Annotated[
        Path | None,
        typer.Option(
            "--experiment",
            help="Experiment that says how the weights lie in cells, in place of the run's; its network is the run's.",
            metavar="EXPERIMENT.toml",
        ),
    ] = None,
    pairs: ParameterPairs = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one line of JSON.")] = False,
) -> None:
    """Find the thresholds that turn the activations of a trained network into bits, layer by layer.

    The weights stay, but for the levels that a bit stands for, which the next layer takes in. What is written is for
    `rramkit evaluate --weights ONE_BIT.npz --experiment ONE_BIT.toml`. The test inputs are read at the end, once.
    """
    import numpy as np

    from rramkit import files, record
    from rramkit.cli.experiment_text import toml_text
    from rramkit.cli.options import parameters, say_replaced
    from rramkit.cli.progress import stage
    from rramkit.learning.by_layer import kind_of
    from rramkit.learning.chip import of_then
    from rramkit.learning.continued import plain_of
    from rramkit.learning.experiment import Experiment
    from rramkit.learning.thresholds import one_bit
    from rramkit.learning.train import data_of
    from rramkit.learning.trained import TrainedNetwork

    weights = output.with_suffix(".npz")
    if output.suffix == weights.suffix:
        raise InputError(f"`-o` must name the experiment file, for instance one_bit.toml; got {output}. Rename it.")
    for path in (output, weights):
        files.check_writable(path, keep=(run, experiment))
        say_replaced(path, quiet=as_json)
    loaded = record.load(run)
    settings = Experiment.checked(of_then(loaded.settings), where=str(run))
    data = data_of(loaded, settings)
    x, labels = (data.x_validation, data.y_validation) if len(data.y_validation) else (data.x_train, data.y_train)
    chosen = slice(images or None)
    stage("thresholds")
    network = loaded.network
    assert isinstance(network, TrainedNetwork)
    found = one_bit(plain_of(network), x[chosen], labels[chosen], reach=settings.network.reach, by=by)
    base = settings.model_dump(mode="json", exclude_unset=True)
    if experiment is not None:
        of_chip = Experiment.from_toml(experiment)
        if "network" in of_chip.model_fields_set:
            raise InputError(f"{experiment}: the network is that of {run}. Remove `network` from the experiment.")
        base = of_chip.model_dump(mode="json", exclude_unset=True)
    layers = [
        {"kind": kind_of(each)} | each.model_dump(mode="json", exclude_defaults=True) for each in found.settings.layers
    ]
    base["network"] = {"reach": found.settings.reach, "layers": layers}
    new = parameters(Experiment, None, pairs, base=base)
    stage("test inputs")
    outcome = _outcome(found, len(labels[chosen]), _on_test(found, data), loaded.accuracy)
    with files.whole_file(weights) as draft, draft.open("wb") as stream:
        np.savez(stream, **found.arrays)  # pyright: ignore[reportArgumentType]  (its keywords are names of arrays)
    with files.whole_file(output) as draft:
        heading = f"The network of {run.name} with activations of one bit; {by} by {by}."
        draft.write_text(toml_text(new, heading=heading), encoding="utf-8")
    if as_json:
        typer.echo(strict_json.text({"experiment": str(output), "weights": str(weights), **outcome}))
    else:
        typer.echo("\n".join((_text(outcome), f"{output}", f"{weights}")))


def _on_test(found: "OneBit", data: "DataSet") -> float:
    """Return the accuracy of the network with bits on the test inputs, in float."""
    import numpy as np

    from rramkit.learning.evaluate import accuracy_in_float
    from rramkit.learning.model import Network
    from rramkit.learning.state_dict import from_state_dict

    dtype = np.dtype(np.float32)
    network = Network.of(found.settings, data.shape, data.classes)
    plain = from_state_dict(network, found.arrays, w_max=1.0, dtype=dtype)
    return accuracy_in_float(plain, data.x_test, data.y_test, dtype=dtype)


def _outcome(found: "OneBit", images: int, on_test: float, before: float) -> dict[str, Any]:
    """Return accuracies (1) with activations, after each layer, and on the test inputs; thresholds by layer."""
    layers = [
        {"name": each.name, "accuracy": each.accuracy, "ones": each.ones, "thresholds": each.threshold.tolist()}
        for each in found.layers
    ]
    return {
        "images": images,
        "accuracy": found.accuracy,
        "layers": layers,
        "accuracy_test": on_test,
        "accuracy_test_run": before,
    }


def _text(outcome: dict[str, Any]) -> str:
    from rramkit import units
    from rramkit.cli.rows import rows

    shown = [("images", f"{units.count(outcome['images'])}: {units.percent(outcome['accuracy'])} with activations")]
    for each in outcome["layers"]:
        bits = f"{units.percent(each['ones'])} ones"
        count = "one threshold" if len(each["thresholds"]) == 1 else f"{len(each['thresholds'])} thresholds"
        shown.append((f"layer {each['name']}", f"{units.percent(each['accuracy'])} of the images; {bits}; {count}"))
    on_test, before = outcome["accuracy_test"], outcome["accuracy_test_run"]
    side = "below" if on_test < before else "above"
    lost = f"{100.0 * abs(before - on_test):.2f} points {side} the run's {units.percent(before)}"
    shown.append(("test inputs", f"{units.percent(on_test)} with bits, in float: {lost}"))
    return rows(shown, width=19)
