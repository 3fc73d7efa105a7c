"""Schema of the table file: axes, signals and conditions of every group that the kit writes or reads, with units.

A column's name is spelled here and nowhere else: `READ.i_cell` is the text `i_cell` that carries `.unit` and `.text`.
Every group may have the axes of `Corners` besides its own (else `supply` and `temperature` may be conditions), and the
parameters of a user's plan as axes. A group of another name is a user's own; its columns are free.

`python -m rramkit.table.schema` prints the tables of `docs/table-format.md`.
"""

import sys
from collections.abc import Mapping, Sequence

from rramkit.table.columns import Column, Group, Polarity, axis, condition, held_out, signal

SUMMARY = "_summary"
"""Ending of the group that holds what one run gives as a whole, beside the group of its steps."""


ASSUMED = "assumed"
"""Root attribute of imported files: settings that neither measurement nor user gave, `set.v_pulse = 1 V; ...`."""


COMPONENT_PLAN = "component_plan_"
"""Beginning of the root attributes that hold the plan of each table, as JSON."""


class Corners(Group):
    """Operating condition: optional axes of every group, or conditions where there is one value."""

    corner = axis("1", "process corner, an axis of labels (tt, ff, ss)", words="process corner")
    supply = axis("1", "factor on all supplies; references stay", low=0.0, high=100.0, words="supply over nominal")
    temperature = axis("K", "temperature of the transistors, and ambient of the ReRAM", low=1.0, words="temperature")


class Scattered(Group):
    """Scattered points in place of a grid: the first signals are the coordinates."""

    sample = axis("1", "index of the point", words="sample")
    coordinates = condition("1", "how many of the first signals are coordinates", low=1.0)


class Read(Group, group="read", words="Read"):
    """Static current of the 1T1R cell alone, at its own terminals."""

    g_cell = axis("S", "conductance i(v_read)/v_read", required=True, low=0.0, words="conductance")
    v_cell = axis("V", "bit line minus source line; which is driven: `v_rest`", required=True, words="cell voltage")
    i_cell = signal("A", "cell current, from bit line to source line", required=True, words="cell current")
    v_read = condition("V", "voltage at which the conductance is defined")
    v_rest = condition(
        "V", "lines at rest during a read: driven lines are pulled down from it; absent or 0: driven up from ground"
    )
    v_wl = condition("V", "word line during a read")
    t_read = condition("s", "duration of a read", low=0.0)


class CellNoise(Group, group="cell_noise", words="Noise of a cell's read"):
    """Noise of one read of a cell: its conductance varies from read to read."""

    g_cell = axis("S", "conductance of the cell, as `read.g_cell`", required=True, low=0.0, words="conductance")
    sigma_g = signal(
        "S",
        "standard deviation of the conductance from read to read",
        required=True,
        low=0.0,
        words="noise of the conductance (rms)",
    )
    bandwidth = condition("Hz", "bandwidth of a read that the noise is integrated over", low=0.0)


class Write(Group):
    """Columns of `set` and `reset`."""

    g_start = axis(
        "S", "conductance before the pulse, as `read.g_cell`", required=True, low=0.0, words="conductance before"
    )
    v_pulse = axis("V", "amplitude of the stepped line", required=True, words="pulse voltage")
    delta_g = signal(
        "S", "change of conductance by one pulse, as `read.g_cell`", required=True, words="change of conductance"
    )
    energy = signal(
        "J", "of the pulse, from the drivers of all three lines", required=True, low=0.0, words="energy per pulse"
    )
    t_pulse = condition("s", "width of the pulse", low=0.0)
    t_rise = condition("s", "rise and fall time", low=0.0)
    t_step = condition("s", "largest time step of the simulation", low=0.0)
    v_step = condition("V", "step of the driver: usable amplitudes lie a whole number of steps above the lowest")
    v_bl = condition("V", "bit line during the pulse, where the word line is stepped")
    v_wl = condition("V", "word line during the pulse, where another line is stepped")
    v_read = condition("V", "voltage at which the conductance is read")
    w_access = condition("m", "width of the access transistor", low=0.0)
    r_driver = condition("ohm", "series resistance of each line's driver during the pulse", low=0.0)
    c_line = condition("F", "capacitance of each line", low=0.0)
    burst = condition("1", "pulses of one write (measured and published devices)", low=1.0)
    sigma_read = condition("S", "noise of one read (measured devices)", low=0.0)
    pulses = condition("1", "number of measured pulses", low=0.0)
    scatter_relative = condition("1", "scatter from pulse to pulse in closed form: over the mean change", low=0.0)
    scatter_floor = condition("S", "the same, of a small change", low=0.0)
    scatter_devices = condition("1", "scatter from device to device in closed form: of the change's logarithm", low=0.0)
    sigma_window = condition(
        "1", "spread from device to device of the ends of the window: of their logarithm (measured devices)", low=0.0
    )
    g_train = held_out("S", "conductance along a measured pulse train", words="conductance along a pulse train")
    pulse = held_out("1", "number of the pulse in that train", words="pulse")
    through_drivers = condition(
        "1", "1: conductances were read through `r_driver` (formats 1 and 2); absent: cell alone"
    )


