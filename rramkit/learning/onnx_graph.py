"""The graph of an ONNX file, walked from its input to its output: layers, and residual blocks of two paths."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from rramkit.errors import InputError
from rramkit.learning.layers import Residual
from rramkit.learning.onnx_constants import Constants, short
from rramkit.learning.onnx_node import Imported, NodeLayers

_DEEPEST = 16  # residual blocks within each other
_PASSED = ("Identity", "Dropout")
_LAST = ("Softmax", "LogSoftmax")


class Graph:
    """The nodes of a network, walked from its input to its output."""

    def __init__(self, graph: Any, path: Path, input_shape: tuple[int, ...]) -> None:  # noqa: ANN401
        self.left_out = list[str]()
        self.constants = Constants(graph, path)
        self.nodes = [node for node in graph.node if node.op_type != "Constant"]
        produced = Counter(name for node in self.nodes for name in node.output if name)
        twice = [name for name, count in produced.items() if count > 1 or name in self.constants]
        if twice:
            raise self.constants.refused(f"gives `{short(twice[0])}` twice. Export it again.")
        silent = [node for node in self.nodes if not node.output or not node.output[0]]
        if silent:
            raise self.constants.refused_node(silent[0], "has no output")
        self.users: dict[str, list[Any]] = {}
        for node in self.nodes:
            for name in node.input:
                if name and name not in self.constants:
                    self.users.setdefault(name, []).append(node)
        self.source, self.end = self._ends(graph, input_shape)
        self.shape = input_shape
        self.done: set[int] = set()
        self.tail = self.source  # the tensor after the last layer

    def chain(self) -> tuple[Imported, ...]:
        """Return the layers from input to output."""
        layers, join = self._walk(self.source, depth=0)
        if join is not None:
            raise self.constants.refused_node(join, "adds two paths that do not begin at one place")
        left = next((node for node in self.nodes if id(node) not in self.done), None)
        if left is not None:
            raise self.constants.refused_node(left, "is not on the way from the input to the output")
        return tuple(layers)

    def _walk(self, name: str, *, depth: int, first: Any = None) -> tuple[list[Imported], Any]:  # noqa: ANN401
        """Return the layers that follow a tensor, and the Add where another path joins; None: the end was reached."""
        layers: list[Imported] = []
        while first is not None or name != self.end:
            users = self.users.get(name, []) if first is None else [first]
            first = None
            if not users:
                raise self.constants.refused(f"ends at `{short(name)}`, which is not its output. Export it again.")
            if len(users) == 1 and self._joins(users[0]):
                return layers, users[0]
            if len(users) == 1:
                layers += self._layers_of(users[0])
                name = self.tail
            else:
                block, name = self._block(name, users, depth)
                layers.append(block)
        if self.users.get(name):
            raise self.constants.refused_node(self.users[name][0], "comes after the output")
        return layers, None

    def _joins(self, node: Any) -> bool:  # noqa: ANN401
        return node.op_type == "Add" and not any(name in self.constants for name in node.input)

    def _block(self, name: str, users: Sequence[Any], depth: int) -> tuple[Imported, str]:
        """Return a residual block whose two paths begin at a tensor, and the tensor after it."""
        if len(users) != 2 or depth >= _DEEPEST or (users[0] is users[1]):
            raise self.constants.refused_node(
                users[0], f"is one of {len(users)} that use `{short(name)}`: two paths are read"
            )
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
            raise self.constants.refused_node(users[1], "begins a path that is not added to the other one")
        if shapes[0] != shapes[1]:
            raise self.constants.refused_node(node, f"adds {shapes[0]} and {shapes[1]}")
        after = self.users.get(node.output[0], [])
        if len(after) != 1 or after[0].op_type != "Relu":
            raise self.constants.refused_node(node, "adds two paths without a Relu after it, as a residual block has")
        self._once(node)
        self._once(after[0])
        main, shortcut = sorted(paths, key=len, reverse=True)
        whole = Residual(main=tuple(each.layer for each in main), shortcut=tuple(each.layer for each in shortcut))
        return Imported(whole, main=main, shortcut=shortcut), after[0].output[0]

    def _layers_of(self, node: Any) -> list[Imported]:  # noqa: ANN401
        """Return the layers of a node; the shape of the numbers after it is kept."""
        self._once(node)
        self.tail = node.output[0]
        if node.domain not in ("", "ai.onnx"):
            raise self.constants.refused_node(node, f"is of `{short(node.domain)}`, not of ONNX itself")
        made = self._of_node(node)
        for each in made:
            try:
                self.shape = each.layer.plan(self.shape, classes=1, reach=1.0).shape
            except InputError as error:
                raise self.constants.refused_node(node, f"does not fit: {str(error).removesuffix('.')}") from error
        return made

    def _of_node(self, node: Any) -> list[Imported]:  # noqa: ANN401
        attributes = self.constants.attributes(node)
        if node.op_type in _PASSED or (node.op_type in _LAST and self._is_last(node, attributes)):
            self.left_out.append(node.op_type)
            return []
        added = self._added(node) if node.op_type == "MatMul" else None
        return NodeLayers(self.constants, self.shape, added).layers(node)

    def _added(self, node: Any) -> np.ndarray | None:  # noqa: ANN401
        """Return the constants that the node after a product adds, which is then done; None: it does not."""
        users = self.users.get(node.output[0], [])
        if len(users) != 1 or users[0].op_type != "Add" or self._joins(users[0]):
            return None
        self._once(users[0])
        self.tail = users[0].output[0]
        return self.constants.numbers(users[0], next(name for name in users[0].input if name in self.constants))

    def _is_last(self, node: Any, attributes: Mapping[str, Any]) -> bool:  # noqa: ANN401
        return node.output[0] == self.end and attributes.get("axis", -1) in (-1, 1) and len(self.shape) == 1

    def _ends(self, graph: Any, input_shape: tuple[int, ...]) -> tuple[str, str]:  # noqa: ANN401
        """Return the names of the input, whose shape must be that of the data, and of the output."""
        sources = [each for each in graph.input if each.name not in self.constants]
        if len(sources) != 1 or len(graph.output) != 1:
            raise self.constants.refused(
                f"has {len(sources)} inputs and {len(graph.output)} outputs; one of each is read."
            )
        dims = [each.dim_value or None for each in sources[0].type.tensor_type.shape.dim][1:]
        fits = len(dims) == len(input_shape) and all(a in (None, b) for a, b in zip(dims, input_shape, strict=True))
        if dims and not fits:
            shape = ", ".join("any" if each is None else str(each) for each in dims)
            raise self.constants.refused(
                f"takes inputs of ({shape}); the data have {input_shape}. Name the data it was made for."
            )
        return sources[0].name, graph.output[0].name

    def _once(self, node: Any) -> None:  # noqa: ANN401
        if id(node) in self.done:
            raise self.constants.refused_node(node, "is on its own way: the graph has a loop")
        self.done.add(id(node))
