"""A run beside reference machines, and beside what TIME claims."""

from fixtures.closeness import near

from rramkit.cost import Range, components
from rramkit.cost.comparison import Workload, against, claimed, swings

KIT = components()


def test_the_ratio_is_the_machines_energy_over_the_runs() -> None:
    """1 G MAC are 2 GOP: 3.48 to 7.2 mJ on DaDianNao; the widest ratio has the least energy of the run."""
    rows = {row.key: row for row in against(Range(1e-3, 2e-3), Workload(1e9), KIT)}
    assert rows["dadiannao"].ratio.low == near(3.48 / 2, 1e-12)  # rounding
    assert rows["dadiannao"].ratio.high == near(7.2 / 1, 1e-12)
    assert rows["gpu_h100"].ratio.high is None
    assert not rows["prime"].ratio.known


def test_inputs_that_cross_the_border_count_for_chips_only() -> None:
    without, with_them = (
        {row.key: row.energy for row in against(Range(1.0, 1.0), Workload(1e9, off_chip), KIT)} for off_chip in (0, 1e6)
    )
    assert without["dadiannao"].low is not None
    assert with_them["dadiannao"].low == near(without["dadiannao"].low + 8e6 * 8e-12, 1e-12)  # rounding
    assert with_them["gpu_gtx1080_dqn"] == without["gpu_gtx1080_dqn"]


def test_a_claim_is_within_above_or_below_a_run() -> None:
    """48 G MAC on DaDianNao are 0.167 to 0.346 J: TIME's 5.3 asks for 31.5 to 65.2 mJ."""
    units = {"free": Range(4e-3, 4e-3), "batch": Range(40e-3, 40e-3), "image": Range(0.4, 0.4)}
    rows = claimed(units, Workload(48e9), KIT, reinforcement=False)
    assert [(row.unit, row.place) for row in rows] == [("free", "below"), ("batch", "within"), ("image", "above")]
    assert rows[0].claim.ratio == 5.3


def test_the_claim_of_reinforcement_is_against_the_gpu() -> None:
    """126 times less than 0.378 to 1.05 nJ a MAC is 3.0 to 8.3 pJ a MAC."""
    (row,) = claimed({"batch": Range(5e-3, 5e-3)}, Workload(1e9), KIT, reinforcement=True)
    assert (row.claim.ratio, row.place) == (126.0, "within")
    assert row.ratio.low == near(0.378 / 5e-3, 1e-12)  # rounding
    (row,) = claimed({"batch": Range(5e-3, None)}, Workload(1e9), KIT, reinforcement=True)
    assert row.place == "unknown"


def test_swings_are_sorted_by_how_far_they_move_the_total() -> None:
    found = swings(2.0, {"writes": {"verify": 2.2}, "gradient": {"free": 0.5, "image": 8.0}, "node": {"32 nm": 1.0}})
    assert found == (("gradient", 0.25, 4.0), ("node", 0.5, 1.0), ("writes", 1.0, 2.2 / 2.0))
