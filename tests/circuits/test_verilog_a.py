"""Verilog-A without its compiler: nested text, lint, cards, hash, and what is refused before anything is loaded."""

from pathlib import Path

import pytest

from rramkit.circuits import libraries, own_device
from rramkit.circuits.device import Device, DevicePulseParams, pulse_train
from rramkit.circuits.technology import Technology
from rramkit.circuits.verilog_a import (
    CompactModel,
    Module,
    compact_model,
    complaints,
    find_compiler,
    models_of_deck,
    source,
)
from rramkit.circuits.verilog_a.compiler import VARIABLE, cache_folder
from rramkit.errors import InputError, SetupError

EXAMPLES = Path(__file__).parents[2] / "examples" / "own_device_va"
HEAD = '`include "disciplines.vams"\nmodule m(te, be, s);\ninout te, be, s; electrical te, be, s;\n'
GOOD = "analog begin I(te, be) <+ V(te, be)*V(s); I(s) <+ ddt(V(s)) - V(te, be); end\nendmodule\n"


def of(folder, text, name="m.va"):
    path = folder / name
    path.write_text(text)
    return path


def found(folder, body):
    return [str(each) for each in complaints(source(of(folder, HEAD + body)))]


HIDDEN = [
    ("real w; analog begin w = w + 1; I(te, be) <+ w*V(te, be); end", "line 4: `w` is read before it is assigned"),
    # a variable that only one evaluation sets, and the next one reads
    (
        "real w;\nanalog begin\n@(initial_step) begin w = 0.1; end\nif (V(te, be) > 1) w = w + 1;\n"
        "I(te, be) <+ w*V(te, be);\nend",
        "line 7: `w` is read before it is assigned",
    ),
    ("real t; analog begin t = $abstime; I(te, be) <+ t*V(te, be); end", "`$abstime`: the state follows"),
    ("analog begin $bound_step(1n); I(te, be) <+ V(te, be); end", "`$bound_step` and no `ddt`"),
    ("analog I(te, be) <+ idt(V(te, be), 0.1);", "`idt`: an integral keeps a state"),
    ("analog I(te, be) <+ absdelay(V(te, be), 1n);", "`absdelay`: it keeps a past"),
    ("analog begin @(cross(V(te, be), 1)) ; I(te, be) <+ V(te, be); end", "`@(cross`: an event"),
    ("analog I(te, be) <+ V(te, be)*$rdist_normal(1, 0, 1);", "`$rdist_normal`: each run has other numbers"),
    ('integer f; analog begin f = $fopen("x"); I(te, be) <+ V(te, be); end', "`$fopen`: a model must not read"),
    ("real time; analog begin time = 1; I(te, be) <+ V(te, be)*time; end", "`real time`: `time` is a word"),
    ("real w; analog begin @(initial_instance) w = 1; I(te, be) <+ w*V(te, be); end", "write `@(initial_step)`"),
    ('parameter real r = 1 (*desc="ohm"*); analog I(te, be) <+ V(te, be)/r;', "stands before what it describes"),
    ('(* desc="r" units="ohm" *) parameter real r = 1; analog I(te, be) <+ V(te, be)/r;', "separated by commas"),
    (
        "`define attr(txt) (*txt*)\nparameter real r = 1 `attr(info=r);\nanalog I(te, be) <+ V(te, be)/r;",
        "line 5: the attribute ``attr`",
    ),
    ("`P(desc) parameter real r = 1; analog I(te, be) <+ V(te, be)/r;", "the macro ``P` is defined in no file"),
]


@pytest.mark.parametrize(("body", "complaint"), HIDDEN, ids=lambda part: part[:30])
def test_what_is_wrong_in_silence_is_named_by_line_with_a_cure(tmp_path, body, complaint):
    said = found(tmp_path, body + "\nendmodule\n")
    assert any(complaint in each for each in said), said
    assert all("m.va, line " in each and each.count(": ") >= 2 for each in said)  # place, what it is, what to do


INNOCENT = [
    GOOD,
    # constants: given where they are declared, or in the first step alone
    "real kb = 1.38e-23; real q; analog begin @(initial_step) q = 2; I(te, be) <+ V(te, be)*kb*q; I(s) <+ ddt(V(s)); "
    "end\nendmodule\n",
    # a function's own variables, a macro's, a comment and a string
    "analog function real f; input x; real x; f = x*x; endfunction\n`define SET(y) y = 1;\nreal y; // $abstime\n"
    'analog begin `SET(y) $strobe("idt( $random"); I(te, be) <+ f(V(te, be))*y; I(s) <+ ddt(V(s)); end\nendmodule\n',
    # a macro that is a declaration with its attribute, as PSP's
    '`define MPR(nam, txt) (* desc=txt *) parameter real nam = 1;\n`MPR(r, "ohm")\n`MPR(q, "ohm")\n'
    "analog begin I(te, be) <+ V(te, be)/r/q; I(s) <+ ddt(V(s)); end\nendmodule\n",
    # a bound of the step beside a state that the simulator integrates
    "analog begin $bound_step(1n); I(te, be) <+ V(te, be); I(s) <+ ddt(V(s)) - V(te, be); end\nendmodule\n",
]