class Set(Write, group="set", words="SET", polarity="set"):
    """One SET pulse: change of conductance and energy; the stepped line is the word line or the bit line."""


class Reset(Write, group="reset", words="RESET", polarity="reset"):
    """One RESET pulse: change of conductance and energy; the stepped line is the source line."""


class Wires(Group, group="wires", words="Wires"):
    """Resistances of the fast wire model, fitted to reads of whole 1T1R arrays."""

    r_row = signal("ohm", "a segment of a row (source line)", required=True, low=0.0, words="row wire, per cell")
    r_col = signal("ohm", "a segment of a column (bit line)", required=True, low=0.0, words="column wire, per cell")
    r_drive = signal("ohm", "output resistance of a line's driver", required=True, low=0.0, words="driver")
    r_sense = signal("ohm", "input resistance of a line's sense amplifier", required=True, low=0.0, words="sense input")
    rows_max = condition("1", "rows of the largest array that the fit was checked on", low=1.0)
    cols_max = condition("1", "columns of that array", low=1.0)
    g_max = condition("S", "top of the conductance window", low=0.0)
    tcr = condition("1/K", "relative change of a segment's resistance with temperature")
    t_ref = condition("K", "temperature at which the resistances hold", low=1.0)
    netlist_r_row = condition("ohm", "a segment of a row in the netlist", low=0.0)
    netlist_r_col = condition("ohm", "a segment of a column in the netlist", low=0.0)
    netlist_r_drive = condition("ohm", "driver in the netlist", low=0.0)
    netlist_r_sense = condition("ohm", "sense amplifier in the netlist", low=0.0)
    i_array = held_out("A", "output current of a whole 1T1R array", words="output current of an array")
    cells = held_out("1", "number of cells of that array", words="cells of the array")
    backward = held_out("1", "1 for a backward read, 0 for a forward one", words="backward read")


class RowDriver(Group, group="row_driver", words="Row driver"):
    """Multi-level voltage driver of a row: level, settling and energy."""

    code = axis("1", "code of the level", low=0.0, words="code")
    g_cell = axis("S", "conductance of each cell of the row", low=0.0, words="conductance")
    v_row = signal(
        "V", "the row at its driver, settled: how far below the rest voltage", words="row voltage at the driver"
    )
    v_far = signal(
        "V", "the row at its far end, settled: how far below the rest voltage", words="row voltage at the far end"
    )
    i_row = signal("A", "current from the row into its driver, settled", words="row current")
    t_settle = signal("s", "until the far end stays within 0.5 % of the whole range", low=0.0, words="settling time")
    energy = signal("J", "of one level, from references, supply and select drivers", low=0.0, words="energy per level")
    bits = condition("1", "resolution", low=1.0, high=64.0)
    v_low = condition("V", "level of code 0")
    v_high = condition("V", "level of the highest code")
    v_rest = condition("V", "rest voltage of the lines: code 0")
    cells = condition("1", "cells of the row", low=1.0)
    t_level = condition("s", "duration of a level", low=0.0)


