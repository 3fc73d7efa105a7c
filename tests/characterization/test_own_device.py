"""A device of the user's own, characterised: tables hold its closed forms, and its library is part of their inputs."""

import json
from pathlib import Path

import numpy as np
import pytest

from rramkit.characterization.design import cell_plan_of
from rramkit.characterization.plan import Plan
from rramkit.characterization.run import RunOptions, characterize, reusable
from rramkit.characterization.verify import verify
from rramkit.circuits import libraries
from rramkit.table.schema import READ

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_device"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The example's plan on coarser grids, its library in a folder of its own."""
    folder = tmp_path_factory.mktemp("own")
    library = folder / "mydev.lib"
    library.write_text((EXAMPLE / "mydev.lib").read_text())
    with pytest.MonkeyPatch.context() as there:
        there.chdir(EXAMPLE)
        plan = Plan.from_toml(EXAMPLE / "plan.toml")
    values = plan.model_dump(mode="json", exclude_unset=True)
    values["cell"]["device"]["library"] = str(library)
    values["conductance"] |= {"points": 5, "read_points": 6}
    for polarity in ("set", "reset"):
        values[polarity] |= {"points": 5, "held_out": 6}
    values["wires"] = {
        "crossbar": {"rows": 4, "cols": 4},
        "fit_arrays": 1,
        "held_out_arrays": 1,
        "rows_max": 6,
        "cols_max": 8,
        "vectors": 3,
    }
    # ten times what grids as coarse as these leave: this test is about the same device, not about a good table
    values["limits"] = {f"{name}_{kind}": 0.05 for name in ("delta_g", "energy") for kind in ("rms", "max")}
    plan = Plan.checked(values, where="test")
    path = folder / "own.h5"
    return plan, path, library, characterize(plan, path, RunOptions(workers=1))


def test_the_read_table_is_the_cells_ohmic_law(made):
    """A linear device behind a transistor that is nearly linear in 0.1 V: i/v is the table's own conductance."""
    read = made[3]["read"]
    g, v = read.axes[READ.g_cell].values, read.axes[READ.v_cell].values
    i = read.signals[READ.i_cell].values
    away = np.abs(v) > 0.02
    # the transistor's square law bends 1 kohm in 20 kohm by a few per cent
    np.testing.assert_allclose(i[:, away] / v[away], np.broadcast_to(g[:, None], i[:, away].shape), rtol=0.02)


def test_set_raises_and_reset_lowers(made):
    tables = made[3]
    for polarity, sign in (("set", 1), ("reset", -1)):
        change = sign * tables[polarity].signals["delta_g"].values
        assert np.min(change) > -1e-9  # S: a read is settled to so much
        assert np.max(change) > 10e-6  # the strongest pulse moves it by a fifth of the window


def test_verify_simulates_the_same_device_again(made):
    found = verify(made[3], seed=9, points=4, workers=1)
    assert {"read.i_cell", "set.delta_g", "reset.delta_g"} <= set(found)
    assert all(points.passed for points in found.values())


def test_an_edited_library_is_another_device(made):
    plan, path, library, tables = made
    assert cell_plan_of(tables.provenance) == plan
    assert json.loads(tables.provenance["models"])["mydev.lib"] == libraries.sha256(plan.cell.device.model_file)
    assert reusable(plan, path) is not None
    before = library.read_text()
    library.write_text(before.replace("k=3e7", "k=3.1e7"))
    try:
        assert reusable(plan, path) is None
    finally:
        library.write_text(before)
