"""A tile read by ngspice, a slow loop in the place of ngspice: phases, turns, codes and halves are the tile's."""

import json
from dataclasses import dataclass, field

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables

from rramkit.array.mapped_matrix import MappedMatrix
from rramkit.array.mapping import BitSerial, Sei
from rramkit.array.matrix import FloatMatrix
from rramkit.array.model import ArrayModel
from rramkit.array.rng import TileRng
from rramkit.array.stages.chain import ReadChain
from rramkit.array.stages.sense_unit import SenseUnit
from rramkit.array.tile import Tile
from rramkit.array.tile_grid import TileGrid
from rramkit.circuits.array_system import ArraySystemParams
from rramkit.errors import InputError
from rramkit.proof import spice_tile
from rramkit.proof.prove import _with_tile
from rramkit.proof.spice_tile import LINES, Comparison, SpiceSolver, SpiceTile, quiet, unit_of

TABLES = chip_tables()


def chain() -> ReadChain:
    """The chip's chain with ends of no resistance, so that a slow loop needs no wires."""
    found = ReadChain.from_tables(TABLES)
    gains = tuple(gain.model_copy(update={"r_in": 0.0}) for gain in found.readout.gains)
    return found.model_copy(
        update={
            "readout": found.readout.model_copy(update={"gains": gains}),
            "line_switch": found.line_switch.model_copy(update={"r_on": 0.0}),
            "row_driver": found.row_driver.model_copy(update={"r_out": 0.0}),
        }
    )


