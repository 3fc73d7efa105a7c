"""What rules that write to RRAM share: first weights, the optimiser's changes, retention between batches, fresh reads.

A rule of this kind is a subclass with a `kind`, its fields, and `apply`: the state of one matrix after one batch.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Self

import numpy as np
from pydantic import model_validator

from rramkit.array.backend import namespace
from rramkit.array.mapping import Mapping, Pairs, WeightMapping
from rramkit.array.mapping.mapping import conductance_window
from rramkit.array.matrix import Gradient, Matrix
from rramkit.array.read_model import ReadModel
from rramkit.array.write.state import WriteCost
from rramkit.array.write.update import UpdateParams
from rramkit.array.write.write_verify import VerifyParams, WriteVerify
from rramkit.errors import InputError
from rramkit.learning.optimisers import Optimiser
from rramkit.learning.rules.pulse_counts import EqualPulses
from rramkit.learning.rules.rram_device import RramDevice, Start, pairs_only
from rramkit.learning.rules.rule import BoundRule, MatrixState, RuleState, UpdateRule
from rramkit.parameters import quantity
from rramkit.table import TableFile


@dataclass(frozen=True)
class UpdateRequest:
    """The update of one matrix (R, C) after one batch.

    Attributes
    ----------
    change : ndarray
        Change of the weights (R, C) that the optimiser wants.
    gradient : Gradient
        The gradient in its two factors.
    rate : float
        Learning rate of the batch.
    batch : int
        Batches before this one.
    matrix : Matrix
        The matrix as the batch read it.
    """

    change: np.ndarray
    gradient: Gradient
    rate: float
    batch: int
    matrix: Matrix


class RramRule(UpdateRule):
    """A rule that writes to the cells of a table file; a weight of one is the conductance range."""

    decays: ClassVar[bool] = False  # whether it keeps a copy of the weights where they decay
    optimised: ClassVar[bool] = True  # whether it writes the changes that the optimiser wants
    whole: ClassVar[bool] = False  # whether it writes whole matrices: then a weight's cells may depend on others
    accumulates: ClassVar[bool] = False  # whether what is put into `chi` is written by the batches that follow

    update: UpdateParams = UpdateParams()
    verify: VerifyParams = VerifyParams(start="table")
    start: Start = quantity(
        "auto",
        "1",
        "how first weights are written: pulse, verify or error; auto: a pulse where one reaches, or verify",
    )
    centre: float = quantity(
        0.4, "1", "where in the conductance range the mean of a pair is held (0 lowest, 1 highest)", gt=0.0, lt=1.0
    )

    @model_validator(mode="after")
    def _centre_counts(self) -> Self:
        if getattr(self, "placement", "centre") == "low" and self.centre != RramRule.model_fields["centre"].default:
            raise ValueError(
                'centre places nothing with placement = "low", which holds one half of a pair at the lowest '
                f'conductance; got {self.centre}. Leave it out, or take placement = "centre"'
            )
        return self

    @abstractmethod
    def apply(
        self, device: RramDevice, state: MatrixState, request: UpdateRequest, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Return the state of one matrix after a batch, and the cost of its writes."""

    # What a rule may override -----------------------------------------------------------------------------------------

    def pair_mapping(self, pairs: Pairs) -> Pairs:
        """Return how this rule places weights in pairs."""
        return pairs.model_copy(update={"centre": self.centre})

    def equal_pulses(self) -> float | None:
        """Return the step of a rule of equal pulses over the conductance range; None: it has none."""
        return None

    def first(
        self, device: RramDevice, weight: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[MatrixState, WriteCost]:
        """Write first weights (R, C); the programming error is not known, and lost."""
        flips = device.mapping.flips(weight)
        cells = device.program(weight, flips=flips, rng=rng)
        return MatrixState(cells, np.zeros_like(weight), flips=flips), cells.tally

    def with_residue(
        self,
        device: RramDevice,
        weight: np.ndarray,
        state: MatrixState,
        cost: WriteCost,
        *,
        rng: np.random.Generator,
    ) -> tuple[MatrixState, WriteCost]:
        """Read first weights (R, C) once and return them with the programming error in `chi`, still to be written."""
        seen, reads = device.read_all(state.cells, rng=rng)
        missing = weight - device.mapping.weight(seen, state.flips)
        return replace(state, chi=missing.astype(weight.dtype)), cost + reads

    def known_weight(self, device: RramDevice, state: MatrixState) -> np.ndarray | None:
        """Return the weights (R, C) that the controller has in memory; None: it has none.

        They are its own weights, or what it reckons the cells to stand for. No cell is looked at.
        """
        if state.digital is not None or state.g_estimate is None:
            return state.digital
        return device.mapping.weight(state.g_estimate, state.flips)

    def read_weight(
        self, device: RramDevice, state: MatrixState, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, WriteCost]:
        """Return the weights (R, C) from memory, or as a read of every cell sees them, and its cost."""
        known = self.known_weight(device, state)
        if known is not None:
            return known, WriteCost()
        seen, cost = device.read_all(state.cells, rng=rng)
        weight = device.mapping.weight(seen, state.flips)
        return (weight if state.rows is None else weight[state.rows]), cost

    def mean_after(self, mean: np.ndarray, state: MatrixState, request: UpdateRequest) -> np.ndarray:
        """Return the optimiser's running mean of the gradients (R, C) once a request was written to a state."""
        return mean

    def matrix(
        self, device: RramDevice, state: MatrixState, before: Matrix | None, *, rng: np.random.Generator
    ) -> Matrix:
        """Return the matrix that is read, with the periphery that it had `before` the write; None: a new one."""
        return device.matrix(state.cells, before, flips=state.flips, rng=rng)

    def held(self, device: RramDevice) -> dict[str, int]:
        """Return the digital numbers that the rule keeps for each weight, by name, without those of the optimiser."""
        return {"gradient of the batch": 1, "accumulated changes": 1}

    # The driver's side ------------------------------------------------------------------------------------------------

    def bind(
        self, tables: TableFile, model: ReadModel, optimiser: Optimiser, mapping: WeightMapping | None = None
    ) -> BoundRule:
        """Return the rule on the device of a table file.

        Parameters
        ----------
        tables : TableFile
            Tables `set`, `reset`, `read`, and `wires` where a stage of the update chain wants them.
        model : ReadModel
            How the cells are read.
        optimiser : Optimiser
            What turns gradients into wanted changes.
        mapping : Mapping, optional
            Weight mapping; left out, pairs. Its window is the tables' own.

        Returns
        -------
        BoundRule
            The rule; `init` writes weights, `step` changes them.

        Raises
        ------
        InputError
            When the rule cannot write this mapping, or its weights are others than those that arrays count.
        TableError
            When the file lacks a table, a signal or a condition.

        Examples
        --------
        >>> import rramkit as rk
        >>> experiment = rk.Experiment(rule="sign")
        >>> model, optimiser = rk.ArrayModel(rk.example()), experiment.optimiser.built()
        >>> bound = experiment.rule.bind(rk.example(), model, optimiser)
        >>> bound.device.mapping.window
        (4e-06, 9e-05)
        """
        kind = str(type(self).model_fields["kind"].default)
        loop = WriteVerify.from_tables(tables, self.verify, self.update)
        loop = replace(loop, chain=replace(loop.chain, largest=model.largest or loop.chain.largest))
        mapped = self._mapped(mapping or Pairs()).within(*loop.chain.writer.g_range)
        step = self.equal_pulses()
        pulses = None if step is None else EqualPulses.of(loop.chain, pairs_only(mapped, kind), step)
        device = self.device(RramDevice(model, loop, mapped, pulses, self.start).resolved())
        if model.chain.counts and not self.at_ends:
            raise InputError(
                f'`read.merge` "{model.chain.merge}" counts weights of +1 and -1, which the rule binary keeps; got the '
                f'rule {kind}. Take `rule.kind = "binary"`, or the merge "digital".'
            )
        return BoundRule(self.resolved(device), optimiser, device)

    def device(self, device: RramDevice) -> RramDevice:
        """Return the device with what the rule's own fields say of it."""
        return device

    def resolved(self, device: RramDevice) -> Self:
        """Return the rule with what was left to the tables."""
        return self

    def g_range(self, tables: TableFile) -> tuple[float, float]:
        """Return the lowest and the highest conductance that a cell may be left at (S)."""
        return conductance_window(tables)

    def ideal(self) -> Self:
        """Return the rule with every stage between driver and cell off, and verify reads without noise."""
        update = UpdateParams(schedule=self.update.schedule, cycles=False)
        verify = self.verify.model_copy(update={"sigma_read": 0.0, "sense": "typed"})
        return self.model_copy(update={"update": update, "verify": verify})

    def initial_state(self, bound: BoundRule, weights: Sequence[np.ndarray], *, rng: np.random.Generator) -> RuleState:
        """Return matrices of the given weights, as near as `start` writes them."""
        bounds = _by_matrix(bound, len(weights))
        first = [rule.first(device, weight, rng=rng) for (rule, device), weight in zip(bounds, weights, strict=True)]
        states = tuple(state for state, _ in first)
        if bound.optimiser.weight_decay:
            whole = zip(bounds, states, weights, strict=True)
            states = tuple(rule._remembered(device, state, weight) for (rule, device), state, weight in whole)
        pairs = zip(bounds, states, strict=True)
        matrices = tuple(rule.matrix(device, state, None, rng=rng) for (rule, device), state in pairs)
        costs = tuple(cost for _, cost in first)
        return RuleState(matrices, bound.optimiser.init(weights), states, 0, _sum(costs), costs)

    def next_state(
        self, bound: BoundRule, state: RuleState, gradients: Sequence[Gradient], *, rng: np.random.Generator
    ) -> RuleState:
        """Return the state after one batch's gradients."""
        optimiser, bounds, weights = bound.optimiser, _by_matrix(bound, len(state.parts)), None
        if optimiser.weight_decay:
            weights = [rule._decaying(device, part) for (rule, device), part in zip(bounds, state.parts, strict=True)]
        optimised, changes = optimiser.step(state.optimiser, [each.weight for each in gradients], weights)
        rate = optimiser.learning_rate * optimised.rate
        states, matrices, costs, means = [], [], [], []
        whole = zip(bounds, state.parts, state.matrices, changes, gradients, optimised.first, strict=True)
        for (rule, device), part, matrix, change, gradient, mean in whole:
            request = UpdateRequest(change, gradient, rate, state.steps, matrix)
            after, cost = rule.apply(device, _drifted(device, part), request, rng=rng)
            after = replace(after, chi=namespace(after.chi).astype(after.chi, part.chi.dtype, copy=False))
            states.append(after)
            means.append(rule.mean_after(mean, part, request))
            # The read operators of a matrix without a write stay.
            matrices.append(matrix if _same(part, after) else rule.matrix(device, after, matrix, rng=rng))
            costs.append(cost)
        optimised = replace(optimised, first=tuple(means))
        return RuleState(tuple(matrices), optimised, tuple(states), state.steps + 1, _sum(costs), tuple(costs))

    def _remembered(self, device: RramDevice, state: MatrixState, weight: np.ndarray) -> MatrixState:
        """Return a first state with a copy of its weights in memory, where they decay and there is no other."""
        if self.known_weight(device, state) is not None:
            return state
        if not self.decays:
            kind = str(type(self).model_fields["kind"].default)
            raise InputError(
                f"`optimiser.weight_decay` must be 0 with the rule {kind}, which does not know the weights; got more. "
                "Set it to 0, or take a rule with weights in memory (mixed_precision, threshold, write_verify)."
            )
        return replace(state, digital=weight - state.chi)

    def _decaying(self, device: RramDevice, state: MatrixState) -> np.ndarray:
        weight = self.known_weight(device, state)
        assert weight is not None
        return weight

    def memory(self, bound: BoundRule) -> dict[str, int]:
        """Return the digital numbers that the controller keeps for each weight, by name."""
        device, optimiser = _device(bound), bound.optimiser
        held = self.held(device)
        copy = {"weight": 1} if optimiser.weight_decay and self.decays else {}
        return {**held, **copy, **(optimiser.memory if self.optimised else {})}

    def _mapped(self, mapping: Mapping) -> Mapping:
        if not (mapping.by_weight or self.whole):
            kind, name = type(self).model_fields["kind"].default, type(mapping).model_fields["kind"].default
            raise InputError(
                f'`rule.kind` must write whole matrices with `mapping.kind` = "{name}", whose cells depend on all '
                f'weights of a column; got "{kind}". Set it to "write_verify".'
            )
        if not isinstance(mapping, Pairs):
            return mapping
        changed = [n for n in ("placement", "centre", "levels") if getattr(mapping, n) != getattr(Pairs(), n)]
        if changed:
            raise InputError(
                f"`mapping.weights.{changed[0]}` must be left out: the rule places its pairs; got "
                f"{getattr(mapping, changed[0])}. Set `rule.{changed[0]}`."
            )
        return self.pair_mapping(mapping)


def _device(bound: BoundRule) -> RramDevice:
    if bound.device is None:
        raise InputError("`device` must be given for a rule that writes cells; got None. Use `rule.bind(tables, ...)`.")
    return bound.device


def _by_matrix(bound: BoundRule, count: int) -> list[tuple[RramRule, RramDevice]]:
    """Return rule and device of each of `count` matrices."""
    found = [(bound.at(index).rule, _device(bound.at(index))) for index in range(count)]
    return [(rule, device) for rule, device in found if isinstance(rule, RramRule)]


def _drifted(device: RramDevice, state: MatrixState) -> MatrixState:
    """Return the state after its cells have drifted for the time between two batches (retention)."""
    chain = device.loop.chain
    if chain.params.retention is None or not chain.params.retention.t_batch:
        return state
    seconds = chain.params.retention.t_batch
    fast = None if state.fast is None else chain.rest(state.fast, seconds)
    copy = None if state.copy is None else chain.rest(state.copy, seconds)
    return replace(state, cells=chain.rest(state.cells, seconds), fast=fast, copy=copy)


def _same(before: MatrixState, after: MatrixState) -> bool:
    """Return whether everything that a matrix is read from is the same object."""
    return (
        after.cells.g_cell is before.cells.g_cell
        and after.digital is before.digital
        and after.rows is before.rows
        and after.fast is before.fast
        and after.copy is before.copy
    )


def _sum(costs: Sequence[WriteCost]) -> WriteCost:
    return sum(costs, WriteCost())
