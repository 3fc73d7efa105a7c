"""The file of finished points: exact, one writer's transactions, and damage that is refused or run again."""

import os
import sqlite3
from functools import partial
from pathlib import Path
from threading import Timer

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from rramkit.characterization.components.cell import read_conductances, row_pulses
from rramkit.characterization.engine.cache_key import content_key, identity
from rramkit.characterization.engine.point import Outcome
from rramkit.characterization.engine.store import Store, store_of
from rramkit.circuits.cell import WriteParams
from rramkit.errors import InputError
from rramkit.lock import only_writer

KEYS = [bytes([k]) * 32 for k in range(40)]


def outcome(k: int) -> Outcome:
    rng = np.random.default_rng(k)
    return Outcome(rng.standard_normal((3, 1 + k % 4)), attempt=k % 3, swept=k, seconds=0.1 * k)


@pytest.fixture
def filled(tmp_path) -> Path:
    path = tmp_path / "some.points"
    with Store(path) as store:
        for k, key in enumerate(KEYS):
            store.keep(key, outcome(k))
    return path


def same(found: Outcome | None, wanted: Outcome) -> bool:
    return (
        found is not None
        and found.values is not None
        and wanted.values is not None
        and found.values.tobytes() == wanted.values.tobytes()
        and found.values.shape == wanted.values.shape
        and (found.attempt, found.swept, found.seconds) == (wanted.attempt, wanted.swept, wanted.seconds)
    )


def test_what_is_kept_comes_back_bit_for_bit(filled):
    with Store(filled) as store:
        assert len(store) == len(KEYS)
        for k, key in enumerate(KEYS):
            assert same(store.find(key), outcome(k))
        assert store.find(b"\xff" * 32) is None
        assert store.damaged == 0


@settings(max_examples=30)
@given(arrays(np.float64, array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5)), st.text(max_size=20))
def test_any_numbers_and_any_failure(tmp_path_factory, values, detail):
    path = tmp_path_factory.mktemp("any") / "any.points"
    with Store(path) as store:
        store.keep(KEYS[0], Outcome(values))
        store.keep(KEYS[1], Outcome(None, "convergence", detail, 4))
    with Store(path) as store:
        found, failed = store.find(KEYS[0]), store.find(KEYS[1])
    assert found is not None and found.values is not None
    assert found.values.tobytes() == values.tobytes() and found.values.shape == values.shape
    assert failed is not None and failed.values is None
    assert (failed.reason, failed.detail, failed.attempt) == ("convergence", detail, 4)


def test_a_run_waits_while_another_one_writes(tmp_path):
    """For longer than SQLite's own limit of a second."""
    path = tmp_path / "shared.points"
    with Store(path) as store:
        other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        other.execute("BEGIN EXCLUSIVE")
        release = Timer(1.5, lambda: other.execute("ROLLBACK"))
        release.start()
        store.keep(KEYS[0], outcome(0))
        store.flush()
        release.join()
        other.close()
        assert same(store.find(KEYS[0]), outcome(0))


def test_half_a_transaction_is_none(tmp_path):
    store = Store(tmp_path / "killed.points")
    store.keep(KEYS[0], outcome(0))
    store.flush()
    store.keep(KEYS[1], outcome(1))  # and here the process is gone
    with Store(tmp_path / "killed.points") as again:
        assert same(again.find(KEYS[0]), outcome(0))
        assert again.find(KEYS[1]) is None
    store._database.close()  # as the system does for a process that is gone


def looked_up(path: Path) -> str:
    """What a damaged file gives: a refusal, or each point whole or not at all; anything else fails the test."""
    try:
        with Store(path) as store:
            found = [store.find(key) for key in KEYS]
    except InputError as error:
        assert str(error).startswith(f"{path}: ")
        return "refused"
    for k, one in enumerate(found):
        assert one is None or same(one, outcome(k)), f"point {k} is silently wrong"
    return "missing" if None in found else "whole"


def test_a_flipped_byte_is_never_silently_wrong(filled, tmp_path):
    raw, seen = filled.read_bytes(), set()
    for place in range(0, len(raw), 37):
        damaged = bytearray(raw)
        damaged[place] ^= 0x41
        path = tmp_path / "flipped.points"
        path.write_bytes(damaged)
        seen.add(looked_up(path))
    assert seen >= {"refused", "missing"}  # "whole": the byte lay where SQLite keeps nothing


