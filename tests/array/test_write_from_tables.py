"""Writes through the circuits' tables: which stages are on, each against a slow loop, energy, time, verify reads."""

from dataclasses import replace

import numpy as np
import pytest
from fixtures.chip_tables import (
    COLUMNS,
    E_CONVERSION,
    E_SWITCH,
    G_HIGH,
    LSB,
    R_BIT,
    R_FEEDBACK,
    R_SOURCE,
    ROWS,
    SENSE_SLOPE,
    SIGMA_LATCH,
    T_CONVERSION,
    T_READ,
    V_READ,
    V_REST,
    chip_tables,
    readout,
    transitions,
)
from fixtures.closeness import near
from fixtures.synthetic import tables
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles.source_line import volts_lost

from rramkit.array import UpdateChain, UpdateParams, VerifyParams, WriteVerify
from rramkit.array.write.disturb import DisturbParams, DisturbRate
from rramkit.array.write.droop import DroopParams
from rramkit.array.write.source_line import SourceLine
from rramkit.array.write.spread import SpreadParams
from rramkit.array.write.state import POLARITIES
from rramkit.array.write.update import IDEAL, OFF, STAGES
from rramkit.errors import InputError, TableError
from rramkit.table import Quantity, TableFile

CHIP = chip_tables()
SCATTERED = chip_tables(scatter=True)
EVERY = UpdateParams.from_tables(CHIP)
CHAIN = UpdateChain.from_tables(CHIP, UpdateParams.from_tables(CHIP, UpdateParams(schedule="row")))
SHAPE = (2, 5, 4)
CELLS = np.arange(np.prod(SHAPE))


def rng(seed=7):
    return np.random.default_rng(seed)


def start(chain, seed=3, shape=SHAPE):
    return chain.init(np.random.default_rng(seed).uniform(10e-6, 70e-6, shape), rng=rng())


def spoilt(file: TableFile, group: str, signal: str) -> TableFile:
    """Return the file with a signal that is not a number."""
    table = file[group]
    values = np.full_like(np.asarray(table.signals[signal].values), np.nan)
    signals = {**table.signals, signal: replace(table.signals[signal], values=values)}
    return replace(file, tables={**file.tables, group: replace(table, signals=signals)})


def test_every_stage_that_the_file_has_is_on_and_says_so():
    params = UpdateParams.from_tables(SCATTERED)
    assert params.origins() == {
        name: "table" if name in ("cycles", "write_driver", "droop", "disturb", "spread") else IDEAL for name in STAGES
    }
    assert params.disturb is not None and params.disturb.scheme == "gated"
    assert params.schedule == "cell"  # the driver is made for the current of one cell
    assert UpdateParams.from_tables(CHIP, off=("write_driver",)).schedule == "row"
    assert UpdateParams.from_tables(tables()).origins() == dict.fromkeys(STAGES, IDEAL)


def test_stages_are_left_out_by_name_and_typed_numbers_take_the_place_of_tables():
    off = UpdateParams.from_tables(SCATTERED, off=("write_driver", "cycles"))
    assert off.write_driver is None and not off.cycles
    assert off.origins()["write_driver"] == off.origins()["cycles"] == OFF
    typed = UpdateParams(droop=DroopParams(source_set=1.0), disturb=DisturbParams(set=DisturbRate(rate=1e-3)))
    kept = UpdateParams.from_tables(CHIP, typed)
    assert kept.droop == typed.droop and kept.disturb == typed.disturb
    assert kept.origins()["droop"] == kept.origins()["disturb"] == "typed"
    half = UpdateParams.from_tables(CHIP, UpdateParams(disturb=DisturbParams(scheme="half"))).disturb
    assert half is not None and (half.scheme, half.source) == ("half", "table")
    with pytest.raises(InputError, match=r"`off` must name stages of .*; got 'drop'"):
        UpdateParams.from_tables(CHIP, off=("drop",))


def test_a_file_without_the_groups_writes_as_before_bit_for_bit():
    plain = tables()
    old = UpdateChain.from_tables(plain)
    new = UpdateChain.from_tables(plain, UpdateParams.from_tables(plain))
    for polarity in POLARITIES:
        v_pulse = rng(5).choice(old.write(polarity).v_pulse, CELLS.size)
        a, b = (chain.step(start(chain), CELLS, v_pulse, polarity=polarity, rng=rng()) for chain in (old, new))
        np.testing.assert_array_equal(a.g_cell, b.g_cell)
        assert a.tally == b.tally


