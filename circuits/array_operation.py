"""One whole read of an array as a transient, all of its periphery of transistors: what every supply gives.

::

    word lines    control -[level shifter]-[driver]- word_i              up before the first vector, down after the last
    driven line   rail of the code -[multi-level row driver]- drv_k -[line switch]- row_k (or col_k)
    sensed line   -[line switch]- bus_u, unit u = j // share, in its turn;  -[line switch]- rest, while it waits
    unit u        readout, and the converter of its output behind it

A vector takes `share` turns of `t_read` + `t_conversion`: the drivers go from code 0 to the vector's codes, the outputs
settle for `t_read` and are sampled, the drivers go back to code 0 and the lines change over while the converters find
their codes. Rails of the drivers, rest, clamp, references, supplies, and the sources of the controls are ideal, and
counted (`supplies`); the converters' control is that of `adc`, whose sources of gates are counted as there.

`rramkit.proof.operation` adds up what each supply gives, and compares it with what is priced.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.adc import PINS, ConversionParams, add_control, add_sampling, sar_converter
from rramkit.circuits.array_system import ArraySystemParams
from rramkit.circuits.crossbar import add_crossbar
from rramkit.circuits.deck import Deck, Output
from rramkit.circuits.level_shifter import NAME as SHIFTER
from rramkit.circuits.level_shifter import LevelShifterParams, level_shifter
from rramkit.circuits.line_switch import line_switch
from rramkit.circuits.mosfet import word_driver
from rramkit.circuits.ota import ota
from rramkit.circuits.readout import readout
from rramkit.circuits.row_driver import multi_level
from rramkit.circuits.sense_amp import strong_arm
from rramkit.circuits.stimuli import staircase_points
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity

# As the transposable array's where it converts (`periphery.bench`); the shunt is the amplifiers' (`array_system`).
OPTIONS = "method=gear reltol=1e-3 abstol=1e-11 vntol=1e-6 chgtol=1e-16 itl4=100 rshunt=1e13"


class ArrayOperationParams(Parameters):
    """An array with its periphery, its converters and its word lines' drivers, and the timing of its reads."""

    system: ArraySystemParams = ArraySystemParams()
    adc: ConversionParams = ConversionParams()
    shifter: LevelShifterParams = LevelShifterParams()
    w_word: float = quantity(12e-6, "m", "NMOS width of a word line's driver; PMOS twice it", ge=0.1e-6, le=1e-3)
    t_words: float = quantity(
        12e-9, "s", "from the begin until the first turn; word lines rise in it", ge=1e-9, le=1e-6
    )
    t_read: float = quantity(40e-9, "s", "from the drivers' edge until the sampling begins", ge=1e-9, le=1e-3)
    t_change: float = quantity(1e-9, "s", "from the end of the sampling until the lines change over", ge=1e-10, le=1e-6)
    t_end: float = quantity(8e-9, "s", "after the last turn; word lines fall in it", ge=1e-9, le=1e-6)
    t_rise: float = quantity(50e-12, "s", "edge of the controls", ge=1e-13, le=1e-6)
    t_step: float = quantity(0.5e-9, "s", "largest time step of the simulation", ge=1e-14, le=1e-8)

    @property
    def t_turn(self) -> float:
        """Time of one turn [s]."""
        return self.t_read + self.adc.t_conversion

    def t_begin(self, turn: int) -> float:
        """Return when turn number `turn` of the operation begins [s]: its drivers' edge."""
        return self.t_words + turn * self.t_turn

    def t_sampled(self, turn: int) -> float:
        """Return when the outputs of a turn are sampled [s]; the drivers go back to rest then."""
        return self.t_begin(turn) + self.t_read + self.adc.t_sample + 3 * self.adc.t_rise

    def t_stop(self, turns: int) -> float:
        """Return when an operation of so many turns ends [s]."""
        return self.t_begin(turns) + self.t_end


