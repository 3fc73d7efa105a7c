"""Sparse fully connected layer whose connections lie in clusters: small arrays, and discrete synapses for the rest.

y = sum over the arrays of scale x W', each array reading its own rows of x and adding to its own columns of y; what is
no connection is no weight: its cell is programmed to zero where an array has one, and never written again. After
AutoNCS (DAC 2015); `rramkit.array.clusters` finds the arrays and says what is the paper's.

The layer is found once, when its settings are read: its `clusters` stand in the run file, so that a network is put
together again as it was trained, on any machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import Field, model_validator

from rramkit.array import clusters
from rramkit.array.matrix import Gradient, Samples
from rramkit.errors import InputError
from rramkit.learning.layers.layer import (
    Backward,
    Forward,
    Layer,
    LayerPlan,
    MatrixPlan,
    Params,
    Shape,
    Sizes,
    joined_gradients,
    vector_length,
)
from rramkit.learning.layers.read_cost import ReadCost
from rramkit.parameters import Parameters, absolute, quantity

_LINE = Annotated[int, Field(ge=0, le=65_535)]
_CELLS = Annotated[str, Field(pattern="^[01]+$")]


class Connections(Parameters):
    """Which connections a sparse layer has: planted groups, or the largest weights of a file."""

    groups: int = quantity(4, "1", "groups of inputs and outputs that are fully connected inside", ge=1, le=4096)
    outside: float = quantity(0.01, "1", "part of the other connections that there are, drawn by seed", ge=0, le=1)
    seed: int = quantity(1, "1", "seed of the groups and of the connections outside", ge=0, le=2**62)
    file: str = quantity("", "1", "npz file of weights instead, as `rramkit evaluate --export` writes it")
    name: str = quantity("", "1", "its array (outputs, inputs), for instance 1.weight")
    keep: float = quantity(1.0, "1", "part of its weights that are kept, the largest; zeros never are", gt=0, le=1)

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        idle = ("groups", "outside", "seed") if self.file else ("name", "keep")
        idle = [name for name in idle if getattr(self, name) != type(self).model_fields[name].default]
        if idle:
            kind = "connections of a file" if self.file else "planted groups"
            raise ValueError(f"{' and '.join(idle)} do nothing for {kind}: remove them")
        if self.file and not self.name:
            raise ValueError("name must say which array of the file")
        return self

    def mask(self, inputs: int, units: int) -> np.ndarray:
        """Return which connections there are (inputs, units).

        Raises
        ------
        InputError
            When the file cannot be read or its array is of another shape.
        """
        return self._of_file(inputs, units) if self.file else self._planted(inputs, units)

    def _planted(self, inputs: int, units: int) -> np.ndarray:
        if self.groups > min(inputs, units):
            raise InputError(
                f"`connections.groups` must be at most {min(inputs, units)}, the fewer of inputs and units; got "
                f"{self.groups}. Plant fewer."
            )
        rng = np.random.default_rng(self.seed)
        of_rows, of_columns = (rng.permutation(np.arange(count) * self.groups // count) for count in (inputs, units))
        inside = of_rows[:, None] == of_columns
        return inside | (rng.random((inputs, units)) < self.outside)

    def _of_file(self, inputs: int, units: int) -> np.ndarray:
        from rramkit.learning.data.own import npz_arrays  # the data of a training import layers of none

        path = Path(absolute(self.file))
        arrays = npz_arrays(path)
        if self.name not in arrays:
            raise InputError(
                f"{path}: must hold `{self.name}`; got {', '.join(sorted(arrays)) or 'nothing'}. Name one."
            )
        weight = np.abs(arrays[self.name])
        if weight.shape != (units, inputs):
            raise InputError(
                f"{path}: `{self.name}` must be (outputs, inputs) = ({units}, {inputs}); got {weight.shape}. Fix "
                "`units` and `inputs` of the layer."
            )
        count = round(self.keep * weight.size)
        least = np.partition(weight, weight.size - count, axis=None)[weight.size - count] if count else np.inf
        return ((weight >= least) & (weight > 0.0)).T


@dataclass(frozen=True, kw_only=True)
class MaskedPlan(MatrixPlan):
    """A matrix some of whose weights are no connections.

    Attributes
    ----------
    connected : ndarray of bool
        Which are (R, C).
    deviation : float
        Standard deviation of its first weights over `scale` (1).
    """

    connected: np.ndarray = field(kw_only=True)
    deviation: float = field(kw_only=True)

    def init(self, *, rng: np.random.Generator) -> np.ndarray:
        """Draw weights (R, C) over `scale`; those that are no connections are zero."""
        return rng.normal(0.0, self.deviation, self.connected.shape) * self.connected


@dataclass(frozen=True, kw_only=True)
class MaskedGradient(Gradient):
    """The derivative by a matrix some of whose weights are no connections: zero there."""

    connected: np.ndarray

    @cached_property
    def inputs(self) -> np.ndarray:
        """Refuse: pulses of inputs times errors reach every cell of an array."""
        raise InputError(
            "a `clustered` layer needs a rule that leaves cells without a connection alone; this one pulses whole rows "
            "and columns. Take another `rule.kind`, for instance mixed_precision."
        )

    @cached_property
    def weight(self) -> np.ndarray:
        """The derivative (R, C)."""
        return Gradient(self.samples, self.errors).weight * self.connected


@lru_cache(maxsize=4096)
def _cells(texts: tuple[str, ...]) -> np.ndarray:
    """Return which cells are connections, of a text a row."""
    cells = np.array([[digit == "1" for digit in row] for row in texts])
    cells.setflags(write=False)  # shared by all who ask
    return cells


class Cluster(Layer[Samples]):
    """One array of a sparse layer: vectors (B, r) of its rows to its part (B, c) of the outputs."""

    kind: Literal["cluster"] = quantity("cluster", "1", "an array of a sparse layer")
    rows: tuple[_LINE, ...] = quantity((), "1", "inputs of the layer that it reads", min_length=1)
    columns: tuple[_LINE, ...] = quantity((), "1", "outputs of the layer that it adds to", min_length=1)
    connected: tuple[_CELLS, ...] = quantity((), "1", "its cells, a text a row: 1 a connection, 0 none", min_length=1)
    discrete: bool = quantity(False, "1", "whether it is discrete synapses of one row or column")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if len(self.connected) != len(self.rows) or any(len(each) != len(self.columns) for each in self.connected):
            raise ValueError("connected must have a text for each row, and in it a digit for each column")
        if any(len(set(lines)) != len(lines) for lines in (self.rows, self.columns)):
            raise ValueError("rows and columns must each be named once")
        return self

    @classmethod
    def of(cls, found: clusters.Cluster) -> Self:
        """Return the layer of an array that was found."""
        texts = tuple("".join("01"[int(cell)] for cell in row) for row in found.connected)
        lines = tuple(map(int, found.rows)), tuple(map(int, found.columns))
        return cls(rows=lines[0], columns=lines[1], connected=texts, discrete=found.discrete)

    @property
    def mask(self) -> np.ndarray:
        """Which of its cells (r, c) are connections."""
        return _cells(self.connected)

    @property
    def sizes(self) -> Sizes:
        """One matrix."""
        return Sizes(matrices=1)

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return its matrix as if it were a layer by itself."""
        vector_length(self, shape)
        return self.planned(fan_in=float(self.mask.sum(axis=0).mean()), reach=reach)

    def planned(self, *, fan_in: float, reach: float) -> LayerPlan:
        """Return its matrix, for outputs that `fan_in` connections add to on average."""
        rows, columns = self.mask.shape
        scale = reach * float(np.sqrt(2.0 / fan_in))
        return LayerPlan(
            (columns,), (MaskedPlan(rows, columns, rows, scale, connected=self.mask, deviation=1.0 / reach),)
        )

    def forward(self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator) -> Forward[Samples]:
        """Return scale x W' for vectors (B, r): (B, c)."""
        samples = Samples(x)
        product = params.matrices[0].forward(samples, rng=rng)
        y = product.y
        y *= params.scales[0]
        return Forward(y, samples, (ReadCost.of(product),))

    def backward(
        self, error: np.ndarray, cache: Samples, params: Params, *, needs_input_grad: bool, rng: np.random.Generator
    ) -> Backward:
        """Return the gradients: scale e W'^T, and scale x^T e where there is a connection."""
        scaled = error * params.scales[0]
        matrices = (MaskedGradient(cache, scaled, connected=self.mask),)
        if not needs_input_grad:
            return Backward(error, matrices, (), (ReadCost(),))
        product = params.matrices[0].backward(scaled, rng=rng)
        return Backward(product.y, matrices, (), (ReadCost.of(product),))


