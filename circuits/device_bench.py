"""Testbench of a bare device: a train of pulses from one source through a series resistor, and a read at the end."""

from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.deck import Deck, Measure, Output
from rramkit.circuits.device import Device
from rramkit.circuits.stimuli import staircase_points
from rramkit.parameters import Parameters, quantity

# A cell that runs away changes its conductance by decades within one step: Newton then needs more than ngspice's 10
# iterations, and how far it ran hangs on the step error: the cell's benches are a decade coarser (reltol, trtol).
OPTIONS = "method=gear reltol=1e-5 trtol=1 abstol=1e-13 vntol=1e-7 chgtol=1e-18 itl4=100"


class DevicePulseParams(Parameters):
    """A device, what drives it, and where it starts."""

    device: Device = Device(model="bulk")
    state: float = quantity(0.5, "1", "state at the start", ge=0, le=1)
    r_series: float = quantity(5e3, "ohm", "resistor between source and top electrode", ge=1, le=1e7)
    v_pulse: tuple[float, ...] = quantity(
        (2.3, 2.6, -1.7), "V", "amplitude of each pulse; above zero is SET", min_length=1
    )
    t_pulse: float = quantity(50e-9, "s", "width of a pulse, edges excluded", ge=1e-13, le=100)
    t_rise: float = quantity(1e-9, "s", "duration of an edge", ge=1e-15, le=1)
    t_rest: float = quantity(5e-9, "s", "time at 0 V after each pulse", ge=1e-14, le=100)
    t_step: float = quantity(0.1e-9, "s", "largest time step of the simulation", ge=1e-16, le=1)

    @property
    def t_slot(self) -> float:
        """Return the time from one pulse to the next [s]."""
        return 2 * self.t_rise + self.t_pulse + self.t_rest

    def t_after(self, index: int) -> float:
        """Return the time [s] at the end of the rest that follows pulse number `index`."""
        return (index + 1) * self.t_slot


def pulse_train(params: DevicePulseParams) -> Deck:
    """Return a `.tran` deck of the train."""
    circuit, device = Circuit("pulse train"), params.device
    steps: list[tuple[float, float]] = []
    for k, amplitude in enumerate(params.v_pulse):
        begin = k * params.t_slot
        steps += [(begin, amplitude), (begin + params.t_rise + params.t_pulse, 0.0)]
    points = staircase_points(steps, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_drive", "drive", circuit.gnd, values=points)
    circuit.R("_series", "drive", "te", params.r_series)
    circuit.X("_device", device.subcircuit(), "te", 0, "s", s_0=params.state, **device.instance())
    count = len(params.v_pulse)
    return Deck(
        title=f"{device.model} device ({device.parameter_set}): {count} pulses through a resistor",
        parameters=params,
        circuit=circuit,
        libraries=(device.library,),
        analysis=f".tran {params.t_step} {params.t_after(count - 1):.9e} 0 {params.t_step} uic",
        outputs=(
            Output("state", "v(s)", "1", "state of the device, 0 to 1"),
            Output("v_drive", "v(drive)", "V", "source"),
            Output("v_device", "v(te)", "V", "over the device"),
            Output("i_drive", "i(v_drive)", "A", "current into the source's positive terminal"),
        ),
        measures=tuple(
            Measure(f"state_{k}", f"find v(s) at={0.9999 * params.t_after(k):.9e}", "1", f"state after {v:.4g} V")
            for k, v in enumerate(params.v_pulse)
        ),
        options=OPTIONS,
    )
