"""An experiment as a person writes it: network, data, mapping, rule, optimiser, budget and seed; nothing of the device.

What the device does is the table file's to say; `tables` names it, relative to the experiment's own file.
"""

from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, field_validator

from rramkit.array.tile import ArrayModel
from rramkit.learning.data import DataSettings
from rramkit.learning.model import NetworkSettings
from rramkit.learning.optimisers import OptimiserSettings
from rramkit.learning.rules import MixedPrecisionSettings, RuleSettings, UpdateRule
from rramkit.learning.schedules import ScheduleSettings
from rramkit.parameters import Parameters, quantity
from rramkit.table import TableFile


class MappingSettings(Parameters):
    """How matrices lie in arrays."""

    wires: bool = quantity(True, "1", "whether array reads go through the wires of the table file")

    @classmethod
    def ideal(cls) -> Self:
        """Return the mapping without any non-ideality."""
        return cls(wires=False)

    def model(self, tables: TableFile) -> ArrayModel:
        """Return what every array shares."""
        return ArrayModel.from_tables(tables, wires=self.wires)


class Experiment(Parameters):
    """One training, whole."""

    name: str = Field(default="digits", description="what is tried", pattern=r"^[\w .,:()+=/-]{1,120}$")
    tables: str = quantity("tables.h5", "1", "table file, relative to the experiment's own file")
    network: NetworkSettings = NetworkSettings()
    data: DataSettings = DataSettings()
    mapping: MappingSettings = MappingSettings()
    rule: RuleSettings = Field(default=MixedPrecisionSettings(), description="what changes the weights")
    optimiser: OptimiserSettings = OptimiserSettings()
    schedule: ScheduleSettings = ScheduleSettings()
    epochs: int = quantity(25, "1", "epochs", ge=1, le=10_000)
    batch: int = quantity(32, "1", "inputs in a batch", ge=1, le=100_000)
    batches: int = quantity(0, "1", "batches of an epoch; 0: as many as the training set holds", ge=0, le=10_000_000)
    precision: Literal["float32", "float64"] = quantity("float32", "1", "type of all digital numbers")
    float_reference: bool = quantity(True, "1", "whether a float network of the same budget is trained beside it")
    seed: int = quantity(1, "1", "of the split, the initial weights, the batches and every draw", ge=0, le=2**62)
    sweep: dict[str, tuple[Any, ...]] = Field(
        default={}, description="values to try by dotted name of a setting, for `rramkit sweep`"
    )

    @field_validator("rule", mode="before")
    @classmethod
    def _kind_of_rule(cls, rule: object) -> object:
        return {"kind": "mixed_precision", **rule} if isinstance(rule, dict) else rule

    def built_rule(self, tables: TableFile) -> UpdateRule:
        """Return the update rule on the device of a table file."""
        return self.rule.built(tables, self.mapping.model(tables), self.optimiser.built())

    def tables_path(self, source: Path | None) -> Path:
        """Return where the table file lies, for an experiment read from `source`."""
        return Path(self.tables) if source is None else source.parent / self.tables
