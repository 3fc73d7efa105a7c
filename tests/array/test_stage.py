"""Stages of a read: those that are off are absent, names of version 0.1.0 load, and a new stage needs no other file."""

import numpy as np
import pytest
from fixtures.synthetic import G_HIGH, G_LOW, V_READ, tables

from rramkit.array import ArrayModel, ReadChain, Tile, TileRng
from rramkit.array.backend import Array
from rramkit.array.stages.stage import LineDrive, Stage, State, TileSpec
from rramkit.errors import InputError
from rramkit.learning import Experiment
from rramkit.parameters import quantity

OLD = {"dac": {"levels": 16}, "mux": {"tau": 1e-9}, "converter": {"bits": 8}, "noise": {"sigma_rel": 0.1}}
NEW = {"row_driver": {"levels": 16}, "line_switch": {"tau": 1e-9}, "adc": {"bits": 8}, "read_noise": {"sigma_rel": 0.1}}
G = np.random.default_rng(0).uniform(G_LOW, G_HIGH, (2, 5, 4))
V = np.random.default_rng(1).uniform(-V_READ, V_READ, (6, 5))


def test_stages_that_are_off_are_absent():
    assert ReadChain().stages == ()
    chain = ReadChain.checked({**NEW, "telegraph": {"amplitude": 0.5}, "clamp": {"i_max": 1e-4}}, where="test")
    names = [type(stage).__name__ for stage in chain.stages]
    assert names == ["RowDriver", "ReadNoise", "LineSwitch", "Clamp", "Adc"]  # in signal order


def test_names_of_version_0_1_0_load():
    assert ReadChain.checked(OLD, where="test") == ReadChain.checked(NEW, where="test")
    experiments = [Experiment.checked({"mapping": {"read": read}}, where="test") for read in (OLD, NEW)]
    assert experiments[0] == experiments[1]
    with pytest.raises(InputError, match="converter was renamed adc: use the new name alone"):
        ReadChain.checked({"converter": {"bits": 8}, "adc": {"bits": 8}}, where="test")


class Toy(Stage):
    """A stage with every hook: half the voltage, twice the current of odd columns, an offset of each tile."""

    size: float = quantity(0.0, "A", "offset", ge=0.0)

    @property
    def on(self) -> bool:
        return self.size > 0.0

    @property
    def linear(self) -> bool:
        return False

    @property
    def per_tile(self) -> bool:
        return True

    def drive(self, lines: LineDrive) -> LineDrive:
        return LineDrive(np.array([0.0, 0.5]))

    def fabricate(self, tile: TileSpec, *, rng: TileRng | None) -> State:
        assert rng is not None
        return self.size * rng.normal((1, 1), tile.g_cell)

    def sense(self, i: Array, state: State, *, backward: bool, two_way: bool) -> tuple[Array, int]:
        return i + state, int(i.size)


class ToyChain(ReadChain):
    """A chain with one more field: all that a new stage needs beside its own file."""

    toy: Toy = Toy()


def test_a_new_stage_is_a_file_and_a_field():
    chain = ToyChain(toy=Toy(size=1e-6))
    model = ArrayModel(tables(linear=True), wires=False, chain=chain)
    tile, v = Tile.of(G, model, rng=TileRng.seeded(3)), np.full((6, 5), V_READ)
    offset = tile.periphery.state(Toy)
    reading = tile.forward(v)
    # float64 products of five cells
    np.testing.assert_allclose(reading.i, 0.5 * v @ (G[0] - G[1]) + offset, rtol=0, atol=1e-18)
    assert reading.beyond == 24


def test_chains_without_a_stage_that_senses_stay_one_product():
    noisy = ReadChain.checked({"read_noise": {"sigma_rel": 0.1}, "row_driver": {"levels": 8}}, where="test")
    assert not noisy.nonlinear and not noisy.per_tile and noisy.random
    tile = Tile.of(G, ArrayModel(tables(), chain=noisy))
    assert tile.rows_driven.total is None  # halves are not sensed one by one
    assert tile.forward(V, rng=TileRng.seeded(1)).i.shape == (6, 4)
