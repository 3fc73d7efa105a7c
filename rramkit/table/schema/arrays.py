"""Columns of arrays: wires, the transposable array, and whole arrays with their periphery."""

from rramkit.table.columns import Group, axis, condition, held_out, signal


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
