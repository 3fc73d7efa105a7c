"""The documentation site: every page is in its menu, every link leads somewhere, every public name is on a page."""

import re
import subprocess
import sys

import pytest
from fixtures.pages import FENCE, ROOT, blocks, pages
from test_public_docs import BESIDE

import rramkit as rk

DOCS = ROOT / "docs"
OF_DOCS = [page for page in pages() if page.startswith("docs/")]


def headings(page: str) -> set[str]:
    """Return the anchors of a page's headings, as code hosts and the site make them."""
    prose = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    titles = re.findall(r"(?m)^#+ (.+)$", prose)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", pages())
def test_the_links_of_a_page_lead_somewhere(page):
    prose = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if target.startswith("https://"):
            continue
        name, _, anchor = target.partition("#")
        path = ((ROOT / page).parent / name).resolve() if name else ROOT / page
        assert path.is_file(), f"{page}: {target}"
        assert ROOT in path.parents, f"{page}: {target} leaves the checkout"
        if anchor:
            assert anchor in headings(path.relative_to(ROOT).as_posix()), f"{page}: {target}"


def test_every_page_is_in_the_menu():
    menus = [block.text for block in blocks("docs/index.md") if block.language == "{toctree}"]
    listed = {line for text in menus for line in text.splitlines() if line and not line.startswith(":")}
    pages = {page.removeprefix("docs/").removesuffix(".md") for page in OF_DOCS} - {"index"}
    by_pattern = {page for page in pages if page.startswith("systems/")} if "systems/index" in listed else set()
    assert listed | by_pattern == pages


def test_every_public_name_is_on_the_page_of_the_api():
    shown = set(re.findall(r"\.\. auto\w+:: ([\w.]+)", (DOCS / "api.md").read_text(encoding="utf-8")))
    assert {f"rramkit.{name}" for name in rk.__all__ if name != "__version__"} <= shown
    named = {name.rpartition(".")[2] for name in shown}
    assert {thing.__qualname__.partition(".")[0] for thing in BESIDE} <= named


def test_each_page_begins_with_its_title_and_has_one():
    for page in OF_DOCS:
        prose = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
        assert len(re.findall(r"(?m)^# ", prose)) == 1 and prose.startswith("# "), page


@pytest.mark.long
def test_the_site_builds_without_warnings(tmp_path):
    pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", DOCS / "site", DOCS, tmp_path / "site"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    commands = (tmp_path / "site" / "commands.html").read_text(encoding="utf-8")
    keys = (tmp_path / "site" / "keys.html").read_text(encoding="utf-8")
    assert "rramkit device check" in commands and "--corner" in commands
    assert "threshold" in keys and "write_verify" in keys
    devices = (tmp_path / "site" / "devices.html").read_text(encoding="utf-8")
    assert "<math" in devices and "MathJax" not in devices, "formulas without a script"
    assert 'role="heading" aria-level' in devices and "<pre>" not in commands + devices, "headings and focus"
