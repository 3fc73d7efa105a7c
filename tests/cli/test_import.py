"""`rramkit import` as a user meets it: what it prints, assumes, refuses and writes; I-V files and the report."""

import json

import numpy as np
import pytest
from fixtures.closeness import near

from rramkit import table
from rramkit.characterization.measured.importer import from_preset, from_pulses
from rramkit.characterization.measured.settings import ImportSettings
from rramkit.cli.app import run as command
from rramkit.errors import InputError
from rramkit.report import report
from rramkit.report.page import page

RISE = 2e-6 * 10 ** np.linspace(0, 1, 41)  # S: a made-up cell of 2 to 20 uS


def resistances(path, header="polarity,r_cell"):
    """Resistances in kohm, of a file whose header has no unit."""
    reads = [*(("set", g) for g in RISE), *(("reset", g) for g in RISE[::-1])]
    path.write_text("\n".join([header, *(f"{p},{1e-3 / g:.6f}" for p, g in reads)]))
    return path


def refused(constant):
    raise AssertionError(f"{constant} is no JSON")


def test_json_is_strict_and_holds_what_was_read_and_assumed(tmp_path, capsys):
    path, out = resistances(tmp_path / "r.csv"), tmp_path / "t.h5"
    assert command(["import", str(path), "--unit", "kohm", "-o", str(out), "--json"]) == 0
    found = json.loads(capsys.readouterr().out, parse_constant=refused)
    assert found["columns"][1]["role"] == "resistance" and found["columns"][1]["unit"] == "ohm"
    assert [row["reads"] for row in found["ramps"]] == [41, 41]
    # ohm: six digits of the file; the window is that of the reads
    assert (found["ramps"][0]["g_low"], found["ramps"][0]["g_high"]) == (near(2e-6, 1e-3), near(2e-5, 1e-3))
    assert found["assumed"]["set.v_pulse"] == "1 V" and found["assumed"]["read.t_read"] == "1e-08 s"
    assert found["fit"]["set.g_train"]["pass"] is True
    assert found["tables"] == str(out) and (tmp_path / "t.png").stat().st_size > 10000
    assert table.load(out).provenance["assumed"].startswith("set.v_pulse = 1 V; set.t_pulse")


def test_the_columns_are_shown_and_what_is_assumed_is_said(tmp_path, capsys):
    path = tmp_path / "p.csv"
    np.savetxt(path, np.column_stack([np.arange(41), RISE * 1e6, RISE[::-1] * 1e6]), delimiter=",")
    declared = ["--column", "pulse=1", "--column", "set=2", "--column", "reset=3", "--unit", "uS"]
    assert command(["import", str(path), *declared, "--set", "set.v_pulse=1.2", "-o", str(tmp_path / "t.h5")]) == 0
    said = capsys.readouterr().out
    assert said.index("Columns as they were read") < said.index(str(tmp_path / "t.h5"))
    assert "conductance reset" in said and "option" in said
    assert "assumed: reset.v_pulse = 1 V" in said and "assumed: set.v_pulse" not in said


def test_columns_without_a_meaning_are_refused_whatever_scale_is_given(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("\n".join(f"{k},{g:.4f}" for k, g in enumerate(1e6 * RISE[::-1], 1)))
    scale = ["--set", "g_low=2e-6", "--set", "g_high=20e-6"]
    with pytest.raises(InputError, match="column 1 holds 1 to 41 in equal steps"):
        command(["import", str(path), *scale, "-o", str(tmp_path / "t.h5")])
    with pytest.raises(InputError, match=r"has no reset pulses; .*`--column reset=N`"):
        command(["import", str(path), "--column", "set=2", *scale, "-o", str(tmp_path / "t.h5")])
    assert not (tmp_path / "t.h5").exists()


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--column", "conductance"], "`--column` must be ROLE=COLUMN; got 'conductance'"),
        (["--column", "set=1", "--unit", "foo"], "must be a unit of S, ohm, A, V or s, e.g. uS or kohm; got 'foo'"),
        (["--preset", "epiram", "--unit", "uS"], "go with a pulse-response file, not with a preset"),
    ],
)
def test_options_that_do_not_fit_are_refused(tmp_path, options, complaint):
    files = [] if "--preset" in options else [str(resistances(tmp_path / "r.csv"))]
    with pytest.raises(InputError, match=complaint):
        command(["import", *files, *options, "-o", str(tmp_path / "t.h5")])


