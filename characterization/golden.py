"""Golden decks: one for each block of the catalog, its expected measures and their tolerances as comments in it.

`python -m rramkit.characterization.golden [BLOCK ...]` regenerates them with the bare ngspice program. An expectation
is a line `* expect NAME = VALUE +- TOLERANCE UNIT`. The tolerance is the uncertainty of the method itself: three times
the change when the time step is halved (where there is one) and reltol divided by ten, but at least 1e-3 of the value,
1e-5 of the largest measure of the same unit and the bench's own resolution, so that another ngspice or another
compiler still passes.
"""

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rramkit import netlists
from rramkit.characterization.ngspice.library import SimulatorLibrary, find_library
from rramkit.characterization.program import BareRun, find_program, run_bare
from rramkit.characterization.spice_numbers import spice_number
from rramkit.circuits import catalog
from rramkit.circuits.deck import Deck
from rramkit.errors import InputError, SetupError

FOLDER = netlists.FOLDER / "golden"
COMMAND = "python -m rramkit.characterization.golden"
OF_VALUE, OF_LARGEST, OF_REFINEMENT = 1e-3, 1e-5, 3.0
_EXPECT = re.compile(r"(?m)^\* expect (?P<name>\w+) = (?P<value>\S+) \+- (?P<tolerance>\S+) (?P<unit>\S+)$")
_GENERATED = re.compile(r"(?m)^\* (?:written by rramkit .*|expect .*|golden .*)\n")


@dataclass(frozen=True)
class Expectation:
    """What a measure must be, within what."""

    name: str
    value: float
    tolerance: float
    unit: str


def expectations(text: str) -> list[Expectation]:
    """Return the expectations that a golden deck's comments state."""
    matches = _EXPECT.finditer(text)
    return [Expectation(m["name"], float(m["value"]), float(m["tolerance"]), m["unit"]) for m in matches]


def deviations(text: str, run: BareRun) -> list[str]:
    """Return one line for each expectation of a golden deck that a run does not meet."""
    expected, lines = expectations(text), []
    if not expected:
        return [f"the deck states no expectation. Regenerate it: {COMMAND}"]
    for each in expected:
        value = run.measures.get(each.name)
        if value is None:
            lines.append(f"{each.name} was not measured")
        elif not abs(value - each.value) <= each.tolerance:
            lines.append(
                f"{each.name} must be {each.value:g} {each.unit} within {each.tolerance:.2g}; got {value:g}, "
                f"{abs(value - each.value) / each.tolerance:.1f} tolerances away"
            )
    return lines


def circuit_text(text: str) -> str:
    """Return a deck without what changes from version to version: version, generator and expectations."""
    return _GENERATED.sub("", text)


def golden(deck: Deck, program: Path, library: SimulatorLibrary) -> str:
    """Return a deck's text with the expectations that two runs of it, as it stands and refined, give."""
    text = deck.text()
    if not deck.measures:
        raise InputError(f"`measures` must not be empty in a golden deck; got none in {deck.title!r}. Add one.")
    runs = [run_bare(program, library, each).measures for each in (text, refined(text))]
    lines = [f"* golden deck of rramkit: {COMMAND}", *_expected_lines(deck, *runs)]
    head, blank, rest = text.partition("\n\n")
    return "\n".join([head, "*", *lines]) + blank + rest


def refined(text: str) -> str:
    """Return a deck with half the time step and a tenth of the relative tolerance."""

    def halved(match: re.Match[str]) -> str:
        step, stop, start, largest = (spice_number(word) for word in match[1].split())
        return f".tran {step / 2:.9g} {stop:.9e} {start:.9g} {largest / 2:.9g}"

    text = re.sub(r"(?m)^\.tran (\S+ \S+ \S+ \S+)", halved, text)
    return re.sub(r"reltol=(\S+)", lambda match: f"reltol={spice_number(match[1]) / 10:.9g}", text)


def _expected_lines(deck: Deck, measured: Mapping[str, float], finer: Mapping[str, float]) -> list[str]:
    units = {measure.name.lower(): measure.unit for measure in deck.measures}
    missing = [name for name in units if name not in measured or name not in finer]
    if missing:
        raise InputError(f"`measures` must all have values; got none for {', '.join(missing)} in {deck.title!r}.")
    lines, resolutions = [], {measure.name: measure.resolution for measure in deck.measures}
    for name, unit in units.items():
        largest = max(abs(measured[other]) for other, its in units.items() if its == unit)
        tolerance = max(
            OF_REFINEMENT * abs(finer[name] - measured[name]),
            OF_VALUE * abs(measured[name]),
            OF_LARGEST * largest,
            resolutions[name],
        )
        lines.append(f"* expect {name} = {measured[name]:.6e} +- {tolerance:.1e} {unit}")
    return lines


def main(names: Sequence[str]) -> None:
    """Write the golden decks of the named blocks, or of all."""
    library = find_library()
    program = find_program(library)
    if program is None:
        raise SetupError("an ngspice program is needed beside the library or on PATH; got none. Run `make setup`.")
    FOLDER.mkdir(exist_ok=True)
    for name in names or catalog.BLOCKS:
        block = catalog.block(name)
        path = FOLDER / f"{name}.cir"
        path.write_text(golden(block.deck(block.parameters()), program, library), encoding="utf-8")
        sys.stdout.write(f"{path}: {len(expectations(path.read_text(encoding='utf-8')))} expectations\n")


if __name__ == "__main__":
    main(sys.argv[1:])
