"""Model files and decks that people sent, by the command line, each written in several ways: the value or a refusal."""

import json
import re

import pytest
from fixtures.closeness import near

CARD = ".model mn nmos level=1 vto=0.6 kp=200u lambda=0.03 tox=7n\n"
# The read of version 0.1.0, of which the right values were taken.
READ = ("points=5", "state=0.5", "read.v_rest=0", "read.v_wl=2.5", "read.v_max=0.2", "cell.technology.nmos_io=mn")
WRITTEN = {
    "as it is": ("{}", "utf-8"),
    "mark and line ends of Windows": ("* by an editor\n{}", "utf-8-sig"),
    "Latin-1": ("* 25 \xb0C, \xb5m\n{}", "latin-1"),
    "nested": ('.INCLUDE "inner.inc" ; the cards\n', "utf-8"),
    "nested in a section": (".lib\tcards\n  .inc 'inner.inc'\n.endl\n.LIB kit.lib CARDS", "utf-8"),
    "continued": ("{}", "continued"),
}


@pytest.fixture
def read(tmp_path, monkeypatch, kit):
    """Write a library, in one of the ways above, and read a cell with it: exit code, output, error output."""
    monkeypatch.chdir(tmp_path)

    def call(text, way="as it is"):
        frame, encoding = WRITTEN[way]
        if encoding == "continued":
            text, encoding = re.sub(r" (?=\w+=)", "\n+ ", text), "utf-8"
        (tmp_path / "inner.inc").write_text(text)
        whole = frame.format(text)
        (tmp_path / "kit.lib").write_bytes(
            (whole.replace("\n", "\r\n") if "Windows" in way else whole).encode(encoding)
        )
        pairs = [part for each in (*READ, "cell.technology.library_file=kit.lib") for part in ("-s", each)]
        return kit("simulate", "cell-read", "--no-plot", "--json", *pairs)

    return call


@pytest.mark.parametrize("way", WRITTEN)
def test_a_card_alone_in_any_writing(read, way):
    code, out, _ = read(CARD, way)
    assert code == 0
    assert json.loads(out)["vectors"]["i(v_sl)"][0] == near(-1.121e-6, 1e-3)  # a bare deck's, given to four digits


REFUSED = {
    "temperature": (".temp 125", r"got `\.temp`"),
    "temperature in capitals": ("  .TEMP=125", r"got `\.TEMP`|got `\.temp`"),
    "temperature as an option": (".option temp=125", "got `temp`"),
    "leak": (".options rshunt=1e6 gmin=1e-6", "got `rshunt`"),
    "leak behind what is allowed": (".OPTIONS scale=1 , rshunt = 1e6", "got `rshunt`"),
    "the kit's cell": (".subckt Cell_1T1R_held bl wl sl s_0=0\nR1 bl sl 1k\n.ends", "defines `cell_1t1r_held`"),
    "the kit's device": (".subckt RRAM_sky130_held te be s_0=0\nR1 te be 1k\n.ends", "defines `rram_sky130_held`"),
    "a second card": (".MODEL MN nmos level=1 vto=0.9 kp=20u lambda=0.03 tox=7n", "`mn` is defined a second time"),
    "initial condition": (".ic v(bl)=1", r"got `\.ic`"),
}


@pytest.mark.parametrize("way", ["as it is", "mark and line ends of Windows", "nested", "nested in a section"])
@pytest.mark.parametrize(("line", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_would_change_its_numbers_is_refused_in_one_line(read, line, complaint, way):
    code, out, err = read(f"{CARD}{line}\n", way)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert re.search(complaint, err)


MISSPELT = {
    "two": CARD.replace("lambda=0.03", "lamda=0.03 gama=0.4"),
    "in capitals": CARD.replace("lambda", "LAMDA"),
    "in parentheses": ".model mn nmos (level=1, vto=0.6, kp=200u, lamda=0.03, tox=7n)\n",
    "of another level": CARD.replace("lambda=0.03", "lambda=0.03 vth0=0.4"),
}


@pytest.mark.parametrize("text", MISSPELT.values(), ids=MISSPELT)
def test_a_parameter_that_ngspice_ignores_is_told(read, text):
    code, out, err = read(text)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert re.search(r"kit\.lib, `\.model mn.*\((?i:lamda|gama|vth0)\).*ignored", err)


@pytest.mark.parametrize("corner", ["tt", "ss"])
@pytest.mark.parametrize(
    "line", ['.lib "pdk/top.lib" {}', "  .LIB pdk/top.lib {} $ corner", ".lib './pdk/../pdk/top.lib' {}"]
)
def test_a_deck_takes_the_nested_file_of_its_corner(tmp_path, monkeypatch, kit, corner, line):
    """Every corner's folder has files of the same names."""
    monkeypatch.chdir(tmp_path)
    for name, vto in (("tt", 0.6), ("ss", 0.9)):
        (tmp_path / "pdk" / name).mkdir(parents=True)
        (tmp_path / "pdk" / name / "nfet.inc").write_text(
            f".model mn nmos level=1 vto={vto} kp=60u lambda=0.03 tox=7n\n"
        )
        (tmp_path / "pdk" / name / "all.inc").write_text('.include "nfet.inc"\n')
    sections = (f'.lib {name}\n.include "{name}/all.inc"\n.endl {name}\n' for name in ("tt", "ss"))
    (tmp_path / "pdk" / "top.lib").write_text("".join(sections))
    (tmp_path / "x.cir").write_text(
        f"one transistor\n{line.format(corner.upper())}\nV1 d 0 1\nV2 g 0 1.5\nM1 d g 0 0 mn w=1u l=1u\n.op\n"
    )
    code, out, _ = kit("simulate", "x.cir", "--no-plot", "--json")
    assert code == 0
    by_hand = 60e-6 * {"tt": 0.9, "ss": 0.6}[corner] ** 2 / 2 * 1.03  # kp (vgs - vto)^2 / 2 (1 + lambda vds)
    assert json.loads(out)["vectors"]["i(v1)"][0] == near(-by_hand, 1e-6)  # gmin
