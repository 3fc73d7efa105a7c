"""ngspice's reason: the line's text, its sentence, and file and line in the user's own file."""

from rramkit.characterization.simulator_log import fatal

DECK = "t\n* file a.cir, line 2\nX1  A 0 nosuch\n\nV1 a 0 1\nB1 b 0 v=foo(v(a))\n.op\n.end"


def test_a_card_that_ngspice_repeats_is_given_with_its_file_and_line():
    said = ["Error: unknown subckt: x1 a 0 nosuch"]
    assert fatal(said, DECK) == ("parse", "a.cir, line 2: Error: unknown subckt: x1 a 0 nosuch")
    twice = DECK.replace("V1 a 0 1", "x1 a 0 nosuch")
    assert fatal(said, twice) == ("parse", said[0])  # which of the two is not known


def test_a_line_that_ngspice_counts_is_given_with_its_text():
    reason, text = fatal(["Error: no such function 'foo' at line 5"], DECK) or ("", "")
    assert reason == "parse"
    assert text.startswith("Error: no such function 'foo' at a.cir, line 5, `B1 b 0 v=foo(v(a))`")


def test_a_run_without_an_operating_point_names_the_node():
    log = ["Warning: singular matrix:  check node v1#branch"] * 2 + ["Error: Transient op failed, timestep too small"]
    assert fatal(log, DECK) == ("convergence", f"{log[-1]} (singular matrix: check node v1#branch)")
    assert fatal(log[-1:], DECK) == ("convergence", log[-1])
