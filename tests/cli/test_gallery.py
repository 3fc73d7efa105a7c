"""Sixty wrong inputs and more: each is one line with argument, requirement, what arrived and a cure that works.

Nothing is written, no traceback, no exit code 0. A command that a message names exists, and has the options that stand
beside it; where a case says so, the same line with the cure applied does what was wanted.
"""

import functools
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
import typer.core
import typer.main
from fixtures.synthetic_run import checked_tables, run

from rramkit import record, table
from rramkit.cli.app import app

TEXTS = {
    "text.h5": "not HDF5",
    "text.points": "no finished points",
    "key.toml": "nosuch = 1\n",
    "broken.toml": "[crossbar\n",
    "range.toml": "[crossbar]\nrows = 0\n",
    "good.toml": "epochs = 1\n",
    "elsewhere.toml": 'tables = "device.h5"\n',
    "misspelt.toml": "[rule]\ntreshold = 0.1\n",
    "twice.toml": "[sweep]\nseed = [1, 1]\n",
    "swept.toml": '[sweep]\n"rule.nosuch" = [1, 2]\n',
    "plan.toml": 'component = "row_drive"\n',
    "device.toml": '[device]\nmodel = "mydev"\nlibrary = "none.lib"\n',
    "unit.csv": "pulse,conductance\n1,5e-6\n2,6e-6\n",
    "good.csv": "pulse,conductance (uS)\n" + "".join(f"{k},{2 + k}\n" for k in range(1, 9)),
    "empty.csv": "",
    "ragged.csv": "1,2\n3\n",
    "large.csv": "2,0\n0,1\n",
    "weights.npz": "no archive",
    "model.pt": "no archive",
    "steered.cir": "t\nR1 a 0 1\n.op\n.control\nquit\n.endc\n.end\n",
    "include.cir": "t\n.include nosuch.lib\nR1 a 0 1\n.op\n.end\n",
    "idle.cir": "t\nR1 a 0 1\n.end\n",
    "deck.png": "t\nR1 a 0 1\n.op\n.end\n",
    "occupied/experiment.toml": "",
}


@dataclass(frozen=True)
class Wrong:
    """A wrong command line, words of its message in their order, and the line with the cure, if it is run."""

    line: str
    says: tuple[str, ...]
    cured: str = ""


def wrong(line, *says, cured=""):
    return Wrong(line, says, cured)


