"""What README, the docs and the heads of the examples show: it parses, its files exist, and what is quick runs."""

import ast
import re
import shlex
import shutil
import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
import typer.main
from fixtures.chip_tables import chip_tables
from fixtures.pages import COMMAND, PAGES, ROOT, Walk, blocks, commands_of_heads, inline_commands, pages
from fixtures.synthetic import tables
from typer.core import TyperCommand, TyperGroup

from rramkit import table
from rramkit.cli.app import app
from rramkit.cli.init import FOLDER as STARTERS
from rramkit.cli.options import parameters
from rramkit.learning import Experiment, NetworkSettings, train

FILE = re.compile(r"[\w./$*-]+\.(?:toml|h5|csv|txt|cir|lib|va|osdi|npz|onnx|points|py|pem|json)$")
OUTPUTS = ("-o", "--output", "--export", "--points", "-out", "-keyout")
READERS = {
    **dict.fromkeys(("lenet.h5", "lenet.npz"), "made by the lines above them in the heads of encoding*.toml"),
    **dict.fromkeys(("tables.h5", "design.h5", "old.h5", "run.h5", "x.cir"), "made by README's own lines"),
    **dict.fromkeys(("experiment.toml", "mine.toml", "plan.toml", "pulses.csv", "iv.csv"), "the reader's"),
    **dict.fromkeys(("pulses.txt", "resistances.csv", "devices.csv"), "the reader's, measured"),
    **dict.fromkeys(
        ("mydev.toml", "open.h5", "verify.h5", "threshold.h5", "ca.pem", "cert.pem", "key.pem"), "the same"
    ),
    **dict.fromkeys(("resnet18.npz", "rram_gong2018_pulse_response.csv", "inference.py", "mem_states.csv"), "others'"),
    "output_noise.csv": "others'",
    **dict.fromkeys(("snn_float.h5", "snn.npz"), "made by the lines above them in the head of snn.toml"),
    "binary_design.h5": "made by `rramkit characterize --plan examples/systems/binary_design.toml -o binary_design.h5`",
    "bulk.h5": "made by `rramkit characterize --params examples/bulk_plan.toml -o bulk.h5`",
}
"""Files that a page may name without making them, and whose they are."""

FORMER = {"rramkit slice", "rramkit tables"}
"""Commands that prose speaks of as those of version 0.1.0."""

QUICK = ("init", "explain", "netlist", "export")
"""Commands that take a second."""

LONGER = ("import", "plot", "report", "tile", "simulate", "device", "cost", "evaluate", "train")
"""Those that the long suite runs on stand-ins. The others (characterize, verify, prove, sweep, ...) take minutes on the
smallest stand-in; they run in the tutorials and in tests of their own."""

WRONG_CALL: type[Exception] = typer.BadParameter.__bases__[0]

PLACEHOLDER = re.compile(r"[A-Z][A-Z_]+(\.\w+)?$")


def shown() -> list[tuple[str, list[str]]]:
    """Return place and words of every command in a block or in the head of an example."""
    of_pages = [(each.place, words) for page in pages() for each in blocks(page) for words in each.commands()]
    return [*of_pages, *commands_of_heads()]


@cache
def group() -> TyperGroup:
    found = typer.main.get_command(app)
    assert isinstance(found, TyperGroup)
    return found


def outputs_of(words: list[str]) -> set[str]:
    """Return the names behind the options that name an output."""
    return {after for word, after in pairwise(words) if word in OUTPUTS}


def command_of(words: list[str]) -> tuple[TyperCommand, list[str]]:
    """Return the command that words call, and its arguments."""
    command, rest = group(), words[1:]
    while isinstance(command, TyperGroup):
        assert rest and rest[0] in command.commands, f"no command: {shlex.join(words)}"
        command, rest = command.commands[rest[0]], rest[1:]
    assert isinstance(command, TyperCommand)
    return command, rest


def weights_of(words: list[str]) -> set[str]:
    """Return the weights that a command writes beside its output."""
    of_bits = words[:2] == ["rramkit", "thresholds"]
    return {str(Path(name).with_suffix(".npz")) for name in outputs_of(words)} if of_bits else set()


