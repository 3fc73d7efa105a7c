"""A machine without ngspice: what needs none works, and what needs one says so in one line with the cure."""

import shlex
import sys

import numpy as np
import pytest
from fixtures.synthetic import tables

from rramkit import table
from rramkit.characterization.ngspice import library
from rramkit.cli import doctor
from rramkit.errors import SetupError

WORK = {
    "import": "import --preset epiram -o imported.h5",
    "train": "train experiment.toml -o run.h5 -q",
    "evaluate": "evaluate run.h5 --chips 1",
    "cost": "cost run.h5",
    "tile": "tile tables.h5 --exact --quiet",
    "export": "export tables.h5 --to aihwkit -o device.json",
    "netlist": "netlist cell_read -o cell.cir",
    "explain": "explain rule.threshold",
    "verify": "verify tables.h5 --golden tables.h5",
    "init": "init network started",
    "plot": "plot run.h5 -o plots",
    "report": "report tables.h5 --run run.h5",
    "sweep": "sweep swept.toml -q --workers 1",
    "ablate": "ablate swept.toml -q --workers 1",
}
"""Commands in the order in which they use each other's files."""

SHORT = ("train", "tile", "netlist", "verify")  # the others take a second each
WAIT = (
    "simulate cell_read --no-plot",
    "characterize --plan wires -o new.h5",
    "tile tables.h5 --ngspice --quiet",
    "device check sky130",
    "setup",
)
EXPERIMENT = 'epochs = 1\nfloat_reference = false\n[network]\nhidden = [4]\n[data]\nname = "npz"\nfile = "data.npz"\n'


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with tables and small data, on a machine that has no ngspice."""

    def none() -> None:
        raise SetupError(f"an ngspice shared library is needed; got none. {library.cure()}")

    for name in ("rramkit.characterization.ngspice.library", "rramkit.characterization.engine.pool"):
        monkeypatch.setattr(f"{name}.find_library", none)
    monkeypatch.setattr("rramkit.characterization.ngspice.fetch.ensure", lambda *_: none())
    table.save(tables(), tmp_path / "tables.h5")
    rng = np.random.default_rng(0)
    x, y = rng.random((60, 6)), np.arange(60) % 2
    x[:, 0] = y
    np.savez(tmp_path / "data.npz", x_train=x[:40], y_train=y[:40], x_test=x[40:], y_test=y[40:])
    (tmp_path / "experiment.toml").write_text(EXPERIMENT)
    (tmp_path / "swept.toml").write_text(EXPERIMENT + "[sweep]\nseed = [1]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_needs_no_ngspice_works(here, kit):
    for name, line in WORK.items():
        if name in SHORT:
            code, _, err = kit(*shlex.split(line))
            assert code == 0, (line, err)


@pytest.mark.long
def test_the_others_work_too(here, kit):
    for line in WORK.values():
        code, _, err = kit(*shlex.split(line))
        assert code == 0, (line, err)


def test_the_doctor_names_them(here, kit):
    code, out, _ = kit("doctor")
    assert code == 1 and "MISSING ngspice" in out
    works = next(line for line in out.splitlines() if line.startswith("Work here"))
    assert set(WORK) - {"verify"} <= set(works.removeprefix("Work here: ").rstrip(".").split(", "))
    assert set(WORK) <= set(doctor.NEEDS)


@pytest.mark.parametrize("line", WAIT)
def test_what_needs_it_says_so_in_one_line(here, kit, line):
    code, out, err = kit(*line.split())
    assert (code, out, err.count("\n")) == (1, "", 1), err
    assert "an ngspice shared library is needed; got none. Run `rramkit setup`" in err
    assert not (here / "new.h5").exists()


def test_tables_are_imported_and_read_without_matplotlib_too(here, kit, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib" or "rramkit.plots" in name]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("rramkit.plots", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    kit("init", "data", "mine")
    code, out, err = kit("import", "mine/pulses.csv", "--params", "mine/settings.toml", "-o", "measured.h5")
    assert code == 0 and "measured.h5" in out and "no picture of the reads under the fit" in err
    assert not (here / "measured.png").exists()
    code, _, err = kit("tile", "tables.h5", "-q")
    assert (code, err) == (0, "")
    code, _, err = kit("plot", "tables.h5")
    assert code == 1 and "the package matplotlib must be installed for this" in err
