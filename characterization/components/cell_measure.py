"""Numbers out of waveforms: read conductance, energy of a pulse, currents of an array."""

import numpy as np

from rramkit.characterization.waveforms import Waveforms, integral
from rramkit.circuits.cell_bench import WriteParams
from rramkit.circuits.cell_rows import LINES


def row_currents(waves: Waveforms, cells: int) -> np.ndarray:
    """Return the current (cells, V) [A] of each cell of a row at each voltage of its sweep."""
    return np.stack([waves[f"i_cell_{k}"] for k in range(cells)])


def one_current(waves: Waveforms) -> np.ndarray:
    """Return the current (V,) [A] of a row of one cell."""
    return row_currents(waves, 1)[0]


def row_pulses(waves: Waveforms, cells: int) -> np.ndarray:
    """Return of a row of pulses: each cell's state at the end and the energy [J] its three drivers gave; (cells, 2)."""
    power = [sum(-waves[f"v_{line}_{k}"] * waves[f"i_{line}_{k}"] for line in LINES) for k in range(cells)]
    energy = np.trapezoid(np.array(power), waves["time"], axis=1)
    return np.stack([[waves[f"state_{k}"][-1] for k in range(cells)], energy], axis=1)


def one_pulse(waves: Waveforms) -> np.ndarray:
    """Return of a row of one pulse: state at the end, energy [J]; (2,)."""
    return row_pulses(waves, 1)[0]


def read_conductances(waves: Waveforms, params: WriteParams) -> np.ndarray:
    """Return the conductance (P + 1,) [S] that the reads before, between and after P pulses find, at `v_read`."""
    times = [params.t_read_at(index) for index in range(params.pulses + 1)]
    return np.interp(times, waves["time"], waves["i_sl"]) / params.read.v_read


def pulse_energies(waves: Waveforms, params: WriteParams) -> np.ndarray:
    """Return the energy (P,) [J] that the three line drivers give in each pulse, charging of the lines included."""
    power = sum(-waves[f"v_{line}"] * waves[f"i_{line}"] for line in ("bl", "wl", "sl"))
    windows = [params.write_window(index) for index in range(params.pulses)]
    return np.array([integral(waves["time"], np.asarray(power), window) for window in windows])


def array_currents(waves: Waveforms, outputs: tuple[str, ...]) -> np.ndarray:
    """Return the currents (N, B) [A] of an array's N `outputs` at the B points of its sweep."""
    return np.stack([waves[name] for name in outputs])
