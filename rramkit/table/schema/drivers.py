"""Columns of what drives lines: row drivers, line switch, write drivers, level shifter."""

from rramkit.table.columns import Group, axis, condition, signal


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
