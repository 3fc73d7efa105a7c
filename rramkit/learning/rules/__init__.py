"""Update rules: what a batch's gradients do to the weights. Each is one object with `init` and `step`."""

from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.bank import Bank
from rramkit.learning.rules.float import FloatReference
from rramkit.learning.rules.mixed_precision import MixedPrecision
from rramkit.learning.rules.open_loop import OpenLoop
from rramkit.learning.rules.outer_product import Coincidences, OuterProduct
from rramkit.learning.rules.pulse_counts import EqualPulses
from rramkit.learning.rules.row_sparse import RowSparse
from rramkit.learning.rules.rule import MatrixState, RuleState, UpdateRule
from rramkit.learning.rules.settings import (
    FloatSettings,
    MixedPrecisionSettings,
    OpenLoopSettings,
    OuterProductSettings,
    RowSparseSettings,
    RuleSettings,
    SignSettings,
    ThresholdSettings,
    ThresholdTrainingSettings,
    TikiTakaSettings,
    WriteVerifySettings,
)
from rramkit.learning.rules.sign import Sign
from rramkit.learning.rules.threshold import Threshold
from rramkit.learning.rules.tiki_taka import TikiTaka
from rramkit.learning.rules.write_verify import WriteVerifyRule

__all__ = [
    "Bank",
    "Coincidences",
    "EqualPulses",
    "FloatReference",
    "FloatSettings",
    "MatrixState",
    "MixedPrecision",
    "MixedPrecisionSettings",
    "OpenLoop",
    "OpenLoopSettings",
    "OuterProduct",
    "OuterProductSettings",
    "RowSparse",
    "RowSparseSettings",
    "RuleSettings",
    "RuleState",
    "Sign",
    "SignSettings",
    "Threshold",
    "ThresholdSettings",
    "ThresholdTrainingSettings",
    "TikiTaka",
    "TikiTakaSettings",
    "UpdateRule",
    "WriteCost",
    "WriteVerifyRule",
    "WriteVerifySettings",
]
