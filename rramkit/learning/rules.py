"""The update rules as a person chooses them: settings with a `kind`, each of which builds one rule on a table file."""

from typing import Annotated, Literal

from pydantic import Field

from rramkit.array.programming import Writer
from rramkit.array.tile import ArrayModel
from rramkit.learning.optimisers import Optimiser
from rramkit.learning.updates import FloatReference, MixedPrecision, UpdateRule
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


class MixedPrecisionSettings(Parameters):
    """Accumulate digitally, write where enough has come together, keep the remainder."""

    kind: Literal["mixed_precision"] = quantity("mixed_precision", "1", "accumulate, write, keep the remainder")
    threshold: float = quantity(
        0.06, "1", "accumulated change at which a pulse is fired, over the conductance range", ge=0.0, le=1.0
    )
    centre: float = quantity(
        0.4, "1", "where in the conductance range the mean of a pair is kept (0 lowest, 1 highest)", gt=0.0, lt=1.0
    )

    def g_range(self, tables: TableFile) -> tuple[float, float]:
        """Return the lowest and the highest conductance that a cell may be left at (S)."""
        return Writer.from_tables(tables).g_range

    def built(self, tables: TableFile, model: ArrayModel, optimiser: Optimiser) -> UpdateRule:
        """Return the rule on the device of a table file; a weight of one is the whole conductance range."""
        writer = Writer.from_tables(tables)
        low, high = writer.g_range
        return MixedPrecision(
            optimiser=optimiser,
            model=model,
            writer=writer,
            threshold=self.threshold * (high - low),
            g_unit=high - low,
            g_centre=low + self.centre * (high - low),
        )


RuleSettings = Annotated[FloatSettings | MixedPrecisionSettings, Field(discriminator="kind")]
