"""Numbers with a suffix: each is the number that would be written out, and none is read in a way that nobody meant."""

from itertools import pairwise

import pytest

from rramkit.cli.options import parameters
from rramkit.errors import InputError
from rramkit.learning import Experiment
from rramkit.parameters import Parameters, quantity
from rramkit.suffixes import number

READ = [
    ("1.2V", "V", 1.2),
    ("1200m", "V", 1.2),
    ("1200mV", "V", 1.2),
    ("1.2v", "V", 1.2),
    ("-0.1 V", "V", -0.1),
    ("2um", "m", 2e-6),
    ("2u", "m", 2e-6),
    ("2 \N{MICRO SIGN}m", "m", 2e-6),
    ("45nm", "m", 45e-9),
    ("50n", "s", 50e-9),
    ("50ns", "s", 50e-9),
    ("50N", "s", 50e-9),
    (".5us", "s", 0.5e-6),
    ("10k", "ohm", 10e3),
    ("10K", "ohm", 10e3),
    ("10kohm", "ohm", 10e3),
    ("2.2MOhm", "ohm", 2.2e6),
    ("2.2meg", "ohm", 2.2e6),
    ("2.2MEG", "ohm", 2.2e6),
    ("2.2megohm", "ohm", 2.2e6),
    ("33MHz", "Hz", 33e6),
    ("9.1fF", "F", 9.1e-15),
    ("9.1f", "F", 9.1e-15),
    ("10pf", "F", 10e-12),
    ("4uS", "S", 4e-6),
    ("1ma", "A", 1e-3),
    ("300K", "K", 300.0),
    ("1e3m", "V", 1.0),
    ("10k", "1", 10e3),
    ("5m", "SI", 5e-3),
    ("3.9m", "1/K", 3.9e-3),
]


@pytest.mark.parametrize(("text", "unit", "value"), READ)
def test_a_suffix_is_a_power_of_ten_to_the_last_bit(text, unit, value):
    assert number(text, unit) == value


REFUSED = [
    ("1.2A", "V", "should be in V; 'A' is neither"),
    ("4us", "S", "should be in S"),  # a time is no conductance
    ("4uS", "s", "should be in s"),
    ("2uV", "m", "should be in m"),
    ("1M", "ohm", "M, which is milli in SPICE and mega elsewhere: write 1m or 1meg"),
    ("2m", "m", "can be read in two ways (2e-3 or 2 m)"),
    ("10F", "F", "can be read in two ways (10e-15 or 10 F)"),
    ("27C", "K", "27 degrees Celsius and 273.15"),
    ("10kV", "1", "a number without unit"),
    ("10kV", "SI", "a prefix at most"),
    ("1mil", "m", "should be in m"),
    ("10a", "A", "should be in A"),  # atto in SPICE
    ("1P", "F", "should be in F"),
    ("1 um^2", "m", "should be in m"),
    ("2um", "1/K", "should be in 1/K"),
]


@pytest.mark.parametrize(("text", "unit", "reason"), REFUSED)
def test_what_has_two_meanings_or_another_unit_is_refused(text, unit, reason):
    with pytest.raises(ValueError) as caught:
        number(text, unit)
    assert reason in str(caught.value)


@pytest.mark.parametrize("text", ["", "V", "abc", "1e", "--1V", "1.2.3V", "0x10", "1,2V"])
def test_what_is_no_number_is_refused(text):
    with pytest.raises(ValueError):
        number(text, "V")


def test_prefixes_are_a_thousand_apart():
    values = [number(f"1{prefix}", "V") for prefix in ("f", "p", "n", "u", "m", "k", "meg", "g", "t")]
    assert [round(b / a) for a, b in pairwise(values)] == [1000, 1000, 1000, 1000, 10**6, 1000, 1000, 1000]


class Bench(Parameters):
    """A record with every kind of field that a suffix may stand in."""

    v_read: float = quantity(0.1, "V", "read voltage", gt=0, le=1)
    cells: int = quantity(1, "1", "cells", ge=1)
    t_pulse: float | None = quantity(None, "s", "pulse")
    widths: tuple[float, ...] = quantity((), "m", "widths")
    hidden: tuple[int, ...] = quantity((1,), "1", "units")
    off: tuple[str, ...] = quantity((), "1", "stages")
    label: str = quantity("", "1", "a text")
    on: bool = quantity(True, "1", "a switch")


def test_files_and_pairs_take_suffixes_and_lists(tmp_path):
    path = tmp_path / "bench.toml"
    path.write_text('v_read = "200mV"\nwidths = ["2um", 3e-6]\nlabel = "10k"\n')
    found = parameters(Bench, path, ["cells=2k", "t_pulse=50ns", "hidden=48,24", "off=adc, readout", "on=false"])
    assert (found.v_read, found.widths, found.label) == (0.2, (2e-6, 3e-6), "10k")
    assert (found.cells, found.t_pulse, found.hidden, found.off, found.on) == (
        2000,
        50e-9,
        (48, 24),
        ("adc", "readout"),
        False,
    )
    assert parameters(Bench, None, ["hidden=48", "widths=2um,45n"]) == Bench(hidden=(48,), widths=(2e-6, 45e-9))
    assert parameters(Experiment, None, ["network.hidden=48,24"]).network.hidden == (48, 24)


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (
            "v_read=1.2A",
            "`v_read` should be in V; 'A' is neither this unit nor a prefix (f p n u m k meg g t); got '1.2A'",
        ),
        ("v_read=1200mV", "`v_read` should be less than or equal to 1 V; got 1.2"),
        ("v_read=1M", "`v_read` should not end in M"),
        ("t_pulse=50nA", "`t_pulse` should be in s"),
        ("cells=1m", "`cells` should be a valid integer, got a number with a fractional part; got 0.001"),
        ("widths=2um,3V", "`widths.1` should be in m; 'V' is neither"),
        ("hidden=48,,24", "`hidden` should be a list; got '48,,24'"),
        ("hidden=48,x", "`hidden.1` should be a valid integer"),
    ],
)
def test_a_suffix_that_does_not_fit_is_one_line_about_its_key(pair, message):
    with pytest.raises(InputError) as caught:
        parameters(Bench, None, [pair])
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)