@pytest.mark.parametrize("body", INNOCENT)
def test_what_is_right_is_not_complained_of(tmp_path, body):
    assert found(tmp_path, body) == []


def test_the_examples_pass():
    for name in ("drift.va", "sky130.va"):
        assert complaints(source(EXAMPLES / name)) == []


def test_nested_files_are_put_in_place_and_hashed(tmp_path):
    (tmp_path / "parts").mkdir()
    of(tmp_path / "parts", '`include "deeper.inc"\nreal a;\n', "part.inc")
    of(tmp_path / "parts", "real b; // a comment\n", "deeper.inc")
    path = of(tmp_path, HEAD + '`include "constants.h"`include "parts/part.inc"\n' + GOOD)
    whole = source(path)
    assert "real b;" in whole.text and whole.text.index("real b;") < whole.text.index("real a;")
    assert '`include "constants.vams"' in whole.text  # the compiler's own
    assert whole.at(whole.text.index("real a;")).endswith("part.inc, line 2")
    of(tmp_path / "parts", "real b; // another comment\n", "deeper.inc")
    assert source(path).sha256 == whole.sha256
    of(tmp_path / "parts", "real c;\n", "deeper.inc")
    assert source(path).sha256 != whole.sha256


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ('`include "/etc/hostname"', "must be called like a model file"),
        ('`include "m.va"', "includes itself"),
        ('`include "none.inc"', "no such model file"),
        ("`include FILE", "must name a file in quotes"),
    ],
)
def test_nested_files_that_are_not_read(tmp_path, line, complaint):
    with pytest.raises(InputError, match=complaint) as caught:
        source(of(tmp_path, f"{line}\n{GOOD}"))
    assert "\n" not in str(caught.value)


@pytest.fixture
def no_compiler(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setenv("PATH", "/nonexistent")


def device(path, model="m", **interface):
    return Device.checked({"library": str(path), "model": model, "interface": interface}, where="mine.toml")


def test_a_hidden_state_is_refused_without_a_compiler(tmp_path, no_compiler):
    path = of(tmp_path, HEAD + HIDDEN[0][0] + "\nendmodule\n")
    with pytest.raises(InputError, match=r"m\.va, line 4: `w` is read before it is assigned.*I\(s\) <\+ ddt") as caught:
        device(path)
    assert "\n" not in str(caught.value)


def test_a_good_text_without_a_compiler_says_what_to_install(tmp_path, no_compiler):
    with pytest.raises(InputError, match=r"needs the compiler openvaf-r; found none.*\.osdi"):
        device(of(tmp_path, HEAD + GOOD))


def test_a_named_compiler_that_is_none_is_an_error(monkeypatch):
    monkeypatch.setenv(VARIABLE, "/nonexistent/openvaf-r")
    with pytest.raises(SetupError, match=VARIABLE):
        find_compiler()


def test_a_folder_that_others_may_write_is_not_used(tmp_path, monkeypatch):
    open_folder = tmp_path / "open"
    open_folder.mkdir()
    open_folder.chmod(0o777)
    monkeypatch.setenv("RRAMKIT_OSDI", str(open_folder))
    with pytest.raises(SetupError, match="others may write there"):
        cache_folder()


@pytest.fixture
def without_loading(monkeypatch):
    """A compact model whose tables are given: nothing is compiled and nothing loaded."""
    module = Module("mine", ("minus", "plus", "gap"), ("k", "gap_0"))

    def made(path):
        return CompactModel(path, "/nowhere.osdi", "ab" * 32, "some compiler", (module,))

    monkeypatch.setattr(own_device, "compact_model", made)
    monkeypatch.setattr(own_device, "check_device", lambda path: None)
    monkeypatch.setattr(libraries, "compact_model", made)


K = {"k": {"value": 2.0, "low": 1.0, "high": 3.0, "unit": "1"}}
TURNED = {"te": "plus", "be": "minus", "state": "gap", "low": 1.7, "high": 0.2, "set_voltage": "negative"}


def test_cards_give_pins_sign_units_start_and_parameters(tmp_path, without_loading):
    mine = device(of(tmp_path, "", "mine.osdi"), "Mine", **TURNED, initial="gap_0", parameters=K)
    text = pulse_train(DevicePulseParams(device=mine, v_pulse=(1.0,))).text()
    lines = text.splitlines()
    assert ".subckt rramkit_mine te be s s_0=0 k=2" in lines
    assert ".model rramkit_own mine gap_0={1.7 + (-1.5)*s_0} k={k}" in lines
    assert "Nown te be x rramkit_own" in lines  # minus, plus, gap: SET at v(be, te) > 0 of the module's own
    assert ".ic v(x)={1.7 + (-1.5)*s_0}" in lines
    assert "Bs s 0 v = (v(x) - (1.7))/(-1.5)" in lines
    assert "Vstate x 0 {1.7 + (-1.5)*s_0}" in lines
    assert f"* compiled model: mine.osdi {'ab' * 32} some compiler" in lines
    assert "/nowhere" not in text


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({**TURNED, "state": "x", "initial": "gap_0"}, "`gap` is neither electrode nor state"),
        ({**TURNED, "initial": "start"}, "the module mine has no parameter `start`; it has k, gap_0"),
        ({**TURNED, "parameters": {"j": K["k"]}}, "the module mine has no parameter `j`"),
        ({**TURNED, "held": "still"}, "has no module `still`; it has mine"),
    ],
)
def test_what_does_not_fit_the_module_is_refused(tmp_path, without_loading, given, complaint):
    with pytest.raises(InputError, match=complaint):
        device(of(tmp_path, "", "mine.osdi"), "mine", **given)


