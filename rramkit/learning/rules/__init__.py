"""Update rules: what a batch's gradients do to the weights; each is one frozen record of settings, chosen by `kind`.

To add a rule, write its file and put its class into `Rule`.
"""

from typing import Annotated

from pydantic import Field

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.binary import Binary
from rramkit.learning.rules.fault_tolerant import FaultTolerant
from rramkit.learning.rules.float import FloatReference
from rramkit.learning.rules.mixed_precision import MixedPrecision
from rramkit.learning.rules.open_loop import OpenLoop, ThresholdTraining
from rramkit.learning.rules.outer_product import OuterProduct
from rramkit.learning.rules.row_sparse import RowSparse
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule
from rramkit.learning.rules.rule import BoundRule, MatrixState, RuleState, UpdateRule, chosen_by_tables
from rramkit.learning.rules.sign import Sign
from rramkit.learning.rules.threshold import Threshold
from rramkit.learning.rules.tiki_taka import TikiTaka
from rramkit.learning.rules.write_verify import WriteVerifyRule

Rule = Annotated[
    FloatReference
    | MixedPrecision
    | Threshold
    | OpenLoop
    | ThresholdTraining
    | FaultTolerant
    | WriteVerifyRule
    | Sign
    | OuterProduct
    | RowSparse
    | TikiTaka
    | Binary,
    Field(discriminator="kind"),
]
"""The update rules by their `kind`."""

__all__ = [
    "Binary",
    "BoundRule",
    "FaultTolerant",
    "FloatReference",
    "MatrixState",
    "MixedPrecision",
    "OpenLoop",
    "OuterProduct",
    "RowSparse",
    "RramDevice",
    "RramRule",
    "Rule",
    "RuleState",
    "Sign",
    "Threshold",
    "ThresholdTraining",
    "TikiTaka",
    "UpdateRule",
    "WriteCost",
    "WriteVerifyRule",
    "chosen_by_tables",
]
