# pyright: reportMissingImports=false, reportAttributeAccessIssue=false
"""Networks in ONNX files: scores by loops over ONNX's own definitions, and what is refused."""

from typing import Any

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit import table
from rramkit.array.matrix import FloatMatrix
from rramkit.cli.app import run
from rramkit.errors import InputError
from rramkit.learning.model import Network
from rramkit.learning.networks import NetworkSettings
from rramkit.learning.onnx_file import read
from rramkit.learning.state_dict import from_state_dict

onnx = pytest.importorskip("onnx")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from onnx.reference import ReferenceEvaluator  # noqa: E402

IMAGE, CLASSES = (2, 6, 6), 4


def file(tmp_path, nodes, weights, *, shape: Any = IMAGE, end="y", **more):
    """Return an ONNX file of nodes (op, inputs, outputs, attributes) with weights by name."""
    made = [
        helper.make_node(op, list(ins), list(outs), name=f"n{i}", **att) for i, (op, ins, outs, att) in enumerate(nodes)
    ]
    tensors = [numpy_helper.from_array(np.asarray(each), name) for name, each in weights.items()]
    source = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])
    graph = helper.make_graph(
        made, "g", [source], [helper.make_tensor_value_info(end, TensorProto.FLOAT, None)], tensors
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], **more)
    path = tmp_path / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return path


def scores(path, x):
    """Return what the kit's float network of a file gives."""
    found = read(path, x.shape[1:])
    network = Network.of(NetworkSettings(layers=found.layers), x.shape[1:], CLASSES)
    plain = from_state_dict(network, found.arrays, w_max=1.0, dtype=np.dtype(float))
    matrices = tuple(FloatMatrix(weight) for weight in plain.weights)
    params = plain.network.params(matrices, plain.vectors, plain.means)
    return plain.network.scores(params, x.astype(float), rng=np.random.default_rng(0))


def reference(path, x):
    """Return what ONNX's own evaluator gives."""
    return np.asarray(next(iter(ReferenceEvaluator(str(path)).run(None, {"x": x}))))


def drawn(*shape):
    return np.random.default_rng(sum(shape)).normal(size=shape).astype("float32")


def norm(name, channels):
    values = {
        "scale": drawn(channels),
        "shift": drawn(channels),
        "mean": drawn(channels),
        "var": 0.5 + drawn(channels) ** 2,
    }
    return {f"{name}.{part}": each for part, each in values.items()}


def norm_node(name, source, end, **attributes):
    return (
        "BatchNormalization",
        (source, *(f"{name}.{part}" for part in ("scale", "shift", "mean", "var"))),
        (end,),
        attributes,
    )


def residual_file(tmp_path):
    """Return a network with norms of another epsilon, a block that widens, one that does not, and a softmax."""
    nodes = [
        ("Conv", ("x", "w0"), ("a",), {"pads": [1, 1, 1, 1]}),
        norm_node("b0", "a", "b", epsilon=1e-3),
        ("Relu", ("b",), ("c",), {}),
        ("Conv", ("c", "ws"), ("s",), {"strides": [2, 2]}),  # the shortcut comes first in the file
        norm_node("b2", "s", "s2"),
        ("Conv", ("c", "w1", "c1"), ("d",), {"pads": [1, 1, 1, 1], "strides": [2, 2]}),
        ("LeakyRelu", ("d",), ("e",), {"alpha": 0.01}),
        ("Conv", ("e", "w2"), ("f",), {"auto_pad": "SAME_UPPER"}),
        ("Add", ("f", "s2"), ("g",), {}),
        ("Relu", ("g",), ("h",), {}),
        ("Conv", ("h", "w2"), ("i",), {"pads": [1, 1, 1, 1]}),
        ("Add", ("h", "i"), ("j",), {}),
        ("Relu", ("j",), ("k",), {}),
        ("GlobalAveragePool", ("k",), ("l",), {}),
        ("Flatten", ("l",), ("m",), {}),
        ("Gemm", ("m", "w3", "c3"), ("n",), {"transB": 1, "alpha": 0.5, "beta": 2.0}),
        ("Softmax", ("n",), ("y",), {"axis": 1}),
    ]
    weights = {"w0": drawn(3, 2, 3, 3), "w1": drawn(5, 3, 3, 3), "c1": drawn(5), "w2": drawn(5, 5, 3, 3)}
    weights |= {"ws": drawn(5, 3, 1, 1), "w3": drawn(4, 5), "c3": drawn(4), **norm("b0", 3), **norm("b2", 5)}
    return file(tmp_path, nodes, weights)


