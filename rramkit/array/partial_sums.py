"""Merge of partial sums: what each of the tiles that share outputs adds to them (`ReadChain.merge`)."""

from dataclasses import replace

import numpy as np

from rramkit.array.backend import Array, like, namespace
from rramkit.array.layout import Layout
from rramkit.array.periphery import Periphery
from rramkit.array.products import product
from rramkit.array.rng import Rng, TileRng
from rramkit.array.stages.comparator import Comparator
from rramkit.array.stages.sense_unit import SenseUnit
from rramkit.array.tile import Tile


def merged(i: Array, tiles: Tile, *, i_count: float, gain: float | Array) -> Array:
    """Return what each tile adds to the outputs (Tr, Tc, B, M), from its partial sums (joined: (1, Tc, B, M))."""
    xp, merge = namespace(i), tiles.model.chain.merge
    if merge == "count":
        return i_count * xp.round(i / (i_count * gain))
    if merge == "majority":
        vote = xp.where(i > _middle(tiles, i_count), xp.ones_like(i), -xp.ones_like(i))
        return i_count * vote
    return i


def _middle(tiles: Tile, i_count: float) -> Array:
    """Return what comparators compare partial sums with (Tr, Tc, 1, M), their offsets in it (A)."""
    xp, chain, g_cell = namespace(tiles.g_cell), tiles.model.chain, tiles.g_cell
    signs = xp.sign(g_cell[..., 0, :, :] - g_cell[..., 1, :, :])
    middle = i_count * (xp.floor(0.5 * xp.sum(signs, axis=-2)) + 0.5)[..., None, :]
    if not chain.comparator.per_tile:
        return middle
    drawn, gains = tiles.periphery.state(Comparator), chain.readout.gains
    if not gains:
        return middle + chain.comparator.offset(drawn, None)
    gain = tiles.periphery.state(SenseUnit).banks[0].gain
    r_feedback = np.asarray([each.r_feedback for each in gains])[gain][..., None, None]
    return middle + chain.comparator.offset(drawn, like(r_feedback, middle))


def gain_of_counts(tiles: Tile, v: Array, layout: Layout, *, i_count: float) -> Array:
    """Return the current of a count in each tile over `i_count` (Tr, Tc, 1, 1), by least squares over a batch."""
    xp, g_cell = namespace(v), tiles.g_cell
    signs = xp.sign(g_cell[..., 0, :, :] - g_cell[..., 1, :, :])
    wanted = product(layout, (v * (i_count / tiles.model.cells.v_forward),), (signs,))
    along = xp.sum(tiles.differences(v, layout) * wanted, axis=(-2, -1))
    power = xp.sum(wanted * wanted, axis=(-2, -1))
    gain = xp.where(power > 0.0, along / xp.where(power > 0.0, power, xp.ones_like(power)), xp.ones_like(power))
    return gain[..., None, None]


def joined(tiles: Tile, *, rng: Rng | None) -> Periphery:
    """Return what senses tiles (Tr, Tc) joined down the rows: as of tiles (1, Tc) that hold all of their rows.

    A sensed line has a switch in each of the Tr tiles.
    """
    xp, (down, across, halves, rows, pairs) = namespace(tiles.g_cell), tiles.g_cell.shape
    tall = xp.permute_dims(tiles.g_cell, (1, 2, 0, 3, 4)).reshape(1, across, halves, down * rows, pairs)
    draws = TileRng.of(rng, (1, across)) if tiles.model.chain.per_tile else None
    joint = Periphery.of(tall, tiles.model, rng=draws)
    e_switches = (down - 1) * tiles.model.chain.line_switch.e_conversion
    return replace(joint, e_conversion=joint.e_conversion + e_switches, e_batch=tiles.periphery.e_batch)
