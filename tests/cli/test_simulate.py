"""`rramkit simulate` of what people bring: values, units and warnings as they are printed, exit codes, strict JSON."""

import json
import re

import pytest
from fixtures.closeness import near

LOW_PASS = (
    "RC [low] pass, $1 and $2\nV1 in 0 dc 0 ac 1\nR1 in out 1k\nC1 out 0 159.154943n\n.op\n.ac dec 10 10 100k\n.end\n"
)
CARD = ".model mn nmos level=1 vto=0.6 kp=200u lambda=0.03 tox=7n\n"
CELL = ("simulate", "cell-read", "--no-plot", "-s", "cell.technology.nmos_io=mn", "-s", "points=5", "-s")


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def not_strict(word):
    raise AssertionError(f"{word} is not JSON")


def test_small_signal_results_as_json_and_as_a_picture(here, kit):
    name = "my [b]deck $x$ é (1).cir"
    (here / name).write_text(LOW_PASS)
    code, out, err = kit("simulate", name, "--json")
    assert (code, err) == (0, f"{name.removesuffix('.cir')}.png\n")
    found = json.loads(out, parse_constant=not_strict)
    assert [each["analysis"] for each in found["analyses"]] == ["op", "ac"]
    small = found["analyses"][1]
    assert small["units"] == {"frequency": "Hz", "v(out)": "V", "v(in)": "V", "i(v1)": "A"}
    assert small["vectors"]["v(out)"]["magnitude"][-1] == near(10.0e-3, 1e-3)  # 1/sqrt(1 + 100^2)
    assert small["vectors"]["v(out)"]["phase_degrees"][-1] == near(-89.427, within=1e-3)
    assert (here / err.rstrip("\n")).stat().st_size > 10_000


def test_small_signal_results_as_text(here, kit):
    (here / "x.cir").write_text(LOW_PASS.replace("ac dec", "save v(out) @r1[i]\n.ac dec"))
    code, out, err = kit("simulate", "x.cir", "--no-plot")
    assert (code, err) == (0, "rramkit: note: ngspice warns: `@r1[i]` has no values in `.ac`\n")
    assert "RC [low] pass, $1 and $2" in out and "@r1[i]" in out
    row = next(line for line in out.splitlines() if "v(out)" in line and "mV" in line)
    assert "10 mV" in row and "\N{MINUS SIGN}89.43 °" in row
    assert "ac, 41 points, frequency from 10 Hz to 100 kHz" in out


def test_a_measure_that_fails_is_named_and_the_exit_code_is_1(here, kit):
    (here / "x.cir").write_text(
        "t\nV1 in 0 pulse(0 1 1n 1n 1n 10n)\nR1 in out 1k\nC1 out 0 1p\n.save v(out)\n.tran 0.1n 30n\n"
        ".meas tran vmax max v(out)\n.meas tran t_cross when v(out)=5 rise=1\n.meas tran charge integ i(v1)\n.end\n"
    )
    code, out, err = kit("simulate", "x.cir", "--no-plot", "--json")
    assert code == 1
    assert err.splitlines() == [
        "rramkit: `t_cross` was not measured (out of interval). Fix its `.meas` line, or the analysis.",
        "rramkit: `charge` was not measured (no such vector as 'i(v1)'). Fix its `.meas` line, or the analysis.",
    ]
    assert json.loads(out)["not_measured"].keys() == {"t_cross", "charge"}


def test_the_syntax_of_ltspice_by_an_option(here, kit):
    (here / "x.cir").write_text("t\nV1 a 0 3\nB1 a 0 i = IF(v(a)>2, 2m, 1m) + 1m*2**3\n.op\n.end\n")
    code, out, _ = kit("simulate", "x.cir", "--no-plot", "--json", "--behaviour", "ltspice")
    assert code == 0
    assert json.loads(out)["vectors"]["i(v1)"][0] == near(-10e-3, 1e-9)  # gmin
    code, _, err = kit("simulate", "x.cir", "--no-plot")
    assert (code, err.count("\n")) == (1, 1)
    assert "x.cir, line 3" in err and "`--behaviour`" in err


def test_control_sections_work_in_the_users_folder_where_they_are_trusted(here, kit):
    (here / "x.cir").write_text("t\nV1 a 0 3\nR1 a 0 1k\n.control\nop\nprint i(v1)\nwrite out.raw\n.endc\n.end\n")
    code, _, err = kit("simulate", "x.cir", "--no-plot")
    assert (code, err.count("\n")) == (2, 1) and "`--trust-control`" in err
    assert not (here / "out.raw").exists()
    code, out, _ = kit("simulate", "x.cir", "--no-plot", "--trust-control")
    assert code == 0
    assert "i(v1) = -3.00000e-03" in out
    assert (here / "out.raw").exists()


REFUSED = {
    "a parameter that the model lacks": (
        CARD.replace("lambda", "lamda"),
        1,
        "mine.lib, `.model mn .*lamda=0.03.*ignored",
    ),
    "the kit's cell": (
        f"{CARD}.subckt cell_1t1r_held bl wl sl s_0=0\nR1 bl sl 1k\n.ends\n",
        2,
        "defines `cell_1t1r_held`",
    ),
    "the kit's device": (f"{CARD}.subckt rram_sky130_held te be s_0=0\nR1 te be 1k\n.ends\n", 2, "`rram_sky130_held`"),
    "two cards of one name": (CARD + CARD.replace("0.6", "0.9"), 2, "line 2: `mn` is defined a second time"),
}


@pytest.mark.parametrize(("text", "code", "complaint"), REFUSED.values(), ids=REFUSED)
def test_a_library_that_would_give_other_numbers(here, kit, text, code, complaint):
    (here / "mine.lib").write_text(text)
    found, out, err = kit(*CELL, "cell.technology.library_file=mine.lib")
    assert (found, out, err.count("\n")) == (code, "", 1)
    assert re.search(complaint, err)


def test_a_waiver_lets_a_warning_pass_and_others_not(here, kit):
    (here / "mine.lib").write_text(CARD.replace("lambda=0.03", "lamda=0.03 gama=0.4"))
    library = "cell.technology.library_file=mine.lib"
    code, _, err = kit(*CELL, library, "--waive", "lamda")
    assert code == 1 and "(gama)" in err and "(lamda)" not in err
    code, out, err = kit(*CELL, library, "--waive", "lamda", "--waive", "gama", "--json")
    assert (code, err) == (0, "")
    assert len(json.loads(out)["vectors"]["i(v_sl)"]) == 5


def test_a_warning_that_changes_nothing_is_a_note(here, kit):
    (here / "x.cir").write_text("t\nV1 a 0 1\nR1 a b 0\nR2 b 0 1k\n.op\n.end\n")
    code, _, err = kit("simulate", "x.cir", "--no-plot")
    assert code == 0
    assert err == "rramkit: note: ngspice warns: Value of resistor r1 is too small, set to 1.000000e-12\n"
