"""What each stage of a read takes from the chip's tables, against the formulas that these were made of."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fixtures import chip_tables as chip
from fixtures.chip_tables import LSB, R_FEEDBACK, chip_tables
from fixtures.closeness import near
from fixtures.synthetic import tables

from rramkit.array import ArrayModel, ReadChain, WireModel
from rramkit.array.stages.adc import Adc
from rramkit.array.stages.line_switch import LineSwitch
from rramkit.array.stages.read_noise import ReadNoise
from rramkit.array.stages.readout import Readout, ReadoutGain
from rramkit.array.stages.row_driver import RowDriver
from rramkit.array.stages.word_line import WordLine
from rramkit.errors import InputError, TableError
from rramkit.table.schema import CORNERS, WIRES

FILE = chip_tables()


def from_tables(kind, file=FILE) -> Any:
    found = kind.from_tables(file)
    assert found is not None
    return found


def test_row_driver_has_open_levels_and_one_output_resistance():
    driver = from_tables(RowDriver)
    code = np.arange(32.0)
    made = 0.1 * (code / 31.0 + 2e-3 * np.sin(np.pi * code / 31.0))
    assert driver.levels == 32
    # linear between every third code: 0.002 % of the range; the rest is the 2 % of 12 ohm that codes differ by
    within = 0.1 * (2e-3 * (3.0 * np.pi / 31.0) ** 2 / 8.0 + 0.02 * chip.R_OUT * chip.COLUMNS * 20e-6)
    np.testing.assert_allclose(driver.v_open, made, rtol=0, atol=within)
    assert driver.r_out == near(chip.R_OUT, rel=0.01)  # from code to code it differs by 2 %
    # 0.1 V into 3.84 mS, 370 uA, over the 2 % of 12 ohm that codes may differ: 0.09 % of the range at most
    assert 0.0 < driver.error < 9e-4
    load = 1e-3  # S, within the table's; the linear fit is off by `e_error` of the largest energy
    energy = np.asarray(driver.e_code) + load * np.asarray(driver.e_slope)
    i_row = made * load / (1.0 + chip.R_OUT * load)
    by_hand = 20e-15 + 0.9 * made * 500e-15 + 0.2 * chip.V_REST * i_row * 45e-9
    np.testing.assert_allclose(energy, by_hand, rtol=0, atol=1.5 * driver.e_error * 1.1e-12)


def test_readout_has_the_curve_of_every_gain_setting():
    readout = from_tables(Readout)
    assert [gain.r_feedback for gain in readout.gains] == R_FEEDBACK.tolist()
    for gain in readout.gains:
        i = np.linspace(0.0, 0.69 / gain.r_feedback, 200)
        # an eighth of the ADC's step: the table has nine points of the curve, and the knee of saturation begins
        np.testing.assert_allclose(
            gain.curve().output(i), chip.readout(i, np.asarray(gain.r_feedback)), rtol=0, atol=LSB / 8
        )
        np.testing.assert_allclose(gain.curve().current(gain.curve().output(i)), i, rtol=1e-9, atol=1e-15)
        np.testing.assert_allclose(
            gain.resistance(np.array([0.1e-3, 2e-3])), gain.r_feedback / chip.LOOP_GAIN, rtol=1e-6
        )
        assert gain.spread < 0.05 * LSB / 0.7 * 10  # half a step over the range
        assert gain.read_energy(np.asarray(i[-1])) == near(1.8 * (100e-6 + i[-1]) * 1.2 * chip.T_READ, rel=1e-6)
        noise = chip.I_NOISE * 1.5 * (R_FEEDBACK[0] / gain.r_feedback) ** 0.25
        assert gain.noise(np.asarray(0.5e-3)) == near(noise, rel=1e-9)
    saturated = readout.gains[-1].curve()
    assert 0.8 / 28e3 < saturated.i_end < 1.3 / 28e3  # the output ends at 1.1 V
    assert np.isinf(saturated.current(np.asarray(1.2)))
    assert saturated.output(np.asarray(-1e-6)) == near(-28e-3, rel=0.01)
    assert (readout.offset_sigma, readout.v_rest) == (chip.SIGMA_READOUT, chip.V_REST)


def test_a_curve_needs_points_that_rise():
    with pytest.raises(InputError, match="must rise"):
        ReadoutGain(i_in=(0.0, 1.0, 1.0), v_out=(0.0, 1.0, 2.0))
    with pytest.raises(InputError, match="rising feedback resistors"):
        Readout.checked({"gains": [{"r_feedback": 2.0, "i_in": [0, 1], "v_out": [0, 1]}] * 2}, where="test")
    with pytest.raises(InputError, match="one of the gain settings 3500, 7000, 14000, 28000"):
        ReadChain.from_tables(FILE, ReadChain.checked({"readout": {"r_feedback": 5e3}}, where="test"))


def test_a_readout_without_a_point_is_named():
    """Every point failed at one gain setting, or at every; with one line conductance failed the others are taken."""
    table, lines = FILE["readout_transimpedance"], chip.G_LINES
    axes = list(table.axes)

    def failed(axis, values):
        at = np.isin(table.axes[axis].values, values).reshape([-1 if each == axis else 1 for each in axes])
        signals = {
            name: replace(each, values=np.where(at, np.nan, each.values)) for name, each in table.signals.items()
        }
        return replace(FILE, tables={**FILE.tables, table.name: replace(table, signals=signals)})

    for resistors in (R_FEEDBACK[2:3], R_FEEDBACK):
        with pytest.raises(TableError, match=rf"readout_transimpedance` must hold .* at {resistors[0]:g} ohm; every"):
            Readout.from_tables(failed("r_feedback", resistors))
    assert from_tables(Readout, failed("g_cells", lines[1:2])).gains[0].i_in == from_tables(Readout).gains[0].i_in


def test_adc_has_every_transition_and_its_spreads():
    adc = from_tables(Adc)
    measured = FILE["adc_levels"].axes["code"].values
    every = np.arange(1.0, 256.0)
    np.testing.assert_allclose(adc.transitions(), np.interp(every, measured, chip.transitions(measured)), rtol=1e-12)
    assert (adc.bits, adc.v_low, adc.v_high) == (8, chip.V_LOW, chip.V_HIGH)
    assert (adc.latch_sigma, adc.v_noise) == (chip.SIGMA_LATCH, chip.V_NOISE)
    assert adc.v_lsb == near(LSB, rel=1e-12)
    assert (adc.energy, adc.t_convert) == (near(chip.E_CONVERSION, rel=1e-12), chip.T_CONVERSION)
    assert set(adc.mismatch_sigma) == {chip.SIGMA_LEVEL}
    without_summary = from_tables(Adc, chip_tables(without=("adc_summary",)))
    assert without_summary.energy == near(chip.E_CONVERSION, rel=1e-12)


def test_noise_switch_and_word_line():
    noise = from_tables(ReadNoise)
    g = np.array([5e-6, 33e-6, 80e-6])
    np.testing.assert_allclose(noise.cell_variance(g, 1.0), (chip.SIGMA_CELL * g) ** 2, rtol=1e-6)
    assert (from_tables(LineSwitch).r_on, from_tables(LineSwitch).energy) == (chip.R_ON, chip.E_SWITCH)
    word = from_tables(WordLine)
    for cells in (10, 96, 300):  # beyond the largest load too: the made-up energy is linear
        assert word.e_line(cells) == near(0.1e-12 + 3.3**2 * cells * chip.C_WORD, rel=1e-9)
    bare = replace(FILE["level_shifter"], conditions={})
    assert WordLine.from_tables(replace(FILE, tables={**FILE.tables, "level_shifter": bare})) is None


def test_line_ends_are_those_of_drivers_readouts_and_switches():
    chain = ReadChain.from_tables(FILE)
    r_out, r_in = chain.row_driver.r_out, 3.5e3 / chip.LOOP_GAIN
    model = ArrayModel(FILE, chain=chain)
    forward, backward = (model.lines_of(backward=way) for way in (False, True))
    assert forward is not None and backward is not None and r_out is not None
    assert (forward.r_drive, forward.r_sense) == (near(r_out + chip.R_ON, rel=1e-9), near(r_in + chip.R_ON, rel=1e-9))
    assert (backward.r_drive, backward.r_sense) == (forward.r_sense, forward.r_drive)
    assert not model.one_way
    typed = ReadChain.from_tables(FILE, ReadChain.checked({"row_driver": {"r_out": 1.0}}, where="test"))
    lines = ArrayModel(FILE, chain=typed).lines_of(backward=False)
    assert lines is not None and lines.r_drive == near(1.0 + chip.R_ON, rel=1e-12)
    partly = ReadChain.from_tables(FILE, without=("row_driver",))
    lines = ArrayModel(FILE, chain=partly).lines_of(backward=False)
    assert lines is not None and lines.r_drive == near(50.0 + chip.R_ON, rel=1e-12)  # the wires' own
    assert ArrayModel(FILE).one_way and ArrayModel(FILE).lines_of(backward=True) == ArrayModel(FILE).wires


def test_segments_follow_the_temperature_of_the_cells():
    hot = chip_tables(corners=True).at(temperature=358.15)
    wires, nominal = WireModel.from_tables(hot), WireModel.from_tables(chip_tables(corners=True).nominal())
    assert wires.r_row == near(1.0 + 3.9e-3 * 58.0, rel=1e-12)
    assert (nominal.r_row, nominal.r_col, wires.r_drive) == (1.0, 1.0, 50.0)
    own = replace(FILE["wires"], conditions={**FILE["wires"].conditions, **CORNERS.of(temperature=350.0)})
    known = WireModel.from_table(own, kelvin=358.15)
    assert known.r_col == near((1.0 + 3.9e-3 * 58.0) / (1.0 + 3.9e-3 * 49.85), rel=1e-12)
    plain = {name: value for name, value in FILE["wires"].conditions.items() if name != WIRES.tcr}
    assert WireModel.from_table(replace(FILE["wires"], conditions=plain), kelvin=358.15).r_row == 1.0


def test_the_chain_says_where_its_numbers_come_from():
    origins = ArrayModel(FILE, chain=ReadChain.from_tables(FILE)).origins()
    assert origins == {
        "cell current": "table",
        "wires": "table",
        "row_driver": "table",
        "read_noise": "table",
        "telegraph": "ideal: not characterised",
        "line_switch": "table",
        "clamp": "ideal: not characterised",
        "readout": "table",
        "adc": "table",
        "word_line": "table",
    }
    by_hand = ReadChain.checked({"adc": {"energy": 1e-12}, "clamp": {"i_max": 1e-3}}, where="test")
    origins = ReadChain.from_tables(chip_tables(without=("readout_noise", "cell_noise")), by_hand).origins()
    assert origins["readout"] == "table (without readout_noise)"
    assert origins["adc"] == "table (typed: energy)"
    assert (origins["clamp"], origins["read_noise"]) == ("typed", "ideal: not characterised")
    off = ReadChain.from_tables(FILE, ReadChain.checked({"row_driver": {"levels": 0, "r_out": None}}, where="test"))
    assert off.origins()["row_driver"].startswith("ideal: typed over the table")


def test_values_by_hand_replace_what_belongs_to_them():
    def chain(**typed):
        return ReadChain.from_tables(FILE, ReadChain.checked(typed, where="test"))

    finer = chain(row_driver={"levels": 256}, adc={"bits": 6})
    assert finer.row_driver.v_open == () and finer.row_driver.r_out is not None
    assert finer.adc.codes == () and finer.adc.of_voltage
    np.testing.assert_allclose(finer.adc.transitions(), 0.28 + np.arange(1, 64) * 0.72 / 64, rtol=1e-12)
    currents = chain(readout={"gains": []})  # no readout: the ADC converts currents, its full scale calibrated
    assert not currents.readout.on and currents.adc.bits == 8 and currents.adc.v_low is None
    assert [type(stage).__name__ for stage in currents.stages][-2:] == ["Adc", "WordLine"]
    analog = chain(adc={"bits": 0})
    assert [type(stage).__name__ for stage in analog.stages][-3:] == ["SenseUnit", "Adc", "WordLine"]
    assert analog.halves
    assert chain(subtraction="analog").halves  # no circuit subtracts before conversion
    with pytest.raises(InputError, match="leave out offset_sigma"):
        chain(adc={"offset_sigma": 1e-8})
    with pytest.raises(InputError, match="must name stages of row_driver"):
        ReadChain.from_tables(FILE, without=("dac",))


def test_a_file_without_the_groups_leaves_the_chain_as_it_is():
    assert ReadChain.from_tables(tables()) == ReadChain()
    assert ReadChain.from_tables(chip_tables(without=chip.READ_GROUPS)) == ReadChain()


def test_a_chain_from_tables_survives_its_record():
    chain = ReadChain.from_tables(FILE)
    assert ReadChain.checked(chain.model_dump(mode="json"), where="test") == ReadChain.checked(
        chain.model_dump(), where="test"
    )
    assert chain.key() == ReadChain.checked(chain.model_dump(), where="test").key()
