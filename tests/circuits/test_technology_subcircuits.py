"""A user's technology whose transistors are subcircuits: other pins, other units, and the same numbers come out."""

from pathlib import Path

import pytest
from fixtures.closeness import near

from rramkit.characterization.components.sense_amp import decisions
from rramkit.circuits import catalog
from rramkit.circuits.cell import ReadSweepParams, read_sweep
from rramkit.circuits.current_sense import CurrentSenseBenchParams, current_train
from rramkit.circuits.inventory import gate_capacitances, transistors
from rramkit.circuits.level_shifter import LevelShifterBench, level_shifter_bench
from rramkit.circuits.periphery import OperateParams, account
from rramkit.circuits.sense_amp import SenseAmpBenchParams, decision_train
from rramkit.circuits.technology import Technology
from rramkit.circuits.write_driver import DriverWriteParams, driven_write
from rramkit.errors import InputError
from rramkit.parameters import Parameters

CARDS = Path(__file__).parents[1] / "cards"
PLAIN = {
    "library_file": str(CARDS / "level1.lib"),
    "nmos_core": "nch18",
    "pmos_core": "pch18",
    "nmos_io": "nch33",
    "pmos_io": "pch33",
}
WRAPPED = {
    "library_file": str(CARDS / "subcircuits.lib"),
    "device": "subcircuit",
    "nmos_core": "tfet_n",
    "pmos_core": "tfet_p",
    "nmos_io": "tfet_n33",
    "pmos_io": "tfet_p33",
    "subcircuit": {"pins": "bdgs", "width": "width", "length": "len", "count": "mult", "unit": 1e-6},
}


def both() -> list[Technology]:
    return [Technology.checked(given, where="test") for given in (PLAIN, WRAPPED)]


def test_the_read_of_a_cell_is_that_of_the_plain_cards(pool):
    found = [
        pool.run(read_sweep(ReadSweepParams.checked({"cell": {"technology": given}}, where="test")).text())
        for given in (PLAIN, WRAPPED)
    ]
    # One model either way: what is left is the last digits of the sizes' conversion to micrometres and back.
    assert found[1].measures["i_max"] == near(found[0].measures["i_max"], 1e-6)


def test_a_circuit_of_both_oxides_is_that_of_the_plain_cards(pool):
    """Delays and charge of the level shifter: gates, junctions (areas and perimeters) and bulks must be the same."""
    plain, wrapped = (
        pool.run(level_shifter_bench(LevelShifterBench(technology=tech)).text()).measures for tech in both()
    )
    for name, value in plain.items():
        assert wrapped[name] == near(value, 1e-4, within=1e-4 if name == "v_low" else 0), name


def test_a_latch_decides_as_with_the_plain_cards(pool):
    found = []
    for tech in both():
        params = SenseAmpBenchParams.checked(
            {"latch": {"technology": tech.model_dump()}, "decisions": 3, "v_first": 1e-3}, where="test"
        )
        found.append(decisions(pool.run(decision_train(params).text()), params, 3))
    # 1e-3 of some 100 ps: the two decks may take their steps a little differently.
    assert found[1].t_decide == near(found[0].t_decide, 1e-3)
    assert found[1].energy == near(found[0].energy, 1e-3)


def test_transistors_in_parallel_are_counted_by_the_subcircuits_own_parameter():
    tech = Technology.checked(WRAPPED, where="test")
    text = driven_write(DriverWriteParams.checked({"cell": {"technology": WRAPPED}}, where="test")).text()
    tail = next(line for line in text.splitlines() if line.startswith("Xmos_tail"))
    assert "mult=4" in tail and " tfet_p33 " in tail and "len=0.4" in tail
    by_hand = {"width": 2.0, "len": 0.05, "ad": 0.4, "as": 0.4, "pd": 4.4, "ps": 4.4}
    assert tech.subcircuit.sizes(2e-6, 50e-9, 1, l_strip=200e-9) == near(by_hand, 1e-12)  # rounding
    bare = tech.subcircuit.model_copy(update={"strips": False})
    assert set(bare.sizes(2e-6, 50e-9, 1, l_strip=200e-9)) == {"width", "len"}


