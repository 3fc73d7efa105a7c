"""Install a suitable ngspice library where the machine has none: what `rramkit setup` does.

A library that the user names or the system has is used as it is. Otherwise one is installed into `.ngspice/` of the
checkout, or into the user's data folder where the kit came as a wheel, through the machine's package sources, without
root and without changing them: the release's own package, its backports, or, where these are too old, the source code
of a newer release, compiled on the machine. The `ngspice` program comes with the package, and the libraries that it
alone needs are put beside it.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from rramkit.characterization.ngspice import apt, library, prefix
from rramkit.characterization.ngspice.library import GOOD, OLDEST, VARIABLE, SimulatorLibrary
from rramkit.errors import InputError, SetupError
from rramkit.files import check_writable

# A release of the same archive whose source code is new enough, for releases that are too old.
NEWER_SUITE = {"debian": "trixie", "ubuntu": "noble"}
# Libraries that a minimal system may lack, and the package of each.
NEEDED = {"libgomp.so.1": "libgomp1"}

Say = Callable[[str], None]


@dataclass(frozen=True)
class Found:
    """What a route has unpacked: for people, and the source and version of a binary package."""

    how: str
    source: apt.Source | None = None
    version: str = ""


Route = Callable[[Path, Path], Found]


def ensure(target: Path, say: Say) -> SimulatorLibrary:
    """Return the best available library; install it into `target` when the machine has no good one.

    Parameters
    ----------
    target : Path
        Folder of the private library.
    say : callable
        Takes a line about what is being done.

    Raises
    ------
    SetupError
        No version from 39 on is available: the message lists what was tried and what to install. Or `target` cannot
        be written.
    """
    if named := os.environ.get(VARIABLE):
        return library.named_library(named)
    failures: list[str] = []
    present = [*_usable(library.system_candidates(), "system", failures), *_private(target, failures)]
    for candidate in present:
        if candidate.good:
            return candidate
    best = _fetch(target, failures, say, at_least=GOOD)
    if best is None:
        best = max(present, key=lambda candidate: candidate.version, default=None)
    if best is None:
        best = _fetch(target, failures, say, at_least=OLDEST)
    if best is None:
        raise SetupError(_report(failures))
    if not best.good:
        say(f"no better library is available. {_report(failures)}")
    return best


def _report(failures: Sequence[str]) -> str:
    """Return in one line what is needed, what was tried, and what to do."""
    different = list(dict.fromkeys(failures))
    tools = prefix.missing_packages() if shutil.which("apt-get") else []
    offline = bool(different) and all(apt.OFFLINE in failure for failure in different)
    tried = different[:1] if offline else different
    fix = (
        "Connect the machine and run `rramkit setup` again"
        if offline
        else "Run `rramkit setup` again once that is fixed"
    )
    compiled = [] if offline or not tools else [f"install {' '.join(tools)} so that it can be compiled here"]
    ways = [
        *compiled,
        f"install an ngspice shared library of version {GOOD} or newer (package libngspice0 or libngspice)",
        f"set {VARIABLE} to the path of one",
    ]
    return (
        f"an ngspice shared library of version {GOOD} or newer is needed, {OLDEST} at least; got none. "
        f"Tried: {'; '.join(tried)}. {fix}, or {', or '.join(ways)}."
    )


def _usable(paths: list[Path], origin: str, failures: list[str]) -> list[SimulatorLibrary]:
    usable = []
    for path in paths:
        try:
            usable.append(library.probe(path, origin))
        except SetupError as error:
            failures.append(f"the installed library: {error}")
    return usable


def _private(target: Path, failures: list[str]) -> list[SimulatorLibrary]:
    """Probe the prefix, after rewriting its start-up file in case the checkout was moved."""
    path = target / "lib" / library.NAMES[0]
    if not path.is_file():
        return []
    if library.matching_lib_dir(path) == library.BARE:
        prefix.point_spinit_home(target, target)
    return _usable([path], "private prefix", failures)


def _fetch(target: Path, failures: list[str], say: Say, *, at_least: int) -> SimulatorLibrary | None:
    """Try each route in turn; the first whose library loads and is new enough becomes the prefix."""
    if shutil.which("apt-get") is None:
        on = apt.read_system().name if sys.platform == "linux" else sys.platform
        failures.append(f"{on} has no apt-get, and through that alone one can be fetched")
        return None
    try:
        check_writable(target.with_name("any"))
    except InputError as error:
        reason = error.__cause__.strerror if isinstance(error.__cause__, OSError) else error
        cure = "Fix its rights." if library.checkout() else "Set XDG_DATA_HOME to a folder of yours."
        raise SetupError(
            f"{target}: must be a folder that can be written, for ngspice; got: {reason}. {cure}"
        ) from error
    system = apt.read_system()
    own = apt.archives(apt.configured(), system)
    if not own:
        failures.append(f"no package source of {system.name} is configured in /etc/apt")
    for name, route in _routes(own, system, say, at_least=at_least):
        with prefix.work_folder(target) as work:
            try:
                found = route(work / "apt", work / "unpacked")
                new = work / "new"
                candidate = _complete(prefix.assemble(work / "unpacked", new), own, work, say)
                if at_least == GOOD and not candidate.good:
                    raise SetupError(f"version {candidate.version_text} came without the KLU solver")
                _complete_program(new, found, own, work, say)
                prefix.install(new, target, library=candidate, how=found.how)
            except (SetupError, OSError, subprocess.SubprocessError) as error:
                failures.append(f"{name}: {error}")
                continue
        say(f"{found.how} is in {target}")
        return library.probe(target / "lib" / library.NAMES[0], "private prefix")
    return None


def _routes(own: list[apt.Source], system: apt.System, say: Say, *, at_least: int) -> list[tuple[str, Route]]:
    """List the routes to a library: binary packages before source code, the release's own before another's."""
    binaries = list(own)
    sources: list[apt.Source] = []
    if at_least == GOOD and system.family == "debian":
        binaries += [apt.backports(archive) for archive in own]
    newer = NEWER_SUITE.get(system.family)
    if at_least == GOOD and newer and newer != system.codename:
        sources = [apt.source_code(archive, newer) for archive in own]
    return [
        *((f"the package of {source.suites[0]}", _binary(source, at_least, say)) for source in binaries),
        *((f"the source code of {source.suites[0]}", _source(source, say)) for source in sources),
    ]


def _major(version: str) -> int:
    match = re.match(r"(?:\d+:)?(\d+)", version)
    return int(match[1]) if match else 0


def _binary(source: apt.Source, at_least: int, say: Say) -> Route:
    def route(folder: Path, unpacked: Path) -> Found:
        say(f"looking in {source.suites[0]} ...")
        private = apt.PrivateApt.open(folder, source)
        version = private.newest("libngspice0")
        if _major(version) < at_least:
            raise SetupError(f"it has {'version ' + version if version else 'no libngspice0'}")
        say(f"fetching {version} ...")
        private.unpack(["libngspice0", "ngspice"], unpacked)
        return Found(f"version {version} of {source.suites[0]}", source, version)

    return route


def _source(source: apt.Source, say: Say) -> Route:
    def route(folder: Path, unpacked: Path) -> Found:
        if lacking := prefix.missing_packages():
            raise SetupError(f"compiling needs {' '.join(lacking)}")
        say(f"looking for the source code in {source.suites[0]} ...")
        archive = apt.PrivateApt.open(folder, source).source_archive("ngspice")
        prefix.build(archive, unpacked, say=say)
        return Found(f"{archive.name.partition('.orig')[0]} of {source.suites[0]}, compiled here,")

    return route


def _complete(path: Path, own: list[apt.Source], work: Path, say: Say) -> SimulatorLibrary:
    """Probe a new library; where the system lacks a library that it needs, add that and probe once more."""
    try:
        return library.probe(path, "private prefix")
    except SetupError as error:
        lacking = next((name for name in NEEDED if name in str(error)), None)
        if lacking is None:
            raise
    say(f"fetching {NEEDED[lacking]}, which this system lacks ...")
    private = apt.PrivateApt.open(work / "apt-needed", own[0])
    private.unpack([NEEDED[lacking]], work / "needed")
    prefix.add_needed(work / "needed", path.parent.parent, lacking)
    return library.probe(path, "private prefix")


def _complete_program(new: Path, found: Found, own: list[apt.Source], work: Path, say: Say) -> None:
    """Put beside the ngspice program what it needs and the system lacks; without a program that runs, say so."""
    if prefix.program_runs(new):
        return
    reason = "it was not in the package" if not (new / "bin" / "ngspice").exists() else ""
    if not reason and found.source is not None:
        try:
            private = apt.PrivateApt.open(work / "apt-program", *dict.fromkeys((*own, found.source)))
            packages = [each for each in private.lacking(f"ngspice={found.version}") if "ngspice" not in each]
            say("fetching what the ngspice program needs and this system lacks ...")
            private.unpack(packages, work / "program")
            prefix.add_program_libraries(work / "program", new)
        except (SetupError, subprocess.SubprocessError) as error:
            reason = str(error)
        if prefix.program_runs(new):
            return
    prefix.drop_program(new)
    say(
        f"without the ngspice program for decks by hand ({reason or 'it does not run here'}); "
        "`rramkit simulate` runs them"
    )
