"""The documentation site: every page is in its menu, every link leads somewhere, every public name is on a page."""

import inspect
import re
from itertools import pairwise

import pytest
from fixtures.pages import FENCE, ROOT, blocks, pages
from test_public_docs import BESIDE, shown_names

import rramkit as rk
from rramkit.cli import keys
from rramkit.netlists import models

DOCS = ROOT / "docs"
OF_DOCS = [page for page in pages() if page.startswith("docs/")]

LANGUAGES = {
    *("", "bash", "python", "sh", "spice", "text", "toml", "verilog"),
    *("{commands}", "{device}", "{eval-rst}", "{keys}", "{toctree}"),
}
"""Languages that the site colours, and its directives."""


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


def test_headings_go_down_one_level_at_a_time():
    for page in OF_DOCS:
        prose = FENCE.sub("", (ROOT / page).read_text(encoding="utf-8"))
        levels = [len(marks) for marks in re.findall(r"(?m)^(#+) ", prose)]
        assert all(after <= before + 1 for before, after in pairwise(levels)), page


def test_the_site_knows_the_languages_and_directives_of_blocks():
    kinds = {key.of for key in keys.every_key()[0]}
    for page in OF_DOCS:
        for block in blocks(page):
            name, _, argument = block.language.partition(" ")
            assert name in LANGUAGES, f"{block.place}: {name}"
            assert name != "{keys}" or argument in kinds, f"{block.place}: {argument}"
            assert name != "{device}" or models.model(argument).sets, f"{block.place}: {argument}"


@pytest.mark.parametrize("page", pages())
def test_the_rows_of_a_table_have_its_columns_and_its_columns_names(page):
    """A cell too many is dropped, without a word, by the site and by code hosts."""
    prose = FENCE.sub(lambda found: "\n" * found[0].count("\n"), (ROOT / page).read_text(encoding="utf-8"))
    lines = prose.splitlines()
    columns: list[str] = []
    for number, line in enumerate(lines):
        if not line.startswith("|"):
            columns = []
        elif not columns:
            columns = cells(line)
            assert re.fullmatch(r"\|[-:| ]+\|", lines[number + 1]), f"{page}:{number + 1}: a line of dashes follows"
            assert all(columns), f"{page}:{number + 1}: a column without a name"
        assert not columns or len(cells(line)) == len(columns), f"{page}:{number + 1}"


def cells(line: str) -> list[str]:
    """Return the cells of a row."""
    return [each.strip() for each in re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))]


def test_what_the_page_of_the_api_shows_exists_and_reads_as_text():
    """What the site's parser would warn of in a docstring: quotes that stay open, and marks that mean a reference."""
    for name, thing in shown_names().items():
        text = re.sub(r"(?ms)^\s*>>>.*?(?=^\s*$|\Z)", "", inspect.getdoc(thing) or "")
        text = re.sub(r"(?ms)::\n\n((?:    .*\n?|\s*\n)+)", "", f"{text}\n")
        assert text.strip(), f"{name}: no docstring"
        for paragraph in re.split(r"\n\s*\n", text):
            plain = re.sub(r"(?m)`+[^`]+`+|^\*{1,2}(?=\w+ :)", "", paragraph)
            assert "`" not in plain, f"{name}: a quote stays open in {paragraph!r}"
            assert not re.search(r"\w_(?![\w.(])|\|\w[^|\n]*\|", plain), f"{name}: reads as a reference: {plain!r}"
            assert not re.search(r"(?<!\S)\*{1,2}\w[^*]*$", plain), f"{name}: emphasis stays open in {paragraph!r}"
