import numpy as np
import pytest

from rramkit import units


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (1.2345678e-5, "S", "12.35 µS"),
        (0.2, "V", "200 mV"),
        (-0.2, "V", "\N{MINUS SIGN}200 mV"),
        (5e-8, "s", "50 ns"),
        (9.99996e-7, "J", "1 µJ"),  # rounding carries into the next prefix
        (0.0, "J", "0 J"),
        (2.2, "ohm", "2.2 \N{GREEK CAPITAL LETTER OMEGA}"),
        (65.0, "1", "65"),
        (6240.0, "1", "6,240"),
        (300.0, "K", "300 K"),
        (300.15, "K", "300.15 K"),
        (3e-19, "J", "0.3 aJ"),  # below the smallest prefix
        (float("nan"), "A", "nan A"),
    ],
)
def test_a_value_takes_a_prefix_and_four_digits(value, unit, shown):
    assert units.text(value, unit) == shown


def test_an_error_stands_in_the_prefix_of_its_limit():
    assert units.text(2.1e-7, "S", beside=1.2e-6) == "0.21 µS"


def test_a_range_has_one_prefix():
    assert units.span(np.array([5e-5, 2e-6, 1e-5]), "S") == "2 to 50 µS"
    assert units.span(np.array([-0.2, 0.2]), "V") == "\N{MINUS SIGN}200 to 200 mV"
    assert units.span(np.array([]), "V") == "none"


def test_counts_and_fractions():
    assert units.count(1234567) == "1,234,567"
    assert units.percent(0.97314) == "97.31 %"


def test_what_is_counted_has_its_plural():
    assert [units.count(number, "pulse") for number in (0, 1, 7220)] == ["0 pulses", "1 pulse", "7,220 pulses"]
