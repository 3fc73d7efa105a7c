"""The log of ngspice: messages of several lines, which of them change the numbers; warnings of a characterisation."""

import warnings

import pytest

from rramkit.characterization import simulator_log
from rramkit.characterization.components.cell import one_current
from rramkit.characterization.deck_file import DeckOptions, with_notes
from rramkit.characterization.design import plans_of, read_design, waived_by
from rramkit.characterization.engine.point import Point
from rramkit.characterization.engine.runner import Runner, silent
from rramkit.characterization.engine.store import Store
from rramkit.characterization.plan import Plan
from rramkit.errors import InputError, SimulationError, SimulatorWarning

HEADER = "*   i_cell_0 = i(v1) [A]   current\n"
DECK = "t\nV1 a 0 1\nD1 a 0 d\n.model d d is=1e-14 foo=3 bar=4\n.op\n.end\n"
LOG = [
    "Note: No compatibility mode selected!",
    "Circuit: a warning, ignored",
    "Warning: Model issue on line 4 :",
    ".model d d is=1e-14 foo=3 bar=4 ...",
    "unrecognized parameter (foo) - ignored",
    "unrecognized parameter (bar) - ignored",
    'Warning -- Version not specified on line "level=14"',
    "Setting version to 'default'.",
    "Warning: singular matrix:  check node a",
    "Note: Starting dynamic gmin stepping",
    "Warning: singular matrix:  check node a",
    "Warning: Dynamic gmin stepping failed",
    "warning, can't find model 'mn' from line",
    "m1 d d 0 0 mn w=1u l=1u",
    "Instance: a1   Message: WARNING: some error occurred during reading the data values",
    "Warning: toxe, toxp and dtox all given and toxe != toxp + dtox; dtox ignored.",
]


def test_each_warning_is_one_message_once():
    found = {message.text: message.changes for message in simulator_log.warnings(LOG, DECK)}
    card = "line 4 of the deck, `.model d d is=1e-14 foo=3 bar=4`"
    assert found == {
        f"{card}: unrecognized parameter (foo) - ignored": True,
        f"{card}: unrecognized parameter (bar) - ignored": True,
        "Version not specified on line \"level=14\" Setting version to 'default'.": False,
        "singular matrix:  check node a": False,
        "can't find model 'mn' from line `m1 d d 0 0 mn w=1u l=1u`": True,
        "a1 WARNING: some error occurred during reading the data values": True,
    }


def test_what_is_waived_is_left_out():
    waived = with_notes(DECK, DeckOptions(waive=("FOO", "version not", "singular", "can't find", "some error")))
    assert [message.text[-9:] for message in simulator_log.warnings(LOG, waived)] == ["- ignored"]


@pytest.mark.parametrize(
    ("log", "fatal"),
    [
        (["Error on line 3 or its substitute:", "r1 d 0 1k foo=3", "unknown parameter (foo) "],
         ("parse", "line 3 of the deck, `r1 d 0 1k foo=3`: unknown parameter (foo)")),
        (["Error in netlist line no. 2, new internal line no. 2:", "Undefined parameter [nosuch]"],
         ("parse", "line 2 of the deck: Undefined parameter [nosuch]")),
        (["Error: Transient op failed, timestep too small"],
         ("convergence", "Error: Transient op failed, timestep too small")),
        (["Warning: source stepping failed"], None),
    ],
)  # fmt: skip
def test_what_ends_a_run_is_one_message(log, fatal):
    assert simulator_log.fatal(log, DECK) == fatal


def test_measures_are_read_where_they_are_printed():
    log = ["x = 3", "Measurements for Transient Analysis", "x                   =  2.0e+00 at=  1.0e-08", "y = 5"]
    assert simulator_log.measures(log, ["x"]) == {"tran": {"x": 2.0}}


SHORT = "t\nV1 a 0 1\nR1 a b 0\nR2 b 0 1k\n.save i(v1)\n.op\n.end\n"


def point(deck):
    return Point(lambda: deck.replace("\n", f"\n{HEADER}", 1), one_current)


def test_a_characterisation_tells_each_warning_once_also_of_finished_points(pool, tmp_path):
    for _ in range(2):  # the second time from the store
        with Store(tmp_path / "x.points") as store, pytest.warns(SimulatorWarning, match="r1 is too small") as caught:
            runner = Runner(pool, silent, store=store)
            runner.run("stage", [point(SHORT), point(SHORT.replace("1k", "2k"))])
        assert len(caught) == 1
        assert runner.tally.failed == 0


def test_a_characterisation_stops_at_a_warning_that_changes_numbers_unless_it_is_waived(pool):
    deck = DECK.replace(".op", ".save i(v1)\n.op")
    with pytest.raises(SimulationError, match=r"unrecognized parameter \(foo\) - ignored \(and 1 more\)"):
        Runner(pool, silent).run("stage", [point(deck)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (outcome,) = Runner(pool, silent, waive=("(foo)", "(bar)")).run("stage", [point(deck)])
    assert outcome.values is not None


def test_the_waiver_of_a_plan_is_of_each_of_its_tables_and_stands_in_the_table_file(tmp_path):
    plan = Plan.checked({"waive": ["lamda"]}, where="test")
    assert waived_by(plan.expanded()) == ("lamda",)
    assert waived_by(plans_of({"plan": plan.as_json()})) == ("lamda",)
    (tmp_path / "x.toml").write_text('name = "x"\ncomponent = "line_switch"\nwaive = ["gama", "lamda"]\n')
    assert read_design(tmp_path / "x.toml").waive == ("gama", "lamda")
    with pytest.raises(InputError, match="waive"):
        Plan.checked({"waive": ["a\n.control"]}, where="test")
