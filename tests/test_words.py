"""Plain field English in code, docs and messages: private words do not come back (docs/nomenclature.md)."""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# A pattern, in lower case, and what to write in its place.
BANNED = {
    r"creeps?\b|creeping": "half-select disturb",
    r"\bas if by magic": "set exactly, without pulses",
    r"\bmend(s|ed|ing)?\b": "fix",
    r"\bcorrect (it|them|that)[.,\"]": "Fix it",
    r"\bcharacteri[sz]e (it |those |them )?again": "Regenerate it with `rramkit characterize`",
    r"\bma[dk]e (it |them )?again\b": "Regenerate, repeated",
    r"\blest\b": "so that ... not",
    r"\bwinds? up\b": "anti-windup",
    r"\binputs (are )?led\b": "routed",
    r"\bcomes? together\b": "accumulates",
    r"\bdear(er|est)?\b": "expensive, largest",
    r"\bfor ever\b": "without end, or the number",
    r"\bwhoever\b": "the caller, the reader",
    r"\bstillborn\b": "failed at start",
    r"\brungs?\b": "convergence aid",
    r"\bteachers?\b": "trainer (a teacher belongs to knowledge distillation)",
    r"\bstudents?\b(?!'s t)": "network state (a student belongs to knowledge distillation)",
    r"\bdiary\b|\bdiaries\b": "log",
    r"\b(is|are|was|were|be|as they were) told\b": "reported, printed",
    r"\btells? (its|itself|more|what)\b": "prints, gives",
    r"\btaken up\b|\btakes? (it|them|interrupted ones) up\b": "resumed",
    r"\bhalf-made\b|\bleft-over\b": "unfinished, remaining",
    r"\bthe (roof|way in)\b": "command line, entry point",
}
# Files that may use a word, and why.
ALLOWED = {
    "tests/test_words.py": "the list itself",
    "docs/nomenclature.md": "names the words that are not used",
    "CHANGELOG.md": "the past stays as it was written",
}
SUFFIXES = (".py", ".md", ".toml", ".j2", "Makefile")


def files() -> list[str]:
    """Return the texts of the repository, by their paths in it."""
    listing = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listing.returncode:
        pytest.skip("not a git checkout")
    names = [name for name in listing.stdout.splitlines() if name.endswith(SUFFIXES) and (ROOT / name).is_file()]
    return [name for name in names if name not in ALLOWED]


@pytest.mark.parametrize("pattern", BANNED)
def test_no_private_words(pattern: str) -> None:
    lines = [
        f"{name}:{number}: {line.strip()[:100]}"
        for name in files()
        for number, line in enumerate((ROOT / name).read_text(encoding="utf-8").lower().splitlines(), 1)
        if re.search(pattern, line)
    ]
    assert not lines, f"write {BANNED[pattern]!r} instead:\n" + "\n".join(lines)


def test_the_nomenclature_names_what_exists() -> None:
    """Every class in docs/nomenclature.md is defined in the source."""
    page = (ROOT / "docs" / "nomenclature.md").read_text(encoding="utf-8")
    source = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in files() if name.endswith(".py"))
    named = set(re.findall(r"`((?:[A-Z][a-z]+)+)(?:\.\w+)?`", page)) - {"Fix", "Pass"}
    missing = {name for name in named if not re.search(rf"^(class {name}\b|{name} = )", source, re.MULTILINE)}
    assert not missing, "docs/nomenclature.md names classes that do not exist"
