import gzip
import os
import pickle
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rramkit.errors import InputError, SetupError
from rramkit.learning import DataSet, Experiment
from rramkit.learning.data import DataSettings, as_numbers, augmented, cifar, fetch, idx
from rramkit.learning.data.functions import as_digits
from rramkit.learning.data.own import npz_arrays
from rramkit.learning.train import data_set

RNG = np.random.default_rng(0)


def _idx_bytes(array):
    axes = b"".join(length.to_bytes(4, "big") for length in array.shape)
    return bytes((0, 0, 8, array.ndim)) + axes + array.tobytes()


def _write_mnist(folder, *, zipped=True):
    folder.mkdir()
    arrays = (RNG.integers(0, 256, (12, 28, 28)), np.arange(12) % 10, RNG.integers(0, 256, (5, 28, 28)), np.arange(5))
    for name, array in zip(idx.FILES, arrays, strict=True):
        content = _idx_bytes(array.astype(np.uint8))
        path = folder / (f"{name}.gz" if zipped else name)
        path.write_bytes(gzip.compress(content) if zipped else content)
    return arrays


@pytest.mark.parametrize(("folder", "zipped"), [("mnist", True), ("mnist", False), (".", True)])
def test_idx_files_are_read_wherever_they_lie(tmp_path, folder, zipped):
    arrays = _write_mnist(tmp_path / "data" if folder == "." else tmp_path / folder, zipped=zipped)
    place = tmp_path / "data" if folder == "." else tmp_path
    data = DataSettings(name="mnist", folder=str(place), validation=0.0).loaded(seed=1)
    np.testing.assert_array_equal(data.x_train[:, 0], arrays[0])
    np.testing.assert_array_equal(data.y_test, arrays[3])
    assert data.shape == (1, 28, 28)
    assert data.classes == 10
    numbers = as_numbers(data.x_train, np.float32)
    assert numbers.dtype == np.float32
    # a byte over 255, rounded to single precision
    np.testing.assert_allclose(numbers[:, 0], arrays[0] / 255.0, rtol=1e-6)


def test_what_is_missing_or_damaged_says_what_to_do(tmp_path):
    settings = DataSettings(name="fashion_mnist", folder=str(tmp_path))
    with pytest.raises(
        InputError, match=r"train-images-idx3-ubyte.gz is neither .* .MD5 8d4fb7e6c68d591d4c3dfef9ec88bf0d"
    ):
        settings.loaded(seed=1)
    _write_mnist(tmp_path / "mnist")
    path = tmp_path / "mnist" / f"{idx.FILES[0]}.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="cannot be read"):
        DataSettings(name="mnist", folder=str(tmp_path)).loaded(seed=1)
    path.write_bytes(gzip.compress(b"no numbers"))
    with pytest.raises(InputError, match="not a whole IDX file"):
        DataSettings(name="mnist", folder=str(tmp_path)).loaded(seed=1)


def test_a_download_is_checked_and_its_failure_says_how_by_hand(tmp_path, monkeypatch):
    source = tmp_path / "source.bin"
    source.write_bytes(b"abc")
    right = fetch.Remote("A set", "file.bin", source.as_uri(), "900150983cd24fb0d6963f7d28e17f72")  # RFC 1321's MD5
    path = fetch.fetch(right, tmp_path / "new", "set", download=True)
    assert path == tmp_path / "new" / "set" / "file.bin"
    assert path.read_bytes() == b"abc"
    wrong = fetch.Remote("A set", "other.bin", source.as_uri(), "0" * 32)
    with pytest.raises(SetupError, match="gave a file of MD5 900150983cd24fb0d6963f7d28e17f72"):
        fetch.fetch(wrong, tmp_path / "new", "set", download=True)
    gone = fetch.Remote("A set", "gone.bin", (tmp_path / "gone").as_uri(), "0" * 32)
    with pytest.raises(SetupError, match=r"the download failed .* By hand: save .* as .*set/gone.bin \(MD5 0"):
        fetch.fetch(gone, tmp_path / "new", "set", download=True)
    assert sorted(file.name for file in path.parent.iterdir()) == ["file.bin"]


def _cifar_batch(images=4):
    return RNG.integers(0, 256, (images, 3, 32, 32)).astype(np.uint8), np.arange(images) % 10


def _binary(x, y):
    return np.hstack([y[:, None].astype(np.uint8), x.reshape(len(x), -1)]).tobytes()


