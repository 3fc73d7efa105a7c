"""The private prefix of ngspice: compilation from source, layout, start-up file, replacement of an old prefix.

Compilation is for systems whose packages are too old.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from rramkit.characterization.ngspice.library import NAMES, SimulatorLibrary
from rramkit.cores import cores
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
    log = Path(tempfile.gettempdir()) / f"rramkit-ngspice-build-{os.getuid()}.log"
    with tempfile.TemporaryDirectory(prefix="rramkit-ngspice-") as folder, log.open("wb") as output:
        subprocess.run(["tar", "-xf", str(archive), "-C", folder, "--no-same-owner"], check=True, stderr=output)
        tree = next(path.parent for path in sorted(Path(folder).glob("*/configure.ac")))
        stage = Path(folder) / "stage"
        steps = {
            "preparing": ["autoreconf", "-fi"],
            "configuring": ["./configure", *OPTIONS],
            f"compiling on {cores()} cores (some minutes)": ["make", "-j", str(cores())],
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


# Runs the program with the start-up file, code models and additional libraries of its own prefix.
WRAPPER = """#!/bin/sh
prefix=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd)
SPICE_LIB_DIR=$prefix/share/ngspice
LD_LIBRARY_PATH=$prefix/lib/needed:$prefix/lib/program${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export SPICE_LIB_DIR LD_LIBRARY_PATH
exec "$prefix/lib/ngspice/ngspice" "$@"
"""


@contextlib.contextmanager
def work_folder(prefix: Path) -> Iterator[Path]:
    """Yield an empty folder beside the prefix, on the same disk; one left by a killed run is removed first."""
    folder = prefix.with_name(prefix.name + ".part")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / ".gitignore").write_text("*\n")
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def assemble(unpacked: Path, prefix: Path) -> Path:
    """Arrange the files of unpacked packages, or of a staged build, as a prefix; return the library."""
    libraries = [file for file in sorted(unpacked.rglob(NAMES[0] + "*")) if not file.is_symlink()]
    if not libraries:
        raise SetupError(f"no {NAMES[0]} in the packages")
    models, scripts = prefix / "lib" / "ngspice", prefix / "share" / "ngspice" / "scripts"
    models.mkdir(parents=True)
    shutil.copy2(libraries[0], prefix / "lib" / NAMES[0])
    for model in unpacked.rglob("ngspice/*.cm"):
        shutil.copy2(model, models / model.name)
    for spinit in unpacked.rglob("ngspice/scripts/spinit"):
        shutil.copytree(spinit.parent, scripts, dirs_exist_ok=True)
    for program in unpacked.rglob("bin/ngspice"):
        shutil.copy2(program, models / "ngspice")
        (prefix / "bin").mkdir(exist_ok=True)
        (prefix / "bin" / "ngspice").write_text(WRAPPER)
        (prefix / "bin" / "ngspice").chmod(0o755)
    point_spinit_home(prefix, prefix)
    return prefix / "lib" / NAMES[0]


def add_needed(unpacked: Path, prefix: Path, name: str) -> None:
    """Put a library that the system lacks where `probe` and a worker look for it, under its usual name."""
    files = sorted(file for file in unpacked.rglob(name + "*") if not file.is_symlink())
    if not files:
        raise SetupError(f"no {name} in the packages")
    (prefix / "lib" / "needed").mkdir(parents=True, exist_ok=True)
    shutil.copy2(files[0], prefix / "lib" / "needed" / name)


def point_spinit_home(prefix: Path, final: Path) -> None:
    """Point the start-up file in `prefix` to the prefix's code models, with their paths under `final`."""
    spinit = prefix / "share" / "ngspice" / "scripts" / "spinit"
    if spinit.is_file():
        names = {model.name for model in (prefix / "lib" / "ngspice").glob("*.cm")}
        spinit.write_text(rewrite_spinit(spinit.read_text(errors="replace"), names, final / "lib" / "ngspice"))


def rewrite_spinit(text: str, names: set[str], models: Path) -> str:
    """Replace the folder of every code model by `models`; drop models that are not there, and OSDI files."""
    lines = []
    for line in text.splitlines():
        command = re.match(r"^(\s*)(codemodel|osdi)\s+(.+?)\s*$", line)
        if command is None:
            lines.append(line)
        elif command[2] == "codemodel" and (name := Path(command[3].strip("'\"")).name) in names:
            path = str(models / name)
            lines.append(f"{command[1]}codemodel " + (f"'{path}'" if re.search(r"\s", path) else path))
    return "\n".join(lines) + "\n"


def add_program_libraries(unpacked: Path, prefix: Path) -> None:
    """Put the libraries that the program alone needs where its wrapper looks and the kit does not."""
    folder = prefix / "lib" / "program"
    folder.mkdir(parents=True, exist_ok=True)
    for file in sorted(unpacked.rglob("lib*.so.*")):
        if re.fullmatch(r"lib.+\.so\.\d+", file.name) and file.is_file():
            shutil.copy2(file, folder / file.name)


def program_runs(prefix: Path) -> bool:
    """Return whether the prefix has an ngspice program that starts: it needs libraries that the kit does not."""
    wrapper = prefix / "bin" / "ngspice"
    return (
        wrapper.exists()
        and not subprocess.run([str(wrapper), "--version"], capture_output=True, check=False).returncode
    )


def drop_program(prefix: Path) -> None:
    """Remove an ngspice program that does not run."""
    shutil.rmtree(prefix / "bin", ignore_errors=True)
    shutil.rmtree(prefix / "lib" / "program", ignore_errors=True)
    (prefix / "lib" / "ngspice" / "ngspice").unlink(missing_ok=True)


def install(new: Path, prefix: Path, *, library: SimulatorLibrary, how: str) -> None:
    """Replace the old prefix, if any, by a finished one; both are on one disk, so it is two renames."""
    point_spinit_home(new, prefix)
    origin = {name: value for name, value in asdict(library).items() if name in ("version_text", "klu", "osdi")}
    (new / "origin.json").write_text(json.dumps({"how": how, **origin}, indent=1) + "\n")
    if prefix.exists():
        prefix.rename(new.with_name("old"))
    new.rename(prefix)
