"""The transposable array behind transistor readouts: the same matrix, at a clamp instead of ground, and its price."""

from typing import Literal

import numpy as np
import pytest
from fixtures.closeness import near
from PySpice.Spice.Netlist import Circuit

from rramkit.characterization.components.periphery import (
    against_ideal,
    matrix,
    reciprocity,
    settled,
    supply_energy,
)
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.inventory import capacitance
from rramkit.circuits.periphery import (
    ALL_MODES,
    MODE_TABLE,
    Mode,
    OperateParams,
    PeripheryParams,
    SenseKind,
    account,
    add_periphery,
    control_levels,
    one_round,
    operate,
    operation,
    static_operations,
    unit_reads,
)
from rramkit.circuits.readout import ReadoutParams
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError

N = 2
STATES = np.random.default_rng(1).uniform(0.55, 0.8, (N, N))  # 10 to 30 uS
ROUND = range(2 * N + 1, 2 * N + 1 + len(ALL_MODES))


def bench(sense: SenseKind, *, reuse=True, t_step=0.25e-9, **given):
    bar = CrossbarParams(rows=N, cols=N)
    return OperateParams(
        periphery=PeripheryParams(crossbar=bar, sense=sense, reuse=reuse, **given),
        t_step=t_step,
        t_slot=25e-9,
        t_start=30e-9,  # the amplifiers' bias takes 20 ns to rise
    )


def operations(params):
    """The matrix forward and backward, a read of nothing, and (readouts) every mode once."""
    nothing = operation(params, "forward", codes=[0] * N)
    reads = [*unit_reads(params, "forward"), *unit_reads(params, "backward"), nothing]
    return reads if params.periphery.sense == "ideal" else [*reads, *one_round(params, ALL_MODES)]


@pytest.fixture(scope="module")
def runs(pool):
    found = {}
    kinds: tuple[tuple[SenseKind, bool], ...] = (("ideal", True), ("transimpedance", True), ("transimpedance", False))
    for sense, reuse in kinds:
        params = bench(sense, reuse=reuse)
        found[sense, reuse] = params, pool.run(operate(params, STATES, operations(params)).text())
    return found


def both(run, seen: Literal["current", "output"] = "current"):
    params, waves = run
    return matrix(waves, params, "forward", seen=seen), matrix(waves, params, "backward", first=N, seen=seen)


def test_the_readouts_see_the_matrix_of_the_probes(runs):
    for ideal, found in zip(both(runs["ideal", True]), both(runs["transimpedance", True]), strict=True):
        line = against_ideal(found, ideal)
        # The access transistors' gates stand 2.7 V above their source where the input pulls it down, not 2.5 V: 1.2 %.
        assert line.gain == near(1, within=0.02)
        # What open p transistors leak into a line at 0 V (their drain then 3.3 V below their gate), and not at 0.3 V.
        assert -1.2e-6 < line.offset < -0.4e-6
        assert line.residual < 0.1e-6  # S; a sixteenth of the range is 1.3e-6


def test_a_read_of_nothing_shows_leakage_and_offset(runs):
    params, ideal = runs["ideal", True]
    leak = settled(ideal, params, "i_sense_0")[2 * N]
    assert 0.1e-6 < leak < 0.3e-6
    params, waves = runs["transimpedance", True]
    assert abs(settled(waves, params, "i_sense_0")[2 * N]) < 0.05e-6
    rest = params.periphery.readout.v_clamp
    line, output = (settled(waves, params, name)[2 * N] - rest for name in ("v_col_0", "v_out_0"))
    assert abs(line) < 0.2e-3  # the amplifier's systematic offset
    assert output == near(line, within=0.5e-3)  # and no more than that, but for the leakage on 8 kohm


def test_the_outputs_say_what_the_currents_are(runs):
    params, waves = runs["transimpedance", True]
    readout = params.periphery.readout
    for unit in params.periphery.units:
        i = -settled(waves, params, f"i_sense_{unit}")
        drop = settled(waves, params, f"v_out_{unit}") - settled(waves, params, f"v_col_{unit}")
        # Ohm's law over the feedback, where the unit serves a column; the sense switch's 100 ohm add to 8 kohm.
        forward = [0, 1, 2 * N, ROUND.start]
        np.testing.assert_allclose(drop[forward], i[forward] * readout.r_feedback, rtol=0.02, atol=1e-5)


