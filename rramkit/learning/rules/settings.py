"""The update rules as a person chooses them: settings with a `kind`, each of which builds one rule on a table file."""

from dataclasses import replace
from typing import Annotated, Literal, Self

from pydantic import Field

from rramkit.array.model import ArrayModel
from rramkit.array.write.pulse import Writer
from rramkit.array.write.update import UpdateParams
from rramkit.array.write.write_verify import VerifyParams, WriteVerify
from rramkit.learning.optimisers import Optimiser
from rramkit.learning.rules.bank import Bank, Placement, Way
from rramkit.learning.rules.float import FloatReference
from rramkit.learning.rules.mixed_precision import MixedPrecision
from rramkit.learning.rules.open_loop import Knows, OpenLoop
from rramkit.learning.rules.outer_product import Coincidences, OuterProduct, Trains
from rramkit.learning.rules.pulse_counts import EqualPulses
from rramkit.learning.rules.row_sparse import RowSparse
from rramkit.learning.rules.rule import UpdateRule
from rramkit.learning.rules.sign import Sign
from rramkit.learning.rules.threshold import Threshold
from rramkit.learning.rules.tiki_taka import TikiTaka
from rramkit.learning.rules.write_verify import WriteVerifyRule
from rramkit.parameters import Parameters, quantity
from rramkit.table import TableFile


class FloatSettings(Parameters):
    """Weights in memory: the reference."""

    kind: Literal["float"] = quantity("float", "1", "weights in memory")

    def g_range(self, tables: TableFile) -> tuple[float, float]:
        """Return the conductances that cells may have (S); there are none."""
        return (0.0, 1.0)

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule; it asks nothing of the tables."""
        return FloatReference(optimiser)

    def ideal(self) -> Self:
        """Return the settings without any non-ideality; there is none."""
        return self


class BankSettings(Parameters):
    """The cells that a rule writes to, and how first weights and targets are reached; a weight of one is the range."""

    update: UpdateParams = UpdateParams()
    verify: VerifyParams = VerifyParams(start="table")
    start: Way = quantity("pulse", "1", "how first weights are written: pulse, verify or error")
    centre: float = quantity(
        0.4, "1", "where in the conductance range the mean of a pair is kept (0 lowest, 1 highest)", gt=0.0, lt=1.0
    )

    def ideal(self) -> Self:
        """Return the rule with every stage between driver and cell off, and verify reads without noise."""
        update = UpdateParams(schedule=self.update.schedule, cycles=False)
        return self.model_copy(update={"update": update, "verify": self.verify.model_copy(update={"sigma_read": 0.0})})

    def g_range(self, tables: TableFile) -> tuple[float, float]:
        """Return the lowest and the highest conductance that a cell may be left at (S)."""
        return Writer.from_tables(tables).g_range

    def bank(self, tables: TableFile, model: ArrayModel) -> Bank:
        """Return the cells of a table file."""
        loop = WriteVerify.from_tables(tables, self.verify, self.update)
        loop = replace(loop, chain=replace(loop.chain, largest=model.largest or loop.chain.largest))
        low, high = loop.chain.writer.g_range
        return Bank(model, loop, high - low, low + self.centre * (high - low), start=self.start)


class MixedPrecisionSettings(BankSettings):
    """Accumulate digitally, write blind where enough has come together, keep the remainder."""

    kind: Literal["mixed_precision"] = quantity("mixed_precision", "1", "accumulate, write, keep the remainder")
    threshold: float = quantity(
        0.06, "1", "accumulated change at which a weight is written, over the conductance range", ge=0.0, le=1.0
    )
    write: Literal["nearest", "count"] = quantity("nearest", "1", "one pulse of the nearest amplitude, or equal pulses")
    step: float = quantity(0.01, "1", "change of a cell by an equal pulse, over the range", gt=0.0, le=1.0)

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule on the device of a table file."""
        bank = self.bank(tables, model)
        pulses = EqualPulses.of(bank, self.step) if self.write == "count" else None
        return MixedPrecision(optimiser, bank, self.threshold, self.write, pulses)


class ThresholdSettings(BankSettings):
    """The bulk-switching module's rule: program what has passed the threshold, keep no remainder."""

    kind: Literal["threshold"] = quantity("threshold", "1", "accumulate, program with verify, keep no remainder")
    threshold: float = quantity(
        1 / 15, "1", "accumulated change beyond which a weight is programmed, over the range", ge=0.0, le=1.0
    )
    reading: Literal["ideal", "device"] = quantity("ideal", "1", "what the digital weight becomes: target, or as read")
    accumulate: bool = quantity(True, "1", "whether changes add up from batch to batch")
    backward: Literal["digital", "tile"] = quantity("digital", "1", "what errors go back through")
    way: Way = quantity("verify", "1", "how targets are reached: verify, pulse or error")
    placement: Placement = quantity("low", "1", "a pair around the centre, or one half at the lowest conductance")
    levels: int = quantity(0, "1", "conductance levels of a target; 0: any conductance", ge=0, le=65_536)
    sigma_program: float = quantity(0.0, "1", "error of the way `error`, in level spacings", ge=0.0, le=100.0)

    def ideal(self) -> Self:
        """Return the rule with neither levels nor errors of programming, either."""
        return super().ideal().model_copy(update={"levels": 0, "sigma_program": 0.0})

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule on the device of a table file."""
        bank = replace(
            self.bank(tables, model),
            placement=self.placement,
            way=self.way,
            levels=self.levels,
            sigma_program=self.sigma_program,
        )
        return Threshold(optimiser, bank, self.threshold, self.reading, self.accumulate, self.backward)


class OpenLoopSettings(BankSettings):
    """One pulse of the table's mean for every change, row by row, not read back."""

    kind: Literal["open_loop"] = quantity("open_loop", "1", "one pulse of the table's mean for every change")
    every: int = quantity(1, "1", "batches whose changes are added up before a write", ge=1, le=1_000_000)
    knows: Knows = quantity(
        "mean", "1", "how a cell's conductance is known: by the mean of its pulses, or a read before"
    )

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule on the device of a table file."""
        return OpenLoop(optimiser, self.bank(tables, model), self.every, knows=self.knows)


class ThresholdTrainingSettings(BankSettings):
    """Open-loop writes of the changes that are not small beside the largest."""

    kind: Literal["threshold_training"] = quantity("threshold_training", "1", "small changes are left out")
    every: int = quantity(1, "1", "batches whose changes are added up before a write", ge=1, le=1_000_000)
    theta: float = quantity(0.01, "1", "part of the largest change below which one is left out", ge=0.0, le=1.0)
    knows: Knows = quantity(
        "mean", "1", "how a cell's conductance is known: by the mean of its pulses, or a read before"
    )

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule on the device of a table file."""
        return OpenLoop(optimiser, self.bank(tables, model), self.every, self.theta, self.knows)