@pytest.mark.parametrize(
    ("group", "signal"),
    [
        ("write_driver_set", "v_settled"),
        ("write_driver_set", "r_source"),
        ("write_driver_set", "r_source_far"),
        ("write_driver_set", "r_bit"),
        ("write_driver_set", "t_cell"),
        ("write_driver_set", "energy"),
        ("write_driver_set", "energy_inhibit"),
        ("droop_set", "source"),
        ("droop_set", "bit"),
        ("disturb_set", "gated"),
        ("set", "energy"),
    ],
)
def test_what_is_not_a_number_stops_or_changes_a_write(group, signal):
    def written(file: TableFile) -> tuple[np.ndarray, float]:
        chain = UpdateChain.from_tables(file, UpdateParams.from_tables(file))
        v_pulse = np.full(3, CHAIN.write("set").v_pulse[40])
        after = chain.step(start(chain), np.array([0, 7, 9]), v_pulse, polarity="set", rng=rng())
        return after.g_cell, after.tally.energy

    whole = written(CHIP)
    try:
        other = written(spoilt(CHIP, group, signal))
    except (TableError, InputError, ValueError):
        return
    assert not (np.array_equal(whole[0], other[0]) and whole[1] == other[1])


def test_the_amplitudes_are_the_codes_of_the_driver():
    write = CHAIN.write("set")
    v_settled = 0.95 + (1.55 - 0.95) * np.arange(64) / 63 - 2e-3 * 65 / 65  # the table ends at lines of 65 cells
    np.testing.assert_allclose(write.v_pulse, v_settled, rtol=1e-9)
    between = np.array([0.3, 0.7]) * (v_settled[8] - v_settled[7]) + v_settled[7]
    np.testing.assert_array_equal(write.rounded(between), write.v_pulse[[7, 8]])
    with pytest.raises(InputError, match="must be within the table"):
        CHAIN.step(start(CHAIN), np.array([0]), np.array([1.7]), polarity="set", rng=rng())


def driver_at(v_pulse, current, polarity):
    """Return driver and other cells of the source line, driver of the bit line, at an amplitude and a current [ohm]."""
    v_high = 1.55 if polarity == "set" else 1.85
    ends = (10e-6 + 90e-6 * np.array([0.1, 0.9])) * v_pulse / v_high
    share = float(np.clip((current - ends[0]) / (ends[1] - ends[0]), 0.0, 1.0))
    r_near = R_SOURCE + 40.0 * np.array([0.1, 0.9])
    line = SourceLine.of(r_near, r_near + 0.8 * 65, r_segment=1.0, cells=65, r_neighbour=12.5e3)
    r_driver, r_access = (float(ends[0] + share * (ends[1] - ends[0])) for ends in (line.r_driver, line.r_access))
    return r_driver, r_access, R_BIT + 20.0 * (0.1 + 0.8 * share)


def by_loop(g, picked, v_pulse, polarity, *, g_row):
    """Return volts lost and energy of pulses at cells (row, column) of one array, cell by cell and slot by slot."""
    write, (source, bit) = CHAIN.write(polarity), {"set": (1.75, 0.08), "reset": (0.96, 1.0)}[polarity]
    lost, first = np.zeros(len(picked)), []
    for _ in range(2):
        current = [float(write.current(g[k : k + 1], v_pulse[k : k + 1], lost[k : k + 1])[0]) for k in range(len(g))]
        first = first or current  # the drivers' resistance is taken at the current of the first pass
        lost = np.zeros(len(picked))
        for k, (row, col) in enumerate(picked):
            # cells of one row and one amplitude are pulsed at once
            slot = [m for m in range(len(picked)) if picked[m][0] == row and v_pulse[m] == v_pulse[k]]
            drivers = [driver_at(v_pulse[m], first[m], polarity) for m in slot]
            drawn = np.zeros(2 * SHAPE[2] + 1)
            drawn[[picked[m][1] for m in slot]] = [current[m] for m in slot]
            g_cells = [g_row[row] / (1.0 + g_row[row] * each[1]) for each in drivers]
            r_driver = float(np.mean([each[0] for each in drivers]))
            volts = volts_lost(drawn, r_segment=1.0, r_driver=r_driver, g_cell=float(np.mean(g_cells)))
            lost[k] += source * volts[col]
            for m in slot:
                if picked[m][1] == col:
                    lost[k] += bit * current[m] * (SHAPE[1] - 1 - row)  # 1 ohm a segment
                    lost[k] += bit * current[m] * driver_at(v_pulse[k], first[k], polarity)[2]
    energy = []
    for k, (row, _) in enumerate(picked):
        e_cell = float(write.joules(g[k : k + 1], v_pulse[k : k + 1], lost[k : k + 1])[0])
        at_once = sum(other[0] == row and v_pulse[m] == v_pulse[k] for m, other in enumerate(picked))
        v_high, line = (1.55 if polarity == "set" else 1.85), 3.3**2 * 5e-15 * 65
        ends = (10e-6 + 90e-6 * np.array([0.1, 0.9])) * v_pulse[k] / v_high
        whole, cell = 3.3 * ends * 50e-9 + 1.5 * line, ends * v_pulse[k] * 50e-9
        slope = (whole[1] - whole[0]) / (cell[1] - cell[0])
        energy.append(max(whole[0] + slope * (e_cell - cell[0]), e_cell) + 4.0 * line / at_once)
    return lost, np.array(energy)