def test_forward_and_backward_stay_near_transposes(runs):
    ideal, real = (reciprocity(*both(runs[sense, True])) for sense in ("ideal", "transimpedance"))
    # 0.2 % with probes; the amplifiers hold their lines to a loop gain of about 100, and the access transistors' source
    # stands at 0.1 V one way and nearer the clamp the other: 0.5 %.
    assert ideal < 0.004
    assert ideal < real < 0.01
    assert reciprocity(*both(runs["transimpedance", True], "output")) < 0.01


def test_a_shared_unit_reads_like_two_of_its_own(runs):
    for shared, own in zip(both(runs["transimpedance", True]), both(runs["transimpedance", False]), strict=True):
        # What differs is one open switch on the bus, and what it leaks.
        np.testing.assert_allclose(own, shared, rtol=0, atol=0.05e-6)


def test_reads_are_settled_and_the_clamp_holds_through_the_modes(runs):
    params, waves = runs["transimpedance", True]
    for slot in range(ROUND.stop):
        window = params.t_start + (slot + np.array([0.75, 0.95])) * params.t_slot
        inside = (waves["time"] > window[0]) & (waves["time"] < window[1])
        for unit in params.periphery.units:
            assert np.ptp(waves[f"v_out_{unit}"][inside]) < 1e-3  # of a full scale of 0.7 V
    assert np.max(np.abs(settled(waves, params, "v_col_1")[: 2 * N + 1] - 0.3)) < 0.21  # driven or at the clamp
    assert abs(settled(waves, params, "v_col_1")[ROUND.start + 2]) < 1e-3  # grounded, not at the clamp: an update


def test_reads_move_nothing_and_writes_write(runs):
    params, waves = runs["transimpedance", True]
    states = settled(waves, params, "state_0_0")
    assert np.ptp(states[: 2 * N + 1]) < 1e-4
    assert states[ROUND.start + 2] > states[ROUND.start + 1] + 0.005


def test_the_account_of_the_reuse(runs):
    with_reuse, without = (
        account(runs["transimpedance", reuse][0], reuse=reuse, modes=ALL_MODES) for reuse in (True, False)
    )
    ideal = account(runs["ideal", True][0], reuse=True, modes=ALL_MODES)
    ota = runs["transimpedance", True][0].periphery.readout.ota
    count = len(ota.sizes)  # no trim here
    assert with_reuse.transistors - ideal.transistors == N * count
    assert without.transistors - with_reuse.transistors == N * (count + 4 * 4)  # a converter has four switches of four
    area = sum(w * (length + 2 * 200e-9) for w, length in ota.sizes)
    assert with_reuse.area - ideal.area == near(N * area, rel=1e-9)
    assert with_reuse.ideal["sense unit"] == 0 and ideal.ideal["sense unit"] == N
    assert (with_reuse.capacitance, without.capacitance) == near((N * 0.48e-12, 2 * N * 0.48e-12), rel=1e-9)


def test_what_stands_costs_more_than_what_switches(runs):
    energies = {
        reuse: supply_energy(runs["transimpedance", reuse][1], bench("transimpedance"), ROUND)
        for reuse in (True, False)
    }
    assert energies[False] / energies[True] == near(2, 0.02)  # nothing powers an idle unit down
    params = bench("transimpedance")
    ota = params.periphery.readout.ota
    branches = 4 + ota.w_load / ota.w_bias_p + 2 * ota.w_sink / ota.w_bias_n  # bias, second stage, folded branches
    expected = N * ota.v_dd * ota.i_bias * branches * len(ROUND) * params.t_slot
    assert energies[True] == near(expected, rel=0.2)  # the current sources' output conductance, as in a readout
    assert energies[True] > 10 * account(params, reuse=True, modes=ALL_MODES).energy


