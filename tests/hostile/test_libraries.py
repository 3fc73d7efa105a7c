"""Model libraries that somebody sends: what runs, writes, reads elsewhere or steers is refused before any ngspice."""

import os
from pathlib import Path

import pytest
from fixtures.watched import Untouched, untouched

from rramkit.circuits.technology import Technology
from rramkit.errors import InputError

CARD = ".model mn nmos level=1 vto=0.6 kp=60u\n"
BODIES = {
    "control section": ".control\nshell touch CANARY\n.endc",
    "control section in capitals": ".CONTROL\nSHELL touch CANARY\n.ENDC",
    "control section between blanks": "\t .control \n\t shell touch CANARY\n .endc",
    "control section in a subcircuit": ".subckt s a b\n.control\nshell touch CANARY\n.endc\nR1 a b 1\n.ends",
    "control section in a section": ".lib x\n.control\nshell touch CANARY\n.endc\n.endl\n.lib SELF x",
    "control section behind a form feed": "* harmless\x0c.control\x0cshell touch CANARY\x0c.endc\nR1 a b 1",
    "control section behind a line separator": ".param a=1\u2028.control\u2028shell touch CANARY",
    "control section behind a next-line mark": ".param a=1\x85.control\x85shell touch CANARY",
    "control word split by a continuation": ".cont\n+rol\nshell touch CANARY\n.endc",
    "control section after a long comment": "* " + "x" * 5000 + "\n.control\nshell touch CANARY\n.endc",
    "command comment": "*# shell touch CANARY",
    "command comment, indented": "   *#shell touch CANARY",
    "bare command": "shell touch CANARY",
    "bare write": "write CANARY all",
    "bare source": "source SECRET",
    "back quotes": ".param a=`touch CANARY`",
    "csparam": ".csparam a=1",
    "analysis": ".tran 1n 1u",
    "end": ".end",
    "print to a file": ".print tran v(a) > CANARY",
    "save": ".save all",
    "measure": ".meas tran x find v(a) at=1n",
    "temperature": ".temp 125",
    "option of the analysis": ".options rshunt=1e6 gmin=1e-6",
    "option after a good one": ".option scale=1u\n+ method=gear",
    "initial condition": ".ic v(a)=1",
    "node set": ".nodeset v(a)=1",
    "global node": ".global vdd",
    "element at top level": "R1 a 0 1k",
    "element at top level after a subcircuit": ".subckt s a\nR1 a 0 1\n.ends\nX1 b s",
    "code model at top level": "A1 [a] [b] m",
    "file source": '.model m filesource(file="SECRET" amploffset=[0])',
    "file source without an equals sign": '.model m filesource(file "SECRET")',
    "file source between commas": '.model m,filesource(file "SECRET")',
    "file source over lines": '.model m\n+ filesource\n+ (file "SECRET")',
    "file source in capitals": '.MODEL M FILESOURCE(FILE="SECRET")',
    "digital source": '.model m d_source(input_file="SECRET")',
    "state machine": '.model m d_state(state_file="SECRET")',
    "process": '.model m d_process(process_file="/usr/bin/touch" process_params=["CANARY"])',
    "shared object": '.model m d_cosim(simulation="SECRET")',
    "table of two": '.model m table2d(offset=0 gain=1 order=3 file="SECRET")',
    "Touchstone file": '.model m xfer(file="SECRET")',
    "device simulator that writes": '.model m numd level=1\n+ output rootfile="CANARY" stat',
    "network device": ".model m ndev remote=127.0.0.1 port=80",
    "file key in a subcircuit": '.subckt s a\nA1 %v([a]) m file = "SECRET"\n.ends',
    "unclosed subcircuit": ".subckt s a b\nR1 a b 1",
    "stray end of a subcircuit": ".ends",
    "random function": ".param v={agauss(0,1,1)}",
    "random function switched on": ".param on=1\n.param v={on*agauss(0,1,1)}",
    "random function in a subcircuit": ".subckt s a b\nR1 a b {1k*(1+GAUSS (0,0.1,1))}\n.ends",
    "unknown card": ".exec touch CANARY",
    "second model of one name": CARD.replace("0.6", "0.9"),
    "include of the secret": ".include SECRET",
    "include of the secret in quotes": '  .INCL "SECRET" ; a comment',
    "include of the secret by dots": ".inc ../elsewhere/secret",
    "include of the secret as a library": ".lib SECRET tt",
    "include of a device": ".include /dev/zero",
    "include of a process's memory": ".include /proc/self/environ",
    "include of a password file": ".include /etc/passwd",
    "include by a home folder": ".include ~/.ssh/id_rsa",
    "include by a variable": ".include $RRAMKIT_HOSTILE/secret",
    "include by a variable that is not set": ".include $RRAMKIT_NOT_SET/x.lib",
    "include of a command": ".include `cat SECRET`",
    "include of a command in brackets": ".include $(cat SECRET)",
    "include of a pipe": ".include |cat",
    "include of nothing": ".include",
    "include split by a continuation": ".include\n+ SECRET",
    "include of itself": ".include self.lib",
    "include of a folder": ".include .",
    "include of what is not there": ".include nowhere.lib",
    "section of itself": ".lib self.lib",
    "section that is not there": ".lib self.lib zz",
    "unclosed section": ".lib tt\n" + CARD,
    "end of no section": ".endl",
    "section in a section": ".lib tt\n.lib ss\n.endl\n.endl",
    "continuation of nothing": "+ vto=1",
    "card of eight million characters": ".param " + " ".join(f"p{k}=1" for k in range(800_000)),
    "word of a hundred thousand characters": ".param v={" + "a" * 99_000 + "*agauss(0,1,1)}",
}
FIRST = {"continuation of nothing"}  # stands before the card, which it would continue