@pytest.mark.parametrize("polarity", POLARITIES)
def test_losses_and_energies_are_those_of_a_slow_loop(polarity):
    cells, write = start(CHAIN), CHAIN.write(polarity)
    flat = np.array([0, 2, 7, 9, 22, 31])
    # two amplitudes, so that cells of a row are pulsed in one slot and in two
    v_pulse = write.v_pulse[np.array([30, 30, 45, 30, 30, 45])]
    address = CHAIN.address(flat, SHAPE)
    picked = list(zip(address.row.tolist(), address.col.tolist(), strict=True))
    g = cells.g_cell.ravel()[flat]
    lost, energy = by_loop(g, picked, v_pulse, polarity, g_row=cells.g_cell.mean(axis=(0, 2)))
    after = CHAIN.step(cells, flat, v_pulse, polarity=polarity, rng=rng())
    # the tables' levels are interpolated between codes: to rounding and a thousandth of the losses
    width = np.array([1.0 - 0.04 * (1.0 - code / 63.0) + 0.002 for code in (30, 30, 45, 30, 30, 45)])
    expected = g + width * write.delta_g.at(g, v_pulse - lost)
    np.testing.assert_allclose(after.g_cell.ravel()[flat], np.clip(expected, *write.g_range), rtol=2e-4)
    np.testing.assert_allclose(after.energy.ravel()[flat], energy, rtol=1e-3)
    assert after.tally.energy == near(energy.sum(), rel=1e-3)
    slots = len({(row, v) for (row, _), v in zip(picked, v_pulse, strict=True)})
    assert after.tally.seconds == near(slots * 90e-9, rel=1e-9)  # the driver's slot, one after the other


def test_wires_get_worse_when_they_get_warm():
    hot = replace(CHIP["set"], conditions={**CHIP["set"].conditions, "temperature": Quantity(np.asarray(358.15), "K")})
    warm = UpdateChain.from_tables(replace(CHIP, tables={**CHIP.tables, "set": hot}), EVERY)
    assert warm.droop is not None and CHAIN.droop is not None
    assert warm.droop.r_row / CHAIN.droop.r_row == near(1.0 + 3.9e-3 * 58.0, rel=1e-9)


def test_disturb_of_the_file_is_a_product_over_its_events():
    params = UpdateParams(disturb=DisturbParams(scheme="half", source="table"))
    chain = UpdateChain.from_tables(CHIP, params)
    cells, v_pulse = start(chain), np.array([1.3])
    after = chain.step(cells, np.array([0]), v_pulse, polarity="set", rng=rng())
    before, moved = cells.g_cell, after.g_cell
    address = chain.address(CELLS, SHAPE)
    rate = 4e-8 * np.exp((1.3 - 1.2) / 0.1)
    shares = (address.row == 0).astype(float) + (address.col == 0)
    expected = before.ravel() * np.exp(rate * shares)
    expected[0] = moved.ravel()[0]
    # between the table's amplitudes its cubic is off by a few per cent of the change: 1e-7 of the conductance
    np.testing.assert_allclose(moved.ravel(), expected, rtol=2e-8)
    assert after.tally.half_selected == int(shares[1:].sum())


