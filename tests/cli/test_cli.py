"""The command line as a whole: failed runs, outputs, help, completion. Wrong inputs are in `test_gallery`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixtures.synthetic_run import checked_tables, run
from fixtures.waiting import BACKSTOP
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.cli.app import app

PROGRAM = "import sys; sys.argv[0] = 'rramkit'; from rramkit.cli import main; main()"
UNKNOWN_SUBCIRCUIT = "broken\nX1 a 0 nosuch\nV1 a 0 1\n.op\n.end\n"


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a table file and a run file."""
    table.save(checked_tables(), tmp_path / "tables.h5")
    record.save(run(), tmp_path / "run.h5")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_failed_run_leaves_its_deck_and_log(here, kit):
    (here / "x.cir").write_text(UNKNOWN_SUBCIRCUIT)
    code, out, err = kit("simulate", "x.cir")
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert "ngspice run failed (parse)" in err
    assert "Deck and log: x.failed.cir." in err
    kept = (here / "x.failed.cir").read_text()
    assert "nosuch" in kept.partition("* the end of ngspice's log")[2]
    assert [line for line in kept.splitlines() if not line.startswith("*")] == UNKNOWN_SUBCIRCUIT.splitlines()
    assert not (here / "x.png").exists()


def test_the_package_runs_as_the_program_does(tmp_path):
    done = [
        subprocess.run([sys.executable, *words, "train", "nosuch.toml"], cwd=tmp_path, capture_output=True, text=True)
        for words in (["-m", "rramkit"], ["-c", PROGRAM])
    ]
    assert done[0].stderr == done[1].stderr != "" and done[0].returncode == done[1].returncode == 2


def test_a_deck_cannot_write_to_the_terminal(here, kit):
    (here / "x.cir").write_text("\x1b[2Jevil" + UNKNOWN_SUBCIRCUIT)
    _, _, err = kit("simulate", "x.cir")
    assert "\x1b" not in err


def test_no_usable_ngspice_is_said_with_its_cure(here, kit, monkeypatch):
    monkeypatch.setenv("RRAMKIT_NGSPICE", "/nonexistent/libngspice.so.0")
    for command in (["simulate", "cell-read"], ["characterize", "-o", "new.h5"], ["demo", "-o", "new"]):
        code, _, err = kit(*command)
        assert code == 1
        assert err.count("\n") == 1
        assert "RRAMKIT_NGSPICE must name an ngspice shared library" in err
        assert "Fix it, or unset it" in err
    assert not list(here.rglob("new*/*"))


def test_a_former_name_of_a_block_works_with_a_note(here, kit):
    code, out, err = kit("netlist", "multi-level")
    assert (code, err) == (0, "rramkit: note: `multi-level` is now named `row_driver`; the former name still works.\n")
    assert kit("netlist", "row-driver") == kit("netlist", "row_driver") == (0, out, "")


def test_a_missing_package_is_named(here, kit, monkeypatch):
    for name in [name for name in sys.modules if name.startswith(("PySpice", "rramkit.circuits"))]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "PySpice", None)
    code, _, err = kit("netlist", "cell-read")
    assert (code, err.count("\n")) == (1, 1)
    assert "the package PySpice must be installed" in err


def test_device_check_says_what_passed_and_fails_with_1(here, kit, monkeypatch):
    """The example passes; its cell with a rate that has no threshold fails one check, and says which."""
    example = Path(__file__).parents[2] / "examples" / "own_device"
    code, out, err = kit("device", "check", str(example / "mydev.toml"), "--json")
    found = json.loads(out)
    assert (code, err, found["passed"], found["device"]) == (0, "", True, "mydev")
    assert len(found["checks"]) == 11
    library = (example / "mydev.lib").read_text().replace("max(v(te,be) - v_t, 0)", "max(v(te,be), 0)")
    (here / "mydev.lib").write_text(library)
    (here / "mydev.toml").write_text((example / "mydev.toml").read_text())
    monkeypatch.chdir("/")  # the library lies beside the file that names it
    code, out, err = kit("device", "check", str(here / "mydev.toml"))
    assert code == 1 and "10 of 11 checks passed" in out
    assert "FAIL reads do not move the state: A read is a write" in out


def test_parameters_of_a_file_are_completed_by_pairs(here, kit):
    """A file that is not whole by itself."""
    (here / "half.toml").write_text('state = 0.25\n[device]\nmodel = "mydev"\n')
    library = Path(__file__).parents[2] / "examples" / "own_device" / "mydev.lib"
    pairs = ["device.interface.state=x", "device.interface.initial=x0", f"device.library={library}"]
    given = [word for pair in pairs for word in ("--set", pair)]
    code, out, _ = kit("netlist", "device-pulse", "--params", "half.toml", *given)
    assert code == 0 and "rramkit_mydev s_0=0.25" in out