@pytest.mark.parametrize(("rows", "cols"), [(2, 2), pytest.param(3, 4, marks=pytest.mark.long)])
def test_the_operating_point_is_where_the_transient_settles(pool, rows, cols):
    """From 3 x 3 up the KLU solver finds no operating point without the shunts of `SHUNTED_OPTIONS`."""
    bar = CrossbarParams(rows=rows, cols=cols)
    params = OperateParams(periphery=PeripheryParams(crossbar=bar, sense="transimpedance"), t_slot=25e-9, t_start=30e-9)
    states = np.random.default_rng(rows).uniform(0.55, 0.8, (rows, cols))
    asked: tuple[tuple[Literal["forward", "backward"], int], ...] = (("forward", rows), ("backward", cols))
    for direction, lines in asked:
        reads = unit_reads(params, direction)[:lines]
        static = pool.run(static_operations(params, states, reads).text())
        moving = pool.run(operate(params, states, reads[:1]).text())
        for unit in params.periphery.units:
            # 20 uV of a full scale of 0.7 V: what is left of the settling after 24 ns
            point, end = (settled(waves, params, f"v_out_{unit}")[0] for waves in (static, moving))
            assert point == near(end, within=20e-6)


def test_a_plateau_costs_no_steps_of_its_own(pool):
    """With a tolerance of 1e-13 A this very run takes 454 steps on the last plateau."""
    bar = CrossbarParams(rows=3, cols=3)
    params = OperateParams(periphery=PeripheryParams(crossbar=bar, subtract="digital"), t_step=0.5e-9)
    modes: tuple[Mode, ...] = ("memory read", "update set", "memory read", "update reset")
    waves = pool.run(
        operate(params, np.full((3, 3), 0.75), [operation(params, m, row=1, cols=(2,)) for m in modes]).text()
    )
    inside = (waves["time"] > 132e-9) & (waves["time"] < 158e-9)
    assert np.sum(inside) < 2 * 26e-9 / params.t_step


@pytest.mark.long
def test_half_the_step_changes_nothing(pool, runs):
    params = bench("transimpedance", t_step=0.125e-9)
    waves = pool.run(operate(params, STATES, operations(params)).text())
    for fine, found in zip(both((params, waves)), both(runs["transimpedance", True]), strict=True):
        np.testing.assert_allclose(fine, found, rtol=0, atol=0.02e-6)


def test_rails_rest_at_the_clamp_while_something_is_read():
    params = bench("transimpedance")
    levels = control_levels(params.periphery, one_round(params, ALL_MODES))
    assert levels["rail_rest"] == [0.3 * MODE_TABLE[mode].reads for mode in ALL_MODES]
    assert [levels[f"rail_{k}"][0] for k in range(4)] == near([0.3, 0.7 / 3, 0.5 / 3, 0.1], 1e-12)
    assert levels["rail_word"] == near([2.8, 2.8, 1.4, 2.8, 2.0], 1e-12)
    assert "rail_rest" not in control_levels(bench("ideal").periphery, one_round(params))


def test_the_difference_is_that_of_the_outputs(pool):
    params = bench("transimpedance", r_t=4e4)
    p = params.periphery
    waves = pool.run(operate(params, STATES, unit_reads(params, "forward")[:1]).text())
    outputs = [settled(waves, params, f"v_out_{unit}") for unit in p.units]
    difference = p.r_t / p.readout.r_feedback * (outputs[0] - outputs[1])
    assert np.max(np.abs(difference)) > 0.02
    np.testing.assert_allclose(
        settled(waves, params, "act_0"), 1 / (1 + np.exp(-difference / p.v_act)), rtol=0, atol=1e-4
    )


def test_capacitors_are_counted_in_the_netlist():
    circuit, readout = Circuit("count"), ReadoutParams(c_feedback=0.1e-12)
    params = PeripheryParams(crossbar=CrossbarParams(rows=2, cols=3), sense="transimpedance", readout=readout)
    add_periphery(circuit, params, np.full((2, 3), 0.5))
    assert capacitance(circuit) == near(3 * (readout.amplifier.c_miller + 0.1e-12), rel=1e-12)


def test_readouts_that_do_not_fit_are_refused():
    with pytest.raises(InputError, match="of mode transimpedance"):
        PeripheryParams.checked({"sense": "transimpedance", "readout": {"mode": "integrating"}}, where="here")
    with pytest.raises(InputError, match="must not exceed"):
        PeripheryParams.checked({"sense": "transimpedance", "v_read": 0.2, "readout": {"v_clamp": 0.15}}, where="here")
    other = {"ota": {"technology": Technology(corner="ff").model_dump()}}
    with pytest.raises(InputError, match="technology"):
        PeripheryParams.checked({"sense": "transimpedance", "readout": other}, where="here")
    params = bench("ideal")
    with pytest.raises(InputError, match="`seen`"):
        matrix(None, params, "forward", seen="output")  # pyright: ignore[reportArgumentType]
