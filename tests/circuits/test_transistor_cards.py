"""A user's library whose transistors are not what the parameters say: refused; it would simulate with other numbers."""

from pathlib import Path

import pytest
from fixtures.closeness import near

from rramkit.circuits.cell import ReadSweepParams, read_sweep
from rramkit.circuits.level_shifter import LevelShifterBench, level_shifter_bench
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError

CARDS = Path(__file__).parents[1] / "cards"
PLAIN = {"nmos_core": "nch18", "pmos_core": "pch18", "nmos_io": "nch33", "pmos_io": "pch33"}
WRAPPED = {
    "device": "subcircuit",
    "nmos_core": "tfet_n",
    "pmos_core": "tfet_p",
    "nmos_io": "tfet_n33",
    "pmos_io": "tfet_p33",
    "subcircuit": {"pins": "bdgs", "width": "width", "length": "len", "count": "mult", "unit": 1e-6},
}
NMOS = ".model mn nmos level=1 vto=0.6 kp=60u lambda=0.03 tox=7n\n"


def technology(given: dict, text: str, folder: Path) -> Technology:
    (folder / "kit.lib").write_text(text)
    return Technology.checked({**given, "library_file": str(folder / "kit.lib")}, where="test")


def subcircuit(**more: object) -> dict:
    return {**WRAPPED, "subcircuit": {**WRAPPED["subcircuit"], **more}}


REFUSED = {
    "n for p": ("level1.lib", {**PLAIN, "pmos_io": "nch33"}, "pmos_io: `nch33` is a nmos transistor"),
    "p for n": ("level1.lib", {**PLAIN, "nmos_core": "PCH18"}, "nmos_core: `PCH18` is a pmos transistor"),
    "p subcircuit for n": ("subcircuits.lib", {**WRAPPED, "nmos_io": "tfet_p33"}, "`tfet_p33` is a pmos transistor"),
    "a model for a subcircuit": ("level1.lib", {**PLAIN, "device": "subcircuit"}, '`devices.nmos_core = "model"`'),
    "no such model": ("level1.lib", {**PLAIN, "nmos_io": "nch_33"}, "the library has no model `nch_33`"),
    "no such subcircuit": ("subcircuits.lib", {**WRAPPED, "nmos_io": "nch"}, "the library has no subcircuit `nch`"),
    "pins in another order": ("subcircuits.lib", subcircuit(pins="dgsb"), '`subcircuit.pins = "bdgs"`'),
    "metres for micrometres": ("subcircuits.lib", subcircuit(unit=1.0), "`width=1` by itself, which .* makes 1 m"),
}


