import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.waiting import BACKSTOP

from rramkit.characterization.ngspice import library
from rramkit.errors import SetupError
from rramkit.processes import processor_time

SAID_46 = """stdout ** ngspice-46 shared library
stdout ** Compiled with KLU Direct Linear Solver
stdout ** XSPICE extensions included
stdout ** OpenMP multithreading for BSIM3, BSIM4 enabled
stderr Error: Library /none couldn't be loaded!
"""
SAID_39 = """stdout ** ngspice-39 shared library
stdout ** XSPICE extensions included
stderr osdi: no such command available in ngspice
"""


def make_prefix(prefix: Path, models: Path) -> Path:
    (prefix / "lib" / "ngspice").mkdir(parents=True)
    (prefix / "share" / "ngspice" / "scripts").mkdir(parents=True)
    (prefix / "lib" / "ngspice" / "analog.cm").touch()
    path = prefix / "lib" / "libngspice.so.0"
    path.touch()
    (prefix / "share" / "ngspice" / "scripts" / "spinit").write_text(f"* start\n codemodel {models}/analog.cm\n")
    return path


@pytest.fixture
def says(monkeypatch):
    def install(text):
        monkeypatch.setattr(library, "_probe_output", lambda *_: text)

    return install


def test_a_good_library_is_read_in_full(tmp_path, says):
    says(SAID_46)
    path = make_prefix(tmp_path / "p", tmp_path / "p" / "lib" / "ngspice")
    found = library.probe(path, "system")
    assert (found.version, found.version_text, found.origin, found.path) == (46, "46", "system", path.resolve())
    assert found.klu and found.xspice and found.osdi and found.openmp and found.good
    assert found.spice_lib_dir == tmp_path / "p" / "share" / "ngspice"
    assert library.warning_for(found) is None


def test_a_poor_library_is_warned_about_with_cost_and_cure(tmp_path, says):
    says(SAID_39)
    found = library.probe(make_prefix(tmp_path / "p", tmp_path / "p" / "lib" / "ngspice"), "system")
    assert not (found.klu or found.osdi or found.openmp or found.good)
    warning = library.warning_for(found)
    assert warning is not None and "\n" not in warning
    assert "130 times longer" in warning and "rramkit setup" in warning


@pytest.mark.parametrize(("text", "reason"), [("** ngspice-36 shared", "version 36"), ("hello", "does not print")])
def test_an_unusable_answer_is_refused(tmp_path, says, text, reason):
    says(text)
    with pytest.raises(SetupError, match=reason):
        library.probe(make_prefix(tmp_path / "p", tmp_path), "system")


def test_code_models_of_another_version_are_never_named(tmp_path):
    path = make_prefix(tmp_path / "new", tmp_path / "old" / "lib" / "ngspice")
    make_prefix(tmp_path / "old", tmp_path / "old" / "lib" / "ngspice")
    assert library.matching_lib_dir(path) == library.BARE
    assert "codemodel" not in (library.BARE / "scripts" / "spinit").read_text()


def test_a_code_model_path_with_a_blank_is_read_in_quotes(tmp_path):
    prefix = tmp_path / "my kit"
    path = make_prefix(prefix, prefix / "lib" / "ngspice")
    (prefix / "share" / "ngspice" / "scripts" / "spinit").write_text(f"codemodel '{prefix}/lib/ngspice/analog.cm'\n")
    assert library.matching_lib_dir(path) == prefix / "share" / "ngspice"


