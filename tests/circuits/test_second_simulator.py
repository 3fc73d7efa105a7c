"""Golden decks in a second, independent simulator, with compiled cells: what they expect holds there, too.

Nothing is shared with ngspice but the texts: other BSIM4 code, other integration, another solver; cells from Verilog-A
in place of behavioural sources. Left out are decks with sources of free expressions (inputs that follow a sweep,
converters' references), which VACASK does not have.
"""

from pathlib import Path

import pytest
from oracles import vacask

from rramkit.characterization.golden import FOLDER, expectations
from rramkit.circuits import catalog
from rramkit.circuits.device import in_form

DECKS = (
    "cell_write",
    "crossbar",
    "crossbar_driver_write",
    "crossbar_write",
    "device_pulse",
    "disturb",
    "disturb_cell",
    "droop",
    "level_shifter",
    "line_switch",
    "readout",
    "row_driver",
    "row_driver_serial",
    "write_driver_pulses",
    "write_driver_reset",
    "write_driver_set",
    "write_verify",
)
DERIVED = {"crossbar_driver_write": 4, "crossbar_write": 4}  # measures (1) that are differences of others
# Tolerances of the deck (1). The cards say BSIM4 4.0, of which ngspice has its own code; VACASK has 4.8 alone. Where a
# RESET pulse takes away more than half of a cell's current that is 0.2 %; ngspice with 4.8 on the cards has VACASK's.
WIDER = {"write_driver_reset": 3.0}


@pytest.fixture(scope="module")
def program() -> Path:
    found = vacask.find()
    if found is None:
        pytest.skip(f"no second simulator: vacask is not on PATH, and {vacask.VARIABLE} does not name it")
    return found


@pytest.mark.long
@pytest.mark.parametrize("name", DECKS)
def test_golden_expectations_hold_in_another_simulator(name, program, verilog_a, tmp_path):
    block = catalog.block(name)
    text = block.deck(in_form(block.parameters(), "always")).text()
    libraries = sorted(verilog_a.glob("*.osdi"))
    found = vacask.measures(text, vacask.run(program, text, libraries, tmp_path))
    expected = expectations((FOLDER / f"{name}.cir").read_text(encoding="utf-8"))
    assert len(expected) - len(found) == DERIVED.get(name, 0)
    far = [
        f"{each.name}: {found[each.name]:g}, expected {each.value:g} +- {each.tolerance:.2g} {each.unit}"
        for each in expected
        if each.name in found and not abs(found[each.name] - each.value) <= each.tolerance * WIDER.get(name, 1.0)
    ]
    assert far == []


def test_a_deck_is_flattened_and_what_is_strange_is_refused():
    """Subcircuits in their places, their parameters and states as they arrive; no simulator needed."""
    deck = "\n".join(
        [
            "title",
            ".subckt inner a s s_0=0 r=1e3",
            ".model own cell_module x={r}",
            "Ncell a 0 s own y=2",
            ".ic v(s)={s_0}",
            "R_1 a mid {r}",
            ".ends",
            "X_one top state inner s_0=0.25",
            "V_in top 0 PWL(0s 0V 1e-9s 1.5V)",
            "V_flat flat 0 PWL(0s 2V)",
            ".options method=gear reltol=1e-4 itl4=50",
            ".save v(state) i(v_in)",
            ".tran 1e-10 2e-9 0 1e-10 uic",
            ".end",
        ]
    )
    lines = vacask.translated(deck, []).splitlines()
    assert "x_one_r_1 (top x_one_mid) r r=1000.0 " in lines
    assert "model x_one_ncell_own cell_module (x=1000.0)" in lines
    assert "x_one_ncell (top 0 state) x_one_ncell_own y=2.0" in lines
    assert 'v_in (top 0) vsource type="pwl" wave=[0.0, 0.0, 1e-09, 1.5]' in lines
    assert "v_flat (flat 0) vsource dc=2.0" in lines
    assert any(line.endswith('icmode="uic" ic={"state", 0.25}') for line in lines)
    assert any("tran_itl=50" in line and 'tran_method="gear2"' in line for line in lines)
    with pytest.raises(ValueError, match="b_1 is not translated"):
        vacask.translated(deck.replace("R_1 a mid {r}", "B_1 a mid v=1"), [])