def test_a_state_inside_the_module_must_become_a_pin(tmp_path, without_loading, monkeypatch):
    inside = Module("mine", ("te", "be"), ("s_0",))
    monkeypatch.setattr(own_device, "compact_model", lambda path: CompactModel(path, "", "", "", (inside,)))
    with pytest.raises(InputError, match="Make the node of the state a pin of the module"):
        device(of(tmp_path, "", "mine.osdi"), "mine")


def test_parameters_that_differ_by_case_alone_are_refused(tmp_path, without_loading, monkeypatch):
    cased = Module("mine", ("te", "be", "s"), ("vp", "vp"))
    monkeypatch.setattr(own_device, "compact_model", lambda path: CompactModel(path, "", "", "", (cased,)))
    with pytest.raises(InputError, match="two parameters `vp`, apart by case"):
        device(of(tmp_path, "", "mine.osdi"), "mine", parameters={"vp": K["k"]})


def test_a_deck_cannot_name_a_model_that_the_user_has_not():
    deck = f"x\n* compiled model: evil.osdi {'0' * 64}\n.op\n.end\n"
    with pytest.raises(InputError, match="machine code and is not loaded by itself"):
        models_of_deck(deck)


def test_a_file_that_is_no_compiled_model_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("RRAMKIT_OSDI", str(tmp_path / "kept"))
    with pytest.raises(InputError, match=r"mine\.osdi is no compiled model that ngspice loads") as caught:
        compact_model(str(of(tmp_path, "#!/bin/sh\ntouch canary\n", "mine.osdi")))
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "canary").exists()


TRANSISTORS = """\
.subckt nch d g s b w=1u l=0.1u ad=0 as=0 pd=0 ps=0 m=1
N1 d g s b nch_model w={w} l={l}
.model nch_model psp103va(type=1 vfb=-1)
.ends
"""


def transistors(folder, **given):
    path = of(folder, TRANSISTORS, "pdk.lib")
    names = dict.fromkeys(("nmos_core", "pmos_core", "nmos_io", "pmos_io"), "nch")
    return Technology.checked({"library_file": str(path), "device": "subcircuit", **names, **given}, where="plan")


def test_n_lines_without_their_compact_model_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"pdk\.lib, line 2.*compact model.*technology\.osdi"):
        libraries.text(transistors(tmp_path).library, "X1 d g s b nch")


def test_the_library_of_a_compact_model_has_a_blank_before_its_parameters(tmp_path, without_loading):
    """Without it ngspice 46 drops the first one and says nothing."""
    osdi = of(tmp_path, "", "psp103.osdi")
    library = transistors(tmp_path, osdi=[str(osdi)]).library
    assert ".model nch_model psp103va (type=1 vfb=-1)" in libraries.text(library, "X1 d g s b nch")
    assert libraries.sha256(library) != libraries.sha256(transistors(tmp_path).library)


def test_osdi_names_compact_models_and_needs_a_library(tmp_path, without_loading):
    with pytest.raises(InputError, match=r"end in \.osdi or \.va"):
        transistors(tmp_path, osdi=[str(of(tmp_path, "", "psp.lib"))])
    with pytest.raises(InputError, match="need `library_file`"):
        Technology.checked({"osdi": [str(of(tmp_path, "", "psp.osdi"))]}, where="plan")
