"""Settings of one supervised training: network, data, mapping, rule, optimiser, budget and seed.

The device is described by the table file alone; `tables` names it, relative to the experiment's own file.
"""

import itertools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from rramkit.array.read_model import Precision
from rramkit.errors import InputError
from rramkit.learning.by_layer import rule_on_network
from rramkit.learning.chip import Chip, ChipSettings, chip_of, rule_on
from rramkit.learning.condition import OperatingTables
from rramkit.learning.data import DataSettings
from rramkit.learning.device import DeviceSettings
from rramkit.learning.losses import CrossEntropy, Loss
from rramkit.learning.mapping_settings import MappingSettings
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.optimisers import OptimiserSettings
from rramkit.learning.rules import BoundRule, MixedPrecision, Rule
from rramkit.learning.schedules import ScheduleSettings
from rramkit.learning.spiking import SpikingSettings
from rramkit.parameters import Parameters, current_path, quantity
from rramkit.table import TableFile


class PretrainSettings(Parameters):
    """Training in float before the first weights are written, of both networks; not where a run is gone on from."""

    epochs: int = quantity(0, "1", "epochs in float before the cells are written", ge=0, le=10_000)
    rate: float = quantity(1.0, "1", "their learning rate over `optimiser.learning_rate`, falling by a cosine", gt=0.0)

    @model_validator(mode="after")
    def _counts(self) -> Self:
        if "rate" in self.model_fields_set and not self.epochs:
            raise ValueError("rate needs epochs of pretraining; got none. Set `pretrain.epochs`, or leave rate out")
        return self


class Experiment(Parameters):
    """Settings of one supervised training; `train` runs it.

    Every field has a default, and nested groups may be given as dictionaries. An unknown key, or a value out of bounds,
    raises `InputError`.

    Examples
    --------
    >>> from rramkit.learning import Experiment
    >>> experiment = Experiment(network={"hidden": [32]}, rule="sign", epochs=5)
    >>> experiment.network.hidden, experiment.rule.kind
    ((32,), 'sign')
    >>> Experiment(hidden=[32])
    Traceback (most recent call last):
    rramkit.errors.InputError: Experiment: `hidden` is not a known key. Keys: ... Did you mean `network.hidden`?
    """

    unsaid: ClassVar[tuple[str, ...]] = ("loss", "pretrain", "spiking")

    name: str = Field(default="digits", description="name of the experiment", pattern=r"^[\w .,:()+=/-]{1,120}$")
    tables: str = quantity("tables.h5", "1", "table file, relative to the experiment's own file")
    network: NetworkSettings = NetworkSettings()
    data: DataSettings = DataSettings()
    loss: Loss = Field(default=CrossEntropy(), description="what the training makes small")
    chip: ChipSettings = ChipSettings()
    device: DeviceSettings = DeviceSettings()
    mapping: MappingSettings = MappingSettings()
    rule: Rule = Field(default=MixedPrecision(), description="update rule of the weights")
    optimiser: OptimiserSettings = OptimiserSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    epochs: int = quantity(25, "1", "epochs", ge=1, le=10_000)
    batch: int = quantity(32, "1", "inputs in a batch", ge=1, le=100_000)
    batches: int = quantity(0, "1", "batches of an epoch; 0: as many as the training set holds", ge=0, le=10_000_000)
    pretrain: PretrainSettings = PretrainSettings()
    precision: Precision = quantity("float32", "1", "type of all digital numbers")
    float_reference: bool = quantity(True, "1", "whether a float network of the same budget is trained beside it")
    seed: int = quantity(1, "1", "seed of the split, the initial weights, the batches and the device", ge=0, le=2**62)
    spiking: SpikingSettings = SpikingSettings()
    sweep: dict[str, tuple[Any, ...]] = Field(
        default={}, description="values by dotted name of a setting, for `rramkit sweep`"
    )

    @field_validator("rule", mode="before")
    @classmethod
    def _kind_of_rule(cls, rule: object) -> object:
        """Return a rule given by its kind alone as a group; a group without a kind is mixed precision."""
        if isinstance(rule, str):
            return {"kind": rule}
        return {"kind": "mixed_precision", **rule} if isinstance(rule, dict) else rule

    @field_validator("loss", mode="before")
    @classmethod
    def _kind_of_loss(cls, loss: object) -> object:
        """Return a loss given by its kind alone as a group; a group without a kind is the cross-entropy."""
        if isinstance(loss, str):
            return {"kind": loss}
        return {"kind": "cross_entropy", **loss} if isinstance(loss, dict) else loss

    @field_validator("sweep", mode="before")
    @classmethod
    def _by_dotted_name(cls, sweep: object) -> object:
        """Return values by dotted name where groups are nested, and lists where they are typed as `1,2`."""
        return dict(_swept(sweep, "")) if isinstance(sweep, dict) else sweep

    def on(self, tables: OperatingTables) -> Chip:
        """Return the chip of tables at the experiment's operating points: their stages, less those that are off.

        Parameters
        ----------
        tables : OperatingTables
            As `chip.tables(file)` gives them.

        Returns
        -------
        Chip
            Stages of reads and writes, each with the source of its numbers.

        Raises
        ------
        InputError
            When a stage is typed and off, or a typed number is the file's without `chip.override`.
        TableError
            When a stage's table lacks a signal or a condition.

        Examples
        --------
        >>> from rramkit.learning import Experiment
        >>> from rramkit.table.example import example
        >>> experiment = Experiment()
        >>> chip = experiment.on(experiment.chip.tables(example()))
        >>> [source.stage for source in chip.sources if source.from_table]
        ['cell current', 'pulses', 'wires']
        """
        return chip_of(tables.mapped(self.device.applied), self.chip, mapping=self.mapping, rule=self.rule)

    def ideal(self) -> Self:
        """Return the experiment without any non-ideality of device, mapping and writes; the update rule is the same.

        Returns
        -------
        Experiment
            The ideal reference of an ablation.

        Examples
        --------
        >>> from rramkit.learning import Experiment
        >>> Experiment(rule={"kind": "sign", "verify": {"sigma_read": 0.01}}).ideal().rule.verify.sigma_read
        0.0
        """
        chip = self.chip.model_copy(update={"ideal_periphery": True, "off": (), "override": False})
        parts = {
            "device": self.device.ideal(),
            "mapping": self.mapping.ideal(),
            "rule": self.rule.ideal(),
            "chip": chip,
        }
        return self.model_copy(update=parts)

    def built_rule(self, tables: TableFile) -> BoundRule:
        """Return the update rule on the chip of a table file, at the experiment's operating points.

        Parameters
        ----------
        tables : TableFile
            Tables `read`, `set`, `reset` and, unless they are off, `wires` and those of other stages.

        Returns
        -------
        BoundRule
            The rule with cells, mapping and optimiser: `init` and `step` change weights.

        Raises
        ------
        TableError
            When the file lacks a table, a signal or a condition.
        InputError
            When the rule cannot write the mapping.

        Examples
        --------
        >>> from rramkit.learning import Experiment
        >>> from rramkit.table.example import example
        >>> type(Experiment(rule="sign").built_rule(example())).__name__
        'BoundRule'
        """
        return self.rule_on(self.on(self.chip.tables(tables)))

    def rule_on(self, chip: Chip, network: Network | None = None) -> BoundRule:
        """Return the update rule on a chip.

        Parameters
        ----------
        chip : Chip
            The chip that it writes.
        network : Network, optional
            The network, whose layers may have settings of their own (`mapping.layers`).

        Returns
        -------
        BoundRule
            The rule with this experiment's mapping, optimiser and precision.

        Raises
        ------
        InputError
            When the rule cannot write the mapping, or settings of a layer do not fit it or the network.

        Examples
        --------
        >>> from rramkit.learning import Experiment
        >>> from rramkit.table.example import example
        >>> experiment = Experiment(rule="sign")
        >>> type(experiment.rule_on(experiment.on(experiment.chip.tables(example())))).__name__
        'BoundRule'
        """
        optimiser = self.optimiser.built()
        rule, mapping, precision = self.rule, self.mapping, self.precision
        if network is not None:
            on = (chip, network, self.chip)
            return rule_on_network(*on, rule=rule, mapping=mapping, optimiser=optimiser, precision=precision)
        return rule_on(chip, rule=rule, mapping=mapping, optimiser=optimiser, precision=precision)

    def tables_path(self, source: Path | None) -> Path:
        """Return the path of the table file, for an experiment read from `source`.

        Parameters
        ----------
        source : Path or None
            The experiment's own file; None: an experiment without one.

        Returns
        -------
        Path
            `tables`, relative to that file.

        Examples
        --------
        >>> from pathlib import Path
        >>> from rramkit.learning import Experiment
        >>> Experiment().tables_path(Path("runs/digits.toml")).as_posix()
        'runs/tables.h5'
        """
        return Path(self.tables) if source is None else source.parent / self.tables


