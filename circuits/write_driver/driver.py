"""The gradual-write driver of one 1T1R cell in its array: core logic in, three driven lines out, all in transistors.

SET     steps the word line: leg `step` (an NMOS: the line goes above that rail when it reads) from the buffered
        converter, while the bit line's leg `set` brings the fixed `v_bl_set`. The word line settles first, the bit
        line makes the pulse: an overshoot of the stepped gate then falls into a time without a cell voltage.
        With `set_line` = bl it steps the bit line instead (a device that the voltage, not the current, must hold back):
        leg `step` (PMOS and NMOS), while the word line, at the write supply, makes the pulse, as in RESET.
RESET   steps the source line: leg `step` (NMOS and PMOS) from the buffered converter, the bit line at ground, the other
        bit lines at the same voltage (`inhibit`, else the whole row would be reset). The word line, to the write
        supply, makes the pulse: while the lines rise every cell of the row is closed.
Read    word line to the write supply, bit line to `v_read`; the current that the rail `v_read` gives is the read
        current (not the source line's: of that a part returns through the open cells of the row).

Ideal, and marked so in the deck: the supplies and references (`v_write`, `v_core`, `v_high`, `v_low`, `v_bl_set`,
`v_read`), the core-logic control, and the inhibit rail, a copy of the converter's output.
"""

from dataclasses import dataclass
from typing import Literal, Self

from pydantic import model_validator
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits import level_shifter
from rramkit.circuits.cell import CellParams, Polarity
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.stimuli import staircase_points
from rramkit.circuits.write_driver import amplitude
from rramkit.circuits.write_driver.lines import (
    Far,
    Interval,
    Leg,
    LinesParams,
    SwitchParams,
    add_line_driver,
    add_lines,
)
from rramkit.parameters import Parameters, quantity

T_POWER = 5e-9  # s: ramp of the supplies, then of the references; the deck starts from nothing at all
T_START = 100e-9  # s: by then bias, converter and buffer have settled
SUPPLIES = ("write", "core", "high", "low", "bl_set", "read", "inhibit")


class WriteDriverParams(Parameters):
    """The driver's circuits and voltages."""

    shifter: level_shifter.LevelShifterParams = level_shifter.LevelShifterParams()
    converter: amplitude.ConverterParams = amplitude.ConverterParams()
    buffer: amplitude.BufferParams = amplitude.BufferParams()
    switch: SwitchParams = SwitchParams()
    lines: LinesParams = LinesParams()
    set_line: Literal["wl", "bl"] = quantity("wl", "1", "line that SET steps: wl limits current, bl gives voltage")
    v_write: float = quantity(3.3, "V", "supply of the write path: shifters, buffer, open word lines", ge=1.5, le=6)
    v_low_set: float = quantity(0.9, "V", "stepped line at code 0 in SET", ge=0, le=3)
    v_high_set: float = quantity(1.54, "V", "stepped line at code 2^bits in SET", ge=0.1, le=3)
    v_bl_set: float = quantity(1.7, "V", "bit line in SET, when the word line is stepped", ge=0.5, le=3.6)
    v_low_reset: float = quantity(1.2, "V", "source line at code 0 in RESET", ge=0, le=3)
    v_high_reset: float = quantity(1.712, "V", "source line at code 2^bits in RESET", ge=0.1, le=3)
    v_read: float = quantity(0.1, "V", "bit line while reading", ge=0.02, le=0.2)

    r_supply: float = quantity(5.0, "ohm", "resistance of the two power supplies up to the driver", ge=0.01, le=1e3)
    c_supply: float = quantity(5e-12, "F", "decoupling of each at the driver", ge=1e-15, le=1e-6)

    @property
    def t_lead(self) -> float:
        """Time [s] that the stepped line has to settle before the pulse: this kit's choice, 15 dead times."""
        return 15 * self.switch.t_dead

    @model_validator(mode="after")
    def _spans(self) -> Self:
        if self.v_low_set >= self.v_high_set or self.v_low_reset >= self.v_high_reset:
            raise ValueError("the converter's v_low must lie below its v_high, in SET and in RESET")
        return self

    def span(self, polarity: Polarity) -> tuple[float, float]:
        """Return the stepped line's voltage [V] at code 0 and at code 2^bits: the converter's references, amplified."""
        low, high = (self.v_low_set, self.v_high_set), (self.v_low_reset, self.v_high_reset)
        return low if polarity == "set" else high

    def stepped(self, polarity: Polarity) -> Literal["wl", "bl", "sl"]:
        """Return the line that is stepped."""
        return self.set_line if polarity == "set" else "sl"

    def supply_levels(self, cell: CellParams, polarity: Polarity) -> dict[str, float]:
        """Return the voltage [V] of each supply and reference that stands still."""
        low, high = (v / self.buffer.gain for v in self.span(polarity))
        power = {"write": self.v_write, "core": cell.technology.v_core}
        return power | {"high": high, "low": low, "bl_set": self.v_bl_set, "read": self.v_read}

    def amplitude(self, code: int, polarity: Polarity) -> float:
        """Return the voltage [V] that a code stands for, without load or offset."""
        low, high = self.span(polarity)
        return low + (high - low) * code / 2**self.converter.bits


