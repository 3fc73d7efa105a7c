"""Tables that carry every part of the format: labels, masks, distributions, fits, valid ranges, step errors."""

from dataclasses import replace

import numpy as np
from synthetic_run import checked_tables

from rramkit.table import Distribution, Fit, Mask, Quantity, Table, TableFile


def full_table() -> Table:
    """Return a write table with all that a table can carry."""
    table = checked_tables()["set"]
    shape = table.shape
    change = table.signals["delta_g"].values.copy()
    codes = np.zeros(shape, dtype=np.uint8)
    codes[9, 8], codes[9, 9], change[9, 8], change[9, 9] = 1, 2, np.nan, np.nan
    rng = np.random.default_rng(4)
    draws = change[..., None] + 1e-7 * rng.standard_normal((*shape, 40))
    fit = Fit(
        equation="delta_g = rate (g_max - g_start)",
        signal="delta_g",
        parameters={
            "rate": Quantity(np.linspace(0, 1, shape[1]), "1"),
            "g_max": Quantity(np.full(shape[1], 1e-4), "S"),
        },
        errors={"rate": np.full(shape[1], 0.01), "g_max": np.full(shape[1], 1e-6)},
        residual=2e-7,
        axes=("v_pulse",),
    )
    limited = {name: replace(points, limit_p95=points.limit_max) for name, points in table.held_out.items()}
    return replace(
        table,
        signals={**table.signals, "delta_g": Quantity(change, "S")},
        held_out=limited,
        masks={"delta_g": Mask(codes, ("no convergence", "crash"))},
        distributions={"cycles": Distribution.of_draws(draws, signal="delta_g", over="cycles")},
        fits={"soft_bounds": fit},
        step_error={"delta_g": 3e-8, "energy": 1e-15},
        valid={"v_pulse": (0.9, 1.5)},
    )


def cornered_table() -> Table:
    """Return a block's table over corner, temperature and input, the first axis of labels."""
    corner, kelvin, v = ("tt", "ff", "ss"), np.array([273.0, 300.0, 358.0]), np.linspace(0.2, 0.8, 5)
    delay = (1 + 0.2 * np.arange(3)[:, None, None]) * (kelvin[:, None] / 300) * (1e-10 / v)
    return Table(
        name="strongarm",
        axes={"corner": Quantity.of_labels(corner), "temperature": Quantity(kelvin, "K"), "v_diff": Quantity(v, "V")},
        signals={"t_decide": Quantity(delay, "s")},
    )


def full_file() -> TableFile:
    """Return a file of both, with provenance."""
    return TableFile({"set": full_table(), "strongarm": cornered_table()}, {"plan": "{}", "note": "\N{MICRO SIGN}S"})
