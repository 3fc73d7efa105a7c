"""Faults of a training: what it did not do although it ran, from the numbers of each epoch; with cause and cure.

    no_pulse           an epoch without a write pulse
    matrix_unwritten   a matrix without a pulse in any epoch, where others have them
    cells_unchanged    an epoch whose pulses left every conductance as it was
    weights_clipped    more than `MOST_CLIPPED` of the weights at an end of what cells can hold, or cut to it at first
    saturated          more than `MOST_SATURATED` of an epoch's sensed currents beyond a converter's range
    chance             `CHANCE_EPOCHS` epochs in a row whose accuracy is that of the most frequent class, by two
                       standard errors

The limits are this kit's own.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rramkit import units
from rramkit.array.mapping import Mapping, Pairs
from rramkit.learning.rules import BoundRule, MatrixState, MixedPrecision, RramDevice, RuleState, Threshold
from rramkit.record.faults import Fault, spans

MOST_CLIPPED = 0.02
MOST_SATURATED = 0.01
CHANCE_EPOCHS = 3
AT_LIMIT = 0.98
"""Magnitude of a weight over the largest that cells can hold from which it counts as clipped (1)."""


@dataclass(frozen=True)
class Series:
    """What the epochs of a training show; row 0 is before training.

    Attributes
    ----------
    pulses : ndarray of int
        Write pulses (E+1, M), by matrix.
    changed : ndarray of int
        Cells whose conductance changed (E+1,).
    clipped : ndarray
        Part of the weights at an end of what cells can hold (E+1,); before training, of those cut to it.
    saturated : ndarray
        Part of the sensed currents beyond a converter's range (E+1,).
    unit : str
        What a row is: an epoch, or a round of training by reinforcement.
    """

    pulses: np.ndarray
    changed: np.ndarray
    clipped: np.ndarray
    saturated: np.ndarray
    unit: str = "epoch"

    @property
    def trained(self) -> np.ndarray:
        """Numbers of the epochs of training (E,)."""
        return np.arange(1, len(self.changed))

    def named(self, numbers: Sequence[int]) -> str:
        """Return epochs as text: `epochs 1, 3 to 7`."""
        return f"{self.unit}{'' if len(numbers) == 1 else 's'} {spans(numbers)}"


@dataclass(frozen=True)
class Chance:
    """Accuracies (E+1,) on inputs of which `most` (1) are of one class, `count` in all; `reference` is the float's.

    Of targets, `most` is the accuracy of one answer to all inputs.
    """

    accuracy: np.ndarray
    reference: np.ndarray
    most: float
    count: int
    of_targets: bool = False

    @property
    def limit(self) -> float:
        """Largest accuracy that a network without any skill shows, by two standard errors (1)."""
        return self.most + 2.0 * float(np.sqrt(self.most * (1.0 - self.most) / max(self.count, 1)))


def of_writes(rule: BoundRule, parts: Sequence[MatrixState], series: Series) -> list[Fault]:
    """Return the faults of writes and reads; `parts` is the state that the last epoch ended with."""
    if rule.device is None:
        return []
    found = [
        _no_pulse(rule, rule.device, parts, series),
        _unwritten(series),
        _unchanged(series),
        _clipped(series),
        _saturated(series),
    ]
    return [fault for fault in found if fault is not None]


def of_accuracy(chance: Chance, others: Sequence[Fault]) -> list[Fault]:
    """Return the fault of an accuracy at chance; `others` are the training's other faults."""
    low, epochs = chance.accuracy <= chance.limit, []
    for last in range(CHANCE_EPOCHS, len(low)):
        if np.all(low[last - CHANCE_EPOCHS + 1 : last + 1]):
            epochs += range(last - CHANCE_EPOCHS + 1, last + 1)
    if not epochs:
        return []
    epochs = sorted(set(epochs))
    most = units.percent(chance.most)
    answer = (
        f"one answer to all has {most}" if chance.of_targets else f"the most frequent class is {most} of the inputs"
    )
    reached = units.percent(float(chance.accuracy[epochs[-1]]))
    what = f"In epochs {spans(epochs)} the accuracy was at chance ({reached}; {answer})"
    return [Fault("chance", f"{what}: {_why_chance(chance, epochs, others)}", tuple(epochs))]


def clipped_at_first(rule: BoundRule, weights: Sequence[np.ndarray]) -> float:
    """Return the part of first weights (R, C) that the cells cannot hold, or that were cut to what they can (1)."""
    if rule.device is None:
        return 0.0
    cut, count = 0, 0
    for index, weight in enumerate(weights):
        mapping = _mapping(rule, index)
        beyond = np.abs(weight) >= mapping.limit
        if isinstance(mapping, Pairs) and not mapping.levels:
            reached = mapping.weight(mapping.targets(weight))
            beyond |= np.abs(reached - weight) > (1.0 - AT_LIMIT) * mapping.limit
        cut, count = cut + int(np.count_nonzero(beyond)), count + weight.size
    return cut / max(count, 1)


def cells_changed(before: RuleState, after: RuleState) -> int:
    """Return how many cells have another conductance than before."""
    changed = 0
    for old, new in zip(before.parts, after.parts, strict=True):
        changed += int(np.count_nonzero(old.cells.g_cell != new.cells.g_cell))
        for one, other in ((old.fast, new.fast), (old.copy, new.copy)):
            if one is not None and other is not None:
                changed += int(np.count_nonzero(one.g_cell != other.g_cell))
    return changed


