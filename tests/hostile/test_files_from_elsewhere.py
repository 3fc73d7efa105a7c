"""HDF5 files that somebody sends: nothing outside them is read, nothing is believed that cannot be."""
# pyright: reportIndexIssue=false, reportArgumentType=false
# What h5py gives for a name may be a group, a dataset or a type.

import struct
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from fixtures.synthetic import tables
from fixtures.synthetic_run import run

from rramkit import hdf5, record, table
from rramkit.errors import InputError, TableError
from rramkit.learning import DataSet, Experiment, checkpoint, train


def changed(path: Path, change: Callable[[h5py.File], object]) -> Path:
    with h5py.File(path, "r+") as file:
        change(file)
    hdf5.seal(path)
    return path


@pytest.fixture
def tables_path(tmp_path) -> Path:
    table.save(tables(), tmp_path / "tables.h5")
    return tmp_path / "tables.h5"


def refuses(path: Path, words: str) -> None:
    with pytest.raises(TableError, match=words) as caught:
        table.load(path)
    assert "\n" not in str(caught.value)


def replaced(file: h5py.File, name: str, make: Callable[[h5py.Group, str], object]) -> None:
    group, last = file[name].parent, name.rpartition("/")[2]
    del group[last]
    make(group, last)


def virtual(group: h5py.Group, name: str) -> None:
    layout = h5py.VirtualLayout(shape=(3,), dtype="f8")
    layout[...] = h5py.VirtualSource("other.h5", "secret", shape=(3,))
    group.create_virtual_dataset(name, layout)


def unfolding(group: h5py.Group, name: str) -> None:
    """Ten chunks of 32 MB of zeros, which take 31 kB each."""
    made = group.create_dataset(name, (40_000_000,), "f8", chunks=(4_000_000,), compression="gzip")
    packed = zlib.compress(bytes(32_000_000))
    for index in range(10):
        made.id.write_direct_chunk((index * 4_000_000,), packed)


