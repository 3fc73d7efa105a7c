import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from fixtures.accessible import findings
from fixtures.synthetic import tables
from fixtures.synthetic_run import checked_tables, run
from fixtures.synthetic_tables import full_table, write_table_at_corners
from typer import Typer
from typer.testing import CliRunner

from rramkit import record, table, units
from rramkit.characterization.measured.importer import from_preset
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.cli import report as command
from rramkit.cli import residuals
from rramkit.errors import InputError, KitError
from rramkit.report import headline, limits, report, training
from rramkit.report import page as page_module
from rramkit.report.page import NOT_MODELLED, chapters
from rramkit.table import HeldOut, Quantity, Table, TableFile
from rramkit.table.schema import words_of

HOSTILE = '<script>alert("x")</script><img src=//evil.example/x.png onerror=go()>'
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Reader(HTMLParser):
    """Collect what a browser would do with a page: its tags, its attributes, its visible text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.words = [], [], [], []
        self.feed(text)
        self.close()
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.words.append(data)


@pytest.fixture(scope="module")
def text(tmp_path_factory, drawn):
    path = tmp_path_factory.mktemp("report") / "report.html"
    report(checked_tables(), run(), path, drawn=drawn)
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(text):
    return Reader(text)


def _read(tmp_path, tables_, run_=None):
    report(tables_, run_, tmp_path / "page.html")
    return Reader((tmp_path / "page.html").read_text(encoding="utf-8"))


def test_the_page_is_whole_and_asks_for_nothing_outside(text, page):
    assert page.open == []
    assert not {"script", "link", "iframe", "object", "img", "base"} & set(page.tags)
    assert "http" not in text and "@import" not in text
    for tag, name, value in page.attributes:
        if name in ("src", "href", "xlink:href"):
            assert value.startswith(("#", "data:image/png;base64,")), (tag, value[:40])
    assert len(text) < 2_000_000


def test_names_in_the_page_are_unique_and_every_link_finds_its_own(page):
    names = [value for _, name, value in page.attributes if name == "id"]
    assert len(names) == len(set(names))
    links = {value[1:] for _, name, value in page.attributes if name.endswith("href") and value.startswith("#")}
    assert links <= set(names)


def test_numbers_of_the_run_are_those_of_the_file(page):
    made = run()
    epochs = made.epochs
    for shown in (
        f"Accuracy in RRAM {units.percent(made.accuracy)}",
        f"Accuracy in float {units.percent(made.float_accuracy)}",
        f"Energy {units.text(float(epochs.energy_write.sum() + epochs.energy_read.sum()), 'J')}",
        f"Write pulses {units.count(epochs.pulses_set.sum() + epochs.pulses_reset.sum())}",
        "SPICE runs 1,431",
        f"test images {made.confusion.sum()}",
        f"change, rms {units.text(_rms(made.layers[1].g_final - made.layers[1].g_initial), 'S')}",
        f"run: seed {made.seed}",
        "digital numbers a weight 2 (gradient of the batch: 1, accumulated changes: 1)",
        f"run: kit_version {made.kit_version}",
    ):
        assert shown in page.text
    for row in range(epochs.epoch.size):
        assert (
            f"{row} {units.percent(epochs.accuracy_validation[row])} {units.percent(epochs.accuracy_train[row])}"
            in page.text
        )


def test_numbers_of_the_tables_are_those_of_the_file(page):
    for name, block in checked_tables().tables.items():
        for key, value in block.conditions.items():
            assert f"{key} {units.text(float(value), value.unit)} fixed" in page.text
        for signal, points in block.held_out.items():
            values = (points.rms, points.limit_rms, points.p95, points.max, points.limit_max)
            shown = " ".join(units.text(value, points.unit, beside=points.limit_max) for value in values)
            assert f"pass {words_of(name, signal)} {points.spice.size} {shown}" in page.text, name


def test_what_is_not_modelled_is_said(page):
    assert all(_shown(sentence) in page.text for sentence in NOT_MODELLED)
    assert "These numbers are those of a simulation. The limits:" in page.text


def _shown(sentence):
    """Return a sentence as the reader joins its parts: what stands in backticks is an element of its own."""
    return " ".join(re.sub(r" ?`([^`]+)` ?", r" \1 ", sentence).split())


@pytest.mark.parametrize(
    ("source", "alone", "trained"),
    [
        ("measured: iv.csv", "The cell is measured.", "The cell is measured; arrays and training are simulated."),
        (
            "preset: epiram",
            "The cell is computed from published figures.",
            "The cell is computed from published figures; arrays and training are simulated.",
        ),
    ],
)
def test_measured_cells_are_called_measured(source, alone, trained, drawn, monkeypatch):
    monkeypatch.setattr(training, "svg", lambda draw, **others: "")  # its pictures are not looked at
    file = replace(checked_tables(), provenance={**checked_tables().provenance, "source": source})
    pages = [page_module.page(file, made, drawn=drawn) for made in (None, run())]
    assert [each.made for each in pages] == [alone, trained]
    assert "simulation" not in Reader(page_module.render(pages[0])).text


def test_nothing_hinders_a_reader_who_hears_the_page(text):
    assert findings(text) == []


def test_of_many_checks_those_that_pass_are_folded_below_the_table_of_all():
    good, failing = checked_tables(), checked_tables(error=0.015)["set"].held_out["delta_g"]
    points = good["set"].held_out["delta_g"]
    names = [f"set{number}" for number in range(7)]
    made = {each: replace(good["set"], name=each, held_out={"delta_g": points}) for each in names}
    made["set6"] = replace(made["set6"], held_out={"delta_g": failing})
    section = limits.section(TableFile(made, {}))
    assert [(each.folded, each.verdict) for each in section.blocks] == [(True, "pass")] * 6 + [(False, "fail")]
    assert [len(grid.rows) for grid in section.first] == [7]
    few = limits.section(TableFile({name: made[name] for name in names[:3]}, {}))
    assert not any(each.folded for each in few.blocks)


def test_the_verdict_names_the_fit_that_fails():
    good, failing = checked_tables(), checked_tables(error=0.015)["set"].held_out["delta_g"]
    bad = replace(good["set"], held_out={**good["set"].held_out, "delta_g": failing})
    mixed = TableFile({**good.tables, "set": bad}, good.provenance)
    assert headline.verdict(good).value == "within limits"
    verdict = headline.verdict(mixed)
    assert (verdict.value, verdict.note, verdict.verdict) == ("outside limits", "4 of 5 held-out checks pass", "fail")
    assert headline.notices(good, None) == ()
    assert headline.notices(mixed, None) == ("Outside its limits on held-out SPICE points: set (delta_g).",)
    assert headline.numbers(mixed, None)["passed"] is False
    assert headline.numbers(tables(), None)["passed"] is None


def test_points_that_repeat_the_table_s_one_run_are_no_check():
    good = checked_tables()
    exact = HeldOut({}, spice=np.array([7.0]), fit=np.array([7.0]), unit="ohm", limit_rms=1.0, limit_max=1.0)
    alone = Table("line_switch", {}, {"r_on": Quantity(np.array(7.0), "ohm")}, held_out={"r_on": exact})
    with_it = TableFile({**good.tables, "line_switch": alone}, good.provenance)
    assert headline.verdict(with_it).note == headline.verdict(good).note == "5 of 5 held-out checks pass"
    off = replace(alone, held_out={"r_on": replace(exact, spice=np.array([7.5]))})
    assert headline.verdict(TableFile({**good.tables, "line_switch": off}, {})).note == "6 of 6 held-out checks pass"
    shown = residuals.as_json(residuals.of_tables(with_it))
    assert shown["line_switch.r_on"]["repeats"] and not shown["set.delta_g"]["repeats"]


def test_tables_alone_make_a_page_and_unchecked_tables_say_so(tmp_path):
    page = _read(tmp_path, tables())
    assert "RRAM characterisation report" in page.text
    assert "What the training did" not in page.text
    assert "not checked the tables hold no held-out points" in page.text
    assert "how well they meet what they stand for is not known" in page.text and "Each point is" not in page.text


def test_a_formula_of_published_figures_has_no_check_to_fail(tmp_path):
    page = _read(tmp_path, replace(tables(), provenance={"source": "preset: epiram"}))
    assert "none the tables are a formula: nothing was fitted" in page.text
    assert "there is nothing to hold out" in page.text and "not checked" not in page.text


def test_a_reader_is_told_what_bends_the_numbers():
    made = run()
    clamped = replace(made.epochs, clamped=np.array([0, 3, 4, 0, 0]))
    odd = replace(made, epochs=clamped, tables_provenance={"seed": "9"}, settings={"mapping": {"wires": False}})
    said = " ".join(headline.notices(checked_tables(), odd))
    assert "7 values outside the range of the tables, clamped to it." in said
    assert "The run was trained with tables other than" in said
    assert "left the wires out" in said
    assert headline.notices(checked_tables(), made) == ()


def test_a_loss_has_the_unit_of_its_kind(monkeypatch):
    monkeypatch.setattr(training, "svg", lambda draw, **others: "")  # its pictures are not looked at
    for settings, unit in ({}, " nat"), ({"loss": {"kind": "hinge"}}, ""), ({"loss": {"kind": "bits"}}, " nat"):
        made = run(settings=settings)
        rows = {row.label: row.value for row in training.section(made).blocks[0].rows}
        assert rows["loss, before and after"] == f"{made.epochs.loss[0]:.4f}, {made.epochs.loss[-1]:.4f}{unit}"


def test_hostile_text_stays_text(tmp_path):
    provenance = {
        "device": HOSTILE,
        "plan": json.dumps({"name": HOSTILE}),
        HOSTILE: "x",
        "models": "{broken " + HOSTILE,
    }
    hostile = run(created=HOSTILE, kit_version=HOSTILE, tables_name=HOSTILE, settings={HOSTILE: HOSTILE})
    file = checked_tables(provenance=provenance)
    block = file["read"]
    odd = Table(HOSTILE, {}, {HOSTILE: Quantity(np.array(1.0), HOSTILE)}, {HOSTILE: Quantity(np.array(2.0), HOSTILE)})
    named = {HOSTILE: HeldOut({}, np.ones(3), np.ones(3), HOSTILE, 1.0, 1.0)}
    file = TableFile({**file.tables, "read": replace(block, held_out=named), HOSTILE: odd}, file.provenance)
    page = _read(tmp_path, file, hostile)
    assert "script" not in page.tags and "img" not in page.tags
    assert not [name for _, name, _ in page.attributes if name.startswith("on")]
    assert HOSTILE in page.text


def test_a_failed_report_leaves_nothing_behind(tmp_path):
    whole = checked_tables()["set"]
    for lacking, said in (
        (replace(whole, conditions={}), "v_step"),
        (replace(whole, axes={"g": whole.axes["g_start"], "v": whole.axes["v_pulse"]}), "g_start, v_pulse"),
        (replace(whole, signals={"delta_g": whole.signals["delta_g"]}), "energy"),
    ):
        with pytest.raises(KitError, match=said):
            report(TableFile({"set": lacking}, {}), None, tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """The chapters on the tables alone, which every page of `checked_tables` has."""
    path = tmp_path_factory.mktemp("tables") / "tables.h5"
    table.save(checked_tables(), path)
    return chapters(path)


@pytest.fixture
def app():
    made = Typer()
    made.command("report")(command.report)
    return made


@pytest.fixture
def files(tmp_path):
    table.save(checked_tables(), tmp_path / "tables.h5")
    record.save(run(), tmp_path / "run.h5")
    return tmp_path


def test_the_command_writes_the_page_and_prints_its_path(app, files, drawn, monkeypatch):
    monkeypatch.setattr(page_module, "_chapters", lambda _: drawn)
    done = CliRunner().invoke(app, [str(files / "tables.h5"), "-o", str(files / "a.html")])
    assert done.exit_code == 0
    assert done.stdout.strip() == str(files / "a.html")
    assert "RRAM characterisation report" in (files / "a.html").read_text(encoding="utf-8")
    again = CliRunner().invoke(app, [str(files / "tables.h5"), "-o", str(files / "a.html")])
    assert f"{files / 'a.html'} exists, and is replaced when this ends well" in again.stderr


def test_the_command_prints_the_headline_for_programs(app, files, drawn, monkeypatch):
    monkeypatch.setattr(page_module, "_chapters", lambda _: drawn)
    arguments = [str(files / "tables.h5"), "--run", str(files / "run.h5"), "-o", str(files / "b.html"), "--json"]
    headline = json.loads(CliRunner().invoke(app, arguments).stdout)
    assert headline["passed"] is True and headline["checks"] == 5
    assert headline["accuracy"] == run().accuracy
    assert headline["pulses_set"] == int(run().epochs.pulses_set.sum())
    assert headline["report"] == str(files / "b.html")


@pytest.mark.parametrize(
    "arguments", [["missing.h5"], ["run.h5"], ["tables.h5", "--run", "tables.h5"], ["tables.h5", "-o", "."]]
)
def test_bad_input_is_an_error_with_a_cure_and_no_page(app, files, monkeypatch, arguments):
    monkeypatch.chdir(files)
    failed = CliRunner().invoke(app, arguments)
    assert isinstance(failed.exception, InputError)
    assert not list(files.glob("*.html"))


def _rms(values):
    return float(np.sqrt(np.mean(values**2)))


def test_tables_of_one_amplitude_and_with_failed_points_are_reported(tmp_path):
    measured = from_preset("epiram", ImportSettings())
    report(measured, None, tmp_path / "m.html")
    assert "Change by one write, and how it scatters." in (tmp_path / "m.html").read_text(encoding="utf-8")
    holed = TableFile({**checked_tables().tables, "set": full_table()}, checked_tables().provenance)
    report(holed, None, tmp_path / "h.html")
    text = (tmp_path / "h.html").read_text(encoding="utf-8")
    assert "points that failed in SPICE" in text
    assert "nan" not in re.sub(r"<svg.*?</svg>", "", text, flags=re.DOTALL).lower().split()


def test_tables_over_corners_are_reported_at_the_nominal_condition_which_is_named(tmp_path):
    report(TableFile({"set": write_table_at_corners()}, {}), None, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "Table set is shown at tt, 300.15\N{NO-BREAK SPACE}K." in text
    assert "corner tt, ff, ss 3 labels" in Reader((tmp_path / "r.html").read_text(encoding="utf-8")).text


def test_a_single_held_out_point_is_told_in_numbers_and_not_drawn():
    table_ = write_table_at_corners()
    points = HeldOut({}, np.ones(1), np.full(1, 1.5), "S", 1.0, 1.0)
    (panel,) = limits.section(TableFile({"set": replace(table_, held_out={"delta_g": points})}, {})).blocks
    assert panel.drawings == () and panel.rows[0].value == "1"
    two = replace(points, spice=np.ones(2), fit=np.full(2, 1.5))
    (panel,) = limits.section(TableFile({"set": replace(table_, held_out={"delta_g": two})}, {})).blocks
    assert len(panel.drawings) == 1


def test_process_corners_of_held_out_points_stand_by_name():
    table_ = write_table_at_corners()
    at = {"v_pulse": np.array([1.0, 1.2, 1.4]), "corner": np.array([2.0, 0.0, 2.0])}
    places = {name: Quantity(values, table_.axes[name].unit) for name, values in at.items()}
    points = HeldOut(places, np.ones(3), np.ones(3), "S", 1.0, 1.0)
    (panel,) = limits.section(TableFile({"set": replace(table_, held_out={"delta_g": points})}, {})).blocks
    held_out = {row.label: row.value for row in panel.rows if row.label.startswith("held out")}
    assert held_out == {"held out over word line voltage": "1 to 1.4 V", "held out over process corner": "tt, ss"}


def test_a_run_on_tables_at_a_condition_is_of_their_file():
    """The condition that tables were taken at stands in a run's provenance, and not in the file's."""
    made = run()
    taken = {**made.tables_provenance, "corner": "ss", "temperature": "358.15 K", "supply": "nominal"}
    file = replace(checked_tables(), provenance=dict(made.tables_provenance))
    at = headline.notices(file, replace(made, tables_provenance=taken))
    assert not [line for line in at if "other than those" in line]
    other = headline.notices(file, replace(made, tables_provenance={**taken, "created": "another day"}))
    assert [line for line in other if "other than those" in line]
