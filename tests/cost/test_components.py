"""The component file: prices by key, scaled between nodes; a user's entries replace the kit's, or are refused."""

from pathlib import Path

import pytest
from fixtures.closeness import near

from rramkit.cost import Components, components
from rramkit.errors import InputError

ENTRY = 'energy = 5e-14\nnode = 45e-9\nsource = "dram"\nmark = "found"\n'


def laid_over(folder: Path, text: str) -> Components:
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return components(path)


def test_every_entry_of_the_kit_has_a_node_or_is_off_chip() -> None:
    for key in components():
        entry = components()[key].component
        assert entry.node is not None or key.startswith("offchip.") or key == "link.chip_to_chip", key
        assert entry.note, key


def test_what_is_recalled_is_unconfirmed() -> None:
    kit = components()
    assert kit["memory.cache_32k"].unconfirmed
    assert not kit["digital.add_int8"].unconfirmed


# The source's own check values at 0.9 V have three digits.
@pytest.mark.parametrize(
    ("start", "to", "factor"), [(45e-9, 32e-9, 0.641), (65e-9, 45e-9, 0.798), (130e-9, 45e-9, 0.316)]
)
def test_energy_scales_as_published(start: float, to: float, factor: float) -> None:
    scaling = components().scaling
    assert scaling.energy_factor(start, to) == near(factor, within=5e-4)
    # Rounding of one division.
    assert scaling.energy_factor(start, to) * scaling.energy_factor(to, start) == near(1.0, 1e-14)


def test_area_scales_from_45_nm_as_published() -> None:
    """130 nm to 45 nm is 1/6.4, which the source rounds to 0.16; area of the same circuit falls with the node."""
    scaling = components().scaling
    assert scaling.area_factor(130e-9, 45e-9) == near(0.16, within=5e-3)
    assert scaling.area_factor(45e-9, 32e-9) == near(0.46, 1e-14)  # rounding


def test_between_nodes_the_scaling_is_interpolated_on_logarithmic_axes() -> None:
    scaling = components().scaling
    middle = (45e-9 * 65e-9) ** 0.5
    # Rounding of logarithms.
    assert scaling.energy_factor(middle, 45e-9) == near(scaling.energy_factor(65e-9, 45e-9) ** 0.5, 1e-12)


def test_the_supply_counts() -> None:
    """At 45 nm p = 1.103 V2 - 0.362 V + 0.2767: 0.844 J at 0.9 V over 1.0177 at 1 V, in its units."""
    scaling = components().scaling
    assert scaling.energy_factor(45e-9, 45e-9, v_from=1.0, v_to=0.9) == near(0.84433 / 1.0177, 1e-6)  # digits written


def test_prices_at_the_files_node_and_elsewhere() -> None:
    kit = components()
    # 61.8 pJ and 67.1 pJ for 256 bits at the file's node: exact but for rounding.
    assert kit["memory.sram_64k"].read_bit_at() == near(61.8e-12 / 256, 1e-14)
    assert kit["memory.sram_64k"].write_bit_at() == near(67.1e-12 / 256, 1e-14)
    assert kit["offchip.ddr3"].read_bit_at(7e-9) == 70e-12  # off chip: no node
    register = kit["digital.register_bit"]  # 40 nm: at 45 nm it needs more
    assert 9e-15 < register.energy_at() < 1.4 * 9e-15
    assert register.energy_at(40e-9) == near(9e-15, 1e-14)
    assert kit["digital.add_int8"].area_at(65e-9) == near(1.5 * 36e-12, 1e-14)


def test_energies_by_bits() -> None:
    converter = components()["converter.adc_survey"]
    assert converter.energy_at(bits=8) == 3.25e-12
    assert converter.energy_at(bits=9) == near((3.25e-12 * 6.28e-12) ** 0.5, 1e-12)  # rounding of logarithms
    with pytest.raises(InputError, match=r"`bits` of converter.adc_survey must be 4 to 10; got 12"):
        converter.energy_at(bits=12)


def test_the_range_scales_with_the_energy() -> None:
    kit = components()
    assert kit["digital.mul_int16"].energy_ends_at() == (0.7e-12, 1.5e-12)
    assert kit["digital.mul_int8"].energy_ends_at() == (0.2e-12, 0.2e-12)
    low, high = kit["digital.mul_int16"].energy_ends_at(32e-9)
    assert high / low == near(1.5 / 0.7, 1e-12)  # rounding
    assert high < 1.5e-12


