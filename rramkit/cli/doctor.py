"""`rramkit doctor`: what this machine has, what is missing, and the cure for each."""

import os
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit import __version__
from rramkit.cli import strict_json
from rramkit.cli.checkout import links_complaint
from rramkit.errors import SetupError

if TYPE_CHECKING:
    from rramkit.characterization.ngspice.library import SimulatorLibrary

# The distribution, and the module by which it is imported.
REQUIRED = {
    "PySpice": "PySpice",
    "numpy": "numpy",
    "scipy": "scipy",
    "h5py": "h5py",
    "matplotlib": "matplotlib",
    "pydantic": "pydantic",
    "rich": "rich",
    "jinja2": "jinja2",
    "scikit-learn": "sklearn",
}
OPTIONAL = {
    "pytest": ("pytest", "only for the tests: `make test` installs it"),
    "ruff": ("ruff", "only for the style checks: `make lint` installs it"),
    "torch": ("torch", "not needed; `pip install torch` where your own models use it"),
    "gymnasium": ("gymnasium", "not needed; `pip install gymnasium` where your own environments use it"),
    "numba": ("numba", "not needed; `pip install 'rramkit[fast]'` compiles the inner loops of a training"),
    "distributed": ("distributed", "not needed; `pip install 'rramkit[dask]'` for runs on several machines"),
}
REINSTALL = "run `make setup`, or `pip install -e .` in the checkout"


@dataclass(frozen=True)
class Check:
    """One requirement: `state` is `ok`, `poor`, `missing` or `optional`."""

    name: str
    found: str
    state: str
    cure: str = ""


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object instead of lines.")] = False,
) -> None:
    """Print what this machine has, with the cure for whatever is missing."""
    checks = [*_interpreter(), *_checkout(), *_packages(), *_simulator(), *_optional()]
    healthy = all(check.state != "missing" for check in checks)
    if as_json:
        typer.echo(strict_json.text({"ok": healthy, "checks": [asdict(check) for check in checks]}, indent=1))
    else:
        for line in _lines(checks, healthy=healthy):
            typer.echo(line)
    raise typer.Exit(0 if healthy else 1)


def _lines(checks: list[Check], *, healthy: bool) -> Iterator[str]:
    marks = {"ok": "ok", "poor": "POOR", "missing": "MISSING", "optional": "-"}
    width = max(len(check.name) for check in checks)
    for check in checks:
        yield f"{marks[check.state]:<8}{check.name:<{width}}  {check.found}"
        if check.cure:
            yield f"{'':<{8 + width}}  -> {check.cure}"
    poor = ", with the cost that stands above" if any(check.state == "poor" for check in checks) else ""
    yield f"The kit can run here{poor}." if healthy else "The kit cannot run here: fix what is MISSING."


def _interpreter() -> Iterator[Check]:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    cure = "" if fits else "use Python 3.11, 3.12 or 3.13: `make clean`, then `make setup PYTHON=/path/to/python3.12`"
    yield Check("rramkit", __version__, "ok")
    yield Check("Python", f"{platform.python_version()} ({sys.executable})", "ok" if fits else "missing", cure)
    yield Check("cores", str(len(os.sched_getaffinity(0))), "ok")


def _checkout() -> Iterator[Check]:
    complaint = links_complaint()
    if complaint is not None:
        yield Check("links", "not symbolic links", "missing", complaint)


def _version(distribution: str, module: str) -> str | None:
    try:
        return metadata.version(distribution) if util.find_spec(module) else None
    except (metadata.PackageNotFoundError, ValueError):
        return None


def _packages() -> Iterator[Check]:
    for distribution, module in REQUIRED.items():
        version = _version(distribution, module)
        yield Check(distribution, version or "not installed", *(("ok",) if version else ("missing", REINSTALL)))


def _optional() -> Iterator[Check]:
    for distribution, (module, cure) in OPTIONAL.items():
        version = _version(distribution, module)
        yield Check(distribution, version or "not installed", *(("ok",) if version else ("optional", cure)))
    yield _kernels()


def _kernels() -> Check:
    from rramkit import compiling
    from rramkit.array.kernels.parts import threads

    try:
        return Check(
            "kernels",
            f"{compiling.family()}, {threads()} threads" if compiling.compiled() else compiling.family(),
            "ok",
        )
    except SetupError as error:
        return Check("kernels", "none", "missing", str(error))


def _simulator() -> Iterator[Check]:
    if links_complaint() is not None:
        return  # it cannot be imported
    from rramkit.characterization.ngspice import library as ngspice

    try:
        library = ngspice.find_library()
    except (SetupError, OSError) as error:
        yield Check("ngspice", "no usable library", "missing", str(error))
        return
    warning = ngspice.warning_for(library)
    found = f"{library.version_text} from {library.origin}: {library.path}"
    yield Check("ngspice", found, "ok" if warning is None else "poor", warning or "")
    yield from _features(library)


def _features(library: "SimulatorLibrary") -> Iterator[Check]:
    yield Check("KLU solver", "yes" if library.klu else "no", "ok" if library.klu else "poor")
    models = "the ngspice package of the same version has its code models; the kit's own circuits need none"
    yield Check(
        "XSPICE models", "yes" if library.xspice else "no", *(("ok",) if library.xspice else ("optional", models))
    )
    yield Check("OSDI", "yes" if library.osdi else "no", "ok" if library.osdi else "optional")
    yield _verilog_a()


def _verilog_a() -> Check:
    from rramkit.circuits.verilog_a import VARIABLE, find_compiler

    without = f"only for devices in Verilog-A (.va): put openvaf-r on PATH, or name it in {VARIABLE}"
    try:
        compiler = find_compiler()
    except SetupError as error:
        return Check("Verilog-A", "no compiler that runs", "optional", str(error))
    if compiler is None:
        return Check("Verilog-A", "no compiler; compiled models (.osdi) run", "optional", without)
    return Check("Verilog-A", f"{compiler.version}: {compiler.program}", "ok")
