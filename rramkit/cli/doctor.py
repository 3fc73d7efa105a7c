"""`rramkit doctor`: what this machine has, what is missing with the cure for each, and which commands work."""

import platform
import re
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata, util
from typing import TYPE_CHECKING, Annotated

import typer

from rramkit import __version__
from rramkit.cli import strict_json
from rramkit.cli.checkout import in_checkout, links_complaint
from rramkit.cli.rows import rows
from rramkit.cores import cores
from rramkit.errors import SetupError

if TYPE_CHECKING:
    from rramkit.characterization.ngspice.library import SimulatorLibrary

# The distribution, and the module by which it is imported.
REQUIRED = {
    "numpy": "numpy",
    "scipy": "scipy",
    "h5py": "h5py",
    "pydantic": "pydantic",
    "rich": "rich",
    "array-api-compat": "array_api_compat",
    "threadpoolctl": "threadpoolctl",
    "PySpice": "PySpice",
    "matplotlib": "matplotlib",
    "jinja2": "jinja2",
    "scikit-learn": "sklearn",
}
OPTIONAL = {
    "pytest": ("pytest", "only for the tests of a checkout: `make test` installs it there"),
    "ruff": ("ruff", "only for the style checks of a checkout: `make lint` installs it there"),
    "torch": ("torch", "not needed; `pip install 'rramkit[torch]'` where your own models use it"),
    "gymnasium": (
        "gymnasium",
        "only for `rramkit rl` in Gymnasium's environments, CartPole among them: `pip install 'rramkit[rl]'`",
    ),
    "numba": ("numba", "not needed; `pip install 'rramkit[fast]'` compiles the inner loops of a training"),
    "distributed": ("distributed", "not needed; `pip install 'rramkit[dask]'` for runs on several machines"),
    "openpyxl": ("openpyxl", "not needed; `pip install 'rramkit[xlsx]'` where measured data are spreadsheets"),
    "onnx": ("onnx", "not needed; `pip install 'rramkit[onnx]'` for networks in ONNX files"),
}

_BASE = ("numpy", "h5py", "pydantic", "rich", "array-api-compat", "threadpoolctl")
_PICTURES = (*_BASE, "matplotlib")
_CIRCUITS = (*_BASE, "scipy", "PySpice")  # PySpice itself needs SciPy
_SPICE = (*_CIRCUITS, "matplotlib", "ngspice")
NEEDS = {
    "setup": _BASE,
    "init": _BASE,
    "explain": _BASE,
    "import": (*_BASE, "scipy"),
    "train": _BASE,
    "evaluate": _BASE,
    "thresholds": _BASE,
    "calibrate": (*_BASE, "scipy"),
    "boost": _BASE,
    "explore": _PICTURES,
    "cost": _BASE,
    "rl": _BASE,
    "sweep": _BASE,
    "ablate": _PICTURES,
    "tile": _BASE,
    "plot": _PICTURES,
    "report": (*_PICTURES, "jinja2"),
    "export": _BASE,
    "netlist": _CIRCUITS,
    "simulate": _SPICE,
    "characterize": _SPICE,
    "merge": _SPICE,
    "verify": _SPICE,
    "prove": _SPICE,
    "sensitivity": _SPICE,
    "device check": _SPICE,
    "demo": (*_SPICE, "jinja2", "scikit-learn"),
    "doctor": (),
}
"""What each command needs, by the names of the checks."""


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
    """Print what this machine has, the cure for whatever is missing, and which commands work.

    Exit code 1 where something is missing that a command needs.
    """
    checks = [*_interpreter(), *_checkout(), *_packages(), *_simulator(), *_optional()]
    missing = [check.name for check in checks if check.state == "missing"]
    if as_json:
        told = {"ok": not missing, "works": _works(missing), "checks": [asdict(check) for check in checks]}
        typer.echo(strict_json.text(told, indent=1))
    else:
        for line in (*_lines(checks), *_verdict(checks, missing)):
            typer.echo(line)
    raise typer.Exit(1 if missing else 0)


def _lines(checks: list[Check]) -> Iterator[str]:
    marks = {"ok": "ok", "poor": "POOR", "missing": "MISSING", "optional": "-"}
    width = max(len(check.name) for check in checks)
    for check in checks:
        yield rows([(f"{marks[check.state]:<8}{check.name}", check.found)], width=9 + width)
        if check.cure:
            yield rows([("->", check.cure)], width=2, indent=" " * 8)


