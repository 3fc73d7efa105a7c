"""Machines to compare with: energies from their published figures, and unknown where nothing is published."""

from pathlib import Path

import pytest
from fixtures.closeness import near

from rramkit.cost import Range, components, machines
from rramkit.errors import InputError


@pytest.mark.parametrize("key", ["dadiannao", "gpu_k20", "gpu_gtx1080", "gpu_h100", "isaac"])
def test_power_over_rate_is_an_end_of_the_energy(key: str) -> None:
    """Power over peak rate; energies are written with three digits. DaDianNao: with its links, the high end."""
    machine = machines()[key]
    assert machine.power is not None
    assert machine.ops is not None
    end = machine.energy_high if key == "dadiannao" else machine.energy_low
    assert machine.power / machine.ops == near(end, 5e-3)


def test_dadiannao_without_its_links() -> None:
    machine = machines()["dadiannao"]
    assert machine.ops is not None
    assert (20.1 - 10.4) / machine.ops == near(machine.energy_low, 5e-3)  # three digits


def test_dqn_on_the_gpu_follows_from_hours_frames_and_its_power_limit() -> None:
    """An update of 32 transitions in 16 frames is 3 + 1 passes of 9.35 M MAC each, and an action in 4 frames one."""
    machine = machines()["gpu_gtx1080_dqn"]
    assert machine.power is not None
    macs_of_frame = 9.35e6 * ((3 + 1) * 32 / 16 + 1 / 4)
    for hours, end in ((9, machine.energy_low), (25, machine.energy_high)):
        energy_of_frame = machine.power * 3600 * hours / 200e6
        assert energy_of_frame / macs_of_frame / 2 == near(end, 5e-3)  # three digits


def test_energy_of_a_workload() -> None:
    """48 G MAC are 96 GOP; 300,000 images of 784 bytes cross 8 to 70 pJ a bit."""
    kit = components()
    energy = machines()["dadiannao"].energy(48e9, kit, off_chip=300_000 * 784)
    moved = 8 * 300_000 * 784
    assert energy.low == near(96e9 * 1.74e-12 + moved * 8e-12, 1e-12)  # rounding
    assert energy.high == near(96e9 * 3.60e-12 + moved * 70e-12, 1e-12)
    # A card's power limit holds its memory: bytes add nothing.
    assert machines()["gpu_gtx1080"].energy(1e9, kit, off_chip=1e9) == machines()["gpu_gtx1080"].energy(1e9, kit)


def test_what_is_unknown_stays_unknown() -> None:
    kit = components()
    assert machines()["prime"].energy(1e9, kit).text("J") == "unknown"
    at_least = machines()["gpu_h100"].energy(1e9, kit)
    assert at_least.high is None
    assert at_least.text("J") == "1.416 mJ or more"
    assert at_least.over(Range(1e-4, 2e-4)).text("1") == "7.08 or more"
    assert at_least.over(Range()).text("1") == "unknown"


def test_ranges() -> None:
    assert Range(2.0, 6.0).over(Range(1.0, 2.0)) == Range(1.0, 6.0)
    assert Range(2.0, 6.0).plus(Range(1.0, None)) == Range(3.0, None)
    assert Range(None, 6.0).text("J") == "at most 6 J"
    assert Range(1e-3, 2.0).text("J") == "0.001 to 2 J"


def test_every_machine_has_its_assumption_and_source() -> None:
    for key, machine in machines().items():
        assert machine.assumption, key
        for component in machine.memory:
            assert component in components(), key


def test_a_workload_is_not_negative() -> None:
    with pytest.raises(InputError, match=r"`macs` and `off_chip` must be 0 or more; got -1"):
        machines()["dadiannao"].energy(-1, components())


def test_the_page_shows_what_the_file_holds() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "cost-references.md").read_text(encoding="utf-8")
    for key, machine in machines().items():
        row = f"| {machine.title} | {machine.energy_of_operation.text('J')} |"
        assert row in page, key
        assert machine.assumption in page, key
