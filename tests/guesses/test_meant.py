"""What a wrong name is answered with: the name that was meant, in the place where it belongs."""

import pytest
from fixtures.synthetic import tables

from rramkit import table
from rramkit.characterization.components import find
from rramkit.characterization.design import find_design
from rramkit.characterization.plan import Plan
from rramkit.circuits import catalog
from rramkit.cli.options import parameters
from rramkit.errors import InputError, file_meant, meant
from rramkit.learning import Experiment

KEYS = [
    (Experiment, "rule.treshold=0.1", "Did you mean `rule.threshold`?"),
    (Experiment, "treshold=0.1", "Did you mean `rule.threshold`, or `network.layers.threshold` (kind step)"),
    (Experiment, "rule.update.sprad.sigma_gain=0.1", "Did you mean `rule.update.spread`?"),
    (
        Experiment,
        "mapping.bits=3",
        "`mapping.read.adc.bits`, or `mapping.weights.bits` (kind bit_slices, prime, isaac, bit_serial, sei)",
    ),
    (Experiment, "rule.kind=mixed_precison", "Did you mean `mixed_precision`? Fix this key."),
    (Experiment, "network.name=lenet", "Did you mean `lenet5`? Fix this key."),
    (Plan, "w_access=1e-6", "Did you mean `cell.w_access`, or `wires.crossbar.cell.w_access`?"),
    (Plan, "cell.device.model=stanfrd", "got 'stanfrd'. Did you mean `stanford`? Fix it."),
    (catalog.block("cell_write").parameters, "v_read=1e-6", "Did you mean `read.v_read`?"),
    (catalog.block("cell_write").parameters, "cell.w_acess=1e-6", "Did you mean `cell.w_access`?"),
]


@pytest.mark.parametrize(("model", "pair", "answer"), KEYS, ids=[pair for _, pair, _ in KEYS])
def test_a_wrong_key_is_answered_with_the_one_of_the_right_group(model, pair, answer):
    with pytest.raises(InputError) as caught:
        parameters(model, None, [pair])
    assert answer in str(caught.value)


def test_a_key_of_another_kind_is_answered_with_the_kind():
    with pytest.raises(InputError, match=r"Did you mean it with `rule\.kind` mixed_precision or threshold\?"):
        parameters(Experiment, None, ["rule.kind=sign", "rule.threshold=0.1"])


def test_names_of_blocks_plans_and_components_are_answered():
    for call, name, answer in (
        (catalog.block, "row_drver", "`row_driver`"),
        (find, "row-drver", "`row_driver`"),
        (find_design, "desgn", "`design`"),
    ):
        with pytest.raises(InputError, match=f"Did you mean {answer}"):
            call(name)


def test_a_file_is_answered_with_the_one_beside_it(tmp_path):
    table.save(tables(), tmp_path / "tables.h5")
    (tmp_path / "tables.toml").write_text("epochs = 1")
    with pytest.raises(InputError, match=r"no such file.*`rramkit import`\. Did you mean `.*/tables\.h5`\?"):
        table.load(tmp_path / "tabels.h5")
    with pytest.raises(InputError, match=r"Did you mean `.*/tables\.toml`\?"):
        Experiment.from_toml(tmp_path / "tabels.toml")
    assert file_meant(tmp_path / "other.h5") == file_meant(tmp_path / "none" / "tables.h5") == ""


def test_nothing_is_suggested_for_what_is_like_nothing():
    assert meant("xyz", ["threshold", "seed"]) == ""
    with pytest.raises(InputError) as caught:
        parameters(Experiment, None, ["qqq=1"])
    assert "Did you mean" not in str(caught.value)
