"""`rramkit evaluate`: a trained network on test inputs, as it is, aged, and on other chips; its weights as arrays."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rramkit.cli import strict_json
from rramkit.cli.options import ParameterPairs
from rramkit.cli.progress import stage
from rramkit.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

    from rramkit.cost.area import CircuitArea
    from rramkit.learning.condition import OperatingTables
    from rramkit.learning.data import DataSet
    from rramkit.learning.evaluate import Evaluation
    from rramkit.learning.experiment import Experiment
    from rramkit.learning.trained import TrainedNetwork


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
    chips: Annotated[int, typer.Option(help="Other chips that the weights are written into.", min=0, max=1000)] = 0,
    seed: Annotated[int, typer.Option(help="Seed of drift exponents and of the first other chip.", min=0)] = 1,
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
    export: Annotated[
        Path | None, typer.Option("--export", help="File for the weights that the cells stand for.", metavar="NPZ")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as JSON.")] = False,
) -> None:
    """Evaluate a trained network: accuracy, and energy and time of each layer, for one input.

    `--after` and `--temperature` age the cells, by the law of `rule.update.retention` (`-s nu=0.02` and the like change
    it); `--refresh` says what a refresh costs. `--chips` writes the weights into cells of other draws. `--weights` maps
    a network that was trained elsewhere.
    """
    from rramkit import files

    if export is not None:
        files.check_writable(export, keep=(run, data, weights, experiment, tables))
    if (run is None) == (weights is None):
        got = "neither" if run is None else "both"
        raise InputError(
            f"`rramkit evaluate` takes a run file, or `--weights` with `--experiment` and `--tables`; got {got}. "
            "Give one of the two."
        )
    own = _of_layers(layers or [])
    if run is not None:
        subject = _of_run(run, data, own)
    else:
        subject = _of_weights(weights, experiment, tables, data, own, seed=seed)
    if refresh and not after:
        raise InputError("`--refresh` is for cells that age: name a time with `--after SECONDS`.")
    outcome = subject.outcome(
        _ages(after, temperature), refresh=refresh, chips=range(seed, seed + chips), pairs=pairs or []
    )
    if export is not None:
        _export(export, subject.network)
        outcome["weights"] = str(export)
    typer.echo(strict_json.text(outcome, indent=1) if as_json else _text(outcome))


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


class _Subject:
    """A network with the inputs that it is evaluated on."""

    def __init__(self, network: "TrainedNetwork", experiment: "Experiment", operating: Any, data: "DataSet") -> None:  # noqa: ANN401
        self.network, self.experiment, self.operating = network, experiment, operating
        self.x, self.labels = data.x_test, data.y_test
        self.data = data
        self.written: dict[str, Any] = {}
        self.fresh: Evaluation | None = None  # where the network was evaluated when it was written

    def outcome(
        self, ages: list[tuple[float, float]], *, refresh: float, chips: range, pairs: list[str]
    ) -> dict[str, Any]:
        """Return accuracies and costs under every condition."""
        from rramkit.learning.continued import plain_of, same_cells
        from rramkit.learning.evaluate import aged, evaluate

        stage("test inputs")
        first = self.fresh or evaluate(self.network, self.x, self.labels)
        outcome: dict[str, Any] = {
            "data": self.data.name,
            "inputs": len(self.labels),
            "accuracy": first.accuracy,
            "energy": first.energy,
            "seconds": first.seconds,
            "layers": [vars(layer) | {"area": area} for layer, area in zip(first.layers, self._areas(), strict=True)],
            **self.written,
        }
        if ages:
            law = self._retention(pairs)
            outcome["retention"] = law.model_dump(mode="json")
            rows = []
            for seconds, kelvin in ages:
                stage(f"test inputs after {seconds:g} s at {kelvin:g} K")
                seed = chips.start
                older = aged(self.network, seconds, t_cell=kelvin, retention=law, refresh=refresh, seed=seed)
                found = evaluate(older, self.x, self.labels)
                rows.append({"after": seconds, "temperature": kelvin, "refresh": refresh, "accuracy": found.accuracy})
            outcome["aged"] = rows
            if refresh:
                kelvins = dict.fromkeys(kelvin for _, kelvin in ages)
                outcome["refreshes"] = [self._refresh(refresh, kelvin, law, seed=chips.start) for kelvin in kelvins]
        elif pairs:
            raise InputError("`--set` changes the law of the drift: name a time with `--after SECONDS`.")
        if chips:
            plain = plain_of(self.network)
            written = [self.on_chip(plain, seed) for seed in chips]
            outcome["chips"] = [told for _, told, _ in written]
            outcome["chips_alike"] = len(written) > 1 and same_cells(written[0][0], written[1][0])
        return outcome

    def _areas(self) -> list[float | None]:
        """Return the area of the tiles of each matrix (m2); None where the tables' circuits are not at hand."""
        from rramkit.cost import Assumptions
        from rramkit.cost.area import Tiles, tile_items
        from rramkit.learning.cells import leaves

        matrices = self.network.params.matrices
        circuits = _circuits(self.operating)
        if not circuits:
            return [None] * len(matrices)
        tiles = [Tiles(str(i), *each.tile.tiling) for i, matrix in enumerate(matrices) for each in leaves(matrix)]
        items = tile_items(tiles, Assumptions(), circuits)
        return [sum(item.area for item in items if item.layer == str(index)) for index in range(len(matrices))]

    def _refresh(self, seconds: float, kelvin: float, law: Any, *, seed: int) -> dict[str, Any]:  # noqa: ANN401
        """Return what one refresh after a rest costs, and the accuracy after it."""
        from rramkit.learning.evaluate import aged, evaluate, refreshed

        older = aged(self.network, seconds, t_cell=kelvin, retention=law, seed=seed)
        network, cost = refreshed(self.experiment, self.operating, self.network, older, seed=seed)
        return {
            "every": seconds,
            "temperature": kelvin,
            "accuracy": evaluate(network, self.x, self.labels).accuracy,
            "pulses": cost.pulses,
            "reads": cost.reads,
            "energy": cost.energy,
            "seconds": cost.seconds,
        }

    def on_chip(self, plain: Any, seed: int) -> "tuple[TrainedNetwork, dict[str, Any], Evaluation]":  # noqa: ANN401
        """Return weights on another chip, what is printed of them, and their evaluation."""
        from rramkit.learning.evaluate import evaluate, rewritten

        if self.operating is None:
            raise InputError("the run is in float: it has no cells to write. Leave `--chips` out.")
        stage(f"chip of seed {seed}")
        calibration, labels = self.data.x_train, self.data.y_train
        network, cost = rewritten(
            self.experiment, self.operating, plain, calibration, labels, input_shape=self.data.shape, seed=seed
        )
        found = evaluate(network, self.x, self.labels)
        told = {"seed": seed, "accuracy": found.accuracy, "energy_write": cost.energy, "pulses": cost.pulses}
        return network, told, found

    def read_anew(self, layers: list[str]) -> None:
        """Give single layers other settings; the cells stay as they are."""
        from rramkit.cli.options import parameters
        from rramkit.learning.evaluate import read_anew
        from rramkit.learning.experiment import Experiment

        if self.operating is None or not isinstance(self.experiment, Experiment):
            raise InputError("`--layer` is for cells: the run has none. Leave it out.")
        self.experiment = parameters(Experiment, None, layers, base=self.experiment.model_dump(mode="json"))
        names = list(dict.fromkeys(each.removeprefix("mapping.layers.").partition(".")[0] for each in layers))
        first, labels = self.data.x_train, self.data.y_train
        self.network = read_anew(self.experiment, self.operating, self.network, first, labels, layers=names)
        self.written["by_layer"] = [each.removeprefix("mapping.layers.") for each in layers]

    def _retention(self, pairs: list[str]) -> Any:  # noqa: ANN401
        """Return the run's own law of drift, or the kit's, with `key=value` pairs on top."""
        from rramkit.array.write.ageing import RetentionParams
        from rramkit.cli.options import parameters

        update = getattr(self.experiment.rule, "update", None)
        own = getattr(update, "retention", None) or RetentionParams()
        changed = parameters(RetentionParams, None, pairs).model_dump(exclude_unset=True)
        return RetentionParams.checked(own.model_dump() | changed, where="--set")