def test_a_residual_network_gives_what_onnx_gives(tmp_path):
    path, x = residual_file(tmp_path), drawn(3, *IMAGE)
    found = read(path, IMAGE)
    assert [each.kind for each in found.layers] == [
        *("convolution", "batch_norm", "activation", "residual", "residual", "mean_pool", "flatten", "dense"),
    ]
    assert found.left_out == ("Softmax",)
    ours = np.exp(scores(path, x))
    # ONNX's evaluator computes in float32, sums of some dozen terms.
    np.testing.assert_allclose(ours / ours.sum(axis=1, keepdims=True), reference(path, x), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("pool", ["MaxPool", "AveragePool"])
def test_plain_layers_give_what_onnx_gives(tmp_path, pool):
    nodes = [
        ("Conv", ("x", "w0", "c0"), ("a",), {"kernel_shape": [3, 3]}),
        (pool, ("a",), ("b",), {"kernel_shape": [2, 2], "strides": [2, 2]}),
        ("Sigmoid", ("b",), ("c",), {}),
        ("Reshape", ("c", "shape"), ("d",), {}),
        ("MatMul", ("d", "w1"), ("e",), {}),
        ("Add", ("c1", "e"), ("f",), {}),
        ("Tanh", ("f",), ("g",), {}),
        ("Identity", ("g",), ("h",), {}),
        ("MatMul", ("h", "w2"), ("y",), {}),
    ]
    weights = {"w0": drawn(3, 2, 3, 3), "c0": drawn(3), "shape": np.array([-1, 12]), "w1": drawn(12, 5)}
    path, x = file(tmp_path, nodes, weights | {"c1": drawn(5), "w2": drawn(5, 4).astype("float64")}), drawn(2, *IMAGE)
    assert read(path, IMAGE).arrays["4.weight"].shape == (5, 12)
    weights = {"w2": drawn(5, 4)}
    # float32 in the reference
    np.testing.assert_allclose(scores(path, x), _in_float32(path, x), rtol=1e-4, atol=1e-5)


def _in_float32(path, x):
    model = onnx.load(path)
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.DOUBLE:
            tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor).astype("float32"), tensor.name))
    return np.asarray(next(iter(ReferenceEvaluator(model).run(None, {"x": x}))))


DENSE = ("Gemm", ("v", "w"), ("y",), {})
FLAT = ("Flatten", ("x",), ("v",), {})
WEIGHT = {"w": drawn(72, 4)}


@pytest.mark.parametrize(
    ("nodes", "weights", "words"),
    [
        ([("Erf", ("x",), ("v",), {}), DENSE], WEIGHT, r"node `n0` \(Erf\) has no layer in the kit"),
        ([FLAT, ("Gemm", ("v", "w"), ("y",), {"domain": "own"})], WEIGHT, "is of `own`"),
        ([FLAT, ("Gemm", ("v", "w"), ("y",), {"transA": 1})], WEIGHT, "transposes its inputs"),
        ([FLAT, DENSE], {"w": drawn(70, 4)}, "has weights for 70 inputs, and gets 72"),
        ([FLAT, DENSE], {"w": np.full((72, 4), np.nan, "float32")}, "not finite"),
        ([FLAT, DENSE], {"w": np.ones((72, 4), bool)}, "type of number"),
        ([FLAT, ("Gemm", ("v", "q"), ("y",), {})], WEIGHT, "is one of|has no constant weights"),
        ([("Conv", ("x", "k"), ("y",), {"group": 2})], {"k": drawn(2, 1, 3, 3)}, "groups"),
        ([("Conv", ("x", "k"), ("y",), {"pads": [0, 1, 0, 1]})], {"k": drawn(2, 2, 3, 3)}, "another border"),
        ([("Conv", ("x", "k"), ("y",), {})], {"k": drawn(2, 2, 3, 1)}, "kernels must be square"),
        ([("MaxPool", ("x",), ("y",), {"kernel_shape": [3, 3], "strides": [2, 2]})], {}, "overlap"),
        ([("Softmax", ("x",), ("a",), {}), ("Relu", ("a",), ("y",), {})], {}, r"`n0` \(Softmax\) has no layer"),
        (
            [("Relu", ("x",), ("a",), {}), ("Tanh", ("x",), ("b",), {}), ("Add", ("a", "b"), ("y",), {})],
            {},
            "without a Relu",
        ),
        ([FLAT, ("Add", ("v", "w"), ("y",), {})], {"w": drawn(72)}, r"\(Add\) has no layer"),
        ([FLAT, DENSE, ("Relu", ("q",), ("r",), {})], WEIGHT, "not on the way"),
        ([FLAT, DENSE, ("Relu", ("y",), ("r",), {})], WEIGHT, "comes after the output"),
        ([FLAT, ("Relu", ("v",), ("v",), {})], WEIGHT, "twice"),
        ([("Relu", ("x",), ("v",), {})], {}, "ends at `v`"),
        ([("Reshape", ("x", "s"), ("y",), {})], {"s": np.array([-1, 36])}, r"vectors \(N, 72\)"),
    ],
)
def test_what_the_kit_has_no_layer_for_is_refused(tmp_path, nodes, weights, words):
    with pytest.raises(InputError, match=words) as error:
        read(file(tmp_path, nodes, weights), IMAGE)
    assert "\n" not in str(error.value) and "model.onnx" in str(error.value)


