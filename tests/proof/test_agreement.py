"""Agreement of two classifiers against closed forms and a slow sum over the binomial distribution."""

import numpy as np
import pytest
from fixtures.closeness import near
from scipy import stats

from rramkit.errors import InputError
from rramkit.proof.agreement import Agreement, disagreement_bound


def test_bound_without_a_difference_is_the_closed_form():
    for total in (10, 300, 10_000):
        assert disagreement_bound(0, total) == near(1.0 - 0.05 ** (1.0 / total), rel=1e-9)


def test_at_the_bound_so_few_differences_have_five_per_cent():
    bound = disagreement_bound(3, 200)
    assert sum(stats.binom.pmf(k, 200, bound) for k in range(4)) == near(0.05, rel=1e-6)


def test_all_different_bounds_nothing():
    assert disagreement_bound(5, 5) == 1.0


@pytest.mark.parametrize(("different", "total"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(different, total):
    with pytest.raises(InputError, match="different"):
        disagreement_bound(different, total)


def test_mcnemar_is_the_binomial_test_of_the_unequal_ones():
    truth = np.zeros(20, dtype=int)
    spice, tile = truth.copy(), truth.copy()
    spice[:1], tile[5:12] = 1, 1  # SPICE alone wrong once, the tile alone wrong seven times
    agreement = Agreement(spice, tile, truth)
    assert agreement.only_right == (7, 1)
    two_sided = 2 * sum(stats.binom.pmf(k, 8, 0.5) for k in (0, 1))
    assert agreement.p_value == near(two_sided, rel=1e-9)
    assert "12 of 20" in agreement.statement()


def test_equal_decisions_have_no_evidence_of_unequal_accuracy():
    same = np.arange(10)
    assert Agreement(same, same, same).p_value == 1.0