class WriteVerifySettings(BankSettings):
    """Every weight written to its digital value with write-verify."""

    kind: Literal["write_verify"] = quantity("write_verify", "1", "every weight written to its digital value")
    every: int = quantity(1, "1", "batches between two writes", ge=1, le=1_000_000)

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule on the device of a table file."""
        return WriteVerifyRule(optimiser, self.bank(tables, model), self.every)


class SignSettings(BankSettings):
    """The Manhattan rule: one equal pulse for each weight, by the sign of its gradient."""

    kind: Literal["sign"] = quantity("sign", "1", "one equal pulse by the sign of the gradient")
    step: float = quantity(0.005, "1", "change of a cell by a pulse, over the conductance range", gt=0.0, le=1.0)
    theta: float = quantity(0.0, "1", "part of the largest gradient below which none is fired", ge=0.0, le=1.0)

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule on the device of a table file."""
        bank = self.bank(tables, model)
        return Sign(optimiser, bank, EqualPulses.of(bank, self.step), self.theta)


class OuterProductSettings(BankSettings):
    """Direct in-situ pulses where inputs and errors coincide."""

    kind: Literal["outer_product"] = quantity("outer_product", "1", "pulses where inputs and errors coincide")
    trains: Trains = quantity("stochastic", "1", "stochastic or deterministic trains")
    slots: int = quantity(10, "1", "slots of a sample's trains", ge=1, le=1000)
    step: float = quantity(0.002, "1", "change of a cell by a pulse, over the conductance range", gt=0.0, le=1.0)

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule on the device of a table file."""
        bank = self.bank(tables, model)
        return OuterProduct(optimiser, bank, EqualPulses.of(bank, self.step), Coincidences(self.trains, self.slots))


class RowSparseSettings(BankSettings):
    """Few whole rows each batch, and rows that change places as they age."""

    kind: Literal["row_sparse"] = quantity("row_sparse", "1", "few whole rows each batch, rows swapped by age")
    keep: float = quantity(0.1, "1", "part of the rows that is written each batch", gt=0.0, le=1.0)
    swap_every: int = quantity(100, "1", "batches between two looks at the rows' ages; 0: rows stay", ge=0, le=10**9)
    ratio: float = quantity(2.0, "1", "pulses of the oldest row over the youngest's at which they swap", ge=1.0, le=1e6)

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule on the device of a table file."""
        return RowSparse(optimiser, self.bank(tables, model), self.keep, self.swap_every, self.ratio)


class TikiTakaSettings(BankSettings):
    """Gradients into a fast matrix A, A's rows into C in turn."""

    kind: Literal["tiki_taka"] = quantity("tiki_taka", "1", "gradients into A, A's rows into C in turn")
    trains: Trains = quantity("stochastic", "1", "stochastic or deterministic trains")
    slots: int = quantity(10, "1", "slots of a sample's trains", ge=1, le=1000)
    step: float = quantity(0.002, "1", "change of a cell by a pulse, over the conductance range", gt=0.0, le=1.0)
    gamma: float = quantity(0.0, "1", "part of A that is read with C", ge=0.0, le=1.0)
    every: int = quantity(1, "1", "batches between two transfers", ge=1, le=1_000_000)
    rows: int = quantity(1, "1", "rows carried over in one transfer", ge=1, le=1_000_000)
    rate_transfer: float = quantity(0.1, "1", "part of A's row that C takes in one transfer", gt=0.0, le=10.0)

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule on the device of a table file."""
        bank = self.bank(tables, model)
        pulses, trains = EqualPulses.of(bank, self.step), Coincidences(self.trains, self.slots)
        return TikiTaka(optimiser, bank, pulses, trains, self.gamma, self.every, self.rows, self.rate_transfer)


RuleSettings = Annotated[
    FloatSettings
    | MixedPrecisionSettings
    | ThresholdSettings
    | OpenLoopSettings
    | ThresholdTrainingSettings
    | WriteVerifySettings
    | SignSettings
    | OuterProductSettings
    | RowSparseSettings
    | TikiTakaSettings,
    Field(discriminator="kind"),
]
