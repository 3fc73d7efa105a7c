"""Columns of what makes codes of a line: SAR converter, sense amplifier, current sense."""

from rramkit.table.columns import Group, axis, condition, signal


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