def test_cifar_in_its_forms(tmp_path):
    batches = [_cifar_batch() for _ in range(6)]
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    binary, pickled, packed = (tmp_path / name for name in ("binary", "pickled", "packed"))
    for folder in (binary / "cifar-10-batches-bin", pickled, packed):
        folder.mkdir(parents=True)
    for name, (x, y) in zip(names, batches, strict=True):
        (binary / "cifar-10-batches-bin" / f"{name}.bin").write_bytes(_binary(x, y))
        content = {b"data": x.reshape(len(x), -1), b"labels": y.tolist()}
        (pickled / name).write_bytes(pickle.dumps(content, protocol=2))
    with tarfile.open(packed / cifar.ARCHIVE.file, "w:gz") as archive:
        archive.add(binary / "cifar-10-batches-bin", "cifar-10-batches-bin")
    for folder in (binary, pickled, packed):
        data = DataSettings(name="cifar10", folder=str(folder), validation=0.0).loaded(seed=1)
        np.testing.assert_array_equal(data.x_train, np.concatenate([x for x, _ in batches[:5]]))
        np.testing.assert_array_equal(data.y_test, batches[5][1])


def test_a_pickle_that_names_a_function_is_refused(tmp_path):
    for name in (*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"):
        (tmp_path / name).write_bytes(pickle.dumps({b"data": Path, b"labels": []}))
    with pytest.raises(InputError, match="pathlib"):
        DataSettings(name="cifar10", folder=str(tmp_path)).loaded(seed=1)


@pytest.mark.filterwarnings("ignore::rramkit.errors.DataWarning")  # few inputs
def test_ones_own_data(tmp_path):
    path = tmp_path / "own.npz"
    x, y = RNG.normal(size=(40, 6, 5)), np.arange(40) % 4
    np.savez(path, x=x, y=y)
    data = DataSettings(name="npz", file=str(path)).loaded(seed=1)
    assert (len(data.x_train), len(data.x_validation), len(data.x_test)) == (28, 4, 8)  # of each class 7, 1 and 2
    assert data.shape == (1, 6, 5)
    assert data.name == "own.npz"
    np.savez(path, x_train=x, y_train=y, x_test=x[:3], y_test=y[:3])
    np.testing.assert_array_equal(DataSettings(name="npz", file=str(path)).loaded(seed=1).y_test, y[:3])
    for arrays, words in (
        ({"inputs": x}, "got inputs"),
        ({"x": x, "y": y[:-1]}, r"\(40,\), integers from 0; got \(39,\)"),
        ({"x": np.full((40, 3), np.nan), "y": y}, "finite"),
        ({"x": x, "y": y - 1}, "integers from 0"),
    ):
        np.savez(path, **arrays)  # pyright: ignore[reportArgumentType]  (its keywords are names of arrays)
        with pytest.raises(InputError, match=words):
            DataSettings(name="npz", file=str(path)).loaded(seed=1)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"cannot be read as \.npz"):
        DataSettings(name="npz", file=str(path)).loaded(seed=1)


@pytest.mark.filterwarnings("ignore::rramkit.errors.DataWarning")  # few inputs
def test_fewer_images_and_standardised_ones(tmp_path):
    np.savez(tmp_path / "own.npz", x=RNG.integers(0, 256, (100, 3, 4, 4)).astype(np.uint8), y=np.arange(100) % 2)
    settings = DataSettings(
        name="npz", file=str(tmp_path / "own.npz"), train_images=50, test_images=7, validation=0.0, standardise=True
    )
    data = settings.loaded(seed=1)
    assert (len(data.x_train), len(data.x_test)) == (50, 7)
    # single precision sums of 800 numbers of order one
    np.testing.assert_allclose(data.x_train.mean(axis=(0, 2, 3)), 0.0, rtol=0, atol=1e-5)
    np.testing.assert_allclose(data.x_train.std(axis=(0, 2, 3)), 1.0, rtol=1e-4)
    np.testing.assert_array_equal(data.x_train, settings.loaded(seed=1).x_train)
    assert np.any(data.x_train != settings.loaded(seed=2).x_train)


