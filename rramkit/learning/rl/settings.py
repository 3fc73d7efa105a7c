"""Settings of deep Q-learning; the device is described by the table file alone."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator

from rramkit.array.read_model import Precision
from rramkit.learning.chip import Chip, ChipSettings, chip_of, of_then
from rramkit.learning.condition import OperatingTables
from rramkit.learning.mapping_settings import MappingSettings
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.optimisers import OptimiserSettings
from rramkit.learning.rl.environments import USUAL_REWARD
from rramkit.learning.rules import MixedPrecision, Rule
from rramkit.parameters import Parameters, quantity

_THEN = {"return_steps": 1, "rate_last": 1.0, "value_offset": 0.0}  # as every training had them before they were keys


class RlSettings(Parameters):
    """Environment, network, rule, budget, and update of the target network; `rl.train` runs it."""

    environment: Literal["CartPole-v1", "Acrobot-v1", "MinAtar/Breakout-v1"] = quantity(
        "CartPole-v1", "1", "environment"
    )
    network: NetworkSettings = NetworkSettings(hidden=(64,), bias="digital", reach=4.0)
    chip: ChipSettings = ChipSettings()
    mapping: MappingSettings = MappingSettings()
    rule: Rule = Field(default=MixedPrecision(threshold=0.03), description="update rule")
    optimiser: OptimiserSettings = OptimiserSettings(learning_rate=0.005)
    target: Literal["copy", "swap", "freeze"] = quantity("swap", "1", "how the target network is updated")
    target_every: int = quantity(16, "1", "batches between two updates of the target network", ge=1)
    steps: int = quantity(60_000, "1", "actions in training, at most", ge=1, le=10**9)
    batch: int = quantity(512, "1", "transitions in a batch", ge=1, le=100_000)
    collect: int = quantity(256, "1", "actions between two rounds of training", ge=1)
    batches: int = quantity(32, "1", "batches in a round of training", ge=1)
    rate_last: float = quantity(
        0.2, "1", "learning rate after `steps` actions over the first; it falls in a straight line", gt=0.0, le=1.0
    )
    warm_up: int = quantity(1000, "1", "actions before the first round of training", ge=1)
    replay: int = quantity(100_000, "1", "transitions in the replay memory", ge=1, le=10**8)
    discount: float = quantity(0.99, "1", "discount factor gamma", ge=0.0, lt=1.0)
    return_steps: int = quantity(5, "1", "actions whose rewards are summed before a value is taken, n", ge=1, le=1000)
    double: bool = quantity(True, "1", "whether the online network picks the action that the target network values")
    exploration: float = quantity(0.02, "1", "fraction of `steps` over which random actions decrease", gt=0.0, le=1.0)
    chance_last: float = quantity(0.1, "1", "fraction of random actions after that", ge=0.0, le=1.0)
    value_scale: float = quantity(40.0, "1", "difference of action values that an output of one stands for", gt=0.0)
    value_offset: float | None = quantity(
        None,
        "1",
        "action value that an output of zero stands for; left out: that of an episode that never ends, r / (1 - gamma)",
    )
    judge_every: int = quantity(1, "1", "rounds of training between two evaluations", ge=1)
    judge_episodes: int = quantity(10, "1", "episodes of an evaluation, without random actions", ge=1)
    goal: float | None = quantity(
        490.0, "1", "mean return of two evaluations, the second three times as long, at which training stops"
    )
    final_episodes: int = quantity(100, "1", "episodes of the final evaluation", ge=1)
    checkpoint_every: int = quantity(
        2000, "1", "actions between two checkpoints, each at the end of an episode", ge=1, le=10**9
    )
    precision: Precision = quantity("float32", "1", "type of all digital numbers")
    seed: int = quantity(1, "1", "seed of weights, environment, random actions and batches", ge=0, le=2**31)

    @classmethod
    def of_run(cls, settings: Mapping[str, object]) -> "RlSettings":
        """Return the settings of a run file; what it does not say is as its training had it, not today's default."""
        return cls.checked(_THEN | of_then(settings), where="the run file")

    @field_validator("network", "optimiser", mode="before")
    @classmethod
    def _on_top_of_default(cls, given: object, info: ValidationInfo) -> object:
        """Lay a group that is given in part over its default here, which is not that of the group's own class."""
        if not isinstance(given, dict):
            return given
        default = cls.model_fields[str(info.field_name)].default
        return default.model_dump(exclude_unset=True) | given

    @field_validator("rule", mode="before")
    @classmethod
    def _kind_of_rule(cls, rule: object) -> object:
        """Lay a rule that is given in part over the default here; another kind has the defaults of its own class.

        So has a mode of writing (`write`): the threshold goes with it.
        """
        if isinstance(rule, str):
            return {"kind": rule}
        if not isinstance(rule, dict):
            return rule
        given = {"kind": "mixed_precision", **rule}
        if given["kind"] != "mixed_precision" or "write" in given:
            return given
        return cls.model_fields["rule"].default.model_dump(exclude_unset=True) | given

    @model_validator(mode="after")
    def _complete(self) -> "RlSettings":
        if self.replay < self.warm_up:
            raise ValueError(f"replay must be at least warm_up = {self.warm_up}; got {self.replay}")
        if self.warm_up < self.return_steps:
            raise ValueError(
                f"warm_up must be at least return_steps = {self.return_steps}, after which the first transition is "
                f"stored; got {self.warm_up}"
            )
        return self

    @property
    def offset(self) -> float:
        """Action value (reward) of an output of zero: `value_offset`, or that of an episode that never ends."""
        if self.value_offset is not None:
            return self.value_offset
        gamma = Fraction(str(self.discount))  # as it was typed: 100 for 0.99, to the last bit
        return float(Fraction(USUAL_REWARD[self.environment]) / (1 - gamma))

    def on(self, tables: OperatingTables | None) -> Chip | None:
        """Return the chip of tables at the settings' operating points; None in float."""
        return None if tables is None else chip_of(tables, self.chip, mapping=self.mapping, rule=self.rule)
