"""An experiment as a person writes it: network, data, mapping, rule, optimiser, budget and seed; nothing of the device.

What the device does is the table file's to say; `tables` names it, relative to the experiment's own file.
"""

from pathlib import Path
from typing import Any, Self

from pydantic import Field, field_validator

from rramkit.array.mapping import MappingSettings
from rramkit.array.model import Precision
from rramkit.learning.data import DataSettings
from rramkit.learning.device import DeviceSettings
from rramkit.learning.model import NetworkSettings
from rramkit.learning.optimisers import OptimiserSettings
from rramkit.learning.rules import BoundRule, MixedPrecision, Rule
from rramkit.learning.schedules import ScheduleSettings
from rramkit.parameters import Parameters, quantity
from rramkit.table import TableFile


class Experiment(Parameters):
    """One training, whole."""

    name: str = Field(default="digits", description="what is tried", pattern=r"^[\w .,:()+=/-]{1,120}$")
    tables: str = quantity("tables.h5", "1", "table file, relative to the experiment's own file")
    network: NetworkSettings = NetworkSettings()
    data: DataSettings = DataSettings()
    device: DeviceSettings = DeviceSettings()
    mapping: MappingSettings = MappingSettings()
    rule: Rule = Field(default=MixedPrecision(), description="what changes the weights")
    optimiser: OptimiserSettings = OptimiserSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    epochs: int = quantity(25, "1", "epochs", ge=1, le=10_000)
    batch: int = quantity(32, "1", "inputs in a batch", ge=1, le=100_000)
    batches: int = quantity(0, "1", "batches of an epoch; 0: as many as the training set holds", ge=0, le=10_000_000)
    precision: Precision = quantity("float32", "1", "type of all digital numbers")
    float_reference: bool = quantity(True, "1", "whether a float network of the same budget is trained beside it")
    seed: int = quantity(1, "1", "of the split, the initial weights, the batches and every draw", ge=0, le=2**62)
    sweep: dict[str, tuple[Any, ...]] = Field(
        default={}, description="values to try by dotted name of a setting, for `rramkit sweep`"
    )

    @field_validator("rule", mode="before")
    @classmethod
    def _kind_of_rule(cls, rule: object) -> object:
        return {"kind": "mixed_precision", **rule} if isinstance(rule, dict) else rule

    def ideal(self) -> Self:
        """Return the experiment without any non-ideality of device, mapping and writes; the rule stays the rule."""
        parts = {"device": self.device.ideal(), "mapping": self.mapping.ideal(), "rule": self.rule.ideal()}
        return self.model_copy(update=parts)

    def built_rule(self, tables: TableFile) -> BoundRule:
        """Return the update rule on the device of a table file."""
        model = self.mapping.model(tables, self.precision)
        return self.rule.bind(tables, model, self.optimiser.built(), self.mapping.weights)

    def tables_path(self, source: Path | None) -> Path:
        """Return where the table file lies, for an experiment read from `source`."""
        return Path(self.tables) if source is None else source.parent / self.tables