class RowDriverSerial(Group, group="row_driver_serial", words="Bit-serial row driver"):
    """Bit-serial driver of a row: weight of a bit and energy of a word."""

    g_cell = axis("S", "conductance of each cell of the row", low=0.0, words="conductance")
    weight = signal(
        "V s", "integral of the far end's voltage over a bit that is 1, mean over the word", words="integral of a bit"
    )
    weight_spread = signal(
        "1", "largest less smallest of these, over the mean", words="spread of a bit's integral over its mean"
    )
    weight_zero = signal(
        "1",
        "largest integral of a bit that is 0, over the mean of those that are 1",
        words="integral of a 0 over that of a 1",
    )
    energy_row = signal("J", "of the word, from the read voltage", words="energy from the row")
    energy_driver = signal(
        "J", "of the word, from the inverters' supply and the bits' source", words="energy from the driver's supply"
    )
    bits = condition("1", "bits of the word", low=1.0, high=64.0)
    word = condition("1", "the word sent", low=0.0)
    t_bit = condition("s", "duration of a bit", low=0.0)
    v_read = condition("V", "row voltage of a bit that is 1")


class Readout(Group):
    """Columns of `readout_transimpedance` and `readout_integrating`."""

    v_in = axis("V", "rows below the clamp", low=0.0, words="rows below the clamp")
    g_cells = axis(
        "S", "conductance of all cells of the line together", low=0.0, words="conductance of the line's cells"
    )
    r_feedback = axis("ohm", "feedback resistor: the readout's gain settings", low=0.0, words="feedback resistor")
    i_in = signal("A", "current drawn from the line when the output is sampled", words="input current")
    v_out = signal("V", "output less that at no input", words="output voltage")
    v_error = signal("V", "bit line less the clamp voltage at sampling", words="clamp error")
    overshoot = signal("V", "of the output above its last value", words="overshoot")
    t_settle = signal("s", "until the output stays within 0.5 % of full scale", low=0.0, words="settling time")
    energy = signal("J", "of rest and read, from the amplifier's supply", low=0.0, words="energy per read")
    v_clamp = condition("V", "clamp voltage of the bit line")
    c_integrate = condition("F", "integrating capacitor", low=0.0)
    t_integrate = condition("s", "integration time", low=0.0)
    t_read = condition("s", "duration of rest and read", low=0.0)


class ReadoutTransimpedance(Readout, group="readout_transimpedance", words="Transimpedance readout"):
    """Bit-line readout by a feedback resistor: transfer, clamp error, settling, energy."""


class ReadoutTransimpedanceSummary(
    Group, group="readout_transimpedance_summary", words="Transimpedance readout, whole transfer"
):
    """Figures of the transfer characteristic, over the reads within full scale."""

    g_cells = axis(
        "S", "conductance of all cells of the line together", low=0.0, words="conductance of the line's cells"
    )
    r_feedback = axis("ohm", "feedback resistor: the readout's gain settings", low=0.0, words="feedback resistor")
    gain = signal("ohm", "slope of the output against the current", low=0.0, words="gain")
    inl = signal("V", "largest distance of the output from that line", low=0.0, words="integral nonlinearity, largest")
    r_in = signal("ohm", "fall of the bit line with the current, when the output is taken", words="input resistance")


class ReadoutIntegrating(Readout, group="readout_integrating", words="Integrating readout"):
    """Bit-line readout on a capacitor: transfer, clamp error, settling, energy."""


class ReadoutOffset(Group, group="readout_offset", words="Readout's offset"):
    """Input offset of the readout's amplifier, over drawn mismatch."""

    v_offset = signal(
        "V",
        "bit line less the clamp voltage at no input, trimmed; its distribution beside it",
        words="input offset, trimmed",
    )
    v_untrimmed = signal("V", "the same at the middle code of the trim", words="input offset, untrimmed")
    v_clamp = condition("V", "clamp voltage of the bit line")


class ReadoutNoise(Group, group="readout_noise", words="Readout's noise"):
    """Noise of the readout, from ngspice's noise analysis."""

    g_cells = axis(
        "S", "conductance of all cells of the line together", low=0.0, words="conductance of the line's cells"
    )
    r_feedback = axis("ohm", "feedback resistor", low=0.0, words="feedback resistor")
    i_noise = signal(
        "A",
        "rms noise at the output over the feedback: with thermal noise of line and cells",
        low=0.0,
        words="noise current (rms)",
    )


class LineSwitch(Group, group="line_switch", words="Line switch"):
    """Switch between a line and its driver or its readout: a thick-oxide transmission gate."""

    r_on = signal("ohm", "closed, at the rest voltage of a read", low=0.0, words="on-resistance")
    energy = signal(
        "J",
        "of closing and opening it once, from its gate drivers' supply",
        low=0.0,
        words="energy per closing and opening",
    )
    w_switch = condition("m", "width of its NMOS", low=0.0)