@dataclass(frozen=True)
class PulseTiming:
    """When the driver does what: intervals [s] of reads and pulses; codes, each with the time [s] it begins."""

    reads: tuple[Interval, ...]
    pulses: tuple[Interval, ...]
    codes: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Joints:
    """Nodes that a loop takes over: `enable` (core logic) makes the pulses, `read_rail` feeds the bit line's read."""

    enable: str = ""
    read_rail: str = "vread"


def add_write_driver(
    circuit: Circuit,
    params: WriteDriverParams,
    cell: CellParams,
    *,
    polarity: Polarity,
    when: PulseTiming,
    joints: Joints = Joints(),
) -> Far:
    """Add supplies, converter, buffer, line drivers and lines; return the far ends, where the cell goes.

    `joints` lets a loop around the driver take the place of the schedule and of the read rail (`write_verify`).
    """
    add_line_drivers(circuit, params, cell, polarity=polarity, when=when, joints=joints)
    return add_lines(circuit, params.lines, cell)


def add_line_drivers(
    circuit: Circuit,
    params: WriteDriverParams,
    cell: CellParams,
    *,
    polarity: Polarity,
    when: PulseTiming,
    joints: Joints = Joints(),
) -> None:
    """Add supplies, converter, buffer and line drivers, which drive the nodes `bl`, `wl`, `sl` and `inhibit`."""
    draw = Netlister(circuit, cell.technology)
    for part in (
        level_shifter.level_shifter(params.shifter, cell.technology),
        amplitude.converter(params.converter, cell.technology),
        amplitude.buffer(params.buffer, cell.technology),
    ):
        circuit.subcircuit(part)
    _add_supplies(circuit, params, cell, polarity)
    _add_codes(circuit, params, cell, when)
    bits = [f"b_{k}" for k in range(params.converter.bits)]
    circuit.X("_converter", amplitude.CONVERTER, "dac", *bits, "vhigh", "vlow", "vcore", "vwrite")
    circuit.X("_buffer", amplitude.BUFFER, "dac", "rail", "vwrite")
    legs = _LEGS[params.stepped(polarity)](params, when, joints)
    for line, of_line in legs.items():
        # The word line closes in a nanosecond or two: gates that close in a tenth of one pull the nodes behind them
        # down, and an HRS neighbour at the inhibited line then sees a volt until its few uS have charged its node.
        down = {"wl": params.switch.closing, "inhibit": _inhibiting(params)}.get(line, 1.0)
        add_line_driver(circuit, line, of_line, params=params.switch, draw=draw, down=down)