def test_a_users_entry_replaces_the_kits(tmp_path: Path) -> None:
    text = '[sources]\nlab = "our synthesis"\n[digital.mul_int16]\n' + ENTRY.replace("dram", "lab")
    mine = laid_over(tmp_path, text)
    assert mine["digital.mul_int16"].energy_at() == 5e-14
    assert mine["digital.mul_int16"].energy_ends_at() == (5e-14, 5e-14)  # nothing of the kit's entry is left
    assert mine["digital.mul_int16"].source == "our synthesis"
    assert mine.replaced == ("digital.mul_int16",)
    assert mine["digital.mul_int8"].energy_at() == components()["digital.mul_int8"].energy_at()


def test_a_users_node_is_that_of_all(tmp_path: Path) -> None:
    mine = laid_over(tmp_path, "node = 32e-9\n")
    assert mine["digital.mul_int8"].energy_at() == components()["digital.mul_int8"].energy_at(32e-9)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[digital.mul_int61]\n" + ENTRY, r"`digital.mul_int61` is not a known component. Near it: digital.mul_int16"),
        ("[digtal.mul_int16]\n" + ENTRY, r"`digtal` is not a known key. .* Did you mean `digital`"),
        ("[digital.mul_int16]\n" + ENTRY.replace("energy", "enrgy"), r"Did you mean `digital.mul_int16.energy`"),
        ("[digital.mul_int16]\n" + ENTRY.replace("5e-14", "-5e-14"), r"mul_int16.energy` .* 0 J; got -5e-14"),
        ("[digital.mul_int16]\n" + ENTRY.replace("5e-14", '"5e-14"'), r"mul_int16.energy` should be a valid number"),
        ("[digital.mul_int16]\n" + ENTRY.replace("5e-14", "true"), r"mul_int16.energy` should be a valid number"),
        ("[digital.mul_int16]\n" + ENTRY.replace("5e-14", "nan"), r"mul_int16.energy` .* finite number; got nan"),
        ("[digital.mul_int16]\n" + ENTRY.replace("5e-14", "0.05"), r"mul_int16.energy` .* 0.001 J; got 0.05"),
        ("[digital.mul_int16]\n" + ENTRY.replace("45e-9", "45"), r"mul_int16.node` .* 0.000001 m; got 45"),
        ("[digital.mul_int16]\n" + ENTRY.replace('mark = "found"', ""), r"mul_int16.mark` Field required"),
        (
            "[digital.mul_int16]\n" + ENTRY.replace('"found"', '"guess"'),
            r"'found', 'derived' or 'recalled'; got 'guess'",
        ),
        ("[digital.mul_int16]\n" + ENTRY.replace("dram", "lab"), r"mul_int16.source` must be a key of `sources`"),
        (
            "[digital.mul_int16]\n" + ENTRY.replace("node = 45e-9", ""),
            r"mul_int16.node` is missing; .* 4.5e-08. Add it",
        ),
        ("[digital.add_int8]\n" + ENTRY, r"add_int8.area` is missing; the kit's entry has 3.6e-11. Add it"),
        ("[memory.sram_2k]\nread = 1e-12\n" + ENTRY, r"memory.sram_2k` must have `width`"),
        ("[digital.mul_int16]\nenergy_range = [1e-13, 2e-13]\n" + ENTRY, r"must have `energy` within `energy_range`"),
        ("[digital]\nmul_int16 = 3\n", r"`digital.mul_int16` should be a group of keys, not a value"),
        ("format = 2\n", r"`format` should be 1; got 2"),
        ("node = 45\n", r"`node` .* got 45"),
        ("digital = [", r"not a TOML file"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InputError, match=says) as caught:
        laid_over(tmp_path, text)
    assert "\n" not in str(caught.value)
    assert "mine.toml" in str(caught.value)


def test_what_is_not_there_is_refused() -> None:
    kit = components()
    with pytest.raises(InputError, match=r"component `digital.add8` is not known. Near it: digital.add_int8"):
        kit["digital.add8"]
    with pytest.raises(InputError, match=r"must have `energy`; it has read, write, leak, area"):
        kit["memory.sram_2k"].energy_at()
    with pytest.raises(InputError, match=r"`node` must be 7 to 130 nm, .* got 5 nm"):
        kit["digital.add_int8"].energy_at(5e-9)