def _of_run(path: Path, data: Path | None, layers: list[str]) -> _Subject:
    from rramkit import record
    from rramkit.learning.chip import of_then, stored_tables
    from rramkit.learning.experiment import Experiment

    run = record.load(path)
    settings = Experiment.checked(of_then(run.settings), where=str(path))
    network = run.network
    assert run.stored_network is not None
    found = _data(settings, data)
    if data is None and found.name != run.data_name:
        raise InputError(f"{path}: was trained on {run.data_name or 'data of its own'}. Name its inputs: `--data NPZ`.")
    operating = stored_tables(run.stored_network)
    subject = _Subject(network, settings, operating, found)  # pyright: ignore[reportArgumentType]
    if layers:
        subject.read_anew(layers)
    return subject


def _of_weights(
    weights: Path | None,
    experiment: Path | None,
    tables: Path | None,
    data: Path | None,
    layers: list[str],
    *,
    seed: int,
) -> _Subject:
    import numpy as np

    from rramkit import table
    from rramkit.cli.options import parameters
    from rramkit.learning.data.own import npz_arrays
    from rramkit.learning.evaluate import accuracy_in_float
    from rramkit.learning.experiment import Experiment
    from rramkit.learning.model import Network
    from rramkit.learning.state_dict import from_state_dict

    assert weights is not None
    if experiment is None:
        raise InputError("`--weights` needs the network that they are of. Name it: `--experiment EXPERIMENT.toml`.")
    settings = parameters(Experiment, experiment, layers)
    operating = settings.chip.tables(table.load(tables or settings.tables_path(experiment)))
    found = _data(settings, data)
    of_file: dict[str, Any] = {}
    if weights.suffix.lower() == ".onnx":
        settings, arrays, of_file = _of_onnx(weights, settings, found)
    else:
        arrays = npz_arrays(weights)
    network = Network.of(settings.network, found.shape, found.classes)
    rule = settings.rule_on(settings.on(operating), network)
    if rule.device is None:
        raise InputError(
            f'{experiment}: `rule.kind` is "float": weights are not in cells. Take a rule that writes cells.'
        )
    limits = rule.limits(len(network.matrices))
    plain = from_state_dict(network, arrays, w_max=limits, dtype=np.dtype(settings.precision))
    subject = _Subject(None, settings, operating, found)  # pyright: ignore[reportArgumentType]  (filled by the next)
    in_float = accuracy_in_float(plain, subject.x, subject.labels, dtype=np.dtype(settings.precision))
    subject.network, told, subject.fresh = subject.on_chip(plain, seed)
    changed = {mine: theirs for mine, theirs in plain.names.items() if mine != theirs}
    names = {"names": changed} if changed else {}
    subject.written = {"float_accuracy": in_float, "written": told, **of_file, **names}
    return subject


