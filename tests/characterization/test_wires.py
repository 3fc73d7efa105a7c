"""The wire model's fit gives known resistances back, within a few of its own standard errors."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, V_READ, read_table

from rramkit.array.cell_current import CellCurrent
from rramkit.characterization.components.wires import ArrayRead, WireParams, fit_wires, predicted

TRUE = {"r_row": 2.5, "r_col": 1.5, "r_drive": 80.0, "r_sense": 30.0}


@pytest.mark.parametrize("seed", range(3))
def test_known_resistances_come_back(seed):
    rng, current = np.random.default_rng(seed), CellCurrent.from_table(read_table())
    reads = []
    for direction in ("forward", "backward"):
        g, v = rng.uniform(G_LOW, G_HIGH, (24, 20)), rng.uniform(0, V_READ, (24 if direction == "forward" else 20, 6))
        clean = ArrayRead(direction, g, v, np.empty(0))
        i = predicted(current, TRUE, clean)
        reads.append(replace(clean, i_out=i + 1e-4 * np.max(i) * rng.standard_normal(i.shape)))
    found = fit_wires(WireParams(), current, reads)
    assert found.residual == near(1e-4, 0.15)  # of the largest current; 264 currents
    for name, value in TRUE.items():
        error = float(found.errors[name])
        assert 0 < error < 0.2 * value
        # five standard errors, which are right to first order: once in two million
        assert abs(float(found.parameters[name]) - value) < 5 * error
