"""Settings and data that somebody sends: one line for whatever they hold, and no hour of computation."""

import io
import time
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest

import rramkit as rk
from rramkit.cli.options import parameters
from rramkit.errors import DataWarning, InputError
from rramkit.learning import Experiment, train
from rramkit.learning.data import DataSettings
from rramkit.learning.data.own import own

RNG = np.random.default_rng(0)
DEEP = {
    "lists": "epochs = " + "[" * 100_000,
    "closed lists": "epochs = " + "[" * 60 + "]" * 60,
    "groups": "a = " + "{ b = " * 60 + "1" + " }" * 60,
    "dotted key": "a." * 60_000 + "b = 1",
    "dotted key with blanks and quotes": ' "a" . ' * 40 + "b = 1",
    "dotted table": "[" + "a." * 50_000 + "b]",
    "long key": "k" * 300_000 + " = 1",
    "long key in quotes": '"' + "k" * 300_000 + '" = 1',
    "large integer": "epochs = " + "9" * 4000,
    "larger integer": "epochs = " + "9" * 400_000,
    "integer of 65 bits": "seed = 18446744073709551616",
    "line break in a key": '"a\\nb" = 1',
    "control characters": 'name = "\\u001b[2J"',
    "long text": 'name = "' + "x" * 900_000 + '"',
    "many": "# " + "x" * 2_000_000,
    "date": "epochs = 1979-05-27",
    "endless": "optimiser.learning_rate = inf",
    "no number": "optimiser.learning_rate = nan",
}


@pytest.mark.parametrize("name", DEEP)
def test_toml_of_any_shape_is_refused_in_one_line(tmp_path, name):
    path, start = tmp_path / "e.toml", time.process_time()
    path.write_text(DEEP[name])
    with pytest.raises(InputError) as caught:
        parameters(Experiment, path, None)
    assert len(str(caught.value).splitlines()) == 1 and len(str(caught.value)) < 1000
    assert str(caught.value).isprintable()
    assert time.process_time() - start < 5.0  # of the processor, which no other work takes part in


@pytest.mark.parametrize("content", [b"\xff\xfe", b"a = \x00", b"\xef\xbb\xbfepochs = 1", b""])
def test_bytes_that_are_no_text(tmp_path, content):
    path = tmp_path / "e.toml"
    path.write_bytes(content)
    if not content:
        parameters(Experiment, path, None)
        return
    with pytest.raises(InputError, match="not a TOML file") as caught:
        parameters(Experiment, path, None)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 5000, "{ a = " * 50 + "1" + " }" * 50])
def test_a_value_of_the_command_line(value):
    with pytest.raises(InputError) as caught:
        parameters(Experiment, None, [f"epochs={value}"])
    assert len(str(caught.value).splitlines()) == 1 and len(str(caught.value)) < 1000


def images(shape: tuple[int, ...] = (60, 1, 4, 4), classes: int = 3, first: int = 0) -> dict[str, np.ndarray]:
    return {"x": RNG.random(shape).astype("f4"), "y": first + np.arange(shape[0]) % classes}


