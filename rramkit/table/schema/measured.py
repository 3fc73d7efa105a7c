"""Columns of measured reads, beside the tables that are fitted to them."""

from rramkit.table.columns import Group, axis, signal


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
