"""`rramkit explain`: every key of every record is found, with what its field says."""

import json

import pytest

from rramkit.characterization.plan import Plan
from rramkit.circuits import catalog
from rramkit.cli import keys
from rramkit.learning import Experiment
from rramkit.parameters import flat


@pytest.fixture(scope="module")
def every():
    return keys.every_key()[0]


def lines(text):
    """What `explain` prints of one key, by the first word."""
    joined = " ".join(text.split("\n", 1)[1].split())
    names = ("meaning", "value", "unit", "bound", "default", "in", "source")
    places = [joined.find(f"{name} ") for name in names]
    assert places == sorted(places) and places[0] == 0
    return joined


@pytest.mark.parametrize(
    ("of", "record"),
    [
        ("experiment", Experiment()),
        ("plan of cell and array", Plan()),
        *((f"circuit {name}", block.parameters()) for name, block in catalog.BLOCKS.items()),
    ],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_every_parameter_is_there_with_unit_and_meaning(every, of, record):
    known = {}
    for key in every:
        if key.of == of:
            known.setdefault(key.name, []).append(key)
    for name, value, unit, text in flat(record):
        found = [key for key in known[name] if key.unit == unit and key.description == text]
        assert found, name
        if isinstance(value, float) and not any(key.kinds for key in found):
            assert float(found[0].default) == float(f"{value:g}")  # printed with six digits
        if isinstance(value, str) and not any(key.kinds for key in found):
            assert found[0].default == f'"{value}"'


def test_a_rule_s_key_has_meaning_bound_default_and_source(kit):
    code, out, err = kit("explain", "rule.threshold", "--of", "experiment")
    assert (code, err) == (0, "")
    first, second = out.split("\n\n")
    text = lines(first)
    assert 'in experiment (rule.kind = "mixed_precision")' in text
    assert "bound at least 0, at most 1 default left out" in text
    assert "Nandakumar et al. 2020 (Front. Neurosci. 14, 406; arXiv 2001.11773)" in text
    assert "programmed, over the range" in lines(second) and "0.0666667" in second


def test_a_circuits_key_has_its_unit_and_the_circuits(kit):
    _, out, _ = kit("explain", "driver.lines.cells")
    text = lines(out)
    assert out.startswith("driver.lines.cells\n") and "\n\n" not in out
    assert "default 64" in text and "circuit write_driver_set" in text and "bound at least 2, at most 1024" in text
    assert "unit m bound" in lines(kit("explain", "cell.w_access", "--of", "cell_write")[1])


def test_words_may_be_left_out_of_the_front_and_between(every):
    names = {key.name for key in keys.matching(every, "mapping.bits")}
    of_layers = {"mapping.layers.*.weights.bits", "mapping.layers.*.read.adc.bits"}
    assert names == {"mapping.weights.bits", "mapping.read.adc.bits"} | of_layers
    assert {key.name for key in keys.matching(every, "limits.v_row.held_out_rms")} == {"limits.*.held_out_rms"}
    assert {key.of for key in keys.matching(every, "gamma_set")} == {"device model stanford"}
    assert {key.name for key in keys.matching(every, "axes.values")} == {"axes.values"}
    assert not keys.matching(every, "bits.mapping")
    assert not keys.matching(every, ".")


def test_a_default_is_that_of_its_place(every):
    """`droop.v_points` and `disturb.v_points` are one field of one record, with defaults of their own."""
    found = {key.name: key.default for key in keys.matching(every, "v_points") if key.of == "plan of cell and array"}
    assert (found["droop.v_points"], found["disturb.v_points"]) == ("8", "4")


def test_many_keys_are_listed(kit):
    _, out, _ = kit("explain", "seed")
    first, *rest = out.splitlines()
    assert first.startswith(f"{len(rest)} keys are called seed")
    assert any("[2026] (plan of a component)" in line for line in rest)


def test_an_unknown_key_is_one_line_with_what_was_meant(kit):
    code, out, err = kit("explain", "rule.treshold")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "got 'rule.treshold'. Did you mean `rule.threshold`?" in err
    assert kit("explain", "seed", "--of", "nosuch")[0] == 2


def test_json_has_every_place(kit):
    found = json.loads(kit("explain", "epochs", "--json")[1])
    assert [(each["path"], each["of"], each["default"], each["unit"]) for each in found] == [
        ("epochs", "experiment", "25", "1")
    ]
