"""Decks as text: a header that says everything, a body that a bare ngspice runs, and nothing smuggled in."""

import re
import subprocess
from dataclasses import replace

import pytest
from fixtures.closeness import near
from fixtures.waiting import BACKSTOP

from rramkit.characterization.deck_file import measure_labels, output_labels, read_deck
from rramkit.characterization.ngspice.library import find_library
from rramkit.characterization.program import find_program
from rramkit.circuits import catalog
from rramkit.errors import InputError
from rramkit.parameters import flat

FIRST = ("cell_read", "cell_write", "crossbar")  # every block runs in `test_golden`; here the form is the matter


def default_deck(name):
    block = catalog.block(name)
    return block.deck(block.parameters())


@pytest.fixture(params=sorted(catalog.BLOCKS))
def deck(request):
    return default_deck(request.param)


@pytest.fixture(params=FIRST)
def first_deck(request):
    return default_deck(request.param)


def _bare_ngspice() -> str:
    program = find_program(find_library())
    if program is None:
        pytest.skip("no ngspice program: only its library is there")
    return str(program)


def test_the_header_names_every_parameter_output_and_measure(deck):
    header = deck.text().partition("\n\n")[0]
    for name, value, unit, description in flat(deck.parameters, unsaid=False):
        assert re.search(rf"(?m)^\*   {re.escape(f'{name} = {value} {unit}')}\s+{re.escape(description)}$", header)
    labels = output_labels(deck.text())
    assert {name: (label.vector, label.unit) for name, label in labels.items()} == {
        out.name: (out.vector, out.unit) for out in deck.outputs
    }
    assert set(measure_labels(deck.text())) >= {measure.name for measure in deck.measures}


def test_outputs_of_one_name_or_one_vector_are_refused(first_deck):
    once, other = first_deck.outputs[0], replace(first_deck.outputs[0], name="other")
    for outputs, says in (((once, once), "one name each"), ((once, other), "one vector each")):
        with pytest.raises(InputError, match=says):
            replace(first_deck, outputs=outputs).text()


@pytest.mark.spice
def test_what_the_header_names_is_what_the_run_gives(first_deck, pool):
    deck = first_deck
    waves = pool.run(deck.text())
    assert waves.kind == deck.kind
    assert {out.name for out in deck.outputs} <= set(waves.vectors)
    assert set(waves.measures) == {measure.name for measure in deck.measures}


@pytest.mark.spice
def test_a_bare_ngspice_runs_it_and_agrees(first_deck, pool, tmp_path):
    deck = first_deck
    (tmp_path / "deck.cir").write_text(deck.text())
    done = subprocess.run(
        [_bare_ngspice(), "-b", "deck.cir"], cwd=tmp_path, capture_output=True, text=True, timeout=BACKSTOP, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "include" not in deck.text()
    printed = dict(re.findall(r"(?m)^(\w+)\s+=\s+(\S+)", done.stdout))
    ours = pool.run(deck.text()).measures
    assert ours
    for name, value in ours.items():
        # Both are ngspice's own seven digits; the solver (KLU or Sparse) may move the last ones.
        assert float(printed[name]) == near(value, 1e-4, within=1e-15)


@pytest.mark.parametrize("name", sorted(catalog.BLOCKS))
def test_the_text_is_the_same_every_time(name):
    deck = default_deck(name)
    assert default_deck(name).text() == deck.text() == deck.text()


@pytest.mark.parametrize("title", ["two\nlines", "a\r.control", "", "x" * 200, "`rm`", "a\x00b"])
def test_no_line_comes_in_through_the_title(title):
    deck = default_deck("cell_read")
    with pytest.raises(InputError, match="`title` must be one short line"):
        replace(deck, title=title).text()


def test_a_deck_file_finds_its_models_from_any_folder(tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "r.lib").write_text(".subckt one a b\nR1 a b 1\n.ends\n")
    (tmp_path / "x.cir").write_text("t\n.include models/r.lib\nV1 a 0 1\nX1 a 0 one\n.op\n.end\n")
    monkeypatch.chdir("/")
    text = read_deck(tmp_path / "x.cir")
    assert "R1 a b 1" in text and ".include" not in text


HOSTILE = {
    "control section": ".control\nshell touch canary\n.endc",
    "indented control section": "  .Control\n  shell touch canary\n  .endc",
    "command": "*# shell touch canary",
    "shell": ".shell touch canary",
    "unknown card": ".exec touch canary",
    "file source": ".model m filesource(file=secret.txt)",
    "program": '.model m d_process(process_file="canary.sh")',
    "vertical tab": "R9 a 0 1\x0b.control",
    "separator of another alphabet": "R9 a 0 1\u2028.control",
}


@pytest.mark.parametrize("line", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("nested", [False, True])
def test_a_deck_that_runs_or_opens_something_is_refused(tmp_path, line, nested):
    (tmp_path / "inner.inc").write_text(f"{line}\n", encoding="utf-8")
    body = ".include inner.inc" if nested else line
    (tmp_path / "x.cir").write_text(f"t\nV1 a 0 1\nR1 a 0 1\n{body}\n.op\n.end\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_deck(tmp_path / "x.cir")
    assert ", line " in str(caught.value)


def test_a_deck_without_an_end_and_with_any_title_is_taken(tmp_path):
    (tmp_path / "x.cir").write_text(".include is a title here\nV1 a 0 1\nR1 a 0 1\n.op\n")
    assert read_deck(tmp_path / "x.cir").rstrip().endswith(".end")
