"""`rramkit setup`: what it prints of what is there, and one line where there is none."""

import json
from pathlib import Path

import pytest

from rramkit.characterization import program
from rramkit.characterization.ngspice import fetch, library
from rramkit.errors import SetupError


@pytest.fixture
def there(monkeypatch):
    """A library that `ensure` returns, and a program beside it or none."""

    def install(outcome, bare=None):
        def ensure(target, say):
            if isinstance(outcome, Exception):
                raise outcome
            say("fetching 46 ...")
            return outcome

        monkeypatch.setattr(fetch, "ensure", ensure)
        monkeypatch.setattr(program, "find_program", lambda _: bare)

    return install


FOUND = library.SimulatorLibrary(
    path=Path("/p/libngspice.so.0"), version=46, version_text="46", klu=True, xspice=True, osdi=True, openmp=True,
    origin="private prefix", spice_lib_dir=Path("/p"),
)  # fmt: skip


def test_it_says_what_it_does_where_the_library_is_and_how_a_deck_runs_by_hand(there, kit):
    there(FOUND, Path("/p/bin/ngspice"))
    code, out, err = kit("setup")
    assert (code, err) == (0, "ngspice: fetching 46 ...\n")
    assert out.splitlines() == [
        "ngspice 46 (private prefix, KLU): /p/libngspice.so.0",
        "a deck by hand: /p/bin/ngspice -b DECK.cir",
    ]
    code, out, err = kit("setup", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["program"] == "/p/bin/ngspice"


def test_a_missing_program_is_said_with_what_runs_a_deck(there, kit):
    there(FOUND)
    code, out, _ = kit("setup", "-q")
    assert (code, out) == (0, "/p/libngspice.so.0\n")
    assert "no ngspice program for decks by hand; `rramkit simulate DECK.cir` runs them" in kit("setup")[1]


def test_no_library_is_one_line(there, kit):
    there(SetupError("no network.\nConnect it"))
    assert kit("setup") == (1, "", "rramkit: no network. Connect it\n")


def test_a_checkout_without_links_is_refused_before_anything(there, kit, monkeypatch):
    there(AssertionError("fetched"))
    monkeypatch.setattr("rramkit.cli.setup.links_complaint", lambda: "no links. Fix them.")
    assert kit("setup") == (1, "", "rramkit: no links. Fix them.\n")
