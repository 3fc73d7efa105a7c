"""Layers of one node of an ONNX graph, with its numbers by the names of `state_dict`."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rramkit.learning.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Flatten,
    LayerSettings,
    MaxPool,
    MeanPool,
)
from rramkit.learning.layers.norm import EPSILON
from rramkit.learning.onnx_constants import Constants, given, one

_LEAK = 0.01  # slope of `leaky_relu` (1)
_FUNCTIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh"}

Numbers = dict[str, np.ndarray]


@dataclass(frozen=True)
class Imported:
    """A layer with its own numbers by part (`weight`, `bias`, ...), or a residual block with the layers within."""

    layer: LayerSettings
    numbers: Numbers = field(default_factory=dict)
    main: "tuple[Imported, ...]" = ()
    shortcut: "tuple[Imported, ...]" = ()


class NodeLayers:
    """The layers that one node stands for, where it gets numbers of a shape.

    Parameters
    ----------
    constants : Constants
        Those of the graph.
    shape : tuple of int
        (F,) or (C, H, W), of what the node gets.
    added : ndarray, optional
        Constants that the node after it adds: both are one layer.
    """

    def __init__(self, constants: Constants, shape: tuple[int, ...], added: np.ndarray | None = None) -> None:
        self._constants, self._shape, self._added = constants, shape, added

    def layers(self, node: Any) -> list[Imported]:  # noqa: ANN401
        """Return the layers of a node."""
        kind, attributes = node.op_type, self._constants.attributes(node)
        readers: dict[str, Callable[[Any, Mapping[str, Any]], list[Imported]]] = {
            "Gemm": self._gemm,
            "MatMul": self._matmul,
            "Conv": self._conv,
            "BatchNormalization": self._norm,
            "MaxPool": self._pool,
            "AveragePool": self._pool,
            "ReduceMean": self._reduce,
            "Flatten": self._flatten,
            "Reshape": self._reshape,
        }
        if kind in readers:
            return readers[kind](node, attributes)
        if kind in _FUNCTIONS:
            return [Imported(Activation.checked({"function": _FUNCTIONS[kind]}, where=self._constants.of(node)))]
        if kind == "LeakyRelu" and math.isclose(attributes.get("alpha", _LEAK), _LEAK, rel_tol=1e-6):  # of float32
            return [Imported(Activation(function="leaky_relu"))]
        if kind == "GlobalAveragePool":
            return [Imported(MeanPool(size=0))]
        raise self._constants.refused_node(node, "has no layer in the kit")

    def _gemm(self, node: Any, attributes: Mapping[str, Any]) -> list[Imported]:  # noqa: ANN401
        if attributes.get("transA", 0):
            raise self._constants.refused_node(node, "transposes its inputs (transA)")
        weight = self._constants.input(node, 1, "weights") * attributes.get("alpha", 1.0)
        weight = weight if attributes.get("transB", 0) else weight.T
        bias = self._constants.input(node, 2, "biases") * attributes.get("beta", 1.0) if given(node, 2) else None
        return self._dense(node, weight, bias)

    def _matmul(self, node: Any, attributes: Mapping[str, Any]) -> list[Imported]:  # noqa: ANN401
        return self._dense(node, self._constants.input(node, 1, "weights").T, self._added)

    def _dense(self, node: Any, weight: np.ndarray, bias: np.ndarray | None) -> list[Imported]:  # noqa: ANN401
        if weight.ndim != 2 or not weight.size:
            raise self._constants.refused_node(node, f"has weights of {weight.shape}, no matrix")
        if len(self._shape) == 1 and weight.shape[1] != self._shape[0]:
            raise self._constants.refused_node(
                node, f"has weights for {weight.shape[1]} inputs, and gets {self._shape[0]}"
            )
        numbers = {"weight": weight}
        if bias is not None:
            if bias.size not in (1, len(weight)):
                raise self._constants.refused_node(node, f"has biases of {bias.shape} for {len(weight)} outputs")
            numbers["bias"] = np.broadcast_to(bias.ravel(), (len(weight),)).copy()
        where = "digital" if bias is not None else "none"
        return [Imported(Dense.checked({"units": len(weight), "bias": where}, where=self._constants.of(node)), numbers)]

    def _conv(self, node: Any, attributes: Mapping[str, Any]) -> list[Imported]:  # noqa: ANN401
        weight = self._constants.input(node, 1, "weights")
        if weight.ndim != 4 or weight.shape[2] != weight.shape[3] or not weight.size:
            raise self._constants.refused_node(
                node, f"has weights of {weight.shape}: kernels must be square, of two dimensions"
            )
        kernel = weight.shape[2]
        if attributes.get("group", 1) != 1 or one(attributes.get("dilations", [1])) != 1:
            raise self._constants.refused_node(node, "has groups or dilation")
        stride = one(attributes.get("strides", [1]))
        pad = self._pad(node, attributes, kernel, stride)
        if stride is None or list(attributes.get("kernel_shape", [kernel] * 2)) != [kernel] * 2:
            raise self._constants.refused_node(
                node, "has another stride for each edge, or a kernel that its weights have not"
            )
        if len(self._shape) == 3 and weight.shape[1] != self._shape[0]:
            raise self._constants.refused_node(
                node, f"has weights for {weight.shape[1]} channels, and gets {self._shape[0]}"
            )
        numbers = {"weight": weight}
        if given(node, 2):
            numbers["bias"] = self._constants.vector(node, 2, "biases", len(weight))
        settings = {"channels": len(weight), "kernel": kernel, "stride": stride, "pad": pad}
        settings["bias"] = "digital" if "bias" in numbers else "none"
        return [Imported(Convolution.checked(settings, where=self._constants.of(node)), numbers)]

    def _pad(self, node: Any, attributes: Mapping[str, Any], kernel: int, stride: int | None) -> int:  # noqa: ANN401
        way = attributes.get("auto_pad", b"NOTSET")
        if way in (b"SAME_UPPER", b"SAME_LOWER") and stride == 1 and kernel % 2:
            return kernel // 2
        pad = one(attributes.get("pads", [0])) if way == b"NOTSET" else 0 if way == b"VALID" else None
        if pad is None:
            raise self._constants.refused_node(node, "has another border on each side")
        return pad

    def _norm(self, node: Any, attributes: Mapping[str, Any]) -> list[Imported]:  # noqa: ANN401
        if attributes.get("training_mode", 0) or attributes.get("spatial", 1) != 1:
            raise self._constants.refused_node(node, "is in training mode, or not by channel")
        channels = self._shape[0]
        names = ("weight", "bias", "running_mean", "running_var")
        numbers = {name: self._constants.vector(node, 1 + place, name, channels) for place, name in enumerate(names)}
        # the kit adds EPSILON to the variance: the rest of the file's own is put into it, which is the same sum
        numbers["running_var"] = numbers["running_var"] + (attributes.get("epsilon", 1e-5) - EPSILON)
        if np.any(numbers["running_var"] + EPSILON <= 0.0):
            raise self._constants.refused_node(node, "has a variance that is not above 0")
        return [Imported(BatchNorm(), numbers)]

    def _pool(self, node: Any, attributes: Mapping[str, Any]) -> list[Imported]:  # noqa: ANN401
        size, stride = one(attributes.get("kernel_shape", [])), one(attributes.get("strides", [1]))
        padded = any(attributes.get("pads", [])) or attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID")
        if size is None or size != stride or padded or one(attributes.get("dilations", [1])) != 1:
            raise self._constants.refused_node(
                node, "has fields that are not square, overlap or reach beyond the image"
            )
        if attributes.get("ceil_mode", 0) and len(self._shape) == 3 and any(edge % size for edge in self._shape[1:]):
            raise self._constants.refused_node(node, "keeps fields that are not whole (ceil_mode)")
        kind = MaxPool if node.op_type == "MaxPool" else MeanPool
        return [Imported(kind.checked({"size": size}, where=self._constants.of(node)))]

    def _reduce(self, node: Any, attributes: Mapping[str, Any]) -> list[Imported]:  # noqa: ANN401
        axes = attributes.get("axes", [])
        if given(node, 1):
            axes = self._constants.input(node, 1, "axes").ravel().tolist()
        if sorted(int(axis) % 4 for axis in axes) != [2, 3] or len(self._shape) != 3:
            raise self._constants.refused_node(node, "is no mean over both edges of an image")
        return [Imported(MeanPool(size=0)), *([] if attributes.get("keepdims", 1) else [Imported(Flatten())])]

    def _flatten(self, node: Any, attributes: Mapping[str, Any]) -> list[Imported]:  # noqa: ANN401
        if attributes.get("axis", 1) not in (1, -len(self._shape)):
            raise self._constants.refused_node(node, "does not keep the inputs apart (axis)")
        return [Imported(Flatten())] if len(self._shape) == 3 else []

    def _reshape(self, node: Any, attributes: Mapping[str, Any]) -> list[Imported]:  # noqa: ANN401
        wanted = [round(each) for each in self._constants.input(node, 1, "shape").ravel().tolist()]
        whole = math.prod(self._shape)
        if len(wanted) != 2 or wanted[0] not in (-1, 0, 1) or wanted[1] not in (-1, whole) or wanted == [-1, -1]:
            raise self._constants.refused_node(node, f"makes {wanted} of {self._shape}: vectors (N, {whole}) are read")
        return [Imported(Flatten())] if len(self._shape) == 3 else []
