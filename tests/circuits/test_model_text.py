"""User libraries flattened to one text: nested files, sections, encodings; what is refused, by file and line."""

import functools
import os
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rramkit.circuits.model_text import fresh_library_text, library_text, logical_lines, needed, words_of, wrapped
from rramkit.errors import InputError

CARD = ".model mn nmos level=1 vto=0.6 kp=60u lambda=0.03"


def written(folder, name, text, **kwargs):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode(kwargs.get("encoding", "utf-8")))
    return path


def test_each_corner_takes_the_nested_file_of_its_own_folder(tmp_path):
    for corner, vto in (("tt", 0.6), ("ss", 0.9)):
        written(tmp_path, f"{corner}/nfet.inc", f".model mn nmos level=1 vto={vto}\n")
        written(tmp_path, f"{corner}/all.inc", '.include "nfet.inc"\n')
    top = written(tmp_path, "top.lib", "".join(f'.lib {c}\n.include "{c}/all.inc"\n.endl {c}\n' for c in ("tt", "ss")))
    assert "vto=0.6" in library_text(top, "tt").text and "vto=0.9" in library_text(top, "SS").text
    assert library_text(top, "tt").sha256 != library_text(top, "ss").sha256


@pytest.mark.parametrize(
    "line",
    [
        ".include inner.inc",
        ".INCLUDE 'inner.inc'",
        '   .incl "inner.inc"   ',
        '.inc "inner.inc" ; comment',
        ".include $RRAMKIT_TEST_FOLDER/inner.inc",
        '.include "${RRAMKIT_TEST_FOLDER}/inner.inc"',
        ".lib inner.inc part",
        '.LIB "inner.inc" PART',
    ],
)
def test_every_way_to_name_a_nested_file(tmp_path, monkeypatch, line):
    monkeypatch.setenv("RRAMKIT_TEST_FOLDER", str(tmp_path))
    written(tmp_path, "inner.inc", f".lib part\n{CARD}\n.endl part\n" if "part" in line.lower() else CARD)
    top = written(tmp_path, "top.lib", f"* a library\n{line}\n")
    assert library_text(top).text == CARD


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(tmp_path, encoding, end):
    text = end.join(["* 45 nm, 25 \xb0C", CARD, "+ tox=7n", ""])
    assert library_text(written(tmp_path, "a.lib", text, encoding=encoding)).text == f"{CARD} tox=7n"


def test_an_edited_nested_file_is_another_library(tmp_path):
    inner = written(tmp_path, "inner.inc", CARD)
    top = written(tmp_path, "top.lib", ".include inner.inc")
    before = fresh_library_text(top).sha256
    written(tmp_path, "inner.inc", CARD.replace("0.6", "1.45"))
    assert fresh_library_text(top).sha256 != before
    assert str(inner.resolve()) in fresh_library_text(top).files


def test_a_cycle_is_refused(tmp_path):
    written(tmp_path, "a.inc", ".include b.inc")
    path = written(tmp_path, "b.inc", ".include a.inc")
    with pytest.raises(InputError, match="includes itself"):
        library_text(path)


def test_a_missing_file_is_named_with_its_line(tmp_path):
    path = written(tmp_path, "top.lib", f"{CARD}\n.include nowhere.inc")
    with pytest.raises(InputError, match=r"line 2: nowhere\.inc: no such model file"):
        library_text(path)


def test_a_missing_section_lists_those_that_are_there(tmp_path):
    path = written(tmp_path, "top.lib", f".lib tt\n{CARD}\n.endl\n.lib ss\n{CARD}\n.endl")
    with pytest.raises(InputError, match="its sections: tt, ss"):
        library_text(path, "ff")