def test_a_truncated_file_is_never_silently_wrong(filled, tmp_path):
    raw, seen = filled.read_bytes(), []
    for length in range(0, len(raw) - 1, 509):
        path = tmp_path / "short.points"
        path.write_bytes(raw[:length])
        seen.append(looked_up(path))
    assert set(seen) <= {"refused", "missing"}
    assert seen.count("refused") > len(seen) / 2


def test_a_damaged_row_is_counted_and_may_be_replaced(filled):
    database = sqlite3.connect(filled)
    database.execute("UPDATE points SET data = zeroblob(length(data)) WHERE key = ?", [KEYS[3]])
    database.commit()
    database.close()
    with Store(filled) as store:
        assert store.find(KEYS[3]) is None
        assert store.damaged == 1
        store.keep(KEYS[3], outcome(3))
    with Store(filled) as store:
        assert same(store.find(KEYS[3]), outcome(3))


@pytest.mark.parametrize("content", [b"an older result", b"\x89HDF\r\n\x1a\n" + bytes(4096)])
def test_another_file_is_refused(tmp_path, content):
    path = tmp_path / "other.points"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"other\.points: is damaged"):
        Store(path)
    assert path.read_bytes() == content


def test_another_database_is_refused(tmp_path):
    database = sqlite3.connect(tmp_path / "photos.db")
    database.execute("CREATE TABLE photos (name TEXT)")
    database.commit()
    database.close()
    with pytest.raises(InputError, match="no store of finished points"):
        Store(tmp_path / "photos.db")


def test_stores_are_taken_in(tmp_path, filled):
    with Store(tmp_path / "all.points") as store:
        assert store.take_in(filled) == len(KEYS)
        assert store.take_in(filled) == len(KEYS)  # once more changes nothing
        assert len(store) == len(KEYS)
        assert same(store.find(KEYS[7]), outcome(7))
        with pytest.raises(InputError, match="no such file"):
            store.take_in(tmp_path / "none.points")


def test_a_point_is_what_decides_its_numbers(tmp_path):
    deck, measure = "t\nV1 a 0 1\n.end\n", partial(row_pulses, cells=8)
    key = content_key(deck, measure, "ngspice 46")
    assert key == content_key(deck, partial(row_pulses, cells=8), "ngspice 46")
    others = [
        content_key(deck + "*\n", measure, "ngspice 46"),
        content_key(deck, partial(row_pulses, cells=7), "ngspice 46"),
        content_key(deck, measure, "ngspice 46 with KLU"),
        content_key(deck, partial(read_conductances, params=WriteParams()), "ngspice 46"),
        content_key(deck, partial(read_conductances, params=WriteParams(state=0.4)), "ngspice 46"),
    ]
    assert len({key, *others}) == len(others) + 1
    inner, outer = tmp_path / "inner.lib", tmp_path / "outer.lib"
    inner.write_text("* one\n")
    outer.write_text(f'.include "{inner}"\n')
    including = f't\n.include "{outer}"\n.end\n'
    before = content_key(including, measure, "ngspice 46")
    inner.write_text("* two\n")
    os.utime(inner, ns=(1, 1))
    assert content_key(including, measure, "ngspice 46") != before


def test_a_measure_must_have_a_lasting_name():
    def inner(waves):
        return waves["time"]

    for nameless in (lambda waves: waves["time"], partial(inner), partial(row_pulses, cells={1, 2})):  # pyright: ignore[reportArgumentType]
        with pytest.raises(InputError, match=r"must be"):
            identity(nameless)


def test_the_second_writer_says_so(tmp_path):
    output = tmp_path / "tables.h5"
    with only_writer(output), pytest.raises(InputError, match=rf"another run \(process {os.getpid()}\)"):
        with only_writer(output):
            pass
    with only_writer(output):
        pass
    assert list(tmp_path.iterdir()) == []


def test_the_store_stands_beside_its_output():
    assert store_of(Path("a/tables.h5")) == Path("a/tables.points")