@dataclass
class SlowReads:
    """Cell by cell, what the readouts of an array without wires put out."""

    comparison: Comparison = field(default_factory=Comparison)

    def outputs(self, tile, state, drives, *, backward):
        unit, cells = unit_of(tile), tile.model.cells
        g_cell = np.moveaxis(np.asarray(tile.g_cell, dtype=float), -3, -1)
        arrays = g_cell.reshape(*g_cell.shape[:-3], g_cell.shape[-3], -1)
        found = []
        for v in drives:
            sensed = arrays.shape[-2] if backward else arrays.shape[-1]
            lead = arrays.shape[:-2]
            out = np.empty((*lead, v.shape[-2], sensed))
            rails = np.broadcast_to(v, (*lead, *v.shape[-2:]))
            for index in np.ndindex(*lead):
                gain = unit.readout.gains[int(state.banks[backward].gain[index])]
                array = arrays[index].T if backward else arrays[index]  # (driven, sensed)
                for n, line in np.ndindex(v.shape[-2], sensed):
                    current = sum(
                        cell(cells, array[k, line], rails[index][n, k], backward=backward)
                        for k in range(array.shape[0])
                    )
                    offset = state.draws.offset[(*index, line // LINES)]
                    seen = current + offset * cells.linear_conductance(array[:, line]).sum()
                    out[(*index, n, line)] = unit.readout.v_rest + offset + gain.curve().output(np.array(seen))
            found.append(out)
        return found


def cell(cells, g, u, *, backward):
    """Current of one cell whose driven end is pulled down by `u`."""
    v = -u if backward else u
    terms = cells.conductance_terms(np.array([g]))[:, 0]
    return abs(float(sum(a * np.interp(v, cells.v_grid, b) for a, b in zip(terms, cells.b_grid, strict=True))))


def tile_of(shape, seed=3):
    model = ArrayModel(TABLES, wires=False, chain=chain())
    g_cell = np.random.default_rng(seed).uniform(6e-6, 70e-6, shape)
    return Tile.of(g_cell, model, rng=TileRng.seeded(seed, shape[:-3]) if len(shape) > 3 else TileRng.seeded(seed))


@pytest.mark.parametrize("shape", [(2, 5, 3), (1, 5, 4)])
@pytest.mark.parametrize("direction", ["forward", "backward"])
@pytest.mark.parametrize("signed", [False, True])
def test_codes_are_those_of_the_tile(shape, direction, signed):
    tile = tile_of(shape)
    lines = shape[-2] if direction == "forward" else shape[-1]
    v = np.random.default_rng(1).uniform(-0.1 if signed else 0.0, 0.1, (7, lines))
    v[2] = 0.0
    slow = SlowReads()
    through = SpiceTile.like(tile, slow)
    spice, own = getattr(through, direction)(v).i, getattr(quiet(tile), direction)(v).i
    unit = unit_of(tile)
    step = unit.adc.v_lsb / unit.readout.gains[0].r_feedback
    # sums in another order: a current at a transition may fall to either side of it
    assert np.max(np.abs(spice - own)) <= 1.01 * step
    assert np.mean(np.abs(spice - own) < 0.01 * step) >= 0.95
    assert slow.comparison.differences.size == own.size


def test_a_grid_of_tiles_goes_through_tile_by_tile():
    model = ArrayModel(TABLES, wires=False, chain=chain())
    g_cell = np.random.default_rng(0).uniform(6e-6, 70e-6, (2, 9, 5))
    grid = TileGrid.of(g_cell, model, largest=(5, 6), rng=np.random.default_rng(0))
    through = type(grid)(SpiceTile.like(grid.tiles, SlowReads()), grid.rows, grid.pairs)
    v = np.random.default_rng(1).uniform(0.0, 0.1, (4, 9))
    own = type(grid)(quiet(grid.tiles), grid.rows, grid.pairs).forward(v).i
    step = unit_of(grid.tiles).adc.v_lsb / unit_of(grid.tiles).readout.gains[0].r_feedback
    assert np.max(np.abs(through.forward(v).i - own)) <= 2.02 * step


class FakeCircuits:
    """The numbers of a deck in the place of its text."""

    system = ArraySystemParams()

    def deck_text(self, g_cell, v_drive, v_offset, direction, turn, r_feedback):
        del v_offset, r_feedback
        g = g_cell if direction == "forward" else g_cell.T
        return json.dumps([g.tolist(), v_drive.tolist(), turn])


class FakeRunner:
    """A line's output is its current, and the power of a sweep's points the number of each."""

    def __init__(self):
        self.sweeps = []

    def need(self, stage, points):
        del stage
        for point in points:
            g, v_drive, turn = (np.asarray(each) for each in json.loads(point.make_deck()))
            self.sweeps.append(v_drive.sum(axis=0))
            yield np.column_stack([v_drive.T @ g[:, int(turn) :: LINES], np.arange(v_drive.shape[1])])


@pytest.mark.parametrize("backward", [False, True])
def test_each_vector_gets_its_own_output_whatever_the_order_of_the_sweeps(monkeypatch, backward):
    """Repeated vectors run once, weak ones first, those of one sweep spread over all strengths."""
    monkeypatch.setattr(spice_tile, "AT_ONCE", 4)
    tile, runner = tile_of((1, 5, 4)), FakeRunner()
    solver = SpiceSolver(FakeCircuits(), runner)  # pyright: ignore[reportArgumentType]
    rng = np.random.default_rng(2)
    v = rng.uniform(0.0, 0.1, (11, 4 if backward else 5))[rng.integers(0, 11, 30)]
    state = tile.periphery.state(SenseUnit)
    (found,) = solver.outputs(tile, state, [v], backward=backward)
    g = np.asarray(tile.g_cell[0], dtype=float)
    np.testing.assert_allclose(found, v @ (g.T if backward else g), rtol=1e-12)
    vectors, place = np.unique(v, axis=0, return_inverse=True)
    different, rank = len(vectors), np.argsort(np.argsort(vectors.sum(axis=1)))
    assert sum(len(each) for each in runner.sweeps) == LINES * different
    (watts,) = solver.comparison.watts  # the place of each vector in its sweep, and not another's
    drawn = LINES * (rank // -(-different // spice_tile.AT_ONCE))[place.ravel()]
    np.testing.assert_allclose(watts, -FakeCircuits.system.readout.ota.v_dd * drawn, rtol=1e-12)
    assert all(np.all(np.diff(each) >= 0) for each in runner.sweeps)  # weakest first
    assert max(each[0] for each in runner.sweeps) < min(each[-1] for each in runner.sweeps)


def test_a_tile_without_circuits_is_refused():
    plain = Tile.of(np.full((2, 3, 2), 20e-6), ArrayModel(TABLES, wires=False))
    with pytest.raises(InputError, match="readouts and ADCs"):
        SpiceTile.like(plain, SlowReads())


@pytest.mark.parametrize("kind", [BitSerial, Sei])
def test_a_mapping_that_is_not_read_in_whole_vectors_is_refused_before_ngspice(kind):
    mapping = kind(g_low=5e-6, g_high=20e-6)
    matrix = MappedMatrix(tile_of((mapping.halves, 5, 3)), mapping)
    with pytest.raises(InputError, match=f"whole vectors.*{type(mapping).__name__}"):
        _with_tile(matrix, quiet)
    with pytest.raises(InputError, match="got FloatMatrix"):
        _with_tile(FloatMatrix(np.ones((5, 3))), quiet)


def test_a_quiet_tile_keeps_what_was_drawn_and_draws_nothing():
    tile = tile_of((2, 5, 3))
    v = np.random.default_rng(1).uniform(0.0, 0.1, (3, 5))
    calm = quiet(tile)
    assert np.array_equal(calm.forward(v).i, calm.forward(v).i)
    assert calm.periphery.state(type(unit_of(tile))) is tile.periphery.state(type(unit_of(tile)))