HOSTILE = {
    "control section": ".control\nshell touch canary\n.endc",
    "control section, indented": "   .CONTROL\n  shell touch canary\n.endc",
    "command line": "*# shell touch canary",
    "command line, indented": "  *# shell touch canary",
    "analysis": ".tran 1n 1u",
    "operating point": ".op",
    "end": ".end",
    "save": ".save all",
    "print": ".print tran v(a)",
    "temperature": ".temp 125",
    "analysis option": ".options rshunt=1e6",
    "analysis option after an allowed one": ".option scale=1 reltol=1",
    "flag option": ".options scale=1 savecurrents",
    "initial condition": ".ic v(a)=1",
    "node set": ".nodeset v(a)=1",
    "global": ".global vdd",
    "element at top": "R1 a 0 1k",
    "code model at top": "a1 [a] [b] m",
    "file source": ".model m filesource(file=secret.txt amploffset=[0])",
    "digital source": ".model m d_source(input_file=secret.txt)",
    "process": '.model m d_process(process_file="canary.sh")',
    "table": '.model m table2d(offset=0 gain=1 order=3 file="secret.txt")',
    "file in a subcircuit": '.subckt s a\nA1 %v([a]) m file="secret.txt"\n.ends',
    "unclosed subcircuit": ".subckt s a b\nR1 a b 1",
    "stray end of subcircuit": ".ends",
    "random": ".param v={agauss(0,1,1)}",
    "random, switched on": ".param on=1\n.param v={on*agauss(0,1,1)}",
    "random in a subcircuit": ".subckt s a b\nR1 a b {1k*(1+gauss(0,0.1,1))}\n.ends",
    "shell word": "shell touch canary",
    "back quote": ".param v=`touch canary`",
    "csparam": ".csparam a=1",
    "measure": ".meas tran a find v(a) at=1",
    "unknown card": ".exec touch canary",
    "control character": ".param a=1\x0b.control",
    "line separator of another alphabet": ".param a=1\u2028.control",
    "continuation of nothing is not first": "",
}
HOSTILE.pop("continuation of nothing is not first")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_what_a_library_must_not_hold_at_any_depth(tmp_path, text, depth, encoding):
    path = written(tmp_path, "0.inc", f"{CARD}\n{text}\n", encoding=encoding)
    for level in range(depth):
        path = written(tmp_path, f"{level + 1}.inc", f"* nested\n.include {level}.inc\n", encoding=encoding)
    with pytest.raises(InputError, match=r"0\.inc"):
        library_text(path)


def test_a_random_function_that_is_switched_off_stays(tmp_path):
    path = written(tmp_path, "a.lib", ".param mc=0\n.param v={0.5+mc*agauss(0,1,1)}")
    assert "agauss" in library_text(path).text


def test_options_of_a_process_kit_stay(tmp_path):
    assert library_text(written(tmp_path, "a.lib", ".option scale=1e-6 tnom = 25 wnflag=1")).text.startswith(".option")


def test_only_what_a_circuit_uses_is_left(tmp_path):
    text = """.param a=1
.func f(x) {2*x}
.model used.1 nmos level=1 lmin=0 lmax=1
.model used.2 nmos level=1 lmin=1 lmax=2
.model other pmos level=1
.subckt cell d g s
M1 d g s 0 used w=1u l=1u
X1 d s inner
.ends cell
.subckt inner a b
R1 a b {f(a)}
.ends
.subckt unused a b
M1 a b 0 0 other
.ends"""
    flat = library_text(written(tmp_path, "kit.lib", text))
    left = needed(flat, ["x9", "cell", "1", "2"]).text
    assert all(word in left for word in (".param a=1", ".func", "used.1", "used.2", "subckt cell", "subckt inner"))
    assert "other" not in left and "unused" not in left
    assert needed(flat, ["nothing"]).text == ""
    assert needed(flat, ["used"]) is needed(flat, ["x9", "used"])  # each part is cut out once


def test_parameters_and_functions_follow_what_uses_them(tmp_path):
    text = """.option scale=1e-6
.param t=7n other=3
.param vto={f(shift)} unused=1
.param shift={0.1*b}
.param b=2 c=3
.param later=1
.param later=2
.func f(x) {g(x)+later}
.func g(x) {2*x}
.func h(x) {3*x}
.param far=9
.model n-ch nmos level=1 vto={vto} tox={t}"""
    flat = library_text(written(tmp_path, "kit.lib", text))
    left = needed(flat, words_of("M1 d g s 0 n-ch w=1u")).text
    gone = (" other=3", " unused=1", " c=3", ".func h(x) {3*x}\n", ".param far=9\n")
    assert left == functools.reduce(lambda kept, each: kept.replace(each, ""), gone, text)