def _of_onnx(
    path: Path, settings: "Experiment", data: "DataSet"
) -> "tuple[Experiment, Mapping[str, np.ndarray], dict[str, Any]]":
    """Return an experiment with the network of an ONNX file, its weights, and what is printed of them."""
    from rramkit.learning import onnx_file
    from rramkit.learning.networks import NetworkSettings

    if "network" in settings.model_fields_set:
        raise InputError(f"{path}: describes its network itself. Remove `network` from the experiment.")
    found = onnx_file.read(path, data.shape)
    settings = settings.model_copy(update={"network": NetworkSettings(layers=found.layers)})
    kinds = [each.kind for each in found.layers]
    return settings, found.arrays, {"network": kinds, "left_out": list(found.left_out)}


def _circuits(operating: "OperatingTables | None") -> "Mapping[str, CircuitArea]":
    """Return the areas of the circuits of tables; none where they, or what draws them, are not at hand."""
    if operating is None:
        return {}
    try:
        from rramkit.characterization.areas import circuit_areas

        return circuit_areas(operating.read.provenance)
    except (ImportError, InputError):  # without PySpice, or with models of the user's that are not named
        return {}


def _data(settings: "Experiment", path: Path | None) -> "DataSet":
    if path is not None:
        from rramkit.learning.data.settings import DataSettings

        kept = settings.data.model_dump() | {"name": "npz", "file": str(path), "train_images": 0, "test_images": 0}
        return DataSettings.checked(kept, where="--data").loaded(seed=settings.seed)
    return settings.data.loaded(seed=settings.seed)


