"""The wheel holds the whole kit: built offline, unpacked, and imported without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from fixtures.waiting import BACKSTOP

ROOT = Path(__file__).resolve().parents[1]
IMPORTED = """
import sys
sys.path.insert(0, sys.argv[1])
import rramkit, rramkit.circuits, rramkit.netlists, rramkit.characterization, rramkit.cli.app, rramkit.learning
for name, module in list(sys.modules.items()):
    if name.partition(".")[0] == "rramkit" and module.__file__ is not None:
        assert module.__file__.startswith(sys.argv[1]), module.__file__
"""


def build(kind: str, source: Path, folder: Path) -> Path:
    """Build the `wheel` or `sdist` of a source tree; return it."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", kind, "-d", str(folder)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, timeout=BACKSTOP, check=False)
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return built


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory) -> Path:
    """The wheel as pip makes it of an sdist, unpacked: what an sdist lacks, it lacks."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    (folder / "sdist").mkdir()  # by tar: Python 3.11.2, which Debian 12 has, cannot filter, and 3.12 warns unfiltered
    subprocess.run(["tar", "-xf", build("sdist", ROOT, folder), "-C", folder / "sdist"], check=True)
    (source,) = (folder / "sdist").iterdir()
    with zipfile.ZipFile(build("wheel", source, folder)) as archive:
        assert len(set(archive.namelist())) == len(archive.namelist())
        archive.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_the_wheel_is_imported_without_the_checkout(unpacked, tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [sys.executable, "-I", "-c", IMPORTED, str(unpacked)]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=BACKSTOP, check=False
    )
    assert done.returncode == 0, done.stderr


def test_the_wheel_holds_every_file_of_the_rooms(unpacked):
    """Decks, plans, parameters and templates too, not the modules alone."""
    tracked = subprocess.run(
        ["git", "ls-files", "rramkit", "circuits", "netlists", "characterization"],
        cwd=ROOT, capture_output=True, text=True, timeout=BACKSTOP, check=False,
    )  # fmt: skip
    if tracked.returncode != 0:
        pytest.skip("not a git checkout")
    for name in tracked.stdout.splitlines():
        if (ROOT / name).is_file():
            assert (unpacked / "rramkit" / name.removeprefix("rramkit/")).is_file(), name
