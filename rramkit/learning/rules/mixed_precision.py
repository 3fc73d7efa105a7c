"""Mixed precision: program when the accumulated update reaches the threshold; the residue stays in memory.

    chi <- chi + change
    where |chi| >= threshold:
        nearest   one pulse a cell, of the amplitude whose mean change e is nearest; chi <- chi - e
        train     such pulses one after the other, the cells read before each and after the last, until less than half
                  the threshold is left or no pulse brings the weight nearer; chi <- what is left, as read
        count     n = trunc(chi / epsilon) equal blind pulses; chi <- chi - n epsilon

Source: Nandakumar et al. 2020 (Front. Neurosci. 14, 406; arXiv 2001.11773) and IBM's aihwkit: `count`, with epsilon the
mean change of one pulse and no threshold but epsilon; nothing is read back. `nearest` and `train` are this kit's own
design: `nearest` for a driver that has amplitudes, `train` for one whose single pulse changes a cell by less than what
is wanted. Which cells, and which polarity, stands in `pulse_choice`. What an amplitude does depends on the conductance,
so the cells of a weight are read before the pulse; that is counted, in number, energy and time, and it has the noise of
a verify read. By what was read, chi is clipped to what the cells can still take (anti-windup), and counted; `count`
does not know, and spends chi on cells at the end of their range.

Left to the tables (`write` auto, `threshold` left out): `nearest` where the driver has several amplitudes and its
strongest pulse changes a cell at the centre by the threshold in both polarities, else `train`. The threshold is
`THRESHOLD` of the range, or for coarser pulses the smallest change that one of them is fired for; of `count` epsilon.

Weights that decay do so by the controller's own copy w (one more digital number a weight): the weight read after the
first programming, from then on the weight read before a pulse, or w itself (`count`), plus the change expected of it.
"""

from dataclasses import replace
from typing import ClassVar, Literal, Self

import numpy as np

from rramkit.array.backend import Array, namespace, places, put, size
from rramkit.array.write.state import WriteCost
from rramkit.learning.rules.pulse_choice import MISS_LIMIT, choose_pulses, fire
from rramkit.learning.rules.rram_device import RramDevice
from rramkit.learning.rules.rram_rule import RramRule, UpdateRequest
from rramkit.learning.rules.rule import MatrixState
from rramkit.parameters import quantity

Write = Literal["auto", "nearest", "train", "count"]

THRESHOLD = {"nearest": 0.06, "train": 0.03}
"""Default threshold over the conductance range (1), ours. A train leaves half of it at most, in as many pulses as that
takes, so that a finer one costs few more; one pulse leaves what its amplitude leaves, whatever the threshold."""


