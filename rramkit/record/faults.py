"""What a training did not do although it ran: each fault with its likely cause and the setting to change."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

FaultKind = Literal["no_pulse", "matrix_unwritten", "cells_unchanged", "weights_clipped", "saturated", "chance"]
HEADINGS: dict[FaultKind, str] = {
    "no_pulse": "no pulse fired",
    "matrix_unwritten": "matrix never written",
    "cells_unchanged": "pulses without effect",
    "weights_clipped": "weights clipped",
    "saturated": "converters saturated",
    "chance": "accuracy at chance",
}
"""Each kind of fault in two or three words."""


@dataclass(frozen=True)
class Fault:
    """One thing that a training did not do.

    Attributes
    ----------
    kind : str
        Which: a key of `HEADINGS`.
    text : str
        What happened, the likely cause, and the setting to change.
    epochs : tuple of int
        In which epochs; of a training by reinforcement, in which rounds; 0 is before training.
    """

    kind: FaultKind
    text: str
    epochs: tuple[int, ...] = ()

    @property
    def heading(self) -> str:
        """The fault in two or three words."""
        return HEADINGS[self.kind]


def as_json(faults: Iterable[Fault]) -> str:
    """Return faults as JSON."""
    return json.dumps([asdict(each) for each in faults])


def from_json(text: str) -> tuple[Fault, ...]:
    """Return the faults that `as_json` gave."""
    return tuple(Fault(**{**each, "epochs": tuple(each["epochs"])}) for each in json.loads(text))


def spans(numbers: Sequence[int]) -> str:
    """Return rising whole numbers as text: `1, 3 to 7`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{first}" if first == last else f"{first} to {last}" for first, last in runs)
