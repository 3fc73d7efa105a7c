"""The documentation site as `make docs` builds it: no warning, no dead link, and every page whole in a browser.

Skipped without the extra `docs`; what needs a browser or axe-core is skipped without these.
"""

import io
import re
import shlex
import subprocess
import sys
from urllib.parse import unquote, urlsplit

import matplotlib.image
import pytest
from fixtures.accessible import FAINT, elements, findings
from fixtures.pages import ROOT, pages

from rramkit.cli import keys

PAGES = sorted(page.removeprefix("docs/").replace(".md", ".html") for page in pages() if page.startswith("docs/"))
MAIN = [
    "index.html",
    "tour.html",
    "tutorials/own-cell.html",
    "tutorials/accuracy-costs.html",
    "circuits.html",
    "systems/index.html",
    "search.html",
]
"""Pages on which axe-core runs: one of each kind. On long lists (API, keys) and formulas it works up to a minute."""
DESK, LAPTOP, PHONE = 1280, 1366, 390  # pixels: with two columns, with three, with one
SHEET = 687  # pixels of 1/96 inch: A4 without margins of 14 mm
PICTURES = "[...document.images].filter(e => !e.complete || !e.naturalWidth).map(e => e.src)"
TITLE = "(e => [e.top, e.right])(document.querySelector('h1').getBoundingClientRect())"


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Standard error and folder of the command that `make docs` runs, written elsewhere."""
    pytest.importorskip("sphinx", reason="the extra `docs` is not installed")
    recipe = re.search(r"(?m)^\t@\$\(BIN\)/python (-m sphinx .*) build/docs$", (ROOT / "Makefile").read_text("utf-8"))
    assert recipe is not None
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, *shlex.split(recipe[1]), folder]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr, folder


@pytest.fixture(scope="module")
def site(built):
    return built[1]


def test_the_site_builds_without_warnings(built):
    said, site = built
    assert said == ""
    made = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert made == {*PAGES, "genindex.html", "search.html"}


def test_the_kit_writes_its_commands_keys_and_formulas(site):
    commands, of_keys, devices = (
        (site / page).read_text("utf-8") for page in ("commands.html", "keys.html", "devices.html")
    )
    assert "rramkit device check" in re.sub(r"<[^>]+>", "", commands) and "--corner" in commands
    assert "threshold" in of_keys and "write_verify" in of_keys
    assert "<math" in devices and "MathJax" not in devices, "formulas without a script"


def test_every_key_of_an_experiment_stands_in_the_one_section_of_its_group(site):
    """A group with the same keys as another one refers to it."""
    rows: dict[str, set[str]] = {}
    refers: dict[str, str] = {}
    section = ""
    for each in elements((site / "keys.html").read_text("utf-8")):
        words = each.name().removesuffix("Link to this heading").strip()
        if each.tag == "h2" and rows:
            break  # settings of other commands
        if each.tag == "h3":
            assert words not in rows, words
            section, rows[words] = words, set()
        elif each.tag == "tr" and each.parts[0].tag == "td":
            rows[section].add(each.parts[0].name())
        elif each.tag == "p" and words.startswith("The keys of"):
            (refers[section],) = [part.name() for part in each.parts]
    of_experiment = [key for key in keys.every_key()[0] if key.of == "experiment"]
    for key in of_experiment:
        above, _, own = key.name.rpartition(".")
        group = f"[{above}]" if above else "At the top of the file"
        assert own in rows[refers.get(group, group)], key.name
    assert len(of_experiment) > 1000 > sum(map(len, rows.values())) > 200


def test_no_page_hinders_a_reader_who_hears_it_or_steers_by_keys(site):
    made = [path for path in site.rglob("*.html") if path.name not in ("genindex.html", "search.html")]
    assert {path.name: hindering for path in made if (hindering := findings(path.read_text("utf-8")))} == {}
    for path in made:
        assert "<pre>" not in path.read_text("utf-8"), f"{path.name}: what scrolls takes the focus"


def test_every_link_of_the_site_leads_to_a_file_and_a_place_in_it(site):
    names = {}
    links = []
    for path in site.rglob("*.html"):
        parts = elements(path.read_text("utf-8"))
        names[path.resolve()] = {each.attributes["id"] for each in parts if "id" in each.attributes}
        links += [(path, each.attributes[key]) for each in parts for key in ("href", "src") if key in each.attributes]
    broken = []
    for path, link in links:
        target = urlsplit(link)
        if target.scheme in ("https", "data"):
            continue
        assert not target.scheme, f"{path.name}: {link}"
        file = (path.parent / unquote(target.path)).resolve() if target.path else path.resolve()
        place = unquote(target.fragment)
        if not file.is_file() or (place and file.suffix == ".html" and place not in names[file]):
            broken.append((path.relative_to(site).as_posix(), link))
    assert len(links) > 5000 and broken == []


def test_a_link_named_by_a_file_shows_the_title_of_its_page(site):
    for path in site.rglob("*.html"):
        links = [each for each in elements(path.read_text("utf-8")) if each.tag == "a" and "href" in each.attributes]
        assert [each.name() for each in links if each.name().endswith(".md")] == [], path.name
    tour = [each.name() for each in elements((site / "tour.html").read_text("utf-8")) if each.tag == "a"]
    assert "Every key of an experiment" in tour


def test_the_api_names_a_class_once_and_its_attributes_in_a_list(site):
    text = (site / "api.html").read_text("utf-8")
    assert "__new__" not in text and "__init__" not in text
    assert ">Attributes<" in text and ">Variables<" not in text


@pytest.mark.parametrize("page", [*PAGES, "search.html"])
def test_a_page_stands_in_the_browser(site, browser, page):
    """Nothing on the console, nothing asked of a network, no picture missing, nothing past the edge, and text drawn."""
    browser.open(site / page)
    for width in (LAPTOP, DESK, PHONE):
        browser.width(width)
        assert browser.outside() == [], width
        top, right = browser.value(TITLE)
        assert 0 <= top < 200 and right <= width, "the title stands at the top"  # pixels
        assert 0.005 < ink(browser.picture()) < 0.3, "as a page of text by day"
    assert browser.value(PICTURES) == []
    assert browser.said == []
    assert [each for each in browser.asked if not each.startswith("file:")] == []


def ink(picture: bytes) -> float:
    """Return the share of the pixels that are nearer to black than to white."""
    image = matplotlib.image.imread(io.BytesIO(picture))[..., :3]
    return float((image.mean(axis=-1) < 0.5).mean())


@pytest.mark.parametrize("page", MAIN)
def test_axe_finds_nothing(site, browser, axe, page):
    browser.open(site / page)
    for width, media in ((DESK, "screen"), (PHONE, "screen"), (SHEET, "print")):
        browser.width(width, media=media)
        assert axe(browser) == [], (width, media)


@pytest.mark.parametrize("page", MAIN)
def test_no_text_is_faint_by_day_or_by_night(site, browser, page):
    browser.open(site / page)
    for dark in (False, True):
        browser.width(DESK, dark=dark)
        assert browser.value(FAINT) == {}, dark
