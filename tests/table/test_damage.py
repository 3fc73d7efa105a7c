"""A damaged file is refused with the reason, and never hangs the reader or gives other numbers.

Each sweep runs in a process of its own with a time limit: a flipped byte in HDF5's heap or in its index of chunks can
hang the library in C code, where no exception ends it.
"""

import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.synthetic_run import run
from fixtures.synthetic_tables import full_file
from fixtures.waiting import BACKSTOP

from rramkit import hdf5, record, table
from rramkit.errors import TableError

SWEEP = """
import sys
from pathlib import Path
from rramkit import record, table
from rramkit.errors import TableError

path, kind, step, flip = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
load = {"tables": table.load, "run": record.load}[kind]
whole = path.read_bytes()
load(path)
tried = 0
with path.open("r+b", buffering=0) as file:
    for place in [*range(600), *range(600, len(whole), step)]:
        file.seek(place)
        file.write(bytes([whole[place] ^ flip]))
        try:
            load(path)
        except TableError as error:
            assert "damaged" in str(error) and "\\n" not in str(error), error
            tried += 1
        else:
            raise SystemExit(f"byte {place} of {len(whole)} changed and nobody saw it")
        file.seek(place)
        file.write(whole[place : place + 1])
load(path)
print(tried, len(whole))
"""


@pytest.fixture
def made(tmp_path):
    table.save(full_file(), tmp_path / "tables.h5")
    record.save(run(), tmp_path / "run.h5")
    return tmp_path


def _sweep(path: Path, kind: str, *, step: int, flip: int) -> tuple[int, int]:
    command = [sys.executable, "-c", SWEEP, str(path), kind, str(step), str(flip)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=3 * BACKSTOP, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    tried, size = (int(number) for number in done.stdout.split())
    return tried, size


@pytest.mark.parametrize("kind", ["tables", "run"])
def test_a_flipped_byte_is_refused_wherever_it_is(made, kind):
    for step, flip in ((89, 0x01), (101, 0xFF)):  # steps that share no factor with HDF5's blocks
        tried, size = _sweep(made / f"{kind}.h5", kind, step=step, flip=flip)
        assert tried >= size / step


@pytest.mark.long
@pytest.mark.parametrize("kind", ["tables", "run"])
def test_every_single_byte(made, kind):
    tried, size = _sweep(made / f"{kind}.h5", kind, step=1, flip=0x10)
    assert tried == size


@pytest.mark.parametrize("kind", ["tables", "run"])
def test_a_file_that_is_cut_off_says_so(made, kind):
    path = made / f"{kind}.h5"
    whole, load = path.read_bytes(), {"tables": table.load, "run": record.load}[kind]
    for length in (0, 1, 100, 511):
        path.write_bytes(whole[:length])
        with pytest.raises(TableError, match="damaged"):
            load(path)
    for length in [*range(512, len(whole), 997), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(TableError, match=f"it is damaged: {length} of {len(whole)} bytes are there"):
            load(path)
    path.write_bytes(whole + b"\0")
    with pytest.raises(TableError, match="do not match"):
        load(path)


def test_a_file_whose_seal_was_taken_off_is_refused(made):
    path = made / "tables.h5"
    path.write_bytes(path.read_bytes()[hdf5.SEAL_SIZE :])  # HDF5 itself reads that: offsets count from the superblock
    with pytest.raises(TableError, match="its checksum is missing"):
        table.load(path)


def test_a_change_is_seen_and_a_seal_put_anew_is_believed(made):
    path = made / "tables.h5"
    with hdf5.h5py.File(path, "r+") as file:
        file.attrs["note"] = "changed by hand"
    with pytest.raises(TableError, match="damaged or was changed by another program"):
        table.load(path)
    hdf5.seal(path)
    assert table.load(path).provenance["note"] == "changed by hand"