class Clustered(Layer[tuple[Samples, ...]]):
    """Sparse and fully connected: vectors (B, F) to (B, C) through the arrays of its clusters, without a bias.

    Examples
    --------
    >>> layer = Clustered(inputs=16, units=12, rows=8, columns=6, connections={"groups": 2, "outside": 0.0})
    >>> [(len(each.rows), len(each.columns)) for each in layer.clusters]
    [(8, 6), (8, 6)]
    """

    kind: Literal["clustered"] = quantity("clustered", "1", "a sparse layer in clusters")
    inputs: int = quantity(64, "1", "inputs", ge=1, le=65_536)
    units: int = quantity(48, "1", "outputs", ge=1, le=65_536)
    rows: int = quantity(64, "1", "rows of the largest array of a cluster", ge=2, le=65_536)
    columns: int = quantity(64, "1", "weights in a row of it", ge=2, le=65_536)
    least: float = quantity(0.25, "1", "part of its cells that a cluster must use", gt=0, le=1)
    connections: Connections = Connections()
    clusters: tuple[Cluster, ...] = quantity((), "1", "its arrays; left out: found from the connections")

    @model_validator(mode="after")
    def _found(self) -> Self:
        if not self.clusters:
            mask = self.connections.mask(self.inputs, self.units)
            found = clusters.clusters_of(mask, rows=self.rows, columns=self.columns, least=self.least)
            object.__setattr__(self, "clusters", tuple(Cluster.of(each) for each in found))
            self.__pydantic_fields_set__.add("clusters")  # a run file then holds them
        lines = [(max(each.rows) < self.inputs, max(each.columns) < self.units) for each in self.clusters]
        if not all(min(each) for each in lines):
            raise ValueError(f"clusters must name rows below {self.inputs} and columns below {self.units}")
        taken = np.zeros((self.inputs, self.units), int)
        for each in self.clusters:
            taken[np.ix_(each.rows, each.columns)] += each.mask
        if taken.max() > 1:
            raise ValueError("clusters must have each connection once")
        return self

    @property
    def layout(self) -> dict[str, float]:
        """Numbers of its arrays: how many, their cells and connections, discrete ones, and those of plain tiles."""
        arrays = [each for each in self.clusters if not each.discrete]
        single = [each for each in self.clusters if each.discrete]
        cells, held = (sum(int(np.sum(each.mask | every)) for each in arrays) for every in (True, False))
        connections = int(self.mask.sum())
        return {
            "arrays": len(arrays),
            "cells": cells,
            "use": held / cells if cells else 0.0,
            "connections": connections,
            "discrete": connections - held,
            "discrete_lines": len(single),
            "plain_arrays": clusters.tiles_of((self.inputs, self.units), rows=self.rows, columns=self.columns),
            "plain_use": connections / (self.inputs * self.units),
        }

    @property
    def mask(self) -> np.ndarray:
        """Which connections there are (inputs, units)."""
        mask = np.zeros((self.inputs, self.units), bool)
        for each in self.clusters:
            mask[np.ix_(each.rows, each.columns)] |= each.mask
        return mask

    @property
    def sizes(self) -> Sizes:
        """One matrix for each cluster."""
        return Sizes(matrices=len(self.clusters))

    def plan(self, shape: Shape, *, classes: int, reach: float) -> LayerPlan:
        """Return the matrices of the clusters, for vectors (F,)."""
        if vector_length(self, shape) != self.inputs:
            raise InputError(f"`inputs` of a clustered layer must be {shape[0]} here; got {self.inputs}. Set it.")
        fan_in = float(self.mask.sum(axis=0).mean())
        plans = [each.planned(fan_in=fan_in, reach=reach) for each in self.clusters]
        return LayerPlan((self.units,), tuple(matrix for plan in plans for matrix in plan.matrices))

    def forward(
        self, x: np.ndarray, params: Params, *, training: bool, rng: np.random.Generator
    ) -> Forward[tuple[Samples, ...]]:
        """Return the sum of what the arrays give for vectors (B, F): (B, C)."""
        y = np.zeros((len(x), self.units), x.dtype)
        caches, reads = [], []
        for each, own in self._with_params(params):
            part = each.forward(np.ascontiguousarray(x[:, each.rows]), own, training=training, rng=rng)
            y[:, each.columns] += part.y
            caches.append(part.cache)
            reads += part.reads
        return Forward(y, tuple(caches), tuple(reads))

    def backward(
        self,
        error: np.ndarray,
        cache: tuple[Samples, ...],
        params: Params,
        *,
        needs_input_grad: bool,
        rng: np.random.Generator,
    ) -> Backward:
        """Return the gradients of all arrays; those of the inputs add."""
        to_inputs, results = np.zeros((len(error), self.inputs), error.dtype), []
        for (each, own), samples in zip(self._with_params(params), cache, strict=True):
            outputs = np.ascontiguousarray(error[:, each.columns])
            part = each.backward(outputs, samples, own, needs_input_grad=needs_input_grad, rng=rng)
            if needs_input_grad:
                to_inputs[:, each.rows] += part.error
            results.append(part)
        return joined_gradients(to_inputs if needs_input_grad else error, results)

    def _with_params(self, params: Params) -> Sequence[tuple[Cluster, Params]]:
        return list(zip(self.clusters, params.split([each.sizes for each in self.clusters]), strict=True))
