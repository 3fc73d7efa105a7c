"""Import arrows between the rooms, read from the imports themselves."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
ROOMS = ("netlists", "circuits", "characterization", "rramkit")
FOUNDATION = {"rramkit", "rramkit.errors", "rramkit.parameters", "rramkit.suffixes"}  # used by every room
# What characterization/ takes from rramkit/: the format it writes, and what it verifies that with: the surrogate, and
# of an import the arrays that a training builds.
SHARED = {
    "rramkit.table",
    "rramkit.table.schema",
    "rramkit.table.columns",
    "rramkit.table.parts",
    "rramkit.units",
    "rramkit.cores",
    "rramkit.files",
    "rramkit.lock",
    "rramkit.monotone_cubic",
    "rramkit.processes",
    "rramkit.processes.dask",
    "rramkit.processes.leftovers",
    "rramkit.processes.processor_time",
    "rramkit.processes.workers",
    "rramkit.surrogate.grid",
    "rramkit.surrogate.look_up",
    "rramkit.array.cell_current",
    "rramkit.array.mapping",
    "rramkit.array.model",
    "rramkit.array.stages.chain",
    "rramkit.array.wires",
    "rramkit.array.write.update",
    "rramkit.array.write.write_verify",
}
ONLY_IN = {
    "PySpice": ("circuits/", "characterization/simulate.py"),
    "h5py": ("rramkit/hdf5.py",),
    "matplotlib": ("rramkit/plots/", "characterization/plots.py"),
    "distributed": ("characterization/engine/cluster.py", "rramkit/processes/"),
    "typer": ("rramkit/cli/",),
    "sklearn": ("rramkit/learning/data/",),
    "PIL": ("rramkit/learning/data/",),
    "jinja2": ("rramkit/report/",),
    "numba": ("rramkit/compiling.py", "rramkit/array/kernels/compiled/vectors.py"),
    "torch": ("rramkit/torch/", "rramkit/array/rng.py", "rramkit/array/backend.py"),
}


def sources() -> list[Path]:
    found = [path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    linked = tuple(str(ROOT / "rramkit" / room) for room in ROOMS)
    return [path for path in found if not str(path).startswith(linked)]


def imports(path: Path) -> set[str]:
    """Full names of all modules that a file imports, at any depth; `from rramkit import table` is rramkit.table."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: relative import"
            inside = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {name for name in inside if is_module(name)} or {node.module}
    return found


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def room(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def kit_imports(path: Path) -> set[str]:
    return {name for name in imports(path) if name.split(".")[0] == "rramkit"} - FOUNDATION


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_follow_the_arrows(path: Path) -> None:
    every_room = [ROOT / "rramkit" / name for name in ("cli", "proof", "__init__.py", "__main__.py")]
    if any(path.is_relative_to(each) for each in every_room):
        return  # the command line, what proves a training in SPICE, and the lazy names of the package
    allowed = {
        "netlists": ("rramkit.netlists",),
        "circuits": ("rramkit.circuits", "rramkit.netlists"),
        "characterization": ("rramkit.characterization", "rramkit.circuits", "rramkit.netlists"),
        "rramkit": ("rramkit",),
    }[room(path)]
    for name in kit_imports(path):
        if room(path) == "rramkit":
            assert not name.startswith(
                ("rramkit.circuits", "rramkit.characterization", "rramkit.netlists", "rramkit.cli")
            )
        else:
            assert name.startswith(allowed) or (room(path) == "characterization" and name in SHARED), name


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_outside_packages_stay_in_their_rooms(path: Path) -> None:
    place = str(path.relative_to(ROOT))
    for name in imports(path):
        allowed = ONLY_IN.get(name.split(".")[0])
        assert allowed is None or place.startswith(allowed), f"{place} imports {name}"


def test_no_room_is_imported_by_its_bare_name() -> None:
    """`import circuits` would find another project's package."""
    for path in [*sources(), *(ROOT / "tests").glob("*.py"), *(ROOT / "examples").rglob("*.py")]:
        assert not {
            name for name in imports(path) if name.split(".")[0] in ("circuits", "netlists", "characterization")
        }


def test_one_place_counts_the_cores() -> None:
    asked = [path.relative_to(ROOT).as_posix() for path in sources() if "sched_getaffinity" in path.read_text("utf-8")]
    assert asked == ["rramkit/cores.py"]


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts if parts[0] == "rramkit" else ("rramkit", *parts)).removesuffix(".__init__")


def test_no_imports_go_in_a_circle() -> None:
    arrows = {module_name(path): imports(path) - {module_name(path)} for path in sources()}
    del arrows["rramkit"]  # its public names are imported at their first use
    TopologicalSorter(
        {name: below - {"rramkit"} for name, below in arrows.items()}
    ).prepare()  # raises CycleError with the circle
