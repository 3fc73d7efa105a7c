"""What a training does not read of a table file, and why: groups and signals that serve to verify, or in a report.

Every other group and signal of `schema` is read by a stage of a training or by its costs: NaN in its place changes a
training or stops it, which a test holds for each (`tests/learning/test_every_signal.py`).
`python -m rramkit.table.unread` prints the table of `docs/training.md`.
"""

import sys
from collections.abc import Mapping

from rramkit.table.schema import (
    ADC,
    ADC_LEVELS_SUMMARY,
    CURRENT_SENSE,
    DISTURB,
    DISTURB_RESET,
    DISTURB_SET,
    LEVEL_SHIFTER,
    MULTIBIT_READ,
    PERIPHERY,
    READOUT_INTEGRATING,
    READOUT_TRANSIMPEDANCE,
    ROW_DRIVER,
    ROW_DRIVER_SERIAL,
    SENSE_AMP,
    SENSE_AMP_SUMMARY,
    WIRES,
    WRITE_DRIVER_RESET,
    WRITE_DRIVER_SET,
)

_OF_WAVEFORM = "judges the waveform: the read, or the slot, is long enough"
_ENDS = "the ends of a line are the row driver's and the readout's resistance; read where a file has none of these"
_GATED = "the array writes with closed gates (`gated`); read with `rule.update.disturb.scheme = half`"
_DRIVER = "judges the driver; what a cell gets is `v_settled` less the drivers' resistance times the current"

UNREAD: Mapping[str, str] = {
    f"{WIRES.group}.{WIRES.r_drive}": _ENDS,
    f"{WIRES.group}.{WIRES.r_sense}": _ENDS,
    f"{ROW_DRIVER.group}.{ROW_DRIVER.v_far}": "the fall along the row is that of the wires, solved with the cells",
    f"{ROW_DRIVER.group}.{ROW_DRIVER.t_settle}": _OF_WAVEFORM,
    f"{LEVEL_SHIFTER.group}.{LEVEL_SHIFTER.t_up}": _OF_WAVEFORM,
    f"{LEVEL_SHIFTER.group}.{LEVEL_SHIFTER.t_down}": _OF_WAVEFORM,
    f"{LEVEL_SHIFTER.group}.{LEVEL_SHIFTER.v_high}": "judges the swing: a word line is at its supply",
    f"{LEVEL_SHIFTER.group}.{LEVEL_SHIFTER.v_low}": "judges the swing: a word line is at ground",
    f"{READOUT_TRANSIMPEDANCE.group}.{READOUT_TRANSIMPEDANCE.overshoot}": _OF_WAVEFORM,
    f"{READOUT_TRANSIMPEDANCE.group}.{READOUT_TRANSIMPEDANCE.t_settle}": _OF_WAVEFORM,
    f"{ADC.group}.{ADC.code}": "closed-loop check of `adc_levels`, from which codes are taken",
    f"{ADC.group}.{ADC.energy}": "`adc_summary.energy_mean` is its mean; read where a file has no summary",
    f"{ADC.group}.{ADC.energy_reference}": "a part of `energy`",
    f"{ADC.group}.{ADC.energy_control}": "a part of `energy`",
    **{
        f"{group.group}.{signal}": _DRIVER
        for group in (WRITE_DRIVER_SET, WRITE_DRIVER_RESET)
        for signal in (group.v_level, group.droop, group.v_end, group.overshoot, group.t_settle)
    },
    f"{DISTURB_SET.group}.{DISTURB_SET.half}": _GATED,
    f"{DISTURB_RESET.group}.{DISTURB_RESET.half}": _GATED,
    CURRENT_SENSE.group: "an amplifier of one bit, not in the sense units; read with `rule.verify.sense = latch`",
    ADC_LEVELS_SUMMARY.group: "figures of `adc_levels`, which is read",
    MULTIBIT_READ.group: "readout and ADC in one deck: a test holds the tile's codes to it",
    READOUT_INTEGRATING.group: "neurons of `rramkit evaluate --spiking`; a training's chip has the other readout",
    ROW_DRIVER_SERIAL.group: "an alternative to the multi-level row driver that the chip does not use",
    SENSE_AMP.group: "judges the ADC's clock; energy: mapping `sei`, merge `majority`, `evaluate --spiking`",
    SENSE_AMP_SUMMARY.group: "regeneration of the latch: judges the ADC's clock",
    PERIPHERY.group: "the transposable array as a whole: a check of forward against backward reads",
    DISTURB.group: "disturb at full amplitude: `disturb_set` and `disturb_reset` have it over amplitude",
}
"""Reason by `group` or `group.signal`."""


def reason(group: str, signal: str) -> str:
    """Return why a training does not read a signal; empty where it does."""
    return UNREAD.get(f"{group}.{signal}", UNREAD.get(group, ""))


def markdown() -> str:
    """Return the table of `docs/training.md`."""
    rows = (f"| `{name}` | {text} |" for name, text in UNREAD.items())
    return "\n".join(["| group or signal | why a training does not read it |", "|---|---|", *rows, ""])


if __name__ == "__main__":
    sys.stdout.write(markdown())