class MixedPrecision(RramRule):
    """Accumulate digitally, write blind at the threshold, keep the residue."""

    decays: ClassVar[bool] = True
    accumulates: ClassVar[bool] = True

    kind: Literal["mixed_precision"] = quantity("mixed_precision", "1", "accumulate, write, keep the residue")
    threshold: float | None = quantity(
        None,
        "1",
        "accumulated change at which a weight is written, over the conductance range; left out: by the tables' pulses",
        ge=0.0,
        le=1.0,
    )
    centre: float = quantity(
        0.2,
        "1",
        "where in the conductance range the mean of a pair is held: low, since what both halves carry alike takes the "
        "readouts' range (0 lowest, 1 highest)",
        gt=0.0,
        lt=1.0,
    )
    write: Write = quantity(
        "auto",
        "1",
        "nearest: one pulse of the nearest amplitude; train: as many as it takes; count: equal blind ones",
    )
    pulses_max: int = quantity(
        20, "1", "pulses of a train at a weight in one batch; what is left waits for the next", ge=1, le=100_000
    )
    step: float = quantity(0.01, "1", "change of a cell by an equal pulse, over the range", gt=0.0, le=1.0)

    @property
    def off_device(self) -> str:
        """Why it does not train on a device; empty: it does."""
        return "with write = count fires as many rounds as the largest count" if self.write == "count" else ""

    def equal_pulses(self) -> float | None:
        """Return the step of the equal pulses of `count`."""
        return self.step if self.write == "count" else None

    def resolved(self, device: RramDevice) -> Self:
        """Return the rule with write mode and threshold as the tables' pulses want them, where they were left out."""
        write, threshold = self.write, self.threshold
        if write == "auto":
            wanted = THRESHOLD["nearest"] if threshold is None else threshold
            write = "nearest" if _one_pulse_does(device, wanted) else "train"
        if threshold is None:
            threshold = device.equal_pulses.epsilon if write == "count" else _threshold(device, THRESHOLD[write])
        return self.model_copy(update={"threshold": threshold, "write": write})

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C), and read them; chi is the programming error, still to be written."""
        return self.with_residue(device, weight, *super().first(device, weight, rng=rng), rng=rng)

    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after chi has grown and weights at the threshold were written."""
        assert self.threshold is not None  # `resolved`
        chi = state.chi + request.change
        where, live = places(abs(chi) >= self.threshold)
        if not size(where[0]):
            return replace(state, chi=chi), WriteCost()
        if self.write == "count":
            return self._counted(device, replace(state, chi=chi), where, rng=rng)
        written = self._trained if self.write == "train" else self._nearest
        return written(device, replace(state, chi=chi), where, live, rng=rng)

    def _nearest(
        self,
        device: RramDevice,
        state: MatrixState,
        where: tuple[Array, Array],
        live: Array | None,
        *,
        rng: np.random.Generator,
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after at most one pulse at each cell of the weights `where` (N,) that are `live`."""
        seen, cost = device.read_weights(state.cells, *where, rng=rng, live=live)
        weight = device.mapping.weight_at(seen, *where, state.flips)
        total, clamped = device.mapping.limited(weight + state.chi[where], live=live)  # anti-windup
        change, cost = total - weight, cost + WriteCost(clamped=clamped)
        pulses = choose_pulses(device, seen, change, where, flips=state.flips, live=live)
        cells, written = fire(device, state.cells, pulses, rng=rng), pulses.change
        chi = put(state.chi, where, change - written, live)
        digital = _with(state.digital, where, weight + written, live)
        return replace(state, cells=cells, chi=chi, digital=digital), cells.tally + cost

    def _trained(
        self,
        device: RramDevice,
        state: MatrixState,
        where: tuple[Array, Array],
        live: Array | None,
        *,
        rng: np.random.Generator,
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after trains of pulses at the weights `where` (N,), each read before every pulse."""
        assert self.threshold is not None
        if live is not None:
            return self._trained_together(device, state, where, live, rng=rng)
        cells, (rows, cols), cost = state.cells, where, WriteCost()
        target, weight = np.zeros(rows.shape), np.zeros(rows.shape)
        active, enough = np.arange(rows.size), 0.5 * self.threshold
        for number in range(self.pulses_max + 1):
            at = rows[active], cols[active]
            seen, reads = device.read_weights(cells, *at, rng=rng)
            weight[active] = device.mapping.weight_at(seen, *at, state.flips)
            cost += reads
            if not number:
                target, clamped = device.mapping.limited(weight + state.chi[where])  # anti-windup
                cost += WriteCost(clamped=clamped)
            wanted = (target - weight)[active]
            wanted = np.where(np.abs(wanted) > enough, wanted, 0.0)
            pulses = choose_pulses(device, seen, wanted, at, flips=state.flips)
            active = active[pulses.change != 0.0]
            if not active.size or number == self.pulses_max:
                break
            cells = fire(device, cells, pulses, rng=rng)
            cost += cells.tally
        state.chi[where] = target - weight
        return replace(state, cells=cells, digital=_with(state.digital, where, weight)), cost

    def _trained_together(
        self,
        device: RramDevice,
        state: MatrixState,
        where: tuple[Array, Array],
        live: Array,
        *,
        rng: np.random.Generator,
    ) -> tuple[MatrixState, WriteCost]:
        """Return the same of tensors: `pulses_max` pulses for everyone, of which those not needed are not fired."""
        assert self.threshold is not None
        xp, cells, cost, active = namespace(live), state.cells, WriteCost(), live
        target = weight = xp.zeros_like(live, dtype=state.cells.g_cell.dtype)
        for number in range(self.pulses_max + 1):
            seen, reads = device.read_weights(cells, *where, rng=rng, live=active)
            weight = xp.where(active, device.mapping.weight_at(seen, *where, state.flips), weight)
            cost += reads
            if not number:
                target, clamped = device.mapping.limited(weight + state.chi[where], live=live)  # anti-windup
                cost += WriteCost(clamped=clamped)
            wanted = target - weight
            wanted = xp.where(active & (abs(wanted) > 0.5 * self.threshold), wanted, 0.0)
            pulses = choose_pulses(device, seen, wanted, where, flips=state.flips, live=active)
            active = active & (pulses.change != 0.0)
            if number < self.pulses_max:
                cells = fire(device, cells, pulses, rng=rng)
                cost += cells.tally
        chi, digital = put(state.chi, where, target - weight, live), _with(state.digital, where, weight, live)
        return replace(state, cells=cells, chi=chi, digital=digital), cost

    def _counted(
        self,
        device: RramDevice,
        state: MatrixState,
        where: tuple[np.ndarray, np.ndarray],
        *,
        rng: np.random.Generator,
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state after whole numbers of equal pulses at the weights `where` (N,), blind."""
        counts, epsilon, chi = np.zeros(state.chi.shape, dtype=np.int64), device.equal_pulses.epsilon, state.chi
        counts[where] = np.trunc(chi[where] / epsilon) if epsilon > 0.0 else 0
        cells, cost = device.equal_pulses.fire_signed(state.cells, counts, rng=rng)
        written = counts[where] * epsilon
        chi[where] -= written
        if state.digital is None:
            return replace(state, cells=cells, chi=chi), cost
        weight, _ = device.mapping.limited(state.digital[where] + written)
        return replace(state, cells=cells, chi=chi, digital=_with(state.digital, where, weight)), cost


def _one_pulse_does(device: RramDevice, threshold: float) -> bool:
    """Return whether a driver of several amplitudes can change a cell at the centre by the threshold, either way."""
    largest = device.largest_steps(device.g_centre)
    return device.amplitudes > 1 and min(largest) >= threshold * device.mapping.span


def _threshold(device: RramDevice, least: float) -> float:
    """Return the threshold (1) that the weakest pulses at the centre can write, `least` or more."""
    weakest = min(device.smallest_steps(device.g_centre)) / device.mapping.span
    return min(max(least, weakest / (1.0 + MISS_LIMIT)), 1.0)


def _with(digital: Array | None, where: tuple[Array, Array], weight: Array, live: Array | None = None) -> Array | None:
    """Return the copy of the weights (R, C) with new ones `where` (N,); None: there is no copy."""
    return None if digital is None else put(digital, where, weight, live)
