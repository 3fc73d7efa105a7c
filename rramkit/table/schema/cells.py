"""Columns of the cell: its read and noise, its writes, and what a write loses along lines and does to others."""

from rramkit.table.columns import Group, axis, condition, held_out, signal


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


class Disturb(Group, group="disturb", words="Write disturb"):
    """Half-select disturb at full amplitude of the write driver."""

    disturb_row = signal(
        "1",
        "largest change of state of a half-selected cell of the row by one pulse",
        low=0.0,
        words="change of state, cell of the row",
    )
    disturb_col = signal("1", "the same for the column", low=0.0, words="change of state, cell of the column")


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
