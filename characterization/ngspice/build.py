"""Compile the ngspice shared library from source, for systems whose packages are too old."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rramkit.errors import SetupError

# Required programs, and the package that provides each.
TOOLS = {
    "gcc": "build-essential",
    "g++": "build-essential",
    "make": "build-essential",
    "autoreconf": "automake",
    "libtoolize": "libtool",
    "bison": "bison",
    "flex": "flex",
}
# KLU and OSDI are the default in newer versions; an unknown flag only makes configure print a warning.
OPTIONS = (
    "--prefix=/usr",
    "--with-ngshared",
    "--enable-xspice",
    "--enable-cider",
    "--enable-openmp",
    "--enable-klu",
    "--enable-osdi",
    "--disable-debug",
    "--without-x",
    "--with-readline=no",
)
SECONDS = 4 * 3600  # wall clock for one step, whose children do the work; compiling takes minutes on two idle cores


def missing_packages() -> list[str]:
    """Return the packages that a build needs and the machine lacks."""
    return sorted({package for program, package in TOOLS.items() if shutil.which(program) is None})


def build(archive: Path, staged: Path, *, say: Callable[[str], None]) -> None:
    """Compile the source archive and install it below `staged`, with the default layout under `usr/`.

    The source tree is in the system's temporary folder, because autoconf refuses a path with blanks, and the
    checkout's may have some.

    Raises
    ------
    SetupError
        A step failed; the message names the log.
    """
    log = Path(sys.prefix) / "ngspice-build.log"
    cores = str(len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory(prefix="rramkit-ngspice-") as folder, log.open("wb") as output:
        subprocess.run(["tar", "-xf", str(archive), "-C", folder, "--no-same-owner"], check=True, stderr=output)
        tree = next(path.parent for path in sorted(Path(folder).glob("*/configure.ac")))
        stage = Path(folder) / "stage"
        steps = {
            "preparing": ["autoreconf", "-fi"],
            "configuring": ["./configure", *OPTIONS],
            f"compiling on {cores} cores (some minutes)": ["make", "-j", cores],
            "installing": ["make", "install", f"DESTDIR={stage}"],
        }
        for step, command in steps.items():
            say(f"{step} ...")
            run = subprocess.run(
                command, cwd=tree, stdout=output, stderr=output, stdin=subprocess.DEVNULL, timeout=SECONDS, check=False
            )
            if run.returncode:
                raise SetupError(f"building ngspice stopped at {step!r}: see {log}")
        shutil.copytree(stage, staged, symlinks=True)
