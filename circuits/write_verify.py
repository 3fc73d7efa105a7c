"""Incremental-step write-verify, the loop closed in the circuit: pulses of rising amplitude until the cell is there.

Divider      While it reads, the bit line hangs on twice the read voltage through a resistor R_ref = 1/g_target, so the
             line stands at the read voltage exactly when the cell has its target: at that point the cell's
             nonlinearity, and the divider's ratio, cancel.
Comparator   (`verify_comparator`) line against read voltage: PMOS pair of core transistors, whose inputs may lie near
             ground, mirror, a second stage and two inverters. Continuous in time. A thick-oxide read leg keeps the
             write voltages off its gates.
Latch        A strobe late in each read sets `done` when the comparator says so; `done` stops all later pulses.
             Gates of core transistors. Core-logic sources give only the fixed time raster (ideal).

It works with either line that SET steps, and in RESET: `done` withholds what makes the pulse, bit line or word line.
"""

from PySpice.Spice.Netlist import Circuit, SubCircuit

from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.mosfet import Netlister
from rramkit.circuits.stimuli import staircase_points
from rramkit.circuits.technology import Technology
from rramkit.circuits.write_driver import (
    OPTIONS,
    T_START,
    DriverWriteParams,
    Interval,
    Joints,
    add_write_driver,
    add_written_cell,
    driver_outputs,
)
from rramkit.parameters import Parameters, quantity

COMPARATOR = "verify_comparator"
W_GATE = 0.5e-6  # m: width of the latch's gates, which drive one another only (this kit's choice)


class ComparatorParams(Parameters):
    """Bias and sizes of the comparator; this kit's choice."""

    i_ref: float = quantity(10e-6, "A", "reference current", ge=0.1e-6, le=1e-3)
    w_pair: float = quantity(20e-6, "m", "width of a transistor of the pair", ge=0.1e-6, le=200e-6)
    w_mirror: float = quantity(2e-6, "m", "width of the mirrors' NMOS; PMOS four times it", ge=0.1e-6, le=100e-6)
    l_pair: float = quantity(0.2e-6, "m", "length of pair and mirrors", ge=5e-9, le=10e-6)


class WriteVerifyParams(DriverWriteParams):
    """A staircase that stops where the cell has reached its target."""

    comparator: ComparatorParams = ComparatorParams()
    g_target: float = quantity(40e-6, "S", "target conductance, at the driver's read voltage", ge=1e-6, le=200e-6)
    code_first: int = quantity(12, "1", "code of the first pulse", ge=0, le=1023)
    pulses: int = quantity(8, "1", "pulses at the most", ge=1, le=1000)
    t_read: float = quantity(40e-9, "s", "duration of a read: R_ref times the bit line's capacitance", ge=3e-9, le=1e-6)

    def strobe(self, index: int) -> Interval:
        """Return when the verdict of read number `index` is taken [s]: over before the read ends."""
        begin, _ = self.read_interval(index)
        return begin + 0.85 * self.t_read, begin + 0.95 * self.t_read


def comparator(params: ComparatorParams, technology: Technology) -> SubCircuit:
    """Return `.subckt verify_comparator inp inn out vdd`: out is high while v(inp) > v(inn)."""
    cell = SubCircuit(COMPARATOR, "inp", "inn", "out", "vdd")
    draw, length, w_n, w_p = Netlister(cell, technology), params.l_pair, params.w_mirror, 4 * params.w_mirror
    cell.I("_ref", "bias", cell.gnd, params.i_ref)
    for name, drain in (("bias", "bias"), ("tail", "tail"), ("second", "x2")):
        draw.mosfet(
            name, (drain, "bias", "vdd", "vdd"), "pmos_core", w=w_p, length=length, m=1 if name != "tail" else 2
        )
    for side, gate, drain in (("a", "inn", "y"), ("b", "inp", "x")):
        draw.mosfet(f"pair_{side}", (drain, gate, "tail", "tail"), "pmos_core", w=params.w_pair, length=length)
        draw.mosfet(f"load_{side}", (drain, "y", "0", 0), "nmos_core", w=w_n, length=length)
    draw.mosfet("gain", ("x2", "x", "0", 0), "nmos_core", w=w_n, length=length)
    draw.inverter("mid", ("x2", "x3", "vdd"), w_n=W_GATE, w_p=2 * W_GATE, core=True)
    draw.inverter("out", ("x3", "out", "vdd"), w_n=W_GATE, w_p=2 * W_GATE, core=True)
    return cell


