"""Update rules: what a batch's gradients do to the weights. Each is one object with `init` and `step`."""

from rramkit.array.state import Tally
from rramkit.learning.rules.bank import Bank
from rramkit.learning.rules.float_reference import FloatReference
from rramkit.learning.rules.learner import Learner, Part, UpdateRule
from rramkit.learning.rules.open_loop import OpenLoop
from rramkit.learning.rules.outer import Coincidences, OuterProduct
from rramkit.learning.rules.remainder import MixedPrecision
from rramkit.learning.rules.row_sparse import RowSparse
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
from rramkit.learning.rules.trains import EqualPulses
from rramkit.learning.rules.verified import Verified

__all__ = [
    "Bank",
    "Coincidences",
    "EqualPulses",
    "FloatReference",
    "FloatSettings",
    "Learner",
    "MixedPrecision",
    "MixedPrecisionSettings",
    "OpenLoop",
    "OpenLoopSettings",
    "OuterProduct",
    "OuterProductSettings",
    "Part",
    "RowSparse",
    "RowSparseSettings",
    "RuleSettings",
    "Sign",
    "SignSettings",
    "Tally",
    "Threshold",
    "ThresholdSettings",
    "ThresholdTrainingSettings",
    "TikiTaka",
    "TikiTakaSettings",
    "UpdateRule",
    "Verified",
    "WriteVerifySettings",
]