GALLERY = (
    # the call itself
    wrong("nosuch", "No such command 'nosuch'. `rramkit --help` lists the commands."),
    wrong("explane seed", "No such command 'explane'", "Did you mean 'explain', 'explore'?",
          cured="explain rule.threshold"),
    wrong("train --tabels tables.h5", "No such option: --tabels (Possible options: --tables"),
    wrong("doctor extra", "unexpected extra argument(s) (extra). `rramkit doctor --help` lists the arguments."),
    wrong("netlist crossbar --rows x", "`--rows` should be a valid integer; got 'x'. `rramkit netlist --help`"),
    wrong("verify tables.h5 --points=1", "`--points` should be greater than or equal to 4; got '1'."),
    wrong("sweep good.toml --workers 0", "`--workers` should be greater than or equal to 1; got '0'."),
    wrong("setup --folder x", "No such option: --folder. `rramkit setup --help`"),
    # table files
    wrong("report", "`--tables` must name a table file; got none. Pass `--tables TABLES.h5`, or the file alone."),
    wrong("plot tables.h5 --tables text.h5", "must name one table file; got tables.h5 and text.h5. Leave one"),
    wrong("train --tables none.h5", "none.h5: no such file; a table file is needed. Pass a file written by"),
    wrong("train --tables text.h5", "text.h5: cannot be read as a table file: neither", "Pass a file written by"),
    wrong("tile run.h5", "is a run file, not a table file. Pass a file written by `rramkit characterize` or `rramkit"),
    wrong("verify none.h5", "none.h5: no such file"),
    wrong("verify tables.h5", "carries no plan: it was not made from SPICE. Pass one that was."),
    wrong("verify tables.h5 --golden text.h5", "text.h5: cannot be read as a table file"),
    wrong("tile tables.h5 --corner ss", "no table of the file has the axis `corner`", "or leave `corner` out."),
    wrong("train --tables tables.h5 --temperature 20", "has the axis `temperature`", "or leave `temperature` out."),
    # netlist, simulate, device
    wrong("netlist", "`block` must name a circuit; got none. `rramkit netlist --list` shows them."),
    wrong("netlist crosbar", "got 'crosbar'. Did you mean `crossbar`? See `rramkit netlist --list`.",
          cured="netlist crossbar"),
    wrong("netlist cell-read --rows 2", "`--rows` and `--cols` belong to the block crossbar; got 'cell-read'. Leave",
          cured="netlist cell-read"),
    wrong("netlist crossbar --rows 0", "`crossbar.rows` should be greater than or equal to 1; got 0. Fix"),
    wrong("netlist crossbar --rows 99999", "`crossbar.rows` should be less than or equal to 1024; got 99999. Fix"),
    wrong("netlist crossbar --set seed", "`--set` must be KEY=VALUE; got 'seed'. For instance: --set read.v_read=0.1",
          cured="netlist crossbar --set read.v_read=0.1"),
    wrong("netlist crossbar -s crossbar.rowz=3", "`crossbar.rowz` is not a known key. Keys: rows, cols",
          "Did you mean `crossbar.rows`?", cured="netlist crossbar -s crossbar.rows=3"),
    wrong("netlist crossbar --params none.toml", "none.toml: cannot be read (No such file", "Pass the path of a TOML"),
    wrong("netlist crossbar --params broken.toml", "broken.toml: not a TOML file: Expected ']'", "Fix what it names."),
    wrong("netlist crossbar --params range.toml", "range.toml: `crossbar.rows` should be greater", "got 0. Fix"),
    wrong("netlist crossbar -s direction=x\n.control", r"got 'x\n.control'"),
    wrong("netlist cell-read -o /dev/null", "/dev/null: is a device or pipe. Name a plain file."),
    wrong("netlist cell-read -s cell.w_access=1M", "write 1m or 1meg; got '1M'. Fix this key."),
    wrong("simulate crossbar-driver-write -s col=4", "row and col, counted from 0, must lie within 4 x 4; got 0, 4"),
    wrong("simulate nosuch", "`what` must be a deck file or one of", "got 'nosuch'. Pass one of them."),
    wrong("simulate none.cir", "none.cir: cannot be read as a deck (no such file). Pass the path of a SPICE deck."),
    wrong("simulate .", "cannot be read as a deck (not a file). Pass the path of a SPICE deck."),
    wrong("simulate picture.cir", "picture.cir, line 2: a card must be of printable ASCII"),
    wrong("simulate steered.cir", "steered.cir, line 4: a .control section steers ngspice itself"),
    wrong("simulate idle.cir", "idle.cir: holds no analysis"),
    wrong("simulate include.cir", "include.cir, line 2: nosuch.lib: no such model file"),
    wrong("simulate idle.cir --behaviour spectre", "must be one of ltspice, pspice, hspice; got 'spectre'. Pass one"),
    wrong("simulate cell-read --trust-control", "belong to a deck file. Leave them out."),
    wrong("simulate idle.cir -s seed=1", "`--set` belong to a block; a deck file carries its own numbers. Edit"),
    wrong("simulate cell_write -s v_first=1.2A", "`v_first` should be in V", "got '1.2A'. Fix this key."),
    wrong("simulate cell_write -o x.exe", "x.exe: a picture must end in one of", "png", "Rename it."),
    wrong("simulate deck.png", "deck.png: the output is also an input of this command. Name another file."),
    wrong("device check nosuch", "`what` must be a TOML file or one of bulk, jart", "got 'nosuch'. Pass one of them."),
    wrong("device check device.toml", "`library` must be a model file that exists", "got 'none.lib'. Fix this key."),
    # characterize, merge, sensitivity, prove, demo
    wrong("characterize --plan chp -o new.h5", "`--plan` must be a TOML file or one of", "got 'chp'",
          "Did you mean `chip`?"),
    wrong("characterize --plan plan.toml -o new.h5", "`component` must be one with measures", "got 'row_drive'",
          "Did you mean `row_driver`? Pass one of them."),
    wrong("characterize --plan chip -s seed=1 -o new.h5", "exclude each other: change the plan's own file."),
    wrong("characterize -o new.h5 -s name=x\n.control", r"got 'x\n.control'"),
    wrong("characterize --shard 5/3 -o new.h5", "`--shard` must be i/N with i from 1 to N; got '5/3'. For instance"),
    wrong("characterize --compiled-cells maybe -o new.h5", "one of never, auto, always; got 'maybe'. Pass one"),
    wrong("verify tables.h5 --compiled-cells auto", "`--compiled-cells` goes with `--system`", "Leave it out, or"),
    wrong("characterize -o /proc/nowhere/new.h5", "its folder cannot be written", "Choose another folder."),
    wrong("merge new.h5 none.points", "none.points: cannot be read (no such file). Pass a file of finished points"),
    wrong("merge new.h5 text.points", "text.points: holds no finished points. Pass a file that"),
    wrong("sensitivity", "Missing option '--parameter' / '-p'. `rramkit sensitivity --help` lists the arguments."),
    wrong("sensitivity -p nosuch.bandwith", "`nosuch.bandwith` is no circuit parameter", "Did you mean", "bandwidth"),
    wrong("sensitivity -p x --seeds 1", "`--seeds` should be greater than or equal to 2; got '1'."),
    wrong("prove tables.h5", "tables.h5: is a table file, not a run file. Pass a file written by `rramkit train`."),
    wrong("prove run.h5", "the run must hold its network and tables; it does not. Train again with this version."),
    wrong("demo -o /proc/nowhere", "its folder cannot be written", "Choose another folder."),
    # import and export
    wrong("import", "`rramkit import` takes a file of measured pulses, or", "got neither. Give one of them",
          cured="import --preset list"),
    wrong("import none.csv", "none.csv: cannot be read (No such file", "Pass a text file of measured pulses."),
    wrong("import unit.csv -o new.h5", "column 2 'conductance' has no unit; it holds 5e-06 to 6e-06. Add `--unit uS`"),
    wrong("import empty.csv -o new.h5", "empty.csv: holds no rows. Give a file with a header and rows of numbers."),
    wrong("import --preset epirum -o new.h5", "`preset` must be one of ag-a-si", "got 'epirum'", "Pass one of them."),
    wrong("import good.csv --column conductance -o new.h5", "must be ROLE=COLUMN; got 'conductance'. For instance"),
    wrong("import good.csv --column conductance=9 -o new.h5", "a number from 1 to 2", "got 9. Fix `--column`."),
    wrong("import good.csv --unit furlong -o new.h5", "must be a unit of S, ohm, A, V or s, e.g. uS", "got 'furlong'"),
    wrong("import --preset epiram --iv good.csv -o new.h5", "go with a pulse-response file", "Leave them out."),
    wrong("export tables.h5 --to neurosm -o x", "`--to` must be one of neurosim, aihwkit; got 'neurosm'.",
          "Did you mean `neurosim`?"),
    wrong("export tables.h5 --to aihwkit -o x.txt", "`--output` must end in .py or .json", "got x.txt. Rename it.",
          cured="export tables.h5 --to aihwkit -o x.json"),
    # plot, report, tile
    wrong("plot none.h5", "none.h5: no such file"),
    wrong("plot tables.h5 -o run.h5", "run.h5: is a file. Name a folder."),
    wrong("plot tables.h5 --format bmp", "`--format` must be one of png, svg, pdf; got 'bmp'."),
    wrong("report tables.h5 --run tables.h5", "is a table file, not a run file. Pass a file written by"),
    wrong("report tables.h5 --run run.h5 -o run.h5", "run.h5: the output is also an input of this command. Name"),
    wrong("report tables.h5 -o .", "is a folder. Name a plain file."),
    wrong("tile tables.h5 -t none.csv", "none.csv: cannot be read", "Pass a CSV or NPY file."),
    wrong("tile tables.h5 -t ragged.csv", "ragged.csv: not a table of numbers", "Pass a CSV or NPY file."),
    wrong("tile tables.h5 -t large.csv", "`--target` must hold values from -1 to 1; got 2. Divide it by 2."),
    wrong("tile tables.h5 -s adc.bits=99", "`adc.bits` should be less than or equal to 16; got 99. Fix this key."),
    wrong("tile tables.h5 --off adcs", "`chip.off` must name stages", "got 'adcs'. Did you mean `adc`? Fix it."),
    # train, evaluate, cost, sweep, ablate, rl
    wrong("train tables.h5", "tables.h5: is a table file, not an experiment. Give it as `--tables tables.h5`."),
    wrong("train run.h5", "run.h5: is a run file, not an experiment. Give it as `--from run.h5`."),
    wrong("train misspelt.toml --tables tables.h5", "`rule.treshold` is not a known key", "mean `rule.threshold`?"),
    wrong("train --tables tables.h5 -s rule.kind=nosuch", "`rule.kind` must be one of 'float'", "got 'nosuch'. Fix"),
    wrong("train --tables tables.h5 -s lr=0.1", "`lr` is not a known key", "Did you mean `optimiser.learning_rate`?"),
    wrong("train --tables tables.h5 -s batch_size=8", "is not a known key", "Did you mean `batch`?"),
    wrong("train --tables tables.h5 -s data.path=own.npz", "is not a known key", "Did you mean `data.file`?"),
    wrong("train --tables tables.h5 -s data=mnist", "a group of keys", "got 'mnist'. Did you mean `data.name`?"),
    wrong("train --tables tables.h5 -s chip=ss", "a group of keys, not a value; got 'ss'. Its keys: off, ideal_periph"),
    wrong("train --tables tables.h5 -s network.layers=64,10", "`network.layers` should be a list; got '64,10'. Fix"),
    wrong("train elsewhere.toml", "no such file; a table file is needed", "characterize` or `rramkit import`."),
    wrong("train --tables tables.h5 --epochs 0", "`epochs` should be greater than or equal to 1; got 0. Fix"),
    wrong("train --tables tables.h5 -o tables.h5", "tables.h5: the output is also an input", "Name another file."),
    wrong("train --tables tables.h5 -o run.h5/x.h5", "its folder cannot be written", "Choose another folder."),
    wrong("train --from tables.h5", "is a table file, not a run file. Pass a file written by `rramkit train`."),
    wrong("evaluate", "takes a run file, or `--weights` with `--experiment`", "got neither. Give one of the two."),
    wrong("evaluate run.h5 --after 1y", "`--after` should be a valid number of seconds, without a unit; got '1y'."),
    wrong("train --tables tables.h5 --temperature 27C", "a valid number of kelvin, without a unit; got '27C'."),
    wrong("sweep good.toml --tables tables.h5 -s seed=1,2", "`seed` should be one number; got '1,2'. Fix this key."),
    wrong("evaluate run.h5 --layer off", "`--layer` must be NAME.KEY=VALUE; got 'off'. For instance: --layer 0.off="),
    wrong("evaluate --weights weights.npz", "`--weights` needs the network that they are of. Name it: `--experiment"),
    wrong("evaluate run.h5", "holds no network", "Train again to get one."),
    wrong("explore", "Missing argument 'EXPLORATION.toml'. `rramkit explore --help` lists the arguments."),
    wrong("explore good.toml", "good.toml: `epochs` is not a known key. Keys: name, plan,", "`experiment.epochs`"),
    wrong("boost good.toml --arrays 0", "`--arrays` should be greater than or equal to 1; got '0'."),
    wrong("boost good.toml --tables none.h5", "none.h5: no such file; a table file is needed. Pass a file written by"),
    wrong("evaluate --weights model.pt --experiment good.toml --tables tables.h5", "model.pt: cannot be read as .npz",
          "Write it in PyTorch: `numpy.savez('w.npz', **{name: each.numpy()", "or export the model as ONNX."),
    wrong("thresholds none.h5 -o a.toml", "none.h5: no such file; a run file is needed. Pass a file written by"),
    wrong("thresholds run.h5 -o a.npz", "`-o` must name the experiment file, for instance one_bit.toml; got a.npz."),
    wrong("calibrate", "needs a run file of `rramkit train`; got none. Name it."),
    wrong("calibrate run.h5", "holds no network", "Train again to get one."),
    wrong("calibrate run.h5 -s policy.fit=power -s policy.degree=2", "degree and recency are of a polynomial"),
    wrong("cost none.h5", "none.h5: no such file; a run file is needed. Pass a file written by `rramkit train`."),
    wrong("cost run.h5 --corner ss", "`--corner` needs the table file with its corners. Name it: `--tables TABLES"),
    wrong("sweep none.toml", "none.toml: cannot be read", "Pass the path of a TOML file."),
    wrong("sweep twice.toml --tables tables.h5", "two combinations are the same experiment. Remove the repeated"),
    wrong("sweep swept.toml --tables tables.h5", "rule.nosuch=1: `rule.nosuch` is not a known key. Keys:"),
    wrong("ablate good.toml --tables none.h5", "none.h5: no such file"),
    wrong("rl tables.h5 -s environmnt=CartPole-v1", "`environmnt` is not a known key", "Did you mean `environment`?"),
    # init and explain
    wrong("init", "`kind` must be one of three", "got none. For instance: `rramkit init network`."),
    wrong("init netwrk", "`kind` must be one of circuit, data, network; got 'netwrk'. Did you mean `network`?"),
    wrong("init network occupied", "there already: occupied/experiment.toml. Name a new folder"),
    wrong("explain treshold", "got 'treshold'. Did you mean `threshold`? Fix it.", cured="explain rule.threshold"),
    wrong("explain lr", "got 'lr'. Did you mean `learning_rate`? Fix it.", cured="explain learning_rate"),
    wrong("explain seed --of nosuch", "`--of` must be experiment, plan", "got 'nosuch'. Fix it."),
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder with a table file, a run file, and files that are neither."""
    folder = tmp_path_factory.mktemp("gallery")
    table.save(checked_tables(), folder / "tables.h5")
    record.save(run(), folder / "run.h5")
    for name, text in TEXTS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    (folder / "picture.cir").write_bytes(b"\x89PNG\r\n\x1a\n\xff")
    return folder


@pytest.fixture
def here(folder, monkeypatch) -> Path:
    monkeypatch.chdir(folder)
    return folder


def words(line: str) -> list[str]:
    return line.split(" ")


def test_the_gallery_covers_every_command_but_the_one_that_only_looks():
    assert len(GALLERY) >= 60
    assert len({case.line for case in GALLERY}) == len(GALLERY)
    shown = {case.line.split(" ")[0] for case in GALLERY}
    assert {command.name for command in app.registered_commands} | {"device"} <= shown


@pytest.mark.parametrize("case", GALLERY, ids=[ascii(case.line) for case in GALLERY])
def test_a_wrong_input_is_one_line_with_its_cure_and_leaves_nothing(here, kit, case):
    before = {path: path.stat().st_mtime_ns for path in here.rglob("*")}
    code, out, err = kit(*words(case.line))
    assert code == 2, err
    assert out == "" and err.startswith("rramkit: ") and err.count("\n") == 1, err
    place = 0
    for part in case.says:
        assert part in err[place:], err
        place = err.index(part, place)
    assert {path: path.stat().st_mtime_ns for path in here.rglob("*")} == before
    for named in commands_in(err):
        check_exists(named)


@pytest.mark.parametrize("case", [case for case in GALLERY if case.cured], ids=lambda case: ascii(case.cured))
def test_the_cure_does_what_was_wanted(here, kit, case):
    code, out, err = kit(*words(case.cured))
    assert code == 0 and out, err
    (here / "x.json").unlink(missing_ok=True)


def commands_in(message: str) -> list[str]:
    """The commands and options that a message names in backquotes."""
    return [text for text in re.findall(r"`([^`]+)`", message) if text.startswith(("rramkit", "--"))]


@functools.cache
def options() -> dict[str, set[str]]:
    """The options of each command."""
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    return {
        name: {"--help", *(option for param in each.params for option in (*param.opts, *param.secondary_opts))}
        for name, each in group.commands.items()
    }


def check_exists(named: str) -> None:
    """Fail where a command that a message names is not there, or lacks an option that is named with it."""
    known = set().union(*options().values())
    tokens = named.split()
    if tokens[:1] == ["rramkit"] and len(tokens) > 1 and not tokens[1].startswith("-"):
        assert tokens[1] in options(), named
        known = options()[tokens[1]]
    for token in tokens:
        assert not token.startswith("--") or token.partition("=")[0] in known, named


def test_a_command_or_option_that_is_not_there_is_found():
    for named in ("rramkit charaterize", "rramkit netlist --tables x", "--nosuch"):
        with pytest.raises(AssertionError):
            check_exists(named)
    check_exists("rramkit import --preset list")
