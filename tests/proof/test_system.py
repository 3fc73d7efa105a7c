"""The check of a whole system: its circuits are those that the tables are read for, and it says what its cells were."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables

from rramkit import table
from rramkit.characterization import run
from rramkit.characterization.design import find_design, with_cells
from rramkit.circuits import libraries
from rramkit.circuits.compiled_cell import Form
from rramkit.circuits.device import Device
from rramkit.circuits.write_driver import DriverWriteParams
from rramkit.errors import InputError
from rramkit.proof import system
from rramkit.proof.spice_tile import array_cell
from rramkit.proof.system import _as_long_as, cells_used
from rramkit.table import HeldOut, Quantity


def design_file(form: Form = "never"):
    """A chip's tables with the plans of the default design, its cells in a form."""
    inputs = run.inputs(with_cells(find_design("design"), form), "ngspice")
    return replace(chip_tables(), provenance=inputs)


@pytest.mark.parametrize(("largest", "cells"), [((65, 96), 96), ((65, 97), 100), (None, None)])
def test_the_write_drivers_lines_are_as_long_as_the_arrays_rows(largest, cells):
    """Whole lumps of four: the driver's resistances in the table depend on the length."""
    (plan,) = find_design("write_driver_reset").blocks
    params = plan.nominal
    assert isinstance(params, DriverWriteParams)
    found = _as_long_as(params, largest)
    assert found.driver.lines.cells == (params.driver.lines.cells if cells is None else cells)
    unchanged = found.driver.lines.model_copy(update={"cells": params.driver.lines.cells})
    assert unchanged == params.driver.lines and found.cell == params.cell


def test_behavioural_cells_are_named_with_the_hash_of_their_library():
    used = cells_used(design_file(), "never")
    assert list(used) == ["arrays", "set", "reset"]
    hashes = {each.sha256 for each in used.values()}
    assert hashes == {libraries.sha256("rram_sky130.lib")}
    assert str(used["arrays"]) == f"behavioural (rram_sky130.lib {hashes.pop()[:12]})"


@pytest.mark.usefixtures("verilog_a")
def test_compiled_cells_are_those_of_arrays_and_of_pulses_whatever_the_plans_say():
    compiled = libraries.sha256(Device(compiled="always").model_file)
    for made_with in ("never", "always"):
        used = cells_used(design_file(made_with), "auto")
        assert [(each.compiled, each.library, each.sha256) for each in used.values()] == [
            (True, "rram_sky130.va", compiled)
        ] * 3
        assert not any(each.compiled for each in cells_used(design_file(made_with), "never").values())


@pytest.mark.usefixtures("verilog_a")
@pytest.mark.parametrize("model", ["jart", "vteam"])
def test_an_array_of_a_model_without_a_held_cell_in_verilog_a_is_not_compiled(model):
    device = Device(model=model)
    used = array_cell(device, "auto")
    assert not used.compiled and used.library == f"rram_{model}.lib"
    assert used.sha256 == libraries.sha256(used.library)
    with pytest.raises(InputError, match=rf"= always needs the held cell of {model} .*rram_{model}\.lib alone\. Use"):
        array_cell(device, "always")
    assert device.model_copy(update={"compiled": "auto"}).used().compiled  # the moving one is


def test_verify_takes_the_form_stores_it_and_prints_it(kit, tmp_path, monkeypatch):
    """ngspice's place is taken: what stands here is what the command hands on, writes and prints."""
    asked = []

    def check(tables, runner, *, seed, compiled_cells):
        del tables, runner, seed
        asked.append(compiled_cells)
        at = {"output": Quantity(np.arange(2.0), "1")}
        return {"code_forward": HeldOut(at, np.ones(2), np.ones(2), "1", limit_rms=0.5, limit_max=2.0, limit_p95=1.0)}

    path = tmp_path / "tables.h5"
    table.save(design_file(), path)
    monkeypatch.setattr(system, "check_system", check)
    code, out, error = kit("verify", str(path), "--system", "--compiled-cells", "never", "-q")
    assert code == 0, error
    assert asked == ["never"]
    sha256 = libraries.sha256("rram_sky130.lib")
    assert f"Cells: arrays behavioural (rram_sky130.lib {sha256[:12]}), set behavioural" in " ".join(out.split())
    cell = {"library": "rram_sky130.lib", "sha256": sha256, "compiled": False}
    assert json.loads(table.load(path).provenance["system_cells"]) == {"arrays": cell, "set": cell, "reset": cell}
    code, out, _ = kit("verify", str(path), "--system", "--json", "--compiled-cells", "never")
    assert code == 0 and json.loads(out)["cells"]["arrays"] == cell