def test_pulses_scatter_as_the_file_says_and_devices_keep_their_level():
    chain = UpdateChain.from_tables(SCATTERED, UpdateParams.from_tables(SCATTERED, off=("droop", "write_driver")))
    shape, v = (2, 40, 50), CHAIN.write("set").v_pulse[40]
    cells = chain.init(np.full(shape, 20e-6), rng=rng())
    flat = np.arange(cells.g_cell.size)
    one, two = (
        chain.step(cells, flat, np.full(flat.size, v), polarity="set", rng=rng(seed)).g_cell.ravel() - 20e-6
        for seed in (1, 2)
    )
    mean = float(chain.write("set").mean(np.array([20e-6]), np.array([v]))[0])
    # quantiles at 0, 0.16, 0.5, 0.84, 1 of -3, -1, 0, 1, 3 sigma, linear between; 4,000 draws know a sigma to 1 %
    wide = np.sqrt(2 * (0.16 * (9 + 3 + 1) / 3 + 0.34 / 3))
    assert np.std(one - two) == near(wide * 0.1 * mean * np.sqrt(2.0), rel=0.05)  # devices cancel
    shared = np.corrcoef(one, two)[0, 1]
    assert shared == near(0.2**2 / (0.2**2 + 0.1**2), rel=0.05)
    assert one.mean() == near(mean, rel=0.02)


VERIFY = VerifyParams.from_tables(CHIP)
LOOP = WriteVerify.from_tables(CHIP, VERIFY, EVERY)


def test_verify_reads_go_through_the_chip_where_the_file_has_it():
    assert VERIFY.sense == "adc" and LOOP.reader is not None
    assert VerifyParams.from_tables(tables()).sense == "typed"
    assert VerifyParams.from_tables(CHIP, VerifyParams(sigma_read=0.01)).sense == "typed"
    assert VerifyParams.from_tables(CHIP, off=("sense",)) == VerifyParams()
    with pytest.raises(TableError, match="`sense` = adc needs the tables"):
        WriteVerify.from_tables(tables(), VerifyParams(sense="adc"))


def test_a_verify_read_is_a_code_of_the_adc():
    assert LOOP.reader is not None and LOOP.reader.adc is not None and LOOP.reader.gain is not None
    quiet = replace(
        LOOP.reader, noise=type(LOOP.reader.noise)(), adc=LOOP.reader.adc.model_copy(update={"v_noise": 0.0})
    )
    assert quiet.gain is not None
    quiet = replace(quiet, gain=quiet.gain.model_copy(update={"i_noise": (0.0,) * len(quiet.gain.i_noise)}))
    g = np.linspace(4e-6, G_HIGH, 200)
    r = R_FEEDBACK[-1]  # 28 kOhm: 8 uA of a cell at 80 uS are a third of its range
    levels = [float(transitions(np.array([code]))[0]) for code in range(1, 256)]
    expected = []
    for each in g:
        # the line is the cell alone; the fixture's own curve at the table's smallest line is 5 % of a step beside it
        v_out = float(readout(np.array(V_READ * each), r))
        code = sum(level <= V_REST + v_out for level in levels) - sum(level <= V_REST for level in levels)
        expected.append(code * LSB / (r * V_READ))
    seen = quiet.seen(g, None, rng=rng())
    step = LSB / (r * V_READ)
    off = np.abs(seen - np.array(expected)) / step
    assert np.mean(off < 0.5) > 0.97 and off.max() < 1.5  # of codes at a transition a few fall to its other side


def test_the_noise_of_a_verify_read_is_that_of_cell_readout_and_adc():
    assert LOOP.reader is not None
    g = np.full(20_000, 70e-6)
    seen = LOOP.reader.seen(g, None, rng=rng())
    r = R_FEEDBACK[-1]
    cell, circuit = 0.01 * 70e-6, np.hypot(10e-9 * 1.25 * (R_FEEDBACK[0] / r) ** 0.25 * r, 0.2e-3) / (r * V_READ)
    quantised = LSB / (r * V_READ) / np.sqrt(12.0)
    # 20,000 draws know a sigma to half a per cent; the fixture's levels are uneven by a third of a step
    assert np.std(seen) == near(np.sqrt(cell**2 + circuit**2 + quantised**2), rel=0.05)


