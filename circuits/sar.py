"""Successive-approximation converter: binary capacitor array, StrongARM latch as its comparator, 1 to `bits_max` bit.

The input is sampled on the common top plate x, through a transmission gate, while the bottom plates stand at the code
2^(bits_max - 1): that bit's bottom at ground, all others at v_ref. With the gate open and code D on the bottom plates

    x = v_in + (2^(bits_max - 1) - D) v_ref/2^bits_max   times C/(C + c_parasitic) for what the plates moved,

so a trial is kept when x is above v_cm = v_ref/2, the first trial needs no switching, and x never leaves 0 to v_ref.
A conversion to fewer bits stops early; the bits it leaves out keep their bottom plates at v_ref, and the range is the
same. Two things that the comparator's kickback asks for, each worth 3 to 10 mV at the threshold when left out:

    v_cm is sampled too, by an equal gate on an equal capacitance (node y), so that x and y are kicked alike;
    the inverters that drive the bottom plates are as wide as their capacitors are large, so that x stays stiff.

Sizes are this kit's choice; the array is top-plate sampled as in Liu, Chang, Huang, Lin, IEEE JSSC 45 (2010) 731, doi
10.1109/JSSC.2010.2042254, but switched one way and single-ended.
"""

import numpy as np
from PySpice.Spice.Netlist import Circuit

from rramkit.circuits.mismatch import sigma_capacitor
from rramkit.circuits.strongarm import StrongArmParams, strong_arm
from rramkit.errors import InputError
from rramkit.parameters import Parameters, quantity


class SarParams(Parameters):
    """Array, comparator and switches."""

    latch: StrongArmParams = StrongArmParams()
    bits_max: int = quantity(6, "1", "bits of the capacitor array", ge=1, le=8)
    bits: int = quantity(6, "1", "bits that a conversion finds: 1 to bits_max", ge=1, le=8)
    v_ref: float = quantity(1.0, "V", "reference: full scale of the input", ge=0.3, le=3.6)
    c_unit: float = quantity(2e-15, "F", "unit capacitor", ge=1e-17, le=1e-11)
    c_density: float = quantity(2e-3, "F/m2", "capacitance for each area (2e-3 is 2 fF/um2)", ge=1e-5, le=1)
    c_parasitic: float = quantity(10e-15, "F", "top plate to ground", ge=0, le=1e-11)
    w_sample: float = quantity(4e-6, "m", "width of each transistor of the sampling gate", ge=0.1e-6, le=1e-3)
    w_bottom_n: float = quantity(0.2e-6, "m", "bottom plate's NMOS: width for each unit capacitor", ge=0.1e-6, le=1e-3)
    w_bottom_p: float = quantity(0.3e-6, "m", "bottom plate's PMOS: width for each unit capacitor", ge=0.1e-6, le=1e-3)

    @property
    def nominal_capacitors(self) -> np.ndarray:
        """Capacitors (bits_max + 1,) [F]: the one that never moves, then bit 0 to bit bits_max - 1."""
        return self.c_unit * np.concatenate([[1.0], 2.0 ** np.arange(self.bits_max)])

    @property
    def v_cm(self) -> float:
        """Return the level [V] that the comparator holds x against."""
        return self.v_ref / 2


def draw_capacitors(params: SarParams, *, rng: np.random.Generator) -> np.ndarray:
    """Return one draw of the capacitors (bits_max + 1,) [F]: each made of units that deviate by Pelgrom's law."""
    return scaled_capacitors(params, rng.normal(size=params.bits_max + 1))


def scaled_capacitors(params: SarParams, normals: np.ndarray) -> np.ndarray:
    """Return the capacitors (bits_max + 1,) [F] of standard normals (bits_max + 1,)."""
    nominal = params.nominal_capacitors
    sigma = sigma_capacitor(params.latch.matching, params.c_unit / params.c_density)
    return nominal * (1 + sigma * np.sqrt(params.c_unit / nominal) * normals)


