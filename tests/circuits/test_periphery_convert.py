"""The transposable array's SAR converter: one instance turns forward and backward reads into codes."""

import re

import numpy as np
import pytest
from fixtures.closeness import near
from PySpice.Spice.Netlist import Circuit

from rramkit.characterization.components.adc import transitions
from rramkit.characterization.components.periphery import (
    codes,
    reference_energy,
    sampled_outputs,
    supply_energy,
)
from rramkit.circuits.adc import AdcBenchParams, transition_train
from rramkit.circuits.crossbar import CrossbarParams
from rramkit.circuits.inventory import capacitance
from rramkit.circuits.periphery import (
    ALL_MODES,
    EXAMPLE,
    CodedParams,
    Mode,
    OperateParams,
    PeripheryParams,
    account,
    add_periphery,
    converted_units,
    example,
    operate,
    operation,
    static_operations,
    unit_reads,
)
from rramkit.circuits.technology import Technology
from rramkit.errors import InputError

STATES = np.array([[0.66, 0.78], [0.74, 0.58]])  # 12 to 36 uS
N = 2


@pytest.fixture(scope="module")
def run(pool):
    """Unit reads forward and backward, a read of nothing, and an update in between."""
    params = CodedParams()
    reads = [*unit_reads(params, "forward"), *unit_reads(params, "backward")]
    operations = [*reads, operation(params, "update set"), operation(params, "forward", codes=[0] * N)]
    return params, operations, pool.run(operate(params, STATES, operations).text())


@pytest.fixture(scope="module")
def edges(pool, run):
    """The converter's own transition levels, from its own bench: those around the codes that were found.

    The others, which no code here needs, lie on the straight lines between.
    """
    params, operations, waves = run
    own = AdcBenchParams(sar=params.periphery.adc.sar)
    last = 2**own.sar.bits - 1
    found = codes(waves, params, operations)
    found = found[found >= 0]
    around = np.unique(np.clip(np.concatenate([[1, last], found - 1, found, found + 1]), 1, last))
    measured = transitions(pool.run(transition_train(own, codes=around).text()), own, around)
    return np.interp(np.arange(1, last + 1), around, measured)


def test_codes_of_both_directions_are_the_outputs_within_a_step(run, edges):
    params, operations, waves = run
    assert params.periphery.converters == ("0",)  # one converter for two units, which serve rows and columns
    found, outputs = codes(waves, params, operations), sampled_outputs(waves, params, operations)
    step = np.mean(np.diff(edges))
    by_code = np.concatenate([[edges[0] - step], edges, [edges[-1] + step]])
    read = found >= 0
    middles = (by_code[found[read]] + by_code[found[read] + 1]) / 2
    # Half a step is the quantisation, the rest the comparator's kickback and what 10 ns leave of the multiplexer's
    # settling: a quarter of a step each at the most.
    assert np.max(np.abs(middles - outputs[read])) < step
    forward, backward = found[:N], found[N : 2 * N]
    assert np.ptp(forward) > 6 and np.ptp(backward) > 6
    # Row i of the forward reads is column i of the backward ones: 0.5 % off each other, that is one code at the most.
    assert np.max(np.abs(forward - backward.T)) <= 1


def test_a_code_says_what_the_cell_conducts(run, edges):
    params, operations, waves = run
    readout, step = params.periphery.readout, np.mean(np.diff(edges))
    found = codes(waves, params, operations)[:N]
    v_out = (edges[found - 1] + edges[found]) / 2
    g = (v_out - readout.v_clamp) / readout.r_feedback / params.periphery.v_read
    held = 6.140e-5 * np.exp(-(1.7 - 1.6 * STATES) / 0.2751) / 0.430  # the cell at small voltage, its transistor not
    lsb = step / readout.r_feedback / params.periphery.v_read
    # The transistor and the switches in series take up to a tenth; sinh(0.2 V/0.43 V) gives 4 % more; one code.
    assert np.all(np.abs(g - held) < 0.1 * held + 1.5 * lsb)


def test_nothing_is_converted_but_what_is_read(run):
    params, operations, waves = run
    found = codes(waves, params, operations)
    assert np.all(found[2 * N] == -1) and np.all(found[[0, 1, 2, 3, 5]] >= 0)
    clock = np.interp(params.t_begin(2 * N) + np.linspace(0, params.t_slot, 4000), waves["time"], waves["v_x_0"])
    assert np.ptp(clock) < 0.2  # the plates rest while the array is written


def test_a_read_of_nothing_gives_the_code_of_the_clamp(run, edges):
    params, operations, waves = run
    at_rest = np.searchsorted(edges, params.periphery.readout.v_clamp)
    # The leakage of the lines' switches on 40 kohm is 2 mV, an amplifier's offset 1 mV: less than a step.
    assert np.all(np.abs(codes(waves, params, operations)[-1] - at_rest) <= 1)


def test_the_decks_own_measures_are_the_codes(run):
    params, operations, waves = run
    found = codes(waves, params, operations)
    for slot in range(N):
        for unit in range(N):
            assert waves.measures[f"code_{slot}_{unit}"] == near(found[slot, unit], within=0.01)


