"""A checkout whose symbolic links became text files says so in one line, with the cure."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.waiting import BACKSTOP

from rramkit.cli.checkout import LINKS, links_complaint

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "import sys; sys.argv[0] = 'rramkit'; from rramkit.cli import main; main()"
BY_GIT = "Run `git config core.symlinks true`, then `git checkout -- rramkit/circuits rramkit/netlists"
CURE = (
    "`cd rramkit && rm -rf circuits netlists characterization && ln -s ../circuits ../netlists ../characterization .`."
)


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A copy as git makes it without symbolic links: each link is a file with its target's name in it."""
    shutil.copytree(ROOT / "rramkit", tmp_path / "rramkit", symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / ".ci", tmp_path / ".ci")
    for name in LINKS:
        (tmp_path / "rramkit" / name).unlink()
        (tmp_path / "rramkit" / name).write_text(f"../{name}")
    return tmp_path


def run(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=BACKSTOP, check=False
    )


def test_this_checkout_is_sound():
    assert links_complaint() is None


@pytest.mark.parametrize("command", ["netlist cell-read", "characterize -o new.h5"])
def test_a_command_says_it_in_one_line(checkout, command):
    done = run(checkout, sys.executable, "-c", PROGRAM, *command.split())
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert CURE in done.stderr


def test_the_doctor_says_it_among_its_lines(checkout):
    done = run(
        checkout, sys.executable, "-c", "import sys; sys.argv[1:] = ['doctor']; from rramkit.cli import main; main()"
    )
    assert done.returncode == 1
    assert CURE in " ".join(done.stdout.split()) and "Traceback" not in done.stderr  # wrapped at 80 columns


def test_set_up_says_it_before_it_makes_anything(checkout):
    done = run(checkout, "sh", ".ci/setup.sh", "kit")
    assert (done.returncode, done.stdout) == (1, "")
    assert CURE in done.stderr and done.stderr.count("\n") == 1
    assert not (checkout / ".venv").exists()


def test_git_brings_the_links_back_where_the_files_came_from_it(checkout):
    (checkout / ".git").mkdir()
    said = links_complaint(checkout / "rramkit")
    assert said is not None and BY_GIT in said and CURE not in said
    assert BY_GIT in run(checkout, "sh", ".ci/setup.sh", "kit").stderr


def test_the_cure_works(checkout):
    for name in LINKS:
        (checkout / name).mkdir()
    command = CURE.strip(".`")
    assert run(checkout, "sh", "-c", command + " .").returncode == 0
    assert links_complaint(checkout / "rramkit") is None
    assert all((checkout / "rramkit" / name).is_symlink() for name in LINKS)


OTHER_PYTHON = """#!/bin/sh
case "$*" in
    *sys.exit*) exit 1 ;;
    --version) echo Python 3.14.0 ;;
    *) echo /usr/bin/python3 is 3.10.12 ;;
esac
"""


@pytest.mark.parametrize(
    ("chosen", "says"),
    [
        (False, "Python 3.11, 3.12 or 3.13 with venv and ensurepip is needed; got /usr/bin/python3 is 3.10.12. "),
        (
            True,
            "PYTHON must name a Python 3.11, 3.12 or 3.13 that has venv and ensurepip; got {}. It is Python 3.14.0. ",
        ),
    ],
)
def test_a_python_that_is_too_old_or_too_new_is_named(tmp_path, chosen, says):
    for name in LINKS:
        (tmp_path / "kit" / "rramkit" / name).mkdir(parents=True)
    shutil.copytree(ROOT / ".ci", tmp_path / "kit" / ".ci")
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("cat", "dirname", "id", "mkdir", "rm", "touch"):
        (programs / name).symlink_to(shutil.which(name) or name)
    (programs / "python3").write_text(OTHER_PYTHON)
    (programs / "python3").chmod(0o755)
    environment = {"PATH": str(programs), **({"PYTHON": str(programs / "python3")} if chosen else {})}
    done = subprocess.run(
        ["/bin/sh", ".ci/setup.sh", "kit"],
        cwd=tmp_path / "kit", env=environment, capture_output=True, text=True, timeout=BACKSTOP, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done.stderr
    assert says.format(programs / "python3") in done.stderr
    assert not (tmp_path / "kit" / ".venv").exists()
