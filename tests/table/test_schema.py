"""The schema is the one place that spells columns: the docs are generated from it, every source takes names from it."""

import ast
import math
import pickle
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from rramkit import table
from rramkit.array.wires import RESISTANCES
from rramkit.characterization.design import find_design, plan_names
from rramkit.characterization.engine.plan import ComponentPlan
from rramkit.errors import InputError, TableError
from rramkit.proof.system import system_table
from rramkit.table import HeldOut, Quantity, Table, TableFile, schema
from rramkit.table.schema import GROUPS, READ, RESET, SET, SYSTEM, WIRES, WRITE_DRIVER_SET

ROOT = Path(__file__).resolve().parents[2]


def test_the_docs_have_the_tables_of_the_schema():
    text = (ROOT / "docs" / "table-format.md").read_text(encoding="utf-8")
    written = text.split("<!-- schema -->\n")[1].split("<!-- end of schema -->")[0]
    assert written == schema.markdown(), "paste the output of `python -m rramkit.table.schema`"


def test_every_column_has_its_name_a_unit_and_a_text():
    for group in GROUPS.values():
        assert group.text and group.columns
        for name, column in group.columns.items():
            assert column == name
            assert column.unit and column.text
            assert column.kind in ("axis", "signal", "condition", "held_out")


def test_a_column_is_its_name_and_travels_with_its_unit():
    assert SET.delta_g == "delta_g"
    assert {"delta_g": 1}[SET.delta_g] == 1
    again = pickle.loads(pickle.dumps(SET.delta_g))
    assert (again, again.unit, again.kind) == ("delta_g", "S", "signal")


def test_a_group_cannot_be_changed():
    with pytest.raises(AttributeError):
        READ.i_cell = "another"  # pyright: ignore[reportAttributeAccessIssue]


def test_quantities_take_the_units_of_their_columns():
    conditions = READ.of(v_read=0.1, t_read=1e-8)
    assert {name: each.unit for name, each in conditions.items()} == {"v_read": "V", "t_read": "s"}
    with pytest.raises(InputError, match=r"`read` has the columns g_cell, .*; got 'v_reed'\. Fix the name\."):
        READ.of(v_reed=0.1)


def test_polarity_is_that_of_the_group_or_of_the_table():
    assert (SET.polarity, RESET.polarity, WRITE_DRIVER_SET.polarity, READ.polarity) == ("set", "reset", "set", None)
    axes = SET.of(g_start=[1e-6, 2e-6], v_pulse=[1.0])
    signals = SET.of(delta_g=np.ones((2, 1)), energy=np.ones((2, 1)))
    assert Table("set", axes, signals).polarity == "set"
    assert Table("mine", axes, signals).polarity is None
    assert Table("mine", axes, signals, polarity="reset").polarity == "reset"


def _file(name: str, **columns: Quantity) -> TableFile:
    return TableFile({name: Table(name, {}, columns)}, {})


def test_a_group_of_the_kit_is_checked_and_a_users_own_is_free(tmp_path):
    ohms = WIRES.of(r_row=1.0, r_col=1.0, r_drive=50.0, r_sense=50.0)
    table.save(_file("wires", **ohms), tmp_path / "t.h5")
    table.save(_file("mine", r_row=Quantity(np.array(-1.0), "furlong")), tmp_path / "t.h5")
    for changes, complaint in (
        ({"r_row": WIRES.r_row.quantity(-1.0)}, "`wires/r_row` holds values below 0 ohm"),
        ({"r_row": Quantity(np.array(1.0), "kohm")}, "`wires/r_row` must be in ohm; got 'kohm'"),
    ):
        with pytest.raises(TableError, match=complaint):
            table.save(_file("wires", **{**ohms, **changes}), tmp_path / "t.h5")
    del ohms["r_sense"]
    with pytest.raises(TableError, match="table `wires` must have the signal `r_sense`"):
        table.save(_file("wires", **ohms), tmp_path / "t.h5")


def test_polarity_of_a_file_is_kept_and_checked(tmp_path):
    axes = SET.of(g_start=[1e-6, 2e-6], v_pulse=[1.0])
    signals = SET.of(delta_g=np.ones((2, 1)), energy=np.ones((2, 1)))
    table.save(TableFile({"mine": Table("mine", axes, signals, polarity="reset")}, {}), tmp_path / "t.h5")
    assert table.load(tmp_path / "t.h5")["mine"].polarity == "reset"
    with pytest.raises(TableError, match="`polarity` of `set` must be set; got reset"):
        table.save(TableFile({"set": Table("set", axes, signals, polarity="reset")}, {}), tmp_path / "t.h5")