REFUSED = {
    "one class": (images(classes=1), "two or more classes"),
    "one class that is not 0": (images(classes=1, first=3), "two or more classes"),
    "channel last": (images((60, 8, 8, 3)), r"channel last. Pass `x.transpose\(0, 3, 1, 2\)`"),
    "grey channel last": (images((60, 28, 28, 1)), "channel last"),
    "labels of a database": (images(classes=3, first=100_000), "Number them anew"),
    "labels of thousands": ({**images(), "y": (np.arange(60) % 3) * 10**9}, "Number them anew"),
    "too few": (images((4, 1, 4, 4)), "none of the 3 classes has 3 inputs"),
    "objects": ({"x": np.array([{}, []], dtype=object), "y": np.arange(2)}, "Python objects"),
    "texts": ({"x": np.array(["a", "b"]), "y": np.arange(2)}, "no numbers"),
    "complex": ({"x": np.ones((9, 4), complex), "y": np.arange(9) % 3}, "no numbers"),
    "fractions as labels": ({**images(), "y": np.arange(60) / 3}, "integers from 0"),
    "one-hot labels": ({**images(), "y": np.eye(3)[np.arange(60) % 3]}, "integers from 0"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_data_that_are_not_what_was_meant(tmp_path, name):
    arrays, words = REFUSED[name]
    np.savez(tmp_path / "own.npz", **arrays)
    with pytest.raises(InputError, match=words) as caught:
        own(tmp_path / "own.npz", seed=1)
    assert "\n" not in str(caught.value)


def with_header(path: Path, header: str, data: bytes = b"") -> Path:
    """Write an archive whose array `x` has a header of one's own."""
    text = (header + " " * (118 - len(header) - 1) + "\n").encode("latin1")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("x.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data)
        stream = io.BytesIO()
        np.save(stream, np.arange(3))
        file.writestr("y.npy", stream.getvalue())
    return path


HEADERS = {
    "terabytes": "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000, 4)}",
    "more than there is": "{'descr': '<f8', 'fortran_order': False, 'shape': (30, 4)}",
    "negative": "{'descr': '<f8', 'fortran_order': False, 'shape': (-3, -4)}",
    "pickle": "{'descr': '|O', 'fortran_order': False, 'shape': (3,)}",
    "code": "__import__('os').system('true')",
    "no type": "{'descr': '<q77', 'fortran_order': False, 'shape': (3,)}",
    "nothing": "",
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_that_lie(tmp_path, name):
    with pytest.raises(InputError, match=r"cannot be read as \.npz") as caught:
        own(with_header(tmp_path / "own.npz", HEADERS[name], bytes(64)), seed=1)
    assert "\n" not in str(caught.value)


def test_archives_that_are_none(tmp_path):
    path = tmp_path / "own.npz"
    np.savez_compressed(path, x=np.zeros(200_000_000, np.uint8)[:0], y=np.zeros(0, int))
    with pytest.raises(InputError):
        own(path, seed=1)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        own(path, seed=1)
    np.save(tmp_path / "x.npy", np.ones(3))
    with pytest.raises(InputError, match="holds one array alone"):
        own(tmp_path / "x.npy", seed=1)
    with pytest.raises(InputError, match="No such file"):
        own(tmp_path / "none.npz", seed=1)


def test_what_is_taken_with_a_word(tmp_path):
    arrays = images((60, 1, 4, 4))
    arrays["y"] = np.where(arrays["y"] == 1, 4, arrays["y"])
    np.savez(tmp_path / "own.npz", **arrays)  # pyright: ignore[reportArgumentType]  (its keywords are names of arrays)
    with pytest.warns(DataWarning, match="no training input has the label 1, 3.*12 test inputs: .* steps of 8.3%"):
        assert own(tmp_path / "own.npz", seed=1).classes == 5
    many = images((900, 4), classes=3)
    np.savez(tmp_path / "own.npz", **many)  # pyright: ignore[reportArgumentType]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        own(tmp_path / "own.npz", seed=1)


def test_a_look_at_the_inputs_takes_no_copy_of_them(tmp_path):
    pixels = RNG.integers(0, 256, (4000, 1, 32, 32), dtype=np.uint8)
    labels = np.arange(4000) % 3
    np.savez(
        tmp_path / "own.npz", x_train=pixels[:3000], y_train=labels[:3000], x_test=pixels[3000:], y_test=labels[3000:]
    )
    tracemalloc.start()
    own(tmp_path / "own.npz", seed=1)
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 3 * pixels.nbytes  # the file's, and what differs; in 8 bytes a pixel the training inputs are 6 times


def test_inputs_that_will_be_scaled_may_be_large(tmp_path):
    x, y = 255 * RNG.random((300, 4)), np.arange(300) % 3
    np.savez(tmp_path / "own.npz", x_train=x[:200], y_train=y[:200], x_test=x[200:], y_test=y[200:])
    scaled = DataSettings(name="npz", file=str(tmp_path / "own.npz"), standardise=True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaled.loaded(seed=1)
    with pytest.warns(DataWarning, match=r"inputs reach 25.*data\.standardise=true"):
        scaled.model_copy(update={"standardise": False}).loaded(seed=1)


def test_inputs_that_are_probably_not_meant_are_named(tmp_path):
    x, y = RNG.random((300, 4)), np.arange(300) % 3
    train = {"x_train": x[:200], "y_train": y[:200], "y_test": y[200:]}

    def said(**arrays):
        np.savez(tmp_path / "own.npz", **(train | {"x_test": x[200:]} | arrays))  # pyright: ignore[reportArgumentType]
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            own(tmp_path / "own.npz", seed=1)
        return " ".join(str(each.message) for each in caught)

    assert said() == ""
    pixels = (x * 255).astype(np.uint8)  # bytes stand for 0 to 1
    assert said(x_train=pixels[:200], x_test=pixels[200:]) == ""
    assert "inputs reach 25" in said(x_train=255 * x[:200], x_test=255 * x[200:])
    assert "scale both alike" in said(x_test=255 * x[200:])
    assert "scale both alike" in said(x_train=pixels[:200].astype(float) / 2550)
    assert "10.0% of the test inputs are training inputs too" in said(x_test=np.r_[x[:10], x[210:]])
    with pytest.raises(InputError, match="training inputs must differ; all are the same"):
        said(x_train=np.ones((200, 4)))


def test_arrays_given_in_python_are_looked_at_too():
    x = RNG.random((60, 8, 8, 3))
    with pytest.raises(InputError, match="channel last"):
        train(Experiment(), rk.example(), data=(x, np.arange(60) % 3))
