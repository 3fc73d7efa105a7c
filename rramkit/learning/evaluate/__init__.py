"""A trained network after its training: accuracy and cost by layer, as it is, aged, varied, and on other chips."""

from rramkit.learning.evaluate.conductances import aged, tuned, varied
from rramkit.learning.evaluate.evaluation import (
    Evaluation,
    LayerCost,
    accuracy_in_float,
    analog_activations,
    evaluate,
)
from rramkit.learning.evaluate.writes import read_anew, refreshed, rewritten

__all__ = [
    "Evaluation",
    "LayerCost",
    "accuracy_in_float",
    "aged",
    "analog_activations",
    "evaluate",
    "read_anew",
    "refreshed",
    "rewritten",
    "tuned",
    "varied",
]