class Converter(Group):
    """Conditions of the groups of the SAR converter."""

    bits = condition("1", "resolution", low=1.0, high=64.0)
    v_low = condition("V", "input at which the range begins: a step below the ideal first transition")
    v_high = condition("V", "input at which the range ends: a step above the ideal last transition")
    v_ref = condition("V", "reference that the capacitors' bottom plates switch to", low=0.0)
    t_conversion = condition("s", "duration of a conversion", low=0.0)


class Adc(Converter, group="adc", words="ADC"):
    """Conversions of the SAR converter in closed loop: code and energy."""

    v_in = axis("V", "input of the conversion", words="input voltage")
    code = signal("1", "the code", low=0.0, words="code")
    energy = signal(
        "J", "of a conversion, from reference, comparator and control", low=0.0, words="energy per conversion"
    )
    energy_reference = signal("J", "the part from the reference", words="energy from the reference")
    energy_comparator = signal("J", "the part from the comparator's supply and clock", words="energy of the comparator")
    energy_control = signal("J", "the part that drives the switches", words="energy of the control")


class AdcSummary(Converter, group="adc_summary", words="ADC, all conversions"):
    """Mean over the conversions of one run."""

    energy_mean = signal("J", "mean energy of a conversion", low=0.0, words="mean energy of a conversion")


class AdcLevels(Converter, group="adc_levels", words="ADC's transition levels"):
    """Transition levels of the SAR converter; between the codes given, a straight line."""

    code = axis("1", "code that begins at the transition", low=0.0, words="code")
    v_transition = signal(
        "V", "input at which the code goes up to `code`, the comparator's offset apart", words="transition level"
    )


class AdcLevelsSummary(Converter, group="adc_levels_summary", words="ADC's transfer"):
    """Figures of the transfer characteristic."""

    step = signal("V", "mean step", low=0.0, words="mean step")
    offset = signal("V", "first transition less its ideal place", words="offset")
    gain_error = signal("1", "relative difference of the mean step from (v_high - v_low)/2^bits", words="gain error")
    inl_max = signal(
        "1",
        "largest integral nonlinearity in steps of codes in `adc_levels`, line through the outer",
        low=0.0,
        words="integral nonlinearity, largest, in steps",
    )
    dnl_max = signal(
        "1",
        "largest differential nonlinearity in steps, of neighbours among them",
        low=0.0,
        words="differential nonlinearity, largest, in steps",
    )
    effective_bits = signal("1", "effective number of bits for a full-scale sine", words="effective number of bits")


class AdcMismatch(Converter, group="adc_mismatch", words="ADC's capacitor mismatch"):
    """Spread of transition levels by capacitor mismatch."""

    code = axis("1", "code that begins at the transition", low=0.0, words="code")
    v_transition = signal("V", "mean over drawn capacitor arrays; its distribution beside it", words="transition level")


class AdcNoise(Converter, group="adc_noise", words="ADC's noise"):
    """Noise of the sampled input, from ngspice's noise analysis of the sampling gate (kT/C)."""

    v_noise = signal(
        "V", "rms noise of the sampled input, input and common mode together", low=0.0, words="noise of the input (rms)"
    )


class SenseAmp(Group, group="sense_amp", words="Sense amplifier"):
    """One decision of the StrongARM latch."""

    overdrive = axis("V", "size of the input difference", low=0.0, words="overdrive")
    v_cm = axis("V", "common mode of the inputs", words="common mode")
    t_decide = signal(
        "s", "from half the clock's edge until the outputs are half a supply apart", low=0.0, words="decision time"
    )
    energy = signal(
        "J", "of an evaluation and its precharge, from supply and clock driver", low=0.0, words="energy per decision"
    )
    kickback = signal("V", "largest disturbance of the input difference", words="differential kickback")
    kickback_common = signal("V", "largest disturbance of one input", words="kickback at one input")
    t_clock = condition("s", "clock period", low=0.0)


