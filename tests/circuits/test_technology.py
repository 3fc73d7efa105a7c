"""A user's technology: its model file and names drop in, and nothing else gets into a deck through them."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit import netlists
from rramkit.characterization.components.cell import read_conductances
from rramkit.characterization.engine.corners import Condition, at_corner
from rramkit.circuits import catalog, libraries
from rramkit.circuits.cell import CellParams, ReadSweepParams, WriteParams, read_sweep, write_staircase
from rramkit.circuits.level_shifter import LevelShifterBench, level_shifter_bench
from rramkit.circuits.technology import Technology
from rramkit.circuits.write_driver import DriverWriteParams, driven_write
from rramkit.circuits.write_verify import WriteVerifyParams, write_verify
from rramkit.errors import InputError
from rramkit.parameters import Parameters

CARDS = Path(__file__).parents[1] / "cards" / "level1.lib"
NAMES = {"nmos_core": "nch18", "pmos_core": "pch18", "nmos_io": "nch33", "pmos_io": "pch33"}
VTO, KP, GAMMA, PHI, LAMBDA = 0.60, 170e-6, 0.4, 0.8, 0.03  # of nch33


def sectioned(folder: Path) -> Path:
    """The same cards as a library of two sections, of which `slow` has a threshold of 0.9 V."""
    text = CARDS.read_text()
    path = folder / "two_sections.lib"
    path.write_text(f".lib typ\n{text}\n.endl typ\n.lib slow\n{text.replace('vto=0.60', 'vto=0.90')}\n.endl slow\n")
    return path


def drop_in(folder: Path, path: Path, section: str = "") -> ReadSweepParams:
    """Parameters as a user gives them: in a TOML file."""
    names = "\n".join(f'{kind} = "{name}"' for kind, name in NAMES.items())
    toml = folder / "user.toml"
    read = "[read]\nv_rest = 0.0\nv_wl = 2.5\n"  # source and bulk at ground: the closed form below
    toml.write_text(f'state = 1.0\n{read}[cell.technology]\nlibrary_file = "{path}"\nsection = "{section}"\n{names}\n')
    return ReadSweepParams.from_toml(toml)


def series_current(vto: float) -> float:
    """Read current at 0.1 V of the LRS cell and the square-law transistor in series, by bisection on its drain."""
    low, high, i_fet = 0.0, 0.1, 0.0
    for _ in range(80):
        v = (low + high) / 2
        i_cell = 6.140e-5 * np.exp(-0.1 / (5 - 4.7249)) * np.sinh((0.1 - v) / 0.430)
        i_fet = KP * 2 / 0.22 * (2.5 - vto - v / 2) * v * (1 + LAMBDA * v)  # bulk and source at 0 V
        low, high = (v, high) if i_cell > i_fet else (low, v)
    return i_fet


@pytest.mark.parametrize(("section", "vto"), [("", VTO), ("typ", VTO), ("slow", 0.90)])
def test_a_users_cards_carry_the_current(pool, tmp_path, section, vto):
    params = drop_in(tmp_path, sectioned(tmp_path) if section else CARDS, section)
    waves = pool.run(read_sweep(params).text())
    found = np.interp(0.1, waves["v_cell"], waves["i_cell"])
    # Closed forms both; 1e-4 is far below the 0.5 % by which the two thresholds differ.
    assert found == near(series_current(vto), 1e-4)


def test_a_library_stands_in_the_deck_whole_or_by_section(tmp_path):
    assert ".model nch33" in read_sweep(drop_in(tmp_path, CARDS)).text()
    slow = read_sweep(drop_in(tmp_path, sectioned(tmp_path), "slow")).text()
    cards = [line for line in slow.splitlines() if not line.startswith("*")]
    assert not [line for line in cards if line.lower().startswith((".lib", ".incl"))]
    assert sum(line.startswith(".model nch33") for line in cards) == 1


@pytest.mark.parametrize("folder", ["plain", "with a blank"])
@pytest.mark.parametrize("section", ["", "typ"])
def test_nested_files_stand_in_the_deck(pool, tmp_path, folder, section):
    tmp_path = tmp_path / folder
    tmp_path.mkdir()
    (tmp_path / "inner.lib").write_text(CARDS.read_text())
    outer = tmp_path / "outer.lib"
    outer.write_text('.lib typ\n  .INCL "inner.lib"\n.endl\n' if section else ".include inner.lib\n")
    deck = read_sweep(drop_in(tmp_path, outer, section)).text()
    assert str(tmp_path / "inner.lib") not in deck and ".model nch33" in deck
    assert np.all(np.isfinite(pool.run(deck)["i_cell"]))


def test_a_gradual_set_with_a_users_transistor(pool, tmp_path):
    cell = drop_in(tmp_path, CARDS).cell
    params = WriteParams(cell=cell, state=0.55, v_first=0.8, v_last=1.4, pulses=8)
    g = read_conductances(pool.run(write_staircase(params).text()), params)
    assert np.all(np.diff(g) > -1e-9)  # nothing falls; the first gates are below the knee
    assert g[-1] - g[0] > 30e-6


def test_the_write_path_names_no_model_of_its_own(pool, tmp_path):
    """The kit's cards under other names give the same numbers, and the kit's names stand nowhere in the deck."""
    text = netlists.text("cmos_45nm_tt.lib")
    own = {"nmos_core": "n1", "pmos_core": "p1", "nmos_io": "n3", "pmos_io": "p3"}
    for kind, name in own.items():
        text = text.replace(kind, name)
    (tmp_path / "renamed.lib").write_text(text)
    technology = Technology.checked({"library_file": str(tmp_path / "renamed.lib"), **own}, where="test")
    measured = []
    for tech in (Technology(), technology):
        deck = level_shifter_bench(LevelShifterBench(technology=tech)).text()
        measured.append(pool.run(deck).measures)
    assert measured[0] == measured[1]
    cell = CellParams(technology=technology)
    for deck in (driven_write(DriverWriteParams(cell=cell)), write_verify(WriteVerifyParams(cell=cell))):
        body = [line for line in deck.text().splitlines() if not line.startswith("*")]
        assert not [line for line in body if any(kind in line for kind in own)]


def test_the_hash_is_of_the_cards(tmp_path):
    one = Technology.checked({"library_file": str(CARDS), **NAMES}, where="test")
    copy = tmp_path / "copy.lib"
    copy.write_text(CARDS.read_text())
    other = Technology.checked({"library_file": str(copy), **NAMES}, where="test")
    assert libraries.sha256(one.library) == libraries.sha256(other.library)
    copy.write_text(CARDS.read_text() + "* a comment\n")
    assert libraries.sha256(one.library) == libraries.sha256(other.library)
    copy.write_text(CARDS.read_text() + ".param changed=1\n")
    assert libraries.sha256(one.library) != libraries.sha256(other.library)
    assert libraries.sha256("rram_sky130.lib") != libraries.sha256("cmos_45nm_tt.lib")


@pytest.mark.parametrize(("name", "length"), [("nmos", 0.22e-6), ("nch", 45e-9)])
def test_a_card_of_any_name_and_a_short_access_transistor(pool, tmp_path, name, length):
    """Cards named as every PTM card is, and a thin-oxide access transistor, against a deck by hand."""
    card = f".model {name} nmos level=54 version=4.5 vth0=0.4 toxe=2e-9 u0=0.03"
    (tmp_path / "ptm.lib").write_text(f"{card}\n.model pmos pmos level=54 version=4.5 vth0=-0.4 toxe=2e-9 u0=0.01\n")
    names = {"library_file": str(tmp_path / "ptm.lib"), "nmos_io": name, "nmos_core": name, "pmos_io": "pmos"}
    given = {"cell": {"technology": names | {"pmos_core": "pmos"}, "l_access": length}, "read": {"v_wl": 1.0}}
    found = pool.run(read_sweep(ReadSweepParams.checked(given, where="test")).text()).measures["i_max"]
    cell = "6.14e-5*exp(-(5 - 3.3 - 1.6*0.5)/(5 - 4.7249))*sinh(v(bl,d)/0.43)"
    bare = pool.run(
        f"bare\n{card}\nVbl bl 0 0.3\nVsl sl 0 0.2\nVwl wl 0 1\nBcell bl d i = {cell}\n"
        f"M1 d wl sl 0 {name} w=2u l={length}\n.options reltol=1e-6 abstol=1e-15 vntol=1e-9\n.op\n.end\n"
    )
    assert found == near(-bare["i(vbl)"][0], 1e-4)  # as asked of public cards; gmin and reltol take 1e-5 of it


BAD_NAMES = [
    "a\n.control",
    "a b",
    "a\n",
    "1a",
    "",
    "off",
    "GND",
    "12",
    "1e-3k",
    "a//b",
    "a'b",
    "a;b",
    "a$",
    "{a}",
    ".model",
    "é",
    "a" * 99,
]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_name_smuggles_nothing(name):
    with pytest.raises(InputError, match=r"nmos_io|names of the models") as caught:
        Technology.checked({"library_file": str(CARDS), **NAMES, "nmos_io": name}, where="user.toml")
    assert "\n" not in str(caught.value)


# Each tried in ngspice 46 on a transistor's line.
GOOD_NAMES = [
    "nmos",
    "PMOS",
    "tran",
    "control",
    "w",
    "m",
    "nf",
    "temp",
    "nch.1",
    "n-ch",
    "n+ch",
    "n:ch",
    "n#ch",
    "2n7002",
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_any_name_that_ngspice_takes(pool, tmp_path, name):
    (tmp_path / "own.lib").write_text(f".model other nmos level=1\n.model {name} nmos level=1 vto=0.6 kp=200u tox=7n\n")
    given = {"cell": {"technology": {"library_file": str(tmp_path / "own.lib"), "nmos_io": name}}, "points": 3}
    deck = read_sweep(ReadSweepParams.checked(given, where="test")).text()
    assert ".model other" not in deck  # it is cut out by its name
    assert pool.run(deck)["i_cell"][-1] > 1e-7


@pytest.mark.parametrize("section", ["a\n.control", "a b", "a\n", "a'b", "a;b", "a$", "{a}", "é", "a" * 99, "a/b"])
def test_a_section_smuggles_nothing(section):
    with pytest.raises(InputError, match="section") as caught:
        Technology.checked({"library_file": str(CARDS), **NAMES, "section": section}, where="user.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ['a".lib', "a\n.control", "a'b.lib", "a$b.lib", "a;b.lib", "{a}.lib", ".control/a.lib", "`a`"]
)
@pytest.mark.parametrize("linked", [False, True])
def test_a_path_smuggles_nothing(tmp_path, name, linked):
    """Even where a file of that name lies there, also behind a link of an honest name."""
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(CARDS.read_text())
    if linked:
        (tmp_path / "honest.lib").symlink_to(path)
        path = tmp_path / "honest.lib"
    with pytest.raises(InputError, match="library_file") as caught:
        Technology.checked({"library_file": str(path), **NAMES}, where="user.toml")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "line", [".control\nshell true\n.endc", ".END", ".tran 1n 1u", ".save all", "  .meas tran a find v(a) at=1"]
)
def test_a_file_that_steers_ngspice_is_refused(tmp_path, line):
    path = tmp_path / "steering.lib"
    path.write_text(CARDS.read_text() + line + "\n")
    with pytest.raises(InputError, match="must hold models, subcircuits") as caught:
        Technology.checked({"library_file": str(path), **NAMES}, where="user.toml")
    assert "\n" not in str(caught.value)


def test_a_path_is_relative_to_the_file_that_names_it(pool, tmp_path, monkeypatch):
    (tmp_path / "pdk").mkdir()
    (tmp_path / "pdk" / "own.lib").write_text(CARDS.read_text())
    toml = tmp_path / "user.toml"
    names = "\n".join(f'{kind} = "{name}"' for kind, name in NAMES.items())
    toml.write_text(f'[cell.technology]\nlibrary_file = "pdk/own.lib"\n{names}\n')
    monkeypatch.chdir("/")
    params = ReadSweepParams.from_toml(toml)
    assert params.cell.technology.library_file == str(tmp_path / "pdk" / "own.lib")
    monkeypatch.chdir(tmp_path)
    here = Technology.checked({"library_file": "pdk/own.lib", **NAMES}, where="--set")
    assert here.library_file == params.cell.technology.library_file


def test_a_corner_may_have_a_file_or_a_section_of_its_own(tmp_path):
    for corner, vto in (("tt", 0.6), ("ss", 0.9)):
        (tmp_path / f"models_{corner}.lib").write_text(CARDS.read_text().replace("vto=0.60", f"vto={vto}"))
    both = sectioned(tmp_path)
    toml = tmp_path / "user.toml"
    toml.write_text(
        '[cell.technology.corners]\ntt = "models_tt.lib"\nss = "models_ss.lib"\n'
        f'hot = {{ section = "slow", library_file = "{both.name}" }}\n[cell.technology]\n'
        + "\n".join(f'{kind} = "{name}"' for kind, name in NAMES.items())
    )
    params = ReadSweepParams.from_toml(toml)
    assert params.cell.technology.library_file == str(tmp_path / "models_tt.lib")
    decks = {name: read_sweep(at_corner(params, Condition(name))).text() for name in ("tt", "ss", "hot")}
    assert all(f"vto={vto}" in decks[name] for name, vto in (("tt", 0.6), ("ss", 0.9), ("hot", "0.90")))
    with pytest.raises(InputError, match="must name a file, a section, or both"):
        Technology.checked({"library_file": str(CARDS), "corners": {"ss": {}}}, where="test")


def test_each_role_may_be_a_model_or_a_subcircuit(tmp_path):
    wrapper = ".subckt core d g s b w=1u l=1u ad=0 as=0 pd=0 ps=0\nM1 d g s b nch18 w={w} l={l}\n.ends\n"
    (tmp_path / "both.lib").write_text(CARDS.read_text() + wrapper)
    given = {
        "library_file": str(tmp_path / "both.lib"),
        **NAMES,
        "nmos_core": "core",
        "devices": {"nmos_core": "subcircuit"},
    }
    text = level_shifter_bench(LevelShifterBench(technology=Technology.checked(given, where="test"))).text().lower()
    drawn = {line[0][0] + "_" + line[5] for line in map(str.split, text.splitlines()) if line and line[0][0] in "mx"}
    assert {"x_core", "m_nch33", "m_pch33"} <= drawn and "m_core" not in drawn


def test_the_access_transistor_may_be_thin_and_short(pool):
    """At 1 V of word line the thin-oxide one, of the lower threshold, carries more."""
    currents = {}
    for access in ("nmos_io", "nmos_core"):
        given = {"state": 1.0, "read": {"v_wl": 1.0}, "cell": {"access": access, "l_access": 45e-9}}
        deck = read_sweep(ReadSweepParams.checked(given, where="test")).text()
        assert re.search(rf"(?m)^M_access d wl sl 0 {access} .*l=4.5e-08", deck)
        currents[access] = pool.run(deck)["i_cell"][-1]
    assert currents["nmos_core"] > 1.02 * currents["nmos_io"] > 1e-6


@pytest.mark.parametrize("path", ["nowhere.lib", ".", "/"])
def test_the_file_must_be_there(path):
    with pytest.raises(InputError, match="exists"):
        Technology.checked({"library_file": path, **NAMES}, where="user.toml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_a_file_that_cannot_be_read(tmp_path):
    path = tmp_path / "shut.lib"
    path.write_text("")
    path.chmod(0)
    with pytest.raises(InputError, match="cannot be read"):
        Technology.checked({"library_file": str(path), **NAMES}, where="user.toml")


def test_names_without_a_file_are_refused():
    with pytest.raises(InputError, match="needs `library_file`"):
        Technology.checked({"nmos_io": "nch33"}, where="user.toml")
    assert Technology().library == "cmos_45nm_tt.lib"


def _names_a_technology(model):
    return model is Technology or any(
        isinstance(field.annotation, type)
        and issubclass(field.annotation, Parameters)
        and _names_a_technology(field.annotation)
        for field in model.model_fields.values()
    )


def _dropped_in(model, technology):
    """The model's default parameters with every technology in it replaced."""
    if model is Technology:
        return technology
    return {
        name: _dropped_in(field.annotation, technology)
        for name, field in model.model_fields.items()
        if isinstance(field.annotation, type)
        and issubclass(field.annotation, Parameters)
        and _names_a_technology(field.annotation)
    }


@pytest.mark.parametrize("name", sorted(catalog.BLOCKS))
def test_no_block_names_a_transistor_model_of_its_own(tmp_path, name):
    block = catalog.block(name)
    assert _names_a_technology(block.parameters) or name == "device_pulse"
    cards = tmp_path / "renamed.lib"
    cards.write_text(re.sub(r"\b([np])mos_(core|io)\b", r"\1ch_\2", netlists.text("cmos_45nm_tt.lib")))
    names = {f"{kind}mos_{oxide}": f"{kind}ch_{oxide}" for kind in "np" for oxide in ("core", "io")}
    user = {"library_file": str(cards), **names}
    params = block.parameters.checked(_dropped_in(block.parameters, user), where="test")
    deck = block.deck(params).text()
    elements = [line for line in deck.splitlines() if not line.startswith("*")]
    assert not [line for line in elements if re.search(r"\b[np]mos_(core|io)\b", line)]
