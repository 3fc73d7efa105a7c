# pyright: reportMissingImports=false, reportAttributeAccessIssue=false, reportMissingModuleSource=false
"""A trained network in an ONNX file: its layers, and its weights by the names of `state_dict`.

    Gemm; MatMul, and an Add of constants after it        dense
    Conv, square and without groups or dilation           convolution
    BatchNormalization                                    batch_norm
    Relu, LeakyRelu of slope 0.01, Sigmoid, Tanh          activation
    MaxPool, AveragePool of fields that do not overlap    max_pool, mean_pool
    GlobalAveragePool, ReduceMean over both edges         mean_pool of size 0
    Flatten, Reshape to (N, F)                            flatten
    Add of two paths from one place, and a Relu after it  residual
    Identity, Dropout; Softmax at the end                 left out: they do not change which class is the largest

Anything else is refused with the name of its node. A file comes from elsewhere: it is read from its own bytes alone
(weights in other files are refused), and every array must be as large as its shape says. Needs the extra rramkit[onnx].
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from rramkit.errors import InputError, SetupError, one_line
from rramkit.learning.layers import (
    Activation,
    BatchNorm,
    Convolution,
    Dense,
    Flatten,
    LayerSettings,
    MaxPool,
    MeanPool,
    Residual,
)
from rramkit.learning.layers.norm import EPSILON

_LARGEST = 1 << 30  # bytes of a file (1): ten times the weights of a ResNet-50
_MOST_NODES = 10_000
_DEEPEST = 16  # residual blocks within each other
_SHOWN = 60  # characters of a name in a message
_LEAK = 0.01  # slope of `leaky_relu` (1)
_FUNCTIONS = {"Relu": "relu", "Sigmoid": "sigmoid", "Tanh": "tanh"}
_PASSED = ("Identity", "Dropout")
_LAST = ("Softmax", "LogSoftmax")

Numbers = dict[str, np.ndarray]


@dataclass(frozen=True)
class OnnxNetwork:
    """What an ONNX file holds.

    Attributes
    ----------
    layers : tuple of layers
        The layers, as `NetworkSettings(layers=...)` takes them.
    arrays : mapping
        Weights by the names of `state_dict`.
    left_out : tuple of str
        Nodes that are not layers, such as a softmax at the end.
    """

    layers: tuple[LayerSettings, ...]
    arrays: Mapping[str, np.ndarray]
    left_out: tuple[str, ...]


@dataclass(frozen=True)
class _Imported:
    """A layer with its own numbers by part (`weight`, `bias`, ...), or a residual block with the layers within."""

    layer: LayerSettings
    numbers: Numbers = field(default_factory=dict)
    main: "tuple[_Imported, ...]" = ()
    shortcut: "tuple[_Imported, ...]" = ()


def read(path: Path, input_shape: tuple[int, ...]) -> OnnxNetwork:
    """Read a network for inputs of a shape.

    Parameters
    ----------
    path : Path
        The file.
    input_shape : tuple of int
        (F,) or (C, H, W).

    Returns
    -------
    OnnxNetwork
        Layers and weights.

    Raises
    ------
    SetupError
        When the package onnx is missing.
    InputError
        When the file is none of ONNX, is too large or damaged, or has what the kit has no layer for.
    """
    graph = _Graph(_graph_of(path), path, input_shape)
    chain = graph.chain()
    return OnnxNetwork(tuple(each.layer for each in chain), _named(chain, ""), tuple(graph.left_out))


def _named(chain: Sequence[_Imported], prefix: str) -> Numbers:
    found: Numbers = {}
    for index, each in enumerate(chain):
        found |= {f"{prefix}{index}.{part}": values for part, values in each.numbers.items()}
        found |= _named(each.main, f"{prefix}{index}.main.") | _named(each.shortcut, f"{prefix}{index}.shortcut.")
    return found


def _graph_of(path: Path) -> Any:  # noqa: ANN401  (a record of onnx)
    try:
        import onnx
        from google.protobuf.message import DecodeError
    except ImportError as error:
        raise SetupError(f"{path}: ONNX files need the package onnx. Run: pip install 'rramkit[onnx]'") from error
    try:
        if path.is_file() and path.stat().st_size > _LARGEST:
            raise InputError(f"{path}: is larger than {_LARGEST} bytes. Export the weights alone, as .npz.")
        with path.open("rb") as stream:
            content = stream.read(_LARGEST)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Pass the path of an ONNX file.") from error
    try:
        model = onnx.load_model_from_string(content)
    except (DecodeError, ValueError, RuntimeError) as error:
        raise InputError(one_line(f"{path}: is no ONNX file, or damaged ({error}). Export it again.")) from error
    if not model.HasField("graph") or not model.graph.node:
        raise InputError(f"{path}: holds no network. Pass an ONNX file of a trained model.")
    if model.functions:
        raise InputError(f"{path}: has functions of its own, which the kit does not run. Export it without.")
    if len(model.graph.node) > _MOST_NODES:
        raise InputError(f"{path}: has {len(model.graph.node)} nodes; {_MOST_NODES} at most. Export a smaller network.")
    return model.graph


class _Graph:
    """The nodes of a network, walked from its input to its output."""

    def __init__(self, graph: Any, path: Path, input_shape: tuple[int, ...]) -> None:  # noqa: ANN401
        self.path, self.left_out = path, list[str]()
        self.constants = self._constants(graph)
        self.nodes = [node for node in graph.node if node.op_type != "Constant"]
        produced = Counter(name for node in self.nodes for name in node.output if name)
        twice = [name for name, count in produced.items() if count > 1 or name in self.constants]
        if twice:
            raise self._refused(f"gives `{_short(twice[0])}` twice. Export it again.")
        silent = [node for node in self.nodes if not node.output or not node.output[0]]
        if silent:
            raise self._refused_node(silent[0], "has no output")
        self.users: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name in node.input:
                if name and name not in self.constants:
                    self.users.setdefault(name, []).append(node)
        self.source, self.end = self._ends(graph, input_shape)
        self.shape = input_shape
        self.done: set[int] = set()
        self.tail = self.source  # the tensor after the last layer

    def chain(self) -> tuple[_Imported, ...]:
        """Return the layers from input to output."""
        layers, join = self._walk(self.source, depth=0)
        if join is not None:
            raise self._refused_node(join, "adds two paths that do not begin at one place")
        left = next((node for node in self.nodes if id(node) not in self.done), None)
        if left is not None:
            raise self._refused_node(left, "is not on the way from the input to the output")
        return tuple(layers)

    def _walk(self, name: str, *, depth: int, first: Any = None) -> tuple[list[_Imported], Any]:  # noqa: ANN401
        """Return the layers that follow a tensor, and the Add where another path joins; None: the end was reached."""
        layers: list[_Imported] = []
        while first is not None or name != self.end:
            users = self.users.get(name, []) if first is None else [first]
            first = None
            if not users:
                raise self._refused(f"ends at `{_short(name)}`, which is not its output. Export it again.")
            if len(users) == 1 and self._joins(users[0]):
                return layers, users[0]
            if len(users) == 1:
                layers += self._layers_of(users[0])
                name = self.tail
            else:
                block, name = self._block(name, users, depth)
                layers.append(block)
        if self.users.get(name):
            raise self._refused_node(self.users[name][0], "comes after the output")
        return layers, None

    def _joins(self, node: Any) -> bool:  # noqa: ANN401
        return node.op_type == "Add" and not any(name in self.constants for name in node.input)

    def _block(self, name: str, users: Sequence[Any], depth: int) -> tuple[_Imported, str]:
        """Return a residual block whose two paths begin at a tensor, and the tensor after it."""
        if len(users) != 2 or depth >= _DEEPEST or (users[0] is users[1]):
            raise self._refused_node(users[0], f"is one of {len(users)} that use `{_short(name)}`: two paths are read")
        before, paths, shapes = self.shape, [], []
        joins = []
        for user in users:
            self.shape = before
            path, join = self._walk(name, depth=depth + 1, first=user)
            paths.append(tuple(path))
            joins.append(join)
            shapes.append(self.shape)
        node = joins[0]
        if node is None or node is not joins[1]:
            raise self._refused_node(users[1], "begins a path that is not added to the other one")
        if shapes[0] != shapes[1]:
            raise self._refused_node(node, f"adds {shapes[0]} and {shapes[1]}")
        after = self.users.get(node.output[0], [])
        if len(after) != 1 or after[0].op_type != "Relu":
            raise self._refused_node(node, "adds two paths without a Relu after it, as a residual block has")
        self._once(node)
        self._once(after[0])
        main, shortcut = sorted(paths, key=len, reverse=True)
        whole = Residual(main=tuple(each.layer for each in main), shortcut=tuple(each.layer for each in shortcut))
        return _Imported(whole, main=main, shortcut=shortcut), after[0].output[0]

    # One node ---------------------------------------------------------------------------------------------------------

    def _layers_of(self, node: Any) -> list[_Imported]:  # noqa: ANN401
        """Return the layers of a node; the shape of the numbers after it is kept."""
        self._once(node)
        self.tail = node.output[0]
        if node.domain not in ("", "ai.onnx"):
            raise self._refused_node(node, f"is of `{_short(node.domain)}`, not of ONNX itself")
        made = self._made(node)
        for each in made:
            try:
                self.shape = each.layer.plan(self.shape, classes=1, reach=1.0).shape
            except InputError as error:
                raise self._refused_node(node, f"does not fit: {str(error).removesuffix('.')}") from error
        return made

    def _made(self, node: Any) -> list[_Imported]:  # noqa: ANN401
        kind, attributes = node.op_type, self._attributes(node)
        readers: dict[str, Callable[[Any, Mapping[str, Any]], list[_Imported]]] = {
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
            return [_Imported(Activation.checked({"function": _FUNCTIONS[kind]}, where=str(self.path)))]
        if kind == "LeakyRelu" and math.isclose(attributes.get("alpha", _LEAK), _LEAK, rel_tol=1e-6):  # of float32
            return [_Imported(Activation(function="leaky_relu"))]
        if kind == "GlobalAveragePool":
            return [_Imported(MeanPool(size=0))]
        if kind in _PASSED or (kind in _LAST and self._is_last(node, attributes)):
            self.left_out.append(kind)
            return []
        raise self._refused_node(node, "has no layer in the kit")

    def _is_last(self, node: Any, attributes: Mapping[str, Any]) -> bool:  # noqa: ANN401
        return node.output[0] == self.end and attributes.get("axis", -1) in (-1, 1) and len(self.shape) == 1

    def _gemm(self, node: Any, attributes: Mapping[str, Any]) -> list[_Imported]:  # noqa: ANN401
        if attributes.get("transA", 0):
            raise self._refused_node(node, "transposes its inputs (transA)")
        weight = self._constant(node, 1, "weights") * attributes.get("alpha", 1.0)
        weight = weight if attributes.get("transB", 0) else weight.T
        bias = self._constant(node, 2, "biases") * attributes.get("beta", 1.0) if _given(node, 2) else None
        return self._dense(node, weight, bias)

    def _matmul(self, node: Any, attributes: Mapping[str, Any]) -> list[_Imported]:  # noqa: ANN401
        weight, bias = self._constant(node, 1, "weights").T, None
        users = self.users.get(node.output[0], [])
        if len(users) == 1 and users[0].op_type == "Add" and not self._joins(users[0]):
            self._once(users[0])
            name = next(name for name in users[0].input if name in self.constants)
            bias = self._number(users[0], name)
            self.tail = users[0].output[0]  # both are one layer
        return self._dense(node, weight, bias)

    def _dense(self, node: Any, weight: np.ndarray, bias: np.ndarray | None) -> list[_Imported]:  # noqa: ANN401
        if weight.ndim != 2 or not weight.size:
            raise self._refused_node(node, f"has weights of {weight.shape}, no matrix")
        if len(self.shape) == 1 and weight.shape[1] != self.shape[0]:
            raise self._refused_node(node, f"has weights for {weight.shape[1]} inputs, and gets {self.shape[0]}")
        numbers = {"weight": weight}
        if bias is not None:
            if bias.size not in (1, len(weight)):
                raise self._refused_node(node, f"has biases of {bias.shape} for {len(weight)} outputs")
            numbers["bias"] = np.broadcast_to(bias.ravel(), (len(weight),)).copy()
        where = "digital" if bias is not None else "none"
        return [_Imported(Dense.checked({"units": len(weight), "bias": where}, where=self._of(node)), numbers)]

    def _conv(self, node: Any, attributes: Mapping[str, Any]) -> list[_Imported]:  # noqa: ANN401
        weight = self._constant(node, 1, "weights")
        if weight.ndim != 4 or weight.shape[2] != weight.shape[3] or not weight.size:
            raise self._refused_node(node, f"has weights of {weight.shape}: kernels must be square, of two dimensions")
        kernel = weight.shape[2]
        if attributes.get("group", 1) != 1 or _one(attributes.get("dilations", [1])) != 1:
            raise self._refused_node(node, "has groups or dilation")
        stride = _one(attributes.get("strides", [1]))
        pad = self._pad(node, attributes, kernel, stride)
        if stride is None or list(attributes.get("kernel_shape", [kernel] * 2)) != [kernel] * 2:
            raise self._refused_node(node, "has another stride for each edge, or a kernel that its weights have not")
        if len(self.shape) == 3 and weight.shape[1] != self.shape[0]:
            raise self._refused_node(node, f"has weights for {weight.shape[1]} channels, and gets {self.shape[0]}")
        numbers = {"weight": weight}
        if _given(node, 2):
            numbers["bias"] = self._vector(node, 2, "biases", len(weight))
        settings = {"channels": len(weight), "kernel": kernel, "stride": stride, "pad": pad}
        settings["bias"] = "digital" if "bias" in numbers else "none"
        return [_Imported(Convolution.checked(settings, where=self._of(node)), numbers)]

    def _pad(self, node: Any, attributes: Mapping[str, Any], kernel: int, stride: int | None) -> int:  # noqa: ANN401
        way = attributes.get("auto_pad", b"NOTSET")
        if way in (b"SAME_UPPER", b"SAME_LOWER") and stride == 1 and kernel % 2:
            return kernel // 2
        pad = _one(attributes.get("pads", [0])) if way == b"NOTSET" else 0 if way == b"VALID" else None
        if pad is None:
            raise self._refused_node(node, "has another border on each side")
        return pad

    def _norm(self, node: Any, attributes: Mapping[str, Any]) -> list[_Imported]:  # noqa: ANN401
        if attributes.get("training_mode", 0) or attributes.get("spatial", 1) != 1:
            raise self._refused_node(node, "is in training mode, or not by channel")
        channels = self.shape[0]
        names = ("weight", "bias", "running_mean", "running_var")
        numbers = {name: self._vector(node, 1 + place, name, channels) for place, name in enumerate(names)}
        # the kit adds EPSILON to the variance: the rest of the file's own is put into it, which is the same sum
        numbers["running_var"] = numbers["running_var"] + (attributes.get("epsilon", 1e-5) - EPSILON)
        if np.any(numbers["running_var"] + EPSILON <= 0.0):
            raise self._refused_node(node, "has a variance that is not above 0")
        return [_Imported(BatchNorm(), numbers)]

    def _pool(self, node: Any, attributes: Mapping[str, Any]) -> list[_Imported]:  # noqa: ANN401
        size, stride = _one(attributes.get("kernel_shape", [])), _one(attributes.get("strides", [1]))
        padded = any(attributes.get("pads", [])) or attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID")
        if size is None or size != stride or padded or _one(attributes.get("dilations", [1])) != 1:
            raise self._refused_node(node, "has fields that are not square, overlap or reach beyond the image")
        if attributes.get("ceil_mode", 0) and len(self.shape) == 3 and any(edge % size for edge in self.shape[1:]):
            raise self._refused_node(node, "keeps fields that are not whole (ceil_mode)")
        kind = MaxPool if node.op_type == "MaxPool" else MeanPool
        return [_Imported(kind.checked({"size": size}, where=self._of(node)))]

    def _reduce(self, node: Any, attributes: Mapping[str, Any]) -> list[_Imported]:  # noqa: ANN401
        axes = attributes.get("axes", [])
        if _given(node, 1):
            axes = self._constant(node, 1, "axes").ravel().tolist()
        if sorted(int(axis) % 4 for axis in axes) != [2, 3] or len(self.shape) != 3:
            raise self._refused_node(node, "is no mean over both edges of an image")
        return [_Imported(MeanPool(size=0)), *([] if attributes.get("keepdims", 1) else [_Imported(Flatten())])]

    def _flatten(self, node: Any, attributes: Mapping[str, Any]) -> list[_Imported]:  # noqa: ANN401
        if attributes.get("axis", 1) not in (1, -len(self.shape)):
            raise self._refused_node(node, "does not keep the inputs apart (axis)")
        return [_Imported(Flatten())] if len(self.shape) == 3 else []

    def _reshape(self, node: Any, attributes: Mapping[str, Any]) -> list[_Imported]:  # noqa: ANN401
        wanted = [round(each) for each in self._constant(node, 1, "shape").ravel().tolist()]
        whole = math.prod(self.shape)
        if len(wanted) != 2 or wanted[0] not in (-1, 0, 1) or wanted[1] not in (-1, whole) or wanted == [-1, -1]:
            raise self._refused_node(node, f"makes {wanted} of {self.shape}: vectors (N, {whole}) are read")
        return [_Imported(Flatten())] if len(self.shape) == 3 else []

    # Constants and complaints -----------------------------------------------------------------------------------------

    def _constants(self, graph: Any) -> dict[str, Any]:  # noqa: ANN401
        """Return the constant tensors of a graph by name."""
        if graph.sparse_initializer:
            raise self._refused("has sparse weights. Export it with whole matrices.")
        found = {tensor.name: tensor for tensor in graph.initializer}
        for node in graph.node:
            if node.op_type == "Constant":
                if len(node.output) != 1 or [each.name for each in node.attribute] != ["value"]:
                    raise self._refused_node(node, "is no plain tensor")
                found[node.output[0]] = node.attribute[0].t
        return found

    def _constant(self, node: Any, place: int, what: str) -> np.ndarray:  # noqa: ANN401
        if not _given(node, place) or node.input[place] not in self.constants:
            raise self._refused_node(node, f"has no constant {what}")
        return self._number(node, node.input[place])

    def _vector(self, node: Any, place: int, what: str, count: int) -> np.ndarray:  # noqa: ANN401
        values = self._constant(node, place, what)
        if values.shape != (count,):
            raise self._refused_node(node, f"has {what} of {values.shape}, where ({count},) is needed")
        return values

    def _number(self, node: Any, name: str) -> np.ndarray:  # noqa: ANN401
        """Return a constant tensor as numbers of float64."""
        from onnx import TensorProto, numpy_helper

        tensor, types = self.constants[name], TensorProto.DataType
        sizes = {types.FLOAT: 4, types.DOUBLE: 8, types.FLOAT16: 2, types.INT64: 8, types.INT32: 4}
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise self._refused_node(node, f"has `{_short(name)}` in another file, which is not opened")
        if tensor.data_type not in sizes:
            raise self._refused_node(node, f"has `{_short(name)}` in a type of number that is not read")
        count = math.prod(tensor.dims)
        if any(length < 0 for length in tensor.dims) or (
            tensor.HasField("raw_data") and len(tensor.raw_data) != count * sizes[tensor.data_type]
        ):
            raise self._refused_node(
                node, f"has `{_short(name)}` with other numbers than its shape {list(tensor.dims)}"
            )
        try:
            values = numpy_helper.to_array(tensor).astype(float)
        except (ValueError, TypeError, OverflowError) as error:
            raise self._refused_node(node, f"has `{_short(name)}` damaged ({error})") from error
        if not np.all(np.isfinite(values)):
            raise self._refused_node(node, f"has `{_short(name)}` with values that are not finite")
        return values

    def _attributes(self, node: Any) -> dict[str, Any]:  # noqa: ANN401
        from onnx import helper

        try:
            return {each.name: helper.get_attribute_value(each) for each in node.attribute}
        except (ValueError, TypeError) as error:
            raise self._refused_node(node, f"has a damaged attribute ({error})") from error

    def _ends(self, graph: Any, input_shape: tuple[int, ...]) -> tuple[str, str]:  # noqa: ANN401
        """Return the names of the input, whose shape must be that of the data, and of the output."""
        sources = [each for each in graph.input if each.name not in self.constants]
        if len(sources) != 1 or len(graph.output) != 1:
            raise self._refused(f"has {len(sources)} inputs and {len(graph.output)} outputs; one of each is read.")
        dims = [each.dim_value or None for each in sources[0].type.tensor_type.shape.dim][1:]
        fits = len(dims) == len(input_shape) and all(a in (None, b) for a, b in zip(dims, input_shape, strict=True))
        if dims and not fits:
            shape = ", ".join("any" if each is None else str(each) for each in dims)
            raise self._refused(
                f"takes inputs of ({shape}); the data have {input_shape}. Name the data it was made for."
            )
        return sources[0].name, graph.output[0].name

    def _once(self, node: Any) -> None:  # noqa: ANN401
        if id(node) in self.done:
            raise self._refused_node(node, "is on its own way: the graph has a loop")
        self.done.add(id(node))

    def _of(self, node: Any) -> str:  # noqa: ANN401
        name = node.name or (node.output[0] if node.output else "")
        return f"{self.path}: node `{_short(name)}` ({_short(node.op_type)})"

    def _refused_node(self, node: Any, why: str) -> InputError:  # noqa: ANN401
        known = "Gemm, MatMul, Conv, BatchNormalization, Relu, Sigmoid, Tanh, pooling, Flatten, Add"
        return InputError(one_line(f"{self._of(node)} {why}. Export the network in {known}."))

    def _refused(self, why: str) -> InputError:
        return InputError(one_line(f"{self.path}: the network {why}"))


def _given(node: Any, place: int) -> bool:  # noqa: ANN401
    return len(node.input) > place and bool(node.input[place])


def _one(values: Sequence[int]) -> int | None:
    """Return the number that all values are; None where they differ, or there is none."""
    return int(values[0]) if len(set(values)) == 1 else None


def _short(name: str | bytes) -> str:
    """Return a name of the file for a message; one that is no UTF-8 comes as bytes."""
    name = name if isinstance(name, str) else repr(name)
    return one_line(name if len(name) <= _SHOWN else f"{name[:_SHOWN]} ...")
