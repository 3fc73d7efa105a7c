import numpy as np
import pytest
from fixtures.synthetic import tables
from hypothesis import given
from hypothesis import strategies as st

from rramkit.errors import InputError, TableError
from rramkit.surrogate.grid import GridSurrogate, exact_pchip
from rramkit.table import Quantity, Table

FILE = tables()
SET = GridSurrogate(FILE["set"], "delta_g")
SIGNALS = [
    ("read", "i_cell"),
    ("set", "delta_g"),
    ("set", "energy"),
    ("reset", "delta_g"),
    ("reset", "energy"),
]


def _table(values, x0, x1):
    axes = {"x0": Quantity(np.asarray(x0, dtype=float), "S"), "x1": Quantity(np.asarray(x1, dtype=float), "V")}
    return Table(name="t", axes=axes, signals={"y": Quantity(np.asarray(values, dtype=float), "A")})


@pytest.mark.parametrize(("name", "signal"), SIGNALS)
def test_measured_points_come_back_and_resampling_stays_within_its_limit(name, signal):
    table = FILE[name]
    surrogate = GridSurrogate(table, signal)
    x0, x1 = (axis.values for axis in table.axes.values())
    values = table.signals[signal].values
    # every measured point is a grid point: only rounding may differ
    np.testing.assert_allclose(surrogate.at(x0[:, None], x1), values, rtol=0, atol=1e-12 * surrogate.full_scale)
    rng = np.random.default_rng(1)
    at = np.sort(rng.uniform(*surrogate.x0_range, 300)), np.sort(rng.uniform(*surrogate.x1_range, 300))
    error = np.abs(surrogate.at(at[0][:, None], at[1]) - exact_pchip(values, (x0, x1), at))
    assert surrogate.resampling_error <= 5e-4
    assert error.max() / surrogate.full_scale < 1e-3  # the claim of the module


def test_a_bilinear_signal_is_reproduced_on_uneven_axes():
    x0, x1 = np.array([0.0, 1.0, 5.0, 6.0]), np.array([-1.0, 0.0, 3.0])
    surrogate = GridSurrogate(_table(2.0 * x0[:, None] + np.zeros(3), x0, x1), "y")
    at = np.linspace(0.0, 6.0, 101)
    np.testing.assert_allclose(surrogate.at(at, 1.7), 2.0 * at, rtol=0, atol=1e-12)


@given(
    v=st.floats(0.8, 1.6),
    g=st.tuples(st.floats(4e-6, 90e-6), st.floats(4e-6, 90e-6)),
)
def test_set_raises_and_a_higher_cell_stays_higher_in_amplitude(v, g):
    low, high = min(g), max(g)
    assert SET.at(low, v) >= -1e-15  # S; rounding
    # monotone table along both axes -> monotone surrogate
    assert SET.at(low, v) >= SET.at(high, v) - 1e-15
    assert SET.at(low, min(v + 0.05, 1.6)) >= SET.at(low, v) - 1e-15


@given(x0=st.floats(-1.0, 2.0), x1=st.floats(-1.0, 2.0))
def test_outside_points_take_the_edge_and_are_counted(x0, x1):
    surrogate = GridSurrogate(_table([[0.0, 1.0], [2.0, 5.0]], [0.0, 1.0], [0.0, 1.0]), "y")
    outside = not (-1e-9 <= x0 <= 1 + 1e-9 and -1e-9 <= x1 <= 1 + 1e-9)
    assert surrogate.clamped(x0, x1) == int(outside)
    edge = surrogate.at(np.clip(x0, 0.0, 1.0), np.clip(x1, 0.0, 1.0))
    assert surrogate.at(x0, x1) == edge
    assert 0.0 <= edge <= 5.0


def test_broadcast_equals_loop():
    g, v = np.linspace(3e-6, 95e-6, 7), np.linspace(0.7, 1.7, 5)
    loop = np.array([[float(SET.at(one, two)) for two in v] for one in g])
    np.testing.assert_array_equal(SET.at(g[:, None], v), loop)
    assert SET.clamped(g[:, None], v) == sum(SET.clamped(one, two) for one in g for two in v)


def test_bad_input_is_named():
    with pytest.raises(TableError, match="lacks the signal `power`"):
        GridSurrogate(FILE["set"], "power")
    with pytest.raises(TableError, match="must have axes to be looked up along"):
        GridSurrogate(FILE["wires"], "r_row")
    with pytest.raises(InputError, match="must be finite"):
        SET.at(np.nan, 1.0)
