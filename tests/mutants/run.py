"""Mutants: single edits of the kit that a test must notice. This script makes each, runs its tests, prints survivors.

    python tests/mutants/run.py                      all edits of `edits.py`
    python tests/mutants/run.py NAME ... --kind seed some of them, by a part of the name or by kind
    python tests/mutants/run.py --all-tests          the whole suite for each that its own tests let live

Edits are made in a temporary copy of the working tree, one after the other; the tree itself is not touched. First the
tests of all chosen edits run once without any: a test that fails then would kill every mutant. A run that takes longer
than `--limit` seconds counts as killed, since a test that hangs is noticed. The exit status is 1 when one survives.
"""

import argparse
import contextlib
import importlib
import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_SHARED = (".venv", ".ngspice")  # linked, not copied
_LIBRARIES = (
    "numpy",
    "scipy.interpolate",
    "scipy.optimize",
    "h5py",
    "matplotlib.figure",
    "pydantic",
    "sklearn.datasets",
)
_PYTEST = ("-x", "-q", "-n", "0", "-p", "no:cacheprovider", "--no-header", "--tb=line")


def edits() -> tuple:
    """Return the edits of `edits.py`."""
    spec = importlib.util.spec_from_file_location("mutant_edits", Path(__file__).with_name("edits.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.EDITS


def copied(folder: Path) -> Path:
    """Copy what git knows of the working tree, and what it does not ignore, into a folder."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        elif source.is_file():
            shutil.copy2(source, target)
    for name in _SHARED:
        if (ROOT / name).exists() and not (folder / name).exists():
            (folder / name).symlink_to((ROOT / name).resolve())
    return folder


def preloaded() -> None:
    """Import what most tests need of other packages once: runs are forked from here, and a run is mostly imports."""
    for name in _LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    os.environ.setdefault("OMP_NUM_THREADS", "1")


def outcome(folder: Path, tests: Sequence[str], limit: float) -> str:
    """Run tests in a folder; return `passed`, `failed`, `slow`, or `error` where pytest could not run them."""
    process = os.fork()
    if not process:
        os.setsid()  # what it starts ends with it
        os._exit(_tested(folder, tests))
    end = time.monotonic() + limit
    while time.monotonic() < end:
        done, status = os.waitpid(process, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return {0: "passed", 1: "failed", 2: "failed"}.get(code, "error")  # 2: a module cannot be imported
        time.sleep(0.05)
    os.killpg(process, signal.SIGKILL)
    os.waitpid(process, 0)
    return "slow"


def _tested(folder: Path, tests: Sequence[str]) -> int:
    """Run pytest in this process; return its exit status."""
    silent = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silent, 1)
    os.dup2(silent, 2)
    os.chdir(folder)
    os.environ["PYTHONPATH"] = str(folder)
    sys.path[:0] = [str(folder)]
    sys.dont_write_bytecode = True
    return int(pytest.main([*_PYTEST, *tests]))


def tried(folder: Path, edit, arguments: argparse.Namespace) -> str:
    """Make one edit, run its tests, undo it; return what came out."""
    path = folder / edit.file
    before = path.read_text(encoding="utf-8")
    if before.count(edit.old) != 1:
        return "stale"
    path.write_text(before.replace(edit.old, edit.new), encoding="utf-8")
    try:
        found = outcome(folder, edit.tests, arguments.limit)
        if found == "passed" and arguments.all_tests:
            found = outcome(folder, (), arguments.limit_all)
        return found
    finally:
        path.write_text(before, encoding="utf-8")


def main() -> int:
    """Run the script; return its exit status."""
    parser = argparse.ArgumentParser(description="Make single edits, run the tests of each, print survivors.")
    parser.add_argument("names", nargs="*", help="parts of names; none: all edits")
    parser.add_argument("--kind", help="edits of one kind")
    parser.add_argument("--list", action="store_true", help="list the edits and end")
    parser.add_argument("--all-tests", action="store_true", help="the whole suite where an edit's own tests pass")
    parser.add_argument("--no-baseline", action="store_true", help="do not run the tests without an edit first")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds for the tests of one edit")
    parser.add_argument("--limit-all", type=float, default=7200.0, help="seconds for the whole suite")
    arguments = parser.parse_args()
    chosen = [
        edit
        for edit in edits()
        if (not arguments.kind or edit.kind == arguments.kind)
        and (not arguments.names or any(part in edit.name for part in arguments.names))
    ]
    if arguments.list:
        for edit in chosen:
            print(f"{edit.kind:<12} {edit.name:<44} {edit.file}")
        return 0
    preloaded()
    with tempfile.TemporaryDirectory(prefix="mutants-") as name:
        folder = copied(Path(name))
        union = sorted({test for edit in chosen for test in edit.tests})
        if not arguments.no_baseline and outcome(folder, union, arguments.limit_all) != "passed":
            print("tests fail without an edit: repair them first", *union, sep="\n  ")
            return 2
        survivors, stale = [], []
        for edit in chosen:
            start = time.perf_counter()
            found = tried(folder, edit, arguments)
            verdict = {"passed": "SURVIVES", "stale": "STALE: its text is not in the file once"}.get(found, "killed")
            print(
                f"{verdict:<9} {edit.kind:<12} {edit.name}  ({found}, {time.perf_counter() - start:.0f} s)", flush=True
            )
            survivors += [edit.name] if found == "passed" else []
            stale += [edit.name] if found in ("stale", "error") else []
    print(f"{len(chosen)} edits, {len(survivors)} survive{': ' if survivors else ''}{', '.join(survivors)}")
    if stale:
        print(f"{len(stale)} could not be tried: {', '.join(stale)}")
    return 1 if survivors or stale else 0


if __name__ == "__main__":
    sys.exit(main())
