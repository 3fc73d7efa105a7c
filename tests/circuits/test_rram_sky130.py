"""The ReRAM library against its published equations: in closed form, and integrated by SciPy."""

import numpy as np
import pytest
from fixtures.closeness import near
from scipy.integrate import solve_ivp

from rramkit import netlists

BOLTZMANN = 8.617333262e-5  # eV/K
TOX, TF_MIN, TF_MAX, TF_REF, I_K1, V_REF = 5.0, 3.3, 4.9, 4.7249, 6.140e-5, 0.430
R_SERIES = 5e3  # ohm: stands for the transistor


def current(v, s):
    f = TF_MIN + (TF_MAX - TF_MIN) * s
    return I_K1 * np.exp(-(TOX - f) / (TOX - TF_REF)) * np.sinh(v / V_REF)


def cell_voltage(v_drive, s):
    """Voltage across the cell behind `R_SERIES`, by bisection: the slow obvious way."""
    low, high = min(0.0, v_drive), max(0.0, v_drive)
    for _ in range(100):
        middle = (low + high) / 2
        if (v_drive - middle) / R_SERIES - current(middle, s) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def rates(_, y, v_drive):
    """The published ODE (device-level): state per ns and temperature per ns, with the kit's one-sided windows."""
    s, temperature = y
    v = cell_voltage(v_drive, s)
    f = TF_MIN + (TF_MAX - TF_MIN) * s
    gamma = 16.5 - 1.25 * (TOX - f) ** 3
    kt = BOLTZMANN * temperature
    drive = gamma * 0.25 / TOX * v
    grow = np.exp((-1.501 + drive) / kt) * 0.5 * (1 + np.tanh((1 - s) / 0.01))
    shrink = np.exp((-1.500 - drive) / kt) * 0.5 * (1 + np.tanh(s / 0.01))
    heating = (v * current(v, s) / 3.1825e-16 - (temperature - 300) / 0.23e-9) * 1e-9
    return [150 / (TF_MAX - TF_MIN) * (grow - shrink), heating]


def pulse_deck(state, v_pulse, width_ns):
    edges = f"pwl(0 0 1n {v_pulse} {1 + width_ns}n {v_pulse} {2 + width_ns}n 0)"
    return (
        f"pulse\n{netlists.text(netlists.RRAM_SKY130)}\nV1 a 0 {edges}\nR1 a te {R_SERIES}\n"
        f"X1 te 0 s rram_sky130 s_0={state}\n.options method=gear reltol=1e-5 abstol=1e-13 vntol=1e-7 chgtol=1e-18\n"
        f".save v(s)\n.tran 0.05n {4 + width_ns}n 0 0.05n uic\n.end\n"
    )


def reference(state, v_pulse, width_ns):
    y = [state, 300.0]
    ramp_up, ramp_down = (lambda t: v_pulse * t), (lambda t: v_pulse * (1 - t))
    for span, drive in ((1.0, ramp_up), (width_ns, lambda _: v_pulse), (1.0, ramp_down)):
        solution = solve_ivp(
            lambda t, y, drive=drive: rates(t, y, drive(t)), (0, span), y, method="LSODA", rtol=1e-8, atol=1e-10
        )
        y = solution.y[:, -1]
    return y[0]


@pytest.mark.parametrize(("state", "siemens"), [(1.0, 99e-6), (0.0, 0.29e-6)])
def test_read_conductance_anchors(pool, state, siemens):
    """The two anchors that follow from the published equations at 0.1 V, given to two digits, the second one cut."""
    deck = f"r\n{netlists.text(netlists.RRAM_SKY130)}\nV1 a 0 0.1\nX1 a 0 rram_sky130_held s_0={state}\n.op\n.end\n"
    i = -pool.run(deck)["i(v1)"][0]
    # gmin (1e-12 S) adds 3e-6 to the smaller of them
    assert i == near(current(0.1, state), 1e-5)
    assert i / 0.1 == near(siemens, 0.03)


@pytest.mark.parametrize(
    ("state", "v_pulse"),
    [(0.6, 1.9), (0.6, 2.0), (0.7, 2.2), (0.8, 2.4), (0.9, 2.6), (0.7, -1.8), (0.95, -2.4), (0.5, 1.2)],
)
def test_state_after_a_pulse_against_scipy(pool, state, v_pulse):
    found = pool.run(pulse_deck(state, v_pulse, 50))["v(s)"][-1]
    expected = reference(state, v_pulse, 50)
    # 0.1 % of the state's range, on changes of up to 30 %: the step error of gear at 0.05 ns is a tenth of it
    assert found == near(expected, within=1e-3)
    if abs(v_pulse) > 1.5:
        assert abs(expected - state) > 0.01  # the pulse does something, so the comparison means something


def test_reading_moves_nothing(pool):
    """1 us at 0.2 V, a hundred reads long, moves the state by less than 1e-8 of its range."""
    deck = pulse_deck(0.8, 0.2, 1000)
    waves = pool.run(deck)
    assert abs(waves["v(s)"][-1] - 0.8) < 1e-8