@pytest.mark.parametrize(("library", "given", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_does_not_fit_is_refused(tmp_path, library, given, complaint):
    with pytest.raises(InputError, match=complaint):
        technology(given, (CARDS / library).read_text(), tmp_path)


def test_three_pins_are_refused(tmp_path):
    text = ".subckt t d g s w=1u l=1u\nM1 d g s 0 mn w={w} l={l}\n.ends\n" + NMOS
    with pytest.raises(InputError, match="has the pins d g s; a transistor is drawn with four"):
        technology({"device": "subcircuit", "nmos_io": "t"}, text, tmp_path)


@pytest.mark.parametrize("sizes", ["w=1e-6 l=1e-6", ""])
def test_sizes_in_metres_given_to_a_library_in_micrometres_are_refused(tmp_path, sizes):
    """As sky130 is: sizes by `.param` inside the subcircuit, `.option scale` in the library."""
    inner = "" if sizes else ".param l = 1 w = 1 ad=0 as=0 pd=0 ps=0\n"
    text = f".option scale=1.0u\n.subckt t d g s b {sizes}\n{inner}M1 d g s b mn w={{w}} l={{l}}\n.ends\n{NMOS}"
    given = {"device": "subcircuit", "nmos_io": "t"}
    with pytest.raises(InputError, match="scale=1e-06`, by which ngspice multiplies sizes"):
        technology(given, text, tmp_path)
    with pytest.raises(InputError, match="multiplies the sizes of nmos_core, a model"):
        technology({"nmos_io": "mn"}, text, tmp_path)


def test_a_library_in_micrometres_gives_the_current_of_the_card_alone(pool, tmp_path):
    text = f".option scale=1.0u\n.subckt t d g s b\n.param l = 1 w = 1\nM1 d g s b mn w={{w}} l={{l}}\n.ends\n{NMOS}"
    found = []
    for given, lines in (
        ({"device": "subcircuit", "nmos_io": "t", "subcircuit": {"unit": 1e-6}}, text),
        ({"nmos_io": "mn"}, NMOS),
    ):
        tech = technology(given, lines, tmp_path)
        cell = {"technology": tech.model_dump(), "w_access": 0.5e-6}
        found.append(pool.run(read_sweep(ReadSweepParams.checked({"cell": cell}, where="t")).text()).measures["i_max"])
    assert found[0] == near(found[1], 1e-6)  # the last digits of sizes in another unit


def test_transistors_in_parallel_are_drawn_where_the_subcircuit_does_not_count_them(pool, tmp_path):
    """As gf180mcu is: `m` is a parameter of the subcircuit that its transistor does not use."""
    ignored = (CARDS / "subcircuits.lib").read_text().replace(" m={mult}", "").replace("mult=1", "m=1")
    counted = driven(technology(WRAPPED, (CARDS / "subcircuits.lib").read_text(), tmp_path))
    with pytest.raises(InputError, match=r'takes `m` as a parameter and does not use it.*count = ""'):
        driven(technology(subcircuit(count="m"), ignored, tmp_path))
    one_by_one = driven(technology(subcircuit(count=""), ignored, tmp_path))
    assert len([line for line in one_by_one.splitlines() if line.startswith("Xmos_tail")]) == 4  # n_tail
    ours, theirs = pool.run(one_by_one), pool.run(counted)
    # One circuit either way: what differs is the order of its nodes in the matrix.
    for name, values in theirs.vectors.items():
        assert ours.vectors[name][-1] == near(values[-1], 1e-6, within=1e-9), name


def driven(tech: Technology) -> str:
    from rramkit.circuits.write_driver import DriverWriteParams, driven_write

    given = {"cell": {"technology": tech.model_dump()}, "pulses": 1, "driver": {"lines": {"cells": 2, "lumps": 1}}}
    return driven_write(DriverWriteParams.checked(given, where="test")).text()


def test_a_function_of_the_library_must_not_replace_one_of_the_kits_equations(tmp_path):
    text = ".func Max(a,b) {a+b}\n" + NMOS.replace("vto=0.6", "vto={max(0.5,0.1)}")
    cell = {"technology": technology({"nmos_io": "mn"}, text, tmp_path).model_dump()}
    with pytest.raises(InputError, match=r"line 1: `kit.lib` defines the function `Max`, which the"):
        read_sweep(ReadSweepParams.checked({"cell": cell}, where="test")).text()
    unused = technology({"nmos_io": "mn"}, ".func mean(a,b) {a+b}\n" + NMOS, tmp_path)
    read_sweep(ReadSweepParams.checked({"cell": {"technology": unused.model_dump()}}, where="test")).text()


def test_the_temperature_of_a_librarys_parameters_is_its_own(pool, tmp_path):
    """`.options tnom` of a library acts on its cards, and on none of the kit's."""
    found = []
    for text in (NMOS.replace("lambda", "tnom=100 lambda"), ".options tnom=100\n" + NMOS, NMOS):
        tech = technology({"nmos_io": "mn"}, text, tmp_path)
        cell = {"technology": tech.model_dump(), "w_access": 0.5e-6}
        read = {"v_rest": 0.0, "v_wl": 2.5}
        deck = read_sweep(ReadSweepParams.checked({"cell": cell, "read": read, "state": 1.0}, where="t"))
        found.append(pool.run(deck.text()).measures["i_max"])
    assert found[1] == near(found[0], 1e-9)  # the same number by two ways
    assert abs(found[2] / found[0] - 1) > 1e-2  # mobility of 27 instead of 100 degrees


def test_libraries_of_other_options_do_not_share_a_deck(tmp_path):
    from rramkit.circuits.libraries import UserLibrary, check_options

    (tmp_path / "other.lib").write_text(".options tnom=25\n" + NMOS.replace("mn", "mx"))
    (tmp_path / "kit.lib").write_text(NMOS)
    kit, other = (UserLibrary(str(tmp_path / name)) for name in ("kit.lib", "other.lib"))
    check_options([kit, "rram_sky130.lib"])
    check_options([other, "rram_sky130.lib"])
    for pair in ([kit, other], [other, kit], [other, "cmos_45nm_tt.lib"]):
        with pytest.raises(InputError, match=r"stand in one deck and differ in `.options tnom`"):
            check_options(pair)


def test_level_shifter_of_the_right_cards(tmp_path):
    """What is right passes: names in capitals, roles of their own names, bins."""
    text = (CARDS / "level1.lib").read_text()
    level_shifter_bench(
        LevelShifterBench(technology=technology({k: v.upper() for k, v in PLAIN.items()}, text, tmp_path))
    )
    binned = ".model nch.1 nmos level=1 lmin=0 lmax=1 wmin=0 wmax=1\n"
    assert technology({"nmos_io": "nch"}, binned, tmp_path).nmos_io == "nch"
