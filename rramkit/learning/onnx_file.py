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

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from rramkit.errors import InputError, SetupError, one_line
from rramkit.learning.layers import LayerSettings
from rramkit.learning.onnx_graph import Graph
from rramkit.learning.onnx_node import Imported, Numbers

_LARGEST = 1 << 30  # bytes of a file (1): ten times the weights of a ResNet-50
_MOST_NODES = 10_000


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
    graph = Graph(_graph_of(path), path, input_shape)
    chain = graph.chain()
    return OnnxNetwork(tuple(each.layer for each in chain), _named(chain, ""), tuple(graph.left_out))


def _named(chain: Sequence[Imported], prefix: str) -> Numbers:
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