def test_augmented_images_are_shifted_and_mirrored():
    x = RNG.random((200, 1, 8, 8))
    found = augmented(x, rng=np.random.default_rng(0))
    assert found.shape == x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (4, 4), (4, 4)))
    for image, around in zip(found[:20], padded[:20], strict=True):
        views = [around[:, i : i + 8, j : j + 8] for i in range(9) for j in range(9)]
        assert any(np.array_equal(image, view) or np.array_equal(image[..., ::-1], view) for view in views)
    with pytest.raises(InputError, match="augment"):
        DataSettings(name="digits", augment=True).loaded(seed=1)


def test_mnist_itself():
    if "RRAMKIT_DATA" not in os.environ:
        pytest.skip("RRAMKIT_DATA names no folder of data")
    data = DataSettings(name="mnist", validation=0.0).loaded(seed=1)
    assert data.x_train.shape == (60_000, 1, 28, 28)
    assert data.x_test.shape == (10_000, 1, 28, 28)
    assert np.bincount(data.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


def test_the_lossy_copy_of_cifar_says_so():
    folder = Path(os.environ.get("RRAMKIT_DATA", ""))
    if not (folder / "cifar10_jpeg_test.npz").is_file():
        pytest.skip("RRAMKIT_DATA holds no JPEG copy of CIFAR-10")
    pytest.importorskip("PIL")
    images, labels = cifar._decoded(folder / "cifar10_jpeg_test.npz")
    assert images.shape == (10_000, 3, 32, 32)
    assert np.bincount(labels).tolist() == [1000] * 10
    assert 100 < images.mean() < 140


def test_weights_are_many_arrays_and_a_file_of_thousands_is_refused(tmp_path):
    arrays: dict[str, Any] = {f"{layer}.weight": np.ones(2) for layer in range(932)}  # as many as a ResNet-152 has
    np.savez(tmp_path / "deep.npz", **arrays)
    assert len(npz_arrays(tmp_path / "deep.npz")) == 932
    arrays = {str(index): np.ones(1) for index in range(4097)}
    np.savez(tmp_path / "many.npz", **arrays)
    with pytest.raises(InputError, match="it holds 4097 arrays"):
        npz_arrays(tmp_path / "many.npz")


def _with(**settings: float) -> Experiment:
    return Experiment.checked({"data": settings}, where="the test")


def _own(**settings: float) -> DataSet:
    """Return the data that a training on arrays of two inputs from 0 to 1 gets."""
    x, y = np.random.default_rng(2).random((60, 2)), np.arange(60) % 3
    return data_set((x, y), _with(validation=0.0, **settings))


def test_arrays_of_a_program_are_prepared_as_files_are():
    plain = _own()
    np.testing.assert_array_equal(_own(bits=4, row_bits=2).x_train, as_digits(plain.x_train, bits=4, row_bits=2))
    np.testing.assert_array_equal(_own(standardise=True).x_test, plain.standardised().x_test)
    moved = _own(fluctuation=0.2)
    np.testing.assert_array_equal(moved.x_train, plain.x_train)
    np.testing.assert_array_equal(moved.x_test, plain.fluctuating(0.2, seed=1).x_test)
    assert np.all(moved.x_test != plain.x_test)
    few = _own(train_images=12, test_images=5)
    assert (len(few.y_train), len(few.y_test)) == (12, 5)


def test_a_data_set_of_a_program_is_taken_as_it_is_or_refused():
    given = DataSet(np.random.default_rng(2).random((60, 2)), np.arange(60) % 3)
    assert data_set(given, _with(validation=0.0)) is given
    assert len(data_set(given, _with(validation=0.2)).y_validation)
    for settings in ({"bits": 2}, {"standardise": True}, {"fluctuation": 0.1}, {"train_images": 5}):
        (name,) = settings
        with pytest.raises(InputError, match=rf"arrays with `data\.{name}`.* got a DataSet.* Pass the arrays"):
            data_set(given, _with(**settings))


def test_data_that_settings_prepared_are_taken_by_the_same_settings_alone():
    """The inputs of another number of bits are other inputs."""
    given = DataSet(np.random.default_rng(2).random((60, 2)), np.arange(60) % 3)
    ours = _with(bits=4, validation=0.2)
    prepared = ours.data.prepared(given, seed=1)
    assert data_set(prepared, ours).x_train is prepared.x_train
    for other, named in ((_with(bits=2), "bits"), (_with(bits=4, row_bits=2), "row_bits")):
        with pytest.raises(InputError, match=rf"arrays with `data\.{named}`"):
            data_set(prepared, other)
