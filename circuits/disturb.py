"""Half-select disturb: the write driver's pulses, and half-selected neighbours whose states may move.

Beside the written cell, at the far end of its lines, hang for each start state in `states`
    s_row_k   a cell of the same row: word line and source line in common, its bit line the inhibited one
    s_col_k   a cell of the same column: bit line in common, its word line closed, its source line at ground
The cells of other rows and columns see nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated

from pydantic import Field
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.cell import CellParams, Polarity, PulseParams, ReadParams, WriteParams, pulse_levels
from rramkit.circuits.chip import ChipParams
from rramkit.circuits.deck import CatalogEntry, Deck, Measure, Output
from rramkit.circuits.droop import LineLevels, LinePulsesParams, line_pulses
from rramkit.circuits.mismatch import Matching
from rramkit.circuits.write_driver import OPTIONS, DriverPulseParams, add_write_driver, add_written_cell, driver_outputs
from rramkit.parameters import Parameters, quantity


class DisturbBenchParams(DriverPulseParams):
    """Pulses of the largest amplitude, and the states at which neighbours start."""

    code_first: int = quantity(63, "1", "code of every pulse", ge=0, le=1023)
    pulses: int = quantity(4, "1", "number of pulses", ge=1, le=1000)
    t_pulse: float = quantity(50e-9, "s", "width of a pulse", ge=5e-9, le=1e-3)
    states: tuple[Annotated[float, Field(ge=0, le=1)], ...] = quantity(
        (0.3, 0.7, 0.95), "1", "states at which the neighbours start", min_length=1
    )

    def t_between(self, index: int) -> float:
        """Return a time [s] after read number `index` and before the next pulse, all lines at rest."""
        return self.read_interval(index)[1] + 3 * self.driver.switch.t_dead


def write_disturb(params: DisturbBenchParams) -> Deck:
    """Return a `.tran` deck of the pulses, which gives every neighbour's state after each."""
    circuit = Circuit("write disturb")
    far = add_write_driver(circuit, params.driver, params.cell, polarity=params.polarity, when=params.schedule)
    add_written_cell(circuit, far, params)
    neighbours = neighbour_states(params)
    for node, (where, start) in neighbours.items():
        lines = (far.inhibit, far.wl, far.sl) if where == "row" else (far.bl, "0", "0")
        circuit.X(f"_{node}", "cell_1t1r", *lines, node, s_0=start)
    return Deck(
        title=f"Write disturb: {params.polarity}, {params.pulses} pulses, half-selected neighbours",
        parameters=params,
        circuit=circuit,
        libraries=params.cell.libraries,
        analysis=f".tran {params.t_step} {params.t_stop:.9e} 0 {params.t_step} uic",
        outputs=(
            *driver_outputs(far),
            *(
                Output(node, f"v({node})", "1", f"{where} neighbour from {s}")
                for node, (where, s) in neighbours.items()
            ),
        ),
        measures=tuple(
            Measure(f"{node}_{k}", f"find v({node}) at={params.t_between(k):.6e}", "1", f"after {k} pulses")
            for node in neighbours
            for k in (0, params.pulses)
        ),
        options=OPTIONS,
    )


def half_select(cell: CellParams, *, polarity: Polarity, v_line: float, state: float, pulses: int) -> WriteParams:
    """Return the pulses that a cell sees at half the line voltage with its word line open (V/2 scheme, no gating).

    The bare cell's bench; the word line, at the chip's highest voltage, limits least: the worst of an ungated array.
    """
    v_half, v_open = v_line / 2, ChipParams().v_write
    v_stepped = v_open if polarity == "set" else v_half
    return WriteParams(
        cell=cell,
        pulse=PulseParams(v_bl_set=v_half, v_wl_reset=v_open, t_step=1e-9),
        polarity=polarity,
        state=state,
        v_first=v_stepped,
        v_last=v_stepped,
        pulses=pulses,
    )


def neighbour_levels(pulse: PulseParams, polarity: Polarity, amplitude: float) -> Mapping[str, LineLevels]:
    """Return the lines of a neighbour of a cell that gets a pulse, in the V/2 scheme and in the gated one.

    half    half the line voltage, the word line at the highest voltage that it has: the worst of an ungated array
    gated   SET: the neighbour on the bit line, word line closed. RESET: that on the source line, whose bit line follows
    """
    _, line, drive = pulse_levels(pulse, polarity, amplitude)
    v_open = max(pulse.v_wl_set, pulse.v_wl_reset)
    if line == "bl":
        return {"half": LineLevels(drive / 2, v_open, 0.0), "gated": LineLevels(drive, 0.0, 0.0)}
    return {"half": LineLevels(0.0, v_open, drive / 2), "gated": LineLevels(drive, pulse.v_wl_reset, drive)}


def neighbour_states(params: DisturbBenchParams) -> dict[str, tuple[str, float]]:
    """Return for each neighbour's state node where the cell is and its state at the start."""
    return {f"s_{where}_{k}": (where, s) for where in ("row", "col") for k, s in enumerate(params.states)}


class DisturbCellParams(Parameters):
    """A neighbour of a cell that gets a write pulse."""

    cell: CellParams = CellParams()
    read: ReadParams = ReadParams()
    pulse: PulseParams = PulseParams()
    polarity: Polarity = quantity("set", "1", "set steps the line `pulse.set_line`, reset the source line")
    state: float = quantity(0.5, "1", "state at the start", ge=0, le=1)
    v_first: float = quantity(1.5, "V", "amplitude of the neighbour's pulse on the stepped line", ge=0, le=3.6)
    matching: Matching = Matching()


def disturb_cell(params: DisturbCellParams) -> Deck:
    """Return a `.tran` deck of one pulse's half-selected cells, of the V/2 scheme and of the gated one."""
    return disturb_cells([params])


def disturb_cells(each: Sequence[DisturbCellParams]) -> Deck:
    """Return the deck of half-selected cells side by side, one of either scheme for each pulse."""
    first = each[0]
    levels = [
        neighbour for one in each for neighbour in neighbour_levels(one.pulse, one.polarity, one.v_first).values()
    ]
    states = tuple(one.state for one in each for _ in range(2))
    return line_pulses(LinePulsesParams.of(first.cell, first.pulse, states, tuple(levels)))


CATALOG = {
    "disturb": CatalogEntry(
        DisturbBenchParams,
        write_disturb,
        "half-select disturb: write driver at full amplitude, states of the neighbours",
    ),
    "disturb_cell": CatalogEntry(
        DisturbCellParams, disturb_cell, "half-selected 1T1R cells: V/2 with the gate open, and gated"
    ),
}
