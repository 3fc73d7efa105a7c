"""Library files, imports between them, import depth and cycles: `python benchmarks/rooms.py`.

It counts the files of netlists/, circuits/, characterization/ and rramkit/; an import inside a function counts like one
at the top of a file. The depth is the number of files on the longest chain of imports.
"""

import ast
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOMS = ("netlists", "circuits", "characterization", "rramkit")
LINKED = ("circuits", "characterization", "netlists")  # inside rramkit/ these are links to the rooms beside it


def modules(root: Path) -> dict[str, Path]:
    """Return every library module by its full name."""
    paths = {}
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            parts = list(path.relative_to(root).with_suffix("").parts)
            if parts[0] == "rramkit" and len(parts) > 1 and parts[1] in LINKED:
                continue
            name = ".".join(parts if parts[0] == "rramkit" else ["rramkit", *parts])
            paths[name.removesuffix(".__init__")] = path
    return paths


def imports(path: Path, names: set[str]) -> set[str]:
    """Return the library modules that a file imports, at any depth of the code."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            inside = {f"{node.module}.{alias.name}" for alias in node.names} & names
            found |= inside or {node.module}
    return found & names


def graph(root: Path) -> dict[str, set[str]]:
    """Return each library module with those that it imports."""
    found = modules(root)
    return {name: imports(path, set(found)) - {name} for name, path in found.items()}


def longest_chain(arrows: dict[str, set[str]]) -> list[str]:
    """Return the longest chain of imports; raise `graphlib.CycleError` where there is a cycle."""
    chains: dict[str, list[str]] = {}
    for name in TopologicalSorter(arrows).static_order():
        below = max((chains[each] for each in arrows[name]), key=len, default=[])
        chains[name] = [name, *below]
    return max(chains.values(), key=len)


def main(root: Path) -> int:
    """Print the numbers; return 1 where there is an import cycle."""
    arrows, paths = graph(root), modules(root)
    lines = sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths.values())
    print(f"{len(paths)} files, {lines:,} lines, {sum(map(len, arrows.values())):,} imports")
    for room in ROOMS:
        inside = [name for name in paths if paths[name].relative_to(root).parts[0] == room]
        print(f"  {room:18} {len(inside)} files")
    try:
        chain = longest_chain(arrows)
    except CycleError as error:
        print("cycle:", " -> ".join(error.args[1]))
        return 1
    print(f"depth {len(chain)}: " + " -> ".join(name.removeprefix("rramkit.") for name in chain))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1]))