def test_the_inventory_sees_them():
    found = []
    for tech in both():
        each = transistors(current_train(_sense(tech)).circuit, tech)
        found.append({t.path.replace("Xmos_", "M_"): (t.gate, t.width, t.length, t.count) for t in each})
    plain, wrapped = found
    assert plain.keys() == wrapped.keys() and len(plain) > 20
    for path, (gate, *sizes) in plain.items():
        assert wrapped[path][0] == gate
        assert wrapped[path][1:] == near(sizes, 1e-12)


def _sense(tech: Technology) -> CurrentSenseBenchParams:
    return CurrentSenseBenchParams.checked({"sense": {"latch": {"technology": tech.model_dump()}}}, where="test")


def test_the_account_counts_them_and_says_what_it_cannot():
    plain, wrapped = (
        OperateParams.checked(
            {"periphery": {"crossbar": {"rows": 2, "cols": 2, "cell": {"technology": given}}}}, where="test"
        )
        for given in (PLAIN, WRAPPED)
    )
    assert account(plain, reuse=True).energy > 0
    with pytest.raises(InputError, match=r"must hold a `.model tfet_[np](33)?` with `toxe` or `tox`"):
        account(wrapped, reuse=True)


def test_simpler_cards_state_their_oxide_too():
    tech, circuit = Technology.checked(PLAIN, where="test"), current_train(_sense(Technology.checked(PLAIN, where="t")))
    rest = gate_capacitances(circuit.circuit, ["rest_b"], tech)["rest_b"]
    by_hand = 3 * 1e-6 * 50e-9 * 3.9 * 8.8541878128e-12 / 4e-9  # three equalising PMOS of 1 um
    assert rest == near(by_hand, 1e-9)


@pytest.mark.parametrize("name", sorted(set(catalog.BLOCKS) - {"device_pulse"}))
def test_every_block_is_drawn_in_subcircuits(name):
    block = catalog.block(name)
    params = block.parameters.checked(_dropped_in(block.parameters), where="test")
    lines = [line.lower() for line in block.deck(params).text().splitlines()[1:]]
    assert any(line.startswith("xmos_") for line in lines)
    inside = False  # a subcircuit of the card file
    for line in lines:
        inside = line.startswith(".subckt tfet_") or (inside and not line.startswith(".ends"))
        assert inside or not line.startswith("m"), line


def _dropped_in(model) -> dict:
    """Every technology of a block's parameters replaced by the wrapped one."""
    found = {}
    for name, field in model.model_fields.items():
        if field.annotation is Technology:
            found[name] = WRAPPED
        elif isinstance(field.annotation, type) and issubclass(field.annotation, Parameters):
            inner = _dropped_in(field.annotation)
            found |= {name: inner} if inner else {}
    return found


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pins": "dgs"}, "each of the letters dgsb once"),
        ({"pins": "dgss"}, "each of the letters dgsb once"),
        ({"width": "w h"}, "one name of ASCII letters"),
        ({"width": "w\n.control"}, "one name of ASCII letters"),
        ({"count": "w"}, "three names"),
        ({"unit": 0}, "greater than or equal to"),
    ],
)
def test_what_does_not_fit_is_refused(given, message):
    with pytest.raises(InputError, match=message) as caught:
        Technology.checked({**WRAPPED, "subcircuit": given}, where="user.toml")
    assert "\n" not in str(caught.value)


def test_subcircuits_need_a_file():
    with pytest.raises(InputError, match="needs `library_file`"):
        Technology.checked({"device": "subcircuit"}, where="user.toml")


@pytest.mark.parametrize(("key", "name"), [("width", "wid"), ("length", "l")])
def test_a_parameter_that_the_subcircuit_lacks_is_refused(key, name):
    technology = WRAPPED | {"subcircuit": WRAPPED["subcircuit"] | {key: name}}
    given = ReadSweepParams.checked({"cell": {"technology": technology}}, where="test")
    with pytest.raises(InputError, match=rf"gives `{name}`, which `tfet_n33` does not take: .*`technology.subcircuit`"):
        read_sweep(given).text()
