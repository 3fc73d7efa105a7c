"""A network with the inputs that it is evaluated on: of a run file, or of weights that are written for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rramkit import record, table
from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.selected_matrix import SelectedMatrix
from rramkit.array.write.ageing import RetentionParams
from rramkit.cli.options import parameters
from rramkit.cli.progress import stage
from rramkit.cost import Assumptions
from rramkit.cost.area import CircuitArea, Tiles, tile_items, tiles_read
from rramkit.cost.network_ends import ends_of
from rramkit.errors import InputError
from rramkit.learning.cells import leaves
from rramkit.learning.chip import of_then, stored_tables
from rramkit.learning.condition import OperatingTables
from rramkit.learning.continued import plain_of, same_cells
from rramkit.learning.correction import corrected
from rramkit.learning.data import DataSet
from rramkit.learning.data.functions import FUNCTIONS
from rramkit.learning.data.own import npz_arrays
from rramkit.learning.data.settings import DataSettings
from rramkit.learning.evaluate import (
    Evaluation,
    LayerCost,
    accuracy_in_float,
    aged,
    analog_activations,
    evaluate,
    read_anew,
    refreshed,
    rewritten,
    tuned,
    varied,
)
from rramkit.learning.experiment import Experiment
from rramkit.learning.layers import Clustered
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.state_dict import PlainWeights, from_state_dict
from rramkit.learning.train import refuse_other_data
from rramkit.learning.trained import TrainedNetwork

CORRECTED_BY = 32
"""Training inputs (1) that correct the outputs of weights from elsewhere: gains to a percent in a dense layer too."""


@dataclass(frozen=True)
class Rests:
    """How cells age before an evaluation.

    Attributes
    ----------
    ages : sequence of (float, float)
        Time (s) and temperature (K) of each rest.
    refresh : float
        Time from one refresh to the next (s); 0: none.
    pairs : sequence of str
        `key=value` on top of the law of the drift.
    anew : bool
        Whether outputs are corrected anew after each rest.
    """

    ages: Sequence[tuple[float, float]] = ()
    refresh: float = 0.0
    pairs: Sequence[str] = ()
    anew: bool = False


class Subject:
    """A network with the inputs that it is evaluated on.

    Attributes
    ----------
    network : TrainedNetwork
        On its chip, its outputs corrected where that is wanted.
    experiment, operating : Experiment, OperatingTables or None
        Settings, and the tables of its cells; None in float.
    data : DataSet
        The inputs.
    plain : PlainWeights
        The weights that its cells are to stand for.
    correct : int
        Training inputs that correct its outputs; 0: no correction.
    """

    def __init__(
        self,
        experiment: Experiment,
        operating: OperatingTables | None,
        data: DataSet,
        plain: PlainWeights,
        correct: int,
    ) -> None:
        self.experiment, self.operating, self.data, self.plain = experiment, operating, data, plain
        self.x, self.labels = data.x_test, data.y_test
        self.correct, self.reads = correct, 1
        self.said: dict[str, Any] = {}
        self.network: TrainedNetwork

    def outcome(self, rests: Rests, chips: range, spreads: Sequence[float] = ()) -> dict[str, Any]:
        """Return accuracies and costs under every condition."""
        stage("test inputs")
        fresh = self._evaluated(self.network)
        if "written" in self.said:
            self.said["written"] |= _quality(fresh)
        outcome: dict[str, Any] = {
            "data": self.data.name,
            "inputs": len(self.labels),
            **_quality(fresh),
            "energy": fresh.energy,
            "seconds": fresh.seconds,
            "layers": [_told(layer, area) for layer, area in zip(fresh.layers, self._areas(), strict=True)],
            **({"reads": self.reads} if self.reads > 1 else {}),
            **self._of_function(fresh),
            **self._interface(fresh),
            **self.said,
        }
        layers = enumerate(self.network.network.chain.layers)
        sparse = [{"name": str(at), **layer.layout} for at, layer in layers if isinstance(layer, Clustered)]
        outcome |= {"clusters": sparse} if sparse else {}
        if rests.ages:
            outcome |= self._aged(rests, seed=chips.start)
        elif rests.pairs:
            raise InputError("`--set` changes the law of the drift: name a time with `--after SECONDS`.")
        if spreads:
            outcome["spreads"] = [self._varied(sigma, seed=chips.start) for sigma in spreads]
        if chips:
            outcome |= self._on_chips(chips)
        return outcome

    def _interface(self, fresh: Evaluation) -> dict[str, Any]:
        """Return area and energy of the ends of a network that answers by numbers, where its tables have them."""
        if self.operating is None or fresh.errors is None:
            return {}
        circuits = _circuits(self.operating)
        found = ends_of(self.network, fresh.layers, self.operating.read, circuits, reads=self.reads)
        return {} if found is None else {"interface": vars(found)}

    def _of_function(self, fresh: Evaluation) -> dict[str, Any]:
        """Return the work of the function that the network replaces, and of that for each joule."""
        settings = self.experiment.data
        if self.data.name != f"function {settings.function}":
            return {}
        operations = FUNCTIONS[settings.function].operations
        activations = self.reads * analog_activations(self.network.network, fresh.layers)
        whole = fresh.energy + activations
        return {"function": {"operations": operations, "activations": activations, "per_joule": operations / whole}}

    def _evaluated(self, network: TrainedNetwork) -> Evaluation:
        return evaluate(network, self.x, self.labels, loss=self.experiment.loss, reads=self.reads)

    def written(self, seed: int) -> tuple[TrainedNetwork, dict[str, Any]]:
        """Return the weights on a chip, its outputs corrected where that is wanted, and what is printed of that."""
        if self.operating is None:
            raise InputError("the run is in float: it has no cells to write. Leave `--chips` out.")
        first, labels = self.data.x_train, self.data.y_train
        stage(f"chip of seed {seed}")
        network, cost = rewritten(
            self.experiment, self.operating, self.plain, first, labels, input_shape=self.data.shape, seed=seed
        )
        window = getattr(getattr(self.experiment.rule, "verify", None), "window", 0.0)
        share = tuned(network, self.plain.weights, window=window) if window else None
        within = {} if share is None else {"window": window, "tuned": share}
        network, of_correction = self.with_correction(network)
        said = {"seed": seed, "energy_write": cost.energy, "pulses": cost.pulses, **within}
        return network, said | of_correction

    def with_correction(self, network: TrainedNetwork) -> tuple[TrainedNetwork, dict[str, Any]]:
        """Return a network with outputs corrected by the first training inputs, and what is printed of that."""
        if not self.correct:
            return network, {}
        first = self.data.x_train[: self.correct]
        stage("correction of outputs")
        network, cost = corrected(network, self.plain.weights, first, batch=self.experiment.batch)
        return network, {"correction": {"inputs": len(first), "energy": cost.energy, "seconds": cost.seconds}}

    def read_anew(self, layers: Sequence[str]) -> None:
        """Give single layers other settings; the cells stay as they are."""
        if self.operating is None or not isinstance(self.experiment, Experiment):
            raise InputError("`--layer` is for cells: the run has none. Leave it out.")
        self.experiment = parameters(Experiment, None, list(layers), base=self.experiment.model_dump(mode="json"))
        names = list(dict.fromkeys(each.removeprefix("mapping.layers.").partition(".")[0] for each in layers))
        first, labels = self.data.x_train, self.data.y_train
        self.network = read_anew(self.experiment, self.operating, self.network, first, labels, layers=names)
        self.said["by_layer"] = [each.removeprefix("mapping.layers.") for each in layers]

    def _on_chips(self, chips: range) -> dict[str, Any]:
        """Return the accuracy on other chips, and whether they are alike."""
        told, networks = [], []
        for seed in chips:
            network, said = self.written(seed)
            said |= _quality(self._evaluated(network))
            told.append(said)
            networks = [*networks, network][:2]
        return {"chips": told, "chips_alike": len(networks) > 1 and same_cells(*networks)}

    def _aged(self, rests: Rests, *, seed: int) -> dict[str, Any]:
        """Return the accuracy after each rest, and what refreshes cost."""
        law, rows = self._retention(rests.pairs), []
        for seconds, kelvin in rests.ages:
            stage(f"test inputs after {seconds:g} s at {kelvin:g} K")
            older = aged(self.network, seconds, t_cell=kelvin, retention=law, refresh=rests.refresh, seed=seed)
            older, said = self.with_correction(older) if rests.anew else (older, {})
            found = self._evaluated(older)
            row = {"after": seconds, "temperature": kelvin, "refresh": rests.refresh}
            rows.append(row | _quality(found) | said)
        outcome: dict[str, Any] = {"retention": law.model_dump(mode="json"), "aged": rows}
        if rests.refresh:
            kelvins = dict.fromkeys(kelvin for _, kelvin in rests.ages)
            outcome["refreshes"] = [self._refresh(rests.refresh, kelvin, law, seed=seed) for kelvin in kelvins]
        return outcome

    def _varied(self, sigma: float, *, seed: int) -> dict[str, Any]:
        """Return the accuracy with cells that spread."""
        stage(f"test inputs with a spread of {sigma:g}")
        network = varied(self.network, sigma, seed=seed)
        return {"sigma": sigma, "seed": seed} | _quality(self._evaluated(network))

    def _areas(self) -> list[dict[str, float] | None]:
        """Return the area of the tiles of each matrix by circuit (m2); None where the circuits are not at hand."""
        matrices = self.network.params.matrices
        circuits = _circuits(self.operating)
        if not circuits:
            return [None] * len(matrices)
        tiles = [_tiles(str(i), each) for i, matrix in enumerate(matrices) for each in leaves(matrix)]
        items = tile_items(tiles, Assumptions(), circuits)
        return [{item.part: item.area for item in items if item.layer == str(index)} for index in range(len(matrices))]

    def _refresh(self, seconds: float, kelvin: float, law: RetentionParams, *, seed: int) -> dict[str, Any]:
        """Return what one refresh after a rest costs, and the accuracy after it."""
        assert self.operating is not None
        older = aged(self.network, seconds, t_cell=kelvin, retention=law, seed=seed)
        network, cost = refreshed(self.experiment, self.operating, self.network, older, seed=seed)
        return {
            "every": seconds,
            "temperature": kelvin,
            "accuracy": self._evaluated(network).accuracy,
            "pulses": cost.pulses,
            "reads": cost.reads,
            "energy": cost.energy,
            "seconds": cost.seconds,
        }

    def _retention(self, pairs: Sequence[str]) -> RetentionParams:
        """Return the run's own law of drift, or the kit's, with `key=value` pairs on top."""
        update = getattr(self.experiment.rule, "update", None)
        own = getattr(update, "retention", None) or RetentionParams()
        changed = parameters(RetentionParams, None, list(pairs)).model_dump(exclude_unset=True)
        return RetentionParams.checked(own.model_dump() | changed, where="--set")


def of_run(path: Path, data: Path | None, layers: Sequence[str], *, correct: int) -> Subject:
    """Return the network of a run file, single layers read anew where `layers` has settings for them."""
    run = record.load(path)
    settings = Experiment.checked(of_then(run.settings), where=str(path))
    network = run.network
    assert run.stored_network is not None and isinstance(network, TrainedNetwork)
    found = _data(settings, data)
    if data is None:
        refuse_other_data(run, found, where=str(path), cure="Name the inputs that you mean: `--data NPZ`.")
    subject = Subject(settings, stored_tables(run.stored_network), found, plain_of(network), correct)
    subject.network = network
    if layers:
        subject.read_anew(layers)
    if correct and subject.operating is None:
        raise InputError("the run is in float: its outputs are exact. Leave `--correct` out.")
    subject.network, said = subject.with_correction(subject.network)
    subject.said |= said
    return subject


def of_weights(
    weights: Path,
    experiment: Path,
    tables: Path | None,
    data: Path | None,
    layers: Sequence[str],
    *,
    correct: int,
    seed: int,
) -> Subject:
    """Return weights trained elsewhere, written into the cells of a table file."""
    settings = parameters(Experiment, experiment, list(layers))
    operating = settings.chip.tables(table.load(tables or settings.tables_path(experiment)))
    found = _data(settings, data)
    of_file: dict[str, Any] = {}
    if weights.suffix.lower() == ".onnx":
        settings, arrays, of_file = _of_onnx(weights, settings, found)
    else:
        arrays = npz_arrays(weights)
    network = Network.of(settings.network, found.shape, settings.loss.outputs(found.classes))
    rule, dtype = settings.rule_on(settings.on(operating), network), np.dtype(settings.precision)
    if rule.device is None:
        raise InputError(
            f'{experiment}: `rule.kind` is "float": weights are not in cells. Take a rule that writes cells.'
        )
    plain = from_state_dict(network, arrays, w_max=rule.limits(len(network.matrices)), dtype=dtype)
    subject = Subject(settings, operating, found, plain, correct)
    in_float = accuracy_in_float(plain, subject.x, subject.labels, dtype=dtype, loss=settings.loss)
    subject.network, told = subject.written(seed)
    changed = {mine: theirs for mine, theirs in plain.names.items() if mine != theirs}
    subject.said |= {"float_accuracy": in_float, "written": told, **of_file, **({"names": changed} if changed else {})}
    return subject


def _quality(found: Evaluation) -> dict[str, Any]:
    """Return the accuracy, and of targets the relative errors."""
    errors = {} if found.errors is None else {"errors": vars(found.errors)}
    return {"accuracy": found.accuracy, **errors}


def _of_onnx(
    path: Path, settings: Experiment, data: DataSet
) -> tuple[Experiment, Mapping[str, np.ndarray], dict[str, Any]]:
    """Return an experiment with the network of an ONNX file, its weights, and what is printed of them."""
    from rramkit.learning import onnx_file  # an optional extra

    if "network" in settings.model_fields_set:
        raise InputError(f"{path}: describes its network itself. Remove `network` from the experiment.")
    found = onnx_file.read(path, data.shape)
    settings = settings.model_copy(update={"network": NetworkSettings(layers=found.layers)})
    kinds = [each.kind for each in found.layers]
    return settings, found.arrays, {"network": kinds, "left_out": list(found.left_out)}


def _told(layer: LayerCost, areas: Mapping[str, float] | None) -> dict[str, Any]:
    """Return what is printed of a layer: its cost, and the area of its tiles."""
    return vars(layer) | {"area": None if areas is None else sum(areas.values()), "areas": areas}


def _tiles(layer: str, matrix: MappedMatrix) -> Tiles:
    if isinstance(matrix, SelectedMatrix):
        shape = (int(matrix.g_cell.shape[-2]), matrix.outputs)
        return Tiles.selected(layer, matrix.sei, shape, matrix.model.largest_array, copies=1)
    return tiles_read(layer, matrix.tile)


def _circuits(operating: OperatingTables | None) -> Mapping[str, CircuitArea]:
    """Return the areas of the circuits of tables; none where they, or what draws them, are not at hand."""
    if operating is None:
        return {}
    try:
        from rramkit.characterization.areas import circuit_areas

        return circuit_areas(operating.read.provenance)
    except (ImportError, InputError):  # without PySpice, or with models of the user's that are not named
        return {}


def _data(settings: Experiment, path: Path | None) -> DataSet:
    if path is not None:
        own = {"name": "npz", "file": str(path), "train_images": 0, "test_images": 0}
        kept = settings.data.model_dump(exclude={"function"}) | own
        found = DataSettings.checked(kept, where="--data").loaded(seed=settings.seed)
    else:
        found = _of_settings(settings)
    settings.loss.check(has_targets=found.has_targets)
    return found


def _of_settings(settings: Experiment) -> DataSet:
    """Return the data that an experiment names; a file of the user's may be gone, or named from another folder."""
    file = Path(settings.data.file).expanduser()
    if settings.data.name == "npz" and not file.exists():
        raise InputError(f"{file}: the data are not there, seen from {Path.cwd()}. Name them: `--data NPZ`.")
    return settings.data.loaded(seed=settings.seed)
