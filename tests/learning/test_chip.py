"""The chip of a training: which stages come from the file, which are typed, off or ideal, and at which point."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fixtures.chip_tables import chip_tables
from fixtures.closeness import near
from fixtures.synthetic import tables
from typer.testing import CliRunner

from rramkit import record, table
from rramkit.cli.app import app
from rramkit.errors import InputError, TableError
from rramkit.learning import Experiment, train
from rramkit.learning.chip import NOT_CHARACTERISED, OFF
from rramkit.learning.condition import Condition, OperatingTables

TINY = {
    "network": {"hidden": [6]},
    "epochs": 1,
    "float_reference": False,
    "data": {"train_images": 200, "test_images": 60},
}


def experiment(**more):
    return Experiment.checked({**TINY, **more}, where="the test")


def sources(one, file):
    return {each.stage: each for each in one.on(one.chip.tables(file)).sources}


def test_everything_that_the_file_has_is_on():
    found = sources(experiment(), chip_tables())
    on = {name for name, each in found.items() if each.from_table}
    reads, writes = {"row_driver", "read_noise", "line_switch", "readout", "adc"}, {"write_driver", "droop", "disturb"}
    assert {"cell current", "pulses", "wires"} | reads | writes <= on
    assert found["telegraph"].source == NOT_CHARACTERISED  # no table holds it
    assert found["row_driver"].groups == ("row_driver",)


def test_a_file_of_cells_and_wires_alone_leaves_the_rest_ideal():
    found = sources(experiment(), tables())
    cells = ["cell current", "pulses", "wires"]
    assert [name for name, each in found.items() if each.from_table] == cells
    assert {each.source for name, each in found.items() if name not in cells} == {NOT_CHARACTERISED}


def test_a_stage_is_switched_off_by_name():
    one = experiment(chip={"off": ["row_driver", "wires"]})
    chip = one.on(one.chip.tables(chip_tables()))
    found = {each.stage: each.source for each in chip.sources}
    assert found["row_driver"] == found["wires"] == OFF
    assert not chip.chain.row_driver.on and not chip.wires
    assert found["adc"] == "table"
    with pytest.raises(InputError, match=r"`chip\.off` must name stages: wires, .*got 'row_drivr'. Did you mean"):
        sources(experiment(chip={"off": ["row_drivr"]}), chip_tables())


def test_a_typed_number_must_not_be_the_tables():
    typed = {"read": {"row_driver": {"levels": 16}}}
    assert sources(experiment(mapping=typed), tables())["row_driver"].source == "typed"
    with pytest.raises(InputError, match=r"`mapping\.read\.row_driver\.levels` must be left out: the table file has"):
        sources(experiment(mapping=typed), chip_tables())
    with pytest.raises(InputError, match=r"`chip\.off` has `row_driver`, which `mapping\.read\.row_driver` sets"):
        sources(experiment(mapping=typed, chip={"off": ["row_driver"]}), chip_tables())
    marked = sources(experiment(mapping=typed, chip={"override": True}), chip_tables())["row_driver"].source
    assert marked == "table, typed: levels (override)"


def test_the_ideal_periphery_is_a_file_without_it():
    file = chip_tables()
    cells = table.TableFile({name: file[name] for name in ("read", "set", "reset", "wires")}, file.provenance)
    short, plain = train(experiment(chip={"ideal_periphery": True}), file), train(experiment(), cells)
    np.testing.assert_array_equal(short.epochs.loss, plain.epochs.loss)
    np.testing.assert_array_equal(short.epochs.energy_read, plain.epochs.energy_read)


def test_a_run_keeps_its_stages_and_is_restored_with_them(tmp_path):
    run = train(experiment(chip={"off": ["adc", "readout"]}), chip_tables(corners=True))
    back = record.load(run.save(tmp_path / "run.h5"))
    assert back.stages == run.stages
    assert {each.stage for each in back.stages if each.source == OFF} >= {"adc"}
    x = np.random.default_rng(0).random((20, 64))
    np.testing.assert_array_equal(back.scores(x), run.scores(x))


def test_a_run_from_before_the_chip_is_read_without_its_files_periphery(tmp_path):
    file = chip_tables()
    run = train(experiment(chip={"ideal_periphery": True}), file)
    old = replace(run, settings={name: each for name, each in run.settings.items() if name != "chip"})
    back = record.load(old.save(tmp_path / "run.h5"))
    x = np.random.default_rng(0).random((20, 64))
    np.testing.assert_array_equal(back.scores(x), run.scores(x))


def test_reads_and_writes_are_each_at_their_own_point(tmp_path):
    file = chip_tables(corners=True)
    at = {"corner": "ss", "temperature": 330.0, "write_corner": "ff"}
    run = train(experiment(chip=at), file)
    ends = OperatingTables.of(file, Condition("ss", 330.0), Condition("ff", 330.0))
    assert ends.read["read"].signals["i_cell"].values[3, 0] != ends.write["read"].signals["i_cell"].values[3, 0]
    found = {each.stage: each for each in run.stages}
    assert found["row_driver"].condition == "ss, 330 K"
    assert "adc_levels" in found["adc"].condition and "(no axis of corner, temperature)" in found["adc"].condition
    assert found["write_driver"].condition.startswith("write_driver_set: ff, 330 K")
    assert found["wires"].condition == "330 K (no axis of corner)"
    back = record.load(run.save(tmp_path / "run.h5"))
    stored = back.stored_network
    assert stored is not None and stored.write_tables and stored.write_tables != stored.tables
    x = np.random.default_rng(0).random((20, 64))
    np.testing.assert_array_equal(back.scores(x), run.scores(x))
    same = train(experiment(chip={**at, "write_corner": "ss"}), file)
    assert same.stored_network is not None and not same.stored_network.write_tables
    with pytest.raises(TableError, match="no table of the file has the axis `supply`"):
        train(experiment(chip={"supply": 0.9}), file)


def test_what_writes_leave_out_is_as_in_reads():
    assert Condition(corner="ff").over(Condition("ss", 358.0, 0.9)) == Condition("ff", 358.0, 0.9)
    one = experiment(chip={"temperature": 358.15, "write_supply": 1.1})
    assert one.chip.write_condition == Condition(None, 358.15, 1.1)


def test_reads_take_time():
    """Reads of one batch of B vectors: R phases of t_read each, forward and back, by hand of one matrix."""
    file = tables()
    one = experiment(network={"hidden": []}, mapping={"wires": False}, batches=3, batch=10)
    run = train(one, file)
    t_read = file["read"].condition("t_read")
    # one matrix: forward of 3 batches of 10 vectors that are not negative, no backward read of a first layer
    assert run.epochs.time_read[0] == 0.0
    assert run.epochs.time_read[1] == near(30 * t_read, 1e-12)
    assert run.totals()["time_read"] == near(float(run.epochs.time_read.sum()), 1e-12)


def test_the_command_has_the_options_and_says_what_each_stage_reads(tmp_path):
    table.save(chip_tables(corners=True), tmp_path / "chip.h5")
    pairs = ["network.hidden=[5]", "epochs=1", "data.train_images=200", "data.test_images=50"]
    words = [word for pair in pairs for word in ("--set", pair)]

    def run(*more):
        command = ["train", "--tables", str(tmp_path / "chip.h5"), "-o", str(tmp_path / "run.h5"), *words, *more]
        return CliRunner().invoke(app, command)

    done = run("--corner", "ss", "--write-corner", "ff", "--off", "row_driver", "--off", "adc,readout")
    assert done.exit_code == 0, done.output
    assert "what each stage reads:" in done.stdout
    assert any(line.split() == ["row_driver", "off"] for line in done.stdout.splitlines())
    settings = record.load(tmp_path / "run.h5").settings["chip"]
    assert isinstance(settings, dict)
    assert settings["off"] == ["row_driver", "adc", "readout"]
    assert (settings["corner"], settings["write_corner"], settings["write_supply"]) == ("ss", "ff", None)
    refused = run("--set", "mapping.read.row_driver.levels=4")
    assert isinstance(refused.exception, InputError)
    assert run("--set", "mapping.read.row_driver.levels=4", "--override", "--quiet").exit_code == 0


def test_a_tile_has_every_stage_of_the_file(tmp_path):
    table.save(chip_tables(), tmp_path / "chip.h5")

    def outcome(*more):
        done = CliRunner().invoke(app, ["tile", str(tmp_path / "chip.h5"), "--json", *more])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)

    whole, cells = outcome(), outcome("--ideal-periphery")
    assert whole["stages"]["row_driver"] == "table" and cells["stages"]["row_driver"] == NOT_CHARACTERISED
    assert whole["read"]["energy"] > cells["read"]["energy"]
    assert outcome("--off", "row_driver")["stages"]["row_driver"] == OFF
