"""Find and probe an ngspice shared library, and prepare a worker process to load it."""

import ctypes
import functools
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rramkit.errors import SetupError
from rramkit.processes.processor_time import TimeLimitError, run_limited

VARIABLE = "RRAMKIT_NGSPICE"
OLDEST = 39  # older ones were never tried with the kit
GOOD = 42  # the oldest that distributions build with KLU
NAMES = ("libngspice.so.0", "libngspice.so")
PROBE_SECONDS = 30  # processor time; 0.05 s is usual
BARE = Path(__file__).resolve().parent / "bare"
# Read by ngspice at its start: with any of them the user's own set-up could change a result.
FOREIGN = ("SPICE_SCRIPTS", "SPICE_PATH", "SPICE_ASCIIRAWFILE", "NGSPICE_INPUT_DIR", "NGSPICE_OSDI_DIR")


@dataclass(frozen=True, kw_only=True)
class SimulatorLibrary:
    """An ngspice shared library that loads, with its version and features.

    Attributes
    ----------
    path : Path
        The library itself, links resolved.
    version, version_text : int, str
        46 and "46", or 44 and "44.2".
    klu : bool
        The fast direct solver is built in (`.options klu`).
    xspice : bool
        The XSPICE code models load.
    osdi, openmp : bool
        Compact models in OSDI form; threads inside BSIM3 and BSIM4.
    origin : str
        `RRAMKIT_NGSPICE`, `private prefix` or `system`.
    spice_lib_dir : Path
        What `SPICE_LIB_DIR` must be when the library is loaded: the folder whose start-up file names
        the code models of this library and of no other.
    preload : tuple of Path
        Libraries that it needs and the system lacks, to be loaded first, in this order.
    """

    path: Path
    version: int
    version_text: str
    klu: bool
    xspice: bool
    osdi: bool
    openmp: bool
    origin: str
    spice_lib_dir: Path
    preload: tuple[Path, ...] = ()

    @property
    def simulator(self) -> str:
        """Name of the simulator for provenance: equal names give equal numbers."""
        return f"ngspice {self.version_text}{' with KLU' if self.klu else ''}"

    @property
    def good(self) -> bool:
        """Whether it is new enough and has KLU, so that large arrays are fast."""
        return self.klu and self.version >= GOOD


def checkout() -> Path | None:
    """Return the folder of the checkout that this kit runs from; None where it is installed from a wheel."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() and (root / "rramkit" / "__init__.py").is_file() else None


def private_prefix() -> Path:
    """Return the folder into which `fetch` puts a library: of the checkout, else of the user's own data."""
    root = checkout()
    if root is not None:
        return root / ".ngspice"
    data = Path(os.environ.get("XDG_DATA_HOME", ""))
    return (data if data.is_absolute() else Path("~/.local/share").expanduser()) / "rramkit" / "ngspice"


def find_library() -> SimulatorLibrary:
    """Return the library to use: the one the user names, else the private one, else the system's.

    Raises
    ------
    SetupError
        `RRAMKIT_NGSPICE` names something unusable, or no usable library is found.
    """
    return _find(os.environ.get(VARIABLE, ""), private_prefix())


@functools.cache
def _find(named: str, prefix: Path) -> SimulatorLibrary:
    if named:
        return named_library(named)
    failures = []
    for library in (*_in(prefix), *system_candidates()):
        origin = "private prefix" if library.is_relative_to(prefix) else "system"
        try:
            return probe(library, origin)
        except SetupError as error:
            failures.append(str(error))
    got = "; ".join(failures) or f"none in {prefix} and none in the system's loader cache"
    raise SetupError(
        f"an ngspice shared library ({NAMES[0]}) of version {OLDEST} or newer is needed; got {got}. {cure()}"
    )


def cure() -> str:
    """Return how to get a suitable library."""
    return (
        f"Run `rramkit setup` (it fetches one without root), install libngspice0 of version {GOOD} or newer, "
        f"or set {VARIABLE} to the path of such a library."
    )


def named_library(named: str) -> SimulatorLibrary:
    """Probe the library that the user names; a wrong one is an error, never replaced by another."""
    path = Path(named).expanduser()
    try:
        if not path.is_file():
            raise SetupError("a folder" if path.is_dir() else "no such file")
        return probe(path, VARIABLE)
    except (SetupError, OSError) as error:
        raise SetupError(
            f"{VARIABLE} must name an ngspice shared library ({NAMES[0]}) of version {OLDEST} or newer; "
            f"got {named!r} ({error}). Fix it, or unset it so that the kit looks for one."
        ) from error


def system_candidates() -> list[Path]:
    """List the libraries in LD_LIBRARY_PATH, the loader's cache and the usual folders, each file once."""
    folders = [Path(folder) for folder in os.environ.get("LD_LIBRARY_PATH", "").split(":") if folder]
    usual = [Path("/usr/local/lib"), Path("/usr/lib"), Path("/usr/lib64")]
    paths = [*_files(folders), *_loader_cache(), *_files(usual)]
    return list(dict.fromkeys(path.resolve() for path in paths))


def _in(prefix: Path) -> list[Path]:
    return list(_files([prefix / "lib"]))[:1]


def _files(folders: list[Path]) -> Iterator[Path]:
    return (folder / name for folder in folders for name in NAMES if (folder / name).is_file())


