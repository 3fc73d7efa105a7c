"""Columns of what reads a line out: transfer, offset and noise of the readouts."""

from rramkit.table.columns import Group, axis, condition, signal


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
