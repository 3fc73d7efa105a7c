import json
from importlib import metadata
from pathlib import Path

import pytest
from typer.testing import CliRunner

from rramkit.array import threads
from rramkit.characterization.ngspice import library
from rramkit.cli import doctor
from rramkit.cli.app import app
from rramkit.errors import SetupError


def a_library(*, klu: bool) -> library.SimulatorLibrary:
    return library.SimulatorLibrary(
        path=Path("/p/libngspice.so.0"), version=46, version_text="46", klu=klu, xspice=True, osdi=True, openmp=True,
        origin="system", spice_lib_dir=Path("/p"),
    )  # fmt: skip


def run(*arguments: str):
    return CliRunner().invoke(app, ["doctor", *arguments])


@pytest.fixture
def found(monkeypatch):
    monkeypatch.setattr(threads, "processor_flags", frozenset)  # of the machine that runs the tests: not their matter

    def install(outcome):
        def find():
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        monkeypatch.setattr(library, "find_library", find)

    return install


def test_a_sound_machine_exits_with_0(found):
    found(a_library(klu=True))
    result = run()
    assert result.exit_code == 0, result.output
    assert "46 from system" in result.output and "Everything works here." in result.output


def test_a_poor_library_is_told_with_its_cost_and_still_runs(found):
    found(a_library(klu=False))
    result = run()
    assert result.exit_code == 0
    assert "POOR" in result.output and "130 times longer" in result.output


@pytest.mark.parametrize("error", [SetupError("no library; run `rramkit setup`"), OSError("denied")])
def test_no_library_exits_with_1_and_its_cure(found, error):
    found(error)
    result = run()
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert "MISSING" in result.output and str(error) in result.output
    assert "cannot run" not in result.output
    works, waits = (line for line in result.output.splitlines() if line.startswith(("Work here", "Wait for")))
    for command in ("import", "train", "plot", "report", "tile", "sweep", "evaluate", "cost", "netlist"):
        assert f" {command}," in works or f" {command}." in works
    for command in ("simulate", "characterize", "demo"):
        assert command in waits


def test_a_missing_package_exits_with_1_and_its_cure(found, monkeypatch):
    found(a_library(klu=True))
    version = metadata.version

    def without_pyspice(name):
        if name == "PySpice":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(doctor.metadata, "version", without_pyspice)
    result = run()
    assert result.exit_code == 1
    told = " ".join(result.output.split())  # where the interpreter's folder has a long name the line is broken
    assert "-m pip install 'pyspice>=1.5'" in told.lower()
    assert "netlist" in next(line for line in result.output.splitlines() if line.startswith("Wait for"))


def test_it_knows_what_every_command_needs():
    names = {command.name for command in app.registered_commands}
    assert set(doctor.NEEDS) == names | {"device check"}
    checked = {*doctor.REQUIRED, "ngspice"}
    assert {name for needs in doctor.NEEDS.values() for name in needs} <= checked


def test_what_no_command_names_stops_all_of_them():
    assert doctor._works(["links"]) == ["doctor"]
    assert "train" in doctor._works(["scikit-learn", "ngspice"])


@pytest.mark.parametrize(("checkout", "cure"), [(True, "`make setup PYTHON="), (False, "-m venv kit`")])
def test_another_python_is_named_as_this_install_takes_it(monkeypatch, checkout, cure):
    monkeypatch.setattr(doctor, "in_checkout", lambda: checkout)
    assert cure in doctor._other_python()


def test_json_is_one_object_with_the_same_findings(found):
    found(a_library(klu=True))
    result = run("--json")
    told = json.loads(result.output)
    assert told["ok"] is True
    names = {check["name"] for check in told["checks"]}
    assert {"Python", "rramkit", "PySpice", "ngspice", "KLU solver", "XSPICE models", "OSDI", "cores", "torch"} <= names
    assert all(set(check) == {"name", "found", "state", "cure"} for check in told["checks"])


@pytest.mark.parametrize("content", [None, "not a library"])
def test_a_nonsense_library_is_a_line_and_not_a_traceback(tmp_path, monkeypatch, content):
    path = tmp_path / "nonsense.so"
    if content is not None:
        path.write_text(content)
    monkeypatch.setenv(library.VARIABLE, str(path))
    result = run()
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert str(path) in result.output and "Traceback" not in result.output


WIDE = frozenset({"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl", "fma"})


@pytest.mark.parametrize(
    ("kernel", "flags", "poor"),
    [
        ("Haswell", WIDE, True),
        ("Zen", WIDE, True),
        ("SkylakeX", WIDE, False),
        ("Haswell", WIDE - {"avx512bw"}, False),
        ("Haswell", frozenset(), False),
    ],
)
def test_an_openblas_that_does_not_know_the_processor_is_told_with_its_cure(found, monkeypatch, kernel, flags, poor):
    class Controller:
        def info(self):
            return [{"user_api": "blas", "internal_api": "openblas", "architecture": kernel}]

    found(a_library(klu=True))
    monkeypatch.setattr(threads, "processor_flags", lambda: flags)
    monkeypatch.setattr(threads, "_controller", Controller)
    monkeypatch.setattr(threads, "arithmetic", lambda: "openblas 9 of the test, threads 1")
    told = {each["name"]: each for each in json.loads(run("--json").output)["checks"]}["BLAS"]
    assert told["found"] == "openblas 9 of the test, threads 1"
    assert told["state"] == ("poor" if poor else "ok") and ("OPENBLAS_CORETYPE=SKYLAKEX" in told["cure"]) == poor


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="needs Linux's list of what the processor can do")
def test_what_the_processor_can_do_is_read_from_the_system():
    import platform

    threads.processor_flags.cache_clear()
    flags = threads.processor_flags()
    assert "sse2" in flags or platform.machine() != "x86_64"
