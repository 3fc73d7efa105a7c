"""Settings of one supervised training: network, data, mapping, rule, optimiser, budget and seed.

The device is described by the table file alone; `tables` names it, relative to the experiment's own file.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator

from rramkit.array.backend import Backend
from rramkit.array.model import ArrayModel, Precision
from rramkit.array.read_model import LARGEST
from rramkit.array.stages.chain import ReadChain
from rramkit.learning.data import DataSettings
from rramkit.learning.device import DeviceSettings
from rramkit.learning.model import NetworkSettings
from rramkit.learning.optimisers import OptimiserSettings
from rramkit.learning.rules import MixedPrecisionSettings, RuleSettings, UpdateRule
from rramkit.learning.schedules import ScheduleSettings
from rramkit.parameters import Parameters, quantity
from rramkit.table import TableFile


class MappingSettings(Parameters):
    """Mapping of matrices to arrays."""

    wires: bool = quantity(True, "1", "whether array reads go through the wires of the table file")
    read: ReadChain = ReadChain()
    rows: int = quantity(0, "1", "rows of the largest array; 0: what the wires were checked on", ge=0, le=65_536)
    columns: int = quantity(0, "1", "physical columns of it, two a weight; 0: the same", ge=0, le=65_536)
    wires_within: float = quantity(
        5e-4,
        "1",
        "relative change of a line's current that writes may make until its wires are solved anew",
        ge=0.0,
        le=0.1,
    )
    backend: Backend = quantity(
        "numpy", "1", "what computes array reads: numpy, or torch (extra `torch`), on all cores or on CUDA"
    )
    device: str = Field(
        default="cpu", description="of the backend torch: cpu, cuda, cuda:1", pattern=r"^(cpu|cuda(:\d+)?)$"
    )
    margin: float = quantity(
        2.0, "1", "full scale of converters without `i_high`, over the largest current of a first batch", gt=0, le=100
    )

    def ideal(self) -> Self:
        """Return the mapping without any non-ideality."""
        return self.model_copy(update={"wires": False, "read": ReadChain()})

    @property
    def calibrates(self) -> bool:
        """Whether the ADCs' full scale is set by a first batch."""
        return self.read.calibrates

    def model(self, tables: TableFile, precision: Precision) -> ArrayModel:
        """Return what every array shares."""
        model = ArrayModel.from_tables(tables, wires=self.wires, chain=self.read)
        wires = model.wires
        most = LARGEST if wires is None else (wires.rows_max, wires.cols_max)
        largest = (self.rows or most[0], self.columns or most[1])
        return replace(
            model,
            largest=largest,
            precision=precision,
            backend=self.backend,
            device=self.device,
            wires_within=self.wires_within,
        )


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
    rramkit.errors.InputError: Experiment: `hidden` is not a known key. Known here: ... Did you mean `network.hidden`?
    """

    name: str = Field(default="digits", description="name of the experiment", pattern=r"^[\w .,:()+=/-]{1,120}$")
    tables: str = quantity("tables.h5", "1", "table file, relative to the experiment's own file")
    network: NetworkSettings = NetworkSettings()
    data: DataSettings = DataSettings()
    device: DeviceSettings = DeviceSettings()
    mapping: MappingSettings = MappingSettings()
    rule: RuleSettings = Field(default=MixedPrecisionSettings(), description="update rule of the weights")
    optimiser: OptimiserSettings = OptimiserSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    epochs: int = quantity(25, "1", "epochs", ge=1, le=10_000)
    batch: int = quantity(32, "1", "inputs in a batch", ge=1, le=100_000)
    batches: int = quantity(0, "1", "batches of an epoch; 0: as many as the training set holds", ge=0, le=10_000_000)
    precision: Precision = quantity("float32", "1", "type of all digital numbers")
    float_reference: bool = quantity(True, "1", "whether a float network of the same budget is trained beside it")
    seed: int = quantity(1, "1", "seed of the split, the initial weights, the batches and the device", ge=0, le=2**62)
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

    def ideal(self) -> Self:
        """Return the experiment without any non-ideality of device, mapping and writes; the update rule is the same."""
        parts = {"device": self.device.ideal(), "mapping": self.mapping.ideal(), "rule": self.rule.ideal()}
        return self.model_copy(update=parts)

    def built_rule(self, tables: TableFile) -> UpdateRule:
        """Return the update rule on the device of a table file."""
        return self.rule.built(tables, self.mapping.model(tables, self.precision), self.optimiser.built())

    def tables_path(self, source: Path | None) -> Path:
        """Return the path of the table file, for an experiment read from `source`."""
        return Path(self.tables) if source is None else source.parent / self.tables