class SenseAmpSummary(Group, group="sense_amp_summary", words="Sense amplifier, regeneration"):
    """Regeneration of the latch, from the first decision of a run."""

    v_cm = axis("V", "common mode of the inputs", words="common mode")
    tau_regeneration = signal(
        "s", "time constant with which the outputs diverge", low=0.0, words="regeneration time constant"
    )
    t_clock = condition("s", "clock period", low=0.0)


class SenseAmpOffset(Group, group="sense_amp_offset", words="Sense amplifier's offset"):
    """Input offset of the latch, over drawn mismatch."""

    offset = signal("V", "input difference that balances the latch; its distribution beside it", words="input offset")
    v_cm = condition("V", "common mode of the inputs")


class CurrentSense(Group, group="current_sense", words="Current sense amplifier"):
    """Current sense amplifier: clamp, sense voltage and energy of a one-bit read."""

    g_cell = axis("S", "conductance of the cell that is read", low=0.0, words="conductance")
    v_line = signal("V", "bit line when the latch is clocked", words="bit-line voltage")
    i_cell = signal("A", "the cell's current then", words="cell current")
    v_sense = signal("V", "reference node less the cell's node then: input of the latch", words="sense voltage")
    energy = signal("J", "of one read with its rest, from the supply", low=0.0, words="energy per read")
    low_resistance = signal("1", "1 where the cell was read as LRS", low=0.0, high=1.0, words="read as LRS, 1 is yes")
    g_ref = condition("S", "reference conductance", low=0.0)
    v_clamp = condition("V", "clamp voltage of the bit line")
    t_read = condition("s", "duration of a read", low=0.0)


class MultibitRead(Group, group="multibit_read", words="Multi-bit read"):
    """Multi-bit read of a bit line: readout and converter together."""

    g_cells = axis(
        "S", "conductance of all cells of the line together", low=0.0, words="conductance of the line's cells"
    )
    code = signal("1", "the code", low=0.0, words="code")
    energy = signal(
        "J",
        "of readout and converter together, from their supplies, read and conversion",
        low=0.0,
        words="energy per read",
    )
    bits = condition("1", "resolution", low=1.0, high=64.0)
    v_read = condition("V", "read voltage")
    r_feedback = condition("ohm", "feedback resistor", low=0.0)
    t_conversion = condition("s", "duration of read and conversion", low=0.0)


class WriteDriver(Group):
    """Columns of `write_driver_set` and `write_driver_reset`."""

    code = axis("1", "code of the amplitude", low=0.0, words="code")
    cells = axis("1", "length of the lines in cells", low=1.0, words="cells of the line")
    state = axis("1", "state of the written cell", low=0.0, words="state of the cell")
    v_level = signal("V", "nominal amplitude of the code", words="nominal amplitude")
    v_settled = signal(
        "V", "far end of the stepped line, settled, before the cell draws current", words="amplitude at the far end"
    )
    overshoot = signal("V", "highest value above `v_settled`", words="overshoot")
    t_settle = signal(
        "s", "from the command until the line stays within 10 mV of `v_settled`", low=0.0, words="settling time"
    )
    droop = signal("V", "drop of the amplitude by the cell's current during the pulse", words="droop of the amplitude")
    v_end = signal("V", "the line at the end of the pulse", words="amplitude at the end of the pulse")
    i_end = signal(
        "A", "current of the written cell at the end of the pulse", words="cell current at the end of the pulse"
    )
    t_cell = signal(
        "s",
        "how long the cell's current is within 5 % of its mean over the second half",
        low=0.0,
        words="effective width at the cell",
    )
    r_source = signal(
        "ohm",
        "of the source line's driver at its own end: volts lost over the cell's current, no wires",
        words="source-line resistance, driver's end",
    )
    r_source_far = signal(
        "ohm",
        "the same of the source line at the cell, at its far end: driver, wire, other cells",
        words="source-line resistance, far end",
    )
    r_bit = signal("ohm", "the same of the bit line's driver", words="bit-line resistance")
    energy = signal("J", "of a pulse with its slot, from all supplies", low=0.0, words="energy per pulse")
    energy_inhibit = signal(
        "J",
        "the part of it that charges the other bit lines of the row, as long as `cells`",
        words="energy of inhibited bit lines",
    )
    energy_cell = signal("J", "the part of it that is dissipated in the cell", words="energy in the cell")
    bits = condition("1", "resolution", low=1.0, high=64.0)
    r_neighbour = condition("ohm", "ReRAM of the row's other cells", low=0.0)
    t_pulse = condition("s", "width of the pulse", low=0.0)
    t_lead = condition("s", "time to settle before the pulse", low=0.0)
    t_slot = condition("s", "time from one pulse to the next: lead, pulse and dead times", low=0.0)


