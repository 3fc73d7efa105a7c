"""Decks that somebody sends: what runs, writes or reads elsewhere is refused; what is run touches nothing."""

import pytest
from fixtures.watched import Untouched, untouched

from rramkit.characterization.deck_file import read_deck
from rramkit.errors import InputError, SimulationError

CIRCUIT = "V1 a 0 1\nR1 a 0 1k\n.op\n"
REFUSED = {
    "control section": ".control\nshell touch CANARY\n.endc",
    "control section in capitals, indented": "\t.Control\n\tshell touch CANARY\n\t.Endc",
    "command comment": "*# shell touch CANARY",
    "command comment, indented": "  *# shell touch CANARY",
    "bare command": ".shell touch CANARY",
    "script": ".exec CANARY",
    "back quotes": "R2 a 0 `touch CANARY`",
    "file source": 'A1 %v([a]) m\n.model m filesource(file="SECRET")',
    "file source between commas": 'A1 %v([a]) m\n.model m,filesource(file "SECRET")',
    "process": '.model m d_process(process_file="/usr/bin/touch")',
    "shared object": '.model m d_cosim(simulation="./x.so")',
    "device simulator": '.model m numd level=1\n+ output rootfile="CANARY"',
    "file of an initial state": 'D1 a 0 m ic.file = "SECRET"',
    "secret included": ".include SECRET",
    "secret included by dots": ".include ../elsewhere/secret",
    "secret included by a variable": ".include $RRAMKIT_HOSTILE/secret",
    "secret as a section": ".lib SECRET tt",
    "password file": ".include /etc/passwd",
    "device": ".include /dev/stdin",
    "include without a name": ".include",
    "include split by a continuation": ".include\n+ SECRET",
    "next line of a line separator": "R2 a 0 1k\u2028.control",
    "vertical tab": "R2 a 0 1k\x0b.control",
    "commands in a nested file": ".include nested.inc",
    "continuation that changes a nested card": '.include model.inc\n+ filesource(file "SECRET")',
    "saving a script": ".write CANARY",
    "another deck's title": ".inc nested.inc",
}
RUN = {
    "control behind a form feed in a comment": "* \x0c.control\n* \x0cshell touch CANARY\n* \x0c.endc\n",
    "command behind a line separator in a comment": "* \u2028*# shell touch CANARY\n",
    "command behind a next-line mark in a comment": "* \x85.include SECRET\n",
    "include in a comment": "* .include SECRET\n$ .include SECRET\n",
    "include behind a comment mark": "R2 a 0 1k ; .include SECRET\nR3 a 0 1k $ .include SECRET\n",
    "print to a file": ".print op v(a) > CANARY\n",
    "plot to a file": ".plot op v(a) >CANARY\n",
    "measure": ".meas op x param='1' > CANARY\n",
    "node called like a command": "R2 shell 0 1k\nR3 shell a 1k\n",
    "end in the middle": ".end\n.control\nshell touch CANARY\n.endc\n",
}
TITLES = {
    "include": ".include SECRET",
    "control": ".control",
    "include in quotes": '.include "SECRET"',
    "command comment behind a mark": "\ufeff*# shell touch CANARY",
    "nothing": "",
    "blanks": "   ",
    "form feed": "a\x0c.control",
}


@pytest.fixture
def place(tmp_path, monkeypatch) -> Untouched:
    place = Untouched(tmp_path)
    monkeypatch.chdir(place.work)
    monkeypatch.setenv("RRAMKIT_HOSTILE", str(place.elsewhere))
    (place.inputs / "nested.inc").write_text(place.place("R9 a 0 1k\n.control\nshell touch CANARY\n.endc\n"))
    (place.inputs / "model.inc").write_text("A9 %v([a]) m\n.model m\n")
    return place


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_deck_must_not_hold(place, name):
    path = place.inputs / "deck.cir"
    path.write_text(f"a deck\n{CIRCUIT}{place.place(REFUSED[name])}\n.end\n")
    with untouched(place), pytest.raises(InputError) as caught:
        read_deck(path)
    assert "\n" not in str(caught.value) and "top_secret" not in str(caught.value)


@pytest.mark.spice
@pytest.mark.parametrize("name", [*RUN, *(f"title: {name}" for name in TITLES)])
def test_what_is_run_touches_nothing(pool, place, name):
    """Where it is refused instead, by the kit or by ngspice, that is good too."""
    title = TITLES[name.removeprefix("title: ")] if name.startswith("title: ") else "a deck"
    path = place.inputs / "deck.cir"
    path.write_text(place.place(f"{title}\n{CIRCUIT}{RUN.get(name, '')}.end\n"))
    found = None
    with untouched(place):
        try:
            found = pool.run(read_deck(path))
        except (InputError, SimulationError):
            assert name in ("title: command comment behind a mark", "end in the middle", "measure")
    if found is not None:
        assert found["v(a)"][-1] == 1.0 and "v(top_secret)" not in found.vectors