def test_files_that_are_not_trusted(tmp_path):
    path = file(tmp_path, [FLAT, DENSE], WEIGHT)
    model = onnx.load(path)
    onnx.save(model, tmp_path / "apart.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0)
    with pytest.raises(InputError, match="in another file, which is not opened"):
        read(tmp_path / "apart.onnx", IMAGE)
    model = onnx.load(path)
    model.graph.initializer[0].dims[0] = 2**40
    (tmp_path / "large.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(InputError, match="other numbers than its shape"):
        read(tmp_path / "large.onnx", IMAGE)
    (tmp_path / "text.onnx").write_bytes(b"no network at all")
    (tmp_path / "empty.onnx").write_bytes(b"")
    for name in ("text.onnx", "empty.onnx", "missing.onnx"):
        with pytest.raises(InputError, match=name):
            read(tmp_path / name, IMAGE)
    with pytest.raises(InputError, match=r"takes inputs of \(2, 6, 6\); the data have \(2, 5, 5\)"):
        read(path, (2, 5, 5))
    content, rng = path.read_bytes(), np.random.default_rng(0)
    for _ in range(2000):  # a changed byte: one line, or a network that only has other numbers
        broken = bytearray(content)
        broken[rng.integers(len(broken) if rng.random() < 0.5 else 150)] = rng.integers(256)
        path.write_bytes(bytes(broken))
        try:
            read(path, IMAGE)
        except InputError as error:
            assert "\n" not in str(error)


def test_the_command_maps_an_onnx_file(tmp_path, monkeypatch, capsys):
    import json

    monkeypatch.chdir(tmp_path)
    path, rng = residual_file(tmp_path), np.random.default_rng(0)
    x = rng.random((80, *IMAGE)).astype("float32")
    labels = reference(path, x).argmax(axis=1)
    assert len(set(labels.tolist())) > 1
    np.savez("own.npz", x_train=x[:40], y_train=np.arange(40) % CLASSES, x_test=x[40:], y_test=labels[40:])
    table.save(tables(linear=True), "tables.h5")
    settings = "data.name = 'npz'\ndata.file = 'own.npz'\nmapping.wires = false\n"
    settings += "rule.kind = 'write_verify'\nrule.start = 'verify'\n"
    (tmp_path / "e.toml").write_text(settings)
    assert (
        run(["evaluate", "--weights", "model.onnx", "--experiment", "e.toml", "--tables", "tables.h5", "--json"]) == 0
    )
    found = json.loads(capsys.readouterr().out)
    assert found["network"][3] == "residual" and found["left_out"] == ["Softmax"]
    assert [layer["name"] for layer in found["layers"]] == [
        "0",
        "3.main.0",
        "3.main.2",
        "3.shortcut.0",
        "4.main.0",
        "7",
    ]
    # Labels are the float network's own: cells written within 1 % of the range find nearly all of them.
    assert found["accuracy"] >= 0.85 and found["float_accuracy"] == 1.0
    assert found["written"]["pulses"] > 0 and found["energy"] == near(
        sum(e["energy"] for e in found["layers"]), rel=1e-12
    )
    (tmp_path / "e.toml").write_text(settings + "network.hidden = [3]\n")
    with pytest.raises(InputError, match="Remove `network`"):
        run(["evaluate", "--weights", "model.onnx", "--experiment", "e.toml", "--tables", "tables.h5"])
