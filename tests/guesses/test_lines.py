"""One line each, as a user of scikit-rf, xarray or PyTorch would guess it: each works, or is refused in one line."""

import numpy as np
import pytest
from fixtures.synthetic import tables

import rramkit as rk
from rramkit import record, table
from rramkit.array import ArrayModel, Tile, WriteVerify
from rramkit.array.mapping import Pairs
from rramkit.errors import KitError
from rramkit.learning import DataSet, Experiment, NetworkSettings, train

TABLES = (
    'rk.load("tables.h5")',
    "rk.load(path)",
    'rk.table.load("tables.h5")',
    'table.load("tables.h5")',
    "table.load(path)",
    '"read" in tables',
    "list(tables)",
    "len(tables)",
    "tables.keys()",
    "dict(tables.items())",
    "for_each(tables)",
    'tables["read"]',
    'rk.save(tables, "copy.h5")',
    "tables.nominal()",
)
VALUE = (
    'tables["read"].i_cell',
    'tables["read"]["i_cell"]',
    'tables["read"]["i_cell"].values',
    'tables["read"]["i_cell"].unit',
    'np.asarray(tables["read"].i_cell)',
    'tables["read"].i_cell[3, 4]',
    'tables["read"](2e-5, 0.1)',
    'tables["read"].at("i_cell", g_cell=2e-5, v_cell=0.1)',
    'tables["read"].interp(g_cell=2e-5, v_cell=0.1)["i_cell"]',
    'tables["read"].sel(v_cell=0.0)',
    'tables["set"].at("delta_g", g_start=10e-6, v_pulse=1.3)',
    'tables["wires"].r_row',
    'float(tables["read"].t_read)',
    'tables["read"].shape',
)
LOOK = (
    "print(tables)",
    'print(tables["read"])',
    "print(tile)",
    "print(array)",
    "print(tile.forward(v))",
    "print(run)",
    "print(run.network)",
    "print(data)",
)
TILE = (
    "rk.ArrayModel(tables)",
    'rk.ArrayModel("tables.h5")',
    "ArrayModel.from_tables(tables)",
    "Tile(g, tables)",
    "Tile(pairs, array)",
    "Tile(pairs, path)",
    "Tile.of(g, tables)",
    "Tile.of(pairs, tables)",
    "Tile.of(pairs, array)",
    "Tile.from_tables(tables, g)",
    "array.tile(g)",
    "array.tile(pairs)",
)
READ = (
    "tile @ v",
    "v @ tile",
    "tile(v)",
    "tile.read(v)",
    "tile.forward(v).i",
    "tile.forward(v[None]).i",
    "tile.backward(np.ones(2) * 0.1).i",
    "tile.read([0.1, 0.0, -0.1])",
    "tile.forward(v).energy",
)
PROGRAM = (
    "array.program(w, rng=rng)",
    'array.program(w, rng=rng, method="pulse")',
    "WriteVerify.from_tables(tables).program(g0, pairs, rng=rng)",
    "WriteVerify.from_tables(path).chain.writer",
    'array.program(w, rng=rng, method="exact")',
    "WriteVerify.from_tables(tables).program(g0, pairs, rng=rng).error",
    "array.program(w.tolist(), rng=rng)[0].read(v)",
)
WINDOW = (
    "Pairs.from_tables(tables)",
    "Pairs.from_tables(path).window",
    "Pairs.from_tables(tables).encode(w)",
    "Pairs(g_low=4e-6, g_high=90e-6).decode(pairs)",
)
TRAIN = (
    'train(tiny, "tables.h5", data=(x, y))',
    "rk.train(tiny, tables, data=(x, y))",
    "rk.train(tiny, path, data=(x, y))",
    "rk.train(tiny, tables, data=DataSet(x, y))",
    "rk.train(tiny, tables, data=DataSet(x[:40], y[:40], x[40:], y[40:]))",
    "DataSet(x, y)",
)
SETTING = (
    'Experiment(network={"hidden": [32]})',
    'Experiment(rule="sign")',
    'Experiment(rule={"kind": "sign"})',
    "Experiment(network=NetworkSettings(hidden=(32,)))",
    'rk.Experiment(data={"train_images": 100})',
)
RESULT = (
    "run.history",
    "run.history.loss",
    "run.epochs.accuracy_test",
    "run.accuracy",
    'run.save("again.h5")',
    'record.save(run, "again.h5")',
    'rk.load_run(run.save("again.h5"))',
    "run.predict(x)",
    "run.network.predict(x)",
    'run.plot("run.png")',
)
WORKING = (*TABLES, *VALUE, *LOOK, *TILE, *READ, *PROGRAM, *WINDOW, *TRAIN, *SETTING, *RESULT)

REFUSED = {
    "Tile(pairs, 3)": "`tables` must be a table file or its path; got int",
    "ArrayModel(3)": "`tables` must be a table file or its path; got int",
    "train(tiny, 3)": "`tables` must be a table file or its path; got int",
    "Pairs().encode(w)": r"Pairs\.from_tables\(tables\)",
    "Experiment(hidden=[32])": r"`network\.hidden`",
    'Experiment(rule="sgn")': "'sign'",
    "train(tables, tiny)": "`experiment` must be an Experiment",
    'rk.load("nowhere.h5")': "no such file",
    'tables["reed"]': "has no table `reed`",
    'tables["read"].at("i_cell", g_cell=1.0, v_cell=0.1)': "must lie within",
    "tile.read(np.ones(4))": "must be",
    "run.predict(x[:, :2])": r"must be \(N, 4\)",
}
"""Guesses that cannot mean anything, and what their one line says."""


def for_each(tables):
    return [tables[name] for name in tables]


@pytest.fixture(scope="module")
def names(tmp_path_factory):
    """What the lines may name."""
    path, rng = tmp_path_factory.mktemp("lines") / "tables.h5", np.random.default_rng(0)
    file = tables()
    table.save(file, path)
    array, pairs = ArrayModel(file), rng.uniform(10e-6, 80e-6, (2, 3, 2))
    x, y = rng.random((60, 4)), np.arange(60) % 3
    tiny = Experiment(network=NetworkSettings(hidden=(5,)), epochs=1, float_reference=False)
    return {
        **{"np": np, "rk": rk, "record": record, "table": table, "train": train, "for_each": for_each},
        **{"ArrayModel": ArrayModel, "Tile": Tile, "WriteVerify": WriteVerify, "Pairs": Pairs},
        **{"DataSet": DataSet, "Experiment": Experiment, "NetworkSettings": NetworkSettings},
        "path": path,
        "tables": file,
        "array": array,
        "g": pairs[0],
        "g0": np.full(pairs.shape, 5e-6),
        "pairs": pairs,
        "v": np.array([0.1, -0.05, 0.2]),
        "w": np.array([[0.5, -1.0], [1.0, 0.25], [-0.5, 0.0]]),
        "tile": Tile.of(pairs, array),
        "rng": rng,
        "x": x,
        "y": y,
        "data": DataSet(x, y),
        "tiny": tiny,
        "run": train(tiny, file, data=(x, y)),
    }


@pytest.mark.parametrize("line", WORKING)
def test_a_guessed_line_works(line, names, monkeypatch):
    monkeypatch.chdir(names["path"].parent)
    assert eval(line, names) is not NotImplemented


@pytest.mark.parametrize("line", REFUSED)
def test_a_wrong_line_is_refused_in_one_line(line, names, monkeypatch):
    monkeypatch.chdir(names["path"].parent)
    with pytest.raises((KitError, AttributeError), match=REFUSED[line]) as caught:
        eval(line, names)
    assert "\n" not in str(caught.value)
