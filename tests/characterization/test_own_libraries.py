"""A characterisation with a user's own model files: corners by section and by file, edits, axes that do nothing."""

import json
from pathlib import Path

import pytest
from fixtures.closeness import near

from rramkit import table
from rramkit.characterization.design import read_design
from rramkit.characterization.run import RunOptions, characterize
from rramkit.characterization.verify import verify
from rramkit.circuits import libraries
from rramkit.errors import InputError, TableError
from rramkit.table import TableFile

pytestmark = pytest.mark.spice
PLAN = """
name = "read_own"
component = "cell_read"
measures = ["i_cell"]
[parameters]
points = 3
[parameters.read]
v_rest = 0.0
v_wl = 2.5
[parameters.cell]
w_access = 0.5e-6
[parameters.cell.technology]
nmos_io = "mn"
{technology}
[[axes]]
parameter = "state"
kind = "list"
values = [0.5, 0.75, 1.0]
[[axes]]
parameter = "v_cell"
first = -0.2
last = 0.2
points = 3
[corners]
{corners}
[held_out]
runs = 2
steps = 3
[limits]
i_cell = {{ held_out_rms = 0.9, held_out_max = 0.9 }}
"""
# vto of a square-law card and the current at state 1, 0.2 V, that a bare deck of the same cell gives.
BY_THRESHOLD = {0.6: 14.492e-6, 0.9: 13.722e-6, 0.3: 15.104e-6, 1.4: 11.866e-6}
THRESHOLDS = {"tt": 0.6, "ss": 0.9, "ff": 0.3}


def card(vto: float, kp: str = "60u") -> str:
    return f".model mn nmos level=1 vto={vto} kp={kp} lambda=0.03 tox=7n\n"


def made(folder: Path, technology: str, corners: str = 'process = ["tt"]') -> TableFile:
    """The tables of the plan, characterised from another folder than its own."""
    (folder / "plan.toml").write_text(PLAN.format(technology=technology, corners=corners))
    return characterize(read_design(folder / "plan.toml"), folder / "t.h5", RunOptions(workers=1))


def largest(tables: TableFile):
    """The current at state 1 and 0.2 V, at each corner where there are several."""
    return tables["read_own"].signals["i_cell"].values[-1, -1]


def folders(folder: Path) -> str:
    """A kit of a folder a corner, all with files of one name; its sections."""
    for corner, vto in THRESHOLDS.items():
        (folder / corner).mkdir()
        (folder / corner / "nfet.inc").write_text(card(vto))
        (folder / corner / "all.inc").write_text('.include "nfet.inc"\n')
    sections = "".join(f'.lib {corner}\n.include "{corner}/all.inc"\n.endl\n' for corner in THRESHOLDS)
    (folder / "top.lib").write_text(sections)
    return 'library_file = "top.lib"\nsection = "tt"'


def files(folder: Path) -> str:
    """A kit of a file a corner, all of one name in folders of their own."""
    for corner, vto in THRESHOLDS.items():
        (folder / corner).mkdir()
        (folder / corner / "models.lib").write_text(card(vto))
    return "\n".join(f'corners.{corner} = "{corner}/models.lib"' for corner in THRESHOLDS)


@pytest.mark.parametrize("kit", [folders, files])
def test_each_corner_has_its_own_models(tmp_path, kit):
    tables = made(tmp_path, kit(tmp_path), 'process = ["tt", "ss", "ff"]')
    expected = [BY_THRESHOLD[vto] for vto in THRESHOLDS.values()]
    # Given to five digits; the corners differ by 5 %.
    assert largest(tables) == near(expected, 1e-4)
    models = json.loads(tables.provenance["models"])
    hashes = {each for name, each in models.items() if not name.startswith("rram_")}  # a compiled cell has two texts
    assert len(hashes) == 3  # one a corner