@dataclass(frozen=True)
class Supply:
    """A source that is counted: the part of the periphery that it is of, the names of its voltage and its current.

    A source of one voltage has that in place of the name. `signed`: what flows back is taken off (a supply that a
    capacitor's charge goes back to), and not lost.
    """

    part: str
    volts: float | str
    current: str
    signed: bool = False


def operation_reads(params: ArrayOperationParams, states: np.ndarray, codes: np.ndarray) -> Deck:
    """Return a `.tran` deck of reads in one direction, one vector after the other.

    Parameters
    ----------
    params : ArrayOperationParams
        The circuits; `system.direction` says which lines are driven, `system.turn` is not used.
    states : ndarray (R, C)
        Held state of each cell, 0 to 1.
    codes : ndarray of int (driven, N)
        Code of each driven line's row driver, for each of N vectors.

    Returns
    -------
    Deck
        Its outputs are what `supplies` needs, and the registers of every converter.
    """
    _check(params, codes)
    system = params.system
    bar, technology = system.crossbar, system.crossbar.cell.technology
    circuit = Circuit("operation of an array")
    add_crossbar(circuit, bar, states, static=False)
    for block in (
        line_switch(system.switch),
        ota(system.readout.amplifier),
        readout(system.readout),
        multi_level(system.driver),
        level_shifter(params.shifter, technology),
        word_driver(technology, w_n=params.w_word),
        strong_arm(params.adc.sar.latch),
        sar_converter(params.adc.sar),
    ):
        circuit.subcircuit(block)
    for name, volts in _levels(params).items():
        circuit.V(f"_{name}", name, circuit.gnd, volts)
    turns = codes.shape[1] * system.share
    _add_words(circuit, params, turns)
    _add_driven(circuit, params, codes)
    _add_sensed(circuit, params, turns)
    _add_units(circuit, params, turns)
    return Deck(
        title=f"{bar.rows} x {bar.cols} array with all its periphery, {system.direction}: {codes.shape[1]} reads",
        parameters=params,
        circuit=circuit,
        libraries=tuple(dict.fromkeys((*bar.libraries, technology.library))),
        analysis=f".tran {params.t_step:g} {params.t_stop(turns):.9e} 0 {params.t_step:g}",
        outputs=_outputs(params, codes),
        options=OPTIONS,
    )


def supplies(params: ArrayOperationParams, codes: np.ndarray) -> list[Supply]:
    """Return every source of the deck that is counted, for codes as `operation_reads` takes them."""
    levels, system = _levels(params), params.system
    found = [
        Supply("row drivers", levels[name], f"i_{name}")
        for name in ("vdd_driver", *(f"rail_{k}" for k in range(system.driver.levels)))
    ]
    for line, chosen in enumerate(codes):
        found += [Supply("row drivers", f"v_off_{line}_{k}", f"i_off_{line}_{k}") for k in _used(chosen)]
    found += [Supply("readouts", levels["vdd_ota"], "i_vdd_ota"), Supply("lines that wait", levels["rest"], "i_rest")]
    found.append(Supply("line switches", levels["vdd_switch"], "i_vdd_switch"))
    controls = [f"en_drive_{k}" for k in range(system.driven)]
    controls += [f"{name}_{j}" for j in range(system.sensed) for name in ("en_sense", "en_wait")]
    found += [Supply("line switches", f"v_{name}", f"i_{name}") for name in controls]
    found += [Supply("word lines", levels["vdd_word"], "i_vdd_word")]
    for name in ("vref", "vdd_adc"):
        found.append(Supply("converters", levels[name], f"i_{name}", signed=True))
    for unit in range(params.system.units):
        for name in ("clk", "sample", "sample_b", *(f"bit_{b}" for b in params.adc.decided)):
            found.append(Supply("converters", f"v_adc_{unit}_{name}", f"i_adc_{unit}_{name}", signed=True))
    return found