def _works(missing: list[str]) -> list[str]:
    """Return the commands that need nothing of what is missing; what no command names, as the interpreter, all need."""
    named = {name for needs in NEEDS.values() for name in needs}
    if set(missing) - named:
        return ["doctor"]
    return [command for command, needs in NEEDS.items() if not set(needs) & set(missing)]


def _verdict(checks: list[Check], missing: list[str]) -> Iterator[str]:
    poor = ", with the cost that stands above" if any(check.state == "poor" for check in checks) else ""
    if not missing:
        yield f"Everything works here{poor}."
        return
    works = _works(missing)
    lacking = [command for command in NEEDS if command not in works]
    if works == ["doctor"]:
        yield f"No command but this one works before what is MISSING is there: {', '.join(missing)}."
        return
    yield f"Work here{poor}: {', '.join(works)}."
    if lacking:
        yield f"Wait for what is MISSING ({', '.join(missing)}): {', '.join(lacking)}."
    if "ngspice" in missing:
        yield "Of the others, `tile --ngspice` needs ngspice too; `verify --golden OLD.h5` does not."
    if "scipy" in missing:
        yield (
            "Of the others, `tile --exact`, `export --to neurosim`, wires of the grade exact, the rule fault_tolerant, "
            "tables of scattered points and compiled kernels need scipy too."
        )
    if "scikit-learn" in missing:
        yield "The digits are scikit-learn's: a training on other data (`data.name`) works without."


def _interpreter() -> Iterator[Check]:
    fits = (3, 11) <= sys.version_info[:2] <= (3, 13)
    cure = "" if fits else f"use Python 3.11, 3.12 or 3.13: {_other_python()}"
    yield Check("rramkit", __version__, "ok")
    yield Check("Python", f"{platform.python_version()} ({sys.executable})", "ok" if fits else "missing", cure)
    yield Check("cores", str(cores()), "ok")


def _other_python() -> str:
    """Return how to get to another interpreter, in a checkout or with a wheel."""
    if in_checkout():
        return "`make clean`, then `make setup PYTHON=/path/to/python3.12`"
    return "`/path/to/python3.12 -m venv kit`, then `kit/bin/pip install` with the wheel"


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
        cure = f"{sys.executable} -m pip install {_requirement(distribution)}"
        yield Check(distribution, version or "not installed", *(("ok",) if version else ("missing", cure)))


def _requirement(distribution: str) -> str:
    """Return what pip is to install, with the versions that the kit takes, quoted for a shell."""
    try:
        wanted = metadata.requires("rramkit") or []
    except metadata.PackageNotFoundError:
        wanted = []
    pattern = re.compile(rf"{re.escape(distribution)}\s*[<>=!~].*", re.IGNORECASE)
    return next((f"'{each}'" for each in wanted if pattern.fullmatch(each)), distribution)


def _optional() -> Iterator[Check]:
    for distribution, (module, cure) in OPTIONAL.items():
        version = _version(distribution, module)
        yield Check(distribution, version or "not installed", *(("ok",) if version else ("optional", cure)))
    yield _kernels()
    yield _blas()


def _blas() -> Check:
    from rramkit.array.threads import arithmetic, left_idle, processor_flags

    if not left_idle(processor_flags()):
        return Check("BLAS", arithmetic(), "ok")
    cure = (
        "this OpenBLAS does not know the processor, and leaves its 512-bit vectors idle: with "
        "`export OPENBLAS_CORETYPE=SKYLAKEX` a training of LeNet-5 takes 0.8 of the time; last bits change"
    )
    return Check("BLAS", arithmetic(), "poor", cure)


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
    yield _program(library)
    yield from _features(library)


def _program(library: "SimulatorLibrary") -> Check:
    """Return whether a deck can be run by hand; the kit itself uses the library."""
    from rramkit.characterization.ngspice.library import private_prefix
    from rramkit.characterization.program import find_program

    program = find_program(library)
    if program is not None:
        return Check("ngspice program", f"{program} -b DECK.cir", "ok")
    again = f"remove {private_prefix()} and run `rramkit setup`" if library.origin == "private prefix" else ""
    cure = f"only for decks by hand, and for the tests of the golden decks: {again or 'install the package ngspice'}"
    return Check("ngspice program", "none; `rramkit simulate DECK.cir` runs decks", "optional", cure)


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
