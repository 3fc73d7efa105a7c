"""Time of a training by two schedules, from the times of reads and writes that the simulator counted.

    serial      one after the other: the matrices' reads, the gradient unit, the update, the writes
    pipelined   within a batch each matrix and the gradient unit work on inputs of their own: the slowest of them gives
                the interval from input to input, f + b for a matrix, whose array reads forward and backward, and the
                greater of both where a copy reads backward; an input passes all of them, and the writes of all
                matrices go side by side after the batch

Digital work beside the gradient unit and the optimiser is hidden behind the conversions: one unit a sense unit is
assumed. The gradient unit makes `lanes` products a cycle of `clock`; added up in SRAM, as many accesses.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from rramkit.cost.assumptions import Assumptions
from rramkit.cost.digital import passes
from rramkit.cost.memory import gradient_place
from rramkit.cost.subject import Span, Subject

_CYCLES_OF_UPDATE = 4  # cycles a weight and number of the controller: read, two operations, write


@dataclass(frozen=True)
class Schedule:
    """Times (s) by one schedule.

    Attributes
    ----------
    kind : str
        `serial` or `pipelined`.
    latency : float
        Of one input, forward.
    interval : float
        From one input to the next, forward only.
    image, batch : float
        Of one input of training, its share of the batch; of one batch.
    reads, gradient, update, writes : float
        Parts of the training's time; of the pipelined one what is not hidden, in which `gradient` is.
    initial : float
        Of the initial programming.
    """

    kind: Literal["serial", "pipelined"]
    latency: float
    interval: float
    image: float
    batch: float
    reads: float
    gradient: float
    update: float
    writes: float
    initial: float

    @property
    def total(self) -> float:
        """Time of the whole training, initial programming included (s)."""
        return self.initial + self.reads + self.gradient + self.update + self.writes


def schedules(subject: Subject, assumed: Assumptions) -> dict[str, Schedule]:
    """Return both schedules of a training by their kind."""
    span, initial = subject.training, subject.initial
    forward = span.reads["seconds"][:, 0] / max(passes(subject, span), 1.0)
    each = span.reads["seconds"].sum(axis=1) / max(span.images, 1.0)
    writes, unit = span.writes["seconds"] / max(span.batches, 1.0), _gradient_time(subject, assumed)
    update = _update_time(subject, assumed)
    size = span.images / max(span.batches, 1.0)
    slowest = max(float(_stages(subject, span).max(initial=0.0)), unit)
    serial = size * (float(each.sum()) + unit) + update + float(writes.sum())
    stages = float(each.sum()) + unit
    pipelined = stages + max(size - 1.0, 0.0) * slowest + update + float(writes.max(initial=0.0))
    return {
        "serial": Schedule(
            "serial",
            latency=float(forward.sum()),
            interval=float(forward.sum()),
            image=serial / max(size, 1.0),
            batch=serial,
            reads=float(span.reads["seconds"].sum()),
            gradient=unit * span.images,
            update=update * span.batches,
            writes=float(span.writes["seconds"].sum()),
            initial=float(initial.writes["seconds"].sum()),
        ),
        "pipelined": Schedule(
            "pipelined",
            latency=float(forward.sum()),
            interval=float(forward.max(initial=0.0)),
            image=pipelined / max(size, 1.0),
            batch=pipelined,
            reads=(pipelined - update - float(writes.max(initial=0.0))) * span.batches,
            gradient=0.0,
            update=update * span.batches,
            writes=float(writes.max(initial=0.0)) * span.batches,
            initial=float(np.max(initial.writes["seconds"], initial=0.0)),
        ),
    }


def of_span(subject: Subject, span: Span, assumed: Assumptions, times: dict[str, Schedule]) -> float:
    """Return the time of a part of a training by the assumed schedule (s)."""
    chosen = times[assumed.schedule]
    return chosen.batch * span.batches if span.batches else chosen.initial


def _stages(subject: Subject, span: Span) -> np.ndarray:
    """Return the time that one input holds the array of each matrix, or the busier of an array and its copy (s)."""
    seconds = span.reads["seconds"] / max(span.images, 1.0)
    copied = [subject.copied(index) for index in range(len(seconds))]
    return np.where(copied, seconds.max(axis=1), seconds.sum(axis=1))


def _gradient_time(subject: Subject, assumed: Assumptions) -> float:
    """Return the time of the outer products of one input (s)."""
    if gradient_place(subject, assumed) == "memory":
        return 0.0
    return subject.work.macs_forward / (assumed.lanes * assumed.clock)


def _update_time(subject: Subject, assumed: Assumptions) -> float:
    """Return the time of the optimiser for one batch (s)."""
    if gradient_place(subject, assumed) == "memory":
        return 0.0
    numbers = sum(subject.memory.values())
    return subject.weights * numbers * _CYCLES_OF_UPDATE / (assumed.lanes * assumed.clock)