# Names that are columns too, but stand for something else in these files.
OTHER_MEANINGS = {
    "rramkit/array/exact.py": {"r_row", "r_col", "r_source", "r_sense"},  # arguments of `solve_wires`
    # fields of the stages' own models, which are named after the columns that they are read from
    "rramkit/array/stages/adc.py": {"v_low", "v_high", "v_transition", "v_noise"},
    "rramkit/array/stages/comparator.py": {"t_decide"},
    "rramkit/array/stages/integrating.py": {"r_feedback", "i_in", "v_out", "v_rest", "r_in"},
    "rramkit/array/stages/line_switch.py": {"r_on"},
    "rramkit/array/stages/readout.py": {"i_noise", "r_feedback", "i_in", "v_out", "v_rest", "r_in"},
    "rramkit/array/stages/sense_amp.py": {"v_low", "v_high", "t_decide"},
    "rramkit/array/stages/word_line.py": {"c_word", "c_load"},
    "rramkit/proof/spice_tile.py": {"r_feedback", "v_noise"},  # parameters of the circuit, a field of the stage
    "rramkit/array/model.py": {"t_read"},  # a field of the model
    "rramkit/learning/calibration.py": {"t_cell"},  # a setting
    "rramkit/cli/spiking.py": {"t_step"},  # a setting of the evaluation
    "rramkit/array/write/pulse.py": {"v_pulse", "t_pulse", "v_wl"},  # settings: what may be stepped
    "rramkit/learning/rules/settings.py": {"sigma_read"},  # a setting of write-verify
    "rramkit/learning/rules/rram_rule.py": {"sigma_read"},
    "rramkit/learning/chip.py": {"sigma_read"},
    "rramkit/torch/cells.py": {"g_cell"},  # a tensor of the state
    "characterization/plan.py": {"g_max", "v_step"},  # parameters of the plan and of the bench
    "characterization/cycle_noise.py": {"v_pulse"},  # a parameter of the bench
    "characterization/device_check.py": {"t_pulse", "t_rise", "t_step", "v_pulse"},  # parameters of the bench
}
WRITERS = ("characterization/components/",)  # each component writes its own groups: checked against the schema below
LOOK_UPS = {"signal", "condition", "masked", "valid_range", "distribution", "along", "at", "get", "look_up"} | {
    "GridSurrogate",
    "QuantileSurrogate",
}


def sources() -> Iterator[Path]:
    """Yield the library's files that read or write tables, but the table's own."""
    for room in ("rramkit", "characterization"):
        for path in sorted((ROOT / room).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            linked = ("rramkit/circuits/", "rramkit/characterization/", "rramkit/netlists/")
            if not place.startswith((*linked, "rramkit/table/", "characterization/equations/", *WRITERS)):
                yield path


def literals(path: Path) -> Iterator[ast.Constant]:
    """Yield the texts of a file that stand as an index, a key, a member, an operand, or an argument of a look-up."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        parts: list[ast.expr | None] = []
        if isinstance(node, ast.Subscript):
            parts = [node.slice]
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            parts = [*node.args] if name in LOOK_UPS else []
        elif isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.Dict):
            parts = list(node.keys)
        elif isinstance(node, ast.Tuple | ast.List):
            parts = list(node.elts)
        yield from (part for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))


def test_no_module_spells_a_column():
    """Columns are attributes of the schema: `SET.delta_g`, not its text. Single words are too common to look for."""
    columns = {name for group in GROUPS.values() for name in group.columns if "_" in name}
    spelled = {
        f"{path.relative_to(ROOT)}:{text.lineno}: {text.value!r}"
        for path in sources()
        for text in literals(path)
        if text.value in columns - OTHER_MEANINGS.get(path.relative_to(ROOT).as_posix(), set())
    }
    assert not spelled


def test_nobody_asks_a_tables_name_for_its_polarity():
    asked = set()
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Compare):
                continue
            sides = [node.left, *node.comparators]
            texts = {side.value for side in sides if isinstance(side, ast.Constant)}
            names = any(isinstance(side, ast.Attribute) and side.attr == "name" for side in sides)
            if names and texts & {"set", "reset"}:
                asked.add(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert not asked


# wires are fitted, not measured; `rramkit verify --system` writes the differences of whole arrays, from no plan;
# `rramkit import` writes what it read
OTHER_WRITERS = {WIRES.group, SYSTEM.group, *(each.group for each in schema.READS.values())}


def test_a_system_check_writes_the_columns_of_its_group():
    held = HeldOut({"output": Quantity(np.arange(2.0), "1")}, np.array([1.0, 2.0]), np.array([1.0, 3.0]), "1", 1.0, 1.0)
    written = system_table({"nominal": dict.fromkeys(SYSTEM.columns, held), "ss": dict.fromkeys(SYSTEM.columns, held)})
    assert written.name == SYSTEM.group and set(written.signals) == set(SYSTEM.columns)
    assert all(float(each.values) == math.sqrt(0.5) for each in written.signals.values())  # one of two off by 1


@cache
def plans() -> dict[str, ComponentPlan]:
    """Return the kit's own plans by the group that they write."""
    return {plan.name: plan for name in plan_names() for plan in find_design(name).plans}


@pytest.mark.parametrize(
    "name", [name for name in GROUPS if not name.endswith(schema.SUMMARY) and name not in OTHER_WRITERS]
)
def test_what_a_component_writes_is_in_the_schema(name):
    """Every measure, step and constant of the plan that writes a group is a column, in its unit; and no column more."""
    plan, group = plans()[name], GROUPS[name]
    component = plan.component
    summary = GROUPS[name + schema.SUMMARY].columns if name + schema.SUMMARY in GROUPS else {}
    shared = schema.CORNERS.columns
    for measure, measured in plan.signals.items():
        column = group.columns.get(measure) or summary[measure]
        assert (column.kind, column.unit) == ("signal", measured.unit), measure
    for axis in plan.all_axes:
        column = group.columns.get(axis.label) or shared[axis.label]
        assert column.kind == "axis"
        assert axis.label == schema.CORNERS.corner or column.unit == plan.unit_of(axis)
    for constant, (_, unit) in component.constants.items():
        assert group.columns[constant].unit == unit, constant
    signals = {column for columns in (group.columns, summary) for column in columns.values() if column.kind == "signal"}
    assert signals == set(plan.signals)


def test_the_fit_of_the_wires_has_the_columns_of_its_group():
    component = plans()[WIRES.group].component
    units = {column: column.unit for column in (*WIRES.of_kind("signal"), WIRES.i_array)}
    assert {name: each.unit for name, each in component.summary.items()} == units
    assert set(RESISTANCES) == set(WIRES.of_kind("signal"))