def test_an_edited_nested_file_is_a_new_library(tmp_path):
    technology = folders(tmp_path)
    assert largest(made(tmp_path, technology)) == near(BY_THRESHOLD[0.6], 1e-4)
    (tmp_path / "tt" / "nfet.inc").write_text(card(1.4))
    edited = made(tmp_path, technology)
    assert largest(edited) == near(BY_THRESHOLD[1.4], 1e-4)
    assert edited.provenance["spice_reused"] == "0"


def test_a_comment_in_a_library_makes_no_new_one(tmp_path):
    technology = folders(tmp_path)
    made(tmp_path, technology)
    (tmp_path / "t.points").rename(tmp_path / "kept.points")
    (tmp_path / "tt" / "nfet.inc").write_text("* a note\n" + card(0.6))
    (tmp_path / "kept.points").rename(tmp_path / "t.points")
    again = made(tmp_path, technology)
    assert again.provenance["spice_reused"] == again.provenance["spice_runs"]


def test_a_table_is_verified_against_the_models_that_made_it(tmp_path, monkeypatch):
    monkeypatch.setattr(libraries, "_named", set())
    made(tmp_path, folders(tmp_path))
    tables = table.load(tmp_path / "t.h5")
    assert all(points.passed for points in verify(tables, seed=7, points=4, workers=1).values())
    (tmp_path / "tt" / "nfet.inc").write_text(card(0.61))
    with pytest.raises(TableError, match=r"made from other models: top\.lib tt"):
        verify(tables, seed=7, points=4, workers=1)


@pytest.mark.parametrize(
    ("technology", "corners", "message"),
    [
        ('library_file = "flat.lib"', 'process = ["tt", "ff"]', "corner ff: flat.lib is read without a section"),
        ('library_file = "flat.lib"', 'process = ["ss"]', r"technology\.corners\.ss"),
        ('corners.tt = "flat.lib"\ncorners.ss = "other.lib"', 'process = ["ff"]', "so the corner would do nothing"),
        ('library_file = "two.lib"\nsection = "tt"', 'process = ["tt", "SS"]', "tt and SS have the same models"),
        ('library_file = "flat.lib"\ncorner = "ss"', 'process = ["tt"]', "does nothing for a `library_file`"),
        ('corners.tt = "flat.lib"\ncorners.ss = "copy.lib"', 'process = ["tt", "ss"]', "have the same models"),
        ('library_file = "flat.lib"\nsection = "tt"', 'process = ["tt"]', "has no section tt"),
        ('library_file = "flat.lib"', "supply = [0.9, 1.0]", "0.9 and 1 of the axis supply give the same numbers"),
        ('library_file = "frozen.lib"\ndevice = "subcircuit"', "temperature = [253.15, 358.15]", "same numbers"),
    ],
)
def test_an_axis_that_does_nothing_is_refused(tmp_path, technology, corners, message):
    (tmp_path / "flat.lib").write_text(card(0.6))
    (tmp_path / "other.lib").write_text(card(0.9))
    (tmp_path / "two.lib").write_text(f".lib tt\n{card(0.6)}.endl\n.lib ss\n{card(0.6)}.endl\n")
    (tmp_path / "copy.lib").write_text("* the same card\n" + card(0.6))
    frozen = ".subckt mn d g s b w=1u l=1u ad=0 as=0 pd=0 ps=0\nR1 d s 10k\n.ends\n"  # knows no temperature
    (tmp_path / "frozen.lib").write_text(frozen)
    with pytest.raises(InputError, match=message):
        made(tmp_path, technology, corners)
    assert not (tmp_path / "t.h5").exists()


def test_temperature_acts(tmp_path):
    (tmp_path / "flat.lib").write_text(card(0.6, kp="200u"))
    tables = made(tmp_path, 'library_file = "flat.lib"', "temperature = [253.0, 300.0, 358.0]")
    # In a bare deck of the same cell, given to five digits.
    assert largest(tables) == near([18.693e-6, 18.261e-6, 17.735e-6], 1e-4)