class WriteDriverSet(WriteDriver, group="write_driver_set", words="Write driver, SET", polarity="set"):
    """SET pulse of the transistor-level write driver: amplitude that is reached, its shape, energy."""


class WriteDriverReset(WriteDriver, group="write_driver_reset", words="Write driver, RESET", polarity="reset"):
    """RESET pulse of the transistor-level write driver: amplitude that is reached, its shape, energy."""


class LevelShifter(Group, group="level_shifter", words="Level shifter"):
    """Level shifter from core to thick-oxide supply and the word line's driver: delays, swing, energy of a pulse."""

    c_load = axis("F", "load: the word line", low=0.0, words="load")
    t_up = signal("s", "delay of the rising output", words="rising delay")
    t_down = signal("s", "delay of the falling output", words="falling delay")
    t_rise = signal("s", "rising edge of the output, from a tenth to nine tenths", low=0.0, words="rise time")
    v_high = signal("V", "output while the input is high", words="high level")
    v_low = signal("V", "output after the pulse", words="low level")
    energy = signal("J", "of one pulse, from the thick-oxide supply", low=0.0, words="energy per pulse")
    c_word = condition("F", "capacitance of a word line for each of its cells", low=0.0)


class Disturb(Group, group="disturb", words="Write disturb"):
    """Half-select disturb at full amplitude of the write driver."""

    disturb_row = signal(
        "1",
        "largest change of state of a half-selected cell of the row by one pulse",
        low=0.0,
        words="change of state, cell of the row",
    )
    disturb_col = signal("1", "the same for the column", low=0.0, words="change of state, cell of the column")


class WriteLoss(Group):
    """Columns of `droop_set` and `droop_reset`: what a voltage drop along a line costs in amplitude."""

    g_start = axis("S", "conductance before the pulse, as `read.g_cell`", low=0.0, words="conductance before")
    v_pulse = axis("V", "amplitude of the stepped line", words="pulse voltage")
    source = signal(
        "1",
        "volts of amplitude lost for each volt dropped along the source line",
        words="amplitude lost per volt on the source line",
    )
    bit = signal(
        "1",
        "volts of amplitude lost for each volt dropped along the bit line",
        words="amplitude lost per volt on the bit line",
    )


class DroopSet(WriteLoss, group="droop_set", words="IR drop during SET", polarity="set"):
    """Effect of IR drop on a SET pulse, as amplitude that does not reach the cell."""


class DroopReset(WriteLoss, group="droop_reset", words="IR drop during RESET", polarity="reset"):
    """Effect of IR drop on a RESET pulse, as amplitude that does not reach the cell."""


class HalfSelect(Group):
    """Columns of `disturb_set` and `disturb_reset`: what a pulse does to the other cells of its lines."""

    g_cell = axis("S", "conductance of the half-selected cell, as `read.g_cell`", low=0.0, words="conductance")
    v_pulse = axis("V", "amplitude of the pulse on its neighbour", words="pulse voltage")
    half = signal(
        "1",
        "relative change of conductance by one pulse in the V/2 scheme, gate open",
        low=0.0,
        words="relative change, half-selected",
    )
    gated = signal(
        "1",
        "the same with the gate closed or the line inhibited",
        low=0.0,
        words="relative change, gate closed or inhibited",
    )


class DisturbSet(HalfSelect, group="disturb_set", words="Disturb by SET", polarity="set"):
    """Half-select disturb by a SET pulse."""


class DisturbReset(HalfSelect, group="disturb_reset", words="Disturb by RESET", polarity="reset"):
    """Half-select disturb by a RESET pulse."""


class Periphery(Group, group="periphery", words="Transposable array"):
    """Transposable array: matrix read backward against the matrix read forward."""

    w_switch = axis("m", "width of the line switches", low=0.0, words="width of the line switches")
    deviation = signal(
        "1",
        "largest difference of the two, over the largest entry",
        low=0.0,
        words="forward against backward, largest deviation",
    )
    gain = signal("1", "slope of the backward against the forward matrix", words="slope, backward against forward")
    residual = signal(
        "1", "largest distance from that line, over the largest entry", low=0.0, words="distance from a line, largest"
    )
    g_forward = signal("S", "mean of the forward matrix", words="mean conductance, forward")
    g_backward = signal("S", "mean of the backward matrix", words="mean conductance, backward")