def write_verify(params: WriteVerifyParams) -> Deck:
    """Return a `.tran` deck of the loop: `done` rises in the read that finds the cell at its target."""
    circuit, cell = Circuit("write verify"), params.cell
    v_read = params.driver.v_read
    doubled = params.driver.model_copy(update={"v_read": 2 * v_read})
    joints = Joints(enable="pulse_gated", read_rail="divider")
    when = params.schedule
    far = add_write_driver(circuit, doubled, cell, polarity=params.polarity, when=when, joints=joints)
    circuit.R("_reference", "vread", "divider", 1 / params.g_target)
    circuit.V("_threshold", "threshold", circuit.gnd, v_read)
    circuit.subcircuit(comparator(params.comparator, cell.technology))
    # SET: done when the line has fallen below the threshold; RESET: when it has risen above it.
    inputs = ("threshold", "divider") if params.polarity == "set" else ("divider", "threshold")
    circuit.X("_comparator", COMPARATOR, *inputs, "there", "vcore")
    _add_latch(circuit, params)
    add_written_cell(circuit, far, params)
    return Deck(
        title=f"Write-verify: {params.polarity} to {params.g_target * 1e6:.4g} uS in at most {params.pulses} pulses",
        parameters=params,
        circuit=circuit,
        libraries=cell.libraries,
        analysis=f".tran {params.t_step} {params.t_stop:.9e} 0 {params.t_step} uic",
        outputs=(
            *driver_outputs(far),
            Output("v_divider", "v(divider)", "V", "bit line's read rail, behind the reference resistor"),
            Output("v_there", "v(there)", "V", "the comparator's verdict"),
            Output("v_done", "v(done)", "V", "latched: no more pulses"),
        ),
        measures=(
            Measure("t_done", f"when v(done)={cell.technology.v_core / 2} rise=1 td={T_START}", "s", "the loop stops"),
            *(
                Measure(f"v_divider_{k}", f"find v(divider) at={params.strobe(k)[0]:.6e}", "V", f"read {k}")
                for k in range(params.pulses + 1)
            ),
        ),
        options=OPTIONS,
    )


def _add_latch(circuit: Circuit, params: WriteVerifyParams) -> None:
    """Add the raster (request, strobe, reset: ideal sources), the latch `done` and the gated pulse."""
    draw, high = Netlister(circuit, params.cell.technology), params.cell.technology.v_core
    strobes = [params.strobe(k) for k in range(params.pulses + 1)]
    requests = [params.pulse_interval(k) for k in range(params.pulses)]
    released = [(T_START / 2, high)]  # and never back
    for name, steps in (("request", _edges(requests, high)), ("strobe", _edges(strobes, high)), ("release", released)):
        points = staircase_points(steps, t_rise=params.driver.switch.t_logic)
        circuit.PieceWiseLinearVoltageSource(f"_{name}", name, circuit.gnd, values=points)
    for name, first, second, out in (
        ("set", "strobe", "there", "set_low"),
        ("done", "set_low", "going", "done"),
        ("going", "release", "done", "going"),
        ("gate", "request", "going", "gate_low"),
    ):
        draw.nand(f"_{name}", (first, second, out, "vcore"), w=W_GATE)
    draw.inverter("_gate", ("gate_low", "pulse_gated", "vcore"), w_n=2 * W_GATE, w_p=4 * W_GATE, core=True)


def _edges(intervals: list[tuple[float, float]], high: float) -> list[tuple[float, float]]:
    """Return the steps (t, v) of a line that is at `high` [V] during each interval (from, to) [s]."""
    return [step for start, end in intervals for step in ((start, high), (end, 0.0))]


CATALOG = {
    "write_verify": CatalogEntry(
        WriteVerifyParams,
        write_verify,
        "incremental-step write-verify, its comparator and latch in the circuit",
    ),
}
