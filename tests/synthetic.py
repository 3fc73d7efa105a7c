"""A made-up table file that looks like the characterised one, so that training is tested without ngspice.

SET is a level that rises with the word-line amplitude and never lowers a cell; RESET falls gradually with the
source-line amplitude; the cell current is a sinh. The numbers follow SPICE runs of a sky130-like 1T1R cell, rounded;
they are a fixture, not a characterisation.
"""

import numpy as np

from rramkit.table import Quantity, Table, TableFile

G_LOW, G_HIGH = 4e-6, 90e-6  # S
V_READ, V_SHAPE = 0.2, 0.43  # V; the sinh's scale is that of the sky130 ReRAM model
_SET_V = np.array([0.8, 0.9, 1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6])
_SET_LEVEL = np.array([0.5, 2.0, 5.0, 10.0, 24.0, 43.0, 67.0, 93.0, 99.0]) * 1e-6
_RESET_V = np.array([0.8, 1.2, 1.4, 1.6, 1.8, 1.9])
_RESET_FROM_90 = np.array([90.0, 90.0, 83.0, 55.0, 38.0, 33.0]) / 90.0
_RESET_FROM_30 = np.array([30.0, 29.8, 28.0, 11.0, 3.6, 3.2]) / 30.0


def tables(
    *,
    dead: bool = False,
    linear: bool = False,
    perfect_wires: bool = False,
    strength: float = 1.0,
    reset_v_step: float = 0.05,
) -> TableFile:
    """Return a table file; `dead` pulses change nothing, `linear` cells are ohmic, `strength` scales every change."""
    wires = {"r_row": 1.2, "r_col": 1.2, "r_drive": 60.0, "r_sense": 40.0}
    return TableFile(
        tables={
            "read": read_table(linear=linear),
            "set": _pulse_table("set", 0.0 if dead else strength, 0.05),
            "reset": _pulse_table("reset", 0.0 if dead else strength, reset_v_step),
            "wires": Table(
                name="wires",
                axes={},
                signals={
                    key: Quantity(np.asarray(0.0 if perfect_wires else value), "ohm") for key, value in wires.items()
                },
                conditions={"rows_max": Quantity(np.asarray(65.0), "1"), "cols_max": Quantity(np.asarray(96.0), "1")},
            ),
        },
        provenance={"device": "synthetic", "corner": "typical", "seed": "0"},
    )


def read_table(*, linear: bool = False) -> Table:
    """Return the read table: forward (v < 0) is a little weaker than backward, as a 1T1R cell is."""
    g = np.linspace(G_LOW, G_HIGH, 16)
    v = np.linspace(-V_READ, V_READ, 17)
    if linear:
        i = g[:, None] * v[None, :]
    else:
        forward = V_SHAPE * np.sinh(-V_READ / V_SHAPE) / -V_READ
        shape = V_SHAPE * np.sinh(v / V_SHAPE) / forward
        series = 1.0 + 0.02 * (g[:, None] / G_HIGH) * (v[None, :] + V_READ) / V_READ
        i = g[:, None] * shape[None, :] / series
    return Table(
        name="read",
        axes={"g_cell": Quantity(g, "S"), "v_cell": Quantity(v, "V")},
        signals={"i_cell": Quantity(i, "A")},
        conditions={"t_read": Quantity(np.asarray(20e-9), "s"), "v_read": Quantity(np.asarray(-V_READ), "V")},
    )


def set_change(g: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the change of conductance (S) that one SET pulse of amplitude `v` makes: never negative."""
    level = np.interp(v, _SET_V, _SET_LEVEL)
    width = 1.5e-6
    return width * np.logaddexp(0.0, (level - g) / width) - width * np.logaddexp(0.0, -g / width)


def reset_change(g: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Return the change of conductance (S) that one RESET pulse of amplitude `v` makes: never positive."""
    high, low = np.interp(v, _RESET_V, _RESET_FROM_90), np.interp(v, _RESET_V, _RESET_FROM_30)
    part = np.clip((g - 30e-6) / 60e-6, 0.0, 1.0)
    return np.minimum(g * (low + part * (high - low)), g) - g


def _pulse_table(name: str, strength: float, v_step: float) -> Table:
    g = np.linspace(G_LOW, G_HIGH, 18)
    v = np.linspace(0.8, 1.6, 17) if name == "set" else np.linspace(0.8, 1.9, 23)
    grid_g, grid_v = np.meshgrid(g, v, indexing="ij")
    change = set_change(grid_g, grid_v) if name == "set" else reset_change(grid_g, grid_v)
    change = np.clip(grid_g + strength * change, G_LOW, G_HIGH * 1.02) - grid_g
    energy = 0.1e-12 + 60e-9 * (grid_g + np.abs(change)) * grid_v**2  # J: about 50 ns of dissipation, and the lines
    return Table(
        name=name,
        axes={"g_start": Quantity(g, "S"), "v_pulse": Quantity(v, "V")},
        signals={"delta_g": Quantity(change, "S"), "energy": Quantity(energy, "J")},
        conditions={"t_pulse": Quantity(np.asarray(50e-9), "s"), "v_step": Quantity(np.asarray(v_step), "V")},
    )


def perfect(*, g_step: float = 1e-7) -> TableFile:
    """Return the ideal device: ohmic cells, no wires, pulses of any change in steps of `g_step` (S)."""
    ideal = tables(linear=True, perfect_wires=True)
    span = G_HIGH - G_LOW
    g, v = np.array([G_LOW, G_HIGH]), np.array([1.0, 2.0])
    written = {}
    for name, sign in (("set", 1.0), ("reset", -1.0)):
        change = np.tile(sign * span * (v - 1.0), (2, 1))
        written[name] = Table(
            name=name,
            axes={"g_start": Quantity(g, "S"), "v_pulse": Quantity(v, "V")},
            signals={"delta_g": Quantity(change, "S"), "energy": Quantity(np.full((2, 2), 1e-12), "J")},
            conditions={
                "t_pulse": Quantity(np.asarray(50e-9), "s"),
                "v_step": Quantity(np.asarray(g_step / span), "V"),
            },
        )
    return TableFile({**ideal.tables, **written}, ideal.provenance)