class System(Group, group="system", words="Whole arrays"):
    """Whole arrays with their periphery in ngspice against the tables (`rramkit verify --system`): rms differences."""

    code_forward = signal("1", "code of an output, forward read, in steps of the ADC", words="code, forward read")
    code_backward = signal("1", "code of an output, backward read, in steps of the ADC", words="code, backward read")
    energy_forward = signal(
        "J", "energy of a vector's forward reads from the readouts' supply", words="energy, forward reads"
    )
    energy_backward = signal(
        "J", "energy of a vector's backward reads from the readouts' supply", words="energy, backward reads"
    )
    code_adc = signal("1", "code of the ADC of transistors against the table's levels", words="code of the ADC")
    g_set = signal(
        "S",
        "conductance after each pulse of a SET train through the write driver",
        words="conductance after SET pulses",
    )
    g_reset = signal(
        "S",
        "conductance after each pulse of a RESET train through the write driver",
        words="conductance after RESET pulses",
    )
    energy_set = signal(
        "J", "energy of each pulse of the SET train, from all supplies of the driver", words="energy of a SET pulse"
    )
    energy_reset = signal(
        "J", "energy of each pulse of the RESET train, from all supplies of the driver", words="energy of a RESET pulse"
    )


class Reads(Group):
    """Columns of `reads_set` and `reads_reset`: what was measured, beside the curve that the table follows."""

    read = axis("1", "index of the read", low=0.0, words="read")
    g_cell = signal("S", "conductance read", words="conductance")
    g_fit = signal("S", "the mean curve of its device there", words="mean curve")
    pulse = signal(
        "1",
        "pulses along the curve; ramps that start at other levels start at other numbers",
        words="pulses along the curve",
    )
    ramp = signal("1", "index of the ramp", low=0.0, words="ramp")
    device = signal("1", "index of the device", low=0.0, words="device")
    v_pulse = signal("V", "amplitude of the pulses", words="pulse voltage")


class ReadsSet(Reads, group="reads_set", words="Measured SET"):
    """Measured reads after SET pulses; training does not use them."""


class ReadsReset(Reads, group="reads_reset", words="Measured RESET"):
    """Measured reads after RESET pulses; training does not use them."""


CORNERS, SCATTERED = Corners(), Scattered()
READ, SET, RESET, WIRES = Read(), Set(), Reset(), Wires()
CELL_NOISE, LINE_SWITCH = CellNoise(), LineSwitch()
ROW_DRIVER, ROW_DRIVER_SERIAL = RowDriver(), RowDriverSerial()
READOUT_TRANSIMPEDANCE, READOUT_INTEGRATING = ReadoutTransimpedance(), ReadoutIntegrating()
READOUT_OFFSET, READOUT_NOISE = ReadoutOffset(), ReadoutNoise()
READOUT_TRANSIMPEDANCE_SUMMARY = ReadoutTransimpedanceSummary()
ADC, ADC_SUMMARY, ADC_NOISE = Adc(), AdcSummary(), AdcNoise()
ADC_LEVELS, ADC_LEVELS_SUMMARY, ADC_MISMATCH = AdcLevels(), AdcLevelsSummary(), AdcMismatch()
SENSE_AMP, SENSE_AMP_SUMMARY, SENSE_AMP_OFFSET = SenseAmp(), SenseAmpSummary(), SenseAmpOffset()
CURRENT_SENSE, MULTIBIT_READ = CurrentSense(), MultibitRead()
WRITE_DRIVER_SET, WRITE_DRIVER_RESET = WriteDriverSet(), WriteDriverReset()
DROOP_SET, DROOP_RESET, DISTURB_SET, DISTURB_RESET = DroopSet(), DroopReset(), DisturbSet(), DisturbReset()
LEVEL_SHIFTER, DISTURB, PERIPHERY, SYSTEM = LevelShifter(), Disturb(), Periphery(), System()

