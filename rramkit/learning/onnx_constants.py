# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportMissingModuleSource=false
"""Constants of an ONNX graph: tensors as numbers, attributes of nodes, and what is refused, by the node's name."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rramkit.errors import InputError, one_line

_SHOWN = 60  # characters of a name in a message


class Constants:
    """The constant tensors of a graph, and what speaks of its nodes."""

    def __init__(self, graph: Any, path: Path) -> None:  # noqa: ANN401
        self._path = path
        self._tensors = self._of_graph(graph)

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def _of_graph(self, graph: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the constant tensors of a graph by name."""
        if graph.sparse_initializer:
            raise self.refused("has sparse weights. Export it with whole matrices.")
        found = {tensor.name: tensor for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                if len(node.output) != 1 or [each.name for each in node.attribute] != ["value"]:
                    raise self.refused_node(node, "is no plain tensor")
                found[node.output[0]] = node.attribute[0].t
        return found

    def input(self, node: Any, place: int, what: str) -> np.ndarray:  # noqa: ANN401
        """Return the constant input of a node at a place; refuse another one."""
        if not given(node, place) or node.input[place] not in self._tensors:
            raise self.refused_node(node, f"has no constant {what}")
        return self.numbers(node, node.input[place])

    def vector(self, node: Any, place: int, what: str, count: int) -> np.ndarray:  # noqa: ANN401
        """Return the constant input of a node at a place (`count`,); refuse another one."""
        values = self.input(node, place, what)
        if values.shape != (count,):
            raise self.refused_node(node, f"has {what} of {values.shape}, where ({count},) is needed")
        return values

    def numbers(self, node: Any, name: str) -> np.ndarray:  # noqa: ANN401
        """Return a constant tensor as numbers of float64."""
        from onnx import TensorProto, numpy_helper

        tensor, types = self._tensors[name], TensorProto.DataType
        sizes = {types.FLOAT: 4, types.DOUBLE: 8, types.FLOAT16: 2, types.INT64: 8, types.INT32: 4}
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise self.refused_node(node, f"has `{short(name)}` in another file, which is not opened")
        if tensor.data_type not in sizes:
            raise self.refused_node(node, f"has `{short(name)}` in a type of number that is not read")
        count = math.prod(tensor.dims)
        if any(length < 0 for length in tensor.dims) or (
            tensor.HasField("raw_data") and len(tensor.raw_data) != count * sizes[tensor.data_type]
        ):
            raise self.refused_node(node, f"has `{short(name)}` with other numbers than its shape {list(tensor.dims)}")
        try:
            values = numpy_helper.to_array(tensor).astype(float)
        except (ValueError, TypeError, OverflowError) as error:
            raise self.refused_node(node, f"has `{short(name)}` damaged ({error})") from error
        if not np.all(np.isfinite(values)):
            raise self.refused_node(node, f"has `{short(name)}` with values that are not finite")
        return values

    def attributes(self, node: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the attributes of a node by name."""
        from onnx import helper

        try:
            return {each.name: helper.get_attribute_value(each) for each in node.attribute}
        except (ValueError, TypeError) as error:
            raise self.refused_node(node, f"has a damaged attribute ({error})") from error

    def of(self, node: Any) -> str:  # noqa: ANN401
        """Return a node's name and kind, with the file's."""
        name = node.name or (node.output[0] if node.output else "")
        return f"{self._path}: node `{short(name)}` ({short(node.op_type)})"

    def refused_node(self, node: Any, why: str) -> InputError:  # noqa: ANN401
        """Return the error that a node is refused by."""
        known = "Gemm, MatMul, Conv, BatchNormalization, Relu, Sigmoid, Tanh, pooling, Flatten, Add"
        return InputError(one_line(f"{self.of(node)} {why}. Export the network in {known}."))

    def refused(self, why: str) -> InputError:
        """Return the error that the network is refused by."""
        return InputError(one_line(f"{self._path}: the network {why}"))


def given(node: Any, place: int) -> bool:  # noqa: ANN401
    """Return whether a node has an input at a place."""
    return len(node.input) > place and bool(node.input[place])


def one(values: Sequence[int]) -> int | None:
    """Return the number that all values are; None where they differ, or there is none."""
    return int(values[0]) if len(set(values)) == 1 else None


def short(name: str | bytes) -> str:
    """Return a name of the file for a message; one that is no UTF-8 comes as bytes."""
    name = name if isinstance(name, str) else repr(name)
    return one_line(name if len(name) <= _SHOWN else f"{name[:_SHOWN]} ...")