def grid(experiment: Experiment) -> list[tuple[str, Experiment]]:
    """Return every combination of the sweep's values, with a text such as `rule.threshold=0.1 seed=2`.

    Parameters
    ----------
    experiment : Experiment
        Its `sweep` has the values by dotted name of a setting.

    Returns
    -------
    list of (str, Experiment)
        Text and experiment of each combination.

    Raises
    ------
    InputError
        When a name is no setting or a value does not fit.

    Examples
    --------
    >>> from rramkit.learning import Experiment
    >>> [label for label, _ in grid(Experiment(sweep={"seed": [1, 2]}))]
    ['seed=1', 'seed=2']
    """
    names, combinations = list(experiment.sweep), []
    for name in names:
        if name.split(".")[0] == "spiking":
            raise InputError(f"`sweep` has `{name}`, that changes no training. Set it in `rramkit evaluate --spiking`.")
    for values in itertools.product(*experiment.sweep.values()):
        settings = experiment.model_dump(exclude_unset=True, exclude={"sweep"})
        for name, value in zip(names, values, strict=True):
            put(settings, current_path(Experiment, name), value)
        label = " ".join(f"{name}={_text(value)}" for name, value in zip(names, values, strict=True))
        combinations.append((label or "as it is", Experiment.checked(settings, where=f"sweep, {label}")))
    return combinations


def _swept(values: Mapping[str, Any], group: str) -> Iterator[tuple[str, Any]]:
    """Yield dotted name and values of each setting that a sweep names, whichever way."""
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _swept(value, f"{group}{name}.")
        elif isinstance(value, str) and "," in value:
            yield f"{group}{name}", [_typed(part.strip()) for part in value.split(",")]
        else:
            yield f"{group}{name}", value


def _typed(text: str) -> object:
    """Return the number or truth value that a word stands for, else the word."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def put(settings: dict[str, Any], name: str, value: object) -> None:
    """Put a value at a dotted name into nested settings; raise `InputError` where that is no group."""
    *path, last = name.split(".")
    for part in path:
        settings = settings.setdefault(part, {})
        if not isinstance(settings, dict):
            raise InputError(f"`sweep`: `{part}` in `{name}` is a value, not a group. Remove what follows the dot.")
    settings[last] = value


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)
