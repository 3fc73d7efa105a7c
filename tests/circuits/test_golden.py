"""The golden decks: each block of the catalog has one, it is current, and a bare ngspice meets its expectations."""

import re
from pathlib import Path
from typing import Any

import pytest
from fixtures.closeness import near

from rramkit.characterization.golden import (
    COMMAND,
    FOLDER,
    circuit_text,
    deviations,
    expectations,
    golden,
    refined,
)
from rramkit.characterization.ngspice.library import SimulatorLibrary, find_library
from rramkit.characterization.program import find_program, run_bare
from rramkit.circuits import catalog
from rramkit.errors import InputError, SimulationError

DECKS = sorted(FOLDER.glob("*.cir"))
# Over 8 processor seconds each; their blocks run in the kit's own simulator in the tests of their components.
SLOW = {
    "adc_levels",
    "disturb",
    "multibit_read",
    "periphery",
    "periphery_codes",
    "write_driver_pulses",
    "write_driver_reset",
    "write_driver_set",
    "write_verify",
}


def decks_by_time() -> list[Any]:
    """The golden decks, those that take long in the long suite."""
    marks = {True: (pytest.mark.long,), False: ()}
    return [pytest.param(path, id=path.stem, marks=marks[path.stem in SLOW]) for path in DECKS]


@pytest.fixture(scope="module")
def bare() -> tuple[Path, SimulatorLibrary]:
    library = find_library()
    program = find_program(library)
    if program is None:
        pytest.skip("no ngspice program beside the library nor on PATH: `rramkit doctor` says how to get one")
    return program, library


@pytest.mark.parametrize("name", catalog.BLOCKS)
def test_every_block_has_a_current_golden_deck(name):
    path, block = FOLDER / f"{name}.cir", catalog.block(name)
    assert path.is_file(), f"no golden deck: run `{COMMAND} {name}`"
    text = path.read_text(encoding="utf-8")
    current = circuit_text(block.deck(block.parameters()).text())
    kept = circuit_text(text).replace("\n*\n\n", "\n\n", 1)
    assert kept == current, f"the golden deck is of an older generator: run `{COMMAND} {name}` and look at the numbers"


def test_every_golden_deck_has_a_block():
    assert {path.stem for path in DECKS} == set(catalog.BLOCKS)


@pytest.mark.parametrize("path", decks_by_time())
def test_bare_ngspice_meets_the_expectations(bare, path):
    text = path.read_text(encoding="utf-8")
    assert deviations(text, run_bare(bare[0], bare[1], text)) == []


def test_a_changed_circuit_is_caught(bare):
    """A state of 0.501 instead of 0.5: the read current of the golden cell moves by 0.6 %, six tolerances."""
    text = (FOLDER / "cell_read.cir").read_text(encoding="utf-8")
    changed = re.sub(r"(?m)^(X_cell .* s_0=)0\.5$", r"\g<1>0.501", text)
    assert changed != text
    found = deviations(changed, run_bare(bare[0], bare[1], changed))
    assert len(found) == 1 and "i_max must be" in found[0]


def test_every_tolerance_is_tight_enough_to_mean_something():
    for path in DECKS:
        wanted = expectations(path.read_text(encoding="utf-8"))
        sharp = [each for each in wanted if abs(each.value) > 20 * each.tolerance]
        assert len(sharp) >= max(1, len(wanted) // 4), path.name


def test_a_missing_measure_and_a_deck_without_expectations_are_told(bare):
    text = (
        "t\n* expect v_two = 2.0 +- 0.1 V\n\nV1 a 0 1\nR1 a 0 1\n.tran 1n 10n\n.meas tran v_one find v(a) at=5n\n.end\n"
    )
    run = run_bare(bare[0], bare[1], text)
    assert run.measures["v_one"] == near(1.0, 1e-9)
    assert deviations(text, run) == ["v_two was not measured"]
    assert "no expectation" in deviations("t\n.end\n", run)[0]


def test_a_bare_run_takes_one_thread(bare):
    """The start-up file of distributions asks for eight, and wins over the environment."""
    deck = "t\nV1 a 0 1\nR1 a 0 1\n.op\n.control\nrun\necho threads: $num_threads\n.endc\n.end\n"
    assert "threads: 1" in run_bare(bare[0], bare[1], deck).log.splitlines()


@pytest.mark.parametrize("name", ["readout", "readout_offset"])
def test_an_amplifier_starts_near_its_operating_point(bare, name):
    """Left to itself ngspice steps gmin, in some 2,000 iterations."""
    block = catalog.block(name)
    text = re.sub(r"(?m)^\.(?:meas|tran|dc).*\n", "", block.deck(block.parameters()).text()).replace(".end\n", "")
    assert text.count("\n.nodeset ") == 1
    near_it = run_bare(bare[0], bare[1], f"{text}.op\n.end\n")
    far = run_bare(bare[0], bare[1], f"{re.sub(r'(?m)^.nodeset.*', '', text)}.op\n.end\n")
    assert "gmin stepping" not in near_it.log and "gmin stepping" in far.log


def test_a_deck_that_does_not_run_is_no_golden_deck(bare):
    with pytest.raises(SimulationError):
        run_bare(bare[0], bare[1], "t\nV1 a 0 1\nX1 a 0 nosuch\n.op\n.end\n")


def test_a_block_without_measures_is_refused(bare):
    block = catalog.block("cell_read")
    deck = block.deck(block.parameters())
    bare_deck = type(deck)(**{**deck.__dict__, "measures": ()})
    with pytest.raises(InputError, match="`measures` must not be empty"):
        golden(bare_deck, bare[0], bare[1])


def test_refining_halves_the_step():
    deck = refined("t\n.options reltol=1e-4\n.tran 2e-10 1.000000000e-08 0 2e-10 uic\n.end\n")
    assert ".tran 1e-10 1.000000000e-08 0 1e-10 uic" in deck and "reltol=1e-05" in deck