ELSEWHERE = {
    "external link": (lambda g, n: g.__setitem__(n, h5py.ExternalLink("other.h5", "/secret")), "is a link"),
    "soft link": (lambda g, n: g.__setitem__(n, h5py.SoftLink("/nowhere")), "is a link"),
    "virtual": (virtual, "values in other files"),
    "external": (lambda g, n: g.create_dataset(n, (2,), "f8", external=[("raw", 0, 16)]), "values in other files"),
    "missing chunks": (lambda g, n: g.create_dataset(n, (100,), "f8", chunks=(10,)), "lacks some of its values"),
    "bytes without end": (unfolding, "would unfold to"),
    "named type": (lambda g, n: g.__setitem__(n, np.dtype("f8")), "neither group nor dataset"),
    "texts": (lambda g, n: g.create_dataset(n, data=["a", "b"]), "no real numbers"),
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_what_leads_elsewhere_or_is_not_there(tables_path, name):
    make, words = ELSEWHERE[name]
    refuses(changed(tables_path, lambda file: replaced(file, "read/i_cell", make)), words)


def test_a_heap_that_would_hang_the_library_is_refused(tables_path):
    """HDF5 2.0 never leaves a heap whose free space says that it is 0 bytes long."""
    content = bytearray(tables_path.read_bytes())
    start = content.index(b"GCOL")
    place = start + 16
    while (index := struct.unpack_from("<H", content, place)[0]) != 0:
        assert index
        place += 16 + -(-struct.unpack_from("<Q", content, place + 8)[0] // 8) * 8
    struct.pack_into("<Q", content, place + 8, 0)
    tables_path.write_bytes(content)
    hdf5.seal(tables_path)
    refuses(tables_path, "its heap of texts is damaged")


UNPHYSICAL = {
    "negative conductance": ("read/g_cell", 0, -1e-6, "rising|below 0"),
    "SET that lowers": ("set/delta_g", (3, 8), -5e-5, "must raise the conductance"),
    "RESET that raises": ("reset/delta_g", (5, 5), 5e-5, "must lower the conductance"),
    "current against its voltage": ("read/i_cell", (8, 16), -2e-5, "sign of its voltage"),
    "endless resistance": ("wires/r_row", (), np.inf, "not finite"),
    "negative resistance": ("wires/r_col", (), -1.0, "below 0 ohm"),
    "resistance of no circuit": ("wires/r_drive", (), 1e200, "above 1e\\+15 ohm"),
    "energy of no pulse": ("set/energy", (0, 0), 1e9, "above 1000 J"),
    "unsorted axis": ("set/v_pulse", 2, 0.0, "rising"),
}


@pytest.mark.parametrize("name", UNPHYSICAL)
def test_what_no_device_does(tables_path, name):
    place, index, value, words = UNPHYSICAL[name]

    def change(file: h5py.File) -> None:
        file[place][index] = value

    refuses(changed(tables_path, change), words)


def test_a_conductance_below_nothing_is_refused(tmp_path):
    file = tables()
    reset = file["reset"]
    lower = replace(reset.signals["delta_g"], values=np.where(reset["delta_g"][...] < -1e-5, -2e-4, reset["delta_g"]))
    file = replace(file, tables={**file.tables, "reset": replace(reset, signals={**reset.signals, "delta_g": lower})})
    with pytest.raises(TableError, match="must leave a conductance above 0"):
        table.save(file, tmp_path / "t.h5")


RUNS = {
    "accuracy": (0.0, 1.5, "within 0 to 1"),
    "epochs/accuracy_train": (1, -0.1, "within 0 to 1"),
    "epochs/pulses_set": (1, -5, "below 0"),
    "epochs/energy_read": (2, np.nan, "not finite"),
    "epochs/epoch": (1, 7, "count from 0"),
    "layers/0/g_final": ((0, 0, 0), -1e-6, "below 0"),
    "layers/0/histogram": ((0, 0), 10**6, "more cells than there are"),
    "layers/1/pulses": ((0, 0, 0), -1, "below 0"),
    "confusion": ((0, 0), -1, "below 0"),
}


@pytest.mark.parametrize("name", RUNS)
def test_what_no_training_gives(tmp_path, name):
    index, value, words = RUNS[name]
    record.save(run(), tmp_path / "run.h5")

    def change(file: h5py.File) -> None:
        file[name][() if name == "accuracy" else index] = value

    with pytest.raises(TableError, match=words):
        record.load(changed(tmp_path / "run.h5", change))


def test_a_damaged_checkpoint_says_how_to_go_on(tmp_path, recwarn):
    rng, stopped = np.random.default_rng(0), RuntimeError("stopped")
    data = DataSet(rng.random((40, 4)), np.arange(40) % 2, rng.random((8, 4)), np.arange(8) % 2)
    settings = {"network": {"hidden": [3]}, "epochs": 2, "mapping": {"wires": False}, "data": {"validation": 0.0}}
    experiment, path = Experiment.checked(settings, where="the test"), tmp_path / "run.h5"
    at = checkpoint.path_of(path)

    def stop(report) -> None:
        if report.epoch == 1:
            raise stopped

    with pytest.raises(RuntimeError, match="stopped"):
        train(experiment, tables(), data=data, progress=stop, run_path=path)
    whole = at.read_bytes()
    at.write_bytes(whole[:-100])
    with pytest.raises(TableError, match=r"is damaged.*Start it anew with `--restart`"):
        train(experiment, tables(), data=data, run_path=path)
    at.write_bytes(whole)
    changed(at, lambda file: replaced(file, "state/1", lambda g, n: g.create_dataset(n, data=np.zeros(7))))
    with pytest.raises(TableError, match=r"are not those of this training. Start it anew with `--restart`"):
        train(experiment, tables(), data=data, run_path=path)
    at.write_bytes(whole)
    changed(at, lambda file: file.attrs.__setitem__("arithmetic", "openblas 0.2.0 Nehalem, threads 64"))
    train(experiment, tables(), data=data, run_path=path)
    assert any("Nehalem, threads 64, and goes on with" in str(each.message) for each in recwarn.list)
    at.write_bytes(whole)
    other = experiment.model_copy(update={"seed": 2})
    with pytest.raises(InputError, match="start this one anew with `--restart`"):
        train(other, tables(), data=data, run_path=path)