def _outputs(params: ArrayOperationParams, codes: np.ndarray) -> tuple[Output, ...]:
    """Return what the sources that are counted need, and the registers of every converter."""
    counted = supplies(params, codes)
    volts = dict.fromkeys(each.volts for each in counted if isinstance(each.volts, str))
    return (
        *(Output(each.current, _vector(each.current), "A", f"into a source: {each.part}") for each in counted),
        *(Output(name, f"v({name.removeprefix('v_')})", "V", "its voltage") for name in volts),
        *(
            Output(f"q_{unit}_{bit}", f"v(adc_{unit}_q_{bit})", "1", f"register of bit {bit} of unit {unit}")
            for unit in range(params.system.units)
            for bit in params.adc.decided
        ),
    )


def _levels(params: ArrayOperationParams) -> Mapping[str, float]:
    """Return the voltage of every constant source, by its node [V]; those of one name are counted apart."""
    system, sar = params.system, params.adc.sar
    technology = system.crossbar.cell.technology
    return {
        "vdd_driver": system.driver.technology.v_core,
        **{f"rail_{k}": system.driver.v_level(k) for k in range(system.driver.levels)},
        "vdd_ota": system.readout.ota.v_dd,
        "clamp": system.readout.v_clamp,
        "rest": system.readout.v_clamp,
        "vdd_switch": system.switch.technology.v_io,
        "vcore_word": technology.v_core,
        "vdd_word": system.read.v_wl,
        "vdd_adc": sar.latch.technology.v_core,
        "vref": sar.v_reference,
        "cm": sar.v_common,
    }


def _vector(current: str) -> str:
    """Return ngspice's word for a source's current; the gates of a converter are driven by behavioural sources."""
    name = current.removeprefix("i_")
    behavioural = name.startswith("adc_") and (name.endswith("sample_b") or "_bit_" in name)
    return f"i({'b' if behavioural else 'v'}_{name})"


def _add_words(circuit: Circuit, params: ArrayOperationParams, turns: int) -> None:
    core = params.system.crossbar.cell.technology.v_core
    steps = [(0.1 * params.t_words, core), (params.t_begin(turns), 0.0)]
    points = staircase_points(steps, t_rise=params.t_rise)
    circuit.PieceWiseLinearVoltageSource("_word", "ctl_word", circuit.gnd, values=points)
    for i in range(params.system.crossbar.words):
        circuit.X(f"_shift_{i}", SHIFTER, "ctl_word", f"shifted_{i}", f"shifted_b_{i}", "vcore_word", "vdd_word")
        circuit.X(f"_word_{i}", "word_driver", f"shifted_{i}", f"word_{i}", "vdd_word", "vdd_word")