def test_a_verify_read_costs_what_its_supplies_give_and_takes_its_units_turns():
    shape = (2, 3, 4)
    flat = np.array([0, 1, 12, 13, 6])  # both halves of pairs 0 and 1 in row 0, and one cell of row 1
    g = np.linspace(20e-6, 60e-6, 5)
    done = LOOP.reads(flat, g, shape)
    r, load = R_FEEDBACK[-1], COLUMNS * np.array([5e-6, 20e-6, 40e-6])
    top = V_READ * 1.0
    r_out = 12.0 * (1.0 + 0.02 * np.cos(31.0))
    i_row = top * load / (1.0 + r_out * load)
    e_row = 20e-15 + 0.9 * top * 500e-15 + 0.2 * V_REST * i_row * 45e-9
    slope, first = np.polyfit(load, e_row, 1)
    word = 0.1e-12 + 3.3**2 * 4e-15 * COLUMNS
    readouts = sum(1.8 * (100e-6 + V_READ * each) * 1.2 * T_READ for each in g)
    expected = 2 * (first + E_SWITCH + word) + slope * g.sum() + readouts + 5 * (E_CONVERSION + E_SWITCH)
    assert done.energy == near(expected, rel=5e-3)  # the readout's input resistance takes a little off its current
    assert done.reads == 5
    assert done.seconds == near(3 * (T_READ + T_CONVERSION), rel=1e-9)  # two turns in row 0, one in row 1
    assert r > 0


def test_write_verify_through_the_chip_ends_near_its_targets():
    target = rng().uniform(12e-6, 60e-6, (2, 10, 8))
    done = LOOP.program(np.full(target.shape, 8e-6), target, rng=rng())
    assert done.tally.reads >= done.tally.pulses > target.size
    # a code is 1 uS and the noise 0.6 uS: a cell that passes once is within two or three of either
    assert np.sqrt(np.mean(done.error**2)) < 1.5e-6
    assert not np.any(done.active)
    assert done.tally.seconds > done.tally.pulses * 90e-9 / 1.0001  # one cell a slot


def test_the_latch_shifts_all_cells_of_a_unit_alike_and_tells_the_side_only():
    params = VerifyParams(sense="latch", window=0.03)
    loop = WriteVerify.from_tables(chip_tables(without=("cell_noise",)), params, UpdateParams())
    assert loop.reader is not None
    assert loop.reader.sigma_latch == near(SIGMA_LATCH / SENSE_SLOPE, rel=1e-9)
    cells = loop.chain.init(np.full((2, 6, 40), 20e-6), rng=rng())
    flat = np.arange(cells.g_cell.size)
    seen = loop.seen(cells, flat, rng=rng()).reshape(cells.g_cell.shape)
    np.testing.assert_array_equal(seen[0], seen[1])  # the halves of a pair share a unit
    np.testing.assert_array_equal(seen[:, 0], seen[:, 5])
    assert np.std(seen[0, 0]) == near(SIGMA_LATCH / SENSE_SLOPE, rel=0.35)  # 40 draws: 11 % a sigma
    target = np.full(cells.g_cell.shape, 45e-6)
    done = loop.program(cells, target, rng=rng())
    miss = done.error.reshape(target.shape).mean(axis=(0, 1))
    shift = (seen - cells.g_cell)[0, 0]
    assert np.corrcoef(miss, shift)[0, 1] < -0.9  # a unit that reads too much leaves its cells too low
    cost = loop.reads(np.array([0]), np.array([20e-6]), (2, 6, 40))
    assert cost.seconds == near(2 * 12e-9, rel=1e-9)
    with pytest.raises(InputError, match="start must be lowest"):
        VerifyParams.checked({"sense": "latch", "start": "table"}, where="here")


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 12), st.integers(0, 2**16), st.sampled_from(POLARITIES))
def test_more_cells_at_once_lose_more_and_never_write_the_other_way(count, seed, polarity):
    draw = np.random.default_rng(seed)
    flat = draw.choice(CELLS, count, replace=False)
    cells, write = start(CHAIN, seed), CHAIN.write(polarity)
    v_pulse = np.full(count, write.v_pulse[draw.integers(10, 60)])
    assert CHAIN.droop is not None
    address = CHAIN.address(flat, SHAPE)
    slot = np.zeros(count, dtype=np.intp)
    g = cells.g_cell.ravel()[flat]
    together = CHAIN.droop.lost(write, g, v_pulse, address=address, slot=slot)
    apart = CHAIN.droop.lost(write, g, v_pulse, address=address, slot=np.arange(count))
    assert np.all(apart > 0.0) and np.all(together >= apart * (1.0 - 0.05))  # less current where more is lost
    after = CHAIN.step(cells, flat, v_pulse, polarity=polarity, rng=rng(seed))
    moved = (after.g_cell.ravel()[flat] - g) * write.sign
    assert np.all(moved >= -1e-12)
    assert np.all(after.energy.ravel()[flat] > 0.0)


def test_the_array_is_the_chips():
    assert CHAIN.largest == (ROWS, COLUMNS)
    assert isinstance(EVERY.spread, SpreadParams) is False
