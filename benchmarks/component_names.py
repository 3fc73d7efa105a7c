"""The names of each circuit component in every room: one each. `python benchmarks/component_names.py`.

`--markdown` prints the table of components in `docs/nomenclature.md`.

A component is a file or package of `circuits/` with an entry in the catalogue or a file of measures. Variants append a
word: `adc` and `adc_levels` belong to `adc`. `tests/test_component_names.py` holds what this prints.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from rramkit.characterization.components import COMPONENTS
from rramkit.circuits import catalog
from rramkit.table import schema

ROOT = Path(__file__).resolve().parent.parent
# The one exception: the array model's words for the tables of the cell, and the measured reads beside them.
CELL_GROUPS = ("read", "set", "reset", *(str(each.group) for each in schema.READS.values()))
CHECK_GROUPS = {"system": "array_system"}  # what `rramkit verify --system` writes, from whole arrays: no plan
ROOMS = ("circuits", "catalogue", "components", "measures", "plans", "golden", "groups", "stages", "docs", "tests")


def component_of(name: str) -> str:
    """Return the component that a name belongs to: the shortest run of its first words with a file in `circuits/`."""
    if name in CELL_GROUPS:
        return "cell"
    if name in CHECK_GROUPS:
        return CHECK_GROUPS[name]
    words = name.split("_")
    files = modules(ROOT / "circuits")
    return next((each for k in range(len(words)) if (each := "_".join(words[: k + 1])) in files), "")


def components() -> list[str]:
    """Return the names of all components."""
    files = [name for name in modules(ROOT / "characterization" / "components") if not name.endswith("_measure")]
    return sorted({component_of(name) for name in (*catalog.BLOCKS, *COMPONENTS)} | set(files))


def modules(folder: Path) -> tuple[str, ...]:
    """Return the names of a folder's modules and packages."""
    packages = (path.parent.name for path in folder.glob("*/__init__.py"))
    return tuple(sorted({*(path.stem for path in folder.glob("*.py")), *packages} - {"__init__"}))


def plans() -> Mapping[str, Mapping[str, object]]:
    """Return the kit's own plans of a component by the stem of their files."""
    files = sorted((ROOT / "characterization" / "plans").glob("*.toml"))
    parsed = {path.stem: tomllib.loads(path.read_text(encoding="utf-8")) for path in files}
    return {stem: plan for stem, plan in parsed.items() if "component" in plan}


def groups() -> tuple[str, ...]:
    """Return the groups that the schema of a table file names."""
    return tuple(schema.GROUPS)


def headings() -> Mapping[str, str]:
    """Return the headings of the circuits' documentation by the component name that they carry."""
    text = (ROOT / "docs" / "circuits.md").read_text(encoding="utf-8")
    return {name: words for words, name in re.findall(r"(?m)^#+ (.*) \(`(\w+)`\)$", text)}


def test_files() -> tuple[str, ...]:
    """Return what the test files are named after."""
    return tuple(sorted({path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")}))


def table() -> dict[str, dict[str, tuple[str, ...]]]:
    """Return the names of every component in every room."""
    stages = (*modules(ROOT / "rramkit" / "array" / "stages"), *modules(ROOT / "rramkit" / "array" / "write"))
    measures = modules(ROOT / "characterization" / "components")
    golden = sorted(path.stem for path in (ROOT / "netlists" / "golden").glob("*.cir"))
    return {
        name: {
            "circuits": _exact(name, modules(ROOT / "circuits")),
            "catalogue": _variants(name, catalog.BLOCKS),
            "components": _exact(name, measures),
            "measures": _variants(name, COMPONENTS),
            "plans": _variants(name, plans()),
            "golden": _variants(name, golden),
            "groups": _variants(name, groups()),
            "stages": _exact(name, stages),
            "docs": _exact(name, headings()),
            "tests": _exact(name, test_files()),
        }
        for name in components()
    }


def _exact(name: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for each in names if each == name)


def _variants(name: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for each in names if component_of(each) == name)


def lines() -> Iterator[str]:
    """Yield the table for a person: what a room does not have is `-`."""
    for name, rooms in table().items():
        yield name
        yield from (f"    {room:11s} {', '.join(rooms[room]) or '-'}" for room in ROOMS)


def markdown() -> str:
    """Return the table of components in `docs/nomenclature.md`."""
    rows = ["| component | what it is | catalogue | tables (`_summary` beside some) |", "|---|---|---|---|"]
    rooms = table()
    for name, words in headings().items():
        tables = (group for group in rooms[name]["groups"] if not group.endswith(schema.SUMMARY))
        cells = (f"`{name}`", words, _code(rooms[name]["catalogue"]), _code(tables))
        rows.append(f"| {' | '.join(cells)} |")
    return "\n".join([*rows, ""])


def _code(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def main() -> None:
    """Print the names of every component in every room, or with `--markdown` the table of the nomenclature."""
    print(markdown() if sys.argv[1:] == ["--markdown"] else "\n".join(lines()))


if __name__ == "__main__":
    main()
