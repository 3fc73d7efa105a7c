"""`python -m rramkit.characterization.ngspice.fetch`: install a suitable ngspice library if the machine has none.

A library that the user names or the system has is used as it is. Otherwise one is installed into `.ngspice/`
beside the virtual environment, through the machine's package sources, without root and without changing
them: the release's own package, its backports, or, where these are too old, the source code of a newer
release, compiled on the machine.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from rramkit.characterization.ngspice import apt, library, prefix
from rramkit.characterization.ngspice.library import GOOD, OLDEST, VARIABLE, SimulatorLibrary
from rramkit.errors import SetupError

# A release of the same archive whose source code is new enough, for releases that are too old.
NEWER_SUITE = {"debian": "trixie", "ubuntu": "noble"}
# Libraries that a minimal system may lack, and the package of each.
NEEDED = {"libgomp.so.1": "libgomp1"}


def say(line: str) -> None:
    """Print one line of progress."""
    sys.stdout.write(f"ngspice: {line}\n")
    sys.stdout.flush()


def ensure(target: Path) -> SimulatorLibrary:
    """Return the best available library; install it into `target` when the machine has no good one.

    Raises
    ------
    SetupError
        No version from 39 on is available; the message lists what was tried and what to install.
    """
    if named := os.environ.get(VARIABLE):
        return library.named_library(named)
    failures: list[str] = []
    present = [*_usable(library.system_candidates(), "system", failures), *_private(target, failures)]
    for candidate in present:
        if candidate.good:
            return candidate
    best = _fetch(target, failures, at_least=GOOD)
    if best is None:
        best = max(present, key=lambda candidate: candidate.version, default=None)
    if best is None:
        best = _fetch(target, failures, at_least=OLDEST)
    if best is None:
        raise SetupError(f"no ngspice library of version {OLDEST} or newer is available. {_report(failures)}")
    if not best.good:
        say(f"no better library is available. {_report(failures)}")
    return best


def _report(failures: list[str]) -> str:
    tried = "".join(f"\n  - {failure}" for failure in dict.fromkeys(failures))
    tools = prefix.missing_packages()
    cure = f"install {' '.join(tools)} so that it can be compiled here, " if tools and shutil.which("apt-get") else ""
    return (
        f"Tried:{tried}\nFix what stands above (a network that was down?) and run this again, {cure}"
        f"or install an ngspice shared library of version {GOOD} or newer (package libngspice0 or libngspice), "
        f"or set {VARIABLE} to the path of one."
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


Route = Callable[[Path, Path], str]


def _fetch(target: Path, failures: list[str], *, at_least: int) -> SimulatorLibrary | None:
    """Try each route in turn; the first whose library loads and is new enough becomes the prefix."""
    if shutil.which("apt-get") is None:
        failures.append("this system has no apt-get to install one with")
        return None
    system = apt.read_system()
    own = apt.archives(apt.configured(), system)
    if not own:
        failures.append(f"no package source of {system.name} is configured in /etc/apt")
    for name, route in _routes(own, system, at_least=at_least):
        with prefix.work_folder(target) as work:
            try:
                how = route(work / "apt", work / "unpacked")
                new = work / "new"
                candidate = _complete(prefix.assemble(work / "unpacked", new), own, work)
                if at_least == GOOD and not candidate.good:
                    raise SetupError(f"version {candidate.version_text} came without the KLU solver")
                prefix.install(new, target, library=candidate, how=how)
            except (SetupError, OSError, subprocess.SubprocessError) as error:
                failures.append(f"{name}: {error}")
                continue
        say(f"{how} is in {target}")
        return library.probe(target / "lib" / library.NAMES[0], "private prefix")
    return None


def _routes(own: list[apt.Source], system: apt.System, *, at_least: int) -> list[tuple[str, Route]]:
    """List the routes to a library: binary packages before source code, the release's own before another's."""
    binaries = list(own)
    sources: list[apt.Source] = []
    if at_least == GOOD and system.family == "debian":
        binaries += [apt.backports(archive) for archive in own]
    newer = NEWER_SUITE.get(system.family)
    if at_least == GOOD and newer and newer != system.codename:
        sources = [apt.source_code(archive, newer) for archive in own]
    return [
        *((f"the package of {source.suites[0]}", _binary(source, at_least)) for source in binaries),
        *((f"the source code of {source.suites[0]}", _source(source)) for source in sources),
    ]


def _major(version: str) -> int:
    match = re.match(r"(?:\d+:)?(\d+)", version)
    return int(match[1]) if match else 0


def _binary(source: apt.Source, at_least: int) -> Route:
    def route(folder: Path, unpacked: Path) -> str:
        say(f"looking in {source.suites[0]} ...")
        private = apt.PrivateApt.open(folder, source)
        version = private.newest("libngspice0")
        if _major(version) < at_least:
            raise SetupError(f"it has {'version ' + version if version else 'no libngspice0'}")
        say(f"fetching {version} ...")
        private.unpack(["libngspice0", "ngspice"], unpacked)
        return f"version {version} of {source.suites[0]}"

    return route


def _source(source: apt.Source) -> Route:
    def route(folder: Path, unpacked: Path) -> str:
        if lacking := prefix.missing_packages():
            raise SetupError(f"compiling needs {' '.join(lacking)}")
        say(f"looking for the source code in {source.suites[0]} ...")
        archive = apt.PrivateApt.open(folder, source).source_archive("ngspice")
        prefix.build(archive, unpacked, say=say)
        return f"{archive.name.partition('.orig')[0]} of {source.suites[0]}, compiled here,"

    return route


def _complete(path: Path, own: list[apt.Source], work: Path) -> SimulatorLibrary:
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


def main() -> int:
    """Run as a program: progress on the terminal, at most one error line, exit code 0 only with a library."""
    try:
        installed = ensure(library.private_prefix())
    except (SetupError, OSError, subprocess.SubprocessError) as error:
        sys.stderr.write(f"ngspice: {error}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("ngspice: stopped; no unfinished files are left, run the same command again\n")
        return 130
    say(f"{installed.version_text} ({installed.origin}{', KLU' if installed.klu else ''}): {installed.path}")
    if warning := library.warning_for(installed):
        say(f"warning: {warning}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