def test_every_command_parses():
    for place, words in shown():
        if words[0] == "rramkit" and not words[1].startswith("-"):
            command, rest = command_of(words)
            try:
                command.make_context(command.name, list(rest))
            except WRONG_CALL as error:
                pytest.fail(f"{place}: {shlex.join(words)}: {error}")


def test_a_command_in_prose_exists_with_its_options():
    for page in pages():
        for place, words in inline_commands(page):
            if " ".join(words[:2]) in FORMER or PLACEHOLDER.match(words[1]):
                continue
            command, rest = command_of(words)
            known = {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
            wrong = {word for word in rest if word.startswith("-")} - known
            assert not wrong, f"{place}: `{shlex.join(words)}` has no {wrong}"


def test_the_settings_of_a_training_that_a_command_gives_are_settings():
    inline = [each for page in pages() for each in inline_commands(page)]
    checked = 0
    for _, words in [*shown(), *inline]:
        pairs = [after for word, after in pairwise(words) if word in ("-s", "--set")]
        if words[:2] == ["rramkit", "train"] and pairs:
            files = [ROOT / word for word in words[2:] if word.endswith(".toml")]
            own = [path if path.is_file() else STARTERS / "network" / path.name for path in files]
            parameters(Experiment, own[0] if own else None, pairs)
            checked += 1
    assert checked > 2, "few: the search no longer finds them"


def test_make_targets_scripts_and_extras_exist():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for place, words in shown():
        if words[0] == "make":
            targets = [word for word in words[1:] if "=" not in word]
            assert all(re.search(rf"(?m)^{target}:", makefile) for target in targets), place
        elif words[0] == "python" and "/" in words[1]:
            assert (ROOT / words[1]).is_file(), place
        elif words[0].endswith("pip"):
            named = re.findall(r"\[([\w,]+)\]", words[-1])
            assert set(",".join(named).split(",")) - {""} <= set(extras), place
    for page in pages():
        for script in re.findall(r"`python ((?:benchmarks|examples|tests)/[\w./]+)", (ROOT / page).read_text("utf-8")):
            assert (ROOT / script).is_file(), f"{page}: {script}"


def test_the_files_that_a_command_names_exist_or_are_made_before():
    for page in pages():
        made = {block.name for block in blocks(page)} | set(READERS)
        for block in blocks(page):
            for words in block.commands():
                folder = ROOT / block.marks.get("in", "")
                if words[:2] == ["rramkit", "init"]:
                    starters = STARTERS / words[2]
                    made |= {(Path(*words[3:4]) / path.name).as_posix() for path in starters.iterdir()}
                outputs = outputs_of(words)
                made |= outputs | {str(Path(name).with_suffix(".points")) for name in outputs}
                made |= {words[2]} if words[:2] == ["rramkit", "merge"] else set()
                made |= weights_of(words)
                made |= {f"{name}/{each}" for name in outputs for each in ("tables.h5", "run.h5")}
                named = {word for word in words[1:] if FILE.match(word)}
                missing = {
                    name for name in named if name not in made and "*" not in name and not (folder / name).exists()
                }
                assert not missing, f"{block.place}: {shlex.join(words)} names {missing}"


def test_a_file_in_the_head_of_an_example_exists():
    made: dict[str, set[str]] = {}
    for place, words in commands_of_heads():
        here = (ROOT / place).parent
        outputs = made.setdefault(place.rpartition(":")[0], set())  # by this command, or by one above it
        outputs |= outputs_of(words) | weights_of(words)
        for name in {word for word in words[1:] if FILE.match(word)} - outputs - set(READERS):
            assert (ROOT / name).is_file() or (here / name).is_file(), f"{place} names {name}"


def test_blocks_with_commands_say_so_and_others_parse():
    """A block that looks like a command is `sh`, so that nothing shown escapes the checks; TOML and Python parse."""
    for page in pages():
        for block in blocks(page):
            if block.language == "toml":
                tomllib.loads(block.text)
            elif block.language == "python":
                ast.parse(block.text)
            elif block.language != "sh" and not block.name:
                assert not COMMAND.search(block.text), f"{block.place}: commands stand in a block of `sh`"


@pytest.fixture(scope="module")
def stand_ins(tmp_path_factory):
    """A folder with `examples/` and what pages call tables.h5, design.h5, x.cir, pulses.csv: small, made up."""
    folder = tmp_path_factory.mktemp("stand_ins")
    (folder / "examples").symlink_to(ROOT / "examples")
    table.save(tables(), folder / "tables.h5")
    table.save(chip_tables(scatter=True), folder / "design.h5")
    (folder / "x.cir").write_text("divider\nV1 in 0 1\nR1 in out 1k\nR2 out 0 1k\n.dc V1 0 1 0.5\n.end\n")
    for name in ("pulses.csv", "iv.csv"):
        shutil.copy(ROOT / "examples" / "measured" / name, folder)
    for name, lines in measured().items():
        (folder / name).write_text("\n".join(lines) + "\n")
    return folder


def measured() -> dict[str, list[str]]:
    """Return the lines of the files whose columns docs/measured-data.md names: 41 reads up and 41 down."""
    risen = [(1.0 - 0.93**k) / (1.0 - 0.93**40) for k in range(41)]
    up, down = [2.0 + 38.0 * part for part in risen], [40.0 - 38.0 * part for part in risen]  # uS
    trains = ("set,1.2", up), ("reset,1.4", down)
    pairs = zip(up, down, strict=True)
    devices = [",".join(f"{g * factor:.4g}" for factor in (0.98, 1.0, 1.02) for g in pair) for pair in pairs]
    return {
        "pulses.txt": [f"{k} {g:.4g}" for k, g in enumerate(up + down)],
        "resistances.csv": [
            "polarity,amplitude (V),width,R,remark",
            *(f"{pulse},100,{1e3 / g:.5g},{k}" for pulse, values in trains for k, g in enumerate(values)),
        ],
        "devices.csv": [
            f"pulse,{','.join(f'SET {device},RESET {device}' for device in (1, 2, 3))}",
            *(f"{k},{values}" for k, values in enumerate(devices)),
        ],
    }


def of_kinds(kinds: tuple[str, ...]) -> dict[str, list[tuple[str, list[str]]]]:
    """Return place and words of the commands of some kinds by page; tutorials have their walks."""
    found: dict[str, list[tuple[str, list[str]]]] = {}
    for page in pages():
        for block in blocks(page) if page not in PAGES else []:
            for words in block.commands() if "not run" not in block.marks else []:
                if words[0] == "rramkit" and words[1] in kinds and "mnist" not in " ".join(words):
                    found.setdefault(page, []).append((block.place, words))
    return found


def run(commands: list[tuple[str, list[str]]], reader: Walk) -> None:
    """Run the commands whose files the folder has."""
    for place, words in commands:
        outputs = outputs_of(words)
        if all(Path(word).exists() for word in words if FILE.match(word) and word not in outputs):
            reader.command(words, place)


@pytest.mark.parametrize("page", of_kinds(QUICK))
def test_what_is_quick_runs(page, stand_ins, tmp_path, monkeypatch, kit, capfd):
    for path in stand_ins.iterdir():
        (tmp_path / path.name).symlink_to(path)
    monkeypatch.chdir(tmp_path)
    run(of_kinds(QUICK)[page], Walk(kit, capfd))


@pytest.mark.long
@pytest.mark.spice
@pytest.mark.parametrize("page", of_kinds((*QUICK, *LONGER)))
def test_what_takes_longer_runs(page, stand_ins, tmp_path, monkeypatch, kit, capfd):
    folder = tmp_path / "reader"
    shutil.copytree(stand_ins, folder, symlinks=True)
    table.save(chip_tables(scatter=True, corners=True), folder / "design.h5")  # for `--corner ss`
    settings = Experiment(network=NetworkSettings(hidden=(8,)), epochs=1, float_reference=False)
    train(settings, chip_tables(scatter=True)).save(folder / "run.h5")
    monkeypatch.chdir(folder)
    run(of_kinds((*QUICK, *LONGER))[page], Walk(kit, capfd))
