"""`rramkit cost`: what it prints, what it refuses, and the report's chapter."""

import json
import shutil
from pathlib import Path

import pytest
from fixtures.chip_tables import chip_tables
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.cli import report
from rramkit.cli.app import app, run
from rramkit.cost import cost_of
from rramkit.cost.subject import Subject
from rramkit.errors import InputError, KitError
from rramkit.learning import Experiment, train

TINY = {
    "network": {"hidden": [6]},
    "epochs": 1,
    "float_reference": False,
    "data": {"train_images": 100, "test_images": 60},
}
DATED = {"created": "2026-11-28T00:00:00+00:00"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    there = tmp_path_factory.mktemp("cost")
    file = chip_tables(corners=True)
    file = table.TableFile(file.tables, {**file.provenance, **DATED})
    table.save(file, there / "tables.h5")
    table.save(table.TableFile(file.tables, {**file.provenance, "created": "then"}), there / "others.h5")
    train(Experiment.checked(TINY, where="the test"), file, tables_name="tables.h5").save(there / "run.h5")
    floating = Experiment.checked(TINY | {"rule": {"kind": "float"}}, where="the test")
    train(floating, file).save(there / "float.h5")
    return there


def printed(*arguments):
    result = CliRunner().invoke(app, ["cost", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_table_names_every_heading_with_its_unit(folder, tmp_path):
    text = printed(folder / "run.h5", "--plot", tmp_path / "cost.png")
    for heading in ("by heading", "by part", "by layer", "energy of one", "gradient and update", "time", "tiles"):
        assert f"\n{heading}\n" in text
    for line in ("static power", "data movement", "sums in registers *", "TOPS/W", "DaDianNao", "what moves the total"):
        assert line in text
    assert "not known" in text  # made-up tables have no circuits: no area
    assert (tmp_path / "cost.png").stat().st_size > 1000


def test_a_corner_moves_the_arrays_and_is_said(folder):
    was = json.loads(printed(folder / "run.h5", "--json"))
    there = json.loads(printed(folder / "run.h5", "--tables", folder / "tables.h5", "--corner", "ss", "--json"))
    assert there["corner"]["corner"] == "ss" and was["corner"] is None
    assert there["reads"] < 0.97 * was["reads"]  # the made-up tables cost 5 % less there
    assert "arrays at ss" in printed(folder / "run.h5", "--tables", folder / "tables.h5", "--corner", "ss")
    swings = {
        each["name"]
        for each in json.loads(printed(folder / "run.h5", "--tables", folder / "tables.h5", "--json"))["tornado"]
    }
    assert "corner of the arrays" in swings


def test_assumptions_are_set_and_told(folder):
    found = json.loads(printed(folder / "run.h5", "-s", "gradient=image", "-s", "leak_share=0", "--json"))
    assert found["assumed"]["gradient"] == "image" and found["energy"] == found["energy_dynamic"]
    assert abs(sum(item["energy"] for item in found["items"]) / found["energy"] - 1.0) < 1e-12  # rounding of sums


def test_trainings_stand_side_by_side(folder, tmp_path):
    again = shutil.copy(folder / "run.h5", tmp_path / "again.h5")
    text = printed(folder / "run.h5", "--beside", again)
    rows = text[text.index("side by side") :].splitlines()
    assert [row.split()[0] for row in rows[1:4]] == ["run", "run.h5", "again.h5"]
    assert rows[2].split()[1:] == rows[3].split()[1:]
    interfaces = rows[rows.index(next(row for row in rows if row.startswith("row drivers"))) :]
    assert [row.split()[0] for row in interfaces[1:4]] == ["run", "run.h5", "again.h5"]
    (other,) = json.loads(printed(folder / "run.h5", "--beside", again, "--json"))["beside"].values()
    assert other["energy"] == json.loads(printed(folder / "run.h5", "--json"))["energy"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("run.h5", "--corner", "ss"), "`--corner` needs the table file"),
        (("run.h5", "--tables", "others.h5"), "the run was trained on tables.h5 of 2026-11-28"),
        (("run.h5", "--tables", "tables.h5", "--corner", "sf"), "corner"),
        (("float.h5",), "the run is in float"),
        (("run.h5", "--beside", "float.h5"), "the run is in float"),
        (("run.h5", "-s", "gradient=nowhere"), "gradient"),
        (("run.h5", "-s", "lanes=0"), "lanes"),
        (("run.h5", "-s", "colour=red"), "colour"),
        (("run.h5", "--components", "absent.toml"), "absent.toml"),
        (("run.h5", "--plot", "cost.nothing"), "a picture must end in"),
        (("tables.h5",), "tables.h5"),
    ],
)
def test_what_does_not_fit_is_one_line(folder, monkeypatch, arguments, complaint):
    monkeypatch.chdir(folder)
    with pytest.raises(KitError) as caught:
        run(["cost", *arguments])
    assert complaint in str(caught.value) and "\n" not in str(caught.value)


def test_the_report_has_a_chapter_on_cost(folder, tmp_path):
    page = tmp_path / "report.html"
    assert run(["report", str(folder / "tables.h5"), "--run", str(folder / "run.h5"), "-o", str(page)]) == 0
    text = page.read_text()
    for part in (
        "What the training cost",
        "Where the gradient is added up",
        "Which assumption moves it most",
        "Beside other machines",
    ):
        assert part in text


def test_the_report_prices_a_run_whose_layers_have_settings_of_their_own():
    """Once it left the chapter out: the cost is that of `rramkit cost`, each layer by its own settings."""
    own = {"dense_2": {"off": ["line_switch", "wires"], "read": {"adc": {"energy": 7e-12}}, "override": True}}
    file = chip_tables(corners=True)
    made = train(Experiment.checked(TINY | {"batches": 2, "mapping": {"layers": own}}, where="the test"), file)
    priced = report.price_of(file, made, path=Path("run.h5"))
    assert priced is not None
    found, swings = priced
    assert found.energy == cost_of(made).energy
    second = found.subject.work.matrices[1].label
    assert [item.energy for item in found.items if item.layer == second and item.part == "line switches"] in ([], [0.0])
    assert "corner of the arrays" in {each.name for each in swings}


def test_a_run_that_cannot_be_priced_is_refused_with_its_file(folder, monkeypatch):
    def refuse(run):
        raise InputError("the layers of the run must be known; got none. Train again.")

    monkeypatch.setattr(Subject, "of", refuse)
    made, file = record.load(folder / "run.h5"), table.load(folder / "tables.h5")
    with pytest.raises(InputError, match=r"^mine/run\.h5: the layers"):
        report.price_of(file, made, path=Path("mine/run.h5"))