READS: Mapping[Polarity, Reads] = {"set": ReadsSet(), "reset": ReadsReset()}
"""Columns of the two tables of measured reads by polarity."""

WRITES: Mapping[Polarity, Write] = {"set": SET, "reset": RESET}
"""Columns of the two write tables by polarity; they have the same names."""

DROOPS: Mapping[Polarity, WriteLoss] = {"set": DROOP_SET, "reset": DROOP_RESET}
"""Columns of the two tables of IR drop by polarity."""

DISTURBS: Mapping[Polarity, HalfSelect] = {"set": DISTURB_SET, "reset": DISTURB_RESET}
"""Columns of the two tables of half-select disturb by polarity."""

WRITE_DRIVERS: Mapping[Polarity, WriteDriver] = {"set": WRITE_DRIVER_SET, "reset": WRITE_DRIVER_RESET}
"""Columns of the two tables of the write driver by polarity."""

GROUPS: Mapping[str, Group] = {
    each.group: each
    for each in (
        *(READ, CELL_NOISE, SET, RESET, WIRES),
        *(ROW_DRIVER, ROW_DRIVER_SERIAL, LINE_SWITCH),
        *(READOUT_TRANSIMPEDANCE, READOUT_TRANSIMPEDANCE_SUMMARY, READOUT_INTEGRATING, READOUT_OFFSET, READOUT_NOISE),
        *(ADC, ADC_SUMMARY, ADC_LEVELS, ADC_LEVELS_SUMMARY, ADC_MISMATCH, ADC_NOISE),
        *(SENSE_AMP, SENSE_AMP_SUMMARY, SENSE_AMP_OFFSET, CURRENT_SENSE, MULTIBIT_READ),
        *(WRITE_DRIVER_SET, WRITE_DRIVER_RESET, DROOP_SET, DROOP_RESET, DISTURB_SET, DISTURB_RESET),
        *(LEVEL_SHIFTER, DISTURB, PERIPHERY, SYSTEM),
        *READS.values(),
    )
}
"""Every group of the kit by its name."""


def column(group: str, name: str) -> Column | None:
    """Return the column `name` of a group, those that every group may have included; None for a user's own."""
    if group not in GROUPS:
        return None
    shared = CORNERS.columns | SCATTERED.columns
    return GROUPS[group].columns.get(name) or shared.get(name)


def words_of(group: str, name: str = "") -> str:
    """Return what a table is called on pictures, or a column of it: in the field's words, `change of conductance`.

    What is a user's own keeps its name. Held-out ratios and spreads (`t_decide_ratio`,
    `offset_sigma`) are named after their column.
    """
    if not name:
        return (GROUPS[group].words if group in GROUPS else "") or group
    found = column(group, name) or CORNERS.columns.get(name)
    if found is not None:
        return found.words
    for ending, derived in _DERIVED.items():
        if name.endswith(ending):
            return derived.format(words_of(group, name.removesuffix(ending)))
    return name


_DERIVED = {"_ratio": "{}, table over SPICE", "_sigma": "spread of {}, table over fresh draws"}


def polarity_of(group: str) -> Polarity | None:
    """Return the polarity of the pulses of a group of the kit; None where it has none, or is a user's own."""
    return GROUPS[group].polarity if group in GROUPS else None


def markdown() -> str:
    """Return the tables of `docs/table-format.md`: the columns of every group; groups of the same columns in one."""
    alike: dict[tuple[tuple[str, str], ...], list[Group]] = {}
    for group in GROUPS.values():
        alike.setdefault(tuple((name, each.text) for name, each in group.columns.items()), []).append(group)
    parts = [_section([CORNERS], "Axes of every group"), _section([SCATTERED], "Scattered points")]
    return "\n".join(parts + [_section(groups, ", ".join(f"`{g.group}`" for g in groups)) for groups in alike.values()])


def _section(groups: Sequence[Group], title: str) -> str:
    """Return the heading, the descriptions and the columns of groups that have the same columns."""
    lines = [f"### {title}", "", *(f"{group.text}." for group in groups), ""]
    lines += ["| column | kind | unit | meaning |", "|---|---|---|---|"]
    for column in groups[0].columns.values():
        kind = column.kind.replace("_", "-") + (", required" if column.required else "")
        lines.append(f"| `{column}` | {kind} | {column.unit} | {column.text} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(markdown())