PARAMETERS = """.PARAM  a = 1 b={a == 1 ? 2 : 3}  c='a + d'
+ d = "a" f(x,y) = {x+y} e=max(a, b) g = b >= 1
.param\th=1"""


def test_each_parameter_of_a_card_is_cut_out_alone(tmp_path):
    flat = library_text(written(tmp_path, "kit.lib", PARAMETERS))
    alone = [".PARAM a = 1", ".PARAM b={a == 1 ? 2 : 3}", ".PARAM c='a + d'", '.PARAM d = "a"', ".PARAM f(x,y) = {x+y}"]
    alone += [".PARAM e=max(a, b)", ".PARAM g = b >= 1", ".param h=1"]
    assert needed(flat, "abcdefgh").text.split("\n") == alone
    assert needed(flat, "c").text.split("\n") == [alone[0], alone[2], alone[3]]
    assert needed(flat, "g").text.split("\n") == [alone[0], alone[1], alone[6]]


def test_a_card_of_thousands_of_parameters_costs_its_length_only(tmp_path):
    """Corners of sky130 are one `.param` of 300,000 characters, its statistics one of 1.2 million."""
    parts = [f"+ p{k}={k} q{k}={{p{k}*1.5}}" for k in range(50_000)]
    flat = library_text(written(tmp_path, "kit.lib", "\n".join([".param base=1", *parts])))
    assert needed(flat, ["q4321"]).text == ".param p4321=4321\n.param q4321={p4321*1.5}"
    assert len(wrapped(flat.text).split("\n")) > 10_000


def test_two_cards_of_one_name_are_refused_where_a_circuit_uses_them(tmp_path):
    """A kit may hold two of what a circuit does not use, and one file twice: sky130 does."""
    other = CARD.replace("0.6", "0.9")
    flat = library_text(
        written(tmp_path, "kit.lib", f"{CARD}\n{other}\n.model pm pmos level=1\n.MODEL PM pmos level=1")
    )
    with pytest.raises(InputError, match=r"line 2: `mn` is defined a second time \(first: .*line 1\)"):
        needed(flat, ["mn"])
    assert needed(flat, ["pm"]).text == ".model pm pmos level=1"


def test_a_condition_outside_subcircuits_keeps_a_library_whole(tmp_path):
    text = ".param a=1\n.if (a==1)\n.model m nmos level=1\n.else\n.model m nmos level=1 vto=1\n.endif\n.param b=2"
    flat = library_text(written(tmp_path, "kit.lib", text))
    assert needed(flat, ["m"]).text == text


@given(st.lists(st.from_regex(r"[a-z]{1,30}=[0-9.]{1,12}", fullmatch=True), min_size=1, max_size=60))
def test_wrapped_cards_join_to_what_they_were(words):
    card = ".model mn nmos " + " ".join(words)
    lines = wrapped(card).split("\n")
    assert all(len(line) <= 120 for line in lines)
    assert " ".join([lines[0], *(line[2:] for line in lines[1:])]) == card


def test_logical_lines_know_where_they_stood(tmp_path):
    path = written(
        tmp_path, "a.lib", "* title\n\n.model a nmos\n* between\n+ vto=1 $ a comment\n+ kp=2 ; another\n.param x=1"
    )
    assert [(line.number, line.text) for line in logical_lines(path)] == [
        (3, ".model a nmos vto=1 kp=2"),
        (7, ".param x=1"),
    ]


SWITCHED = """.param on=0
.subckt s d g s b w=1u
.param mis=agauss(0,w,1)
.param both='2*mis'
M1 d g s b n w=w delvto='both{}'
.ends
.model n nmos level=1"""


@pytest.mark.parametrize("times", [" * on", "*ON*3"])
def test_a_random_parameter_that_is_switched_off_where_it_is_used_stays(tmp_path, times):
    """As gf180mcu has it: drawn in the subcircuit, multiplied by the switch on the transistor's line."""
    text = SWITCHED.format(times)
    assert library_text(written(tmp_path, "a.lib", text)).text == text
    later = f".param on=1\n{text.replace('.param on=0', '.param off=0 on=off')}"
    assert library_text(written(tmp_path, "b.lib", later)).text == later  # ngspice takes the last