def _export(path: Path, network: "TrainedNetwork") -> None:
    import numpy as np

    from rramkit import files
    from rramkit.learning.state_dict import state_dict

    arrays: dict[str, np.ndarray] = state_dict(network.network, network.params)
    with files.whole_file(path) as draft, draft.open("wb") as stream:
        np.savez(stream, **arrays)  # pyright: ignore[reportArgumentType]  (its keywords are names of arrays)


def _text(outcome: dict[str, Any]) -> str:
    from rramkit import units

    rows = [
        ("data", f"{units.count(outcome['inputs'], 'test input')} of {outcome['data']}"),
        ("accuracy", units.percent(outcome["accuracy"])),
    ]
    if "float_accuracy" in outcome:
        rows.append(("in float", units.percent(outcome["float_accuracy"])))
    for layer in outcome["layers"]:
        rows.append((f"layer {layer['name']}", f"{layer['also']}: {_layer(layer)}"))
    whole = f"{units.text(outcome['energy'], 'J')}, {units.text(outcome['seconds'], 's')}"
    areas = [layer["area"] for layer in outcome["layers"] if layer["area"] is not None]
    rows.append(("one input", f"{whole}{f'; tiles of {_square(sum(areas))}' if areas else ''}"))
    if "by_layer" in outcome:
        rows.append(("settings by layer", f"{', '.join(outcome['by_layer'])}: cells as trained, read anew"))
    if "network" in outcome:
        without = f"; left out: {', '.join(outcome['left_out'])}" if outcome["left_out"] else ""
        rows.append(("network", f"of the file: {', '.join(outcome['network'])}{without}"))
    if "names" in outcome:
        listed = ", ".join(f"{theirs} as {mine}" for mine, theirs in outcome["names"].items())
        rows.append(("names", f"taken in order: {listed}"))
    for each in outcome.get("aged", ()):
        kept = f", refreshed every {units.text(each['refresh'], 's')}" if each["refresh"] else ""
        rest = f"after {units.text(each['after'], 's')} at {each['temperature']:g} K{kept}"
        rows.append(("aged", f"{units.percent(each['accuracy'])} {rest}"))
    for each in outcome.get("refreshes", ()):
        rows.append(("a refresh", _refresh(each)))
    for each in [outcome["written"]] if "written" in outcome else outcome.get("chips", ()):
        written = f"{units.count(each['pulses'], 'pulse')}, {units.text(each['energy_write'], 'J')}"
        rows.append((f"chip {each['seed']}", f"{units.percent(each['accuracy'])}, written by {written}"))
    if outcome.get("chips_alike"):
        rows.append(("", "the chips are alike: neither the tables nor `rule.update.spread` have a spread of devices"))
    if "weights" in outcome:
        rows.append(("weights", outcome["weights"]))
    return "\n".join(f"{name:<19} {text}" for name, text in rows)


def _refresh(each: dict[str, Any]) -> str:
    from rramkit import units

    cost = f"{units.text(each['energy'], 'J')}, {units.text(each['seconds'], 's')}"
    fired = f"{units.count(each['pulses'], 'pulse')} and {units.count(each['reads'], 'verify read')}"
    when = f"every {units.text(each['every'], 's')} at {each['temperature']:g} K"
    return f"{cost}, {fired}, {when}; {units.percent(each['accuracy'])} after it"


def _square(area: float) -> str:
    return f"{1e6 * area:.3g} mm2"


def _layer(layer: dict[str, Any]) -> str:
    from rramkit import units

    rows, columns = layer["shape"]
    cost = f"{units.text(layer['energy'], 'J')}, {units.text(layer['seconds'], 's')}"
    cost += f", {_square(layer['area'])}" if layer["area"] is not None else ""
    clamped = f", {units.count(layer['clamped'], 'value')} clamped" if layer["clamped"] else ""
    return f"{rows} x {columns}, {units.count(layer['cells'])} cells: {cost}{clamped}"