@pytest.fixture
def place(tmp_path, monkeypatch) -> Untouched:
    place = Untouched(tmp_path)
    monkeypatch.chdir(place.work)
    monkeypatch.setenv("RRAMKIT_HOSTILE", str(place.elsewhere))
    return place


def refuse(place: Untouched, path: Path, section: str = "") -> str:
    """Name a library as a user does; return why it is refused, which is one line."""
    with untouched(place), pytest.raises(InputError) as caught:
        Technology.checked({"library_file": str(path), "section": section, "nmos_io": "mn"}, where="user.toml")
    assert "\n" not in str(caught.value)
    assert "top_secret" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("nested", [False, True], ids=["itself", "nested"])
@pytest.mark.parametrize("name", BODIES)
def test_what_a_library_must_not_hold(place, name, nested):
    body = place.place(BODIES[name]).replace("SELF", "self.lib")
    text = f"{body}\n{CARD}" if name in FIRST else f"* a library\n{CARD}{body}\n"
    path = place.inputs / "self.lib"
    path.write_text(text, encoding="utf-8")
    if nested:
        path = place.inputs / "top.lib"
        path.write_text('* harmless\n.include "self.lib"\n')
    refuse(place, path)


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n\r"])
@pytest.mark.parametrize("encoding", ["latin-1", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_no_encoding_hides_a_command(place, encoding, end):
    text = f"* \xb0C{end}{CARD}.control{end}shell touch {place.canary}{end}.endc{end}"
    path = place.inputs / "a.lib"
    path.write_bytes(text.encode(encoding))
    refuse(place, path)


@pytest.mark.parametrize("position", [0, 10, -1])
def test_null_bytes(place, position):
    data = bytearray(CARD.encode())
    data.insert(position % (len(data) + 1), 0)
    path = place.inputs / "a.lib"
    path.write_bytes(bytes(data) + f".control\nshell touch {place.canary}\n".encode())
    refuse(place, path)


@pytest.mark.parametrize("kind", ["link", "link to a folder", "pipe", "hidden"])
def test_what_is_no_model_file_is_not_opened(place, kind):
    target = place.inputs / ".hidden" if kind == "hidden" else place.inputs / "inner.inc"
    if kind == "pipe":
        os.mkfifo(target)  # opening it would never end
    elif kind == "hidden":
        target.write_text(CARD)
    else:
        target.symlink_to(place.secret if kind == "link" else place.elsewhere)
    path = place.inputs / "top.lib"
    path.write_text(f".include {target.name}{'/secret' if kind == 'link to a folder' else ''}\n")
    refuse(place, path)


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link to a device", "nothing"])
def test_what_is_no_file_is_no_library(place, kind):
    path = place.inputs / "a.lib"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "link to a device":
        path.symlink_to("/dev/zero")
    refuse(place, Path("/dev/zero") if kind == "device" else path)


def test_files_that_multiply(place):
    """Each includes the next one twice: 2^30 of the last."""
    for k in range(30):
        (place.inputs / f"{k}.inc").write_text(f".include {k + 1}.inc\n" * 2)
    (place.inputs / "30.inc").write_text("* nothing\n")
    assert "nested files" in refuse(place, place.inputs / "0.inc")


def test_a_chain_that_is_too_deep(place):
    for k in range(60):
        (place.inputs / f"{k}.inc").write_text(f".include {k + 1}.inc\n")
    (place.inputs / "60.inc").write_text(CARD)
    assert "files deep" in refuse(place, place.inputs / "0.inc")


def test_a_cycle_through_sections(place):
    path = place.inputs / "a.lib"
    path.write_text(".lib a\n.lib a.lib b\n.endl\n.lib b\n.lib a.lib a\n.endl\n")
    assert "includes itself" in refuse(place, path, "a")


@pytest.mark.parametrize(
    "name", ["a\n.control", "a;b.lib", "$(touch x).lib", "`touch x`.lib", "{a}.lib", ".control/a.lib"]
)
def test_a_path_is_nothing_but_a_path(place, name):
    path = place.inputs / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(CARD)
    refuse(place, path)


def test_a_process_kit_in_folders_of_its_own_is_read(place):
    """What is refused above must not take good kits with it: `..`, links and variables to files called like models."""
    kit = place.inputs / "kit"
    for folder in ("top", "cells/nfet", ".store"):
        (kit / folder).mkdir(parents=True)
    (kit / "cells/nfet/nfet.corner.spice").write_text(CARD)
    (kit / ".store/more.lib").write_text(".param a=1\n")
    (kit / "top/linked.lib").symlink_to(kit / ".store/more.lib")
    top = kit / "top" / "all.lib"
    top.write_text('.lib tt\n.include "../cells/nfet/nfet.corner.spice"\n.include linked.lib\n.endl\n')
    with untouched(place):
        made = Technology.checked({"library_file": str(top), "section": "tt", "nmos_io": "mn"}, where="user.toml")
    assert made.section == "tt"
