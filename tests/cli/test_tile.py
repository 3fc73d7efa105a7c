import json

import numpy as np
import pytest
from fixtures.synthetic import tables

from rramkit import table
from rramkit.cli.app import run
from rramkit.errors import InputError


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "tables.h5"
    table.save(tables(), path)
    return path


def outcome(capsys, *arguments):
    assert run(["tile", *map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_matrix_is_held_read_and_compared(file, tmp_path, capsys):
    weight, v = np.array([[0.5, -1.0], [1.0, 0.25], [-0.5, 0.0]]), np.array([[0.1, -0.2, 0.05], [0.0, 0.2, 0.2]])
    np.savetxt(tmp_path / "w.csv", weight, delimiter=",")
    np.save(tmp_path / "v.npy", v)
    found = outcome(
        capsys,
        file,
        "-t",
        tmp_path / "w.csv",
        "-i",
        tmp_path / "v.npy",
        "-o",
        tmp_path / "i.csv",
        "--exactly",
        "--exact",
    )
    assert (found["rows"], found["pairs"], found["vectors"], found["tiles"]) == (3, 2, 2, [1, 1])
    i = np.loadtxt(tmp_path / "i.csv", delimiter=",", ndmin=2)
    product = v @ weight * (90e-6 - 4e-6)
    # wires of 100 ohm in all and nonlinear cells: some percent; the fast wires of so small an array: far less
    np.testing.assert_allclose(i, product, rtol=0, atol=0.1 * np.max(np.abs(product)))
    assert 1e-3 < found["error"]["product"]["rms"] < 0.1
    assert found["error"]["exact"]["max"] < 2e-3
    assert found["write"]["error_max"] == 0.0


def test_a_read_chain_and_pulses_are_counted(file, capsys):
    plain = outcome(capsys, file, "--seed", 3)
    assert plain["write"]["pulses"] == 256 and plain["write"]["energy"] > 0.0
    coarse = outcome(capsys, file, "--seed", 3, "--set", "adc.bits=3", "--set", "adc.i_high=1e-5", "--backward")
    assert coarse["clamped"]["currents"] > 0
    assert coarse["error"]["product"]["rms"] > 3 * plain["error"]["product"]["rms"]
    noisy = ["--set", "read_noise.sigma_span=0.02", "--no-wires"]
    first, again = (outcome(capsys, file, *noisy) for _ in range(2))
    assert first["error"] == again["error"]


def test_the_summary_says_what_was_clamped_and_the_picture_is_there(file, tmp_path, capsys):
    np.savetxt(tmp_path / "v.csv", np.full((1, 16), 0.3), delimiter=",")
    assert run(["tile", str(file), "-i", str(tmp_path / "v.csv"), "--plot", str(tmp_path / "map.png")]) == 0
    said = capsys.readouterr().out
    assert "16 inputs" in said and "error" in said and "against product" in said
    assert (tmp_path / "map.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--set", "adc.bit=3"], "`adc.bit` is not a known key"),
        (["-i", "none.csv"], "none.csv: cannot be read"),
        (["--exact", "--no-wires"], "the exact grade needs wires"),
        (["--plot", "map.txt"], "a picture must end in one of"),
    ],
)
def test_what_does_not_fit_is_named(file, arguments, complaint):
    with pytest.raises(InputError, match=complaint):
        run(["tile", str(file), *arguments])


def test_files_that_do_not_fit_are_named(file, tmp_path):
    (tmp_path / "words.csv").write_text("one,two\n")
    with pytest.raises(InputError, match="not a table of numbers"):
        run(["tile", str(file), "-t", str(tmp_path / "words.csv")])
    np.savetxt(tmp_path / "nan.csv", [[np.nan]], delimiter=",")
    with pytest.raises(InputError, match="matrix of finite numbers"):
        run(["tile", str(file), "-t", str(tmp_path / "nan.csv")])
    np.save(tmp_path / "wide.npy", np.zeros((2, 5)))
    with pytest.raises(InputError, match=r"`v` must be \(B, N\) = \(B, 16\)"):
        run(["tile", str(file), "-i", str(tmp_path / "wide.npy")])
    np.save(tmp_path / "large.npy", np.zeros((80, 5)))
    with pytest.raises(InputError, match="one array can be solved"):
        run(["tile", str(file), "-t", str(tmp_path / "large.npy"), "--exact"])
