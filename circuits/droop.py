"""Cells side by side, each with its own voltages on its three lines: what a drop along a line costs, and half-select.

A drop along a line is a pulse whose level on that line is lower (or, on the line that takes the current, higher) by a
few millivolts; the same pulse with a lower amplitude gives what that is worth. Edges, drivers' resistance and lines are
those of `cell.pulse_row`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field, model_validator
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.cell import (
    LINES,
    ROW_OPTIONS,
    CellParams,
    Polarity,
    PulseParams,
    ReadParams,
    driven_cell,
    dynamic_cell,
    pulse_levels,
)
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.mismatch import Matching
from rramkit.circuits.stimuli import staircase_points
from rramkit.parameters import Parameters, quantity


@dataclass(frozen=True)
class LineLevels:
    """Voltages of bit, word and source line during a pulse (V); all rest at ground."""

    bl: float
    wl: float
    sl: float


class LinePulsesParams(Parameters):
    """One pulse at each of cells side by side; every line of every cell has a level of its own."""

    cell: CellParams = CellParams()
    pulse: PulseParams = PulseParams()
    state: tuple[float, ...] = Field(default=(0.5, 0.5), description="state of each cell at the start, 1", min_length=1)
    v_bl: tuple[float, ...] = Field(default=(1.7, 1.69), description="bit line of each cell during the pulse, V")
    v_wl: tuple[float, ...] = Field(default=(1.3, 1.3), description="word line of each cell during the pulse, V")
    v_sl: tuple[float, ...] = Field(default=(0.0, 0.0), description="source line of each cell during the pulse, V")

    @model_validator(mode="after")
    def _one_each(self) -> "LinePulsesParams":
        if not len(self.state) == len(self.v_bl) == len(self.v_wl) == len(self.v_sl):
            raise ValueError(f"v_bl, v_wl and v_sl must have one value for each of the {len(self.state)} states")
        return self

    @classmethod
    def of(
        cls, cell: CellParams, pulse: PulseParams, state: tuple[float, ...], levels: tuple[LineLevels, ...]
    ) -> "LinePulsesParams":
        """Build from the levels of each cell."""
        v_bl, v_wl, v_sl = (tuple(getattr(each, line) for each in levels) for line in LINES)
        return cls(cell=cell, pulse=pulse, state=state, v_bl=v_bl, v_wl=v_wl, v_sl=v_sl)

    @property
    def t_stop(self) -> float:
        """Return the end of the run [s]: three edges around the plateau, and one more edge's time at rest."""
        return self.pulse.t_pulse + 4 * self.pulse.t_rise


def line_pulses(params: LinePulsesParams) -> Deck:
    """Return a `.tran` deck of the pulses: state and source-line current of each cell."""
    circuit, pulse = Circuit("pulses with levels of their own"), params.pulse
    circuit.subcircuit(dynamic_cell(params.cell))
    circuit.subcircuit(driven_cell(pulse))
    rise, end = pulse.t_rise, pulse.t_pulse + 3 * pulse.t_rise
    outputs = []
    for k, state in enumerate(params.state):
        circuit.X(f"_cell_{k}", "driven_cell", *(f"{line}_{k}_src" for line in LINES), f"s_{k}", s_0=state)
        for line in LINES:
            level = getattr(params, f"v_{line}")[k]
            edges = [(0.0, level), (end - rise, 0.0)] if line == "wl" else [(rise, level), (end - 2 * rise, 0.0)]
            points = staircase_points(edges if level else [], t_rise=rise)
            circuit.PieceWiseLinearVoltageSource(f"_{line}_{k}", f"{line}_{k}_src", circuit.gnd, values=points)
        outputs += [
            Output(f"state_{k}", f"v(s_{k})", "1", f"state from {state:.6g}"),
            Output(f"i_{k}", f"i(v_sl_{k})", "A", f"current into the source line's driver, from {state:.6g}"),
        ]
    return Deck(
        title=f"1T1R cells side by side: one pulse at each of {len(params.state)}, lines with levels of their own",
        parameters=params,
        circuit=circuit,
        libraries=params.cell.libraries,
        analysis=f".tran {pulse.t_step} {params.t_stop:.9e} 0 {pulse.t_step} uic",
        outputs=tuple(outputs),
        measures=tuple(
            Measure(f"end_{k}", f"find v(s_{k}) at={params.t_stop:.6e}", "1", f"state of cell {k} at the end")
            for k in range(len(params.state))
        ),
        options=ROW_OPTIONS,
    )


def levels_of(pulse: PulseParams, polarity: Polarity, amplitude: float) -> LineLevels:
    """Return the levels of a pulse of that amplitude."""
    word, line, drive = pulse_levels(pulse, polarity, amplitude)
    return LineLevels(drive if line == "bl" else 0.0, word, drive if line == "sl" else 0.0)


def stepped_line(pulse: PulseParams, polarity: Polarity) -> str:
    """Return the line whose voltage is the amplitude: `bl`, `wl` or `sl`."""
    return "sl" if polarity == "reset" else pulse.set_line


def dropped(pulse: PulseParams, polarity: Polarity, amplitude: float, *, dv: float) -> Mapping[str, LineLevels]:
    """Return the levels of a pulse as it is, of one lower by `dv`, and of one that loses `dv` along a line.

    The line that is driven falls by `dv`, the one at ground, which takes the current, rises by it.
    """
    whole, lower = levels_of(pulse, polarity, amplitude), levels_of(pulse, polarity, amplitude - dv)
    source, bit = (-dv, dv) if polarity == "reset" else (dv, -dv)
    return {
        "whole": whole,
        "lower": lower,
        "source": LineLevels(whole.bl, whole.wl, whole.sl + source),
        "bit": LineLevels(whole.bl + bit, whole.wl, whole.sl),
    }


class DroopParams(Parameters):
    """A write pulse at a cell, and what is dropped along a line."""

    cell: CellParams = CellParams()
    read: ReadParams = ReadParams()
    pulse: PulseParams = PulseParams()
    polarity: Polarity = quantity("set", "1", "set steps the line `pulse.set_line`, reset the source line")
    state: float = quantity(0.5, "1", "state at the start", ge=0, le=1)
    v_first: float = quantity(1.3, "V", "amplitude of the pulse on the stepped line", ge=0.1, le=3.6)
    dv: float = quantity(10e-3, "V", "drop along a line, and of the amplitude that it is compared with", gt=0, le=0.1)
    matching: Matching = Matching()


def variants(params: DroopParams) -> tuple[str, ...]:
    """Return which pulses run: a drop along the stepped line is a lower amplitude, and needs no run of its own."""
    stepped = {"sl": "source", "bl": "bit"}.get(stepped_line(params.pulse, params.polarity), "")
    return tuple(name for name in ("whole", "lower", "source", "bit") if name != stepped)


def droop(params: DroopParams) -> Deck:
    """Return a `.tran` deck of one pulse and its variants, each at a cell of its own."""
    return droops([params])


def droops(each: Sequence[DroopParams]) -> Deck:
    """Return the deck of pulses side by side, each with its variants."""
    first, names = each[0], variants(each[0])
    levels = [dropped(one.pulse, one.polarity, one.v_first, dv=one.dv)[name] for one in each for name in names]
    states = tuple(one.state for one in each for _ in names)
    return line_pulses(LinePulsesParams.of(first.cell, first.pulse, states, tuple(levels)))


CATALOG = {
    "droop": CatalogEntry(
        DroopParams, droop, "1T1R cells side by side: one pulse, as it is, lower, and with a drop along each line"
    ),
}