def test_energy_of_reference_and_amplifiers(run):
    params, _, waves = run
    reads, idle = (
        reference_energy(waves, params, range(2 * N)),
        reference_energy(waves, params, range(2 * N, 2 * N + 1)),
    )
    # Some 100 fF to 1 V for each of two conversions a slot (the converter's own bench: 0.1 to 0.3 pJ), and the first
    # slot charges the plates from nothing.
    assert 2 * N * N * 0.05e-12 < reads < 2 * N * N * 0.5e-12
    assert abs(idle) < 0.05e-12
    assert supply_energy(waves, params, range(2 * N)) > 10 * reads


def test_the_account_counts_converters_and_multiplexers():
    params = CodedParams()
    with_reuse, without = (account(params, reuse=reuse, modes=ALL_MODES) for reuse in (True, False))
    bare = CodedParams(periphery=params.periphery.model_copy(update={"convert": "none"}))
    plain, plain_without = (account(bare, reuse=reuse, modes=ALL_MODES) for reuse in (True, False))
    sar = params.periphery.adc.sar
    converter = 11 + 4 + 2 * sar.bits_max + 4  # latch, two sampling gates, drivers of plates and of the still array
    assert with_reuse.transistors - plain.transistors == converter + 4 * N  # and a gate of four for each unit
    assert without.transistors - plain_without.transistors == 2 * converter + 4 * 2 * N
    assert (with_reuse.adcs, without.adcs, plain.adcs) == (1, 2, 0)
    array = np.sum(sar.nominal_capacitors)
    assert with_reuse.capacitance - plain.capacitance == near(2 * array + 2 * sar.c_parasitic, 1e-9)
    assert with_reuse.energy > plain.energy and with_reuse.area < without.area


def test_the_energy_of_the_gates_follows_the_conversions():
    params = CodedParams()
    rounds: tuple[tuple[Mode, ...], ...] = (("forward",), ("forward", "forward", "forward"))
    one, three = (account(params, reuse=True, modes=modes) for modes in rounds)
    bare = CodedParams(periphery=params.periphery.model_copy(update={"convert": "none"}))
    base = [account(bare, reuse=True, modes=modes).energy for modes in rounds]
    # Nothing of the array's own switches moves between equal modes; every conversion costs the same.
    assert three.energy - base[1] == near(3 * (one.energy - base[0]), 1e-9)


def test_without_reuse_only_the_sensed_side_is_converted():
    params = CodedParams(periphery=CodedParams().periphery.model_copy(update={"reuse": False}))
    assert params.periphery.converters == ("row_0", "col_0")
    sensed = {mode: converted_units(params.periphery, operation(params, mode, codes=[0] * N)) for mode in EXAMPLE}
    assert sensed["forward"] == sensed["memory read"] == ["col_0", "col_1"]
    assert sensed["backward"] == ["row_0", "row_1"]
    assert sensed["update set"] == sensed["update reset"] == sensed["memory write"] == []


@pytest.mark.parametrize("mode", EXAMPLE)
def test_the_same_netlist_converts_in_every_mode(mode):
    stimuli = re.compile(r"V_(ctl|rail|adc)_\w+ ")
    kept = []
    for one in (mode, "forward"):
        lines = example(CodedParams(mode=one)).text().splitlines()
        circuit = [line for line in lines if not line.startswith(("*", ".meas")) and not stimuli.match(line)]
        kept.append([line for line in circuit if not line.startswith(".tran")])
    assert kept[0] == kept[1]
    assert sum(line.startswith("X_adc_") for line in kept[0]) == 1


def test_converters_are_named_by_their_units():
    periphery = PeripheryParams(
        crossbar=CrossbarParams(rows=5, cols=3), sense="transimpedance", convert="sar", adc_share=2
    )
    assert periphery.converters == ("0", "1", "2")
    assert [periphery.converter(unit) for unit in periphery.units] == ["0", "0", "1", "1", "2"]
    circuit = Circuit("count")
    add_periphery(circuit, periphery, np.full((5, 3), 0.5))
    assert capacitance(circuit) > 3 * 2 * np.sum(periphery.adc.sar.nominal_capacitors)


def test_what_does_not_fit_is_refused():
    with pytest.raises(InputError, match="a probe has no output"):
        PeripheryParams.checked({"convert": "sar"}, where="here")
    other = {"sar": {"latch": {"technology": Technology(corner="ff").model_dump()}}}
    with pytest.raises(InputError, match="adc must be in the cells' technology"):
        PeripheryParams.checked({"sense": "transimpedance", "convert": "sar", "adc": other}, where="here")
    with pytest.raises(InputError, match="t_slot must hold t_settle and 2 conversions"):
        OperateParams.checked({"periphery": {"sense": "transimpedance", "convert": "sar"}}, where="here")
    params = CodedParams()
    with pytest.raises(InputError, match="`convert` must be none in a static sweep"):
        static_operations(params, STATES, unit_reads(params, "forward"))
