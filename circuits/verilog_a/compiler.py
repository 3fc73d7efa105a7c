"""The compiler of Verilog-A (OpenVAF): where it is, and its results, kept by hash of text and compiler.

It is `openvaf-r` or `openvaf` on PATH, or what the variable `RRAMKIT_OPENVAF` names. A result lies in the folder that
`RRAMKIT_OSDI` names, else in `rramkit/osdi` of the user's cache folder; it is written whole or not at all. A machine
without a compiler takes what one of its kind has left there of the same text.
"""

import functools
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rramkit.circuits.verilog_a.source import Source
from rramkit.errors import InputError, SetupError

VARIABLE = "RRAMKIT_OPENVAF"
FOLDER_VARIABLE = "RRAMKIT_OSDI"
PROGRAMS = ("openvaf-r", "openvaf")
SECONDS = 900  # processor time of one compilation; PSP103 takes a minute on a slow core
_MESSAGES = 3  # of the compiler, in one error
_MACHINE = f"{sys.platform}-{platform.machine()}"
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_AT = re.compile(r"(?:-->|┌─)\s*\S*?model\.va:(\d+)")


@dataclass(frozen=True)
class Compiler:
    """A compiler: the program, and what it says that it is."""

    program: Path
    version: str


def find_compiler() -> Compiler | None:
    """Return the compiler; None where there is none.

    Raises
    ------
    SetupError
        When `RRAMKIT_OPENVAF` names no compiler that runs.
    """
    named = os.environ.get(VARIABLE, "")
    found = shutil.which(named) if named else next((path for each in PROGRAMS if (path := shutil.which(each))), None)
    if named and found is None:
        raise SetupError(f"{VARIABLE} must name the Verilog-A compiler openvaf-r; got {named!r}. Fix it, or unset it.")
    return _probed(Path(found)) if found else None


@functools.cache
def _probed(program: Path) -> Compiler:
    done = subprocess.run(
        [str(program), "--version"], capture_output=True, text=True, errors="replace", timeout=60, check=False
    )
    lines = (done.stdout or done.stderr).strip().splitlines()
    if done.returncode or not lines:
        raise SetupError(
            f"the Verilog-A compiler {program} does not run ({lines[-1] if lines else f'exit {done.returncode}'}). "
            f"Name another one in {VARIABLE}, or use a compiled file (.osdi)."
        )
    return Compiler(program, lines[0].strip())


def compiled(text: Source, name: str) -> tuple[Path, str]:
    """Return the compiled file of a Verilog-A text, and the compiler that made it.

    Raises
    ------
    SetupError
        When there is no compiler.
    InputError
        When the text does not compile.
    """
    compiler = find_compiler()
    if compiler is None:
        left = kept_result(text)
        if left is not None:
            return left
        raise SetupError(
            f"{name}: a Verilog-A text needs the compiler {PROGRAMS[0]}; found none. Install OpenVAF-Reloaded and put "
            f"it on PATH or name it in {VARIABLE}; or pass the compiled file (.osdi)."
        )
    key = hashlib.sha256(f"{compiler.version}\0{text.sha256}\0{_MACHINE}".encode()).hexdigest()
    kept = cache_folder() / f"{key}.osdi"
    if not kept.is_file():
        _compile(compiler, text, name, kept)
        _put(json.dumps({"file": kept.name, "compiler": compiler.version}).encode(), _left_by(text))
    return kept, compiler.version


def kept_result(text: Source) -> tuple[Path, str] | None:
    """Return what a compiler has left of a text for machines of this kind, and which one; None: nothing whole."""
    try:
        said = json.loads(_left_by(text).read_text(encoding="utf-8"))
        kept, version = cache_folder() / Path(said["file"]).name, str(said["compiler"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return (kept, version) if kept.is_file() else None


def _left_by(text: Source) -> Path:
    """Return the file that says what the last compiler of a text has left, one for each kind of machine."""
    return cache_folder() / f"{text.sha256}.{_MACHINE}.json"


def kept_copy(path: Path) -> tuple[Path, str]:
    """Return the copy of a compiled file that is named by its hash, and the hash: an edit of the file is another one.

    Raises `InputError` when the file cannot be read.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}). Pass the path of a compiled model.") from error
    key = hashlib.sha256(data).hexdigest()
    kept = cache_folder() / f"{key}.osdi"
    if not kept.is_file():
        _put(data, kept)
    return kept, key


def cache_folder() -> Path:
    """Return the folder of compiled files, which belongs to this user alone: what lies there is loaded as a program.

    Raises `SetupError` where it cannot be made, or is somebody else's.
    """
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    folder = Path(os.environ.get(FOLDER_VARIABLE) or Path(base) / "rramkit" / "osdi").expanduser()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.stat()
    except OSError as error:
        raise SetupError(
            f"compiled models need a folder to lie in; {folder} cannot be made ({error.strerror}). Name one in "
            f"{FOLDER_VARIABLE}."
        ) from error
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise SetupError(
            f"{folder}: others may write there, and what lies there is loaded as a program. Run `chmod go-w`, or name "
            f"another folder in {FOLDER_VARIABLE}."
        )
    return folder


def _compile(compiler: Compiler, text: Source, name: str, kept: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="rramkit-va-") as folder:
        path, result = Path(folder) / "model.va", Path(folder) / "model.osdi"
        path.write_text(text.text, encoding="utf-8")
        limited = f'ulimit -t {SECONDS}; exec "$0" "$@"'  # processor time: a busy machine changes nothing
        command = ["/bin/sh", "-c", limited, str(compiler.program), str(path), "-o", str(result)]
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if done.returncode or not result.is_file():
            raise InputError(f"{name} does not compile: {_reason(done, text)}. Correct the text.")
        _put(result.read_bytes(), kept)


def _reason(done: "subprocess.CompletedProcess[str]", text: Source) -> str:
    """Return the compiler's first errors on one line, each with the file and line of the user's text."""
    if done.returncode < 0:
        return f"the compiler ended with signal {-done.returncode}"
    said = _COLOUR.sub("", done.stderr + done.stdout).splitlines()
    errors: list[str] = []
    for index, line in enumerate(said):
        if not re.match(r"\s*error\b", line) or "could not compile" in line:
            continue
        at = next((match for each in said[index : index + 4] if (match := _AT.search(each))), None)
        inside = at is not None and int(at[1]) <= len(text.lines)
        where = f"{text.lines[int(at[1]) - 1].where}: " if at is not None and inside else ""
        errors.append(f"{where}{line.strip().removeprefix('error').lstrip(': ')}")
    return "; ".join(errors[:_MESSAGES]) or f"the compiler ended with code {done.returncode}"


def _put(data: bytes, kept: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=kept.parent, prefix="part-", delete=False) as part:
        part.write(data)
    Path(part.name).chmod(0o600)
    Path(part.name).replace(kept)