def clipped(rule: BoundRule, state: RuleState) -> float:
    """Return the part of the weights at an end of what cells can hold (1); 0 in memory, or by design."""
    if rule.device is None or rule.rule.at_ends:
        return 0.0
    weights, at_end = [matrix.weight for matrix in state.matrices], 0
    for index, weight in enumerate(weights):
        at_end += int(np.count_nonzero(np.abs(weight) >= AT_LIMIT * _mapping(rule, index).limit))
    return at_end / max(sum(weight.size for weight in weights), 1)


def _mapping(rule: BoundRule, index: int) -> Mapping:
    device = rule.at(index).device
    assert device is not None
    return device.mapping


def _no_pulse(rule: BoundRule, device: RramDevice, parts: Sequence[MatrixState], series: Series) -> Fault | None:
    epochs = series.trained[series.pulses[1:].sum(axis=1) == 0].tolist()
    if not epochs:
        return None
    what = f"{series.named(epochs).capitalize()} fired no write pulse"
    return Fault("no_pulse", f"{what}: {_why_no_pulse(rule, device, parts)}", tuple(epochs))


def _why_no_pulse(rule: BoundRule, device: RramDevice, parts: Sequence[MatrixState]) -> str:
    """Return the likely cause of an epoch without a pulse, and the setting to change."""
    span, centre = device.mapping.span, device.g_centre
    strongest = max(device.largest_steps(centre)) / span
    weakest = min(device.smallest_steps(centre)) / span
    settings, waiting = rule.rule, max((float(np.max(np.abs(part.chi), initial=0.0)) for part in parts), default=0.0)
    step = f"a pulse changes a cell at the centre by {weakest:.2g} to {strongest:.2g} of the conductance range"
    if strongest <= 1e-9:  # rounding of a change of nothing
        return "the tables' pulses change no cell. Give a table file whose `set` and `reset` do."
    if isinstance(settings, MixedPrecision | Threshold):
        threshold = settings.threshold or 0.0
        if waiting < threshold:
            return (
                f"the largest accumulated change is {waiting:.2g}, the threshold {threshold:.2g} ({step}). Lower "
                "`rule.threshold`, or raise `optimiser.learning_rate`."
            )
        return (
            f"changes of {waiting:.2g} wait, and {step}. Leave out `rule.write` and `rule.threshold`, which then come "
            "from the tables, or raise `network.reach` if cells are at the ends of their range."
        )
    return (
        f"what a batch wants is less than half a pulse, and {step}. Raise `optimiser.learning_rate`, or take a rule "
        "that accumulates changes (`rule = mixed_precision`)."
    )


def _unwritten(series: Series) -> Fault | None:
    by_matrix = series.pulses[1:].sum(axis=0)
    if not np.any(by_matrix) or np.all(by_matrix):
        return None
    which = ", ".join(str(index) for index in np.flatnonzero(by_matrix == 0))
    text = (
        f"Matrix {which} got no pulse in any epoch, the others did: its changes stay below what one pulse writes. "
        "Lower `rule.threshold`, or raise `optimiser.learning_rate`."
    )
    return Fault("matrix_unwritten", text, tuple(series.trained.tolist()))


def _unchanged(series: Series) -> Fault | None:
    fired = series.pulses[1:].sum(axis=1) > 0
    epochs = series.trained[fired & (series.changed[1:] == 0)].tolist()
    if not epochs:
        return None
    text = (
        f"The pulses of {series.named(epochs)} changed no conductance: the tables' changes are zero where the cells "
        "are, or every cell is stuck or at the end of its range. Check the tables `set` and `reset`, and "
        "`rule.update.stuck`."
    )
    return Fault("cells_unchanged", text, tuple(epochs))


def _clipped(series: Series) -> Fault | None:
    epochs = np.flatnonzero(series.clipped > MOST_CLIPPED).tolist()
    if not epochs:
        return None
    first, last = units.percent(series.clipped[0]), units.percent(series.clipped[-1])
    what = f"{first} of the first weights were clipped to what the cells can hold"
    if epochs != [0]:
        what = f"In {series.named(epochs)} weights were at the ends of the conductance range ({last} in the end)"
    text = f"{what}: the range stands for too small a weight. Raise `network.reach`."
    return Fault("weights_clipped", text, tuple(epochs))


def _saturated(series: Series) -> Fault | None:
    epochs = np.flatnonzero(series.saturated > MOST_SATURATED).tolist()
    if not epochs:
        return None
    text = (
        f"In {series.named(epochs)} up to {units.percent(float(np.max(series.saturated)))} of the sensed currents were "
        "beyond the range of their converters: it is smaller than what the trained network sends. Raise "
        "`mapping.margin`, and leave out a typed range (`mapping.read.adc.i_high`), which the first batch then sets."
    )
    return Fault("saturated", text, tuple(epochs))


def _why_chance(chance: Chance, epochs: Sequence[int], others: Sequence[Fault]) -> str:
    if others:
        return f"see: {', '.join(fault.heading for fault in others)}."
    reference = chance.reference[list(epochs)]
    if np.all(np.isfinite(reference)) and np.all(reference <= chance.limit):
        return "so is the float network's. Change `optimiser.learning_rate`, `network` or the data."
    return (
        "the float network learns, so that writes or reads destroy what is learnt. `rramkit ablate` names the stage; "
        "try `rule.update.cycles = false`, a larger `rule.threshold`, or `chip.ideal_periphery = true`."
    )
