"""A characterisation that ends before its end, in every way: the same command goes on, to the same numbers."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import pytest
from fixtures.characterize_run import numbers, rows_of, run, started
from fixtures.waiting import BACKSTOP, wait_until

pytestmark = pytest.mark.spice


@contextmanager
def killed_at(folder: Path, rows: int, *arguments: str) -> Iterator[subprocess.Popen]:
    """Yield a run when its file of points has so many rows; kill -9 it after the block."""
    process = started(folder, *arguments)
    try:
        wait_until(lambda: rows_of(folder / "out.points") >= rows or process.poll() is not None)
        assert process.poll() is None
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    """An uninterrupted run's numbers."""
    folder = tmp_path_factory.mktemp("whole")
    assert run(folder, "-o", "out.h5", "--workers", "2") == (0, "")
    return numbers(folder / "out.h5")


def test_killed_twice_and_the_same_in_the_end(tmp_path, whole):
    for rows in (14, 25):
        with killed_at(tmp_path, rows, "-o", "out.h5", "--workers", "2"):
            assert not (tmp_path / "out.h5").exists()
    assert run(tmp_path, "-o", "out.h5", "--workers", "1") == (0, "")
    with h5py.File(tmp_path / "out.h5") as root:
        assert int(str(root.attrs["spice_reused"])) > 100
    assert numbers(tmp_path / "out.h5") == whole
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.h5", "out.points", "plan.toml"]


@pytest.mark.long
def test_a_worker_that_is_killed_costs_nothing(tmp_path, whole):
    with killed_at(tmp_path, 12, "-o", "out.h5", "--workers", "2") as job:
        for _ in range(4):
            time.sleep(0.3)
            for pid in children(job.pid)[:1]:
                os.kill(pid, signal.SIGKILL)
        assert job.communicate(timeout=BACKSTOP)[1] == ""
    assert numbers(tmp_path / "out.h5") == whole


def children(pid: int) -> list[int]:
    """Worker processes of a run: spawned, so by their command line."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"spawn_main" in (stat.parent / "cmdline").read_bytes():
                found.append(int(stat.parent.name))
        except (OSError, IndexError):
            continue
    return sorted(found)


def test_a_second_run_of_the_same_output_says_so_and_stops(tmp_path):
    with killed_at(tmp_path, 12, "-o", "out.h5", "--workers", "1") as first:
        first.send_signal(signal.SIGSTOP)  # however quick its cells are, it still holds its output
        code, err = run(tmp_path, "-o", "out.h5")
        assert code == 2
        assert err.count("\n") == 1
        assert f"another run (process {first.pid}) is writing it" in err
        assert first.poll() is None


@pytest.mark.long
def test_a_full_disk_gives_one_line_and_loses_nothing(tmp_path, whole):
    disk = tmp_path / "disk"
    disk.mkdir()
    for size in ("24k", "150k"):  # too small for the points; then for the tables
        small = f"mount -t tmpfs -o size={size} tmpfs {disk} && cp -f kept {disk}/out.points; " if size else ""
        script = f'{small} cd {disk}; cp ../plan.toml .; "$@"; code=$?; cp out.points ../kept; exit $code'
        inside = ("unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh")
        if subprocess.run([*inside[:3], "true"], check=False, capture_output=True).returncode:
            pytest.skip("this machine lets no one mount a small disk of their own")
        (tmp_path / "kept").touch()
        code, err = run(tmp_path, "-o", "out.h5", "--workers", "2", before=inside)
        assert code == 2, err
        assert err.count("\n") == 1
        assert "cannot be written (" in err
        assert "finished points are kept in out.points; the same command resumes there" in err
    (tmp_path / "kept").rename(tmp_path / "out.points")
    assert run(tmp_path, "-o", "out.h5") == (0, "")
    assert numbers(tmp_path / "out.h5") == whole


@pytest.mark.long
def test_a_damaged_file_of_points_is_refused_with_the_reason(tmp_path):
    with killed_at(tmp_path, 13, "-o", "out.h5", "--workers", "2"):
        pass
    points = tmp_path / "out.points"
    (tmp_path / "out.points-journal").unlink(missing_ok=True)
    points.write_bytes(points.read_bytes()[:5000])  # within the second page
    code, err = run(tmp_path, "-o", "out.h5")
    assert code == 2
    assert err.startswith("rramkit: out.points: is damaged (")
    assert err.count("\n") == 1


@pytest.mark.long
def test_shares_merge_into_the_same_numbers(tmp_path, whole):
    for k in (1, 2, 3):
        assert run(tmp_path, "-o", f"part{k}.h5", "--shard", f"{k}/3", "--workers", "1") == (0, "")
        assert not (tmp_path / f"part{k}.h5").exists()
    rows = [rows_of(tmp_path / f"part{k}.points") for k in (1, 2, 3)]
    shares = ["part1.points", "part2.h5", "part3.points"]
    process = started(tmp_path, "out.h5", *shares, command="merge")
    assert process.communicate(timeout=BACKSTOP)[1] == ""
    assert numbers(tmp_path / "out.h5") == whole
    assert max(rows) < rows_of(tmp_path / "out.points") < sum(rows)
    with h5py.File(tmp_path / "out.h5") as root:
        assert root.attrs["spice_reused"] == root.attrs["spice_runs"]  # nothing ran again
