"""The CSV files of NeuroSim V1.5, read back as its documentation and messages say that it reads them."""

import csv
from dataclasses import replace

import numpy as np
import pytest
from fixtures.chip_tables import I_NOISE, SIGMA_LEVEL, chip_tables
from fixtures.closeness import near
from fixtures.synthetic import G_HIGH, G_LOW, tables

from rramkit import table
from rramkit.array.stages.adc import Adc
from rramkit.cli.app import run as command
from rramkit.errors import InputError
from rramkit.export import memory_states, output_noise
from rramkit.table import Quantity


def read_states(path, *, bitcell):
    """Columns by the names `mean` and `std`; a row for each of 2^b states of a cell of b bits, in siemens."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2**bitcell
    return np.array([[float(row["mean"]), float(row["std"])] for row in rows])


def read_outputs(path, *, adc_precision):
    """Columns `output`, `mean` and `std`; the row of an ideal output is found by its place, 0 to 2^B."""
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2**adc_precision + 1  # an output is clamped to 2^B, that one included
    assert [float(row["output"]) for row in rows] == list(range(len(rows)))
    return np.array([[float(row["mean"]), float(row["std"])] for row in rows])


def test_the_files_of_a_chip_are_read_back(tmp_path, capsys):
    table.save(chip_tables(scatter=True), tmp_path / "chip.h5")
    assert command(["export", str(tmp_path / "chip.h5"), "--to", "neurosim", "--bits", "3", "-o", str(tmp_path)]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / name) for name in ("mem_states.csv", "output_noise.csv")]
    states = read_states(tmp_path / "mem_states.csv", bitcell=3)
    made = memory_states(chip_tables(scatter=True), bits=3)
    np.testing.assert_allclose(states, np.column_stack([made.mean, made.std]), rtol=1e-8)  # nine digits are written
    outputs = read_outputs(tmp_path / "output_noise.csv", adc_precision=8)
    assert np.all(np.diff(outputs[:, 0]) >= 0) and np.all(outputs[:, 1] >= 0)


def test_states_are_where_write_verify_leaves_cells():
    fine = tables(reset_v_step=0.01)
    made = memory_states(fine, bits=2, cells=40)
    levels = np.linspace(G_LOW, G_HIGH, 4)
    span = G_HIGH - G_LOW
    # The window of write-verify is 1 % of the span; a cell that it gives up is a step of the made-up driver away.
    np.testing.assert_allclose(made.mean, levels, rtol=0, atol=0.03 * span)
    assert memory_states(fine, bits=2, cells=40, seed=1).mean.shape == (4,)
    scattered = memory_states(chip_tables(scatter=True), bits=2, cells=40)
    assert np.all(scattered.std > 0)
    assert memory_states(chip_tables(scatter=True), bits=2, cells=40).text == scattered.text
    assert memory_states(chip_tables(scatter=True), bits=2, cells=40, seed=1).text != scattered.text


def test_outputs_are_those_of_the_slow_loop():
    """Units with drawn transitions, conversions with drawn noise, one after the other."""
    file, v_noise, draws = chip_tables(), 1e-3, 3000  # a third of a code, so that outputs differ often
    noise = replace(file["adc_noise"], signals={"v_noise": Quantity(np.array(v_noise), "V")})
    file = replace(file, tables={**file.tables, "adc_noise": noise})
    made, adc, rng = output_noise(file), Adc.from_tables(file), np.random.default_rng(3)
    assert made is not None and adc is not None and adc.v_low is not None
    readout = float(np.mean(I_NOISE * np.asarray(file["readout_noise"].axes["r_feedback"].values)))
    seen = {}
    for code in (0, 1, 100, 255):
        codes = []
        for _ in range(draws):
            transitions = adc.transitions() + rng.normal(0.0, SIGMA_LEVEL, 255)
            v_in = adc.v_low + (code + 0.5) * adc.v_lsb + rng.normal(0.0, np.hypot(v_noise, readout))
            codes.append(np.count_nonzero(transitions <= v_in))
        seen[code] = np.array(codes)
        # Five standard errors of a mean and of a deviation; a unit whose transitions cross is not quite monotonous.
        error = float(np.std(codes)) / np.sqrt(draws)
        assert made.mean[code] == near(float(np.mean(codes) - np.mean(seen[0])), 0.0, within=5 * np.sqrt(2) * error)
        assert made.std[code] == near(float(np.std(codes)), 0.1)
    assert 0.2 < made.std[100] < 1.0


def test_without_a_converter_there_is_one_file(tmp_path, capsys):
    table.save(tables(), tmp_path / "cells.h5")
    assert command(["export", str(tmp_path / "cells.h5"), "--to", "neurosim", "-o", str(tmp_path / "out")]) == 0
    assert "no output_noise.csv" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mem_states.csv"]
    assert read_states(tmp_path / "out" / "mem_states.csv", bitcell=4).shape == (16, 2)


def test_bounds():
    with pytest.raises(InputError, match="`bits` must be 1 to 8; got 9"):
        memory_states(tables(), bits=9)
    with pytest.raises(InputError, match="`cells` must be 2 or more"):
        memory_states(tables(), cells=1)