@pytest.mark.parametrize("kind", ["absent", "folder", "text", "another library"])
def test_the_named_library_is_used_or_the_error_says_why(tmp_path, monkeypatch, kind):
    text = tmp_path / "text.so"
    text.write_text("not a library")
    mapped = re.search(r"/\S*libc[.-]\S*so\S*", Path("/proc/self/maps").read_text())
    assert mapped is not None
    named = {"absent": tmp_path / "none.so", "folder": tmp_path, "text": text, "another library": Path(mapped[0])}[kind]
    monkeypatch.setenv(library.VARIABLE, str(named))
    with pytest.raises(SetupError, match=library.VARIABLE) as caught:
        library.find_library()
    reason = {"absent": "no such file", "folder": "a folder", "text": "load", "another library": "not an ngspice"}[kind]
    assert reason in str(caught.value) and str(named) in str(caught.value)


@pytest.mark.parametrize(("script", "reason"), [("kill -SEGV $$", "signal 11"), ("exec sleep 3600", "did not answer")])
def test_a_library_that_crashes_or_hangs_is_an_error_here(tmp_path, monkeypatch, script, reason):
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))
    monkeypatch.setattr(processor_time, "ASLEEP_SECONDS", 0.5)
    with pytest.raises(SetupError, match=reason):
        library.probe(make_prefix(tmp_path / "p", tmp_path), "system")


def test_nothing_found_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.delenv(library.VARIABLE, raising=False)
    monkeypatch.setattr(library, "private_prefix", lambda: tmp_path / ".ngspice")
    monkeypatch.setattr(library, "system_candidates", list)
    with pytest.raises(SetupError, match="rramkit setup"):
        library.find_library()


def test_the_private_library_comes_before_the_systems(tmp_path, monkeypatch, says):
    says(SAID_46)
    private = make_prefix(tmp_path / ".ngspice", tmp_path / ".ngspice" / "lib" / "ngspice")
    system = make_prefix(tmp_path / "usr", tmp_path / "usr" / "lib" / "ngspice")
    monkeypatch.delenv(library.VARIABLE, raising=False)
    monkeypatch.setattr(library, "private_prefix", lambda: tmp_path / ".ngspice")
    monkeypatch.setattr(library, "system_candidates", lambda: [system])
    assert library.find_library().path == private
    assert library.find_library().origin == "private prefix"


ENTERED = """
import os, sys, threading
from pathlib import Path
from rramkit.characterization.ngspice import library
found = library.find_library()
library.enter(found, Path(sys.argv[1]))
assert Path.cwd() == Path(sys.argv[1]).resolve()
assert os.environ["SPICE_LIB_DIR"] == str(found.spice_lib_dir)
assert "SPICE_SCRIPTS" not in os.environ
"""


def _have_library() -> bool:
    try:
        return bool(library.find_library())
    except SetupError:
        return False


@pytest.mark.spice
@pytest.mark.skipif(not _have_library(), reason="no ngspice library on this machine")
def test_a_worker_enters_its_own_folder_and_environment(tmp_path):
    environment = dict(os.environ) | {"SPICE_SCRIPTS": "/elsewhere"}
    subprocess.run([sys.executable, "-c", ENTERED, str(tmp_path)], env=environment, check=True, timeout=BACKSTOP)
    assert "num_threads=1" in (tmp_path / ".spiceinit").read_text()


@pytest.mark.spice
@pytest.mark.skipif(not _have_library(), reason="no ngspice library on this machine")
def test_the_machines_library_tells_its_version():
    found = library.find_library()
    assert found.version >= library.OLDEST and found.path.is_file()
    assert found.version_text.startswith(str(found.version))


def test_a_checkout_has_its_own_library_and_a_wheel_the_users_data_folder(tmp_path, monkeypatch):
    root = Path(library.__file__).resolve().parents[2]
    assert library.private_prefix() == root / ".ngspice"
    monkeypatch.setattr(library, "checkout", lambda: None)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert library.private_prefix() == tmp_path / "rramkit" / "ngspice"
    monkeypatch.setenv("XDG_DATA_HOME", "not/absolute")  # such a value counts as none
    monkeypatch.setenv("HOME", str(tmp_path))
    assert library.private_prefix() == tmp_path / ".local" / "share" / "rramkit" / "ngspice"