def levels_by_hand(params: SarParams, capacitors: np.ndarray) -> np.ndarray:
    """Return the transition levels (2^bits - 1,) [V] of the input that charge conservation gives for code 1, 2, ...

    T_D = v_cm + v_ref (sum of D's capacitors - that of the sampled code)/(all of them + c_parasitic).
    """
    _check(params, capacitors)
    codes = np.arange(1, 2**params.bits) * 2 ** (params.bits_max - params.bits)
    on = (codes[:, np.newaxis] >> np.arange(params.bits_max)) & 1
    total = np.sum(capacitors) + params.c_parasitic
    return params.v_cm + params.v_ref * (on @ capacitors[1:] - capacitors[-1]) / total


def add_sar(
    circuit: Circuit, params: SarParams, capacitors: np.ndarray | None = None, dv_threshold: np.ndarray | None = None
) -> None:
    """Add the converter's analog part to a circuit.

    Ports: `in_adc` and `v_cm`, sampled on `x` (the array's top plate) and `y`; `sample` and `sample_b` (gates of the
    switches), `bit_k` (high puts capacitor k's bottom plate to ground), `clk`, `out_p`, `out_n`, `vdd` and `vref`.

    Parameters
    ----------
    capacitors : ndarray (bits_max + 1,), optional
        As `SarParams.nominal_capacitors`; default: those.
    dv_threshold : ndarray (11,), optional
        Mismatch of the comparator, as `strong_arm`.
    """
    values = params.nominal_capacitors if capacitors is None else capacitors
    _check(params, values)
    circuit.subcircuit(strong_arm(params.latch, dv_threshold))
    circuit.X("_comparator", "strong_arm", "x", "y", "clk", "out_p", "out_n", "vdd")
    _add_gate(circuit, params, "in_adc", "x")
    _add_gate(circuit, params, "v_cm", "y")
    circuit.C("_fixed", "x", "vref", float(values[0]))
    for bit in range(params.bits_max):
        circuit.C(f"_{bit}", "x", f"bottom_{bit}", float(values[bit + 1]))
        _add_inverter(circuit, params, bit)
    circuit.C("_y", "y", circuit.gnd, float(np.sum(params.nominal_capacitors)) + params.c_parasitic)
    if params.c_parasitic > 0:
        circuit.C("_parasitic", "x", circuit.gnd, params.c_parasitic)


def _add_gate(circuit: Circuit, params: SarParams, source: str, plate: str) -> None:
    """Add the transmission gate that samples `source` on `plate`."""
    length = params.latch.technology.l_core
    for kind, gate, bulk in (("n", "sample", "0"), ("p", "sample_b", "vdd")):
        model = params.latch.technology.model(kind, "core")
        circuit.M(f"_{plate}_{kind}", plate, gate, source, bulk, model=model, width=params.w_sample, length=length)


def _add_inverter(circuit: Circuit, params: SarParams, bit: int) -> None:
    """Add the driver of bit `bit`'s bottom plate."""
    length, gate, plate = params.latch.technology.l_core, f"bit_{bit}", f"bottom_{bit}"
    for kind, source, width in (("n", "0", params.w_bottom_n), ("p", "vref", params.w_bottom_p)):
        name, model = f"_{plate}_{kind}", params.latch.technology.model(kind, "core")
        circuit.M(name, plate, gate, source, source, model=model, width=2**bit * width, length=length)


def _check(params: SarParams, capacitors: np.ndarray) -> None:
    if params.bits > params.bits_max:
        raise InputError(f"`bits` must be 1 to bits_max = {params.bits_max}; got {params.bits}. Use a larger array.")
    shape = (params.bits_max + 1,)
    if capacitors.shape != shape or not np.all((capacitors > 0) & (capacitors < 1e-9)):
        raise InputError(
            f"`capacitors` must be {shape} in farad, above 0; got {capacitors.shape}. "
            "One that never moves, then one for each bit."
        )