def test_a_report_says_measured_and_marks_what_is_assumed(tmp_path):
    made = from_pulses(resistances(tmp_path / "r.csv", "polarity,r_cell (kohm)"), ImportSettings())
    report(made, None, tmp_path / "r.html")
    text = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert "SPICE" not in text
    assert "Errors of the fits against the measurement" in text
    assert "1 V (assumed)" in text and "<td>10 ns</td><td>assumed</td>" in text
    assert "Every read of the measurement" in text
    assert any("Assumed, neither measured nor given: set.v_pulse = 1 V" in line for line in page(made, None).notices)
    published = page(from_preset("epiram", ImportSettings()), None)
    assert any("published figures of merit" in line for line in published.not_modelled)


# --- I-V files


def curves(sign=np.sign, volts=None):
    """Currents i = g 0.4 sinh(v/0.4) of four states; columns (N, 5): volts, then amperes."""
    v = np.linspace(-0.3, 0.3, 25) if volts is None else volts
    g = np.array([1.9e-6, 6e-6, 12e-6, 21e-6])
    return np.column_stack([v, sign(v)[:, None] * np.abs(g * 0.4 * np.sinh(v[:, None] / 0.4))])


def long(data, header="curve,v_cell (V),i_cell (A)"):
    rows = [f"{k},{row[0]:.4f},{row[k]:.6e}" for k in range(1, 5) for row in data]
    return "\n".join([header, *rows])


def wide(data):
    rows = [
        "\t".join([f"{1e3 * row[0]:.2f}".replace(".", ","), *(f"{1e9 * i:.5f}".replace(".", ",") for i in row[1:])])
        for row in data
    ]
    return "\n".join(["V (mV)\tI1 (nA)\tI2 (nA)\tI3 (nA)\tI4 (nA)", *rows])


def blocks(data):
    parts = [[f"{row[0]:.4f} {row[k]:.6e}" for row in data] for k in range(1, 5)]
    return "# voltage(V) current(A)\n" + "\n\n".join("\n".join(part) for part in parts)


@pytest.mark.parametrize("write", [long, wide, blocks])
def test_iv_files_are_read_in_their_shapes(tmp_path, write):
    path = tmp_path / "iv.csv"
    path.write_text(write(curves()))
    pulses = resistances(tmp_path / "r.csv", "polarity,r_cell (kohm)")
    read = from_pulses(pulses, ImportSettings(), iv=path)["read"]
    g, v = 8e-6, np.linspace(-0.2, 0.2, 9)
    expected = g * 0.1 / np.sinh(0.25) * np.sinh(v / 0.4)  # g is that at 0.1 V
    np.testing.assert_allclose(read.at("i_cell", g_cell=g, v_cell=v), expected, rtol=0, atol=2e-3 * g * 0.2)


def loop(data):
    up, down = data.copy(), data[::-1].copy()
    down[:, 1:] *= 1.3
    return np.concatenate([up, down])


IV = {
    "magnitudes": (long(curves(sign=np.ones_like)), "against the voltage .*, as magnitudes do"),
    "the wrong sign": (long(curves(sign=lambda v: -np.sign(v))), "against the voltage"),
    "a loop": (long(loop(curves())), "is a loop"),
    "nothing says which curve": (
        "v (V),i (A)\n" + blocks(curves()).split("\n", 1)[1].split("\n\n")[0].replace(" ", ","),
        "column `curve`",
    ),
    "no unit": (long(curves(), "curve,v_cell (V),i_cell"), "--set iv.units.current"),
    "currents in mA": (long(curves(), "curve,v_cell (V),i_cell (mA)"), "Check the units of both"),
    "too short": (long(curves(volts=np.linspace(-0.1, 0.1, 9))), "must reach from -0.2 to 0.2 V"),
}


@pytest.mark.parametrize("name", IV)
def test_currents_that_no_array_could_be_read_with_are_refused(tmp_path, name):
    text, complaint = IV[name]
    (tmp_path / "iv.csv").write_text(text)
    pulses = resistances(tmp_path / "r.csv", "polarity,r_cell (kohm)")
    with pytest.raises(InputError, match=complaint):
        from_pulses(pulses, ImportSettings(), iv=tmp_path / "iv.csv")