@pytest.mark.parametrize(
    ("old", "new", "cause"),
    [
        (".param on=0", ".param on=1", "`on` is 1: nest the library in a file of your own with `.param on=0`"),
        (".param on=0\n", "", "`on` is not set: nest"),
        ("w=1u", "w=1u on=1", "`on` is 0 and 1: nest"),
        ("both*on", "both+on", "Multiply it by a parameter that is 0"),
        ("both*on", "both*on^0", "Multiply it by a parameter that is 0"),
        ("both*on", "2^on*both", "Multiply it by a parameter that is 0"),
        ("both*on", "on==0 ? both : 0", "Multiply it by a parameter that is 0"),
        ("2*mis", "on==0 ? mis : 0", "`on` is 1"),
    ],
)
def test_a_random_parameter_that_acts_is_refused(tmp_path, old, new, cause):
    text = SWITCHED.format("*on").replace(old, new)
    text = text.replace(".param on=0", ".param on=1") if "?" in new and old == "2*mis" else text
    with pytest.raises(
        InputError, match=f"line [45]: a random function that is switched on, `both.*{re.escape(cause)}"
    ):
        library_text(written(tmp_path, "a.lib", text))


def test_faults_in_sections_of_others_are_none(tmp_path):
    path = written(tmp_path, "a.lib", f".endl\n.lib tt\n{CARD}\n.endl\n.lib lh\n.param a=1\n.lib mc\n.param b=1\n.endl")
    assert library_text(path, "tt").text == CARD
    with pytest.raises(InputError, match="a section inside the section lh"):
        library_text(path, "lh")


def test_a_section_that_begins_twice_is_refused(tmp_path):
    path = written(tmp_path, "a.lib", f".lib tt\n{CARD}\n.endl\n.lib TT\n.param a=1\n.endl")
    with pytest.raises(InputError, match="line 4: the section tt begins a second time"):
        library_text(path, "tt")


def test_two_backslashes_at_the_end_continue_a_card(tmp_path):
    path = written(tmp_path, "a.lib", ".model mn nmos level=1 \\\\\n  vto=0.6 kp=60u\\\\ \nlambda=0.03\n.param a=1")
    assert library_text(path).text == f"{CARD}\n.param a=1"


def test_an_edit_that_keeps_size_and_date_is_seen(tmp_path):
    inner = written(tmp_path, "inner.inc", CARD)
    top = written(tmp_path, "top.lib", ".include inner.inc")
    assert "vto=0.6" in fresh_library_text(top).text
    status = inner.stat()
    written(tmp_path, "inner.inc", CARD.replace("0.6", "0.9"))
    os.utime(inner, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert "vto=0.9" in fresh_library_text(top).text


def test_a_link_includes_what_lies_beside_it_or_beside_its_target(tmp_path):
    written(tmp_path, "v1/top.lib", ".include core.inc")
    (tmp_path / "mine").mkdir()
    link = tmp_path / "mine" / "top.lib"
    link.symlink_to(tmp_path / "v1" / "top.lib")
    written(tmp_path, "v1/core.inc", CARD)
    assert library_text(link).text == CARD
    written(tmp_path, "mine/core.inc", CARD.replace("0.6", "0.9"))
    with pytest.raises(InputError, match=r"beside .*mine/top.lib, a link, and beside what it points to"):
        fresh_library_text(link.parent / ".." / "mine" / "top.lib")
    (tmp_path / "v1" / "core.inc").unlink()
    assert "vto=0.9" in library_text(link.parent / ".." / "mine" / "." / "top.lib").text


def test_options_of_a_library_are_numbers(tmp_path):
    text = ".option scale=1.0u\n.OPTIONS tnom = 25 wnflag\n.options scale='2e-6'"
    assert library_text(written(tmp_path, "a.lib", text)).options == {"scale": 2e-6, "tnom": 25.0, "wnflag": 1.0}