def _add_driven(circuit: Circuit, params: ArrayOperationParams, codes: np.ndarray) -> None:
    """Add row drivers and switches of the driven lines; a level that no vector takes has its select at the supply."""
    system, driver = params.system, params.system.driver
    name, v_dd, v_io = system.driven_line, driver.technology.v_core, system.switch.technology.v_io
    rails = [f"rail_{k}" for k in range(driver.levels)]
    turns = codes.shape[1] * system.share
    for line, chosen in enumerate(codes):
        used = _used(chosen)
        selects = [f"off_{line}_{k}" if k in used else "vdd_driver" for k in range(driver.levels)]
        circuit.X(f"_driver_{line}", "multi_level", f"drv_{line}", "vdd_driver", *rails, *selects)
        train = [(0.0, 0)]
        for turn in range(turns):
            train += [(params.t_begin(turn), int(chosen[turn // system.share])), (params.t_sampled(turn), 0)]
        for k in used:
            edges = [(t, v_dd * (code != k)) for t, code in train]
            points = staircase_points(edges[1:], t_rise=params.t_rise, v_start=edges[0][1])
            circuit.PieceWiseLinearVoltageSource(f"_off_{line}_{k}", f"off_{line}_{k}", circuit.gnd, values=points)
        steps = [(0.1 * params.t_words, v_io), (params.t_begin(turns), 0.0)]
        _switch(circuit, params, ("drive", line), f"drv_{line}", f"{name}_{line}", steps)


def _add_sensed(circuit: Circuit, params: ArrayOperationParams, turns: int) -> None:
    """Add the two switches of every sensed line: to its unit in its turn, to the rest voltage else."""
    system, v_io = params.system, params.system.switch.technology.v_io
    for j in range(system.sensed):
        steps: list[tuple[float, float]] = []
        for turn in range(j % system.share, turns, system.share):
            steps += [(_changes(params, turn), v_io), (_changes(params, turn + 1), 0.0)]
        unit, line = j // system.share, f"{system.sensed_line}_{j}"
        _switch(circuit, params, ("sense", j), line, f"bus_{unit}", steps)
        waiting = [(t, v_io - v) for t, v in steps]
        _switch(circuit, params, ("wait", j), line, "rest", waiting, v_start=v_io)


def _changes(params: ArrayOperationParams, turn: int) -> float:
    """Return when the lines of a turn take the place of those before [s]; of the first: with the word lines."""
    return 0.1 * params.t_words if turn == 0 else params.t_sampled(turn - 1) + params.t_change


def _switch(
    circuit: Circuit,
    params: ArrayOperationParams,
    of: tuple[str, int],
    a: str,
    b: str,
    steps: list[tuple[float, float]],
    v_start: float = 0.0,
) -> None:
    name = f"en_{of[0]}_{of[1]}"
    circuit.X(f"_{name}", "line_switch", a, b, name, "vdd_switch")
    points = staircase_points(steps, t_rise=params.t_rise, v_start=v_start)
    circuit.PieceWiseLinearVoltageSource(f"_{name}", name, circuit.gnd, values=points)


def _add_units(circuit: Circuit, params: ArrayOperationParams, turns: int) -> None:
    begins = [params.t_begin(turn) + params.t_read for turn in range(turns)]
    shared = {"v_cm": "cm", "vdd": "vdd_adc", "vref": "vref"}
    for unit in range(params.system.units):
        prefix = f"adc_{unit}_"
        circuit.X(f"_unit_{unit}", "readout", f"bus_{unit}", "clamp", f"out_{unit}", circuit.gnd, "vdd_ota")
        nodes = [shared.get(pin, prefix + pin) for pin in PINS[1:]]
        bits = [f"{prefix}bit_{b}" for b in range(params.adc.sar.bits_max)]
        circuit.X(f"_adc_{unit}", "sar", f"out_{unit}", *nodes, *bits)
        add_sampling(circuit, params.adc, begins, prefix=prefix)
        add_control(circuit, params.adc, begins, prefix=prefix)


def _used(chosen: np.ndarray) -> list[int]:
    """Return the codes (N,) that a driven line takes, with that at rest, each once."""
    return sorted({0, *(int(code) for code in chosen)})


def _check(params: ArrayOperationParams, codes: np.ndarray) -> None:
    system = params.system
    driven, top = system.driven, system.driver.levels - 1
    shaped = codes.ndim == 2 and codes.shape[0] == driven and codes.shape[1] >= 1
    if not shaped or not np.all((codes >= 0) & (codes <= top) & (codes == np.rint(codes))):
        raise InputError(
            f"`codes` must be ({driven}, N) whole numbers from 0 to {top}; got {codes.shape}, "
            f"{codes.min(initial=0)} to {codes.max(initial=0)}. Pass one for each driven line."
        )
    if system.driver.r_string > 0:
        raise InputError("`system.driver.r_string` must be 0, rails that all lines share; got a string of its own.")
    if system.read.v_wl != system.crossbar.cell.technology.v_io:
        raise InputError(
            f"`system.read.v_wl` must be the supply of the word lines' drivers, "
            f"{system.crossbar.cell.technology.v_io:g} V; got {system.read.v_wl:g} V. Pass one value for both."
        )
    if system.sensed % system.share:
        raise InputError(f"`system.share` must divide the {system.sensed} sensed lines; got {system.share}.")
    most = params.t_begin(1) - params.t_sampled(0) - params.t_rise
    if params.t_change > most:
        raise InputError(
            f"`t_change` must be {most:g} s or less, so that the lines change over before the next turn; got "
            f"{params.t_change:g} s. Shorten it, or lengthen `adc.t_bit`."
        )