def _loader_cache() -> list[Path]:
    for program in ("/sbin/ldconfig", "/usr/sbin/ldconfig"):
        if Path(program).exists():
            listing = subprocess.run([program, "-p"], capture_output=True, text=True, check=False).stdout
            return [Path(line.split(" => ")[1]) for line in listing.splitlines() if line.strip().startswith(NAMES)]
    return []


def matching_lib_dir(library: Path) -> Path:
    """Return the folder whose `scripts/spinit` names only code models of the library's own prefix.

    The path built into a library may belong to another version by now, and a library that loads
    another version's code models dies later, in the middle of a run.
    """
    for prefix in library.resolve().parents:
        folder = prefix / "share" / "ngspice"
        spinit = folder / "scripts" / "spinit"
        if spinit.is_file():
            models = re.findall(r"^\s*codemodel\s+(.+?)\s*$", spinit.read_text(errors="replace"), re.MULTILINE)
            return folder if all(_under(prefix, model.strip("'\"")) for model in models) else BARE
    return BARE


def _under(prefix: Path, model: str) -> bool:
    return Path(model).resolve().is_relative_to(prefix) and Path(model).is_file()


def probe(path: Path, origin: str) -> SimulatorLibrary:
    """Load the library in a child process and read its version and features.

    Raises
    ------
    SetupError
        It does not load, is not ngspice, crashes, hangs, or is too old; the message is a fragment
        that fits after "got".
    """
    path = path.resolve()
    # Libraries that `fetch` put beside it because the system lacks them.
    preload = tuple(sorted((path.parent / "needed").glob("*.so*"))) if (path.parent / "needed").is_dir() else ()
    lib_dir = matching_lib_dir(path)
    output = _probe_output(path, lib_dir, preload, path.stat().st_mtime_ns)
    banner = re.search(r"ngspice-(\d+)(\S*)", output)
    if banner is None:
        raise SetupError(f"{path}, which does not print its version")
    if int(banner[1]) < OLDEST:
        raise SetupError(f"{path}, which is version {banner[1]}{banner[2]}")
    return SimulatorLibrary(
        path=path,
        version=int(banner[1]),
        version_text=banner[1] + banner[2],
        klu="KLU" in output,
        xspice="XSPICE extensions included" in output and lib_dir != BARE and "Error opening code model" not in output,
        osdi="osdi: no such command" not in output,
        openmp="OpenMP multithreading" in output,
        origin=origin,
        spice_lib_dir=lib_dir,
        preload=preload,
    )


@functools.cache
def _probe_output(path: Path, lib_dir: Path, preload: tuple[Path, ...], _changed: int) -> str:
    script = Path(__file__).resolve().with_name("probe.py")
    command = [sys.executable, "-I", "-S", str(script), str(path), *map(str, preload)]
    with tempfile.TemporaryDirectory(prefix="rramkit-") as folder:
        (Path(folder) / ".spiceinit").touch()
        try:
            child = run_limited(
                command, seconds=PROBE_SECONDS, cwd=Path(folder), env=environment(lib_dir, dict(os.environ))
            )
        except TimeLimitError as error:
            raise SetupError(f"{path}, which did not answer ({error})") from error
    if child.returncode < 0:
        raise SetupError(f"{path}, which ended its process with signal {-child.returncode}")
    if child.returncode:
        reason = (child.stdout.rpartition("unusable: ")[2] or child.stderr).strip().splitlines() or ["no reason given"]
        raise SetupError(f"{path}, which does not load: {reason[-1]}")
    return child.stdout


def environment(lib_dir: Path, inherited: dict[str, str]) -> dict[str, str]:
    """Return the environment to load a library in: `inherited` without the variables that could change a result."""
    neutral = {name: value for name, value in inherited.items() if name not in FOREIGN}
    return neutral | {"SPICE_LIB_DIR": str(lib_dir), "OMP_NUM_THREADS": "1"}


def write_start_up(folder: Path) -> None:
    """Write the start-up file that ngspice reads in a folder, in place of the user's own: one thread."""
    (folder / ".spiceinit").write_text("* read in place of the user's own\nset num_threads=1\n")


def enter(library: SimulatorLibrary, folder: Path) -> None:
    """Prepare this process to load `library`: once, before the first load, in a process of its own.

    It changes the process's folder and environment. ngspice reads `.spiceinit` of the current folder
    or else of the user's home (from the password file, not from `HOME`), so `folder`, which
    must exist and be private, gets one. It also limits the threads to one: the start-up files of
    distributions ask for up to eight and win over OMP_NUM_THREADS.
    """
    write_start_up(folder)
    os.chdir(folder)
    for name in FOREIGN:
        os.environ.pop(name, None)
    os.environ.update(environment(library.spice_lib_dir, {}))
    for needed in library.preload:
        ctypes.CDLL(str(needed), mode=ctypes.RTLD_GLOBAL)


def warning_for(library: SimulatorLibrary) -> str | None:
    """Return one line about the cost and the cure of an unsuitable library; None for a good one."""
    if library.good:
        return None
    lack = "has no KLU solver" if not library.klu else f"is older than {GOOD}"
    cost = "a 128x128 array takes about 130 times longer" if not library.klu else "large arrays may be slow"
    return f"ngspice {library.version_text} ({library.path}) {lack}: {cost}. {cure()}"
