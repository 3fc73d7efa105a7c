"""One network in training: its state, its initialisation, one training step."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rramkit.array.memory import keep_freed
from rramkit.array.rng import DeviceRng
from rramkit.array.threads import threads_for
from rramkit.learning.layers.layer import Params
from rramkit.learning.layers.read_cost import NetworkReads
from rramkit.learning.losses import CrossEntropy, LossSettings
from rramkit.learning.model import ForwardResult, Gradients, Network
from rramkit.learning.on_device import Random, State, sent
from rramkit.learning.optimisers import Arrays, Optimiser, OptimiserState
from rramkit.learning.rules.rule import BoundRule, RuleState


@dataclass(frozen=True)
class NetworkState:
    """State of a network in training.

    Attributes
    ----------
    rule_state : RuleState
        The matrices, with the state of the update rule and its optimiser.
    vectors : tuple of ndarray
        Biases, scales and shifts, digital.
    optimiser : OptimiserState
        State of the optimiser of the vectors.
    means : tuple of ndarray
        Running means.
    """

    rule_state: RuleState
    vectors: Arrays
    optimiser: OptimiserState
    means: Arrays


@dataclass(frozen=True)
class Trainer:
    """What is constant in a training: the network, the rule of its matrices, the optimiser of its vectors, the loss.

    `device` is where a step's numbers live, of PyTorch (`on_device`); None: they are NumPy's.
    """

    network: Network
    rule: BoundRule
    optimiser: Optimiser
    loss: LossSettings = field(default_factory=CrossEntropy)
    device: str | None = None

    def placed(self, state: State) -> State:
        """Return a state, or arrays, as a training step takes them: on `device`, where there is one."""
        return state if self.device is None else sent(state, self.device)

    def random(self, seed: Sequence[int]) -> Random:
        """Return the random numbers of a seed as a training step takes them: NumPy's, or those of `device`."""
        return np.random.default_rng(tuple(seed)) if self.device is None else DeviceRng(seed, self.device)

    @property
    def calibrates(self) -> bool:
        """Whether converters or readouts of any matrix have a range that a batch sets."""
        return any(self.rule.at(index).calibrates for index in range(len(self.network.matrices)))

    def init(self, weights: Sequence[np.ndarray], *, dtype: np.dtype, rng: np.random.Generator) -> NetworkState:
        """Return the state whose matrices start from `weights` (R, C), as accurately as the rule writes them."""
        vectors = tuple(vector.astype(dtype) for vector in self.network.vectors)
        means = tuple(mean.astype(dtype) for mean in self.network.means)
        return NetworkState(self.rule.init(weights, rng=rng), vectors, self.optimiser.init(vectors), means)

    def params(self, state: NetworkState) -> Params:
        """Return the numbers that the network's layers compute with."""
        return self.network.params(state.rule_state.matrices, state.vectors, state.means)

    def train_step(
        self, state: NetworkState, x: np.ndarray, truth: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[NetworkState, NetworkReads]:
        """Return the state after one batch with labels (B,) or targets (B, O), and the cost of its reads."""
        keep_freed()
        with threads_for(self.network.order):
            _, result, gradients = self.network.gradients(self.params(state), x, truth, rng=rng, loss=self.loss)
            return self.step(state, result, gradients, rng=rng), gradients.reads

    def step(
        self, state: NetworkState, result: ForwardResult, gradients: Gradients, *, rng: np.random.Generator
    ) -> NetworkState:
        """Return the state after the gradients of one batch, of any loss."""
        rule_state = self.rule.step(state.rule_state, gradients.matrices, rng=rng)
        optimiser, changes = self.optimiser.step(state.optimiser, gradients.vectors)
        vectors = tuple(old + change for old, change in zip(state.vectors, changes, strict=True))
        return NetworkState(rule_state, vectors, optimiser, result.means)

    def calibrated(
        self, state: NetworkState, reference: NetworkState, x: np.ndarray, truth: np.ndarray, *, margin: float
    ) -> NetworkState:
        """Return the state with the ADCs' full scale at `margin` times the largest current of a batch.

        The inputs and errors of each matrix are those of the float network `reference` with the same weights: an ADC
        without a full scale would distort them.
        """
        rng = np.random.default_rng(0)  # a float network draws nothing
        _, _, gradients = self.network.gradients(self.params(reference), x, truth, rng=rng, loss=self.loss)
        return self.calibrated_by(state, gradients, margin=margin)

    def calibrated_by(self, state: NetworkState, gradients: Gradients, *, margin: float) -> NetworkState:
        """Return the state with the ADCs' full scale at `margin` times the largest current of inputs and errors."""
        pairs = enumerate(zip(state.rule_state.matrices, gradients.matrices, strict=True))
        matrices = tuple(
            matrix.calibrated(each.samples, each.errors, margin=margin) if self.rule.at(index).calibrates else matrix
            for index, (matrix, each) in pairs
        )
        return replace(state, rule_state=replace(state.rule_state, matrices=matrices))

    def without_cache(self, state: NetworkState) -> NetworkState:
        """Return the state without what reads have prepared: a resumed training goes on from the same."""
        matrices = tuple(matrix.without_cache() for matrix in state.rule_state.matrices)
        return replace(state, rule_state=replace(state.rule_state, matrices=matrices))

    def at_rate(self, state: NetworkState, rate: float) -> NetworkState:
        """Return the state with its learning rates at `rate` times their settings."""
        rule_state = replace(state.rule_state, optimiser=replace(state.rule_state.optimiser, rate=rate))
        return replace(state, rule_state=rule_state, optimiser=replace(state.optimiser, rate=rate))


def pulses_by_matrix(before: NetworkState | None, after: NetworkState) -> np.ndarray:
    """Return the pulses fired at each matrix (M,) since a state; None: in all."""
    totals = np.array([int(counts.sum()) for counts in after.rule_state.pulses], dtype=np.int64)
    return totals if before is None else totals - pulses_by_matrix(None, before)
