"""The report in a real browser: on a desk, on a phone, in the dark and on paper; where none is installed, skipped."""

import pytest
from fixtures import browser as browsers
from fixtures.accessible import FAINT
from fixtures.chip_tables import chip_tables
from fixtures.closeness import near

from rramkit.cost import cost_of, tornado
from rramkit.learning import Experiment, train
from rramkit.report import cells, report

TINY = {
    "network": {"hidden": [6]},
    "epochs": 2,
    "float_reference": False,
    "data": {"train_images": 100, "test_images": 60},
}
DESK, PHONE = 1280, 390  # pixels
SHEET = 687  # pixels of 1/96 inch: A4 without the page's margins of 14 mm
FIGURES = """[...document.querySelectorAll('svg, img')].filter(e => !e.parentElement.closest('svg')).map(e => [
    e.tagName, (e.closest('[role=img]') || e).getAttribute('aria-label') || e.getAttribute('alt') || ''])"""
LEGENDS = (
    """[...document.querySelectorAll('figure svg')].filter(e => getComputedStyle(e).overflow !== 'visible').length"""
)
CUT = """[...document.querySelectorAll('.scroll')].filter(e => e.scrollWidth > e.clientWidth + 1).map(
    e => e.getAttribute('aria-label'))"""
HEIGHTS = "[...document.querySelectorAll('figure')].map(e => e.getBoundingClientRect().height)"


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    """The report of a small training, with its chapter on cost, in a browser."""
    file = chip_tables()
    run = train(Experiment.checked(TINY, where="the test"), file)
    cost = cost_of(run)
    path = tmp_path_factory.mktemp("report") / "report.html"
    # of the chapters on the tables one, without pictures: drawing takes longer than the browser
    report(file, run, path, drawn=(cells.conditions(file),), priced=(cost, tornado(cost, [])))
    browser.open(path)
    return browser


def test_it_asks_for_nothing_and_the_console_is_empty(page):
    assert page.asked == []
    assert page.said == []
    assert page.value("document.querySelectorAll('#cost figure').length") == 5


@pytest.mark.parametrize("width", [PHONE, 768, DESK])
def test_nothing_is_wider_than_the_window(page, width):
    page.width(width)
    assert page.outside() == []


def test_on_a_desk_no_table_is_cut(page):
    page.width(DESK)
    assert page.value(CUT) == []


def test_every_figure_says_what_it_shows(page):
    figures = page.value(FIGURES)
    assert len(figures) > 5
    assert [tag for tag, text in figures if len(text) < 10] == []  # characters: more than a word
    assert page.value(LEGENDS) == 0  # in a wider font a legend goes past its plot


def test_text_stands_out_from_the_paper_by_day_and_by_night(page):
    """4.5 is what WCAG 2.1 (AA) asks of text; 21 is black on white."""
    page.width(DESK)
    by_day = page.value(_contrast("--ink"))
    for dark in (False, True):
        page.width(DESK, dark=dark)
        for colour in ("--ink", "--quiet", "--blue", "--good", "--bad"):
            assert page.value(_contrast(colour)) >= 4.5, (colour, dark)
    assert page.value(_contrast("--ink")) != near(by_day, within=0.01)  # the night has colours of its own


def test_no_text_is_faint(page):
    """Every text with what lies below it, tiles and folds too; a text that is faint on purpose is found."""
    for dark in (False, True):
        page.width(DESK, dark=dark)
        page.value("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        assert page.value(FAINT) == {}, dark
    page.value("document.querySelector('h1').style.color = '#777a80'")  # 4.3 on the page's black, 24 px and more: 3
    assert page.value(FAINT) == {}
    page.value("document.querySelector('.note').style.color = '#777a80'")
    assert len(page.value(FAINT)) == 1
    page.value("document.querySelectorAll('[style]').forEach(each => each.removeAttribute('style'))")
    page.value("document.querySelectorAll('details').forEach(each => { each.open = false; })")


@pytest.mark.parametrize(
    ("width", "media", "dark"),
    [(DESK, "screen", False), (DESK, "screen", True), (PHONE, "screen", False), (SHEET, "print", False)],
)
def test_axe_finds_nothing(page, axe, width, media, dark):
    page.width(width, media=media, dark=dark)
    page.value("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    assert axe(page) == []
    page.value("document.querySelectorAll('details').forEach(each => { each.open = false; })")


def test_printed_it_is_whole(page):
    """No page is empty, no figure or table is cut, and what is folded on the screen is printed."""
    page.width(SHEET, media="print")
    assert page.outside() == [] and page.value(CUT) == []
    assert max(page.value(HEIGHTS)) < 500  # pixels: half a sheet, and none is split over two
    printed = page.printed()
    pages = browsers.pages(printed)
    assert len(pages) > 5
    assert min(drawn.count(b"Tj") + drawn.count(b"TJ") for drawn in pages) > 5  # texts of a page


def test_axe_finds_what_is_wrong(page, axe):
    """The last test of the page, which it spoils."""
    page.width(DESK)
    page.value("document.documentElement.removeAttribute('lang')")
    page.value("document.querySelector('[role=img]').removeAttribute('aria-label')")
    page.value("document.querySelector('.tile .note').style.color = '#b0b0b0'; 0")
    found = {line.partition(": ")[0] for line in axe(page)}
    assert {"serious, html-has-lang", "serious, color-contrast", "serious, role-img-alt"} <= found


def _contrast(colour):
    """Return JavaScript for the contrast of a colour of the page's with its paper."""
    return f"""(() => {{
        const of = name => {{
            const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim().slice(1);
            const [r, g, b] = [0, 2, 4].map(k => parseInt(hex.slice(k, k + 2), 16) / 255)
                .map(c => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        }};
        const [low, high] = [of('{colour}'), of('--paper')].sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    }})()"""