def _set_legs(params: WriteDriverParams, when: PulseTiming, joints: Joints) -> dict[str, dict[str, Leg]]:
    dead = params.switch.t_dead
    step = [(a - params.t_lead, b + dead) for a, b in when.pulses]
    read = [(a - dead, b + dead) for a, b in when.reads]
    # Both kinds: a PMOS alone has half of its gate voltage left at such a rail, 650 ohm at 20 um.
    bit = Leg("vblset", "pn", when.pulses, joints.enable)
    return {
        "wl": {"step": Leg("rail", "n", step), "full": Leg("vwrite", "p", read)},
        "bl": {"set": bit, "read": Leg(joints.read_rail, "n", when.reads)},
        "sl": {},
        "inhibit": {},
    }


def _voltage_set_legs(params: WriteDriverParams, when: PulseTiming, joints: Joints) -> dict[str, dict[str, Leg]]:
    dead = params.switch.t_dead
    step = [(a - params.t_lead, b + dead) for a, b in when.pulses]
    read = Leg(joints.read_rail, "n", when.reads)
    return {
        "wl": _word_pulse(params, when, joints),
        "bl": {"step": Leg("rail", "pn", step), "read": read},
        "sl": {},
        "inhibit": {},
    }


def _reset_legs(params: WriteDriverParams, when: PulseTiming, joints: Joints) -> dict[str, dict[str, Leg]]:
    dead = params.switch.t_dead
    step = [(a - params.t_lead, b + dead) for a, b in when.pulses]
    return {
        "wl": _word_pulse(params, when, joints),
        "bl": {"read": Leg(joints.read_rail, "n", when.reads)},
        "sl": {"step": Leg("rail", "pn", step)},
        "inhibit": {"step": Leg("vinhibit", "pn", step, strength=_inhibiting(params))},
    }


def _inhibiting(params: WriteDriverParams) -> float:
    """Return the width of the switches of all inhibited bit lines together, over that of one leg."""
    return params.switch.inhibiting * params.lines.inhibited


def _word_pulse(params: WriteDriverParams, when: PulseTiming, joints: Joints) -> dict[str, Leg]:
    dead = params.switch.t_dead
    read = [(a - dead, b + dead) for a, b in when.reads]
    # Weak, because the row's open gates push the source line up as the word line rises: 0.2 V with a full leg.
    pulse = Leg("vwrite", "p", when.pulses, joints.enable, strength=params.switch.opening)
    return {"pulse": pulse, "full": Leg("vwrite", "p", read)}


_LEGS = {"wl": _set_legs, "bl": _voltage_set_legs, "sl": _reset_legs}


def _add_supplies(circuit: Circuit, params: WriteDriverParams, cell: CellParams, polarity: Polarity) -> None:
    for name, level in params.supply_levels(cell, polarity).items():
        node, power = "v" + name.replace("_", ""), name in ("core", "write")
        points = staircase_points([(0.0 if power else 2 * T_POWER, level)], t_rise=T_POWER)
        circuit.PieceWiseLinearVoltageSource(f"_{name}", f"{node}_pad" if power else node, circuit.gnd, values=points)
        if power:
            circuit.R(f"_{name}", f"{node}_pad", node, params.r_supply)
            circuit.C(f"_{name}", node, circuit.gnd, params.c_supply)
    circuit.raw_spice += (
        "* ideal: all sources above (supplies, references, core-logic control), and the inhibit rail's copy here\n"
        f"E_inhibit inhibit_copy 0 dac 0 {params.buffer.gain:g}\nV_inhibit vinhibit inhibit_copy 0\n"
    )


def _add_codes(circuit: Circuit, params: WriteDriverParams, cell: CellParams, when: PulseTiming) -> None:
    for k in range(params.converter.bits):
        steps = [(t, cell.technology.v_core * (code >> k & 1)) for t, code in when.codes]
        points = staircase_points(steps, t_rise=params.switch.t_logic)
        circuit.PieceWiseLinearVoltageSource(f"_b_{k}", f"b_{k}", circuit.gnd, values=[*points, (1.0, points[-1][1])])