def test_results_go_to_the_output_and_nothing_else(here, kit):
    code, out, err = kit("simulate", "cell-read", "--json", "-o", "w.png", "-s", "points=5")
    assert (code, err) == (0, "w.png\n")
    found = json.loads(out)
    assert len(found["vectors"]["i(v_sl)"]) == 5
    assert (here / "w.png").stat().st_size > 1000
    code, out, err = kit("report", "tables.h5", "-o", "r.html", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["report"] == "r.html"


def _process(*arguments, **options):
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", PROGRAM, *arguments]
    return subprocess.run(command, env=environment, stderr=subprocess.PIPE, text=True, timeout=BACKSTOP, **options)


def test_an_output_that_takes_no_more_is_one_line_or_none(tmp_path):
    with Path("/dev/full").open("w") as full:
        done = _process("netlist", "crossbar", cwd=tmp_path, stdout=full)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["rramkit: output: No space left on device. Fix that and run the command again."]
    reader, writer = os.pipe()
    os.close(reader)
    done = _process("netlist", "crossbar", cwd=tmp_path, stdout=writer)
    os.close(writer)
    assert done.stderr == ""


@pytest.mark.parametrize(
    "command", ["", "device check", *sorted(command.name or "" for command in app.registered_commands)]
)
def test_every_command_explains_itself_within_80_columns(command):
    result = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "80", "TERM": "dumb"})
    assert result.exit_code == 0
    assert max(len(line) for line in result.stdout.splitlines()) <= 80
    assert "Usage:" in result.stdout


def test_the_shell_completes_commands_and_options(monkeypatch, kit):
    for typed, place, found in (("rramkit expla", 1, "explain\n"), ("rramkit train --tab", 2, "--tables\n")):
        for name, value in (("_RRAMKIT_COMPLETE", "complete_bash"), ("COMP_WORDS", typed), ("COMP_CWORD", str(place))):
            monkeypatch.setenv(name, value)
        code, out, err = kit()
        assert (code, out.strip(), err) == (0, found.strip(), "")


SPICE_COMMANDS = ("simulate", "characterize", "merge", "verify", "tile", "prove", "sensitivity", "explore", "demo")


@pytest.mark.parametrize("command", SPICE_COMMANDS)
def test_every_command_that_runs_spice_has_a_time_limit(command):
    assert "--timeout" in {option for each in main_command(command).params for option in each.opts}


@pytest.mark.parametrize("command", ["verify", "tile", "prove"])
def test_commands_that_simulate_a_table_file_take_the_users_libraries(command):
    assert "--library" in {option for each in main_command(command).params for option in each.opts}


def main_command(name):
    import typer.core
    import typer.main

    from rramkit.cli.app import app

    command = typer.main.get_command(app)
    assert isinstance(command, typer.core.TyperGroup)
    return command.commands[name]


def test_a_group_of_commands_alone_says_that_it_needs_one(kit):
    code, out, err = kit("device")
    assert code == 2
    assert "check" in out  # its help
    assert err == "rramkit: `rramkit device` needs a command. `rramkit device --help` lists them.\n"


PULSES = (
    "polarity,G (uS)\n" + "".join(f"set,{2 + k}\n" for k in range(12)) + "".join(f"reset,{13 - k}\n" for k in range(12))
)


def run_with(tmp_path, setup: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own after some lines of Python; its output is read up to its first line."""
    code = f"import sys\n{setup}\nfrom rramkit.cli import main\nsys.argv = ['rramkit', *sys.argv[1:]]\nmain()"
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path), "RRAMKIT_PROGRESS": "stages"}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_full_disk_is_one_line_whatever_is_written(tmp_path):
    (tmp_path / "p.csv").write_text(PULSES)
    full = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
    full += "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))"  # bytes: less than a table file has
    done = run_with(tmp_path, full, "import", "p.csv", "-o", "t.h5")
    assert done.returncode == 2
    assert (
        done.stderr
        == f"rramkit: {tmp_path / 't.h5'}: cannot be written (File too large). Make room or choose another place.\n"
    )
    assert [each.name for each in tmp_path.iterdir()] == ["p.csv"]


def test_a_result_is_written_where_the_reader_of_the_output_stops(tmp_path):
    (tmp_path / "p.csv").write_text(PULSES)
    closed = "import os; r, w = os.pipe(); os.close(r); os.dup2(w, 1)"
    done = run_with(tmp_path, closed, "import", "p.csv", "-o", "t.h5")
    assert (done.returncode, done.stderr) == (1, "")
    assert (tmp_path / "t.h5").is_file() and (tmp_path / "t.png").is_file()
